//! Bounds of `specs/proto/invitation.proto`.

use super::{BODIES, CARRIED, CHAIN, DEVICE_STATEMENT, HASH, HEAD, HEADERS, NAME, SIGNATURE, SIGNED_MANIFEST, bounded};
use crate::{
    Bound,
    invitation::{Accepted, Begin, Challenge, Enter, Part, Prove, Redeem, Refused, Sibling, Spaces, Waiting, Welcome},
};

/// Devices that a link names.
const HOSTS: u32 = 4;
/// Addresses that a link names.
const ADDRESSES: u32 = 16;
/// One multiaddress.
const ADDRESS: u32 = 256;
/// Spaces that a sibling tells of.
const SPACES: u32 = 1024;
/// A device that is linked: what it says and its signature.
const LINKED: u32 = 3 << 10;
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
        Bound::message(7, Waiting::BOUNDS).alternative(),
    ]
    Begin [Bound::u32(1), Bound::bytes(2, HASH)]
    Challenge [Bound::bytes(1, HASH)]
    Redeem [Bound::bytes(1, SIGNATURE), Bound::bytes(2, REDEMPTION)]
    Refused [Bound::u32(1)]
    Waiting []
    Accepted [Bound::u32(1), Bound::u64(2)]
    Part [
        Bound::bytes(1, SIGNED_MANIFEST), Bound::u64(2), Bound::bytes(3, HEAD), Bound::bytes(4, HEADERS),
        Bound::bytes(5, BODIES),
    ]
    DeviceLink [
        Bound::u32(1), Bound::bytes(2, HASH), Bound::bytes(3, HASH), Bound::bytes(4, HASH),
        Bound::bytes(5, ADDRESS).times(ADDRESSES),
    ]
    DeviceFrame [
        Bound::message(1, Begin::BOUNDS).alternative(), Bound::message(2, Challenge::BOUNDS).alternative(),
        Bound::message(3, Prove::BOUNDS).alternative(), Bound::message(4, Refused::BOUNDS).alternative(),
        Bound::message(5, Welcome::BOUNDS).alternative(), Bound::message(6, Sibling::BOUNDS).alternative(),
        Bound::message(7, Spaces::BOUNDS).alternative(), Bound::message(8, Enter::BOUNDS).alternative(),
        Bound::message(9, Accepted::BOUNDS).alternative(), Bound::message(10, Part::BOUNDS).alternative(),
    ]
    Prove [Bound::bytes(1, HASH), Bound::bytes(2, SIGNATURE), Bound::bytes(3, NAME)]
    Welcome [
        Bound::bytes(1, CARRIED), Bound::bytes(2, CARRIED), Bound::bytes(3, DEVICE_STATEMENT).times(CHAIN),
        Bound::bytes(4, HASH), Bound::bytes(5, NAME),
    ]
    Sibling [Bound::u32(1), Bound::bytes(2, NAME)]
    Spaces [Bound::bytes(1, HASH).times(SPACES).at_least(HASH)]
    Enter [Bound::bytes(1, LINKED)]
}
