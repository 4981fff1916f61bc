//! Members go, get other roles, leave: as entries that a node writes.

use std::time::Duration;

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{DeviceId, IdentityId, Purpose, SpaceId};
use weft_peer::{Act, Acted, Answer, Command, FeedStatus, Foreseen, Refusal, Status};

use crate::{
    net::{Net, identity},
    spaces::{append, create, insert, invite, join, level, note, text},
};

pub(crate) fn act(net: &mut Net, at: DeviceId, space: SpaceId, act: Act) -> Result<Acted, Refusal> {
    match net.answer(at, Command::Act { space, act })? {
        Answer::Acted(acted) => Ok(acted),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn remove(net: &mut Net, at: DeviceId, space: SpaceId, who: &'static str) -> Result<Acted, Refusal> {
    act(net, at, space, Act::RemoveMember { identity: identity(who), propose: false })
}

pub(crate) fn feeds(net: &mut Net, at: DeviceId, space: SpaceId) -> Vec<FeedStatus> {
    match net.answer(at, Command::Feeds { space }).unwrap() {
        Answer::Feeds(feeds) => feeds,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn status(net: &mut Net, at: DeviceId) -> Status {
    match net.answer(at, Command::Status).unwrap() {
        Answer::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

fn role(net: &mut Net, at: DeviceId, space: SpaceId, who: IdentityId) -> Option<Role> {
    match net.answer(at, Command::Members { space }).unwrap() {
        Answer::Members(members) => members.into_iter().find(|member| member.identity == who).map(|member| member.role),
        other => panic!("{other:?}"),
    }
}

/// Everybody in one space, each knowing of all others.
pub(crate) fn all(net: &mut Net, roles: &[(&'static str, Role)]) -> (Vec<DeviceId>, SpaceId) {
    let founder = net.add("alice");
    let space = create(net, founder);
    let mut devices = vec![founder];
    for (name, role) in roles {
        let device = net.add(name);
        let link = invite(net, founder, space, *role);
        join(net, device, link);
        net.run();
        devices.push(device);
    }
    net.advance(Duration::from_secs(5));
    (devices, space)
}

/// Spec: SPACE-7.1
#[test]
fn removal_is_one_entry() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    let object = note(&mut net, bob, space, "bob was here");
    net.run();
    let own = |net: &mut Net| {
        let mut feeds = feeds(net, alice, space).into_iter();
        feeds.find(|feed| feed.mine && feed.purpose == Purpose::Control).unwrap().length
    };
    let before = own(&mut net);
    let acted = remove(&mut net, alice, space, "bob").unwrap();
    assert!(acted.counts && acted.epoch.is_some());
    assert_eq!(own(&mut net), before + 1, "removal, epoch and lockboxes are one entry");
    assert_eq!(acted.act.seq, before);
    // Who stays goes on at once, and what the other wrote stands.
    insert(&mut net, alice, space, object, 0, "alice: ");
    net.run();
    insert(&mut net, carol, space, object, 0, "carol, ");
    net.run();
    assert_eq!(text(&mut net, carol, space, object), "carol, alice: bob was here");
    assert_eq!(text(&mut net, alice, space, object), "carol, alice: bob was here");
    assert!(level(&mut net, alice, space) && level(&mut net, carol, space));
    assert_eq!(text(&mut net, bob, space, object), "bob was here");
}

/// Spec: SPACE-9.5
#[test]
fn no_byte_flows_to_a_removed_device_over_connections_that_are_open() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    net.connect(bob, carol);
    net.advance(Duration::from_secs(5));
    remove(&mut net, alice, space, "bob").unwrap();
    net.run();
    let before = feeds(&mut net, bob, space);
    let heard = net.node(bob).events.len();
    append(&mut net, alice, space, "without bob");
    append(&mut net, carol, space, "without bob either");
    net.advance(Duration::from_secs(30));
    let after = feeds(&mut net, bob, space);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.feed, before.length), (after.feed, after.length));
    }
    let claims = |event: &weft_peer::Event| matches!(event, weft_peer::Event::PeerHolds { .. });
    assert!(!net.node(bob).events[heard..].iter().any(claims), "not even lengths");
    let status = status(&mut net, alice);
    let of_bob = status.peers.iter().find(|peer| peer.device == bob).unwrap();
    assert!(of_bob.spaces.is_empty());
}

#[test]
fn what_would_not_count_is_refused_before_it_is_signed() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Admin), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    let before = feeds(&mut net, bob, space);
    let code = |answer: Result<Acted, Refusal>| answer.unwrap_err().code;
    assert_eq!(code(remove(&mut net, carol, space, "bob")), "wrong_role");
    assert_eq!(code(remove(&mut net, bob, space, "alice")), "outranked");
    assert_eq!(code(remove(&mut net, bob, space, "dave")), "unknown_member");
    assert_eq!(code(act(&mut net, alice, space, Act::Leave)), "last_owner");
    let owner = Act::SetRole { identity: identity("carol"), role: Role::Owner, propose: false };
    assert_eq!(code(act(&mut net, bob, space, owner)), "wrong_role");
    let same = Act::SetRole { identity: identity("carol"), role: Role::Writer, propose: false };
    assert_eq!(code(act(&mut net, bob, space, same)), "same_role");
    assert_eq!(
        code(act(&mut net, bob, space, Act::RemoveDevice { device: DeviceId::from_bytes([9; 32]) })),
        "unknown_device"
    );
    assert_eq!(code(act(&mut net, bob, space, Act::RemoveDevice { device: alice })), "outranked");
    for (before, after) in before.iter().zip(feeds(&mut net, bob, space)) {
        assert_eq!(before.length, after.length);
    }
    let mut foreseen = |who, propose| {
        let act = Act::RemoveMember { identity: identity(who), propose };
        match net.answer(bob, Command::Foresee { space, act }).unwrap() {
            Answer::Foreseen(foreseen) => foreseen,
            other => panic!("{other:?}"),
        }
    };
    let at_once = Foreseen { refusal: None, counts: true, not_held: 0, waiting: 0 };
    assert_eq!(foreseen("carol", false), at_once);
    assert_eq!(foreseen("alice", false).refusal.unwrap().code, "outranked");
    assert_eq!(foreseen("alice", true), Foreseen { counts: false, ..at_once });
}

/// Spec: SPACE-12.3
#[test]
fn a_proposed_removal_counts_once_most_stand_behind_it() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Admin), ("carol", Role::Admin), ("dave", Role::Admin)]);
    let [alice, bob, carol, dave] = devices[..] else { unreachable!() };
    let propose = Act::RemoveMember { identity: identity("carol"), propose: true };
    let acted = act(&mut net, dave, space, propose).unwrap();
    assert!(!acted.counts && acted.epoch.is_none());
    net.run();
    assert_eq!(role(&mut net, alice, space, identity("carol")), Some(Role::Admin));
    let waiting = status(&mut net, bob).spaces[0].proposed.clone();
    assert_eq!((waiting.len(), waiting[0].identity, waiting[0].by), (1, identity("carol"), Some(identity("dave"))));
    let sealed = act(&mut net, bob, space, Act::Seal { act: waiting[0].act }).unwrap();
    assert!(sealed.counts && sealed.epoch.is_none(), "two of four are not more than half");
    net.run();
    assert_eq!(status(&mut net, alice).spaces[0].proposed[0].sealed_by, [identity("bob")]);
    let sealed = act(&mut net, alice, space, Act::Seal { act: waiting[0].act }).unwrap();
    assert!(sealed.epoch.is_some(), "the seal that decides begins the epoch");
    net.advance(Duration::from_secs(2));
    for at in [alice, bob, dave] {
        assert_eq!(role(&mut net, at, space, identity("carol")), None);
        append(&mut net, at, space, "without carol");
    }
    let refusal = act(&mut net, alice, space, Act::Seal { act: waiting[0].act }).unwrap_err();
    assert_eq!(refusal.code, "not_proposed");
    let _ = carol;
}

/// Spec: SPACE-11.5
#[test]
fn a_lower_role_judges_what_follows_and_needs_no_epoch() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer)]);
    let [alice, bob] = devices[..] else { unreachable!() };
    let object = note(&mut net, bob, space, "bob");
    net.run();
    let reader = Act::SetRole { identity: identity("bob"), role: Role::Reader, propose: false };
    assert_eq!(act(&mut net, alice, space, reader).unwrap().epoch, None);
    net.run();
    let records = vec![Bytes::from_static(b"no")];
    assert_eq!(net.answer(bob, Command::Append { space, records }).unwrap_err().code, "wrong_role");
    insert(&mut net, alice, space, object, 3, " reads on");
    net.run();
    assert_eq!(text(&mut net, bob, space, object), "bob reads on");
    let writer = Act::SetRole { identity: identity("bob"), role: Role::Writer, propose: false };
    act(&mut net, alice, space, writer).unwrap();
    net.run();
    insert(&mut net, bob, space, object, 0, "again ");
    net.run();
    assert_eq!(text(&mut net, alice, space, object), "again bob reads on");
}

/// Spec: SPACE-11.3
#[test]
fn what_a_removal_hid_is_admitted_again() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Admin)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    net.connect(bob, carol);
    net.advance(Duration::from_secs(5));
    net.disconnect(alice, bob);
    net.disconnect(alice, carol);
    let object = note(&mut net, bob, space, "written meanwhile");
    net.run();
    let acted = remove(&mut net, alice, space, "bob").unwrap();
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    assert_eq!(text(&mut net, carol, space, object), "");
    let raised = act(&mut net, carol, space, Act::RaiseCut { act: acted.act, feeds: Vec::new() }).unwrap();
    assert!(raised.counts && raised.epoch.is_none());
    net.advance(Duration::from_secs(5));
    for at in [alice, carol] {
        assert_eq!(text(&mut net, at, space, object), "written meanwhile");
    }
}

#[test]
fn who_has_not_heard_of_a_removal_is_named() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, _, carol] = devices[..] else { unreachable!() };
    net.disconnect(alice, carol);
    remove(&mut net, alice, space, "bob").unwrap();
    let missing = |net: &mut Net| match net.answer(alice, Command::Acknowledgements { space }).unwrap() {
        Answer::Acknowledgements(all) => {
            let missing = all.into_iter().filter(|device| !device.acknowledged);
            missing.map(|device| device.device).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(&mut net), [carol]);
    net.connect(alice, carol);
    net.advance(Duration::from_secs(1));
    assert_eq!(missing(&mut net), [], "she is connected and holds it");
    append(&mut net, carol, space, "I know");
    net.advance(Duration::from_secs(1));
    net.disconnect(alice, carol);
    assert_eq!(missing(&mut net), [], "an entry of hers has seen it");
    net.connect(alice, carol);
    let dave = net.add("dave");
    let link = invite(&mut net, alice, space, Role::Reader);
    join(&mut net, dave, link);
    net.disconnect(alice, dave);
    assert_eq!(missing(&mut net), [], "who came later got it with the space");
}

/// Spec: PEER-12, SPACE-11.5
#[test]
fn what_somebody_writes_who_has_not_heard_of_a_lower_role_is_listed_and_admitted_again() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer)]);
    let [alice, bob] = devices[..] else { unreachable!() };
    let object = note(&mut net, bob, space, "");
    net.run();
    net.disconnect(alice, bob);
    let reader = Act::SetRole { identity: identity("bob"), role: Role::Reader, propose: false };
    let acted = act(&mut net, alice, space, reader).unwrap();
    insert(&mut net, bob, space, object, 0, "as a writer");
    net.connect(alice, bob);
    net.advance(Duration::from_secs(5));
    assert_eq!(text(&mut net, alice, space, object), "");
    let quarantined = |net: &mut Net, at| match net.answer(at, Command::Quarantine { space }).unwrap() {
        Answer::Quarantine(quarantined) => quarantined,
        other => panic!("{other:?}"),
    };
    for at in [alice, bob] {
        let [feed] = &quarantined(&mut net, at)[..] else { panic!("one feed") };
        assert_eq!((feed.identity, feed.until - feed.from, feed.acts.len()), (identity("bob"), 1, 1));
        assert_eq!((feed.acts[0].act, feed.acts[0].kind), (acted.act, "role_changed"));
    }
    act(&mut net, alice, space, Act::RaiseCut { act: acted.act, feeds: Vec::new() }).unwrap();
    net.advance(Duration::from_secs(5));
    for at in [alice, bob] {
        assert_eq!(text(&mut net, at, space, object), "as a writer");
        assert_eq!(quarantined(&mut net, at), []);
    }
}
