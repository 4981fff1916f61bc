//! Invitations: issuing them, redeeming them, and the entry that lets a newcomer in. Spec: SPACE-6.

use bytes::Bytes;
use weft_credential::{Credential, InvitationIssued, InvitationRevoked, Redemption, Role, redemption};
use weft_crypto::{
    Context, DeviceId, EntryId, EpochId, Hasher, InvitationId, InvitationKeyId, InvitationSecret, SignedManifest,
    SpaceId,
    lockbox::{EpochSecrets, LockboxError, Recipient, RecipientKind},
};
use weft_machine::Draws;

use super::{Actor, SpaceKeys, body, epoch::hand_over};

/// What an invitation offers, and to how many. Spec: CREDENTIAL-8
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What a redeemer becomes.
    pub role: Role,
    /// How many may redeem it.
    pub uses: u32,
    /// When hosts stop accepting it, in milliseconds since 1970.
    pub expires_ms: u64,
    /// Whether hosts ask a person before they let somebody in.
    pub approve: bool,
}

impl Terms {
    /// For one newcomer, whom nobody has to approve.
    pub fn once(role: Role, expires_ms: u64) -> Self {
        Self { role, uses: 1, expires_ms, approve: false }
    }
}

/// A new invitation: its secret for the link, and the body of the entry that issues it. Spec: SPACE-6.
pub fn invitation_issued(
    actor: &Actor<'_>,
    space: SpaceId,
    terms: &Terms,
    draws: &mut Draws,
) -> (InvitationSecret, Bytes) {
    let Terms { role, uses, expires_ms, approve } = *terms;
    let subject = Hasher::new(Context::SUBJECT)
        .fixed(space.as_bytes())
        .u64(role.number().into())
        .u64(uses.into())
        .u64(expires_ms)
        .finish();
    let secret = InvitationSecret::from_seed(actor.fresh(draws, "invitation", &subject));
    let issued = InvitationIssued { key: secret.id(), role, uses, expires_ms, approve };
    let body = body(space, vec![Credential::InvitationIssued(issued)]);
    (secret, body)
}

/// The body of the entry that revokes an invitation: of its redemptions only these stand. Spec: SPACE-11.8
pub fn invitation_revoked(space: SpaceId, invitation: InvitationId, standing: Vec<EntryId>) -> Bytes {
    let revoked = InvitationRevoked { invitation, standing };
    body(space, vec![Credential::InvitationRevoked(revoked)])
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

/// Redeems an invitation at a host, with new keys. Spec: SPACE-6.1.
pub fn redeem(
    actor: &Actor<'_>,
    space: SpaceId,
    invitation: &InvitationSecret,
    host: DeviceId,
    draws: &mut Draws,
) -> Joining {
    let keys = SpaceKeys::make(actor, draws, &join_subject(&space, &invitation.id()));
    redeem_with(actor, space, invitation, host, keys)
}

/// Redeems an invitation at a host with the keys of an earlier attempt. Whichever attempts were written down, they are about one
/// device with one pair of feeds, and so one membership. Spec: SPACE-6.1
pub fn redeem_with(
    actor: &Actor<'_>,
    space: SpaceId,
    invitation: &InvitationSecret,
    host: DeviceId,
    keys: SpaceKeys,
) -> Joining {
    let manifests = keys.manifests(space, actor.device);
    let [control, data] = manifests.clone();
    let [device_admitted, recovery_key_set] = actor.statements.clone();
    let statement = redemption::Statement {
        space,
        invitation: invitation.id(),
        identity: actor.identity,
        device_admitted,
        chain: actor.chain.clone(),
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

/// The one entry that a host writes for a newcomer; see [`redeemed`]. Spec: SPACE-6.2.
///
/// # Errors
/// When nothing can be sealed to one of the newcomer's keys: the redemption is refused.
pub fn redeemed_entry(
    actor: &Actor<'_>,
    redemption: &Redemption,
    epoch: Option<(&EpochId, &EpochSecrets)>,
    draws: &mut Draws,
) -> Result<Bytes, LockboxError> {
    Ok(body(redemption.statement().space, redeemed(actor, redemption, epoch, draws)?))
}

/// What a host says of a newcomer: the redemption, both feeds, and the epoch's secrets for the newcomer's
/// device and recovery key. Without secrets (the host holds no epoch that may be written under, or the newcomer is to read none of the
/// time before) there are no lockboxes, and a new epoch follows, or somebody else hands them over later. Spec: SPACE-6.2.
///
/// # Errors
/// As [`redeemed_entry`].
pub fn redeemed(
    actor: &Actor<'_>,
    redemption: &Redemption,
    epoch: Option<(&EpochId, &EpochSecrets)>,
    draws: &mut Draws,
) -> Result<Vec<Credential>, LockboxError> {
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
    Ok(credentials)
}
