//! What the resolution says of whole stories. Spec: SPACE-3.

use weft_credential::{Credential, Genesis, History, InvitationIssued, Part, RULES, Role, RulesChanged, Unknown};
use weft_crypto::{DeviceKey, InvitationSecret, lockbox::RecipientKind};
use weft_machine::{Draws, Seed};
use weft_space::{Verdict, VoidReason, WriteStop, compose};

use crate::world::{ALICE, BOB, CAROL, DAVE, MALLORY, World};

/// Two hosts let somebody in by one single-use link, neither knowing of the other. Gives (winner, loser).
fn contested(world: &mut World, role: Role) -> (usize, usize) {
    world.admit(BOB, Role::Owner);
    let link = world.invite(ALICE, role, 1, u64::MAX);
    world.hear(BOB, ALICE);
    world.redeem(ALICE, &link, CAROL);
    world.redeem(BOB, &link, DAVE);
    let carol_stands = world.resolve().role_of(&world.id(CAROL)).is_some();
    if carol_stands { (CAROL, DAVE) } else { (DAVE, CAROL) }
}

/// Spec: SPACE-4.
#[test]
fn the_founder_is_owner_of_what_it_founded() {
    let world = World::new();
    let resolution = world.resolve();
    assert_eq!(resolution.void().next(), None);
    let alice = resolution.member(&world.id(ALICE)).unwrap();
    assert_eq!((alice.role, alice.admitted_by), (Role::Owner, None));
    assert_eq!(alice.devices, [world.people[ALICE].device.id()]);
    assert_eq!(alice.recovery, Some(world.people[ALICE].recovery.id()));
    assert_eq!(resolution.feeds().filter(|(_, feed)| feed.counts).count(), 2);
    assert_eq!(resolution.writable_epoch(|_| true), Some(world.epoch));
    assert_eq!(resolution.writable_epoch(|_| false), None, "who cannot open an epoch does not write under it");
}

/// Spec: SPACE-6.
#[test]
fn a_link_makes_a_member() {
    let mut world = World::new();
    let link = world.invite(ALICE, Role::Writer, 1, 1);
    let at = world.redeem(ALICE, &link, BOB);
    assert!(world.counts(at));
    let resolution = world.resolve();
    let bob = resolution.member(&world.id(BOB)).unwrap();
    assert_eq!((bob.role, bob.admitted_by), (Role::Writer, Some(world.id(ALICE))));
    let id = weft_credential::invitation_id(&world.space, &link.id());
    let invitation = resolution.invitation(&id).unwrap();
    assert_eq!((invitation.left, invitation.redemptions.len()), (0, 1));
    assert!(resolution.is_writable(&world.epoch), "the newcomer was given the epoch");
}

/// Spec: SPACE-6.1.
#[test]
fn two_redemptions_of_one_link_leave_one_member() {
    let mut world = World::new();
    let (winner, loser) = contested(&mut world, Role::Writer);
    let resolution = world.resolve();
    assert_eq!(resolution.role_of(&world.id(winner)), Some(Role::Writer));
    assert_eq!(resolution.role_of(&world.id(loser)), None);
    assert!(resolution.device(&world.people[loser].device.id()).is_none());
    assert_eq!(resolution.members().len(), 3);
    // The loser was given the epoch's secrets, so nobody writes under it any more.
    let epoch = resolution.epoch(&world.epoch).unwrap();
    let device = *world.people[loser].device.id().as_bytes();
    let given = epoch.lockboxes.iter().map(|lockbox| lockbox.recipient);
    assert!(given.into_iter().any(|r| r.kind == RecipientKind::Device && r.recipient == device));
    assert!(!resolution.is_writable(&world.epoch));
    // Its feeds are still carried, since somebody may have built on them, and say nothing.
    let feed = resolution.feed(&world.people[loser].control.unwrap()).unwrap();
    assert!(!feed.counts);
}

#[test]
fn the_earlier_redemption_stands_whatever_its_hash() {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    let link = world.invite(ALICE, Role::Writer, 1, u64::MAX);
    let first = world.redeem(ALICE, &link, CAROL);
    world.hear(BOB, ALICE);
    let second = world.redeem(BOB, &link, DAVE);
    assert!(world.counts(first));
    assert_eq!(world.void_of(second)[0], (0, VoidReason::UsedUp));
}

/// Spec: SPACE-3.3. Void spreads along authority, and along nothing else.
#[test]
fn voided_admission_voids_the_admitted() {
    let mut world = World::new();
    let (_, loser) = contested(&mut world, Role::Admin);
    // The loser, who took itself for an admin, lets Mallory in; Mallory writes.
    let link = world.invite(loser, Role::Writer, 1, u64::MAX);
    let admitted = world.redeem(loser, &link, MALLORY);
    assert_eq!(world.void_of(admitted)[0], (0, VoidReason::FeedNotAdmitted));
    let resolution = world.resolve();
    assert_eq!(resolution.role_of(&world.id(MALLORY)), None);
    let data = world.people[MALLORY].data.unwrap();
    let verdict = resolution.verdict(&data, 0, Some(&world.epoch), &world.people[MALLORY].past());
    assert_eq!(verdict, Verdict::Void(VoidReason::FeedNotAdmitted));

    // Bob has seen all of it and goes on: that makes nothing of his void.
    world.hear(BOB, MALLORY);
    world.invite(BOB, Role::Reader, 1, u64::MAX);
    assert!(world.counts(world.entries.len() - 1));
    let resolution = world.resolve();
    let bob = world.people[BOB].data.unwrap();
    assert_eq!(resolution.verdict(&bob, 0, Some(&world.epoch), &world.people[BOB].past()), Verdict::Counts);
}

/// Spec: SPACE-3.5.
#[test]
fn unknown_critical_kind_stops_writing_not_reading() {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    let before = world.resolve();
    let unknown = |critical| Credential::Unknown(Unknown { kind: 77, critical, content: "?".into() });
    world.write(BOB, vec![unknown(false)]);
    assert_eq!(world.resolve().write_stop(), None);
    world.write(BOB, vec![unknown(true)]);
    let after = world.resolve();
    assert_eq!(after.write_stop(), Some(WriteStop::UnknownCritical { kind: 77 }));
    assert_eq!(after.members(), before.members());
    let alice = world.people[ALICE].data.unwrap();
    let past = world.people[ALICE].past();
    assert_eq!(after.verdict(&alice, 0, Some(&world.epoch), &past), Verdict::Counts);
}

/// Spec: SPACE-3.5. Who may not change authority stops nobody.
#[test]
fn a_reader_or_writer_stops_nobody_with_an_unknown_critical_kind() {
    for role in [Role::Keeper, Role::Reader, Role::Writer] {
        let mut world = World::new();
        world.admit(BOB, role);
        let unknown = Credential::Unknown(Unknown { kind: 77, critical: true, content: "?".into() });
        let at = world.write(BOB, vec![unknown]);
        assert_eq!(world.void_of(at), [(0, VoidReason::NoRight { had: Some(role) })]);
        assert_eq!(world.resolve().write_stop(), None);
    }
}

/// Spec: SPACE-3.5. The remedy against an admin: it is removed by who has not acknowledged the part.
#[test]
fn removing_who_wrote_the_unknown_critical_kind_lets_all_write_again() {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    let unknown = Credential::Unknown(Unknown { kind: 77, critical: true, content: "?".into() });
    let at = world.write(BOB, vec![unknown]);
    assert!(world.resolve().write_stop().is_some());
    let removed = world.remove(ALICE, BOB);
    assert!(world.counts(removed));
    assert_eq!(world.void_of(at), [(0, VoidReason::PastCut { stands: 0 })]);
    assert_eq!(world.resolve().write_stop(), None);
}

#[test]
fn a_kind_that_is_a_format_only_stops_writing() {
    let (mut world, kind) = (World::new(), 18);
    let credential = Credential::Unknown(Unknown { kind, critical: true, content: bytes::Bytes::new() });
    let at = world.write(ALICE, vec![credential]);
    assert!(world.counts(at));
    assert_eq!(world.resolve().write_stop(), Some(WriteStop::UnknownCritical { kind }));
}

#[test]
fn an_unknown_kind_by_a_stranger_stops_nothing() {
    let mut world = World::new();
    let (_, loser) = contested(&mut world, Role::Writer);
    let credential = Credential::Unknown(Unknown { kind: 77, critical: true, content: bytes::Bytes::new() });
    world.write(loser, vec![credential]);
    assert_eq!(world.resolve().write_stop(), None);
}

/// Spec: SPACE-3.5.
#[test]
fn higher_rules_stop_writing() {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    let changed = |rules| Credential::RulesChanged(RulesChanged { rules });
    let at = world.write(BOB, vec![changed(RULES + 1)]);
    assert_eq!(world.void_of(at), [(0, VoidReason::NoRight { had: Some(Role::Admin) })]);
    let at = world.write(ALICE, vec![changed(RULES)]);
    assert_eq!(world.void_of(at), [(0, VoidReason::OldRules { goes_by: RULES })]);
    let key = InvitationSecret::from_seed([9; 32]).id();
    let issued = InvitationIssued { key, role: Role::Reader, uses: 1, expires_ms: 0, approve: false };
    let credential = Credential::InvitationIssued(issued);
    let at = world.write_parts(ALICE, vec![Part { space: world.space, version: RULES + 1, credential }]);
    assert_eq!(world.void_of(at), [(0, VoidReason::LaterRules { found: RULES + 1 })]);
    assert_eq!(world.resolve().write_stop(), None, "a part by other rules than the space's says nothing");
    world.write(ALICE, vec![changed(RULES + 1)]);
    assert_eq!(world.resolve().write_stop(), Some(WriteStop::HigherRules { found: RULES + 1 }));
}

/// Spec: SPACE-6.1. An expired invitation is refused by an honest host; once written down, no rule reads a clock.
#[test]
fn clock_a_year_ahead_changes_no_membership() {
    let mut one = World::new();
    let mut other = World::new();
    for (world, expires_ms) in [(&mut one, 0), (&mut other, u64::MAX)] {
        let link = world.invite(ALICE, Role::Writer, 1, expires_ms);
        world.redeem(ALICE, &link, BOB);
    }
    let (one, other) = (one.resolve(), other.resolve());
    assert_eq!(one.members(), other.members());
    assert_eq!(one.members().len(), 2);
}

/// Spec: SPACE-6. A grant above the granter's right changes nothing.
#[test]
fn sock_puppet_admins_make_no_quorum() {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    world.admit(CAROL, Role::Writer);
    for role in [Role::Admin, Role::Owner] {
        let link = world.invite(BOB, role, 10, u64::MAX);
        assert_eq!(world.void_of(world.entries.len() - 1), [(0, VoidReason::NoRight { had: Some(Role::Admin) })]);
        for puppet in [DAVE, MALLORY] {
            let at = world.redeem(BOB, &link, puppet);
            assert_eq!(world.void_of(at)[0], (0, VoidReason::UnknownInvitation));
        }
    }
    world.invite(CAROL, Role::Reader, 1, u64::MAX);
    assert_eq!(world.void_of(world.entries.len() - 1), [(0, VoidReason::NoRight { had: Some(Role::Writer) })]);
    let resolution = world.resolve();
    let admins = resolution.members().into_iter().filter(|member| member.role.may_administer());
    assert_eq!(admins.map(|member| member.identity).collect::<Vec<_>>().len(), 2, "Alice and Bob");
    assert_eq!(resolution.members().len(), 3);
}

/// Spec: SPACE-4. The space id names the one feed and entry that can hold its genesis.
#[test]
fn a_second_genesis_is_refused() {
    let mut world = World::new();
    world.admit(BOB, Role::Admin);
    let genesis = world.resolve().genesis().unwrap().clone();
    let again = Credential::SpaceGenesis(genesis.sign(&world.people[ALICE].device));
    for who in [ALICE, BOB] {
        let at = world.write(who, vec![again.clone()]);
        assert_eq!(world.void_of(at), [(0, VoidReason::SecondGenesis)]);
    }
    // Nor can another device of the founder, or the founder with another feed, start the same space.
    let rival = DeviceKey::from_seed([99; 32]);
    let other = Genesis { device: rival.id(), ..genesis.clone() };
    assert_ne!(other.space_id(), world.space);
    let other = Genesis { feed_key: world.people[BOB].keys.as_ref().unwrap().control.id(), ..genesis };
    assert_ne!(other.space_id(), world.space);
    assert_eq!(world.resolve().members().len(), 2);
}

/// Spec: SPACE-10.
#[test]
fn same_seed_twice_gives_different_epochs() {
    let draws = || Draws::new(Seed::from_bytes([42; 32]));
    let world = World::new();
    let alice = world.people[ALICE].actor();
    let one = compose::found(&alice, History::All, b"notes", &mut draws()).unwrap();
    let other = compose::found(&alice, History::All, b"photos", &mut draws()).unwrap();
    assert_ne!(one.space, other.space);
    assert_ne!(one.epoch, other.epoch);
    assert_ne!(one.keys.pre_key.id(), other.keys.pre_key.id());
    // Another device with the same draws and label.
    let bob = compose::found(&world.people[BOB].actor(), History::All, b"notes", &mut draws()).unwrap();
    assert_ne!(bob.epoch, one.epoch);
    // And the same again is the same: nothing else is drawn from.
    let again = compose::found(&alice, History::All, b"notes", &mut draws()).unwrap();
    assert_eq!((again.space, again.body), (one.space, one.body));
}

/// Spec: SPACE-10. One draw for two recipients must not seal with one ephemeral key.
#[test]
fn the_same_seed_seals_to_two_newcomers_with_two_keys() {
    let mut world = World::new();
    let link = world.invite(ALICE, Role::Writer, 2, u64::MAX);
    let (bob, carol) = (world.joining(BOB, &link, ALICE), world.joining(CAROL, &link, ALICE));
    let sealed = [bob, carol].map(|joining| {
        world.draws = Draws::new(Seed::from_bytes([42; 32]));
        let at = world.write_redemption(ALICE, &joining);
        let parts = world.entries[at].parts.clone().unwrap();
        let lockboxes = parts.into_iter().filter_map(|part| match part.into_inner().credential {
            Credential::LockboxAdded(lockbox) => Some(lockbox.sealed.encapsulated),
            _ => None,
        });
        lockboxes.collect::<Vec<_>>()
    });
    assert_eq!(sealed[0].len(), 2);
    assert!(sealed[0].iter().all(|key| !sealed[1].contains(key)));
}

/// Spec: SPACE-3.3. Who repeats a statement elsewhere, back-dated, moves it out of nobody's past.
#[test]
fn a_copied_statement_moves_nothing() {
    let mut world = World::new();
    world.admit(MALLORY, Role::Admin);
    world.admit(BOB, Role::Writer);
    let link = world.invite(ALICE, Role::Writer, 1, u64::MAX);
    let issued = world.entries.last().unwrap().parts.clone().unwrap()[0].clone().into_inner().credential;
    let genesis = world.entries[0].parts.clone().unwrap();
    let epoch = genesis.iter().find(|part| matches!(part.credential, Credential::EpochStarted(_)));
    let epoch = epoch.unwrap().credential.clone();
    // Mallory has heard little, so what she writes comes early in the order.
    let copied = world.write(MALLORY, vec![issued, epoch]);
    assert!(world.counts(copied));
    let redeemed = world.redeem(ALICE, &link, CAROL);
    assert!(world.counts(redeemed));
    let resolution = world.resolve();
    assert_eq!(resolution.role_of(&world.id(CAROL)), Some(Role::Writer));
    let bob = world.people[BOB].data.unwrap();
    assert_eq!(resolution.verdict(&bob, 0, Some(&world.epoch), &world.people[BOB].past()), Verdict::Counts);
    assert!(resolution.is_writable(&world.epoch));
}
