//! Acts that wait for seals, and who stands behind each. Spec: SPACE-12.3

use weft_credential::{Credential, Named, Role};
use weft_crypto::{EntryId, IdentityId};

use crate::{Place, Space, VoidReason};

/// A removal or a role that counts once more than half of those who administer stand behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// Where it is said.
    pub act: Place,
    /// The entry there.
    pub entry: EntryId,
    /// Whom it is about.
    pub identity: IdentityId,
    /// The role it gives; none for a removal.
    pub role: Option<Role>,
    /// Who proposed it.
    pub by: Option<IdentityId>,
    /// Who says in a seal to stand behind it. Whether each vote is counted is decided where it is said.
    pub sealed_by: Vec<IdentityId>,
}

impl Space {
    /// What waits for seals, in the order of feeds.
    pub fn proposed(&self) -> Vec<Proposed> {
        let waiting = self.resolution().void().filter(|(_, reason)| **reason == VoidReason::Outranked);
        waiting.filter_map(|(place, _)| self.proposal(place)).collect()
    }

    fn proposal(&self, place: &Place) -> Option<Proposed> {
        let entry = self.entry(place)?;
        let part = entry.parts.as_ref().ok()?.get(place.part as usize)?;
        let (identity, role) = match &part.credential {
            Credential::MemberRemoved(act) => (act.identity, None),
            Credential::RoleChanged(act) => (act.identity, Some(act.role)),
            _ => return None,
        };
        let named = Named { entry: entry.id, part: place.part };
        let author = |feed| self.resolution().feed(feed).map(|feed| feed.identity);
        let seals = |parts: &[weft_crypto::Verified<weft_credential::Part>]| {
            parts.iter().any(|part| matches!(&part.credential, Credential::Seal(seal) if seal.act == named))
        };
        let sealing = self.entries().filter(|entry| entry.parts.as_ref().is_ok_and(|parts| seals(parts)));
        let mut sealed_by: Vec<_> = sealing.filter_map(|entry| author(&entry.feed)).collect();
        sealed_by.sort_unstable();
        sealed_by.dedup();
        Some(Proposed { act: *place, entry: entry.id, identity, role, by: author(&place.feed), sealed_by })
    }
}
