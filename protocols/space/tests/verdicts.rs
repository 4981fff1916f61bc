//! Which data counts. Spec: SPACE-8.

use weft_credential::{Role, Unknown};
use weft_crypto::{EpochId, FeedId};
use weft_feed::Past;
use weft_space::{Ruling, Space, Span, Verdict, VoidReason};

use crate::world::{ALICE, BOB, CAROL, DAVE, World};

fn with_bob(role: Role) -> World {
    let mut world = World::new();
    world.admit(BOB, role);
    world
}

/// Spec: SPACE-8.1.
#[test]
fn a_writer_counts_from_where_it_was_admitted() {
    let world = with_bob(Role::Writer);
    let resolution = world.resolve();
    let feed = world.people[BOB].data.unwrap();
    let past = world.people[BOB].past();
    assert_eq!(resolution.verdict(&feed, 0, Some(&world.epoch), &past), Verdict::Counts);
    let span = Span { feed: &feed, from: 3, until: 300_000, epoch: Some(&world.epoch), body: true, past: &past };
    assert_eq!(resolution.judge(&span), Ruling { verdict: Verdict::Counts, until: 300_000 });
    let merge = Span { epoch: None, body: false, ..span };
    assert_eq!(resolution.judge(&merge).verdict, Verdict::Counts);
    let unsealed = Span { epoch: None, ..span };
    assert_eq!(resolution.judge(&unsealed).verdict, Verdict::Void(VoidReason::NotSealed));
}

#[test]
fn a_past_must_hold_what_the_entry_rests_on() {
    let world = with_bob(Role::Writer);
    let resolution = world.resolve();
    let feed = world.people[BOB].data.unwrap();
    let verdict = |past: &Past| resolution.verdict(&feed, 0, Some(&world.epoch), past);
    assert_eq!(verdict(&Past::new()), Verdict::Void(VoidReason::NotClosed));
    // Genesis alone: not yet Bob's admission.
    let genesis: Past = [(world.people[ALICE].control.unwrap(), 1)].into_iter().collect();
    assert_eq!(verdict(&genesis), Verdict::Void(VoidReason::NotClosed));
    let epoch = EpochId::from_bytes([3; 32]);
    let past = world.people[BOB].past();
    assert_eq!(resolution.verdict(&feed, 0, Some(&epoch), &past), Verdict::Void(VoidReason::UnknownEpoch));
}

#[test]
fn readers_write_nothing() {
    let world = with_bob(Role::Reader);
    let feed = world.people[BOB].data.unwrap();
    let verdict = world.resolve().verdict(&feed, 0, Some(&world.epoch), &world.people[BOB].past());
    assert_eq!(verdict, Verdict::Void(VoidReason::NoRight { had: Some(Role::Reader) }));
}

#[test]
fn a_feed_that_is_not_known_yet_is_undecided_and_a_control_feed_holds_no_data() {
    let world = with_bob(Role::Writer);
    let resolution = world.resolve();
    let past = world.people[BOB].past();
    let unknown = FeedId::from_bytes([77; 32]);
    assert_eq!(resolution.verdict(&unknown, 0, Some(&world.epoch), &past), Verdict::Undecided);
    let control = world.people[BOB].control.unwrap();
    let verdict = resolution.verdict(&control, 0, Some(&world.epoch), &past);
    assert_eq!(verdict, Verdict::Void(VoidReason::WrongPurpose));
}

/// Who writes under an epoch before it hears that its starter was removed has written. Whoever knows uses another one, and hands the
/// first one on. Spec: SPACE-7, SPACE-8.1
#[test]
fn an_epoch_whose_starter_was_removed_meanwhile_holds_what_others_wrote_under_it() {
    let mut world = with_bob(Role::Admin);
    world.admit(CAROL, Role::Writer);
    world.all_hear();
    let first = world.epoch;
    let epoch = world.begin(BOB, &[ALICE, BOB, CAROL], vec![first], 20);
    let before = world.people[CAROL].past();
    world.hear(CAROL, BOB);
    let (feed, heard) = (world.people[CAROL].data.unwrap(), world.people[CAROL].past());
    // Alice has not heard of the epoch.
    let cuts = world.cuts(ALICE, BOB);
    world.remove_at(ALICE, BOB, cuts);
    let after = world.begin(CAROL, &[ALICE, CAROL], vec![epoch], 22);
    let resolution = world.resolve();
    let known = resolution.epoch(&epoch).unwrap();
    assert!(!known.counts && !resolution.is_writable(&epoch));
    assert_eq!(resolution.verdict(&feed, 0, Some(&epoch), &heard), Verdict::Counts);
    assert_eq!(resolution.verdict(&feed, 0, Some(&epoch), &before), Verdict::Void(VoidReason::UnknownEpoch));
    let next = resolution.epoch(&after).unwrap();
    assert!(next.counts && next.depth == 3, "it follows what its author knew");
    let order: Vec<_> = resolution.epochs().iter().map(|epoch| epoch.id).collect();
    assert_eq!(order, [after, first, epoch], "those that count before the others");
    // What the removed one writes itself past its cut counts under no epoch.
    let own = resolution.verdict(&world.people[BOB].data.unwrap(), 0, Some(&epoch), &world.people[BOB].past());
    assert!(matches!(own, Verdict::Void(VoidReason::PastCut { .. })), "{own:?}");
}

/// An epoch begun by one who, as far as itself had seen, might not begin one is known to nobody. Spec: SPACE-7
#[test]
fn an_epoch_by_a_reader_is_not_known() {
    let mut world = with_bob(Role::Reader);
    let first = world.epoch;
    let epoch = world.begin(BOB, &[ALICE, BOB], vec![first], 20);
    world.hear(ALICE, BOB);
    let after = world.begin(ALICE, &[ALICE, BOB], vec![epoch], 22);
    let resolution = world.resolve();
    assert!(resolution.epoch(&epoch).is_none() && resolution.epoch(&after).is_none());
    let (feed, past) = (world.people[ALICE].data.unwrap(), world.people[ALICE].past());
    assert_eq!(resolution.verdict(&feed, 0, Some(&epoch), &past), Verdict::Void(VoidReason::UnknownEpoch));
}

/// Spec: SPACE-3.6.
#[test]
fn a_lost_contest_is_told_to_who_had_judged() {
    let mut world = with_bob(Role::Admin);
    let link = world.invite(ALICE, Role::Writer, 1, u64::MAX);
    world.hear(BOB, ALICE);
    let first = world.redeem(ALICE, &link, CAROL);
    let second = world.redeem(BOB, &link, DAVE);
    let stands = world.counts(first);
    let (early, late, loser) = if stands { (second, first, DAVE) } else { (first, second, CAROL) };
    // A node that hears the loser's side first believes in it.
    let mut space = Space::new(world.space);
    let others = (0..world.entries.len()).filter(|at| *at != late && *at != early);
    let others: Vec<_> = others.map(|at| world.entries[at].clone()).collect();
    space.insert(others);
    let changes = space.insert(vec![world.entries[early].clone()]);
    let data = world.people[loser].data.unwrap();
    assert!(changes.feeds_admitted.contains(&data) && changes.lockboxes);
    assert_eq!(changes.devices_admitted, [world.people[loser].device.id()]);
    let past = world.people[loser].past();
    assert_eq!(space.resolution().verdict(&data, 0, Some(&world.epoch), &past), Verdict::Counts);

    let changes = space.insert(vec![world.entries[late].clone()]);
    assert_eq!(changes.verdicts_changed, [data]);
    assert_eq!(changes.devices_gone, [world.people[loser].device.id()]);
    let verdict = space.resolution().verdict(&data, 0, Some(&world.epoch), &past);
    assert_eq!(verdict, Verdict::Void(VoidReason::FeedNotAdmitted));
    assert_eq!(*space.resolution(), world.resolve());
    assert_eq!(space.insert(world.entries.clone()), Default::default(), "known entries change nothing");
}

#[test]
fn a_write_stop_is_told() {
    let mut world = World::new();
    let mut space = Space::new(world.space);
    space.insert(world.entries.clone());
    let unknown = Unknown { kind: 40, critical: true, content: bytes::Bytes::new() };
    let at = world.write(ALICE, vec![weft_credential::Credential::Unknown(unknown)]);
    assert!(space.insert(vec![world.entries[at].clone()]).write_stop);
}
