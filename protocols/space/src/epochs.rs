//! The epochs of a space: which may be written under, for whom one is, and who has no lockbox yet. Spec: SPACE-7

use std::collections::BTreeSet;

use weft_credential::{Lockbox, Role};
use weft_crypto::{
    DeviceId, EpochId, IdentityId,
    lockbox::{Commitments, Recipient, RecipientKind},
};

use crate::{
    Place, Resolution,
    resolve::{Earlier, standing::View},
};

/// An epoch that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch<'a> {
    /// Its id.
    pub id: EpochId,
    /// What its secrets hash to.
    pub commitments: &'a Commitments,
    /// The epochs it follows.
    pub parents: &'a [EpochId],
    /// One more than its deepest parent's; 1 for the first.
    pub depth: u64,
    /// Whom its starter named.
    pub recipients: &'a [Recipient],
    /// Every lockbox that was given for it, also by those whose own admission lost a contest later.
    pub lockboxes: &'a [Lockbox],
    /// Secrets of its parents, sealed under its own.
    pub earlier: &'a [Earlier],
    /// Where it is started.
    pub places: &'a [Place],
}

impl Resolution {
    /// The epochs that count, the one to prefer first: greatest depth, then lowest id. Spec: SPACE-7.3.
    pub fn epochs(&self) -> Vec<Epoch<'_>> {
        let mut epochs: Vec<_> = self.facts.epochs.keys().filter_map(|id| self.epoch(id)).collect();
        epochs.sort_by_key(|epoch| (std::cmp::Reverse(epoch.depth), epoch.id));
        epochs
    }

    /// One epoch that counts.
    pub fn epoch(&self, id: &EpochId) -> Option<Epoch<'_>> {
        let counting = self.facts.epochs.get(id)?;
        let given = self.carried.epochs.get(id).unwrap_or(counting);
        Some(Epoch {
            id: *id,
            commitments: &counting.commitments,
            parents: &counting.parents,
            depth: counting.depth,
            recipients: &counting.recipients,
            lockboxes: &given.lockboxes,
            earlier: &counting.earlier,
            places: &counting.places,
        })
    }

    /// Whether an epoch may be written under, by who can open it: nobody has its content secret who is no current member's
    /// current device or recovery key, and nobody was left out. Spec: SPACE-7.3.
    pub fn is_writable(&self, id: &EpochId) -> bool {
        let (Some(epoch), Some(facts)) = (self.epoch(id), self.facts.epochs.get(id)) else {
            return false;
        };
        let given = epoch.lockboxes.iter().map(|lockbox| &lockbox.recipient);
        let no_stranger = epoch.recipients.iter().chain(given).all(|r| self.is_current(r));
        let holds = |device: &DeviceId| {
            let mut given = epoch.lockboxes.iter().map(|lockbox| &lockbox.recipient);
            given.any(|r| r.kind == RecipientKind::Device && r.recipient == *device.as_bytes())
        };
        let mut starts = facts.expected.iter();
        no_stranger && starts.any(|expected| expected.iter().all(holds))
    }

    fn is_current(&self, recipient: &Recipient) -> bool {
        match recipient.kind {
            RecipientKind::Device => {
                let device = DeviceId::from_bytes(recipient.recipient);
                let known = self.facts.devices.get(&device);
                known.is_some_and(|known| self.facts.reads(&device, &known.identity, View::Now))
            }
            RecipientKind::Recovery => {
                let role = self.role_of(&IdentityId::from_bytes(recipient.recipient));
                role.is_some_and(|role| role != Role::Keeper)
            }
            // Its lockbox holds no content secret.
            RecipientKind::Keeper => true,
        }
    }

    /// The epoch to write under, for one who `holds` its secrets. Spec: SPACE-7.3.
    pub fn writable_epoch(&self, holds: impl Fn(&EpochId) -> bool) -> Option<EpochId> {
        let ids = self.epochs().into_iter().map(|epoch| epoch.id);
        ids.filter(|id| holds(id)).find(|id| self.is_writable(id))
    }

    /// For whom an epoch is that begins now: the devices of members that read, each with the key it set last, and their recovery keys.
    /// Spec: SPACE-7.1
    pub fn readers(&self) -> Vec<Recipient> {
        let mut readers = Vec::new();
        for member in self.members().into_iter().filter(|member| member.role != Role::Keeper) {
            for device in &member.devices {
                if let Some(key) = self.device(device).and_then(|device| device.pre_key) {
                    readers.push(Recipient { kind: RecipientKind::Device, recipient: *device.as_bytes(), key });
                }
            }
            if let Some(key) = member.recovery {
                let recipient = *member.identity.as_bytes();
                readers.push(Recipient { kind: RecipientKind::Recovery, recipient, key });
            }
        }
        readers
    }

    /// Those who read and were given no lockbox of an epoch. Spec: SPACE-7.5
    pub fn without_lockbox(&self, epoch: &EpochId) -> Vec<Recipient> {
        let Some(epoch) = self.epoch(epoch) else { return Vec::new() };
        let given = epoch.lockboxes.iter().map(|lockbox| (lockbox.recipient.kind, lockbox.recipient.recipient));
        let given: BTreeSet<_> = given.collect();
        self.readers().into_iter().filter(|reader| !given.contains(&(reader.kind, reader.recipient))).collect()
    }

    /// Whose turn comes first where one of many has to do something: the device of the most senior member, then the one that
    /// was admitted first. The greater is the earlier. Spec: SPACE-7.5
    pub fn seniority(&self, device: &DeviceId) -> Option<impl Ord + use<>> {
        let known = self.facts.devices.get(device)?;
        let standing = self.facts.standing(&known.identity, View::Now)?;
        Some((standing, std::cmp::Reverse(known.first)))
    }
}
