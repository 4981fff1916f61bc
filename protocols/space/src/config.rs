//! The bounds of this crate's machines.

use std::time::Duration;

/// Bounds of the door. Spec: SPACE-9.6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Spaces that take part; the driver lists them most important first, and later ones are left out. 1 to 341, since a
    /// space may need three of the 1,024 tags of a round. A guess.
    pub spaces_max: usize,
    /// The least number of tags in a round, a power of two up to 1,024: hides whether one has few spaces or none. A guess.
    pub tags_min: usize,
    /// Rounds that may follow each other at once. A guess: bursts are spaces that are joined one after the other.
    pub rounds_burst: u32,
    /// One more round may follow after this time. At 32 KiB a round it bounds the work a stranger can ask for. A guess.
    pub round_every: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { spaces_max: 341, tags_min: 16, rounds_burst: 8, round_every: Duration::from_millis(250) }
    }
}
