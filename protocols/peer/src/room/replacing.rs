//! Forked feeds of which another history is kept than is held here: that one is fetched and takes the place of what is held.
//!
//! Until it is here nothing changes: what is held goes on being shown and served. Then one batch takes the feed back to a head
//! that both histories have, adds the rest of the one that is kept and drops what was derived, and the room is opened anew on
//! that, as at a start. So a crash leaves the one or the other, and nothing in between. Spec: PEER-4.2

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use weft_crypto::{DeviceId, FeedId, Head};
use weft_feed::{Run, Tree, VerifiedRange, leaf};
use weft_machine::Time;
use weft_replication::{ReadError, StoredRange};

use super::{
    Effect, Persisting, Reopening, Room,
    ledger::{End, Feed},
    mending::Question,
};
use crate::{
    event::Event,
    io::Ticket,
    local,
    outbox::{self, Outbox},
    store::{Batch, Write},
};

/// How long a peer may take between two ranges. 10 s, a guess, as for a damaged part.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 1 << 20;

/// How much is put in place at once, in bytes: what lies beyond is fetched like the rest of any feed. 64 MiB, a guess: minutes
/// of a slow line.
const BYTES_MAX: usize = 64 << 20;

/// A signed head and the tree there; none at the beginning of a feed.
type Base = Option<(Head, Tree)>;

/// A feed that is led to the history that is kept.
pub(crate) struct Replacement {
    end: End,
    stage: Stage,
    /// When the peer was asked too long ago, or when all may be asked again.
    until: Time,
    tried: BTreeSet<DeviceId>,
}

enum Stage {
    /// What is held is read up to an entry, for the last head that both histories have.
    Reading { target: u64, tree: Tree, base: Base, ticket: Option<Ticket> },
    /// The rest of what is kept is fetched.
    Fetching { base: Base, tree: Tree, came: Vec<Arc<VerifiedRange>>, bytes: usize, asked: Option<DeviceId> },
    /// It can be put in place.
    Ready { base: Base, came: Vec<Arc<VerifiedRange>> },
}

impl Replacement {
    /// Towards this end; all before `target` is to be looked at.
    pub(crate) fn new(now: Time, end: End, target: u64) -> Replacement {
        let stage = Stage::Reading { target, tree: Tree::new(), base: None, ticket: None };
        Replacement { end, stage, until: now, tried: BTreeSet::new() }
    }

    /// What is held is the beginning of what is kept, and only what stands on it has to be made anew.
    pub(crate) fn of_nothing(now: Time, end: End, held: Base) -> Replacement {
        let stage = Stage::Ready { base: held, came: Vec::new() };
        Replacement { end, stage, until: now, tried: BTreeSet::new() }
    }

    fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready { .. })
    }

    /// Entries of what is held.
    fn read(&mut self, now: Time, read: Result<Vec<StoredRange>, ReadError>) {
        let Stage::Reading { target, tree, base, ticket } = &mut self.stage else { return };
        *ticket = None;
        let Ok(ranges) = read else {
            // Damage is mended first.
            self.until = now + PATIENCE;
            return;
        };
        for range in ranges {
            push(tree, &range.runs, *target);
            if range.head.length == tree.length() && range.head.length <= self.end.common {
                *base = Some((range.head, tree.clone()));
            }
        }
    }

    /// Goes on when all is read.
    fn step(&mut self) {
        let Stage::Reading { target, tree, base, .. } = &mut self.stage else { return };
        if tree.length() < *target {
            return;
        }
        self.stage = if tree.length() == self.end.head.length && tree.root() == self.end.head.root {
            Stage::Ready { base: Some((self.end.head, tree.clone())), came: Vec::new() }
        } else {
            fetching(base.take())
        };
    }

    /// A range of the history that is kept, or so the peer says.
    pub(crate) fn came(&mut self, now: Time, device: DeviceId, range: &VerifiedRange) {
        let Stage::Fetching { base, tree, came, bytes, asked } = &mut self.stage else { return };
        if *asked != Some(device) || range.from() != tree.length() {
            return;
        }
        push(tree, range.runs(), range.end());
        if tree != range.tree() || !self.end.leads_here(range) {
            return self.forget();
        }
        self.until = now + PATIENCE;
        *bytes += range.bytes();
        came.push(Arc::new(range.clone()));
        if range.end() == self.end.head.length || *bytes >= BYTES_MAX {
            self.stage = Stage::Ready { base: base.take(), came: std::mem::take(came) };
        }
    }

    /// Begins again, with the next peer.
    fn forget(&mut self) {
        if let Stage::Fetching { base, .. } = &mut self.stage {
            self.stage = fetching(base.take());
        }
    }

    /// A peer does not give it, or is gone.
    pub(crate) fn refused(&mut self, device: DeviceId, is_gone: bool) {
        if is_gone {
            self.tried.remove(&device);
        }
        if matches!(&self.stage, Stage::Fetching { asked, .. } if *asked == Some(device)) {
            self.forget();
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        match &self.stage {
            Stage::Reading { ticket, .. } => ticket.is_none().then_some(self.until),
            Stage::Fetching { .. } => (!self.tried.is_empty()).then_some(self.until),
            Stage::Ready { .. } => None,
        }
    }

    pub(crate) fn wake(&mut self, now: Time) {
        let Stage::Fetching { asked, .. } = &self.stage else { return };
        if self.until <= now {
            match asked {
                Some(_) => self.forget(),
                None => self.tried.clear(),
            }
            self.until = now + PATIENCE;
        }
    }
}

fn fetching(base: Base) -> Stage {
    let tree = base.as_ref().map_or_else(Tree::new, |(_, tree)| tree.clone());
    Stage::Fetching { base, tree, came: Vec::new(), bytes: 0, asked: None }
}

/// Adds the entries that come next, up to `until`.
fn push(tree: &mut Tree, runs: &[Run], until: u64) {
    for entry in runs.iter().flat_map(Run::entries) {
        if entry.seq == tree.length() && entry.seq < until {
            let header = entry.header.bytes();
            tree.push(leaf(header), header.len() as u64 + entry.header.body_len());
        }
    }
}

impl Room {
    /// Another history of a feed is kept than is held here.
    pub(crate) fn is_to_be_replaced(&mut self, now: Time, feed: FeedId, end: End, same: bool, outbox: &mut Outbox) {
        let held = self.ledger.get(&feed).map_or(0, |entry| entry.tree.length());
        let target = if same && held >= end.head.length { end.head.length } else { end.common };
        self.forks.replacements.insert(feed, Replacement::new(now, end, target));
        self.is_another(now, end.head, outbox);
    }

    /// What is held of a feed is not the beginning of what is kept, which ends with this head.
    pub(crate) fn is_another(&mut self, now: Time, kept: Head, outbox: &mut Outbox) {
        let Some(entry) = self.ledger.get_mut(&kept.feed) else { return };
        entry.end = None;
        if entry.stopped.is_none() {
            self.stop(now, kept.feed, kept, outbox);
        } else {
            self.sources.stopped(now, kept.feed);
        }
    }

    /// What is held of a forked feed is the beginning of what is kept of it: it goes on up to where that ends. Tells whether
    /// others may wait for less of it than before.
    pub(crate) fn goes_on(&mut self, now: Time, feed: FeedId, end: End) -> bool {
        let Some(entry) = self.ledger.get_mut(&feed) else { return false };
        let is_common_otherwise = entry.end.is_some_and(|known| known.common != end.common);
        if is_common_otherwise || entry.clamped.is_some_and(|clamped| clamped < end.head.length) {
            // Entries went by without what is still to come, which is in their past, or as if more were in common.
            let held = entry.head.map(|head| (head, entry.tree.clone()));
            self.forks.replacements.insert(feed, Replacement::of_nothing(now, end, held));
            return false;
        }
        if entry.end == Some(end) {
            return false;
        }
        entry.end = Some(end);
        self.sources.ends(now, feed, end.head.length, end.head.root);
        self.clamp(&feed, end.head.length);
        true
    }

    /// Nobody waits for more of a feed than this.
    pub(crate) fn clamp(&mut self, feed: &FeedId, length: u64) {
        let Some(entry) = self.ledger.get_mut(feed) else { return };
        entry.clamped = Some(entry.clamped.map_or(length, |clamped| clamped.min(length)));
        self.control_order.stop(*feed, length);
        self.data_order.stop(*feed, length);
    }

    /// What was on its way was not kept: nobody waits for it if the feed is stopped.
    pub(crate) fn holds_less(&mut self, feed: &FeedId) {
        let entry = self.ledger.get(feed).filter(|entry| entry.stopped.is_some() && entry.is_settled());
        if let Some(length) = entry.map(|entry| entry.tree.length()) {
            self.clamp(feed, length);
        }
    }

    /// Moves every replacement on as far as it goes.
    pub(crate) fn replace_histories(&mut self, now: Time, outbox: &mut Outbox) {
        for (feed, replacement) in &mut self.forks.replacements {
            replacement.step();
            let Replacement { end, stage, until, tried } = replacement;
            match stage {
                Stage::Reading { tree, ticket: ticket @ None, .. } if *until <= now => {
                    let purpose = outbox::Purpose::RoomFork(self.space, *feed);
                    *ticket = Some(outbox.read(purpose, *feed, tree.length(), READ_BYTES));
                }
                Stage::Fetching { base, asked: asked @ None, .. } => {
                    let Head { length, root, .. } = end.head;
                    let mut holders = self.sources.holders_of(*feed, length, root);
                    if let Some(device) = holders.find(|device| !tried.contains(device)) {
                        *asked = Some(device);
                        *until = now + PATIENCE;
                        tried.insert(device);
                        let question = Question { device, feed: *feed, base: base.clone(), until: length };
                        self.effects.push_back(Effect::Mend(question));
                    }
                }
                Stage::Reading { .. } | Stage::Fetching { .. } | Stage::Ready { .. } => {}
            }
        }
        if self.forks.replacements.values().any(Replacement::is_ready) {
            self.rederive();
        }
    }

    /// Entries of what is held came from the disk. Tells whether they were read for this.
    pub(crate) fn read_to_replace(
        &mut self,
        now: Time,
        ticket: Ticket,
        feed: &FeedId,
        read: Result<Vec<StoredRange>, ReadError>,
    ) -> Option<Result<Vec<StoredRange>, ReadError>> {
        match self.forks.replacements.get_mut(feed) {
            Some(replacement) if matches!(&replacement.stage, Stage::Reading { ticket: at, .. } if *at == Some(ticket)) =>
            {
                replacement.read(now, read);
                None
            }
            _ => Some(read),
        }
    }

    /// Something is ready, and the store or what is on its way to it has to be waited for: own entries too. Until then nothing is
    /// derived again, which would only be begun anew.
    pub(crate) fn waits_to_replace(&self) -> bool {
        let mut ready = self.forks.replacements.iter().filter(|(_, replacement)| replacement.is_ready()).peekable();
        let is_settled = |feed| self.ledger.get(feed).is_some_and(Feed::is_settled);
        let is_writing = self.data.is_flying() || self.control.is_flying() || !self.written.is_empty();
        ready.peek().is_some()
            && (is_writing || self.store_failed.is_some() || !ready.all(|(feed, _)| is_settled(feed)))
    }

    /// Puts what is ready in the place of what is held, once no own entry is on its way. Tells whether there is any. What waits to
    /// be written waits perhaps for just this.
    pub(crate) fn put_in_place(&mut self, outbox: &mut Outbox) -> bool {
        if self.waits_to_replace() {
            return false;
        }
        let (mut writes, mut feeds) = (Vec::new(), Vec::new());
        for (feed, replacement) in &self.forks.replacements {
            let Stage::Ready { base, came } = &replacement.stage else { continue };
            let (feed, base, ranges) = (*feed, base.clone(), came.clone());
            let last = ranges.last().map(|range| (*range.head(), range.tree().clone()));
            feeds.push((feed, last.or_else(|| base.clone())));
            writes.push(Write::Replace { feed, base: base.map(Box::new), ranges });
            writes.push(Write::Local { key: local::stopped_key(&feed), value: None });
        }
        if feeds.is_empty() {
            return false;
        }
        writes.extend(self.derived.dropped(self.space));
        let batch = Batch { writes, durable: true };
        let ticket = outbox.persist(outbox::Purpose::RoomPersist(self.space), batch);
        self.persisting.insert(ticket, Persisting::Replaced { feeds });
        self.reopening = Some(Reopening::Writing);
        true
    }

    /// It is durable: the room is opened anew.
    pub(crate) fn replaced(&mut self, feeds: Vec<(FeedId, Base)>, outbox: &mut Outbox) {
        for (feed, last) in feeds {
            let (head, tree) = last.unzip();
            self.ledger.replaced(&feed, tree.unwrap_or_default(), head);
            self.forks.replacements.remove(&feed);
            outbox.event(Event::Replaced { space: self.space, feed });
        }
        self.reopening = Some(Reopening::Closed);
        self.effects.push_back(Effect::Reopen);
    }
}
