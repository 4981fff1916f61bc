//! What an application can ask of a peer, and what it gets back.

use bytes::Bytes;
use weft_credential::{History, Role};
use weft_crypto::{
    DeviceId, EntryId, EpochId, FeedId, IdentityId, InvitationId, InvitationKeyId, ObjectId, Purpose, SpaceId,
};
use weft_echo::Edit;
use weft_invitation::{
    Link,
    device::{DeviceLink, Welcome},
};
use weft_space::Place;

use crate::{
    devices::status::{DeviceInfo, DeviceLinkStatus, DeviceRemoval},
    invitations::{InvitationStatus, NewLink},
    status::Status,
};

/// What the application asks for.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one for each request of an application: not worth a box")]
pub enum Command {
    /// Make a space and become its owner. Answered when it is durable and its name is written.
    CreateSpace {
        /// What people call it; at most 128 bytes.
        name: String,
    },
    /// Delete a space from this device: its keys, entries and rows. What other devices hold stays there. Answered when it is durable.
    DeleteSpace {
        /// The space.
        space: SpaceId,
    },
    /// Issue a link. Devices of members who may grant its role host it.
    Invite(NewLink),
    /// The invitations of a space, and who waits at this device to be approved.
    Invitations {
        /// The space.
        space: SpaceId,
    },
    /// Take an invitation back. Who redeemed it stays. Answered when it is durable here.
    RevokeInvitation {
        /// The space.
        space: SpaceId,
        /// The invitation.
        invitation: InvitationId,
    },
    /// Let a newcomer in that waits at this device. Answered when its membership is durable here; it hears so when it asks next.
    ApproveNewcomer {
        /// The space.
        space: SpaceId,
        /// The invitation.
        invitation: InvitationId,
        /// Its device.
        newcomer: DeviceId,
    },
    /// Turn a newcomer away that waits at this device.
    DenyNewcomer {
        /// The space.
        space: SpaceId,
        /// The invitation.
        invitation: InvitationId,
        /// Its device.
        newcomer: DeviceId,
    },
    /// Redeem a link. Answered when its hosts have said that a person has to approve first, or when membership is durable here and the epoch is open; the data comes later.
    Join {
        /// The link.
        link: Link,
    },
    /// Write records into this device's data feed. Answered when they are durable here.
    Append {
        /// The space.
        space: SpaceId,
        /// One entry each; each at most [`crate::Config::record_bytes_max`].
        records: Vec<Bytes>,
    },
    /// Change an object. Answered when the change is durable here and can be read.
    Edit {
        /// The space.
        space: SpaceId,
        /// The change.
        edit: Edit,
    },
    /// Hand out a session: a document instance of an application, such as a browser tab, is about to edit. Answered when
    /// the number is durably taken.
    OpenSession {
        /// The space.
        space: SpaceId,
    },
    /// Make sure that a session was handed out to whoever shows this key.
    CheckSession {
        /// The space.
        space: SpaceId,
        /// The session.
        session: u64,
        /// Its key.
        key: SessionKey,
    },
    /// Write what a document instance has done. Answered when it is durable here and can be read.
    Update {
        /// The space.
        space: SpaceId,
        /// The object.
        object: ObjectId,
        /// The session.
        session: u64,
        /// Its key.
        key: SessionKey,
        /// A Yjs v1 update (ECHO-7.7).
        update: Bytes,
    },
    /// Tell the documents of connected members something of one here, which nobody keeps. Answered when it was handed on;
    /// whoever is not connected never hears it.
    Say {
        /// The space.
        space: SpaceId,
        /// The object that the document shows.
        object: ObjectId,
        /// Its session.
        session: u64,
        /// What it says of itself, at most 1,024 bytes.
        state: Bytes,
    },
    /// Keep what cannot be written while the ends of the own feeds are not known (`end_unknown`). Answered when it is durable here.
    KeepDraft {
        /// The space.
        space: SpaceId,
        /// The draft that it replaces; none for a new one.
        number: Option<u64>,
        /// What the application understands; at most [`crate::Config::kept_draft_bytes_max`] together.
        content: Bytes,
    },
    /// The drafts of a space.
    Drafts {
        /// The space.
        space: SpaceId,
    },
    /// Take a draft away: it is written, or not wanted any more.
    DropDraft {
        /// The space.
        space: SpaceId,
        /// The draft.
        number: u64,
    },
    /// Make a link by which another device becomes one of this identity's, once. With the first one the identity gets its home.
    LinkDevice {
        /// When this device stops accepting it, in milliseconds since 1970.
        expires_ms: u64,
        /// Where the other device finds this one, as multiaddresses.
        addresses: Vec<String>,
    },
    /// The links for devices that this one made and that are still good, or were used.
    DeviceLinks,
    /// Take back every link for a device that was not used. Answered when that is durable.
    CancelDeviceLinks,
    /// Use such a link on this device, which is in no space yet. Answered with what makes it a device of the identity: its driver keeps
    /// that, and opens the peer anew with it.
    JoinAsDevice {
        /// The link.
        link: DeviceLink,
        /// What this device is called; at most 128 bytes.
        name: String,
    },
    /// The devices of this identity.
    Devices,
    /// What this member calls itself in spaces that it enters from now on, and in those where it has not said so yet. Its driver keeps it.
    SetName {
        /// At most 128 bytes.
        name: String,
    },
    /// Give this device a name, which the others hear.
    NameDevice {
        /// At most 128 bytes.
        name: String,
    },
    /// What removing a device of this identity would do. Nothing is done.
    ForeseeMyDeviceRemoval {
        /// Which.
        device: DeviceId,
    },
    /// Remove a device of this identity: from every space where this one may, now and later, and from home.
    RemoveMyDevice {
        /// Which.
        device: DeviceId,
    },
    /// What is going on.
    Status,
    /// Who belongs to the space.
    Members {
        /// The space.
        space: SpaceId,
    },
    /// Change who belongs to the space, or as what. Answered when it is durable here.
    Act {
        /// The space.
        space: SpaceId,
        /// The change.
        act: Act,
    },
    /// What a change of who belongs to the space would do now. Nothing is written.
    Foresee {
        /// The space.
        space: SpaceId,
        /// The change.
        act: Act,
    },
    /// Which devices have heard of the newest change of who belongs to the space.
    Acknowledgements {
        /// The space.
        space: SpaceId,
    },
    /// What is held past where feeds stand, and by which acts.
    Quarantine {
        /// The space.
        space: SpaceId,
    },
    /// The feeds of the space.
    Feeds {
        /// The space.
        space: SpaceId,
    },
    /// Open records of a feed: those among the next `entries_max` entries from `from`.
    Records {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// The first entry to look at.
        from: u64,
        /// How many entries to look at.
        entries_max: u64,
    },
    /// Drop what was derived from the feeds and derive it again.
    Rebuild {
        /// The space.
        space: SpaceId,
    },
    /// Wait until what was held when the peer was opened, or is being derived again, can be read. After a crash the derived
    /// rows may lag behind the feeds for a moment, and where verdicts changed, objects are made again one by one.
    CatchUp {
        /// The space.
        space: SpaceId,
        /// What is going to be read, which then goes first; none: everything.
        object: Option<ObjectId>,
    },
}

/// A change of who belongs to a space (SPACE-11). Where it takes away that somebody reads, a new epoch begins in the same entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A member goes, with all its devices and feeds: what is held here of them stands.
    RemoveMember {
        /// Who.
        identity: IdentityId,
        /// Write it also where it counts only once more than half of those who administer stand behind it.
        propose: bool,
    },
    /// A member gets another role: what is held here of its feeds is judged by the role it had.
    SetRole {
        /// Who.
        identity: IdentityId,
        /// What it is from here on.
        role: Role,
        /// As for a removal.
        propose: bool,
    },
    /// A device goes, for good: what is held here of its feeds stands.
    RemoveDevice {
        /// Which.
        device: DeviceId,
    },
    /// This identity leaves, with all its devices. The epoch that keeps it out is begun by those who stay.
    Leave,
    /// What those who join from here on may read of the time before they came.
    SetPolicy {
        /// The policy.
        history: History,
    },
    /// This identity stands behind a removal or a role that is proposed.
    Seal {
        /// Where that is said.
        act: Place,
    },
    /// All that is held here of feeds which an act has cut stands.
    RaiseCut {
        /// Where the act is said.
        act: Place,
        /// Which feeds; none: all that it has cut.
        feeds: Vec<FeedId>,
    },
}

/// Shows that a session was handed out to whoever holds it: two tabs that name one session are told apart by it.
pub type SessionKey = [u8; 16];

/// What came of a command.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Command::CreateSpace`].
    SpaceCreated {
        /// The new space.
        space: SpaceId,
    },
    /// To [`Command::DeleteSpace`].
    SpaceDeleted,
    /// To [`Command::Invite`].
    Invited {
        /// `weft-invite:…`.
        link: String,
        /// The invitation's id.
        invitation: InvitationId,
        /// The devices that the link names, this one first.
        hosts: Vec<DeviceId>,
    },
    /// To [`Command::Invitations`].
    Invitations(Vec<InvitationStatus>),
    /// To [`Command::RevokeInvitation`].
    InvitationRevoked {
        /// How many redeemed it before and stay.
        standing: u32,
    },
    /// To [`Command::ApproveNewcomer`].
    NewcomerApproved,
    /// To [`Command::DenyNewcomer`].
    NewcomerDenied,
    /// To [`Command::Join`], when a person has to approve first. The redemption is kept, here and there: the same command asks again.
    JoinWaits {
        /// The space.
        space: SpaceId,
        /// What the link says the space is called.
        space_name: String,
        /// What both people can read to one another. Spec: INVITATION-7.2
        digits: String,
    },
    /// To [`Command::Join`].
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
    /// To [`Command::Append`].
    Appended {
        /// This device's data feed.
        feed: FeedId,
        /// The sequence number of the first record.
        from: u64,
        /// How many there are.
        count: u64,
    },
    /// To [`Command::Edit`].
    Edited {
        /// The object.
        object: ObjectId,
    },
    /// To [`Command::OpenSession`] and [`Command::CheckSession`].
    Session {
        /// Its number in this device's data feed of the space.
        session: u64,
        /// The client id that its Yjs documents have (ECHO-1.2).
        client: u64,
        /// What its holder shows.
        key: SessionKey,
    },
    /// To [`Command::Update`].
    Updated {
        /// Its last entry in this device's data feed.
        seq: u64,
    },
    /// To [`Command::Say`].
    Said,
    /// To [`Command::KeepDraft`].
    DraftKept {
        /// Its number in the space.
        number: u64,
    },
    /// To [`Command::Drafts`].
    Drafts {
        /// Number and content, in the order in which they were kept.
        drafts: Vec<(u64, Bytes)>,
        /// Whether the ends of the own feeds are known, so that they can be appended.
        ends_known: bool,
    },
    /// To [`Command::DropDraft`].
    DraftDropped,
    /// To [`Command::LinkDevice`].
    DeviceLink {
        /// `weft-device:…`.
        link: String,
        /// By which it is listed.
        id: InvitationKeyId,
    },
    /// To [`Command::DeviceLinks`].
    DeviceLinks(Vec<DeviceLinkStatus>),
    /// To [`Command::CancelDeviceLinks`].
    DeviceLinksCancelled {
        /// How many there were.
        links: usize,
    },
    /// To [`Command::JoinAsDevice`].
    JoinedAsDevice {
        /// For whom this device acts, and how it shows that.
        welcome: Box<Welcome>,
        /// The device that made the link.
        host: DeviceId,
        /// Where it was found.
        addresses: Vec<String>,
    },
    /// To [`Command::Devices`].
    Devices(Vec<DeviceInfo>),
    /// To [`Command::SetName`].
    NameSet,
    /// To [`Command::NameDevice`].
    DeviceNamed,
    /// To [`Command::RemoveMyDevice`] and [`Command::ForeseeMyDeviceRemoval`].
    MyDeviceRemoved(DeviceRemoval),
    /// To [`Command::Status`].
    Status(Status),
    /// To [`Command::Members`].
    Members(Vec<MemberStatus>),
    /// To [`Command::Act`].
    Acted(Acted),
    /// To [`Command::Foresee`].
    Foreseen(Foreseen),
    /// To [`Command::Acknowledgements`].
    Acknowledgements(Vec<Acknowledgement>),
    /// To [`Command::Quarantine`].
    Quarantine(Vec<QuarantinedFeed>),
    /// To [`Command::Feeds`].
    Feeds(Vec<FeedStatus>),
    /// To [`Command::Records`].
    Records {
        /// Sequence number and plaintext.
        records: Vec<(u64, Bytes)>,
        /// Where to go on reading.
        next: u64,
    },
    /// To [`Command::Rebuild`].
    Rebuilt {
        /// Data entries that were replayed.
        entries: u64,
    },
    /// To [`Command::CatchUp`].
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
/// [`Act::RaiseCut`] lets them stand.
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
    /// Where it is said: what [`Act::RaiseCut`] names.
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

/// What sort of refusal it is; a command line makes its exit code of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The thing named does not exist here.
    NotFound,
    /// A rule says no.
    Refused,
    /// It was tried and did not work.
    Failed,
    /// It took too long.
    TimedOut,
    /// The store did not keep it.
    Store,
}

/// Why a command was not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// A stable name for programs, snake_case.
    pub code: &'static str,
    /// What sort of refusal it is.
    pub kind: RefusalKind,
    /// What happened and why.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Refusal {
    /// A refusal in four parts.
    #[must_use]
    pub fn new(kind: RefusalKind, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Refusal {
        Refusal { code, kind, message: message.into(), hint: hint.into() }
    }
}
