//! Manifests: what names a feed. One manifest, one feed, one key, for ever.
//!
//! Both the device key and the feed key sign it: nobody can claim a feed whose key it does not hold, and no feed can claim
//! a device.
//!
//! Spec: CRYPTO-5.1

use bytes::Bytes;
use prost::Message;
use weft_wire::{DecodeError, decode, feed as wire};

use crate::{
    BadSignature, Context, DeviceId, DeviceKey, FeedId, FeedKey, FeedSecret, Hasher, IdError, SignContext, Signature,
    SpaceId, Verified,
};

/// What a feed carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Credentials, in clear for everyone who may open the space's door.
    Control = 1,
    /// Sealed mutations and records.
    Data = 2,
}

/// What names a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Manifest {
    /// Always [`Manifest::VERSION`] in what this code reads or writes.
    pub version: u32,
    /// The one space that the feed belongs to.
    pub space: SpaceId,
    /// The device that writes it.
    pub device: DeviceId,
    /// The key that signs its heads.
    pub feed_key: FeedKey,
    /// What it carries.
    pub purpose: Purpose,
    /// Counts a device's feeds of one purpose in one space, from 0.
    pub generation: u64,
}

/// A manifest as it travels, with both signatures. It is read once, where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedManifest {
    manifest: Manifest,
    feed: FeedId,
    /// By the device key.
    pub device_signature: Signature,
    /// By the feed key.
    pub feed_signature: Signature,
}

/// Why bytes are no manifest, or a manifest is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The bytes are no such message.
    #[error("manifest: {0}")]
    Decode(#[from] DecodeError),
    /// A key, id or signature has another length.
    #[error("manifest: {0}")]
    Field(#[from] IdError),
    /// A later version.
    #[error("manifest of version {found}, this node reads version 1")]
    Version {
        /// The version found.
        found: u32,
    },
    /// A purpose that does not exist.
    #[error("a feed's purpose is 1 or 2, not {found}")]
    Purpose {
        /// The number found.
        found: u32,
    },
    /// Another spelling of the same fields; a manifest has one.
    #[error("manifest is not in its one encoding")]
    NotCanonical,
    /// The device key did not sign it.
    #[error("manifest is not signed by its device")]
    DeviceSignature,
    /// The feed key did not sign it.
    #[error("manifest is not signed by its feed key")]
    FeedSignature,
}

impl Manifest {
    /// The version that this code reads and writes.
    pub const VERSION: u32 = 1;

    /// The feed's id.
    #[must_use]
    pub fn id(&self) -> FeedId {
        let id = Hasher::new(Context::FEED)
            .u64(u64::from(self.version))
            .fixed(self.space.as_bytes())
            .fixed(self.device.as_bytes())
            .fixed(self.feed_key.as_bytes())
            .u64(self.purpose as u64)
            .u64(self.generation)
            .finish();
        FeedId::from_bytes(id)
    }

    /// Its one encoding.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let message = wire::Manifest {
            version: self.version,
            space: self.space.to_bytes(),
            device: self.device.to_bytes(),
            feed_key: self.feed_key.to_bytes(),
            purpose: self.purpose as u32,
            generation: self.generation,
        };
        message.encode_to_vec().into()
    }

    /// Reads its one encoding.
    ///
    /// # Errors
    /// When the bytes are anything else.
    pub fn decode(bytes: &Bytes) -> Result<Self, ManifestError> {
        let message: wire::Manifest = decode(bytes)?;
        if message.version != Self::VERSION {
            return Err(ManifestError::Version { found: message.version });
        }
        let purpose = match message.purpose {
            1 => Purpose::Control,
            2 => Purpose::Data,
            found => return Err(ManifestError::Purpose { found }),
        };
        let manifest = Self {
            version: message.version,
            space: SpaceId::try_from(&message.space)?,
            device: DeviceId::try_from(&message.device)?,
            feed_key: FeedKey::try_from(&message.feed_key)?,
            purpose,
            generation: message.generation,
        };
        if manifest.encode() != bytes {
            return Err(ManifestError::NotCanonical);
        }
        Ok(manifest)
    }
}

impl SignedManifest {
    /// Signs a manifest with both its keys.
    ///
    /// # Panics
    /// When the keys are not those that the manifest names.
    #[must_use]
    pub fn sign(manifest: &Manifest, device: &DeviceKey, feed: &FeedSecret) -> Self {
        assert!(manifest.device == device.id() && manifest.feed_key == feed.id(), "a manifest names its signers");
        let bytes = manifest.encode();
        Self {
            device_signature: device.sign(SignContext::MANIFEST_DEVICE, &bytes),
            feed_signature: feed.sign(SignContext::MANIFEST_FEED, &bytes),
            manifest: *manifest,
            feed: manifest.id(),
        }
    }

    /// What is signed. Whether the signatures are right is for [`SignedManifest::verify`] to say.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The id of the feed that it names.
    #[must_use]
    pub fn feed(&self) -> FeedId {
        self.feed
    }

    /// Checks both signatures.
    ///
    /// # Errors
    /// When a signature is not by the key it names.
    pub fn verify(&self) -> Result<Verified<Manifest>, ManifestError> {
        let (Manifest { device, feed_key, .. }, bytes) = (&self.manifest, self.manifest.encode());
        device
            .verify(SignContext::MANIFEST_DEVICE, &bytes, &self.device_signature)
            .map_err(|BadSignature| ManifestError::DeviceSignature)?;
        feed_key
            .verify(SignContext::MANIFEST_FEED, &bytes, &self.feed_signature)
            .map_err(|BadSignature| ManifestError::FeedSignature)?;
        Ok(Verified::checked(self.manifest))
    }

    /// As a message.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let message = wire::SignedManifest {
            manifest: self.manifest.encode(),
            device_signature: self.device_signature.to_bytes(),
            feed_signature: self.feed_signature.to_bytes(),
        };
        message.encode_to_vec().into()
    }

    /// From a message; the signatures are not checked yet.
    ///
    /// # Errors
    /// When the bytes are no such message, the manifest in it is malformed, or a signature has another length.
    pub fn decode(bytes: &Bytes) -> Result<Self, ManifestError> {
        let message: wire::SignedManifest = decode(bytes)?;
        let manifest = Manifest::decode(&message.manifest)?;
        Ok(Self {
            feed: manifest.id(),
            manifest,
            device_signature: Signature::try_from(message.device_signature.as_ref())?,
            feed_signature: Signature::try_from(message.feed_signature.as_ref())?,
        })
    }
}
