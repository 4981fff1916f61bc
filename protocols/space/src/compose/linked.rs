//! A device that comes into a space by a sibling's word. Spec: SPACE-15.1.

use bytes::Bytes;
use weft_credential::{Credential, DeviceLinked, linked};
use weft_crypto::{
    Context, DeviceId, EpochId, Hasher, SpaceId,
    lockbox::{EpochSecrets, LockboxError, Recipient, RecipientKind},
};
use weft_machine::Draws;

use super::{Actor, SpaceKeys, body, epoch::hand_over};

/// New keys of a device in a space that a sibling holds.
pub fn link_keys(actor: &Actor<'_>, space: &SpaceId, draws: &mut Draws) -> SpaceKeys {
    let subject = Hasher::new(Context::SUBJECT).fixed(space.as_bytes()).fixed(actor.identity.as_bytes()).finish();
    SpaceKeys::make(actor, draws, &subject)
}

/// What a device says of itself to the sibling that it asks, with its keys in the space.
pub fn link(actor: &Actor<'_>, space: SpaceId, keys: &SpaceKeys, host: DeviceId) -> DeviceLinked {
    let [control, data] = keys.manifests(space, actor.device);
    let (identity, device, pre_key) = (actor.identity, actor.device.id(), keys.pre_key.id());
    linked::Statement { space, identity, device, pre_key, control, data, host }.sign(actor.device)
}

/// The one entry by which a device lets a sibling in: what the sibling says, both feeds, and the epoch's secrets for it. Without
/// secrets it has no lockbox, and somebody else hands them over later.
///
/// # Errors
/// When nothing can be sealed to the sibling's key.
pub fn linked_entry(
    actor: &Actor<'_>,
    linked: &DeviceLinked,
    epoch: Option<(&EpochId, &EpochSecrets)>,
    draws: &mut Draws,
) -> Result<Bytes, LockboxError> {
    let statement = linked.statement();
    let mut credentials = vec![
        Credential::DeviceLinked(Box::new(linked.clone())),
        Credential::FeedAdmitted(statement.control.clone()),
        Credential::FeedAdmitted(statement.data.clone()),
    ];
    if let Some((epoch, secrets)) = epoch {
        let (recipient, key) = (*statement.device.as_bytes(), statement.pre_key);
        let recipient = Recipient { kind: RecipientKind::Device, recipient, key };
        let lockbox = hand_over(actor, &statement.space, epoch, secrets, &recipient, draws)?;
        credentials.push(Credential::LockboxAdded(lockbox));
    }
    Ok(body(statement.space, credentials))
}
