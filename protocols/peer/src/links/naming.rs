//! Store → own feeds: what was released below a head that is not reached yet gets a name all the same.
//!
//! Own entries name what their author has seen by length and root (FEED-6.1). Where a range is released by half, because an
//! entry in it waits, no head gives the root there, and it is computed from the headers. Otherwise one member whose entry waits
//! for what never comes could keep everybody from writing. Spec: PEER-3.2

use std::collections::BTreeMap;

use weft_crypto::{Dep, FeedId};
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
    trees: BTreeMap<FeedId, Tree>,
    reading: Option<(Ticket, FeedId)>,
}

impl Naming {
    /// The tree before what was stored last of a feed: a start that is closer than the feed's own.
    pub(crate) fn starts_at(&mut self, feed: FeedId, tree: &Tree) {
        self.trees.entry(feed).or_insert_with(|| tree.clone());
    }

    /// A head covers what is released of the feed.
    pub(crate) fn is_named(&mut self, feed: &FeedId) {
        self.trees.remove(feed);
    }
}

/// Goes on until everything that is released can be named, as far as that needs no reading.
pub(crate) fn pump(room: &mut Room, outbox: &mut Outbox) {
    while room.naming.reading.is_none()
        && let Some(feed) = room.unnamed.first().copied()
    {
        let released = room.data_order.released(&feed);
        let tree = room.naming.trees.entry(feed).or_default();
        if tree.length() > released {
            *tree = Tree::new();
        }
        if tree.length() < released {
            let ticket = outbox.read(Purpose::RoomName(room.space), feed, tree.length(), READ_BYTES);
            room.naming.reading = Some((ticket, feed));
            return;
        }
        let named = Dep { feed, length: released, root: tree.root() };
        if let Some(past) = room.data_order.past_at(&feed, released) {
            room.data.news.heard(named, past);
        }
        room.unnamed.remove(&feed);
    }
}

/// Headers that were read go into the tree.
pub(crate) fn read(room: &mut Room, ticket: Ticket, result: Result<Vec<StoredRange>, ReadError>) {
    let Some((_, feed)) = room.naming.reading.take_if(|(reading, _)| *reading == ticket) else { return };
    let released = room.data_order.released(&feed);
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
        room.unnamed.remove(&feed);
    }
}
