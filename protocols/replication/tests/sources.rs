//! Where each feed is fetched from, case by case.

use std::time::Duration;

use weft_crypto::{DeviceId, FeedId, Root};
use weft_machine::Time;
use weft_replication::sources::{
    Config,
    Order::{self, Cease, Fetch},
    Sources,
};

const ME: DeviceId = DeviceId::from_bytes([1; 32]);
const BOB: DeviceId = DeviceId::from_bytes([2; 32]);
const CAROL: DeviceId = DeviceId::from_bytes([3; 32]);
const DAVE: DeviceId = DeviceId::from_bytes([4; 32]);
const CONTROL: FeedId = FeedId::from_bytes([10; 32]);
const DATA: FeedId = FeedId::from_bytes([11; 32]);
const OWN: FeedId = FeedId::from_bytes([12; 32]);
const ROOT: Root = Root::from_bytes([9; 32]);

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

/// Dave's two feeds and one of my own, with nobody connected.
fn sources() -> Sources {
    let mut sources = Sources::new(Config::default(), ME);
    sources.admitted(at(0), CONTROL, DAVE, true, 0);
    sources.admitted(at(0), DATA, DAVE, false, 0);
    sources.admitted(at(0), OWN, ME, false, 5);
    sources
}

fn orders(sources: &mut Sources) -> Vec<Order> {
    std::iter::from_fn(|| sources.poll()).collect()
}

fn connect(sources: &mut Sources, peer: DeviceId, claims: &[(FeedId, u64)]) {
    sources.opened(at(0), peer);
    for (feed, length) in claims {
        sources.claimed(at(0), peer, *feed, *length, ROOT);
    }
    sources.complete(at(0), peer);
}

#[test]
fn data_waits_until_the_control_feeds_of_that_peer_are_here() {
    let mut sources = sources();
    connect(&mut sources, BOB, &[(CONTROL, 3), (DATA, 9)]);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: CONTROL }]);
    sources.progressed(at(0), CONTROL, 2);
    assert_eq!(orders(&mut sources), []);
    sources.progressed(at(0), CONTROL, 3);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: DATA }]);
}

#[test]
fn data_waits_for_the_whole_list() {
    let mut sources = sources();
    sources.opened(at(0), BOB);
    sources.claimed(at(0), BOB, DATA, 9, ROOT);
    assert_eq!(orders(&mut sources), []);
    sources.complete(at(0), BOB);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: DATA }]);
}

#[test]
fn refused_control_does_not_keep_data_back() {
    let mut sources = sources();
    connect(&mut sources, BOB, &[(CONTROL, 3), (DATA, 9)]);
    orders(&mut sources);
    sources.refused(at(0), BOB, CONTROL);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: DATA }]);
}

#[test]
fn the_author_is_followed_before_it_has_written_anything_and_takes_over_when_it_comes() {
    let mut sources = sources();
    connect(&mut sources, DAVE, &[]);
    let both = [Fetch { peer: DAVE, feed: CONTROL }, Fetch { peer: DAVE, feed: DATA }];
    assert_eq!(orders(&mut sources), both);
    sources.lost(at(0), DAVE);
    connect(&mut sources, BOB, &[(DATA, 4)]);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: DATA }]);
    connect(&mut sources, DAVE, &[(DATA, 3)]);
    assert_eq!(orders(&mut sources), [Fetch { peer: DAVE, feed: CONTROL }]);
    sources.claimed(at(0), DAVE, DATA, 4, ROOT);
    assert_eq!(orders(&mut sources), [Cease { peer: BOB, feed: DATA }, Fetch { peer: DAVE, feed: DATA }]);
}

#[test]
fn the_load_is_shared() {
    let mut sources = Sources::new(Config::default(), ME);
    let feeds: Vec<FeedId> = (0..10).map(|byte| FeedId::from_bytes([50 + byte; 32])).collect();
    feeds.iter().for_each(|feed| sources.admitted(at(0), *feed, DAVE, true, 0));
    for peer in [BOB, CAROL] {
        connect(&mut sources, peer, &feeds.iter().map(|feed| (*feed, 1)).collect::<Vec<_>>());
    }
    orders(&mut sources);
    let from = |peer| feeds.iter().filter(|feed| sources.source(feed) == Some(peer)).count();
    assert_eq!((from(BOB), from(CAROL)), (5, 5));
}

#[test]
fn own_feeds_are_fetched_only_while_somebody_has_more_and_go_first() {
    let mut sources = sources();
    connect(&mut sources, BOB, &[(CONTROL, 1), (OWN, 5)]);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: CONTROL }]);
    sources.progressed(at(0), CONTROL, 1);
    connect(&mut sources, CAROL, &[(CONTROL, 1), (OWN, 8)]);
    assert_eq!(orders(&mut sources), [Fetch { peer: CAROL, feed: OWN }]);
    sources.progressed(at(0), OWN, 8);
    assert_eq!(orders(&mut sources), [Cease { peer: CAROL, feed: OWN }]);
}

#[test]
fn a_silent_source_is_replaced_after_two_seconds_if_there_is_another() {
    let mut sources = sources();
    connect(&mut sources, BOB, &[(CONTROL, 3)]);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: CONTROL }]);
    assert_eq!(sources.deadline(), Some(at(2)));
    sources.wake(at(2));
    assert_eq!(orders(&mut sources), [], "there is nobody else");
    connect(&mut sources, CAROL, &[(CONTROL, 3)]);
    sources.arriving(at(3), BOB, CONTROL);
    sources.wake(at(4));
    assert_eq!(orders(&mut sources), [], "it delivers");
    sources.wake(at(5));
    assert_eq!(orders(&mut sources), [Cease { peer: BOB, feed: CONTROL }, Fetch { peer: CAROL, feed: CONTROL }]);
    // Level, it may be silent for as long as it likes.
    sources.progressed(at(6), CONTROL, 3);
    assert_ne!(sources.deadline(), Some(at(8)));
    sources.wake(at(100));
    assert_eq!((orders(&mut sources), sources.source(&CONTROL)), (vec![], Some(CAROL)));
}

#[test]
fn bytes_that_lead_to_nothing_are_not_waited_for_for_ever() {
    let mut sources = sources();
    connect(&mut sources, BOB, &[(CONTROL, 3)]);
    orders(&mut sources);
    connect(&mut sources, CAROL, &[(CONTROL, 3)]);
    for second in 1..60 {
        sources.arriving(at(second), BOB, CONTROL);
        sources.wake(at(second));
        assert_eq!(orders(&mut sources), []);
    }
    sources.wake(at(60));
    assert_eq!(orders(&mut sources), [Cease { peer: BOB, feed: CONTROL }, Fetch { peer: CAROL, feed: CONTROL }]);
}

#[test]
fn lost_and_refused_sources_are_replaced_and_asked_again_later() {
    let mut sources = sources();
    connect(&mut sources, BOB, &[(CONTROL, 3)]);
    connect(&mut sources, CAROL, &[(CONTROL, 3)]);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: CONTROL }]);
    sources.lost(at(1), BOB);
    assert_eq!(orders(&mut sources), [Fetch { peer: CAROL, feed: CONTROL }]);
    sources.refused(at(1), CAROL, CONTROL);
    assert_eq!((orders(&mut sources), sources.source(&CONTROL)), (vec![], None));
    sources.wake(at(11));
    assert_eq!(orders(&mut sources), [Fetch { peer: CAROL, feed: CONTROL }]);
    sources.refused(at(12), CAROL, CONTROL);
    assert_eq!(orders(&mut sources), []);
    sources.claimed(at(13), CAROL, CONTROL, 4, ROOT);
    assert_eq!(orders(&mut sources), [Fetch { peer: CAROL, feed: CONTROL }]);
}

#[test]
fn a_forked_feed_is_fetched_no_more() {
    let mut sources = sources();
    connect(&mut sources, BOB, &[(CONTROL, 3), (DATA, 1)]);
    orders(&mut sources);
    sources.stopped(at(0), CONTROL);
    let both = [Cease { peer: BOB, feed: CONTROL }, Fetch { peer: BOB, feed: DATA }];
    assert_eq!(orders(&mut sources), both);
    sources.claimed(at(0), BOB, CONTROL, 9, ROOT);
    assert_eq!(orders(&mut sources), []);
}

/// Spec: REPLICATION-5.5
#[test]
fn of_a_forked_feed_the_rest_is_asked_of_those_who_hold_just_what_is_kept() {
    let mut sources = sources();
    connect(&mut sources, BOB, &[(CONTROL, 9), (DATA, 1)]);
    orders(&mut sources);
    sources.stopped(at(0), CONTROL);
    orders(&mut sources);
    let kept = Root::from_bytes([5; 32]);
    sources.ends(at(1), CONTROL, 4, kept);
    assert_eq!(orders(&mut sources), [], "Bob holds another history, or more than is kept");
    sources.opened(at(1), CAROL);
    sources.claimed(at(1), CAROL, CONTROL, 4, kept);
    sources.complete(at(1), CAROL);
    assert_eq!(sources.holders_of(CONTROL, 4, kept).collect::<Vec<_>>(), [CAROL]);
    assert_eq!(orders(&mut sources), [Fetch { peer: CAROL, feed: CONTROL }]);
    sources.led_astray(at(2), CAROL, CONTROL);
    assert_eq!(orders(&mut sources), [Cease { peer: CAROL, feed: CONTROL }]);
    sources.wake(at(12));
    assert_eq!(orders(&mut sources), [Fetch { peer: CAROL, feed: CONTROL }]);
    sources.progressed(at(12), CONTROL, 4);
    assert_eq!(orders(&mut sources), [Cease { peer: CAROL, feed: CONTROL }], "it is whole");
    sources.claimed(at(12), CAROL, CONTROL, 5, kept);
    assert_eq!((sources.claimed_most(&CONTROL), orders(&mut sources)), (0, vec![]));
}

#[test]
fn a_source_that_is_level_with_us_gives_way_to_one_that_claims_more() {
    let mut sources = sources();
    sources.progressed(at(0), DATA, 4);
    connect(&mut sources, BOB, &[(DATA, 4)]);
    assert_eq!(orders(&mut sources), [Fetch { peer: BOB, feed: DATA }]);
    connect(&mut sources, CAROL, &[(DATA, 9)]);
    assert_eq!(orders(&mut sources), [], "Bob may be about to say the same");
    assert_eq!(sources.deadline(), Some(at(2)));
    sources.claimed(at(1), CAROL, DATA, 10, ROOT);
    assert_eq!(sources.deadline(), Some(at(2)), "what goes on elsewhere does not put it off");
    sources.wake(at(2));
    assert_eq!(orders(&mut sources), [Cease { peer: BOB, feed: DATA }, Fetch { peer: CAROL, feed: DATA }]);
}

#[test]
fn a_source_that_catches_up_in_time_is_kept() {
    let mut sources = sources();
    sources.progressed(at(0), DATA, 4);
    connect(&mut sources, BOB, &[(DATA, 4)]);
    orders(&mut sources);
    connect(&mut sources, CAROL, &[(DATA, 9)]);
    assert_eq!(orders(&mut sources), []);
    sources.claimed(at(1), BOB, DATA, 9, ROOT);
    sources.arriving(at(1), BOB, DATA);
    sources.progressed(at(1), DATA, 9);
    assert_eq!((sources.deadline(), sources.source(&DATA)), (None, Some(BOB)));
}
