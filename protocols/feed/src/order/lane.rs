//! One feed in an order: how far it is released, and what of it waits.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use weft_crypto::{Dep, FeedId, Root};

use crate::{
    past::{History, Past},
    run::Run,
};

/// What a feed waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocked {
    pub(super) seq: u64,
    pub(super) on: Dep,
    /// How much of it.
    pub(super) reach: u64,
}

#[derive(Debug)]
pub(super) struct Lane {
    /// Entries released: the next one is at this place.
    pub(super) released: u64,
    /// Entries held durably.
    pub(super) held: u64,
    /// Where the feed ends for good: at a fork, or at an entry that broke a rule.
    pub(super) stop: Option<u64>,
    pub(super) blocked: Option<Blocked>,
    /// Of deps that turned out to mean another history of the feed that they name: which entry's, of which feed, and how much is in its past.
    pub(super) meant: BTreeMap<(u64, FeedId), u64>,
    /// A read is under way.
    pub(super) asked: bool,
    pub(super) history: History,
    /// The past that the next entry inherits.
    pub(super) past: Arc<Past>,
    pub(super) heads: Heads,
    /// Contiguous runs from `released` on.
    queue: VecDeque<Run>,
}

impl Lane {
    pub(super) fn new(released: u64, history: History) -> Self {
        let past = Arc::new(released.checked_sub(1).map_or_else(Past::new, |last| history.before(last)));
        Self {
            released,
            held: released,
            stop: None,
            blocked: None,
            meant: BTreeMap::new(),
            asked: false,
            history,
            past,
            heads: Heads::default(),
            queue: VecDeque::new(),
        }
    }

    /// Whether an entry that names this length of the feed need not wait.
    ///
    /// Spec: FEED-6.2
    pub(super) fn satisfies(&self, length: u64) -> bool {
        self.released >= self.stop.map_or(length, |stop| stop.min(length))
    }

    /// How much of the feed that it names an entry's dep can have in its past.
    pub(super) fn reach(&self, seq: u64, dep: &Dep) -> u64 {
        self.meant.get(&(seq, dep.feed)).map_or(dep.length, |meant| dep.length.min(*meant))
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| self.released >= stop)
    }

    /// Whether its next entries are held, could be looked at, and are not in memory.
    pub(super) fn is_hungry(&self) -> bool {
        self.queue.is_empty() && self.blocked.is_none() && !self.asked && self.released < self.limit()
    }

    fn limit(&self) -> u64 {
        self.stop.map_or(self.held, |stop| stop.min(self.held))
    }

    /// Keeps what of a run continues the queue; gives the bytes added.
    pub(super) fn push(&mut self, run: &Run) -> usize {
        let next = self.queue.back().map_or(self.released, Run::end);
        let end = run.end().min(self.stop.unwrap_or(u64::MAX));
        if run.from() > next || end <= next {
            return 0;
        }
        let piece = run.slice(next, end);
        let bytes = piece.bytes();
        self.queue.push_back(piece);
        bytes
    }

    /// The next run to look at, unless the feed waits.
    pub(super) fn next(&mut self) -> Option<Run> {
        if self.blocked.is_some() { None } else { self.queue.pop_front() }
    }

    /// Puts back what of a run could not be released yet.
    pub(super) fn put_back(&mut self, run: Run) {
        self.queue.push_front(run);
    }

    /// Forgets the last waiting run; gives the bytes.
    pub(super) fn forget_last(&mut self) -> Option<usize> {
        self.queue.pop_back().map(|run| run.bytes())
    }

    /// Ends the feed at `length`; gives the bytes of waiting runs that this frees.
    pub(super) fn end_at(&mut self, length: u64) -> usize {
        self.stop = Some(self.stop.map_or(length, |stop| stop.min(length)));
        let before: usize = self.queue.iter().map(Run::bytes).sum();
        let runs = std::mem::take(&mut self.queue);
        let kept: usize = runs.iter().map(|run| self.push(run)).sum();
        before - kept
    }
}

/// Roots at lengths of a feed that a signed head was seen for.
#[derive(Debug, Default)]
pub(super) struct Heads {
    roots: BTreeMap<u64, Root>,
}

impl Heads {
    /// Remembers a root. When there are too many, the lowest that is released goes, unless it is the only one; else the
    /// highest, which will be heard of again when the entries below it are read.
    pub(super) fn insert(&mut self, length: u64, root: Root, released: u64, heads_max: usize) {
        self.roots.insert(length, root);
        if self.roots.len() > heads_max {
            let lowest_goes = self.roots.range(..=released).nth(1).is_some();
            let _ = if lowest_goes { self.roots.pop_first() } else { self.roots.pop_last() };
        }
    }

    pub(super) fn at(&self, length: u64) -> Option<Root> {
        self.roots.get(&length).copied()
    }

    /// The highest head above `from`, up to `to`.
    pub(super) fn within(&self, from: u64, to: u64) -> Option<(u64, Root)> {
        self.roots.range(..=to).next_back().map(|(&length, &root)| (length, root)).filter(|&(length, _)| length > from)
    }
}
