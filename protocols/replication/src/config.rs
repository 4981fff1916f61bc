//! What a session may use, each with its unit, default and why.

use crate::message::WINDOW_MIN;

/// Bounds of one [`crate::Session`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Credit that is given to the peer, in bytes (REPLICATION-6.2): the most that is held of it unverified or not yet durable.
    /// At least [`WINDOW_MIN`]. Default 8 MiB: one largest range and 3 MiB to have the next ones under way meanwhile.
    pub window_bytes: u64,
    /// The most that is sent ahead of the peer's credit returning, in bytes, whatever window it offers: it bounds what a
    /// driver may have to queue. Default 16 MiB.
    pub send_window_bytes: u64,
    /// How much is asked of the store in one read, in bytes. Default 1 MiB: four ranges of small records.
    pub read_bytes: usize,
    /// Feeds that may have a read, a check or unsent ranges under way at once. Default 2: the store reads one while the
    /// other is sent.
    pub reads_max: usize,
    /// Ranges up to this size go in one frame, in bytes of headers and bodies. Default 256 KiB, a guess: 256 records of
    /// 256 bytes fit, and a frame that large takes 2 ms at 1 Gbit/s.
    pub inline_bytes: usize,
    /// Claims that are kept of what the peer holds, over all its spaces. Default 65,536: 1,000 spaces of 32 devices,
    /// about 8 MiB.
    pub claims_max: usize,
    /// Spaces of which the peer may say what it holds before their door has opened here. Default 2,048: two full rounds of
    /// the door.
    pub early_max: usize,
    /// Numbers of closed doors that are remembered, so that frames still under way are no violation. Default 1,024.
    pub closed_max: usize,
    /// Feeds that are named one by one when it is asked why a pair is not level. Default 64: more do not help a reader.
    pub reasons_max: usize,
    /// Presence frames (REPLICATION-10.2) sent to the peer, each second and at once; more are not sent. Default 32 and 64: five
    /// people whose cursors move six times a second, a guess.
    pub presence_out: (u64, u64),
    /// Presence frames taken from the peer, each second and at once; more are passed over. Default 64 and 512, so that a
    /// peer which keeps to the above loses none, unless the stream had stalled for ten seconds.
    pub presence_in: (u64, u64),
    /// How long a pair may be apart without anything moving before it counts as stuck, in milliseconds. Default
    /// 5,000: a reason is due within 10 s, and the peer looks once a second.
    pub stuck_after_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window_bytes: 8 << 20,
            send_window_bytes: 16 << 20,
            read_bytes: 1 << 20,
            reads_max: 2,
            inline_bytes: 256 << 10,
            claims_max: 65_536,
            early_max: 2_048,
            closed_max: 1_024,
            reasons_max: 64,
            presence_out: (32, 64),
            presence_in: (64, 512),
            stuck_after_ms: 5_000,
        }
    }
}

impl Config {
    /// The window as it may be offered.
    pub(crate) fn window(&self) -> u64 {
        self.window_bytes.max(WINDOW_MIN)
    }
}
