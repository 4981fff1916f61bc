//! Objects that ECHO makes again: their entries, on their way from the disk.
//!
//! One object at a time, in pieces. Of each feed one stretch is kept at hand, since the entries of an object alternate between
//! its authors; so what is at hand is bounded by how many they are, not by how much they wrote.

use std::collections::{BTreeMap, VecDeque};

use weft_crypto::{FeedId, ObjectId};
use weft_feed::Run;

use crate::io::Ticket;

/// How much of a feed is read at a time, in bytes. 256 KiB: what a signed head of small entries covers, twice.
pub(crate) const STRETCH_BYTES: usize = 256 << 10;

/// An object that waits for entries.
#[derive(Debug)]
pub(crate) struct Reread {
    pub(crate) object: ObjectId,
    pub(crate) entries: VecDeque<(FeedId, u64)>,
    at_hand: BTreeMap<FeedId, Vec<Run>>,
}

/// What is under way for the first of them.
#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Nothing,
    Reading(Ticket),
    Opening(Ticket),
}

/// Objects that wait for entries, the first one first.
#[derive(Debug, Default)]
pub(crate) struct Rereads {
    queue: VecDeque<Reread>,
    stage: Stage,
}

impl Rereads {
    pub(crate) fn push(&mut self, object: ObjectId, entries: Vec<(FeedId, u64)>) {
        self.queue.push_back(Reread { object, entries: entries.into(), at_hand: BTreeMap::new() });
    }

    /// The rows are dropped: nobody waits any more, and what comes back is not waited for.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The object whose turn it is, if nothing is under way for it.
    pub(crate) fn turn(&mut self) -> Option<&mut Reread> {
        if self.stage == Stage::Nothing { self.queue.front_mut() } else { None }
    }

    pub(crate) fn reading(&mut self, ticket: Ticket) {
        self.stage = Stage::Reading(ticket);
    }

    pub(crate) fn opening(&mut self, ticket: Ticket) {
        self.stage = Stage::Opening(ticket);
    }

    /// A stretch of a feed came from the disk.
    pub(crate) fn was_read(&mut self, ticket: Ticket, feed: FeedId, runs: Vec<Run>) {
        if self.stage == Stage::Reading(ticket)
            && let Some(reread) = self.queue.front_mut()
        {
            reread.at_hand.insert(feed, runs);
            self.stage = Stage::Nothing;
        }
    }

    /// Entries are opened: the object they are for, and whether they are its last.
    pub(crate) fn opened(&mut self, ticket: Ticket) -> Option<(ObjectId, bool)> {
        if self.stage != Stage::Opening(ticket) {
            return None;
        }
        self.stage = Stage::Nothing;
        let reread = self.queue.front()?;
        let (object, last) = (reread.object, reread.entries.is_empty());
        if last {
            self.queue.pop_front();
        }
        Some((object, last))
    }
}

impl Reread {
    /// The next entries that are at hand and released, up to `bytes_max` and at least one: neighbours in a feed together.
    pub(crate) fn take(&mut self, bytes_max: usize, released: impl Fn(&FeedId) -> u64) -> Vec<(FeedId, Run)> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < bytes_max
            && let Some((feed, from)) = self.entries.front().copied()
            && let Some(run) = self.at_hand.get(&feed).and_then(|runs| run_of(runs, from))
            && from < released(&feed)
        {
            let (mut to, end) = (from, run.end().min(released(&feed)));
            while to < end && self.entries.front() == Some(&(feed, to)) {
                self.entries.pop_front();
                to += 1;
            }
            let piece = run.slice(from, to);
            bytes += piece.bytes();
            taken.push((feed, piece));
        }
        taken
    }
}

fn run_of(runs: &[Run], seq: u64) -> Option<&Run> {
    runs.iter().find(|run| (run.from()..run.end()).contains(&seq))
}
