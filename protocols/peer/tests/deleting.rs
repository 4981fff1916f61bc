//! A space is deleted from one device: nothing of it is left there, and nobody else loses anything.

use std::time::Duration;

use weft_credential::Role;
use weft_crypto::{DeviceId, Purpose, SpaceId};
use weft_peer::{Act, Answer, Command, Event, Refusal};

use crate::{
    members::{act, all, feeds, status},
    net::Net,
    spaces::{append, create, insert, invite, join, level, note, text},
};

fn delete(net: &mut Net, at: DeviceId, space: SpaceId) -> Result<(), Refusal> {
    match net.answer(at, Command::DeleteSpace { space })? {
        Answer::SpaceDeleted => Ok(()),
        other => panic!("{other:?}"),
    }
}

/// Spec: PEER-17
#[test]
fn nothing_of_a_deleted_space_is_left_but_that_it_was_there() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    let other = create(&mut net, bob);
    let object = note(&mut net, bob, space, "from bob");
    append(&mut net, bob, other, "stays");
    net.advance(Duration::from_secs(1));
    delete(&mut net, bob, space).unwrap();
    assert_eq!(net.node(bob).events.last(), Some(&Event::SpaceRemoved { space }));
    net.advance(Duration::from_secs(5));
    for restarted in [false, true] {
        if restarted {
            net.restart(bob);
        }
        let spaces: Vec<SpaceId> = status(&mut net, bob).spaces.iter().map(|status| status.space).collect();
        assert_eq!(spaces, [other]);
        let store = &net.node(bob).store;
        assert_eq!(store.feeds_of(&space), 0);
        assert!(store.derived.keys().all(|(of, ..)| *of != space));
        assert_eq!(store.private_rows_of(&space), ["former"]);
    }
    assert_eq!(net.answer(bob, Command::Members { space }).unwrap_err().code, "unknown_space");
    // The others have lost nothing, and he is still a member to them.
    net.connect(alice, carol);
    net.connect(alice, bob);
    net.advance(Duration::from_secs(5));
    insert(&mut net, alice, space, object, 0, "read on: ");
    net.advance(Duration::from_secs(1));
    assert_eq!(text(&mut net, carol, space, object), "read on: from bob");
    assert_eq!(status(&mut net, alice).spaces[0].members, 3);
}

/// Spec: PEER-17
#[test]
fn whoever_deleted_a_space_gets_it_again_by_an_invitation_and_forks_nothing() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer)]);
    let [alice, bob] = devices[..] else { unreachable!() };
    let object = note(&mut net, bob, space, "first");
    net.advance(Duration::from_secs(1));
    for round in 1..=2 {
        delete(&mut net, bob, space).unwrap();
        assert_eq!(delete(&mut net, bob, space).unwrap_err().code, "unknown_space");
        net.restart(bob);
        let link = invite(&mut net, alice, space, Role::Writer);
        join(&mut net, bob, link);
        net.advance(Duration::from_secs(5));
        assert!(level(&mut net, alice, space) && level(&mut net, bob, space));
        assert!(text(&mut net, bob, space, object).ends_with("first"));
        insert(&mut net, bob, space, object, 0, "again ");
        append(&mut net, bob, space, "a record");
        net.advance(Duration::from_secs(1));
        assert_eq!(text(&mut net, alice, space, object), format!("{}first", "again ".repeat(round)));
        let mut own = feeds(&mut net, bob, space);
        own.retain(|feed| feed.mine);
        assert_eq!(own.len(), 2, "of each kind one, whatever there was before");
        assert!(own.iter().all(|feed| feed.length > 0 || feed.purpose == Purpose::Control));
        let stopped = feeds(&mut net, alice, space).iter().filter(|feed| feed.stopped.is_some()).count();
        assert_eq!(stopped, 0);
        net.restart(bob);
        net.connect(alice, bob);
        net.advance(Duration::from_secs(5));
        append(&mut net, bob, space, "after a restart");
        net.advance(Duration::from_secs(1));
        assert!(level(&mut net, bob, space));
    }
    assert_eq!(status(&mut net, alice).spaces[0].members, 2);
}

/// Spec: PEER-17, SPACE-11.6
#[test]
fn a_device_that_left_does_not_come_back() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer)]);
    let [alice, bob] = devices[..] else { unreachable!() };
    act(&mut net, bob, space, Act::Leave).unwrap();
    net.advance(Duration::from_secs(5));
    let gone = status(&mut net, bob).spaces[0].clone();
    assert_eq!((gone.role, gone.removed_by, gone.pairs.len()), (None, Some(crate::net::identity("bob")), 0));
    assert_eq!(status(&mut net, alice).spaces[0].members, 1);
    delete(&mut net, bob, space).unwrap();
    let link = invite(&mut net, alice, space, Role::Writer);
    assert_eq!(net.answer(bob, Command::Join { link }).unwrap_err().code, "device_ended");
}
