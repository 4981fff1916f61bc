//! The link by which a person makes another device theirs. Spec: INVITATION-6.1.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{Context, DeviceId, IdentityId, InvitationSecret};
use weft_wire::invitation as wire;

use crate::{LinkError, text};

/// What every device link starts with.
const SCHEME: &str = "weft-device:";
const VERSION: u32 = 1;

/// What a device link holds. Whoever has it makes a device of the identity, once. Spec: INVITATION-6.1
#[derive(Clone, Debug)]
pub struct DeviceLink {
    /// The identity.
    pub identity: IdentityId,
    /// The link's key.
    pub secret: InvitationSecret,
    /// The device that accepts it.
    pub host: DeviceId,
    /// Where it is, as multiaddresses: at most 16.
    pub addresses: Vec<String>,
}

/// Why a text is no device link, in words for the person who pasted it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceLinkError {
    /// It does not start like one.
    #[error("this is not a link for a device: such a link starts with {SCHEME:?}, and `weft device link` makes one")]
    NotALink,
    /// It starts like one and cannot be read.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl DeviceLink {
    /// The text to carry over: `weft-device:` and base32.
    pub fn encode(&self) -> String {
        let message = wire::DeviceLink {
            version: VERSION,
            identity: self.identity.to_bytes(),
            secret: Bytes::copy_from_slice(&*self.secret.seed()),
            host: self.host.to_bytes(),
            addresses: self.addresses.clone(),
        };
        text::encode(SCHEME, Context::DEVICE_LINK, &message.encode_to_vec())
    }

    /// Reads what somebody pasted; white space around it does not matter.
    ///
    /// # Errors
    /// What is wrong with it and what to do.
    pub fn parse(pasted: &str) -> Result<Self, DeviceLinkError> {
        let message = text::decode(SCHEME, Context::DEVICE_LINK, pasted).map_err(|error| match error {
            LinkError::NotALink => DeviceLinkError::NotALink,
            error => DeviceLinkError::Link(error),
        })?;
        let content = |what| LinkError::Content { what };
        let version = text::version_of(&message).ok_or(content("a version"))?;
        if version != VERSION {
            return Err(LinkError::UnknownVersion { found: version }.into());
        }
        let message: wire::DeviceLink =
            weft_wire::decode(&message).map_err(|_| content("its fields are out of bounds"))?;
        let secret: [u8; 32] = message.secret.as_ref().try_into().map_err(|_| content("a key"))?;
        Ok(Self {
            identity: IdentityId::try_from(&message.identity).map_err(|_| content("an identity"))?,
            secret: InvitationSecret::from_seed(secret),
            host: DeviceId::try_from(&message.host).map_err(|_| content("a host"))?,
            addresses: message.addresses,
        })
    }
}
