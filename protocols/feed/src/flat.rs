//! Places in the tree: flat in-order numbering. Leaves are even, an inner node lies between its children.
//!
//! ```text
//!        3
//!    1       5
//!  0   2   4   6      entry n is at 2n
//! ```
//!
//! All indices here come from lengths up to [`crate::limits::LENGTH_MAX`], so none of this overflows.
//!
//! Spec: FEED-3.2

/// Where the leaf of an entry is.
#[must_use]
pub fn leaf(seq: u64) -> u64 {
    seq * 2
}

/// How many levels of nodes are below this one; 0 for a leaf.
#[must_use]
pub fn depth(index: u64) -> u32 {
    index.trailing_ones()
}

/// The node at a depth, counted from the left.
#[must_use]
pub fn node(depth: u32, offset: u64) -> u64 {
    (offset << (depth + 1)) | ((1 << depth) - 1)
}

/// How many nodes of its depth are left of this one.
#[must_use]
pub fn offset(index: u64) -> u64 {
    index >> (depth(index) + 1)
}

/// The node above.
#[must_use]
pub fn parent(index: u64) -> u64 {
    node(depth(index) + 1, offset(index) >> 1)
}

/// The other node below the same parent.
#[must_use]
pub fn sibling(index: u64) -> u64 {
    node(depth(index), offset(index) ^ 1)
}

/// Whether it is the left one of the two below its parent.
#[must_use]
pub fn is_left(index: u64) -> bool {
    offset(index) & 1 == 0
}

/// The tops of the perfect subtrees of a feed of this length, left to right.
pub fn peaks(length: u64) -> impl DoubleEndedIterator<Item = u64> {
    (0..u64::BITS - 1).rev().filter(move |depth| length >> depth & 1 == 1).map(move |depth| {
        // What is left of this peak: the higher bits of the length.
        node(depth, length >> (depth + 1) << 1)
    })
}

/// The peak above an entry, in a feed of this length; none when the entry is beyond it.
#[must_use]
pub fn peak_over(seq: u64, length: u64) -> Option<u64> {
    // The highest bit in which they differ is that of the peak.
    (seq < length).then(|| node((seq ^ length).ilog2(), seq >> (seq ^ length).ilog2()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_right() {
        assert_eq!((leaf(0), leaf(3)), (0, 6));
        assert_eq!((parent(0), parent(2), parent(4), parent(6), parent(1), parent(5)), (1, 1, 5, 5, 3, 3));
        assert_eq!((sibling(0), sibling(2), sibling(1), sibling(5)), (2, 0, 5, 1));
        assert!(is_left(1) && !is_left(5) && is_left(0) && !is_left(2));
        assert_eq!(peaks(7).collect::<Vec<_>>(), [3, 9, 12]);
        assert_eq!(peaks(0).count(), 0);
    }

    #[test]
    fn every_entry_climbs_to_a_peak() {
        for length in 1..200 {
            for seq in 0..length {
                let mut at = leaf(seq);
                while !peaks(length).any(|peak| peak == at) {
                    at = parent(at);
                }
                assert_eq!(peak_over(seq, length), Some(at));
            }
            assert_eq!(peak_over(length, length), None);
        }
    }
}
