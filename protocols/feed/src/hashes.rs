//! Every hash that feeds are made of, in one place.
//!
//! Spec: FEED-1.1

use weft_crypto::{Context, EntryId, FeedId, Hasher, Root};

use crate::tree::Peak;

/// The hash of a body as stored: for data, of the ciphertext.
///
/// Spec: FEED-2.2
#[must_use]
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    Hasher::new(Context::BODY_HASH).var(body).finish()
}

/// The hash of an entry's leaf: of its header as written.
///
/// Spec: FEED-3.1
#[must_use]
pub fn leaf(header: &[u8]) -> [u8; 32] {
    Hasher::new(Context::LEAF).var(header).finish()
}

/// The name of an entry: of its feed, its place and its leaf.
///
/// Spec: FEED-2.5
#[must_use]
pub fn entry_id(feed: &FeedId, seq: u64, leaf: &[u8; 32]) -> EntryId {
    EntryId::from_bytes(Hasher::new(Context::ENTRY).fixed(feed.as_bytes()).u64(seq).fixed(leaf).finish())
}

/// The node above two others.
///
/// Spec: FEED-3.2
pub(crate) fn parent(left: &Peak, right: &Peak) -> Peak {
    let hash =
        Hasher::new(Context::PARENT).fixed(&left.hash).fixed(&right.hash).u64(left.size).u64(right.size).finish();
    Peak { hash, size: left.size + right.size }
}

/// The root over the peaks, left to right.
///
/// Spec: FEED-3.3
pub(crate) fn root(length: u64, byte_length: u64, peaks: &[Peak]) -> Root {
    let mut hasher = Hasher::new(Context::ROOT);
    hasher.u64(length).u64(byte_length);
    for peak in peaks {
        hasher.fixed(&peak.hash).u64(peak.size);
    }
    Root::from_bytes(hasher.finish())
}
