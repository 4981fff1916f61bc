//! What came of a command.

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{
    DeviceId, EntryId, EpochId, FeedId, IdentityId, InvitationId, InvitationKeyId, ObjectId, Purpose, SpaceId,
};
use weft_invitation::device::Welcome;
use weft_space::Place;

use super::{Refusal, SessionKey};
use crate::{
    devices::status::{DeviceInfo, DeviceLinkStatus, DeviceRemoval},
    invitations::InvitationStatus,
    status::Status,
};

/// What came of a command.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Command::CreateSpace`](super::Command::CreateSpace).
    SpaceCreated {
        /// The new space.
        space: SpaceId,
    },
    /// To [`Command::DeleteSpace`](super::Command::DeleteSpace).
    SpaceDeleted,
    /// To [`Command::Invite`](super::Command::Invite).
    Invited {
        /// `weft-invite:…`.
        link: String,
        /// The invitation's id.
        invitation: InvitationId,
        /// The devices that the link names, this one first.
        hosts: Vec<DeviceId>,
    },
    /// To [`Command::Invitations`](super::Command::Invitations).
    Invitations(Vec<InvitationStatus>),
    /// To [`Command::RevokeInvitation`](super::Command::RevokeInvitation).
    InvitationRevoked {
        /// How many redeemed it before and stay.
        standing: u32,
    },
    /// To [`Command::ApproveNewcomer`](super::Command::ApproveNewcomer).
    NewcomerApproved,
    /// To [`Command::DenyNewcomer`](super::Command::DenyNewcomer).
    NewcomerDenied,
    /// To [`Command::Join`](super::Command::Join), when a person has to approve first. The redemption is kept, here and there: the same command asks again.
    JoinWaits {
        /// The space.
        space: SpaceId,
        /// What the link says the space is called.
        space_name: String,
        /// What both people can read to one another. Spec: INVITATION-7.2
        digits: String,
    },
    /// To [`Command::Join`](super::Command::Join).
    Joined {
        /// The space.
        space: SpaceId,
        /// What this identity is there.
        role: Role,
        /// Who issued the link.
        inviter: IdentityId,
        /// What the link says the space is called.
        space_name: String,
    },
    /// To [`Command::Append`](super::Command::Append).
    Appended {
        /// This device's data feed.
        feed: FeedId,
        /// The sequence number of the first record.
        from: u64,
        /// How many there are.
        count: u64,
    },
    /// To [`Command::Edit`](super::Command::Edit).
    Edited {
        /// The object.
        object: ObjectId,
    },
    /// To [`Command::OpenSession`](super::Command::OpenSession) and [`Command::CheckSession`](super::Command::CheckSession).
    Session {
        /// Its number in this device's data feed of the space.
        session: u64,
        /// The client id that its Yjs documents have (ECHO-1.2).
        client: u64,
        /// What its holder shows.
        key: SessionKey,
    },
    /// To [`Command::Update`](super::Command::Update).
    Updated {
        /// Its last entry in this device's data feed.
        seq: u64,
    },
    /// To [`Command::Say`](super::Command::Say).
    Said,
    /// To [`Command::KeepDraft`](super::Command::KeepDraft).
    DraftKept {
        /// Its number in the space.
        number: u64,
    },
    /// To [`Command::Drafts`](super::Command::Drafts).
    Drafts {
        /// Number and content, in the order in which they were kept.
        drafts: Vec<(u64, Bytes)>,
        /// Whether the ends of the own feeds are known, so that they can be appended.
        ends_known: bool,
    },
    /// To [`Command::DropDraft`](super::Command::DropDraft).
    DraftDropped,
    /// To [`Command::LinkDevice`](super::Command::LinkDevice).
    DeviceLink {
        /// `weft-device:…`.
        link: String,
        /// By which it is listed.
        id: InvitationKeyId,
    },
    /// To [`Command::DeviceLinks`](super::Command::DeviceLinks).
    DeviceLinks(Vec<DeviceLinkStatus>),
    /// To [`Command::CancelDeviceLinks`](super::Command::CancelDeviceLinks).
    DeviceLinksCancelled {
        /// How many there were.
        links: usize,
    },
    /// To [`Command::JoinAsDevice`](super::Command::JoinAsDevice).
    JoinedAsDevice {
        /// For whom this device acts, and how it shows that.
        welcome: Box<Welcome>,
        /// The device that made the link.
        host: DeviceId,
        /// Where it was found.
        addresses: Vec<String>,
    },
    /// To [`Command::Devices`](super::Command::Devices).
    Devices(Vec<DeviceInfo>),
    /// To [`Command::SetName`](super::Command::SetName).
    NameSet,
    /// To [`Command::NameDevice`](super::Command::NameDevice).
    DeviceNamed,
    /// To [`Command::RemoveMyDevice`](super::Command::RemoveMyDevice) and [`Command::ForeseeMyDeviceRemoval`](super::Command::ForeseeMyDeviceRemoval).
    MyDeviceRemoved(DeviceRemoval),
    /// To [`Command::Status`](super::Command::Status).
    Status(Status),
    /// To [`Command::Members`](super::Command::Members).
    Members(Vec<MemberStatus>),
    /// To [`Command::Act`](super::Command::Act).
    Acted(Acted),
    /// To [`Command::Foresee`](super::Command::Foresee).
    Foreseen(Foreseen),
    /// To [`Command::Acknowledgements`](super::Command::Acknowledgements).
    Acknowledgements(Vec<Acknowledgement>),
    /// To [`Command::Quarantine`](super::Command::Quarantine).
    Quarantine(Vec<QuarantinedFeed>),
    /// To [`Command::Feeds`](super::Command::Feeds).
    Feeds(Vec<FeedStatus>),
    /// To [`Command::Records`](super::Command::Records).
    Records {
        /// Sequence number and plaintext.
        records: Vec<(u64, Bytes)>,
        /// Where to go on reading.
        next: u64,
    },
    /// To [`Command::Rebuild`](super::Command::Rebuild).
    Rebuilt {
        /// Data entries that were replayed.
        entries: u64,
    },
    /// To [`Command::CatchUp`](super::Command::CatchUp).
    CaughtUp,
}

/// What was written into this device's control feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    /// Where it is said. Later seals and raised cuts name it so.
    pub act: Place,
    /// Whether it counts already; else it waits for seals.
    pub counts: bool,
    /// The epoch that it began, if it did.
    pub epoch: Option<EpochId>,
}

/// What an act would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// Why it would be refused, if so.
    pub refusal: Option<Refusal>,
    /// Whether it would count at once; else it would wait for seals.
    pub counts: bool,
    /// Entries of whom it cuts that connected peers claim to hold and this device does not: they would be hidden.
    pub not_held: u64,
    /// Entries of whom it cuts that are held here and wait for others: they stand, and are not shown yet.
    pub waiting: u64,
}

/// Whether a device has heard of the newest change of who belongs to the space: of an act, or of the epoch that began with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The device.
    pub device: DeviceId,
    /// For whom it acts.
    pub identity: IdentityId,
    /// Whether an entry of it that is held here, or the one that let it in, has the change in its past, or it is connected and says that it
    /// holds the change.
    pub acknowledged: bool,
}

/// A feed of which entries are held past a cut and do not count: its author's right to write it ended there. They are kept, and
/// [`Act::RaiseCut`](super::Act::RaiseCut) lets them stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedFeed {
    /// The feed.
    pub feed: FeedId,
    /// The device that wrote it.
    pub device: DeviceId,
    /// For whom.
    pub identity: IdentityId,
    /// What is in it.
    pub purpose: Purpose,
    /// The first entry that does not stand.
    pub from: u64,
    /// The first that is not held.
    pub until: u64,
    /// Their bytes, headers and bodies, as if all entries of the feed were of one size.
    pub bytes: u64,
    /// Whether more was offered than is taken.
    pub full: bool,
    /// What has cut it.
    pub acts: Vec<CuttingAct>,
}

/// An act that has cut a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CuttingAct {
    /// Where it is said: what [`Act::RaiseCut`](super::Act::RaiseCut) names.
    pub act: Place,
    /// The entry there.
    pub entry: EntryId,
    /// `member_removed`, `role_changed`, `device_removed` or `feed_closed`.
    pub kind: &'static str,
    /// Who says so, if its feed is known.
    pub author: Option<IdentityId>,
}

/// A member of a space.
#[derive(Clone, Debug)]
pub struct MemberStatus {
    /// Its root key.
    pub identity: IdentityId,
    /// Its role.
    pub role: Role,
    /// Its devices.
    pub devices: Vec<DeviceId>,
    /// Who issued the invitation it came by; none for the founder.
    pub admitted_by: Option<IdentityId>,
    /// Whether it is the identity of this node.
    pub me: bool,
}

/// A feed of a space.
#[derive(Clone, Debug)]
pub struct FeedStatus {
    /// Its id.
    pub feed: FeedId,
    /// The device that writes it.
    pub device: DeviceId,
    /// The identity of that device.
    pub identity: Option<IdentityId>,
    /// What it carries.
    pub purpose: Purpose,
    /// Entries held.
    pub length: u64,
    /// Bytes held: headers and bodies.
    pub byte_length: u64,
    /// The root over what is held.
    pub root: [u8; 32],
    /// Entries whose causal past is here and which have been replayed.
    pub released: u64,
    /// Why nothing more is accepted, if that is so.
    pub stopped: Option<String>,
    /// Whether this node writes it.
    pub mine: bool,
}
