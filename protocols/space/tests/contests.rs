//! Removal against removal: seniority, seals, and what dating back gains. Spec: SPACE-12

use weft_credential::{Credential, Role};
use weft_space::{VoidReason, limits};

use crate::world::{ALICE, BOB, CAROL, DAVE, MALLORY, World};

/// Alice founded; the others are admins, in the order of their numbers; everybody has heard everything.
fn admins(last: usize) -> World {
    let mut world = World::new();
    for who in BOB..=last {
        world.admit(who, Role::Admin);
    }
    world.all_hear();
    world
}

/// Spec: SPACE-12.2
#[test]
fn of_two_who_remove_each_other_the_senior_stays() {
    for bob_first in [true, false] {
        let mut world = admins(CAROL);
        let (bobs, carols) = if bob_first {
            (world.remove(BOB, CAROL), world.remove(CAROL, BOB))
        } else {
            let carols = world.remove(CAROL, BOB);
            (world.remove(BOB, CAROL), carols)
        };
        assert!(world.counts(bobs));
        assert!(!world.counts(carols));
        assert_eq!((world.role(BOB), world.role(CAROL)), (Some(Role::Admin), None));
    }
}

#[test]
fn of_three_who_remove_each_other_in_a_ring_the_most_senior_decides() {
    let mut world = admins(DAVE);
    world.remove(BOB, CAROL);
    world.remove(CAROL, DAVE);
    world.remove(DAVE, BOB);
    // Bob's removal of Carol counts, so hers of Dave lies past her cut, and Dave's of Bob is a junior's.
    let roles = [BOB, CAROL, DAVE].map(|who| world.role(who));
    assert_eq!(roles, [Some(Role::Admin), None, Some(Role::Admin)]);
}

/// Spec: SPACE-12.1
#[test]
fn a_juniors_removal_of_a_senior_is_a_proposal() {
    let mut world = admins(CAROL);
    let at = world.remove(CAROL, BOB);
    assert_eq!(world.void_of(at), [(0, VoidReason::Outranked)]);
    let at = world.remove(BOB, ALICE);
    assert_eq!(world.void_of(at), [(0, VoidReason::Outranked)]);
    assert_eq!(world.resolve().members().len(), 3);
}

/// Spec: SPACE-12.3
#[test]
fn more_than_half_of_those_who_administer_remove_a_senior() {
    // Alice, Bob, Carol, Dave: three of four.
    let mut world = admins(DAVE);
    let act = world.remove(CAROL, BOB);
    world.hear(DAVE, CAROL);
    world.seal(DAVE, act);
    assert_eq!(world.role(BOB), Some(Role::Admin), "two of four are not more than half");
    world.hear(ALICE, CAROL);
    let seal = world.seal(ALICE, act);
    assert!(world.counts(seal) && world.counts(act));
    assert_eq!(world.role(BOB), None);
}

/// Spec: SPACE-12.3, SPACE-12.4
#[test]
fn the_founder_is_removed_by_a_quorum_if_another_owner_is_left() {
    let mut world = admins(DAVE);
    let act = world.remove(BOB, ALICE);
    for sealer in [CAROL, DAVE] {
        world.hear(sealer, BOB);
        world.seal(sealer, act);
    }
    assert_eq!(world.void_of(act), [(0, VoidReason::LastOwner)]);
    let mut world = admins(DAVE);
    world.set_role(ALICE, BOB, Role::Owner);
    world.all_hear();
    let act = world.remove(BOB, ALICE);
    world.hear(CAROL, BOB);
    world.seal(CAROL, act);
    assert_eq!(world.void_of(act), [(0, VoidReason::Outranked)], "without a quorum she stays");
    world.hear(DAVE, BOB);
    world.seal(DAVE, act);
    assert!(world.counts(act));
    assert_eq!((world.role(ALICE), world.role(BOB)), (None, Some(Role::Owner)));
    assert_eq!(world.resolve().genesis().map(|genesis| genesis.root), Some(world.id(ALICE)), "the genesis stands");
}

/// Spec: SPACE-12.3. The target answers by removing, back-dated, those who sealed.
#[test]
fn who_is_removed_by_seals_does_not_break_them_by_dating_back() {
    let mut world = admins(DAVE);
    let act = world.remove(CAROL, BOB);
    for sealer in [ALICE, DAVE] {
        world.hear(sealer, CAROL);
        world.seal(sealer, act);
    }
    // Bob is senior to Carol and Dave and claims not to have heard of any of it.
    for sealer in [CAROL, DAVE] {
        let answer = world.remove(BOB, sealer);
        assert!(!world.counts(answer));
    }
    assert_eq!((world.role(BOB), world.role(CAROL), world.role(DAVE)), (None, Some(Role::Admin), Some(Role::Admin)));
}

/// Spec: SPACE-12.3. Mutual kick with seals on both sides: who had seen more has it.
#[test]
fn of_two_sealed_removals_of_each_other_one_holds() {
    let mut world = admins(DAVE);
    let (bobs, carols) = (world.remove(BOB, CAROL), world.remove(CAROL, BOB));
    for sealer in [ALICE, DAVE] {
        world.hear(sealer, BOB);
        world.hear(sealer, CAROL);
        world.seal(sealer, bobs);
        world.seal(sealer, carols);
    }
    let gone = [BOB, CAROL].map(|who| world.role(who).is_none());
    assert_eq!(gone.iter().filter(|gone| **gone).count(), 1, "one of them: {gone:?}");
    assert_eq!(world.counts(bobs), world.role(CAROL).is_none());
    assert_eq!(world.counts(carols), world.role(BOB).is_none());
}

#[test]
fn three_seal_removals_of_each_other_and_somebody_is_left() {
    let mut world = admins(DAVE);
    let acts = [(BOB, CAROL), (CAROL, DAVE), (DAVE, BOB)].map(|(who, target)| world.remove(who, target));
    world.all_hear();
    for sealer in [ALICE, BOB, CAROL, DAVE] {
        for act in acts {
            world.seal(sealer, act);
        }
    }
    let left = [ALICE, BOB, CAROL, DAVE].iter().filter(|who| world.role(**who).is_some()).count();
    assert!(left >= 2, "Alice and one of three at least");
}

/// Spec: SPACE-12.3. Admins who were removed long ago, by a removal that was sealed, are no quorum by dating back.
#[test]
fn removed_admins_who_date_back_do_not_undo_a_sealed_removal() {
    let mut world = admins(DAVE);
    // Alice, Bob and Dave remove Carol.
    let act = world.remove(ALICE, CAROL);
    for sealer in [BOB, DAVE] {
        world.hear(sealer, ALICE);
        world.seal(sealer, act);
    }
    // Carol, as if she had not heard, removes Bob; Mallory's accomplices cannot make a majority of four without her.
    let answer = world.remove(CAROL, BOB);
    world.hear(DAVE, CAROL);
    world.seal(DAVE, answer);
    assert!(!world.counts(answer));
    assert_eq!((world.role(BOB), world.role(CAROL)), (Some(Role::Admin), None));
}

/// Spec: SPACE-12.3
#[test]
fn seals_of_those_who_do_not_administer_count_for_nothing() {
    let mut world = admins(CAROL);
    for who in [DAVE, MALLORY] {
        world.admit(who, Role::Writer);
    }
    world.all_hear();
    let act = world.remove(CAROL, BOB);
    for sealer in [DAVE, MALLORY] {
        world.hear(sealer, CAROL);
        let at = world.seal(sealer, act);
        assert_eq!(world.void_of(at), [(0, VoidReason::NoRight { had: Some(Role::Writer) })]);
    }
    assert_eq!(world.role(BOB), Some(Role::Admin));
}

/// Spec: SPACE-12.1. What was proposed does not take effect because its target is lowered later by those who knew of it.
#[test]
fn a_proposal_stays_one_when_its_target_is_lowered_later() {
    let mut world = admins(CAROL);
    let proposal = world.remove(CAROL, BOB);
    world.hear(ALICE, CAROL);
    world.set_role(ALICE, BOB, Role::Writer);
    assert_eq!(world.void_of(proposal), [(0, VoidReason::Outranked)]);
    assert_eq!(world.role(BOB), Some(Role::Writer));
}

/// Spec: SPACE-12.1. Who was founder and is an admin now is the junior of those who were admins before.
#[test]
fn seniority_is_that_of_the_present_role() {
    let mut world = admins(CAROL);
    world.set_role(ALICE, CAROL, Role::Owner);
    world.hear(CAROL, ALICE);
    let lowered = world.set_role(CAROL, CAROL, Role::Admin);
    assert!(world.counts(lowered));
    world.all_hear();
    let at = world.remove(CAROL, BOB);
    assert_eq!(world.void_of(at), [(0, VoidReason::Outranked)]);
    let at = world.remove(BOB, CAROL);
    assert!(world.counts(at));
}

/// Spec: SPACE-13
#[test]
fn seals_beyond_the_bound_are_void() {
    let mut world = admins(BOB);
    let act = world.remove(BOB, ALICE);
    for _ in 0..limits::SEALS_MAX {
        let at = world.seal(ALICE, act);
        assert!(world.counts(at));
    }
    let at = world.seal(ALICE, act);
    assert_eq!(world.void_of(at), [(0, VoidReason::TooMany)]);
}

/// Spec: SPACE-13. Who administers is not bounded: it is removed instead.
#[test]
fn a_control_feed_of_one_who_does_not_administer_is_bounded() {
    let mut world = World::new();
    world.admit(CAROL, Role::Writer);
    let unknown = weft_credential::Unknown { kind: 40, critical: false, content: bytes::Bytes::new() };
    world.people[CAROL].length = limits::ENTRIES_MAX - 1;
    let last = world.write(CAROL, vec![Credential::Unknown(unknown.clone())]);
    assert!(world.counts(last));
    let more = world.write(CAROL, vec![Credential::Unknown(unknown)]);
    assert_eq!(world.void_of(more), [(0, VoidReason::TooMany)]);
}

/// Spec: SPACE-12.1. Who left has nothing that a junior could take: else any admin voided what the founder did, once she has left.
#[test]
fn nobody_cuts_what_one_did_who_has_left() {
    let mut world = admins(CAROL);
    world.set_role(ALICE, BOB, Role::Owner);
    let left = world.remove(ALICE, ALICE);
    let early = world.remove_at(CAROL, ALICE, Vec::new());
    world.all_hear();
    let late = world.remove_at(CAROL, ALICE, Vec::new());
    assert!(world.counts(left));
    assert_eq!(world.void_of(early), [(0, VoidReason::Outranked)]);
    assert_eq!(world.void_of(late), [(0, VoidReason::NoMember)]);
    let closed = world.close(CAROL, world.people[ALICE].control.unwrap(), 1);
    assert_eq!(world.void_of(closed), [(0, VoidReason::NoMember)]);
    assert_eq!(world.role(BOB), Some(Role::Owner));
}
