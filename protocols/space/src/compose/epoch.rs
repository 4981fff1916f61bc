//! Epochs: new secrets for everybody who belongs to the space now, and for nobody else. Spec: SPACE-7.
//!
//! An epoch is begun from a resolution: for whom it is follows from who is there under it. So the epoch of a removal is made from the
//! resolution that the removal leads to. Secrets of the epochs before go with it, sealed under the new ones.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_credential::{EpochStarted, Lockbox, SealedToKeys, To};
use weft_crypto::{
    Context, EpochId, Hasher, PreKeyId, SpaceId,
    earlier::{self, Earlier as Under},
    lockbox::{self, EpochSecrets, LockboxError, Recipient},
    sealed_seed::{self, KeyName},
};
use weft_machine::Draws;
use zeroize::Zeroizing;

use super::Actor;
use crate::Resolution;

/// An epoch that a new one follows, and what is held of its secrets.
#[derive(Clone)]
pub struct Earlier {
    /// Which.
    pub epoch: EpochId,
    /// Recognises the space.
    pub access: Zeroizing<[u8; 32]>,
    /// Reads bodies; none when it is not held, or is not to be handed on.
    pub content: Option<Zeroizing<[u8; 32]>>,
}

impl std::fmt::Debug for Earlier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Earlier").field(&self.epoch).finish()
    }
}

/// A new epoch for all who may read in `resolution`, after `earlier` ones: its seed is sealed to the keys they published. Spec: SPACE-7.1.
///
/// # Errors
/// When nothing can be sealed to one of the keys.
pub fn epoch_started(
    actor: &Actor<'_>,
    resolution: &Resolution,
    earlier: &[Earlier],
    draws: &mut Draws,
) -> Result<EpochStarted, LockboxError> {
    let space = resolution.space();
    let keys = resolution.readers().into_iter().map(|reader| (sealed_seed::name(&reader.key), reader.key));
    let keys: BTreeMap<KeyName, PreKeyId> = keys.collect();
    let names: Vec<KeyName> = keys.keys().copied().collect();
    let keys: Vec<PreKeyId> = keys.into_values().collect();
    let parents: Vec<EpochId> = earlier.iter().map(|earlier| earlier.epoch).collect();
    let mut subject = Hasher::new(Context::SUBJECT);
    subject.fixed(space.as_bytes()).u64(parents.len() as u64);
    for parent in &parents {
        subject.fixed(parent.as_bytes());
    }
    for key in &keys {
        subject.fixed(key.as_bytes());
    }
    let seed = Zeroizing::new(actor.fresh(draws, "epoch seed", &subject.finish()));
    let secrets = sealed_seed::secrets(&seed);
    let commitments = secrets.commitments();
    let id = sealed_seed::epoch_id(space, &commitments, &parents, &names);
    // The epoch's id is the hash of everything that the one ephemeral key is for.
    let ephemeral = Zeroizing::new(actor.fresh(draws, "lockboxes", id.as_bytes()));
    let (encapsulated, ciphertexts) = sealed_seed::seal(&seed, space, &id, &keys, &ephemeral)?;
    let (sealed_access, sealed_content) = hand_on(space, &id, &secrets, earlier, draws);
    let to = To::Keys(SealedToKeys { keys: names, encapsulated, ciphertexts });
    Ok(EpochStarted { commitments, parents, to, sealed_access, sealed_content })
}

/// The parents' secrets under the new ones. Spec: CRYPTO-7.4
fn hand_on(
    space: &SpaceId,
    id: &EpochId,
    secrets: &EpochSecrets,
    earlier: &[Earlier],
    draws: &mut Draws,
) -> (Bytes, Bytes) {
    let none = || Zeroizing::new([0; 32]);
    let accesses: Vec<_> = earlier.iter().map(|earlier| earlier.access.clone()).collect();
    let contents: Vec<_> = earlier.iter().map(|earlier| earlier.content.clone().unwrap_or_else(none)).collect();
    let mut under = |what, secret, secrets: &[_]| earlier::seal(what, secret, space, id, draws.draw16(), secrets);
    let access = under(Under::Access, &secrets.access, &accesses);
    let any = earlier.iter().any(|earlier| earlier.content.is_some());
    let content = if any { under(Under::Content, &secrets.content, &contents) } else { Bytes::new() };
    (access, content)
}

/// An epoch's secrets for one more recipient. Spec: SPACE-7.2.
///
/// # Errors
/// When nothing can be sealed to its key.
pub fn lockbox_added(
    actor: &Actor<'_>,
    space: &SpaceId,
    epoch: &EpochId,
    secrets: &EpochSecrets,
    recipient: &Recipient,
    draws: &mut Draws,
) -> Result<Lockbox, LockboxError> {
    hand_over(actor, space, epoch, secrets, recipient, draws)
}

/// The first epoch: nothing is before it, and each recipient is named.
pub(super) fn first(
    actor: &Actor<'_>,
    space: &SpaceId,
    recipients: Vec<Recipient>,
    draws: &mut Draws,
) -> Result<EpochStarted, LockboxError> {
    let subject = epoch_subject(space, &[], &recipients);
    let secrets = EpochSecrets {
        content: actor.fresh(draws, "content secret", &subject),
        access: actor.fresh(draws, "access secret", &subject),
    };
    let commitments = secrets.commitments();
    let id = lockbox::epoch_id(space, &commitments, &[], &recipients);
    let lockboxes = recipients.iter().map(|recipient| hand_over(actor, space, &id, &secrets, recipient, draws));
    let lockboxes = lockboxes.collect::<Result<_, _>>()?;
    Ok(EpochStarted {
        commitments,
        parents: Vec::new(),
        to: To::Each { recipients, lockboxes },
        sealed_access: Bytes::new(),
        sealed_content: Bytes::new(),
    })
}

/// What an epoch's secrets are for: the hash of all of the epoch but its secrets.
fn epoch_subject(space: &SpaceId, parents: &[EpochId], recipients: &[Recipient]) -> [u8; 32] {
    let mut hasher = Hasher::new(Context::SUBJECT);
    hasher.fixed(space.as_bytes()).u64(parents.len() as u64);
    for parent in parents {
        hasher.fixed(parent.as_bytes());
    }
    for recipient in recipients {
        hasher.u64(recipient.kind as u64).fixed(&recipient.recipient).fixed(recipient.key.as_bytes());
    }
    hasher.finish()
}

/// A lockbox, its ephemeral key made for this epoch and this recipient only.
pub(super) fn hand_over(
    actor: &Actor<'_>,
    space: &SpaceId,
    epoch: &EpochId,
    secrets: &EpochSecrets,
    recipient: &Recipient,
    draws: &mut Draws,
) -> Result<Lockbox, LockboxError> {
    let commitments = secrets.commitments();
    let subject = Hasher::new(Context::SUBJECT)
        .fixed(epoch.as_bytes())
        .fixed(&commitments.content)
        .fixed(&commitments.access)
        .u64(recipient.kind as u64)
        .fixed(&recipient.recipient)
        .fixed(recipient.key.as_bytes())
        .finish();
    let ephemeral = actor.fresh(draws, "lockbox", &subject);
    let sealed = lockbox::seal(secrets, space, epoch, recipient, ephemeral)?;
    Ok(Lockbox { epoch: *epoch, recipient: *recipient, sealed })
}
