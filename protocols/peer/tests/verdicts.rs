//! A removal voids what others have shown already: that is hidden, nothing else is touched, and it comes back.

use std::time::Duration;

use weft_credential::Role;
use weft_crypto::{DeviceId, ObjectId, SpaceId};
use weft_peer::{
    Act, Answer, Command, Event,
    command::QuarantinedFeed,
    store::{CURSORS, REBUILDS},
};
use weft_space::Place;

use crate::{
    members::{act, all, remove},
    net::{Net, identity},
    spaces::{insert, level, note, text},
};

struct Removed {
    net: Net,
    space: SpaceId,
    alice: DeviceId,
    carol: DeviceId,
    /// Carol's, which bob never touched, and one into which both wrote after alice had removed bob.
    objects: [ObjectId; 2],
    act: Place,
}

/// Alice removes bob while carol, who has not heard of it, works on with him.
fn carol_has_not_heard() -> Removed {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    let objects = [note(&mut net, carol, space, "carol's"), note(&mut net, carol, space, "hello")];
    net.connect(bob, carol);
    net.advance(Duration::from_secs(5));
    for other in [bob, carol] {
        net.disconnect(alice, other);
    }
    let acted = remove(&mut net, alice, space, "bob").unwrap();
    insert(&mut net, bob, space, objects[1], 5, " from bob");
    net.run();
    // Into what is going to be void.
    insert(&mut net, carol, space, objects[1], 10, " (not me)");
    net.run();
    assert_eq!(text(&mut net, carol, space, objects[1]), "hello from (not me) bob");
    net.disconnect(bob, carol);
    Removed { net, space, alice, carol, objects, act: acted.act }
}

fn quarantine(net: &mut Net, at: DeviceId, space: SpaceId) -> Vec<QuarantinedFeed> {
    match net.answer(at, Command::Quarantine { space }).unwrap() {
        Answer::Quarantine(quarantined) => quarantined,
        other => panic!("{other:?}"),
    }
}

fn rebuilds(net: &mut Net, at: DeviceId, space: SpaceId) -> Option<bytes::Bytes> {
    net.node(at).store.derived.get(&(space, CURSORS, REBUILDS.into())).cloned()
}

fn changed(net: &mut Net, at: DeviceId, from: usize) -> Vec<ObjectId> {
    let events = net.node(at).events[from..].iter();
    let objects = events.filter_map(|event| match event {
        Event::ObjectChanged { object, .. } => Some(*object),
        _ => None,
    });
    objects.collect()
}

/// Spec: PEER-5, ECHO-5.5, SPACE-11.3
#[test]
fn what_a_removal_hides_keeps_its_place_and_comes_back_when_the_cut_is_raised() {
    let Removed { mut net, space, alice, carol, objects, act: removal } = carol_has_not_heard();
    let heard = net.node(carol).events.len();
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    for at in [alice, carol] {
        assert_eq!(text(&mut net, at, space, objects[1]), "hello (not me)");
        assert!(level(&mut net, at, space));
    }
    let listed = quarantine(&mut net, carol, space);
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].identity, listed[0].until - listed[0].from), (identity("bob"), 1));
    assert_eq!(listed[0].acts[0].act, removal);
    assert_eq!((listed[0].acts[0].kind, listed[0].acts[0].author), ("member_removed", Some(identity("alice"))));
    assert!(!changed(&mut net, carol, heard).contains(&objects[0]), "bob never touched it");
    assert_eq!(rebuilds(&mut net, carol, space), None, "nothing was dropped");
    act(&mut net, alice, space, Act::RaiseCut { act: removal, feeds: Vec::new() }).unwrap();
    net.run();
    for at in [alice, carol] {
        assert_eq!(text(&mut net, at, space, objects[1]), "hello from (not me) bob");
        assert_eq!(quarantine(&mut net, at, space), []);
    }
}

/// Spec: PEER-5
#[test]
fn a_crash_between_a_removal_and_what_follows_from_it_forgets_nothing() {
    let Removed { mut net, space, alice, carol, objects, .. } = carol_has_not_heard();
    let before = net.node(carol).store.derived.clone();
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    // Control entries are durable before anything follows from them; derived rows need not be.
    net.node(carol).store.derived = before;
    net.restart(carol);
    net.answer(carol, Command::CatchUp { space, object: Some(objects[1]) }).unwrap();
    assert_eq!(text(&mut net, carol, space, objects[1]), "hello (not me)");
    assert_eq!(rebuilds(&mut net, carol, space), None, "nothing was dropped");
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    insert(&mut net, carol, space, objects[1], 0, "oh, ");
    net.run();
    for at in [alice, carol] {
        assert_eq!(text(&mut net, at, space, objects[1]), "oh, hello (not me)");
    }
}

/// Of a thousand objects ten are made again.
#[test]
fn a_writer_who_touched_ten_of_a_thousand_objects_costs_ten() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer)]);
    let [alice, bob] = devices[..] else { unreachable!() };
    let objects: Vec<ObjectId> = (0..1_000).map(|n| note(&mut net, alice, space, &format!("note {n}"))).collect();
    net.advance(Duration::from_secs(5));
    net.disconnect(alice, bob);
    let cut = remove(&mut net, alice, space, "bob").unwrap();
    for object in &objects[..10] {
        insert(&mut net, bob, space, *object, 0, "bob: ");
    }
    // Alice holds what bob wrote: she raises the cut, which turns ten verdicts.
    let mut store = net.node(bob).store.clone();
    let feeds = crate::members::feeds(&mut net, bob, space);
    let data = feeds.iter().find(|feed| feed.mine && feed.purpose == weft_crypto::Purpose::Data).unwrap().feed;
    net.node(alice).store.take_feed(&mut store, data);
    net.restart(alice);
    net.answer(alice, Command::CatchUp { space, object: None }).unwrap();
    let heard = net.node(alice).events.len();
    act(&mut net, alice, space, Act::RaiseCut { act: cut.act, feeds: Vec::new() }).unwrap();
    net.answer(alice, Command::CatchUp { space, object: None }).unwrap();
    let mut again = changed(&mut net, alice, heard);
    again.sort_unstable();
    again.dedup();
    assert_eq!(again.len(), 11, "and what bob says of himself");
    assert_eq!(text(&mut net, alice, space, objects[9]), "bob: note 9");
}

/// An epoch whose starter was removed does not count. Its secrets are opened after a restart nevertheless, and what is made again reads
/// what others wrote under it, also when it counts again.
///
/// Spec: PEER-5, PEER-14, SPACE-7
#[test]
fn what_is_made_again_reads_what_is_sealed_under_an_epoch_that_does_not_count() {
    let mut net = Net::new();
    let roles = [("bob", Role::Admin), ("carol", Role::Writer), ("dave", Role::Writer), ("erin", Role::Writer)];
    let (devices, space) = all(&mut net, &roles);
    let [alice, bob, carol, _dave, erin] = devices[..] else { unreachable!() };
    let object = note(&mut net, alice, space, "hello");
    insert(&mut net, erin, space, object, 0, "erin: ");
    net.connect(bob, carol);
    net.advance(Duration::from_secs(5));
    for other in [bob, carol] {
        net.disconnect(alice, other);
    }
    let rotated = remove(&mut net, bob, space, "dave").unwrap();
    assert!(rotated.epoch.is_some());
    net.run();
    insert(&mut net, carol, space, object, 11, " from carol");
    net.run();
    net.disconnect(bob, carol);
    let removal = remove(&mut net, alice, space, "bob").unwrap().act;
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    net.restart(carol);
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    remove(&mut net, alice, space, "erin").unwrap();
    net.advance(Duration::from_secs(5));
    for at in [alice, carol] {
        assert_eq!(text(&mut net, at, space, object), "erin: hello from carol");
    }
    act(&mut net, alice, space, Act::RaiseCut { act: removal, feeds: Vec::new() }).unwrap();
    net.advance(Duration::from_secs(5));
    for at in [alice, carol] {
        assert_eq!(text(&mut net, at, space, object), "erin: hello from carol");
    }
}
