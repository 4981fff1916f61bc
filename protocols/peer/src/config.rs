//! Bounds of a peer, each with its unit, default and reason.

use std::time::Duration;

/// Bounds of a peer.
#[derive(Clone, Debug)]
pub struct Config {
    /// The largest record, in bytes. Default 1 MiB less the 56 bytes that sealing adds: a body is at most 1 MiB (FEED).
    pub record_bytes_max: usize,
    /// How many drafts may wait for this device's own feed in one space. Default 4,096: a burst of callers, about 16 MiB of
    /// keystrokes; more are refused as `busy`.
    pub drafts_max: usize,
    /// How many bytes of drafts may wait in one space. Default 16 MiB.
    pub draft_bytes_max: usize,
    /// How many drafts are kept in one space while the ends of the own feeds are not known. Default 1,000, a guess: a person's
    /// edits of some days; more are refused.
    pub kept_drafts_max: usize,
    /// How many bytes they may have together, in one space. Default 16 MiB.
    pub kept_draft_bytes_max: usize,
    /// How much one batch of own entries may hold, in bytes. Default 4 MiB, so that others are not kept waiting for the disk.
    pub batch_bytes_max: usize,
    /// How much is read of a feed at a time when it is replayed, in bytes. Default 1 MiB.
    pub replay_bytes_max: usize,
    /// How many jobs that open bodies may be under way in one space. Default 4: enough for two cores.
    pub openings_max: usize,
    /// How many bytes of entries may wait in ECHO for their objects to be loaded, in one space. Default 8 MiB: a few thousand
    /// keystrokes in objects that nobody has open.
    pub waiting_bytes_max: u64,
    /// How long a newcomer waits for its host. Default 30 s: a person is waiting.
    pub join_timeout: Duration,
    /// How often what each pair holds is looked at for being stuck. Default 1 s; a reason is due within 10 s.
    pub watch_interval: Duration,
    /// How old a device's pre-key gets before another one takes its place. Default 30 days, a guess: a key that is stolen unseen opens no
    /// epochs that begin later.
    pub pre_key_age: Duration,
    /// Spaces one peer may hold. Default 4,096.
    pub spaces_max: usize,
    /// Devices that may be connected at once. Default 512; the driver keeps the same limit.
    pub neighbours_max: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            record_bytes_max: (1 << 20) - 56,
            drafts_max: 4_096,
            draft_bytes_max: 16 << 20,
            kept_drafts_max: 1_000,
            kept_draft_bytes_max: 16 << 20,
            batch_bytes_max: 4 << 20,
            replay_bytes_max: 1 << 20,
            openings_max: 4,
            waiting_bytes_max: 8 << 20,
            join_timeout: Duration::from_secs(30),
            watch_interval: Duration::from_secs(1),
            pre_key_age: Duration::from_secs(30 * 86_400),
            spaces_max: 4_096,
            neighbours_max: 512,
        }
    }
}
