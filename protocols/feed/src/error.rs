//! What a peer or an author can do wrong with a feed. Each variant carries what shows it.

use weft_crypto::{Dep, FeedId, Purpose, Root};
use weft_wire::frame::FrameError;

use crate::{
    absent::AbsentError,
    limits::{RANGE_BODY_BYTES_MAX, RANGE_ENTRIES_MAX, RANGE_HEADER_BYTES_MAX},
    view::HeaderError,
};

/// A rule of `specs/feed.md` that was broken.
///
/// What a range violates is the fault of whoever sent it. What [`crate::order`] refuses was signed by the author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A head of another feed than the one that was asked for.
    #[error("a head of feed {found} where {expected} was asked for")]
    OtherFeed {
        /// The feed asked for.
        expected: FeedId,
        /// The feed of the head.
        found: FeedId,
    },
    /// A range that does not start where the feed ends here.
    #[error("a range from {found} where the feed is known up to {expected}")]
    NotContiguous {
        /// The length known.
        expected: u64,
        /// Where the range starts.
        found: u64,
    },
    /// A head that proves no entry of the range.
    #[error("a range from {from} up to a head of length {length}")]
    Empty {
        /// Where the range starts.
        from: u64,
        /// Where its head is.
        length: u64,
    },
    /// More entries than a range may have.
    #[error("a range of {count} entries, at most {RANGE_ENTRIES_MAX} are allowed")]
    TooManyEntries {
        /// How many its head claims.
        count: u64,
    },
    /// More header bytes than a range may have.
    #[error("a range with {bytes} bytes of headers, at most {RANGE_HEADER_BYTES_MAX} are allowed")]
    HeadersTooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// More body bytes than a range may have.
    #[error("a range whose bodies pass {RANGE_BODY_BYTES_MAX} bytes at entry {seq}")]
    BodiesTooLarge {
        /// The entry with which it is too much.
        seq: u64,
    },
    /// The list of headers is broken.
    #[error("header list at entry {seq}: {error}")]
    HeaderList {
        /// The entry that should be next.
        seq: u64,
        /// What is wrong.
        error: FrameError,
    },
    /// A header is not one.
    #[error("header of entry {seq}: {error}")]
    Header {
        /// The entry that should be there.
        seq: u64,
        /// What is wrong.
        error: HeaderError,
    },
    /// Fewer or more headers than the head says.
    #[error("{found} headers where the head says {expected}")]
    HeaderCount {
        /// How many the head says.
        expected: u64,
        /// How many there are; one more when there are more.
        found: u64,
    },
    /// A header names another place in the feed.
    #[error("entry {found} where {expected} should be")]
    Seq {
        /// The place it is in.
        expected: u64,
        /// The place it names.
        found: u64,
    },
    /// A kind that this feed does not carry.
    #[error("entry {seq} of kind {kind} in a feed for {purpose:?}")]
    Kind {
        /// The entry.
        seq: u64,
        /// Its kind.
        kind: u32,
        /// What the feed is for.
        purpose: Purpose,
    },
    /// An entry that names its own feed in its deps.
    #[error("entry {seq} depends on its own feed")]
    DepOnItself {
        /// The entry.
        seq: u64,
    },
    /// The absent bodies are not said as they must be.
    #[error("absent bodies: {0}")]
    Absent(#[from] AbsentError),
    /// A body is marked absent that cannot be: of a control entry, or an empty one.
    #[error("the body of entry {seq} cannot be absent")]
    NotErasable {
        /// The entry.
        seq: u64,
    },
    /// The entries take other bytes than the head says.
    #[error("entries up to byte {found} under a head of {signed} bytes")]
    ByteLength {
        /// What the head says.
        signed: u64,
        /// What the entries add up to.
        found: u64,
    },
    /// The entries have another root than the head says.
    #[error("entries with root {found} under a head with root {signed}")]
    Root {
        /// What the head says.
        signed: Root,
        /// What the entries have.
        found: Root,
    },
    /// The head is not signed by the feed's key.
    #[error("the head of length {length} is not signed by the feed's key")]
    Signature {
        /// The head's length.
        length: u64,
    },
    /// A body that is not what its header commits to.
    #[error("the body of entry {seq} does not have the hash in its header")]
    Body {
        /// The entry.
        seq: u64,
        /// The hash in the header.
        expected: [u8; 32],
        /// The hash of what came.
        found: [u8; 32],
    },
    /// A piece of bodies that ends inside a body.
    #[error("the body of entry {seq} is cut: {found} of {expected} bytes")]
    BodyCut {
        /// The entry.
        seq: u64,
        /// Bytes of the body.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// Bytes after the last body.
    #[error("{bytes} bytes after the last body")]
    BodiesBeyond {
        /// How many.
        bytes: usize,
    },
    /// The bodies end early.
    #[error("the bodies from entry {seq} on are missing")]
    BodiesMissing {
        /// The first entry without its body.
        seq: u64,
    },
    /// A dep that is not beyond what this feed named of the same feed before: it goes back, or contradicts itself.
    #[error("entry {seq} depends on {} of {}, after it had named {earlier}", .dep.length, .dep.feed)]
    DepNotNewer {
        /// The entry.
        seq: u64,
        /// The dep.
        dep: Dep,
        /// The length that an earlier entry of this feed named.
        earlier: u64,
    },
}

impl Violation {
    /// The section of `specs/feed.md` that holds the rule.
    #[must_use]
    pub fn spec(&self) -> &'static str {
        match self {
            Self::Header { .. } => "FEED-2.1",
            Self::Body { .. } => "FEED-2.2",
            Self::Kind { .. } => "FEED-2.3",
            Self::DepOnItself { .. } => "FEED-2.4",
            Self::Absent(_) | Self::NotErasable { .. } => "FEED-4.3",
            Self::DepNotNewer { .. } => "FEED-6.2",
            _ => "FEED-5.1",
        }
    }
}
