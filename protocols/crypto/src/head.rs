//! Heads: what a feed key signs, and deps: what others say that they had seen of a feed.
//!
//! Spec: CRYPTO-5.2

use bytes::Bytes;
use prost::Message;
use weft_wire::{DecodeError, decode, feed as wire};

use crate::{BadSignature, FeedId, FeedKey, FeedSecret, IdError, Root, SignContext, Signature};

/// The whole log up to a length, in one signature. Signed over fixed widths, not over its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// The feed.
    pub feed: FeedId,
    /// How many entries; at least 1.
    pub length: u64,
    /// Bytes of all headers and bodies.
    pub byte_length: u64,
    /// The root of the tree over them.
    pub root: Root,
    /// By the feed key.
    pub signature: Signature,
}

/// A head of another feed that an author had seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dep {
    /// The feed.
    pub feed: FeedId,
    /// Its length; at least 1.
    pub length: u64,
    /// Its root at that length.
    pub root: Root,
}

/// Why bytes are no head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The bytes are no such message.
    #[error("head: {0}")]
    Decode(#[from] DecodeError),
    /// An id, root or signature has another length.
    #[error("head: {0}")]
    Field(#[from] IdError),
    /// A feed of length 0 has no head.
    #[error("head of length 0")]
    Empty,
}

/// Why a message is no dep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DepError {
    /// An id or root has another length.
    #[error("dep: {0}")]
    Field(#[from] IdError),
    /// A feed of length 0 has nothing to depend on.
    #[error("dep of length 0")]
    Empty,
}

impl Head {
    /// Signs what a feed is now.
    ///
    /// # Panics
    /// When the length is 0: an empty feed has no head.
    #[must_use]
    pub fn sign(feed: FeedId, length: u64, byte_length: u64, root: Root, key: &FeedSecret) -> Self {
        assert!(length > 0, "an empty feed has no head");
        let statement = statement(&feed, length, byte_length, &root);
        Self { feed, length, byte_length, root, signature: key.sign(SignContext::HEAD, &statement) }
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// When it is not by this key over this head.
    pub fn verify(&self, key: &FeedKey) -> Result<(), BadSignature> {
        let statement = statement(&self.feed, self.length, self.byte_length, &self.root);
        key.verify(SignContext::HEAD, &statement, &self.signature)
    }

    /// What an author who has seen this head says of it.
    #[must_use]
    pub const fn dep(&self) -> Dep {
        Dep { feed: self.feed, length: self.length, root: self.root }
    }

    /// As a message.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let message = wire::Head {
            feed: self.feed.to_bytes(),
            length: self.length,
            byte_length: self.byte_length,
            root: self.root.to_bytes(),
            signature: self.signature.to_bytes(),
        };
        message.encode_to_vec().into()
    }

    /// From a message; the signature is not checked yet.
    ///
    /// # Errors
    /// When the bytes are no such message, or a head of length 0.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeadError> {
        let message: wire::Head = decode(&Bytes::copy_from_slice(bytes))?;
        if message.length == 0 {
            return Err(HeadError::Empty);
        }
        Ok(Self {
            feed: FeedId::try_from(&message.feed)?,
            length: message.length,
            byte_length: message.byte_length,
            root: Root::try_from(&message.root)?,
            signature: Signature::try_from(message.signature.as_ref())?,
        })
    }
}

/// Feed, length, byte length, root: 80 bytes.
fn statement(feed: &FeedId, length: u64, byte_length: u64, root: &Root) -> [u8; 80] {
    let mut bytes = [0; 80];
    bytes[..32].copy_from_slice(feed.as_bytes());
    bytes[32..40].copy_from_slice(&length.to_le_bytes());
    bytes[40..48].copy_from_slice(&byte_length.to_le_bytes());
    bytes[48..].copy_from_slice(root.as_bytes());
    bytes
}

impl From<&Dep> for wire::Dep {
    fn from(dep: &Dep) -> Self {
        Self { feed: dep.feed.to_bytes(), length: dep.length, root: dep.root.to_bytes() }
    }
}

impl TryFrom<&wire::Dep> for Dep {
    type Error = DepError;

    fn try_from(message: &wire::Dep) -> Result<Self, DepError> {
        if message.length == 0 {
            return Err(DepError::Empty);
        }
        Ok(Self {
            feed: FeedId::try_from(&message.feed)?,
            length: message.length,
            root: Root::try_from(&message.root)?,
        })
    }
}
