//! Acts: credentials that take a right away, as they work once they count.
//!
//! What an act takes, it takes by its cuts and not by who had seen it: entries past a cut are judged as if their author had.
//! Spec: SPACE-11.

use std::collections::{BTreeMap, BTreeSet};

use weft_credential::{Credential, Role};
use weft_crypto::{DeviceId, EntryId, FeedId, IdentityId, InvitationId};
use weft_feed::Past;

use super::standing::Standing;
use crate::entry::{Place, Position, Rank};

/// What an act does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The member's roles, devices and feeds end.
    Removes(IdentityId),
    /// The member has at most this role.
    Lowers(IdentityId, Role),
    /// The device and its feeds end; by a root statement only where it acts for that identity.
    RemovesDevice { device: DeviceId, of: Option<IdentityId> },
    /// The feed ends.
    Closes(FeedId),
    /// Other redemptions than these are void.
    Revokes { invitation: InvitationId, standing: BTreeSet<EntryId> },
}

/// An act that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    /// Where it is said. A root statement may be carried several times.
    pub(crate) places: Vec<Place>,
    /// Its place in the one order.
    pub(crate) rank: (Rank, u32),
    /// Who says so.
    pub(crate) author: IdentityId,
    /// Where in the one order the author's device was first admitted; none for a root key.
    pub(crate) first: Option<(Rank, u32)>,
    /// How the author stood; none for a root key.
    pub(crate) standing: Option<Standing>,
    pub(crate) effect: Effect,
    /// What stands of which feed, as named by the act or by those who raised it.
    pub(crate) cuts: BTreeMap<FeedId, u64>,
    /// What its author had seen of control feeds: no cut lies below it.
    pub(crate) floor: Past,
    /// What it was said in knowledge of.
    pub(crate) seen: Past,
}

impl Act {
    /// How many entries of a feed stand. Spec: SPACE-11.2
    pub(crate) fn stands(&self, feed: &FeedId) -> u64 {
        let named = self.cuts.get(feed).copied().unwrap_or(0);
        named.max(self.floor.get(feed))
    }

    /// Since when the device was there by which a member did this to itself, if so.
    pub(crate) fn own(&self) -> Option<(Rank, u32)> {
        match self.effect {
            Effect::Removes(identity) | Effect::Lowers(identity, _) if identity == self.author => self.first,
            _ => None,
        }
    }

    /// Whether who said it knew what stands at `place`.
    pub(crate) fn knew(&self, place: &Place) -> bool {
        self.seen.get(&place.feed) > place.seq
    }

    /// Whether one who stands at `position` knows of it.
    pub(crate) fn is_known(&self, position: &Position<'_>) -> bool {
        position.has_any(&self.places)
    }
}

/// The acts that count, and whom each is about. Their numbers are places in the order in which they were decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acts {
    list: Vec<Act>,
    places: BTreeMap<Place, u32>,
    members: BTreeMap<IdentityId, Vec<u32>>,
    devices: BTreeMap<DeviceId, Vec<u32>>,
    feeds: BTreeMap<FeedId, Vec<u32>>,
    invitations: BTreeMap<InvitationId, Vec<u32>>,
}

impl Acts {
    pub(crate) fn add(&mut self, act: Act) {
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        match &act.effect {
            Effect::Removes(identity) | Effect::Lowers(identity, _) => {
                self.members.entry(*identity).or_default().push(number);
            }
            Effect::RemovesDevice { device, .. } => self.devices.entry(*device).or_default().push(number),
            Effect::Closes(feed) => self.feeds.entry(*feed).or_default().push(number),
            Effect::Revokes { invitation, .. } => self.invitations.entry(*invitation).or_default().push(number),
        }
        for place in &act.places {
            self.places.insert(*place, number);
        }
        self.list.push(act);
    }

    /// More stands than the act said.
    pub(crate) fn raise(&mut self, number: u32, cuts: impl IntoIterator<Item = (FeedId, u64)>) {
        if let Some(act) = self.list.get_mut(number as usize) {
            for (feed, length) in cuts {
                let known = act.cuts.entry(feed).or_default();
                *known = length.max(*known);
            }
        }
    }

    pub(crate) fn at(&self, place: &Place) -> Option<(u32, &Act)> {
        let number = *self.places.get(place)?;
        Some((number, self.list.get(number as usize)?))
    }

    /// A part that does its work without being an act of its own, such as a raised cut.
    pub(crate) fn counts(&mut self, place: Place, as_part_of: u32) {
        self.places.insert(place, as_part_of);
    }

    pub(crate) fn all(&self) -> &[Act] {
        &self.list
    }

    fn numbered<'a>(&'a self, numbers: Option<&'a Vec<u32>>) -> impl Iterator<Item = (u32, &'a Act)> {
        let numbers = numbers.map(Vec::as_slice).unwrap_or_default().iter();
        numbers.filter_map(|number| Some((*number, self.list.get(*number as usize)?)))
    }

    /// Removals and lower roles of a member.
    pub(crate) fn on_member(&self, identity: &IdentityId) -> impl Iterator<Item = (u32, &Act)> {
        self.numbered(self.members.get(identity))
    }

    /// Removals of a device that acts for `identity`.
    pub(crate) fn on_device<'a>(
        &'a self,
        device: &DeviceId,
        identity: &'a IdentityId,
    ) -> impl Iterator<Item = (u32, &'a Act)> {
        let acts = self.numbered(self.devices.get(device));
        acts.filter(move |(_, act)| match &act.effect {
            Effect::RemovesDevice { of: Some(of), .. } => of == identity,
            _ => true,
        })
    }

    pub(crate) fn on_feed(&self, feed: &FeedId) -> impl Iterator<Item = (u32, &Act)> {
        self.numbered(self.feeds.get(feed))
    }

    pub(crate) fn on_invitation(&self, invitation: &InvitationId) -> impl Iterator<Item = (u32, &Act)> {
        self.numbered(self.invitations.get(invitation))
    }

    /// The acts on a member that one at `position` knows of: what is said there is said after them.
    pub(crate) fn before(&self, identity: &IdentityId, position: &Position<'_>) -> Vec<u32> {
        let known = self.on_member(identity).filter(|(_, act)| act.is_known(position));
        known.map(|(number, _)| number).collect()
    }
}

/// Whether a credential has to be decided before what it touches can be judged: it takes something away, or back, or lends
/// weight to what does.
pub(crate) fn is_decided(credential: &Credential) -> bool {
    matches!(
        credential,
        Credential::MemberRemoved(_)
            | Credential::RoleChanged(_)
            | Credential::DeviceRemoved(_)
            | Credential::FeedClosed(_)
            | Credential::InvitationRevoked(_)
            | Credential::CutRaised(_)
    )
}
