//! Bounds of an order.

/// Bounds of one [`super::Order`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of runs that are kept in memory while they wait for deps or for [`super::Order::poll`], all feeds together. What
    /// does not fit is read again when its turn comes. Default 4 MiB: as many bodies as the largest range has; a guess.
    /// Reads under way come on top.
    pub pending_bytes_max: usize,
    /// Bytes asked for in one read. Default 1 MiB: some 3,000 small entries, at most 20 ms of a slow disk.
    pub read_bytes_max: usize,
    /// Reads under way at once. Default 4: together no more than `pending_bytes_max`.
    pub reads_max: usize,
    /// Roots of heads that are remembered for each feed. Default 64: what a reader that lags by 64 batches can name.
    pub heads_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { pending_bytes_max: 4 << 20, read_bytes_max: 1 << 20, reads_max: 4, heads_max: 64 }
    }
}
