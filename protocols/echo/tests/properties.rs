//! What holds for all inputs: replicas that hold the same entries show the same, whatever the order, whoever lies.

use std::collections::BTreeMap;

use proptest::prelude::*;
use weft_crypto::{FeedId, ObjectId};
use weft_echo::{Applied, Config, Counts, Edit, EditTicket, Input, Me, Mutation, Quarantine, client_id};
use weft_machine::{Draws, Time, laws};

use crate::update::{Id, block, inserts};
use crate::world::{Node, deliver_all, deliver_one, draws, entry, feed, op, past, reader, register, space};

type Feeds = BTreeMap<FeedId, Vec<Applied>>;

/// Three people edit at random and hear of each other at random.
fn random_world(seed: u64) -> (Vec<Node>, Feeds) {
    let mut draws = draws(seed);
    // Small bounds, so that folding and reopening happen all the time.
    let config = Config { tail_entries_max: 5, tail_bytes_max: 400, documents_max: 2, ..Config::default() };
    let mut nodes: Vec<Node> = (1..=3).map(|number| Node::with(number, config.clone())).collect();
    let mut feeds: Feeds = (1..=3).map(|number| (feed(number), Vec::new())).collect();
    let mut objects: Vec<ObjectId> = Vec::new();
    for _ in 0..80 {
        let who = draws.below(3) as usize;
        match draws.below(8) {
            0..4 => {
                for _ in 0..draws.below(6) {
                    deliver_one(&mut nodes[who], &feeds, &mut draws);
                }
            }
            4 if objects.len() < 4 => objects.push(nodes[who].create("note", vec![register("name", "\"n\"")], "abc")),
            _ if objects.is_empty() => {}
            kind => {
                let object = objects[draws.below(objects.len() as u64) as usize];
                edit_at_random(&mut nodes[who], object, kind, &mut draws);
            }
        }
        let own = feeds.get_mut(&nodes[who].me.feed).unwrap();
        own.extend_from_slice(&nodes[who].entries[own.len()..]);
        if draws.below(10) == 0 {
            nodes[who].restart();
        }
    }
    (nodes, feeds)
}

/// Edits an object if the node knows it.
fn edit_at_random(node: &mut Node, object: ObjectId, kind: u64, draws: &mut Draws) {
    if node.object(&object).is_none_or(|object| object.deleted) {
        return;
    }
    let edit = match kind {
        5 => {
            let name = ["name", "a", "b"][draws.below(3) as usize];
            let value = ["\"x\"", "7", ""][draws.below(3) as usize];
            Edit::Set { object, registers: vec![register(name, value)] }
        }
        6 if draws.below(10) == 0 => Edit::Delete { object },
        _ => {
            let length = node.text(&object).chars().count() as u64;
            let position = draws.below(length + 1);
            let delete = draws.below(4).min(length - position);
            Edit::Text { object, ops: vec![op(position, delete, ["x", "ß😀", "word "][draws.below(3) as usize])] }
        }
    };
    node.edit(edit).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn replicas_converge_in_every_causal_order(seed in any::<u64>()) {
        let (mut nodes, feeds) = random_world(seed);
        for node in &mut nodes {
            deliver_all(node, &feeds, &mut draws(seed ^ 1));
            prop_assert!(node.quarantined.is_empty(), "{:?}", node.quarantined);
        }
        let shown = nodes[0].visible();
        for node in &nodes[1..] {
            prop_assert_eq!(&node.visible(), &shown);
        }
        for order in 0..4 {
            prop_assert_eq!(&reader(&feeds, order).visible(), &shown);
        }
    }

    /// Verdicts are part of the set: with some entries hollow or void, replicas and a rebuild still agree.
    #[test]
    fn replicas_agree_whatever_counts(seed in any::<u64>(), verdicts in prop::collection::vec(0u8..6, 60)) {
        let (_, mut feeds) = random_world(seed);
        for (applied, verdict) in feeds.values_mut().flatten().zip(verdicts) {
            match verdict {
                0 => applied.counts = Counts::Hollow,
                1 => applied.counts = Counts::Void("removed".into()),
                _ => {}
            }
        }
        let mut first = reader(&feeds, 0);
        for order in 1..4 {
            prop_assert_eq!(&reader(&feeds, order).visible(), &first.visible());
        }
        let before = first.visible();
        first.rebuild(&feeds);
        prop_assert_eq!(&first.visible(), &before);
    }

    #[test]
    fn any_bytes_return(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        weft_echo::fuzz::fuzz(&bytes);
    }
}

#[test]
fn mutants_of_rows_and_mutations_return() {
    let (nodes, feeds) = random_world(3);
    let mut corpus: Vec<Vec<u8>> =
        feeds.values().flatten().map(|applied| applied.mutation.clone().unwrap().to_vec()).collect();
    corpus.extend(nodes[0].rows.values().map(|row| row.to_vec()));
    corpus.push(
        br#"{"startContent":"a","endContent":"abc","txns":[{"agent":0,"parents":[],"patches":[[1,0,"b"]]}]}"#.to_vec(),
    );
    let mut draws = draws(4);
    for _ in 0..20_000 {
        let mut bytes = corpus[draws.below(corpus.len() as u64) as usize].clone();
        for _ in 0..=draws.below(4) {
            if bytes.is_empty() {
                break;
            }
            let at = draws.below(bytes.len() as u64) as usize;
            match draws.below(4) {
                0 => bytes[at] = draws.below(256) as u8,
                1 => bytes[at] ^= 1 << draws.below(8),
                2 => bytes.insert(at, draws.below(256) as u8),
                _ => bytes.truncate(at),
            }
        }
        weft_echo::fuzz::fuzz(&bytes);
    }
}

/// Sessions that name any two characters of their past as neighbours, in any order, such that no editor could have shown
/// them so. `yrs` alone shows different texts by order of arrival; here the impossible ones are refused, everywhere alike.
#[test]
fn whatever_neighbours_are_named_replicas_agree() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..300 {
        let feeds = liars(seed);
        let first = reader(&feeds, 0);
        for order in 1..5 {
            let other = reader(&feeds, order);
            assert_eq!(other.visible(), first.visible(), "seed {seed}, order {order}");
        }
        assert!(first.quarantined.values().all(|reason| matches!(reason, Quarantine::Refused(_))));
        refused += first.quarantined.len();
        accepted += 24 - first.quarantined.len();
    }
    assert!(accepted > 600 && refused > 600, "{accepted} accepted, {refused} refused");
}

fn liars(seed: u64) -> Feeds {
    let mut draws = draws(70_000 + seed);
    let mut founder = Node::new(9);
    let object = founder.create("note", Vec::new(), "");
    let mut feeds = BTreeMap::from([(feed(9), founder.entries)]);
    let numbers = [1u8, 2, 3];
    let mut known = [[0usize; 3]; 3];
    // For each entry of each session: what its author knew, and the clock after it.
    let mut ends: [Vec<u32>; 3] = Default::default();
    let mut pasts: [Vec<[usize; 3]>; 3] = Default::default();
    for _ in 0..24 {
        let who = draws.below(3) as usize;
        for other in 0..3 {
            if other != who && draws.below(2) == 0 && !ends[other].is_empty() {
                let newest = ends[other].len();
                let theirs = pasts[other][newest - 1];
                for third in 0..3 {
                    known[who][third] = known[who][third].max(theirs[third]);
                }
                known[who][other] = newest;
            }
        }
        let client = |index: usize| client_id(&space(), &feed(numbers[index]), 0);
        let mut pick = || -> Option<Id> {
            let index = draws.below(4) as usize;
            let reached = known[who].get(index).and_then(|count| ends[index].get(count.checked_sub(1)?))?;
            Some((client(index), draws.below(u64::from(*reached)) as u32))
        };
        let (left, right) = (pick(), pick());
        let word = ["a", "bc", "def"][draws.below(3) as usize];
        let first = ends[who].last().copied().unwrap_or(0);
        let update = inserts(client(who), u64::from(first), &[block(left, right, word)]);
        let mutation = Mutation { object: Some(object), inserts: update.into(), ..Mutation::default() };
        let lengths =
            (0..3).filter(|other| *other != who).map(|other| (feed(numbers[other]), known[who][other] as u64));
        let lengths: Vec<(FeedId, u64)> = lengths.chain([(feed(9), 1)]).collect();
        let own = feeds.entry(feed(numbers[who])).or_default();
        own.push(entry(feed(numbers[who]), own.len() as u64, past(&lengths), &mutation));
        ends[who].push(first + word.len() as u32);
        known[who][who] = ends[who].len();
        pasts[who].push(known[who]);
    }
    for number in numbers {
        feeds.entry(feed(number)).or_default();
    }
    feeds
}

#[test]
fn a_machine_can_go_to_another_thread() {
    fn check<T: Send>(_: T) {}
    let me = Me { space: space(), feed: feed(1), author: [1; 32] };
    check(weft_echo::Echo::new(Config::default(), me, 0, Vec::new()));
}

#[test]
fn it_keeps_the_laws_of_machines() {
    let me = Me { space: space(), feed: feed(1), author: [1; 32] };
    let make = || weft_echo::Echo::new(Config::default(), me, 0, Vec::new());
    let (_, feeds) = random_world(11);
    let mut inputs = vec![];
    for (feed, entries) in feeds {
        let length = entries.len() as u64;
        inputs.push((Time::ZERO, Input::Released(weft_echo::Released { feed, length, entries })));
    }
    let edit = Edit::Create { type_name: "note".into(), registers: vec![], text: Some("hello".into()) };
    inputs.push((Time::ZERO, Input::Edit { ticket: EditTicket(1), edit }));
    inputs.push((Time::ZERO, Input::Flush));
    laws::all(make, &inputs);
}
