//! What a peer tells its application unasked.

use bytes::Bytes;
use weft_crypto::{DeviceId, FeedId, InvitationId, ObjectId, SpaceId};

/// A fact for the application. Events may be dropped when nobody keeps up; state is in the status and the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A space is here: made, or joined.
    SpaceAdded {
        /// The space.
        space: SpaceId,
    },
    /// A space was deleted here.
    SpaceRemoved {
        /// The space.
        space: SpaceId,
    },
    /// A newcomer waits here until a person approves it.
    NewcomerWaits {
        /// The space.
        space: SpaceId,
        /// The invitation by which it came.
        invitation: InvitationId,
        /// Its device.
        newcomer: DeviceId,
    },
    /// More of a feed is durable here.
    Extended {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// Its length now.
        length: u64,
        /// Whether this node wrote it.
        mine: bool,
    },
    /// A connected peer says that it durably holds this much of a feed.
    PeerHolds {
        /// The peer.
        device: DeviceId,
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// The length it holds.
        length: u64,
    },
    /// An object can be read in a new state.
    ObjectChanged {
        /// The space.
        space: SpaceId,
        /// The object.
        object: ObjectId,
    },
    /// An entry's mutation was refused; the feed goes on.
    Quarantined {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// The entry.
        seq: u64,
        /// The rule that refused it.
        reason: String,
    },
    /// A document on a connected member's device says something of itself, which nobody keeps.
    Heard {
        /// The device.
        device: DeviceId,
        /// The space.
        space: SpaceId,
        /// The object that the document shows.
        object: ObjectId,
        /// Its session there.
        session: u64,
        /// What it says: any bytes of its application, at most 1,024.
        state: Bytes,
    },
    /// A device is connected.
    PeerConnected {
        /// The device.
        device: DeviceId,
    },
    /// A device is not connected any more.
    PeerDisconnected {
        /// The device.
        device: DeviceId,
    },
    /// The space became level with every connected member, or ceased to be.
    LevelChanged {
        /// The space.
        space: SpaceId,
        /// How it is now.
        level: bool,
    },
    /// A peer broke a rule and was disconnected.
    Violated {
        /// The peer.
        device: DeviceId,
        /// The rule, with its section.
        what: String,
    },
    /// An entry that is held cannot be read: what is stored of it is not what was signed. It is shown to nobody and fetched
    /// again.
    Damaged {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// The entry.
        seq: u64,
    },
    /// What was damaged is stored again as it was signed.
    Mended {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
        /// The entry that was damaged.
        seq: u64,
    },
    /// It is known where the own feeds end: what waits as a draft can be appended.
    EndsKnown {
        /// The space.
        space: SpaceId,
    },
    /// A feed is forked; it stays as it is held.
    Stopped {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
    },
    /// Of a forked feed the history that is kept is here, in the place of the one that was held.
    Replaced {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedId,
    },
}
