//! What is imported, what is not, and what is said of it.

use std::{fs, os::unix};

use super::tree::{alice, export, folder_of, import, read, tree};
use crate::harness::{Folder, argument, share};

#[test]
fn what_cannot_be_a_text_of_a_space_is_skipped_and_said() {
    let alice = alice();
    let folder = folder_of(&tree(&[
        ("good.md", b"good"),
        ("latin.txt", b"Gr\xfc\xdfe"),
        ("zero.txt", b"U\0T\0F\0"),
        (".git/config", b"[core]"),
        (".env", b"SECRET=1"),
        ("sub/.hidden", b"hidden"),
        ("Twice.md", b"one"),
        ("twice.md", b"other"),
        ("caf\u{e9}.md", b"composed"),
        ("cafe\u{301}.md", b"not composed"),
        ("aux.md", b"device"),
        ("what?.md", b"mark"),
        ("end.", b"dot"),
        ("tab\tbed.md", b"control"),
        ("turn\u{202e}dm.exe", b"direction"),
        ("store/store.redb", b"not really"),
        ("store/api-token", b"secret"),
    ]));
    let at = |name: &str| folder.path().join(name);
    fs::File::create(at("huge.txt")).unwrap().set_len((16 << 20) + 1).unwrap();
    unix::fs::symlink("good.md", at("link.md")).unwrap();
    unix::fs::symlink("/etc", at("etc")).unwrap();
    let _socket = unix::net::UnixListener::bind(at("socket")).unwrap();
    let no_text = <std::ffi::OsStr as unix::ffi::OsStrExt>::from_bytes(b"na\xffme.md");
    fs::write(folder.path().join(no_text), "x").unwrap();
    let deep = ["d"; 70].join("/");
    fs::create_dir_all(at(&deep)).unwrap();
    fs::write(at(&deep).join("deep.md"), "deep").unwrap();

    let said = import(&alice, folder.path(), &[]);
    for (path, expected) in [
        ("good.md", "imported"),
        ("latin.txt", "skipped: not_utf8"),
        ("zero.txt", "skipped: holds_nul"),
        (".git", "skipped: repository"),
        (".env", "skipped: hidden"),
        ("sub/.hidden", "skipped: hidden"),
        ("Twice.md", "imported"),
        ("twice.md", "skipped: alike_path"),
        ("cafe\u{301}.md", "imported"),
        ("caf\u{e9}.md", "skipped: alike_path"),
        ("aux.md", "skipped: reserved_name"),
        ("what?.md", "skipped: unfit_character"),
        ("end.", "skipped: unfit_end"),
        ("tab\tbed.md", "skipped: unseen_character"),
        ("turn\u{202e}dm.exe", "skipped: unseen_character"),
        ("store", "skipped: data_folder"),
        ("huge.txt", "skipped: too_large"),
        ("link.md", "skipped: symbolic_link"),
        ("etc", "skipped: symbolic_link"),
        ("socket", "skipped: no_file"),
        ("na\u{fffd}me.md", "skipped: name_not_utf8"),
        (&["d"; 65].join("/"), "skipped: path_too_deep"),
    ] {
        assert_eq!(said.of_path(path), expected, "{path:?}");
    }
    assert_eq!(said.paths().len(), 22, "{:?}", said.paths());
    assert_eq!(said.exit, 1);
    // What was imported can be exported, and nothing else is there.
    let out = tempfile::tempdir().unwrap();
    assert_eq!(export(&alice, out.path(), &[]).exit, 0);
    let expected = tree(&[("good.md", b"good"), ("Twice.md", b"one"), ("cafe\u{301}.md", b"not composed")]);
    assert_eq!(read(out.path()), expected);
}

#[test]
fn what_may_not_be_read_is_skipped() {
    let alice = alice();
    let folder = folder_of(&tree(&[("open.md", b"open"), ("closed.md", b"closed"), ("shut/x.md", b"x")]));
    for closed in ["closed.md", "shut"] {
        fs::set_permissions(folder.path().join(closed), unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    }
    if fs::read(folder.path().join("closed.md")).is_ok() {
        eprintln!("skipped: this user may read every file");
        return;
    }
    let said = import(&alice, folder.path(), &[]);
    assert_eq!(said.of_path("open.md"), "imported");
    assert_eq!(said.of_path("closed.md"), "skipped: unreadable");
    assert_eq!(said.of_path("shut"), "skipped: unreadable");
    fs::set_permissions(folder.path().join("shut"), unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
}

#[test]
fn hidden_files_are_taken_or_passed_over_when_that_is_wanted() {
    let alice = alice();
    let folder = folder_of(&tree(&[
        (".gitignore", b"target\n"),
        (".config/x.toml", b"x"),
        ("a.md", b"a"),
        (".git/HEAD", b"ref"),
    ]));
    assert_eq!(import(&alice, folder.path(), &["--hidden", "ignore"]).paths(), ["a.md"]);
    let said = import(&alice, folder.path(), &["--hidden", "include"]);
    assert_eq!(said.of_path(".gitignore"), "imported");
    assert_eq!(said.of_path(".config/x.toml"), "imported");
    assert_eq!(said.of_path(".git"), "skipped: repository");
    let out = tempfile::tempdir().unwrap();
    let said = export(&alice, out.path(), &[]);
    assert_eq!((said.of_path(".gitignore"), said.of_path("a.md")), ("skipped: hidden".into(), "written".into()));
    assert_eq!(export(&alice, out.path(), &["--hidden", "ignore"]).paths(), ["a.md"]);
    assert_eq!(export(&alice, out.path(), &["--hidden", "include"]).exit, 0);
    let expected = tree(&[(".gitignore", b"target\n"), (".config/x.toml", b"x"), ("a.md", b"a")]);
    assert_eq!(read(out.path()), expected);
}

#[test]
fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let alice = alice();
    let folder = folder_of(&tree(&[("a.md", b"a"), ("b.md", b"b"), ("c.md", b"\xff")]));
    let before = alice.json(&["feed", "list", "notes"]);
    let said = import(&alice, folder.path(), &["--dry-run"]);
    assert_eq!(said.counts(["imported", "updated", "unchanged", "skipped"]), [2, 0, 0, 1]);
    assert_eq!((&said.sum["dry_run"], alice.json(&["feed", "list", "notes"])), (&true.into(), before));
    import(&alice, folder.path(), &[]);
    fs::write(folder.path().join("a.md"), "changed").unwrap();
    let said = import(&alice, folder.path(), &["--dry-run"]);
    assert_eq!(said.counts(["imported", "updated", "unchanged", "skipped"]), [0, 1, 1, 1]);
    assert_eq!(alice.text("a.md"), "a");

    let out = tempfile::tempdir().unwrap();
    let missing = out.path().join("missing");
    let said = export(&alice, &missing, &["--dry-run"]);
    assert_eq!(said.counts(["written", "updated", "unchanged", "skipped"]), [2, 0, 0, 0]);
    assert!(!missing.exists());
    assert_eq!(export(&alice, out.path(), &["--dry-run"]).of_path("a.md"), "written");
    assert_eq!(read(out.path()), tree(&[]));
}

#[test]
fn a_folder_or_a_space_that_cannot_be_used_is_an_error() {
    let alice = alice();
    let folder = tempfile::tempdir().unwrap();
    let here = argument(folder.path());
    assert_eq!(alice.error(3, &["import", "files", "/nowhere/at/all", "--space", "notes"]), "unusable_folder");
    assert_eq!(alice.error(3, &["import", "files", here, "--space", "nothing"]), "unknown_space");
    assert_eq!(alice.error(3, &["export", "nothing", here]), "unknown_space");
    let file = alice.file("file", "x");
    assert_eq!(alice.error(1, &["import", "files", argument(&file), "--space", "notes"]), "unusable_folder");
    assert_eq!(alice.error(1, &["export", "notes", argument(&file)]), "unusable_folder");
    assert_eq!(alice.error(2, &["import", "files", here]), "usage");
    // Keys go into no space, and what others wrote goes beside no keys.
    let data = alice.data();
    assert_eq!(alice.error(2, &["import", "files", argument(&data), "--space", "notes"]), "data_folder");
    assert_eq!(alice.error(2, &["export", "notes", argument(&data)]), "data_folder");
}

#[test]
fn a_reader_may_export_and_not_import() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    alice.json(&["space", "create", "notes"]);
    let folder = folder_of(&tree(&[("a.md", b"a")]));
    import(&alice, folder.path(), &[]);
    let link = alice.field("link", &["invite", "notes", "--role", "reader"]);
    bob.json(&["join", &link]);
    bob.json(&["wait", "notes"]);
    let out = tempfile::tempdir().unwrap();
    assert_eq!(export(&bob, out.path(), &[]).exit, 0);
    assert_eq!(read(out.path()), tree(&[("a.md", b"a")]));
    fs::write(out.path().join("b.md"), "b").unwrap();
    let ended = bob.run(&["--json", "import", "files", argument(out.path()), "--space", "notes"]);
    assert_eq!(ended.exit, 4, "{ended:?}");
    assert!(ended.stderr.contains("wrong_role"), "{ended:?}");
}

#[test]
fn a_person_sees_a_line_a_file_and_no_control_character() {
    let alice = alice();
    let folder = folder_of(&tree(&[("a.md", b"a"), ("b.txt", b"\xff"), ("esc\u{1b}[2J", b"x")]));
    let ended = alice.run(&["import", "files", argument(folder.path()), "--space", "notes"]);
    let expected = "imported   a.md\n\
                    skipped    b.txt: it is not UTF-8 text, from byte 0 on\n\
                    skipped    esc\\u{1b}[2J: the name holds U+001B, which is not seen\n\
                    1 imported, 0 updated, 0 unchanged, 2 skipped\n";
    assert_eq!(ended.stdout, expected);
    assert!(ended.stderr.starts_with("error: 2 of 3 were skipped\n hint: "), "{ended:?}");
    let (carol, dave) = (Folder::of("Carol"), Folder::of("Dave"));
    let (_carol_up, _dave_up) = (carol.up(&[]), dave.up(&[]));
    share(&carol, &dave);
    carol.json(&["object", "create", "notes", "file", "path:=\"x\\u001b[2J\\u202e\\n\""]);
    dave.json(&["wait", "notes"]);
    let out = tempfile::tempdir().unwrap();
    let ended = dave.run(&["export", "notes", argument(out.path())]);
    assert!(ended.stdout.starts_with("skipped    x\\u{1b}[2J\\u{202e}\\u{a}: the name holds U+001B"), "{ended:?}");
}
