//! The link that one person sends another. Spec: INVITATION-1.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{Context, DeviceId, Hasher, InvitationSecret, SpaceId, base32};
use weft_wire::{invitation as wire, varint};

/// What every link starts with.
const SCHEME: &str = "weft-invite:";
/// Characters of a link: room for everything a link may hold.
const CHARS_MAX: usize = 12 << 10;
const VERSION: u32 = 1;
const CHECKSUM: usize = 4;

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
        let message = message.encode_to_vec();
        let mut bytes = Vec::with_capacity(message.len() + 8);
        varint::write(message.len() as u64, &mut bytes);
        bytes.extend_from_slice(&message);
        bytes.extend_from_slice(&checksum(&message));
        format!("{SCHEME}{}", base32::encode(&bytes))
    }

    /// Reads what somebody pasted; white space around it does not matter.
    ///
    /// # Errors
    /// What is wrong with it and what to do.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        let starts = text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
        if !starts {
            return Err(LinkError::NotALink);
        }
        if text.len() > CHARS_MAX {
            return Err(LinkError::TooLong { found: text.len() });
        }
        let text = text[SCHEME.len()..].to_ascii_lowercase();
        if !text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'2'..=b'7')) {
            return Err(LinkError::Character);
        }
        let bytes = Bytes::from(decode_prefix(&text)?);
        let (length, used) = varint::read(&bytes).map_err(|_| LinkError::Damaged)?.ok_or(LinkError::CutShort)?;
        let rest = bytes.slice(used..);
        let length = usize::try_from(length).map_err(|_| LinkError::Damaged)?;
        let whole = length.checked_add(CHECKSUM).ok_or(LinkError::Damaged)?;
        if whole > CHARS_MAX {
            return Err(LinkError::Damaged);
        }
        if rest.len() < whole {
            return Err(LinkError::CutShort);
        }
        let message = rest.slice(..length);
        if rest.len() > whole || rest[length..] != checksum(&message) {
            return Err(LinkError::Damaged);
        }
        Self::read(&message)
    }

    fn read(message: &Bytes) -> Result<Self, LinkError> {
        let content = |what| LinkError::Content { what };
        // A later version may hold fields of other shapes: look at the version alone first.
        let version = version_of(message).ok_or(content("a version"))?;
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

/// Field 1, which is written first.
fn version_of(message: &[u8]) -> Option<u32> {
    let (&0x08, rest) = message.split_first()? else {
        return None;
    };
    let (version, _) = varint::read(rest).ok().flatten()?;
    version.try_into().ok()
}

/// Base32 of as many characters as make whole bytes: a text that was cut anywhere is read as far as it goes.
fn decode_prefix(text: &str) -> Result<Vec<u8>, LinkError> {
    match base32::decode(text) {
        Ok(bytes) => Ok(bytes),
        Err(_) => {
            let whole = text.len() / 8 * 8;
            base32::decode(&text[..whole]).map_err(|_| LinkError::Damaged)
        }
    }
}

fn checksum(message: &[u8]) -> [u8; CHECKSUM] {
    let hash = Hasher::new(Context::INVITATION_LINK).var(message).finish();
    [hash[0], hash[1], hash[2], hash[3]]
}
