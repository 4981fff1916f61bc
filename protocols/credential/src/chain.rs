//! How a device shows that it acts for an identity whose root key never named it.
//!
//! The root key signs once, for the first device, and then the phrase may be in a drawer. From there on devices let devices
//! in: each statement of a *chain* is signed by the device before. A chain is worth as much as the devices in it: whether one
//! of them was removed is for the resolution to say. Spec: CREDENTIAL-11.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{DeviceId, DeviceKey, IdentityId, SignContext, Signature, verify};
use weft_wire::credential as wire;

use crate::{Malformed, field, limits};

/// A device says that another one acts for its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DeviceStatement {
    identity: IdentityId,
    by: DeviceId,
    device: DeviceId,
    bytes: Bytes,
    signature: Signature,
}

impl DeviceStatement {
    fn sign(identity: IdentityId, by: &DeviceKey, device: DeviceId) -> Self {
        let message = wire::DeviceStatement {
            version: 1,
            identity: identity.to_bytes(),
            by: by.id().to_bytes(),
            device: device.to_bytes(),
        };
        let bytes = Bytes::from(message.encode_to_vec());
        let signature = by.sign(SignContext::DEVICE_STATEMENT, &bytes);
        Self { identity, by: by.id(), device, bytes, signature }
    }

    fn encode(&self) -> Bytes {
        let message =
            wire::DeviceStatementSigned { statement: self.bytes.clone(), signature: self.signature.to_bytes() };
        message.encode_to_vec().into()
    }

    fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let signed: wire::DeviceStatementSigned =
            weft_wire::decode(bytes).map_err(Malformed::decode("DeviceStatementSigned"))?;
        let message: wire::DeviceStatement =
            weft_wire::decode(&signed.statement).map_err(Malformed::decode("DeviceStatement"))?;
        field::exactly("DeviceStatement.version", message.version.into(), 1)?;
        Ok(Self {
            identity: field::id("DeviceStatement.identity", &message.identity)?,
            by: field::id("DeviceStatement.by", &message.by)?,
            device: field::id("DeviceStatement.device", &message.device)?,
            signature: field::signature("DeviceStatementSigned.signature", &signed.signature)?,
            bytes: signed.statement,
        })
    }
}

/// Device statements, each by the device that the one before lets in. The first is by the device that the root key admitted;
/// empty when that is the device itself. Spec: CREDENTIAL-11.1
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain(Vec<DeviceStatement>);

impl Chain {
    /// Reads one; [`Chain::verify`] checks it.
    pub fn decode(statements: &[Bytes]) -> Result<Self, Malformed> {
        if statements.len() > limits::CHAIN_MAX {
            return Err(Malformed::Number { field: "a chain's length", found: statements.len() as u64 });
        }
        Ok(Self(statements.iter().map(DeviceStatement::decode).collect::<Result<_, _>>()?))
    }

    /// Its statements, as messages carry them.
    pub fn encode(&self) -> Vec<Bytes> {
        self.0.iter().map(DeviceStatement::encode).collect()
    }

    /// The chain of a device that `by`, whose chain this is, lets in. None when it would be too long.
    #[must_use]
    pub fn and(&self, identity: IdentityId, by: &DeviceKey, device: DeviceId) -> Option<Self> {
        let mut statements = self.0.clone();
        statements.push(DeviceStatement::sign(identity, by, device));
        (statements.len() <= limits::CHAIN_MAX).then_some(Self(statements))
    }

    /// The devices that it rests on, from the one that the root key admitted; the last one, whose chain it is, is not among them.
    pub fn through(&self) -> impl Iterator<Item = DeviceId> + '_ {
        self.0.iter().map(|statement| statement.by)
    }

    /// The device whose chain it is; none when it is empty.
    #[must_use]
    pub fn last(&self) -> Option<DeviceId> {
        self.0.last().map(|statement| statement.device)
    }

    /// Whether it leads from one device to another, all for one identity, and no device is in it twice.
    ///
    /// # Errors
    /// [`Malformed`]: it shows nothing.
    pub fn verify(&self, identity: &IdentityId, first: &DeviceId, last: &DeviceId) -> Result<(), Malformed> {
        let apart = || Malformed::Disagree { what: "a chain of devices" };
        let mut at = *first;
        let mut seen = vec![at];
        for statement in &self.0 {
            if statement.identity != *identity || statement.by != at || seen.contains(&statement.device) {
                return Err(apart());
            }
            verify(at.as_bytes(), SignContext::DEVICE_STATEMENT, &statement.bytes, &statement.signature)
                .map_err(Malformed::signature("a device of the chain"))?;
            at = statement.device;
            seen.push(at);
        }
        (at == *last).then_some(()).ok_or_else(apart)
    }
}
