//! Epoch secrets: what commits to them, and the lockboxes in which they travel.
//!
//! An epoch's id is the hash of commitments to its two secrets, its parents and its recipients. A lockbox is HPKE (RFC 9180)
//! in base mode to one named key; who opens one checks what is inside against the commitments, so a starter cannot give
//! different secrets to different members under one epoch id.
//!
//! Spec: CRYPTO-7.1

use bytes::Bytes;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable,
    aead::ChaCha20Poly1305,
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    rand_core::{TryCryptoRng, TryRng},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    Context, EpochId, Hasher, PreKeyId, PreKeySecret, SpaceId,
    hash::{Part, hash, same},
};

/// The two secrets of an epoch.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct EpochSecrets {
    /// Reads bodies.
    pub content: [u8; 32],
    /// Recognises the space.
    pub access: [u8; 32],
}

/// What an epoch says of its secrets without showing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitments {
    /// To the content secret.
    pub content: [u8; 32],
    /// To the access secret.
    pub access: [u8; 32],
}

/// Who a lockbox is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RecipientKind {
    /// A device; it gets both secrets.
    Device = 1,
    /// An identity's recovery key; it gets both secrets.
    Recovery = 2,
    /// A keeper; it gets the access secret only.
    Keeper = 3,
}

impl RecipientKind {
    /// The kind of this number, if there is one.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Device),
            2 => Some(Self::Recovery),
            3 => Some(Self::Keeper),
            _ => None,
        }
    }
}

/// A recipient of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient {
    /// Who it is for.
    pub kind: RecipientKind,
    /// The device key, or the root key of the identity.
    pub recipient: [u8; 32],
    /// The X25519 key that is sealed to.
    pub key: PreKeyId,
}

/// Epoch secrets sealed to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockbox {
    /// HPKE's encapsulated key.
    pub encapsulated: [u8; 32],
    /// The secrets and a tag: 80 bytes, for a keeper 48.
    pub ciphertext: Bytes,
}

/// Why a lockbox does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockboxError {
    /// The secret key is not that of the recipient named.
    #[error("the lockbox is for the key {expected:?}, not for {found:?}")]
    NotForThisKey {
        /// The key that the recipient names.
        expected: PreKeyId,
        /// The key at hand.
        found: PreKeyId,
    },
    /// Sealed to another key, space, epoch or recipient, or altered.
    #[error("the lockbox was not sealed for this recipient and epoch, or was altered")]
    NotAuthentic,
    /// It opens, and holds another number of bytes than two secrets (one for a keeper).
    #[error("the lockbox holds {found} bytes, not {expected}")]
    Content {
        /// What it must hold.
        expected: usize,
        /// What it holds.
        found: usize,
    },
    /// It opens, and the secrets inside are not those that the epoch commits to: its starter cheats.
    #[error("the lockbox holds other secrets than its epoch commits to")]
    OtherSecrets,
    /// The recipient's key is one that no secret can be sealed to.
    #[error("the recipient's key is of small order")]
    BadKey,
}

impl EpochSecrets {
    /// What an epoch with these secrets commits to.
    #[must_use]
    pub fn commitments(&self) -> Commitments {
        Commitments {
            content: hash(Context::CONTENT_COMMITMENT, &[Part::Fixed(&self.content)]),
            access: access_commitment(&self.access),
        }
    }
}

impl Commitments {
    /// Whether the epoch commits to this content secret.
    #[must_use]
    pub fn fit_content(&self, content: &[u8; 32]) -> bool {
        same(&hash(Context::CONTENT_COMMITMENT, &[Part::Fixed(content)]), &self.content)
    }

    /// Whether the epoch commits to this access secret.
    #[must_use]
    pub fn fit_access(&self, access: &[u8; 32]) -> bool {
        same(&access_commitment(access), &self.access)
    }
}

fn access_commitment(access: &[u8; 32]) -> [u8; 32] {
    hash(Context::ACCESS_COMMITMENT, &[Part::Fixed(access)])
}

impl std::fmt::Debug for EpochSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EpochSecrets(…)")
    }
}

/// The keys of small order, the highest bit left out: everything that is sealed to one of them anybody opens.
const SMALL_ORDER: [[u8; 32]; 7] = {
    let mut keys = [[0; 32]; 7];
    keys[1][0] = 1;
    keys[2] = [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
        0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ];
    keys[3] = [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
        0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ];
    let mut last = 4;
    while last < 7 {
        keys[last] = [0xff; 32];
        keys[last][0] = 0xec + (last as u8 - 4);
        keys[last][31] = 0x7f;
        last += 1;
    }
    keys
};

/// Whether something can be sealed to a key: it is not of small order. Spec: CRYPTO-7.3
#[must_use]
pub fn is_usable(key: &PreKeyId) -> bool {
    let mut key = *key.as_bytes();
    key[31] &= 0x7f;
    !SMALL_ORDER.contains(&key)
}

/// The id of an epoch. Parents and recipients in the order in which its statement lists them.
///
/// Spec: CRYPTO-7.2
#[must_use]
pub fn epoch_id(space: &SpaceId, commitments: &Commitments, parents: &[EpochId], recipients: &[Recipient]) -> EpochId {
    let mut hasher = Hasher::new(Context::EPOCH);
    hasher.fixed(space.as_bytes()).fixed(&commitments.content).fixed(&commitments.access);
    hasher.u64(parents.len() as u64);
    for parent in parents {
        hasher.fixed(parent.as_bytes());
    }
    hasher.u64(recipients.len() as u64);
    for recipient in recipients {
        hasher.u64(recipient.kind as u64).fixed(&recipient.recipient).fixed(recipient.key.as_bytes());
    }
    EpochId::from_bytes(hasher.finish())
}

/// Seals an epoch's secrets to a recipient; a keeper gets the access secret only. The ephemeral seed comes from
/// [`crate::fresh_secret`], for this recipient and this epoch, and is used once.
///
/// Spec: CRYPTO-7.3
///
/// # Errors
/// [`LockboxError::BadKey`] when nothing can be sealed to the recipient's key.
pub fn seal(
    secrets: &EpochSecrets,
    space: &SpaceId,
    epoch: &EpochId,
    recipient: &Recipient,
    ephemeral_seed: [u8; 32],
) -> Result<Lockbox, LockboxError> {
    let mut plaintext = Zeroizing::new(Vec::with_capacity(64));
    if recipient.kind != RecipientKind::Keeper {
        plaintext.extend_from_slice(&secrets.content);
    }
    plaintext.extend_from_slice(&secrets.access);
    seal_plaintext(&plaintext, &recipient.key, &info(space, epoch, recipient), ephemeral_seed)
}

/// HPKE in base mode, with the ephemeral key that follows from a seed.
pub(crate) fn seal_plaintext(
    plaintext: &[u8],
    key: &PreKeyId,
    info: &[u8],
    ephemeral_seed: [u8; 32],
) -> Result<Lockbox, LockboxError> {
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(key.as_bytes()).map_err(|_| LockboxError::BadKey)?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info,
        plaintext,
        &[],
        &mut Once(Some(Zeroizing::new(ephemeral_seed))),
    )
    .map_err(|_| LockboxError::BadKey)?;
    Ok(Lockbox { encapsulated: encapsulated.to_bytes().into(), ciphertext: ciphertext.into() })
}

/// Opens a lockbox of a device or a recovery key, and checks the secrets against what the epoch commits to.
///
/// # Errors
/// When it is not for this key, was not sealed for this recipient and epoch, or holds other secrets.
pub fn open(
    lockbox: &Lockbox,
    secret: &PreKeySecret,
    space: &SpaceId,
    epoch: &EpochId,
    recipient: &Recipient,
    commitments: &Commitments,
) -> Result<EpochSecrets, LockboxError> {
    let plaintext = open_for::<64>(lockbox, secret, space, epoch, recipient)?;
    let mut secrets = EpochSecrets { content: [0; 32], access: [0; 32] };
    secrets.content.copy_from_slice(&plaintext[..32]);
    secrets.access.copy_from_slice(&plaintext[32..]);
    let found = secrets.commitments();
    if !same(&found.content, &commitments.content) || !same(&found.access, &commitments.access) {
        return Err(LockboxError::OtherSecrets);
    }
    Ok(secrets)
}

/// Opens a keeper's lockbox: the access secret, checked.
///
/// # Errors
/// As [`open`].
pub fn open_access(
    lockbox: &Lockbox,
    secret: &PreKeySecret,
    space: &SpaceId,
    epoch: &EpochId,
    recipient: &Recipient,
    commitments: &Commitments,
) -> Result<Zeroizing<[u8; 32]>, LockboxError> {
    let access = open_for::<32>(lockbox, secret, space, epoch, recipient)?;
    if !same(&access_commitment(&access), &commitments.access) {
        return Err(LockboxError::OtherSecrets);
    }
    Ok(access)
}

fn open_for<const N: usize>(
    lockbox: &Lockbox,
    secret: &PreKeySecret,
    space: &SpaceId,
    epoch: &EpochId,
    recipient: &Recipient,
) -> Result<Zeroizing<[u8; N]>, LockboxError> {
    let found = secret.id();
    if found != recipient.key {
        return Err(LockboxError::NotForThisKey { expected: recipient.key, found });
    }
    open_plaintext(lockbox, secret, &info(space, epoch, recipient))
}

pub(crate) fn open_plaintext<const N: usize>(
    lockbox: &Lockbox,
    secret: &PreKeySecret,
    info: &[u8],
) -> Result<Zeroizing<[u8; N]>, LockboxError> {
    let private = private_of(secret.as_bytes());
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&lockbox.encapsulated)
        .expect("32 bytes are an encapsulated key");
    let plaintext = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &private,
        &encapsulated,
        info,
        &lockbox.ciphertext,
        &[],
    )
    .map_err(|_| LockboxError::NotAuthentic)?;
    let plaintext = Zeroizing::new(plaintext);
    let exact: [u8; N] =
        plaintext.as_slice().try_into().map_err(|_| LockboxError::Content { expected: N, found: plaintext.len() })?;
    Ok(Zeroizing::new(exact))
}

/// What a lockbox is bound to: context, zero byte, space, epoch, kind, recipient, key.
fn info(space: &SpaceId, epoch: &EpochId, recipient: &Recipient) -> Vec<u8> {
    let mut info = Context::LOCKBOX.as_str().as_bytes().to_vec();
    info.push(0);
    info.extend_from_slice(space.as_bytes());
    info.extend_from_slice(epoch.as_bytes());
    info.extend_from_slice(&(recipient.kind as u64).to_le_bytes());
    info.extend_from_slice(&recipient.recipient);
    info.extend_from_slice(recipient.key.as_bytes());
    info
}

pub(crate) fn private_of(seed: &[u8; 32]) -> <X25519HkdfSha256 as Kem>::PrivateKey {
    <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(seed).expect("32 bytes are an X25519 private key")
}

/// The X25519 public key of a seed.
pub(crate) fn public_of(seed: &[u8; 32]) -> PreKeyId {
    PreKeyId::from_bytes(X25519HkdfSha256::sk_to_pk(&private_of(seed)).to_bytes().into())
}

/// Gives HPKE the 32 bytes of key material that RFC 9180's `DeriveKeyPair` takes, once. The same seed therefore gives the
/// same lockbox in every implementation.
pub(crate) struct Once(pub(crate) Option<Zeroizing<[u8; 32]>>);

impl TryRng for Once {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("HPKE asks for key material only")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("HPKE asks for key material only")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        let seed = self.0.take().expect("HPKE asks once");
        out.copy_from_slice(seed.as_slice());
        Ok(())
    }
}

impl TryCryptoRng for Once {}
