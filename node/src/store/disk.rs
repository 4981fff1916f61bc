//! The store in a folder: feeds as runs, private rows, derived rows.
//!
//! What cannot be read as it was written is never given out. Where that is a part of a feed, it is named ([`Disk::damage`]) so
//! that it can be fetched again; where it is a derived row, the space's rows are dropped when the store is opened; anything
//! else is damage that `aside` deals with.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use bytes::Bytes;
use weft_crypto::{FeedId, Manifest, Purpose, SignedManifest, SpaceId};
use weft_feed::{Run, Tree};
use weft_peer::{
    Rows as Wanted,
    store::{Batch, CURSORS, Damage, Opened, OpenedFeed, Write},
};
use weft_replication::{ReadError, StoredRange};

use super::{
    Store,
    anchor::{self, Anchor},
    error::StoreError,
    examine::first_damaged,
    incarnation::Watch,
    layout::{DERIVED_PREFIX_BYTES, FeedRow, HeadersRow, decode_state, derived_key, number_key, run_from, run_key},
    mark,
    medium::{Folder, Media, Untouched},
    plan::{Dropped, Plan, put_or_remove},
    row::{Change, Table},
    rows::{self, Recovered, Rows},
};

/// The store in a folder.
pub struct Disk {
    media: Arc<dyn Media>,
    pub(super) rows: Rows,
    index: Mutex<Index>,
    /// Held from the plan of a write to its end.
    writing: Mutex<()>,
    /// What a lost store is made of again. Locked within `writing`.
    anchor: Mutex<Anchored>,
    /// What opening found and others can mend.
    found: Mutex<Vec<Damage>>,
    /// Keeps the mark outside, once this copy was looked at. Locked within `writing`.
    pub(super) watch: Mutex<Option<Watch>>,
}

/// What is looked up for every write and read: small, so it stays in memory. Names nothing that the rows do not have.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub(super) feeds: BTreeMap<FeedId, Slot>,
    pub(super) spaces: BTreeMap<SpaceId, u32>,
    /// The numbers of the next ones: beyond all that are taken, and while the store is open all that were.
    pub(super) next_feed: u32,
    pub(super) next_space: u32,
}

impl Index {
    fn add(&mut self, mut news: Index) {
        self.feeds.append(&mut news.feeds);
        self.spaces.append(&mut news.spaces);
        self.next_feed = self.next_feed.max(news.next_feed);
        self.next_space = self.next_space.max(news.next_space);
    }

    fn remove(&mut self, dropped: &Dropped) {
        self.feeds.retain(|feed, _| !dropped.feeds.contains_key(feed));
        self.spaces.retain(|space, _| !dropped.spaces.contains(space));
    }
}

#[derive(Debug)]
struct Anchored {
    file: Anchor,
    /// Data feeds that grew since their states were noted.
    grown: BTreeMap<u32, Bytes>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) number: u32,
    pub(super) control: bool,
    /// How many entries are held.
    pub(super) length: u64,
}

impl Disk {
    /// Opens the store in `folder`, which exists, or makes it. `cache_bytes` is what redb may keep in memory.
    pub fn open(folder: &Path, cache_bytes: usize) -> Result<(Disk, Recovered), StoreError> {
        let marked = mark::read(folder);
        if let Some(what) = marked.as_ref().and_then(|marked| marked.fatal()) {
            return Err(StoreError::damaged(what));
        }
        let opened = Disk::open_on(Arc::new(Folder(folder.to_owned())), cache_bytes, marked.is_some())?;
        mark::remove(folder)?;
        Ok(opened)
    }

    /// Opens the store in a folder that is only looked at: what is written is gone afterwards, and nothing durable is taken.
    pub fn look(folder: &Path, cache_bytes: usize) -> Result<(Disk, Recovered), StoreError> {
        Disk::open_on(Arc::new(Untouched(folder.to_owned())), cache_bytes, false)
    }

    pub(super) fn open_on(
        media: Arc<dyn Media>,
        cache_bytes: usize,
        look_through: bool,
    ) -> Result<(Disk, Recovered), StoreError> {
        let (rows, recovered) = Rows::open(Arc::clone(&media), cache_bytes)?;
        let mut index = Index::default();
        rows.scan(Table::Spaces, &[], &[], &mut |key, value| {
            let row = <[u8; 32]>::try_from(key).ok().zip(<[u8; 4]>::try_from(value).ok());
            let (space, number) = row.ok_or_else(|| StoreError::damaged("a row of the table of spaces"))?;
            let number = u32::from_be_bytes(number);
            index.next_space = index.next_space.max(number.saturating_add(1));
            index.spaces.insert(SpaceId::from_bytes(space), number);
            Ok(ControlFlow::Continue(()))
        })?;
        let found = Anchor::open(&*media)?;
        let is_missing = !matches!(&found, Some((_, _, true)));
        let kept: BTreeSet<Bytes> = found.iter().flat_map(|(_, kept, _)| anchor::feeds(kept)).collect();
        let file = match found {
            Some((file, ..)) => file,
            None => Anchor::make(&*media, &[])?,
        };
        let disk = Disk::of(Arc::clone(&media), rows, file);
        for (feed, row) in disk.feed_rows()? {
            let length = disk.state(&feed, row.number)?.map_or(0, |(head, _)| head.length);
            let control = manifest_of(&feed, &row.manifest)?.purpose == Purpose::Control;
            index.next_feed = index.next_feed.max(row.number.saturating_add(1));
            index.feeds.insert(feed, Slot { number: row.number, control, length });
        }
        // A crash came between the two when something was added, or when a space was deleted.
        let differs = !index.feeds.keys().map(|feed| feed.as_bytes().as_slice()).eq(kept.iter().map(|feed| &feed[..]));
        *disk.index() = index;
        if look_through || media.len(rows::NAME)?.is_some_and(|len| len <= LOOKED_THROUGH_BYTES) {
            disk.look_through()?;
        }
        if is_missing || differs {
            match Anchor::make(&*media, &disk.anchored_rows()?) {
                Ok(file) => disk.anchored().file = file,
                // Reading goes on without; what is to be anchored is refused as long as there is no room.
                Err(error) => tracing::warn!(%error, "what a lost store would be made of again could not be written"),
            }
        }
        Ok((disk, recovered))
    }

    /// Opens what can be read of a damaged store: feeds that its anchor and its own rows name, each as far as its state can
    /// be read.
    pub(super) fn open_readable(media: Arc<dyn Media>, cache_bytes: usize) -> Result<Disk, StoreError> {
        let (rows, _) = Rows::open(Arc::clone(&media), cache_bytes)?;
        let (anchor, kept) = match Anchor::open(&*media)? {
            Some((file, kept, _)) => (file, kept),
            None => (Anchor::make(&*media, &[])?, Default::default()),
        };
        let disk = Disk::of(media, rows, anchor);
        for ((_, key), value) in kept.iter().filter(|((table, _), _)| *table == Table::Feeds) {
            let (Ok(feed), Ok(row)) = (FeedId::try_from(&key[..]), FeedRow::decode(value)) else { continue };
            let length = disk.state(&feed, row.number).ok().flatten().map_or(0, |(head, _)| head.length);
            disk.index().feeds.insert(feed, Slot { number: row.number, control: false, length });
        }
        Ok(disk)
    }

    fn of(media: Arc<dyn Media>, rows: Rows, anchor: Anchor) -> Disk {
        Disk {
            media,
            rows,
            index: Mutex::default(),
            writing: Mutex::default(),
            anchor: Mutex::new(Anchored { file: anchor, grown: BTreeMap::new() }),
            found: Mutex::default(),
            watch: Mutex::default(),
        }
    }

    /// Puts rows as they are. What is known of them afterwards is known when the store is opened again.
    pub(super) fn put_rows(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.rows.commit(changes.to_vec(), true)?;
        self.rows.checkpoint()
    }

    pub(super) fn found(&self) -> MutexGuard<'_, Vec<Damage>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What opening found and others can mend, once.
    pub(crate) fn take_damage(&self) -> Vec<Damage> {
        std::mem::take(&mut *self.found())
    }

    fn anchored(&self) -> MutexGuard<'_, Anchored> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every row that the anchor has to hold, as puts.
    fn anchored_rows(&self) -> Result<Vec<Change>, StoreError> {
        let mut rows = Vec::new();
        for table in [Table::Spaces, Table::Feeds, Table::Local, Table::Node] {
            rows.extend(self.table(table, &[])?.into_iter().map(|(key, value)| Change::Put(table, key, value)));
        }
        let slots: Vec<Slot> = self.index().feeds.values().copied().collect();
        for slot in slots {
            let tables: &[Table] =
                if slot.control { &[Table::Headers, Table::Bodies, Table::States] } else { &[Table::States] };
            for table in tables {
                let of_feed = self.table(*table, &slot.number.to_be_bytes())?;
                rows.extend(of_feed.into_iter().map(|(key, value)| Change::Put(*table, key, value)));
            }
        }
        Ok(rows)
    }

    /// Makes the anchor of what there is: its file holds nothing else afterwards. Where that fails, the next opening does it.
    fn anchor_anew(&self) -> Result<(), StoreError> {
        let rows = self.anchored_rows()?;
        match Anchor::make(&*self.media, &rows) {
            Ok(file) => self.anchored().file = file,
            Err(error) => {
                tracing::warn!(%error, "what was deleted stays in the anchor until the store is opened again")
            }
        }
        Ok(())
    }

    fn plan(&self, batches: &[Batch]) -> Result<Plan, StoreError> {
        let mut plan = Plan::default();
        for write in batches.iter().flat_map(|batch| &batch.writes) {
            match write {
                Write::Mend { feed, ranges } => plan.mend(&self.rows, &self.index(), feed, ranges)?,
                Write::DropSpace { space } => plan.drop_space(&self.rows, &self.index(), space)?,
                Write::Replace { feed, base, ranges } => {
                    plan.replace(&self.rows, &self.index(), feed, base.as_deref(), ranges)?;
                }
                write => plan.add(&self.index(), write)?,
            }
        }
        Ok(plan)
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        // Replaced as a whole or not at all.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn slot(&self, feed: &FeedId) -> Option<Slot> {
        self.index().feeds.get(feed).copied()
    }

    pub(super) fn feed_rows(&self) -> Result<Vec<(FeedId, FeedRow)>, StoreError> {
        let mut feeds = Vec::new();
        self.rows.scan(Table::Feeds, &[], &[], &mut |key, value| {
            let feed = FeedId::try_from(key).map_err(|_| StoreError::damaged("a row of the table of feeds"))?;
            feeds.push((feed, FeedRow::decode(value)?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(feeds)
    }

    pub(super) fn state(&self, feed: &FeedId, number: u32) -> Result<Option<(weft_crypto::Head, Tree)>, StoreError> {
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
        let not_what_it_was = |seq: u64| StoreError::Entry { feed: *feed, seq };
        let view = self.rows.view()?;
        let first = view
            .last_within(Table::Headers, &run_key(slot.number, 0), &run_key(slot.number, from))?
            .ok_or_else(|| not_what_it_was(from))?;
        // The entry that has to come next; the first run may begin before the one that was asked for.
        let (mut next, mut stopped) = (run_from(&first)?, false);
        if next > from {
            return Err(not_what_it_was(from));
        }
        view.look(Table::Headers, &slot.number.to_be_bytes(), &first, &mut |key, row| {
            if next >= slot.length {
                stopped = true;
                return Ok(ControlFlow::Break(()));
            }
            let run_from =
                run_from(key).ok().filter(|from| *from == next).ok_or_else(|| not_what_it_was(next.max(from)))?;
            let row =
                row.and_then(|row| HeadersRow::decode(feed, run_from, row)).map_err(|_| not_what_it_was(run_from))?;
            let head = row.head;
            let run = match view.get(Table::Bodies, key) {
                Ok(bodies) => row.into_run(feed, run_from, bodies.unwrap_or_default()),
                Err(error) if !error.is_damage() => return Err(error),
                Err(_) => return Err(not_what_it_was(first_damaged(&view, feed, key, row)?)),
            };
            let run = run.map_err(|_| not_what_it_was(run_from))?;
            next = run.end();
            let flow = visit(run, head)?;
            stopped = flow.is_break();
            Ok(flow)
        })?;
        if next < slot.length && !stopped {
            return Err(not_what_it_was(next));
        }
        Ok(())
    }

    /// The rows of the node itself that begin with `prefix`.
    pub(crate) fn node_rows(&self, prefix: &[u8]) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.table(Table::Node, prefix)
    }

    /// Sets rows of the node itself, or removes them. A crash may lose the change.
    pub(crate) fn set_node_rows(&self, rows: Vec<(Bytes, Option<Bytes>)>) -> Result<(), StoreError> {
        let changes: Vec<Change> =
            rows.into_iter().map(|(key, value)| put_or_remove(Table::Node, key, value)).collect();
        self.anchored().file.append(&changes, false)?;
        self.rows.commit(changes, false)
    }

    /// Sets a row of the node itself, or removes it. It survives a crash.
    pub(crate) fn keep_node_row(&self, (key, value): (Bytes, Option<Bytes>)) -> Result<(), StoreError> {
        self.put_durably(&[put_or_remove(Table::Node, key, value)])
    }

    pub(super) fn put_durably(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.anchored().file.append(changes, true)?;
        self.rows.commit(changes.to_vec(), true)
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

    pub(super) fn table(&self, table: Table, prefix: &[u8]) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
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
        // Before the store takes it: what is known of a space is never less than what others were given of it.
        self.anchored().file.append(&plan.anchored, true)?;
        self.rows.commit(plan.changes, is_durable(batches))?;
        let drops = !plan.dropped.spaces.is_empty();
        self.index().remove(&plan.dropped);
        self.anchored().grown.retain(|number, _| !plan.dropped.feeds.values().any(|dropped| dropped == number));
        self.anchored().grown.extend(plan.grown);
        self.index().add(plan.news);
        self.forget(&plan.dropped.spaces);
        self.noticed(plan.announced, &plan.anchored);
        if drops { self.anchor_anew() } else { Ok(()) }
    }

    fn write_if_quick(&self, batches: &[Batch]) -> Result<bool, StoreError> {
        let _one_writer = match self.writing.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Ok(held) => held,
        };
        // What replaces rows has to look for them, and what is anchored takes another sync.
        let looks =
            |write: &Write| matches!(write, Write::Mend { .. } | Write::Replace { .. } | Write::DropSpace { .. });
        if batches.iter().flat_map(|batch| &batch.writes).any(looks) {
            return Ok(false);
        }
        let plan = self.plan(batches)?;
        let done = plan.anchored.is_empty() && self.rows.commit_if_quick(plan.changes, is_durable(batches))?;
        if done {
            self.anchored().grown.extend(plan.grown);
            self.index().add(plan.news);
        }
        Ok(done)
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.note(false);
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
            // What lies before the damage is as good as ever.
            if ranges.is_empty() {
                return Err(ReadError::Damaged);
            }
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
            let manifest = manifest_of(&feed, &row.manifest)?;
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

    fn damage(&self, feed: &FeedId) -> Result<Option<Damage>, StoreError> {
        Disk::damage(self, feed)
    }

    fn rest(&self) -> Result<(), StoreError> {
        let mut anchored = self.anchored();
        let noted =
            anchored.grown.iter().map(|(number, state)| Change::Put(Table::States, number_key(*number), state.clone()));
        let noted: Vec<Change> = noted.collect();
        anchored.file.append(&noted, false)?;
        anchored.grown.clear();
        drop(anchored);
        self.note(true);
        self.rows.checkpoint()
    }
}

fn is_durable(batches: &[Batch]) -> bool {
    batches.iter().any(|batch| batch.durable)
}

pub(super) fn manifest_of(feed: &FeedId, signed: &Bytes) -> Result<Manifest, StoreError> {
    let signed = SignedManifest::decode(signed);
    let signed = signed.map_err(|error| StoreError::damaged(format!("the manifest of feed {feed}: {error}")))?;
    if signed.feed() == *feed {
        Ok(*signed.manifest())
    } else {
        Err(StoreError::damaged(format!("the manifest of feed {feed} is that of another")))
    }
}

/// A store of at most this size is looked through whenever it is opened. 16 MiB: some tens of milliseconds.
const LOOKED_THROUGH_BYTES: u64 = 16 << 20;
