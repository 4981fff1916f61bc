//! The feeds of a space: who writes them, what is durable of them here, and what is on its way to the disk.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::{DeviceId, EntryId, FeedId, Head, Manifest, Purpose};
use weft_feed::{Run, Tree, VerifiedRange, entry_id, leaf};
use weft_replication::Held;

use crate::store::Write;

/// Which history of a forked feed is kept, and where it ends. Spec: SPACE-16.3
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// How many entries all histories have in common.
    pub(crate) common: u64,
    /// The entry after them in the one that is kept.
    pub(crate) entry: EntryId,
    /// Where that one ends.
    pub(crate) head: Head,
}

impl End {
    /// Whether a verified range belongs to the history that is kept, as far as it can be told, and does not go beyond its end.
    pub(crate) fn leads_here(&self, range: &VerifiedRange) -> bool {
        let entries = range.runs().iter().flat_map(Run::entries);
        let mut other = entries
            .filter(|entry| entry.seq == self.common)
            .filter(|entry| entry_id(&range.feed(), entry.seq, &leaf(entry.header.bytes())) != self.entry);
        let is_whole = range.end() == self.head.length && range.head().root == self.head.root;
        other.next().is_none() && (range.end() < self.head.length || is_whole)
    }
}

/// A feed of the space.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    /// Who writes it, and with which key.
    pub(crate) manifest: Manifest,
    /// The manifest as signed, to hand on.
    pub(crate) signed: Bytes,
    /// The tree over all that is durable.
    pub(crate) tree: Tree,
    /// The newest durable head.
    pub(crate) head: Option<Head>,
    /// The length that will be durable once every order on its way is carried out.
    pub(crate) ordered: u64,
    /// Orders on their way.
    under_way: u32,
    /// One of them failed: nothing more is ordered before the others are back.
    failing: bool,
    /// The contradicting head, once a fork was found.
    pub(crate) stopped: Option<Head>,
    /// Where it ends, once what is held is known to be the beginning of the history that is kept.
    pub(crate) end: Option<End>,
    /// Where it ends for those who depend on it: what they name beyond is not waited for.
    pub(crate) clamped: Option<u64>,
    /// Whether membership admits it; only then is it told to others.
    pub(crate) admitted: bool,
    /// Up to where it stands, if it is cut.
    pub(crate) stands: Option<u64>,
}

impl Feed {
    /// Whether a range from here on continues what is held and ordered.
    pub(crate) fn takes(&self, from: u64) -> bool {
        let is_open = self.end.map_or(self.stopped.is_none(), |end| from < end.head.length);
        is_open && !self.failing && self.ordered == from
    }

    /// Whether two histories of it are known.
    pub(crate) fn is_forked(&self) -> bool {
        self.stopped.is_some() || self.end.is_some()
    }

    /// Nothing is on its way to the disk.
    pub(crate) fn is_settled(&self) -> bool {
        self.under_way == 0
    }

    fn came_back(&mut self) {
        self.under_way -= 1;
        if self.failing && self.under_way == 0 {
            self.failing = false;
            self.ordered = self.tree.length();
        }
    }

    /// As a session needs it.
    pub(crate) fn held(&self, feed: FeedId) -> Held {
        Held {
            feed,
            feed_key: self.manifest.feed_key,
            control: self.manifest.purpose == Purpose::Control,
            tree: self.tree.clone(),
            head: self.head,
            stopped: self.stopped.is_some(),
            stands: self.stands,
        }
    }
}

/// What became of a range that was offered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It continues what is held or ordered: order it.
    Order,
    /// Others had brought it already, or the feed is stopped: set it aside.
    Aside,
}

/// The feeds of a space.
#[derive(Default)]
pub(crate) struct Ledger {
    feeds: BTreeMap<FeedId, Feed>,
}

impl Ledger {
    /// A feed becomes known. Known again, it stays as it is.
    pub(crate) fn learn(&mut self, feed: FeedId, manifest: Manifest, signed: Bytes) -> bool {
        let new = !self.feeds.contains_key(&feed);
        self.feeds.entry(feed).or_insert_with(|| Feed {
            manifest,
            signed,
            tree: Tree::new(),
            head: None,
            ordered: 0,
            under_way: 0,
            failing: false,
            stopped: None,
            end: None,
            clamped: None,
            admitted: false,
            stands: None,
        });
        new
    }

    /// What the store held when it was opened.
    pub(crate) fn restore(&mut self, feed: &FeedId, tree: Tree, head: Option<Head>) {
        if let Some(entry) = self.feeds.get_mut(feed) {
            entry.ordered = tree.length();
            entry.tree = tree;
            entry.head = head;
        }
    }

    pub(crate) fn get(&self, feed: &FeedId) -> Option<&Feed> {
        self.feeds.get(feed)
    }

    pub(crate) fn get_mut(&mut self, feed: &FeedId) -> Option<&mut Feed> {
        self.feeds.get_mut(feed)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&FeedId, &Feed)> {
        self.feeds.iter()
    }

    /// Every admitted feed, as a session needs it.
    pub(crate) fn held(&self) -> Vec<Held> {
        self.feeds.iter().filter(|(_, feed)| feed.admitted).map(|(id, feed)| feed.held(*id)).collect()
    }

    /// Who writes the feed.
    pub(crate) fn device(&self, feed: &FeedId) -> Option<DeviceId> {
        self.feeds.get(feed).map(|feed| feed.manifest.device)
    }

    /// Whether a verified range continues what is held and ordered.
    pub(crate) fn takes(&self, range: &VerifiedRange) -> bool {
        self.feeds.get(&range.feed()).is_some_and(|feed| feed.takes(range.from()))
    }

    /// Judges a verified range, and counts it as ordered if it continues the feed. Spec: PEER-2
    pub(crate) fn offer(&mut self, range: &VerifiedRange) -> Offer {
        match self.feeds.get_mut(&range.feed()) {
            Some(feed) if feed.takes(range.from()) => {
                feed.ordered = range.end();
                feed.under_way += 1;
                Offer::Order
            }
            _ => Offer::Aside,
        }
    }

    /// Writes of ranges, with the feed itself before its first one: the write that announced it may have failed.
    pub(crate) fn announced(&self, writes: impl IntoIterator<Item = Write>) -> Vec<Write> {
        let mut all = Vec::new();
        for write in writes {
            if let Write::Range(range) = &write
                && range.from() == 0
                && let Some(feed) = self.feeds.get(&range.feed())
            {
                let (space, manifest) = (feed.manifest.space, feed.signed.clone());
                all.push(Write::Feed { feed: range.feed(), space, manifest });
            }
            all.push(write);
        }
        all
    }

    /// An ordered range is durable.
    pub(crate) fn extended(&mut self, range: &VerifiedRange) {
        let feed = self.feeds.get_mut(&range.feed()).expect("only known feeds are ordered");
        assert_eq!(feed.tree.length(), range.from(), "ranges of a feed become durable in order");
        feed.tree = range.tree().clone();
        feed.head = Some(*range.head());
        feed.came_back();
    }

    /// Another history of the feed is durable in the place of what was held.
    pub(crate) fn replaced(&mut self, feed: &FeedId, tree: Tree, head: Option<Head>) {
        self.restore(feed, tree, head);
        if let Some(feed) = self.feeds.get_mut(feed) {
            (feed.stopped, feed.end, feed.clamped) = (None, None, None);
        }
    }

    /// An order for the feed failed: once all are back, only what is durable counts.
    pub(crate) fn failed(&mut self, feed: &FeedId) {
        if let Some(feed) = self.feeds.get_mut(feed) {
            feed.failing = true;
            feed.came_back();
        }
    }
}
