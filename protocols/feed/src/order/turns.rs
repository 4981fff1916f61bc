//! Feeds that want something, each in its turn.

use std::{collections::BTreeSet, ops::Bound};

use weft_crypto::FeedId;

/// A set of feeds that gives them round and round, in the order of their ids.
#[derive(Debug)]
pub(super) struct Turns {
    feeds: BTreeSet<FeedId>,
    last: FeedId,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { feeds: BTreeSet::new(), last: FeedId::from_bytes([0; 32]) }
    }

    pub(super) fn insert(&mut self, feed: FeedId) {
        self.feeds.insert(feed);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.feeds.is_empty()
    }

    /// Takes the one after the one that was taken last.
    pub(super) fn next(&mut self) -> Option<FeedId> {
        let after = (Bound::Excluded(self.last), Bound::Unbounded);
        let feed = *self.feeds.range(after).next().or(self.feeds.first())?;
        self.feeds.remove(&feed);
        self.last = feed;
        Some(feed)
    }
}
