//! What a linked device gets: for whom it acts, and how it shows that.

use weft_credential::{Carried, Chain, Subject};
use weft_crypto::{DeviceId, IdentityId, SpaceId};
use weft_wire::invitation as wire;

use crate::Violation;

/// An identity, as one of its devices hands it to a new one. Spec: INVITATION-6.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// Root-signed: the identity's first device is admitted, and the recovery key.
    pub statements: [Carried; 2],
    /// From that first device to the new one.
    pub chain: Chain,
    /// The space in which the identity's devices know each other.
    pub home: SpaceId,
    /// What the identity calls itself.
    pub name: String,
}

impl Welcome {
    /// Checks that all of it is about this identity and ends at this device: a host could offer somebody else's.
    pub(super) fn check(&self, identity: &IdentityId, me: &DeviceId) -> Result<(), Violation> {
        let [admitted, recovery] = &self.statements;
        let (admitted, recovery) = (admitted.verify()?, recovery.verify()?);
        let agree = admitted.identity == *identity
            && recovery.identity == *identity
            && admitted.scope.is_none()
            && recovery.scope.is_none();
        match (&admitted.subject, &recovery.subject) {
            (Subject::DeviceAdmitted(first), Subject::RecoveryKeySet(_)) if agree => {
                Ok(self.chain.verify(identity, first, me)?)
            }
            _ => Err(Violation::OtherIdentity),
        }
    }
}

impl TryFrom<wire::Welcome> for Welcome {
    type Error = Violation;

    fn try_from(message: wire::Welcome) -> Result<Self, Violation> {
        let statements = [Carried::decode(&message.device_admitted)?, Carried::decode(&message.recovery_key_set)?];
        let home = SpaceId::try_from(&message.home)
            .map_err(|_| Violation::Length { field: "Welcome.home", found: message.home.len() })?;
        Ok(Self { statements, chain: Chain::decode(&message.chain)?, home, name: message.name })
    }
}

impl From<Welcome> for wire::Welcome {
    fn from(welcome: Welcome) -> Self {
        let [admitted, recovery] = &welcome.statements;
        Self {
            device_admitted: admitted.encode(),
            recovery_key_set: recovery.encode(),
            chain: welcome.chain.encode(),
            home: welcome.home.to_bytes(),
            name: welcome.name,
        }
    }
}
