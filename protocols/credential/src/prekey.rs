//! The key that lockboxes for a device are sealed to.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{DeviceId, PreKeyId};
use weft_wire::credential as wire;

use crate::{Malformed, field};

/// A device says to which X25519 key its lockboxes are sealed. Spec: CREDENTIAL-6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreKeySet {
    /// The device.
    pub device: DeviceId,
    /// Counts the device's pre-keys in this space from 0.
    pub number: u64,
    /// The key.
    pub key: PreKeyId,
}

impl PreKeySet {
    pub(crate) fn encode(&self) -> Bytes {
        let message = wire::PreKeySet { device: self.device.to_bytes(), number: self.number, key: self.key.to_bytes() };
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::PreKeySet = weft_wire::decode(content).map_err(Malformed::decode("PreKeySet"))?;
        Ok(Self {
            device: field::id("PreKeySet.device", &message.device)?,
            number: message.number,
            key: field::id("PreKeySet.key", &message.key)?,
        })
    }
}
