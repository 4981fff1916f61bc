//! Members whose entries are signed and sealed and must change nothing, while their feeds go on.

use super::stage::{TRANSPORTS, play};

/// Runs attacks, each of which is refused for this reason, and then honest entries of the same feeds.
fn each_is_refused(attacks: &[(&str, &str)]) {
    play(|stage| {
        // What is in an entry does not depend on how it came: every other one comes over TCP.
        for (number, (attack, why)) in attacks.iter().enumerate() {
            stage.transport = TRANSPORTS[number % TRANSPORTS.len()];
            let (mut mallory, ready) = stage.member(attack, "writer");
            let (data, text) = (ready["data"].as_str().unwrap(), stage.alice.text(&stage.note));
            let before = stage.kept().but(&[data]);
            mallory.go_on();
            mallory.until("gave");
            let quarantined = stage.event("quarantined", &ready["data"]);
            let reason = quarantined["reason"].as_str().unwrap();
            assert!(reason.contains(why) && quarantined["seq"] == 0, "{attack}: {quarantined}");
            let object = mallory.until("wrote")["object"].as_str().unwrap().to_owned();
            mallory.until("done");
            assert_eq!(stage.shown(&object), "an honest text", "{attack}: the feed goes on");
            assert_eq!(stage.shown(&stage.note), text, "{attack}");
            let after = stage.kept();
            assert_eq!(after.feed(data), (2, false), "{attack}");
            assert_eq!(after.without(&object).but(&[data]), before, "{attack}");
            stage.serves();
            mallory.end();
        }
    });
}

#[test]
fn updates_under_a_foreign_client_id_are_refused() {
    each_is_refused(&[
        ("mutation/foreign-client", "insertions of client"),
        ("mutation/foreign-client-again", "insertions of client"),
        ("mutation/aliased-client", "insertions of client"),
    ]);
}

#[test]
fn deletions_of_what_is_not_written_yet_are_refused() {
    each_is_refused(&[
        ("mutation/deletes-ahead", "outside the causal past"),
        ("mutation/deletes-for-ever", "outside the causal past"),
        ("mutation/deletes-of-nobody", "outside the causal past"),
        ("mutation/deletes-overflow", "a clock of"),
        ("mutation/deletes-without-past", "not made in its past"),
        ("mutation/origin-ahead", "outside the causal past"),
    ]);
}

#[test]
fn updates_that_would_make_a_library_allocate_are_refused() {
    each_is_refused(&[
        ("mutation/clients-2^32", "insertions of"),
        ("mutation/blocks-2^32", "a count of"),
        ("mutation/ranges-2^32", "a count of"),
        ("mutation/gc-2^31", "a block with info byte"),
        ("mutation/clients-200m", "insertions of"),
        ("mutation/deleting-clients-200m", "a count of"),
    ]);
}

#[test]
fn values_that_nest_a_mebibyte_deep_are_refused() {
    each_is_refused(&[
        ("mutation/nested-value", "malformed"),
        ("mutation/nested-64k", "nests more than 32 deep"),
        ("mutation/nested-content", "a block with info byte"),
        ("mutation/protobuf-groups", "malformed"),
        ("mutation/protobuf-messages", "malformed"),
    ]);
}

#[test]
fn protobuf_that_breaks_other_decoders_is_no_mutation() {
    each_is_refused(&[
        ("mutation/protobuf-0", "malformed"),
        ("mutation/protobuf-1", "malformed"),
        ("mutation/protobuf-inserts-0", "refused"),
        ("mutation/protobuf-inserts-1", "refused"),
        ("mutation/protobuf-deletes-0", "refused"),
        ("mutation/protobuf-deletes-1", "refused"),
    ]);
}

/// Control entries that say nothing, or admit what belongs to another space.
#[test]
fn well_signed_entries_that_mean_nothing_change_nothing() {
    play(|stage| {
        let other = stage.alice.folder.field("space", &["space", "create", "other"]);
        for (number, attack) in
            ["protobuf/control/0", "protobuf/control/1", "protobuf/control/groups", "elsewhere/manifest"]
                .iter()
                .enumerate()
        {
            stage.transport = TRANSPORTS[number % TRANSPORTS.len()];
            let link = stage.link_to(&other, "writer");
            let (mut mallory, ready) = stage.member_with(attack, "writer", Some(&link));
            let control = ready["control"].as_str().unwrap();
            let before = stage.kept().but(&[control]);
            mallory.go_on();
            mallory.until("done");
            let after = stage.kept();
            assert_eq!(after.feed(control), (1, false), "{attack}: it is kept and served");
            assert_eq!(after.but(&[control]), before, "{attack}");
            stage.serves();
            mallory.end();
        }
    });
}

#[test]
fn bodies_under_another_spaces_key_are_not_opened() {
    play(|stage| {
        let other = stage.alice.folder.field("space", &["space", "create", "other"]);
        let attacks = [
            ("elsewhere/body", "quic", "could not be opened"),
            ("elsewhere/epoch", "tcp", "under no epoch that had begun"),
        ];
        for (attack, transport, why) in attacks {
            stage.transport = transport;
            let link = stage.link_to(&other, "writer");
            let (mut mallory, ready) = stage.member_with(attack, "writer", Some(&link));
            let data = ready["data"].as_str().unwrap();
            let before = stage.kept().but(&[data]);
            mallory.go_on();
            mallory.until("gave");
            let quarantined = stage.event("quarantined", &ready["data"]);
            assert!(quarantined["reason"].as_str().unwrap().contains(why), "{quarantined}");
            let object = mallory.until("wrote")["object"].as_str().unwrap().to_owned();
            mallory.until("done");
            assert_eq!(stage.shown(&object), "an honest text", "{attack}: the feed goes on");
            assert_eq!(stage.kept().without(&object).but(&[data]), before, "{attack}");
            stage.serves();
            mallory.end();
        }
    });
}

#[test]
fn entries_that_are_no_mutation_of_anything_are_refused() {
    each_is_refused(&[
        ("mutation/unknown-object", "not made in its past"),
        ("mutation/no-mutation", "malformed"),
        ("mutation/unsealed", "could not be opened"),
    ]);
}

#[test]
fn what_a_reader_writes_and_what_no_membership_precedes_changes_nothing() {
    play(|stage| {
        for (attack, role) in [("mutation/writes", "reader"), ("mutation/without-control", "writer")] {
            let (mut mallory, ready) = stage.member(attack, role);
            let data = ready["data"].as_str().unwrap();
            let before = stage.kept().but(&[data]);
            mallory.go_on();
            mallory.until("done");
            stage.level();
            let after = stage.kept();
            assert!(after.feed(data).0 > 0, "void entries are kept and served");
            assert_eq!(after.but(&[data]), before, "{attack}");
            stage.serves();
            mallory.end();
        }
    });
}

#[test]
fn who_may_invite_nobody_invites_nobody() {
    play(|stage| {
        for role in ["reader", "writer"] {
            let (mut mallory, ready) = stage.member("mutation/invitation", role);
            let control = ready["control"].as_str().unwrap();
            let before = stage.kept().but(&[control]);
            mallory.go_on();
            mallory.until("done");
            let after = stage.kept();
            assert_eq!(after.feed(control), (1, false));
            assert_eq!(after.but(&[control]), before, "{role}");
            stage.serves();
            mallory.end();
        }
    });
}
