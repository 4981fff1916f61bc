//! Two honest peers become level, stay so, and say why when they are not.

use weft_crypto::Purpose::{Control, Data};
use weft_replication::{Config, Input, WINDOW_MIN, stuck::What};

use crate::harness::{ALICE, BOB, SPACE, World, manifest};

#[test]
fn a_fresh_peer_gets_everything_in_both_directions() {
    let mut world = World::connected();
    world.settle();
    world.assert_level();
    world.disconnect();
    world.append(ALICE, Control, 3, 100);
    world.append(ALICE, Data, 1_000, 256);
    world.append(BOB, Control, 2, 50);
    world.append(BOB, Data, 300, 16 << 10);
    world.connect();
    world.settle();
    world.assert_level();
    assert_eq!(world.length(ALICE, BOB, Data), 300);
}

#[test]
fn empty_spaces_are_level_at_once() {
    let mut world = World::connected();
    world.settle();
    world.assert_level();
}

#[test]
fn what_is_written_is_pushed_at_once_and_from_memory() {
    let mut world = World::connected();
    world.settle();
    for _ in 0..10 {
        world.append(ALICE, Data, 1, 256);
        // One delivery, one job, one write: no round trip is needed before it is durable there.
        world.deliver(ALICE, usize::MAX);
        assert!(world.work(BOB, 0) && world.persist(BOB));
    }
    assert_eq!(world.length(BOB, ALICE, Data), 10);
    assert_eq!(world.nodes[ALICE].reads_ordered, 0);
    world.settle();
    world.assert_level();
}

#[test]
fn the_source_hears_that_it_is_stored_and_gets_nothing_back() {
    let mut world = World::connected();
    world.settle();
    world.append(ALICE, Data, 5, 100);
    assert_eq!(world.nodes[ALICE].session.as_ref().unwrap().level(&SPACE), Some(false));
    world.settle();
    world.assert_level();
    assert_eq!(world.nodes[BOB].sent.get("range"), None);
}

#[test]
fn a_cut_connection_goes_on_at_what_is_durable() {
    let mut world = World::connected();
    world.append(ALICE, Data, 2_000, 1_000);
    for round in 0..40 {
        world.deliver(ALICE, 150_000);
        world.deliver(BOB, usize::MAX);
        for _ in 0..3 {
            world.read(ALICE, 0);
            world.work(BOB, 0);
            world.persist(BOB);
        }
        if round % 10 == 9 {
            world.disconnect();
            world.connect();
        }
    }
    let before = world.length(BOB, ALICE, Data);
    assert!(before > 0, "something must have come through");
    world.settle();
    world.assert_level();
}

#[test]
fn a_range_that_does_not_continue_what_is_held_is_set_aside_and_the_feed_goes_on() {
    let mut world = World::connected();
    world.settle();
    world.append(ALICE, Data, 5, 100);
    world.deliver(ALICE, usize::MAX);
    world.work(BOB, 0);
    assert_eq!(world.nodes[BOB].persists.len(), 1);
    // The write is still under way when the next session brings the same entries and more, in one range.
    world.disconnect();
    world.append(ALICE, Data, 5, 100);
    world.connect();
    while world.deliver(ALICE, usize::MAX) | world.deliver(BOB, usize::MAX) | world.read(ALICE, 0) | world.work(BOB, 0)
    {
    }
    let under_way = &world.nodes[BOB].persists;
    assert_eq!(under_way.iter().map(|(_, range)| (range.from(), range.end())).collect::<Vec<_>>(), [(0, 5), (0, 10)]);
    world.settle();
    world.assert_level();
    assert_eq!(world.nodes[BOB].sent["stop"], 1);
}

#[test]
fn small_ranges_go_out_together() {
    let mut world = World::new(Default::default());
    for _ in 0..600 {
        world.append(ALICE, Data, 1, 100);
    }
    world.connect();
    world.settle();
    world.assert_level();
    assert!(world.nodes[ALICE].sent["range"] <= 4, "{:?}", world.nodes[ALICE].sent);
}

#[test]
fn one_who_has_other_heads_than_the_server_is_served_from_the_middle_of_a_range() {
    let mut world = World::connected();
    world.settle();
    // Bob gets ten entries one by one, then misses some: his next entry lies within a stored range of nobody.
    for _ in 0..10 {
        world.append(ALICE, Data, 1, 100);
    }
    world.settle();
    world.disconnect();
    world.append(ALICE, Data, 20, 100);
    // Alice's store joined what it holds under the last head.
    let feed = manifest(1, Data).id();
    let all = weft_feed::Range::from_runs(
        world.nodes[ALICE].logs[&feed].head().unwrap(),
        &world.nodes[ALICE].logs[&feed].ranges.iter().flat_map(|range| range.runs().to_vec()).collect::<Vec<_>>(),
    );
    let log = world.nodes[ALICE].logs.get_mut(&feed).unwrap();
    let joined = weft_feed::verify_range(&weft_feed::Tree::new(), &log.origin, &all).unwrap();
    log.ranges = vec![joined.into()];
    world.connect();
    world.settle();
    world.assert_level();
}

#[test]
fn large_bodies_come_in_frames_of_their_own_and_fit_the_smallest_window() {
    for window_bytes in [WINDOW_MIN, 32 << 20] {
        let mut world = World::new(Config { window_bytes, ..Config::default() });
        world.append(ALICE, Control, 9, 1 << 20);
        world.append(ALICE, Data, 9, 1 << 20);
        world.append(ALICE, Data, 40, 100 << 10);
        world.connect();
        world.settle();
        world.assert_level();
        assert!(world.nodes[ALICE].sent["bodies"] > 9);
    }
}

#[test]
fn control_comes_before_data() {
    let mut world = World::new(Default::default());
    world.append(ALICE, Data, 600, 1_000);
    world.append(ALICE, Control, 600, 1_000);
    world.connect();
    let feeds = [Control, Data].map(|purpose| manifest(1, purpose).id());
    loop {
        let moved = world.deliver(ALICE, usize::MAX) | world.deliver(BOB, usize::MAX);
        let moved = moved | world.read(ALICE, 0) | world.work(BOB, 0) | world.persist(BOB);
        let [control, data] = feeds.map(|feed| world.nodes[BOB].logs[&feed].length());
        assert!(data == 0 || control == 600, "data at {data} with control at {control}");
        if !moved {
            break;
        }
    }
    world.settle();
    world.assert_level();
}

#[test]
fn a_feed_admitted_later_is_told_and_fetched() {
    let mut world = World::new(Default::default());
    world.append(ALICE, Control, 1, 10);
    world.append(ALICE, Data, 7, 10);
    let feed = manifest(1, Data).id();
    let unknown = world.nodes[BOB].logs.remove(&feed).unwrap();
    world.connect();
    world.settle();
    assert!(!world.nodes[BOB].level);
    world.pass(11);
    assert!(
        world.reasons(BOB).iter().any(|reason| reason.what == What::UnknownFeed { feed }),
        "{:?}",
        world.reasons(BOB)
    );
    world.nodes[BOB].logs.insert(feed, unknown.clone());
    world.nodes[BOB].sources.admitted(world.now, feed, unknown.author, false, 0);
    world.input(BOB, Input::FeedAdmitted { space: SPACE, held: unknown.held() });
    world.settle();
    world.assert_level();
}

#[test]
fn after_the_door_closes_nothing_flows_and_late_frames_are_no_violation() {
    let mut world = World::connected();
    world.append(ALICE, Data, 500, 1_000);
    world.deliver(ALICE, usize::MAX);
    world.deliver(BOB, usize::MAX);
    world.read(ALICE, 0);
    world.input(BOB, Input::Revoked { space: SPACE });
    world.settle();
    assert_eq!(world.nodes[BOB].violation, None);
    assert_eq!(world.length(BOB, ALICE, Data), 0);
    assert_eq!(world.nodes[BOB].session.as_ref().unwrap().level(&SPACE), None);
    // The doors open again under another number, Alice's a moment after Bob's, and what he says meanwhile is kept.
    world.append(BOB, Data, 3, 10);
    world.grant(BOB, 99);
    world.deliver(BOB, usize::MAX);
    world.grant(ALICE, 99);
    world.settle();
    world.assert_level();
}

#[test]
fn a_pair_that_is_catching_up_says_how_far_it_is() {
    let mut world = World::connected();
    world.settle();
    world.append(ALICE, Data, 5, 100);
    world.deliver(ALICE, usize::MAX);
    assert_eq!(world.reasons(BOB)[0].what, What::CatchingUp { feeds: 1, have: 0, of: 5 });
    assert_eq!(world.reasons(ALICE)[0].what, What::PeerCatchingUp { feeds: 1, have: 0, of: 5 });
}

#[test]
fn within_ten_seconds_a_silent_peer_is_named() {
    let mut world = World::connected();
    world.settle();
    let feed = manifest(1, Data).id();
    world.append(ALICE, Data, 5, 100);
    // Bob learns of it, and the range never comes.
    let all = world.nodes[ALICE].wire.split().freeze();
    let mut decoder = weft_wire::frame::Decoder::new();
    decoder.push(all);
    while let Some(payload) = decoder.next().unwrap() {
        let kind = weft_wire::decode::<weft_wire::replication::Frame>(&payload).unwrap().kind.unwrap();
        if crate::harness::describe(&kind).0 == "have" {
            world.input(BOB, Input::Received(payload));
        }
    }
    world.pass(10);
    let [bob, alice] = [BOB, ALICE].map(|side| world.reasons(side));
    assert_eq!(bob[0].what, What::Silent { feed, have: 0, of: 5 });
    assert_eq!(bob[0].from, crate::harness::device(1));
    assert!(alice.iter().any(|reason| reason.what == What::PeerSilent { feed, have: 0, of: 5 }), "{alice:?}");
}

#[test]
fn a_hundred_thousand_records_come_in_a_few_hundred_frames() {
    let mut world = World::new(Default::default());
    world.append(ALICE, Data, 100_000, 256);
    world.connect();
    world.settle();
    world.assert_level();
    assert_eq!(world.length(BOB, ALICE, Data), 100_000);
    assert_eq!(world.nodes[ALICE].sent["range"], 391);
    assert!(world.nodes[BOB].sent["credit"] < 50, "{:?}", world.nodes[BOB].sent);
}
