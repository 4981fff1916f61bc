//! Released entries on their way to ECHO: bodies are opened in any order, and handed over in the order of release.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use weft_crypto::{EntryId, FeedId};
use weft_echo::WriteTicket;
use weft_feed::Past;
use weft_machine::ClaimedTime;

use crate::{io::Ticket, job::OpenedEntry, links::replay::Sealed};

/// Steps that may wait for the one before them. 1,024: a burst of keystrokes, each its own entry.
const STEPS_MAX: usize = 1_024;

/// The next piece of one feed.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) feed: FeedId,
    /// The feed's length after it.
    pub(crate) length: u64,
    /// From which entry on which past holds.
    pub(crate) past: Vec<(u64, Arc<Past>)>,
    pub(crate) piece: Piece,
}

/// What ECHO gets of it.
#[derive(Debug)]
pub(crate) enum Piece {
    /// No mutation is in it.
    Nothing,
    /// Bodies are being opened.
    Opening(Ticket),
    /// They are.
    Opened(Vec<OpenedEntry>),
    /// An entry that ECHO itself wrote.
    Written { ticket: WriteTicket, sealed: Sealed, entry: EntryId, claimed: ClaimedTime },
}

/// Steps in the order of release.
#[derive(Default)]
pub(crate) struct Replay {
    steps: VecDeque<Step>,
    opening: usize,
    /// How far ECHO has worked each feed into its rows.
    processed: BTreeMap<FeedId, u64>,
}

impl Replay {
    /// Whether more may be released.
    pub(crate) fn has_place(&self, openings_max: usize) -> bool {
        self.opening < openings_max && self.steps.len() < STEPS_MAX
    }

    pub(crate) fn push(&mut self, step: Step) {
        if matches!(step.piece, Piece::Opening(_)) {
            self.opening += 1;
        }
        self.steps.push_back(step);
    }

    /// A job has opened the bodies of a step.
    pub(crate) fn opened(&mut self, ticket: Ticket, entries: Vec<OpenedEntry>) {
        let step = self.steps.iter_mut().find(|step| matches!(step.piece, Piece::Opening(of) if of == ticket));
        if let Some(step) = step {
            step.piece = Piece::Opened(entries);
            self.opening -= 1;
        }
    }

    /// The next step, if it is ready.
    pub(crate) fn next(&mut self) -> Option<Step> {
        if matches!(self.steps.front()?.piece, Piece::Opening(_)) {
            return None;
        }
        self.steps.pop_front()
    }

    /// Nothing is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.steps.is_empty()
    }

    /// ECHO has worked everything below `length` into its rows.
    pub(crate) fn has_processed(&mut self, feed: FeedId, length: u64) {
        self.processed.insert(feed, length);
    }

    pub(crate) fn processed(&self, feed: &FeedId) -> u64 {
        self.processed.get(feed).copied().unwrap_or(0)
    }

    /// Every feed is replayed from its start.
    pub(crate) fn begin_again(&mut self) {
        self.steps.clear();
        self.opening = 0;
        self.processed.clear();
    }
}
