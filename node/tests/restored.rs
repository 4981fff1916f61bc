//! Older copies of the data folder, put back or started beside the other one, under real processes: no device is ever forked.

use std::{fs, path::Path};

use super::harness::{Folder, LOOPBACK, Up, argument, share, until};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        let to = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &to);
        } else {
            fs::copy(file.path(), to).unwrap();
        }
    }
}

/// Puts a copy in the place of the data folder.
fn put_back(folder: &Folder, backup: &Path) {
    fs::remove_dir_all(folder.data()).unwrap();
    copy(backup, &folder.data());
}

/// Makes a change that is kept as a draft: its number.
fn waits(folder: &Folder, change: &[&str]) -> u64 {
    folder.json(change)["drafts"][0].as_u64().unwrap()
}

/// Whether it says that it does not know where its own feeds end.
fn is_unsure(folder: &Folder) -> bool {
    folder.json(&["status"]).to_string().contains("another copy")
}

/// Alice and Bob share a poem; a copy of Bob's folder from before he wrote `c` and a record, which Alice has.
struct Scene {
    alice: Folder,
    bob: Folder,
    backup: tempfile::TempDir,
}

impl Scene {
    fn new() -> Scene {
        let scene = Scene::before();
        let alice_up = scene.alice.up(&[]);
        let bob_up = scene.bob.up(&["--peer", &alice_up.address()]);
        scene.bob.json(&["text", "insert", "poem", "0", "c"]);
        scene.bob.json(&["record", "append", "notes", "kept by Alice"]);
        scene.bob.json(&["wait", "notes"]);
        bob_up.down();
        alice_up.down();
        scene
    }

    fn before() -> Scene {
        let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
        let (alice_up, bob_up) = (alice.up(&[]), bob.up(&[]));
        share(&alice, &bob);
        alice.json(&["object", "create", "notes", "note", "name=poem"]);
        bob.json(&["wait", "notes"]);
        for (folder, letter) in [(&alice, "a"), (&bob, "b")] {
            folder.json(&["text", "insert", "poem", "0", letter]);
            folder.json(&["wait", "notes"]);
        }
        bob_up.down();
        alice_up.down();
        let backup = tempfile::tempdir().unwrap();
        copy(&bob.data(), backup.path());
        Scene { alice, bob, backup }
    }

    /// Both have the same poem and nobody speaks of a fork.
    fn ends_well(&self, poem: &str) {
        until("Bob may write", || !is_unsure(&self.bob));
        self.bob.json(&["text", "insert", "poem", "0", "d"]);
        self.bob.json(&["wait", "notes"]);
        self.alice.json(&["text", "insert", "poem", "0", "e"]);
        self.alice.json(&["wait", "notes"]);
        for folder in [&self.alice, &self.bob] {
            assert_eq!(folder.text("poem"), format!("ed{poem}"));
            let status = folder.json(&["status"]).to_string();
            assert!(
                !status.contains("fork") && !status.contains("another copy") && !status.contains("PEER-11"),
                "{status}"
            );
            assert_eq!(folder.json(&["verify"])["verified"], true);
        }
    }
}

#[test]
fn restored_backup_does_not_fork_on_line() {
    let scene = Scene::new();
    put_back(&scene.bob, scene.backup.path());
    let alice_up = scene.alice.up(&[]);
    let _bob_up = scene.bob.up(&["--peer", &alice_up.address()]);
    scene.ends_well("cba");
    let records = scene.bob.run(&["--json", "record", "list", "notes"]).stdout;
    assert!(records.contains("kept by Alice"), "{records}");
}

#[test]
fn restored_backup_does_not_fork_off_line() {
    let scene = Scene::new();
    put_back(&scene.bob, scene.backup.path());
    // Without a node, and with one that meets nobody.
    assert_eq!(waits(&scene.bob, &["text", "insert", "poem", "2", "1"]), 1);
    assert_eq!(scene.bob.text("poem"), "ba", "what waits is not shown as if it were there");
    let alone = scene.bob.up(&[]);
    assert_eq!(waits(&scene.bob, &["record", "append", "notes", "a draft of Bob"]), 2);
    assert_eq!(waits(&scene.bob, &["text", "insert", "poem", "2", "2"]), 3);
    assert_eq!(waits(&scene.bob, &["object", "set", "poem", "by=Bob"]), 4);
    assert_eq!(waits(&scene.bob, &["object", "create", "notes", "note", "name=second", "body=two"]), 5);
    assert_eq!(waits(&scene.bob, &["text", "insert", "poem", "0", "unwanted"]), 6);
    assert_eq!(scene.bob.error(4, &["text", "insert", "poem", "9", "x"]), "out_of_bounds");
    assert_eq!(scene.bob.json(&["draft", "drop", "notes", "6"])["dropped"], 6);
    assert_eq!(scene.bob.error(3, &["draft", "drop", "notes", "6"]), "unknown_draft");
    assert_eq!(scene.bob.json(&["draft", "show", "notes", "3"])["change"]["wanted"], "ba2");
    let said = scene.bob.run(&["text", "insert", "poem", "0", "unwanted"]).stdout;
    assert!(said.contains("kept as draft 7") && said.contains("a member"), "{said}");
    scene.bob.json(&["draft", "drop", "notes", "7"]);
    assert_eq!(scene.bob.error(4, &["invite", "notes"]), "wrong_role", "what is refused anyway is refused as before");
    let status = scene.bob.json(&["status"]).to_string();
    assert!(status.contains("another copy") && status.contains("PEER-3.3"), "{status}");
    assert!(status.contains("5 edits wait here as drafts") && status.contains("PEER-11"), "{status}");
    // Killed at any moment, it does not forget.
    alone.kill();
    let drafts = scene.bob.json(&["draft", "list", "notes"]);
    assert_eq!(
        (drafts["ends_known"].clone(), drafts["drafts"].as_array().unwrap().len()),
        (false.into(), 5),
        "{drafts}"
    );
    let alice_up = scene.alice.up(&[]);
    scene.alice.json(&["text", "insert", "poem", "0", "!"]);
    let _bob_up = scene.bob.up(&["--peer", &alice_up.address()]);
    until("the drafts are appended", || {
        scene.bob.json(&["draft", "list", "notes"])["drafts"].as_array().unwrap().is_empty()
    });
    // Both inserted at the end of what Bob saw, and neither undoes what Alice or he himself wrote meanwhile.
    let poem = scene.bob.text("poem");
    assert!(["!cba12", "!cba21"].contains(&&*poem), "{poem}");
    scene.ends_well(&poem);
    assert_eq!(scene.alice.json(&["object", "get", "poem"])["properties"]["by"], "Bob");
    assert_eq!(scene.alice.text("second"), "two");
    let records = scene.alice.run(&["--json", "record", "list", "notes"]).stdout;
    assert_eq!(records.matches("a draft of Bob").count(), 1, "{records}");
}

#[test]
fn a_draft_that_cannot_be_made_any_more_stays_with_its_reason() {
    let scene = Scene::new();
    put_back(&scene.bob, scene.backup.path());
    assert_eq!(waits(&scene.bob, &["text", "insert", "poem", "0", "x"]), 1);
    let alice_up = scene.alice.up(&[]);
    scene.alice.json(&["object", "delete", "poem", "--yes"]);
    let _bob_up = scene.bob.up(&["--peer", &alice_up.address()]);
    until("the draft was tried", || {
        scene.bob.json(&["draft", "list", "notes"])["drafts"][0]["refused"]["code"] == "deleted_object"
    });
    let listed = scene.bob.run(&["draft", "list", "notes"]).stdout;
    assert!(listed.contains("deleted"), "{listed}");
    scene.bob.json(&["draft", "drop", "notes", "1"]);
    assert!(!scene.bob.json(&["status"]).to_string().contains("PEER-11"));
}

#[test]
fn what_nobody_else_holds_is_lost_and_the_space_goes_on() {
    let scene = Scene::before();
    scene.bob.json(&["text", "insert", "poem", "0", "never seen by anybody "]);
    put_back(&scene.bob, scene.backup.path());
    assert!(is_unsure(&scene.bob));
    let alice_up = scene.alice.up(&[]);
    let _bob_up = scene.bob.up(&["--peer", &alice_up.address()]);
    scene.ends_well("ba");
}

#[test]
fn a_folder_on_another_machine_waits_for_a_member() {
    let scene = Scene::before();
    fs::remove_dir_all(scene.bob.state()).unwrap();
    assert!(is_unsure(&scene.bob));
    let alice_up = scene.alice.up(&[]);
    let bob_up = scene.bob.up(&["--peer", &alice_up.address()]);
    scene.ends_well("ba");
    // Once known, it is known: also off line, and after a power cut.
    bob_up.kill();
    scene.bob.json(&["text", "insert", "poem", "0", "f"]);
}

#[test]
fn a_copy_does_not_start_while_the_original_runs() {
    let scene = Scene::before();
    let copied = Folder::new();
    copy(scene.backup.path(), &copied.data());
    let original = scene.bob.up(&[]);
    let state = scene.bob.state();
    let shared = ["--state-dir", argument(&state)];
    assert_eq!(copied.error(6, &[&shared[..], &["status"]].concat()), "device_in_use");
    let Err(ended) = Up::start(&copied, &[&LOOPBACK[..], &shared].concat()) else { panic!("both run") };
    assert!(ended.stderr.contains("device_in_use"), "{ended:?}");
    // The original was not disturbed, and the copy knows that it was overtaken.
    scene.bob.json(&["text", "insert", "poem", "0", "c"]);
    original.down();
    assert_eq!(waits(&copied, &[&shared[..], &["text", "insert", "poem", "0", "x"]].concat()), 1);
    assert!(is_unsure(&scene.bob), "the copy was opened meanwhile");
}

#[test]
fn alone_in_a_space_an_older_copy_goes_on_at_once() {
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "diary"]);
    alice.json(&["object", "create", "diary", "note", "name=day"]);
    let backup = tempfile::tempdir().unwrap();
    copy(&alice.data(), backup.path());
    alice.json(&["text", "insert", "day", "0", "lost"]);
    put_back(&alice, backup.path());
    alice.json(&["text", "insert", "day", "0", "again"]);
    assert_eq!(alice.text("day"), "again");
    alice.json(&["text", "insert", "day", "0", "and "]);
    assert_eq!(alice.json(&["verify"])["verified"], true);
}

#[test]
fn a_place_outside_that_cannot_be_written_is_said_and_nothing_is_refused_to_start() {
    let alice = Folder::of("Alice");
    let file = alice.file("no-folder", "x");
    let up = alice.up(&["--state-dir", argument(&file)]);
    let status = alice.json(&["status"]).to_string();
    assert!(status.contains("would not be noticed") && status.contains("state_dir"), "{status}");
    alice.json(&["space", "create", "diary"]);
    up.down();
    assert_eq!(alice.error(2, &["--state-dir", argument(&alice.data().join("state")), "status"]), "bad_config");
}
