//! Bounds of the streams, each with its unit, default and reason.

use std::time::Duration;

/// Bounds of the streams.
#[derive(Clone, Debug)]
pub struct Config {
    /// Streams of one protocol that the other side may have open on one connection. Default 2: the one in use, and the one
    /// that replaces it.
    pub inbound_per_protocol_max: usize,
    /// Bytes that may wait to go out on one stream before it is given up. Default 16 MiB: four windows of replication.
    pub queued_bytes_max: usize,
    /// Frames of one stream that may be read before the driver has dealt with them. Default 64.
    pub ahead_frames_max: usize,
    /// Bytes of one stream that may be read before the driver has dealt with them; one frame may pass it. Default 4 MiB: a
    /// window of replication.
    pub ahead_bytes_max: usize,
    /// A connection is given up for a new one if it is at least this old: nodes dial only whom they are not connected to, so whoever
    /// dialled has restarted or moved, and its end of the old one is gone. Default 2 s: two that are dialled at once are left alone.
    pub replaced_after: Duration,
    /// How long one frame may take from its first byte to its last, and a closed stream to get rid of what is queued.
    /// Default 30 s: 2 MiB at 70 kB/s.
    pub frame_timeout: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            inbound_per_protocol_max: 2,
            queued_bytes_max: 16 << 20,
            ahead_frames_max: 64,
            ahead_bytes_max: 4 << 20,
            replaced_after: Duration::from_secs(2),
            frame_timeout: Duration::from_secs(30),
        }
    }
}
