//! What must hold, one invariant a file. A checker looks at hosts' disks and at the ledger from outside, and says what it found in
//! sentences; no finding means that the invariant holds.

pub mod convergence;
pub mod no_unauthorised_write;
pub mod nothing_before_the_door;
pub mod nothing_lost;
pub mod oddities;
pub mod the_removed;

use crate::world::World;

/// A way in which a world is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The invariant.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}

/// Looks at a world, and says in sentences what does not hold.
type Checker = fn(&World) -> Vec<String>;

/// Everything that must hold at the end of a run.
#[must_use]
pub fn all(world: &World) -> Vec<Finding> {
    let invariants: [(_, Checker); 6] = [
        ("convergence", convergence::check),
        ("nothing_lost", nothing_lost::check),
        ("no_unauthorised_write", no_unauthorised_write::check),
        ("the_removed", the_removed::check),
        ("nothing_before_the_door", nothing_before_the_door::check),
        ("oddities", oddities::check),
    ];
    let found = invariants.into_iter().map(|(invariant, check)| (invariant, check(world)));
    found.flat_map(|(invariant, found)| found.into_iter().map(move |what| Finding { invariant, what })).collect()
}
