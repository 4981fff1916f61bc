//! Store → own feeds: what was released below a head that is not reached yet gets a name all the same.
//!
//! Own entries name what their author has seen by length and root (FEED-6.1). Where a range is released by half, because an
//! entry in it waits, no head gives the root there, and it is computed from the headers. Otherwise one member whose entry waits
//! for what never comes could keep everybody from writing, or have them write under an epoch of whose start nobody else can tell
//! that they knew it. Spec: PEER-3.2

use std::collections::{BTreeMap, BTreeSet};

use weft_crypto::{Dep, FeedId, Purpose as FeedPurpose};
use weft_feed::{Tree, leaf};
use weft_replication::{ReadError, StoredRange};

use crate::{
    io::Ticket,
    outbox::{Outbox, Purpose},
    room::Room,
};

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 1 << 20;

/// Trees on the way to the lengths that are to be named.
#[derive(Default)]
pub(crate) struct Naming {
    /// Feeds of which entries are released that no released head covers yet, and that are not named.
    unnamed: BTreeSet<FeedId>,
    trees: BTreeMap<FeedId, Tree>,
    reading: Option<(Ticket, FeedId)>,
}

impl Naming {
    /// The tree before what was stored last of a feed: a start that is closer than the feed's own.
    pub(crate) fn starts_at(&mut self, feed: FeedId, tree: &Tree) {
        self.trees.entry(feed).or_insert_with(|| tree.clone());
    }

    /// Entries of the feed are released up to where no head is.
    pub(crate) fn is_wanted(&mut self, feed: FeedId) {
        self.unnamed.insert(feed);
    }

    /// A head covers what is released of the feed.
    pub(crate) fn is_named(&mut self, feed: &FeedId) {
        self.unnamed.remove(feed);
        self.trees.remove(feed);
    }

    /// These are released from their start.
    pub(crate) fn begin_again(&mut self, feeds: &[FeedId]) {
        self.unnamed.retain(|feed| !feeds.contains(feed));
    }

    /// The name of so much of a feed, if it was computed.
    pub(crate) fn name(&self, feed: &FeedId, length: u64) -> Option<Dep> {
        let tree = self.trees.get(feed).filter(|tree| tree.length() == length && length > 0)?;
        Some(Dep { feed: *feed, length, root: tree.root() })
    }
}

/// Goes on until everything that is released and that an entry of such a feed has to name can be named, as far as that needs no
/// reading. Tells whether it can.
pub(crate) fn pump(room: &mut Room, purpose: FeedPurpose, outbox: &mut Outbox) -> bool {
    let names = |room: &Room, feed: &FeedId| purpose == FeedPurpose::Data || room.is_control(feed);
    while let Some(feed) = room.naming.unnamed.iter().copied().find(|feed| names(room, feed)) {
        if room.naming.reading.is_some() {
            return false;
        }
        let released = room.order(&feed).released(&feed);
        let tree = room.naming.trees.entry(feed).or_default();
        if tree.length() > released {
            *tree = Tree::new();
        }
        if tree.length() < released {
            let ticket = outbox.read(Purpose::RoomName(room.space), feed, tree.length(), READ_BYTES);
            room.naming.reading = Some((ticket, feed));
            return false;
        }
        if let Some(named) = room.naming.name(&feed, released) {
            super::own::heard(room, named);
        }
        room.naming.unnamed.remove(&feed);
    }
    true
}

/// Headers that were read go into the tree.
pub(crate) fn read(room: &mut Room, ticket: Ticket, result: Result<Vec<StoredRange>, ReadError>) {
    let Some((_, feed)) = room.naming.reading.take_if(|(reading, _)| *reading == ticket) else { return };
    let released = room.order(&feed).released(&feed);
    let tree = room.naming.trees.entry(feed).or_default();
    let before = tree.length();
    for run in result.iter().flatten().flat_map(|range| &range.runs) {
        for entry in run.entries().filter(|entry| entry.seq < released) {
            if entry.seq == tree.length() {
                let header = entry.header.bytes();
                tree.push(leaf(header), header.len() as u64 + entry.header.body_len());
            }
        }
    }
    if tree.length() == before {
        // It cannot be read: what builds on it would be refused, and is better than nothing being written at all.
        room.naming.unnamed.remove(&feed);
    }
}
