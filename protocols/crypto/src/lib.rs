//! Hashes, ids, keys, sealing: what every other crate of Weft means when it says "hashed", "signed" or "sealed".
//!
//! Every use has its own context string, and all of them stand in one file ([`Context`], [`SignContext`]). Ids and public
//! keys are types of their own ([`ids`]), a signature is made and checked with its context ([`Signature`]), and what went
//! through its check is a [`Verified`] value that nothing else can make. Bodies, secrets at rest and epoch secrets are
//! sealed by one construction ([`seal`], [`lockbox`]).
//!
//! This crate draws no randomness: what must be random is an argument. It invents no cipher: BLAKE3, Ed25519 (strict),
//! X25519, HPKE (RFC 9180), XChaCha20-Poly1305, argon2id (RFC 9106) and BIP-39 come from well kept crates.
//!
//! Spec: `specs/crypto.md`; known answers in `specs/vectors/crypto`.
//!
//! ```
//! use weft_crypto::{DeviceKey, FeedSecret, Head, Manifest, Purpose, Root, SignedManifest, SpaceId};
//!
//! // A device makes a feed: a manifest names it, both keys sign the manifest.
//! let device = DeviceKey::from_seed([1; 32]);
//! let secret = FeedSecret::from_seed([2; 32]);
//! let manifest = Manifest {
//!     version: Manifest::VERSION,
//!     space: SpaceId::from_bytes([3; 32]),
//!     device: device.id(),
//!     feed_key: secret.id(),
//!     purpose: Purpose::Data,
//!     generation: 0,
//! };
//! let signed = SignedManifest::sign(&manifest, &device, &secret).encode();
//!
//! // Whoever receives it checks it once; the type says that it was checked.
//! let verified = SignedManifest::decode(&signed)?.verify()?;
//! assert_eq!(verified.id(), manifest.id());
//!
//! // The feed key signs heads, and nothing else.
//! let head = Head::sign(manifest.id(), 7, 1400, Root::from_bytes([4; 32]), &secret);
//! assert!(head.verify(&verified.feed_key).is_ok());
//! # Ok::<(), weft_crypto::ManifestError>(())
//! ```

pub mod at_rest;
pub mod base32;
mod context;
mod did_key;
pub mod earlier;
pub mod hash;
mod head;
pub mod ids;
mod keys;
pub mod lockbox;
mod manifest;
pub mod phrase;
mod safety_number;
pub mod seal;
pub mod sealed_secret;
pub mod sealed_seed;
mod sign;
mod verified;

pub use context::{Context, SignContext};
pub use did_key::{BadDidKey, DidKey};
pub use hash::{Hasher, Part, hash, kdf, mac};
pub use head::{Dep, DepError, Head, HeadError};
pub use ids::{
    DeviceId, EntryId, EpochId, FeedId, FeedKey, IdError, IdentityId, InvitationId, InvitationKeyId, ObjectId,
    PreKeyId, Root, SpaceId,
};
pub use keys::{DeviceKey, FeedSecret, InvitationSecret, PreKeySecret, RecoveryKey, RootKey, fresh_secret};
pub use manifest::{Manifest, ManifestError, Purpose, SignedManifest};
pub use phrase::{Phrase, PhraseError};
pub use safety_number::safety_number;
pub use sign::{BadSignature, Signature, verify};
pub use verified::{Verifiable, Verified};

/// Puts any bytes through every decoder of this crate; it must return, whatever they are.
pub fn fuzz(input: &[u8]) {
    let bytes = bytes::Bytes::copy_from_slice(input);
    if let Ok(signed) = SignedManifest::decode(&bytes) {
        let _ = signed.verify();
    }
    if let Ok(manifest) = Manifest::decode(&bytes) {
        debug_assert_eq!(manifest.encode(), bytes, "a manifest has one encoding");
    }
    let _ = Head::decode(input);
    let _ = at_rest::unwrap(input, &[0; 32]);
    // What a cheap one asks for is done, what a dear one does is known to take its time.
    if let Ok(at_rest::Form::Passphrase(cost)) = at_rest::form(input)
        && cost.memory_kib <= 64
    {
        let _ = at_rest::unwrap_by_passphrase(input, b"");
    }
    let _ = seal::open_local(&[0; 32], "", input);
    let text = String::from_utf8_lossy(input);
    let _ = Phrase::parse(&text);
    if let Ok(key) = text.parse::<DidKey>() {
        debug_assert_eq!(key.to_string(), text, "a key has one spelling");
        let _ = key.agreement();
    }
    let _ = sealed_secret::SealedSecret::decode(input);
    if let Ok(decoded) = base32::decode(&text) {
        debug_assert_eq!(base32::encode(&decoded), text.to_lowercase(), "bytes have one spelling");
    }
}
