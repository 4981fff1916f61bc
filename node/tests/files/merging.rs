//! A folder and a space that both change.

use std::fs;

use super::tree::{alice, export, folder_of, import, read, tree};
use crate::harness::{Folder, share};

#[test]
fn what_others_wrote_stays_when_a_changed_file_is_imported() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let (_alice_up, _bob_up) = (alice.up(&[]), bob.up(&[]));
    share(&alice, &bob);
    let begun = "# Plan\n\nBuy milk.\nCall the plumber.\n";
    let folder = folder_of(&tree(&[("plan.md", begun.as_bytes())]));
    import(&alice, folder.path(), &[]);
    bob.json(&["wait", "notes"]);
    bob.json(&["text", "insert", "plan.md", "16", " and bread"]);
    alice.json(&["wait", "notes"]);

    // She has not seen it: her file is as she wrote it, and stays so until it is exported.
    let said = import(&alice, folder.path(), &[]);
    assert_eq!(said.of_path("plan.md"), "unchanged: newer_in_space");
    assert_eq!(alice.text("plan.md"), "# Plan\n\nBuy milk and bread.\nCall the plumber.\n");

    fs::write(folder.path().join("plan.md"), begun.replace("Call", "Write to")).unwrap();
    assert_eq!(export(&alice, folder.path(), &[]).of_path("plan.md"), "skipped: changed_here");
    assert_eq!(import(&alice, folder.path(), &[]).of_path("plan.md"), "updated");
    let both = "# Plan\n\nBuy milk and bread.\nWrite to the plumber.\n";
    assert_eq!(alice.text("plan.md"), both);
    bob.json(&["wait", "notes"]);
    assert_eq!(bob.text("plan.md"), both);
    assert_eq!(export(&alice, folder.path(), &[]).of_path("plan.md"), "updated");
    assert_eq!(read(folder.path()), tree(&[("plan.md", both.as_bytes())]));
    assert_eq!(import(&alice, folder.path(), &[]).of_path("plan.md"), "unchanged");
}

#[test]
fn only_what_differs_is_written() {
    let alice = alice();
    let lines: String = (0..2_000).map(|number| format!("line {number}\n")).collect();
    let folder = folder_of(&[("long.md".to_owned(), lines.clone().into_bytes())].into());
    import(&alice, folder.path(), &[]);
    let bytes = || -> u64 {
        let feeds = alice.json(&["feed", "list", "notes"]);
        feeds["feeds"].as_array().unwrap().iter().map(|feed| feed["byte_length"].as_u64().unwrap()).sum()
    };
    let before = bytes();
    fs::write(folder.path().join("long.md"), lines.replace("line 7\n", "line seven\n").replace("line 1999\n", ""))
        .unwrap();
    assert_eq!(import(&alice, folder.path(), &[]).of_path("long.md"), "updated");
    assert!(bytes() - before < 600, "{} bytes for two words", bytes() - before);
}

#[test]
fn another_folder_without_a_past_is_taken_as_it_is() {
    let alice = alice();
    let (one, other) = (folder_of(&tree(&[("a.md", b"one\ntwo\n")])), folder_of(&tree(&[("a.md", b"one\n2\n")])));
    import(&alice, one.path(), &[]);
    assert_eq!(import(&alice, other.path(), &[]).of_path("a.md"), "updated");
    assert_eq!(alice.text("a.md"), "one\n2\n");
    // The first folder has not changed since, so it is behind and not ahead.
    assert_eq!(import(&alice, one.path(), &[]).of_path("a.md"), "unchanged: newer_in_space");
    assert_eq!(alice.text("a.md"), "one\n2\n");
}

#[test]
fn a_file_whose_object_was_deleted_or_moved_is_imported_anew() {
    let alice = alice();
    let folder = folder_of(&tree(&[("a.md", b"a"), ("b.md", b"b")]));
    import(&alice, folder.path(), &[]);
    alice.json(&["object", "delete", "a.md"]);
    alice.json(&["object", "set", "b.md", "path=moved/b.md"]);
    let out = tempfile::tempdir().unwrap();
    export(&alice, out.path(), &[]);
    assert_eq!(read(out.path()), tree(&[("moved/b.md", b"b")]));
    let said = import(&alice, folder.path(), &[]);
    assert_eq!((said.of_path("a.md"), said.of_path("b.md")), ("imported".into(), "imported".into()));
}
