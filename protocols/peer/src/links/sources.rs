//! Sources → sessions: who is asked for what.

use weft_crypto::{FeedId, Purpose};
use weft_machine::Time;
use weft_replication::sources::Order;

use crate::room::{Effect, Room};

/// A feed that is held can be fetched.
pub(crate) fn admitted(room: &mut Room, now: Time, feed: FeedId) {
    let entry = room.ledger.get(&feed).expect("admitted feeds are known");
    let control = entry.manifest.purpose == Purpose::Control;
    room.sources.admitted(now, feed, entry.manifest.device, control, entry.tree.length());
    if entry.stopped.is_some() {
        room.sources.stopped(now, feed);
    }
}

/// Tells sessions what to fetch.
pub(crate) fn pump(room: &mut Room) {
    // What the store would refuse is not fetched before it is tried again.
    if room.store_failed.is_some() {
        return;
    }
    while let Some(order) = room.sources.poll() {
        let effect = match order {
            Order::Fetch { peer, feed } => Effect::Fetch(peer, feed),
            Order::Cease { peer, feed } => Effect::Cease(peer, feed),
        };
        room.effects.push_back(effect);
    }
}
