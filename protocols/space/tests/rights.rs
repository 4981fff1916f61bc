//! Each reason for which a credential is void. Spec: SPACE-3.4.

use weft_credential::{Credential, EpochStarted, Lockbox, PreKeySet, Role, To};
use weft_crypto::{
    DeviceKey, EpochId, FeedSecret, Manifest, PreKeySecret, Purpose, SignedManifest,
    lockbox::{self, Commitments, Recipient, RecipientKind},
};
use weft_space::VoidReason;

use crate::world::{ALICE, BOB, CAROL, DAVE, MALLORY, World};

fn manifest(world: &World, device: &DeviceKey, purpose: Purpose, generation: u64, seed: u8) -> SignedManifest {
    let secret = FeedSecret::from_seed([seed; 32]);
    let manifest = Manifest {
        version: Manifest::VERSION,
        space: world.space,
        device: device.id(),
        feed_key: secret.id(),
        purpose,
        generation,
    };
    SignedManifest::sign(&manifest, device, &secret)
}

fn lockbox(world: &World, to: Recipient) -> Credential {
    let sealed = lockbox::seal(&world.secrets, &world.space, &world.epoch, &to, [5; 32]).unwrap();
    Credential::LockboxAdded(Lockbox { epoch: world.epoch, recipient: to, sealed })
}

fn epoch(parents: Vec<EpochId>) -> EpochStarted {
    EpochStarted {
        commitments: Commitments { content: [1; 32], access: [2; 32] },
        parents,
        to: To::Each { recipients: Vec::new(), lockboxes: Vec::new() },
        sealed_access: bytes::Bytes::new(),
        sealed_content: bytes::Bytes::new(),
    }
}

#[track_caller]
fn refused(world: &mut World, who: usize, credential: Credential, reason: VoidReason) {
    let at = world.write(who, vec![credential]);
    assert_eq!(world.void_of(at), [(0, reason)]);
}

fn two() -> World {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    world
}

#[test]
fn a_malformed_entry_says_nothing_and_stops_nothing() {
    let mut world = two();
    let at = world.write_bytes(BOB, bytes::Bytes::from_static(b"\xff\xff"));
    assert!(matches!(world.void_of(at)[..], [(0, VoidReason::Malformed(_))]));
    let after =
        PreKeySet { device: world.people[BOB].device.id(), number: 1, key: PreKeySecret::from_seed([1; 32]).id() };
    let at = world.write(BOB, vec![Credential::PreKeySet(after)]);
    assert!(world.counts(at));
}

#[test]
fn a_feed_that_nobody_admitted_says_nothing() {
    let mut world = two();
    let joining = world.joining(MALLORY, &weft_crypto::InvitationSecret::from_seed([1; 32]), ALICE);
    let [control, _] = joining.redemption.feeds();
    world.people[MALLORY].control = Some(control);
    let set = PreKeySet { device: world.people[MALLORY].device.id(), number: 1, key: joining.keys.pre_key.id() };
    refused(&mut world, MALLORY, Credential::PreKeySet(set), VoidReason::FeedNotAdmitted);
}

/// Spec: SPACE-5. A feed is admitted by its own device, a sibling, an admin, or the redemption that names it.
#[test]
fn nobody_admits_feeds_for_others_without_the_right() {
    let mut world = two();
    world.admit(CAROL, Role::Writer);
    let carols = manifest(&world, &world.people[CAROL].device, Purpose::Data, 1, 60);
    world.hear(BOB, ALICE);
    let no_right = VoidReason::NoRight { had: Some(Role::Writer) };
    refused(&mut world, BOB, Credential::FeedAdmitted(carols.clone()), no_right);
    let at = world.write(ALICE, vec![Credential::FeedAdmitted(carols)]);
    assert!(world.counts(at), "an owner may");
    let own = manifest(&world, &world.people[CAROL].device, Purpose::Data, 2, 61);
    let at = world.write(CAROL, vec![Credential::FeedAdmitted(own)]);
    assert!(world.counts(at), "its own device may");
}

#[test]
fn a_feed_of_an_unknown_device_is_not_admitted() {
    let mut world = two();
    let stranger = manifest(&world, &world.people[DAVE].device, Purpose::Data, 0, 62);
    refused(&mut world, ALICE, Credential::FeedAdmitted(stranger), VoidReason::UnknownDevice);
}

#[test]
fn a_device_has_one_feed_of_a_purpose_and_generation() {
    let mut world = two();
    for purpose in [Purpose::Control, Purpose::Data] {
        let second = manifest(&world, &world.people[BOB].device, purpose, 0, 63);
        refused(&mut world, BOB, Credential::FeedAdmitted(second), VoidReason::SecondFeed);
    }
    let next = manifest(&world, &world.people[BOB].device, Purpose::Data, 1, 64);
    let at = world.write(BOB, vec![Credential::FeedAdmitted(next)]);
    assert!(world.counts(at));
}

#[test]
fn pre_keys_are_set_by_their_device_and_go_forward() {
    let mut world = two();
    let key = PreKeySecret::from_seed([1; 32]).id();
    let set = |device: &DeviceKey, number| Credential::PreKeySet(PreKeySet { device: device.id(), number, key });
    let (alices, bobs) = (set(&world.people[ALICE].device, 1), set(&world.people[BOB].device, 3));
    refused(&mut world, BOB, alices, VoidReason::OtherDevice);
    let at = world.write(BOB, vec![bobs]);
    assert!(world.counts(at));
    let older = set(&world.people[BOB].device, 3);
    refused(&mut world, BOB, older, VoidReason::OldPreKey);
    let status = world.resolve().device(&world.people[BOB].device.id()).unwrap();
    assert_eq!(status.pre_key, Some(key));
}

#[test]
fn readers_start_no_epoch_and_nobody_follows_an_unknown_one() {
    let mut world = two();
    world.admit(CAROL, Role::Reader);
    let started = Credential::EpochStarted(epoch(vec![world.epoch]));
    refused(&mut world, CAROL, started, VoidReason::NoRight { had: Some(Role::Reader) });
    let unknown = Credential::EpochStarted(epoch(vec![EpochId::from_bytes([8; 32])]));
    refused(&mut world, BOB, unknown, VoidReason::UnknownEpoch);
}

/// Spec: SPACE-7.2. Else a reader could end an epoch by handing it to a stranger.
#[test]
fn a_lockbox_for_a_stranger_ends_no_epoch() {
    let mut world = two();
    world.admit(CAROL, Role::Reader);
    let key = PreKeySecret::from_seed([9; 32]).id();
    let stranger = *world.people[MALLORY].device.id().as_bytes();
    let identity = *world.people[MALLORY].root.id().as_bytes();
    for (kind, recipient) in [(RecipientKind::Device, stranger), (RecipientKind::Recovery, identity)] {
        let credential = lockbox(&world, Recipient { kind, recipient, key });
        refused(&mut world, CAROL, credential, VoidReason::LockboxForStranger);
    }
    let keeper = lockbox(&world, Recipient { kind: RecipientKind::Keeper, recipient: stranger, key });
    refused(&mut world, CAROL, keeper, VoidReason::UnknownKey);
    assert!(world.resolve().is_writable(&world.epoch));
}

#[test]
fn a_lockbox_is_sealed_to_a_published_key() {
    let mut world = two();
    let bob = *world.people[BOB].device.id().as_bytes();
    let key = PreKeySecret::from_seed([9; 32]).id();
    let credential = lockbox(&world, Recipient { kind: RecipientKind::Device, recipient: bob, key });
    refused(&mut world, ALICE, credential, VoidReason::UnknownKey);
    let key = world.people[BOB].keys.as_ref().unwrap().pre_key.id();
    let credential = lockbox(&world, Recipient { kind: RecipientKind::Device, recipient: bob, key });
    let at = world.write(ALICE, vec![credential]);
    assert!(world.counts(at));
    let other = Lockbox {
        epoch: EpochId::from_bytes([8; 32]),
        recipient: Recipient { kind: RecipientKind::Device, recipient: bob, key },
        sealed: lockbox::Lockbox { encapsulated: [0; 32], ciphertext: bytes::Bytes::new() },
    };
    refused(&mut world, ALICE, Credential::LockboxAdded(other), VoidReason::UnknownEpoch);
}

/// Spec: SPACE-6.1.
#[test]
fn a_redemption_is_written_by_the_host_it_names() {
    let mut world = two();
    let link = world.invite(ALICE, Role::Writer, 1, u64::MAX);
    world.hear(BOB, ALICE);
    let joining = world.joining(CAROL, &link, ALICE);
    let at = world.write_redemption(BOB, &joining);
    let void = world.void_of(at);
    assert_eq!(void[0], (0, VoidReason::OtherHost));
    // Nothing of the entry has ground then: both feeds and both lockboxes are void with it.
    let reasons: Vec<_> = void.into_iter().skip(1).map(|(_, reason)| reason).collect();
    let (feed, lockbox) = (VoidReason::UnknownDevice, VoidReason::LockboxForStranger);
    assert_eq!(reasons, [feed.clone(), feed, lockbox.clone(), lockbox]);
    assert!(world.resolve().is_writable(&world.epoch));
}

#[test]
fn an_invitation_is_redeemed_after_it_was_issued() {
    let mut world = two();
    let link = world.invite(ALICE, Role::Writer, 1, u64::MAX);
    // Bob has not heard of it.
    let joining = world.joining(CAROL, &link, BOB);
    let at = world.write_redemption(BOB, &joining);
    assert_eq!(world.void_of(at)[0], (0, VoidReason::UnknownInvitation));
}

/// Spec: SPACE-5.2.
#[test]
fn a_device_acts_for_one_identity() {
    let mut world = two();
    world.admit(CAROL, Role::Writer);
    // Mallory takes Carol's device for her own; Carol's device goes along.
    let link = world.invite(ALICE, Role::Writer, 1, u64::MAX);
    let device = DeviceKey::from_seed(*world.people[CAROL].device.seed());
    let mallory = &mut world.people[MALLORY];
    let next = weft_crypto::RootKey::from_seed([3; 32]);
    let recovery = mallory.recovery.id();
    mallory.statements = weft_credential::RootStatements::at_init(&mallory.root, &next.id(), device.id(), recovery);
    mallory.device = device;
    let at = world.redeem(ALICE, &link, MALLORY);
    assert_eq!(world.void_of(at)[0], (0, VoidReason::DeviceTaken));
    assert_eq!(world.resolve().role_of(&world.id(MALLORY)), None);
    assert_eq!(world.resolve().role_of(&world.id(CAROL)), Some(Role::Writer));
}
