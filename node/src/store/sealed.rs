//! The checksum that every row carries.
//!
//! redb checks its pages when it opens a file that was not closed, and not when it reads. So a row whose bytes were
//! overwritten would be given out as if it were what was stored: a text that nobody wrote, a header that looks like another
//! log of its author. A CRC-32 behind each value, over table, key and value, tells the two apart. It is against bad disks:
//! who wants to deceive could compute it, and is met by signatures.

use std::borrow::Cow;

use super::{error::StoreError, row::Table};

/// Bytes behind a value.
pub(super) const CHECKSUM_BYTES: usize = 4;

fn checksum(table: Table, key: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[table as u8]);
    hasher.update(&(key.len() as u32).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    hasher.finalize().to_le_bytes()
}

/// The value as it is stored.
pub(super) fn seal(table: Table, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(value.len() + CHECKSUM_BYTES);
    stored.extend_from_slice(value);
    stored.extend_from_slice(&checksum(table, key, value));
    stored
}

/// The value of a stored row.
pub(super) fn open<'a>(table: Table, key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], StoreError> {
    let parts = stored.split_last_chunk::<CHECKSUM_BYTES>();
    parts
        .filter(|(value, sum)| **sum == checksum(table, key, value))
        .map(|(value, _)| value)
        .ok_or_else(|| StoreError::Row { table: table.name(), key: shown(key).into_owned() })
}

fn shown(key: &[u8]) -> Cow<'static, str> {
    let shown = key[..key.len().min(64)].escape_ascii().to_string();
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_opens_as_it_was_sealed_and_in_no_other_way() {
        let stored = seal(Table::Bodies, b"key", b"value");
        assert_eq!(open(Table::Bodies, b"key", &stored).unwrap(), b"value");
        assert!(open(Table::Headers, b"key", &stored).is_err());
        assert!(open(Table::Bodies, b"keyv", &stored).is_err());
        for place in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[place] ^= 1;
            assert!(open(Table::Bodies, b"key", &damaged).is_err(), "byte {place}");
            assert!(open(Table::Bodies, b"key", &stored[..place]).is_err(), "cut at {place}");
        }
    }
}
