//! Entries that wait for each other in a circle: it is found out which of them mean a history that is not kept, and they go on.
//!
//! Who had seen one history of a forked feed names a length of it, and of the other one, which is kept, that may be an entry that
//! was written later, by somebody who had heard of the first. Two feeds that are forked at once can so be kept that their entries
//! wait for each other. No honest entry has itself in its past, so one of the circle means something else than is kept, and the
//! roots that it names say which one. Spec: FEED-6.4, PEER-4.3

use std::collections::{BTreeMap, BTreeSet};

use weft_crypto::{FeedId, Purpose, Root};
use weft_feed::{
    Run, Tree, leaf,
    order::{Order, Waiting},
};
use weft_replication::{ReadError, StoredRange};

use super::Room;
use crate::{
    io::Ticket,
    outbox::{self, Outbox},
};

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 1 << 20;

/// What is known of the histories that are held, of feeds in a circle.
#[derive(Default)]
pub(crate) struct Circles {
    /// Roots at lengths that were named.
    roots: BTreeMap<(FeedId, u64), Root>,
    reading: Option<Reading>,
    /// Feeds that cannot be read here: their circles stay.
    unreadable: BTreeSet<FeedId>,
}

/// The tree on its way to such a length.
struct Reading {
    ticket: Ticket,
    feed: FeedId,
    length: u64,
    tree: Tree,
}

/// What an entry of a circle means by what it waits for.
enum Meant {
    /// What is held.
    This,
    /// A history that is not kept: no more than this much of the feed.
    Other(u64),
    /// It cannot be told yet.
    Open,
}

impl Room {
    /// Lets go on what waits in a circle among control or data feeds, once it is known of each what it means: before, the rest of the
    /// circle would go on too, and not as it does elsewhere. Tells whether anything goes on.
    pub(crate) fn break_circles(&mut self, of: Purpose, outbox: &mut Outbox) -> bool {
        if self.membership.resolution().forks().next().is_none() {
            return false;
        }
        let mut moved = false;
        for circle in self.order_for(of).circles() {
            let meant: Vec<Meant> = circle.iter().map(|waiting| self.meant(of, waiting, outbox)).collect();
            if meant.iter().any(|meant| matches!(meant, Meant::Open)) {
                continue;
            }
            for (waiting, meant) in circle.iter().zip(meant) {
                if let Meant::Other(common) = meant {
                    let order = if of == Purpose::Control { &mut self.control_order } else { &mut self.data_order };
                    order.meant(waiting, common);
                    moved = true;
                }
            }
        }
        moved
    }

    fn order_for(&self, of: Purpose) -> &Order {
        if of == Purpose::Control { &self.control_order } else { &self.data_order }
    }

    fn meant(&mut self, of: Purpose, waiting: &Waiting, outbox: &mut Outbox) -> Meant {
        let named = waiting.on;
        let Some(entry) = self.ledger.get(&named.feed) else { return Meant::Open };
        let held = entry.tree.length();
        // All that is kept of a forked feed is here.
        let kept = entry.end.filter(|end| held == end.head.length);
        let other = kept.map_or(Meant::Open, |end| Meant::Other(end.common));
        if let Some(end) = kept
            && self.order_for(of).reach(&waiting.feed, waiting.seq, &named) <= end.common
        {
            return Meant::This;
        }
        if named.length > held {
            return other;
        }
        match self.root_of(named.feed, named.length, outbox) {
            Some(root) if root == named.root => Meant::This,
            Some(_) => other,
            None => Meant::Open,
        }
    }

    /// The root of what is held of a feed, unless it has to be read first.
    fn root_of(&mut self, feed: FeedId, length: u64, outbox: &mut Outbox) -> Option<Root> {
        let circles = &mut self.circles;
        let known = circles.roots.get(&(feed, length)).copied();
        if known.is_none() && circles.reading.is_none() && !circles.unreadable.contains(&feed) {
            let ticket = outbox.read(outbox::Purpose::RoomCircle(self.space), feed, 0, READ_BYTES);
            circles.reading = Some(Reading { ticket, feed, length, tree: Tree::new() });
        }
        known
    }

    /// Entries of a feed in a circle.
    pub(crate) fn read_for_circle(
        &mut self,
        ticket: Ticket,
        read: Result<Vec<StoredRange>, ReadError>,
        outbox: &mut Outbox,
    ) {
        let circles = &mut self.circles;
        let Some(mut reading) = circles.reading.take_if(|reading| reading.ticket == ticket) else { return };
        let before = reading.tree.length();
        for entry in read.iter().flatten().flat_map(|range| &range.runs).flat_map(Run::entries) {
            if entry.seq == reading.tree.length() && entry.seq < reading.length {
                let header = entry.header.bytes();
                reading.tree.push(leaf(header), header.len() as u64 + entry.header.body_len());
            }
        }
        let Reading { feed, length, .. } = reading;
        if reading.tree.length() == length {
            circles.roots.insert((feed, length), reading.tree.root());
        } else if reading.tree.length() == before {
            circles.unreadable.insert(feed);
        } else {
            let purpose = outbox::Purpose::RoomCircle(self.space);
            reading.ticket = outbox.read(purpose, feed, reading.tree.length(), READ_BYTES);
            circles.reading = Some(reading);
        }
    }
}
