//! Epochs: they end when somebody reads no more, heal when several begin at once, and tell the removed nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use weft_credential::{ControlBody, Credential, EpochStarted, History, Lockbox, Role, To};
use weft_crypto::{
    DeviceId, EpochId, FeedId, PreKeySecret, Purpose, SpaceId,
    earlier::{self, Earlier},
    lockbox::{self, Recipient},
    seal::BodyKeys,
    sealed_seed,
};
use weft_peer::{Act, Answer, Command, Event};

use crate::{
    members::{act, all, feeds, remove, status},
    net::{Net, identity, recovery},
    spaces::{append, create, data_feed, insert, invite, join, level, note, text},
};

/// Control entries that one device has written.
fn starts(net: &mut Net, at: DeviceId, space: SpaceId) -> usize {
    let store = &net.node(at).store;
    control(store.feeds().map(|(_, run)| run), space).0.len()
}

type Sealed = (Vec<EpochStarted>, Vec<Lockbox>);

/// Every start of an epoch and every lockbox.
fn control<'a>(runs: impl Iterator<Item = &'a weft_feed::Run>, space: SpaceId) -> Sealed {
    let (mut started, mut lockboxes) = (Vec::new(), Vec::new());
    for entry in runs.flat_map(weft_feed::Run::entries).filter(|entry| entry.header.epoch().is_none()) {
        let Some(body) = entry.body else { continue };
        let Ok(body) = ControlBody::decode(&Bytes::copy_from_slice(body), &space) else { continue };
        for part in body.parts() {
            match &part.credential {
                Credential::EpochStarted(epoch) => {
                    if let To::Each { lockboxes: each, .. } = &epoch.to {
                        lockboxes.extend(each.clone());
                    }
                    started.push(epoch.clone());
                }
                Credential::LockboxAdded(lockbox) => lockboxes.push(lockbox.clone()),
                _ => {}
            }
        }
    }
    (started, lockboxes)
}

/// Spec: SPACE-7.1, SPACE-7.5
#[test]
fn those_who_stay_begin_the_epoch_that_a_leaver_could_not() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    let object = note(&mut net, bob, space, "bob");
    net.run();
    let left = act(&mut net, bob, space, Act::Leave).unwrap();
    assert_eq!(left.epoch, None);
    net.run();
    assert_eq!(starts(&mut net, alice, space), 2, "the most senior one begins it at once");
    net.advance(Duration::from_secs(10));
    assert_eq!(starts(&mut net, alice, space), 2, "and nobody else does");
    insert(&mut net, carol, space, object, 3, " is gone");
    net.advance(Duration::from_secs(1));
    assert_eq!(text(&mut net, alice, space, object), "bob is gone");
    assert_eq!(text(&mut net, bob, space, object), "bob");
    let records = vec![Bytes::from_static(b"no")];
    assert_eq!(net.answer(bob, Command::Append { space, records }).unwrap_err().code, "left_space");
}

/// Spec: SPACE-7.5
#[test]
fn who_is_alone_does_not_wait_for_the_more_senior() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    net.connect(bob, carol);
    net.advance(Duration::from_secs(5));
    net.disconnect(alice, bob);
    net.disconnect(alice, carol);
    act(&mut net, bob, space, Act::Leave).unwrap();
    net.run();
    append(&mut net, carol, space, "alone");
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    append(&mut net, alice, space, "not any more");
    net.advance(Duration::from_secs(5));
    assert!(level(&mut net, alice, space) && level(&mut net, carol, space));
    assert_eq!(starts(&mut net, alice, space), 2);
}

/// Spec: SPACE-7.3, SPACE-7.5
#[test]
fn two_removals_with_rotations_on_both_sides_heal() {
    let mut net = Net::new();
    let roles = [("bob", Role::Admin), ("carol", Role::Writer), ("dave", Role::Writer), ("erin", Role::Writer)];
    let (devices, space) = all(&mut net, &roles);
    let [alice, bob, _carol, _dave, erin] = devices[..] else { unreachable!() };
    let object = note(&mut net, alice, space, "");
    net.advance(Duration::from_secs(1));
    net.disconnect(alice, bob);
    net.disconnect(alice, erin);
    remove(&mut net, alice, space, "carol").unwrap();
    remove(&mut net, bob, space, "dave").unwrap();
    insert(&mut net, alice, space, object, 0, "alice ");
    insert(&mut net, bob, space, object, 0, "bob ");
    net.connect(bob, erin);
    net.advance(Duration::from_secs(5));
    insert(&mut net, erin, space, object, 0, "erin ");
    net.connect(alice, bob);
    net.connect(alice, erin);
    net.advance(Duration::from_secs(20));
    insert(&mut net, bob, space, object, 0, "healed ");
    net.advance(Duration::from_secs(5));
    let shown = text(&mut net, alice, space, object);
    for word in ["alice", "bob", "erin", "healed"] {
        assert!(shown.contains(word), "{shown}");
    }
    for at in [alice, bob, erin] {
        assert_eq!(text(&mut net, at, space, object), shown);
        assert!(level(&mut net, at, space));
    }
    assert_eq!(starts(&mut net, alice, space), 4, "one in the beginning, one each, one that heals");
}

/// Spec: SPACE-7.5
#[test]
fn who_was_left_out_by_a_removal_that_does_not_count_reads_what_was_written_meanwhile() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Admin)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    let object = note(&mut net, alice, space, "");
    net.advance(Duration::from_secs(1));
    net.disconnect(alice, carol);
    act(&mut net, alice, space, Act::SetRole { identity: identity("bob"), role: Role::Owner, propose: false }).unwrap();
    remove(&mut net, carol, space, "bob").unwrap();
    insert(&mut net, carol, space, object, 0, "carol ");
    net.connect(alice, carol);
    net.connect(bob, carol);
    net.advance(Duration::from_secs(30));
    insert(&mut net, bob, space, object, 0, "bob ");
    net.advance(Duration::from_secs(5));
    for at in [alice, bob, carol] {
        assert_eq!(text(&mut net, at, space, object), "bob carol ");
        assert!(level(&mut net, at, space));
    }
}

/// An admin removes somebody and is removed itself by one who has not heard of it. What others wrote meanwhile under the epoch of the first removal stays, and
/// a newcomer reads it. Spec: SPACE-7, SPACE-7.5, SPACE-8.1
#[test]
fn what_was_written_under_the_epoch_of_one_who_was_removed_meanwhile_is_not_lost() {
    let mut net = Net::new();
    let (devices, space) =
        all(&mut net, &[("bob", Role::Admin), ("carol", Role::Writer), ("dave", Role::Writer), ("erin", Role::Writer)]);
    let [alice, bob, carol, dave, erin] = devices[..] else { unreachable!() };
    let object = note(&mut net, alice, space, "");
    net.advance(Duration::from_secs(1));
    net.disconnect(alice, bob);
    net.disconnect(alice, carol);
    net.disconnect(alice, erin);
    remove(&mut net, bob, space, "dave").unwrap();
    net.connect(bob, carol);
    net.advance(Duration::from_secs(5));
    insert(&mut net, carol, space, object, 0, "carol ");
    remove(&mut net, alice, space, "bob").unwrap();
    insert(&mut net, alice, space, object, 0, "alice ");
    net.disconnect(bob, carol);
    net.disconnect(bob, erin);
    net.connect(alice, carol);
    net.connect(alice, dave);
    net.connect(alice, erin);
    net.advance(Duration::from_secs(30));
    let frank = net.add("frank");
    let link = invite(&mut net, alice, space, Role::Writer);
    join(&mut net, frank, link);
    net.advance(Duration::from_secs(30));
    insert(&mut net, carol, space, object, 0, "all ");
    net.advance(Duration::from_secs(5));
    let shown = text(&mut net, alice, space, object);
    for word in ["alice", "carol", "all"] {
        assert!(shown.contains(word), "{shown}");
    }
    for at in [alice, carol, dave, erin, frank] {
        assert_eq!(text(&mut net, at, space, object), shown);
        assert!(level(&mut net, at, space));
    }
}

/// Bob signs one head over two control entries: the first begins an epoch, the second waits for what nobody has who is there. Who
/// knows of that epoch and of no other goes on writing. Spec: PEER-3.2, SPACE-7.3
#[test]
fn a_control_entry_that_waits_for_ever_keeps_nobody_from_writing() {
    let mut net = Net::new();
    let roles = [("bob", Role::Admin), ("carol", Role::Admin), ("dave", Role::Writer)];
    let (devices, space) = all(&mut net, &roles);
    let [alice, bob, carol, dave] = devices[..] else { unreachable!() };
    let object = note(&mut net, alice, space, "note");
    net.run();
    for other in [bob, carol, dave] {
        net.disconnect(alice, other);
    }
    net.connect(bob, carol);
    net.run();
    remove(&mut net, bob, space, "dave").unwrap();
    net.run();
    invite(&mut net, carol, space, Role::Writer);
    net.run();
    invite(&mut net, bob, space, Role::Writer);
    net.run();
    let [bobs, carols] = [bob, carol].map(|at| control_feed(&mut net, at, space));
    net.restart_without(bob, carols, bobs);
    net.connect(alice, bob);
    net.advance(Duration::from_secs(1));
    assert_eq!(starts(&mut net, alice, space), 2);
    let seen = status(&mut net, alice).spaces[0].waiting.clone();
    assert!(!seen.is_empty(), "the second entry waits");
    for words in ["alice ", "and again "] {
        insert(&mut net, alice, space, object, 0, words);
        // What she would name is computed anew, from what is stored.
        net.restart(alice);
        net.connect(alice, bob);
    }
    assert_eq!(starts(&mut net, alice, space), 2, "nobody begins a further one for want of a name");
    net.connect(alice, carol);
    net.advance(Duration::from_secs(5));
    for at in [alice, bob, carol] {
        net.answer(at, Command::Rebuild { space }).unwrap();
        assert_eq!(text(&mut net, at, space, object), "and again alice note");
        assert!(level(&mut net, at, space));
    }
}

fn control_feed(net: &mut Net, at: DeviceId, space: SpaceId) -> FeedId {
    let mut feeds = feeds(net, at, space).into_iter();
    feeds.find(|feed| feed.mine && feed.purpose == Purpose::Control).unwrap().feed
}

/// Spec: SPACE-7.5
#[test]
fn who_was_let_in_beside_a_rotation_is_given_its_secrets() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Admin), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    net.disconnect(alice, bob);
    net.disconnect(alice, carol);
    let dave = net.add("dave");
    let link = invite(&mut net, bob, space, Role::Writer);
    join(&mut net, dave, link);
    let object = note(&mut net, dave, space, "dave");
    remove(&mut net, alice, space, "carol").unwrap();
    insert_when_known(&mut net, (alice, bob));
    net.advance(Duration::from_secs(5));
    net.connect(alice, dave);
    net.advance(Duration::from_secs(10));
    insert(&mut net, dave, space, object, 4, " knows");
    net.advance(Duration::from_secs(5));
    for at in [alice, bob, dave] {
        assert_eq!(text(&mut net, at, space, object), "dave knows");
    }
    assert_eq!(starts(&mut net, dave, space), 2, "no further epoch is needed for that");
}

fn insert_when_known(net: &mut Net, (one, other): (DeviceId, DeviceId)) {
    net.connect(one, other);
    net.run();
}

/// Spec: SPACE-7.1, SPACE-9.4
#[test]
fn a_device_is_back_after_1_10_and_65_removals() {
    for removals in [1, 10, 65] {
        let mut net = Net::new();
        let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
        let [alice, bob, carol] = devices[..] else { unreachable!() };
        let object = note(&mut net, alice, space, "");
        net.advance(Duration::from_secs(5));
        net.disconnect(alice, bob);
        for number in 0..removals {
            let name: &'static str = format!("guest {number}").leak();
            let guest = net.add(name);
            let link = invite(&mut net, alice, space, Role::Reader);
            join(&mut net, guest, link);
            remove(&mut net, alice, space, name).unwrap();
            net.run();
            net.disconnect(alice, guest);
        }
        insert(&mut net, carol, space, object, 0, "carol");
        net.run();
        net.disconnect(alice, carol);
        // Neither has been in the three epochs that the other knows best, and nobody else is there.
        net.connect(bob, carol);
        net.advance(Duration::from_secs(10));
        assert_eq!(text(&mut net, bob, space, object), "carol", "after {removals} removals");
        insert(&mut net, bob, space, object, 0, "bob ");
        net.advance(Duration::from_secs(5));
        assert_eq!(text(&mut net, carol, space, object), "bob carol");
        assert!(level(&mut net, bob, space) && level(&mut net, carol, space));
    }
}

/// Everything that one who was removed can do with all the traffic and all its secrets.
struct Thief {
    space: SpaceId,
    keys: Vec<PreKeySecret>,
    epochs: BTreeMap<EpochId, EpochStarted>,
    secrets: BTreeSet<[u8; 32]>,
}

impl Thief {
    /// Tries every key on every lockbox, as the one it was sealed for and as any other.
    fn open_lockboxes(&mut self, lockboxes: &[Lockbox]) {
        for lockbox in lockboxes {
            let Some(epoch) = self.epochs.get(&lockbox.epoch) else { continue };
            for key in &self.keys {
                let named = [lockbox.recipient, Recipient { key: key.id(), ..lockbox.recipient }];
                for recipient in named {
                    let opened = lockbox::open(
                        &lockbox.sealed,
                        key,
                        &self.space,
                        &lockbox.epoch,
                        &recipient,
                        &epoch.commitments,
                    );
                    if let Ok(secrets) = opened {
                        self.secrets.extend([secrets.content, secrets.access]);
                    }
                }
            }
        }
    }

    /// Tries every key on everything that is sealed to keys.
    fn open_seeds(&mut self) {
        for (id, epoch) in &self.epochs {
            let To::Keys(to) = &epoch.to else { continue };
            for sealed in to.ciphertexts.chunks(sealed_seed::CIPHERTEXT_BYTES) {
                let sealed =
                    lockbox::Lockbox { encapsulated: to.encapsulated, ciphertext: Bytes::copy_from_slice(sealed) };
                for key in &self.keys {
                    if let Ok(secrets) = sealed_seed::open(&sealed, key, &self.space, id, &epoch.commitments) {
                        self.secrets.extend([secrets.content, secrets.access]);
                    }
                }
            }
        }
    }

    /// Tries every secret on what every epoch hands on, until nothing new comes of it.
    fn walk(&mut self) {
        loop {
            let before = self.secrets.len();
            for (id, epoch) in &self.epochs {
                for secret in self.secrets.clone() {
                    for what in [Earlier::Access, Earlier::Content] {
                        for sealed in [&epoch.sealed_access, &epoch.sealed_content] {
                            let opened = earlier::open(what, &secret, &self.space, id, sealed).unwrap_or_default();
                            self.secrets.extend(opened.iter().map(|secret| **secret));
                        }
                    }
                }
            }
            if self.secrets.len() == before {
                return;
            }
        }
    }

    /// Which data entries open under anything.
    fn reads<'a>(&self, runs: impl Iterator<Item = (FeedId, &'a weft_feed::Run)>) -> BTreeSet<(FeedId, u64)> {
        let mut read = BTreeSet::new();
        for (feed, run) in runs {
            for entry in run.entries() {
                let Some(body) = entry.body.filter(|_| entry.header.epoch().is_some()) else { continue };
                let opens = self.secrets.iter().any(|secret| {
                    self.epochs.keys().any(|epoch| {
                        let keys = BodyKeys::derive(secret, &self.space, epoch, &feed);
                        keys.open(entry.seq, entry.header.kind(), body).is_ok()
                    })
                });
                if opens {
                    read.insert((feed, entry.seq));
                }
            }
        }
        read
    }
}

fn data(net: &mut Net, at: DeviceId) -> BTreeSet<(FeedId, u64)> {
    let store = &net.node(at).store;
    let entries = store.feeds().flat_map(|(feed, run)| run.entries().map(move |entry| (feed, entry)));
    entries.filter(|(_, entry)| entry.header.epoch().is_some()).map(|(feed, entry)| (feed, entry.seq)).collect()
}

/// Spec: SPACE-7.1, SPACE-7.3
#[test]
fn a_removed_member_with_all_the_traffic_reads_nothing_that_was_written_after() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("mallory", Role::Admin), ("carol", Role::Writer)]);
    let [alice, mallory, carol] = devices[..] else { unreachable!() };
    let object = note(&mut net, alice, space, "before");
    append(&mut net, mallory, space, "mallory writes");
    net.advance(Duration::from_secs(5));
    let before = data(&mut net, alice);
    remove(&mut net, alice, space, "mallory").unwrap();
    net.advance(Duration::from_secs(5));
    // Newcomers, further removals and what is written all the time.
    for name in ["dave", "erin"] {
        insert(&mut net, alice, space, object, 0, "after ");
        let device = net.add(name);
        let link = invite(&mut net, alice, space, Role::Writer);
        join(&mut net, device, link);
        net.run();
        append(&mut net, device, space, "after");
        append(&mut net, carol, space, "after");
        net.advance(Duration::from_secs(5));
        remove(&mut net, alice, space, name).unwrap();
        net.advance(Duration::from_secs(5));
    }
    append(&mut net, carol, space, "the last");
    net.advance(Duration::from_secs(5));

    let keys = vec![net.node(mallory).store.pre_key("mallory", &space), recovery("mallory")];
    let (started, lockboxes) = {
        let store = &net.node(alice).store;
        control(store.feeds().map(|(_, run)| run), space)
    };
    assert_eq!(started.len(), 4);
    let epochs = started.into_iter().map(|epoch| (epoch.id(&space), epoch)).collect();
    let mut thief = Thief { space, keys, epochs, secrets: BTreeSet::new() };
    thief.open_lockboxes(&lockboxes);
    thief.open_seeds();
    assert_eq!(thief.secrets.len(), 2, "the secrets of the one epoch that mallory was in");
    thief.walk();
    let read = thief.reads(net.node(alice).store.feeds());
    assert_eq!(read, before, "what mallory could read it reads, and nothing else");
    let all = data(&mut net, alice);
    assert!(all.len() > before.len() + 6 && all.is_superset(&before));

    // The same with the keys of one who stayed: the attempt is a real one.
    let mut carols =
        Thief { keys: vec![net.node(carol).store.pre_key("carol", &space)], secrets: BTreeSet::new(), ..thief };
    carols.open_lockboxes(&lockboxes);
    carols.open_seeds();
    carols.walk();
    assert_eq!(carols.reads(net.node(alice).store.feeds()), all);
}

/// Spec: SPACE-10
#[test]
fn same_seed_twice_gives_different_epochs() {
    let epoch_after = |remove_whom: &'static str| {
        let mut net = Net::new();
        let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
        let acted = remove(&mut net, devices[0], space, remove_whom).unwrap();
        let sealed = {
            let store = &net.node(devices[0]).store;
            control(store.feeds().map(|(_, run)| run), space).0.pop().unwrap()
        };
        (acted.epoch.unwrap(), sealed.commitments)
    };
    let (one, other) = (epoch_after("bob"), epoch_after("carol"));
    assert_ne!(one.0, other.0);
    assert_ne!(one.1.content, other.1.content);
    assert_ne!(one.1.access, other.1.access);
    assert_eq!(epoch_after("bob"), one, "the rest is the same");
}

/// Spec: SPACE-7.6
#[test]
fn who_joins_under_from_joining_reads_nothing_of_the_time_before() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Admin)]);
    let [alice, bob] = devices[..] else { unreachable!() };
    let before = note(&mut net, alice, space, "before");
    net.advance(Duration::from_secs(1));
    let policy = Act::SetPolicy { history: History::FromJoining };
    assert_eq!(act(&mut net, bob, space, policy.clone()).unwrap_err().code, "wrong_role");
    assert_eq!(act(&mut net, alice, space, policy).unwrap().epoch, None);
    net.advance(Duration::from_secs(1));
    assert_eq!(status(&mut net, bob).spaces[0].history, History::FromJoining);
    let between = note(&mut net, bob, space, "between");
    let carol = net.add("carol");
    let link = invite(&mut net, bob, space, Role::Writer);
    join(&mut net, carol, link);
    net.advance(Duration::from_secs(5));
    assert_eq!(starts(&mut net, alice, space), 2, "to let somebody in begins an epoch");
    let after = note(&mut net, carol, space, "after");
    net.advance(Duration::from_secs(5));
    assert_eq!(text(&mut net, carol, space, after), "after");
    for at in [alice, bob] {
        for (object, shows) in [(before, "before"), (between, "between"), (after, "after")] {
            assert_eq!(text(&mut net, at, space, object), shows);
        }
    }
    // What cannot be read has a name of its own, is no damage, and keeps nothing back.
    let unread = |event: &Event| matches!(event, Event::Quarantined { reason, .. } if reason.contains("before"));
    assert!(net.node(carol).events.iter().any(unread), "{:?}", net.node(carol).events);
    assert!(!net.node(carol).events.iter().any(|event| matches!(event, Event::Damaged { .. })));
    assert!(level(&mut net, carol, space));
    let keys = vec![net.node(carol).store.pre_key("carol", &space), recovery("carol")];
    let (started, lockboxes) = {
        let store = &net.node(alice).store;
        control(store.feeds().map(|(_, run)| run), space)
    };
    let epochs: BTreeMap<_, _> = started.into_iter().map(|epoch| (epoch.id(&space), epoch)).collect();
    let mut newcomer = Thief { space, keys, epochs, secrets: BTreeSet::new() };
    newcomer.open_lockboxes(&lockboxes);
    newcomer.open_seeds();
    newcomer.walk();
    let read = newcomer.reads(net.node(alice).store.feeds());
    let own = data_feed(&mut net, carol, space);
    let own = data(&mut net, carol).into_iter().filter(|(feed, _)| *feed == own).collect();
    assert_eq!(read, own);
}

/// A reader's own lost device is removed by the reader, who may start no epoch.
#[test]
fn what_a_reader_removes_is_followed_by_an_epoch_of_a_writer() {
    let mut net = Net::new();
    let alice = net.add("alice");
    let space = create(&mut net, alice);
    let bob = net.add("bob");
    let link = invite(&mut net, alice, space, Role::Reader);
    join(&mut net, bob, link);
    net.run();
    let acted = act(&mut net, bob, space, Act::RemoveDevice { device: bob }).unwrap();
    assert_eq!(acted.epoch, None);
    net.run();
    assert_eq!(starts(&mut net, alice, space), 2);
    append(&mut net, alice, space, "goes on");
    let Answer::Members(members) = net.answer(alice, Command::Members { space }).unwrap() else { panic!() };
    let bob = members.into_iter().find(|member| member.identity == identity("bob")).unwrap();
    assert_eq!(bob.devices, []);
}

/// Spec: PEER-16, SPACE-5.1
#[test]
fn a_pre_key_is_replaced_after_a_month_and_the_old_one_kept() {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, bob, _carol] = devices[..] else { unreachable!() };
    let object = note(&mut net, bob, space, "bob");
    net.advance(Duration::from_secs(1));
    net.clock(1_800_000_000_000 + 31 * 86_400_000);
    // Something happens, and everybody looks at the clock.
    remove(&mut net, alice, space, "carol").unwrap();
    net.advance(Duration::from_secs(10));
    let set = |net: &mut Net, at: DeviceId| {
        let store = &net.node(at).store;
        let entries = store.feeds().flat_map(|(_, run)| run.entries().map(|entry| entry.body).collect::<Vec<_>>());
        let bodies =
            entries.flatten().filter_map(|body| ControlBody::decode(&Bytes::copy_from_slice(body), &space).ok());
        let parts = bodies.flat_map(|body| body.parts().to_vec());
        let numbers = parts.filter_map(|part| match part.credential {
            Credential::PreKeySet(set) => Some((set.device, set.number)),
            _ => None,
        });
        numbers.collect::<BTreeSet<_>>()
    };
    let numbers = set(&mut net, alice);
    assert!(numbers.contains(&(alice, 1)) && numbers.contains(&(bob, 1)), "{numbers:?}");
    // After a restart both the old epochs and those sealed to the new key open.
    net.clock(1_800_000_000_000);
    let dave = net.add("dave");
    let link = invite(&mut net, alice, space, Role::Reader);
    join(&mut net, dave, link);
    remove(&mut net, alice, space, "dave").unwrap();
    net.advance(Duration::from_secs(5));
    net.restart(bob);
    net.connect(alice, bob);
    insert(&mut net, alice, space, object, 3, " reads on");
    net.advance(Duration::from_secs(5));
    net.answer(bob, Command::Rebuild { space }).unwrap();
    assert_eq!(text(&mut net, bob, space, object), "bob reads on");
    insert(&mut net, bob, space, object, 0, "and writes: ");
    net.advance(Duration::from_secs(5));
    assert_eq!(text(&mut net, alice, space, object), "and writes: bob reads on");
    assert_eq!(set(&mut net, bob), set(&mut net, alice), "and sets no further key");
}
