//! Ids and public keys: 32 bytes each, and a type each, so that none is taken for another.
//!
//! Shown as 52 characters of lower-case base32; debug output shows the first eight.
//!
//! Spec: CRYPTO-3.1

use std::{cmp::Ordering, fmt, str::FromStr};

use bytes::Bytes;

use crate::{
    SignContext,
    base32::{self, Base32Error},
    sign::{self, BadSignature, Signature},
};

/// Why bytes or text are no id, key or signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Another number of bytes than the type has.
    #[error("expected {expected} bytes, found {found}")]
    Length {
        /// How many the type has.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The text is no base32.
    #[error("{0}")]
    Base32(#[from] Base32Error),
}

/// The order of the bytes. The first eight nearly always decide, and are compared as one number: whoever resolves a large space
/// looks into maps of ids millions of times.
#[inline]
fn in_order(one: &[u8; 32], other: &[u8; 32]) -> Ordering {
    let ([first, ..], [second, ..]) = (one.as_chunks::<8>().0, other.as_chunks::<8>().0) else {
        return one.cmp(other);
    };
    u64::from_be_bytes(*first).cmp(&u64::from_be_bytes(*second)).then_with(|| one.cmp(other))
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name([u8; 32]);

        impl Ord for $name {
            #[inline]
            fn cmp(&self, other: &Self) -> Ordering {
                in_order(&self.0, &other.0)
            }
        }

        impl PartialOrd for $name {
            #[inline]
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// Takes any 32 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// A copy for a message's `bytes` field.
            #[must_use]
            pub fn to_bytes(&self) -> Bytes {
                Bytes::copy_from_slice(&self.0)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError::Length { expected: 32, found: bytes.len() })
            }
        }

        impl TryFrom<&Bytes> for $name {
            type Error = IdError;

            fn try_from(bytes: &Bytes) -> Result<Self, IdError> {
                Self::try_from(bytes.as_ref())
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&base32::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}…)"), base32::encode(&self.0[..5]))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(base32::decode(text)?.as_slice())
            }
        }
    )*};
}

macro_rules! public_keys {
    ($($name:ident)*) => {$(
        impl $name {
            /// Checks a signature by this key.
            ///
            /// # Errors
            /// When it is not this key's, not of this context, or not over this statement.
            pub fn verify(
                &self,
                context: SignContext,
                statement: &[u8],
                signature: &Signature,
            ) -> Result<(), BadSignature> {
                sign::verify(&self.0, context, statement, signature)
            }
        }
    )*};
}

ids! {
    /// A space: the hash of its genesis statement.
    SpaceId;
    /// A feed: the hash of its manifest.
    FeedId;
    /// An epoch: the hash of what it commits to.
    EpochId;
    /// An invitation.
    InvitationId;
    /// An object: the hash of where it was created.
    ObjectId;
    /// An entry: the hash of its feed, place and leaf.
    EntryId;
    /// The root of a feed's tree at some length.
    Root;
    /// A device: its ed25519 public key, which is its libp2p identity too.
    DeviceId;
    /// A person or organisation: its ed25519 root key.
    IdentityId;
    /// The ed25519 key that signs a feed's heads.
    FeedKey;
    /// The ed25519 key of an invitation.
    InvitationKeyId;
    /// An X25519 key that epoch secrets are sealed to: a device's pre-key or an identity's recovery key.
    PreKeyId;
}

public_keys! { DeviceId IdentityId FeedKey InvitationKeyId }
