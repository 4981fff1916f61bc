//! Statements by a root key.
//!
//! A root key has no feed: what it signs is authority by itself, numbered and chained, and any control entry may carry
//! it. Spec: CREDENTIAL-5.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{Context, DeviceId, Hasher, IdentityId, PreKeyId, RootKey, SignContext, Signature, SpaceId, verify};
use weft_wire::credential as wire;

use crate::{Cut, Malformed, authority, field};

/// What a root statement says. Spec: CREDENTIAL-5.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// This device acts for the identity.
    DeviceAdmitted(DeviceId),
    /// Lockboxes for the identity's recovery are sealed to this key.
    RecoveryKeySet(PreKeyId),
    /// This device no longer acts for it, and never will again. Spec: CREDENTIAL-5.4.
    DeviceRemoved {
        /// Which.
        device: DeviceId,
        /// What stands of its feeds; none when whoever signed did not know.
        cuts: Option<Vec<Cut>>,
    },
}

impl Subject {
    fn number(&self) -> u32 {
        match self {
            Self::DeviceAdmitted(_) => 1,
            Self::RecoveryKeySet(_) => 2,
            Self::DeviceRemoved { .. } => 3,
        }
    }

    fn encode(&self) -> Bytes {
        match self {
            Self::DeviceAdmitted(device) => wire::DeviceAdmitted { device: device.to_bytes() }.encode_to_vec().into(),
            Self::RecoveryKeySet(key) => wire::RecoveryKeySet { recovery_key: key.to_bytes() }.encode_to_vec().into(),
            Self::DeviceRemoved { device, cuts } => {
                let message = wire::RootDeviceRemoved {
                    device: device.to_bytes(),
                    cuts: authority::put_cuts(cuts.as_deref().unwrap_or_default()),
                    cuts_named: cuts.is_some(),
                };
                message.encode_to_vec().into()
            }
        }
    }

    fn decode(number: u32, content: &Bytes) -> Result<Self, Malformed> {
        match number {
            1 => {
                let message: wire::DeviceAdmitted =
                    weft_wire::decode(content).map_err(Malformed::decode("DeviceAdmitted"))?;
                let device = field::id("DeviceAdmitted.device", &message.device)?;
                Ok(Self::DeviceAdmitted(device))
            }
            2 => {
                let message: wire::RecoveryKeySet =
                    weft_wire::decode(content).map_err(Malformed::decode("RecoveryKeySet"))?;
                let key = field::id("RecoveryKeySet.recovery_key", &message.recovery_key)?;
                Ok(Self::RecoveryKeySet(key))
            }
            3 => {
                let message: wire::RootDeviceRemoved =
                    weft_wire::decode(content).map_err(Malformed::decode("RootDeviceRemoved"))?;
                let device = field::id("RootDeviceRemoved.device", &message.device)?;
                let cuts = authority::cuts("cuts and their order", &message.cuts)?;
                if !message.cuts_named && !cuts.is_empty() {
                    return Err(Malformed::Disagree { what: "cuts that are named and not named" });
                }
                Ok(Self::DeviceRemoved { device, cuts: message.cuts_named.then_some(cuts) })
            }
            found => Err(Malformed::Number { field: "RootStatement.kind", found: found.into() }),
        }
    }
}

/// A statement that a root key signs. Spec: CREDENTIAL-5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootStatement {
    /// The root key.
    pub identity: IdentityId,
    /// One space, or all of them.
    pub scope: Option<SpaceId>,
    /// Counts from 0.
    pub number: u64,
    /// The hash of the statement before; none for number 0.
    pub previous: Option<[u8; 32]>,
    /// Number 0 only: the hash of the next root key.
    pub next_root: Option<[u8; 32]>,
    /// What it says.
    pub subject: Subject,
}

impl RootStatement {
    /// The bytes that are hashed and signed.
    pub fn encode(&self) -> Bytes {
        let message = wire::RootStatement {
            version: 1,
            identity: self.identity.to_bytes(),
            scope: self.scope.map_or_else(Bytes::new, |s| s.to_bytes()),
            number: self.number,
            previous: self.previous.map_or_else(Bytes::new, |hash| field::put(&hash)),
            next_root: self.next_root.map_or_else(Bytes::new, |hash| field::put(&hash)),
            kind: self.subject.number(),
            content: self.subject.encode(),
        };
        message.encode_to_vec().into()
    }

    /// Reads a statement.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let message: wire::RootStatement = weft_wire::decode(bytes).map_err(Malformed::decode("RootStatement"))?;
        field::exactly("RootStatement.version", message.version.into(), 1)?;
        let statement = Self {
            identity: field::id("RootStatement.identity", &message.identity)?,
            scope: field::optional("RootStatement.scope", &message.scope)?,
            number: message.number,
            previous: field::hash("RootStatement.previous", &message.previous)?,
            next_root: field::hash("RootStatement.next_root", &message.next_root)?,
            subject: Subject::decode(message.kind, &message.content)?,
        };
        let first = statement.number == 0;
        if first == statement.previous.is_some() || first != statement.next_root.is_some() {
            return Err(Malformed::Disagree { what: "the number of a root statement and what it follows" });
        }
        Ok(statement)
    }

    /// Signs it with the root key.
    pub fn sign(&self, root: &RootKey) -> Carried {
        let bytes = self.encode();
        let signature = root.sign(SignContext::ROOT_STATEMENT_SIGNED, &bytes);
        Carried { bytes, statement: self.clone(), signature }
    }
}

/// A root statement and its signature, as any control entry may carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    bytes: Bytes,
    statement: RootStatement,
    signature: Signature,
}

impl Carried {
    /// What it says.
    pub fn statement(&self) -> &RootStatement {
        &self.statement
    }

    /// The statement's hash, by which the next one names it. Spec: CREDENTIAL-5.2.
    pub fn hash(&self) -> [u8; 32] {
        Hasher::new(Context::ROOT_STATEMENT).var(&self.bytes).finish()
    }

    /// Reads a carried statement; [`Carried::verify`] checks it.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let message: wire::RootStatementCarried =
            weft_wire::decode(bytes).map_err(Malformed::decode("RootStatementCarried"))?;
        Ok(Self {
            statement: RootStatement::decode(&message.statement)?,
            signature: field::signature("RootStatementCarried.signature", &message.signature)?,
            bytes: message.statement,
        })
    }

    /// Its bytes.
    pub fn encode(&self) -> Bytes {
        let message =
            wire::RootStatementCarried { statement: self.bytes.clone(), signature: self.signature.to_bytes() };
        message.encode_to_vec().into()
    }

    /// Checks the root key's signature and gives the statement.
    pub fn verify(&self) -> Result<&RootStatement, Malformed> {
        let identity = &self.statement.identity;
        verify(identity.as_bytes(), SignContext::ROOT_STATEMENT_SIGNED, &self.bytes, &self.signature)
            .map_err(Malformed::signature("the root key"))?;
        Ok(&self.statement)
    }

    /// Checks it, and that it holds in `space`.
    pub fn verify_in(&self, space: &SpaceId) -> Result<&RootStatement, Malformed> {
        let statement = self.verify()?;
        if statement.scope.is_some_and(|scope| scope != *space) {
            return Err(Malformed::OtherSpace { what: "a root statement" });
        }
        Ok(statement)
    }
}

/// What a root key has said so far, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootStatements(Vec<Carried>);

impl RootStatements {
    /// The two statements of a new identity: this device is admitted to all spaces, and this is the recovery key. The
    /// first one commits to the next root key. Spec: CREDENTIAL-5.3.
    pub fn at_init(root: &RootKey, next_root: &IdentityId, device: DeviceId, recovery: PreKeyId) -> [Carried; 2] {
        let admitted = RootStatement {
            identity: root.id(),
            scope: None,
            number: 0,
            previous: None,
            next_root: Some(next_root_hash(next_root)),
            subject: Subject::DeviceAdmitted(device),
        }
        .sign(root);
        let recovery = RootStatement {
            identity: root.id(),
            scope: None,
            number: 1,
            previous: Some(admitted.hash()),
            next_root: None,
            subject: Subject::RecoveryKeySet(recovery),
        }
        .sign(root);
        [admitted, recovery]
    }

    /// Checks signatures, numbers from 0, hashes, and that one identity made all of them.
    pub fn verify(statements: Vec<Carried>) -> Result<Self, Malformed> {
        let mut before: Option<([u8; 32], IdentityId)> = None;
        for (number, carried) in statements.iter().enumerate() {
            let statement = carried.verify()?;
            field::exactly("RootStatement.number", statement.number, number as u64)?;
            let follows = before
                .is_none_or(|(hash, identity)| statement.previous == Some(hash) && statement.identity == identity);
            if !follows {
                return Err(Malformed::Disagree { what: "a root statement and the one before" });
            }
            before = Some((carried.hash(), statement.identity));
        }
        Ok(Self(statements))
    }

    /// The statements, from number 0.
    pub fn as_slice(&self) -> &[Carried] {
        &self.0
    }
}

/// The commitment to the next root key. Spec: CREDENTIAL-5.2.
pub fn next_root_hash(next_root: &IdentityId) -> [u8; 32] {
    Hasher::new(Context::NEXT_ROOT).fixed(next_root.as_bytes()).finish()
}
