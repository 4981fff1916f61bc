//! `H(context, parts)`: BLAKE3 in derive-key mode, and what follows from it.
//!
//! Numbers are `u64` little endian, parts of fixed width follow one another, a part of variable length is preceded by its
//! length. Whoever writes a call says which it is, so no two different lists of parts of one context have the same bytes.
//!
//! Spec: CRYPTO-2.1

use blake3::hazmat::HasherExt;
use zeroize::Zeroize;

pub use crate::Context;

/// Hashes parts under a context.
///
/// ```
/// use weft_crypto::{Context, Hasher};
/// let leaf = Hasher::new(Context::LEAF).var(b"header").finish();
/// # let _ = leaf;
/// ```
#[derive(Clone)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Starts a hash; costs nothing for the context.
    #[must_use]
    #[inline]
    pub fn new(context: Context) -> Self {
        Self(blake3::Hasher::new_from_context_key(context.key()))
    }

    /// A part whose width is the same in every use of the context.
    #[inline]
    pub fn fixed(&mut self, part: &[u8]) -> &mut Self {
        self.0.update(part);
        self
    }

    /// A number.
    #[inline]
    pub fn u64(&mut self, number: u64) -> &mut Self {
        self.fixed(&number.to_le_bytes())
    }

    /// A part of variable length: its length, then its bytes.
    #[inline]
    pub fn var(&mut self, part: &[u8]) -> &mut Self {
        self.u64(part.len() as u64).fixed(part)
    }

    /// One part, of a list.
    #[inline]
    pub fn part(&mut self, part: Part<'_>) -> &mut Self {
        match part {
            Part::Fixed(bytes) => self.fixed(bytes),
            Part::U64(number) => self.u64(number),
            Part::Var(bytes) => self.var(bytes),
        }
    }

    /// The hash of what was given so far.
    #[must_use]
    #[inline]
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// Two hashes of what was given so far: the first 64 bytes of the extended output.
    #[must_use]
    pub fn finish_two(&self) -> [[u8; 32]; 2] {
        let mut two = [[0; 32]; 2];
        self.0.finalize_xof().fill(two.as_flattened_mut());
        two
    }
}

/// One part of what is hashed, for calls that take a list.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// Width is the same in every use of the context.
    Fixed(&'a [u8]),
    /// A number.
    U64(u64),
    /// Preceded by its length.
    Var(&'a [u8]),
}

/// `H(context, parts)`.
#[must_use]
pub fn hash(context: Context, parts: &[Part<'_>]) -> [u8; 32] {
    let mut hasher = Hasher::new(context);
    for &part in parts {
        hasher.part(part);
    }
    hasher.finish()
}

/// A key derived from a secret: `H` with the secret as first part.
///
/// Spec: CRYPTO-2.2
#[must_use]
pub fn kdf(context: Context, secret: &[u8; 32], parts: &[Part<'_>]) -> [u8; 32] {
    let mut hasher = kdf_hasher(context, secret, parts);
    let key = hasher.finish();
    hasher.0.zeroize();
    key
}

/// Two keys derived from a secret at once.
///
/// Spec: CRYPTO-2.2
#[must_use]
pub fn kdf_two(context: Context, secret: &[u8; 32], parts: &[Part<'_>]) -> [[u8; 32]; 2] {
    let mut hasher = kdf_hasher(context, secret, parts);
    let keys = hasher.finish_two();
    hasher.0.zeroize();
    keys
}

/// The state holds the secret; whoever is done with it zeroes it.
fn kdf_hasher(context: Context, secret: &[u8; 32], parts: &[Part<'_>]) -> Hasher {
    let mut hasher = Hasher::new(context);
    hasher.fixed(secret);
    for &part in parts {
        hasher.part(part);
    }
    hasher
}

/// A proof that its maker knows `key`: BLAKE3 keyed with `kdf(context, key)` over the parts. Compare with [`same`].
///
/// Spec: CRYPTO-2.3
#[must_use]
pub fn mac(context: Context, key: &[u8; 32], parts: &[Part<'_>]) -> [u8; 32] {
    let mut hasher = Hasher(blake3::Hasher::new_keyed(&kdf(context, key, &[])));
    for &part in parts {
        hasher.part(part);
    }
    hasher.finish()
}

/// Whether two hashes are equal, in time that does not depend on where they differ.
#[must_use]
pub fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    blake3::Hash::from_bytes(*one) == *other
}
