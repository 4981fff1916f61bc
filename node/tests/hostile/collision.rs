//! Two feeds with one Yjs client id, by the founder of a space: `specs/vectors/echo/collision.json`.

use std::{path::Path, time::Instant};

use serde_json::{Value, json};

use super::{
    program::Program,
    stage::{Node, TRANSPORTS},
};
use crate::harness::{Folder, Following, PATIENCE};

/// The vector that `protocols/peer/examples/collide.rs` has found.
fn vector() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/vectors/echo/collision.json");
    path.to_str().unwrap().to_owned()
}

/// A folder whose device key is higher than the founder's: who has the lower one opens the streams. Peer ids of one length are
/// ordered as the keys in them.
fn above(founder: &str) -> Folder {
    let mut folders = std::iter::repeat_with(|| Folder::of("Alice")).take(64);
    let fits = |folder: &Folder| {
        let peer = folder.field("peer_id", &["init"]);
        assert_eq!(peer.len(), founder.len());
        peer.as_str() > founder
    };
    folders.find(fits).expect("every other key or so is higher")
}

/// Waits until both show the same text, and it fits.
fn come_to([one, other]: [&Node<'_>; 2], space: &str, note: &str, fits: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        for (node, with) in [(one, other), (other, one)] {
            node.get(&format!("/spaces/{space}/wait?timeout_ms=60000&with={}", with.peer_id()));
        }
        let texts = [one, other].map(|node| node.text(note));
        if texts[0] == texts[1] && fits(&texts[0]) {
            return texts[0].clone();
        }
        assert!(begun.elapsed() < PATIENCE, "{texts:?}");
    }
}

/// The feed that is seen later was admitted first: it has the client id, and what the other one wrote is taken out again, at
/// whoever saw it and at whoever did not.
///
/// Spec: SPACE-8.2
#[test]
fn two_feeds_with_one_client_id_leave_the_text_of_the_first_admitted() {
    for transport in TRANSPORTS {
        let mut mallory = Program::start(&[transport, "founder", &vector()]);
        let ready = mallory.until("ready");
        let (alice, bob) = (above(ready["peer"].as_str().unwrap()), Folder::of("Bob"));
        let (alice, bob) = (Node::start(&alice), Node::start(&bob));
        let link = ready["link"].as_str().unwrap();
        let joined = alice.folder.json(&["join", link]);
        mallory.until("let in");
        let space = joined["space"].as_str().unwrap();
        let events = Following::start(alice.folder, &["--json", "events"]);
        let note = alice.folder.field("object", &["object", "create", space, "note", "name=poem", "body=hers"]);
        let to_bob = alice.folder.field("link", &["invite", space]);
        bob.folder.json(&["join", &to_bob]);

        mallory.tell(&note);
        let late = mallory.until("gave")["feed"].clone();
        let shown = come_to([&alice, &bob], space, &note, |text| text.contains("late"));
        assert_eq!(shown.replace("late", ""), "hers");
        // Bob builds on it, in good faith.
        let at = shown.find("late").unwrap() + 2;
        bob.post(&format!("/objects/{note}/text"), json!({ "operations": [{ "position": at, "insert": "bob" }] }));
        come_to([&alice, &bob], space, &note, |text| text.contains("bob"));

        mallory.go_on();
        mallory.until("done");
        let taken = |event: &Value| {
            event["event"] == "quarantined"
                && event["feed"] == late
                && event["reason"].as_str().unwrap().contains("taken by another session")
        };
        events.until(taken);
        let shown = come_to([&alice, &bob], space, &note, |text| text.contains("early") && !text.contains("la"));
        assert_eq!(shown.replace("early", ""), "hers", "what Bob wrote into the other has no place any more");
        for node in [&alice, &bob] {
            assert_eq!(node.folder.json(&["verify"])["verified"], true);
        }
        mallory.end();
    }
}
