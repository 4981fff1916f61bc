//! The anchor: what a node cannot get back from others, in a file of its own beside the store.
//!
//! When redb's file is lost, feeds come back from peers; the keys of this device in its spaces, which spaces there are, who
//! the members are and where they were found do not: without them nobody opens a door. They are few and change seldom. So
//! every change of them is written here too, and synced before the store takes it. Each control entry is here as well: so
//! whoever was let in is known before it can have got anything.
//!
//! The file is a log of `length u32, checksum 32, row changes`, little endian. What of it does not count any more is dropped
//! when the store is opened and most of it is so.

use std::{collections::BTreeMap, io};

use bytes::Bytes;
use redb::StorageBackend as _;

use super::{
    error::StoreError,
    medium::{Media, Medium},
    row::{Change, Table, decode, encode},
};

/// The file's name.
pub(super) const NAME: &str = "anchor";
/// Where a new one is written before it takes the place of the old one.
const NEW: &str = "anchor.new";

const PREFIX_BYTES: usize = 4 + 32;
/// Smaller than this it is never written anew, in bytes.
const SMALL_BYTES: u64 = 256 << 10;

/// The open file, and where the next record goes.
#[derive(Debug)]
pub(super) struct Anchor {
    file: Medium,
    end: u64,
}

/// What an anchor holds: rows by table and key.
pub(super) type Kept = BTreeMap<(Table, Bytes), Bytes>;

impl Anchor {
    /// Opens the file and reads it; none when there is none. Says whether it is whole and worth keeping as it is.
    pub(super) fn open(media: &dyn Media) -> Result<Option<(Anchor, Kept, bool)>, StoreError> {
        if media.len(NAME)?.unwrap_or(0) == 0 {
            return Ok(None);
        }
        let file = media.open(NAME)?;
        let mut bytes = vec![0; file.len()? as usize];
        file.read(0, &mut bytes)?;
        let (kept, end) = read(&bytes);
        let live: usize = kept.iter().map(|((_, key), value)| key.len() + value.len()).sum();
        let is_whole = bytes[end..].iter().all(|byte| *byte == 0);
        let is_small = (end as u64) < SMALL_BYTES || end / 4 < live;
        Ok(Some((Anchor { file, end: end as u64 }, kept, is_whole && is_small)))
    }

    /// Makes the file anew, with these rows and nothing else.
    pub(super) fn make(media: &dyn Media, rows: &[Change]) -> Result<Anchor, StoreError> {
        let file = media.open(NEW)?;
        file.set_len(0)?;
        let mut anchor = Anchor { file, end: 0 };
        for rows in rows.chunks(1_024) {
            anchor.append(rows, false)?;
        }
        anchor.file.sync_data()?;
        if media.keeps() {
            media.rename(NEW, NAME)?;
        }
        Ok(anchor)
    }

    /// Adds changes. Synced, they survive a crash.
    pub(super) fn append(&mut self, changes: &[Change], synced: bool) -> io::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut record = vec![0; PREFIX_BYTES];
        encode(changes, &mut record);
        let length = record.len() - PREFIX_BYTES;
        let checksum = blake3::hash(&record[PREFIX_BYTES..]);
        record[..4].copy_from_slice(&(length as u32).to_le_bytes());
        record[4..PREFIX_BYTES].copy_from_slice(checksum.as_bytes());
        // What a failed write left behind lies beyond the end, and is written over.
        self.file.write(self.end, &record)?;
        if synced {
            self.file.sync_data()?;
        }
        self.end += record.len() as u64;
        Ok(())
    }
}

/// The rows of whole records, and where the last of these ends.
pub(super) fn read(bytes: &[u8]) -> (Kept, usize) {
    let mut kept = Kept::new();
    let mut at = 0;
    while let Some((length, rest)) = bytes[at..].split_first_chunk::<4>() {
        let Some((checksum, rest)) = rest.split_first_chunk::<32>() else { break };
        let Some(record) = rest.get(..u32::from_le_bytes(*length) as usize) else { break };
        if record.is_empty() || blake3::hash(record).as_bytes() != checksum {
            break;
        }
        let Some(changes) = decode(&Bytes::copy_from_slice(record)) else { break };
        for change in changes {
            match change {
                Change::Put(table, key, value) => {
                    kept.insert((table, key), value);
                }
                Change::Remove(table, key) => {
                    kept.remove(&(table, key));
                }
                Change::RemovePrefix(table, prefix) => {
                    kept.retain(|(of, key), _| *of != table || !key.starts_with(&prefix));
                }
            }
        }
        at += PREFIX_BYTES + record.len();
    }
    (kept, at)
}

/// The ids of the feeds that it holds, in their order.
pub(super) fn feeds(kept: &Kept) -> impl Iterator<Item = Bytes> {
    kept.keys().filter(|(table, _)| *table == Table::Feeds).map(|(_, key)| key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::medium::Folder;

    fn put(key: &'static str, value: &'static str) -> Change {
        Change::Put(Table::Local, key.into(), value.into())
    }

    #[test]
    fn what_was_added_is_read_again_up_to_a_tear() {
        let folder = tempfile::tempdir().unwrap();
        let media = Folder(folder.path().to_owned());
        assert!(Anchor::open(&media).unwrap().is_none());
        let mut anchor = Anchor::make(&media, &[put("a", "1"), put("b", "2")]).unwrap();
        anchor.append(&[put("a", "3"), Change::Remove(Table::Local, "b".into())], true).unwrap();
        anchor.append(&[put("c", "4")], true).unwrap();
        drop(anchor);
        let path = folder.path().join(NAME);
        let bytes = std::fs::read(&path).unwrap();
        let shown = |kept: &Kept| {
            let rows = kept.iter().map(|((_, key), value)| format!("{}={}", key.escape_ascii(), value.escape_ascii()));
            rows.collect::<Vec<_>>().join(" ")
        };
        let (_, kept, whole) = Anchor::open(&media).unwrap().unwrap();
        assert_eq!((shown(&kept).as_str(), whole), ("a=3 c=4", true));
        for cut in 0..bytes.len() {
            let (kept, end) = read(&bytes[..cut]);
            assert!(["", "a=1 b=2", "a=3"].contains(&shown(&kept).as_str()), "{}", shown(&kept));
            assert!(end <= cut);
        }
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let (mut anchor, kept, whole) = Anchor::open(&media).unwrap().unwrap();
        assert_eq!((shown(&kept).as_str(), whole), ("a=3", false));
        // It goes on where it was whole.
        anchor.append(&[put("d", "5")], true).unwrap();
        let (_, kept, _) = Anchor::open(&media).unwrap().unwrap();
        assert_eq!(shown(&kept), "a=3 d=5");
    }
}
