//! What an entry is, and which kinds a feed of which purpose carries.
//!
//! Spec: FEED-2.3

use weft_crypto::Purpose;

/// Credentials, in the clear for everyone who may open the space's door. Only in control feeds.
pub const CONTROL: u32 = 1;
/// A sealed change of one object.
pub const MUTATION: u32 = 2;
/// An application's own sealed bytes.
pub const RECORD: u32 = 3;
/// No body: only deps that did not fit into the next entry.
pub const MERGE: u32 = 4;

/// Whether a feed of this purpose may carry entries of this kind. Control feeds carry control entries and merges.
#[must_use]
pub fn fits(kind: u32, purpose: Purpose) -> bool {
    match purpose {
        Purpose::Control => matches!(kind, CONTROL | MERGE),
        Purpose::Data => matches!(kind, MUTATION | RECORD | MERGE),
    }
}
