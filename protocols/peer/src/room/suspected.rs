//! Peers that say they hold another log of a feed than is held here: it is looked at.
//!
//! Whoever holds more compares, and so learns of a fork; whoever holds less is told so, and shown nothing (REPLICATION-8.1). If it
//! is the author's own device that holds more, and it alone, nobody learns of it who could prove it. A word proves nothing, so the
//! peer is asked for its log from the start, until a signed head contradicts. Spec: PEER-4

use std::collections::BTreeMap;

use weft_crypto::{DeviceId, FeedId, Head};
use weft_feed::{Run, Tree, VerifiedRange, leaf};
use weft_machine::Time;

use super::{Effect, Room, mending::Question};
use crate::outbox::Outbox;

/// Entries of a log that is looked at. A million, as of histories that are compared.
const ENTRIES_MAX: u64 = 1 << 20;

/// Who was asked for which feed.
#[derive(Default)]
pub(crate) struct Suspected {
    asked: BTreeMap<(FeedId, DeviceId), Asked>,
}

struct Asked {
    /// What was held then.
    held: Head,
    /// What came.
    tree: Tree,
}

impl Asked {
    fn is_done(&self) -> bool {
        self.tree.length() == self.held.length
    }
}

impl Suspected {
    /// A peer does not give it, or is gone. Who gave the same that is held is not asked again while it is there.
    pub(crate) fn refused(&mut self, device: DeviceId, feed: Option<&FeedId>) {
        let stays = |of: &FeedId, asked: &Asked| feed.is_some_and(|feed| feed != of || asked.is_done());
        self.asked.retain(|(of, by), asked| *by != device || stays(of, asked));
    }
}

impl Room {
    /// A peer says that what it holds of a feed contradicts what is held here.
    pub(crate) fn suspect(&mut self, device: DeviceId, feed: FeedId) {
        let Some(entry) = self.ledger.get(&feed).filter(|entry| !entry.is_forked()) else { return };
        let Some(held) = entry.head.filter(|head| head.length <= ENTRIES_MAX) else { return };
        // The author itself proves nothing.
        let is_mine = entry.manifest.device == self.me.device.id();
        if !is_mine && !self.suspected.asked.contains_key(&(feed, device)) {
            self.suspected.asked.insert((feed, device), Asked { held, tree: Tree::new() });
            self.effects.push_back(Effect::Mend(Question { device, feed, base: None, until: held.length }));
        }
    }

    /// A range of such a log.
    pub(crate) fn came_of_suspected(
        &mut self,
        now: Time,
        device: DeviceId,
        range: &VerifiedRange,
        outbox: &mut Outbox,
    ) {
        let asked = self.suspected.asked.get_mut(&(range.feed(), device));
        let Some(asked) = asked.filter(|asked| !asked.is_done()) else { return };
        let Asked { held, tree } = asked;
        for entry in range.runs().iter().flat_map(Run::entries) {
            if entry.seq == tree.length() && entry.seq < held.length {
                let header = entry.header.bytes();
                tree.push(leaf(header), header.len() as u64 + entry.header.body_len());
            }
        }
        if tree.length() == held.length && tree.root() != held.root {
            self.stop(now, range.feed(), *range.head(), outbox);
        }
    }
}
