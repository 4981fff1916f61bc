//! What a device can open. Spec: SPACE-7.4.

use weft_credential::{Credential, History, Lockbox, LockboxRefused, PolicyChanged, PreKeySet, Role};
use weft_crypto::{
    FeedId, PreKeyId,
    lockbox::{self, EpochSecrets, Recipient, RecipientKind},
};
use weft_space::{Keys, Learned, VoidReason, compose};

use crate::world::{ALICE, BOB, CAROL, World};

#[test]
fn a_newcomer_opens_the_epoch_it_was_given() {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    let bob = &world.people[BOB];
    let mut keys = Keys::new(world.space, 4);
    let resolution = world.resolve();
    let learned = keys.learn(&resolution, &bob.device.id(), std::slice::from_ref(&bob.keys.as_ref().unwrap().pre_key));
    assert_eq!((learned.opened, learned.bad.len()), (vec![world.epoch], 0));
    assert_eq!(keys.content(&world.epoch), Some(&world.secrets.content));
    let access = keys.access(&resolution);
    assert_eq!((access.len(), access[0].0, *access[0].1), (1, world.epoch, world.secrets.access));
    assert_eq!(resolution.writable_epoch(|epoch| keys.holds(epoch)), Some(world.epoch));
    assert!(!format!("{keys:?}").contains(&format!("{:?}", world.secrets.content)));
}

#[test]
fn body_keys_are_kept_up_to_a_bound() {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    let bob = &world.people[BOB];
    let mut keys = Keys::new(world.space, 2);
    keys.learn(&world.resolve(), &bob.device.id(), std::slice::from_ref(&bob.keys.as_ref().unwrap().pre_key));
    let feeds = [1, 2, 3].map(|byte| FeedId::from_bytes([byte; 32]));
    let first = keys.body_keys(&world.epoch, &feeds[0]).unwrap();
    keys.body_keys(&world.epoch, &feeds[1]).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &keys.body_keys(&world.epoch, &feeds[0]).unwrap()));
    keys.body_keys(&world.epoch, &feeds[2]).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &keys.body_keys(&world.epoch, &feeds[0]).unwrap()), "used last but one");
    let other = keys.body_keys(&world.epoch, &feeds[1]).unwrap();
    let sealed = other.seal(0, 2, [0; 16], b"text");
    assert_eq!(keys.body_keys(&world.epoch, &feeds[1]).unwrap().open(0, 2, &sealed).unwrap(), "text");
    assert!(keys.body_keys(&weft_crypto::EpochId::from_bytes([9; 32]), &feeds[1]).is_none());
}

#[test]
fn a_bad_lockbox_is_named_and_a_good_one_after_it_opens() {
    let mut world = World::new();
    let link = world.invite(ALICE, Role::Writer, 1, u64::MAX);
    let joining = world.joining(BOB, &link, ALICE);
    let secrets = std::mem::replace(&mut world.secrets, EpochSecrets { content: [1; 32], access: [2; 32] });
    // Alice hands over something else than the epoch commits to.
    world.write_redemption(ALICE, &joining);
    let (me, pre_key) = (world.people[BOB].device.id(), joining.keys.pre_key.clone());
    let mut keys = Keys::new(world.space, 4);
    let learned = keys.learn(&world.resolve(), &me, std::slice::from_ref(&pre_key));
    assert_eq!((learned.opened.len(), learned.bad.len()), (0, 1));
    assert_eq!(
        keys.learn(&world.resolve(), &me, std::slice::from_ref(&pre_key)),
        Default::default(),
        "each is tried once"
    );
    let recipient = Recipient { kind: RecipientKind::Device, recipient: *me.as_bytes(), key: pre_key.id() };
    let sealed = lockbox::seal(&secrets, &world.space, &world.epoch, &recipient, [6; 32]).unwrap();
    world.write(ALICE, vec![Credential::LockboxAdded(Lockbox { epoch: world.epoch, recipient, sealed })]);
    assert_eq!(keys.learn(&world.resolve(), &me, std::slice::from_ref(&pre_key)).opened, [world.epoch]);
}

/// Spec: SPACE-7.3.
#[test]
fn epoch_that_leaves_somebody_out_is_not_used() {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    let selfish = world.begin(BOB, &[BOB], vec![world.epoch], 50);
    let resolution = world.resolve();
    assert!(!resolution.is_writable(&selfish));
    assert_eq!(resolution.writable_epoch(|_| true), Some(world.epoch));
}

/// Spec: SPACE-7.3.
#[test]
fn the_deepest_epoch_that_leaves_nobody_out_is_used() {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    let fair = world.begin(BOB, &[ALICE, BOB], vec![world.epoch], 50);
    // Carol is admitted by Alice, who had not heard of it: she was not current in its past.
    world.admit(CAROL, Role::Writer);
    let resolution = world.resolve();
    assert_eq!(resolution.epochs()[0].depth, 2);
    assert_eq!(resolution.writable_epoch(|_| true), Some(fair));
    assert_eq!(resolution.writable_epoch(|epoch| *epoch != fair), Some(world.epoch));
}

/// Spec: SPACE-7.3.
#[test]
fn an_epoch_that_a_stranger_holds_is_not_used() {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    let joining = world.joining(CAROL, &weft_crypto::InvitationSecret::from_seed([1; 32]), ALICE);
    world.people[CAROL].keys = Some(joining.keys);
    let leaky = world.begin(BOB, &[ALICE, BOB, CAROL], vec![world.epoch], 50);
    assert!(!world.resolve().is_writable(&leaky));
}

/// The newcomer was given the newest epoch and nothing else, the laggard holds the oldest and nothing else: they share a secret
/// by which to know each other, and the newcomer reads what the policy lets it.
/// Spec: SPACE-7.1, SPACE-9.2, CRYPTO-7.4
#[test]
fn newcomer_and_laggard_recognise_each_other() {
    for (removals, history) in [(1, History::All), (10, History::FromJoining), (65, History::All)] {
        let mut world = World::under(history);
        world.admit(BOB, Role::Writer);
        let mut keys: Vec<Keys> = (0..3).map(|_| Keys::new(world.space, 4)).collect();
        let learn = |world: &World, keys: &mut Keys, who: usize| {
            let person = &world.people[who];
            let pre_key = &person.keys.as_ref().unwrap().pre_key;
            keys.learn(&world.resolve(), &person.device.id(), std::slice::from_ref(pre_key))
        };
        learn(&world, &mut keys[ALICE], ALICE);
        learn(&world, &mut keys[BOB], BOB);
        let first = world.epoch;
        for _ in 0..removals {
            let resolution = world.resolve();
            let latest = keys[ALICE].latest(&resolution, history);
            assert_eq!(latest.len(), 1);
            let actor = world.people[ALICE].actor();
            let begun = compose::epoch_started(&actor, &resolution, &latest, &mut world.draws).unwrap();
            world.epoch = begun.id(&world.space);
            world.write(ALICE, vec![Credential::EpochStarted(begun)]);
            assert_eq!(
                learn(&world, &mut keys[ALICE], ALICE),
                Learned { opened: vec![world.epoch], ..Default::default() }
            );
        }
        world.secrets = keys[ALICE].secrets(&world.epoch).unwrap().clone();
        world.admit(CAROL, Role::Writer);
        let learned = learn(&world, &mut keys[CAROL], CAROL);
        assert_eq!(learned.opened.len(), if history == History::All { removals + 1 } else { 1 });
        assert!(learned.broken.is_empty() && learned.bad.is_empty());
        let shared = |one: &Keys, other: &Keys| {
            let other = other.access(&world.resolve());
            let own = one.access(&world.resolve());
            own.into_iter().filter(|secret| other.contains(secret)).map(|(epoch, _)| epoch).collect::<Vec<_>>()
        };
        assert_eq!(shared(&keys[CAROL], &keys[BOB]), [first]);
        assert_eq!(keys[CAROL].holds(&first), history == History::All);
        assert_eq!(keys[CAROL].content(&first).is_some(), history == History::All);
    }
}

/// Who starts an epoch and does not hand on what it must has started one that nobody uses.
/// Spec: SPACE-7.1, SPACE-7.3
#[test]
fn an_epoch_that_breaks_the_chain_is_not_written_under() {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    let broken = world.begin(BOB, &[ALICE, BOB], vec![world.epoch], 50);
    let mut keys = Keys::new(world.space, 4);
    let pre_key = world.people[BOB].keys.as_ref().unwrap().pre_key.clone();
    let bob = world.people[BOB].device.id();
    let resolution = world.resolve();
    assert!(resolution.is_writable(&broken), "by who its recipients are");
    let learned = keys.learn(&resolution, &bob, std::slice::from_ref(&pre_key));
    assert_eq!(learned.broken, [broken]);
    assert!(keys.holds(&broken) && !keys.may_use(&broken));
    assert_eq!(resolution.writable_epoch(|epoch| keys.may_use(epoch)), Some(world.epoch));
    // The next one follows both, so that nothing is lost.
    let latest = keys.latest(&resolution, History::All);
    let parents: Vec<_> = latest.iter().map(|earlier| earlier.epoch).collect();
    assert_eq!(parents, [broken, world.epoch]);
}

/// Spec: SPACE-7.7, SPACE-7.5, CREDENTIAL-7.4
#[test]
fn who_cannot_open_its_lockbox_says_so_and_gets_another() {
    let mut world = World::new();
    let link = world.invite(ALICE, Role::Writer, 1, u64::MAX);
    let joining = world.joining(BOB, &link, ALICE);
    let good = std::mem::replace(&mut world.secrets, EpochSecrets { content: [1; 32], access: [2; 32] });
    world.write_redemption(ALICE, &joining);
    world.people[BOB].take(world.space, joining.keys.clone());
    world.hear(BOB, ALICE);
    let (bob, epoch) = (world.people[BOB].device.id(), world.epoch);
    let pre_key = std::slice::from_ref(&joining.keys.pre_key);
    let mut keys = Keys::new(world.space, 4);
    keys.learn(&world.resolve(), &bob, pre_key);
    assert!(keys.is_shut(&epoch) && world.resolve().may_refuse(&epoch, &bob));
    assert!(world.resolve().without_lockbox(&epoch).is_empty());
    let refused = Credential::LockboxRefused(LockboxRefused { epoch, device: bob });
    let at = world.write(BOB, vec![refused.clone()]);
    assert!(world.counts(at));
    let resolution = world.resolve();
    assert!(!resolution.may_refuse(&epoch, &bob), "once, until somebody has answered");
    assert!(resolution.is_writable(&epoch), "that alone stops nobody");
    let waiting = resolution.without_lockbox(&epoch);
    assert_eq!(waiting.iter().map(|to| to.recipient).collect::<Vec<_>>(), [*bob.as_bytes()]);
    // Alice seals again; she knows of it only now.
    world.hear(ALICE, BOB);
    let sealed = lockbox::seal(&good, &world.space, &epoch, &waiting[0], [6; 32]).unwrap();
    world.write(ALICE, vec![Credential::LockboxAdded(Lockbox { epoch, recipient: waiting[0], sealed })]);
    assert!(world.resolve().without_lockbox(&epoch).is_empty());
    assert_eq!(keys.learn(&world.resolve(), &bob, pre_key).opened, [epoch]);
    assert!(!keys.is_shut(&epoch));
    // Nobody says it for others, nor for ever.
    let at = world.write(ALICE, vec![refused.clone()]);
    assert_eq!(world.void_of(at), [(0, VoidReason::OtherDevice)]);
    for allowed in [true, true, false] {
        let at = world.write(BOB, vec![refused.clone()]);
        assert_eq!(world.counts(at), allowed);
    }
}

/// Spec: SPACE-5.1, CRYPTO-7.3
#[test]
fn a_key_that_nothing_can_be_sealed_to_is_published_by_nobody() {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    let device = world.people[BOB].device.id();
    let mut top = [0; 32];
    (top[0], top[31]) = (1, 0x80);
    for key in [[0; 32], top] {
        let set = PreKeySet { device, number: 1, key: PreKeyId::from_bytes(key) };
        let at = world.write(BOB, vec![Credential::PreKeySet(set)]);
        assert_eq!(world.void_of(at), [(0, VoidReason::UnusableKey)]);
    }
    let resolution = world.resolve();
    let mut keys = Keys::new(world.space, 4);
    let pre_key = world.people[ALICE].keys.as_ref().unwrap().pre_key.clone();
    keys.learn(&resolution, &world.people[ALICE].device.id(), std::slice::from_ref(&pre_key));
    let latest = keys.latest(&resolution, History::All);
    assert!(compose::epoch_started(&world.people[ALICE].actor(), &resolution, &latest, &mut world.draws).is_ok());
}

/// Spec: SPACE-7.6, CREDENTIAL-10.11
#[test]
fn of_two_policies_at_once_the_narrower_holds() {
    let mut world = World::new();
    world.admit(BOB, Role::Owner);
    world.admit(CAROL, Role::Admin);
    world.all_hear();
    let policy = |history| vec![Credential::PolicyChanged(PolicyChanged { history })];
    assert_eq!(world.resolve().history(), History::All);
    let at = world.write(CAROL, policy(History::FromJoining));
    assert_eq!(world.void_of(at), [(0, VoidReason::NoRight { had: Some(Role::Admin) })]);
    world.write(ALICE, policy(History::All));
    world.write(BOB, policy(History::FromJoining));
    assert_eq!(world.resolve().history(), History::FromJoining, "whoever is more senior");
    world.all_hear();
    world.write(BOB, policy(History::All));
    assert_eq!(world.resolve().history(), History::All, "who knew of both decides");
}

/// Who was removed cannot have others open and hand on what it begins for ever. Spec: SPACE-7.1
#[test]
fn of_the_epochs_of_one_who_was_removed_the_first_64_are_looked_at() {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    world.all_hear();
    let cuts = world.cuts(ALICE, BOB);
    world.remove_at(ALICE, BOB, cuts);
    let first = world.epoch;
    let begun: Vec<_> = (0..70).map(|seed| world.begin(BOB, &[ALICE, BOB], vec![first], seed)).collect();
    let resolution = world.resolve();
    let mut looked_at: Vec<_> = begun[..64].to_vec();
    looked_at.sort();
    assert_eq!(
        resolution.epochs().iter().map(|epoch| epoch.id).collect::<Vec<_>>(),
        [&[first][..], &looked_at].concat()
    );
    assert!(resolution.epoch(&begun[69]).is_some(), "it is known all the same");
    let pre_key = world.people[ALICE].keys.as_ref().unwrap().pre_key.clone();
    let mut keys = Keys::new(world.space, 4);
    let opened = keys.learn(&resolution, &world.people[ALICE].device.id(), std::slice::from_ref(&pre_key)).opened;
    assert_eq!(opened.len(), 65);
}

/// Others may have written under it before they heard. Spec: SPACE-7, SPACE-7.1, SPACE-7.5
#[test]
fn an_epoch_whose_starter_was_removed_meanwhile_is_opened_and_handed_on() {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    world.all_hear();
    let mut keys: Vec<Keys> = (0..3).map(|_| Keys::new(world.space, 4)).collect();
    let learn = |world: &World, keys: &mut Keys, who: usize| {
        let person = &world.people[who];
        let pre_key = &person.keys.as_ref().unwrap().pre_key;
        keys.learn(&world.resolve(), &person.device.id(), std::slice::from_ref(pre_key))
    };
    let begin = |world: &mut World, keys: &Keys, who: usize| {
        let resolution = world.resolve();
        let latest = keys.latest(&resolution, History::All);
        let actor = world.people[who].actor();
        let begun = compose::epoch_started(&actor, &resolution, &latest, &mut world.draws).unwrap();
        let id = begun.id(&world.space);
        world.write(who, vec![Credential::EpochStarted(begun)]);
        id
    };
    learn(&world, &mut keys[BOB], BOB);
    let void = begin(&mut world, &keys[BOB], BOB);
    let cuts = world.cuts(ALICE, BOB);
    world.remove_at(ALICE, BOB, cuts);
    assert!(learn(&world, &mut keys[ALICE], ALICE).opened.contains(&void));
    let resolution = world.resolve();
    assert!(keys[ALICE].may_use(&void) && resolution.writable_epoch(|epoch| keys[ALICE].may_use(epoch)).is_none());
    assert_eq!(keys[ALICE].ends(&resolution), [world.epoch, void], "it stands for none that counts");
    let offered = keys[ALICE].access(&resolution);
    assert_eq!(offered.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [world.epoch]);

    world.hear(ALICE, BOB);
    world.epoch = begin(&mut world, &keys[ALICE], ALICE);
    learn(&world, &mut keys[ALICE], ALICE);
    assert_eq!(keys[ALICE].ends(&world.resolve()), [world.epoch]);
    world.secrets = keys[ALICE].secrets(&world.epoch).unwrap().clone();
    world.admit(CAROL, Role::Writer);
    learn(&world, &mut keys[CAROL], CAROL);
    assert!(keys[CAROL].content(&void).is_some(), "a newcomer reads what was written under it");
}
