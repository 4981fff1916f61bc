//! Members who break the protocols.

use serde_json::json;

use super::stage::{Stage, play};

/// Runs attacks, each of which the node must answer by ending the connection for breaking this section, and nothing else.
fn each_breaks(attacks: &[(&str, &str)]) {
    play(|stage| {
        for (attack, section) in attacks {
            breaks(stage, attack, section);
        }
    });
}

fn breaks(stage: &mut Stage<'_>, attack: &str, section: &str) {
    let (mut mallory, ready) = stage.member(attack, "writer");
    let before = stage.kept();
    mallory.go_on();
    assert_eq!(mallory.until("done")["cut_off"], true, "{attack}");
    let violated = stage.event("violated", &ready["peer"]);
    let reason = violated["reason"].as_str().unwrap();
    assert!(reason.contains(section), "{attack} should break {section}: {reason}");
    assert_eq!(stage.kept(), before, "{attack}");
    stage.serves();
    mallory.end();
}

/// Runs attacks that the node must bear without a word, and of which nothing may stay.
fn each_changes_nothing(attacks: &[&str], but: impl Fn(&Stage<'_>, &str, &serde_json::Value)) {
    play(|stage| {
        for attack in attacks {
            let (mut mallory, ready) = stage.member(attack, "writer");
            let before = stage.kept();
            mallory.go_on();
            assert_eq!(mallory.until("done")["cut_off"], false, "{attack}");
            but(stage, attack, &ready);
            assert_eq!(stage.kept(), before, "{attack}");
            stage.serves();
            mallory.end();
        }
    });
}

#[test]
fn ranges_that_their_head_does_not_sign_are_not_stored() {
    each_breaks(&[
        ("range/wrong-root", "REPLICATION-7.3"),
        ("range/wrong-size", "REPLICATION-7.3"),
        ("range/foreign-signature", "REPLICATION-7.3"),
        ("range/altered-body", "REPLICATION-7.3"),
        ("range/altered-header", "REPLICATION-7.3"),
        ("range/cut-body", "REPLICATION-7.3"),
        ("range/cut-headers", "REPLICATION-7.3"),
        ("range/absent-nonsense", "REPLICATION-7.1"),
        ("range/absent-body", "REPLICATION-7"),
    ]);
}

#[test]
fn ranges_that_nobody_asked_for_are_not_stored() {
    each_breaks(&[
        ("range/wrong-from", "REPLICATION-7.1"),
        ("range/unasked-feed", "REPLICATION-7.1"),
        ("range/invented-feed", "REPLICATION-7.1"),
        ("range/other-head", "REPLICATION-7.1"),
        ("range/no-head", "REPLICATION-7.1"),
        ("range/1e9-entries", "REPLICATION-7.1"),
        ("range/2^60-entries", "REPLICATION-7.1"),
        ("range/unknown-number", "REPLICATION-4.1"),
        ("range/bodies-unasked", "REPLICATION-7.2"),
        ("range/bodies-too-many", "REPLICATION-7"),
        ("range/incomplete", "REPLICATION-7"),
        // Whether the credit or the bodies run out first is a matter of speed.
        ("range/beyond-credit", "REPLICATION-"),
    ]);
}

#[test]
fn proofs_and_answers_that_fit_nothing_end_the_connection() {
    each_breaks(&[
        ("want/misfit-tree", "REPLICATION-5.1"),
        ("want/misfit-length", "REPLICATION-5.1"),
        ("want/tree-without-head", "REPLICATION-5.1"),
        ("want/tree-of-2^60", "REPLICATION-5.1"),
        ("want/forged-base", "REPLICATION-8.1"),
        ("want/forged-base-below", "REPLICATION-8.1"),
        ("want/twice", "REPLICATION-5.1"),
        ("want/unknown-number", "REPLICATION-4.1"),
        ("want/stop-unknown-number", "REPLICATION-4.1"),
        ("want/short-feed", "REPLICATION-2.1"),
        ("want/refused-unasked", "REPLICATION-5.4"),
        ("want/credit-unowed", "REPLICATION-6.3"),
        ("want/credit-overflow", "REPLICATION-6.3"),
        ("want/no-contradiction", "REPLICATION-8.2"),
        ("want/forged-contradiction", "REPLICATION-8.1"),
        ("want/own-contradiction", "REPLICATION-4.1"),
        ("want/empty-holding", "REPLICATION-4.2"),
        ("want/cut-holdings", "REPLICATION-4.2"),
    ]);
}

#[test]
fn lengths_and_counts_that_are_only_claimed_cost_nothing() {
    each_breaks(&[
        ("huge/claims", "REPLICATION-4.3"),
        ("huge/page", "REPLICATION-2.1"),
        ("huge/early", "REPLICATION-4.1"),
        ("huge/door-frame", "WIRE-2.1"),
        ("huge/replication-frame", "WIRE-2.1"),
        ("huge/over-2-mib", "WIRE-2.1"),
        ("huge/endless-length", "WIRE-2.1"),
        ("huge/fields", "REPLICATION-2.1"),
        ("huge/field-length", "REPLICATION-2.1"),
        ("huge/tags", "SPACE-9"),
        ("huge/unread", "does not read"),
    ]);
}

#[test]
fn claims_without_end_hold_nothing_up() {
    each_changes_nothing(&["huge/holding", "huge/holding-data", "huge/trickle"], |_, _, _| ());
}

#[test]
fn a_proof_of_membership_is_good_for_its_own_connection_only() {
    let attacks = ["membership/other-connection", "membership/other-device", "reflected-tags"];
    each_changes_nothing(&attacks, |stage, attack, _| {
        let status = stage.alice.get("/status");
        let strangers =
            status["peers"].as_array().unwrap().iter().filter(|peer| peer["peer_id"] != *stage.bob.peer_id());
        for stranger in strangers {
            assert_eq!(stranger["spaces"], json!([]), "{attack}");
        }
    });
}

#[test]
fn the_door_is_shut_to_those_who_break_its_rules() {
    each_breaks(&[
        ("membership/reflected-nonce", "SPACE-9.1"),
        ("membership/round-skipped", "SPACE-9.3"),
        ("membership/three-tags", "SPACE-9.3"),
        ("membership/half-a-tag", "SPACE-9.3"),
        ("membership/again", "SPACE-9.4"),
        ("membership/rounds", "SPACE-9.6"),
        ("early/tags-before-hello", "SPACE-9.1"),
        ("early/second-door-hello", "SPACE-9.1"),
        ("early/short-nonce", "SPACE-9.1"),
        ("early/empty-door-frame", "SPACE-9.1"),
        ("early/garbage-door", "SPACE-9.1"),
    ]);
}

#[test]
fn frames_out_of_turn_end_the_connection() {
    each_breaks(&[
        ("early/have-before-hello", "REPLICATION-3.1"),
        ("early/want-before-hello", "REPLICATION-3.1"),
        ("early/second-hello", "REPLICATION-3.1"),
        ("early/other-version", "REPLICATION-3.1"),
        ("early/small-window", "REPLICATION-6.2"),
        ("early/garbage-replication", "REPLICATION-2.1"),
    ]);
}

#[test]
fn streams_that_should_not_be_there_are_closed() {
    let attacks = ["early/replication-without-door", "early/second-door", "early/garbage-invitation"];
    each_changes_nothing(&attacks, |stage, attack, ready| {
        if attack == "early/garbage-invitation" {
            let violated = stage.event("violated", &ready["peer"]);
            assert!(violated["reason"].as_str().unwrap().contains("INVITATION-3"), "{violated}");
        }
    });
}

#[test]
fn two_histories_of_a_feed_stop_it() {
    play(|stage| {
        let (mut mallory, ready) = stage.member("fork", "writer");
        mallory.go_on();
        let object = mallory.until("wrote")["object"].as_str().unwrap().to_owned();
        mallory.until("done");
        stage.event("stopped", &ready["data"]);
        let feed = ready["data"].as_str().unwrap();
        assert_eq!(stage.shown(&object), "an honest text", "a fork undoes nothing");
        assert_eq!(stage.kept().feed(feed), (1, true));
        let waiting = stage.alice.get("/status")["spaces"][0]["waiting"].to_string();
        assert!(waiting.contains(feed), "{waiting}");
        stage.serves();
        mallory.end();
    });
}
