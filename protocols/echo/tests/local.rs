//! Local edits: refused before anything changes, in flight in sequence, lost when they could not be stored.

use std::collections::BTreeMap;

use weft_echo::{Config, Edit, EditRefusal, Input, Malformed, Mutation};

use crate::world::{Node, feed, op, reader, register};

fn text(object: weft_crypto::ObjectId, ops: Vec<weft_echo::TextOp>) -> Edit {
    Edit::Text { object, ops }
}

#[test]
fn bad_edits_are_refused_before_anything_is_written() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "hello");
    let nowhere = weft_crypto::ObjectId::from_bytes([9; 32]);
    let many = vec![op(0, 0, "a"); 65];
    let huge = "a".repeat((1 << 20) + 1);
    let create =
        |type_name: &str, text: Option<String>| Edit::Create { type_name: type_name.into(), registers: vec![], text };
    let set = |name: &str, value: &str| Edit::Set { object, registers: vec![register(name, value)] };
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    let long = format!("\"{}\"", "a".repeat(1 << 16));
    let is = |edit, check: fn(&EditRefusal) -> bool, node: &mut Node| {
        let refusal = node.edit(edit).unwrap_err();
        assert!(check(&refusal), "{refusal:?}");
    };
    is(text(nowhere, vec![op(0, 0, "a")]), |r| *r == EditRefusal::UnknownObject, &mut alice);
    is(
        text(object, vec![op(0, 0, "ab"), op(0, 8, "")]),
        |r| *r == EditRefusal::OutOfBounds { index: 1, length: 7 },
        &mut alice,
    );
    is(text(object, many), |r| *r == EditRefusal::TooManyOps { found: 65, max: 64 }, &mut alice);
    is(text(object, vec![]), |r| *r == EditRefusal::Malformed(Malformed::Empty), &mut alice);
    is(text(object, vec![op(0, 0, &huge)]), |r| matches!(r, EditRefusal::TooLarge { .. }), &mut alice);
    is(create("", None), |r| matches!(r, EditRefusal::Malformed(Malformed::TypeName { .. })), &mut alice);
    is(create("note", Some("a".repeat((16 << 20) + 1))), |r| matches!(r, EditRefusal::TooLarge { .. }), &mut alice);
    is(set("a\tb", "1"), |r| matches!(r, EditRefusal::Malformed(Malformed::RegisterName { .. })), &mut alice);
    for value in ["{", &deep, &long] {
        is(set("a", value), |r| matches!(r, EditRefusal::Malformed(Malformed::Value { .. })), &mut alice);
    }
    assert_eq!((alice.entries.len(), alice.text(&object).as_str()), (1, "hello"));

    alice.edit(Edit::Delete { object }).unwrap();
    is(set("a", "1"), |r| *r == EditRefusal::Deleted, &mut alice);
}

#[test]
fn a_mutation_that_turns_out_too_large_changes_nothing() {
    let mut alice = Node::new(1);
    let value = format!("\"{}\"", "a".repeat(65_000));
    let object = alice.create("note", Vec::new(), "hello");
    let registers = (0..17).map(|n| register(&n.to_string(), &value)).collect();
    let refusal = alice.edit(Edit::Set { object, registers }).unwrap_err();
    assert!(matches!(refusal, EditRefusal::TooLarge { .. }));

    // How large the deletions are is known only when the operations have run.
    let mut bob = Node::with(2, Config { mutation_bytes_max: 200, ..Config::default() });
    let object = bob.create("note", Vec::new(), "");
    for n in 0..100 {
        bob.typed(object, vec![op(n, 0, "x"), op(0, 0, "y")]);
    }
    let before = (bob.entries.len(), bob.text(&object));
    let refusal = bob.edit(text(object, vec![op(0, 100, "")])).unwrap_err();
    assert!(matches!(refusal, EditRefusal::TooLarge { max: 200, .. }), "{refusal:?}");
    assert_eq!((bob.entries.len(), bob.text(&object)), before);
    bob.typed(object, vec![op(0, 1, "")]);
    assert!(bob.quarantined.is_empty());
}

/// Spec: ECHO-7.5
#[test]
fn a_text_is_revised_only_as_it_was_read() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "hello world");
    let revise = |seen: &str, revisions| Edit::Revise { object, seen: seen.into(), revisions };
    let entries = alice.entries.len();
    let greeting = vec![vec![op(0, 5, "Good"), op(4, 0, "bye")], vec![op(12, 1, "D!")]];
    assert_eq!(alice.edit(revise("hello", greeting.clone())).unwrap_err(), EditRefusal::TextMoved);
    assert_eq!((alice.entries.len(), alice.text(&object).as_str()), (entries, "hello world"));
    alice.edit(revise("hello world", greeting.clone())).unwrap();
    assert_eq!((alice.entries.len(), alice.text(&object).as_str()), (entries + 2, "Goodbye worlD!"));

    // What is on its way to the disk comes first, and is seen.
    alice.holds_writes = true;
    let typed = alice.begin(text(object, vec![op(0, 0, "> ")]));
    let unaware = alice.begin(revise("Goodbye worlD!", vec![vec![op(0, 1, "")]]));
    let aware = alice.begin(revise("> Goodbye worlD!", vec![vec![op(0, 2, "")], vec![op(0, 0, "# ")]]));
    assert_eq!(alice.writes.len(), 1, "revisions wait");
    for _ in 0..3 {
        alice.append_one();
    }
    assert!(alice.done.contains_key(&typed) && alice.done.contains_key(&aware));
    assert_eq!(alice.refused.remove(&unaware), Some(EditRefusal::TextMoved));
    assert_eq!(alice.text(&object), "# Goodbye worlD!");
    assert!(alice.quarantined.is_empty());
}

#[test]
fn a_revision_is_written_as_a_whole_or_not_at_all() {
    let mut alice = Node::with(1, Config { mutation_bytes_max: 200, ..Config::default() });
    let object = alice.create("note", Vec::new(), "hello");
    let revise = |revisions| Edit::Revise { object, seen: "hello".into(), revisions };
    let entries = alice.entries.len();
    let refused = |alice: &mut Node, revisions| alice.edit(revise(revisions)).unwrap_err();
    let outside = refused(&mut alice, vec![vec![op(0, 0, "x")], vec![op(9, 0, "y")]]);
    assert_eq!(outside, EditRefusal::OutOfBounds { index: 0, length: 6 });
    let large = refused(&mut alice, vec![vec![op(0, 0, "x")], vec![op(0, 0, &"y".repeat(190))]]);
    assert!(matches!(large, EditRefusal::TooLarge { max: 200, .. }), "{large:?}");
    let many = refused(&mut alice, vec![vec![op(0, 0, "x")]; 17]);
    assert_eq!(many, EditRefusal::TooManyOps { found: 17, max: 16 });
    assert_eq!(refused(&mut alice, vec![]), EditRefusal::Malformed(Malformed::Empty));
    assert_eq!((alice.entries.len(), alice.text(&object).as_str()), (entries, "hello"));
    // The document shows nothing of what was refused.
    alice.edit(revise(vec![vec![op(5, 0, "!")]])).unwrap();
    assert_eq!(alice.text(&object), "hello!");
    assert!(alice.quarantined.is_empty());
}

#[test]
fn edits_in_flight_build_on_each_other() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "");
    alice.holds_writes = true;
    let tickets: Vec<_> = ["a", "b", "c"]
        .iter()
        .enumerate()
        .map(|(at, key)| alice.begin(text(object, vec![op(at as u64, 0, key)])))
        .collect();
    let set = alice.begin(Edit::Set { object, registers: vec![register("name", "\"x\"")] });
    assert_eq!(alice.writes.len(), 4);
    assert_eq!(alice.text(&object), "", "nobody reads what is not durable");
    for shown in ["a", "ab", "abc", "abc"] {
        alice.append_one();
        assert_eq!(alice.text(&object), shown);
    }
    assert!(tickets.iter().chain([&set]).enumerate().all(|(n, ticket)| alice.done[ticket] == (object, n as u64 + 1)));
}

#[test]
fn remote_entries_arrive_while_edits_are_in_flight() {
    for late in [false, true] {
        let mut alice = Node::new(1);
        let object = alice.create("note", Vec::new(), "hello");
        let mut bob = Node::new(2);
        bob.take(feed(1), alice.entries[0].clone());
        // At the very place where she types, too.
        bob.typed(object, vec![op(0, 0, ">> "), op(8, 0, "?")]);
        alice.holds_writes = true;
        alice.acknowledges_late = late;
        alice.begin(text(object, vec![op(5, 0, " world")]));
        alice.take(feed(2), bob.entries[0].clone());
        alice.begin(text(object, vec![op(0, 0, "!")]));
        assert_eq!(alice.text(&object), ">> hello?");
        alice.append_one();
        alice.append_one();
        assert!(["!>> hello? world", "!>> hello world?"].contains(&alice.text(&object).as_str()));
        let feeds = BTreeMap::from([(feed(1), alice.entries.clone()), (feed(2), bob.entries)]);
        for order in 0..6 {
            let shown = reader(&feeds, order);
            assert_eq!(shown.visible(), alice.visible());
            assert!(shown.quarantined.is_empty(), "what was acknowledged and not yet seen is no reason to refuse");
        }
    }
}

#[test]
fn a_failed_write_takes_back_what_was_built_on_it() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "hello");
    alice.holds_writes = true;
    let lost = [alice.begin(text(object, vec![op(5, 0, "!")])), alice.begin(text(object, vec![op(6, 0, "?")]))];
    let made = alice.begin(Edit::Create { type_name: "note".into(), registers: vec![], text: None });
    alice.fail_all();
    assert!(lost.iter().chain([&made]).all(|ticket| alice.refused[ticket] == EditRefusal::WriteFailed));
    alice.holds_writes = false;
    alice.typed(object, vec![op(5, 0, ".")]);
    assert_eq!(alice.text(&object), "hello.");
    let feeds = BTreeMap::from([(feed(1), alice.entries.clone())]);
    let shown = reader(&feeds, 0);
    assert_eq!((shown.visible(), shown.quarantined.len()), (alice.visible(), 0));
}

#[test]
fn an_edit_after_a_failure_waits_until_the_rest_has_failed() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "hello");
    alice.holds_writes = true;
    alice.begin(text(object, vec![op(5, 0, "!")]));
    alice.begin(text(object, vec![op(6, 0, "?")]));
    let (first, ..) = alice.writes.remove(0);
    alice.input(Input::WriteFailed { ticket: first });
    let later = alice.begin(text(object, vec![op(0, 5, "bye")]));
    assert_eq!(alice.writes.len(), 1, "it is not begun on a document that nobody will see");
    let (second, ..) = alice.writes.remove(0);
    alice.input(Input::WriteFailed { ticket: second });
    alice.append_one();
    assert!(alice.done.contains_key(&later));
    assert_eq!(alice.text(&object), "bye");
}

#[test]
fn a_long_first_text_becomes_several_mutations() {
    let mut alice = Node::new(1);
    let long = "0123456789 ß 😀 ".repeat(100_000);
    let object = alice.create("book", vec![register("name", "\"long\"")], &long);
    assert!(alice.entries.len() > 2);
    assert_eq!(alice.text(&object), long);
    let bodies = alice.entries.iter().map(|entry| entry.mutation.clone().unwrap());
    assert!(bodies.clone().all(|body| body.len() < 1 << 20));
    let mutations: Vec<Mutation> = bodies.map(|body| Mutation::decode(&body).unwrap()).collect();
    assert!(mutations[0].object.is_none() && mutations[1..].iter().all(|mutation| mutation.object == Some(object)));
    let shown = reader(&BTreeMap::from([(feed(1), alice.entries.clone())]), 0);
    assert_eq!(shown.visible(), alice.visible());
}

#[test]
fn edits_wait_until_the_own_feed_was_handed_in() {
    let mut alice = Node::new(1);
    let object = alice.create("note", Vec::new(), "hello");
    alice.typed(object, vec![op(5, 0, "!")]);
    // A crash after the entries were durable and before the rows were.
    let mut again = Node::new(1);
    again.entries = alice.entries.clone();
    again.restart();
    let ticket = again.begin(text(object, vec![op(0, 1, "H")]));
    for entry in alice.entries.clone() {
        assert!(again.writes.is_empty() && again.done.is_empty());
        again.take(feed(1), entry);
    }
    assert_eq!(again.done[&ticket], (object, 2));
    assert_eq!(again.text(&object), "Hello!");
    let shown = reader(&BTreeMap::from([(feed(1), again.entries.clone())]), 0);
    assert_eq!((shown.visible(), shown.quarantined.len()), (again.visible(), 0));
}

#[test]
fn too_many_waiting_edits_are_refused_as_busy() {
    let mut alice = Node::with(1, Config { edits_max: 2, writes_max: 1, ..Config::default() });
    let object = alice.create("note", Vec::new(), "");
    alice.holds_writes = true;
    let tickets: Vec<_> = (0..4).map(|_| alice.begin(text(object, vec![op(0, 0, "a")]))).collect();
    assert_eq!(alice.refused, BTreeMap::from([(tickets[3], EditRefusal::Busy)]));
    for _ in 0..3 {
        alice.append_one();
    }
    assert_eq!(alice.text(&object), "aaa");
}
