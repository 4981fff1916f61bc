//! The limits of the format, each a named constant of the spec. What exceeds one is refused by everyone, so none of them
//! can be configured.
//!
//! Spec: FEED-1.2

/// Bytes of a body as stored: 1 MiB. Larger content is a blob.
pub const BODY_BYTES_MAX: u64 = 1 << 20;
/// Bytes of an encoded header: 64 KiB. 512 deps take 40 KiB.
pub const HEADER_BYTES_MAX: usize = 64 << 10;
/// Deps of one entry. Who has more to acknowledge writes merge entries first.
pub const DEPS_MAX: usize = 512;
/// Entries of a feed: 2^42, so that no sum of sizes and no tree index leaves 64 bits.
pub const LENGTH_MAX: u64 = 1 << 42;

/// Entries of a run.
pub const RUN_ENTRIES_MAX: usize = 256;
/// Bytes of a run, framed headers and bodies together: 60 KiB, or one larger entry. Two rows of it fit a store's page.
pub const RUN_BYTES_MAX: usize = 60 << 10;

/// Entries of a range: a writer signs a head at the latest after this many.
pub const RANGE_ENTRIES_MAX: usize = 256;
/// Bytes of the framed headers of a range: 1 MiB. What a receiver holds unverified.
pub const RANGE_HEADER_BYTES_MAX: usize = 1 << 20;
/// Bytes of the bodies of a range: 4 MiB.
pub const RANGE_BODY_BYTES_MAX: u64 = 4 << 20;
