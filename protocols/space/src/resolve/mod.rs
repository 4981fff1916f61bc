//! The resolution: who belongs to a space and what counts, as a pure function of the set of control entries.
//!
//! All entries are put into one order that extends causality (see [`ControlEntry::rank`]) and read once. An entry is judged
//! by what counts *in its own past*, all of which comes earlier in the order; where two entries contend for one thing (uses
//! of an invitation, a feed's generation), the earlier one in the order has it. So one pass is enough, and it does not
//! matter in which order entries arrived. Spec: SPACE-3.

pub(crate) mod facts;
mod pass;

pub(crate) use facts::Facts;
pub(crate) use pass::{Contests, Pass};
use weft_crypto::SpaceId;

use crate::{ControlEntry, Resolution};

/// Resolves a space from everything known about it, in any order. Entries that occur twice count once.
///
/// Spec: SPACE-3.
pub fn resolve(space: &SpaceId, entries: &[ControlEntry]) -> Resolution {
    let mut sorted: Vec<&ControlEntry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.rank());
    sorted.dedup_by_key(|entry| entry.rank());
    let mut resolution = Resolution::empty(*space);
    for entry in sorted {
        resolution.read(entry);
    }
    resolution
}
