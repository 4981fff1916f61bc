//! What two peers hold of one space, as far as each has said: whether that is the same, and since when it is not.
//!
//! Spec: REPLICATION-9.1

use std::collections::{BTreeMap, BTreeSet};

use weft_crypto::{FeedId, SpaceId};
use weft_machine::Time;

use crate::message::Point;

#[derive(Debug, Default)]
pub(crate) struct Pair {
    /// Durable here; feeds of length 0 are not in it.
    ours: BTreeMap<FeedId, Point>,
    /// What the peer claims, of admitted feeds and of others.
    theirs: BTreeMap<FeedId, Point>,
    /// Feeds that are cut, and up to where they stand.
    stand: BTreeMap<FeedId, u64>,
    /// The feeds in which the two differ.
    apart: BTreeSet<FeedId>,
    /// Whether the peer's first list is whole.
    pub(crate) complete: bool,
    /// The space, when its door is open here; claims may come a moment before.
    pub(crate) space: Option<SpaceId>,
    /// What was last said about being level.
    pub(crate) told: bool,
    /// When the two ceased to be level.
    pub(crate) apart_since: Time,
    /// When anything last moved while they were not.
    pub(crate) moved: Time,
}

impl Pair {
    pub(crate) fn ours(&self, feed: &FeedId) -> Option<Point> {
        self.ours.get(feed).copied()
    }

    pub(crate) fn theirs(&self, feed: &FeedId) -> Option<Point> {
        self.theirs.get(feed).copied()
    }

    pub(crate) fn held(&self) -> Vec<(FeedId, Point)> {
        self.ours.iter().map(|(feed, point)| (*feed, *point)).collect()
    }

    pub(crate) fn claims(&self) -> usize {
        self.theirs.len()
    }

    /// The feeds in which the two differ, with how much we and they hold.
    pub(crate) fn apart(&self) -> impl Iterator<Item = (FeedId, u64, u64)> + '_ {
        let length = |point: Option<Point>| point.map_or(0, |point| point.length);
        self.apart.iter().map(move |feed| (*feed, length(self.ours(feed)), length(self.theirs(feed))))
    }

    pub(crate) fn hold(&mut self, now: Time, feed: FeedId, point: Point) {
        if self.ours.insert(feed, point) != Some(point) {
            self.compare(now, feed);
        }
    }

    pub(crate) fn claim(&mut self, now: Time, feed: FeedId, point: Point) {
        if self.theirs.insert(feed, point) != Some(point) {
            self.compare(now, feed);
        }
    }

    /// Level: the peer's list is whole, and every feed has one length and one root on both sides.
    pub(crate) fn level(&self) -> bool {
        self.space.is_some() && self.complete && self.apart.is_empty()
    }

    /// The level to be told, if it changed.
    pub(crate) fn change(&mut self) -> Option<bool> {
        let level = self.level();
        (level != self.told).then(|| {
            self.told = level;
            level
        })
    }

    /// Up to where a feed stands.
    pub(crate) fn stand(&mut self, now: Time, feed: FeedId, stands: Option<u64>) {
        let before = match stands {
            Some(stands) => self.stand.insert(feed, stands),
            None => self.stand.remove(&feed),
        };
        if before != stands {
            self.compare(now, feed);
        }
    }

    /// Whether both hold all that stands of a feed that is cut.
    fn have_what_stands(&self, feed: &FeedId) -> bool {
        let holds = |point: Option<Point>, stands| point.map_or(0, |point| point.length) >= stands;
        self.stand.get(feed).is_some_and(|stands| holds(self.ours(feed), *stands) && holds(self.theirs(feed), *stands))
    }

    fn compare(&mut self, now: Time, feed: FeedId) {
        if self.apart.is_empty() {
            self.apart_since = now;
        }
        self.moved = now;
        if self.ours(&feed) == self.theirs(&feed) || self.have_what_stands(&feed) {
            self.apart.remove(&feed);
        } else {
            self.apart.insert(feed);
        }
    }
}
