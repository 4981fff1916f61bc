//! How far each feed has been worked off. Objects are opened at different times, so entries finish out of order; what is
//! reported is the length below which everything has, and what has beyond it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use weft_crypto::FeedId;

use crate::io::Processed;

#[derive(Debug, Default)]
struct Feed {
    /// Everything below is handed in (finished or being worked on).
    taken: u64,
    /// Entries below `taken` that are not finished.
    open: BTreeSet<u64>,
    /// Entries that were finished before a restart, beyond what was.
    done: Vec<Range<u64>>,
    /// What was reported last.
    told: (u64, Vec<Range<u64>>),
}

/// Where every feed stands.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    feeds: BTreeMap<FeedId, Feed>,
}

impl Progress {
    /// Starts from what was made durable before.
    pub(crate) fn resumed(processed: Vec<Processed>) -> Self {
        let feed = |Processed { feed, length, beyond }| {
            let told = (length, beyond.clone());
            (feed, Feed { taken: length, open: BTreeSet::new(), done: beyond, told })
        };
        Self { feeds: processed.into_iter().map(feed).collect() }
    }

    /// How much of a feed was handed in.
    pub(crate) fn taken(&self, feed: &FeedId) -> u64 {
        self.feeds.get(feed).map_or(0, |feed| feed.taken)
    }

    /// Everything below this is finished.
    pub(crate) fn done(&self, feed: &FeedId) -> u64 {
        self.feeds.get(feed).map_or(0, |feed| feed.finished().0)
    }

    /// Whether an entry is handed in for the first time: it is in no row yet.
    pub(crate) fn is_fresh(&self, feed: &FeedId, seq: u64) -> bool {
        self.feeds.get(feed).is_none_or(|feed| seq >= feed.taken && !feed.done.iter().any(|done| done.contains(&seq)))
    }

    /// A piece up to `length` was handed in, with these fresh mutations.
    pub(crate) fn begin(&mut self, feed: FeedId, length: u64, entries: impl IntoIterator<Item = u64>) {
        let state = self.feeds.entry(feed).or_default();
        if length > state.taken {
            state.taken = length;
            state.open.extend(entries);
            state.done.retain(|done| done.end > length);
        }
    }

    /// The entry `seq` is finished.
    pub(crate) fn finish(&mut self, feed: &FeedId, seq: u64) {
        if let Some(state) = self.feeds.get_mut(feed) {
            state.open.remove(&seq);
        }
    }

    /// What is finished of a feed, if that has grown.
    pub(crate) fn advance(&mut self, feed: &FeedId) -> Option<Processed> {
        let state = self.feeds.get_mut(feed)?;
        let now = state.finished();
        if now == state.told {
            return None;
        }
        state.told = now;
        let (length, beyond) = state.told.clone();
        Some(Processed { feed: *feed, length, beyond })
    }
}

impl Feed {
    fn finished(&self) -> (u64, Vec<Range<u64>>) {
        let length = self.open.first().copied().unwrap_or(self.taken);
        let ends = self.open.iter().skip(1).copied().chain([self.taken]);
        let between = self.open.iter().map(|open| open + 1).zip(ends).map(|(from, to)| from..to);
        let later = self.done.iter().map(|done| done.start.max(self.taken)..done.end);
        (length, between.chain(later).filter(|range| !range.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEED: FeedId = FeedId::from_bytes([1; 32]);

    fn processed(length: u64, beyond: &[(u64, u64)]) -> Option<Processed> {
        Some(Processed { feed: FEED, length, beyond: beyond.iter().map(|&(from, to)| from..to).collect() })
    }

    #[test]
    fn a_feed_advances_when_everything_below_is_finished() {
        let mut progress = Progress::resumed(vec![Processed { feed: FEED, length: 4, beyond: Vec::new() }]);
        progress.begin(FEED, 4, [3]);
        assert_eq!(progress.advance(&FEED), None);
        progress.begin(FEED, 6, [4, 5]);
        progress.begin(FEED, 9, [8]);
        assert_eq!(progress.advance(&FEED), processed(4, &[(6, 8)]));
        progress.finish(&FEED, 8);
        assert_eq!(progress.advance(&FEED), processed(4, &[(6, 9)]));
        progress.finish(&FEED, 4);
        assert_eq!(progress.advance(&FEED), processed(5, &[(6, 9)]));
        progress.finish(&FEED, 5);
        assert_eq!(progress.advance(&FEED), processed(9, &[]));
        assert_eq!(progress.advance(&FEED), None);
        assert_eq!(progress.taken(&FEED), 9);
    }

    #[test]
    fn what_was_finished_beyond_the_length_is_not_taken_twice() {
        let beyond = vec![5..7, 9..10];
        let mut progress = Progress::resumed(vec![Processed { feed: FEED, length: 4, beyond }]);
        let fresh: Vec<u64> = (0..12).filter(|seq| progress.is_fresh(&FEED, *seq)).collect();
        assert_eq!(fresh, [4, 7, 8, 10, 11]);
        progress.begin(FEED, 8, [4, 7]);
        assert_eq!(progress.advance(&FEED), None, "nothing has grown");
        progress.finish(&FEED, 4);
        assert_eq!(progress.advance(&FEED), processed(7, &[(9, 10)]));
    }
}
