//! Proofs about a feed for somebody who does not hold it: one entry, a prefix, a fork.
//!
//! All three end at a signed head. Their nodes come in one fixed order and each names its place, so a proof has one
//! spelling and a verifier asks for nothing but hashing.
//!
//! Spec: FEED-7

mod block;
mod consistency;
mod fork;
mod nodes;

use bytes::Bytes;
use weft_crypto::{FeedKey, Head, Root};
use weft_wire::feed as wire;

pub use self::{block::BlockProof, consistency::ConsistencyProof, fork::ForkProof, nodes::Nodes};
use crate::{hashes, limits::LENGTH_MAX, tree::Peak, view::HeaderError};

/// A node of a tree, and its place in flat in-order numbering ([`crate::flat`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its place.
    pub index: u64,
    /// Its hash and the bytes below it.
    pub peak: Peak,
}

/// Why something is not a proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The bytes are not the message.
    #[error("the proof cannot be read: {0}")]
    Malformed(String),
    /// A hash, a root or a node is not 32 bytes.
    #[error("a hash of {bytes} bytes")]
    Width {
        /// How many bytes it has.
        bytes: usize,
    },
    /// A length or place beyond what the head has, or any feed can have.
    #[error("{asked} is beyond a head of length {length}")]
    Beyond {
        /// The length or place.
        asked: u64,
        /// The head's length.
        length: u64,
    },
    /// A node is missing, too many, or not the one that belongs there.
    #[error("node {found:?} where {expected:?} should be")]
    Place {
        /// The place that should come next; none when nothing should.
        expected: Option<u64>,
        /// The place that came; none when nothing did.
        found: Option<u64>,
    },
    /// More bytes below a node than a feed can have.
    #[error("a node with {size} bytes below it")]
    Size {
        /// The bytes.
        size: u64,
    },
    /// The header is not one.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// The header is that of another entry.
    #[error("entry {found} where {expected} should be")]
    Seq {
        /// The entry proved.
        expected: u64,
        /// The entry of the header.
        found: u64,
    },
    /// The nodes have another root than the head says.
    #[error("nodes with root {found} under a head with root {signed}")]
    Root {
        /// What the head says.
        signed: Root,
        /// What the nodes have.
        found: Root,
    },
    /// The nodes have other bytes below them than the head says.
    #[error("nodes over {found} bytes under a head of {signed}")]
    ByteLength {
        /// What the head says.
        signed: u64,
        /// What the nodes have.
        found: u64,
    },
    /// The head is not signed by the feed's key.
    #[error("the head of length {length} is not signed by the feed's key")]
    Signature {
        /// The head's length.
        length: u64,
    },
    /// Two heads of two feeds.
    #[error("the two heads are of two feeds")]
    OtherFeed,
    /// A part of a fork proof is about another head or entry than the proof.
    #[error("a part of the proof is about something else")]
    OtherPart,
    /// The two heads do not have the claimed prefix in common.
    #[error("the first {common} entries are not the same under both heads")]
    PrefixDiffers {
        /// How many should be the same.
        common: u64,
    },
    /// The two heads agree where they should differ, or the lower leaf is not first.
    #[error("entry {common} is the same under both heads, or the branches are in the wrong order")]
    NoFork {
        /// Where they should differ.
        common: u64,
    },
    /// A node needed to make a proof is not to be had.
    #[error("node {index} is not here")]
    NodeMissing {
        /// Its place.
        index: u64,
    },
}

/// Reads nodes one after another, each at the place that must come next.
struct Places<'a> {
    rest: &'a [Node],
}

impl Places<'_> {
    fn take(&mut self, index: u64) -> Result<Peak, ProofError> {
        match self.rest.split_first() {
            Some((node, rest)) if node.index == index => {
                self.rest = rest;
                Ok(node.peak)
            }
            other => Err(ProofError::Place { expected: Some(index), found: other.map(|(node, _)| node.index) }),
        }
    }

    fn end(&self) -> Result<(), ProofError> {
        match self.rest.first() {
            None => Ok(()),
            Some(node) => Err(ProofError::Place { expected: None, found: Some(node.index) }),
        }
    }
}

/// Whether these peaks are what the head signs. Sizes cannot overflow: each was bounded when it was read.
fn check_peaks(peaks: &[Peak], head: &Head) -> Result<(), ProofError> {
    let byte_length = peaks.iter().map(|peak| peak.size).sum();
    if byte_length != head.byte_length {
        return Err(ProofError::ByteLength { signed: head.byte_length, found: byte_length });
    }
    let found = hashes::root(head.length, byte_length, peaks);
    if found == head.root { Ok(()) } else { Err(ProofError::Root { signed: head.root, found }) }
}

fn check_head(head: &Head, feed_key: &FeedKey) -> Result<(), ProofError> {
    if head.length > LENGTH_MAX {
        return Err(ProofError::Beyond { asked: head.length, length: LENGTH_MAX });
    }
    head.verify(feed_key).map_err(|_| ProofError::Signature { length: head.length })
}

fn nodes_from_wire(nodes: Vec<wire::Node>) -> Result<Vec<Node>, ProofError> {
    // 192 nodes of this size still add up within 64 bits.
    const SIZE_MAX: u64 = 1 << 56;
    nodes
        .into_iter()
        .map(|node| {
            let hash = node.hash.as_ref().try_into().map_err(|_| ProofError::Width { bytes: node.hash.len() })?;
            if node.size >= SIZE_MAX {
                return Err(ProofError::Size { size: node.size });
            }
            Ok(Node { index: node.index, peak: Peak { hash, size: node.size } })
        })
        .collect()
}

fn nodes_to_wire(nodes: &[Node]) -> Vec<wire::Node> {
    let to_wire = |node: &Node| wire::Node {
        index: node.index,
        hash: Bytes::copy_from_slice(&node.peak.hash),
        size: node.peak.size,
    };
    nodes.iter().map(to_wire).collect()
}

fn decode_head(bytes: &Bytes) -> Result<Head, ProofError> {
    Head::decode(bytes).map_err(|error| ProofError::Malformed(error.to_string()))
}

fn encode(message: &impl prost::Message) -> Bytes {
    message.encode_to_vec().into()
}

fn decode<M: weft_wire::Bounded>(bytes: &Bytes) -> Result<M, ProofError> {
    weft_wire::decode(bytes).map_err(|error| ProofError::Malformed(error.to_string()))
}

/// The source of nodes that proofs are made from: for a place, the node's hash and size.
pub type Source<'a> = &'a dyn Fn(u64) -> Option<Peak>;

fn node(source: Source<'_>, index: u64) -> Result<Node, ProofError> {
    source(index).map(|peak| Node { index, peak }).ok_or(ProofError::NodeMissing { index })
}
