//! The one seed that a driver gives a machine at start.
//!
//! It is fresh from the operating system at every start of a node and a number of the scenario in a simulation. No secret
//! comes from it alone: `weft_crypto::fresh_secret` mixes in the device's own secret and what the secret is for.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Draws;

/// 32 bytes from which all of a machine's randomness follows. Never stored, logged or shown.
///
/// Spec: MACHINE-3.1
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Takes the driver's bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seed of a part, by a name that is used once in the whole machine: parts draw without hearing each other.
    #[must_use]
    pub fn fork(&self, label: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/fork/1");
        hasher.update(&self.0);
        hasher.update(&(label.len() as u64).to_le_bytes());
        hasher.update(label.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// The stream of draws that this seed gives.
    #[must_use]
    pub fn draws(&self) -> Draws {
        Draws::new(self.clone())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}
