//! Signatures: Ed25519, strict, always under a context.
//!
//! Strict verification (no small-order keys, canonical encodings, no cofactor) gives one verdict everywhere; batch
//! verification does not and is never used to decide.
//!
//! Spec: CRYPTO-4.1

use std::fmt;

use bytes::Bytes;

use crate::{SignContext, base32, ids::IdError};

/// An Ed25519 signature: 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

/// The signature is not by this key over this statement in this context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not by this key over this statement")]
pub struct BadSignature;

impl Signature {
    /// Takes any 64 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// A copy for a message's `bytes` field.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = IdError;

    fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
        bytes.try_into().map(Self).map_err(|_| IdError::Length { expected: 64, found: bytes.len() })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", base32::encode(&self.0[..5]))
    }
}

/// Checks a signature by an Ed25519 public key.
///
/// # Errors
/// When the key is no valid point or the signature does not verify strictly.
pub fn verify(
    public: &[u8; 32],
    context: SignContext,
    statement: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| BadSignature)?;
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(&context.signed_bytes(statement), &signature).map_err(|_| BadSignature)
}
