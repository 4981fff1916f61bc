//! Epochs as control entries carry them: commitments, recipients and lockboxes.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{
    EpochId, PreKeyId, SpaceId,
    lockbox::{self, Commitments, Recipient, RecipientKind},
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
    /// Whom it is for.
    pub recipients: Vec<Recipient>,
    /// For each of them its secrets, or as many as fit; others follow as `LockboxAdded`.
    pub lockboxes: Vec<Lockbox>,
    /// The access secrets of earlier epochs, sealed under the new one. Empty in the first.
    pub sealed_access: Bytes,
    /// The content secrets of earlier epochs, likewise, where newcomers may read all history.
    pub sealed_content: Bytes,
}

impl EpochStarted {
    /// The epoch's id in a space. Spec: CREDENTIAL-7.1.
    pub fn id(&self, space: &SpaceId) -> EpochId {
        lockbox::epoch_id(space, &self.commitments, &self.parents, &self.recipients)
    }

    pub(crate) fn encode(&self) -> Bytes {
        let statement = wire::EpochStatement {
            content_commitment: field::put(&self.commitments.content),
            access_commitment: field::put(&self.commitments.access),
            parents: self.parents.iter().map(EpochId::to_bytes).collect(),
            recipients: self.recipients.iter().map(recipient_message).collect(),
        };
        let message = wire::EpochStarted {
            statement: statement.encode_to_vec().into(),
            lockboxes: self.lockboxes.iter().map(Lockbox::message).collect(),
            sealed_access: self.sealed_access.clone(),
            sealed_content: self.sealed_content.clone(),
        };
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
        Ok(Self {
            commitments,
            parents: parents.collect::<Result<_, _>>()?,
            recipients: recipients.collect::<Result<_, _>>()?,
            lockboxes: message.lockboxes.into_iter().map(Lockbox::from_message).collect::<Result<_, _>>()?,
            sealed_access: message.sealed_access,
            sealed_content: message.sealed_content,
        })
    }

    /// Every lockbox is for this epoch and for one of its recipients.
    pub(crate) fn verify(&self, space: &SpaceId) -> Result<(), Malformed> {
        let id = self.id(space);
        let mut listed = self.recipients.clone();
        listed.sort_unstable();
        let fits = |lockbox: &Lockbox| lockbox.epoch == id && listed.binary_search(&lockbox.recipient).is_ok();
        if self.lockboxes.iter().all(fits) {
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
