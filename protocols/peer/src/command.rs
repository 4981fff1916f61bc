//! What an application can ask of a peer, and what it gets back.

mod answer;
mod refusal;

use bytes::Bytes;
use weft_credential::{History, Role};
use weft_crypto::{DeviceId, FeedId, IdentityId, InvitationId, ObjectId, SpaceId};
use weft_echo::Edit;
use weft_invitation::{Link, device::DeviceLink};
use weft_space::Place;

pub use answer::{Acknowledgement, Acted, Answer, CuttingAct, FeedStatus, Foreseen, MemberStatus, QuarantinedFeed};
pub use refusal::{Refusal, RefusalKind};

use crate::invitations::NewLink;

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
