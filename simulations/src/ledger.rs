//! What was said and heard in a world: everything that a peer acknowledged to its application, and everything that should not have
//! happened. Checkers compare the world with it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use weft_crypto::{FeedId, ObjectId};
use weft_machine::Time;

use crate::{acts::Act, network::Host};

/// Records that a peer said are durable.
#[derive(Clone, Debug)]
pub struct Appended {
    /// When they were asked for.
    pub asked: Time,
    /// Whose they are.
    pub host: Host,
    /// Its data feed.
    pub feed: FeedId,
    /// Sequence number of the first.
    pub from: u64,
    /// Their bytes.
    pub records: Vec<Bytes>,
}

/// A character whose typing was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Typed {
    /// When it was asked for.
    pub asked: Time,
    /// Who typed it.
    pub host: Host,
    /// Where.
    pub object: ObjectId,
    /// What.
    pub character: char,
}

/// Something that was asked to be done to a member.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// What.
    pub act: Act,
    /// When the answer came, and whether it was done; none when the asking peer died before it answered.
    pub answered: Option<(Time, bool)>,
}

/// More of a feed became durable somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// When.
    pub at: Time,
    /// Where.
    pub host: Host,
    /// Which feed.
    pub feed: FeedId,
    /// Its length then.
    pub length: u64,
    /// Whether it was written there.
    pub mine: bool,
}

/// What is known of a run without looking into any peer.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Acknowledged appends.
    pub appended: Vec<Appended>,
    /// Objects whose creation was acknowledged.
    pub created: Vec<(Host, ObjectId)>,
    /// Characters whose typing was acknowledged.
    pub typed: Vec<Typed>,
    /// How many characters may have been deleted, by object; asked for, whether or not acknowledged.
    pub deletions: BTreeMap<ObjectId, usize>,
    /// Properties whose setting was acknowledged, by whom; names are never set twice.
    pub set: Vec<(Host, ObjectId, String, String)>,
    /// What was asked to be done to members.
    pub acts: Vec<Done>,
    /// Writes by those who may not write that were acknowledged.
    pub unauthorised: Vec<Host>,
    /// Who came back from an older copy of its disk.
    pub forking: BTreeSet<Host>,
    /// Feeds of which somebody found two histories.
    pub forked: BTreeSet<FeedId>,
    /// Entries that somebody refused to take into an object.
    pub refused: BTreeSet<(FeedId, u64)>,
    /// Refusals by code.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Where feeds grew, in order.
    pub held: Vec<Held>,
    /// What honest peers said against honest peers, and other things that should not be.
    pub oddities: Vec<String>,
    /// Peers that somebody disconnected for breaking a rule, and what they did.
    pub violations: Vec<(Host, Host, String)>,
}

impl Ledger {
    /// Whether anybody asked for something to be done to this member.
    #[must_use]
    pub fn is_acted_on(&self, host: Host) -> bool {
        self.acts.iter().any(|done| done.act.to == host)
    }

    /// When it was known for sure that something had been done to this member for the last time; none if nothing was, or an
    /// answer is missing.
    #[must_use]
    pub fn acted_on_last(&self, host: Host) -> Option<Time> {
        let about = || self.acts.iter().filter(|done| done.act.to == host);
        let last = about().filter_map(|done| done.answered.filter(|(_, done)| *done)).map(|(at, _)| at).max();
        last.filter(|_| about().all(|done| done.answered.is_some()))
    }

    /// How many acknowledged writes there are.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        let records: usize = self.appended.iter().map(|appended| appended.records.len()).sum();
        records + self.created.len() + self.typed.len() + self.set.len()
    }
}
