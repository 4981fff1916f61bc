//! The body of a control entry.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{SpaceId, Verifiable, Verified};
use weft_wire::credential as wire;

use crate::{Credential, Malformed, RULES, field, limits};

/// One part of a control entry: a credential, with what every credential names. Spec: CREDENTIAL-2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The space it is about.
    pub space: SpaceId,
    /// The rules version its author writes by.
    pub version: u32,
    /// What it says.
    pub credential: Credential,
}

impl Part {
    /// A part by this crate's rules version.
    pub fn new(space: SpaceId, credential: Credential) -> Self {
        Self { space, version: RULES, credential }
    }

    fn encode(&self) -> Bytes {
        let message = wire::Credential {
            space: self.space.to_bytes(),
            kind: self.credential.kind(),
            version: self.version,
            critical: self.credential.critical(),
            content: self.credential.encode(),
        };
        message.encode_to_vec().into()
    }

    fn decode(bytes: &Bytes, space: &SpaceId) -> Result<Self, Malformed> {
        let message: wire::Credential = weft_wire::decode(bytes).map_err(Malformed::decode("Credential"))?;
        let named: SpaceId = field::id("Credential.space", &message.space)?;
        if named != *space {
            return Err(Malformed::OtherSpace { what: "a credential" });
        }
        Ok(Self {
            space: named,
            version: message.version,
            credential: Credential::decode(message.kind, message.critical, message.content)?,
        })
    }
}

impl Verifiable for Part {
    type Error = Malformed;

    /// Every signature inside the credential, and that it speaks of this space. Spec: CREDENTIAL-2.3.
    fn check(&self) -> Result<(), Malformed> {
        self.credential.verify(&self.space)
    }
}

/// Checks every signature inside one part. What needs the resolution is not checked.
///
/// # Errors
/// [`Malformed`]: the part says nothing, whoever wrote it.
pub fn verify(part: Part) -> Result<Verified<Part>, Malformed> {
    Verified::new(part)
}

/// What a control entry carries: parts in order, an earlier one in the past of a later one. Spec: CREDENTIAL-1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlBody(Vec<Part>);

impl ControlBody {
    /// A body of these parts.
    pub fn new(parts: Vec<Part>) -> Self {
        Self(parts)
    }

    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Its bytes.
    pub fn encode(&self) -> Bytes {
        let message = wire::ControlBody { credentials: self.0.iter().map(Part::encode).collect() };
        message.encode_to_vec().into()
    }

    /// Reads the body of an entry of a control feed of `space`.
    ///
    /// # Errors
    /// When a part does not decode, is out of bounds or about another space. One malformed part makes the whole entry
    /// malformed: a change of several parts is one change.
    pub fn decode(bytes: &Bytes, space: &SpaceId) -> Result<Self, Malformed> {
        if bytes.len() > limits::BODY_BYTES_MAX {
            return Err(Malformed::TooLong { found: bytes.len() });
        }
        let message: wire::ControlBody = weft_wire::decode(bytes).map_err(Malformed::decode("ControlBody"))?;
        if message.credentials.is_empty() {
            return Err(Malformed::Empty);
        }
        let parts = message.credentials.iter().map(|part| Part::decode(part, space));
        Ok(Self(parts.collect::<Result<_, _>>()?))
    }

    /// Checks every part; see [`verify`].
    ///
    /// # Errors
    /// The first part that is malformed.
    pub fn verify(self) -> Result<Vec<Verified<Part>>, Malformed> {
        self.0.into_iter().map(verify).collect()
    }
}
