//! Two and three peers share a space.

use std::time::Duration;

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{DeviceId, FeedId, ObjectId, Purpose, SpaceId};
use weft_echo::{Edit, TextOp, tables, view};
use weft_invitation::Link;
use weft_peer::{Answer, Command, Event, NewLink, RefusalKind, Terms};

use crate::net::Net;

pub(crate) fn create(net: &mut Net, at: DeviceId) -> SpaceId {
    match net.answer(at, Command::CreateSpace { name: "home".into() }).unwrap() {
        Answer::SpaceCreated { space } => space,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn invite(net: &mut Net, at: DeviceId, space: SpaceId, role: Role) -> Link {
    let command = Command::Invite(NewLink {
        space,
        terms: Terms::once(role, 1_800_000_000_000 + 86_400_000),
        addresses: vec!["/memory/1".into()],
        places: Vec::new(),
        space_name: "home".into(),
        inviter_name: "alice".into(),
    });
    match net.answer(at, command).unwrap() {
        Answer::Invited { link, .. } => Link::parse(&link).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn join(net: &mut Net, at: DeviceId, link: Link) {
    let answer = net.answer(at, Command::Join { link }).unwrap();
    assert!(matches!(answer, Answer::Joined { .. }), "{answer:?}");
}

pub(crate) fn append(net: &mut Net, at: DeviceId, space: SpaceId, text: &str) {
    let records = vec![Bytes::copy_from_slice(text.as_bytes())];
    net.answer(at, Command::Append { space, records }).unwrap();
}

pub(crate) fn note(net: &mut Net, at: DeviceId, space: SpaceId, text: &str) -> ObjectId {
    let edit = Edit::Create { type_name: "note".into(), registers: Vec::new(), text: Some(text.into()) };
    match net.answer(at, Command::Edit { space, edit }).unwrap() {
        Answer::Edited { object } => object,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn insert(net: &mut Net, at: DeviceId, space: SpaceId, object: ObjectId, position: u64, text: &str) {
    let ops = vec![TextOp { position, delete: 0, insert: text.into() }];
    net.answer(at, Command::Edit { space, edit: Edit::Text { object, ops } }).unwrap();
}

pub(crate) fn text(net: &mut Net, at: DeviceId, space: SpaceId, object: ObjectId) -> String {
    let prefix: &[u8] = object.as_bytes();
    let of = |table: u8, net: &mut Net| -> Vec<(Bytes, Bytes)> {
        let rows = net.node(at).store.derived.clone().into_iter();
        rows.filter(|((of, at, key), _)| *of == space && *at == table && key.starts_with(prefix))
            .map(|((.., key), value)| (key, value))
            .collect()
    };
    let rows = of(tables::OBJECT, net);
    view::text(&space, &rows).unwrap()
}

pub(crate) fn level(net: &mut Net, at: DeviceId, space: SpaceId) -> bool {
    match net.answer(at, Command::Status).unwrap() {
        Answer::Status(status) => {
            let space = status.spaces.iter().find(|status| status.space == space).unwrap();
            if !space.level {
                eprintln!("{:#?}", space.waiting);
            }
            space.level
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn bob_joins_by_link_and_both_are_level() {
    let mut net = Net::new();
    let (alice, bob) = (net.add("alice"), net.add("bob"));
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "hello");
    append(&mut net, alice, space, "a record");
    let link = invite(&mut net, alice, space, Role::Writer);
    join(&mut net, bob, link);
    net.run();
    assert!(level(&mut net, alice, space) && level(&mut net, bob, space));
    assert_eq!(text(&mut net, bob, space, object), "hello");

    insert(&mut net, bob, space, object, 5, " world");
    insert(&mut net, alice, space, object, 0, ">");
    net.run();
    assert!(level(&mut net, alice, space) && level(&mut net, bob, space));
    assert_eq!(text(&mut net, alice, space, object), ">hello world");
    assert_eq!(text(&mut net, bob, space, object), ">hello world");
}

#[test]
fn what_is_durable_is_there_after_a_restart() {
    let mut net = Net::new();
    let (alice, bob) = (net.add("alice"), net.add("bob"));
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "one");
    let link = invite(&mut net, alice, space, Role::Writer);
    join(&mut net, bob, link);
    net.run();
    net.restart(bob);
    insert(&mut net, bob, space, object, 3, " two");
    net.restart(alice);
    insert(&mut net, alice, space, object, 0, "zero ");
    net.connect(alice, bob);
    net.run();
    assert!(level(&mut net, alice, space) && level(&mut net, bob, space));
    for at in [alice, bob] {
        assert_eq!(text(&mut net, at, space, object), "zero one two");
    }
    net.answer(bob, Command::Rebuild { space }).unwrap();
    assert_eq!(text(&mut net, bob, space, object), "zero one two");
}

#[test]
fn opening_replays_nothing() {
    let mut net = Net::new();
    let alice = net.add("alice");
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "one");
    insert(&mut net, alice, space, object, 3, " two");
    net.restart(alice);
    let Answer::Feeds(feeds) = net.answer(alice, Command::Feeds { space }).unwrap() else { panic!("feeds") };
    for feed in feeds {
        assert_eq!(feed.released, feed.length, "{feed:?}");
    }
    assert_eq!(text(&mut net, alice, space, object), "one two");
    insert(&mut net, alice, space, object, 0, "zero ");
    assert_eq!(text(&mut net, alice, space, object), "zero one two");
}

#[test]
fn rows_that_a_crash_has_lost_are_derived_again_before_it_is_caught_up() {
    let mut net = Net::new();
    let alice = net.add("alice");
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "one");
    let lagging = net.node(alice).store.derived.clone();
    insert(&mut net, alice, space, object, 3, " two");
    append(&mut net, alice, space, "a record");
    net.node(alice).store.derived = lagging.clone();
    net.restart(alice);
    let caught_up = net.ask(alice, Command::CatchUp { space, object: None });
    assert_eq!(text(&mut net, alice, space, object), "one", "what is read too early");
    net.run();
    assert!(matches!(net.node(alice).answers.remove(&caught_up), Some(Ok(Answer::CaughtUp))));
    assert_eq!(text(&mut net, alice, space, object), "one two");
    // The same with a rebuild that is wanted while the rest is still replayed.
    net.node(alice).store.derived = lagging;
    net.restart(alice);
    net.answer(alice, Command::Rebuild { space }).unwrap();
    net.answer(alice, Command::CatchUp { space, object: None }).unwrap();
    assert_eq!(text(&mut net, alice, space, object), "one two");
}

/// Nothing need happen after the rebuild for them to hear of it.
#[test]
fn who_waits_to_read_during_a_rebuild_is_answered_when_it_ends() {
    let mut net = Net::new();
    let alice = net.add("alice");
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "one");
    let rebuilt = net.ask(alice, Command::Rebuild { space });
    let caught_up = net.ask(alice, Command::CatchUp { space, object: None });
    net.run();
    assert!(matches!(net.node(alice).answers.remove(&rebuilt), Some(Ok(Answer::Rebuilt { .. }))));
    assert!(matches!(net.node(alice).answers.remove(&caught_up), Some(Ok(Answer::CaughtUp))));
    assert_eq!(text(&mut net, alice, space, object), "one");
}

#[test]
fn a_third_member_learns_of_others_through_the_first() {
    let mut net = Net::new();
    let (alice, bob, carol) = (net.add("alice"), net.add("bob"), net.add("carol"));
    let space = create(&mut net, alice);
    let link = invite(&mut net, alice, space, Role::Writer);
    join(&mut net, bob, link);
    let object = note(&mut net, bob, space, "from bob");
    let link = invite(&mut net, alice, space, Role::Writer);
    join(&mut net, carol, link);
    net.run();
    net.connect(bob, carol);
    net.run();
    net.advance(Duration::from_secs(5));
    insert(&mut net, carol, space, object, 0, "carol ");
    net.advance(Duration::from_secs(5));
    for at in [alice, bob, carol] {
        assert!(level(&mut net, at, space));
        assert_eq!(text(&mut net, at, space, object), "carol from bob");
    }
}

#[test]
fn a_link_is_good_once() {
    let mut net = Net::new();
    let (alice, bob, carol) = (net.add("alice"), net.add("bob"), net.add("carol"));
    let space = create(&mut net, alice);
    let link = invite(&mut net, alice, space, Role::Reader);
    let text = link.encode();
    join(&mut net, bob, link);
    let link = Link::parse(&text).unwrap();
    let refusal = net.answer(carol, Command::Join { link }).unwrap_err();
    assert_eq!((refusal.code, refusal.kind), ("used_invitation", RefusalKind::Refused));
    let records = vec![Bytes::from_static(b"no")];
    let refusal = net.answer(bob, Command::Append { space, records }).unwrap_err();
    assert_eq!(refusal.code, "wrong_role");
}

#[test]
fn a_stranger_gets_no_byte_of_the_space() {
    let mut net = Net::new();
    let (alice, mallory) = (net.add("alice"), net.add("mallory"));
    let space = create(&mut net, alice);
    append(&mut net, alice, space, "secret");
    net.connect(alice, mallory);
    net.advance(Duration::from_secs(60));
    let Answer::Status(status) = net.answer(mallory, Command::Status).unwrap() else { panic!() };
    assert!(status.spaces.is_empty() && status.peers.iter().all(|peer| peer.spaces.is_empty()));
}

/// Alice and bob in one space with a note, level, and the store that bob has then.
pub(crate) fn pair(net: &mut Net) -> (DeviceId, DeviceId, SpaceId, ObjectId) {
    let (alice, bob) = (net.add("alice"), net.add("bob"));
    let space = create(net, alice);
    let object = note(net, alice, space, "note");
    let link = invite(net, alice, space, Role::Writer);
    join(net, bob, link);
    net.run();
    insert(net, bob, space, object, 4, " one");
    net.run();
    (alice, bob, space, object)
}

#[test]
fn restored_backup_does_not_fork() {
    let mut net = Net::new();
    let (alice, bob, space, object) = pair(&mut net);
    let backup = net.node(bob).store.clone();
    insert(&mut net, bob, space, object, 8, " two");
    append(&mut net, bob, space, "a record");
    net.run();
    net.restore(bob, backup);
    net.connect(alice, bob);
    net.run();
    insert(&mut net, bob, space, object, 12, " three");
    net.advance(Duration::from_secs(3));
    for at in [alice, bob] {
        assert!(level(&mut net, at, space));
        assert_eq!(text(&mut net, at, space, object), "note one two three");
        assert!(!net.node(at).events.iter().any(|event| matches!(event, Event::Stopped { .. })));
    }
}

#[test]
fn lost_rows_are_derived_again() {
    let mut net = Net::new();
    let (alice, bob, space, object) = pair(&mut net);
    for at in [alice, bob] {
        net.node(at).store.derived.clear();
        net.restart(at);
        net.run();
        assert_eq!(text(&mut net, at, space, object), "note one");
    }
}

pub(crate) fn data_feed(net: &mut Net, at: DeviceId, space: SpaceId) -> FeedId {
    let Answer::Feeds(feeds) = net.answer(at, Command::Feeds { space }).unwrap() else { panic!() };
    feeds.into_iter().find(|feed| feed.mine && feed.purpose == Purpose::Data).unwrap().feed
}

/// Bob signs one head over two entries, and the second waits for a feed that nobody has: alice goes on writing, also where bob wrote.
#[test]
fn an_entry_that_waits_for_ever_keeps_nobody_from_writing() {
    let mut net = Net::new();
    let (alice, bob, carol) = (net.add("alice"), net.add("bob"), net.add("carol"));
    let space = create(&mut net, alice);
    let object = note(&mut net, alice, space, "note");
    for newcomer in [bob, carol] {
        let link = invite(&mut net, alice, space, Role::Writer);
        join(&mut net, newcomer, link);
    }
    net.run();
    net.disconnect(alice, carol);
    net.disconnect(alice, bob);
    net.connect(bob, carol);
    net.run();
    // Bob edits, hears of carol, and answers her; alice gets what bob has under one head, and nothing of carol.
    insert(&mut net, bob, space, object, 4, " bob");
    insert(&mut net, carol, space, object, 0, "carol ");
    net.run();
    insert(&mut net, bob, space, object, 6, "!");
    net.run();
    let (bobs, carols) = (data_feed(&mut net, bob, space), data_feed(&mut net, carol, space));
    net.restart_without(bob, carols, bobs);
    net.connect(alice, bob);
    net.advance(Duration::from_secs(1));
    assert_eq!(text(&mut net, alice, space, object), "note bob");
    insert(&mut net, alice, space, object, 8, " alice");
    assert_eq!(text(&mut net, alice, space, object), "note bob alice");
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    for at in [alice, carol, bob] {
        net.answer(at, Command::Rebuild { space }).unwrap();
        assert!(level(&mut net, at, space));
        assert_eq!(text(&mut net, at, space, object), "carol !note bob alice");
    }
}
