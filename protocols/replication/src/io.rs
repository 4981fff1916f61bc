//! What goes into a session and what comes out of it.

use std::sync::Arc;

use bytes::Bytes;
use weft_crypto::{FeedId, FeedKey, Head, Purpose, Root, SpaceId};
use weft_feed::{Origin, Run, Tree, VerifiedRange};

use crate::{
    error::Violation,
    job::{Done, Job},
};

/// The short name that the door gave a space on this connection. Never used twice.
pub type Number = u32;

/// Names an order of one session until its answer comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A feed of a space, and what is durable of it here.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its id.
    pub feed: FeedId,
    /// The key that signs its heads.
    pub feed_key: FeedKey,
    /// Whether it carries credentials. Control is served before data.
    pub control: bool,
    /// The tree over what is held; empty when nothing is.
    pub tree: Tree,
    /// The signed head at exactly the tree's length; none when nothing is held.
    pub head: Option<Head>,
    /// Whether a fork stopped it: nothing more of it is fetched.
    pub stopped: bool,
    /// Up to where it stands, if it is cut. Who holds different amounts of what lies past it is level all the same.
    pub stands: Option<u64>,
}

impl Held {
    pub(crate) fn origin(&self) -> Origin {
        let purpose = if self.control { Purpose::Control } else { Purpose::Data };
        Origin { feed: self.feed, feed_key: self.feed_key, purpose }
    }

    /// The head and the tree to go on from; none when nothing is held.
    pub(crate) fn base(&self) -> Option<(&Head, &Tree)> {
        self.head.as_ref().map(|head| (head, &self.tree))
    }
}

/// Entries as they are stored, ending at a signed head.
#[derive(Clone, Debug)]
pub struct StoredRange {
    /// The head at their end.
    pub head: Head,
    /// The entries, contiguous.
    pub runs: Vec<Run>,
}

impl StoredRange {
    pub(crate) fn from(&self) -> u64 {
        self.runs.first().map_or(self.head.length, Run::from)
    }
}

/// Why nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// These entries are not stored.
    #[error("not held")]
    NotHeld,
    /// They are stored and cannot be read.
    #[error("the store is damaged here")]
    Damaged,
}

/// Why the peer serves nothing (more) of a feed. Spec: REPLICATION-5.4
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It does not hold that much of it.
    NotHeld,
    /// What we hold contradicts what it holds: the feed's author signed two logs.
    Contradicts,
    /// Its store is damaged there.
    Damaged,
    /// One of its rules says no; the rule comes as text.
    Rule,
    /// A reason from a later version.
    Other(u32),
}

/// A fact for a session.
#[derive(Clone, Debug)]
pub enum Input {
    /// The stream stands. Facts about spaces may come before it.
    Opened,
    /// One whole frame arrived, without its length prefix. The driver stops reading while what is to be sent piles up.
    Received(Bytes),
    /// The door opened. A space that was open under another number is closed under that one.
    Granted {
        /// The space's number on this connection.
        number: Number,
        /// The space.
        space: SpaceId,
        /// Every feed that was ever admitted to it.
        feeds: Vec<Held>,
    },
    /// A feed was admitted to a space.
    FeedAdmitted {
        /// The space.
        space: SpaceId,
        /// The feed.
        held: Held,
    },
    /// A fork was found: nothing more of this feed is taken.
    FeedStopped {
        /// The feed.
        feed: FeedId,
    },
    /// Up to where a feed stands has changed; none: all of it does.
    FeedStands {
        /// Which.
        feed: FeedId,
        /// How many entries stand.
        stands: Option<u64>,
    },
    /// The door closed: no byte of the space flows any more.
    Revoked {
        /// The space.
        space: SpaceId,
    },
    /// Fetch this feed, which was granted or admitted, from this peer, which has said something of the space: from what is
    /// durable here on, and stay subscribed.
    Fetch {
        /// The feed.
        feed: FeedId,
    },
    /// Fetch it no longer.
    Cease {
        /// The feed.
        feed: FeedId,
    },
    /// Fetch a part of this feed again that is held and damaged: from where `base` ends until it comes out as
    /// [`Output::Mended`] up to `until`. What is being fetched of the feed is interrupted for it.
    Mend {
        /// The feed.
        feed: FeedId,
        /// The signed head and the tree where the part begins; none at the feed's beginning.
        base: Option<(Head, Tree)>,
        /// Where the part ends: no more than is held.
        until: u64,
    },
    /// More of a feed is durable here, whether written here or received, from this peer or another.
    Extended {
        /// The feed.
        feed: FeedId,
        /// What was added; it continues what was held.
        range: Arc<VerifiedRange>,
    },
    /// Say this to the peer's documents of the space, if its door is open at both ends and not too much was said already:
    /// it is lost otherwise.
    Say {
        /// The space.
        space: SpaceId,
        /// The epoch it is sealed under, 32 bytes.
        epoch: Bytes,
        /// What is said, sealed.
        sealed: Bytes,
    },
    /// What [`Output::Read`] asked for: ranges one after another, the first beginning at `from`.
    WasRead {
        /// Of the order.
        ticket: Ticket,
        /// At least one range, or why not.
        result: Result<Vec<StoredRange>, ReadError>,
    },
    /// A job has run.
    Worked {
        /// Of the order.
        ticket: Ticket,
        /// What came out.
        done: Done,
    },
    /// The range is durable, and [`Input::Extended`] was said for it; or it was set aside, because it did not continue what
    /// is held: then the feed is asked for again from where it is. Its memory is free.
    Persisted {
        /// Of the order.
        ticket: Ticket,
    },
}

/// An order of a session.
#[derive(Debug)]
pub enum Output {
    /// Send this frame, length prefix included, in order.
    Send(Bytes),
    /// Make this range durable, in the order in which it is said for its feed; then say [`Input::Extended`] and after it
    /// [`Input::Persisted`]. If the range does not continue what is held or under way of its feed, because another source
    /// brought something meanwhile, forget it and say [`Input::Persisted`] alone.
    Persist {
        /// Comes back with [`Input::Persisted`].
        ticket: Ticket,
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// What was verified.
        range: VerifiedRange,
    },
    /// A range that [`Input::Mend`] asked for, verified. The last one may end beyond the part.
    Mended {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// What was verified.
        range: VerifiedRange,
    },
    /// Read stored ranges: whole ones that end at a held head, the first cut to begin at `from`, at least one, and no more
    /// once `bytes_max` would be passed.
    Read {
        /// Comes back with [`Input::WasRead`].
        ticket: Ticket,
        /// The feed.
        feed: FeedId,
        /// First entry.
        from: u64,
        /// Bytes of headers and bodies.
        bytes_max: usize,
    },
    /// Run this job.
    Work {
        /// Comes back with [`Input::Worked`].
        ticket: Ticket,
        /// What to run.
        job: Job,
    },
    /// The peer says that it holds this much of an admitted feed. It is a claim: nothing was verified.
    Learned {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// How much.
        length: u64,
        /// The root at that length.
        root: Root,
    },
    /// The peer's first list of this space is whole.
    Complete {
        /// The space.
        space: SpaceId,
    },
    /// Bytes of a fetched feed arrived: its source is alive, though nothing may be durable yet.
    Arriving {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
    },
    /// The feed's author signed this head, and it contradicts what is held here: a fork. Stop the feed.
    Contradicted {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// The other head, its signature verified.
        head: Head,
    },
    /// The peer ended what was fetched of this feed.
    PeerRefused {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// Where it ended.
        from: u64,
        /// Why.
        reason: Refusal,
        /// The rule it names; the peer's own words, at most 128 bytes.
        rule: String,
    },
    /// The peer said something that is not kept.
    Heard {
        /// The space.
        space: SpaceId,
        /// The epoch it should be sealed under: the peer's words, any bytes up to 32.
        epoch: Bytes,
        /// What it said, sealed.
        sealed: Bytes,
    },
    /// Both hold the same of this space now, or no longer do. Said at every change, first when it becomes level.
    Levelled {
        /// The space.
        space: SpaceId,
        /// Whether they do.
        level: bool,
    },
    /// The peer broke the protocol. Nothing more comes out of this session; close the stream.
    Violated(Violation),
}
