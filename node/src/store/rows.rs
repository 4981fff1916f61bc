//! Rows on disk: redb with a journal in front. A set of changes is there as a whole or not at all.
//!
//! A small set is written to the journal and waits in memory until somebody reads, or until there is time: then everything
//! that waits goes to redb in one transaction (it *settles*). So a durable write costs one sync and no transaction.
//!
//! redb panics on some damaged files; here that becomes an error with advice.

use std::{
    cell::Cell,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use redb::{Builder, Database, Durability, ReadableDatabase, ReadableTable, WriteTransaction};

use super::{
    error::StoreError,
    journal::{self, Journal},
    private,
    row::{Change, Table, decode, encode, encoded_len},
};

/// The format that is written and the newest that is read.
pub(super) const VERSION: u32 = 1;

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
    database: Database,
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
    /// A write failed half-way; what is on disk is not known.
    stopped: bool,
}

/// Is given the key and the value of a row, and says whether to go on.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError> + 'a;

/// What opening found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Batches that the last process had made durable in the journal only.
    pub batches: u64,
    /// Whether the last batch was not whole; it had not been acknowledged, and is gone.
    pub torn: bool,
}

impl Rows {
    pub(super) fn open(folder: &Path, cache_bytes: usize) -> Result<(Rows, Recovered), StoreError> {
        caught(|| {
            let (path, journal_path) = (folder.join("store.redb"), folder.join("journal"));
            let is_new = std::fs::metadata(&path).map_or(true, |file| file.len() == 0);
            if is_new && journal_path.exists() {
                // The journal is made after the store: to begin anew here would hide that everything is gone.
                return Err(StoreError::damaged("its file store.redb is missing or empty, and the journal is there"));
            }
            let file = private::open(&path)?;
            let database = Builder::new().set_cache_size(cache_bytes).create_file(file)?;
            if is_new {
                private::sync_folder_of(&path)?;
            }
            let (key, number) = prepare(&database)?;
            let (journal, found) = Journal::open(&journal_path, key, number)?;
            let state = State { journal, waiting: Vec::new(), last_sync: Duration::ZERO, stopped: false };
            let rows = Rows { database, journal: Mutex::new(state), waiting: AtomicBool::new(false) };
            let recovered = rows.replay(found)?;
            Ok((rows, recovered))
        })
    }

    fn replay(&self, found: journal::Found) -> Result<Recovered, StoreError> {
        let recovered = Recovered { batches: found.records.len() as u64, torn: found.torn };
        let mut changes = Vec::new();
        for record in found.records {
            changes.extend(decode(&record).ok_or_else(|| StoreError::damaged("a journal record of unknown form"))?);
        }
        // Also when there is nothing to replay: the journal's new numbers must be durable before the first of them is used.
        self.commit_durably(&mut self.state(), changes)?;
        Ok(recovered)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the changes, all or none; whoever reads after this sees them. Those that are not durable are when a later durable
    /// set is.
    pub(super) fn commit(&self, changes: Vec<Change>, durable: bool) -> Result<(), StoreError> {
        unless_stopped(&mut self.state(), |state| {
            let len = encoded_len(&changes);
            if len > JOURNALED_BYTES_MAX {
                return self.commit_durably(state, changes);
            }
            if !state.journal.has_room(len) {
                self.commit_durably(state, Vec::new())?;
            }
            self.journal(state, changes, durable)
        })
    }

    /// The same if it takes no longer than one sync, on a disk where that is quick. Else nothing is done, and it says so.
    pub(super) fn commit_if_quick(&self, changes: Vec<Change>, durable: bool) -> Result<bool, StoreError> {
        let mut state = match self.journal.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(state)) => state.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        let len = encoded_len(&changes);
        let is_quick = !durable || state.last_sync <= QUICK_SYNC_MAX;
        if !is_quick || len > QUICK_BYTES_MAX || !state.journal.has_room(len) {
            return Ok(false);
        }
        unless_stopped(&mut state, |state| self.journal(state, changes, durable)).map(|()| true)
    }

    /// Changes that fit go into the journal, and wait for redb.
    fn journal(&self, state: &mut State, changes: Vec<Change>, durable: bool) -> Result<(), StoreError> {
        let mut payload = Vec::with_capacity(encoded_len(&changes));
        encode(&changes, &mut payload);
        state.journal.append(&payload);
        if durable {
            let started = Instant::now();
            state.journal.sync()?;
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
        unless_stopped(&mut self.state(), |state| {
            let mut transaction = self.database.begin_write()?;
            transaction.set_durability(Durability::None)?;
            apply(&transaction, &state.waiting)?;
            transaction.commit()?;
            self.settled(state);
            Ok(())
        })
    }

    fn settled(&self, state: &mut State) {
        state.waiting = Vec::new();
        self.waiting.store(false, Ordering::Release);
    }

    /// Makes everything durable in redb, and `changes` with it, and empties the journal.
    fn commit_durably(&self, state: &mut State, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write()?;
        // So that opening after a crash need not walk the whole file.
        transaction.set_quick_repair(true);
        state.waiting.extend(changes);
        apply(&transaction, &state.waiting)?;
        let journaled = state.journal.number().to_le_bytes();
        transaction.open_table(Table::Meta.definition())?.insert(JOURNALED_KEY, &journaled[..])?;
        transaction.commit()?;
        state.journal.restart();
        self.settled(state);
        Ok(())
    }

    /// Empties the journal, if there is anything in it.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.stopped || state.journal.is_empty() {
            return Ok(());
        }
        unless_stopped(&mut state, |state| self.commit_durably(state, Vec::new()))
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.settle()?;
        caught(|| {
            let table = self.database.begin_read()?.open_table(table.definition())?;
            Ok(table.get(key)?.map(|value| Bytes::copy_from_slice(value.value())))
        })
    }

    /// The last row whose key lies between the two, both included.
    pub(super) fn last_within(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<(Bytes, Bytes)>, StoreError> {
        self.settle()?;
        caught(|| {
            let table = self.database.begin_read()?.open_table(table.definition())?;
            let row = table.range::<&[u8]>(from..=to)?.next_back().transpose()?;
            Ok(row.map(|(key, value)| (Bytes::copy_from_slice(key.value()), Bytes::copy_from_slice(value.value()))))
        })
    }

    /// Visits rows from `from` on, in the order of their keys, while the key begins with `prefix` and the visitor goes on.
    pub(super) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        self.settle()?;
        caught(|| {
            let table = self.database.begin_read()?.open_table(table.definition())?;
            for row in table.range::<&[u8]>(from..)? {
                let (key, value) = row?;
                if !key.value().starts_with(prefix) || visit(key.value(), value.value())?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// Works on a store that is whole. Where the work fails half-way, what is on disk is not known, and nothing is written again.
fn unless_stopped(
    state: &mut State,
    work: impl FnOnce(&mut State) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if state.stopped {
        return Err(StoreError::Stopped);
    }
    let done = caught(|| work(state));
    state.stopped = done.is_err();
    done
}

/// Checks the version, or makes the tables of a new store. Gives the store's id and the last journal record it has.
fn prepare(database: &Database) -> Result<([u8; 32], u64), StoreError> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(Table::Meta.definition()) {
        Ok(meta) => meta,
        Err(redb::TableError::TableDoesNotExist(_)) => return make(database),
        Err(error) => return Err(error.into()),
    };
    let found: u32 = meta_row(&meta, VERSION_KEY).map(u32::from_le_bytes)?;
    if found > VERSION {
        return Err(StoreError::Newer { found, known: VERSION });
    }
    Ok((meta_row(&meta, ID_KEY)?, meta_row(&meta, JOURNALED_KEY).map(u64::from_le_bytes)?))
}

fn meta_row<const N: usize>(
    meta: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &'static [u8],
) -> Result<[u8; N], StoreError> {
    let row = meta.get(key)?;
    let value = row.as_ref().and_then(|row| row.value().try_into().ok());
    value
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
        meta.insert(VERSION_KEY, &VERSION.to_le_bytes()[..])?;
        meta.insert(ID_KEY, &id[..])?;
        meta.insert(JOURNALED_KEY, &0u64.to_le_bytes()[..])?;
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
                Change::Put(_, key, value) => {
                    rows.insert(&key[..], &value[..])?;
                }
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
