//! Members who break the protocols.

use serde_json::json;

use super::stage::{Stage, TRANSPORTS, play};

/// Runs attacks, each of which the node must answer by ending the connection for breaking this section, and nothing else.
fn each_breaks(attacks: &[(&str, &str)]) {
    play(|stage| {
        for transport in TRANSPORTS {
            stage.transport = transport;
            for (attack, section) in attacks {
                breaks(stage, attack, section);
            }
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
        for (transport, attack) in
            TRANSPORTS.into_iter().flat_map(|over| attacks.iter().map(move |attack| (over, attack)))
        {
            stage.transport = transport;
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
        for transport in TRANSPORTS {
            stage.transport = transport;
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
        }
    });
}

/// The vectors that another decoder loops on, or reads past its slice with; and messages that nest a mebibyte deep.
#[test]
fn protobuf_that_breaks_other_decoders_is_refused_wherever_a_message_is_read() {
    let places = [
        ("door-first", "SPACE-9.1"),
        ("door", "SPACE-9.1"),
        ("replication-first", "REPLICATION-2.1"),
        ("replication", "REPLICATION-2.1"),
        ("want-head", "REPLICATION-"),
        ("contradiction", "REPLICATION-8"),
        ("range-head", "REPLICATION-7"),
        ("range-headers", "REPLICATION-7"),
    ];
    let attacks = places.iter().flat_map(|(place, section)| {
        // What nests comes over the whole frame.
        let nested = matches!(*place, "door" | "replication").then_some(["groups", "messages"]);
        let bytes = ["0", "1"].into_iter().chain(nested.into_iter().flatten());
        bytes.map(move |bytes| (format!("protobuf/{place}/{bytes}"), *section))
    });
    let attacks: Vec<_> = attacks.collect();
    each_breaks(&attacks.iter().map(|(attack, section)| (attack.as_str(), *section)).collect::<Vec<_>>());
}

#[test]
fn protobuf_that_breaks_other_decoders_lets_nobody_in() {
    let attacks =
        ["invitation-first/0", "invitation-first/1", "invitation/0", "invitation/1", "redemption/0", "redemption/1"];
    let attacks = attacks.map(|attack| format!("protobuf/{attack}"));
    each_changes_nothing(&attacks.each_ref().map(String::as_str), |stage, attack, ready| {
        if !attack.contains("redemption") {
            let violated = stage.event("violated", &ready["peer"]);
            assert!(violated["reason"].as_str().unwrap().contains("INVITATION-3"), "{violated}");
        }
    });
}

/// Everything half done and nothing finished, over both transports at once: it takes as long as a frame may.
#[test]
fn who_dribbles_is_cut_off_and_holds_nobody_up() {
    play(|stage| {
        let mut slow = TRANSPORTS.map(|transport| {
            stage.transport = transport;
            stage.member("slow", "writer")
        });
        slow.iter_mut().for_each(|(mallory, _)| mallory.go_on());
        for _ in 0..5 {
            stage.serves();
        }
        let mut left: Vec<_> = slow.iter().map(|(_, ready)| ready["peer"].clone()).collect();
        while !left.is_empty() {
            let violated = stage.violation("longer than 30 s");
            left.retain(|peer| *peer != violated["peer"]);
        }
        for (mallory, _) in &mut slow {
            assert_eq!(mallory.until("done")["cut_off"], true);
        }
        stage.serves();
        slow.into_iter().for_each(|(mallory, _)| mallory.end());
    });
}

#[test]
fn keys_of_another_space_open_nothing_and_sign_nothing() {
    play(|stage| {
        let other = stage.alice.folder.field("space", &["space", "create", "other"]);
        let attacks = [("door", ""), ("feed", "REPLICATION-7.1"), ("head", "REPLICATION-7.3")];
        for (transport, (what, section)) in TRANSPORTS.into_iter().flat_map(|over| attacks.map(|attack| (over, attack)))
        {
            stage.transport = transport;
            let link = stage.link_to(&other, "writer");
            let (mut mallory, ready) = stage.member_with(&format!("elsewhere/{what}"), "writer", Some(&link));
            let before = stage.kept();
            mallory.go_on();
            assert_eq!(mallory.until("done")["cut_off"], !section.is_empty(), "{what}");
            if !section.is_empty() {
                let violated = stage.event("violated", &ready["peer"]);
                assert!(violated["reason"].as_str().unwrap().contains(section), "{what}: {violated}");
            }
            assert_eq!(stage.kept(), before, "{what}");
            stage.serves();
            mallory.end();
        }
    });
}
