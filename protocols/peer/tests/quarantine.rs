//! Who was removed goes on writing: what is taken of it is bounded, but for what others built on.

use std::time::Duration;

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{DeviceId, FeedId, Purpose, SpaceId};
use weft_peer::{Answer, Command, command::Act};

use crate::{
    members::{all, feeds, remove},
    net::Net,
    spaces::{append, level},
};

fn flood(net: &mut Net, at: DeviceId, space: SpaceId, entries: usize, bytes: usize) {
    let mut left = entries;
    while left > 0 {
        let count = left.min((1 << 20) / (bytes + 256)).max(1);
        let records = vec![Bytes::from(vec![b'x'; bytes]); count];
        net.answer(at, Command::Append { space, records }).unwrap();
        left -= count;
    }
}

fn own_data(net: &mut Net, at: DeviceId, space: SpaceId) -> FeedId {
    feeds(net, at, space).into_iter().find(|feed| feed.mine && feed.purpose == Purpose::Data).unwrap().feed
}

/// How many entries and bytes of a feed are held.
fn held(net: &mut Net, at: DeviceId, space: SpaceId, feed: FeedId) -> (u64, u64) {
    let feeds = feeds(net, at, space);
    let feed = feeds.iter().find(|status| status.feed == feed).unwrap();
    (feed.length, feed.byte_length)
}

struct Flooded {
    net: Net,
    space: SpaceId,
    alice: DeviceId,
    carol: DeviceId,
    feed: FeedId,
    cut: u64,
}

/// Carol has not heard that alice removed bob, and takes whatever he writes.
fn flooded(entries: usize, bytes: usize) -> Flooded {
    let mut net = Net::new();
    let (devices, space) = all(&mut net, &[("bob", Role::Writer), ("carol", Role::Writer)]);
    let [alice, bob, carol] = devices[..] else { unreachable!() };
    let feed = own_data(&mut net, bob, space);
    net.connect(bob, carol);
    net.advance(Duration::from_secs(5));
    for other in [bob, carol] {
        net.disconnect(alice, other);
    }
    remove(&mut net, alice, space, "bob").unwrap();
    let (cut, _) = held(&mut net, alice, space, feed);
    flood(&mut net, bob, space, entries, bytes);
    net.advance(Duration::from_secs(5));
    assert_eq!(held(&mut net, carol, space, feed).0, cut + entries as u64);
    net.disconnect(bob, carol);
    net.connect(alice, carol);
    net.advance(Duration::from_secs(10));
    Flooded { net, space, alice, carol, feed, cut }
}

/// Spec: PEER-12
#[test]
fn of_who_was_removed_ten_thousand_entries_are_taken_and_what_others_built_on() {
    let Flooded { mut net, space, alice, carol, feed, cut } = flooded(11_000, 8);
    let (taken, _) = held(&mut net, alice, space, feed);
    assert!(taken > cut && taken <= cut + 10_000, "{taken}");
    assert!(level(&mut net, alice, space) && level(&mut net, carol, space), "they need not differ over it");
    append(&mut net, carol, space, "I have seen all of it");
    net.advance(Duration::from_secs(10));
    assert_eq!(
        held(&mut net, alice, space, feed).0,
        cut + 11_000,
        "what she has seen comes, or she would wait for ever"
    );
    assert!(level(&mut net, alice, space));
}

/// Where records of a feed are read.
fn records(net: &mut Net, at: DeviceId, space: SpaceId, feed: FeedId) -> Vec<u64> {
    let command = Command::Records { space, feed, from: 0, entries_max: 100 };
    let Ok(Answer::Records { records, .. }) = net.answer(at, command) else { panic!("records are read") };
    records.into_iter().map(|(seq, _)| seq).collect()
}

/// Spec: PEER-7, SPACE-11.2
#[test]
fn of_who_was_removed_no_record_past_the_cut_is_read_before_the_cut_is_raised() {
    let Flooded { mut net, space, alice, carol, feed, cut } = flooded(3, 8);
    assert_eq!(held(&mut net, alice, space, feed).0, cut + 3, "they are held");
    for at in [alice, carol] {
        assert!(records(&mut net, at, space, feed).into_iter().all(|seq| seq < cut));
    }
    let Ok(Answer::Quarantine(held)) = net.answer(alice, Command::Quarantine { space }) else { panic!("a list") };
    let act = held.iter().find(|held| held.feed == feed).unwrap().acts[0].act;
    net.answer(alice, Command::Act { space, act: Act::RaiseCut { act, feeds: vec![feed] } }).unwrap();
    net.advance(Duration::from_secs(5));
    for at in [alice, carol] {
        let read = records(&mut net, at, space, feed);
        assert_eq!(read.into_iter().filter(|seq| *seq >= cut).collect::<Vec<_>>(), [cut, cut + 1, cut + 2]);
    }
}

/// Spec: PEER-12
#[test]
fn of_who_was_removed_so_many_bytes_are_taken() {
    let Flooded { mut net, space, alice, carol, feed, cut } = flooded(80, (1 << 20) - 1_024);
    let (taken, bytes) = held(&mut net, alice, space, feed);
    assert!(taken > cut && bytes < (64 << 20) + 65_536, "{taken} entries, {bytes} bytes");
    assert!(level(&mut net, alice, space));
    // What is held is served, and after a restart nothing more is taken either.
    net.restart(alice);
    net.connect(alice, carol);
    net.advance(Duration::from_secs(10));
    let (_, again) = held(&mut net, alice, space, feed);
    assert!(again < (65 << 20), "{again} bytes");
    assert!(level(&mut net, alice, space));
}
