//! Bounds of `specs/proto/invitation.proto`.

use super::{BODIES, HASH, HEAD, HEADERS, NAME, SIGNATURE, SIGNED_MANIFEST, bounded};
use crate::{
    Bound,
    invitation::{Accepted, Begin, Challenge, Part, Redeem, Refused},
};

/// Devices that a link names.
const HOSTS: u32 = 4;
/// Addresses that a link names.
const ADDRESSES: u32 = 16;
/// One multiaddress.
const ADDRESS: u32 = 256;
/// A redemption and its two signatures.
const REDEMPTION: u32 = 9 << 10;

bounded! { "weft.invitation.v1", invitation:
    Link [
        Bound::u32(1), Bound::bytes(2, HASH), Bound::bytes(3, HASH), Bound::bytes(4, HASH).times(HOSTS),
        Bound::bytes(5, ADDRESS).times(ADDRESSES), Bound::bytes(6, NAME), Bound::bytes(7, NAME),
    ]
    Frame [
        Bound::message(1, Begin::BOUNDS).alternative(), Bound::message(2, Challenge::BOUNDS).alternative(),
        Bound::message(3, Redeem::BOUNDS).alternative(), Bound::message(4, Refused::BOUNDS).alternative(),
        Bound::message(5, Accepted::BOUNDS).alternative(), Bound::message(6, Part::BOUNDS).alternative(),
    ]
    Begin [Bound::u32(1), Bound::bytes(2, HASH)]
    Challenge [Bound::bytes(1, HASH)]
    Redeem [Bound::bytes(1, SIGNATURE), Bound::bytes(2, REDEMPTION)]
    Refused [Bound::u32(1)]
    Accepted [Bound::u32(1), Bound::u64(2)]
    Part [
        Bound::bytes(1, SIGNED_MANIFEST), Bound::u64(2), Bound::bytes(3, HEAD), Bound::bytes(4, HEADERS),
        Bound::bytes(5, BODIES),
    ]
}
