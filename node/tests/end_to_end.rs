//! Two real processes share a space: real text, both at once, killed at any moment.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::{
    harness::{Folder, Following, PATIENCE, argument, share},
    traces,
};

fn import(folder: &Folder, file: &Path, name: &str, end: &str) -> String {
    let imported = folder.json(&["import", "trace", argument(file), "--space", "notes", "--name", name]);
    assert!(imported["operations"].as_u64() >= imported["entries"].as_u64(), "{imported}");
    assert!(folder.text(name) == end, "the text of {name} is not what the trace ends with");
    imported["object"].as_str().unwrap().to_owned()
}

#[test]
fn a_text_of_100_000_keystrokes_reaches_a_newcomer_and_both_write_on() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let alice_up = alice.up(&[]);
    let bob_up = bob.up(&[]);
    let (trace, end) = traces::generated(100_000);
    alice.json(&["space", "create", "notes"]);
    let mut imported = vec![(import(&alice, &alice.file("trace.json", trace), "book", &end), end)];
    for (file, end) in traces::of_folder() {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        println!("importing {}", file.display());
        imported.push((import(&alice, &file, &name, &end), end));
    }
    let link = alice.field("link", &["invite", "notes"]);
    let space = bob.field("space", &["join", &link]);
    bob.json(&["wait", &space, "--timeout", "5m"]);
    for (object, end) in &imported {
        assert!(bob.text(object) == *end, "the newcomer shows another text for {object}");
    }

    // Both at once, each at its own end of the text.
    let book = imported[0].0.as_str();
    thread::scope(|scope| {
        scope.spawn(|| (0..20).for_each(|_| drop(alice.json(&["text", "insert", book, "0", "A"]))));
        scope.spawn(|| (0..20).for_each(|_| drop(bob.json(&["text", "insert", book, "50000", "B"]))));
    });
    alice.json(&["wait", &space, "--timeout", "1m"]);
    bob.json(&["wait", &space, "--timeout", "1m"]);
    let text = alice.text(book);
    assert!(text == bob.text(book), "the two texts differ");
    assert!(text.starts_with(&"A".repeat(20)));
    assert_eq!(text.chars().count(), imported[0].1.chars().count() + 40);
    assert_eq!(bob.json(&["verify"])["verified"], true);
    alice_up.down();
    bob_up.down();
}

#[test]
fn killed_while_it_receives_a_node_goes_on_where_it_was() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice_up = alice.up(&[]);
    let (trace, end) = traces::generated(30_000);
    let file = alice.file("trace.json", trace);
    let mut bob_up = bob.up(&[]);
    let space = share(&alice, &bob);
    bob.json(&["wait", &space]);
    thread::scope(|scope| {
        let importing = scope.spawn(|| import(&alice, &file, "book", &end));
        for _ in 0..3 {
            let events = Following::start(&bob, &["--json", "events"]);
            if importing.is_finished() {
                break;
            }
            events.until_or(|event| event["event"] == "extended" && event["mine"] == false, || importing.is_finished());
            bob_up.kill();
            assert_eq!(bob.json(&["verify"])["verified"], true);
            bob_up = bob.up(&[]);
        }
        let object = importing.join().unwrap();
        bob.json(&["wait", &space, "--timeout", "2m"]);
        assert!(bob.text(&object) == end, "the text that arrived differs");
    });
}

#[test]
fn killed_while_it_writes_a_node_has_everything_it_acknowledged() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice_up = alice.up(&[]);
    let mut bob_up = bob.up(&[]);
    let space = share(&alice, &bob);
    let mut acknowledged = BTreeSet::new();
    for round in 0..4 {
        let written = Arc::new(AtomicU64::new(0));
        let (url, token) = address(&bob, &space);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (url, token, written) = (url.clone(), token.clone(), Arc::clone(&written));
                thread::spawn(move || append_until_it_fails(&url, &token, &format!("{round}.{writer}"), &written))
            })
            .collect();
        let begun = std::time::Instant::now();
        while written.load(Ordering::Relaxed) < 100 * (round + 1) {
            assert!(begun.elapsed() < PATIENCE, "only {} records were acknowledged", written.load(Ordering::Relaxed));
            thread::yield_now();
        }
        bob_up.kill();
        acknowledged.extend(writers.into_iter().flat_map(|writer| writer.join().unwrap()));
        bob_up = bob.up(&[]);
        assert_eq!(bob.json(&["verify"])["verified"], true);
        assert!(records(&bob).is_superset(&acknowledged), "something acknowledged is missing after kill {round}");
        // The other side still believes in the connection that died with the process.
        bob.json(&["wait", &space, "--timeout", "20s"]);
    }
    bob.json(&["wait", &space, "--timeout", "1m"]);
    alice.json(&["wait", &space, "--timeout", "1m"]);
    assert!(records(&alice).is_superset(&acknowledged), "something acknowledged did not arrive");
    assert_eq!(records(&alice), records(&bob));
}

fn records(folder: &Folder) -> BTreeSet<String> {
    let listed = folder.json(&["record", "list", "notes", "--count", "1000000"]);
    let records = listed["records"].as_array().unwrap();
    records.iter().map(|record| record["text"].as_str().unwrap().to_owned()).collect()
}

fn address(folder: &Folder, space: &str) -> (String, String) {
    let file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.data().join("node.json")).unwrap()).unwrap();
    let token = std::fs::read_to_string(file["token_path"].as_str().unwrap()).unwrap();
    let api = file["api"].as_str().unwrap();
    (format!("http://{api}/api/v1/spaces/{space}/records"), format!("Bearer {token}"))
}

fn append_until_it_fails(url: &str, token: &str, name: &str, written: &AtomicU64) -> Vec<String> {
    let agent = ureq::Agent::new_with_defaults();
    let mut acknowledged = Vec::new();
    loop {
        let record = format!("{name}.{}", acknowledged.len());
        match agent.post(url).header("authorization", token).send(record.as_bytes()) {
            Ok(_) => acknowledged.push(record),
            Err(ureq::Error::StatusCode(status)) => panic!("record {record} was refused with {status}"),
            Err(_) => return acknowledged,
        }
        written.fetch_add(1, Ordering::Relaxed);
    }
}
