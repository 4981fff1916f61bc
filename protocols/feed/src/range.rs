//! A range: what is sent and proved at once, entries of a feed up to a signed head.
//!
//! A [`Range`] is what somebody claims. A [`VerifiedRange`] can only be made by verifying one or by writing it, so whoever
//! holds one may store it.
//!
//! Spec: FEED-4.2

use bytes::Bytes;
use weft_crypto::{FeedId, FeedKey, Head, Manifest, Purpose};

use crate::{
    absent::Absent,
    run::{self, Run},
    tree::Tree,
};

/// Which feed a range must be of: what its manifest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The feed.
    pub feed: FeedId,
    /// The key that signs its heads.
    pub feed_key: FeedKey,
    /// What it carries.
    pub purpose: Purpose,
}

impl Origin {
    /// The feed of a manifest.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        Self { feed: manifest.id(), feed_key: manifest.feed_key, purpose: manifest.purpose }
    }
}

/// Entries that somebody claims, from `from` to the length of `head`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first entry.
    pub from: u64,
    /// The head that the entries end at.
    pub head: Head,
    /// The headers, each preceded by its length.
    pub headers: Bytes,
    /// The bodies that are held, in order, in pieces of whole bodies.
    pub bodies: Vec<Bytes>,
    /// Which bodies are not there, counted from `from`.
    pub absent: Absent,
}

impl Range {
    /// What to send of runs that are held: contiguous, and ending at `head`.
    #[must_use]
    pub fn from_runs(head: Head, runs: &[Run]) -> Self {
        Self {
            from: runs.first().map_or(head.length, Run::from),
            head,
            headers: run::join(runs.iter().map(Run::headers)),
            bodies: runs.iter().map(Run::bodies).filter(|bodies| !bodies.is_empty()).cloned().collect(),
            absent: run::absent_of(runs),
        }
    }
}

/// Entries that the feed's key stands behind, continuing a tree that was known before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRange {
    feed: FeedId,
    from: u64,
    head: Head,
    tree: Tree,
    runs: Vec<Run>,
}

impl VerifiedRange {
    pub(crate) fn new(from: u64, head: Head, tree: Tree, runs: Vec<Run>) -> Self {
        Self { feed: head.feed, from, head, tree, runs }
    }

    /// The feed.
    #[must_use]
    pub fn feed(&self) -> FeedId {
        self.feed
    }

    /// The first entry.
    #[must_use]
    pub fn from(&self) -> u64 {
        self.from
    }

    /// One past the last entry: the length of the head.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.tree.length()
    }

    /// The signed head that it ends at.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The feed's tree after it.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The entries.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Bytes of headers and held bodies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.runs.iter().map(Run::bytes).sum()
    }

    /// What to send to somebody who holds everything before it.
    #[must_use]
    pub fn to_range(&self) -> Range {
        Range::from_runs(self.head, &self.runs)
    }
}
