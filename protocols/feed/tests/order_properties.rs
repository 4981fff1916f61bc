//! Several devices write, hear of each other in any order, with little memory; their orders are compared with pasts found
//! by walking.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use weft_crypto::{Dep, FeedId, Purpose};
use weft_feed::{
    Past, Run, VerifiedRange,
    acknowledged::Acknowledged,
    order::{Config, Order, OrderOutput},
    past::History,
};

use crate::authors::{Author, author, record};

const DEVICES: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    /// A device writes so many entries at once.
    Write(usize, usize),
    /// A device stores the next range of another one's feed, with or without handing its runs over.
    Deliver(usize, usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..DEVICES, 1..4usize).prop_map(|(who, count)| Step::Write(who, count)),
        (0..DEVICES, 0..DEVICES, any::<bool>()).prop_map(|(to, from, run)| Step::Deliver(to, from, run)),
        (0..DEVICES, 0..DEVICES, any::<bool>()).prop_map(|(to, from, run)| Step::Deliver(to, from, run)),
    ]
}

struct Device {
    author: Author,
    order: Order,
    news: Acknowledged,
    /// Ranges of each device's feed that are stored here.
    stored: [usize; DEVICES],
    /// Rows kept for each feed.
    rows: BTreeMap<FeedId, Vec<Vec<u8>>>,
}

#[derive(Default)]
struct World {
    ranges: Vec<Vec<VerifiedRange>>,
    /// The past of each entry, found by walking.
    pasts: BTreeMap<(FeedId, u64), BTreeMap<FeedId, u64>>,
}

fn raise(past: &mut BTreeMap<FeedId, u64>, feed: FeedId, length: u64) {
    let known = past.entry(feed).or_default();
    *known = length.max(*known);
}

impl World {
    fn note(&mut self, run: &Run, feed: FeedId) {
        for entry in run.entries() {
            let mut past = entry.seq.checked_sub(1).map(|last| self.pasts[&(feed, last)].clone()).unwrap_or_default();
            let deps: Vec<Dep> = entry.header.deps().collect();
            for dep in &deps {
                let theirs = self.pasts[&(dep.feed, dep.length - 1)].clone();
                assert!(past.get(&dep.feed).is_none_or(|known| *known < dep.length), "deps are news");
                let covered =
                    |other: &&Dep| self.pasts[&(other.feed, other.length - 1)].get(&dep.feed) >= Some(&dep.length);
                assert!(
                    !deps.iter().filter(|other| other.feed != dep.feed).any(|other| covered(&other)),
                    "deps are reduced"
                );
                theirs
                    .into_iter()
                    .filter(|(known, _)| *known != feed)
                    .for_each(|(known, length)| raise(&mut past, known, length));
            }
            deps.iter().for_each(|dep| raise(&mut past, dep.feed, dep.length));
            self.pasts.insert((feed, entry.seq), past);
        }
    }

    fn past(&self, feed: FeedId, seq: u64) -> Past {
        self.pasts[&(feed, seq)].iter().map(|(feed, length)| (*feed, *length)).collect()
    }

    /// Stores the next range of `from` at a device.
    fn deliver(&self, device: &mut Device, from: usize, hand_over: bool) {
        let Some(range) = self.ranges[from].get(device.stored[from]) else { return };
        device.stored[from] += 1;
        device.order.known(range.feed(), range.end(), range.head().root);
        if hand_over {
            range.runs().iter().for_each(|run| device.order.extended(range.feed(), range.end(), Some(run.clone())));
        } else {
            device.order.extended(range.feed(), range.end(), None);
        }
        self.drain(device);
    }

    fn drain(&self, device: &mut Device) {
        while let Some(output) = device.order.poll() {
            match output {
                OrderOutput::Need { feed, from, .. } => {
                    let runs =
                        self.ranges.iter().flatten().filter(|range| range.feed() == feed).flat_map(VerifiedRange::runs);
                    let run = runs.filter(|run| run.end() > from).take(1).cloned().collect();
                    device.order.supply(feed, run);
                }
                OrderOutput::Released(released) => {
                    let feed = released.feed;
                    for entry in released.run.entries() {
                        let piece = released.past.iter().rfind(|(seq, _)| *seq <= entry.seq).unwrap();
                        assert_eq!(*piece.1, self.past(feed, entry.seq), "the past is the one found by walking");
                        let sum: u64 = piece.1.iter().map(|(_, length)| length).sum();
                        assert_eq!(piece.1.total(), sum, "a past knows how many entries it has");
                        for (other, length) in piece.1.iter() {
                            assert!(device.order.released(&other) >= length, "nothing comes before its past");
                        }
                    }
                    if !released.changes.is_empty() {
                        device.rows.entry(feed).or_default().push(released.changes.to_vec());
                    }
                    if let Some(head) = released.head {
                        let past = device.order.past_at(&feed, head.length).unwrap();
                        device.news.heard(head, past);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Spec: FEED-6.2, FEED-6.3
    #[test]
    fn every_device_comes_to_the_same_pasts(steps in vec(step(), 1..120), memory in prop_oneof![Just(0), Just(400), Just(1 << 20)]) {
        let config = Config { pending_bytes_max: memory, read_bytes_max: 100, reads_max: 2, heads_max: 8 };
        let authors: Vec<Author> = (0..DEVICES).map(|number| author(number as u8, Purpose::Data)).collect();
        let feeds: Vec<FeedId> = authors.iter().map(Author::feed).collect();
        let mut world = World { ranges: vec![Vec::new(); DEVICES], ..World::default() };
        let mut devices: Vec<Device> = authors
            .into_iter()
            .map(|author| {
                let mut order = Order::new(config.clone());
                feeds.iter().for_each(|feed| order.admit(*feed, 0, History::new()));
                let news = Acknowledged::new(author.feed(), Past::new());
                Device { author, order, news, stored: [0; DEVICES], rows: BTreeMap::new() }
            })
            .collect();

        for step in steps {
            match step {
                Step::Write(who, count) => {
                    let device = &mut devices[who];
                    let mut deps = device.news.take().deps;
                    let entries = (0..count).map(|n| record(std::mem::take(&mut deps), format!("entry {n}"))).collect();
                    let range = device.author.write(entries);
                    range.runs().iter().for_each(|run| world.note(run, range.feed()));
                    world.ranges[who].push(range);
                    world.deliver(&mut devices[who], who, true);
                }
                Step::Deliver(to, from, hand_over) if to != from => world.deliver(&mut devices[to], from, hand_over),
                Step::Deliver(..) => {}
            }
        }
        for device in &mut devices {
            for from in 0..DEVICES {
                while device.stored[from] < world.ranges[from].len() {
                    world.deliver(device, from, from % 2 == 0);
                }
            }
            prop_assert_eq!(device.order.waiting().count(), 0);
            for (feed, ranges) in feeds.iter().zip(&world.ranges) {
                let length = ranges.last().map_or(0, VerifiedRange::end);
                prop_assert_eq!(device.order.released(feed), length, "everything is released in the end");

                // A node that opens again goes on from the rows.
                let rows = device.rows.get(feed).map(Vec::as_slice).unwrap_or_default();
                let restored = History::restore(rows.iter().map(Vec::as_slice)).unwrap();
                let mut again = Order::new(config.clone());
                again.admit(*feed, length, restored);
                prop_assert_eq!(again.named(feed), device.order.named(feed));
                for at in 1..=length {
                    let mut past = world.past(*feed, at - 1);
                    past.raise(*feed, at);
                    prop_assert_eq!(&*device.order.past_at(feed, at).unwrap(), &past);
                    prop_assert_eq!(&*again.past_at(feed, at).unwrap(), &past);
                }
            }
        }
    }
}
