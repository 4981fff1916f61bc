//! Epochs as control entries carry them: commitments, recipients and lockboxes.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{
    DeviceId, EpochId, PreKeyId, SpaceId,
    lockbox::{self, Commitments, Recipient, RecipientKind},
    sealed_seed::{self, KeyName},
};
use weft_wire::credential as wire;

use crate::{Malformed, field};

/// An epoch begins. Spec: CREDENTIAL-7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochStarted {
    /// What its secrets hash to.
    pub commitments: Commitments,
    /// The epochs it follows.
    pub parents: Vec<EpochId>,
    /// Whom it is for, and what is sealed to them.
    pub to: To,
    /// The access secrets of earlier epochs, sealed under the new one. Empty in the first.
    pub sealed_access: Bytes,
    /// The content secrets of earlier epochs, likewise, where newcomers may read all history.
    pub sealed_content: Bytes,
}

/// For whom an epoch is. Spec: CREDENTIAL-7.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// Each is named with its key, and has a lockbox of its own.
    Each {
        /// Whom it is for.
        recipients: Vec<Recipient>,
        /// For each of them its secrets, or as many as fit; others follow as `LockboxAdded`.
        lockboxes: Vec<Lockbox>,
    },
    /// Whoever published these keys: the seed is sealed to all of them under one ephemeral key.
    Keys(SealedToKeys),
}

/// An epoch's seed, sealed to many keys. Spec: CRYPTO-7.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedToKeys {
    /// The keys, ascending, none twice.
    pub keys: Vec<KeyName>,
    /// HPKE's encapsulated key, the same for all.
    pub encapsulated: [u8; 32],
    /// One ciphertext for each key, one after another.
    pub ciphertexts: Bytes,
}

impl SealedToKeys {
    /// What is sealed to a key.
    pub fn lockbox(&self, key: &PreKeyId) -> Option<lockbox::Lockbox> {
        let place = self.keys.binary_search(&sealed_seed::name(key)).ok()? * sealed_seed::CIPHERTEXT_BYTES;
        let ciphertext = self.ciphertexts.slice(place..place + sealed_seed::CIPHERTEXT_BYTES);
        Some(lockbox::Lockbox { encapsulated: self.encapsulated, ciphertext })
    }

    fn decode(keys: &Bytes, encapsulated: &Bytes, ciphertexts: &Bytes) -> Result<Self, Malformed> {
        let (names, []) = keys.as_chunks::<16>() else {
            return Err(Malformed::Disagree { what: "the keys of an epoch and their length" });
        };
        if !names.is_sorted_by(|one, next| one < next) {
            return Err(Malformed::Disagree { what: "the keys of an epoch and their order" });
        }
        if ciphertexts.len() != names.len() * sealed_seed::CIPHERTEXT_BYTES {
            return Err(Malformed::Disagree { what: "the keys of an epoch and what is sealed to them" });
        }
        let encapsulated = field::array("EpochStarted.encapsulated", encapsulated)?;
        Ok(Self { keys: names.to_vec(), encapsulated, ciphertexts: ciphertexts.clone() })
    }
}

impl EpochStarted {
    /// The epoch's id in a space. Spec: CREDENTIAL-7.1.
    pub fn id(&self, space: &SpaceId) -> EpochId {
        match &self.to {
            To::Each { recipients, .. } => lockbox::epoch_id(space, &self.commitments, &self.parents, recipients),
            To::Keys(to) => sealed_seed::epoch_id(space, &self.commitments, &self.parents, &to.keys),
        }
    }

    pub(crate) fn encode(&self) -> Bytes {
        let mut statement = wire::EpochStatement {
            content_commitment: field::put(&self.commitments.content),
            access_commitment: field::put(&self.commitments.access),
            parents: self.parents.iter().map(EpochId::to_bytes).collect(),
            ..Default::default()
        };
        let mut message = wire::EpochStarted {
            sealed_access: self.sealed_access.clone(),
            sealed_content: self.sealed_content.clone(),
            ..Default::default()
        };
        match &self.to {
            To::Each { recipients, lockboxes } => {
                statement.recipients = recipients.iter().map(recipient_message).collect();
                message.lockboxes = lockboxes.iter().map(Lockbox::message).collect();
            }
            To::Keys(to) => {
                statement.keys = to.keys.concat().into();
                message.encapsulated = field::put(&to.encapsulated);
                message.ciphertexts = to.ciphertexts.clone();
            }
        }
        message.statement = statement.encode_to_vec().into();
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::EpochStarted = weft_wire::decode(content).map_err(Malformed::decode("EpochStarted"))?;
        let statement: wire::EpochStatement =
            weft_wire::decode(&message.statement).map_err(Malformed::decode("EpochStatement"))?;
        let commitments = Commitments {
            content: field::array("EpochStatement.content_commitment", &statement.content_commitment)?,
            access: field::array("EpochStatement.access_commitment", &statement.access_commitment)?,
        };
        let parents = statement.parents.iter().map(|parent| field::id("EpochStatement.parents", parent));
        let recipients = statement.recipients.iter();
        let recipients = recipients.map(|r| recipient(r.kind, &r.recipient, &r.key));
        let recipients: Vec<_> = recipients.collect::<Result<_, _>>()?;
        let lockboxes = message.lockboxes.into_iter().map(Lockbox::from_message);
        let lockboxes: Vec<_> = lockboxes.collect::<Result<_, _>>()?;
        let by_keys = !(statement.keys.is_empty() && message.encapsulated.is_empty() && message.ciphertexts.is_empty());
        if by_keys && !(recipients.is_empty() && lockboxes.is_empty()) {
            return Err(Malformed::Disagree { what: "the two ways in which an epoch names recipients" });
        }
        let to = match by_keys {
            true => To::Keys(SealedToKeys::decode(&statement.keys, &message.encapsulated, &message.ciphertexts)?),
            false => To::Each { recipients, lockboxes },
        };
        Ok(Self {
            commitments,
            parents: parents.collect::<Result<_, _>>()?,
            to,
            sealed_access: message.sealed_access,
            sealed_content: message.sealed_content,
        })
    }

    /// Every lockbox is for this epoch and for one of its recipients.
    pub(crate) fn verify(&self, space: &SpaceId) -> Result<(), Malformed> {
        let To::Each { recipients, lockboxes } = &self.to else { return Ok(()) };
        let id = self.id(space);
        let mut listed = recipients.clone();
        listed.sort_unstable();
        let fits = |lockbox: &Lockbox| lockbox.epoch == id && listed.binary_search(&lockbox.recipient).is_ok();
        if lockboxes.iter().all(fits) {
            return Ok(());
        }
        Err(Malformed::Disagree { what: "an epoch and its lockboxes" })
    }
}

/// An epoch's secrets, sealed to one recipient. Spec: CREDENTIAL-7.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockbox {
    /// The epoch.
    pub epoch: EpochId,
    /// Whom it is for.
    pub recipient: Recipient,
    /// What only the recipient opens.
    pub sealed: lockbox::Lockbox,
}

impl Lockbox {
    pub(crate) fn message(&self) -> wire::Lockbox {
        wire::Lockbox {
            epoch: self.epoch.to_bytes(),
            kind: self.recipient.kind as u32,
            recipient: field::put(&self.recipient.recipient),
            key: self.recipient.key.to_bytes(),
            encapsulated: field::put(&self.sealed.encapsulated),
            ciphertext: self.sealed.ciphertext.clone(),
        }
    }

    pub(crate) fn from_message(message: wire::Lockbox) -> Result<Self, Malformed> {
        Ok(Self {
            epoch: field::id("Lockbox.epoch", &message.epoch)?,
            recipient: recipient(message.kind, &message.recipient, &message.key)?,
            sealed: lockbox::Lockbox {
                encapsulated: field::array("Lockbox.encapsulated", &message.encapsulated)?,
                ciphertext: message.ciphertext,
            },
        })
    }
}

/// A device cannot open what it was given of an epoch: a holder seals again. Spec: CREDENTIAL-7.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockboxRefused {
    /// The epoch.
    pub epoch: EpochId,
    /// The device that says so.
    pub device: DeviceId,
}

impl LockboxRefused {
    pub(crate) fn encode(self) -> Bytes {
        let message = wire::LockboxRefused { epoch: self.epoch.to_bytes(), device: self.device.to_bytes() };
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::LockboxRefused = weft_wire::decode(content).map_err(Malformed::decode("LockboxRefused"))?;
        Ok(Self {
            epoch: field::id("LockboxRefused.epoch", &message.epoch)?,
            device: field::id("LockboxRefused.device", &message.device)?,
        })
    }
}

fn recipient_message(recipient: &Recipient) -> wire::Recipient {
    wire::Recipient {
        kind: recipient.kind as u32,
        recipient: field::put(&recipient.recipient),
        key: recipient.key.to_bytes(),
    }
}

fn recipient(kind: u32, recipient: &[u8], key: &[u8]) -> Result<Recipient, Malformed> {
    let number = Malformed::Number { field: "Recipient.kind", found: kind.into() };
    Ok(Recipient {
        kind: RecipientKind::from_number(kind).ok_or(number)?,
        recipient: field::array("Recipient.recipient", recipient)?,
        key: field::id::<PreKeyId>("Recipient.key", key)?,
    })
}
