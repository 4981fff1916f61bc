//! Bounds of `specs/proto/space.proto` (the door).

use super::{HASH, bounded};
use crate::{
    Bound,
    space::{Again, Hello, Tags},
};

/// 1,024 tags of 32 bytes.
const TAGS: u32 = 32 << 10;

bounded! { "weft.space.v1", space:
    Frame [
        Bound::message(1, Hello::BOUNDS).alternative(), Bound::message(2, Tags::BOUNDS).alternative(),
        Bound::message(3, Again::BOUNDS).alternative(),
    ]
    Hello [Bound::u32(1), Bound::bytes(2, HASH)]
    Tags [Bound::u32(1), Bound::bytes(2, TAGS)]
    Again []
}
