//! What is stored: little for a keystroke, a snapshot now and then, everything needed after a restart, nothing replayed.

use std::collections::BTreeMap;

use weft_echo::{Config, Input, tables};

use crate::world::{Node, deliver_all, draws, feed, op, reader, register};

#[test]
fn a_keystroke_writes_a_small_row() {
    let mut alice = Node::new(1);
    let object = alice.create("note", vec![register("name", "\"big\"")], &"lorem ipsum ".repeat(50_000));
    alice.input(Input::Flush);
    alice.row_bytes = 0;
    for n in 0..100 {
        alice.typed(object, vec![op(300 + n, 0, "x")]);
    }
    assert!(alice.row_bytes < 100 * 180, "{} bytes for 100 keystrokes", alice.row_bytes);
}

#[test]
fn a_tail_is_folded_into_a_snapshot() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "");
    for n in 0..1_000 {
        alice.typed(object, vec![op(n, 0, "x")]);
    }
    assert!(alice.prefix(tables::OBJECT, &tables::part(&object, tables::Part::Snapshot)).len() == 1);
    let tail = alice.prefix(tables::OBJECT, &tables::part(&object, tables::Part::Tail)).len();
    assert!(tail < 256, "{tail}");
    assert_eq!(alice.text(&object), "x".repeat(1_000));
    alice.input(Input::Flush);
    assert!(alice.prefix(tables::OBJECT, &tables::part(&object, tables::Part::Tail)).is_empty());
    assert_eq!(alice.text(&object), "x".repeat(1_000));
}

#[test]
fn nothing_unwritten_gets_into_a_snapshot() {
    let mut alice = Node::with(1, Config { tail_entries_max: 2, ..Config::default() });
    let object = alice.create("note", Vec::new(), "");
    alice.holds_writes = true;
    for n in 0..6 {
        alice.begin(weft_echo::Edit::Text { object, ops: vec![op(n, 0, "x")] });
    }
    let mut shown = 0;
    while !alice.writes.is_empty() {
        alice.input(Input::Flush);
        assert_eq!(alice.text(&object).len(), shown);
        alice.append_one();
        shown += 1;
    }
    assert_eq!(alice.text(&object), "xxxxxx");
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut alice = Node::new(1);
    let object = alice.create("note", vec![register("name", "\"n\"")], "");
    for round in 0..6 {
        for n in 0..150 {
            alice.typed(object, vec![op(0, n % 2, "ab")]);
        }
        alice.set(object, "round", &round.to_string());
        let before = alice.visible();
        alice.restart();
        alice.loads = 0;
        assert_eq!(alice.visible(), before);
        alice.typed(object, vec![op(0, 0, "after ")]);
        assert_eq!(alice.loads, 1, "one read opens an object");
    }
    let shown = reader(&BTreeMap::from([(feed(1), alice.entries.clone())]), 0);
    assert_eq!((shown.visible(), shown.quarantined.len()), (alice.visible(), 0));
}

#[test]
fn few_objects_stay_open() {
    let mut alice = Node::with(1, Config { documents_max: 3, ..Config::default() });
    let objects: Vec<_> = (0..10).map(|n| alice.create("note", Vec::new(), &n.to_string())).collect();
    alice.loads = 0;
    alice.typed(objects[9], vec![op(0, 0, "x")]);
    assert_eq!(alice.loads, 0, "it was used last");
    alice.typed(objects[0], vec![op(0, 0, "x")]);
    assert_eq!(alice.loads, 1, "it had been closed");
    assert_eq!(alice.text(&objects[0]), "x0");
}

#[test]
fn a_rebuild_gives_the_same() {
    let mut alice = Node::new(1);
    let object = alice.create("note", vec![register("name", "\"n\"")], "hello");
    let mut bob = Node::new(2);
    deliver_all(&mut bob, &BTreeMap::from([(feed(1), alice.entries.clone())]), &mut draws(1));
    for n in 0..300 {
        bob.typed(object, vec![op(n, 0, "y")]);
        alice.typed(object, vec![op(5 + n, 0, "x")]);
    }
    let feeds = BTreeMap::from([(feed(1), alice.entries.clone()), (feed(2), bob.entries.clone())]);
    deliver_all(&mut alice, &feeds, &mut draws(2));
    let before = alice.visible();
    alice.rebuild(&feeds);
    assert_eq!(alice.visible(), before);
    alice.typed(object, vec![op(0, 0, "again ")]);
    assert!(alice.quarantined.is_empty());
}
