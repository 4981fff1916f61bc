//! Bounds of `specs/proto/credential.proto`.

use super::{BODY, CARRIED, CHAIN, DEVICE_STATEMENT, HASH, MANIFEST, SIGNATURE, SIGNED_MANIFEST, bounded};
use crate::{
    Bound, Bounded,
    credential::{Cut, Lockbox, Recipient},
};

/// Parts of one control entry.
const CREDENTIALS: u32 = 1024;
/// Recipients and lockboxes of one epoch entry; more lockboxes follow as `LockboxAdded`.
const RECIPIENTS: u32 = 4096;
/// Epochs that one epoch follows.
const PARENTS: u32 = 64;
/// Feeds that one removal cuts: two generations of both feeds of 32 devices, and room.
const CUTS: u32 = 4096;
/// Redemptions that stand when an invitation is revoked.
const STANDING: u32 = 16_384;
/// A lockbox's sealed part: two secrets and a tag, and room for a longer form.
const SEALED: u32 = 256;
/// A statement of fixed fields (genesis).
const STATEMENT: u32 = 1024;
/// A redemption: two root statements, two manifests and keys.
const REDEMPTION: u32 = 8 << 10;
/// What a device says of itself when it is linked: two manifests and keys.
const LINKED: u32 = 2 << 10;
/// A fork proof.
const FORK_PROOF: u32 = 256 << 10;

const CUT: Bound = Bound::message(2, Cut::BOUNDS).times(CUTS).at_least(34);

bounded! { "weft.credential.v1", credential:
    ControlBody [Bound::bytes(1, BODY).times(CREDENTIALS)]
    Credential [Bound::bytes(1, HASH), Bound::u32(2), Bound::u32(3), Bound::bool(4), Bound::bytes(5, BODY)]
    SpaceGenesis [
        Bound::bytes(1, STATEMENT), Bound::bytes(2, SIGNATURE), Bound::bytes(3, DEVICE_STATEMENT).times(CHAIN),
    ]
    GenesisStatement [
        Bound::u32(1), Bound::bytes(2, HASH), Bound::u32(3), Bound::u32(4), Bound::bytes(5, HASH),
        Bound::bytes(6, HASH), Bound::bytes(7, HASH),
    ]
    RootStatementCarried [Bound::bytes(1, BODY), Bound::bytes(2, SIGNATURE)]
    RootStatement [
        Bound::u32(1), Bound::bytes(2, HASH), Bound::bytes(3, HASH), Bound::u64(4), Bound::bytes(5, HASH),
        Bound::bytes(6, HASH), Bound::u32(7), Bound::bytes(8, BODY),
    ]
    DeviceAdmitted [Bound::bytes(1, HASH)]
    RecoveryKeySet [Bound::bytes(1, HASH)]
    DeviceStatementSigned [Bound::bytes(1, DEVICE_STATEMENT), Bound::bytes(2, SIGNATURE)]
    DeviceStatement [Bound::u32(1), Bound::bytes(2, HASH), Bound::bytes(3, HASH), Bound::bytes(4, HASH)]
    RootDeviceRemoved [Bound::bytes(1, HASH), CUT, Bound::bool(3)]
    FeedAdmitted [Bound::bytes(1, SIGNED_MANIFEST)]
    PreKeySet [Bound::bytes(1, HASH), Bound::u64(2), Bound::bytes(3, HASH)]
    EpochStarted [
        Bound::bytes(1, BODY), Bound::message(2, Lockbox::BOUNDS).times(RECIPIENTS).at_least(100),
        Bound::bytes(3, BODY), Bound::bytes(4, BODY), Bound::bytes(5, HASH), Bound::bytes(6, 48 * RECIPIENTS),
    ]
    EpochStatement [
        Bound::bytes(1, HASH), Bound::bytes(2, HASH), Bound::bytes(3, HASH).times(PARENTS),
        Bound::message(4, Recipient::BOUNDS).times(RECIPIENTS).at_least(68), Bound::bytes(5, 16 * RECIPIENTS),
    ]
    Recipient [Bound::u32(1), Bound::bytes(2, HASH), Bound::bytes(3, HASH)]
    Lockbox [
        Bound::bytes(1, HASH), Bound::u32(2), Bound::bytes(3, HASH), Bound::bytes(4, HASH), Bound::bytes(5, HASH),
        Bound::bytes(6, SEALED),
    ]
    InvitationIssued [Bound::bytes(1, HASH), Bound::u32(2), Bound::u32(3), Bound::u64(4), Bound::bool(5)]
    InvitationRedeemed [Bound::bytes(1, REDEMPTION), Bound::bytes(2, SIGNATURE), Bound::bytes(3, SIGNATURE)]
    RedemptionStatement [
        Bound::bytes(1, HASH), Bound::bytes(2, HASH), Bound::bytes(3, HASH), Bound::bytes(4, CARRIED),
        Bound::bytes(5, CARRIED), Bound::bytes(6, HASH), Bound::bytes(7, HASH), Bound::bytes(8, SIGNED_MANIFEST),
        Bound::bytes(9, SIGNED_MANIFEST), Bound::bytes(10, HASH), Bound::bytes(11, DEVICE_STATEMENT).times(CHAIN),
    ]
    LockboxAdded [Bound::message(1, Lockbox::BOUNDS)]
    Cut [Bound::bytes(1, HASH), Bound::u64(2), Bound::bytes(3, HASH)]
    MemberRemoved [Bound::bytes(1, HASH), CUT]
    DeviceRemoved [Bound::bytes(1, HASH), CUT]
    MemberRoleChanged [
        Bound::bytes(1, HASH), Bound::u32(2), Bound::message(3, Cut::BOUNDS).times(CUTS).at_least(34),
    ]
    FeedClosed [Bound::message(1, Cut::BOUNDS)]
    InvitationRevoked [Bound::bytes(1, HASH), Bound::bytes(2, HASH).times(STANDING).at_least(HASH)]
    CutRaised [Bound::bytes(1, HASH), CUT, Bound::u32(3)]
    ForkProven [Bound::bytes(1, FORK_PROOF), Bound::bytes(2, MANIFEST), Bound::u32(3)]
    RulesChanged [Bound::u32(1)]
    LockboxRefused [Bound::bytes(1, HASH), Bound::bytes(2, HASH)]
    EntryErased [Bound::bytes(1, HASH), Bound::u64(2), Bound::bytes(3, HASH)]
    Seal [Bound::bytes(1, HASH), Bound::u32(2)]
    DeviceLinked [Bound::bytes(1, LINKED), Bound::bytes(2, SIGNATURE)]
    DeviceLinkedStatement [
        Bound::bytes(1, HASH), Bound::bytes(2, HASH), Bound::bytes(3, HASH), Bound::bytes(4, HASH),
        Bound::bytes(5, SIGNED_MANIFEST), Bound::bytes(6, SIGNED_MANIFEST), Bound::bytes(7, HASH),
    ]
    PolicyChanged [Bound::u32(1)]
}
