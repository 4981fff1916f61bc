//! Guests who have no right to come in, or not twice.

use serde_json::{Value, json};

use super::{
    program::Program,
    stage::{Stage, TRANSPORTS, play},
};

/// Attacks with a link; what the node answered, and the program with its peer id.
fn attack(stage: &mut Stage<'_>, what: &str, links: &[&str]) -> (Program, Value, Value) {
    stage.round();
    let mut mallory = Program::start(&[&[stage.transport, "guest", what], links].concat());
    let ready = mallory.until("ready");
    stage.level();
    let before = stage.kept();
    mallory.go_on();
    let heard = mallory.until("done")["heard"].clone();
    assert_eq!(stage.kept(), before, "{what}");
    stage.serves();
    (mallory, heard, ready["peer"].clone())
}

#[test]
fn invitations_that_are_not_good_let_nobody_in() {
    play(|stage| {
        for transport in TRANSPORTS {
            stage.transport = transport;
            let_in_by_none_of_them(stage);
        }
    });
}

fn let_in_by_none_of_them(stage: &mut Stage<'_>) {
    let (link, other) = (stage.link("writer"), stage.link("admin"));
    let (mallory, unknown, _) = attack(stage, "unknown", &[&link]);
    mallory.end();
    assert_eq!(unknown.as_array().unwrap().len(), 1, "{unknown}");
    assert_eq!(unknown[0]["kind"], "refused 1");
    for what in ["wrong-proof", "replayed-proof", "other-link"] {
        let (mallory, heard, _) = attack(stage, what, &[&link, &other]);
        mallory.end();
        assert_eq!(heard, unknown, "{what} is answered like an invitation that is not there");
    }
    for what in ["stolen-redemption", "other-host"] {
        let (mallory, heard, _) = attack(stage, what, &[&link]);
        mallory.end();
        assert_eq!(heard[0]["kind"], "refused 3", "{what}");
    }
    for what in ["redeem-first", "reflected", "version"] {
        let (mallory, heard, peer) = attack(stage, what, &[&link]);
        assert_eq!(heard, json!([]), "{what}");
        let violated = stage.event("violated", &peer);
        assert!(violated["reason"].as_str().unwrap().contains("INVITATION-3"), "{what}: {violated}");
        mallory.end();
    }
    // The link is still good, once.
    let (mallory, heard, _) = attack(stage, "used", &[&link]);
    mallory.end();
    assert_eq!(heard[0]["kind"], "refused 5");
}

#[test]
fn who_is_let_in_gets_the_bundle_again_a_few_times() {
    play(|stage| {
        for transport in TRANSPORTS {
            stage.transport = transport;
            stage.round();
            let link = stage.link("writer");
            let mut mallory = Program::start(&[transport, "guest", "bundles", &link]);
            mallory.until("ready");
            mallory.go_on();
            let heard = mallory.until("done")["heard"].clone();
            let kinds: Vec<&str> =
                heard.as_array().unwrap().iter().map(|said| said["kind"].as_str().unwrap()).collect();
            let given = kinds.iter().take_while(|kind| **kind == "accepted").count();
            assert!((2..=6).contains(&given) && kinds.len() == 12, "{kinds:?}");
            assert!(kinds[given..].iter().all(|kind| *kind == "refused 2"), "{kinds:?}");
            stage.serves();
            mallory.end();
        }
    });
}
