//! A secret of 32 bytes for one key: a lockbox that belongs to no epoch.
//!
//! What a grant hands over, and whatever else has to reach a device or somebody outside of every space. It is the lockbox of
//! an epoch with another context and another binding: to the *subject*, the hash of the statement that says what the secret
//! is for. So a box cannot be moved to another statement.
//!
//! A device, and anybody with an Ed25519 key, has no X25519 key of its own to seal to outside of a space. The Edwards point is
//! taken to the Montgomery curve (RFC 7748, section 4.1), as the `did:key` method does. That one scalar then both signs and
//! opens is sound for Ed25519 beside an X25519 KEM: Thormarker, "On using the same key pair for Ed25519 and an X25519 based
//! KEM", IACR ePrint 2021/509.
//!
//! Spec: CRYPTO-10.3

use ed25519_dalek::VerifyingKey;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use zeroize::Zeroizing;

use crate::{
    Context, PreKeyId, PreKeySecret,
    lockbox::{Once, private_of},
};

/// Bytes of a sealed secret: HPKE's encapsulated key, the secret, a tag.
pub const SEALED_SECRET_BYTES: usize = 32 + 32 + 16;

/// A secret that only the holder of one key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedSecret([u8; SEALED_SECRET_BYTES]);

/// Why a secret cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealedSecretError {
    /// Another number of bytes than one has.
    #[error("a sealed secret has {SEALED_SECRET_BYTES} bytes, not {found}")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// Nothing can be sealed to this key: it is of small order.
    #[error("the recipient's key is of small order")]
    BadKey,
    /// Sealed to another key or for another subject, or altered.
    #[error("the secret was not sealed to this key and for this subject, or was altered")]
    NotAuthentic,
}

impl SealedSecret {
    /// Seals a secret to a key, for a subject. The ephemeral seed comes from [`crate::fresh_secret`], for this recipient and this
    /// subject, and is used once.
    ///
    /// # Errors
    /// [`SealedSecretError::BadKey`] when nothing can be sealed to the key.
    pub fn seal(
        secret: &[u8; 32],
        to: &PreKeyId,
        subject: &[u8; 32],
        ephemeral_seed: [u8; 32],
    ) -> Result<Self, SealedSecretError> {
        let bad = SealedSecretError::BadKey;
        let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(to.as_bytes()).map_err(|_| bad)?;
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &key,
                &info(to, subject),
                secret,
                &[],
                &mut Once(Some(Zeroizing::new(ephemeral_seed))),
            )
            .map_err(|_| bad)?;
        let mut sealed = [0; SEALED_SECRET_BYTES];
        sealed[..32].copy_from_slice(&encapsulated.to_bytes());
        sealed[32..].copy_from_slice(&ciphertext);
        Ok(Self(sealed))
    }

    /// Opens a secret that was sealed to this key for this subject.
    ///
    /// # Errors
    /// [`SealedSecretError::NotAuthentic`] when it was not.
    pub fn open(&self, key: &PreKeySecret, subject: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, SealedSecretError> {
        let (encapsulated, ciphertext) = self.0.split_at(32);
        let encapsulated =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).expect("32 bytes are an encapsulated key");
        let plaintext = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private_of(key.as_bytes()),
            &encapsulated,
            &info(&key.id(), subject),
            ciphertext,
            &[],
        )
        .map_err(|_| SealedSecretError::NotAuthentic)?;
        let plaintext = Zeroizing::new(plaintext);
        Ok(Zeroizing::new(plaintext[..].try_into().expect("48 bytes sealed are 32 opened")))
    }

    /// As it is stored and sent.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; SEALED_SECRET_BYTES] {
        &self.0
    }

    /// Reads one. Whether it opens shows when it is opened.
    ///
    /// # Errors
    /// When there is another number of bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealedSecretError> {
        bytes.try_into().map(Self).map_err(|_| SealedSecretError::Length { found: bytes.len() })
    }
}

/// The X25519 key of an Ed25519 key; none where the bytes are no point, or one of small order.
pub(crate) fn agreement_of(ed25519: &[u8; 32]) -> Option<PreKeyId> {
    let key = VerifyingKey::from_bytes(ed25519).ok().filter(|key| !key.is_weak())?;
    Some(PreKeyId::from_bytes(key.to_montgomery().to_bytes()))
}

/// What a sealed secret is bound to: context, zero byte, recipient's key, subject.
fn info(to: &PreKeyId, subject: &[u8; 32]) -> Vec<u8> {
    let mut info = Context::SEALED_SECRET.as_str().as_bytes().to_vec();
    info.push(0);
    info.extend_from_slice(to.as_bytes());
    info.extend_from_slice(subject);
    info
}
