//! How large a credential may be. Spec: CREDENTIAL-9.
//!
//! The counts and lengths inside messages are in `weft_wire`'s tables; here are the ones that carry a meaning.

/// Bytes of a control body: the limit of any entry's body.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// Parts of one control entry.
pub const PARTS_MAX: usize = 1024;

/// Uses of one invitation. A guess: a larger crowd is served by several links.
pub const USES_MAX: u32 = 10_000;

/// Bytes of a redemption with its two signatures.
pub const REDEMPTION_BYTES_MAX: usize = 9 << 10;

/// Entries of a feed, so the longest cut: FEED-1.2.
pub const LENGTH_MAX: u64 = 1 << 42;

/// Epochs that one epoch follows.
pub const PARENTS_MAX: usize = 64;

/// Device statements between the device that a root key admitted and the one that speaks: 8 devices in a row. A guess: who links each new
/// device from the last one, and never from an older one, changes phones eight times.
pub const CHAIN_MAX: usize = 7;
