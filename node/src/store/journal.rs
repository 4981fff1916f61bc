//! The journal: a file of fixed size in front of redb, so that a small durable write costs one `fdatasync` in place.
//!
//! A commit of redb that reopens fast costs about 490 µs on the machine where this was measured, a synced write into a file
//! that already has its blocks 180 µs. So small batches go here first, are applied to redb without syncing it, and are
//! synced there together when the journal is full, when the store rests, or when it is closed (a *checkpoint*).
//!
//! A record is `length u32, number u64, checksum 32, payload`, little endian, beginning at a multiple of 4,096 bytes, so that
//! no write touches a sector with an acknowledged record. The checksum is keyed with the store's id. Numbers never
//! repeat; redb keeps the number of the last record it has durably. What continues that number is replayed; a record that is
//! not whole was never acknowledged and ends the replay. Each opening leaves a gap in the numbers, so that a whole record
//! behind a torn one is never taken for a later one.

use std::io;

use bytes::Bytes;
use redb::StorageBackend as _;

use super::{
    error::StoreError,
    medium::{Media, Medium},
};

/// The file's name.
pub(super) const NAME: &str = "journal";

/// The size of the file: about 2,000 small batches between two checkpoints.
pub(super) const JOURNAL_BYTES: u64 = 8 << 20;

/// What a write to a disk may tear.
const SECTOR_BYTES: u64 = 4096;

/// Length, number and checksum.
const PREFIX_BYTES: usize = 4 + 8 + 32;

/// The open file and where the next record goes.
#[derive(Debug)]
pub(super) struct Journal {
    file: Medium,
    key: [u8; 32],
    /// Where the next record will be written.
    end: u64,
    /// Of the last record.
    number: u64,
    /// Records that are numbered and not written yet; they go out with the next synced one.
    unwritten: Vec<u8>,
}

/// What was found when the journal was opened.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Payloads after the last one that redb has.
    pub(super) records: Vec<Bytes>,
    /// Whether the last record was not whole.
    pub(super) torn: bool,
    /// Where the last whole record ends.
    end: u64,
}

impl Journal {
    /// Opens or makes the file. `key` is the store's id, `number` the last record that redb has durably.
    pub(super) fn open(media: &dyn Media, key: [u8; 32], number: u64) -> Result<(Journal, Found), StoreError> {
        let file = media.open(NAME)?;
        let mut found = if file.len()? == JOURNAL_BYTES {
            read(&file, &key, number)?
        } else if number > 0 {
            return Err(StoreError::damaged("its journal is missing or cut short, and with it the newest writes"));
        } else {
            // A store that was never opened to its end: nothing was ever acknowledged from a journal of it. Blocks that
            // are written once need no change of the file's metadata later.
            file.set_len(0)?;
            let zeros = vec![0; 1 << 20];
            for megabyte in 0..JOURNAL_BYTES / zeros.len() as u64 {
                file.write(megabyte * zeros.len() as u64, &zeros)?;
            }
            file.sync_data()?;
            media.sync_names()?;
            Found::default()
        };
        // Beyond any number that can be in the file; redb has it durably before the first record is written (see `rows`).
        let number = number + found.records.len() as u64 + JOURNAL_BYTES / SECTOR_BYTES;
        let end = std::mem::take(&mut found.end);
        Ok((Journal { file, key, end, number, unwritten: Vec::new() }, found))
    }

    /// The number of the last record.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether there is anything that redb may not have durably.
    pub(super) fn is_empty(&self) -> bool {
        self.end == 0 && self.unwritten.is_empty()
    }

    /// Whether a payload of this length fits before the next checkpoint.
    pub(super) fn has_room(&self, payload_len: usize) -> bool {
        self.end + (self.unwritten.len() as u64) + padded(payload_len) <= JOURNAL_BYTES
    }

    /// Numbers a record. It is written with the next [`Journal::sync`].
    pub(super) fn append(&mut self, payload: &[u8]) {
        self.number += 1;
        let checksum = checksum(&self.key, self.number, payload);
        self.unwritten.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        self.unwritten.extend_from_slice(&self.number.to_le_bytes());
        self.unwritten.extend_from_slice(checksum.as_bytes());
        self.unwritten.extend_from_slice(payload);
        self.unwritten.resize(self.unwritten.len().next_multiple_of(SECTOR_BYTES as usize), 0);
    }

    /// Takes the last record back, which was numbered and not written.
    pub(super) fn forget(&mut self, payload_len: usize) {
        self.number -= 1;
        self.unwritten.truncate(self.unwritten.len() - padded(payload_len) as usize);
    }

    /// Makes every record so far durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.write(self.end, &self.unwritten)?;
        self.file.sync_data()?;
        self.end += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    /// Redb has everything up to `number` durably, which is no less than [`Journal::number`]: the file is written from its
    /// start again.
    pub(super) fn restart(&mut self, number: u64) {
        self.number = number;
        self.end = 0;
        self.unwritten.clear();
    }

    /// The payloads of every record since the last restart, written or not: what redb may not have durably.
    pub(super) fn records(&self) -> io::Result<Vec<Bytes>> {
        let mut written = vec![0; self.end as usize];
        self.file.read(0, &mut written)?;
        Ok([written, self.unwritten.clone()].iter().flat_map(|records| payloads(records)).collect())
    }
}

/// The payloads of whole records, one after another.
fn payloads(mut records: &[u8]) -> Vec<Bytes> {
    let mut found = Vec::new();
    while let Some((length, _)) = records.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some(payload) = records.get(PREFIX_BYTES..PREFIX_BYTES + length) else { break };
        found.push(Bytes::copy_from_slice(payload));
        records = records.get(padded(length) as usize..).unwrap_or_default();
    }
    found
}

fn padded(payload_len: usize) -> u64 {
    ((PREFIX_BYTES + payload_len) as u64).next_multiple_of(SECTOR_BYTES)
}

fn checksum(key: &[u8; 32], number: u64, payload: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&number.to_le_bytes()).update(payload);
    hasher.finalize()
}

fn read(file: &Medium, key: &[u8; 32], after: u64) -> Result<Found, StoreError> {
    let mut found = Found::default();
    let (mut at, mut expected) = (0, after + 1);
    while at + PREFIX_BYTES as u64 <= JOURNAL_BYTES {
        let mut prefix = [0; PREFIX_BYTES];
        file.read(at, &mut prefix)?;
        let (length, rest) = prefix.split_at(4);
        let (number, claimed) = rest.split_at(8);
        let length = u64::from(u32::from_le_bytes(length.try_into().expect("4 bytes")));
        let number = u64::from_le_bytes(number.try_into().expect("8 bytes"));
        // Zeros, or what was written before the last checkpoint, end the journal in order.
        if number < expected || at + PREFIX_BYTES as u64 + length > JOURNAL_BYTES {
            found.torn = number == expected;
            break;
        }
        let mut payload = vec![0; length as usize];
        file.read(at + PREFIX_BYTES as u64, &mut payload)?;
        let whole = checksum(key, number, &payload).as_bytes() == claimed;
        if !whole {
            found.torn = number == expected;
            break;
        }
        if number > expected {
            return Err(StoreError::damaged(format!(
                "the journal goes on with write {number}, but the store ends with {}: one of the two files is older",
                expected - 1
            )));
        }
        at += padded(payload.len());
        found.records.push(payload.into());
        expected += 1;
    }
    found.end = at;
    Ok(found)
}
