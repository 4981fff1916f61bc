//! What counts, as the pass over the entries has found it.
//!
//! Every fact keeps *all* the places where it was said with the right to say it: who copies a statement into another entry
//! must not be able to move it out of somebody's past.

use std::collections::BTreeMap;

use weft_credential::{Genesis, Lockbox, Role};
use weft_crypto::{
    DeviceId, EpochId, FeedId, IdentityId, InvitationId, Manifest, PreKeyId, Purpose,
    lockbox::{Commitments, Recipient},
};

use crate::{
    WriteStop,
    entry::{Place, Position},
    void::VoidReason,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) genesis: Option<Genesis>,
    pub(crate) members: BTreeMap<IdentityId, MemberFacts>,
    pub(crate) devices: BTreeMap<DeviceId, DeviceFacts>,
    pub(crate) feeds: BTreeMap<FeedId, FeedFacts>,
    /// Which feed a device opened first for a purpose and generation.
    pub(crate) generations: BTreeMap<(DeviceId, bool, u64), FeedId>,
    pub(crate) invitations: BTreeMap<InvitationId, InvitationFacts>,
    pub(crate) epochs: BTreeMap<EpochId, EpochFacts>,
    pub(crate) void: BTreeMap<Place, VoidReason>,
    pub(crate) stop: Option<WriteStop>,
}

/// A role that somebody was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) place: Place,
    pub(crate) role: Role,
    /// Who issued the invitation; none for the founder.
    pub(crate) by: Option<IdentityId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MemberFacts {
    pub(crate) grants: Vec<Grant>,
    pub(crate) recovery: Vec<(Place, PreKeyId)>,
}

impl MemberFacts {
    /// The most it was given, of what `position` has seen.
    pub(crate) fn role(&self, position: Option<&Position<'_>>) -> Option<Role> {
        let seen = |grant: &&Grant| position.is_none_or(|position| position.has(&grant.place));
        self.grants.iter().filter(seen).map(|grant| grant.role).max()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceFacts {
    pub(crate) identity: IdentityId,
    pub(crate) places: Vec<Place>,
    pub(crate) pre_keys: Vec<(Place, u64, PreKeyId)>,
    /// The feeds that the device itself named when it came.
    pub(crate) named: Vec<FeedId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeedFacts {
    pub(crate) manifest: Manifest,
    pub(crate) identity: IdentityId,
    /// How many feeds were admitted before it, in the one order.
    pub(crate) number: u64,
    pub(crate) places: Vec<Place>,
}

/// One issue of an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) place: Place,
    pub(crate) role: Role,
    pub(crate) uses: u32,
    pub(crate) expires_ms: u64,
    pub(crate) issuer: IdentityId,
    pub(crate) device: DeviceId,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InvitationFacts {
    pub(crate) issues: Vec<Issue>,
    pub(crate) redemptions: Vec<(Place, IdentityId, DeviceId)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EpochFacts {
    pub(crate) commitments: Commitments,
    pub(crate) parents: Vec<EpochId>,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) depth: u64,
    pub(crate) places: Vec<Place>,
    /// For each place the devices that were current as far as its author had seen.
    pub(crate) expected: Vec<Vec<DeviceId>>,
    pub(crate) lockboxes: Vec<Lockbox>,
}

impl Facts {
    /// The role of an identity as far as `position` has seen.
    pub(crate) fn role(&self, identity: &IdentityId, position: Option<&Position<'_>>) -> Option<Role> {
        self.members.get(identity)?.role(position)
    }

    /// The key by which a device's feeds of one purpose and generation contend.
    pub(crate) fn generation(manifest: &Manifest) -> (DeviceId, bool, u64) {
        let control = manifest.purpose == Purpose::Control;
        (manifest.device, control, manifest.generation)
    }
}
