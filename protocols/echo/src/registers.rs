//! Multi-value registers: the properties of an object.
//!
//! Of the writes that count, those not overwritten in anybody's causal past are kept; the one with the highest entry id
//! shows. So the state is a function of the set of entries, and a rebuild without a void write brings back what it had
//! overwritten.
//!
//! Spec: ECHO-5.1

use bytes::Bytes;
use weft_crypto::{EntryId, FeedId};

/// One write that nothing has overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The feed of its entry.
    pub feed: FeedId,
    /// The place of its entry.
    pub seq: u64,
    /// The id of its entry: the highest shows.
    pub entry: EntryId,
    /// The identity that wrote it.
    pub author: [u8; 32],
    /// What its author says the time was, ms since 1970.
    pub claimed_ms: u64,
    /// JSON; empty: the property was removed.
    pub value: Bytes,
}

/// Adds a write: those in its past (`holds`) go, the others stay beside it. The order in the list is that of entry ids.
pub(crate) fn write(alternatives: &mut Vec<Write>, new: Write, holds: impl Fn(&FeedId, u64) -> bool) {
    alternatives.retain(|old| !holds(&old.feed, old.seq));
    let place = alternatives.partition_point(|old| old.entry < new.entry);
    alternatives.insert(place, new);
}

/// The write that shows; its value may be a removal.
#[must_use]
pub fn shown(alternatives: &[Write]) -> Option<&Write> {
    alternatives.last()
}
