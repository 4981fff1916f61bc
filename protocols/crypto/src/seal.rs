//! Sealing: XChaCha20-Poly1305 with a nonce that follows from what is sealed.
//!
//! The sealed text is 16 random bytes and the plaintext; the nonce is a keyed hash of the associated data and that text,
//! stored in front and checked after opening. So a repeated place in a feed is harmless, a broken random generator is
//! harmless, and once a body is erased nobody can confirm a guess of it: the 16 bytes went with it.
//!
//! Spec: CRYPTO-6.1

use std::fmt;

use bytes::Bytes;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    Context, EpochId, FeedId, SpaceId,
    hash::{Part, kdf_two},
};

/// Bytes of the nonce, in front.
const NONCE: usize = 24;
/// Random bytes before the plaintext.
const RANDOM: usize = 16;
/// Bytes of the authentication tag, at the end.
const TAG: usize = 16;

/// How much longer a sealed body is than its plaintext.
pub const OVERHEAD_BYTES: usize = NONCE + RANDOM + TAG;

/// Why something sealed does not open. Which it was tells nothing to whoever sealed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Shorter than an empty plaintext sealed.
    #[error("sealed bytes are cut short: {found}, at least {OVERHEAD_BYTES}")]
    TooShort {
        /// How many bytes there are.
        found: usize,
    },
    /// Another key, another place, or altered.
    #[error("sealed under another key or for another place, or altered")]
    NotAuthentic,
    /// It opens, and its nonce is not the one that follows from it: not sealed as the spec says.
    #[error("sealed with a nonce that does not follow from its content")]
    WrongNonce,
}

/// A pair of keys that seals and opens: one for the cipher, one for the nonces.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BoxKeys {
    cipher: [u8; 32],
    nonce: [u8; 32],
}

impl BoxKeys {
    /// The keys of one use of a secret.
    #[must_use]
    pub fn derive(context: Context, secret: &[u8; 32], parts: &[Part<'_>]) -> Self {
        let [cipher, nonce] = kdf_two(context, secret, parts);
        Self { cipher, nonce }
    }

    /// Seals a plaintext to a place: nonce (24), ciphertext (16 + plaintext), tag (16).
    #[must_use]
    pub fn seal(&self, place: &[u8], random: [u8; RANDOM], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD_BYTES);
        sealed.extend_from_slice(&[0; NONCE]);
        sealed.extend_from_slice(&random);
        sealed.extend_from_slice(plaintext);
        let (nonce, text) = sealed.split_at_mut(NONCE);
        nonce.copy_from_slice(&self.nonce_of(place, text));
        let tag = self
            .cipher()
            .encrypt_inout_detached((&nonce_array(nonce)).into(), place, text.into())
            .expect("a body is far below the cipher's limit of 256 GiB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens what was sealed to a place. The buffer that is returned holds the plaintext from byte [`RANDOM`] on.
    fn open_text(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if sealed.len() < OVERHEAD_BYTES {
            return Err(SealError::TooShort { found: sealed.len() });
        }
        let (nonce, rest) = sealed.split_at(NONCE);
        let (text, tag) = rest.split_at(rest.len() - TAG);
        let mut text = text.to_vec();
        let tag: [u8; TAG] = tag.try_into().expect("split at its width");
        self.cipher()
            .decrypt_inout_detached((&nonce_array(nonce)).into(), place, text.as_mut_slice().into(), (&tag).into())
            .map_err(|_| SealError::NotAuthentic)?;
        if nonce != self.nonce_of(place, &text) {
            text.zeroize();
            return Err(SealError::WrongNonce);
        }
        Ok(text)
    }

    /// Opens what was sealed to a place.
    ///
    /// # Errors
    /// When it was not sealed by these keys to this place as the spec says.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Bytes, SealError> {
        Ok(Bytes::from(self.open_text(place, sealed)?).slice(RANDOM..))
    }

    /// Opens a secret, which is forgotten when dropped.
    ///
    /// # Errors
    /// As [`BoxKeys::open`].
    pub fn open_secret(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut text = Zeroizing::new(self.open_text(place, sealed)?);
        text.drain(..RANDOM);
        Ok(text)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.cipher).into())
    }

    fn nonce_of(&self, place: &[u8], text: &[u8]) -> [u8; NONCE] {
        let hash = blake3::Hasher::new_keyed(&self.nonce)
            .update(&(place.len() as u64).to_le_bytes())
            .update(place)
            .update(&(text.len() as u64).to_le_bytes())
            .update(text)
            .finalize();
        nonce_array(&hash.as_bytes()[..NONCE])
    }
}

fn nonce_array(bytes: &[u8]) -> [u8; NONCE] {
    bytes.try_into().expect("cut to its width")
}

impl fmt::Debug for BoxKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxKeys(…)")
    }
}

/// The keys of one feed's bodies in one epoch.
#[derive(Debug, Clone)]
pub struct BodyKeys {
    keys: BoxKeys,
    place: [u8; PLACE],
}

const BODY_TEXT: &str = Context::BODY.as_str();
/// Context, zero byte, space id, feed id, seq, kind, epoch id.
const PLACE: usize = BODY_TEXT.len() + 1 + 32 + 32 + 8 + 8 + 32;
/// Where the seq begins.
const SEQ: usize = BODY_TEXT.len() + 1 + 64;

// The place is no secret, and the keys forget themselves.
impl ZeroizeOnDrop for BodyKeys {}

impl BodyKeys {
    /// The keys that follow from an epoch's content secret.
    ///
    /// Spec: CRYPTO-6.2
    #[must_use]
    pub fn derive(content_secret: &[u8; 32], space: &SpaceId, epoch: &EpochId, feed: &FeedId) -> Self {
        let ids = [space.as_bytes(), epoch.as_bytes(), feed.as_bytes()];
        let keys = BoxKeys::derive(Context::BODY, content_secret, &ids.map(|id| Part::Fixed(id)));
        let mut place = [0; PLACE];
        place[..BODY_TEXT.len()].copy_from_slice(BODY_TEXT.as_bytes());
        place[SEQ - 64..SEQ - 32].copy_from_slice(space.as_bytes());
        place[SEQ - 32..SEQ].copy_from_slice(feed.as_bytes());
        place[SEQ + 16..].copy_from_slice(epoch.as_bytes());
        Self { keys, place }
    }

    /// Seals the body of one entry; the result is the body as stored.
    #[must_use]
    pub fn seal(&self, seq: u64, kind: u32, random: [u8; 16], plaintext: &[u8]) -> Bytes {
        self.keys.seal(&self.place(seq, kind), random, plaintext).into()
    }

    /// Opens the body of one entry.
    ///
    /// # Errors
    /// When it was not sealed for this entry under these keys.
    pub fn open(&self, seq: u64, kind: u32, stored: &[u8]) -> Result<Bytes, SealError> {
        self.keys.open(&self.place(seq, kind), stored)
    }

    fn place(&self, seq: u64, kind: u32) -> [u8; PLACE] {
        let mut place = self.place;
        place[SEQ..SEQ + 8].copy_from_slice(&seq.to_le_bytes());
        place[SEQ + 8..SEQ + 16].copy_from_slice(&u64::from(kind).to_le_bytes());
        place
    }
}

/// Seals a secret of one's own, under a key such as [`crate::DeviceKey::at_rest_key`]. The label says what it is and is
/// checked at opening.
///
/// Spec: CRYPTO-6.3
#[must_use]
pub fn seal_local(key: &[u8; 32], label: &str, random: [u8; 16], plaintext: &[u8]) -> Vec<u8> {
    BoxKeys::derive(Context::LOCAL, key, &[]).seal(label.as_bytes(), random, plaintext)
}

/// Opens a secret of one's own.
///
/// # Errors
/// When it was not sealed under this key with this label.
pub fn open_local(key: &[u8; 32], label: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    BoxKeys::derive(Context::LOCAL, key, &[]).open_secret(label.as_bytes(), sealed)
}
