//! Bad disks under real processes: stores that are cut, overwritten, full, or may not be written to.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{FileExt, PermissionsExt},
    path::Path,
    process::Command,
    time::Instant,
};

use serde_json::Value;
use weft::store::{Disk, Store};

use super::harness::{Ended, Folder, LOOPBACK, PATIENCE, Up, argument, share};

/// The error that a node ended with: the last line that it said.
fn last_error(ended: &Ended) -> Value {
    let line = ended.stderr.lines().last().unwrap_or_default();
    serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {ended:?}"))["error"].clone()
}

/// Starts a node that finds its store damaged, and says what it said.
fn finds_damage(folder: &Folder) -> String {
    let Err(ended) = Up::start(folder, &LOOPBACK) else { panic!("the damage is not found") };
    assert_eq!(ended.exit, 6, "{ended:?}");
    let error = last_error(&ended);
    assert_eq!(error["code"], "store_damaged", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("weft up"), "{error}");
    error["message"].as_str().unwrap().to_owned()
}

/// Asks until something is so.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
    }
}

/// Two nodes that share a space with a poem in it, written by both, and are level.
fn two_authors(alice: &Folder, bob: &Folder) {
    let alice_up = alice.up(&[]);
    let bob_up = bob.up(&[]);
    share(alice, bob);
    alice.json(&["object", "create", "notes", "note", "name=poem"]);
    bob.json(&["wait", "notes"]);
    for (folder, letter) in [(alice, "a"), (bob, "b"), (alice, "c"), (bob, "d")] {
        folder.json(&["text", "insert", "poem", "0", letter]);
        folder.json(&["wait", "notes"]);
    }
    let record = "0123456789".repeat(200);
    assert_eq!(bob.run_with(&["--json", "record", "append", "notes", "-"], record.as_bytes()).exit, 0);
    bob.json(&["wait", "notes"]);
    bob_up.down();
    alice_up.down();
}

#[test]
fn a_store_that_was_cut_short_comes_back_from_a_member_and_does_not_fork() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    two_authors(&alice, &bob);
    let store = bob.data().join("store.redb");
    let length = fs::metadata(&store).unwrap().len();
    OpenOptions::new().write(true).open(&store).unwrap().set_len(length / 2).unwrap();
    assert_eq!(bob.error(6, &["text", "show", "poem"]), "store_damaged");
    assert!(!bob.data().join("damaged-1").exists(), "only `up` sets aside");

    let said = finds_damage(&bob);
    assert!(said.contains("damaged-1") && said.contains("members") && said.contains("at least"), "{said}");
    assert_eq!(fs::metadata(bob.data().join("damaged-1/store.redb")).unwrap().len(), length / 2);

    // It begins, and writes nothing before it has met Alice.
    let alone = bob.up(&[]);
    assert_eq!(bob.json(&["object", "create", "notes", "note", "name=draft"])["drafts"], serde_json::json!([1]));
    assert!(bob.json(&["status"]).to_string().contains("lost its store"));
    alone.down();
    let alice_up = alice.up(&[]);
    let bob_up = bob.up(&["--peer", &alice_up.address()]);
    bob.json(&["wait", "notes", "--timeout", "1m"]);
    until("the poem is back", || bob.run(&["text", "show", "poem"]).stdout == "dcba");
    assert_eq!(bob.json(&["verify"])["verified"], true);
    until("Bob may write", || bob.json(&["draft", "list", "notes"])["drafts"].as_array().unwrap().is_empty());
    bob.json(&["text", "insert", "poem", "0", "e"]);
    bob.json(&["wait", "notes"]);
    alice.json(&["text", "insert", "poem", "0", "f"]);
    alice.json(&["wait", "notes"]);
    for folder in [&alice, &bob] {
        assert_eq!(folder.text("poem"), "fedcba");
        let status = folder.json(&["status"]).to_string();
        assert!(!status.contains("fork") && !status.contains("lost its store"), "{status}");
        assert_eq!(folder.json(&["verify"])["verified"], true);
    }
    bob_up.down();
}

#[test]
fn a_space_that_nobody_else_has_is_said_to_be_lost() {
    let alice = Folder::of("Alice");
    let space = alice.field("space", &["space", "create", "diary"]);
    alice.json(&["object", "create", "diary", "note", "name=day"]);
    fs::write(alice.data().join("store.redb"), vec![7; 20_000]).unwrap();
    let said = finds_damage(&alice);
    assert!(said.contains(&space) && said.contains("nobody else is in it"), "{said}");
    // Keys and membership are there, and it can be written again.
    alice.json(&["object", "create", &space, "note", "name=another"]);
    assert_eq!(alice.json(&["verify"])["verified"], true);
    // Without the anchor nothing is known, and that is said too.
    fs::write(alice.data().join("store.redb"), vec![7; 20_000]).unwrap();
    fs::remove_file(alice.data().join("anchor")).unwrap();
    let said = finds_damage(&alice);
    assert!(said.contains("damaged-2") && said.contains("new invitation"), "{said}");
    alice.up(&[]).down();
    assert_eq!(alice.json(&["space", "list"])["spaces"], serde_json::json!([]));
}

/// The feed of Bob's that he wrote a long record to, and the record's place in it.
fn hit_a_body(folder: &Folder) -> (String, u64) {
    let feeds = folder.json(&["feed", "list", "notes"]);
    // Of the data feeds: a control entry that is hit is damage to the whole store.
    let data = feeds["feeds"].as_array().unwrap().iter().filter(|feed| feed["purpose"] == "data");
    let feeds: Vec<String> = data.map(|feed| feed["feed"].as_str().unwrap().to_owned()).collect();
    let (disk, _) = Disk::open(&folder.data(), 1 << 20).unwrap();
    let mut hit = None;
    for feed in &feeds {
        let ranges = disk.read(&feed.parse().unwrap(), 0, usize::MAX).unwrap_or_default();
        for run in ranges.iter().flat_map(|range| &range.runs) {
            let long = run.entries().find(|entry| entry.body.is_some_and(|body| body.len() > 2_000));
            hit = hit.or(long.map(|entry| (feed.clone(), entry.seq, entry.body.unwrap().to_vec())));
        }
    }
    drop(disk);
    let (feed, seq, body) = hit.unwrap();
    let store = folder.data().join("store.redb");
    let bytes = fs::read(&store).unwrap();
    let places: Vec<usize> = (0..bytes.len() - body.len()).filter(|at| bytes[*at..].starts_with(&body)).collect();
    assert!(!places.is_empty());
    let file = OpenOptions::new().write(true).open(&store).unwrap();
    places.iter().for_each(|at| file.write_all_at(b"damage", *at as u64 + 100).unwrap());
    (feed, seq)
}

#[test]
fn a_body_that_was_overwritten_is_named_not_shown_and_mended_from_a_member() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    two_authors(&alice, &bob);
    let (feed, seq) = hit_a_body(&bob);
    let bob_up = bob.up(&[]);
    assert!(bob.log().contains(&format!("entry {seq} of feed {feed}")), "the start names it: {}", bob.log());
    let status = bob.json(&["status"]).to_string();
    assert!(status.contains(&format!("entry {seq} of feed {feed} is damaged")), "{status}");
    let verified = bob.run(&["--json", "verify"]);
    assert!(verified.exit == 6 && verified.stderr.contains(&format!("entry {seq} of feed {feed}")), "{verified:?}");
    let read = bob.run(&["--json", "record", "list", "notes"]);
    assert!(!read.stdout.contains("damage") && read.exit != 0, "{read:?}");
    assert_eq!(bob.text("poem"), "dcba", "what was derived before is shown");
    bob.json(&["text", "insert", "poem", "0", "e"]);
    bob_up.down();

    // A newcomer to Bob alone would look elsewhere: he serves what is whole and refuses the rest. From Alice it comes back.
    let alice_up = alice.up(&[]);
    let bob_up = bob.up(&["--peer", &alice_up.address()]);
    until("it is mended", || bob.run(&["verify"]).exit == 0);
    assert!(!bob.json(&["status"]).to_string().contains("is damaged"));
    assert!(bob.json(&["record", "list", "notes"]).to_string().len() > 2_000);
    bob.json(&["wait", "notes"]);
    assert_eq!((alice.text("poem"), bob.text("poem")), ("edcba".to_owned(), "edcba".to_owned()));
    bob_up.down();
    assert_eq!(bob.json(&["verify"])["verified"], true);
}

fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    found.is_ok_and(|output| output.status.success())
}

#[test]
fn a_file_that_may_not_grow_refuses_writes_and_ends_nothing() {
    if !has("prlimit") {
        println!("skipped: there is no `prlimit` here to limit a process with");
        return;
    }
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "notes"]);
    // The journal has 8 MiB; the store may come to 12.
    let limited = ["prlimit", "--fsize=12582912:unlimited", "--"];
    let node = Up::start_by(&alice, &limited, &LOOPBACK).unwrap();
    let record = vec![b'x'; 900_000];
    let append = || alice.run_with(&["--json", "record", "append", "notes", "-"], &record);
    let mut kept = 0;
    let refused = loop {
        let ended = append();
        if ended.exit != 0 {
            break ended;
        }
        kept += 1;
        assert!(kept < 100, "the limit is never met");
    };
    assert_eq!(refused.error(6), "store_failed");
    let count = |folder: &Folder| {
        let feeds = folder.json(&["feed", "list", "notes"]);
        feeds["feeds"].as_array().unwrap().iter().map(|feed| feed["length"].as_u64().unwrap()).max().unwrap()
    };
    let length = count(&alice);
    assert!(length >= kept);
    assert_eq!(append().error(6), "store_failed", "again, and the node goes on");
    assert!(alice.json(&["status"]).to_string().contains("make room on the disk"));
    assert_eq!(count(&alice), length);
    assert_eq!(alice.json(&["verify"])["verified"], true, "what is there can be read");
    // Room is back.
    let lifted =
        Command::new("prlimit").args(["--pid", &node.pid().to_string(), "--fsize=unlimited"]).status().unwrap();
    assert!(lifted.success());
    assert_eq!(append().exit, 0);
    assert_eq!(count(&alice), length + 1);
    node.kill();
    assert_eq!(count(&alice), length + 1, "and nothing acknowledged is lost");
    assert_eq!(alice.json(&["verify"])["verified"], true);
}

fn each_below(path: &Path, act: &impl Fn(&Path, bool)) {
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let is_folder = entry.file_type().unwrap().is_dir();
        if is_folder {
            each_below(&entry.path(), act);
        }
        act(&entry.path(), is_folder);
    }
    act(path, true);
}

#[test]
fn a_folder_that_may_not_be_written_to_can_be_read_and_not_used() {
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "notes"]);
    alice.json(&["object", "create", "notes", "note", "name=poem", "body=a rose"]);
    // Nobody is kept from writing who is root: the commands run as somebody else then.
    let as_root = fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0);
    let runner: &[&str] = match as_root {
        true if !has("setpriv") => {
            println!("skipped: this is root, whom no right keeps from writing, and there is no `setpriv` here");
            return;
        }
        true => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"],
        false => &[],
    };
    let top = alice.data().parent().unwrap().to_owned();
    if as_root {
        fs::set_permissions(&top, fs::Permissions::from_mode(0o755)).unwrap();
        let owned = Command::new("chown").args(["-R", "65534:65534", argument(&alice.data())]).status().unwrap();
        assert!(owned.success());
    }
    let rights = |folder: u32, file: u32| {
        each_below(&alice.data(), &|path, is_folder| {
            let mode = if is_folder { folder } else { file };
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        });
    };
    if alice.run_by(runner, &["--json", "status"]).exit != 0 {
        println!("skipped: the program cannot be run as another user here");
        return;
    }
    rights(0o555, 0o444);
    let before = fs::read(alice.data().join("store.redb")).unwrap();
    let shown = alice.run_by(runner, &["text", "show", "poem"]);
    assert_eq!((shown.exit, shown.stdout.as_str()), (0, "a rose"), "{shown:?}");
    assert_eq!(alice.run_by(runner, &["verify"]).exit, 0);
    assert_eq!(alice.run_by(runner, &["--json", "text", "insert", "poem", "0", "x"]).error(6), "store_failed");
    let Err(ended) = Up::start_by(&alice, runner, &LOOPBACK) else { panic!("it cannot have started") };
    assert_eq!(ended.exit, 1, "{ended:?}");
    let error = last_error(&ended);
    assert_eq!(error["code"], "read_only");
    assert!(error["hint"].as_str().unwrap().contains("right to write"), "{error}");
    assert_eq!(fs::read(alice.data().join("store.redb")).unwrap(), before);
    rights(0o700, 0o600);
    assert_eq!(alice.run_by(runner, &["--json", "text", "insert", "poem", "0", "x"]).exit, 0);
}
