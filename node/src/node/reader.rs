//! Reading what is stored, beside the machines: derived rows, and whether the feeds still are what was signed.

use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use weft_crypto::{FeedId, Manifest, SignedManifest, SpaceId};
use weft_feed::{Tree, body_hash, leaf};
use weft_peer::Rows;

use crate::store::{Disk, Store, StoreError};

/// Reads the store. Its calls wait for the disk: in asynchronous code, call them on a thread that may.
#[derive(Clone)]
pub struct Reader {
    store: Arc<Disk>,
}

/// What [`Reader::verify`] went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Feeds.
    pub feeds: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes of headers and bodies.
    pub bytes: u64,
}

/// What the header of a stored entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntrySeen {
    /// Its place in the feed.
    pub seq: u64,
    /// What it is, as [`weft_feed::kind`] numbers it.
    pub kind: u32,
    /// When it was written, as its author says, in milliseconds since 1970.
    pub claimed_ms: u64,
    /// The bytes of its body.
    pub body_bytes: u64,
    /// Whether the body is held.
    pub is_held: bool,
    /// How many deps it has.
    pub deps: u64,
}

impl Reader {
    pub(crate) fn new(store: Arc<Disk>) -> Reader {
        Reader { store }
    }

    /// The derived rows of a table of a space whose keys begin with `prefix`, in the order of their keys. Which tables there
    /// are is said by [`weft_echo::tables`]; what rows mean, by [`weft_echo::view`].
    pub fn rows(&self, space: SpaceId, table: u8, prefix: &[u8]) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.store.load(&space, table, &Rows::Prefix(Bytes::copy_from_slice(prefix)))
    }

    /// At most `count` entries of a feed, from `from` on.
    pub fn entries(&self, feed: &FeedId, from: u64, count: u64) -> Result<Vec<EntrySeen>, StoreError> {
        let end = from.saturating_add(count);
        let mut seen = Vec::new();
        self.store.runs(feed, from, &mut |run, _| {
            for entry in run.entries().filter(|entry| (from..end).contains(&entry.seq)) {
                seen.push(EntrySeen {
                    seq: entry.seq,
                    kind: entry.header.kind(),
                    claimed_ms: entry.header.claimed().0,
                    body_bytes: entry.header.body_len(),
                    is_held: entry.body.is_some() || entry.header.body_len() == 0,
                    deps: entry.header.deps().count() as u64,
                });
            }
            Ok(if run.end() < end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(seen)
    }

    /// Recomputes every feed of a space from the stored bytes: each body against its hash, each stored head against the tree
    /// and the feed's key. The first damage found is the error, with where it is.
    pub fn verify(&self, space: SpaceId) -> Result<Verified, StoreError> {
        let mut sum = Verified::default();
        for (feed, manifest) in self.store.feeds_of(&space)? {
            let wrong = |what: String| StoreError::Damaged { what: format!("feed {feed}: {what}") };
            let signed = SignedManifest::decode(&manifest).map_err(|error| wrong(error.to_string()))?;
            let manifest = signed.verify().map_err(|error| wrong(error.to_string()))?;
            self.verify_feed(feed, &manifest, &mut sum)?;
            sum.feeds += 1;
        }
        Ok(sum)
    }

    fn verify_feed(&self, feed: FeedId, manifest: &Manifest, sum: &mut Verified) -> Result<(), StoreError> {
        let wrong = |seq: u64, what: &str| StoreError::Damaged { what: format!("entry {seq} of feed {feed}: {what}") };
        if manifest.id() != feed {
            return Err(wrong(0, "its manifest is that of another feed"));
        }
        let mut tree = Tree::new();
        let mut signed = 0;
        self.store.runs(&feed, 0, &mut |run, head| {
            for entry in run.entries() {
                if entry.seq != tree.length() {
                    return Err(wrong(tree.length(), "it is missing"));
                }
                if entry.body.is_some_and(|body| body_hash(body) != *entry.header.body_hash()) {
                    return Err(wrong(entry.seq, "its body is not the one that its header names"));
                }
                tree.push(leaf(entry.header.bytes()), entry.header.bytes().len() as u64 + entry.header.body_len());
                sum.entries += 1;
            }
            sum.bytes += run.bytes() as u64;
            let Some(head) = head else { return Ok(ControlFlow::Continue(())) };
            let last = tree.length() - 1;
            if (head.feed, head.length, head.byte_length, head.root)
                != (feed, tree.length(), tree.byte_length(), tree.root())
            {
                return Err(wrong(last, "the tree up to it is not the one that was signed"));
            }
            head.verify(&manifest.feed_key).map_err(|_| wrong(last, "the signature of the head there is wrong"))?;
            signed = head.length;
            Ok(ControlFlow::Continue(()))
        })?;
        if signed != tree.length() || self.store.length(&feed) != signed {
            return Err(wrong(signed, "entries from here on are missing or not signed"));
        }
        Ok(())
    }
}
