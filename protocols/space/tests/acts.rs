//! What takes rights away: removals, lower roles, closed feeds, revoked invitations, and cuts. Spec: SPACE-11

use weft_credential::{Cut, Role};
use weft_crypto::Root;
use weft_space::{Ruling, Space, Span, Verdict, VoidReason};

use crate::world::{ALICE, BOB, CAROL, DAVE, MALLORY, World};

fn cut(feed: weft_crypto::FeedId, length: u64) -> Cut {
    Cut { feed, length, root: Root::from_bytes([0; 32]) }
}

/// Alice founded; Bob is an admin, Carol a writer; everybody has heard everything.
fn three() -> World {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    world.admit(CAROL, Role::Writer);
    world.all_hear();
    world
}

/// Spec: SPACE-11.1
#[test]
fn a_removed_member_is_gone_with_its_devices_and_its_feeds_end() {
    let mut world = three();
    world.people[CAROL].written = 7;
    let at = world.remove(BOB, CAROL);
    assert!(world.counts(at));
    let resolution = world.resolve();
    assert_eq!(resolution.member(&world.id(CAROL)), None);
    assert!(resolution.device(&world.people[CAROL].device.id()).is_none());
    let (data, control) = (world.people[CAROL].data.unwrap(), world.people[CAROL].control.unwrap());
    assert_eq!((resolution.stands(&data), resolution.stands(&control)), (Some(7), Some(0)));
    assert!(!resolution.is_writable(&world.epoch), "she holds its secrets");
}

/// Spec: SPACE-11.2. A run that a cut lies in is ruled in two pieces.
#[test]
fn writes_past_the_cut_are_void_and_those_before_stand() {
    let mut world = three();
    world.people[CAROL].written = 7;
    let past = world.people[CAROL].past();
    world.remove(BOB, CAROL);
    let (feed, epoch) = (world.people[CAROL].data.unwrap(), world.epoch);
    let resolution = world.resolve();
    let span = Span { feed: &feed, from: 3, until: 20, epoch: Some(&epoch), body: true, past: &past };
    assert_eq!(resolution.judge(&span), Ruling { verdict: Verdict::Counts, until: 7 });
    let rest = Span { from: 7, ..span };
    assert_eq!(
        resolution.judge(&rest),
        Ruling { verdict: Verdict::Void(VoidReason::PastCut { stands: 7 }), until: 20 }
    );
}

/// Spec: SPACE-3.3. To have seen something void makes nothing void.
#[test]
fn past_cut_entry_does_not_void_those_who_saw_it() {
    let mut world = World::new();
    world.admit(MALLORY, Role::Admin);
    world.admit(BOB, Role::Admin);
    world.all_hear();
    let cuts = world.cuts(ALICE, MALLORY);
    // Mallory writes past the cut; Bob hears it before the removal, and lets Carol in.
    let past = world.invite(MALLORY, Role::Writer, 1, 0);
    world.hear(BOB, MALLORY);
    let link = world.invite(BOB, Role::Writer, 1, 0);
    world.redeem(BOB, &link, CAROL);
    // By Mallory's own invitation he lets Dave in: that has no ground.
    let dave = world.redeem(BOB, &past, DAVE);
    world.remove_at(ALICE, MALLORY, cuts);
    assert_eq!(world.role(MALLORY), None);
    assert_eq!(world.role(CAROL), Some(Role::Writer));
    assert!(world.writes(CAROL) && world.writes(BOB));
    assert_eq!(world.void_of(dave)[0], (0, VoidReason::UnknownInvitation));
    assert_eq!(world.role(DAVE), None);
}

/// Spec: SPACE-11.2. An admin who was removed lets somebody in, back-dated: no removal names her, and she has no ground.
#[test]
fn a_removed_admin_admits_nobody_past_its_cut() {
    let mut world = three();
    let cuts = world.cuts(ALICE, BOB);
    world.remove_at(ALICE, BOB, cuts);
    let link = world.invite(BOB, Role::Writer, 1, 0);
    world.redeem(BOB, &link, MALLORY);
    assert_eq!(world.role(MALLORY), None);
    assert!(!world.writes(MALLORY));
    let feed = world.people[MALLORY].control.unwrap();
    assert!(!world.resolve().feed(&feed).unwrap().counts, "carried, since somebody may have built on it");
}

/// Spec: SPACE-11.2
#[test]
fn no_cut_lies_below_what_the_remover_had_seen_of_control() {
    let mut world = three();
    let link = world.invite(BOB, Role::Writer, 1, 0);
    world.redeem(BOB, &link, DAVE);
    world.hear(ALICE, BOB);
    // Alice names no cut at all; what she had seen of Bob's control feed stands, of his data nothing.
    world.remove_at(ALICE, BOB, Vec::new());
    assert_eq!(world.role(DAVE), Some(Role::Writer));
    let (control, data) = (world.people[BOB].control.unwrap(), world.people[BOB].data.unwrap());
    assert_eq!((world.resolve().stands(&control), world.resolve().stands(&data)), (Some(2), Some(0)));
}

/// Spec: SPACE-11.3
#[test]
fn a_raised_cut_lets_more_stand() {
    let mut world = three();
    world.people[CAROL].written = 5;
    let act = world.remove(BOB, CAROL);
    let data = world.people[CAROL].data.unwrap();
    world.hear(ALICE, BOB);
    let at = world.raise(ALICE, act, vec![cut(data, 9)]);
    assert!(world.counts(at));
    assert_eq!(world.resolve().stands(&data), Some(9));
    let at = world.raise(BOB, act, vec![cut(data, 6)]);
    assert!(world.counts(at), "who named the cuts may");
    assert_eq!(world.resolve().stands(&data), Some(9), "the longest holds");
    // Who had not seen the removal, or stands lower, raises nothing.
    let early = world.raise(CAROL, act, vec![cut(data, 100)]);
    assert!(!world.counts(early));
    assert_eq!(world.resolve().stands(&data), Some(9));
}

/// Spec: SPACE-11.5. At his own causal position he is a writer for ever; the cut decides.
#[test]
fn demoted_writer_cannot_write_by_not_looking() {
    let mut world = three();
    world.people[CAROL].written = 4;
    let before = world.people[CAROL].past();
    let at = world.set_role(BOB, CAROL, Role::Reader);
    assert!(world.counts(at));
    assert_eq!(world.role(CAROL), Some(Role::Reader));
    assert!(world.writes_at(CAROL, 3, &before));
    assert!(!world.writes_at(CAROL, 4, &before), "she never looks, and the cut holds");
    let resolution = world.resolve();
    assert!(resolution.device(&world.people[CAROL].device.id()).is_some(), "a reader has a device");
    // She is made a writer again: what she writes after that counts, what she wrote in between does not.
    world.hear(ALICE, BOB);
    world.set_role(ALICE, CAROL, Role::Writer);
    world.hear(CAROL, ALICE);
    assert_eq!(world.role(CAROL), Some(Role::Writer));
    assert!(world.writes_at(CAROL, 9, &world.people[CAROL].past()));
    assert!(!world.writes_at(CAROL, 5, &before));
}

/// Spec: SPACE-11.5. Two admins set one role at once: the lower one holds.
#[test]
fn of_two_roles_set_at_once_the_lower_holds() {
    for (alices, bobs) in [(Role::Writer, Role::Reader), (Role::Reader, Role::Writer), (Role::Admin, Role::Reader)] {
        let mut world = three();
        world.set_role(ALICE, CAROL, alices);
        world.set_role(BOB, CAROL, bobs);
        assert_eq!(world.role(CAROL), Some(alices.min(bobs)));
    }
}

/// Spec: SPACE-11.5, CREDENTIAL-3.1
#[test]
fn nobody_raises_itself_and_nobody_gives_what_it_may_not() {
    let mut world = three();
    for (who, target, role) in [(CAROL, CAROL, Role::Admin), (BOB, BOB, Role::Owner), (BOB, CAROL, Role::Admin)] {
        let at = world.set_role(who, target, role);
        assert!(!world.counts(at), "{who} makes {target} {role}");
    }
    let at = world.set_role(CAROL, BOB, Role::Reader);
    assert_eq!(world.void_of(at), [(0, VoidReason::NoRight { had: Some(Role::Writer) })]);
    let at = world.set_role(BOB, BOB, Role::Reader);
    assert!(world.counts(at), "everybody may lower itself");
    assert_eq!(world.role(BOB), Some(Role::Reader));
}

#[test]
fn everybody_may_leave() {
    let mut world = three();
    for who in [CAROL, BOB] {
        let at = world.remove(who, who);
        assert!(world.counts(at));
        assert_eq!(world.role(who), None);
        assert!(!world.writes_at(who, 1, &world.people[who].past()));
    }
}

/// Spec: SPACE-12.4
#[test]
fn a_space_always_has_an_owner() {
    let mut world = three();
    let at = world.remove(ALICE, ALICE);
    assert_eq!(world.void_of(at), [(0, VoidReason::LastOwner)]);
    let at = world.set_role(ALICE, ALICE, Role::Reader);
    assert_eq!(world.void_of(at), [(0, VoidReason::LastOwner)]);
    // Two owners leave at once: the senior one goes, the other stays.
    world.set_role(ALICE, BOB, Role::Owner);
    world.hear(BOB, ALICE);
    let (alices, bobs) = (world.remove(ALICE, ALICE), world.remove(BOB, BOB));
    assert!(world.counts(alices));
    assert_eq!(world.void_of(bobs), [(0, VoidReason::LastOwner)]);
    assert_eq!((world.role(ALICE), world.role(BOB)), (None, Some(Role::Owner)));
}

/// Spec: SPACE-11.6
#[test]
fn a_removed_member_comes_back_by_a_new_admission_with_new_keys_only() {
    let mut world = three();
    world.people[CAROL].written = 3;
    let before = world.people[CAROL].past();
    let removed = world.remove(BOB, CAROL);
    world.hear(ALICE, BOB);
    // The same device, however often she redeems.
    let link = world.invite(ALICE, Role::Writer, 2, 0);
    let again = world.redeem(ALICE, &link, CAROL);
    assert_eq!(world.void_of(again)[0], (0, VoidReason::DeviceEnded));
    assert_eq!(world.role(CAROL), None);
    // A new device of hers is somebody who was admitted after the removal.
    let device = weft_crypto::DeviceKey::from_seed([88; 32]);
    let mut new = crate::world::Person::new(CAROL as u8);
    let recovery = new.recovery.id();
    let next = weft_crypto::RootKey::from_seed([3; 32]).id();
    new.statements = weft_credential::RootStatements::at_init(&new.root, &next, device.id(), recovery);
    new.device = device;
    world.people.push(new);
    let new = world.people.len() - 1;
    let back = world.redeem(ALICE, &link, new);
    assert!(world.counts(back));
    assert_eq!(world.role(CAROL), Some(Role::Writer));
    assert!(world.writes(new));
    // And the old feed ends where it ended, even for entries that have seen the new admission.
    world.hear(CAROL, ALICE);
    assert!(world.writes_at(CAROL, 2, &before));
    assert!(!world.writes_at(CAROL, 3, &before));
    assert!(!world.writes_at(CAROL, 3, &world.people[CAROL].past()));
    assert!(world.counts(removed));
}

/// Spec: SPACE-11.6
#[test]
fn a_removal_takes_along_an_admission_that_it_is_concurrent_with() {
    let mut world = three();
    let link = world.invite(ALICE, Role::Owner, 1, 0);
    world.remove(BOB, CAROL);
    // Alice has not heard of it, and makes Carol an owner with another device.
    let second = world.link(ALICE, CAROL);
    world.redeem(ALICE, &link, second);
    assert_eq!(world.role(CAROL), Some(Role::Owner), "an admin does not remove whom an owner makes an owner");
    let mut world = three();
    let link = world.invite(ALICE, Role::Writer, 1, 0);
    world.remove(BOB, CAROL);
    let second = world.link(ALICE, CAROL);
    world.redeem(ALICE, &link, second);
    assert_eq!(world.role(CAROL), None, "the removal holds");
    assert!(world.resolve().device(&world.people[second].device.id()).is_none());
    assert!(!world.writes(second));
}

/// Spec: SPACE-11.7
#[test]
fn a_closed_feed_ends_for_good() {
    let mut world = three();
    let data = world.people[CAROL].data.unwrap();
    let before = world.people[CAROL].past();
    let at = world.close(BOB, data, 3);
    assert!(world.counts(at));
    assert!(world.writes_at(CAROL, 2, &before) && !world.writes_at(CAROL, 3, &before));
    assert_eq!(world.role(CAROL), Some(Role::Writer));
    let nothing = world.close(CAROL, world.people[BOB].data.unwrap(), 1);
    assert_eq!(world.void_of(nothing), [(0, VoidReason::NoRight { had: Some(Role::Writer) })]);
}

/// Spec: SPACE-11.8
#[test]
fn of_a_revoked_invitation_only_the_named_redemptions_stand() {
    let mut world = three();
    let link = world.invite(ALICE, Role::Writer, 5, 0);
    world.hear(BOB, ALICE);
    let stands = world.redeem(ALICE, &link, DAVE);
    let at = world.revoke(ALICE, &link, vec![stands]);
    assert!(world.counts(at));
    // Bob has not heard of it.
    let late = world.redeem(BOB, &link, MALLORY);
    assert_eq!(world.void_of(late)[0], (0, VoidReason::Revoked));
    assert_eq!((world.role(DAVE), world.role(MALLORY)), (Some(Role::Writer), None));
}

/// Spec: SPACE-6.1
#[test]
fn invitations_of_one_who_may_not_grant_any_more_are_not_redeemed() {
    let mut world = three();
    let link = world.invite(BOB, Role::Writer, 5, 0);
    world.hear(ALICE, BOB);
    world.remove(ALICE, BOB);
    let late = world.redeem(ALICE, &link, DAVE);
    assert_eq!(world.void_of(late)[0], (0, VoidReason::Revoked));
}

/// Spec: SPACE-3.6. Whoever had judged is told, once, and of the feeds that are touched only.
#[test]
fn a_removal_is_told_to_who_had_judged() {
    let mut world = three();
    world.people[CAROL].written = 2;
    let mut space = Space::new(world.space);
    space.insert(world.entries.clone());
    let at = world.remove(BOB, CAROL);
    let changes = space.insert(vec![world.entries[at].clone()]);
    assert_eq!(changes.devices_gone, [world.people[CAROL].device.id()]);
    assert_eq!(changes.verdicts_changed, [world.people[CAROL].data.unwrap()]);
    assert_eq!(*space.resolution(), world.resolve());
    // Making somebody more changes no verdict.
    world.hear(ALICE, BOB);
    let at = world.set_role(ALICE, BOB, Role::Owner);
    let changes = space.insert(vec![world.entries[at].clone()]);
    assert_eq!(changes.verdicts_changed, []);
}

/// Spec: SPACE-7.3. A removal is one entry with the epoch that begins by it, and nobody who goes is expected there.
#[test]
fn removal_is_one_entry() {
    use weft_credential::{Credential, EpochStarted, Lockbox, MemberRemoved, To};
    use weft_crypto::lockbox::{EpochSecrets, Recipient, RecipientKind, epoch_id, seal};
    let mut world = three();
    let secrets = EpochSecrets { content: [8; 32], access: [9; 32] };
    let commitments = secrets.commitments();
    let recipients: Vec<_> = [ALICE, BOB]
        .map(|who| Recipient {
            kind: RecipientKind::Device,
            recipient: *world.people[who].device.id().as_bytes(),
            key: world.people[who].keys.as_ref().unwrap().pre_key.id(),
        })
        .to_vec();
    let parents = vec![world.epoch];
    let id = epoch_id(&world.space, &commitments, &parents, &recipients);
    let sealed = |to: &Recipient| seal(&secrets, &world.space, &id, to, [5; 32]).unwrap();
    let lockboxes = recipients.iter().map(|to| Lockbox { epoch: id, recipient: *to, sealed: sealed(to) }).collect();
    let (sealed_access, sealed_content) = Default::default();
    let epoch =
        EpochStarted { commitments, parents, to: To::Each { recipients, lockboxes }, sealed_access, sealed_content };
    let removed = MemberRemoved { identity: world.id(CAROL), cuts: world.cuts(BOB, CAROL) };
    assert!(!world.resolve().is_writable(&id));
    let at = world.write(BOB, vec![Credential::MemberRemoved(removed), Credential::EpochStarted(epoch)]);
    assert!(world.counts(at));
    let resolution = world.resolve();
    assert!(resolution.is_writable(&id) && !resolution.is_writable(&world.epoch));
    assert_eq!(resolution.writable_epoch(|_| true), Some(id));
}
