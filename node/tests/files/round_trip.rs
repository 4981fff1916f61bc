//! What goes in comes out, byte for byte.

use std::collections::BTreeSet;

use super::tree::{Tree, alice, export, folder_of, import, read, tree, write};
use crate::harness::Folder;

/// Everything here holds for the store itself as it does for a running node.
fn both_ways(test: impl Fn(&Folder)) {
    test(&alice());
    let alice = alice();
    let node = alice.up(&[]);
    test(&alice);
    node.down();
}

fn awkward() -> Tree {
    tree(&[
        ("README.md", b"# Title\n\nwith a last line without its end"),
        ("empty.txt", b""),
        ("only an end.txt", b"\n"),
        ("windows.txt", b"one\r\ntwo\r\n"),
        ("mixed.txt", b"one\r\ntwo\nthree\r"),
        ("mark.txt", b"\xef\xbb\xbfwith a mark of byte order"),
        ("escapes.txt", b"\x1b[31mred\x07\x7f \"quoted\" \\ back\xe2\x80\xae"),
        (
            "notes/Mai 2026/\u{dc}bersicht.md",
            "Gr\u{fc}\u{df}e, \u{65e5}\u{672c}\u{8a9e}, \u{1f642}\u{1f469}\u{200d}\u{1f4bb}".as_bytes(),
        ),
        ("notes/composed caf\u{e9}.md", "caf\u{e9} cafe\u{301}".as_bytes()),
        ("a/b/c/d/e/f/deep.md", b"deep"),
    ])
}

#[test]
fn a_folder_goes_in_and_comes_out_byte_for_byte() {
    both_ways(|alice| {
        let files = awkward();
        let (here, there) = (folder_of(&files), tempfile::tempdir().unwrap());
        let count = files.len() as u64;
        let states = ["imported", "updated", "unchanged", "skipped"];
        let said = import(alice, here.path(), &[]);
        assert_eq!(said.counts(states), [count, 0, 0, 0]);
        assert_eq!(import(alice, here.path(), &[]).counts(states), [0, 0, count, 0]);
        let states = ["written", "updated", "unchanged", "skipped"];
        let out = there.path().join("not/there/yet");
        assert_eq!(export(alice, &out, &[]).counts(states), [count, 0, 0, 0]);
        assert!(read(&out) == files, "{:?}", read(&out));
        assert_eq!(export(alice, &out, &[]).counts(states), [0, 0, count, 0]);
        assert_eq!(export(alice, here.path(), &[]).counts(states), [0, 0, count, 0]);
        assert!(read(here.path()) == files);
        // They are objects like others.
        let seen = alice.json(&["object", "get", "deep.md"]);
        assert_eq!((&seen["type"], &seen["properties"]["path"]), (&"file".into(), &"a/b/c/d/e/f/deep.md".into()));
        assert_eq!(alice.text("windows.txt"), "one\r\ntwo\r\n");
    });
}

/// Trees of names and texts of every sort, always the same.
fn generated(seed: u64) -> Tree {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = move |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % bound as u64).unwrap()
    };
    let letters: Vec<char> =
        "abz019 -_.,;=+@#%&()[]{}'!~$^\u{e4}\u{301}\u{436}\u{8a9e}\u{1f642}\u{5d0}".chars().collect();
    let texts: Vec<char> = "ab \n\r\t\u{1}\u{feff}\u{e4}\u{301}\u{8a9e}\u{1f642}\u{202e}\"\\".chars().collect();
    let mut folders = vec![String::new()];
    let (mut files, mut taken) = (Tree::new(), BTreeSet::new());
    for number in 0..12 {
        let name: String = (0..1 + below(6)).map(|_| letters[below(letters.len())]).collect();
        // A number makes it a name of its own whatever the letters are, and keeps dots and blanks from its ends.
        let path = format!("{}f{name}{number}", folders[below(folders.len())]);
        if below(3) == 0 {
            folders.push(format!("{path}/"));
        } else if taken.insert(path.clone()) {
            let length = below(400);
            let text: String = (0..length).map(|_| texts[below(texts.len())]).collect();
            files.insert(path, text.into_bytes());
        }
    }
    files
}

#[test]
fn generated_trees_go_in_and_come_out_and_changes_follow() {
    let alice = alice();
    let _node = alice.up(&[]);
    for seed in 0..8 {
        let name = format!("space {seed}");
        alice.json(&["space", "create", &name]);
        let files = generated(seed);
        let (here, there) = (folder_of(&files), tempfile::tempdir().unwrap());
        let run = |arguments: &[&str]| {
            let ended = alice.run(arguments);
            assert_eq!(ended.exit, 0, "seed {seed}: {ended:?}");
        };
        let [here_path, there_path] = [&here, &there].map(|folder| folder.path().to_str().unwrap());
        run(&["import", "files", here_path, "--space", &name]);
        run(&["export", &name, there_path]);
        assert!(read(there.path()) == files, "seed {seed}");
        // Every file becomes another one's text.
        let contents: Vec<Vec<u8>> = files.values().rev().cloned().collect();
        let changed: Tree = files.keys().cloned().zip(contents).collect();
        write(here.path(), &changed);
        run(&["import", "files", here_path, "--space", &name]);
        run(&["export", &name, there_path]);
        assert!(read(there.path()) == changed, "seed {seed}");
    }
}

#[test]
fn a_text_of_many_entries_goes_in_changes_and_comes_out() {
    let alice = alice();
    let _node = alice.up(&[]);
    let lines = |from: usize, end: &str| -> Vec<u8> {
        (from..from + 60_000)
            .map(|number| format!("line {number} of a long text \u{1f642}{end}"))
            .collect::<String>()
            .into()
    };
    let here = folder_of(&[("long.txt".to_owned(), lines(0, "\r\n"))].into());
    assert_eq!(import(&alice, here.path(), &[]).of_path("long.txt"), "imported");
    let out = tempfile::tempdir().unwrap();
    // Something everywhere, and then nothing as it was.
    for changed in [lines(0, "\n"), lines(1_000_000, "\n"), Vec::new()] {
        std::fs::write(here.path().join("long.txt"), &changed).unwrap();
        assert_eq!(import(&alice, here.path(), &[]).of_path("long.txt"), "updated");
        export(&alice, out.path(), &[]);
        assert!(read(out.path())["long.txt"] == changed);
    }
    assert!(alice.json(&["verify"])["entries"].as_u64().unwrap() > 20, "one entry holds no such text");
}
