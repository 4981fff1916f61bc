//! Paths that others wrote, and what stands in the way: nothing is ever written outside of the folder.

use std::{fs, os::unix, path::Path};

use super::tree::{alice, export, folder_of, import, read, tree};
use crate::harness::{Folder, share};

/// A file as any member can make one.
fn file(node: &Folder, path: &str, body: &str) -> String {
    let path = format!("path:={}", serde_json::Value::from(path));
    node.field("object", &["object", "create", "notes", "file", &path, &format!("body={body}")])
}

/// Spec: NODE-9.1, NODE-9.2
#[test]
fn hostile_paths_are_refused_and_nothing_is_written_outside() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let (_alice_up, _bob_up) = (alice.up(&[]), bob.up(&[]));
    share(&alice, &bob);
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("target");
    let absolute = target.to_str().unwrap();
    let (long_name, long_path, deep) = ("n".repeat(256), vec!["p".repeat(200); 6].join("/"), ["d"; 65].join("/"));
    let huge = "h".repeat(5_000);
    let hostile = [
        ("../escaped", "leaves_folder"),
        ("a/../../escaped", "leaves_folder"),
        ("..", "leaves_folder"),
        ("./a", "leaves_folder"),
        (absolute, "absolute_path"),
        ("/etc/cron.d/x", "absolute_path"),
        ("C:\\Windows\\x", "absolute_path"),
        ("c:x", "absolute_path"),
        ("\\\\server\\share\\x", "absolute_path"),
        ("..\\escaped", "unfit_character"),
        ("ab:stream", "unfit_character"),
        ("NUL", "reserved_name"),
        ("a/com1.txt", "reserved_name"),
        ("a/", "empty_path"),
        ("", "empty_path"),
        ("a//b", "empty_path"),
        ("dot.", "unfit_end"),
        ("blank ", "unfit_end"),
        ("nul\0byte", "unseen_character"),
        ("line\nend", "unseen_character"),
        ("esc\u{1b}]0;x\u{7}", "unseen_character"),
        ("txt.\u{202e}exe", "unseen_character"),
        (".git/config", "repository"),
        (".GIT/hooks/post-checkout", "repository"),
        ("sub/.g\u{200d}it/config", "repository"),
        (".bashrc", "hidden"),
        (".ssh/authorized_keys", "hidden"),
        (&long_name, "name_too_long"),
        (&long_path, "path_too_long"),
        (&deep, "path_too_deep"),
    ];
    for (path, _) in hostile {
        file(&bob, path, "owned");
    }
    let no_paths = [
        bob.field("object", &["object", "create", "notes", "file", "path:=7"]),
        bob.field("object", &["object", "create", "notes", "file"]),
        file(&bob, &huge, "owned"),
    ];
    file(&bob, "good/file.md", "good");
    alice.json(&["wait", "notes"]);

    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("witness"), "w").unwrap();
    let out = outer.path().join("inner/out");
    let said = export(&alice, &out, &[]);
    for (path, code) in hostile {
        assert_eq!(said.of_path(path), format!("skipped: {code}"), "{path:?}");
    }
    for object in no_paths {
        assert_eq!(said.of_path(&format!("object {object}")), "skipped: no_path");
    }
    assert_eq!(said.of_path("good/file.md"), "written");
    assert_eq!(said.paths().len(), hostile.len() + 4);
    assert_eq!(read(outer.path()), tree(&[("witness", b"w"), ("inner/out/good/file.md", b"good")]));
    assert_eq!(read(outside.path()), tree(&[]));
    // They are in the way of no import either.
    assert_eq!(import(&alice, &out, &[]).of_path("good/file.md"), "unchanged");
}

#[test]
fn of_two_files_for_one_place_the_older_has_it() {
    let alice = alice();
    for (path, body) in [
        ("a.md", "first"),
        ("a.md", "second"),
        ("A.md", "capital"),
        ("caf\u{e9}", "composed"),
        ("cafe\u{301}", "not composed"),
        ("stra\u{df}e", "small"),
        ("STRASSE", "large"),
        ("docs/x.md", "x"),
        ("Docs/y.md", "y"),
        ("docs", "a file"),
        ("a.md/under", "under a file"),
    ] {
        file(&alice, path, body);
    }
    let out = tempfile::tempdir().unwrap();
    let ended = alice.run(&["export", "notes", out.path().to_str().unwrap()]);
    assert_eq!(ended.exit, 1);
    let written = [("a.md", "first"), ("caf\u{e9}", "composed"), ("docs/x.md", "x"), ("stra\u{df}e", "small")];
    let written: Vec<_> = written.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    assert_eq!(read(out.path()), tree(&written));
    for said in [
        "skipped    a.md: an older object has the same path",
        "skipped    A.md: `a.md` differs only by letter case",
        "skipped    cafe\u{301}: `caf\u{e9}` differs only by letter case or by how its letters are composed",
        "skipped    STRASSE: `stra\u{df}e` differs",
        "skipped    Docs/y.md: `docs` differs",
        "skipped    docs: `docs` is a folder of other files",
        "skipped    a.md/under: `a.md` is a file, not a folder",
    ] {
        assert!(ended.stdout.contains(said), "{said}\n{}", ended.stdout);
    }
    assert!(ended.stdout.ends_with("4 written, 0 updated, 0 unchanged, 7 skipped\n"), "{}", ended.stdout);
}

/// A folder, and one elsewhere that nobody may reach from it.
fn with_traps(test: impl Fn(&Path, &Path)) {
    let (out, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(elsewhere.path().join("secret.md"), "secret").unwrap();
    test(out.path(), elsewhere.path());
    assert_eq!(read(elsewhere.path()), tree(&[("secret.md", b"secret")]));
}

/// Spec: NODE-9.2
#[test]
fn what_stands_in_the_way_is_left_alone() {
    let alice = alice();
    for path in [
        "linked/new.md",
        "link.md",
        "dangling.md",
        "folder.md",
        "file/below.md",
        "socket",
        "mine.md",
        "same.md",
        "store/x.md",
    ] {
        file(&alice, path, "from the space");
    }
    with_traps(|out, elsewhere| {
        unix::fs::symlink(elsewhere, out.join("linked")).unwrap();
        unix::fs::symlink(elsewhere.join("secret.md"), out.join("link.md")).unwrap();
        unix::fs::symlink(elsewhere.join("not-there.md"), out.join("dangling.md")).unwrap();
        fs::create_dir(out.join("folder.md")).unwrap();
        fs::write(out.join("file"), "a file").unwrap();
        let _socket = unix::net::UnixListener::bind(out.join("socket")).unwrap();
        fs::write(out.join("mine.md"), "mine").unwrap();
        fs::write(out.join("same.md"), "from the space").unwrap();
        fs::create_dir(out.join("store")).unwrap();
        fs::write(out.join("store/store.redb"), "").unwrap();
        let before = read(out);
        let said = export(&alice, out, &[]);
        for (path, expected) in [
            ("linked/new.md", "skipped: symbolic_link"),
            ("link.md", "skipped: symbolic_link"),
            ("dangling.md", "skipped: symbolic_link"),
            ("folder.md", "skipped: path_is_folder"),
            ("file/below.md", "skipped: folder_is_file"),
            ("socket", "skipped: no_file"),
            ("mine.md", "skipped: changed_here"),
            ("same.md", "unchanged"),
            ("store/x.md", "skipped: data_folder"),
        ] {
            assert_eq!(said.of_path(path), expected, "{path}");
        }
        assert_eq!(read(out), before);
        // What is moved away is in no way any more.
        fs::remove_file(out.join("mine.md")).unwrap();
        fs::remove_file(out.join("link.md")).unwrap();
        let said = export(&alice, out, &[]);
        assert_eq!((said.of_path("mine.md"), said.of_path("link.md")), ("written".into(), "written".into()));
    });
}

#[test]
fn a_folder_that_was_named_by_a_link_is_the_one_that_is_meant() {
    let alice = alice();
    let files = tree(&[("a.md", b"a")]);
    let (real, elsewhere) = (folder_of(&files), tempfile::tempdir().unwrap());
    let link = elsewhere.path().join("link");
    unix::fs::symlink(real.path(), &link).unwrap();
    assert_eq!(import(&alice, &link, &[]).of_path("a.md"), "imported");
    file(&alice, "b.md", "b");
    assert_eq!(export(&alice, &link, &[]).of_path("b.md"), "written");
    assert_eq!(read(real.path()), tree(&[("a.md", b"a"), ("b.md", b"b")]));
}

#[test]
fn a_file_is_replaced_as_a_whole_and_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt as _;
    let alice = alice();
    let folder = folder_of(&tree(&[("run.sh", b"#!/bin/sh\n")]));
    let path = folder.path().join("run.sh");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    import(&alice, folder.path(), &[]);
    let held = fs::File::open(&path).unwrap();
    alice.json(&["text", "insert", "run.sh", "10", "echo hello\n"]);
    assert_eq!(export(&alice, folder.path(), &[]).of_path("run.sh"), "updated");
    assert_eq!(fs::read(&path).unwrap(), b"#!/bin/sh\necho hello\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(std::io::read_to_string(held).unwrap(), "#!/bin/sh\n", "who had it open reads what was there");
    assert_eq!(read(folder.path()).len(), 1, "nothing is left beside it");
}
