//! Secret keys, one type for each thing that a key may do.
//!
//! Each is made from 32 bytes and nothing else, forgets them when dropped, and shows nothing of them. The root key signs
//! root statements, a device key handshakes and statements for its identity, a feed key heads, an invitation key a
//! redemption; a pre-key and a recovery key open lockboxes.
//!
//! Spec: CRYPTO-4.2

use std::fmt;

use ed25519_dalek::{Signer, SigningKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    Context, DeviceId, FeedKey, IdentityId, InvitationKeyId, PreKeyId, SignContext, Signature,
    hash::{Part, kdf},
    lockbox,
};

macro_rules! signing_keys {
    ($($(#[doc = $doc:literal])+ $name:ident is $public:ident;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone)]
        pub struct $name(SigningKey);

        impl $name {
            /// The key that this seed gives.
            #[must_use]
            pub fn from_seed(mut seed: [u8; 32]) -> Self {
                let key = Self(SigningKey::from_bytes(&seed));
                seed.zeroize();
                key
            }

            /// The seed, for keeping it sealed.
            #[must_use]
            pub fn seed(&self) -> Zeroizing<[u8; 32]> {
                Zeroizing::new(self.0.to_bytes())
            }

            /// The public key.
            #[must_use]
            pub fn id(&self) -> $public {
                $public::from_bytes(self.0.verifying_key().to_bytes())
            }

            /// Signs a statement in a context.
            #[must_use]
            pub fn sign(&self, context: SignContext, statement: &[u8]) -> Signature {
                Signature::from_bytes(self.0.sign(&context.signed_bytes(statement)).to_bytes())
            }
        }

        impl ZeroizeOnDrop for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?}, secret …)"), self.id())
            }
        }
    )*};
}

signing_keys! {
    /// The root key of an identity: signs root statements, and is kept off-line as a phrase.
    RootKey is IdentityId;
    /// A device's key: signs libp2p handshakes, manifests and statements for its identity.
    DeviceKey is DeviceId;
    /// A feed's key: signs heads, and its own manifest once.
    FeedSecret is FeedKey;
    /// An invitation's key: whoever holds the link may redeem it.
    InvitationSecret is InvitationKeyId;
}

impl DeviceKey {
    /// The X25519 key by which secrets that were sealed to this device as such are opened: the same scalar that signs, taken
    /// to Curve25519. Signing and opening with one scalar is sound for these two schemes: see `sealed_secret`.
    ///
    /// Spec: CRYPTO-10.2
    #[must_use]
    pub fn agreement_key(&self) -> PreKeySecret {
        PreKeySecret::from_seed(self.0.to_scalar_bytes())
    }

    /// The key under which this device seals its local secrets.
    #[must_use]
    pub fn at_rest_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(kdf(Context::DEVICE_AT_REST, self.0.as_bytes(), &[]))
    }
}

/// A device's X25519 pre-key in a space: opens the lockboxes sealed to it.
#[derive(Clone, ZeroizeOnDrop)]
pub struct PreKeySecret([u8; 32]);

impl PreKeySecret {
    /// The key that this seed gives: the seed, clamped as X25519 says, is the private key.
    #[must_use]
    pub const fn from_seed(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// The seed, for keeping it sealed.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0)
    }

    /// The public key.
    #[must_use]
    pub fn id(&self) -> PreKeyId {
        lockbox::public_of(&self.0)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PreKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreKeySecret({:?}, secret …)", self.id())
    }
}

/// An identity's X25519 recovery key, derived from its phrase: opens the lockboxes that every epoch has for it.
#[derive(Clone, Debug, ZeroizeOnDrop)]
pub struct RecoveryKey(PreKeySecret);

impl RecoveryKey {
    /// The key that this seed gives.
    #[must_use]
    pub const fn from_seed(seed: [u8; 32]) -> Self {
        Self(PreKeySecret::from_seed(seed))
    }

    /// The public key.
    #[must_use]
    pub fn id(&self) -> PreKeyId {
        self.0.id()
    }

    /// The secret as [`lockbox::open`] takes it.
    #[must_use]
    pub const fn as_pre_key(&self) -> &PreKeySecret {
        &self.0
    }
}

/// A new secret or ephemeral key. The draw makes it random; the device's secret, the purpose and the subject (the hash of
/// what it is for) keep it different and unknown even when a draw is ever repeated or seen.
///
/// Spec: CRYPTO-4.3
#[must_use]
pub fn fresh_secret(draw: [u8; 32], device: &DeviceKey, purpose: &str, subject: &[u8; 32]) -> [u8; 32] {
    let parts = [Part::Fixed(&draw), Part::Var(purpose.as_bytes()), Part::Fixed(subject)];
    kdf(Context::FRESH, device.0.as_bytes(), &parts)
}
