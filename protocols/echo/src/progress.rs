//! How far each feed has been worked off. Objects are opened at different times, so entries finish out of order; a
//! feed's length is reported when everything below it has.

use std::collections::{BTreeMap, VecDeque};

use weft_crypto::FeedId;

#[derive(Debug, Default)]
struct Feed {
    /// Everything below is handed in (taken or being worked on).
    taken: u64,
    /// Pieces in order: their end and how many of their entries are unfinished.
    pieces: VecDeque<(u64, usize)>,
}

/// Where every feed stands.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    feeds: BTreeMap<FeedId, Feed>,
}

impl Progress {
    /// Starts from what was made durable before.
    pub(crate) fn resumed(processed: Vec<(FeedId, u64)>) -> Self {
        let feeds = processed.into_iter().map(|(feed, taken)| (feed, Feed { taken, pieces: VecDeque::new() }));
        Self { feeds: feeds.collect() }
    }

    /// How much of a feed was handed in.
    pub(crate) fn taken(&self, feed: &FeedId) -> u64 {
        self.feeds.get(feed).map_or(0, |feed| feed.taken)
    }

    /// A piece up to `length` with `entries` mutations was handed in. Nothing when it brings nothing new.
    pub(crate) fn begin(&mut self, feed: FeedId, length: u64, entries: usize) {
        let state = self.feeds.entry(feed).or_default();
        if length > state.taken {
            state.taken = length;
            state.pieces.push_back((length, entries));
        }
    }

    /// The entry `seq` is finished.
    pub(crate) fn finish(&mut self, feed: &FeedId, seq: u64) {
        let pieces = self.feeds.get_mut(feed).map(|state| &mut state.pieces);
        if let Some((_, left)) = pieces.and_then(|pieces| pieces.iter_mut().find(|(end, _)| seq < *end)) {
            *left = left.saturating_sub(1);
        }
    }

    /// The length up to which a feed is finished, if that has grown.
    pub(crate) fn advance(&mut self, feed: &FeedId) -> Option<u64> {
        let pieces = &mut self.feeds.get_mut(feed)?.pieces;
        let mut length = None;
        while let Some(&(end, 0)) = pieces.front() {
            length = Some(end);
            pieces.pop_front();
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_advances_when_everything_below_is_finished() {
        let feed = FeedId::from_bytes([1; 32]);
        let mut progress = Progress::resumed(vec![(feed, 4)]);
        progress.begin(feed, 4, 1);
        assert_eq!(progress.advance(&feed), None);
        progress.begin(feed, 6, 2);
        progress.begin(feed, 9, 1);
        progress.finish(&feed, 8);
        progress.finish(&feed, 4);
        assert_eq!(progress.advance(&feed), None);
        progress.finish(&feed, 5);
        assert_eq!(progress.advance(&feed), Some(9));
        assert_eq!(progress.taken(&feed), 9);
    }
}
