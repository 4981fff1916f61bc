//! Founding a space: its keys, and what entry 0 of its founder's control feed says. Spec: SPACE-4.

use bytes::Bytes;
use weft_credential::{Credential, Genesis, History, PreKeySet, RULES};
use weft_crypto::{
    Context, EpochId, Hasher, PreKeyId, SignedManifest, SpaceId,
    lockbox::{LockboxError, Recipient, RecipientKind},
};
use weft_machine::Draws;

use super::{Actor, SpaceKeys, body, epoch};

/// A new space: its keys, and what entry 0 of its founder's control feed says.
#[derive(Clone, Debug)]
pub struct Founded {
    /// The space.
    pub space: SpaceId,
    /// The founder's keys there.
    pub keys: SpaceKeys,
    /// The founder's control feed and data feed.
    pub manifests: [SignedManifest; 2],
    /// The first epoch.
    pub epoch: EpochId,
    /// The body of entry 0 of the control feed.
    pub body: Bytes,
}

/// Makes a space. `label` is what tells this founding from another one of the same device, such as the name and the clock's
/// reading: with it a repeated seed does not found one space twice. It is not written anywhere. Spec: SPACE-4.
///
/// # Errors
/// When nothing can be sealed to the recovery key.
pub fn found(actor: &Actor<'_>, history: History, label: &[u8], draws: &mut Draws) -> Result<Founded, LockboxError> {
    let subject = Hasher::new(Context::SUBJECT).fixed(actor.identity.as_bytes()).var(label).finish();
    let keys = SpaceKeys::make(actor, draws, &subject);
    let genesis = Genesis {
        root: actor.identity,
        rules: RULES,
        history,
        nonce: actor.fresh(draws, "space nonce", keys.control.id().as_bytes()),
        device: actor.device.id(),
        feed_key: keys.control.id(),
    };
    let space = genesis.space_id();
    let manifests = keys.manifests(space, actor.device);
    let recipients = recipients(actor, keys.pre_key.id());
    let started = epoch::first(actor, &space, recipients, draws)?;
    let epoch = started.id(&space);

    let [control, data] = manifests.clone();
    let [admitted, recovery] = actor.statements.clone();
    let pre_key = PreKeySet { device: actor.device.id(), number: 0, key: keys.pre_key.id() };
    let body = body(
        space,
        vec![
            Credential::SpaceGenesis(genesis.sign(actor.device).with_chain(actor.chain.clone())),
            Credential::RootStatement(admitted),
            Credential::RootStatement(recovery),
            Credential::FeedAdmitted(control),
            Credential::FeedAdmitted(data),
            Credential::PreKeySet(pre_key),
            Credential::EpochStarted(started),
        ],
    );
    Ok(Founded { space, keys, manifests, epoch, body })
}

fn recipients(actor: &Actor<'_>, pre_key: PreKeyId) -> Vec<Recipient> {
    let device = *actor.device.id().as_bytes();
    vec![
        Recipient { kind: RecipientKind::Device, recipient: device, key: pre_key },
        Recipient { kind: RecipientKind::Recovery, recipient: *actor.identity.as_bytes(), key: actor.recovery },
    ]
}
