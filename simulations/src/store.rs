//! A host's disk in memory, with the one property that matters: what a crash may take.
//!
//! Batches are ordered, applied and made durable in their order. A crash keeps some prefix of those that are not yet durable, ordered
//! ones included: a drive may have written what it never confirmed, and may have lost what was only in its cache. It never loses
//! one in the middle, and never anything that was said to be durable.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use weft_crypto::{FeedId, Head, Manifest, Purpose, Root, SignedManifest, SpaceId};
use weft_feed::{Run, Tree, VerifiedRange};
use weft_peer::{
    Rows,
    store::{Batch, CURSORS, Opened, OpenedFeed, Write},
};
use weft_replication::{ReadError, StoredRange};

use crate::dice::Dice;

/// What is written, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Content {
    feeds: BTreeMap<FeedId, Feed>,
    local: BTreeMap<Bytes, Bytes>,
    derived: BTreeMap<(SpaceId, u8), BTreeMap<Bytes, Bytes>>,
}

/// A feed as it is written.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The space it belongs to.
    pub space: SpaceId,
    /// The signed manifest.
    pub manifest: Bytes,
    /// What is held, from entry 0, without a gap.
    pub ranges: Vec<Held>,
}

/// Entries up to a signed head.
#[derive(Clone, Debug)]
pub struct Held {
    /// The head.
    pub head: Head,
    /// The tree there.
    pub tree: Tree,
    /// The entries.
    pub runs: Vec<Run>,
}

impl Feed {
    /// Entries held.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.ranges.last().map_or(0, |range| range.head.length)
    }

    fn tree(&self) -> Tree {
        self.ranges.last().map_or_else(Tree::new, |range| range.tree.clone())
    }

    /// Takes the feed back to a head that it has, or to nothing.
    fn take_back(&mut self, base: Option<&(Head, Tree)>) {
        let length = base.map_or(0, |(head, _)| head.length);
        self.ranges.retain(|range| range.runs.first().is_some_and(|run| run.from() < length));
        if let (Some((head, tree)), Some(last)) = (base, self.ranges.last_mut()) {
            last.runs.retain(|run| run.from() < length);
            let end = last.runs.pop().map(|run| run.slice(run.from(), run.end().min(length)));
            last.runs.extend(end);
            (last.head, last.tree) = (*head, tree.clone());
        }
    }

    /// What the manifest says, if it verifies.
    #[must_use]
    pub fn manifest(&self) -> Option<Manifest> {
        let signed = SignedManifest::decode(&self.manifest).ok()?;
        signed.verify().ok().map(weft_crypto::Verified::into_inner)
    }
}

/// A batch that no store should have been given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// Entries of a feed that was never announced.
    #[error("entries of feed {0} before the feed")]
    UnknownFeed(FeedId),
    /// Entries that do not go on from what is held.
    #[error("feed {feed} holds {held} entries and was given some from {from}")]
    Gap {
        /// The feed.
        feed: FeedId,
        /// Entries held.
        held: u64,
        /// Where the given ones begin.
        from: u64,
    },
    /// Entries whose tree is not what their head says.
    #[error("feed {0}: the head of a verified range is not the head of its tree")]
    Head(FeedId),
}

impl Content {
    /// Every feed.
    pub fn feeds(&self) -> impl Iterator<Item = (&FeedId, &Feed)> {
        self.feeds.iter()
    }

    /// Length and root of every feed of a space of which anything is held.
    #[must_use]
    pub fn heads(&self, space: SpaceId) -> BTreeMap<FeedId, (u64, Root)> {
        let feeds = self.feeds.iter().filter(|(_, feed)| feed.space == space && feed.length() > 0);
        feeds.map(|(id, feed)| (*id, (feed.length(), feed.tree().root()))).collect()
    }

    /// The rows of a derived table.
    pub fn derived(&self, space: SpaceId, table: u8) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.derived.get(&(space, table)).into_iter().flatten()
    }

    /// Which of these rows there are, in the order of their keys.
    #[must_use]
    pub fn load(&self, space: SpaceId, table: u8, rows: &Rows) -> Vec<(Bytes, Bytes)> {
        let Some(table) = self.derived.get(&(space, table)) else { return Vec::new() };
        let pair = |(key, value): (&Bytes, &Bytes)| (key.clone(), value.clone());
        match rows {
            Rows::Exact(key) => table.get_key_value(key).map(pair).into_iter().collect(),
            Rows::Prefix(prefix) => {
                let from = table.range(prefix.clone()..);
                from.take_while(|(key, _)| key.starts_with(prefix)).map(pair).collect()
            }
        }
    }

    fn apply(&mut self, batch: &Batch) -> Result<(), Broken> {
        for write in &batch.writes {
            match write {
                Write::Feed { feed, space, manifest } => {
                    let new = || Feed { space: *space, manifest: manifest.clone(), ranges: Vec::new() };
                    self.feeds.entry(*feed).or_insert_with(new);
                }
                Write::Range(range) => self.extend(range)?,
                // These disks do not forget single bytes: what would be put in its place is there.
                Write::Mend { .. } => {}
                Write::Replace { feed, base, ranges } => {
                    let held = self.feeds.get_mut(feed).ok_or(Broken::UnknownFeed(*feed))?;
                    let from = base.as_deref().map_or(0, |(head, _)| head.length);
                    if held.length() < from {
                        return Err(Broken::Gap { feed: *feed, held: held.length(), from });
                    }
                    held.take_back(base.as_deref());
                    ranges.iter().try_for_each(|range| self.extend(range))?;
                }
                Write::Local { key, value } => set(&mut self.local, key, value.as_ref()),
                Write::Derived { space, table, key, value } => {
                    set(self.derived.entry((*space, *table)).or_default(), key, value.as_ref());
                }
                Write::DropDerived { space } => self.derived.retain(|(found, _), _| found != space),
                Write::DropSpace { space } => {
                    self.derived.retain(|(found, _), _| found != space);
                    self.feeds.retain(|_, feed| feed.space != *space);
                }
            }
        }
        Ok(())
    }

    fn extend(&mut self, range: &Arc<VerifiedRange>) -> Result<(), Broken> {
        let feed = self.feeds.get_mut(&range.feed()).ok_or(Broken::UnknownFeed(range.feed()))?;
        if feed.length() != range.from() {
            return Err(Broken::Gap { feed: range.feed(), held: feed.length(), from: range.from() });
        }
        if range.head().length != range.tree().length() || range.head().root != range.tree().root() {
            return Err(Broken::Head(range.feed()));
        }
        let (head, tree, runs) = (*range.head(), range.tree().clone(), range.runs().to_vec());
        feed.ranges.push(Held { head, tree, runs });
        Ok(())
    }

    fn read(&self, feed: FeedId, from: u64, bytes_max: usize) -> Result<Vec<StoredRange>, ReadError> {
        let feed = self.feeds.get(&feed).filter(|feed| from < feed.length()).ok_or(ReadError::NotHeld)?;
        let first = feed.ranges.partition_point(|range| range.head.length <= from);
        let mut bytes = 0;
        let mut found = Vec::new();
        for range in &feed.ranges[first..] {
            let runs: Vec<Run> = range
                .runs
                .iter()
                .filter(|run| run.end() > from)
                .map(|run| if run.from() < from { run.slice(from, run.end()) } else { run.clone() })
                .collect();
            bytes += runs.iter().map(|run| run.bytes()).sum::<usize>();
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push(StoredRange { head: range.head, runs });
        }
        Ok(found)
    }
}

fn set(rows: &mut BTreeMap<Bytes, Bytes>, key: &Bytes, value: Option<&Bytes>) {
    match value {
        Some(value) => rows.insert(key.clone(), value.clone()),
        None => rows.remove(key),
    };
}

/// A host's disk.
#[derive(Debug, Default)]
pub struct Store {
    ordered: VecDeque<Batch>,
    applied: Content,
    tail: VecDeque<Batch>,
    durable: Content,
}

impl Store {
    /// Takes an order to write. Nothing can be read of it before [`Store::complete`].
    pub fn order(&mut self, batch: Batch) {
        self.ordered.push_back(batch);
    }

    /// The oldest order is carried out, and with a durable one everything before it is durable.
    ///
    /// # Errors
    /// When the batch is one that no store should have been given: a bug of the peer.
    ///
    /// # Panics
    /// When nothing was ordered.
    pub fn complete(&mut self) -> Result<(), Broken> {
        let batch = self.ordered.pop_front().expect("what completes was ordered");
        self.applied.apply(&batch)?;
        let durable = batch.durable;
        self.tail.push_back(batch);
        if durable {
            for batch in self.tail.drain(..) {
                self.durable.apply(&batch)?;
            }
        }
        Ok(())
    }

    /// How many orders wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.ordered.len()
    }

    /// The oldest order fails: nothing of it is there.
    pub fn fail(&mut self) {
        self.ordered.pop_front();
    }

    /// The power goes. Of what is not durable a drawn prefix survives; says how many batches were lost.
    ///
    /// # Errors
    /// When a surviving batch is one that no store should have been given.
    pub fn crash(&mut self, dice: &mut Dice) -> Result<usize, Broken> {
        let open: Vec<Batch> = self.tail.drain(..).chain(self.ordered.drain(..)).collect();
        let kept = dice.place(open.len() + 1).unwrap_or(0);
        for batch in &open[..kept] {
            self.durable.apply(batch)?;
        }
        self.applied = self.durable.clone();
        Ok(open.len() - kept)
    }

    /// A copy of what is durable.
    #[must_use]
    pub fn copied(&self) -> Content {
        self.durable.clone()
    }

    /// A copy takes the place of all that there is.
    pub fn put_back(&mut self, copy: Content) {
        *self = Store { applied: copy.clone(), durable: copy, ..Store::default() };
    }

    /// What can be read now.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.applied
    }

    /// Ranges of a feed from an entry on, as [`weft_peer::Output::Read`] asks for.
    ///
    /// # Errors
    /// When the entry is not held.
    pub fn read(&self, feed: FeedId, from: u64, bytes_max: usize) -> Result<Vec<StoredRange>, ReadError> {
        self.applied.read(feed, from, bytes_max)
    }

    /// What a peer is given when it starts.
    #[must_use]
    pub fn open(&self) -> Opened {
        let content = &self.applied;
        let feeds = content.feeds.iter().map(|(id, feed)| OpenedFeed {
            feed: *id,
            space: feed.space,
            manifest: feed.manifest.clone(),
            tree: feed.tree(),
            head: feed.ranges.last().map(|range| range.head),
        });
        let control = content
            .feeds
            .iter()
            .filter(|(_, feed)| feed.manifest().is_some_and(|manifest| manifest.purpose == Purpose::Control));
        let cursors = content.derived.iter().filter(|((_, table), _)| *table == CURSORS);
        let rows =
            |rows: &BTreeMap<Bytes, Bytes>| rows.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Opened {
            local: rows(&content.local),
            feeds: feeds.collect(),
            control: control
                .map(|(id, feed)| (*id, feed.ranges.iter().flat_map(|range| range.runs.iter().cloned()).collect()))
                .collect(),
            cursors: cursors.map(|((space, _), table)| (*space, rows(table))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice;

    fn row(key: &'static str, durable: bool) -> Batch {
        let key = Bytes::from_static(key.as_bytes());
        Batch { writes: vec![Write::Local { value: Some(key.clone()), key }], durable }
    }

    fn keys(store: &Store) -> Vec<String> {
        store.open().local.into_iter().map(|(key, _)| String::from_utf8_lossy(&key).into_owned()).collect()
    }

    #[test]
    fn a_crash_keeps_what_was_durable_and_a_prefix_of_the_rest() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..64 {
            let mut store = Store::default();
            for (key, durable) in [("a", false), ("b", true), ("c", false), ("d", true)] {
                store.order(row(key, durable));
            }
            for _ in 0..3 {
                store.complete().expect("rows can always be written");
            }
            assert_eq!(keys(&store), ["a", "b", "c"]);
            store.crash(&mut Dice::new(&dice::seed(number), "crash")).expect("rows can always be written");
            seen.insert(keys(&store).concat());
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["ab", "abc", "abcd"]);
    }

    #[test]
    fn what_is_ordered_cannot_be_read_before_it_is_written() {
        let mut store = Store::default();
        store.order(row("a", true));
        assert!(keys(&store).is_empty());
        store.complete().expect("rows can always be written");
        assert_eq!(keys(&store), ["a"]);
    }
}
