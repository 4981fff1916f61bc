//! What a space starts from.
//!
//! The space id is the hash of the genesis statement. The statement names the founder's device and the key of its first
//! control feed, so that exactly one feed, and of it exactly entry 0, can carry the genesis: there is no second one.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{
    Context, DeviceId, DeviceKey, FeedId, FeedKey, Hasher, IdentityId, Manifest, Purpose, SignContext, Signature,
    SpaceId, verify,
};
use weft_wire::credential as wire;

use crate::{Chain, Malformed, field};

/// What a newcomer may read of the time before it came. Spec: CREDENTIAL-4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Everything: earlier content secrets are handed on.
    All,
    /// Nothing: an admission starts an epoch.
    FromJoining,
}

impl History {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::All => 1,
            Self::FromJoining => 2,
        }
    }

    pub(crate) fn from_number(field: &'static str, number: u32) -> Result<Self, Malformed> {
        match number {
            1 => Ok(Self::All),
            2 => Ok(Self::FromJoining),
            found => Err(Malformed::Number { field, found: found.into() }),
        }
    }
}

/// The genesis statement. Spec: CREDENTIAL-4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The founder's root key.
    pub root: IdentityId,
    /// The rules version by which the space is resolved.
    pub rules: u32,
    /// The policy for newcomers.
    pub history: History,
    /// 32 random bytes.
    pub nonce: [u8; 32],
    /// The founder's device.
    pub device: DeviceId,
    /// The key of the founder's first control feed.
    pub feed_key: FeedKey,
}

impl Genesis {
    /// The statement's bytes, which are hashed and signed.
    pub fn encode(&self) -> Bytes {
        let message = wire::GenesisStatement {
            version: 1,
            root: self.root.to_bytes(),
            rules: self.rules,
            history: self.history.number(),
            nonce: field::put(&self.nonce),
            device: self.device.to_bytes(),
            feed_key: self.feed_key.to_bytes(),
        };
        message.encode_to_vec().into()
    }

    /// Reads a statement.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let message: wire::GenesisStatement =
            weft_wire::decode(bytes).map_err(Malformed::decode("GenesisStatement"))?;
        field::exactly("GenesisStatement.version", message.version.into(), 1)?;
        Ok(Self {
            root: field::id("GenesisStatement.root", &message.root)?,
            rules: message.rules,
            history: History::from_number("GenesisStatement.history", message.history)?,
            nonce: field::array("GenesisStatement.nonce", &message.nonce)?,
            device: field::id("GenesisStatement.device", &message.device)?,
            feed_key: field::id("GenesisStatement.feed_key", &message.feed_key)?,
        })
    }

    /// The id of the space that this statement starts. Spec: CREDENTIAL-4.1.
    pub fn space_id(&self) -> SpaceId {
        space_id(&self.encode())
    }

    /// The manifest of the one feed that can carry this genesis, as its entry 0. Spec: CREDENTIAL-4.2.
    pub fn manifest(&self) -> Manifest {
        Manifest {
            version: Manifest::VERSION,
            space: self.space_id(),
            device: self.device,
            feed_key: self.feed_key,
            purpose: Purpose::Control,
            generation: 0,
        }
    }

    /// The id of that feed.
    pub fn feed(&self) -> FeedId {
        self.manifest().id()
    }

    /// Signs it with the founder's device.
    pub fn sign(&self, device: &DeviceKey) -> SpaceGenesis {
        let bytes = self.encode();
        let signature = device.sign(SignContext::GENESIS_DEVICE, &bytes);
        SpaceGenesis { bytes, genesis: self.clone(), signature, chain: Chain::default() }
    }
}

fn space_id(statement: &[u8]) -> SpaceId {
    SpaceId::from_bytes(Hasher::new(Context::GENESIS).var(statement).finish())
}

/// A genesis statement as entry 0 carries it, with the device's signature. Spec: CREDENTIAL-4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceGenesis {
    bytes: Bytes,
    genesis: Genesis,
    signature: Signature,
    chain: Chain,
}

impl SpaceGenesis {
    /// With how the founder's device came to act for the root, if the root key itself did not admit it. Spec: CREDENTIAL-4.3
    #[must_use]
    pub fn with_chain(self, chain: Chain) -> Self {
        Self { chain, ..self }
    }

    /// How the founder's device came to act for the root; empty when the root key itself admitted it.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What it says.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::SpaceGenesis = weft_wire::decode(content).map_err(Malformed::decode("SpaceGenesis"))?;
        Ok(Self {
            genesis: Genesis::decode(&message.statement)?,
            signature: field::signature("SpaceGenesis.device_signature", &message.device_signature)?,
            chain: Chain::decode(&message.chain)?,
            bytes: message.statement,
        })
    }

    pub(crate) fn encode(&self) -> Bytes {
        let message = wire::SpaceGenesis {
            statement: self.bytes.clone(),
            device_signature: self.signature.to_bytes(),
            chain: self.chain.encode(),
        };
        message.encode_to_vec().into()
    }

    pub(crate) fn verify(&self, space: &SpaceId) -> Result<(), Malformed> {
        let Self { bytes, genesis, .. } = self;
        if space_id(bytes) != *space {
            return Err(Malformed::OtherSpace { what: "the genesis statement" });
        }
        verify(genesis.device.as_bytes(), SignContext::GENESIS_DEVICE, bytes, &self.signature)
            .map_err(Malformed::signature("the founder's device"))?;
        let first = self.chain.through().next().unwrap_or(genesis.device);
        self.chain.verify(&genesis.root, &first, &genesis.device)
    }
}
