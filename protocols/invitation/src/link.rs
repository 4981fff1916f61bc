//! The link that one person sends another. Spec: INVITATION-1.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{Context, DeviceId, InvitationSecret, SpaceId};
use weft_wire::invitation as wire;

use crate::text;

/// What every link starts with.
const SCHEME: &str = "weft-invite:";
const VERSION: u32 = 1;

/// What a link holds. Whoever has it may redeem it. Spec: INVITATION-1.
#[derive(Clone, Debug)]
pub struct Link {
    /// The space.
    pub space: SpaceId,
    /// The invitation's key.
    pub secret: InvitationSecret,
    /// Devices that accept it: 1 to 4.
    pub hosts: Vec<DeviceId>,
    /// Where they are, as multiaddresses: at most 16.
    pub addresses: Vec<String>,
    /// What the link says the space is called. Nobody has checked it.
    pub space_name: String,
    /// What the link says its issuer is called. Nobody has checked it.
    pub inviter_name: String,
}

/// Why a text is no link, in words for the person who pasted it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It does not start like one.
    #[error("this is not an invitation link: a link starts with {SCHEME:?}")]
    NotALink,
    /// Longer than any link.
    #[error("this is no invitation link: {found} characters are more than a link has")]
    TooLong {
        /// Characters found.
        found: usize,
    },
    /// A character that no link has.
    #[error("the link has a character that does not belong in one: copy it again, in one piece")]
    Character,
    /// The end is missing.
    #[error("the link is cut short: copy it again to its end")]
    CutShort,
    /// Characters were changed, or something was added.
    #[error("the link is damaged: some characters are not as they were written, copy it again")]
    Damaged,
    /// Written by a later version.
    #[error("the link was written by a later version of weft (link version {found}): update weft to use it")]
    UnknownVersion {
        /// The version found.
        found: u32,
    },
    /// Whole, and does not hold what a link must hold.
    #[error("the link does not hold what a link must: {what}")]
    Content {
        /// What is missing or wrong.
        what: &'static str,
    },
}

impl Link {
    /// The text to send: `weft-invite:` and base32.
    pub fn encode(&self) -> String {
        let message = wire::Link {
            version: VERSION,
            space: self.space.to_bytes(),
            secret: Bytes::copy_from_slice(&*self.secret.seed()),
            hosts: self.hosts.iter().map(DeviceId::to_bytes).collect(),
            addresses: self.addresses.clone(),
            space_name: self.space_name.clone(),
            inviter_name: self.inviter_name.clone(),
        };
        text::encode(SCHEME, Context::INVITATION_LINK, &message.encode_to_vec())
    }

    /// Reads what somebody pasted; white space around it does not matter.
    ///
    /// # Errors
    /// What is wrong with it and what to do.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        Self::read(&text::decode(SCHEME, Context::INVITATION_LINK, text)?)
    }

    fn read(message: &Bytes) -> Result<Self, LinkError> {
        let content = |what| LinkError::Content { what };
        // A later version may hold fields of other shapes: look at the version alone first.
        let version = text::version_of(message).ok_or(content("a version"))?;
        if version != VERSION {
            return Err(LinkError::UnknownVersion { found: version });
        }
        let message: wire::Link = weft_wire::decode(message).map_err(|_| content("its fields are out of bounds"))?;
        let secret: [u8; 32] = message.secret.as_ref().try_into().map_err(|_| content("a key"))?;
        let hosts = message.hosts.iter().map(DeviceId::try_from).collect::<Result<Vec<_>, _>>();
        let hosts = hosts.ok().filter(|hosts| !hosts.is_empty());
        Ok(Self {
            space: SpaceId::try_from(&message.space).map_err(|_| content("a space"))?,
            secret: InvitationSecret::from_seed(secret),
            hosts: hosts.ok_or(content("a host"))?,
            addresses: message.addresses,
            space_name: message.space_name,
            inviter_name: message.inviter_name,
        })
    }
}
