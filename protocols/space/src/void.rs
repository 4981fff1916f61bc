//! Why something does not count.

use weft_credential::{Malformed, Role};

/// Why a credential or a data entry does not count. Every reason is shown to people. Spec: SPACE-3.4.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VoidReason {
    /// The entry says nothing that can be read.
    #[error("malformed: {0}")]
    Malformed(#[from] Malformed),
    /// A genesis anywhere but in entry 0 of the feed that the space id names.
    #[error("a second genesis")]
    SecondGenesis,
    /// The feed that carries it was not admitted when it was written, or its admission does not count.
    #[error("written in a feed that is not admitted")]
    FeedNotAdmitted,
    /// A control entry in a data feed, or data in a control feed.
    #[error("written in a feed of the other kind")]
    WrongPurpose,
    /// The author had not the right, as far as it had seen.
    #[error("the author was {} and may not do this", .had.map_or("no member", Role::word))]
    NoRight {
        /// What the author was at that position.
        had: Option<Role>,
    },
    /// It speaks for another device.
    #[error("it speaks for another device than its author's")]
    OtherDevice,
    /// It lets a device in for another identity than its author's.
    #[error("it lets a device in for another identity than its author's")]
    OtherIdentity,
    /// The device was not admitted when it was written, or its admission does not count.
    #[error("the device is not admitted")]
    UnknownDevice,
    /// The device acts for another identity already.
    #[error("the device acts for another identity")]
    DeviceTaken,
    /// The device has another feed of this purpose and generation.
    #[error("a second feed of one device, purpose and generation")]
    SecondFeed,
    /// The device has set a later pre-key already.
    #[error("an older pre-key than the device has set")]
    OldPreKey,
    /// A pre-key or recovery key that its owner has not published.
    #[error("sealed to a key that its recipient has not published")]
    UnknownKey,
    /// A pre-key or recovery key of small order: what is sealed to it anybody opens.
    #[error("nothing can be sealed to this key")]
    UnusableKey,
    /// A lockbox for a device or identity that was not admitted as far as its author had seen: a violation of its author.
    #[error("a lockbox for one who is not admitted")]
    LockboxForStranger,
    /// The epoch was not begun when it was written, or nobody had the right to.
    #[error("the epoch is not known")]
    UnknownEpoch,
    /// The invitation was not issued when it was redeemed, or its issue does not count.
    #[error("the invitation is not known")]
    UnknownInvitation,
    /// The newcomer named another host than the one who wrote it down.
    #[error("redeemed at another host than the newcomer named")]
    OtherHost,
    /// Others redeemed it before, as often as it may be.
    #[error("the invitation was used up by earlier redemptions")]
    UsedUp,
    /// The invitation was revoked, or whoever issued it may not grant its role any more.
    #[error("the invitation was revoked")]
    Revoked,
    /// The entry lies past the cut of a removal, of a closed feed, or of whatever else ended its feed.
    #[error("past entry {stands}, up to which the feed stands")]
    PastCut {
        /// How many entries of the feed stand.
        stands: u64,
    },
    /// The device, or one in the chain by which it comes, was removed before: who comes back comes with new keys.
    #[error("the device was removed before")]
    DeviceEnded,
    /// Whoever it is about stands at least as high as the author: it waits for seals.
    #[error("proposed: it is about somebody who stands as high or higher, and waits for seals")]
    Outranked,
    /// Whoever it is about is no member as far as the author had seen.
    #[error("it is about one who is no member there")]
    NoMember,
    /// The space would have no owner.
    #[error("the space would have no owner")]
    LastOwner,
    /// What it speaks of is not known, or does not count.
    #[error("it speaks of something that is not known or does not count")]
    UnknownAct,
    /// The part names later rules than the space goes by.
    #[error("written by rules version {found}, which the space does not go by")]
    LaterRules {
        /// The version named.
        found: u32,
    },
    /// The space goes by these rules or later ones already.
    #[error("the space goes by rules version {goes_by} already")]
    OldRules {
        /// The space's version.
        goes_by: u32,
    },
    /// Beyond what one who does not administer may have: entries of a control feed, devices, seals.
    #[error("more than one may have")]
    TooMany,
    /// The entry's past lacks what it rests on: its feed's admission.
    #[error("its past does not hold what it rests on")]
    NotClosed,
    /// A mutation or record without an epoch.
    #[error("sealed under no epoch")]
    NotSealed,
}
