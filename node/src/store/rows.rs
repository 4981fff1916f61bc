//! Rows on disk: redb with a journal in front. A set of changes is there as a whole or not at all.
//!
//! A small set is written to the journal and waits in memory until somebody reads, or until there is time: then everything
//! that waits goes to redb in one transaction (it *settles*). So a durable write costs one sync and no transaction.
//!
//! redb panics on some damaged files; here that becomes an error with advice. When the disk fails under it, it answers nothing
//! any more; here it is opened again and gets what the journal has, so that reading goes on and writing is tried again.

use std::{
    cell::Cell,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use redb::{
    Builder, Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, StorageBackend,
    WriteTransaction,
};

use super::{
    anchor,
    error::StoreError,
    journal::{self, Journal},
    medium::{Media, Medium},
    row::{Change, Table, decode, encode, encoded_len},
    sealed,
};

/// The format that is written and the newest that is read.
pub(super) const VERSION: u32 = 2;

/// The file of redb.
pub(super) const NAME: &str = "store.redb";

/// The same while it is made.
const NEW_NAME: &str = "store.redb.new";

/// The rows of [`Table::Meta`].
const VERSION_KEY: &[u8] = b"version";
const ID_KEY: &[u8] = b"id";
const JOURNALED_KEY: &[u8] = b"journaled";

/// Changes longer than this go to redb at once: writing them twice would cost more than a commit.
const JOURNALED_BYTES_MAX: usize = 256 << 10;
/// Changes longer than this are not written by a caller that must not wait: some dozens of small records.
const QUICK_BYTES_MAX: usize = 16 << 10;
/// A disk whose last sync took longer than this has no quick writes. Measured on a shared virtual disk: 250 µs.
const QUICK_SYNC_MAX: Duration = Duration::from_millis(1);

/// The open store.
pub(super) struct Rows {
    media: Arc<dyn Media>,
    cache_bytes: usize,
    /// None only when the disk failed and redb could not be opened again.
    database: RwLock<Option<Database>>,
    /// Locked for as long as a write takes.
    journal: Mutex<State>,
    /// Whether changes wait. Set and cleared under the lock; looked at without it.
    waiting: AtomicBool,
}

struct State {
    journal: Journal,
    /// In the journal and not in redb yet, in their order.
    waiting: Vec<Change>,
    /// How long the last sync took.
    last_sync: Duration,
    /// Redb does not have the journal's numbers durably yet: nothing may be written to it before.
    unnumbered: bool,
    /// Redb's file cannot even be opened for writing: what it writes stays in memory, so it may only be read.
    only_looked_at: bool,
}

/// Is given the key and the value of a row, and says whether to go on.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError> + 'a;

/// The same for rows that may not be what was written; the value as it lies there.
pub(super) type Look<'a> = dyn FnMut(&[u8], Result<&[u8], StoreError>) -> Result<ControlFlow<()>, StoreError> + 'a;

/// What opening found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Batches that the last process had made durable in the journal only.
    pub batches: u64,
    /// Whether the last batch was not whole; it had not been acknowledged, and is gone.
    pub torn: bool,
}

impl Rows {
    pub(super) fn open(media: Arc<dyn Media>, cache_bytes: usize) -> Result<(Rows, Recovered), StoreError> {
        caught(|| {
            let is_new = media.len(NAME)?.unwrap_or(0) == 0;
            let has = |name: &str| Ok::<bool, StoreError>(media.len(name)?.is_some_and(|len| len > 0));
            if is_new && (has(journal::NAME)? || has(anchor::NAME)?) {
                // They are made after the store: to begin anew here would hide that everything is gone.
                return Err(StoreError::damaged(
                    "its file store.redb is missing or empty, and others of its files are there",
                ));
            }
            if is_new && media.keeps() {
                lay_out(&*media, cache_bytes)?;
            }
            let database = open_database(media.open(NAME)?, cache_bytes)?;
            let (key, number) = prepare(&*media, &database)?;
            let (journal, found) = Journal::open(&*media, key, number)?;
            let state = State {
                journal,
                waiting: Vec::new(),
                last_sync: Duration::ZERO,
                unnumbered: true,
                only_looked_at: false,
            };
            let (database, journal) = (RwLock::new(Some(database)), Mutex::new(state));
            let rows = Rows { media, cache_bytes, database, journal, waiting: AtomicBool::new(false) };
            let recovered = rows.replay(found)?;
            Ok((rows, recovered))
        })
    }

    fn replay(&self, found: journal::Found) -> Result<Recovered, StoreError> {
        let recovered = Recovered { batches: found.records.len() as u64, torn: found.torn };
        let changes = decoded(&found.records)?;
        // Also when there is nothing to replay: the journal's new numbers must be durable before the first of them is used.
        match self.commit_durably(&mut self.state(), &changes) {
            Err(StoreError::Disk(error)) => {
                tracing::warn!(%error, "the disk does not take anything: the store can be read, and written when there is room");
            }
            done => done?,
        }
        Ok(recovered)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the changes, all or none; whoever reads after this sees them. Those that are not durable are when a later durable
    /// set is.
    ///
    /// When the disk refuses, nothing of the changes is there, what was committed before can be read, and the next call tries
    /// again.
    pub(super) fn commit(&self, changes: Vec<Change>, durable: bool) -> Result<(), StoreError> {
        if durable && !self.media.keeps() {
            return Err(StoreError::Disk(std::io::ErrorKind::ReadOnlyFilesystem.into()));
        }
        let mut state = self.state();
        if state.unnumbered {
            self.commit_durably(&mut state, &[])?;
        }
        let len = encoded_len(&changes);
        if len > JOURNALED_BYTES_MAX {
            return self.commit_durably(&mut state, &changes);
        }
        if !state.journal.has_room(len) {
            self.commit_durably(&mut state, &[])?;
        }
        self.journal(&mut state, changes, durable)
    }

    /// The same if it takes no longer than one sync, on a disk where that is quick. Else nothing is done, and it says so.
    pub(super) fn commit_if_quick(&self, changes: Vec<Change>, durable: bool) -> Result<bool, StoreError> {
        let mut state = match self.journal.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(state)) => state.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        let len = encoded_len(&changes);
        let is_quick = !state.unnumbered && (!durable || self.media.keeps() && state.last_sync <= QUICK_SYNC_MAX);
        if !is_quick || len > QUICK_BYTES_MAX || !state.journal.has_room(len) {
            return Ok(false);
        }
        self.journal(&mut state, changes, durable).map(|()| true)
    }

    /// Changes that fit go into the journal, and wait for redb.
    fn journal(&self, state: &mut State, changes: Vec<Change>, durable: bool) -> Result<(), StoreError> {
        let mut payload = Vec::with_capacity(encoded_len(&changes));
        encode(&changes, &mut payload);
        state.journal.append(&payload);
        if durable {
            let started = Instant::now();
            if let Err(error) = state.journal.sync() {
                state.journal.forget(payload.len());
                return Err(error.into());
            }
            state.last_sync = started.elapsed();
        }
        state.waiting.extend(changes);
        self.waiting.store(true, Ordering::Release);
        Ok(())
    }

    /// Brings what waits to redb.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        if !self.waiting.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut state = self.state();
        if let Err(error) = self.reading(|database| apply_lazily(database, &state.waiting)) {
            // It is in the journal: nothing is lost, and who reads has to find it.
            tracing::warn!(%error, "the store is opened again, because it did not take a write that is safe in its journal");
            self.revive(&mut state)?;
        }
        self.settled(&mut state);
        Ok(())
    }

    fn settled(&self, state: &mut State) {
        state.waiting = Vec::new();
        self.waiting.store(false, Ordering::Release);
    }

    /// Makes everything durable in redb, and `changes` with it, and empties the journal.
    fn commit_durably(&self, state: &mut State, changes: &[Change]) -> Result<(), StoreError> {
        if state.only_looked_at {
            self.revive(state)?;
            if state.only_looked_at {
                return Err(StoreError::Disk(std::io::Error::other("its file cannot be opened for writing")));
            }
        }
        let number = state.journal.number() + 1;
        let done = self.reading(|database| apply_durably(database, number, &[&state.waiting, changes]));
        let Err(error) = done else {
            state.journal.restart(number);
            state.unnumbered = false;
            self.settled(state);
            return Ok(());
        };
        // Until it is known how far redb came, the journal's next number is not.
        state.unnumbered = true;
        if error.is_damage() {
            return Err(error);
        }
        let found = self.revive(state)?;
        self.settled(state);
        if found != number {
            return Err(error);
        }
        // A commit that failed is there all the same: what follows makes it durable, or nobody may be told of it.
        state.journal.restart(number);
        if state.only_looked_at {
            return Err(StoreError::Stopped);
        }
        self.reading(|database| apply_durably(database, number + 1, &[])).map_err(|_| StoreError::Stopped)?;
        state.journal.restart(number + 1);
        state.unnumbered = false;
        Ok(())
    }

    /// Opens redb again after the disk failed under it, and brings it to where it was; where that cannot be, only to be read.
    /// Gives the number of its last durable commit.
    fn revive(&self, state: &mut State) -> Result<u64, StoreError> {
        let mut place = self.database.write().unwrap_or_else(PoisonError::into_inner);
        drop(place.take());
        let bring = |medium: Result<Medium, StoreError>| {
            let database = open_database(medium?, self.cache_bytes)?;
            let (_, number) = marks(&database)?;
            if number <= state.journal.number() {
                apply_lazily(&database, &decoded(&state.journal.records()?)?)?;
            }
            Ok((database, number))
        };
        state.only_looked_at = false;
        let brought = caught(|| bring(self.media.open(NAME))).or_else(|error| {
            tracing::error!(%error, "the store cannot be opened again for writing");
            state.only_looked_at = true;
            caught(|| bring(self.media.look(NAME)))
        });
        let (database, number) = brought.map_err(|error| {
            tracing::error!(%error, "the store cannot be opened again");
            if error.is_damage() { error } else { StoreError::Stopped }
        })?;
        *place = Some(database);
        Ok(number)
    }

    /// Empties the journal, if there is anything in it.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.journal.is_empty() {
            return Ok(());
        }
        self.commit_durably(&mut state, &[])
    }

    fn reading<T>(&self, work: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.unsettled()?.reading(work)
    }

    /// The rows, to be read. Whoever reads within a reading takes the same one.
    pub(super) fn view(&self) -> Result<View<'_>, StoreError> {
        self.settle()?;
        self.unsettled()
    }

    fn unsettled(&self) -> Result<View<'_>, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if database.is_some() { Ok(View { database }) } else { Err(StoreError::Stopped) }
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.view()?.get(table, key)
    }

    /// Visits rows from `from` on, in the order of their keys, while the key begins with `prefix` and the visitor goes on.
    pub(super) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        self.view()?.look(table, prefix, from, &mut |key, value| visit(key, value?))
    }
}

/// The rows while they are read: redb is not opened again meanwhile.
pub(super) struct View<'a> {
    database: RwLockReadGuard<'a, Option<Database>>,
}

impl View<'_> {
    fn reading<T>(&self, work: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let database = self.database.as_ref().ok_or(StoreError::Stopped)?;
        caught(|| work(database))
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.reading(|database| {
            let rows = database.begin_read()?.open_table(table.definition())?;
            let row = rows.get(key)?;
            row.map(|row| sealed::open(table, key, row.value()).map(Bytes::copy_from_slice)).transpose()
        })
    }

    /// The value as it lies there, whether or not it is what was written.
    pub(super) fn get_as_it_is(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.reading(|database| {
            let rows = database.begin_read()?.open_table(table.definition())?;
            let row = rows.get(key)?;
            Ok(row.map(|row| {
                let value = row.value();
                Bytes::copy_from_slice(&value[..value.len().saturating_sub(sealed::CHECKSUM_BYTES)])
            }))
        })
    }

    /// The key of the last row between the two, both included.
    pub(super) fn last_within(&self, table: Table, from: &[u8], to: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.reading(|database| {
            let rows = database.begin_read()?.open_table(table.definition())?;
            let row = rows.range::<&[u8]>(from..=to)?.next_back().transpose()?;
            Ok(row.map(|(key, _)| Bytes::copy_from_slice(key.value())))
        })
    }

    /// The keys from `from` up to `to`, without it.
    pub(super) fn keys(&self, table: Table, from: &[u8], to: &[u8]) -> Result<Vec<Bytes>, StoreError> {
        self.reading(|database| {
            let rows = database.begin_read()?.open_table(table.definition())?;
            let keys = rows.range::<&[u8]>(from..to)?.map(|row| Ok(Bytes::copy_from_slice(row?.0.value())));
            keys.collect()
        })
    }

    /// Visits rows from `from` on, in the order of their keys, while the key begins with `prefix` and the visitor goes on; also
    /// those that are not what was written.
    pub(super) fn look(&self, table: Table, prefix: &[u8], from: &[u8], look: &mut Look<'_>) -> Result<(), StoreError> {
        self.reading(|database| {
            let rows = database.begin_read()?.open_table(table.definition())?;
            for row in rows.range::<&[u8]>(from..)? {
                let (key, value) = row?;
                let key = key.value();
                if !key.starts_with(prefix) || look(key, sealed::open(table, key, value.value()))?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Goes through every row of every table: whether all are there, in order, and each is what was written. Says which are
    /// not; what is no longer a table is the error.
    pub(super) fn look_through(&self, damaged: &mut dyn FnMut(Table, &[u8])) -> Result<(), StoreError> {
        self.reading(|database| {
            let transaction = database.begin_read()?;
            for table in Table::ALL {
                let rows = transaction.open_table(table.definition())?;
                let (mut count, mut last): (u64, Option<Vec<u8>>) = (0, None);
                for row in rows.range::<&[u8]>(..)? {
                    let (key, value) = row?;
                    let key = key.value();
                    if last.as_ref().is_some_and(|last| last[..] >= *key) {
                        return Err(StoreError::damaged(format!(
                            "the rows of its table `{}` lie in disorder",
                            table.name()
                        )));
                    }
                    last = Some(key.to_vec());
                    count += 1;
                    if key != VERSION_KEY && sealed::open(table, key, value.value()).is_err() {
                        damaged(table, key);
                    }
                }
                let expected = rows.len()?;
                if count != expected {
                    let name = table.name();
                    return Err(StoreError::damaged(format!(
                        "{count} of {expected} rows of its table `{name}` are left"
                    )));
                }
            }
            Ok(())
        })
    }
}

/// Makes an empty store under another name, and puts it in its place when it is whole: whoever is killed meanwhile has none, not a
/// damaged one.
fn lay_out(media: &dyn Media, cache_bytes: usize) -> Result<(), StoreError> {
    let medium = media.open(NEW_NAME)?;
    // What an earlier try left.
    medium.set_len(0)?;
    let database = open_database(medium, cache_bytes)?;
    make(&database)?;
    drop(database);
    media.rename(NEW_NAME, NAME)?;
    Ok(())
}

fn open_database(medium: Medium, cache_bytes: usize) -> Result<Database, StoreError> {
    Ok(Builder::new().set_cache_size(cache_bytes).create_with_backend(medium)?)
}

fn decoded(records: &[Bytes]) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    for record in records {
        changes.extend(decode(record).ok_or_else(|| StoreError::damaged("a journal record of unknown form"))?);
    }
    Ok(changes)
}

fn apply_lazily(database: &Database, changes: &[Change]) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::None)?;
    apply(&transaction, changes)?;
    transaction.commit()?;
    Ok(())
}

fn apply_durably(database: &Database, number: u64, changes: &[&[Change]]) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    // So that opening after a crash need not walk the whole file.
    transaction.set_quick_repair(true);
    changes.iter().try_for_each(|changes| apply(&transaction, changes))?;
    put(&mut transaction.open_table(Table::Meta.definition())?, Table::Meta, JOURNALED_KEY, &number.to_le_bytes())?;
    transaction.commit()?;
    Ok(())
}

fn put(
    rows: &mut redb::Table<'_, &'static [u8], &'static [u8]>,
    table: Table,
    key: &[u8],
    value: &[u8],
) -> Result<(), StoreError> {
    rows.insert(key, &sealed::seal(table, key, value)[..])?;
    Ok(())
}

/// Checks the version, or makes the tables of a new store. Gives the store's id and the number of its last durable commit.
fn prepare(media: &dyn Media, database: &Database) -> Result<([u8; 32], u64), StoreError> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(Table::Meta.definition()) {
        Ok(meta) => meta,
        Err(redb::TableError::TableDoesNotExist(_)) => return make(database),
        Err(error) => return Err(error.into()),
    };
    let found: u32 = {
        let row = meta.get(VERSION_KEY)?;
        let value = row.as_ref().and_then(|row| row.value().try_into().ok());
        value.map(u32::from_le_bytes).ok_or_else(|| StoreError::damaged("its row `version` is missing"))?
    };
    if found > VERSION {
        return Err(StoreError::Newer { found, known: VERSION });
    }
    if found == 1 {
        drop((meta, transaction));
        seal_all(media, database)?;
    }
    marks(database)
}

/// Migrates format 1, whose rows had no checksums, after a copy was set aside.
fn seal_all(media: &dyn Media, database: &Database) -> Result<(), StoreError> {
    media.copy(NAME, "store.redb.format-1")?;
    let old = database.begin_read()?;
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    for table in Table::ALL {
        let mut rows = transaction.open_table(table.definition())?;
        for row in old.open_table(table.definition())?.range::<&[u8]>(..)? {
            let (key, value) = row?;
            match key.value() {
                key if key == VERSION_KEY && table == Table::Meta => {
                    rows.insert(key, &VERSION.to_le_bytes()[..])?;
                }
                key => put(&mut rows, table, key, value.value())?,
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

/// The store's id and the number of its last durable commit.
fn marks(database: &Database) -> Result<([u8; 32], u64), StoreError> {
    let meta = database.begin_read()?.open_table(Table::Meta.definition())?;
    Ok((meta_row(&meta, ID_KEY)?, meta_row(&meta, JOURNALED_KEY).map(u64::from_le_bytes)?))
}

fn meta_row<const N: usize>(
    meta: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &'static [u8],
) -> Result<[u8; N], StoreError> {
    let row = meta.get(key)?;
    let value = row.as_ref().map(|row| sealed::open(Table::Meta, key, row.value())).transpose()?;
    value
        .and_then(|value| value.try_into().ok())
        .ok_or_else(|| StoreError::damaged(format!("its row `{}` is missing or of another length", key.escape_ascii())))
}

fn make(database: &Database) -> Result<([u8; 32], u64), StoreError> {
    let mut id = [0; 32];
    getrandom::fill(&mut id).map_err(|error| StoreError::Disk(std::io::Error::other(error.to_string())))?;
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    for table in Table::ALL {
        transaction.open_table(table.definition())?;
    }
    {
        let mut meta = transaction.open_table(Table::Meta.definition())?;
        // Without a checksum, so that every version can read it.
        meta.insert(VERSION_KEY, &VERSION.to_le_bytes()[..])?;
        put(&mut meta, Table::Meta, ID_KEY, &id)?;
        put(&mut meta, Table::Meta, JOURNALED_KEY, &0u64.to_le_bytes())?;
    }
    transaction.commit()?;
    Ok((id, 0))
}

fn apply(transaction: &WriteTransaction, changes: &[Change]) -> Result<(), StoreError> {
    for table in Table::ALL {
        let of_table = |change: &&Change| {
            let (Change::Put(of, ..) | Change::Remove(of, _) | Change::RemovePrefix(of, _)) = change;
            *of == table
        };
        let mut changes = changes.iter().filter(of_table).peekable();
        if changes.peek().is_none() {
            continue;
        }
        let mut rows = transaction.open_table(table.definition())?;
        for change in changes {
            match change {
                Change::Put(_, key, value) => put(&mut rows, table, key, value)?,
                Change::Remove(_, key) => {
                    rows.remove(&key[..])?;
                }
                Change::RemovePrefix(_, prefix) => match end_of_prefix(prefix) {
                    Some(end) => rows.retain_in::<&[u8], _>(&prefix[..]..&end[..], |_, _| false)?,
                    None => rows.retain_in::<&[u8], _>(&prefix[..].., |_, _| false)?,
                },
            }
        }
    }
    Ok(())
}

/// The first key after all that begin with `prefix`; none when there is no such key.
fn end_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread will become an error of the store: it need not be reported as one.
pub(crate) fn is_catching() -> bool {
    CATCHING.get()
}

/// Turns a panic of redb, which it has for some damaged files, into an error.
fn caught<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let outer = CATCHING.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    done.unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(StoreError::damaged(format!("reading it failed ({what})")))
    })
}
