//! An invitation that somebody issued.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{Context, Hasher, InvitationId, InvitationKeyId, SpaceId};
use weft_wire::credential as wire;

use crate::{Malformed, Role, field, limits};

/// The id of the invitation with this key. Spec: CREDENTIAL-8.1.
pub fn invitation_id(space: &SpaceId, key: &InvitationKeyId) -> InvitationId {
    let id = Hasher::new(Context::INVITATION).fixed(space.as_bytes()).fixed(key.as_bytes()).finish();
    InvitationId::from_bytes(id)
}

/// Who holds this key's secret may become a member. Spec: CREDENTIAL-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationIssued {
    /// The invitation's public key.
    pub key: InvitationKeyId,
    /// What a redeemer becomes.
    pub role: Role,
    /// How many may redeem it: 1 to [`limits::USES_MAX`].
    pub uses: u32,
    /// Milliseconds since 1970 after which the host refuses it. The host that acts judges it, the resolution never.
    pub expires_ms: u64,
    /// Whether hosts keep a redemption until a person approves it. Obeyed by the host that acts, read by no rule.
    pub approve: bool,
}

impl InvitationIssued {
    pub(crate) fn encode(&self) -> Bytes {
        let message = wire::InvitationIssued {
            key: self.key.to_bytes(),
            role: self.role.number(),
            uses: self.uses,
            expires_ms: self.expires_ms,
            approve: self.approve,
        };
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::InvitationIssued =
            weft_wire::decode(content).map_err(Malformed::decode("InvitationIssued"))?;
        if !(1..=limits::USES_MAX).contains(&message.uses) {
            return Err(Malformed::Number { field: "InvitationIssued.uses", found: message.uses.into() });
        }
        let role = Role::from_number(message.role)
            .ok_or(Malformed::Number { field: "InvitationIssued.role", found: message.role.into() })?;
        Ok(Self {
            key: field::id("InvitationIssued.key", &message.key)?,
            role,
            uses: message.uses,
            expires_ms: message.expires_ms,
            approve: message.approve,
        })
    }
}
