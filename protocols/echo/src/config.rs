//! Bounds of the [`Echo`](crate::Echo) machine. None of them changes what a mutation means; the bounds that do are
//! constants beside the decoders.

/// How much one space's machine keeps and takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Objects kept open at most. 64: a guess at how many documents one person touches in an hour.
    pub documents_max: usize,
    /// Estimated bytes of the open objects at most. 64 MiB: a guess; a 100,000 character document with its history is
    /// estimated at about 2 MiB.
    pub documents_bytes_max: u64,
    /// A tail of this many mutations is folded into a new snapshot. 256: opening then applies at most a few milliseconds
    /// of updates (1.4 us each, measured).
    pub tail_entries_max: u64,
    /// A tail of this many bytes is folded into a new snapshot. 256 KiB.
    pub tail_bytes_max: u64,
    /// A tail may also grow to this part of its snapshot, so that a keystroke in a large document costs a constant
    /// share of writing it: folding waits until tail bytes times this reach the snapshot's bytes. 2: a guess.
    pub tail_share: u64,
    /// Text operations in one edit at most. 64, the size of an entry when a trace is imported.
    pub ops_max: usize,
    /// Mutations that one [`crate::Edit::Revise`] becomes at most. 16: with the pieces of first texts (256 KiB) 4 MiB, one batch of the
    /// store.
    pub revisions_max: usize,
    /// Bytes of one mutation of ours at most: what an entry's body holds, less what sealing adds. Lower only in tests.
    pub mutation_bytes_max: usize,
    /// Writes that may be unanswered at most, over all objects. 256: as many entries as one signed head covers.
    pub writes_max: usize,
    /// Edits that may wait at most; further ones are refused as busy. 4,096: a guess.
    pub edits_max: usize,
    /// The first text of an object, bytes of UTF-8 at most. 16 MiB.
    pub text_bytes_max: usize,
    /// Width of client ids in bits. [`crate::CLIENT_BITS`] always, except in tests that need two sessions to collide.
    pub client_bits: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            documents_max: 64,
            documents_bytes_max: 64 << 20,
            tail_entries_max: 256,
            tail_bytes_max: 256 << 10,
            tail_share: 2,
            ops_max: 64,
            revisions_max: 16,
            mutation_bytes_max: weft_feed::limits::BODY_BYTES_MAX as usize - weft_crypto::seal::OVERHEAD_BYTES,
            writes_max: 256,
            edits_max: 4096,
            text_bytes_max: 16 << 20,
            client_bits: crate::CLIENT_BITS,
        }
    }
}
