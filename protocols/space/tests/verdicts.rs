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
