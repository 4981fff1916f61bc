//! How much work each bench does: the sizes of the figures of record, or small ones to see that everything runs.

/// How much work each row of the table does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// How often each side runs, in turn. Three: enough for a median on a machine that does other things too.
    pub runs: usize,
    /// Records of 256 bytes that a fresh peer gets.
    pub small_entries: u64,
    /// Records of 16 KiB that a fresh peer gets.
    pub large_entries: u64,
    /// Appends that are timed one by one, after [`Sizes::live_warm_up`].
    pub live_appends: u64,
    /// Appends before that.
    pub live_warm_up: u64,
    /// Entries of the node that is opened, and whose memory is looked at.
    pub held_entries: u64,
    /// How long it rests before its memory is looked at, in seconds.
    pub rest_s: u64,
    /// Appends by many callers.
    pub group_appends: u64,
    /// Callers at once.
    pub group_callers: u64,
    /// Appends in batches of 1,000.
    pub batch_appends: u64,
    /// Changes of the document that a fresh peer gets.
    pub document_changes: u64,
    /// Documents that a fresh peer gets at once.
    pub documents: u64,
    /// Changes of each of them.
    pub documents_changes: u64,
    /// Credentials of the large space that is resolved.
    pub credentials: usize,
    /// Devices of the space of which one is removed.
    pub devices: usize,
}

impl Sizes {
    /// Those of the figures of record.
    #[must_use]
    pub fn full() -> Self {
        Self {
            runs: 3,
            small_entries: 100_000,
            large_entries: 10_000,
            live_appends: 1_000,
            live_warm_up: 200,
            held_entries: 300_000,
            rest_s: 30,
            group_appends: 100_000,
            group_callers: 256,
            batch_appends: 300_000,
            document_changes: 10_000,
            documents: 1_000,
            documents_changes: 10,
            credentials: 10_000,
            devices: 200,
        }
    }

    /// Small ones, to see that everything runs. Their figures say nothing.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            runs: 1,
            small_entries: 2_000,
            large_entries: 100,
            live_appends: 20,
            live_warm_up: 5,
            held_entries: 3_000,
            rest_s: 1,
            group_appends: 2_000,
            group_callers: 16,
            batch_appends: 4_000,
            document_changes: 100,
            documents: 20,
            documents_changes: 5,
            credentials: 400,
            devices: 10,
        }
    }

    /// The quick ones when `WEFT_BENCH_QUICK` is set and not `0`, else the full ones; `WEFT_BENCH_RUNS` sets how often each
    /// side runs.
    #[must_use]
    pub fn from_env() -> Self {
        let sizes = if is_quick() { Self::quick() } else { Self::full() };
        let runs = std::env::var("WEFT_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(sizes.runs);
        Self { runs: runs.max(1), ..sizes }
    }
}

/// Whether `WEFT_BENCH_QUICK` asks for small sizes.
#[must_use]
pub fn is_quick() -> bool {
    std::env::var_os("WEFT_BENCH_QUICK").is_some_and(|value| !value.is_empty() && value != "0")
}
