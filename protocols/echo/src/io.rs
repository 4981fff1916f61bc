//! What the [`Echo`](crate::Echo) machine hears (facts) and orders.
//!
//! Order matters to whoever drives it. Every [`Output::Derive`] is to be made durable in the order given, in one batch
//! with (or before) the [`Output::Processed`] that follows it; a [`Output::Load`] sees every `Derive` that came out
//! before it.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use weft_crypto::{EntryId, FeedId, ObjectId, SpaceId};
use weft_feed::past::Past;
use weft_machine::ClaimedTime;

use crate::edit::Edit;
use crate::error::{EditRefusal, Quarantine};

/// Names one local edit; chosen by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EditTicket(pub u64);

/// Names one [`Output::Write`]; chosen by the machine, rising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteTicket(pub u64);

/// Names one [`Output::Load`]; chosen by the machine, rising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoadTicket(pub u64);

/// Who writes here: this device's data feed in this space, as session 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Me {
    /// The space.
    pub space: SpaceId,
    /// This device's data feed.
    pub feed: FeedId,
    /// The identity that the feed writes for.
    pub author: [u8; 32],
}

/// The verdict of a mutation (SPACE-8, ECHO-5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counts {
    /// It counts.
    Counts,
    /// It is void, and a counting entry has acknowledged it: its insertions keep their place and show nothing.
    Hollow,
    /// It is sealed under no epoch that is known in its past, so that not everybody can open it, and nobody takes it: neither its text nor its clocks.
    /// Its own author's device keeps the clocks, so that it does not use them again.
    ///
    /// Spec: ECHO-5.3
    Void(String),
    /// Its session's client id is that of a session that comes first: nothing of it is taken, not even its clocks.
    ///
    /// Spec: ECHO-1.2
    Taken,
}

/// Why the body of an entry could not be opened; four different states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum OpenFailure {
    /// No key of its epoch is held.
    #[error("it was sealed before this device could read, no key of that epoch is held")]
    NoKey,
    /// It is held and does not open under its epoch's key.
    #[error("it does not open under its epoch's key")]
    Undecryptable,
    /// Its author or an admin erased it.
    #[error("it was erased")]
    Erased,
    /// It is not held.
    #[error("it is not held")]
    Missing,
}

/// One data entry of kind mutation, released, judged and opened.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its place in the feed.
    pub seq: u64,
    /// The session that its header names.
    pub session: u64,
    /// Its id.
    pub entry: EntryId,
    /// The identity that its feed writes for.
    pub author: [u8; 32],
    /// What its author says the time was; shown, never used.
    pub claimed: ClaimedTime,
    /// Its causal past: a length for each feed. The own feed is not read from here: all before `seq` is in it.
    pub past: Arc<Past>,
    /// Its verdict.
    pub counts: Counts,
    /// The opened body.
    pub mutation: Result<Bytes, OpenFailure>,
}

/// The next piece of one feed, up to `length`, whose causal past was handed in before. Entries that are no mutations
/// are left out and still counted in `length`.
#[derive(Clone, Debug)]
pub struct Released {
    /// The feed.
    pub feed: FeedId,
    /// The length of the feed after this piece.
    pub length: u64,
    /// Its mutations, in order.
    pub entries: Vec<Applied>,
}

/// How far a feed has been worked into rows. Objects are opened at different times, so entries finish out of order.
///
/// Spec: ECHO-8.4
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processed {
    /// The feed.
    pub feed: FeedId,
    /// Everything below is in rows.
    pub length: u64,
    /// So are these, beyond it, rising. After a restart they are handed in again and passed over.
    pub beyond: Vec<Range<u64>>,
}

/// A write of ours is durable as an entry of our data feed.
#[derive(Clone, Debug)]
pub struct Written {
    /// Which write.
    pub ticket: WriteTicket,
    /// Its place in our feed.
    pub seq: u64,
    /// Its id.
    pub entry: EntryId,
    /// The time that we claimed.
    pub claimed: ClaimedTime,
    /// Its causal past: at least what was handed in before the write was ordered.
    ///
    /// Spec: ECHO-7.3
    pub past: Arc<Past>,
}

/// The verdicts of a feed's entries have changed. To be noted durably before rows are that stand on it, until
/// [`Output::Judged`] says that it is worked off.
///
/// Spec: ECHO-5.5
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The feed.
    pub feed: FeedId,
    /// Entries below this have the verdicts that they had.
    pub from: u64,
    /// Changes are numbered from 1, rising in time. Several feeds may share one.
    pub number: u64,
}

/// Facts for the machine.
#[derive(Clone, Debug)]
pub enum Input {
    /// Entries whose causal past is complete.
    Released(Released),
    /// Our own data feed is this long in our store; edits wait until everything below has been handed in.
    Owned {
        /// Its length.
        length: u64,
    },
    /// An application asks for a change.
    Edit {
        /// To answer it by.
        ticket: EditTicket,
        /// The change.
        edit: Edit,
    },
    /// A write is durable.
    Written(Written),
    /// A write was not appended. No later write that was ordered before this fact may be appended either: each fails.
    WriteFailed {
        /// Which.
        ticket: WriteTicket,
    },
    /// The rows asked for by [`Output::Load`], in key order.
    Loaded {
        /// Which load.
        ticket: LoadTicket,
        /// Keys and values.
        rows: Vec<(Bytes, Bytes)>,
    },
    /// Verdicts are others than those that came with entries before. Entries that are handed in after this have the new ones.
    VerdictsChanged(Changed),
    /// Somebody is about to read this object: if it has to be made again, it goes first.
    Look {
        /// Which.
        object: ObjectId,
    },
    /// Entries that [`Output::Reread`] asked for, the next ones in the order of the list, with the verdicts of now.
    Reread {
        /// The object.
        object: ObjectId,
        /// Feeds and entries.
        entries: Vec<(FeedId, Applied)>,
        /// These are the last.
        last: bool,
    },
    /// All derived rows of the space were dropped; every feed is handed in again from its start. No write may be
    /// unanswered at that moment.
    Wiped,
    /// Fold every tail into its snapshot now.
    Flush,
}

/// One derived row to write, or to remove when there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedWrite {
    /// The table, see [`crate::tables`].
    pub table: u8,
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Option<Bytes>,
}

/// Orders of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Read all rows of a table whose keys start with a prefix; answer with [`Input::Loaded`].
    Load {
        /// To answer it by.
        ticket: LoadTicket,
        /// The table.
        table: u8,
        /// The prefix.
        prefix: Bytes,
    },
    /// Write derived rows.
    Derive(Vec<DerivedWrite>),
    /// What of a feed is in the rows given so far: make this durable with them, and hand in the rest after a restart.
    Processed(Processed),
    /// Seal and append this mutation to our data feed, in the order given. The entry's past is to hold at least what was
    /// handed in until now. Spec: ECHO-7.3
    Write {
        /// To answer it by.
        ticket: WriteTicket,
        /// The session for the entry's header.
        session: u64,
        /// An encoded [`crate::Mutation`].
        plaintext: Bytes,
    },
    /// An edit is durable and in the rows given so far.
    Done {
        /// Which edit.
        ticket: EditTicket,
        /// The object it made or changed.
        object: ObjectId,
        /// The place of its (last) entry in our data feed.
        seq: u64,
    },
    /// An edit changed nothing (or, for a long first text, stopped part way) and why.
    Refused {
        /// Which edit.
        ticket: EditTicket,
        /// Why.
        refusal: EditRefusal,
    },
    /// An entry changes no object, and why. The feed goes on.
    Quarantined {
        /// Its feed.
        feed: FeedId,
        /// Its place.
        seq: u64,
        /// Why.
        reason: Quarantine,
    },
    /// What an object shows has changed, in the rows given so far.
    Changed {
        /// Which.
        object: ObjectId,
    },
    /// An object is made again. Read these entries of these feeds, all of which were handed in before, open and judge them, and
    /// give them back in this order ([`Input::Reread`]), in as many pieces as fit.
    Reread {
        /// The object.
        object: ObjectId,
        /// Feeds and places.
        entries: Vec<(FeedId, u64)>,
    },
    /// The rows given so far go by the verdicts of this change of this feed, and of all before it.
    Judged {
        /// The feed.
        feed: FeedId,
        /// The change.
        number: u64,
    },
    /// Derived rows of an object do not decode: the space is to be rebuilt.
    Damaged {
        /// Which.
        object: ObjectId,
        /// What is wrong.
        what: String,
    },
}
