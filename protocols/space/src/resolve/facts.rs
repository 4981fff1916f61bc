//! What counts, as the pass over the entries has found it.
//!
//! Every fact keeps *all* the places where it was said with the right to say it: who copies a statement into another entry
//! must not be able to move it out of somebody's past.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use weft_credential::{Genesis, History, Lockbox, Role, SealedToKeys};
use weft_crypto::{
    DeviceId, EntryId, EpochId, FeedId, IdentityId, InvitationId, Manifest, PreKeyId, Purpose, SpaceId,
    lockbox::{Commitments, Recipient},
    sealed_seed::KeyName,
};
use weft_feed::Past;

use super::{
    act::{Act, Acts, Effect},
    forks::Witness,
    standing::{Standing, View},
};
use crate::{
    ControlEntry, WriteStop,
    entry::{Place, Position, Rank},
    void::VoidReason,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What takes rights away, decided before the pass.
    pub(crate) acts: Arc<Acts>,
    pub(crate) genesis: Option<Genesis>,
    /// The devices through which the founder's device came to act for the root.
    pub(crate) founded_through: Vec<DeviceId>,
    /// What newcomers may read, by every change that no other one knew of.
    pub(crate) policies: Vec<(Place, History)>,
    /// The rules version, as far as it was raised.
    pub(crate) rules: u32,
    pub(crate) members: BTreeMap<IdentityId, MemberFacts>,
    pub(crate) devices: BTreeMap<DeviceId, DeviceFacts>,
    pub(crate) feeds: BTreeMap<FeedId, FeedFacts>,
    /// Which feed a device opened first for a purpose and generation.
    pub(crate) generations: BTreeMap<(DeviceId, bool, u64), FeedId>,
    pub(crate) invitations: BTreeMap<InvitationId, InvitationFacts>,
    pub(crate) epochs: BTreeMap<EpochId, EpochFacts>,
    pub(crate) refused: BTreeMap<(EpochId, DeviceId), Refusals>,
    /// Lockboxes given, in all epochs.
    pub(crate) lockboxes: u64,
    /// Seals that a feed holds.
    pub(crate) seals: BTreeMap<FeedId, u32>,
    /// Who said what of forked feeds.
    pub(crate) witnesses: BTreeMap<FeedId, Vec<Witness>>,
    pub(crate) void: BTreeMap<Place, VoidReason>,
    pub(crate) stop: Option<WriteStop>,
}

/// A role that somebody was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) place: Place,
    pub(crate) standing: Standing,
    /// Who gave it; none for the founder.
    pub(crate) by: Option<IdentityId>,
    /// The acts on the member that were known where it was given: they do not touch it.
    pub(crate) after: Vec<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MemberFacts {
    pub(crate) grants: Vec<Grant>,
    /// With the number of the root statement that said so.
    pub(crate) recovery: Vec<(Place, u64, PreKeyId)>,
    /// How many devices were ever admitted for it.
    pub(crate) devices: u32,
}

/// Secrets of an epoch's parents, sealed under its own. Whoever copied its start may have put anything there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Access secrets.
    pub access: Bytes,
    /// Content secrets; empty where they are not handed on.
    pub content: Bytes,
}

/// Where something was admitted, and the acts on its member that were known there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    pub(crate) place: Place,
    pub(crate) after: Vec<u32>,
    /// The devices of the chain by which a device came.
    pub(crate) through: Vec<DeviceId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceFacts {
    pub(crate) identity: IdentityId,
    /// Where in the one order it was first admitted.
    pub(crate) first: (Rank, u32),
    pub(crate) admissions: Vec<Admission>,
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
    pub(crate) admissions: Vec<Admission>,
}

impl FeedFacts {
    /// Whether it was admitted as far as `position` has seen.
    pub(crate) fn is_admitted(&self, position: &Position<'_>) -> bool {
        position.has_any(self.admissions.iter().map(|admission| &admission.place))
    }
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
    /// Its place in the one order.
    pub(crate) given: (Rank, u32),
    /// How the issuer stood.
    pub(crate) standing: Standing,
    /// The acts on the issuer that were known there: they revoke nothing of it.
    pub(crate) after: Vec<u32>,
    /// Hosts ask a person before they let somebody in.
    pub(crate) approve: bool,
}

impl Issue {
    /// Whether an act by somebody else takes the right from its issuer by which it was issued. Spec: SPACE-6.3
    pub(crate) fn is_ended_by(&self, number: u32, act: &Act) -> bool {
        let takes = match act.effect {
            Effect::Removes(_) => true,
            Effect::Lowers(_, role) => !role.may_grant(self.role),
            _ => false,
        };
        takes && act.author != self.issuer && !self.after.contains(&number)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InvitationFacts {
    pub(crate) issues: Vec<Issue>,
    /// Who redeemed it, and the entries that say so: a newcomer that was let in by two hosts took one use.
    pub(crate) redemptions: BTreeMap<(IdentityId, DeviceId), Vec<EntryId>>,
}

impl InvitationFacts {
    /// Of the issues that are `seen` that whose author stood highest: nobody who stands lower puts its own in the place of
    /// another's, wherever in the order. Spec: SPACE-6
    pub(crate) fn issue(&self, seen: impl Fn(&Issue) -> bool) -> Option<&Issue> {
        let issues = self.issues.iter().rev().filter(|issue| seen(issue));
        issues.max_by_key(|issue| issue.standing)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EpochFacts {
    pub(crate) commitments: Commitments,
    pub(crate) parents: Vec<EpochId>,
    pub(crate) recipients: Vec<Recipient>,
    /// Whom it is for, where it names keys: ascending.
    pub(crate) keys: Vec<KeyName>,
    pub(crate) depth: u64,
    pub(crate) places: Vec<Place>,
    /// For each place what its author had seen: who was there to be given it.
    pub(crate) seen: Vec<Past>,
    pub(crate) lockboxes: Vec<Lockbox>,
    /// What is sealed to the keys, as each of its places has it.
    pub(crate) sealed: Vec<SealedToKeys>,
    /// Secrets of its parents, as each of its places has them sealed.
    pub(crate) earlier: Vec<Earlier>,
}

/// That a device cannot open what it was given of an epoch. Spec: SPACE-7.7
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusals {
    /// Where it said so.
    pub(crate) places: Vec<Place>,
    /// How many of these were known to whoever gave it a lockbox last.
    pub(crate) answered: usize,
}

impl Facts {
    /// The space, once its genesis is read.
    pub(crate) fn space(&self) -> Result<SpaceId, VoidReason> {
        let genesis = self.genesis.as_ref();
        Ok(genesis.ok_or(VoidReason::FeedNotAdmitted)?.space_id())
    }

    /// A device that is admitted as far as one at `position` has seen.
    pub(crate) fn device(&self, device: &DeviceId, position: &Position<'_>) -> Option<&DeviceFacts> {
        let known = self.devices.get(device);
        known.filter(|known| self.is_admitted(device, known, View::At(position)))
    }

    pub(crate) fn under(acts: Arc<Acts>) -> Self {
        Self { acts, ..Self::default() }
    }

    /// The key by which a device's feeds of one purpose and generation contend.
    pub(crate) fn generation(manifest: &Manifest) -> (DeviceId, bool, u64) {
        let control = manifest.purpose == Purpose::Control;
        (manifest.device, control, manifest.generation)
    }

    /// Whether a device is a current one of a member, as seen from somewhere. Spec: SPACE-5.2
    pub(crate) fn is_current(&self, device: &DeviceId, view: View<'_>) -> bool {
        let Some(known) = self.devices.get(device) else {
            return false;
        };
        self.is_admitted(device, known, view) && self.standing(&known.identity, view).is_some()
    }

    /// Whether a device is a current one of a member that reads. Spec: SPACE-7.3
    pub(crate) fn reads(&self, device: &DeviceId, identity: &IdentityId, view: View<'_>) -> bool {
        self.role(identity, view).is_some_and(|role| role != Role::Keeper) && self.is_current(device, view)
    }

    /// Whether a device is admitted and not removed, whatever its identity is.
    pub(crate) fn is_admitted(&self, device: &DeviceId, known: &DeviceFacts, view: View<'_>) -> bool {
        let identity = &known.identity;
        if self.acts.on_device(device, identity).any(|(_, act)| view.applies(self, act)) {
            return false;
        }
        let removals = self.acts.on_member(identity).filter(|(_, act)| matches!(act.effect, Effect::Removes(_)));
        let removals: Vec<u32> =
            removals.filter(|(_, act)| view.applies(self, act)).map(|(number, _)| number).collect();
        let mut seen = known.admissions.iter().filter(|admission| view.sees(&admission.place));
        seen.any(|admission| {
            let severed = self.severs(identity, admission).any(|act| view.applies(self, act));
            !severed && removals.iter().all(|number| admission.after.contains(number))
        })
    }

    /// The acts that take away what an admission by a chain rests on: removals of a device in it by one who did not know of the
    /// admission. Spec: SPACE-15.2
    fn severs<'a>(&'a self, identity: &'a IdentityId, admission: &'a Admission) -> impl Iterator<Item = &'a Act> {
        let acts = admission.through.iter().flat_map(|device| self.acts.on_device(device, identity));
        acts.map(|(_, act)| act).filter(|act| !act.knew(&admission.place))
    }

    /// The acts that together leave a device none of its admissions, since all came by chains that are severed.
    fn severed<'a>(&'a self, device: &'a DeviceFacts) -> Vec<&'a Act> {
        let mut acts = Vec::new();
        for admission in &device.admissions {
            let before = acts.len();
            acts.extend(self.severs(&device.identity, admission));
            if acts.len() == before {
                return Vec::new();
            }
        }
        acts
    }

    /// Up to which length a feed stands, for entries that have seen `position`; unbounded when nothing ended it.
    /// Spec: SPACE-11.2
    pub(crate) fn stands(&self, id: &FeedId, feed: &FeedFacts, position: &Position<'_>) -> u64 {
        let removals = self.acts.on_member(&feed.identity);
        let removals = removals.filter(|(number, act)| {
            let anew = |admission: &Admission| admission.after.contains(number) && position.has(&admission.place);
            let junior = self.is_of_a_junior(act, &feed.manifest.device);
            matches!(act.effect, Effect::Removes(_)) && !junior && !feed.admissions.iter().any(anew)
        });
        let device = self.acts.on_device(&feed.manifest.device, &feed.identity);
        let severed = self.devices.get(&feed.manifest.device).map(|device| self.severed(device)).unwrap_or_default();
        let acts = removals.chain(device).chain(self.acts.on_feed(id)).map(|(_, act)| act).chain(severed);
        acts.map(|act| act.stands(id)).min().unwrap_or(u64::MAX)
    }

    /// Whether an invitation cannot be redeemed by this entry any more: it was revoked, or another took from its issuer the right
    /// to issue it, and the entry is none of those that stand. Spec: SPACE-6.3, SPACE-11.8
    pub(crate) fn is_revoked(
        &self,
        id: &InvitationId,
        issue: &Issue,
        entry: &ControlEntry,
        position: &Position<'_>,
    ) -> bool {
        let by_itself = self.acts.on_invitation(id).any(|(_, act)| match &act.effect {
            Effect::Revokes { standing, .. } => act.is_known(position) || !standing.contains(&entry.id),
            _ => false,
        });
        by_itself
            || self
                .acts
                .on_member(&issue.issuer)
                .any(|(number, act)| issue.is_ended_by(number, act) && entry.seq >= act.stands(&entry.feed))
    }

    /// Whether an act removes a member.
    pub(crate) fn removes(&self, act: u32) -> bool {
        let act = self.acts.all().get(act as usize);
        act.is_some_and(|act| matches!(act.effect, Effect::Removes(_)))
    }

    /// Whether anybody is an owner.
    pub(crate) fn has_owner(&self) -> bool {
        self.members.keys().any(|identity| self.role(identity, View::Now) == Some(Role::Owner))
    }
}
