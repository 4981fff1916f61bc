//! Which bodies of a run or range are not held: 256 bits, so that neither allocates for it.
//!
//! Spec: FEED-4.3

use std::fmt;

use bytes::Bytes;

use crate::limits::RANGE_ENTRIES_MAX;

const WORDS: usize = RANGE_ENTRIES_MAX / 64;

/// Why bytes are not the absent bodies of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AbsentError {
    /// A bit for an entry that is not there.
    #[error("an absent body at index {index} of {count} entries")]
    Beyond {
        /// The highest index set.
        index: u32,
        /// How many entries there are.
        count: u32,
    },
    /// More bytes than 256 entries need, or a last byte without a bit: both have a shorter spelling.
    #[error("absent bits are {bytes} bytes, which is not their shortest form")]
    NotShortest {
        /// How many bytes there are.
        bytes: usize,
    },
}

/// A set of indices below 256.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Absent([u64; WORDS]);

impl Absent {
    /// Nothing is absent.
    pub const NONE: Self = Self([0; WORDS]);

    /// Whether every body is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; WORDS]
    }

    /// How many bodies are absent.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether the body at this index is absent.
    #[must_use]
    pub fn contains(&self, index: u32) -> bool {
        self.0.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Marks the body at this index.
    ///
    /// # Panics
    /// When the index is 256 or more.
    pub fn insert(&mut self, index: u32) {
        self.0[index as usize / 64] |= 1 << (index % 64);
    }

    /// The indices, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<> {
        let this = *self;
        (0..RANGE_ENTRIES_MAX as u32).filter(move |&index| this.contains(index))
    }

    /// The indices from `from` to before `to`, counted from `from`.
    #[must_use]
    pub fn window(&self, from: u32, to: u32) -> Self {
        if self.is_empty() {
            return Self::NONE;
        }
        self.iter().filter(|index| (from..to).contains(index)).map(|index| index - from).collect()
    }

    /// As sent: a bit an entry from the lowest bit of the first byte, without zero bytes at the end.
    #[must_use]
    pub fn to_bits(&self) -> Bytes {
        let mut bits: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        bits.truncate(bits.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1));
        bits.into()
    }

    /// Reads what [`Absent::to_bits`] wrote for `count` entries.
    ///
    /// # Errors
    /// When a bit is beyond the entries, or there is a shorter spelling.
    pub fn from_bits(bits: &[u8], count: u32) -> Result<Self, AbsentError> {
        if bits.len() > WORDS * 8 || bits.last() == Some(&0) {
            return Err(AbsentError::NotShortest { bytes: bits.len() });
        }
        let mut words = [[0; 8]; WORDS];
        words.as_flattened_mut()[..bits.len()].copy_from_slice(bits);
        let absent = Self(words.map(u64::from_le_bytes));
        match absent.iter().last() {
            Some(index) if index >= count => Err(AbsentError::Beyond { index, count }),
            _ => Ok(absent),
        }
    }
}

impl FromIterator<u32> for Absent {
    fn from_iter<I: IntoIterator<Item = u32>>(indices: I) -> Self {
        let mut absent = Self::NONE;
        indices.into_iter().for_each(|index| absent.insert(index));
        absent
    }
}

impl fmt::Debug for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
