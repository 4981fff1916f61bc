//! Reading one entry after the other: each part is entered into the facts, or is void with its reason.

use weft_credential::{
    Carried, Credential, EpochStarted, InvitationIssued, Lockbox, Part, PreKeySet, RULES, Redemption, Role,
    SpaceGenesis, Subject, invitation_id, kind,
};
use weft_crypto::{
    DeviceId, EpochId, IdentityId, Manifest, Purpose, SignedManifest, SpaceId,
    lockbox::{Recipient, RecipientKind},
};

use super::facts::{DeviceFacts, EpochFacts, Facts, FeedFacts, Grant, Issue, MemberFacts};
use crate::{
    ControlEntry, WriteStop,
    entry::{Place, Position},
    void::VoidReason,
};

/// What to do where entries contend for one thing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contests {
    /// The earlier in the order has it: what counts.
    Decided,
    /// Everybody has it. What holds only so is *carried*: its feeds are replicated and its lockboxes were given, since
    /// somebody who had not heard of the other side believed in it. Spec: SPACE-3.3.
    Open,
}

/// Reads one entry into the facts.
pub(crate) struct Pass<'a> {
    contests: Contests,
    facts: &'a mut Facts,
    entry: &'a ControlEntry,
    position: Position<'a>,
}

/// Who speaks in an entry.
struct Author {
    device: DeviceId,
    identity: IdentityId,
    /// What it was, as far as it had seen.
    role: Option<Role>,
}

impl Author {
    /// The author's role, if it has one that `may`.
    fn must(&self, may: impl FnOnce(Role) -> bool) -> Result<Role, VoidReason> {
        self.role.filter(|role| may(*role)).ok_or(VoidReason::NoRight { had: self.role })
    }
}

type Judged = Result<(), VoidReason>;

impl<'a> Pass<'a> {
    pub(crate) fn read(contests: Contests, facts: &'a mut Facts, entry: &'a ControlEntry) {
        let position = entry.position();
        let mut pass = Pass { contests, facts, entry, position };
        match &entry.parts {
            Err(malformed) => pass.void(0, malformed.clone().into()),
            Ok(parts) => {
                for (at, part) in (0..).zip(parts) {
                    if let Err(reason) = pass.part(at, part) {
                        pass.void(at, reason);
                    }
                }
            }
        }
    }

    fn void(&mut self, part: u32, reason: VoidReason) {
        let place = self.place(part);
        self.facts.void.insert(place, reason);
    }

    fn place(&self, part: u32) -> Place {
        Place { feed: self.entry.feed, seq: self.entry.seq, part }
    }

    fn part(&mut self, at: u32, part: &Part) -> Judged {
        let place = self.place(at);
        if let Credential::SpaceGenesis(genesis) = &part.credential {
            return self.genesis(place, genesis);
        }
        let author = self.author()?;
        if part.version > RULES {
            self.author_is_member(&author)?;
            self.stop(WriteStop::HigherRules { found: part.version });
        }
        match &part.credential {
            Credential::SpaceGenesis(_) => Err(VoidReason::SecondGenesis),
            Credential::RootStatement(carried) => self.root_statement(place, &author, carried),
            Credential::FeedAdmitted(manifest) => self.feed_admitted(place, &author, manifest),
            Credential::PreKeySet(set) => self.pre_key_set(place, &author, set),
            Credential::EpochStarted(epoch) => self.epoch_started(place, &author, epoch),
            Credential::InvitationIssued(issued) => self.issued(place, &author, issued),
            Credential::InvitationRedeemed(redeemed) => self.redeemed(place, &author, redeemed),
            Credential::LockboxAdded(lockbox) => self.lockbox_added(&author, lockbox),
            Credential::Unknown(unknown) => {
                self.author_is_member(&author)?;
                if unknown.critical {
                    self.stop(WriteStop::UnknownCritical { kind: unknown.kind });
                }
                Ok(())
            }
        }
    }

    /// The first reason to stop stays.
    fn stop(&mut self, stop: WriteStop) {
        self.facts.stop.get_or_insert(stop);
    }

    /// Spec: SPACE-3.1. In the genesis entry the founder speaks, from the genesis on.
    fn author(&self) -> Result<Author, VoidReason> {
        let speaks =
            |device, identity| Author { device, identity, role: self.facts.role(&identity, Some(&self.position)) };
        if let Some(genesis) = self.genesis_entry() {
            return Ok(speaks(genesis.device, genesis.root));
        }
        let feed = self.facts.feeds.get(&self.entry.feed);
        let feed = feed.filter(|feed| self.position.has_any(&feed.places)).ok_or(VoidReason::FeedNotAdmitted)?;
        if feed.manifest.purpose != Purpose::Control {
            return Err(VoidReason::WrongPurpose);
        }
        Ok(speaks(feed.manifest.device, feed.identity))
    }

    fn genesis_entry(&self) -> Option<&weft_credential::Genesis> {
        let genesis = self.facts.genesis.as_ref()?;
        (self.entry.seq == 0 && self.entry.feed == genesis.feed()).then_some(genesis)
    }

    fn author_is_member(&self, author: &Author) -> Judged {
        author.must(|_| true).map(drop)
    }

    /// Spec: SPACE-4. It counts in part 0 of entry 0 of the one feed that it names itself.
    fn genesis(&mut self, place: Place, statement: &SpaceGenesis) -> Judged {
        let genesis = statement.genesis()?;
        let first = place.seq == 0 && place.part == 0 && place.feed == genesis.feed();
        if !first || self.facts.genesis.is_some() {
            return Err(VoidReason::SecondGenesis);
        }
        if genesis.rules > RULES {
            self.stop(WriteStop::HigherRules { found: genesis.rules });
        }
        let generation = Facts::generation(&genesis.manifest());
        self.facts.generations.insert(generation, place.feed);
        self.facts.genesis = Some(genesis);
        Ok(())
    }

    /// In the genesis entry the founder's root admits its device and publishes its recovery key. Elsewhere a root statement
    /// has a format and no code yet, so it stops writing like an unknown kind. Spec: SPACE-4.1.
    fn root_statement(&mut self, place: Place, author: &Author, carried: &Carried) -> Judged {
        if self.genesis_entry().is_none() {
            self.author_is_member(author)?;
            self.stop(WriteStop::UnknownCritical { kind: kind::ROOT_STATEMENT });
            return Ok(());
        }
        let statement = carried.statement()?;
        if statement.identity != author.identity {
            return Err(VoidReason::OtherDevice);
        }
        match statement.subject {
            Subject::DeviceAdmitted(device) if device == author.device => {
                let founder = self.facts.members.entry(author.identity).or_default();
                founder.grants.push(Grant { place, role: Role::Owner, by: None });
                self.admit(place, device, author.identity)
            }
            Subject::RecoveryKeySet(key) => {
                let founder = self.facts.members.entry(author.identity).or_default();
                founder.recovery.push((place, key));
                Ok(())
            }
            Subject::DeviceAdmitted(_) | Subject::DeviceRemoved(_) => Err(VoidReason::OtherDevice),
        }
    }

    /// A device acts for one identity.
    fn admit(&mut self, place: Place, device: DeviceId, identity: IdentityId) -> Judged {
        let known = self.facts.devices.entry(device).or_insert(DeviceFacts {
            identity,
            places: Vec::new(),
            pre_keys: Vec::new(),
            named: Vec::new(),
        });
        if known.identity != identity && self.contests == Contests::Decided {
            return Err(VoidReason::DeviceTaken);
        }
        known.places.push(place);
        Ok(())
    }

    /// Spec: SPACE-5.
    fn feed_admitted(&mut self, place: Place, author: &Author, signed: &SignedManifest) -> Judged {
        let manifest = Manifest::decode(&signed.manifest)
            .map_err(|source| weft_credential::Malformed::Manifest { field: "FeedAdmitted.manifest", source })?;
        let device = self.device(&manifest.device, VoidReason::UnknownDevice)?;
        let id = manifest.id();
        let own = device.identity == author.identity || device.named.contains(&id);
        let identity = device.identity;
        author.must(|role| own || role.may_administer())?;

        let first = *self.facts.generations.entry(Facts::generation(&manifest)).or_insert(id);
        if first != id && self.contests == Contests::Decided {
            return Err(VoidReason::SecondFeed);
        }
        let number = self.facts.feeds.len() as u64;
        let feed = self.facts.feeds.entry(id).or_insert(FeedFacts { manifest, identity, number, places: Vec::new() });
        feed.places.push(place);
        Ok(())
    }

    /// A device that is admitted as far as the entry has seen.
    fn device(&self, device: &DeviceId, or: VoidReason) -> Result<&DeviceFacts, VoidReason> {
        let known = self.facts.devices.get(device);
        known.filter(|known| self.position.has_any(&known.places)).ok_or(or)
    }

    /// Spec: SPACE-5.1.
    fn pre_key_set(&mut self, place: Place, author: &Author, set: &PreKeySet) -> Judged {
        self.author_is_member(author)?;
        if set.device != author.device {
            return Err(VoidReason::OtherDevice);
        }
        self.device(&set.device, VoidReason::UnknownDevice)?;
        let device = self.facts.devices.get_mut(&set.device);
        let device = device.ok_or(VoidReason::UnknownDevice)?;
        if device.pre_keys.iter().any(|(_, number, _)| *number >= set.number) {
            return Err(VoidReason::OldPreKey);
        }
        device.pre_keys.push((place, set.number, set.key));
        Ok(())
    }

    /// Spec: SPACE-7.
    fn epoch_started(&mut self, place: Place, author: &Author, started: &EpochStarted) -> Judged {
        author.must(Role::may_write)?;
        let mut depth = 0;
        for parent in &started.parents {
            depth = depth.max(self.epoch(parent)?.depth);
        }
        let devices = self.facts.devices.iter();
        let current = devices.filter(|(_, device)| self.position.has_any(&device.places));
        let expected = current.map(|(device, _)| *device).collect();
        let id = started.id(&self.space()?);
        let epoch = self.facts.epochs.entry(id).or_insert(EpochFacts {
            commitments: started.commitments,
            parents: started.parents.clone(),
            recipients: started.recipients.clone(),
            depth: depth + 1,
            places: Vec::new(),
            expected: Vec::new(),
            lockboxes: Vec::new(),
        });
        epoch.places.push(place);
        epoch.expected.push(expected);
        epoch.lockboxes.extend_from_slice(&started.lockboxes);
        Ok(())
    }

    fn space(&self) -> Result<SpaceId, VoidReason> {
        let genesis = self.facts.genesis.as_ref();
        Ok(genesis.ok_or(VoidReason::FeedNotAdmitted)?.space_id())
    }

    /// An epoch that is started as far as the entry has seen.
    fn epoch(&self, id: &EpochId) -> Result<&EpochFacts, VoidReason> {
        let epoch = self.facts.epochs.get(id);
        epoch.filter(|epoch| self.position.has_any(&epoch.places)).ok_or(VoidReason::UnknownEpoch)
    }

    /// Spec: SPACE-7.2.
    fn lockbox_added(&mut self, author: &Author, lockbox: &Lockbox) -> Judged {
        self.author_is_member(author)?;
        self.epoch(&lockbox.epoch)?;
        self.recipient(&lockbox.recipient)?;
        let epoch = self.facts.epochs.get_mut(&lockbox.epoch);
        epoch.ok_or(VoidReason::UnknownEpoch)?.lockboxes.push(lockbox.clone());
        Ok(())
    }

    /// Whether a recipient is one as far as the entry has seen, and the key its own.
    fn recipient(&self, recipient: &Recipient) -> Judged {
        let published = match recipient.kind {
            RecipientKind::Device => {
                let id = DeviceId::from_bytes(recipient.recipient);
                let device = self.device(&id, VoidReason::LockboxForStranger)?;
                let mut keys = device.pre_keys.iter();
                keys.any(|(place, _, key)| *key == recipient.key && self.position.has(place))
            }
            RecipientKind::Recovery => {
                let member = self.member(&IdentityId::from_bytes(recipient.recipient))?;
                let mut keys = member.recovery.iter();
                keys.any(|(place, key)| *key == recipient.key && self.position.has(place))
            }
            // No keeper publishes a key yet.
            RecipientKind::Keeper => false,
        };
        published.then_some(()).ok_or(VoidReason::UnknownKey)
    }

    fn member(&self, identity: &IdentityId) -> Result<&MemberFacts, VoidReason> {
        let member = self.facts.members.get(identity);
        member.filter(|member| member.role(Some(&self.position)).is_some()).ok_or(VoidReason::LockboxForStranger)
    }

    /// Spec: SPACE-6.
    fn issued(&mut self, place: Place, author: &Author, issued: &InvitationIssued) -> Judged {
        author.must(|role| role.may_grant(issued.role))?;
        let id = invitation_id(&self.space()?, &issued.key);
        let invitation = self.facts.invitations.entry(id).or_default();
        invitation.issues.push(Issue {
            place,
            role: issued.role,
            uses: issued.uses,
            expires_ms: issued.expires_ms,
            issuer: author.identity,
            device: author.device,
        });
        Ok(())
    }

    /// Spec: SPACE-6.1.
    fn redeemed(&mut self, place: Place, author: &Author, redeemed: &Redemption) -> Judged {
        self.author_is_member(author)?;
        let statement = redeemed.statement();
        if statement.host != author.device {
            return Err(VoidReason::OtherHost);
        }
        let id = invitation_id(&statement.space, &statement.invitation);
        let invitation = self.facts.invitations.get(&id);
        let invitation = invitation.ok_or(VoidReason::UnknownInvitation)?;
        let issue = invitation.issues.iter().find(|issue| self.position.has(&issue.place));
        let issue = issue.ok_or(VoidReason::UnknownInvitation)?.clone();
        let used = invitation.redemptions.len() as u64;
        if used >= u64::from(issue.uses) && self.contests == Contests::Decided {
            return Err(VoidReason::UsedUp);
        }

        let feeds = redeemed.feeds()?;
        self.admit(place, statement.device, statement.identity)?;
        if let Some(device) = self.facts.devices.get_mut(&statement.device) {
            device.named.extend(feeds);
            device.pre_keys.push((place, 0, statement.pre_key));
        }
        let member = self.facts.members.entry(statement.identity).or_default();
        member.grants.push(Grant { place, role: issue.role, by: Some(issue.issuer) });
        if let Some(key) = redeemed.recovery_key() {
            member.recovery.push((place, key));
        }
        let invitation = self.facts.invitations.entry(id).or_default();
        invitation.redemptions.push((place, statement.identity, statement.device));
        Ok(())
    }
}
