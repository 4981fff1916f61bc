//! Membership → what is taken of feeds that stand up to a cut only → sources and sessions.
//!
//! Spec: PEER-12

use std::collections::BTreeMap;

use weft_crypto::{FeedId, Purpose};

use crate::room::{Effect, Room, quarantine::Cut};

/// Looks again which feeds are cut when the resolution has changed, and takes more of one where an entry waits for it.
pub(crate) fn pump(room: &mut Room) {
    if std::mem::take(&mut room.quarantine.stale) {
        look_again(room);
    }
    if room.quarantine.cuts.is_empty() {
        return;
    }
    let mut wanted = Vec::new();
    for waits in room.data_order.waiting().chain(room.control_order.waiting()) {
        let cuts = &room.quarantine.cuts;
        let counts = cuts.get(&waits.feed).is_none_or(|cut| waits.seq < cut.stands);
        if counts && cuts.get(&waits.on.feed).is_some_and(|cut| cut.acknowledged < waits.on.length) {
            wanted.push((waits.on.feed, waits.on.length));
        }
    }
    for (feed, length) in wanted {
        let cut = room.quarantine.cuts.get_mut(&feed).expect("just found");
        cut.acknowledged = cut.acknowledged.max(length);
        if std::mem::take(&mut cut.full) {
            room.sources.full(feed, false);
        }
    }
}

fn look_again(room: &mut Room) {
    let resolution = room.membership.resolution();
    let mut cuts = BTreeMap::new();
    for (feed, admitted) in resolution.feeds() {
        // Of these everybody holds just what is kept.
        if resolution.fork(&feed).is_some_and(|fork| fork.kept.is_some()) {
            continue;
        }
        let (Some(stands), Some(entry)) = (resolution.stands(&feed), room.ledger.get(&feed)) else { continue };
        let (length, bytes) = (entry.ordered, entry.tree.byte_length());
        let cut = Cut { identity: admitted.identity, stands, acknowledged: 0, length, bytes, full: false };
        cuts.insert(feed, cut);
    }
    if !cuts.is_empty() {
        acknowledge(room, &mut cuts);
    }
    for (feed, cut) in &mut cuts {
        // How much of its bytes lie past the cut is counted from when it is known; of what was there before its share is taken.
        cut.bytes = room.quarantine.cuts.get(feed).map_or_else(|| cut.share_of(cut.bytes), |before| before.bytes);
    }
    let before = std::mem::replace(&mut room.quarantine.cuts, cuts);
    for (feed, cut) in &before {
        if cut.full {
            room.sources.full(*feed, false);
        }
        if !room.quarantine.cuts.contains_key(feed) {
            stand(room, *feed, None);
        }
    }
    let cuts: Vec<(FeedId, u64)> = room.quarantine.cuts.iter().map(|(feed, cut)| (*feed, cut.stands)).collect();
    for (feed, stands) in cuts {
        stand(room, feed, Some(stands));
    }
}

/// Sessions need not differ over what lies past a cut.
fn stand(room: &mut Room, feed: FeedId, stands: Option<u64>) {
    if let Some(entry) = room.ledger.get_mut(&feed)
        && entry.stands != stands
    {
        entry.stands = stands;
        room.effects.push_back(Effect::Stands(feed, stands));
    }
}

/// How far the entries that count have seen each feed that is cut.
fn acknowledge(room: &Room, cuts: &mut BTreeMap<FeedId, Cut>) {
    let stand: BTreeMap<FeedId, u64> = cuts.iter().map(|(feed, cut)| (*feed, cut.stands)).collect();
    for (other, entry) in room.ledger.iter().filter(|(_, entry)| entry.admitted) {
        let order = if entry.manifest.purpose == Purpose::Control { &room.control_order } else { &room.data_order };
        let length = order.released(other).min(stand.get(other).copied().unwrap_or(u64::MAX));
        let Some(past) = order.past_at(other, length) else { continue };
        for (feed, cut) in cuts.iter_mut().filter(|(feed, _)| *feed != other) {
            cut.acknowledged = cut.acknowledged.max(past.get(feed));
        }
    }
}
