//! What this node itself writes into control feeds.
//!
//! Every secret made here is `fresh_secret`: a draw, the device's secret, the purpose, and a hash of what it is for, so that
//! a seed that is used twice does not give one key to two things. Spec: SPACE-10.

use bytes::Bytes;
use weft_credential::{
    Carried, ControlBody, Credential, EpochStarted, Genesis, History, InvitationIssued, Lockbox, Part, PreKeySet,
    RULES, Redemption, Role, redemption,
};
use weft_crypto::{
    Context, DeviceKey, EpochId, FeedSecret, Hasher, IdentityId, InvitationKeyId, InvitationSecret, Manifest, PreKeyId,
    PreKeySecret, Purpose, SignedManifest, SpaceId, fresh_secret,
    lockbox::{self, EpochSecrets, LockboxError, Recipient, RecipientKind},
};
use weft_machine::Draws;

/// Who acts: a device of an identity, with the two statements its root signed at the start.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The device.
    pub device: &'a DeviceKey,
    /// The identity's root key.
    pub identity: IdentityId,
    /// The root-signed admission of the device and the root-signed recovery key.
    pub statements: &'a [Carried; 2],
    /// The identity's recovery key.
    pub recovery: PreKeyId,
}

impl Actor<'_> {
    fn fresh(&self, draws: &mut Draws, purpose: &str, subject: &[u8; 32]) -> [u8; 32] {
        fresh_secret(draws.draw32(), self.device, purpose, subject)
    }
}

/// The keys of a device in one space: new ones, to be sealed and stored before anything that names them leaves.
#[derive(Clone, Debug)]
pub struct SpaceKeys {
    /// Signs the control feed.
    pub control: FeedSecret,
    /// Signs the data feed.
    pub data: FeedSecret,
    /// Opens lockboxes.
    pub pre_key: PreKeySecret,
}

impl SpaceKeys {
    fn make(actor: &Actor<'_>, draws: &mut Draws, subject: &[u8; 32]) -> Self {
        Self {
            control: FeedSecret::from_seed(actor.fresh(draws, "control feed", subject)),
            data: FeedSecret::from_seed(actor.fresh(draws, "data feed", subject)),
            pre_key: PreKeySecret::from_seed(actor.fresh(draws, "pre-key", subject)),
        }
    }

    /// The signed manifests of the control and the data feed in a space.
    pub fn manifests(&self, space: SpaceId, device: &DeviceKey) -> [SignedManifest; 2] {
        [(&self.control, Purpose::Control), (&self.data, Purpose::Data)].map(|(secret, purpose)| {
            let manifest = Manifest {
                version: Manifest::VERSION,
                space,
                device: device.id(),
                feed_key: secret.id(),
                purpose,
                generation: 0,
            };
            SignedManifest::sign(&manifest, device, secret)
        })
    }
}

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
    let started = first_epoch(actor, &space, recipients, draws)?;
    let epoch = started.id(&space);

    let [control, data] = manifests.clone();
    let [admitted, recovery] = actor.statements.clone();
    let pre_key = PreKeySet { device: actor.device.id(), number: 0, key: keys.pre_key.id() };
    let body = body(
        space,
        vec![
            Credential::SpaceGenesis(genesis.sign(actor.device)),
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

/// An epoch without parents, its secrets sealed to everybody listed. Spec: SPACE-7.
fn first_epoch(
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
    Ok(EpochStarted {
        commitments,
        parents: Vec::new(),
        lockboxes: lockboxes.collect::<Result<_, _>>()?,
        recipients,
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
fn hand_over(
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

fn body(space: SpaceId, credentials: Vec<Credential>) -> Bytes {
    let parts = credentials.into_iter().map(|credential| Part::new(space, credential));
    ControlBody::new(parts.collect()).encode()
}

/// A new invitation: its secret for the link, and the body of the entry that issues it. Spec: SPACE-6.
pub fn invitation_issued(
    actor: &Actor<'_>,
    space: SpaceId,
    role: Role,
    uses: u32,
    expires_ms: u64,
    draws: &mut Draws,
) -> (InvitationSecret, Bytes) {
    let subject = Hasher::new(Context::SUBJECT)
        .fixed(space.as_bytes())
        .u64(role.number().into())
        .u64(uses.into())
        .u64(expires_ms)
        .finish();
    let secret = InvitationSecret::from_seed(actor.fresh(draws, "invitation", &subject));
    let issued = InvitationIssued { key: secret.id(), role, uses, expires_ms };
    let body = body(space, vec![Credential::InvitationIssued(issued)]);
    (secret, body)
}

/// What a newcomer brings to a host: its keys in the space and its redemption.
#[derive(Clone, Debug)]
pub struct Joining {
    /// The newcomer's keys there.
    pub keys: SpaceKeys,
    /// The newcomer's control feed and data feed.
    pub manifests: [SignedManifest; 2],
    /// Signed by the invitation key and the newcomer's device.
    pub redemption: Redemption,
}

/// Redeems an invitation at a host. Spec: SPACE-6.1.
pub fn redeem(
    actor: &Actor<'_>,
    space: SpaceId,
    invitation: &InvitationSecret,
    host: weft_crypto::DeviceId,
    draws: &mut Draws,
) -> Joining {
    let keys = SpaceKeys::make(actor, draws, &join_subject(&space, &invitation.id()));
    let manifests = keys.manifests(space, actor.device);
    let [control, data] = manifests.clone();
    let [device_admitted, recovery_key_set] = actor.statements.clone();
    let statement = redemption::Statement {
        space,
        invitation: invitation.id(),
        identity: actor.identity,
        device_admitted,
        recovery_key_set,
        device: actor.device.id(),
        pre_key: keys.pre_key.id(),
        control,
        data,
        host,
    };
    let redemption = statement.sign(invitation, actor.device);
    Joining { keys, manifests, redemption }
}

fn join_subject(space: &SpaceId, invitation: &InvitationKeyId) -> [u8; 32] {
    *weft_credential::invitation_id(space, invitation).as_bytes()
}

/// The one entry that a host writes for a newcomer: the redemption, both feeds, and the epoch's secrets for the newcomer's
/// device and recovery key. Without secrets (the host holds no epoch that may be written under) it has no lockboxes, and
/// somebody else hands them over later. Spec: SPACE-6.2.
///
/// # Errors
/// When nothing can be sealed to one of the newcomer's keys: the redemption is refused.
pub fn redeemed_entry(
    actor: &Actor<'_>,
    redemption: &Redemption,
    epoch: Option<(&EpochId, &EpochSecrets)>,
    draws: &mut Draws,
) -> Result<Bytes, LockboxError> {
    let statement = redemption.statement();
    let space = statement.space;
    let mut credentials = vec![
        Credential::InvitationRedeemed(Box::new(redemption.clone())),
        Credential::FeedAdmitted(statement.control.clone()),
        Credential::FeedAdmitted(statement.data.clone()),
    ];
    if let Some((epoch, secrets)) = epoch {
        let device =
            Recipient { kind: RecipientKind::Device, recipient: *statement.device.as_bytes(), key: statement.pre_key };
        let recovery = redemption.recovery_key().map(|(_, key)| Recipient {
            kind: RecipientKind::Recovery,
            recipient: *statement.identity.as_bytes(),
            key,
        });
        for recipient in [Some(device), recovery].into_iter().flatten() {
            let lockbox = hand_over(actor, &space, epoch, secrets, &recipient, draws)?;
            credentials.push(Credential::LockboxAdded(lockbox));
        }
    }
    Ok(body(space, credentials))
}
