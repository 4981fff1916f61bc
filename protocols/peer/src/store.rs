//! What the peer asks a store to keep, and what it wants back when it is opened.
//!
//! A store is an ordered set of feeds and rows with one guarantee: a [`Batch`] is there as a whole or not at all, and what
//! was said to be persisted is there after any crash. The node keeps it in a file, the simulator in memory.

use std::sync::Arc;

use bytes::Bytes;
use weft_crypto::{FeedId, SpaceId};
use weft_feed::{Head, Run, Tree, VerifiedRange};
use weft_replication::StoredRange;

/// Writes that belong together. Batches are applied in the order in which they were ordered.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Applied in order.
    pub writes: Vec<Write>,
    /// Whether it must survive a crash before `Persisted` is said. Derived rows alone need not: they are rebuilt from the
    /// feeds. A crash may lose the newest batches that are not durable, never one in the middle.
    pub durable: bool,
}

/// One write.
#[derive(Clone, Debug)]
pub enum Write {
    /// A feed is known from now on. Written again, it changes nothing.
    Feed {
        /// Its id.
        feed: FeedId,
        /// The space it belongs to.
        space: SpaceId,
        /// The signed manifest, encoded.
        manifest: Bytes,
    },
    /// Runs that continue what is held of their feed, the signed head they end at, and the tree after them.
    Range(Arc<VerifiedRange>),
    /// Entries that are held, in place of what is stored of them: contiguous ranges, whole. The part that a [`Damage`] named.
    Mend {
        /// The feed.
        feed: FeedId,
        /// The entries; at least one range, and each of at least one run.
        ranges: Vec<StoredRange>,
    },
    /// Of a forked feed another history takes the place of the one that is held: that one ends at a head which both have, or at
    /// nothing, and these ranges go on from there, one after another. The head may lie between two that are stored.
    Replace {
        /// The feed.
        feed: FeedId,
        /// The signed head up to which both are the same, and the tree there.
        base: Option<Box<(Head, Tree)>>,
        /// What follows.
        ranges: Vec<Arc<VerifiedRange>>,
    },
    /// A small private row: set, or removed when there is no value.
    Local {
        /// Its key: a word, a slash and an id.
        key: Bytes,
        /// Its value.
        value: Option<Bytes>,
    },
    /// A derived row: set, or removed when there is no value.
    Derived {
        /// The space it is derived in.
        space: SpaceId,
        /// Table 0 is the peer's, the others are ECHO's.
        table: u8,
        /// Its key.
        key: Bytes,
        /// Its value.
        value: Option<Bytes>,
    },
    /// Every feed of the space, everything stored of them, and every derived row is removed.
    DropSpace {
        /// The space.
        space: SpaceId,
    },
    /// Every derived row of the space is removed.
    DropDerived {
        /// The space.
        space: SpaceId,
    },
}

/// The table of derived rows that the peer keeps for itself: how far each feed has been replayed.
pub const CURSORS: u8 = 0;

/// A part of a feed that is held, and whose stored bytes are not what was signed. Spec: PEER-8
#[derive(Clone, Debug)]
pub struct Damage {
    /// The feed.
    pub feed: FeedId,
    /// Where the part begins: at a signed head, or at 0.
    pub from: u64,
    /// The first entry that is damaged, as far as can be seen.
    pub entry: u64,
    /// The signed head and the tree at `from`; none at 0.
    pub base: Option<(Head, Tree)>,
    /// The signed head at the part's end.
    pub head: Head,
}

/// What is known of the ends of a device's own feeds in a space, when the store may have lost writes: they are at least so long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Entries of the control feed.
    pub control: u64,
    /// Entries of the data feed.
    pub data: u64,
    /// How many other devices had feeds in the space.
    pub others: u64,
}

impl Ends {
    /// What two say of the same space, together.
    #[must_use]
    pub fn max(self, other: Ends) -> Ends {
        Ends {
            control: self.control.max(other.control),
            data: self.data.max(other.data),
            others: self.others.max(other.others),
        }
    }

    /// Whether the other knows of nothing that is not here.
    #[must_use]
    pub fn covers(&self, other: &Ends) -> bool {
        self.control >= other.control && self.data >= other.data
    }

    /// Reads the value of a row that [`ends_unknown`] wrote. Rows of older versions do not say how many others there are.
    #[must_use]
    pub fn decode(value: &[u8]) -> Option<Ends> {
        let (&[control, data, ref others @ ..], []) = value.as_chunks::<8>() else { return None };
        let others = match others {
            [] => [0; 8],
            [others] => *others,
            _ => return None,
        };
        let [control, data, others] = [control, data, others].map(u64::from_le_bytes);
        Some(Ends { control, data, others })
    }

    fn encode(self) -> Bytes {
        [self.control, self.data, self.others].map(u64::to_le_bytes).concat().into()
    }
}

/// What a store writes for each of its spaces when it was lost and made anew from what is kept beside it, or is an older copy:
/// the device does not know where its own feeds end. It had written at least this much of each. Spec: PEER-3.3
#[must_use]
pub fn ends_unknown(space: &SpaceId, ends: Ends) -> Write {
    Write::Local { key: crate::local::unsure_key(space), value: Some(ends.encode()) }
}

/// The space whose row of [`ends_unknown`] has this key.
#[must_use]
pub fn space_of_ends(key: &[u8]) -> Option<SpaceId> {
    SpaceId::try_from(key.strip_prefix(crate::local::UNSURE)?).ok()
}

/// The key in table [`CURSORS`] under which is said how often the space's rows were dropped.
pub const REBUILDS: &[u8] = b"w";

/// Reads the row [`REBUILDS`].
#[must_use]
pub fn rebuilds(value: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(value.try_into().ok()?))
}

/// What a store holds when it is opened, but for the data entries and ECHO's rows, which are read when they are needed.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// Every private row.
    pub local: Vec<(Bytes, Bytes)>,
    /// Every feed.
    pub feeds: Vec<OpenedFeed>,
    /// The entries of every control feed, whole.
    pub control: Vec<(FeedId, Vec<Run>)>,
    /// The rows of table [`CURSORS`] of every space.
    pub cursors: Vec<(SpaceId, Vec<(Bytes, Bytes)>)>,
}

/// A feed as the store holds it.
#[derive(Clone, Debug)]
pub struct OpenedFeed {
    /// Its id.
    pub feed: FeedId,
    /// The space it belongs to.
    pub space: SpaceId,
    /// The signed manifest, encoded.
    pub manifest: Bytes,
    /// The tree over all that is held.
    pub tree: Tree,
    /// The newest signed head; none while nothing is held.
    pub head: Option<Head>,
}
