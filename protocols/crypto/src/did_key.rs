//! `did:key`: a public key that is its own name, as others outside Weft know it.
//!
//! `did:key:z` and base58 of a multicodec prefix and the key. Of the kinds that exist two are read: Ed25519, which an identity's
//! root key is, and X25519. A key of another curve is refused by its number: nothing can be sealed to it here.
//!
//! Spec: CRYPTO-10.1

use std::{fmt, str::FromStr};

use crate::{DeviceId, IdentityId, PreKeyId, sealed_secret};

/// What every one begins with: the method, and `z` for base58 in Bitcoin's alphabet.
const PREFIX: &str = "did:key:z";
/// The multicodecs `ed25519-pub` and `x25519-pub`, as varints.
const ED25519: [u8; 2] = [0xed, 0x01];
const X25519: [u8; 2] = [0xec, 0x01];
/// 34 bytes in base58 are at most this long.
const CHARACTERS_MAX: usize = 48;

/// A key of somebody who need not be a member of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DidKey {
    /// An Ed25519 key: that of an identity, a device, or anybody who signs with one.
    Ed25519([u8; 32]),
    /// An X25519 key, which signs nothing.
    X25519([u8; 32]),
}

/// Why a text is no `did:key` that can be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadDidKey {
    /// It does not begin as one, or is no base58.
    #[error("not a did:key: it has to begin with `{PREFIX}` and go on in base58")]
    Malformed,
    /// A key of another kind.
    #[error("a did:key of another kind than Ed25519 or X25519")]
    OtherKind,
    /// The bytes are no point on the curve, or one of small order: who knows no secret key could open what is sealed to it.
    #[error("a did:key that nothing can be sealed to")]
    Weak,
}

impl DidKey {
    /// The X25519 key to which secrets for this key are sealed.
    ///
    /// # Errors
    /// [`BadDidKey::Weak`] when the key is none, or of small order.
    ///
    /// Spec: CRYPTO-10.2
    pub fn agreement(&self) -> Result<PreKeyId, BadDidKey> {
        match self {
            Self::Ed25519(key) => sealed_secret::agreement_of(key).ok_or(BadDidKey::Weak),
            Self::X25519(key) => Ok(PreKeyId::from_bytes(*key)),
        }
    }
}

impl From<IdentityId> for DidKey {
    fn from(identity: IdentityId) -> Self {
        Self::Ed25519(*identity.as_bytes())
    }
}

impl From<DeviceId> for DidKey {
    fn from(device: DeviceId) -> Self {
        Self::Ed25519(*device.as_bytes())
    }
}

impl From<PreKeyId> for DidKey {
    fn from(key: PreKeyId) -> Self {
        Self::X25519(*key.as_bytes())
    }
}

impl fmt::Display for DidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (codec, key) = match self {
            Self::Ed25519(key) => (ED25519, key),
            Self::X25519(key) => (X25519, key),
        };
        let bytes = [codec.as_slice(), key].concat();
        write!(f, "{PREFIX}{}", bs58::encode(bytes).into_string())
    }
}

impl FromStr for DidKey {
    type Err = BadDidKey;

    fn from_str(text: &str) -> Result<Self, BadDidKey> {
        let encoded = text.strip_prefix(PREFIX).ok_or(BadDidKey::Malformed)?;
        if encoded.len() > CHARACTERS_MAX {
            return Err(BadDidKey::OtherKind);
        }
        let bytes = bs58::decode(encoded).into_vec().map_err(|_| BadDidKey::Malformed)?;
        let (codec, key) = bytes.split_first_chunk::<2>().ok_or(BadDidKey::Malformed)?;
        let key = <[u8; 32]>::try_from(key).map_err(|_| BadDidKey::OtherKind)?;
        match *codec {
            ED25519 => Ok(Self::Ed25519(key)),
            X25519 => Ok(Self::X25519(key)),
            _ => Err(BadDidKey::OtherKind),
        }
    }
}
