//! What somebody writes who has not heard that it may not any more: hidden, listed, and taken in again.

use serde_json::Value;

use super::{
    harness::{Folder, Up, until},
    members::{agree, share_with},
};

struct Scene {
    alice: Folder,
    bob: Folder,
    carol: Folder,
}

impl Scene {
    fn new() -> Scene {
        Scene { alice: Folder::of("Alice"), bob: Folder::of("Bob"), carol: Folder::of("Carol") }
    }

    /// Alice, off line, takes a right from Bob, who writes on with Carol. Then Carol meets Alice; Bob is off line.
    fn play(&self, change: &[&str]) -> [Up<'_>; 2] {
        let Scene { alice, bob, carol } = self;
        let alice_up = alice.up(&[]);
        let bob_up = bob.up(&[]);
        let carol_up = carol.up(&["--peer", &bob_up.address()]);
        share_with(alice, &[(bob, "writer"), (carol, "writer")]);
        bob.json(&["object", "create", "notes", "note", "name=early", "body=in time"]);
        agree(&[bob, alice, carol]);
        carol.json(&["wait", "notes", "--with", "Bob"]);
        alice_up.down();
        alice.json(change);

        bob.json(&["object", "create", "notes", "note", "name=late", "body=too late"]);
        bob.json(&["text", "insert", "early", "0", "not "]);
        bob.json(&["wait", "notes", "--with", "Carol"]);
        carol.json(&["wait", "notes", "--with", "Bob"]);
        assert_eq!(carol.text("late"), "too late");
        carol.json(&["text", "insert", "early", "0", "perhaps "]);
        bob.json(&["wait", "notes", "--with", "Carol"]);
        bob_up.down();

        let alice_up = alice.up(&["--peer", &carol_up.address()]);
        alice.json(&["wait", "notes", "--with", "Carol"]);
        carol.json(&["wait", "notes", "--with", "Alice"]);
        [alice_up, carol_up]
    }

    /// What Alice and Carol hold of Bob that does not count: the same.
    fn hidden(&self) -> Value {
        let listed = |folder: &Folder| folder.json(&["space", "quarantine", "notes"])["quarantined"].clone();
        let essence = |listed: &Value| {
            let feeds = listed.as_array().unwrap().iter();
            feeds
                .map(|feed| [&feed["feed"], &feed["from"], &feed["entries"], &feed["acts"]].map(Value::clone))
                .collect()
        };
        let (of_alice, of_carol) = (listed(&self.alice), listed(&self.carol));
        let [one, other]: [Vec<_>; 2] = [&of_alice, &of_carol].map(essence);
        assert_eq!(one, other);
        of_alice
    }
}

#[test]
fn what_a_removed_member_wrote_meanwhile_is_hidden_listed_and_readmitted() {
    let scene = Scene::new();
    let _nodes = scene.play(&["member", "remove", "notes", "Bob"]);
    let Scene { alice, bob, carol } = &scene;
    for folder in [alice, carol] {
        assert_eq!(folder.error(3, &["text", "show", "late"]), "unknown_object");
        assert_eq!(folder.text("early"), "perhaps in time", "what Carol wrote beside it stays");
    }
    let hidden = scene.hidden();
    let [feed] = &hidden.as_array().unwrap()[..] else { panic!("{hidden}") };
    let said = (&feed["name"], &feed["purpose"], &feed["space_name"]);
    assert_eq!(said, (&"Bob".into(), &"data".into(), &"notes".into()));
    assert!(feed["entries"].as_u64().unwrap() >= 2 && feed["bytes"].as_u64().unwrap() > 0, "{feed}");
    let act = &feed["acts"][0];
    assert_eq!((&act["kind"], &act["by_name"]), (&"member_removed".into(), &"Alice".into()));
    let shown = alice.run(&["space", "quarantine"]).stdout;
    assert!(shown.contains("Bob was removed by Alice") && shown.contains("weft space readmit "), "{shown}");

    assert_eq!(carol.error(4, &["space", "readmit", "notes", "Bob"]), "wrong_role");
    assert_eq!(alice.error(3, &["space", "readmit", "notes", "Carol"]), "unknown_author");
    assert_eq!(alice.error(3, &["space", "readmit", "notes", "Bob", "--act", "nothing-known"]), "unknown_act");
    let taken_in = alice.json(&["space", "readmit", "notes", "Bob"]);
    assert_eq!(taken_in["entries"], feed["entries"]);
    agree(&[alice, carol]);
    for folder in [alice, carol] {
        assert_eq!(folder.text("late"), "too late");
        assert_eq!(folder.text("early"), "perhaps not in time");
        let members = folder.json(&["member", "list", "notes"])["members"].as_array().unwrap().len();
        assert_eq!(members, 2, "he stays removed");
    }
    assert_eq!(scene.hidden(), Value::Array(Vec::new()));
    assert_eq!(alice.run(&["space", "quarantine"]).stdout, "nothing is in quarantine\n");
    assert_eq!(bob.text("late"), "too late");
}

#[test]
fn a_demoted_writer_who_never_looks_writes_nothing_that_counts() {
    let scene = Scene::new();
    let [alice_up, carol_up] = scene.play(&["member", "role", "notes", "Bob", "reader"]);
    let Scene { alice, bob, carol } = &scene;
    for folder in [alice, carol] {
        assert_eq!(folder.error(3, &["text", "show", "late"]), "unknown_object");
    }
    let hidden = scene.hidden();
    assert_eq!((&hidden[0]["acts"][0]["kind"], &hidden[0]["name"]), (&"role_changed".into(), &"Bob".into()));
    // When he hears of it, it is so with him too.
    let _bob_up = bob.up(&["--peer", &alice_up.address(), "--peer", &carol_up.address()]);
    until("Bob has heard of it", || bob.json(&["space", "show", "notes"])["role"] == "reader");
    agree(&[bob, alice, carol]);
    assert_eq!(bob.error(3, &["text", "show", "late"]), "unknown_object");
    assert_eq!(bob.error(4, &["text", "insert", "early", "0", "x"]), "wrong_role");
    assert_eq!(bob.text("early"), "perhaps in time");
    alice.json(&["space", "readmit", "notes", "Bob"]);
    agree(&[alice, bob, carol]);
    for folder in [alice, bob, carol] {
        assert_eq!(folder.text("late"), "too late");
    }
    assert_eq!(bob.error(4, &["text", "insert", "early", "0", "x"]), "wrong_role", "a reader he stays");
}
