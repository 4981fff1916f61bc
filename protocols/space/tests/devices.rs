//! Devices of one identity, and what its root key says of them. Spec: SPACE-14

use weft_credential::{Credential, Cut, Role, Subject};
use weft_crypto::{DeviceKey, Root};
use weft_space::{VoidReason, limits};

use crate::world::{ALICE, BOB, CAROL, World};

fn with_bob(role: Role) -> World {
    let mut world = World::new();
    world.admit(BOB, role);
    world.all_hear();
    world
}

/// Spec: SPACE-14.1
#[test]
fn a_root_key_admits_a_device_whoever_carries_it() {
    let mut world = with_bob(Role::Writer);
    let second = world.link(ALICE, BOB);
    assert!(world.writes(second));
    let bob = world.resolve().member(&world.id(BOB)).unwrap();
    assert_eq!(bob.devices.len(), 2);
    // A root key that is nobody's here admits nobody.
    let device = DeviceKey::from_seed([77; 32]).id();
    let stranger = world.root_says(CAROL, 0, Subject::DeviceAdmitted(device));
    let at = world.write(ALICE, vec![Credential::RootStatement(stranger)]);
    assert_eq!(world.void_of(at), [(0, VoidReason::NoRight { had: None })]);
}

/// Spec: SPACE-11.4
#[test]
fn of_two_devices_that_remove_each_other_the_earlier_stays() {
    let mut world = with_bob(Role::Writer);
    let second = world.link(ALICE, BOB);
    world.all_hear();
    let (firsts, seconds) = (world.remove_device(BOB, second), world.remove_device(second, BOB));
    assert!(world.counts(firsts));
    assert!(!world.counts(seconds));
    assert!(world.writes(BOB) && !world.writes(second));
    assert_eq!(world.role(BOB), Some(Role::Writer), "the identity is not touched");
    // A writer removes no devices of others; an admin does.
    world.admit(CAROL, Role::Writer);
    world.all_hear();
    let at = world.remove_device(CAROL, BOB);
    assert_eq!(world.void_of(at), [(0, VoidReason::NoRight { had: Some(Role::Writer) })]);
    let at = world.remove_device(ALICE, BOB);
    assert!(world.counts(at));
    assert!(!world.writes(BOB));
}

/// Spec: SPACE-14.2. The phrase alone, with no cut known: what the carrier had seen of control stands at once, and data
/// when a later statement names it.
#[test]
fn offline_recovery_keeps_my_history() {
    let mut world = with_bob(Role::Admin);
    let link = world.invite(BOB, Role::Writer, 1, 0);
    world.redeem(BOB, &link, CAROL);
    world.people[BOB].written = 40;
    let before = world.people[BOB].past();
    world.all_hear();
    let new = world.link(ALICE, BOB);
    let device = world.people[BOB].device.id();
    // The thief goes on, and carries the statement itself.
    let thief = world.invite(BOB, Role::Admin, 9, 0);
    let statement = world.root_says(BOB, 3, Subject::DeviceRemoved { device, cuts: None });
    let at = world.write(new, vec![Credential::RootStatement(statement.clone())]);
    world.write(BOB, vec![Credential::RootStatement(statement)]);
    assert!(world.counts(at));
    assert_eq!(world.role(CAROL), Some(Role::Writer), "what Bob did stands");
    assert_eq!(world.role(BOB), Some(Role::Admin));
    let stolen =
        world.entries.iter().position(|entry| entry.feed == world.people[BOB].control.unwrap() && entry.seq == 2);
    assert_eq!(world.void_of(stolen.unwrap()), [(0, VoidReason::PastCut { stands: 2 })], "{thief:?}");
    assert!(world.resolve().device(&device).is_none());
    assert!(!world.writes_at(BOB, 39, &before), "suspended until cuts are named");
    // Now the new device has heard how long the feeds are.
    let named = |feed, length| Cut { feed, length, root: Root::from_bytes([0; 32]) };
    let mut cuts = vec![named(world.people[BOB].control.unwrap(), 2), named(world.people[BOB].data.unwrap(), 40)];
    cuts.sort();
    let statement = world.root_says(BOB, 4, Subject::DeviceRemoved { device, cuts: Some(cuts) });
    world.write(new, vec![Credential::RootStatement(statement)]);
    assert!(world.writes_at(BOB, 39, &before) && !world.writes_at(BOB, 40, &before));
    assert!(world.writes(new));
}

/// Spec: SPACE-14.3
#[test]
fn old_root_statement_does_not_readmit() {
    let mut world = with_bob(Role::Writer);
    let second = world.link(ALICE, BOB);
    world.all_hear();
    let admitted = world.root_says(BOB, 2, Subject::DeviceAdmitted(world.people[second].device.id()));
    let device = world.people[second].device.id();
    let removed = world.root_says(BOB, 3, Subject::DeviceRemoved { device, cuts: None });
    world.write(ALICE, vec![Credential::RootStatement(removed)]);
    let replay = world.write(ALICE, vec![Credential::RootStatement(admitted.clone())]);
    assert_eq!(world.void_of(replay), [(0, VoidReason::DeviceEnded)]);
    // By one who claims not to have heard.
    let replay = world.write(second, vec![Credential::RootStatement(admitted)]);
    assert!(world.resolve().device(&device).is_none(), "{replay}");
    assert!(!world.writes(second));
}

/// Spec: SPACE-14.1. It is authority by itself: a cut of the carrier does not touch it.
#[test]
fn a_root_statement_outlives_its_carrier() {
    let mut world = with_bob(Role::Writer);
    world.admit(CAROL, Role::Writer);
    world.all_hear();
    let cuts = world.cuts(ALICE, CAROL);
    let device = world.people[BOB].device.id();
    let removed = world.root_says(BOB, 3, Subject::DeviceRemoved { device, cuts: None });
    let at = world.write(CAROL, vec![Credential::RootStatement(removed)]);
    world.remove_at(ALICE, CAROL, cuts);
    assert!(world.counts(at));
    assert!(world.resolve().device(&device).is_none());
}

/// Spec: SPACE-13
#[test]
fn an_identity_has_so_many_devices() {
    let mut world = with_bob(Role::Writer);
    for _ in 1..limits::DEVICES_MAX {
        let device = world.link(ALICE, BOB);
        assert!(world.writes(device));
    }
    let more = world.link(ALICE, BOB);
    assert_eq!(world.void_of(world.entries.len() - 1)[0], (0, VoidReason::TooMany));
    assert!(world.people[more].control.is_some());
}

/// Spec: SPACE-11.2. Who steals a later device cannot void what the identity did by leaving in its name.
#[test]
fn leaving_by_a_later_device_voids_nothing_of_the_earlier() {
    let mut world = with_bob(Role::Admin);
    let second = world.link(ALICE, BOB);
    let link = world.invite(BOB, Role::Writer, 1, 0);
    world.redeem(BOB, &link, CAROL);
    world.people[BOB].written = 9;
    let before = world.people[BOB].past();
    // It has heard nothing of that, and names no cuts.
    let at = world.remove_at(second, BOB, Vec::new());
    assert!(world.counts(at));
    assert_eq!(world.role(BOB), None);
    assert_eq!(world.role(CAROL), Some(Role::Writer));
    assert!(world.writes_at(BOB, 8, &before));
    world.hear(BOB, second);
    assert!(!world.writes_at(BOB, 9, &world.people[BOB].past()), "once seen, it is left");
    assert!(!world.writes_at(second, 0, &world.people[second].past()));
}
