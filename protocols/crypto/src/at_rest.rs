//! Secrets on disk: a header that says how they are protected, and the sealed secret.
//!
//! ```text
//! 0        4        5      6
//! | "weft" | version | form | sealed to the six bytes before (CRYPTO-6.1) …
//! ```
//!
//! Form 1 is sealed by a random 32-byte key that the node keeps in a file of its own, beside the store. The files are the
//! node's; this module knows their bytes only.
//!
//! Spec: CRYPTO-9.1

use zeroize::Zeroizing;

use crate::{
    Context,
    seal::{BoxKeys, SealError},
};

/// The first four bytes of the file.
const MAGIC: &[u8; 4] = b"weft";
/// The version that this code reads and writes.
const VERSION: u8 = 1;
/// Sealed by a random key beside the store.
const FORM_KEY: u8 = 1;
/// Bytes before the sealed part.
const HEADER: usize = 6;

/// Why bytes from the disk give no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AtRestError {
    /// The file does not begin as one of ours.
    #[error("not a file of weft secrets")]
    NotOurs,
    /// A later version wrote it.
    #[error("secrets of version {found}, this program reads version {VERSION}")]
    Newer {
        /// The version found.
        found: u8,
    },
    /// Protected in a way that needs something else than a key.
    #[error("secrets are protected in form {found}, which this program does not open")]
    OtherForm {
        /// The form found.
        found: u8,
    },
    /// The key is another one, or the file is damaged.
    #[error("the key does not open these secrets: {0}")]
    Sealed(#[from] SealError),
}

/// Wraps a secret by a random key.
#[must_use]
pub fn wrap(secret: &[u8], wrapping_key: &[u8; 32], random: [u8; 16]) -> Vec<u8> {
    let header = header(FORM_KEY);
    let mut file = header.to_vec();
    file.extend_from_slice(&keys(wrapping_key).seal(&header, random, secret));
    file
}

/// Unwraps a secret.
///
/// # Errors
/// Says whether the file is not ours, newer, of another form, or does not open.
pub fn unwrap(file: &[u8], wrapping_key: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, AtRestError> {
    let Some((found, sealed)) = file.split_at_checked(HEADER) else {
        return Err(AtRestError::NotOurs);
    };
    if !found.starts_with(MAGIC) {
        return Err(AtRestError::NotOurs);
    }
    match (found[4], found[5]) {
        (VERSION, FORM_KEY) => Ok(keys(wrapping_key).open_secret(found, sealed)?),
        (VERSION, form) => Err(AtRestError::OtherForm { found: form }),
        (version, _) => Err(AtRestError::Newer { found: version }),
    }
}

fn header(form: u8) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(MAGIC);
    header[4] = VERSION;
    header[5] = form;
    header
}

fn keys(wrapping_key: &[u8; 32]) -> BoxKeys {
    BoxKeys::derive(Context::AT_REST, wrapping_key, &[])
}
