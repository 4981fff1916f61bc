//! Which epochs count, by the control entries on a disk, and who wrote under one that does not.
//!
//! A member writes under the newest epoch that it knows. If whoever began it was removed meanwhile, the epoch does not count, and neither
//! does what is sealed under it (SPACE-8.1): it was acknowledged, and nobody is to miss it.

use std::collections::{BTreeMap, BTreeSet};

use weft_crypto::{EpochId, Purpose, SpaceId};
use weft_feed::{
    entry_id, leaf,
    order::{Config, Order, OrderOutput},
    past::History,
};
use weft_space::{ControlEntry, Space};

use crate::{network::Host, store::Content, world::World};

/// How many data entries of each host are sealed under an epoch that does not count in the end, as the founder knows it.
#[must_use]
pub fn sealed_in_vain(world: &World) -> BTreeMap<Host, usize> {
    let Some(space) = world.space() else { return BTreeMap::new() };
    let content = world.hosts[0].store.content();
    let counting = counting(content, space);
    let mut found = BTreeMap::new();
    for (_, feed) in content.feeds().filter(|(_, feed)| feed.space == space) {
        let manifest = feed.manifest().filter(|manifest| manifest.purpose == Purpose::Data);
        let Some(host) = manifest.and_then(|manifest| world.host_of(&manifest.device)) else { continue };
        let runs = feed.ranges.iter().flat_map(|range| &range.runs);
        let epochs = runs.flat_map(weft_feed::Run::entries).filter_map(|entry| entry.header.epoch());
        let in_vain = epochs.filter(|epoch| !counting.contains(epoch)).count();
        if in_vain > 0 {
            found.insert(host, in_vain);
        }
    }
    found
}

fn counting(content: &Content, space: SpaceId) -> BTreeSet<EpochId> {
    let mut order = Order::new(Config::default());
    let control = content.feeds().filter(|(_, feed)| {
        feed.space == space && feed.manifest().is_some_and(|manifest| manifest.purpose == Purpose::Control)
    });
    for (id, feed) in control {
        order.admit(*id, 0, History::new());
        for run in feed.ranges.iter().flat_map(|range| &range.runs) {
            order.extended(*id, feed.length(), Some(run.clone()));
        }
        if let Some(range) = feed.ranges.last() {
            order.known(*id, range.head.length, range.head.root);
        }
    }
    let mut entries = Vec::new();
    while let Some(output) = order.poll() {
        match output {
            OrderOutput::Released(released) => {
                for entry in released.run.entries() {
                    let place = released.past.partition_point(|(from, _)| *from <= entry.seq);
                    let past = (*released.past[place - 1].1).clone();
                    let id = entry_id(&released.feed, entry.seq, &leaf(entry.header.bytes()));
                    let body = released.run.share(entry.body.expect("control bodies are always here"));
                    let named = entry.header.deps().map(|dep| (dep.feed, dep.length)).collect();
                    let read = ControlEntry::read(&space, released.feed, entry.seq, id, past, &body);
                    entries.push(read.naming(named));
                }
            }
            OrderOutput::Need { feed, .. } => {
                let runs = content.feeds().find(|(id, _)| **id == feed).map(|(_, feed)| feed);
                let runs = runs.into_iter().flat_map(|feed| &feed.ranges).flat_map(|range| range.runs.iter().cloned());
                let released = order.released(&feed);
                order.supply(feed, runs.filter(|run| run.end() > released).collect());
            }
            OrderOutput::Refused { .. } | OrderOutput::Contradicted { .. } => {}
        }
    }
    let mut membership = Space::new(space);
    membership.insert(entries);
    membership.resolution().epochs().into_iter().map(|epoch| epoch.id).collect()
}
