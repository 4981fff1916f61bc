//! Members whose entries are signed and sealed and must change nothing, while their feeds go on.

use super::stage::play;

/// Runs attacks, each of which is refused for this reason, and then honest entries of the same feeds.
fn each_is_refused(attacks: &[(&str, &str)]) {
    play(|stage| {
        for (attack, why) in attacks {
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
        ("mutation/clock-ahead", "the first clock is"),
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
    ]);
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
