//! Reading what is said of epochs, once it is known who belongs: epochs and lockboxes change nobody's standing, so that acts are decided
//! without them. Spec: SPACE-7

use weft_credential::{Credential, EpochStarted, Lockbox, LockboxRefused, RULES, Role, To};
use weft_crypto::{
    DeviceId, EpochId, IdentityId,
    lockbox::{Recipient, RecipientKind},
};

use super::{
    facts::{Earlier, EpochFacts, Facts, MemberFacts},
    pass::{Author, Judged},
    standing::View,
};
use crate::{
    ControlEntry,
    entry::{Place, Position},
    limits,
    void::VoidReason,
};

/// Reads what one entry says of epochs into the facts.
pub(crate) struct EpochPass<'a> {
    /// What is carried, where that is known beside what counts.
    carried: Option<&'a Facts>,
    facts: &'a mut Facts,
    entry: &'a ControlEntry,
    position: Position<'a>,
}

/// Whether it is about an epoch.
pub(crate) fn says(credential: &Credential) -> bool {
    matches!(credential, Credential::EpochStarted(_) | Credential::LockboxAdded(_) | Credential::LockboxRefused(_))
}

impl<'a> EpochPass<'a> {
    /// Of what counts with what is `carried`: by that an epoch is known.
    pub(crate) fn read(carried: Option<&'a Facts>, facts: &'a mut Facts, entry: &'a ControlEntry) {
        let position = entry.position();
        let mut pass = Self { carried, facts, entry, position };
        for (at, part) in (0..).zip(entry.parts.iter().flatten()) {
            if says(&part.credential) && part.version <= RULES {
                pass.position = entry.position_at(at);
                let place = Place { feed: entry.feed, seq: entry.seq, part: at };
                if let Err(reason) = pass.part(place, &part.credential) {
                    pass.facts.void.insert(place, reason);
                }
            }
        }
    }

    fn part(&mut self, place: Place, credential: &Credential) -> Judged {
        let author = self.facts.author(self.entry)?;
        match credential {
            Credential::EpochStarted(epoch) => self.epoch_started(place, &author, epoch),
            Credential::LockboxAdded(lockbox) => self.lockbox_added(&author, lockbox),
            Credential::LockboxRefused(refused) => self.lockbox_refused(place, &author, refused),
            _ => Ok(()),
        }
    }

    /// Spec: SPACE-7.
    fn epoch_started(&mut self, place: Place, author: &Author, started: &EpochStarted) -> Judged {
        author.must(Role::may_write)?;
        let mut depth = 0;
        for parent in &started.parents {
            depth = depth.max(self.epoch(parent)?.depth);
        }
        let id = started.id(&self.facts.space()?);
        let (recipients, keys) = match &started.to {
            To::Each { recipients, .. } => (recipients.clone(), Vec::new()),
            To::Keys(to) => (Vec::new(), to.keys.clone()),
        };
        let epoch = self.facts.epochs.entry(id).or_insert(EpochFacts {
            commitments: started.commitments,
            parents: started.parents.clone(),
            recipients,
            keys,
            depth: depth + 1,
            places: Vec::new(),
            seen: Vec::new(),
            lockboxes: Vec::new(),
            sealed: Vec::new(),
            earlier: Vec::new(),
        });
        epoch.places.push(place);
        epoch.seen.push(self.entry.past.clone());
        match &started.to {
            To::Each { lockboxes, .. } => {
                epoch.lockboxes.extend_from_slice(lockboxes);
                self.facts.lockboxes += lockboxes.len() as u64;
            }
            To::Keys(to) => {
                epoch.sealed.push(to.clone());
                self.facts.lockboxes += 1;
            }
        }
        epoch.earlier.push(Earlier { access: started.sealed_access.clone(), content: started.sealed_content.clone() });
        Ok(())
    }

    /// An epoch that is known as far as the entry has seen, whatever became of who began it. Spec: SPACE-7
    fn epoch(&self, id: &EpochId) -> Result<&EpochFacts, VoidReason> {
        let carried = self.carried.and_then(|carried| carried.epochs.get(id));
        let known = self.facts.epochs.get(id).into_iter().chain(carried);
        let mut seen = known.filter(|epoch| self.position.has_any(&epoch.places));
        seen.next().ok_or(VoidReason::UnknownEpoch)
    }

    /// Spec: SPACE-7.2.
    fn lockbox_added(&mut self, author: &Author, lockbox: &Lockbox) -> Judged {
        author.must(|_| true)?;
        self.epoch(&lockbox.epoch)?;
        self.recipient(&lockbox.recipient)?;
        let position = self.position;
        // Of an epoch whose start does not count, what is carried keeps them.
        if let Some(epoch) = self.facts.epochs.get_mut(&lockbox.epoch) {
            epoch.lockboxes.push(lockbox.clone());
        }
        let device = DeviceId::from_bytes(lockbox.recipient.recipient);
        if lockbox.recipient.kind == RecipientKind::Device
            && let Some(refused) = self.facts.refused.get_mut(&(lockbox.epoch, device))
        {
            let known = refused.places.iter().filter(|place| position.has(place)).count();
            refused.answered = known.max(refused.answered);
        }
        self.facts.lockboxes += 1;
        Ok(())
    }

    /// Spec: SPACE-7.7
    fn lockbox_refused(&mut self, place: Place, author: &Author, refused: &LockboxRefused) -> Judged {
        author.must(|_| true)?;
        if refused.device != author.device {
            return Err(VoidReason::OtherDevice);
        }
        self.epoch(&refused.epoch)?;
        let before = self.facts.refused.entry((refused.epoch, refused.device)).or_default();
        if before.places.len() >= limits::REFUSALS_MAX {
            return Err(VoidReason::TooMany);
        }
        before.places.push(place);
        Ok(())
    }

    /// Whether a recipient is one as far as the entry has seen, and the key its own.
    fn recipient(&self, recipient: &Recipient) -> Judged {
        let published = match recipient.kind {
            RecipientKind::Device => {
                let id = DeviceId::from_bytes(recipient.recipient);
                let device = self.facts.device(&id, &self.position).ok_or(VoidReason::LockboxForStranger)?;
                let mut keys = device.pre_keys.iter();
                keys.any(|(place, _, key)| *key == recipient.key && self.position.has(place))
            }
            RecipientKind::Recovery => {
                let member = self.member(&IdentityId::from_bytes(recipient.recipient))?;
                let mut keys = member.recovery.iter();
                keys.any(|(place, _, key)| *key == recipient.key && self.position.has(place))
            }
            // No keeper publishes a key yet.
            RecipientKind::Keeper => false,
        };
        published.then_some(()).ok_or(VoidReason::UnknownKey)
    }

    fn member(&self, identity: &IdentityId) -> Result<&MemberFacts, VoidReason> {
        self.facts.standing(identity, View::At(&self.position)).ok_or(VoidReason::LockboxForStranger)?;
        self.facts.members.get(identity).ok_or(VoidReason::LockboxForStranger)
    }
}
