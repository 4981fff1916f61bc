//! Bounds of `specs/proto/feed.proto`.

use super::{HASH, HEAD, HEADER, MANIFEST, SIGNATURE, bounded};
use crate::{
    Bound,
    feed::{Dep, Node},
};

/// Deps of one header.
const DEPS: u32 = 512;
/// Nodes of a block proof: 64 up to the peak and 64 peaks.
const BLOCK_NODES: u32 = 128;
/// Nodes of a consistency proof.
const CONSISTENCY_NODES: u32 = 192;
/// An encoded consistency proof: 192 nodes of at most 58 bytes.
const CONSISTENCY: u32 = 16 << 10;
/// An encoded block proof: a header, a head and 128 nodes.
const BLOCK: u32 = 80 << 10;

bounded! { "weft.feed.v1", feed:
    Manifest [
        Bound::u32(1), Bound::bytes(2, HASH), Bound::bytes(3, HASH), Bound::bytes(4, HASH), Bound::u32(5), Bound::u64(6),
    ]
    SignedManifest [Bound::bytes(1, MANIFEST), Bound::bytes(2, SIGNATURE), Bound::bytes(3, SIGNATURE)]
    Head [Bound::bytes(1, HASH), Bound::u64(2), Bound::u64(3), Bound::bytes(4, HASH), Bound::bytes(5, SIGNATURE)]
    Dep [Bound::bytes(1, HASH), Bound::u64(2), Bound::bytes(3, HASH)]
    Header [
        Bound::u64(1), Bound::u32(2), Bound::u64(3), Bound::bytes(4, HASH), Bound::u64(5),
        Bound::message(6, Dep::BOUNDS).times(DEPS).at_least(68), Bound::bytes(7, HASH), Bound::u64(8),
    ]
    Node [Bound::u64(1), Bound::bytes(2, HASH), Bound::u64(3)]
    BlockProof [
        Bound::bytes(1, HEAD), Bound::u64(2), Bound::bytes(3, HEADER),
        Bound::message(4, Node::BOUNDS).times(BLOCK_NODES).at_least(34),
    ]
    ConsistencyProof [Bound::u64(1), Bound::message(2, Node::BOUNDS).times(CONSISTENCY_NODES).at_least(34)]
    ForkProof [
        Bound::bytes(1, HEAD), Bound::bytes(2, HEAD), Bound::u64(3), Bound::bytes(4, CONSISTENCY),
        Bound::bytes(5, CONSISTENCY), Bound::bytes(6, BLOCK), Bound::bytes(7, BLOCK),
    ]
}
