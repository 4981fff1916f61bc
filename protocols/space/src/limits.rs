//! Bounds that everybody applies alike, so none can be configured. Spec: SPACE-13

/// Entries of a control feed that count while its author does not administer.
pub const ENTRIES_MAX: u64 = 10_000;

/// Devices of one identity in a space.
pub const DEVICES_MAX: u32 = 32;

/// How often a device may say of one epoch that it cannot open it.
pub const REFUSALS_MAX: usize = 3;

/// Epochs of one feed that do not count and are opened and handed on nevertheless: who was removed cannot have others do so for ever.
pub const EPOCHS_HANDED_ON_MAX: usize = 64;

/// Seals in one feed: each may ask for a resolution of its own.
pub const SEALS_MAX: u32 = 64;

/// Devices of an identity that count or are carried, since siblings may each let one in at once. Beyond that only somebody who floods the space
/// comes: no feed of such a device is replicated and no lockbox for it ends an epoch. Twice the former: a guess.
pub const DEVICES_CARRIED_MAX: u32 = 64;
