//! How an invitation becomes a membership.
//!
//! A redemption binds the newcomer: its root key, device, pre-key and feeds are inside what the invitation key signs, so a
//! host can only carry it, never turn it to somebody else's use. Spec: CREDENTIAL-8.2.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{
    DeviceId, DeviceKey, FeedId, IdentityId, InvitationKeyId, InvitationSecret, PreKeyId, SignContext, Signature,
    SignedManifest, SpaceId, verify,
};
use weft_wire::credential as wire;

use crate::{Carried, Chain, Malformed, Subject, field, limits, manifests};

/// What a newcomer says about itself. Spec: CREDENTIAL-8.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The space.
    pub space: SpaceId,
    /// The invitation's public key.
    pub invitation: InvitationKeyId,
    /// The newcomer's root key.
    pub identity: IdentityId,
    /// The root-signed admission of the device, or of the one that its chain begins at.
    pub device_admitted: Carried,
    /// How the device came to act for the identity, if not by its root key.
    pub chain: Chain,
    /// The root-signed recovery key.
    pub recovery_key_set: Carried,
    /// The newcomer's device.
    pub device: DeviceId,
    /// The device's first pre-key in this space.
    pub pre_key: PreKeyId,
    /// The device's control feed.
    pub control: SignedManifest,
    /// The device's data feed.
    pub data: SignedManifest,
    /// The device that is asked to write it down.
    pub host: DeviceId,
}

impl Statement {
    fn encode(&self) -> Bytes {
        let message = wire::RedemptionStatement {
            space: self.space.to_bytes(),
            invitation: self.invitation.to_bytes(),
            identity: self.identity.to_bytes(),
            device_admitted: self.device_admitted.encode(),
            recovery_key_set: self.recovery_key_set.encode(),
            device: self.device.to_bytes(),
            pre_key: self.pre_key.to_bytes(),
            control: self.control.encode(),
            data: self.data.encode(),
            host: self.host.to_bytes(),
            chain: self.chain.encode(),
        };
        message.encode_to_vec().into()
    }

    fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let message: wire::RedemptionStatement =
            weft_wire::decode(bytes).map_err(Malformed::decode("RedemptionStatement"))?;
        let manifest = |name, bytes: &Bytes| SignedManifest::decode(bytes).map_err(Malformed::manifest(name));
        Ok(Self {
            space: field::id("RedemptionStatement.space", &message.space)?,
            invitation: field::id("RedemptionStatement.invitation", &message.invitation)?,
            identity: field::id("RedemptionStatement.identity", &message.identity)?,
            device_admitted: Carried::decode(&message.device_admitted)?,
            chain: Chain::decode(&message.chain)?,
            recovery_key_set: Carried::decode(&message.recovery_key_set)?,
            device: field::id("RedemptionStatement.device", &message.device)?,
            pre_key: field::id("RedemptionStatement.pre_key", &message.pre_key)?,
            control: manifest("RedemptionStatement.control", &message.control)?,
            data: manifest("RedemptionStatement.data", &message.data)?,
            host: field::id("RedemptionStatement.host", &message.host)?,
        })
    }

    /// Signs it with both keys.
    pub fn sign(self, invitation: &InvitationSecret, device: &DeviceKey) -> Redemption {
        let bytes = self.encode();
        Redemption {
            invitation_signature: invitation.sign(SignContext::REDEMPTION_INVITATION, &bytes),
            device_signature: device.sign(SignContext::REDEMPTION_DEVICE, &bytes),
            bytes,
            statement: self,
        }
    }
}

/// A redemption with its two signatures. Spec: CREDENTIAL-8.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    bytes: Bytes,
    statement: Statement,
    invitation_signature: Signature,
    device_signature: Signature,
}

impl Redemption {
    /// What the newcomer says.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The newcomer's recovery key, with the number of the root statement that says so.
    pub fn recovery_key(&self) -> Option<(u64, PreKeyId)> {
        let statement = self.statement.recovery_key_set.statement();
        match statement.subject {
            Subject::RecoveryKeySet(key) => Some((statement.number, key)),
            Subject::DeviceAdmitted(_) | Subject::DeviceRemoved { .. } => None,
        }
    }

    /// Its bytes, an `InvitationRedeemed` message.
    pub fn encode(&self) -> Bytes {
        let message = wire::InvitationRedeemed {
            statement: self.bytes.clone(),
            invitation_signature: self.invitation_signature.to_bytes(),
            device_signature: self.device_signature.to_bytes(),
        };
        message.encode_to_vec().into()
    }

    /// Reads one; [`Redemption::verify`] checks it.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        if bytes.len() > limits::REDEMPTION_BYTES_MAX {
            return Err(Malformed::TooLong { found: bytes.len() });
        }
        let message: wire::InvitationRedeemed =
            weft_wire::decode(bytes).map_err(Malformed::decode("InvitationRedeemed"))?;
        Ok(Self {
            statement: Statement::decode(&message.statement)?,
            invitation_signature: field::signature(
                "InvitationRedeemed.invitation_signature",
                &message.invitation_signature,
            )?,
            device_signature: field::signature("InvitationRedeemed.device_signature", &message.device_signature)?,
            bytes: message.statement,
        })
    }

    /// Checks everything in it that needs no knowledge of the space: both signatures, the root statements, the manifests,
    /// and that all of them speak of one device in one space. Spec: CREDENTIAL-8.3.
    pub fn verify(&self, space: &SpaceId) -> Result<(), Malformed> {
        let Statement { space: named, identity, device, .. } = &self.statement;
        if named != space {
            return Err(Malformed::OtherSpace { what: "a redemption" });
        }
        verify(
            self.statement.invitation.as_bytes(),
            SignContext::REDEMPTION_INVITATION,
            &self.bytes,
            &self.invitation_signature,
        )
        .map_err(Malformed::signature("the invitation key"))?;
        verify(device.as_bytes(), SignContext::REDEMPTION_DEVICE, &self.bytes, &self.device_signature)
            .map_err(Malformed::signature("the newcomer's device"))?;

        let admitted = self.statement.device_admitted.verify_in(space)?;
        let recovery = self.statement.recovery_key_set.verify_in(space)?;
        let roots = Malformed::Disagree { what: "a redemption and its root statements" };
        let Subject::DeviceAdmitted(first) = admitted.subject else { return Err(roots) };
        let agree = admitted.identity == *identity
            && recovery.identity == *identity
            && matches!(recovery.subject, Subject::RecoveryKeySet(_));
        if !agree || self.statement.chain == Chain::default() && first != *device {
            return Err(roots);
        }
        self.statement.chain.verify(identity, &first, device)?;
        manifests::verify(space, device, &self.statement.control, &self.statement.data)
    }

    /// The ids of the control and the data feed it names.
    pub fn feeds(&self) -> [FeedId; 2] {
        [self.statement.control.feed(), self.statement.data.feed()]
    }
}
