//! What is not kept: said to who is there, bounded, and no reason to end a session.

use bytes::Bytes;
use weft_machine::Time;
use weft_replication::{Config, Input, Violation};
use weft_wire::replication::{self as wire, Frame, frame::Kind};

use crate::harness::{ALICE, BOB, SPACE, World};

fn say(world: &mut World, side: usize, what: &'static str) {
    let (epoch, sealed) = (Bytes::from_static(&[3; 32]), Bytes::from_static(what.as_bytes()));
    world.input(side, Input::Say { space: SPACE, epoch, sealed });
}

fn presence(space: u32, bytes: usize) -> Bytes {
    let presence = wire::Presence { space, epoch: vec![3; 32].into(), sealed: vec![1; bytes].into() };
    prost::Message::encode_to_vec(&Frame { kind: Some(Kind::Presence(presence)) }).into()
}

/// Spec: REPLICATION-10.1
#[test]
fn it_reaches_who_has_shown_that_its_door_is_open() {
    let mut world = World::new(Config::default());
    say(&mut world, ALICE, "nobody there");
    world.connect();
    say(&mut world, ALICE, "Bob has said nothing yet");
    world.settle();
    say(&mut world, ALICE, "hello");
    say(&mut world, BOB, "hello Alice");
    world.settle();
    assert_eq!(world.nodes[BOB].heard, ["hello"]);
    assert_eq!(world.nodes[ALICE].heard, ["hello Alice"]);
    world.input(BOB, Input::Revoked { space: SPACE });
    say(&mut world, BOB, "from outside");
    say(&mut world, ALICE, "to nobody");
    world.settle();
    assert_eq!(world.nodes[ALICE].heard.len(), 1);
    assert_eq!(
        (world.nodes[BOB].heard.len(), &world.nodes[BOB].violation),
        (1, &None),
        "a closed number is passed over"
    );
    assert!(world.nodes.iter().all(|node| node.persists.is_empty()));
}

/// Spec: REPLICATION-10.2
#[test]
fn more_than_the_allowance_is_lost_at_both_ends() {
    let mut world = World::connected();
    world.settle();
    for _ in 0..1_000 {
        say(&mut world, ALICE, "x");
    }
    world.settle();
    assert_eq!((world.nodes[ALICE].sent["presence"], world.nodes[BOB].heard.len()), (64, 64));
    world.now = Time::from_micros(world.now.as_micros() + 1_000_000);
    for _ in 0..1_000 {
        say(&mut world, ALICE, "x");
    }
    world.settle();
    assert_eq!(world.nodes[BOB].heard.len(), 64 + 32);
    // Somebody who keeps to nothing.
    world.nodes[BOB].heard.clear();
    for _ in 0..5_000 {
        world.input(BOB, Input::Received(presence(1, 1_152)));
    }
    assert!(world.nodes[BOB].heard.len() <= 512, "{}", world.nodes[BOB].heard.len());
    assert_eq!(world.nodes[BOB].violation, None);
}

#[test]
fn what_is_too_large_or_under_no_number_ends_the_session() {
    for (frame, section) in [(presence(1, 1_153), "REPLICATION-2.1"), (presence(9, 10), "REPLICATION-4.1")] {
        let mut world = World::connected();
        world.settle();
        world.input(BOB, Input::Received(frame));
        assert_eq!(world.nodes[BOB].violation.as_ref().map(Violation::section), Some(section));
        assert_eq!(world.nodes[BOB].heard.len(), 0);
    }
}
