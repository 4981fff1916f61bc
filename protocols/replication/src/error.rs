//! What a peer can do wrong. Each ends the session, carries its evidence and cites the section that it breaks.

use weft_crypto::FeedId;
use weft_wire::DecodeError;

use crate::io::Number;

/// A peer broke the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The frame is not a frame of this protocol, or one of its fields is over its bound.
    #[error("malformed frame: {0} (REPLICATION-2.1)")]
    Frame(#[from] DecodeError),
    /// A feed id that is not 32 bytes.
    #[error("a feed id of {bytes} bytes (REPLICATION-2.1)")]
    FeedId {
        /// How many.
        bytes: usize,
    },
    /// A frame came before `Hello`.
    #[error("{frame} before Hello (REPLICATION-3.1)")]
    BeforeHello {
        /// Its kind.
        frame: &'static str,
    },
    /// `Hello` came again.
    #[error("a second Hello (REPLICATION-3.1)")]
    SecondHello,
    /// A version that is not spoken here.
    #[error("version {version} is not spoken here (REPLICATION-3.1)")]
    Version {
        /// What it says.
        version: u32,
    },
    /// A window in which a largest range does not fit.
    #[error("a window of {credit} bytes is too small (REPLICATION-6.2)")]
    Window {
        /// What it offers.
        credit: u64,
    },
    /// A frame names a space by a number that the door did not give.
    #[error("{frame} for number {number}, which no door gave (REPLICATION-4.1)")]
    UnknownNumber {
        /// Its kind.
        frame: &'static str,
        /// The number.
        number: Number,
    },
    /// Holdings that are cut short, or too many for one frame.
    #[error("{bytes} bytes are no list of holdings (REPLICATION-4.2)")]
    Holdings {
        /// How many.
        bytes: usize,
    },
    /// A claim to hold nothing of a feed.
    #[error("a holding of length 0 for feed {feed} (REPLICATION-4.2)")]
    EmptyHolding {
        /// The feed.
        feed: FeedId,
    },
    /// More claims than are kept for one peer.
    #[error("more than {claims_max} feeds claimed (REPLICATION-4.3)")]
    TooManyClaims {
        /// How many are kept.
        claims_max: usize,
    },
    /// A feed that is served already is wanted again.
    #[error("feed {feed} is wanted twice (REPLICATION-5.1)")]
    WantedTwice {
        /// The feed.
        feed: FeedId,
    },
    /// Where a `Want` goes on from is not a tree under a head at that length.
    #[error("the base of a Want for feed {feed} is not one (REPLICATION-5.1)")]
    Base {
        /// The feed.
        feed: FeedId,
    },
    /// The signature of a head is not by the feed's key.
    #[error("a head of feed {feed} that its key did not sign (REPLICATION-8.1)")]
    Unsigned {
        /// The feed.
        feed: FeedId,
    },
    /// `Refused` for a feed that was not asked for.
    #[error("Refused for feed {feed}, which was not wanted (REPLICATION-5.4)")]
    RefusedUnasked {
        /// The feed.
        feed: FeedId,
    },
    /// More was sent than credit was given for.
    #[error("a frame of {cost} bytes with {outstanding} of {window} outstanding (REPLICATION-6.1)")]
    OverCredit {
        /// What the frame costs.
        cost: u64,
        /// What was outstanding before.
        outstanding: u64,
        /// The window.
        window: u64,
    },
    /// Credit for more than was sent.
    #[error("credit for {credit} bytes with {outstanding} outstanding (REPLICATION-6.3)")]
    CreditUnowed {
        /// What it gives back.
        credit: u64,
        /// What was sent and not given back.
        outstanding: u64,
    },
    /// A range of a feed that was not asked for.
    #[error("a range of feed {feed}, which was not wanted (REPLICATION-7.1)")]
    RangeUnasked {
        /// The feed.
        feed: FeedId,
    },
    /// A range that does not go on where the one before it ended.
    #[error("a range of feed {feed} from {found}, expected from {expected} (REPLICATION-7.1)")]
    RangeFrom {
        /// The feed.
        feed: FeedId,
        /// Where it should begin.
        expected: u64,
        /// Where it says it begins.
        found: u64,
    },
    /// A range whose head is malformed, another feed's, or at no length that a range from there can have.
    #[error("a range of feed {feed} from {from} under no head for it (REPLICATION-7.1)")]
    RangeHead {
        /// The feed.
        feed: FeedId,
        /// Where it begins.
        from: u64,
    },
    /// Absent bits that are not those of the range, or bodies in a range that says they follow.
    #[error("a range of feed {feed} from {from} with fields that do not fit (REPLICATION-7.1)")]
    RangeShape {
        /// The feed.
        feed: FeedId,
        /// Where it begins.
        from: u64,
    },
    /// Bodies of no range that is under way, or more than it has.
    #[error("bodies of feed {feed} from {from} that no range is waiting for (REPLICATION-7.2)")]
    BodiesUnasked {
        /// The feed.
        feed: FeedId,
        /// The range they name.
        from: u64,
    },
    /// A range ended before all its bodies were there.
    #[error("a range of feed {feed} from {from} without all its bodies (REPLICATION-7.2)")]
    RangeIncomplete {
        /// The feed.
        feed: FeedId,
        /// Where it begins.
        from: u64,
    },
    /// What a range holds is not what its head signs.
    #[error("a range of feed {feed} from {from}: {violation} (REPLICATION-7.3)")]
    Range {
        /// The feed.
        feed: FeedId,
        /// Where it begins.
        from: u64,
        /// What is wrong, with its own section.
        violation: Box<weft_feed::Violation>,
    },
    /// A contradiction that says the same as what is held here, or names no feed of the space.
    #[error("a contradiction that contradicts nothing (REPLICATION-8.2)")]
    NoContradiction,
}

impl Violation {
    /// The section of `specs/replication.md` that was broken.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self {
            Violation::Frame(_) | Violation::FeedId { .. } => "REPLICATION-2.1",
            Violation::BeforeHello { .. } | Violation::SecondHello | Violation::Version { .. } => "REPLICATION-3.1",
            Violation::UnknownNumber { .. } => "REPLICATION-4.1",
            Violation::Holdings { .. } | Violation::EmptyHolding { .. } => "REPLICATION-4.2",
            Violation::TooManyClaims { .. } => "REPLICATION-4.3",
            Violation::WantedTwice { .. } | Violation::Base { .. } => "REPLICATION-5.1",
            Violation::RefusedUnasked { .. } => "REPLICATION-5.4",
            Violation::OverCredit { .. } => "REPLICATION-6.1",
            Violation::Window { .. } => "REPLICATION-6.2",
            Violation::CreditUnowed { .. } => "REPLICATION-6.3",
            Violation::RangeUnasked { .. }
            | Violation::RangeFrom { .. }
            | Violation::RangeHead { .. }
            | Violation::RangeShape { .. } => "REPLICATION-7.1",
            Violation::BodiesUnasked { .. } | Violation::RangeIncomplete { .. } => "REPLICATION-7.2",
            Violation::Range { .. } => "REPLICATION-7.3",
            Violation::Unsigned { .. } => "REPLICATION-8.1",
            Violation::NoContradiction => "REPLICATION-8.2",
        }
    }
}
