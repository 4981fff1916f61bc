//! An author who signs two logs: whoever meets the other one finds out, stops the feed, and blames nobody else.

use weft_crypto::{FeedId, Purpose::Data};
use weft_feed::Writer;
use weft_replication::{Input, Refusal, Violation, stuck::What};
use weft_wire::replication::{self as wire, Frame, frame::Kind};

use crate::harness::{ALICE, BOB, Log, World, entry, manifest, writer};

const MALLORY: u8 = 3;

fn feed() -> FeedId {
    manifest(MALLORY, Data).id()
}

/// Alice holds `alice` entries of one branch of Mallory's feed and Bob `bob` of another; the first `common` are the same.
/// `step` entries come under one head.
fn branches(common: u64, alice: u64, bob: u64, step: u64) -> World {
    let mut world = World::new(Default::default());
    for (side, length) in [(ALICE, alice), (BOB, bob)] {
        let mut log = Log::new(&manifest(MALLORY, Data));
        let mut writer = writer(MALLORY, Data);
        write(&mut writer, &mut log, common, step, 0);
        write(&mut writer, &mut log, length, step, side as u8);
        world.nodes[side].logs.insert(feed(), log);
    }
    world.connect();
    world.settle();
    world
}

fn write(writer: &mut Writer, log: &mut Log, to: u64, step: u64, byte: u8) {
    while writer.length() < to {
        let count = step.min(to - writer.length());
        let entries = (0..count).map(|_| entry(Data, vec![byte; 10])).collect();
        log.ranges.extend(writer.append(entries).unwrap().into_iter().map(Into::into));
    }
}

fn found(world: &World) -> [usize; 2] {
    assert_eq!([&world.nodes[ALICE].violation, &world.nodes[BOB].violation], [&None, &None], "nobody is blamed");
    assert!(!world.nodes[ALICE].level && !world.nodes[BOB].level);
    [ALICE, BOB].map(|side| world.nodes[side].contradicted.len())
}

#[test]
fn one_length_under_two_roots_is_found_by_both() {
    let world = branches(2, 5, 5, 1);
    assert_eq!(found(&world), [1, 1]);
    let (theirs, ours) = (world.nodes[ALICE].contradicted[0], world.nodes[BOB].logs[&feed()].head().unwrap());
    assert_eq!(theirs, ours);
    for side in [ALICE, BOB] {
        assert!(world.reasons(side).iter().any(|reason| reason.what == What::Forked { feed: feed() }));
        assert_eq!(world.nodes[side].logs[&feed()].length(), 5, "it stops at what is held");
    }
}

#[test]
fn the_longer_side_finds_a_fork_by_the_base_of_the_want() {
    for (step, alice) in [(1, 9), (10, 300), (256, 700)] {
        let world = branches(2, alice, 5, step);
        assert_eq!(found(&world), [1, 0], "step {step}");
        assert_eq!(world.nodes[BOB].refusals, [(feed(), Refusal::Contradicts)]);
        assert_eq!(world.nodes[BOB].logs[&feed()].length(), 5);
        let reasons = world.reasons(BOB);
        let refused = What::Refused { feed: feed(), reason: Refusal::Contradicts };
        assert!(reasons.iter().any(|reason| reason.what == refused), "{reasons:?}");
    }
}

/// What is looked at of the other log waits for the end of what was asked before, and comes though the feed was stopped meanwhile.
#[test]
fn of_a_stopped_feed_the_other_log_can_be_fetched() {
    let mut world = branches(2, 9, 5, 1);
    let feed = feed();
    world.input(BOB, Input::Mend { feed, base: None, until: 5 });
    world.input(BOB, Input::FeedStopped { feed });
    world.input(BOB, Input::Mend { feed, base: None, until: 9 });
    world.settle();
    assert_eq!(world.nodes[BOB].mended.last().map(|(_, end)| *end), Some(9));
    assert_eq!(world.nodes[BOB].logs[&feed].length(), 5, "it is not taken for what is held");
}

#[test]
fn a_fork_that_comes_to_light_while_live_is_found() {
    let mut world = branches(3, 3, 3, 1);
    world.assert_level();
    // Mallory shows Alice and Bob each another fourth entry.
    for side in [ALICE, BOB] {
        let mut writer = writer(MALLORY, Data);
        let mut log = world.nodes[side].logs[&feed()].clone();
        write(&mut writer, &mut Log::new(&manifest(MALLORY, Data)), 3, 1, 0);
        write(&mut writer, &mut log, 4, 1, side as u8);
        let range = log.ranges[3].clone();
        world.nodes[side].logs.insert(feed(), log);
        world.say_extended(side, range);
    }
    world.settle();
    assert_eq!(found(&world), [1, 1]);
}

#[test]
fn a_contradiction_must_be_signed_and_contradict() {
    let says = |world: &mut World, head: &weft_crypto::Head| {
        let kind = Some(Kind::Contradiction(wire::Contradiction { space: 1, head: head.encode() }));
        world.input(BOB, Input::Received(prost::Message::encode_to_vec(&Frame { kind }).into()));
        world.nodes[BOB].violation.clone().map(|violation| (violation.section(), violation))
    };
    let mut world = branches(5, 5, 5, 1);
    let ours = world.nodes[BOB].logs[&feed()].head().unwrap();
    assert_eq!(says(&mut world, &ours), Some(("REPLICATION-8.2", Violation::NoContradiction)));

    let mut world = branches(5, 5, 5, 1);
    let forged = weft_crypto::Head { root: weft_crypto::Root::from_bytes([1; 32]), ..ours };
    assert_eq!(says(&mut world, &forged), Some(("REPLICATION-8.1", Violation::Unsigned { feed: feed() })));

    let mut world = branches(5, 5, 5, 1);
    let unknown = weft_crypto::Head { feed: FeedId::from_bytes([1; 32]), ..ours };
    assert_eq!(says(&mut world, &unknown), Some(("REPLICATION-8.2", Violation::NoContradiction)));
}

#[test]
fn a_base_that_nobody_signed_is_a_violation_and_no_fork() {
    let mut world = branches(5, 5, 5, 1);
    let log = world.nodes[BOB].logs[&feed()].clone();
    let mut tree = weft_feed::Tree::new();
    (0..3).for_each(|_| tree.push([1; 32], 100));
    let (root, byte_length) = (tree.root(), tree.byte_length());
    let head = weft_crypto::Head { length: 3, byte_length, root, ..log.head().unwrap() };
    world.input(BOB, Input::Received(Default::default()));
    // Alice stops following first, so that the second want is no second one.
    let frame = |kind| Input::Received(prost::Message::encode_to_vec(&Frame { kind: Some(kind) }).into());
    let id = bytes::Bytes::copy_from_slice(feed().as_bytes());
    world.input(BOB, frame(Kind::Stop(wire::Stop { space: 1, feed: id.clone() })));
    let want = wire::Want { space: 1, feed: id, from: 3, head: head.encode(), tree: tree.encode() };
    world.input(BOB, frame(Kind::Want(want)));
    world.read(BOB, 0);
    world.work(BOB, 0);
    assert_eq!(world.nodes[BOB].violation, Some(Violation::Unsigned { feed: feed() }));
    assert!(world.nodes[BOB].contradicted.is_empty());
}
