//! The resolution: who belongs to a space and what counts, as a pure function of the set of control entries.
//!
//! All entries are put into one order that extends causality (see [`ControlEntry::rank`]) and read once under the acts that
//! count: what takes a right away works on entries by its cuts, wherever they stand in the order. An entry is judged by what
//! counts *in its own past*; where two entries contend for one thing (uses of an invitation, a feed's generation), the
//! earlier one in the order has it. Which acts count is decided from the most senior author down. So it does not matter in
//! which order entries arrived. Spec: SPACE-3, SPACE-12.

pub(crate) mod act;
pub(crate) mod decide;
pub(crate) mod epochs;
pub(crate) mod facts;
pub(crate) mod forks;
pub(crate) mod known;
mod pass;
mod seals;
pub(crate) mod standing;

pub use facts::Earlier;
pub(crate) use facts::Facts;
pub(crate) use pass::{Claims, Contests, Pass, Spoken};
use weft_crypto::SpaceId;

use crate::{ControlEntry, Resolution};

/// Resolves a space from everything known about it, in any order. Entries that occur twice count once.
///
/// Spec: SPACE-3.
pub fn resolve(space: &SpaceId, entries: &[ControlEntry]) -> Resolution {
    let mut sorted: Vec<&ControlEntry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.rank());
    sorted.dedup_by_key(|entry| entry.rank());
    Resolution::of(space, sorted)
}
