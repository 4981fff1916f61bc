//! Stories whose outcome is kept in `specs/vectors/space/stories.json`, one a rule, and some that chance made.

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use weft_credential::{Credential, Cut, InvitationIssued, MemberRemoved, Part, Role, RoleChanged, Subject, Unknown};
use weft_crypto::Root;
use weft_space::compose::redeem_with;

use crate::{
    properties::{act, play},
    vectors::{self, resolved},
    world::{ALICE, BOB, CAROL, DAVE, MALLORY, World},
};

/// Alice founded; the others up to `last` have these roles; everybody has heard everything.
fn with(roles: &[Role]) -> World {
    let mut world = World::new();
    for (who, role) in (BOB..).zip(roles) {
        world.admit(who, *role);
    }
    world.all_hear();
    world
}

const ADMIN: Role = Role::Admin;

/// The stories by name.
pub(crate) fn told() -> Vec<(String, World)> {
    let mut told: Vec<(String, World)> = Vec::new();
    let mut tell = |name: &str, world: World| told.push((name.to_owned(), world));

    let mut world = with(&[ADMIN, Role::Writer]);
    world.people[CAROL].written = 7;
    let act = world.remove(BOB, CAROL);
    world.hear(ALICE, BOB);
    let feed = world.people[CAROL].data.unwrap();
    world.raise(ALICE, act, vec![Cut { feed, length: 9, root: Root::from_bytes([0; 32]) }]);
    let link = world.invite(ALICE, Role::Writer, 1, 0);
    world.redeem(ALICE, &link, CAROL);
    tell("removed, its cut raised, back under the old key", world);

    let mut world = with(&[ADMIN, Role::Writer]);
    let cuts = world.cuts(ALICE, BOB);
    world.remove_at(ALICE, BOB, cuts);
    let link = world.invite(BOB, Role::Writer, 1, 0);
    world.redeem(BOB, &link, DAVE);
    tell("a removed admin admits somebody past its cut", world);

    let mut world = with(&[ADMIN, Role::Writer]);
    world.people[CAROL].written = 4;
    world.set_role(BOB, CAROL, Role::Reader);
    world.hear(ALICE, BOB);
    world.set_role(ALICE, CAROL, ADMIN);
    world.hear(CAROL, ALICE);
    world.set_role(BOB, CAROL, Role::Keeper);
    tell("lower, higher, and lower at once", world);

    let mut world = with(&[ADMIN, ADMIN, ADMIN]);
    world.remove(BOB, CAROL);
    world.remove(CAROL, DAVE);
    world.remove(DAVE, BOB);
    tell("three remove each other in a ring", world);

    let mut world = with(&[ADMIN, ADMIN, ADMIN]);
    let (bobs, carols) = (world.remove(BOB, CAROL), world.remove(CAROL, BOB));
    for sealer in [ALICE, DAVE] {
        world.hear(sealer, BOB);
        world.hear(sealer, CAROL);
        world.seal(sealer, bobs);
        world.seal(sealer, carols);
    }
    tell("two remove each other, both sealed", world);

    for other_owner in [false, true] {
        let mut world = with(&[ADMIN, ADMIN, ADMIN]);
        if other_owner {
            world.set_role(ALICE, BOB, Role::Owner);
            world.all_hear();
        }
        let act = world.remove(BOB, ALICE);
        for sealer in [CAROL, DAVE] {
            world.hear(sealer, BOB);
            world.seal(sealer, act);
        }
        tell(if other_owner { "the founder is removed by a quorum" } else { "the only owner is not" }, world);
    }

    let mut world = with(&[ADMIN]);
    world.set_role(ALICE, BOB, Role::Owner);
    world.hear(BOB, ALICE);
    world.remove(ALICE, ALICE);
    world.remove(BOB, BOB);
    tell("two owners leave at once", world);

    let mut world = with(&[ADMIN]);
    world.people[BOB].written = 40;
    let new = world.link(ALICE, BOB);
    let link = world.invite(BOB, ADMIN, 9, 0);
    world.redeem(BOB, &link, DAVE);
    let device = world.people[BOB].device.id();
    let said = world.root_says(BOB, 3, Subject::DeviceRemoved { device, cuts: None });
    world.write(new, vec![Credential::RootStatement(said.clone())]);
    world.write(BOB, vec![Credential::RootStatement(said)]);
    tell("a root key removes a device and knows no cuts", world);

    let mut world = with(&[ADMIN]);
    let second = world.link(ALICE, BOB);
    world.all_hear();
    world.remove_device(BOB, second);
    world.remove_device(second, BOB);
    world.remove_at(second, BOB, Vec::new());
    tell("two devices remove each other, and the later one leaves", world);

    let mut world = with(&[ADMIN, Role::Writer]);
    let link = world.invite(ALICE, Role::Writer, 5, 0);
    world.hear(BOB, ALICE);
    world.revoke(ALICE, &link, Vec::new());
    world.redeem(BOB, &link, DAVE);
    let data = world.people[CAROL].data.unwrap();
    world.close(BOB, data, 2);
    tell("a revoked invitation and a closed feed", world);

    let mut world = with(&[ADMIN, ADMIN]);
    let link = world.invite(BOB, Role::Writer, 2, 0);
    world.all_hear();
    world.redeem(CAROL, &link, DAVE);
    world.hear(ALICE, CAROL);
    world.remove(ALICE, BOB);
    world.redeem(CAROL, &link, MALLORY);
    tell("an issuer is removed, and a host that has not heard goes on", world);

    let mut world = with(&[ADMIN, Role::Writer]);
    let link = world.invite(ALICE, Role::Writer, 1, 0);
    world.all_hear();
    let joining = world.joining(DAVE, &link, ALICE);
    world.write_redemption(ALICE, &joining);
    let bobs = world.people[BOB].device.id();
    let again = redeem_with(&world.people[DAVE].actor(), world.space, &link, bobs, joining.keys.clone());
    world.write_redemption(BOB, &again);
    world.redeem(BOB, &link, MALLORY);
    let readers = world.invite(ALICE, Role::Reader, 1, 0);
    world.hear(CAROL, ALICE);
    world.redeem(CAROL, &readers, MALLORY);
    tell("one newcomer at two hosts, another at one who may not", world);

    for role in [Role::Writer, ADMIN] {
        let mut world = with(&[role]);
        world.write(BOB, vec![Credential::Unknown(Unknown { kind: 77, critical: true, content: "?".into() })]);
        tell(&format!("an unknown critical kind by one who is {role}"), world);
    }

    let mut world = with(&[ADMIN, Role::Writer, Role::Writer]);
    let first = world.epoch;
    world.begin(BOB, &[ALICE, BOB, CAROL, DAVE], vec![first], 20);
    world.hear(CAROL, BOB);
    let (void, cuts) = (world.begun[0], world.cuts(ALICE, BOB));
    world.remove_at(ALICE, BOB, cuts);
    world.begin(CAROL, &[ALICE, CAROL, DAVE], vec![void], 22);
    tell("a writer follows an epoch of an admin who was removed meanwhile", world);

    read_in_two_ways(&mut tell);
    dated_back(&mut tell);
    for number in 0..6 {
        tell(&format!("by chance {number}"), by_chance(number, 30));
    }
    told
}

/// What a second reading of the specification asked: see decision 0110.
fn read_in_two_ways(tell: &mut impl FnMut(&str, World)) {
    let mut world = World::new();
    world.admit(BOB, ADMIN);
    let second = world.link(ALICE, ALICE);
    world.remove(ALICE, ALICE);
    world.set_role(second, BOB, Role::Owner);
    tell("the only owner leaves, and makes another one by its other device", world);

    let mut world = with(&[ADMIN, ADMIN, Role::Writer]);
    let act = world.remove(DAVE, BOB);
    for sealer in [ALICE, CAROL] {
        world.hear(sealer, DAVE);
        world.seal(sealer, act);
    }
    tell("a writer's removal of an admin is sealed", world);

    let mut world = with(&[ADMIN, ADMIN]);
    let act = world.set_role(BOB, CAROL, Role::Owner);
    for sealer in [ALICE, CAROL] {
        world.hear(sealer, BOB);
        world.seal(sealer, act);
    }
    tell("an admin makes an owner, and it is sealed", world);

    // Whoever seals was made an admin by acts that are decided only after what is sealed.
    let mut world = with(&[Role::Writer, Role::Writer]);
    world.set_role(ALICE, BOB, ADMIN);
    world.set_role(ALICE, CAROL, ADMIN);
    world.all_hear();
    let link = world.invite(BOB, Role::Writer, 1, 0);
    world.redeem(BOB, &link, DAVE);
    world.hear(ALICE, BOB);
    world.set_role(ALICE, DAVE, ADMIN);
    world.all_hear();
    let removal = world.remove(CAROL, BOB);
    let answer = world.remove(DAVE, CAROL);
    for (act, author, sealers) in [(removal, CAROL, [ALICE, DAVE]), (answer, DAVE, [ALICE, BOB])] {
        for sealer in sealers {
            world.hear(sealer, author);
            world.seal(sealer, act);
        }
    }
    tell("admins by a role that was set seal against each other", world);

    let mut world = with(&[ADMIN, ADMIN]);
    let roles = [BOB, CAROL].map(|who| RoleChanged { identity: world.id(who), role: Role::Reader, cuts: Vec::new() });
    world.write(BOB, roles.map(Credential::RoleChanged).to_vec());
    tell("an admin lowers itself and another one in one entry", world);

    let mut world = with(&[ADMIN, ADMIN]);
    world.set_role(ALICE, BOB, Role::Writer);
    world.set_role(BOB, BOB, Role::Reader);
    world.set_role(CAROL, BOB, Role::Keeper);
    tell("one is lowered by three at once", world);

    let mut world = with(&[ADMIN, Role::Writer]);
    world.people[CAROL].written = 9;
    let cuts = world.cuts(ALICE, CAROL);
    let act = world.remove_at(BOB, CAROL, Vec::new());
    let feed = world.people[CAROL].data.unwrap();
    let raised = world.raise(BOB, act, vec![Cut { feed, length: 3, root: Root::from_bytes([0; 32]) }]);
    world.raise(BOB, raised, cuts);
    tell("a raised cut is raised", world);

    let mut world = with(&[ADMIN]);
    let link = world.invite(ALICE, Role::Writer, 1, 0);
    world.remove_device(BOB, CAROL);
    world.hear(ALICE, BOB);
    world.redeem(ALICE, &link, CAROL);
    tell("a device is removed before it comes", world);
}

/// What is dated back, and takes nothing: see decision 0111.
pub(crate) fn dated_back(tell: &mut impl FnMut(&str, World)) {
    let mut world = with(&[]);
    world.admit(MALLORY, Role::Reader);
    world.admit(CAROL, ADMIN);
    let said = world.root_says(MALLORY, 2, Subject::DeviceAdmitted(world.people[CAROL].device.id()));
    world.write(MALLORY, vec![Credential::RootStatement(said)]);
    tell("a reader claims the device of an admin who came later", world);

    let mut world = with(&[]);
    world.admit(MALLORY, ADMIN);
    world.admit(CAROL, Role::Reader);
    let link = world.invite(ALICE, Role::Owner, 1, 0);
    world.redeem(ALICE, &link, BOB);
    let issued = InvitationIssued { key: link.id(), role: Role::Reader, uses: 1, expires_ms: 0, approve: false };
    world.write(MALLORY, vec![Credential::InvitationIssued(issued)]);
    world.revoke(MALLORY, &link, Vec::new());
    tell("an admin issues an owner's link once more and revokes it", world);

    let mut world = with(&[ADMIN, ADMIN, ADMIN]);
    let new = world.link(ALICE, BOB);
    let (device, cuts) = (world.people[BOB].device.id(), world.cuts(ALICE, BOB));
    let said = world.root_says(BOB, 3, Subject::DeviceRemoved { device, cuts: Some(cuts) });
    world.write(new, vec![Credential::RootStatement(said)]);
    let act = world.set_role(DAVE, CAROL, Role::Reader);
    for sealer in [ALICE, BOB] {
        world.hear(sealer, DAVE);
        world.seal(sealer, act);
    }
    tell("a seal by a device that its root key removed", world);

    let mut world = World::new();
    let second = world.link(ALICE, ALICE);
    world.admit(BOB, Role::Owner);
    world.admit(CAROL, Role::Reader);
    world.remove(ALICE, ALICE);
    let act = world.remove(second, BOB);
    world.hear(CAROL, second);
    world.seal(CAROL, act);
    tell("the founder has left, and its other device acts as of the beginning", world);

    let mut world = with(&[Role::Writer, Role::Writer]);
    for (who, roles) in [(BOB, [ADMIN, Role::Reader]), (CAROL, [Role::Reader, ADMIN])] {
        let identity = world.id(who);
        let set = |role| Credential::RoleChanged(RoleChanged { identity, role, cuts: Vec::new() });
        world.write(ALICE, roles.map(set).to_vec());
    }
    tell("one entry sets two roles", world);

    let mut world = with(&[Role::Writer, Role::Writer]);
    world.remove(BOB, BOB);
    world.set_role(ALICE, BOB, ADMIN);
    world.hear(BOB, ALICE);
    world.set_role(BOB, CAROL, Role::Reader);
    tell("who has left acts by a role that was set at once", world);

    let mut world = with(&[ADMIN, ADMIN]);
    let early = world.root_says(DAVE, 7, Subject::RecoveryKeySet(world.people[DAVE].recovery.id()));
    let link = world.invite(ALICE, Role::Writer, 1, 0);
    world.redeem(ALICE, &link, DAVE);
    world.hear(BOB, CAROL);
    for _ in 0..4 {
        world.hear(CAROL, BOB);
        world.write(BOB, vec![Credential::RootStatement(early.clone())]);
    }
    tell("a recovery key by one who has not heard of the member", world);

    let mut world = with(&[ADMIN, Role::Writer]);
    let identity = world.id(CAROL);
    let later = |credential| {
        let mut part = Part::new(world.space, credential);
        part.version = 2;
        part
    };
    let removed = later(Credential::MemberRemoved(MemberRemoved { identity, cuts: Vec::new() }));
    let device = world.people[CAROL].device.id();
    let said = world.root_says(CAROL, 3, Subject::DeviceRemoved { device, cuts: None });
    let said = later(Credential::RootStatement(said));
    world.write_parts(BOB, vec![removed, said]);
    tell("parts by later rules", world);
}

/// The story of a number: the same everywhere.
fn by_chance(number: u64, most: usize) -> World {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let acts = proptest::collection::vec(act(), 1..most).new_tree(&mut runner).unwrap().current();
    play(&acts).0
}

/// `WEFT_STORIES=N WEFT_STORIES_TO=FILE` writes N stories that chance made, for a resolver in another language.
#[test]
fn stories_by_chance_are_written_where_asked() {
    let asked = std::env::var("WEFT_STORIES").ok().and_then(|number| number.parse::<u64>().ok());
    let (Some(number), Some(file)) = (asked, std::env::var_os("WEFT_STORIES_TO")) else {
        println!("skipped: WEFT_STORIES and WEFT_STORIES_TO ask for none");
        return;
    };
    let from = std::env::var("WEFT_STORIES_FROM").ok().and_then(|from| from.parse().ok()).unwrap_or(1_000);
    let stories = (from..from + number).map(|number| (format!("by chance {number}"), resolved(&by_chance(number, 60))));
    let told = vectors::file(stories);
    assert_eq!(told["stories"].as_object().map(|told| told.len() as u64), Some(number));
    std::fs::write(file, told.to_string()).unwrap();
}
