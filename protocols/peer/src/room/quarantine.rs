//! What is taken of a feed that stands up to a cut only.
//!
//! What lies past the cut counts for nothing, but others may have built on it, and the cut can be raised: so it is taken and kept,
//! within a bound. Else who was removed could fill the disks of those who have not heard of it, and through them everybody's.
//!
//! Spec: PEER-12

use std::collections::BTreeMap;

use weft_crypto::{FeedId, IdentityId};

/// Entries of one identity that are taken past its cuts and that nobody has built on.
pub(crate) const ENTRIES_MAX: u64 = 10_000;

/// The same in bytes of headers and bodies.
pub(crate) const BYTES_MAX: u64 = 64 << 20;

/// A feed that an act has cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// For whom it was written.
    pub(crate) identity: IdentityId,
    /// Entries below this stand.
    pub(crate) stands: u64,
    /// Entries below this are in the past of one that counts.
    pub(crate) acknowledged: u64,
    /// How much of it is here or ordered to be stored.
    pub(crate) length: u64,
    /// Bytes taken past the cut.
    pub(crate) bytes: u64,
    /// More was offered than is taken.
    pub(crate) full: bool,
}

impl Cut {
    /// Entries below this are taken whatever the bound.
    fn free(&self) -> u64 {
        self.stands.max(self.acknowledged)
    }

    /// How many of a feed's bytes lie past the cut, if all entries are of one size.
    pub(crate) fn share_of(&self, bytes: u64) -> u64 {
        let past = u128::from(self.length.saturating_sub(self.free()));
        u64::try_from(u128::from(bytes) * past / u128::from(self.length.max(1))).unwrap_or(u64::MAX)
    }
}

/// The feeds of a space that stand up to a cut only.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    pub(crate) cuts: BTreeMap<FeedId, Cut>,
    /// The resolution has changed: which feeds they are is looked at again.
    pub(crate) stale: bool,
}

impl Quarantine {
    /// Takes a range of a feed up to `end`, or says that it is more than is taken.
    pub(crate) fn take(&mut self, feed: &FeedId, end: u64, bytes: u64) -> bool {
        let Some(cut) = self.cuts.get(feed).copied() else { return true };
        if end > cut.free() {
            let of_one = self.cuts.values().filter(|other| other.identity == cut.identity);
            let taken = of_one.fold((0, 0), |(entries, bytes), other| {
                (entries + other.length.saturating_sub(other.free()), bytes + other.bytes)
            });
            let more = end - cut.length.max(cut.free()).min(end);
            if taken.0 + more > ENTRIES_MAX || taken.1 + bytes > BYTES_MAX {
                self.cuts.get_mut(feed).expect("just found").full = true;
                return false;
            }
        }
        let cut = self.cuts.get_mut(feed).expect("just found");
        cut.length = cut.length.max(end);
        cut.bytes += if end > cut.free() { bytes } else { 0 };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(number: u8) -> FeedId {
        FeedId::from_bytes([number; 32])
    }

    fn cut(identity: u8, stands: u64, acknowledged: u64) -> Cut {
        let identity = IdentityId::from_bytes([identity; 32]);
        Cut { identity, stands, acknowledged, length: stands, bytes: 0, full: false }
    }

    /// Spec: PEER-12
    #[test]
    fn past_a_cut_so_many_entries_are_taken_of_all_feeds_of_one_together() {
        let cuts = [(feed(1), cut(1, 100, 0)), (feed(2), cut(1, 7, 0)), (feed(3), cut(2, 7, 0))];
        let mut quarantine = Quarantine { cuts: cuts.into(), stale: false };
        assert!(quarantine.take(&feed(1), 100 + 6_000, 1) && quarantine.take(&feed(2), 7 + 4_000, 1));
        assert!(!quarantine.take(&feed(1), 100 + 6_001, 1) && !quarantine.take(&feed(2), 7 + 4_001, 1));
        assert!(quarantine.take(&feed(3), 7 + 10_000, 1), "somebody else's");
        assert!(quarantine.take(&feed(4), 1 << 40, 1 << 40), "what is not cut");
        assert!(quarantine.cuts[&feed(1)].full && !quarantine.cuts[&feed(3)].full);
    }

    /// Spec: PEER-12
    #[test]
    fn what_somebody_built_on_is_taken_and_the_rest_by_bytes_too() {
        let mut quarantine = Quarantine { cuts: [(feed(1), cut(1, 10, 50_000))].into(), stale: false };
        for end in (1_000..=50_000).step_by(1_000) {
            assert!(quarantine.take(&feed(1), end, 1_000));
        }
        assert!(!quarantine.take(&feed(1), 50_001, 65 << 20));
        assert!(quarantine.take(&feed(1), 50_001, 63 << 20));
        assert!(!quarantine.take(&feed(1), 50_002, 2 << 20));
    }
}
