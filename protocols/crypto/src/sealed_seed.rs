//! An epoch's seed, sealed to many keys under one ephemeral key.
//!
//! To each recipient it is HPKE (RFC 9180) in base mode, and is opened as such. But all of them have one encapsulated key, so that a
//! recipient costs one exponentiation and 48 bytes. To use one ephemeral key with many recipients' keys is sound for this
//! kind of encryption (Bellare, Boldyreva, Staddon: Randomness Re-use in Multi-recipient Encryption Schemes, PKC 2003), since each
//! key is derived from what only that recipient can compute and from its own public key. What is refused: a key of small order, and
//! a seed whose secrets are not those that the epoch commits to.
//!
//! Spec: CRYPTO-7.5

use bytes::{BufMut as _, Bytes, BytesMut};
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _};
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::{
    Context, EpochId, Hasher, PreKeyId, PreKeySecret, SpaceId,
    hash::kdf,
    lockbox::{self, Commitments, EpochSecrets, LockboxError},
};

/// What one recipient costs: a seed and a tag.
pub const CIPHERTEXT_BYTES: usize = 48;

/// How an epoch names the key of a recipient: its first 16 bytes. Who grinds two keys of its own with one name has gained nothing,
/// and another's key is 2^128 keys away.
pub type KeyName = [u8; 16];

/// The name of a key.
#[must_use]
pub fn name(key: &PreKeyId) -> KeyName {
    let mut name = [0; 16];
    name.copy_from_slice(&key.as_bytes()[..16]);
    name
}

/// The two secrets that follow from an epoch's seed. Spec: CRYPTO-7.5
#[must_use]
pub fn secrets(seed: &[u8; 32]) -> EpochSecrets {
    EpochSecrets { content: kdf(Context::CONTENT_SECRET, seed, &[]), access: kdf(Context::ACCESS_SECRET, seed, &[]) }
}

/// The id of an epoch that names its recipients by their keys, in the order of its statement. Spec: CRYPTO-7.5
#[must_use]
pub fn epoch_id(space: &SpaceId, commitments: &Commitments, parents: &[EpochId], keys: &[KeyName]) -> EpochId {
    let mut hasher = Hasher::new(Context::EPOCH_OF_KEYS);
    hasher.fixed(space.as_bytes()).fixed(&commitments.content).fixed(&commitments.access);
    hasher.u64(parents.len() as u64);
    for parent in parents {
        hasher.fixed(parent.as_bytes());
    }
    hasher.u64(keys.len() as u64);
    for key in keys {
        hasher.fixed(key);
    }
    EpochId::from_bytes(hasher.finish())
}

/// Seals a seed to keys: the encapsulated key, and [`CIPHERTEXT_BYTES`] for each in their order. The ephemeral seed comes from
/// [`crate::fresh_secret`], for this epoch, and is used once.
///
/// # Errors
/// [`LockboxError::BadKey`] when one of the keys is of small order.
pub fn seal(
    seed: &[u8; 32],
    space: &SpaceId,
    epoch: &EpochId,
    keys: &[PreKeyId],
    ephemeral_seed: &[u8; 32],
) -> Result<([u8; 32], Bytes), LockboxError> {
    let ephemeral = ephemeral_key(ephemeral_seed);
    let encapsulated = PublicKey::from(&ephemeral).to_bytes();
    let schedule = Schedule::new();
    let mut ciphertexts = BytesMut::with_capacity(keys.len() * CIPHERTEXT_BYTES);
    for key in keys {
        let shared = ephemeral.diffie_hellman(&PublicKey::from(*key.as_bytes()));
        if !shared.was_contributory() {
            return Err(LockboxError::BadKey);
        }
        let (key, nonce) = schedule.key(shared.as_bytes(), &encapsulated, key, &info(space, epoch, key));
        let mut text = Zeroizing::new(*seed);
        let tag = ChaCha20Poly1305::new((&*key).into())
            .encrypt_inout_detached((&nonce).into(), &[], text.as_mut_slice().into())
            .expect("32 bytes are far below the cipher's limit");
        ciphertexts.put_slice(text.as_slice());
        ciphertexts.put_slice(&tag);
    }
    Ok((encapsulated, ciphertexts.freeze()))
}

/// Opens what was sealed to a key of this device, and checks what follows from it against what the epoch commits to.
///
/// # Errors
/// When it was not sealed to this key for this epoch, or holds another seed.
pub fn open(
    sealed: &lockbox::Lockbox,
    secret: &PreKeySecret,
    space: &SpaceId,
    epoch: &EpochId,
    commitments: &Commitments,
) -> Result<EpochSecrets, LockboxError> {
    let seed = lockbox::open_plaintext::<32>(sealed, secret, &info(space, epoch, &secret.id()))?;
    let secrets = secrets(&seed);
    if !commitments.fit_content(&secrets.content) || !commitments.fit_access(&secrets.access) {
        return Err(LockboxError::OtherSecrets);
    }
    Ok(secrets)
}

/// What a seed is bound to: context, zero byte, space, epoch, key.
fn info(space: &SpaceId, epoch: &EpochId, key: &PreKeyId) -> Vec<u8> {
    let context = Context::LOCKBOX_OF_SEED.as_str().as_bytes();
    [context, &[0], space.as_bytes(), epoch.as_bytes(), key.as_bytes()].concat()
}

// The sender's side of RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.

const KEM_SUITE: &[u8] = b"KEM\x00\x20";
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";
const VERSION: &[u8] = b"HPKE-v1";

/// RFC 9180's `DeriveKeyPair`.
fn ephemeral_key(seed: &[u8; 32]) -> StaticSecret {
    let derived = extract(&[], KEM_SUITE, b"dkp_prk", seed);
    let mut key = Zeroizing::new([0; 32]);
    expand(&derived, KEM_SUITE, b"sk", &[], key.as_mut_slice());
    StaticSecret::from(*key)
}

/// What is the same for every recipient.
struct Schedule {
    psk_id_hash: Zeroizing<[u8; 32]>,
}

impl Schedule {
    fn new() -> Self {
        Self { psk_id_hash: extract_bytes(&[], SUITE, b"psk_id_hash", &[]) }
    }

    fn key(
        &self,
        shared: &[u8; 32],
        encapsulated: &[u8; 32],
        recipient: &PreKeyId,
        info: &[u8],
    ) -> (Zeroizing<[u8; 32]>, [u8; 12]) {
        let eae = extract(&[], KEM_SUITE, b"eae_prk", shared);
        let mut secret = Zeroizing::new([0; 32]);
        expand(&eae, KEM_SUITE, b"shared_secret", &[encapsulated, recipient.as_bytes()], secret.as_mut_slice());
        let info_hash = extract_bytes(&[], SUITE, b"info_hash", info);
        let context: [&[u8]; 3] = [&[0], self.psk_id_hash.as_slice(), info_hash.as_slice()];
        let scheduled = extract(secret.as_slice(), SUITE, b"secret", &[]);
        let (mut key, mut nonce) = (Zeroizing::new([0; 32]), [0; 12]);
        expand(&scheduled, SUITE, b"key", &context, key.as_mut_slice());
        expand(&scheduled, SUITE, b"base_nonce", &context, &mut nonce);
        (key, nonce)
    }
}

/// `LabeledExtract`.
fn extract(salt: &[u8], suite: &[u8], label: &[u8], ikm: &[u8]) -> Hkdf<Sha256> {
    Hkdf::new(Some(salt), &Zeroizing::new([VERSION, suite, label, ikm].concat()))
}

fn extract_bytes(salt: &[u8], suite: &[u8], label: &[u8], ikm: &[u8]) -> Zeroizing<[u8; 32]> {
    let (bytes, _) = Hkdf::<Sha256>::extract(Some(salt), &[VERSION, suite, label, ikm].concat());
    Zeroizing::new(bytes.into())
}

/// `LabeledExpand`.
fn expand(from: &Hkdf<Sha256>, suite: &[u8], label: &[u8], info: &[&[u8]], out: &mut [u8]) {
    let length = u16::try_from(out.len()).expect("at most 32").to_be_bytes();
    let mut labelled = vec![&length[..], VERSION, suite, label];
    labelled.extend_from_slice(info);
    from.expand_multi_info(&labelled, out).expect("far below 255 hashes");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ours is what another implementation of RFC 9180 makes of the same ephemeral key.
    #[test]
    fn each_recipient_gets_hpke_in_base_mode() {
        let (space, epoch) = (SpaceId::from_bytes([1; 32]), EpochId::from_bytes([2; 32]));
        let readers = [3, 4, 5].map(|byte| PreKeySecret::from_seed([byte; 32]));
        let keys = readers.each_ref().map(PreKeySecret::id);
        let seed = [6; 32];
        let (encapsulated, ciphertexts) = seal(&seed, &space, &epoch, &keys, &[7; 32]).expect("usable keys");
        let commitments = secrets(&seed).commitments();
        for (place, reader) in readers.iter().enumerate() {
            let ciphertext = ciphertexts.slice(place * CIPHERTEXT_BYTES..(place + 1) * CIPHERTEXT_BYTES);
            let theirs = lockbox::seal_plaintext(&seed, &keys[place], &info(&space, &epoch, &keys[place]), [7; 32]);
            let sealed = lockbox::Lockbox { encapsulated, ciphertext };
            assert_eq!(theirs, Ok(sealed.clone()));
            assert_eq!(open(&sealed, reader, &space, &epoch, &commitments), Ok(secrets(&seed)));
            let other = &readers[(place + 1) % 3];
            assert_eq!(open(&sealed, other, &space, &epoch, &commitments), Err(LockboxError::NotAuthentic));
            let wrong = secrets(&[8; 32]).commitments();
            assert_eq!(open(&sealed, reader, &space, &epoch, &wrong), Err(LockboxError::OtherSecrets));
        }
        let small = [PreKeyId::from_bytes([0; 32])];
        assert_eq!(seal(&seed, &space, &epoch, &small, &[7; 32]), Err(LockboxError::BadKey));
    }
}
