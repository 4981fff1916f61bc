//! The Merkle tree over a feed's entries, kept as its peaks: 40 bytes for each one bit of the length.
//!
//! Appending needs no more than the peaks, and so does proving that a contiguous piece continues the feed: one signed
//! root proves the whole log. Inner nodes are made again from the headers when somebody asks for a proof.
//!
//! Spec: FEED-3.2

use bytes::Bytes;
use weft_crypto::Root;

use crate::{
    hashes,
    limits::{BODY_BYTES_MAX, HEADER_BYTES_MAX, LENGTH_MAX},
};

/// The top of a perfect subtree: its hash and the bytes of headers and bodies below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peak {
    /// The hash of the node.
    pub hash: [u8; 32],
    /// Bytes below the node: header and body of each entry.
    pub size: u64,
}

/// Why stored bytes are not a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// Not 8 bytes and 40 for each one bit of the length.
    #[error("a tree of length {length} does not take {bytes} bytes")]
    Size {
        /// The length that the bytes claim; 0 when even that is missing.
        length: u64,
        /// How many bytes there are.
        bytes: usize,
    },
    /// A length beyond [`LENGTH_MAX`].
    #[error("a tree of length {length} is beyond the largest feed")]
    TooLong {
        /// The length.
        length: u64,
    },
    /// A peak that claims more bytes than its entries can have.
    #[error("a peak claims {size} bytes")]
    Peak {
        /// The claimed size.
        size: u64,
    },
}

/// The largest size that one entry adds.
const ENTRY_BYTES_MAX: u64 = HEADER_BYTES_MAX as u64 + BODY_BYTES_MAX;

/// The state of a feed's tree after some length.
///
/// Two trees are equal exactly if their feeds have the same entries that far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    length: u64,
    byte_length: u64,
    peaks: Vec<Peak>,
}

impl Tree {
    /// The tree of an empty feed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn from_peaks(length: u64, peaks: Vec<Peak>) -> Self {
        debug_assert_eq!(peaks.len(), length.count_ones() as usize, "a peak for each one bit");
        Self { length, byte_length: peaks.iter().map(|peak| peak.size).sum(), peaks }
    }

    /// How many entries there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of all headers and bodies, erased bodies included.
    #[must_use]
    pub fn byte_length(&self) -> u64 {
        self.byte_length
    }

    /// The perfect subtrees, largest first, which is left to right.
    #[must_use]
    pub fn peaks(&self) -> &[Peak] {
        &self.peaks
    }

    /// The hash that a head signs.
    ///
    /// Spec: FEED-3.3
    #[must_use]
    pub fn root(&self) -> Root {
        hashes::root(self.length, self.byte_length, &self.peaks)
    }

    /// Appends the leaf of one entry: its hash, and header and body bytes together. One hash an entry in the long run.
    ///
    /// # Panics
    /// When the feed is full or the entry larger than any entry can be: both are checked before anything is appended.
    pub fn push(&mut self, leaf: [u8; 32], size: u64) {
        assert!(self.length < LENGTH_MAX && size <= ENTRY_BYTES_MAX, "entries are checked before they are appended");
        let mut node = Peak { hash: leaf, size };
        for _ in 0..self.length.trailing_ones() {
            let left = self.peaks.pop().expect("a peak for each one bit of the length");
            node = hashes::parent(&left, &node);
        }
        self.peaks.push(node);
        self.length += 1;
        self.byte_length += size;
    }

    /// The tree for the store: length, then hash and size of each peak.
    ///
    /// Spec: FEED-3.4
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(8 + 40 * self.peaks.len());
        out.extend_from_slice(&self.length.to_le_bytes());
        for peak in &self.peaks {
            out.extend_from_slice(&peak.hash);
            out.extend_from_slice(&peak.size.to_le_bytes());
        }
        out.into()
    }

    /// Reads what [`Tree::encode`] wrote.
    ///
    /// # Errors
    /// When no tree can have these bytes. That the hashes are those of the feed is for the caller to compare, with a signed
    /// head.
    pub fn decode(bytes: &[u8]) -> Result<Self, TreeError> {
        let Some((length, rest)) = bytes.split_first_chunk() else {
            return Err(TreeError::Size { length: 0, bytes: bytes.len() });
        };
        let length = u64::from_le_bytes(*length);
        if length > LENGTH_MAX {
            return Err(TreeError::TooLong { length });
        }
        if rest.len() != 40 * length.count_ones() as usize {
            return Err(TreeError::Size { length, bytes: bytes.len() });
        }
        let mut peaks = Vec::with_capacity(length.count_ones() as usize);
        let mut bits = length;
        for peak in rest.chunks_exact(40) {
            let (hash, size) = peak.split_first_chunk().expect("a chunk of 40 bytes");
            let size = u64::from_le_bytes(size.try_into().expect("a chunk of 40 bytes"));
            let entries = 1 << bits.ilog2();
            if size > entries * ENTRY_BYTES_MAX {
                return Err(TreeError::Peak { size });
            }
            bits -= entries;
            peaks.push(Peak { hash: *hash, size });
        }
        Ok(Self::from_peaks(length, peaks))
    }
}
