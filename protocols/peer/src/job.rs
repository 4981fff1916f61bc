//! Work that takes time and touches nothing: verification of what arrived, and opening of bodies.

use std::sync::Arc;

use bytes::Bytes;
use weft_crypto::{EntryId, EpochId, FeedId, seal::BodyKeys};
use weft_echo::OpenFailure;
use weft_feed::{Run, entry_id, kind, leaf};
use weft_machine::ClaimedTime;

use crate::links::replay::Sealed;

/// A pure function and its arguments.
#[derive(Debug)]
pub enum Job {
    /// A session verifies what arrived.
    Verify(weft_replication::Job),
    /// A room opens bodies.
    Open(OpenBodies),
    /// A room opens bodies once more, for an object that is made again.
    Reopen(Vec<OpenBodies>),
}

/// What came out of a [`Job`].
#[derive(Debug)]
pub enum Done {
    /// Of [`Job::Verify`].
    Verified(weft_replication::Done),
    /// Of [`Job::Open`].
    Opened(Vec<OpenedEntry>),
    /// Of [`Job::Reopen`], feed by feed as given.
    Reopened(Vec<(FeedId, OpenedEntry)>),
}

impl Job {
    /// Runs it. The same job gives the same answer wherever and whenever it runs.
    #[must_use]
    pub fn run(self) -> Done {
        match self {
            Job::Verify(job) => Done::Verified(job.run()),
            Job::Open(job) => Done::Opened(job.run()),
            Job::Reopen(jobs) => {
                let opened = jobs.into_iter().flat_map(|job| {
                    let feed = job.feed;
                    job.run().into_iter().map(move |opened| (feed, opened))
                });
                Done::Reopened(opened.collect())
            }
        }
    }

    /// How many bytes it works through: what a driver decides by whether to run it where it stands.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Job::Verify(job) => job.bytes(),
            Job::Open(job) => job.run.bytes(),
            Job::Reopen(jobs) => jobs.iter().map(|job| job.run.bytes()).sum(),
        }
    }
}

/// Opens the mutations of a run.
#[derive(Debug)]
pub struct OpenBodies {
    pub(crate) feed: FeedId,
    pub(crate) run: Run,
    /// The keys of the epochs that occur; none where this device has no key.
    pub(crate) keys: Vec<(EpochId, Option<Arc<BodyKeys>>)>,
}

/// A mutation of a run, opened or not.
#[derive(Debug)]
pub struct OpenedEntry {
    pub(crate) seq: u64,
    pub(crate) session: u64,
    pub(crate) epoch: Option<EpochId>,
    pub(crate) entry: EntryId,
    pub(crate) claimed: ClaimedTime,
    pub(crate) mutation: Result<Bytes, OpenFailure>,
}

impl OpenedEntry {
    pub(crate) fn sealed(&self) -> Sealed {
        Sealed { seq: self.seq, session: self.session, epoch: self.epoch }
    }
}

impl OpenBodies {
    fn run(self) -> Vec<OpenedEntry> {
        let mut opened = Vec::new();
        for entry in self.run.entries() {
            let header = entry.header;
            if header.kind() != kind::MUTATION {
                continue;
            }
            let mutation = match (entry.body, header.epoch()) {
                (None, _) => Err(OpenFailure::Missing),
                (Some(_), None) => Err(OpenFailure::Undecryptable),
                (Some(body), Some(epoch)) => match self.keys.iter().find(|(id, _)| *id == epoch) {
                    Some((_, Some(keys))) => {
                        keys.open(entry.seq, header.kind(), body).map_err(|_| OpenFailure::Undecryptable)
                    }
                    _ => Err(OpenFailure::NoKey),
                },
            };
            opened.push(OpenedEntry {
                seq: entry.seq,
                session: header.session(),
                epoch: header.epoch(),
                entry: entry_id(&self.feed, entry.seq, &leaf(header.bytes())),
                claimed: header.claimed(),
                mutation,
            });
        }
        opened
    }
}
