//! How a sibling lets another device of its identity into a space.
//!
//! The newcomer says it all itself and signs it, as with a redemption: the sibling that writes it down can let in this device
//! with these feeds, or nobody. Spec: CREDENTIAL-11.2.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{
    DeviceId, DeviceKey, FeedId, IdentityId, PreKeyId, SignContext, Signature, SignedManifest, SpaceId, verify,
};
use weft_wire::credential as wire;

use crate::{Malformed, field, manifests};

/// What a device says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The space.
    pub space: SpaceId,
    /// The identity for which it acts.
    pub identity: IdentityId,
    /// The device.
    pub device: DeviceId,
    /// Its first pre-key in this space.
    pub pre_key: PreKeyId,
    /// Its control feed.
    pub control: SignedManifest,
    /// Its data feed.
    pub data: SignedManifest,
    /// The sibling that is asked to write it down.
    pub host: DeviceId,
}

impl Statement {
    /// Signs it with the device's key.
    pub fn sign(self, device: &DeviceKey) -> DeviceLinked {
        let message = wire::DeviceLinkedStatement {
            space: self.space.to_bytes(),
            identity: self.identity.to_bytes(),
            device: self.device.to_bytes(),
            pre_key: self.pre_key.to_bytes(),
            control: self.control.encode(),
            data: self.data.encode(),
            host: self.host.to_bytes(),
        };
        let bytes = Bytes::from(message.encode_to_vec());
        DeviceLinked { signature: device.sign(SignContext::DEVICE_LINKED, &bytes), bytes, statement: self }
    }

    fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let message: wire::DeviceLinkedStatement =
            weft_wire::decode(bytes).map_err(Malformed::decode("DeviceLinkedStatement"))?;
        let manifest = |name, bytes: &Bytes| SignedManifest::decode(bytes).map_err(Malformed::manifest(name));
        Ok(Self {
            space: field::id("DeviceLinkedStatement.space", &message.space)?,
            identity: field::id("DeviceLinkedStatement.identity", &message.identity)?,
            device: field::id("DeviceLinkedStatement.device", &message.device)?,
            pre_key: field::id("DeviceLinkedStatement.pre_key", &message.pre_key)?,
            control: manifest("DeviceLinkedStatement.control", &message.control)?,
            data: manifest("DeviceLinkedStatement.data", &message.data)?,
            host: field::id("DeviceLinkedStatement.host", &message.host)?,
        })
    }
}

/// A device of the author's identity joins the space. Spec: CREDENTIAL-11.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceLinked {
    bytes: Bytes,
    statement: Statement,
    signature: Signature,
}

impl DeviceLinked {
    /// What the device says.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Its bytes, a `DeviceLinked` message.
    pub fn encode(&self) -> Bytes {
        let message = wire::DeviceLinked { statement: self.bytes.clone(), device_signature: self.signature.to_bytes() };
        message.encode_to_vec().into()
    }

    /// Reads one; [`DeviceLinked::verify`] checks it.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let message: wire::DeviceLinked = weft_wire::decode(bytes).map_err(Malformed::decode("DeviceLinked"))?;
        Ok(Self {
            statement: Statement::decode(&message.statement)?,
            signature: field::signature("DeviceLinked.device_signature", &message.device_signature)?,
            bytes: message.statement,
        })
    }

    /// Checks the device's signature and the manifests, and that all of it is about one device in this space.
    pub fn verify(&self, space: &SpaceId) -> Result<(), Malformed> {
        let Statement { space: named, device, control, data, .. } = &self.statement;
        if named != space {
            return Err(Malformed::OtherSpace { what: "a linked device" });
        }
        verify(device.as_bytes(), SignContext::DEVICE_LINKED, &self.bytes, &self.signature)
            .map_err(Malformed::signature("the linked device"))?;
        manifests::verify(space, device, control, data)
    }

    /// The ids of the control and the data feed it names.
    pub fn feeds(&self) -> [FeedId; 2] {
        [self.statement.control.feed(), self.statement.data.feed()]
    }
}
