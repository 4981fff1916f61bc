//! What a later entry could change of what was decided.
//!
//! An entry that comes last in the order is read on top of the resolution, unless it decides something itself, or speaks of
//! somebody about whom something was decided or refused: then everything is resolved anew. Spec: SPACE-12.5

use std::collections::BTreeSet;

use weft_credential::{Credential, Role, Subject, invitation_id};
use weft_crypto::{DeviceId, IdentityId};

use crate::{
    ControlEntry,
    resolve::{Facts, known},
};

/// Whom acts are about, counting or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// There is an act at all.
    any: bool,
    identities: BTreeSet<IdentityId>,
    /// Something is about a device, feed or invitation that is not known.
    open: bool,
}

impl Watch {
    pub(crate) fn of<'a>(entries: impl Iterator<Item = &'a ControlEntry>, facts: &Facts) -> Self {
        let mut watch = Self::default();
        for entry in entries.filter(|entry| known::decides(entry)) {
            watch.any = true;
            for part in entry.parts.iter().flatten() {
                watch.add(&part.credential, facts);
            }
        }
        watch
    }

    fn add(&mut self, credential: &Credential, facts: &Facts) {
        let of_device = |device: &DeviceId| facts.devices.get(device).map(|device| device.identity);
        let about = match credential {
            Credential::MemberRemoved(act) => Some(act.identity),
            Credential::RoleChanged(act) => Some(act.identity),
            Credential::DeviceRemoved(act) => of_device(&act.device),
            Credential::FeedClosed(act) => facts.feeds.get(&act.feed).map(|feed| feed.identity),
            Credential::InvitationRevoked(act) => {
                let invitation = facts.invitations.get(&act.invitation);
                invitation.and_then(|invitation| Some(invitation.issues.first()?.issuer))
            }
            Credential::RootStatement(carried) => match carried.statement().map(|statement| statement.subject) {
                Ok(Subject::DeviceRemoved { device, .. }) => of_device(&device),
                _ => return,
            },
            // About whom the act is that it names.
            _ => return,
        };
        match about {
            Some(identity) => drop(self.identities.insert(identity)),
            None => self.open = true,
        }
    }

    /// Whether an entry can change what was decided, when it comes last in the order.
    pub(crate) fn decides(&self, entry: &ControlEntry, facts: &Facts) -> bool {
        known::decides(entry)
            || self.any && entry.parts.iter().flatten().any(|part| self.touches(entry, &part.credential, facts))
    }

    fn touches(&self, entry: &ControlEntry, credential: &Credential, facts: &Facts) -> bool {
        match credential {
            Credential::InvitationRedeemed(redeemed) => {
                let statement = redeemed.statement();
                let id = invitation_id(&statement.space, &statement.invitation);
                let issues = facts.invitations.get(&id).map(|invitation| invitation.issues.as_slice());
                let owner = |issue: &crate::resolve::facts::Issue| issue.role == Role::Owner;
                // An owner more may let somebody go who could not before.
                let owns = issues.unwrap_or_default().iter().any(owner) || says_owner(entry);
                self.open || owns || self.identities.contains(&statement.identity)
            }
            Credential::DeviceLinked(linked) => self.open || self.identities.contains(&linked.statement().identity),
            Credential::RootStatement(_) => true,
            Credential::FeedAdmitted(_) | Credential::InvitationIssued(_) => self.open,
            _ => false,
        }
    }
}

/// Whether an entry issues an invitation for owners: it could be redeemed further on in it.
fn says_owner(entry: &ControlEntry) -> bool {
    let mut parts = entry.parts.iter().flatten();
    parts.any(|part| matches!(&part.credential, Credential::InvitationIssued(issued) if issued.role == Role::Owner))
}
