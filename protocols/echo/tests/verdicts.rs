//! When verdicts change: the objects that a feed touched are made again from their entries, and no others.
//!
//! Spec: ECHO-5.5, PEER-5

use std::collections::BTreeMap;

use proptest::prelude::*;
use weft_crypto::{FeedId, ObjectId};
use weft_echo::{Applied, Config, Counts, Edit, Input, OpenFailure};
use weft_machine::Draws;

use crate::world::{Node, deliver_all, deliver_one, draws, feed, op, register};

type Feeds = BTreeMap<FeedId, Vec<Applied>>;

/// Two people edit the same few objects; what each wrote, and what they made.
fn written(seed: u64) -> Feeds {
    let mut draws = draws(seed);
    let mut nodes = [Node::new(1), Node::new(2)];
    let mut feeds: Feeds = [(feed(1), Vec::new()), (feed(2), Vec::new())].into();
    let mut objects: Vec<ObjectId> = Vec::new();
    for _ in 0..60 {
        let node = &mut nodes[draws.below(2) as usize];
        for _ in 0..draws.below(5) {
            deliver_one(node, &feeds, &mut draws);
        }
        if objects.len() < 5 && draws.below(4) == 0 {
            objects.push(node.create("note", vec![register("name", "\"n\"")], "abc"));
        } else if let Some(object) = objects.get(draws.below(5) as usize)
            && node.object(object).is_some_and(|object| !object.deleted)
        {
            edit(node, *object, &mut draws);
        }
        let own = feeds.get_mut(&node.me.feed).unwrap();
        own.extend_from_slice(&node.entries[own.len()..]);
    }
    feeds
}

fn edit(node: &mut Node, object: ObjectId, draws: &mut Draws) {
    let length = node.text(&object).chars().count() as u64;
    let position = draws.below(length + 1);
    let edit = match draws.below(8) {
        0..3 => Edit::Set { object, registers: vec![register("name", ["\"x\"", "7", ""][draws.below(3) as usize])] },
        3 if draws.below(6) == 0 => Edit::Delete { object },
        kind => {
            let delete = draws.below(3).min(length - position) + u64::from(kind == 4 && length > position + 3);
            let insert = if delete > 0 && kind < 6 { "" } else { "yz" };
            Edit::Text { object, ops: vec![op(position, delete, insert)] }
        }
    };
    node.edit(edit).unwrap();
}

/// A reader hears of entries and of changed verdicts in any order, and may crash; objects are made again early or late.
fn read_on(seed: u64, config: Config, crashes: bool) -> Node {
    let feeds = written(seed);
    let mut draws = draws(seed ^ 7);
    let mut node = Node::with(9, config);
    for _ in 0..150 {
        node.holds_rereads = draws.below(3) > 0;
        match draws.below(12) {
            0..6 => drop(deliver_one(&mut node, &feeds, &mut draws)),
            6 | 7 => {
                let from = (draws.below(3) > 0).then(|| draws.below(12));
                node.void(feed(1 + draws.below(2) as u8), from);
            }
            8 if crashes => node.restart(),
            9 if crashes => node.input(Input::Flush),
            _ if !node.rereads.is_empty() => node.reread_one(),
            _ => {}
        }
    }
    deliver_all(&mut node, &feeds, &mut draws);
    node.holds_rereads = false;
    node.input(Input::Released(weft_echo::Released { feed: feed(1), length: 0, entries: Vec::new() }));
    assert!(node.changes.is_empty() && node.rereads.is_empty(), "everything is worked off");
    node
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where each object has taken its entries in the order in which they were handed in, rows are the same to the byte.
    #[test]
    fn after_any_changes_of_verdicts_the_rows_are_those_of_a_replay(seed in any::<u64>()) {
        let node = read_on(seed, Config { documents_max: 2, ..Config::default() }, false);
        prop_assert!(node.without_changes() == node.replayed().without_changes());
    }

    /// With tails that are folded all the time, and crashes at any moment, it shows the same.
    #[test]
    fn whatever_is_folded_and_lost_it_shows_what_a_replay_shows(seed in any::<u64>()) {
        let config = Config { tail_entries_max: 3, tail_bytes_max: 300, documents_max: 2, ..Config::default() };
        let node = read_on(seed, config, true);
        prop_assert_eq!(node.visible(), node.replayed().visible());
    }
}

#[test]
fn a_writer_of_a_thousand_objects_voided_and_raised_again_leaves_the_rows_of_a_replay() {
    let (mut alice, mut bob) = (Node::new(1), Node::new(2));
    let objects: Vec<ObjectId> = (0..1_000).map(|n| alice.create("note", Vec::new(), &format!("note {n}"))).collect();
    deliver_all(&mut bob, &[(feed(1), alice.entries.clone())].into(), &mut draws(1));
    for object in &objects {
        bob.typed(*object, vec![op(2, 1, "XX")]);
        bob.set(*object, "mood", "\"grim\"");
    }
    deliver_all(&mut alice, &[(feed(2), bob.entries.clone())].into(), &mut draws(2));
    let before = alice.without_changes();
    alice.void(feed(2), Some(0));
    assert_eq!(alice.again.len(), 1_000);
    assert!(
        objects.iter().all(|object| alice.value(object, "mood").is_none() && alice.text(object).starts_with("note"))
    );
    assert_eq!(alice.without_changes(), alice.replayed().without_changes());
    alice.void(feed(2), None);
    assert_eq!(alice.without_changes(), before);
}

#[test]
fn only_objects_that_the_feed_touched_past_the_cut_are_made_again() {
    let (mut alice, mut bob) = (Node::new(1), Node::new(2));
    let objects: Vec<ObjectId> = (0..20).map(|n| alice.create("note", Vec::new(), &n.to_string())).collect();
    deliver_all(&mut bob, &[(feed(1), alice.entries.clone())].into(), &mut draws(1));
    for object in &objects[..10] {
        bob.typed(*object, vec![op(0, 0, "bob ")]);
    }
    deliver_all(&mut alice, &[(feed(2), bob.entries.clone())].into(), &mut draws(2));
    alice.void(feed(2), Some(7));
    alice.again.sort_unstable();
    let mut past = objects[7..10].to_vec();
    past.sort_unstable();
    assert_eq!(alice.again, past);
    let texts: Vec<String> = objects.iter().map(|object| alice.text(object)).collect();
    assert_eq!((texts[6].as_str(), texts[7].as_str(), texts[11].as_str()), ("bob 6", "7", "11"));
}

/// Whoever may turn verdicts to and fro makes others work by what they read, not by how often it is done.
#[test]
fn verdicts_that_go_to_and_fro_cost_one_making_again() {
    let (mut alice, mut bob) = (Node::new(1), Node::new(2));
    let object = alice.create("note", Vec::new(), "hello");
    deliver_all(&mut bob, &[(feed(1), alice.entries.clone())].into(), &mut draws(1));
    bob.typed(object, vec![op(5, 0, " there")]);
    deliver_all(&mut alice, &[(feed(2), bob.entries.clone())].into(), &mut draws(2));
    alice.holds_rereads = true;
    for turn in 0..1_001 {
        alice.void(feed(2), (turn % 2 == 0).then_some(0));
    }
    assert_eq!(alice.again.len(), 1);
    assert!(!alice.echo.is_judged(Some(&object), alice.number));
    alice.holds_rereads = false;
    alice.input(Input::Look { object });
    assert!(alice.echo.is_judged(Some(&object), alice.number));
    assert_eq!((alice.again.len(), alice.text(&object).as_str()), (2, "hello"));
}

#[test]
fn an_edit_waits_until_its_object_is_made_again() {
    let (mut alice, mut bob) = (Node::new(1), Node::new(2));
    let object = alice.create("note", Vec::new(), "hello");
    deliver_all(&mut bob, &[(feed(1), alice.entries.clone())].into(), &mut draws(1));
    bob.typed(object, vec![op(0, 5, "")]);
    deliver_all(&mut alice, &[(feed(2), bob.entries.clone())].into(), &mut draws(2));
    alice.holds_rereads = true;
    alice.void(feed(2), Some(0));
    let edit = alice.begin(Edit::Text { object, ops: vec![op(5, 0, "!")] });
    assert!(!alice.done.contains_key(&edit) && alice.text(&object).is_empty());
    alice.holds_rereads = false;
    alice.input(Input::Look { object });
    assert!(alice.done.contains_key(&edit));
    assert_eq!(alice.text(&object), "hello!");
}

/// Spec: ECHO-3.4, ECHO-5.4, ECHO-5.6
#[test]
fn what_is_sealed_under_no_epoch_that_counts_is_passed_over_by_who_has_the_key_and_by_who_has_not() {
    let config = || Config { tail_entries_max: 2, tail_bytes_max: 1, ..Config::default() };
    let (mut alice, mut bob) = (Node::new(1), Node::new(2));
    let object = alice.create("note", Vec::new(), "hello");
    deliver_all(&mut bob, &[(feed(1), alice.entries.clone())].into(), &mut draws(1));
    bob.typed(object, vec![op(5, 0, " in vain")]);
    bob.typed(object, vec![op(0, 0, "oh ")]);
    bob.typed(object, vec![op(3, 0, "well ")]);
    let written = bob.entries.clone();
    let [vain, rest @ ..] = &written[..] else { panic!("three entries") };
    let void = Applied { counts: Counts::Void("its epoch does not count".into()), ..vain.clone() };
    let closed = Applied { mutation: Err(OpenFailure::NoKey), ..vain.clone() };
    let read = |passed_over: &Applied| {
        let mut reader = Node::with(9, config());
        alice.entries.iter().for_each(|entry| reader.take(feed(1), entry.clone()));
        reader.take(feed(2), passed_over.clone());
        rest.iter().for_each(|entry| reader.take(feed(2), entry.clone()));
        reader.restart();
        reader
    };
    for reader in [read(&void), read(&closed)] {
        assert_eq!(reader.text(&object), "oh well hello");
        assert_eq!(reader.prefix(weft_echo::tables::TOUCHED, &[]).len(), 2, "by alice and bob");
    }
    let rows = |reader: Node| reader.prefix(weft_echo::tables::OBJECT, &[]);
    assert_eq!(rows(read(&void)), rows(read(&closed)));
    // Nothing may refer to what was passed over, also where the key is held.
    bob.typed(object, vec![op(16, 0, "!")]);
    for mut reader in [read(&void), read(&closed)] {
        reader.take(feed(2), bob.entries[3].clone());
        assert_eq!(reader.text(&object), "oh well hello");
    }
}
