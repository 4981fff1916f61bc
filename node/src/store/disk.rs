//! The store in a folder: feeds as runs, private rows, derived rows.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
};

use bytes::Bytes;
use weft_crypto::{FeedId, Purpose, SignedManifest, SpaceId};
use weft_feed::{Run, Tree, VerifiedRange};
use weft_peer::{
    Rows as Wanted,
    store::{Batch, CURSORS, Opened, OpenedFeed, Write},
};
use weft_replication::{ReadError, StoredRange};

use super::{
    Store,
    error::StoreError,
    layout::{DERIVED_PREFIX_BYTES, FeedRow, HeadersRow, decode_state, derived_key, encode_headers, encode_state},
    layout::{number_key, run_from, run_key},
    row::{Change, Table},
    rows::{Recovered, Rows},
};

/// The store in a folder.
pub struct Disk {
    rows: Rows,
    index: Mutex<Index>,
    /// Held from the plan of a write to its end.
    writing: Mutex<()>,
}

/// What is looked up for every write and read: small, so it stays in memory. Names nothing that the rows do not have.
#[derive(Clone, Debug, Default)]
struct Index {
    feeds: BTreeMap<FeedId, Slot>,
    spaces: BTreeMap<SpaceId, u32>,
}

impl Index {
    fn add(&mut self, mut news: Index) {
        self.feeds.append(&mut news.feeds);
        self.spaces.append(&mut news.spaces);
    }
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    number: u32,
    /// How many entries are held.
    length: u64,
}

impl Disk {
    /// Opens the store in `folder`, which exists, or makes it. `cache_bytes` is what redb may keep in memory.
    pub fn open(folder: &Path, cache_bytes: usize) -> Result<(Disk, Recovered), StoreError> {
        let (rows, recovered) = Rows::open(folder, cache_bytes)?;
        let mut index = Index::default();
        rows.scan(Table::Spaces, &[], &[], &mut |key, value| {
            let row = <[u8; 32]>::try_from(key).ok().zip(<[u8; 4]>::try_from(value).ok());
            let (space, number) = row.ok_or_else(|| StoreError::damaged("a row of the table of spaces"))?;
            index.spaces.insert(SpaceId::from_bytes(space), u32::from_be_bytes(number));
            Ok(ControlFlow::Continue(()))
        })?;
        let disk = Disk { rows, index: Mutex::default(), writing: Mutex::default() };
        for (feed, row) in disk.feed_rows()? {
            let length = disk.state(&feed, row.number)?.map_or(0, |(head, _)| head.length);
            index.feeds.insert(feed, Slot { number: row.number, length });
        }
        *disk.index() = index;
        Ok((disk, recovered))
    }

    fn plan(&self, batches: &[Batch]) -> Result<Plan, StoreError> {
        let (index, mut plan) = (self.index(), Plan::default());
        for write in batches.iter().flat_map(|batch| &batch.writes) {
            plan.add(&index, write)?;
        }
        Ok(plan)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // Replaced as a whole or not at all.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, feed: &FeedId) -> Option<Slot> {
        self.index().feeds.get(feed).copied()
    }

    fn feed_rows(&self) -> Result<Vec<(FeedId, FeedRow)>, StoreError> {
        let mut feeds = Vec::new();
        self.rows.scan(Table::Feeds, &[], &[], &mut |key, value| {
            let feed = FeedId::try_from(key).map_err(|_| StoreError::damaged("a row of the table of feeds"))?;
            feeds.push((feed, FeedRow::decode(value)?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(feeds)
    }

    fn state(&self, feed: &FeedId, number: u32) -> Result<Option<(weft_crypto::Head, Tree)>, StoreError> {
        self.rows.get(Table::States, &number_key(number))?.map(|row| decode_state(feed, &row)).transpose()
    }

    /// Visits the stored runs of a feed, from the one that holds `from` on, each with the head at its end.
    pub(crate) fn runs(
        &self,
        feed: &FeedId,
        from: u64,
        visit: &mut dyn FnMut(Run, Option<weft_crypto::Head>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let Some(slot) = self.slot(feed).filter(|slot| from < slot.length) else { return Ok(()) };
        let first = self
            .rows
            .last_within(Table::Headers, &run_key(slot.number, 0), &run_key(slot.number, from))?
            .ok_or_else(|| StoreError::damaged(format!("feed {feed} has no entries at {from}, and should")))?;
        self.rows.scan(Table::Headers, &slot.number.to_be_bytes(), &first.0, &mut |key, row| {
            let from = run_from(key)?;
            let row = HeadersRow::decode(feed, from, row)?;
            let head = row.head;
            let bodies = self.rows.get(Table::Bodies, key)?.unwrap_or_default();
            visit(row.into_run(feed, from, bodies)?, head)
        })
    }

    /// The rows of the node itself that begin with `prefix`.
    pub(crate) fn node_rows(&self, prefix: &[u8]) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.table(Table::Node, prefix)
    }

    /// Sets rows of the node itself, or removes them. A crash may lose the change.
    pub(crate) fn set_node_rows(&self, rows: Vec<(Bytes, Option<Bytes>)>) -> Result<(), StoreError> {
        let changes = rows.into_iter().map(|(key, value)| put_or_remove(Table::Node, key, value));
        self.rows.commit(changes.collect(), false)
    }

    /// How many entries of a feed are held.
    pub(crate) fn length(&self, feed: &FeedId) -> u64 {
        self.slot(feed).map_or(0, |slot| slot.length)
    }

    /// The feeds of a space, each with its signed manifest.
    pub(crate) fn feeds_of(&self, space: &SpaceId) -> Result<Vec<(FeedId, Bytes)>, StoreError> {
        let feeds = self.feed_rows()?.into_iter().filter(|(_, row)| row.space == *space);
        Ok(feeds.map(|(feed, row)| (feed, row.manifest)).collect())
    }

    fn table(&self, table: Table, prefix: &[u8]) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let mut rows = Vec::new();
        self.rows.scan(table, prefix, prefix, &mut |key, value| {
            rows.push((Bytes::copy_from_slice(key), Bytes::copy_from_slice(value)));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    fn derived(&self, space: u32, table: u8, prefix: &[u8]) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let rows = self.table(Table::Derived, &derived_key(space, table, prefix))?;
        Ok(rows.into_iter().map(|(key, value)| (key.slice(DERIVED_PREFIX_BYTES..), value)).collect())
    }
}

impl Store for Disk {
    fn write(&self, batches: &[Batch]) -> Result<(), StoreError> {
        let _one_writer = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = self.plan(batches)?;
        self.rows.commit(plan.changes, is_durable(batches))?;
        self.index().add(plan.news);
        Ok(())
    }

    fn write_if_quick(&self, batches: &[Batch]) -> Result<bool, StoreError> {
        let _one_writer = match self.writing.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Ok(held) => held,
        };
        let plan = self.plan(batches)?;
        let done = self.rows.commit_if_quick(plan.changes, is_durable(batches))?;
        if done {
            self.index().add(plan.news);
        }
        Ok(done)
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.rows.settle()
    }

    fn read(&self, feed: &FeedId, from: u64, bytes_max: usize) -> Result<Vec<StoredRange>, ReadError> {
        let mut ranges = Vec::new();
        let (mut runs, mut bytes) = (Vec::new(), 0);
        let done = self.runs(feed, from, &mut |run, head| {
            let run = if run.from() < from { run.slice(from, run.end()) } else { run };
            bytes += run.bytes();
            runs.push(run);
            let Some(head) = head else { return Ok(ControlFlow::Continue(())) };
            if bytes > bytes_max && !ranges.is_empty() {
                return Ok(ControlFlow::Break(()));
            }
            ranges.push(StoredRange { head, runs: std::mem::take(&mut runs) });
            Ok(if bytes >= bytes_max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        if let Err(error) = done {
            tracing::error!(%feed, from, %error, "entries cannot be read");
            return Err(ReadError::Damaged);
        }
        if ranges.is_empty() { Err(ReadError::NotHeld) } else { Ok(ranges) }
    }

    fn load(&self, space: &SpaceId, table: u8, rows: &Wanted) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let Some(number) = self.index().spaces.get(space).copied() else { return Ok(Vec::new()) };
        match rows {
            Wanted::Exact(key) => {
                let value = self.rows.get(Table::Derived, &derived_key(number, table, key))?;
                Ok(value.map(|value| (key.clone(), value)).into_iter().collect())
            }
            Wanted::Prefix(prefix) => self.derived(number, table, prefix),
        }
    }

    fn opened(&self) -> Result<Opened, StoreError> {
        let mut opened = Opened { local: self.table(Table::Local, &[])?, ..Opened::default() };
        for (feed, row) in self.feed_rows()? {
            let (head, tree) = self.state(&feed, row.number)?.unzip();
            let signed = SignedManifest::decode(&row.manifest);
            let manifest = signed.and_then(|signed| weft_crypto::Manifest::decode(&signed.manifest));
            let manifest =
                manifest.map_err(|error| StoreError::damaged(format!("the manifest of feed {feed}: {error}")))?;
            if manifest.purpose == Purpose::Control {
                let mut runs = Vec::new();
                self.runs(&feed, 0, &mut |run, _| {
                    runs.push(run);
                    Ok(ControlFlow::Continue(()))
                })?;
                opened.control.push((feed, runs));
            }
            let tree = tree.unwrap_or_default();
            opened.feeds.push(OpenedFeed { feed, space: row.space, manifest: row.manifest, tree, head });
        }
        let spaces = self.index().spaces.clone();
        for (space, number) in spaces {
            opened.cursors.push((space, self.derived(number, CURSORS, &[])?));
        }
        Ok(opened)
    }

    fn rest(&self) -> Result<(), StoreError> {
        self.rows.checkpoint()
    }
}

fn is_durable(batches: &[Batch]) -> bool {
    batches.iter().any(|batch| batch.durable)
}

/// The changes of rows that batches mean, and what will be new in the index.
#[derive(Default)]
struct Plan {
    changes: Vec<Change>,
    news: Index,
}

impl Plan {
    fn add(&mut self, index: &Index, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Feed { feed, space, manifest } => self.feed(index, *feed, *space, manifest),
            Write::Range(range) => self.range(index, range)?,
            Write::Local { key, value } => self.changes.push(put_or_remove(Table::Local, key.clone(), value.clone())),
            Write::Derived { space, table, key, value } => {
                let key = derived_key(self.space(index, space), *table, key);
                self.changes.push(put_or_remove(Table::Derived, key, value.clone()));
            }
            Write::DropDerived { space } => {
                let prefix = number_key(self.space(index, space));
                self.changes.push(Change::RemovePrefix(Table::Derived, prefix));
            }
        }
        Ok(())
    }

    fn slot(&self, index: &Index, feed: &FeedId) -> Option<Slot> {
        self.news.feeds.get(feed).or_else(|| index.feeds.get(feed)).copied()
    }

    fn feed(&mut self, index: &Index, feed: FeedId, space: SpaceId, manifest: &Bytes) {
        if self.slot(index, &feed).is_some() {
            return;
        }
        let new = self.news.feeds.keys().filter(|feed| !index.feeds.contains_key(*feed)).count();
        let number = (index.feeds.len() + new) as u32;
        self.news.feeds.insert(feed, Slot { number, length: 0 });
        let row = FeedRow { number, space, manifest: manifest.clone() };
        self.changes.push(Change::Put(Table::Feeds, Bytes::copy_from_slice(feed.as_bytes()), row.encode()));
    }

    fn range(&mut self, index: &Index, range: &VerifiedRange) -> Result<(), StoreError> {
        let (feed, from) = (range.feed(), range.from());
        let Slot { number, length } = self.slot(index, &feed).ok_or(StoreError::UnknownFeed { feed })?;
        if length != from {
            return Err(StoreError::NotContiguous { feed, held: length, from });
        }
        self.news.feeds.insert(feed, Slot { number, length: range.end() });
        for run in range.runs() {
            let key = run_key(number, run.from());
            let head = (run.end() == range.end()).then_some(range.head());
            self.changes.push(Change::Put(Table::Headers, key.clone(), encode_headers(run, head)));
            if !run.bodies().is_empty() {
                self.changes.push(Change::Put(Table::Bodies, key, run.bodies().clone()));
            }
        }
        self.changes.push(Change::Put(Table::States, number_key(number), encode_state(range.head(), range.tree())));
        Ok(())
    }

    fn space(&mut self, index: &Index, space: &SpaceId) -> u32 {
        if let Some(number) = index.spaces.get(space).or_else(|| self.news.spaces.get(space)) {
            return *number;
        }
        let number = (index.spaces.len() + self.news.spaces.len()) as u32;
        self.news.spaces.insert(*space, number);
        self.changes.push(Change::Put(Table::Spaces, Bytes::copy_from_slice(space.as_bytes()), number_key(number)));
        number
    }
}

fn put_or_remove(table: Table, key: Bytes, value: Option<Bytes>) -> Change {
    match value {
        Some(value) => Change::Put(table, key, value),
        None => Change::Remove(table, key),
    }
}
