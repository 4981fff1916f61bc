//! How members stand: role, and among equals who was given the role by the shorter chain of grants, then earlier.

use std::cmp::Reverse;

use weft_credential::Role;
use weft_crypto::{DeviceId, FeedId, IdentityId};

use super::{
    act::{Act, Effect},
    facts::{Facts, Grant},
};
use crate::entry::{Place, Position, Rank};

/// How somebody stands. The greater one outranks. Spec: SPACE-12.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) role: Role,
    /// Grants from the genesis to the one that gave the role.
    pub(crate) chain: u32,
    /// Where in the one order that grant stands.
    pub(crate) given: (Rank, u32),
}

impl Standing {
    fn key(&self) -> (Role, Reverse<u32>, Reverse<(Rank, u32)>) {
        (self.role, Reverse(self.chain), Reverse(self.given))
    }

    /// How one stands who was given `role` by one who stands so.
    pub(crate) fn gives(&self, role: Role, given: (Rank, u32)) -> Self {
        Self { role, chain: self.chain.saturating_add(1), given }
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// From where a member is looked at.
#[derive(Clone, Copy)]
pub(crate) enum View<'a> {
    /// With everything known.
    Now,
    /// By somebody who has seen so much.
    At(&'a Position<'a>),
    /// By what it writes itself with a device, in a feed, at a place: acts work past their cuts, whatever it says that it has
    /// seen.
    Own(&'a Position<'a>, DeviceId, &'a FeedId, u64),
}

impl View<'_> {
    pub(crate) fn sees(&self, place: &Place) -> bool {
        match self {
            Self::Now => true,
            Self::At(position) | Self::Own(position, ..) => position.has(place),
        }
    }

    pub(crate) fn applies(&self, facts: &Facts, act: &Act) -> bool {
        match self {
            Self::Now => true,
            Self::At(position) => act.is_known(position),
            Self::Own(position, device, ..) if facts.is_of_a_junior(act, device) => act.is_known(position),
            Self::Own(_, _, feed, seq) => *seq >= act.stands(feed),
        }
    }
}

impl Facts {
    /// How an identity stands, of the grants that are `seen` and under the acts that `apply`. Spec: SPACE-3.2
    pub(crate) fn standing_if(
        &self,
        identity: &IdentityId,
        seen: impl Fn(&Grant) -> bool,
        applies: impl Fn(&Act) -> bool,
    ) -> Option<Standing> {
        let member = self.members.get(identity)?;
        let grants = member.grants.iter().filter(|grant| seen(grant));
        grants.filter_map(|grant| self.left_of(identity, grant, &applies)).max()
    }

    /// What acts leave of a grant: those that were not known where it was given.
    fn left_of(&self, identity: &IdentityId, grant: &Grant, applies: &impl Fn(&Act) -> bool) -> Option<Standing> {
        let mut left = grant.standing;
        for (number, act) in self.acts.on_member(identity) {
            if grant.after.contains(&number) || !applies(act) {
                continue;
            }
            match act.effect {
                Effect::Removes(_) => return None,
                Effect::Lowers(_, role) => {
                    let by = act.standing.as_ref().map(|by| by.gives(role, act.rank))?;
                    let earlier = role == left.role && left != grant.standing && by.given < left.given;
                    if role < left.role || earlier {
                        left = by;
                    }
                }
                Effect::RemovesDevice { .. } | Effect::Closes(_) | Effect::Revokes { .. } => {}
            }
        }
        Some(left)
    }

    pub(crate) fn standing(&self, identity: &IdentityId, view: View<'_>) -> Option<Standing> {
        self.standing_if(identity, |grant| view.sees(&grant.place), |act| view.applies(self, act))
    }

    /// Whether an act is what a later device of a member did to the member itself: it does not cut what earlier ones wrote, else
    /// a stolen device could void an identity's work by leaving. Spec: SPACE-11.2
    pub(crate) fn is_of_a_junior(&self, act: &Act, device: &DeviceId) -> bool {
        let known = self.devices.get(device);
        act.own().is_some_and(|by| known.is_some_and(|known| known.first < by))
    }

    /// The role of an identity as seen from somewhere.
    pub(crate) fn role(&self, identity: &IdentityId, view: View<'_>) -> Option<Role> {
        Some(self.standing(identity, view)?.role)
    }
}
