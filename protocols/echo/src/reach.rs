//! The clock index of an object: which clock each session had reached after each of its entries, and which of those
//! entries were not integrated.
//!
//! It answers the question of ECHO-4.1, "how far had that session come in the causal past of this entry?",
//! for any past, so it keeps every step. A step is 16 bytes in memory and two or three in a page on disk.
//!
//! Spec: ECHO-3.4, ECHO-4.1, ECHO-4.2

use std::collections::BTreeMap;

use weft_crypto::FeedId;
use weft_feed::past::Past;

use crate::inspect::Reached;

/// One entry that moved its session's clock, or a gap before one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The entry's place in the feed.
    pub(crate) seq: u64,
    /// The clock after it.
    pub(crate) end: u32,
    /// Its text stands in the document (shown or hollow).
    pub(crate) integrated: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) feed: FeedId,
    pub(crate) session: u64,
    steps: Vec<Step>,
}

/// All sessions that have written text into one object, by client id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracks {
    by_client: BTreeMap<u64, Track>,
    steps: usize,
}

impl Tracks {
    /// The clock that a session has reached, over all its well-formed entries.
    pub(crate) fn end(&self, client: u64) -> u32 {
        self.by_client.get(&client).and_then(|track| track.steps.last()).map_or(0, |step| step.end)
    }

    /// The newest entry that moved a session's clock.
    pub(crate) fn last_seq(&self, client: u64) -> Option<u64> {
        self.by_client.get(&client).and_then(|track| track.steps.last()).map(|step| step.seq)
    }

    /// Whether another session has this client id.
    pub(crate) fn is_taken(&self, client: u64, feed: &FeedId, session: u64) -> bool {
        self.by_client.get(&client).is_some_and(|track| track.feed != *feed || track.session != session)
    }

    /// Whose client id it is.
    pub(crate) fn owner(&self, client: u64) -> Option<&Track> {
        self.by_client.get(&client)
    }

    /// Adds an entry that moved the clock of a session which [`Tracks::is_taken`] allows.
    pub(crate) fn push(&mut self, client: u64, feed: FeedId, session: u64, step: Step) {
        let track = self.by_client.entry(client).or_insert_with(|| Track { feed, session, steps: Vec::new() });
        debug_assert!(track.steps.last().is_none_or(|last| last.seq <= step.seq && last.end < step.end), "steps rise");
        track.steps.push(step);
        self.steps += 1;
    }

    /// How many steps are kept.
    pub(crate) fn len(&self) -> usize {
        self.steps
    }

    /// What the entry `seq` of `feed` may refer to.
    pub(crate) fn in_past_of<'a>(&'a self, feed: &'a FeedId, seq: u64, past: &'a Past) -> InPast<'a> {
        InPast { tracks: self, feed, seq, past }
    }
}

/// [`Tracks`] as far as one entry's causal past reaches.
pub(crate) struct InPast<'a> {
    tracks: &'a Tracks,
    feed: &'a FeedId,
    seq: u64,
    past: &'a Past,
}

impl InPast<'_> {
    /// Whether entry `seq` of `feed` is in the past.
    pub(crate) fn holds(&self, feed: &FeedId, seq: u64) -> bool {
        seq < self.length(feed)
    }

    fn length(&self, feed: &FeedId) -> u64 {
        if feed == self.feed { self.seq } else { self.past.get(feed) }
    }
}

/// Everything that was handed in: the past of an entry that is written here now.
impl Reached for Tracks {
    fn reached(&self, client: u64) -> u32 {
        self.end(client)
    }

    fn absent(&self, client: u64, from: u32, to: u32) -> Option<u32> {
        let track = self.by_client.get(&client)?;
        let first = track.steps.partition_point(|step| step.end <= from);
        let mut start = first.checked_sub(1).map_or(0, |before| track.steps[before].end);
        for step in &track.steps[first..] {
            if start >= to {
                break;
            }
            if !step.integrated {
                return Some(start.max(from));
            }
            start = step.end;
        }
        None
    }
}

impl Reached for InPast<'_> {
    fn reached(&self, client: u64) -> u32 {
        let Some(track) = self.tracks.by_client.get(&client) else { return 0 };
        let length = self.length(&track.feed);
        let steps = track.steps.partition_point(|step| step.seq < length);
        steps.checked_sub(1).map_or(0, |last| track.steps[last].end)
    }

    fn absent(&self, client: u64, from: u32, to: u32) -> Option<u32> {
        self.tracks.absent(client, from, to)
    }
}
