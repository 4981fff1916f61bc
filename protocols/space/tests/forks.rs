//! Feeds whose author wrote two histories. Spec: SPACE-16, CREDENTIAL-12

use proptest::prelude::*;
use weft_credential::{Credential, ForkProven, Malformed, Role};
use weft_feed::Past;
use weft_machine::{Draws, Seed};
use weft_space::{Resolution, Space, VoidReason, resolve};

use crate::{
    properties::{act, cases, play_on, shuffled},
    world::{ALICE, BOB, Branch, CAROL, DAVE, MALLORY, World},
};

/// Alice founded; Bob, Carol and Mallory have these roles; everybody has heard everything.
fn with(roles: [(usize, Role); 3]) -> World {
    let mut world = World::with_headers();
    for (who, role) in roles {
        world.admit(who, role);
    }
    world.all_hear();
    world
}

const ADMINS: [(usize, Role); 3] = [(BOB, Role::Admin), (MALLORY, Role::Admin), (CAROL, Role::Writer)];

/// Mallory, an admin, makes Dave a member in one history and removes Carol in the other; Bob heard the second, Carol the first.
fn equivocated() -> (World, [Branch; 2]) {
    let mut world = with(ADMINS);
    let common = world.people[MALLORY].length;
    let link = world.invite(MALLORY, Role::Writer, 1, 0);
    world.redeem(MALLORY, &link, DAVE);
    world.hear(CAROL, MALLORY);
    let first = world.take_back(MALLORY, common);
    let cuts = world.cuts(MALLORY, CAROL);
    world.remove_at(MALLORY, CAROL, cuts);
    world.hear(BOB, MALLORY);
    let second = world.take_back(MALLORY, common);
    (world, [first, second])
}

/// Stories for the vectors, each with the history that is held.
pub(crate) fn told() -> Vec<(String, World)> {
    let mut told = Vec::new();
    let mut tell = |name: &str, mut world: World, held: &Branch| {
        world.entries.extend(held.entries.iter().cloned());
        told.push((name.to_owned(), world));
    };
    for (held, name) in [(0, "the other one is kept"), (1, "it is kept")] {
        let (mut world, branches) = equivocated();
        world.witness(CAROL, MALLORY, &branches[0], &branches[1]);
        world.witness(BOB, MALLORY, &branches[1], &branches[0]);
        tell(&format!("two histories, one is held, {name}"), world, &branches[held]);
    }
    let (mut world, [first, second]) = equivocated();
    let cuts = world.cuts(ALICE, CAROL);
    world.remove_at(ALICE, CAROL, cuts);
    world.witness(CAROL, MALLORY, &first, &second);
    tell("two histories, nobody has said which", world, &second);
    told
}

fn kept(resolution: &Resolution, world: &World, of: usize) -> Option<(u64, weft_crypto::IdentityId)> {
    let fork = resolution.fork(&world.people[of].control.unwrap()).expect("a fork is known");
    fork.kept.map(|kept| (kept.head.length, kept.by))
}

/// Spec: SPACE-16.3
#[test]
fn who_holds_different_histories_keeps_the_same_one() {
    let (mut world, [first, second]) = equivocated();
    // Whoever holds the second history sees Carol removed, and would not hear her.
    world.witness(CAROL, MALLORY, &first, &second);
    let common = first.entries[0].seq;
    let carol = world.id(CAROL);
    for branch in [&first, &second] {
        let resolution = world.resolve_with(branch);
        assert_eq!(kept(&resolution, &world, MALLORY), Some((common + 2, carol)));
        assert_eq!(resolution.role_of(&carol), Some(Role::Writer));
    }
    assert_eq!(world.resolve_with(&first).role_of(&world.id(DAVE)), Some(Role::Writer));
    assert_eq!(world.resolve_with(&second).role_of(&world.id(DAVE)), None, "until the history that is kept is here");

    // Bob stands higher.
    world.witness(BOB, MALLORY, &second, &first);
    let resolutions = [&first, &second].map(|branch| world.resolve_with(branch));
    for resolution in &resolutions {
        assert_eq!(kept(resolution, &world, MALLORY), Some((common + 1, world.id(BOB))));
        assert_eq!(resolution.role_of(&world.id(DAVE)), None);
    }
    assert_eq!(resolutions[0].role_of(&carol), Some(Role::Writer));
    assert_eq!(resolutions[1].role_of(&carol), None);
}

/// Spec: SPACE-16.3. Neither of an ex-admin's old feed nor of the founder's first one, genesis or not.
#[test]
fn second_head_of_length_one_erases_nothing() {
    for (thief, victim) in [(MALLORY, MALLORY), (CAROL, ALICE)] {
        let mut world = with(ADMINS);
        let link = world.invite(MALLORY, Role::Writer, 1, 0);
        world.redeem(MALLORY, &link, DAVE);
        world.all_hear();
        let before = world.resolve();
        let entries = world.entries.clone();
        let length = world.people[victim].length;
        for common in [0, 1] {
            world.people[victim].length = length;
            world.entries = entries.clone();
            let held = world.take_back(victim, common);
            world.write_bytes(victim, bytes::Bytes::from_static(b"\xff"));
            let bogus = world.take_back(victim, common);
            world.people[victim].length = length;
            world.entries = entries.clone();
            let proof = world.proven(victim, &held, &bogus);
            world.write(thief, vec![Credential::ForkProven(proof)]);
            if thief == victim {
                // Its own word decides nothing.
                assert_eq!(kept(&world.resolve(), &world, victim), None);
                assert_eq!(world.resolve().members(), before.members());
                let ours = world.people[BOB].length;
                world.witness(BOB, victim, &held, &bogus);
                world.people[BOB].length = ours;
            }
            let after = world.resolve();
            assert_eq!(after.members(), before.members(), "{common}");
            assert!(kept(&after, &world, victim).is_some());
            assert_eq!(after.stands(&world.people[victim].control.unwrap()), Some(length));
            world.people[thief].length -= 1;
        }
    }
}

/// Spec: SPACE-16.5
#[test]
fn who_stands_higher_overrules_whoever_names_the_other_history() {
    let mut world = with([(BOB, Role::Admin), (MALLORY, Role::Admin), (CAROL, Role::Reader)]);
    let link = world.invite(MALLORY, Role::Writer, 1, 0);
    world.redeem(MALLORY, &link, DAVE);
    world.all_hear();
    let entries = world.entries.clone();
    let length = world.people[MALLORY].length;
    let held = world.take_back(MALLORY, 1);
    world.write_bytes(MALLORY, bytes::Bytes::from_static(b"\xff"));
    let bogus = world.take_back(MALLORY, 1);
    (world.people[MALLORY].length, world.entries) = (length, entries);
    let has_to = |world: &World, who: usize| {
        let me = (&world.people[who].device.id(), &world.id(who));
        world.resolve().has_to_witness(me, &held.head, 1, &held.entries[0].id)
    };
    assert!(has_to(&world, BOB) && has_to(&world, CAROL), "nobody has said it");

    // Carol, a reader, is Mallory's.
    world.witness(CAROL, MALLORY, &bogus, &held);
    assert_eq!(kept(&world.resolve(), &world, MALLORY), Some((2, world.id(CAROL))));
    assert_eq!(world.role(DAVE), None);
    assert!(has_to(&world, ALICE) && has_to(&world, BOB));
    assert!(!has_to(&world, MALLORY), "nobody speaks for itself");
    world.witness(BOB, MALLORY, &held, &bogus);
    assert_eq!(kept(&world.resolve(), &world, MALLORY), Some((length, world.id(BOB))));
    assert_eq!(world.role(DAVE), Some(Role::Writer));
    assert!(!has_to(&world, ALICE) && !has_to(&world, BOB), "it was said");
}

/// Spec: SPACE-16.3
#[test]
fn a_sibling_device_decides_where_nobody_else_does() {
    let mut world = with(ADMINS);
    let phone = world.link(ALICE, ALICE);
    world.all_hear();
    let entries = world.entries.clone();
    let length = world.people[ALICE].length;
    let held = world.take_back(ALICE, 2);
    world.write_bytes(ALICE, bytes::Bytes::from_static(b"\xff"));
    let other = world.take_back(ALICE, 2);
    (world.people[ALICE].length, world.entries) = (length, entries);
    world.witness(phone, ALICE, &held, &other);
    assert_eq!(kept(&world.resolve(), &world, ALICE), Some((length, world.id(ALICE))));
    world.witness(CAROL, ALICE, &held, &other);
    assert_eq!(kept(&world.resolve(), &world, ALICE), Some((length, world.id(CAROL))));
}

/// Spec: SPACE-16.1
#[test]
fn a_removed_member_proves_a_fork_and_decides_nothing() {
    let (mut world, [first, second]) = equivocated();
    let cuts = world.cuts(ALICE, CAROL);
    world.remove_at(ALICE, CAROL, cuts);
    let at = world.witness(CAROL, MALLORY, &first, &second);
    assert!(matches!(world.void_of(at)[..], [(0, VoidReason::PastCut { .. })]));
    assert_eq!(kept(&world.resolve_with(&second), &world, MALLORY), None);
    world.witness(ALICE, MALLORY, &first, &second);
    assert_eq!(kept(&world.resolve_with(&second), &world, MALLORY).map(|(_, by)| by), Some(world.id(ALICE)));
}

/// Spec: CREDENTIAL-12
#[test]
fn a_fork_proof_that_proves_nothing_is_malformed() {
    let (mut world, [first, second]) = equivocated();
    let good = world.proven(MALLORY, &first, &second);
    let other = { world.people[BOB].keys.as_ref().unwrap().manifests(world.space, &world.people[BOB].device) };
    let bad = [
        ForkProven { proof: good.proof.slice(..40), ..good.clone() },
        ForkProven { manifest: *other[0].verify().unwrap(), ..good.clone() },
    ];
    for proven in bad {
        let at = world.write(CAROL, vec![Credential::ForkProven(proven)]);
        assert!(matches!(world.void_of(at)[..], [(0, VoidReason::Malformed(Malformed::Proof { .. }))]));
    }
    assert!(world.resolve().fork(&good.manifest.id()).is_none());
}

/// What others saw of a history that is not kept is not in their past: not what it had seen either. Spec: SPACE-16.2
#[test]
fn what_a_lost_history_had_seen_is_not_seen_through_it() {
    let mut world = with(ADMINS);
    let link = world.invite(BOB, Role::Writer, 1, 0);
    let common = world.people[MALLORY].length;
    let before = world.people[MALLORY].heard.clone();
    world.hear(MALLORY, BOB);
    world.write_bytes(MALLORY, bytes::Bytes::from_static(b"\xff"));
    world.hear(ALICE, MALLORY);
    // Alice names Mallory's feed alone: in the history that she holds it had seen Bob's link.
    let at = world.redeem(ALICE, &link, DAVE);
    let named: Past = [(world.people[MALLORY].control.unwrap(), common + 1)].into_iter().collect();
    world.entries[at] = world.entries[at].clone().naming(named);
    let place = (world.entries[at].feed, world.entries[at].seq);
    let first = world.take_back(MALLORY, common);
    world.people[MALLORY].heard = before;
    world.write_bytes(MALLORY, bytes::Bytes::from_static(b"\xfe"));
    let second = world.take_back(MALLORY, common);
    world.witness(CAROL, MALLORY, &first, &second);
    assert_eq!(world.resolve_with(&first).role_of(&world.id(DAVE)), Some(Role::Writer));
    world.witness(BOB, MALLORY, &second, &first);
    assert_eq!(world.resolve_with(&first).role_of(&world.id(DAVE)), None);
    let resolution = world.resolve_with(&second);
    let void = resolution.void().find(|(at, _)| (at.feed, at.seq) == place);
    assert_eq!(void.map(|(_, reason)| reason), Some(&VoidReason::UnknownInvitation));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// Spec: SPACE-16.3. Bob writes two histories; some heard one of them and wrote on; some say which they hold.
    #[test]
    fn whatever_history_is_held_and_in_any_order_one_is_kept(
        before in proptest::collection::vec(act(), 1..25),
        more in proptest::collection::vec(act(), 1..15),
        back in 0..3u64,
        heard in 0..5usize,
        says in proptest::collection::vec((0..5usize, any::<bool>()), 0..4),
        seed in any::<[u8; 32]>(),
    ) {
        let mut world = World::with_headers();
        world.admit(BOB, Role::Admin);
        play_on(&mut world, &before);
        let common = world.people[BOB].length.saturating_sub(back);
        play_on(&mut world, &more);
        world.write_bytes(BOB, bytes::Bytes::from_static(b"\xff"));
        let first = world.take_back(BOB, common);
        world.write_bytes(BOB, bytes::Bytes::from_static(b"\xfe"));
        if heard != BOB {
            world.hear(heard, BOB);
        }
        let second = world.take_back(BOB, common);
        for (who, holds_first) in says.into_iter().filter(|(who, _)| *who != BOB) {
            if world.people[who].control.is_some() {
                let [held, other] = if holds_first { [&first, &second] } else { [&second, &first] };
                world.witness(who, BOB, held, other);
            }
        }
        let mut draws = Draws::new(Seed::from_bytes(seed));
        let feed = world.people[BOB].control.unwrap();
        let kept = [&first, &second].map(|held| {
            let resolution = world.resolve_with(held);
            resolution.fork(&feed).and_then(|fork| fork.kept)
        });
        // Who was there before the fork decides for all. Where nobody was, everybody stays with what is held.
        let [one, other] = kept.map(|kept| kept.map(|kept| kept.entry));
        prop_assert!(one == other || one.is_none_or(|id| id == first.entries[0].id));
        prop_assert!(one == other || other.is_none_or(|id| id == second.entries[0].id));
        for (held, kept) in [&first, &second].into_iter().zip(kept) {
            // It is the same once the history that is kept is here.
            let branch = match kept {
                Some(kept) if kept.entry == second.entries[0].id => &second,
                Some(_) => &first,
                None => held,
            };
            let expected = world.resolve_with(branch);
            prop_assert_eq!(expected.fork(&feed).and_then(|fork| fork.kept), kept);
            let entries: Vec<_> = world.entries.iter().chain(&branch.entries).cloned().collect();
            prop_assert_eq!(&resolve(&world.space, &shuffled(&entries, &mut draws)), &expected);
            let mut space = Space::new(world.space);
            let mut left = shuffled(&entries, &mut draws);
            while !left.is_empty() {
                let take = 1 + draws.below(left.len() as u64) as usize;
                space.insert(left.split_off(left.len() - take));
            }
            prop_assert_eq!(space.resolution(), &expected);
        }
    }
}
