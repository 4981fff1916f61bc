//! Bounds of `specs/proto/replication.proto`.

use super::{BODIES, HASH, HEAD, HEADERS, NAME, bounded};
use crate::{
    Bound,
    replication::{Bodies, Contradiction, Credit, Have, Hello, Presence, Range, Refused, Stop, Want},
};

/// 16,384 holdings of 72 bytes.
const HOLDINGS: u32 = 16_384 * 72;
/// The state of a tree: a length, a byte length and at most 64 peaks of 40 bytes.
const TREE: u32 = 4096;
/// What a document says of itself, and what sealing adds.
const SAID: u32 = 1_152;
/// One bit for each of 256 entries.
const ABSENT: u32 = 32;

bounded! { "weft.replication.v1", replication:
    Frame [
        Bound::message(1, Hello::BOUNDS).alternative(), Bound::message(2, Have::BOUNDS).alternative(),
        Bound::message(3, Want::BOUNDS).alternative(), Bound::message(4, Stop::BOUNDS).alternative(),
        Bound::message(5, Range::BOUNDS).alternative(), Bound::message(6, Bodies::BOUNDS).alternative(),
        Bound::message(7, Credit::BOUNDS).alternative(), Bound::message(8, Contradiction::BOUNDS).alternative(),
        Bound::message(9, Refused::BOUNDS).alternative(), Bound::message(10, Presence::BOUNDS).alternative(),
    ]
    Hello [Bound::u32(1), Bound::u64(2)]
    Have [Bound::u32(1), Bound::bytes(2, HOLDINGS), Bound::bool(3)]
    Want [Bound::u32(1), Bound::bytes(2, HASH), Bound::u64(3), Bound::bytes(4, HEAD), Bound::bytes(5, TREE)]
    Stop [Bound::u32(1), Bound::bytes(2, HASH)]
    Range [
        Bound::u32(1), Bound::bytes(2, HASH), Bound::u64(3), Bound::bytes(4, HEAD), Bound::bytes(5, HEADERS),
        Bound::bytes(6, BODIES), Bound::bytes(7, ABSENT), Bound::bool(8),
    ]
    Bodies [Bound::u32(1), Bound::bytes(2, HASH), Bound::u64(3), Bound::bytes(4, BODIES)]
    Credit [Bound::u64(1)]
    Contradiction [Bound::u32(1), Bound::bytes(2, HEAD)]
    Presence [Bound::u32(1), Bound::bytes(2, HASH), Bound::bytes(3, SAID)]
    Refused [Bound::u32(1), Bound::bytes(2, HASH), Bound::u64(3), Bound::u32(4), Bound::bytes(5, NAME)]
}
