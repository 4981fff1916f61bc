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
                invitation.and_then(|invitation| Some(invitation.issue(|_| true)?.issuer))
            }
            Credential::RootStatement(carried) => match &carried.statement().subject {
                Subject::DeviceRemoved { device, .. } => of_device(device),
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
            || entry.parts.iter().flatten().any(|part| asks_for_devices(&part.credential, facts))
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
            // A second issue may be the one that is meant.
            Credential::InvitationIssued(issued) => {
                let space = facts.genesis.as_ref().map(weft_credential::Genesis::space_id);
                self.open
                    || space.is_some_and(|space| facts.invitations.contains_key(&invitation_id(&space, &issued.key)))
            }
            Credential::FeedAdmitted(_) => self.open,
            _ => false,
        }
    }
}

/// Whether an entry issues an invitation for owners: it could be redeemed further on in it.
fn says_owner(entry: &ControlEntry) -> bool {
    let mut parts = entry.parts.iter().flatten();
    parts.any(|part| matches!(&part.credential, Credential::InvitationIssued(issued) if issued.role == Role::Owner))
}

/// Whether who has said so far for whom devices act has to be asked, or is told by it otherwise than was believed. Spec: SPACE-14.4
fn asks_for_devices(credential: &Credential, facts: &Facts) -> bool {
    match credential {
        Credential::RootStatement(_) => true,
        Credential::InvitationRedeemed(redeemed) => {
            let statement = redeemed.statement();
            facts.devices.get(&statement.device).is_some_and(|device| device.identity != statement.identity)
        }
        Credential::DeviceLinked(linked) => {
            let statement = linked.statement();
            facts.devices.get(&statement.device).is_some_and(|device| device.identity != statement.identity)
        }
        _ => false,
    }
}
