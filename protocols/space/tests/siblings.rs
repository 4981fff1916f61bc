//! Devices that let siblings in, and devices that came by a chain. Spec: SPACE-15

use weft_credential::{Credential, History, Role};
use weft_crypto::DeviceId;
use weft_feed::Past;
use weft_machine::{Draws, Seed};
use weft_space::{ControlEntry, VoidReason, compose, limits, resolve};

use crate::world::{ALICE, BOB, CAROL, MALLORY, World};

fn with_bob(role: Role) -> World {
    let mut world = World::new();
    world.admit(BOB, role);
    world.all_hear();
    world
}

fn device(world: &World, who: usize) -> DeviceId {
    world.people[who].device.id()
}

fn is_current(world: &World, who: usize) -> bool {
    world.resolve().device(&device(world, who)).is_some()
}

/// Spec: SPACE-15.1
#[test]
fn a_device_lets_its_sibling_in() {
    for role in [Role::Reader, Role::Writer, Role::Owner] {
        let mut world = with_bob(role);
        let phone = world.linked_device(BOB);
        let at = world.let_in(BOB, phone);
        assert_eq!(world.void_of(at), []);
        assert!(is_current(&world, phone));
        assert_eq!(world.writes(phone), role.may_write());
        assert_eq!(world.resolve().member(&world.id(BOB)).unwrap().devices.len(), 2);
        assert!(world.resolve().is_writable(&world.epoch), "nobody was left out, and no stranger holds the secrets");
        // And that one the next.
        let tablet = world.linked_device(phone);
        assert!({
            let at = world.let_in(phone, tablet);
            world.counts(at)
        });
    }
}

/// Spec: SPACE-15.1
#[test]
fn a_device_lets_in_nobody_but_its_siblings() {
    let mut world = with_bob(Role::Admin);
    let carols = world.linked_device(CAROL);
    let at = world.let_in(BOB, carols);
    assert_eq!(world.void_of(at)[0], (0, VoidReason::OtherIdentity));
    assert!(!is_current(&world, carols));
    // What a device said to one sibling is worth nothing to another one.
    let (phone, tablet) = (world.linked_device(BOB), world.linked_device(BOB));
    world.let_in(BOB, phone);
    let keys = compose::link_keys(&world.people[tablet].actor(), &world.space, &mut world.draws);
    let linked = compose::link(&world.people[tablet].actor(), world.space, &keys, device(&world, BOB));
    let at = world.write(phone, vec![Credential::DeviceLinked(Box::new(linked))]);
    assert_eq!(world.void_of(at), [(0, VoidReason::OtherHost)]);
}

/// Spec: SPACE-15.1, SPACE-5.2
#[test]
fn a_device_that_acts_for_somebody_is_nobody_elses_sibling() {
    let mut world = with_bob(Role::Writer);
    world.admit(CAROL, Role::Writer);
    world.all_hear();
    // Carol's device says that it is one of bob's.
    let keys = compose::link_keys(&world.people[CAROL].actor(), &world.space, &mut world.draws);
    let actor = compose::Actor { identity: world.id(BOB), ..world.people[CAROL].actor() };
    let linked = compose::link(&actor, world.space, &keys, device(&world, BOB));
    let at = world.write(BOB, vec![Credential::DeviceLinked(Box::new(linked))]);
    assert_eq!(world.void_of(at), [(0, VoidReason::DeviceTaken)]);
}

/// Spec: SPACE-15.1, SPACE-11.6
#[test]
fn a_removed_device_is_not_let_in_again() {
    let mut world = with_bob(Role::Writer);
    let phone = world.linked_device(BOB);
    world.let_in(BOB, phone);
    world.all_hear();
    world.remove_device(BOB, phone);
    let at = world.let_in(BOB, phone);
    assert_eq!(world.void_of(at)[0], (0, VoidReason::DeviceEnded));
    assert!(!is_current(&world, phone) && !world.writes(phone));
}

/// Spec: SPACE-15.1, SPACE-11.2
#[test]
fn whom_a_stolen_device_lets_in_past_its_cut_is_a_stranger() {
    let mut world = with_bob(Role::Owner);
    let laptop = world.linked_device(BOB);
    world.let_in(BOB, laptop);
    world.all_hear();
    let before = world.linked_device(laptop);
    world.let_in(laptop, before);
    world.hear(BOB, laptop);
    let at = world.remove_device(BOB, laptop);
    assert!(world.counts(at));
    // The thief has not heard of it, or says so.
    let after = world.linked_device(laptop);
    let at = world.let_in(laptop, after);
    assert!(!world.counts(at));
    assert!(!is_current(&world, after) && !world.writes(after));
    assert!(is_current(&world, before), "who removed the laptop had seen it, and left it");
}

/// Spec: SPACE-13
#[test]
fn a_flood_of_devices_ends_at_the_bound() {
    let mut world = with_bob(Role::Reader);
    for number in 1..80 {
        let device = world.linked_device(BOB);
        let at = world.let_in(BOB, device);
        let fits = number < limits::DEVICES_MAX;
        assert_eq!(world.counts(at), fits);
        assert_eq!(is_current(&world, device), fits);
    }
    let given = world.resolve().epoch(&world.epoch).unwrap().lockboxes.len();
    assert_eq!(given, 3 + limits::DEVICES_CARRIED_MAX as usize, "what was given beyond was given to nobody");
    assert_eq!(world.resolve().feeds().count(), 2 * (1 + limits::DEVICES_CARRIED_MAX as usize));
}

/// Spec: SPACE-4.1, CREDENTIAL-4.3
#[test]
fn a_linked_device_founds_a_space() {
    let mut world = World::new();
    let (phone, tablet) = {
        let phone = world.linked_device(BOB);
        (phone, world.linked_device(phone))
    };
    let mut draws = Draws::new(Seed::from_bytes([8; 32]));
    let founded = compose::found(&world.people[tablet].actor(), History::All, b"of the tablet", &mut draws).unwrap();
    let feed = founded.manifests[0].verify().unwrap().id();
    let id = weft_crypto::EntryId::from_bytes([9; 32]);
    let entry = ControlEntry::read(&founded.space, feed, 0, id, Past::new(), &founded.body);
    let resolution = resolve(&founded.space, &[entry]);
    assert_eq!(resolution.void().next(), None);
    assert_eq!(resolution.role_of(&world.id(BOB)), Some(Role::Owner));
    let bob = resolution.member(&world.id(BOB)).unwrap();
    assert_eq!(bob.devices, [device(&world, tablet)], "those that its chain rests on are not in the space");
    assert!(resolution.device(&device(&world, phone)).is_none());
    assert!(resolution.is_writable(&founded.epoch));
    // Without its chain it is nobody's.
    let actor = compose::Actor { chain: &Default::default(), ..world.people[tablet].actor() };
    let founded = compose::found(&actor, History::All, b"of the tablet", &mut draws).unwrap();
    let feed = founded.manifests[0].verify().unwrap().id();
    let entry = ControlEntry::read(&founded.space, feed, 0, id, Past::new(), &founded.body);
    assert_eq!(resolve(&founded.space, &[entry]).members(), []);
}

/// Spec: SPACE-15.2
#[test]
fn a_device_that_came_by_a_chain_removes_those_it_rests_on_and_stays() {
    let mut world = World::new();
    let phone = world.linked_device(BOB);
    world.admit(phone, Role::Writer);
    // Bob's first device comes later, and is lost.
    world.let_in(phone, BOB);
    world.all_hear();
    let at = world.remove_device(phone, BOB);
    assert!(world.counts(at));
    assert!(is_current(&world, phone) && world.writes(phone));
    assert!(!is_current(&world, BOB));
}

/// A thief has the key of a device that was removed, and an accomplice in the space: it makes itself a new device by a chain.
///
/// Spec: SPACE-15.2
#[test]
fn a_chain_over_a_removed_device_admits_nobody() {
    let (world, [late, at], [later, void]) = accomplice();
    assert!(world.counts(at), "nobody can know what mallory had heard");
    assert!(!is_current(&world, late) && !world.writes(late));
    let own = world.entries.iter().position(|entry| Some(entry.feed) == world.people[late].control).unwrap();
    assert_eq!(world.void_of(own), [(0, VoidReason::PastCut { stands: 0 })]);
    assert_eq!(world.void_of(void)[0], (0, VoidReason::DeviceEnded));
    assert!(!is_current(&world, later));
    assert!(world.writes(ALICE), "others go on");
}

/// Two devices that come by the word of a removed one, and the entries that let them in: by one who says that it has not heard of
/// the removal, and by one who has.
fn accomplice() -> (World, [usize; 2], [usize; 2]) {
    let mut world = with_bob(Role::Owner);
    world.admit(MALLORY, Role::Admin);
    world.all_hear();
    let link = world.invite(MALLORY, Role::Writer, 9, 0);
    world.remove_device(ALICE, BOB);
    let late = world.linked_device(BOB);
    let at = world.redeem(MALLORY, &link, late);
    world.invite(late, Role::Owner, 1, 0);
    world.all_hear();
    let later = world.linked_device(BOB);
    let void = world.redeem(MALLORY, &link, later);
    (world, [late, at], [later, void])
}

/// What a phone lets in past its cut, and before.
fn stolen() -> World {
    let mut world = with_bob(Role::Writer);
    let phone = world.linked_device(BOB);
    world.let_in(BOB, phone);
    world.all_hear();
    let tablet = world.linked_device(phone);
    world.let_in(phone, tablet);
    world.remove_device(BOB, phone);
    world.hear(ALICE, BOB);
    world.admit(CAROL, Role::Writer);
    world
}

/// For the vectors.
pub(crate) fn told() -> Vec<(&'static str, World)> {
    let mut by_chain = World::new();
    let phone = by_chain.linked_device(BOB);
    by_chain.admit(phone, Role::Writer);
    by_chain.let_in(phone, BOB);
    by_chain.all_hear();
    by_chain.remove_device(phone, BOB);
    vec![
        ("a stolen phone lets a tablet in past its cut", stolen()),
        ("an accomplice carries a chain over a removed device", accomplice().0),
        ("a device that came by a chain removes the one it rests on", by_chain),
    ]
}

/// Whichever way the entries come. Spec: SPACE-3, SPACE-12.5
#[test]
fn linked_devices_are_the_same_in_every_order() {
    let world = stolen();
    let tablet = world.people.len() - 1;
    let whole = world.resolve();
    for turned in 0..world.entries.len() {
        let mut space = weft_space::Space::new(world.space);
        let mut entries = world.entries.clone();
        entries.rotate_left(turned);
        // Feeds come from their start on, whatever the order among them.
        let mut waiting = entries;
        while !waiting.is_empty() {
            let at = waiting.iter().position(|entry| {
                entry.seq == 0 || space.entries().any(|known| known.feed == entry.feed && known.seq + 1 == entry.seq)
            });
            space.insert(vec![waiting.remove(at.unwrap())]);
        }
        assert_eq!(space.resolution(), &whole);
    }
    assert!(!is_current(&world, tablet), "bob had not heard of it");
}
