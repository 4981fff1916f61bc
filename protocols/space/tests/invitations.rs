//! Invitations with several hosts: who may let somebody in, what counts as one use, and what ends with the issuer.

use weft_credential::{Role, invitation_id};
use weft_space::{InvitationState, VoidReason};

use crate::world::{ALICE, BOB, CAROL, DAVE, MALLORY, World};

/// Alice is the owner, Bob and Carol are admins; everybody has heard everything.
fn three() -> World {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    world.admit(CAROL, Role::Admin);
    world.all_hear();
    world
}

fn state(world: &World, link: &weft_crypto::InvitationSecret) -> InvitationState {
    world.resolve().invitation(&invitation_id(&world.space, &link.id())).unwrap()
}

/// Spec: SPACE-6.1. The first host died after it had written and before it answered; the newcomer went on to the second.
#[test]
fn a_newcomer_that_two_hosts_let_in_took_one_use() {
    let mut world = three();
    let link = world.invite(ALICE, Role::Writer, 1, 0);
    world.hear(BOB, ALICE);
    let joining = world.joining(DAVE, &link, ALICE);
    let first = world.write_redemption(ALICE, &joining);
    let bobs = world.people[BOB].device.id();
    let keys = joining.keys.clone();
    let again = weft_space::compose::redeem_with(&world.people[DAVE].actor(), world.space, &link, bobs, keys);
    let second = world.write_redemption(BOB, &again);
    assert!(world.counts(first) && world.counts(second));
    let invitation = state(&world, &link);
    assert_eq!((invitation.left, invitation.redemptions.len(), invitation.standing.len()), (0, 1, 2));
    let resolution = world.resolve();
    assert_eq!(resolution.member(&world.id(DAVE)).unwrap().devices.len(), 1);
    assert_eq!(resolution.members().len(), 4);

    // Somebody else finds it used up, before and after.
    world.hear(CAROL, BOB);
    let late = world.redeem(CAROL, &link, MALLORY);
    assert_eq!(world.void_of(late)[0], (0, VoidReason::UsedUp));
}

/// Spec: SPACE-6.1. Two newcomers at two hosts in a partition: the first in the order has it, and a repeat of it elsewhere too.
#[test]
fn of_two_newcomers_at_two_hosts_one_has_the_single_use() {
    let mut world = three();
    let link = world.invite(ALICE, Role::Writer, 1, 0);
    world.hear(BOB, ALICE);
    world.hear(CAROL, ALICE);
    let (first, second) = (world.redeem(BOB, &link, DAVE), world.redeem(CAROL, &link, MALLORY));
    let counting = [first, second].iter().filter(|at| world.counts(**at)).count();
    assert_eq!((counting, world.resolve().members().len()), (1, 4));
    assert_eq!(state(&world, &link).left, 0);
}

/// Spec: SPACE-6.1. Else a reader with a link could do without the expiry, and without the person who approves.
#[test]
fn a_host_must_be_able_to_grant_the_role_itself() {
    let mut world = three();
    let link = world.invite(ALICE, Role::Admin, 3, 0);
    world.hear(BOB, ALICE);
    let above = world.redeem(BOB, &link, DAVE);
    assert_eq!(world.void_of(above)[0], (0, VoidReason::NoRight { had: Some(Role::Admin) }));

    let mut world = three();
    let lower = world.invite(ALICE, Role::Writer, 1, 0);
    world.redeem(ALICE, &lower, DAVE);
    let link = world.invite(ALICE, Role::Reader, 3, 0);
    world.hear(DAVE, ALICE);
    let by_a_writer = world.redeem(DAVE, &link, MALLORY);
    assert_eq!(world.void_of(by_a_writer)[0], (0, VoidReason::NoRight { had: Some(Role::Writer) }));
    assert_eq!(world.role(MALLORY), None);
}

/// Spec: SPACE-6.3. A removed admin cannot let puppets in by links that it left with hosts who have not heard.
#[test]
fn removing_a_member_revokes_what_it_issued() {
    for lowered in [false, true] {
        let mut world = three();
        let link = world.invite(BOB, Role::Writer, 9, 0);
        world.all_hear();
        let seen = world.redeem(CAROL, &link, DAVE);
        world.hear(ALICE, CAROL);
        let act = if lowered { world.set_role(ALICE, BOB, Role::Writer) } else { world.remove(ALICE, BOB) };
        assert!(world.counts(act));
        let late = world.redeem(CAROL, &link, MALLORY);
        assert_eq!(world.void_of(late)[0], (0, VoidReason::Revoked));
        assert!(world.counts(seen), "what the remover had seen stands");
        assert_eq!((world.role(DAVE), world.role(MALLORY)), (Some(Role::Writer), None));
        assert!(state(&world, &link).revoked);
        // It stays so when Bob has his role again.
        match lowered {
            true => drop(world.set_role(ALICE, BOB, Role::Admin)),
            false => {
                let back = world.invite(ALICE, Role::Admin, 1, 0);
                world.spare(BOB);
                world.redeem(ALICE, &back, world.people.len() - 1);
            }
        }
        assert_eq!(world.role(BOB), Some(Role::Admin));
        assert!(state(&world, &link).revoked);
    }
}

/// Spec: SPACE-6.3. The remover can let those stand whom it had not seen, by a longer cut of the host's feed.
#[test]
fn a_raised_cut_gives_a_redemption_back() {
    let mut world = three();
    let link = world.invite(BOB, Role::Writer, 9, 0);
    world.all_hear();
    let act = world.remove(ALICE, BOB);
    let late = world.redeem(CAROL, &link, DAVE);
    assert!(!world.counts(late));
    world.hear(ALICE, CAROL);
    let feed = world.people[CAROL].control.unwrap();
    let root = weft_crypto::Root::from_bytes([0; 32]);
    let cut = weft_credential::Cut { feed, length: world.people[CAROL].length, root };
    world.raise(ALICE, act, vec![cut]);
    assert!(world.counts(late));
    assert_eq!(world.role(DAVE), Some(Role::Writer));
}

/// Spec: SPACE-6.3. Who leaves takes nothing from those who were let in by who had not heard.
#[test]
fn whoever_leaves_voids_no_redemption_of_those_who_had_not_heard() {
    let mut world = three();
    let link = world.invite(BOB, Role::Writer, 9, 0);
    world.all_hear();
    world.remove(BOB, BOB);
    let unheard = world.redeem(CAROL, &link, DAVE);
    assert!(world.counts(unheard));
    world.hear(ALICE, BOB);
    let heard = world.redeem(ALICE, &link, MALLORY);
    assert_eq!(world.void_of(heard)[0], (0, VoidReason::Revoked));
}

/// Spec: SPACE-11.8
#[test]
fn a_revocation_names_every_entry_that_let_somebody_in() {
    let mut world = three();
    let link = world.invite(ALICE, Role::Writer, 9, 0);
    world.all_hear();
    let stood = [world.redeem(BOB, &link, DAVE), world.redeem(CAROL, &link, MALLORY)];
    world.hear(ALICE, BOB);
    world.hear(ALICE, CAROL);
    let standing = state(&world, &link).standing;
    assert_eq!(standing.len(), 2);
    let id = invitation_id(&world.space, &link.id());
    let body = weft_space::compose::invitation_revoked(world.space, id, standing);
    let at = world.write_bytes(ALICE, body);
    assert!(world.counts(at) && stood.iter().all(|at| world.counts(*at)));
    assert!(state(&world, &link).revoked);
    assert_eq!(world.resolve().invitations().count(), 3);
}

/// Spec: INVITATION-4.3
#[test]
fn whoever_was_removed_is_turned_away_at_links_from_before() {
    let mut world = three();
    let old = world.invite(ALICE, Role::Writer, 9, 0);
    world.redeem(ALICE, &old, DAVE);
    let act = world.remove(ALICE, DAVE);
    assert!(world.counts(act));
    world.spare(DAVE);
    let new = world.invite(ALICE, Role::Writer, 9, 0);
    let other_device = world.people.last().unwrap().device.id();
    let away = |world: &World, link: &weft_crypto::InvitationSecret, who: usize, device| {
        let id = invitation_id(&world.space, &link.id());
        world.resolve().is_turned_away(&id, &world.id(who), &device)
    };
    let daves = world.people[DAVE].device.id();
    assert!(away(&world, &old, DAVE, daves) && away(&world, &old, DAVE, other_device));
    assert!(away(&world, &new, DAVE, daves), "the device is gone for good");
    assert!(!away(&world, &new, DAVE, other_device), "with another one there is a way back by a later link");
    let mallorys = world.people[MALLORY].device.id();
    assert!(!away(&world, &old, MALLORY, mallorys) && !away(&world, &old, BOB, world.people[BOB].device.id()));
}
