//! Bounds of the invitation machines.

use std::time::Duration;

/// Bounds of one invitation session. Spec: INVITATION-5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of the control feeds that a newcomer takes. 64 MiB hold about 100,000 control entries; a guess.
    pub bundle_bytes_max: u64,
    /// Pieces of control feeds that a newcomer takes: a feed has at least one. A guess: two generations of 1,000 devices,
    /// some in several pieces.
    pub parts_max: u32,
    /// How long one side waits for the next frame of the other. A guess: a few round trips over a bad link.
    pub step_max: Duration,
    /// How long a newcomer waits for the host's verdict, in which the host writes to its disk. A guess.
    pub verdict_max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bundle_bytes_max: 64 << 20,
            parts_max: 4096,
            step_max: Duration::from_secs(20),
            verdict_max: Duration::from_secs(60),
        }
    }
}
