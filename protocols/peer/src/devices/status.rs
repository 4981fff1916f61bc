//! What a peer says of the devices of its identity, and of the links for new ones.

use weft_crypto::{DeviceId, InvitationKeyId, SpaceId};

use crate::command::Refusal;

/// A device of this identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Which.
    pub device: DeviceId,
    /// What it calls itself, as far as it has said so here.
    pub name: Option<String>,
    /// Whether it is this one.
    pub me: bool,
    /// Whether it gets this identity's spaces.
    pub sibling: bool,
    /// Whether it is connected.
    pub connected: bool,
    /// Whether this device was told to remove it.
    pub removed: bool,
    /// The spaces in which it is a current device, as far as this one holds them.
    pub spaces: Vec<SpaceId>,
    /// How many spaces it holds that this device lacks, home among them; none as long as it has not said what it holds.
    pub lacking: Option<usize>,
}

/// A link by which another device can become one of this identity's, or became it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceLinkStatus {
    /// The link's key.
    pub id: InvitationKeyId,
    /// When it is accepted no more, in milliseconds since 1970.
    pub expires_ms: u64,
    /// The device that used it.
    pub used_by: Option<DeviceId>,
}

/// What removing a device of this identity does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceRemoval {
    /// Why it goes on being a device of this identity elsewhere, if so: home is where this device may not remove it.
    pub stays: Option<Refusal>,
    /// The spaces in which it is, and why it stays there, if so.
    pub spaces: Vec<(SpaceId, Option<Refusal>)>,
}

impl DeviceRemoval {
    /// Why it can be removed nowhere, if that is so.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        let everywhere = self.spaces.iter().all(|(_, stays)| stays.is_some());
        self.stays.as_ref().filter(|_| everywhere)
    }
}
