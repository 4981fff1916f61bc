//! The epochs of a space: which may be written under, for whom one is, and who has no lockbox yet. Spec: SPACE-7

use std::collections::BTreeSet;

use weft_credential::{Lockbox, Role, SealedToKeys};
use weft_crypto::{
    DeviceId, EpochId, IdentityId, PreKeyId,
    lockbox::{Commitments, Recipient, RecipientKind},
    sealed_seed::{self, KeyName},
};
use weft_feed::Past;

use crate::{
    Place, Resolution,
    entry::Position,
    limits,
    resolve::{Earlier, facts::DeviceFacts, standing::View},
};

/// An epoch that is known: begun with the right to begin it as far as its author had seen. Spec: SPACE-7
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch<'a> {
    /// Its id.
    pub id: EpochId,
    /// Whether it counts. Else who began it had lost the right to, and others may have written under it before they heard.
    pub counts: bool,
    /// What its secrets hash to.
    pub commitments: &'a Commitments,
    /// The epochs it follows.
    pub parents: &'a [EpochId],
    /// One more than its deepest parent's; 1 for the first.
    pub depth: u64,
    /// Whom its starter named.
    pub recipients: &'a [Recipient],
    /// Whom its starter named by their keys, ascending.
    pub keys: &'a [KeyName],
    /// Every lockbox that was given for it, also by those whose own admission lost a contest later.
    pub lockboxes: &'a [Lockbox],
    /// What is sealed to the keys.
    pub sealed: &'a [SealedToKeys],
    /// Secrets of its parents, sealed under its own.
    pub earlier: &'a [Earlier],
    /// Where it is started.
    pub places: &'a [Place],
}

impl Resolution {
    /// The epochs that are known, of those that do not count the first 64 of each feed: those that count before the others, then the one to
    /// prefer first: greatest depth, then lowest id. Spec: SPACE-7.1, SPACE-7.3
    pub fn epochs(&self) -> Vec<Epoch<'_>> {
        let void = self.carried.epochs.iter().filter(|(id, _)| !self.facts.epochs.contains_key(id));
        let mut void: Vec<_> = void.filter_map(|(id, epoch)| Some((epoch.places.first()?, id))).collect();
        void.sort_unstable();
        let of_feed = void.chunk_by(|(one, _), (other, _)| one.feed == other.feed);
        let void = of_feed.flat_map(|of_feed| of_feed.iter().take(limits::EPOCHS_HANDED_ON_MAX)).map(|(_, id)| *id);
        let mut epochs: Vec<_> = self.facts.epochs.keys().chain(void).filter_map(|id| self.epoch(id)).collect();
        epochs.sort_by_key(|epoch| (!epoch.counts, std::cmp::Reverse(epoch.depth), epoch.id));
        epochs
    }

    /// One epoch that is known.
    pub fn epoch(&self, id: &EpochId) -> Option<Epoch<'_>> {
        let (counting, carried) = (self.facts.epochs.get(id), self.carried.epochs.get(id));
        let known = counting.or(carried)?;
        Some(Epoch {
            id: *id,
            counts: counting.is_some(),
            commitments: &known.commitments,
            parents: &known.parents,
            depth: known.depth,
            recipients: &known.recipients,
            keys: &known.keys,
            lockboxes: &carried.unwrap_or(known).lockboxes,
            sealed: &known.sealed,
            earlier: &known.earlier,
            places: &known.places,
        })
    }

    /// Whether an epoch is known to one who has seen `past`. Spec: SPACE-8.1, ECHO-5.6
    pub fn has_begun(&self, id: &EpochId, past: &Past) -> bool {
        let position = Position::of(past);
        let known = [&self.facts, &self.carried].map(|facts| facts.epochs.get(id));
        known.iter().flatten().any(|epoch| position.has_any(&epoch.places))
    }

    /// Whether an epoch may be written under, by who can open it: nobody has its content secret who is no current member's
    /// current device or recovery key, and nobody was left out. Spec: SPACE-7.3.
    pub fn is_writable(&self, id: &EpochId) -> bool {
        let (Some(epoch), Some(facts)) = (self.epoch(id), self.facts.epochs.get(id)) else {
            return false;
        };
        let given = epoch.lockboxes.iter().map(|lockbox| &lockbox.recipient);
        let no_stranger = epoch.recipients.iter().chain(given).all(|r| self.is_current(r)) && self.all_read(epoch.keys);
        let holds = |device: &DeviceId| self.is_given(&epoch, RecipientKind::Device, device.as_bytes());
        let mut starts = facts.places.iter().zip(&facts.seen);
        no_stranger && starts.any(|(place, seen)| self.readers_at(&Position::at(place, seen)).all(holds))
    }

    /// The devices of members that read, as far as one who starts an epoch there has seen. One that has published no key cannot be
    /// given anything: else a device that never does would end every epoch.
    fn readers_at(&self, position: &Position<'_>) -> impl Iterator<Item = &DeviceId> {
        let keyed = |device: &DeviceFacts| device.pre_keys.iter().any(|(place, ..)| position.has(place));
        let devices = self.facts.devices.iter();
        let readers = devices
            .filter(move |(id, device)| keyed(device) && self.facts.reads(id, &device.identity, View::At(position)));
        readers.map(|(id, _)| id)
    }

    /// Whether each of these keys was published by somebody who reads now.
    fn all_read(&self, keys: &[KeyName]) -> bool {
        if keys.is_empty() {
            return true;
        }
        let devices = self.facts.devices.iter();
        let devices = devices.filter(|(id, device)| self.facts.reads(id, &device.identity, View::Now));
        let devices = devices.flat_map(|(_, device)| device.pre_keys.iter().map(|(_, _, key)| key));
        let members =
            self.facts.members.iter().filter(|(id, _)| self.role_of(id).is_some_and(|role| role != Role::Keeper));
        let recovery = members.flat_map(|(_, member)| member.recovery.iter().map(|(_, _, key)| key));
        let readers: BTreeSet<KeyName> = devices.chain(recovery).map(sealed_seed::name).collect();
        keys.iter().all(|key| readers.contains(key))
    }

    /// Whether a device, or an identity for its recovery, was given an epoch: it has a lockbox, or a key that it published is named.
    fn is_given(&self, epoch: &Epoch<'_>, kind: RecipientKind, id: &[u8; 32]) -> bool {
        let named = |keys: &[(Place, u64, PreKeyId)]| {
            keys.iter().any(|(_, _, key)| epoch.keys.binary_search(&sealed_seed::name(key)).is_ok())
        };
        let by_key = match kind {
            RecipientKind::Device => {
                let device = self.facts.devices.get(&DeviceId::from_bytes(*id));
                device.is_some_and(|device| named(&device.pre_keys))
            }
            RecipientKind::Recovery => {
                let member = self.facts.members.get(&IdentityId::from_bytes(*id));
                member.is_some_and(|member| named(&member.recovery))
            }
            RecipientKind::Keeper => false,
        };
        let mut given = epoch.lockboxes.iter().map(|lockbox| &lockbox.recipient);
        by_key || given.any(|given| given.kind == kind && given.recipient == *id)
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

    /// Those who read and were given no lockbox of an epoch, or none since they said that they cannot open it. Spec: SPACE-7.5
    pub fn without_lockbox(&self, epoch: &EpochId) -> Vec<Recipient> {
        let Some(epoch) = self.epoch(epoch) else { return Vec::new() };
        let waits = |reader: &Recipient| {
            let refused = self.facts.refused.get(&(epoch.id, DeviceId::from_bytes(reader.recipient)));
            reader.kind == RecipientKind::Device
                && refused.is_some_and(|refused| refused.places.len() > refused.answered)
        };
        let given = |reader: &Recipient| self.is_given(&epoch, reader.kind, &reader.recipient) && !waits(reader);
        self.readers().into_iter().filter(|reader| !given(reader)).collect()
    }

    /// Whether a device that cannot open what it was given of an epoch may say so (again). Spec: SPACE-7.7
    pub fn may_refuse(&self, epoch: &EpochId, device: &DeviceId) -> bool {
        let Some(known) = self.epoch(epoch) else { return false };
        let refused = self.facts.refused.get(&(*epoch, *device));
        let may = refused.is_none_or(|refused| {
            refused.places.len() <= refused.answered && refused.places.len() < limits::REFUSALS_MAX
        });
        may && self.is_given(&known, RecipientKind::Device, device.as_bytes())
    }

    /// Whose turn comes first where one of many has to do something: the device of the most senior member, then the one that
    /// was admitted first. The greater is the earlier. Spec: SPACE-7.5
    pub fn seniority(&self, device: &DeviceId) -> Option<impl Ord + use<>> {
        let known = self.facts.devices.get(device)?;
        let standing = self.facts.standing(&known.identity, View::Now)?;
        Some((standing, std::cmp::Reverse(known.first)))
    }
}
