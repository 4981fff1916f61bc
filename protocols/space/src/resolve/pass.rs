//! Reading one entry after the other: each part is entered into the facts, or is void with its reason.

use std::collections::{BTreeMap, BTreeSet};

use weft_credential::{
    Carried, Credential, DeviceLinked, ForkProven, History, InvitationIssued, Part, PreKeySet, RULES, Redemption, Role,
    RoleChanged, SpaceGenesis, Subject, invitation_id,
};
use weft_crypto::{DeviceId, FeedId, IdentityId, PreKeyId, Purpose, SignedManifest, lockbox};

use super::{
    act::{self, Act},
    epochs,
    facts::{Admission, DeviceFacts, Facts, FeedFacts, Grant, Issue},
    forks::Witness,
    standing::{Standing, View},
};
use crate::{
    ControlEntry, WriteStop,
    entry::{Place, Position, Rank},
    limits,
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

/// Who would do what has to be decided: see [`act::is_decided`].
pub(crate) type Claims = BTreeMap<Place, Author>;

/// Reads one entry into the facts.
pub(crate) struct Pass<'a> {
    contests: Contests,
    spoken: &'a Spoken,
    facts: &'a mut Facts,
    claims: &'a mut Claims,
    entry: &'a ControlEntry,
    position: Position<'a>,
}

/// For which identities devices have signed that they act for them: in a genesis or a redemption, whether that counts or not.
/// Spec: SPACE-14.4
pub(crate) type Spoken = BTreeMap<DeviceId, BTreeSet<IdentityId>>;

/// Who speaks in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Author {
    pub(crate) device: DeviceId,
    pub(crate) identity: IdentityId,
    /// How it stood, as far as it had seen and as far as its feed stands.
    pub(crate) standing: Option<Standing>,
}

impl Author {
    fn role(&self) -> Option<Role> {
        Some(self.standing?.role)
    }

    /// How the author stands, if its role `may`.
    pub(crate) fn must(&self, may: impl FnOnce(Role) -> bool) -> Result<Standing, VoidReason> {
        self.standing.filter(|standing| may(standing.role)).ok_or(VoidReason::NoRight { had: self.role() })
    }
}

pub(crate) type Judged = Result<(), VoidReason>;

impl Facts {
    /// Who speaks in an entry. Spec: SPACE-3.1. In the genesis entry the founder speaks, from the genesis on.
    pub(crate) fn author(&self, entry: &ControlEntry) -> Result<Author, VoidReason> {
        let position = entry.position();
        let speaks = |device, identity, view| Author { device, identity, standing: self.standing(&identity, view) };
        if let Some(genesis) = self.genesis_of(entry) {
            return Ok(speaks(genesis.device, genesis.root, View::At(&position)));
        }
        let feed = self.feeds.get(&entry.feed);
        let feed = feed.filter(|feed| feed.is_admitted(&position)).ok_or(VoidReason::FeedNotAdmitted)?;
        if feed.manifest.purpose != Purpose::Control {
            return Err(VoidReason::WrongPurpose);
        }
        let stands = self.stands(&entry.feed, feed, &position);
        if entry.seq >= stands {
            return Err(VoidReason::PastCut { stands });
        }
        let author = speaks(
            feed.manifest.device,
            feed.identity,
            View::Own(&position, feed.manifest.device, &entry.feed, entry.seq),
        );
        let administers = author.role().is_some_and(Role::may_administer);
        if entry.seq >= limits::ENTRIES_MAX && !administers {
            return Err(VoidReason::TooMany);
        }
        Ok(author)
    }

    fn genesis_of(&self, entry: &ControlEntry) -> Option<&weft_credential::Genesis> {
        let genesis = self.genesis.as_ref()?;
        (entry.seq == 0 && entry.feed == genesis.feed()).then_some(genesis)
    }
}

impl<'a> Pass<'a> {
    pub(crate) fn read(
        contests: Contests,
        spoken: &'a Spoken,
        facts: &'a mut Facts,
        claims: &'a mut Claims,
        entry: &'a ControlEntry,
    ) {
        let position = entry.position();
        let mut pass = Pass { contests, spoken, facts, claims, entry, position };
        match &entry.parts {
            Err(malformed) => pass.void(0, malformed.clone().into()),
            Ok(parts) => {
                for (at, part) in (0..).zip(parts) {
                    pass.position = entry.position_at(at);
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
        if matches!(part.credential, Credential::Seal(_)) {
            *self.facts.seals.entry(self.entry.feed).or_default() += 1;
        }
        if let Credential::SpaceGenesis(genesis) = &part.credential {
            return self.genesis(place, genesis);
        }
        if part.version > RULES {
            return Err(VoidReason::LaterRules { found: part.version });
        }
        if epochs::says(&part.credential) {
            // Read when it is known who belongs: it changes nobody's standing.
            return Ok(());
        }
        let carried = match &part.credential {
            Credential::RootStatement(carried) => Some(carried),
            _ => None,
        };
        if (carried.is_some() || act::is_decided(&part.credential))
            && let Some((_, act)) = self.facts.acts.clone().at(&place)
        {
            return self.acted(place, act, &part.credential);
        }
        if let Some(carried) = carried {
            return self.root_statement(place, carried);
        }
        let author = self.facts.author(self.entry)?;
        match &part.credential {
            Credential::SpaceGenesis(_) | Credential::RootStatement(_) => Err(VoidReason::SecondGenesis),
            Credential::FeedAdmitted(manifest) => self.feed_admitted(place, &author, manifest),
            Credential::PreKeySet(set) => self.pre_key_set(place, &author, set),
            Credential::InvitationIssued(issued) => self.issued(place, &author, issued),
            Credential::InvitationRedeemed(redeemed) => self.redeemed(place, &author, redeemed),
            Credential::DeviceLinked(linked) => self.linked(place, &author, linked),
            Credential::RulesChanged(changed) => self.rules_changed(&author, changed.rules),
            Credential::Seal(_) => self.sealed(&author),
            Credential::ForkProven(proven) => self.fork_proven(place, &author, proven),
            Credential::PolicyChanged(changed) => self.policy_changed(place, &author, changed.history),
            Credential::Unknown(unknown) if unknown.critical => {
                // By one who may not change authority it would change none: it stops nobody.
                author.must(Role::may_administer)?;
                self.stop(WriteStop::UnknownCritical { kind: unknown.kind });
                Ok(())
            }
            Credential::Unknown(_) => self.author_is_member(&author),
            decided => {
                debug_assert!(act::is_decided(decided));
                author.must(|_| true)?;
                self.claims.insert(place, author);
                if let (Contests::Open, Credential::RoleChanged(changed)) = (self.contests, decided) {
                    let standing = author.must(|role| role.may_grant(changed.role))?;
                    self.raises(place, author.identity, standing, changed);
                }
                // What does not count says why once all is decided.
                Err(VoidReason::NoRight { had: author.role() })
            }
        }
    }

    /// What was decided to count: a role that is given is a grant too.
    fn acted(&mut self, place: Place, act: &Act, credential: &Credential) -> Judged {
        if let (Credential::RoleChanged(changed), Some(standing)) = (credential, act.standing)
            && act.author != changed.identity
            && standing.role.may_grant(changed.role)
        {
            self.raises(place, act.author, standing, changed);
        }
        Ok(())
    }

    fn raises(&mut self, place: Place, by: IdentityId, standing: Standing, changed: &RoleChanged) {
        if self.facts.standing(&changed.identity, View::At(&self.position)).is_some() {
            let standing = standing.gives(changed.role, self.given(place));
            self.grant(place, changed.identity, standing, Some(by));
        }
    }

    fn given(&self, place: Place) -> (Rank, u32) {
        (self.entry.rank(), place.part)
    }

    fn grant(&mut self, place: Place, identity: IdentityId, standing: Standing, by: Option<IdentityId>) {
        let after = self.facts.acts.before(&identity, &self.position);
        let member = self.facts.members.entry(identity).or_default();
        member.grants.push(Grant { place, standing, by, after });
    }

    fn rules_changed(&mut self, author: &Author, rules: u32) -> Judged {
        author.must(|role| role == Role::Owner)?;
        if rules <= self.facts.rules {
            return Err(VoidReason::OldRules { goes_by: self.facts.rules });
        }
        self.facts.rules = rules;
        if rules > RULES {
            self.stop(WriteStop::HigherRules { found: rules });
        }
        Ok(())
    }

    /// Of changes that did not know of each other all are kept: the narrower holds. Spec: SPACE-7.6
    fn policy_changed(&mut self, place: Place, author: &Author, history: History) -> Judged {
        author.must(|role| role == Role::Owner)?;
        self.facts.policies.retain(|(before, _)| !self.position.has(before));
        self.facts.policies.push((place, history));
        Ok(())
    }

    /// What a seal does is found where sealed acts are decided.
    fn sealed(&mut self, author: &Author) -> Judged {
        if self.facts.seals.get(&self.entry.feed).is_some_and(|seals| *seals > limits::SEALS_MAX) {
            return Err(VoidReason::TooMany);
        }
        author.must(Role::may_administer).map(drop)
    }

    /// Spec: SPACE-16.1. That there is a fork holds whoever says so; this is about who says which history it holds.
    fn fork_proven(&mut self, place: Place, author: &Author, proven: &ForkProven) -> Judged {
        self.author_is_member(author)?;
        if let Some(witness) = Witness::of(proven, author, self.given(place)) {
            self.facts.witnesses.entry(proven.manifest.id()).or_default().push(witness);
        }
        Ok(())
    }

    /// The first reason to stop stays.
    fn stop(&mut self, stop: WriteStop) {
        self.facts.stop.get_or_insert(stop);
    }

    fn author_is_member(&self, author: &Author) -> Judged {
        author.must(|_| true).map(drop)
    }

    /// Spec: SPACE-4. It counts in part 0 of entry 0 of the one feed that it names itself.
    fn genesis(&mut self, place: Place, statement: &SpaceGenesis) -> Judged {
        let genesis = statement.genesis();
        let first = place.seq == 0 && place.part == 0 && place.feed == genesis.feed();
        if !first || self.facts.genesis.is_some() {
            return Err(VoidReason::SecondGenesis);
        }
        if genesis.rules > RULES {
            self.stop(WriteStop::HigherRules { found: genesis.rules });
        }
        let generation = Facts::generation(&genesis.manifest());
        self.facts.generations.insert(generation, place.feed);
        self.facts.rules = genesis.rules;
        self.facts.founded_through = statement.chain().through().collect();
        self.facts.genesis = Some(genesis.clone());
        Ok(())
    }

    /// What a root key says of its own identity counts wherever it is carried. In the genesis entry it makes the founder.
    /// Spec: SPACE-4.1, SPACE-14
    fn root_statement(&mut self, place: Place, carried: &Carried) -> Judged {
        let statement = carried.statement();
        let identity = statement.identity;
        if let Some(genesis) = self.facts.genesis_of(self.entry) {
            let (root, founding) = (genesis.root, genesis.device);
            if identity != root {
                return Err(VoidReason::OtherDevice);
            }
            let through = self.facts.founded_through.clone();
            // Of a chain only the device at its end comes into the space.
            if statement.subject == Subject::DeviceAdmitted(*through.first().unwrap_or(&founding)) {
                let standing = Standing { role: Role::Owner, chain: 0, given: self.given(place) };
                self.grant(place, root, standing, None);
                return self.admit(place, founding, root, through);
            }
        }
        match statement.subject {
            Subject::DeviceAdmitted(device) => {
                self.facts.standing(&identity, View::At(&self.position)).ok_or(VoidReason::NoRight { had: None })?;
                let another = |said: &BTreeSet<IdentityId>| said.iter().any(|other| *other != identity);
                if self.contests == Contests::Decided && self.spoken.get(&device).is_some_and(another) {
                    return Err(VoidReason::DeviceTaken);
                }
                self.admit(place, device, identity, Vec::new())
            }
            Subject::RecoveryKeySet(key) => {
                usable(&key)?;
                let member = self.facts.members.get_mut(&identity);
                let member = member.filter(|member| member.grants.iter().any(|grant| self.position.has(&grant.place)));
                member.ok_or(VoidReason::NoRight { had: None })?.recovery.push((place, statement.number, key));
                Ok(())
            }
            // An act: decided before this pass.
            Subject::DeviceRemoved { .. } => Err(VoidReason::UnknownDevice),
        }
    }

    /// A device acts for one identity, and an identity has so many devices. One that was removed does not come back.
    fn admit(&mut self, place: Place, device: DeviceId, identity: IdentityId, through: Vec<DeviceId>) -> Judged {
        let decided = self.contests == Contests::Decided;
        let after = self.facts.acts.before(&identity, &self.position);
        if let Some(known) = self.facts.devices.get(&device) {
            if known.identity != identity && decided {
                return Err(VoidReason::DeviceTaken);
            }
            let removals: Vec<u32> = after.iter().copied().filter(|number| self.facts.removes(*number)).collect();
            let before = |admission: &Admission| {
                self.position.has(&admission.place) && removals.iter().any(|number| !admission.after.contains(number))
            };
            if known.admissions.iter().any(before) {
                return Err(VoidReason::DeviceEnded);
            }
        }
        let ended = |device: &DeviceId| {
            self.facts.acts.on_device(device, &identity).any(|(_, act)| act.is_known(&self.position))
        };
        if ended(&device) || through.iter().any(ended) {
            return Err(VoidReason::DeviceEnded);
        }
        if !self.facts.devices.contains_key(&device) {
            let member = self.facts.members.entry(identity).or_default();
            let max = if decided { limits::DEVICES_MAX } else { limits::DEVICES_CARRIED_MAX };
            if member.devices >= max {
                return Err(VoidReason::TooMany);
            }
            member.devices += 1;
        }
        let first = self.given(place);
        let known = self.facts.devices.entry(device).or_insert(DeviceFacts {
            identity,
            first,
            admissions: Vec::new(),
            pre_keys: Vec::new(),
            named: Vec::new(),
        });
        known.admissions.push(Admission { place, after, through });
        Ok(())
    }

    /// Spec: SPACE-5.
    fn feed_admitted(&mut self, place: Place, author: &Author, signed: &SignedManifest) -> Judged {
        let (manifest, id) = (signed.manifest(), signed.feed());
        let device = self.device(&manifest.device)?;
        let own = device.identity == author.identity || device.named.contains(&id);
        let identity = device.identity;
        author.must(|role| own || role.may_administer())?;

        let first = *self.facts.generations.entry(Facts::generation(manifest)).or_insert(id);
        if first != id && self.contests == Contests::Decided {
            return Err(VoidReason::SecondFeed);
        }
        let number = self.facts.feeds.len() as u64;
        let after = self.facts.acts.before(&identity, &self.position);
        let feed = FeedFacts { manifest: *manifest, identity, number, admissions: Vec::new() };
        let feed = self.facts.feeds.entry(id).or_insert(feed);
        feed.admissions.push(Admission { place, after, through: Vec::new() });
        Ok(())
    }

    /// A device that is admitted as far as the entry has seen.
    fn device(&self, device: &DeviceId) -> Result<&DeviceFacts, VoidReason> {
        self.facts.device(device, &self.position).ok_or(VoidReason::UnknownDevice)
    }

    /// Spec: SPACE-5.1.
    fn pre_key_set(&mut self, place: Place, author: &Author, set: &PreKeySet) -> Judged {
        self.author_is_member(author)?;
        if set.device != author.device {
            return Err(VoidReason::OtherDevice);
        }
        usable(&set.key)?;
        self.device(&set.device)?;
        let device = self.facts.devices.get_mut(&set.device);
        let device = device.ok_or(VoidReason::UnknownDevice)?;
        if device.pre_keys.iter().any(|(_, number, _)| *number >= set.number) {
            return Err(VoidReason::OldPreKey);
        }
        device.pre_keys.push((place, set.number, set.key));
        Ok(())
    }

    /// Spec: SPACE-6.
    fn issued(&mut self, place: Place, author: &Author, issued: &InvitationIssued) -> Judged {
        let standing = author.must(|role| role.may_grant(issued.role))?;
        let id = invitation_id(&self.facts.space()?, &issued.key);
        let (after, given) = (self.facts.acts.before(&author.identity, &self.position), self.given(place));
        let invitation = self.facts.invitations.entry(id).or_default();
        invitation.issues.push(Issue {
            place,
            role: issued.role,
            uses: issued.uses,
            expires_ms: issued.expires_ms,
            issuer: author.identity,
            device: author.device,
            given,
            standing,
            after,
            approve: issued.approve,
        });
        Ok(())
    }

    /// What a device named itself when it came.
    fn brings(&mut self, place: Place, device: &DeviceId, feeds: [FeedId; 2], pre_key: PreKeyId) {
        if let Some(device) = self.facts.devices.get_mut(device) {
            device.named.extend(feeds);
            device.pre_keys.push((place, 0, pre_key));
        }
    }

    /// Spec: SPACE-15.1
    fn linked(&mut self, place: Place, author: &Author, linked: &DeviceLinked) -> Judged {
        self.author_is_member(author)?;
        let statement = linked.statement();
        if statement.host != author.device {
            return Err(VoidReason::OtherHost);
        }
        if statement.identity != author.identity {
            return Err(VoidReason::OtherIdentity);
        }
        self.device(&author.device)?;
        usable(&statement.pre_key)?;
        self.admit(place, statement.device, statement.identity, Vec::new())?;
        self.brings(place, &statement.device, linked.feeds(), statement.pre_key);
        Ok(())
    }

    /// Spec: SPACE-6.1, SPACE-6.3.
    fn redeemed(&mut self, place: Place, author: &Author, redeemed: &Redemption) -> Judged {
        self.author_is_member(author)?;
        let statement = redeemed.statement();
        if statement.host != author.device {
            return Err(VoidReason::OtherHost);
        }
        let id = invitation_id(&statement.space, &statement.invitation);
        let invitation = self.facts.invitations.get(&id);
        let invitation = invitation.ok_or(VoidReason::UnknownInvitation)?;
        let issue = invitation.issue(|issue| self.position.has(&issue.place));
        let issue = issue.ok_or(VoidReason::UnknownInvitation)?.clone();
        author.must(|role| role.may_grant(issue.role))?;
        let issuer = self.facts.role(&issue.issuer, View::At(&self.position));
        let may = issuer.is_some_and(|role| role.may_grant(issue.role));
        if !may || self.facts.is_revoked(&id, &issue, self.entry, &self.position) {
            return Err(VoidReason::Revoked);
        }
        let newcomer = (statement.identity, statement.device);
        let used = invitation.redemptions.len() as u64;
        let again = invitation.redemptions.contains_key(&newcomer);
        if !again && used >= u64::from(issue.uses) && self.contests == Contests::Decided {
            return Err(VoidReason::UsedUp);
        }

        let feeds = redeemed.feeds();
        usable(&statement.pre_key)?;
        redeemed.recovery_key().map_or(Ok(()), |(_, key)| usable(&key))?;
        self.admit(place, statement.device, statement.identity, statement.chain.through().collect())?;
        self.brings(place, &statement.device, feeds, statement.pre_key);
        let standing = issue.standing.gives(issue.role, self.given(place));
        self.grant(place, statement.identity, standing, Some(issue.issuer));
        if let Some((number, key)) = redeemed.recovery_key() {
            let member = self.facts.members.entry(statement.identity).or_default();
            member.recovery.push((place, number, key));
        }
        let invitation = self.facts.invitations.entry(id).or_default();
        invitation.redemptions.entry(newcomer).or_default().push(self.entry.id);
        Ok(())
    }
}

/// Whether something can be sealed to a key. Spec: SPACE-5.1
fn usable(key: &PreKeyId) -> Judged {
    lockbox::is_usable(key).then_some(()).ok_or(VoidReason::UnusableKey)
}
