//! What a space is, resolved: members, devices, feeds, invitations, epochs, and what is void and why.

use std::collections::BTreeMap;

use weft_credential::{Genesis, History, Role};
use weft_crypto::{DeviceId, EntryId, FeedId, Head, IdentityId, InvitationId, Manifest, PreKeyId, SpaceId};
use weft_feed::Past;

use crate::{
    ControlEntry,
    entry::{Place, Position},
    resolve::{
        Claims, Contests, Facts, Pass, Spoken,
        act::{Act, Effect},
        decide,
        epochs::EpochPass,
        facts::{FeedFacts, InvitationFacts},
        forks::{self, Fork},
        standing::View,
    },
    void::VoidReason,
};

/// Why this node writes nothing in the space, though it goes on reading and replicating. Spec: SPACE-3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteStop {
    /// A counting credential of a kind that this version does not know, or knows as a format only.
    #[error("the space uses a kind of change (kind {kind}) that this version does not know")]
    UnknownCritical {
        /// The kind.
        kind: u32,
    },
    /// The space, or a member, goes by later rules.
    #[error("the space goes by rules version {found}, this version knows {}", weft_credential::RULES)]
    HigherRules {
        /// The version found.
        found: u32,
    },
}

/// A member as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its root key.
    pub identity: IdentityId,
    /// The most it was given, less what was taken.
    pub role: Role,
    /// Its devices.
    pub devices: Vec<DeviceId>,
    /// Who issued the invitation it came by; none for the founder.
    pub admitted_by: Option<IdentityId>,
    /// The key its recovery lockboxes are sealed to, once published.
    pub recovery: Option<PreKeyId>,
}

/// A device of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceStatus {
    /// For whom it acts.
    pub identity: IdentityId,
    /// The newest key that its lockboxes are sealed to.
    pub pre_key: Option<PreKeyId>,
    /// The number of that key; 0 for the one it came with.
    pub pre_key_number: Option<u64>,
}

/// A feed that belongs to the space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedFeed {
    /// Its manifest.
    pub manifest: Manifest,
    /// For whom its device acts.
    pub identity: IdentityId,
    /// False when its admission lost a contest. Such a feed is still replicated, ordered and served, since others may have
    /// built on it; nothing in it counts. Spec: SPACE-3.3.
    pub counts: bool,
    /// How many feeds were admitted before it: those that count, if it does; carried ones too, if not. Of two feeds that contend for a
    /// client id, one that counts comes first, then the one with the lower number. Spec: SPACE-8.2
    pub number: u64,
}

/// An invitation as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationState {
    /// What a redeemer becomes.
    pub role: Role,
    /// How many may redeem it.
    pub uses: u32,
    /// How many still may.
    pub left: u32,
    /// When the host stops accepting it, in milliseconds since 1970. Read by the host that acts, never by the resolution.
    pub expires_ms: u64,
    /// Who issued it.
    pub issuer: IdentityId,
    /// The device that issued it.
    pub device: DeviceId,
    /// Hosts ask a person before they let somebody in.
    pub approve: bool,
    /// It was revoked, or its issuer may not grant its role any more: nobody redeems it from here on.
    pub revoked: bool,
    /// Who redeemed it, with which device.
    pub redemptions: Vec<(IdentityId, DeviceId)>,
    /// The entries whose redemptions count, ascending: what a revocation names as standing.
    pub standing: Vec<EntryId>,
}

/// What a set of control entries makes of a space; see [`crate::resolve`]. Spec: SPACE-3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    space: SpaceId,
    /// What counts.
    pub(crate) facts: Facts,
    /// What would count if nobody had lost a contest.
    pub(crate) carried: Facts,
    /// Feeds of which two histories are proved.
    pub(crate) forks: BTreeMap<FeedId, Fork>,
}

impl Resolution {
    /// The resolution of no entries.
    pub fn empty(space: SpaceId) -> Self {
        Self { space, facts: Facts::default(), carried: Facts::default(), forks: BTreeMap::new() }
    }

    /// Of entries in the one order, none twice.
    pub(crate) fn of(space: &SpaceId, entries: Vec<&ControlEntry>) -> Self {
        let (entries, forks) = forks::settle(entries);
        let mut carried = Facts::default();
        for entry in &entries {
            Pass::read(Contests::Open, &Spoken::new(), &mut carried, &mut Claims::new(), entry);
            EpochPass::read(None, &mut carried, entry);
        }
        let mut facts = decide::decide(entries.iter().map(|entry| &**entry).collect(), &mut Default::default());
        for entry in &entries {
            EpochPass::read(Some(&carried), &mut facts, entry);
        }
        Self { space: *space, facts, carried, forks }
    }

    /// Reads the next entry of the order, one that decides nothing.
    pub(crate) fn read(&mut self, entry: &ControlEntry) {
        // What devices have signed is asked for where a root key admits one: such an entry is not read alone.
        let spoken = Spoken::new();
        Pass::read(Contests::Open, &spoken, &mut self.carried, &mut Claims::new(), entry);
        EpochPass::read(None, &mut self.carried, entry);
        Pass::read(Contests::Decided, &spoken, &mut self.facts, &mut Claims::new(), entry);
        EpochPass::read(Some(&self.carried), &mut self.facts, entry);
    }

    /// The space.
    pub fn space(&self) -> &SpaceId {
        &self.space
    }

    /// The genesis statement, once entry 0 is known.
    pub fn genesis(&self) -> Option<&Genesis> {
        self.facts.genesis.as_ref()
    }

    /// What newcomers may read of the time before they came; nothing while the genesis is not known. Spec: SPACE-7.6
    pub fn history(&self) -> History {
        let founded = self.facts.genesis.as_ref().map_or(History::FromJoining, |genesis| genesis.history);
        let from_joining = self.facts.policies.iter().any(|(_, history)| *history == History::FromJoining);
        match (self.facts.policies.is_empty(), from_joining) {
            (true, _) => founded,
            (false, true) => History::FromJoining,
            (false, false) => History::All,
        }
    }

    /// Everybody who belongs to the space, in the order of their keys.
    pub fn members(&self) -> Vec<Member> {
        let identities = self.facts.members.keys();
        identities.filter_map(|identity| self.member(identity)).collect()
    }

    /// One member.
    pub fn member(&self, identity: &IdentityId) -> Option<Member> {
        let member = self.facts.members.get(identity)?;
        let devices = self.facts.devices.iter();
        let current = |id: &DeviceId| self.facts.is_current(id, View::Now);
        let own = devices.filter(|(id, device)| device.identity == *identity && current(id));
        let role = self.facts.role(identity, View::Now)?;
        Some(Member {
            identity: *identity,
            role,
            devices: own.map(|(device, _)| *device).collect(),
            admitted_by: member.grants.first().and_then(|grant| grant.by),
            recovery: member.recovery.iter().max_by_key(|(_, number, key)| (*number, *key)).map(|(.., key)| *key),
        })
    }

    /// A current device of a current member; none for anybody else. Spec: SPACE-5.2.
    pub fn device(&self, device: &DeviceId) -> Option<DeviceStatus> {
        let known = self.facts.devices.get(device)?;
        if !self.facts.is_current(device, View::Now) {
            return None;
        }
        let newest = known.pre_keys.iter().max_by_key(|(_, number, _)| *number);
        Some(DeviceStatus {
            identity: known.identity,
            pre_key: newest.map(|(_, _, key)| *key),
            pre_key_number: newest.map(|(_, number, _)| *number),
        })
    }

    /// Whether a device was here for an identity and was removed by one of the identity's own, or by its root key. What an admin does
    /// in its space says nothing about the device elsewhere.
    pub fn was_removed_by_its_own(&self, device: &DeviceId) -> bool {
        let Some(known) = self.facts.devices.get(device) else { return false };
        self.facts.acts.on_device(device, &known.identity).any(|(_, act)| act.author == known.identity)
    }

    /// Whether a device was here and was removed itself, not only its identity.
    pub fn was_removed(&self, device: &DeviceId) -> bool {
        let Some(known) = self.facts.devices.get(device) else { return false };
        self.facts.acts.on_device(device, &known.identity).next().is_some()
    }

    /// Whether a device was ever here, whoever removed it since.
    pub fn had_device(&self, device: &DeviceId) -> bool {
        self.facts.devices.contains_key(device)
    }

    /// Who removed an identity that was a member and is none; itself if it left.
    pub fn removed_by(&self, identity: &IdentityId) -> Option<IdentityId> {
        let removals = self.facts.acts.on_member(identity).filter(|(number, _)| self.facts.removes(*number));
        removals.last().map(|(_, act)| act.author).filter(|_| self.role_of(identity).is_none())
    }

    /// A feed of the space.
    pub fn feed(&self, feed: &FeedId) -> Option<AdmittedFeed> {
        let admitted = |facts: &FeedFacts, counts| AdmittedFeed {
            manifest: facts.manifest,
            identity: facts.identity,
            counts,
            number: facts.number,
        };
        let counts = self.facts.feeds.get(feed).map(|facts| admitted(facts, true));
        counts.or_else(|| self.carried.feeds.get(feed).map(|facts| admitted(facts, false)))
    }

    /// Every feed of the space, those included that are carried and do not count, in the order of their ids.
    pub fn feeds(&self) -> impl Iterator<Item = (FeedId, AdmittedFeed)> {
        let ids = self.carried.feeds.keys();
        ids.filter_map(|id| Some((*id, self.feed(id)?)))
    }

    /// What an identity is now.
    pub fn role_of(&self, identity: &IdentityId) -> Option<Role> {
        self.facts.role(identity, View::Now)
    }

    /// What an identity was, as far as one who has seen `past` can tell. Spec: SPACE-3.2.
    pub fn role_at(&self, identity: &IdentityId, past: &Past) -> Option<Role> {
        self.facts.role(identity, View::At(&Position::of(past)))
    }

    /// An invitation.
    pub fn invitation(&self, invitation: &InvitationId) -> Option<InvitationState> {
        let known = self.facts.invitations.get(invitation)?;
        let InvitationFacts { redemptions, .. } = known;
        let issue = known.issue(|_| true)?;
        let used = u32::try_from(redemptions.len()).unwrap_or(u32::MAX);
        let may = self.role_of(&issue.issuer).is_some_and(|role| role.may_grant(issue.role));
        let acts = &self.facts.acts;
        let ended = acts.on_member(&issue.issuer).any(|(number, act)| issue.is_ended_by(number, act));
        let revoked = !may || ended || acts.on_invitation(invitation).next().is_some();
        let mut standing: Vec<EntryId> = redemptions.values().flatten().copied().collect();
        standing.sort();
        Some(InvitationState {
            role: issue.role,
            uses: issue.uses,
            left: issue.uses.saturating_sub(used),
            expires_ms: issue.expires_ms,
            issuer: issue.issuer,
            device: issue.device,
            approve: issue.approve,
            revoked,
            redemptions: redemptions.keys().copied().collect(),
            standing,
        })
    }

    /// Every invitation whose issue counts, those included that cannot be redeemed any more, in the order of their ids.
    pub fn invitations(&self) -> impl Iterator<Item = (InvitationId, InvitationState)> {
        let ids = self.facts.invitations.keys();
        ids.filter_map(|id| Some((*id, self.invitation(id)?)))
    }

    /// Whether an identity's devices take redemptions of an invitation now: it may grant the role itself. Spec: INVITATION-2
    pub fn may_host(&self, identity: &IdentityId, invitation: &InvitationState) -> bool {
        self.role_of(identity).is_some_and(|role| role.may_grant(invitation.role))
    }

    /// Whether an identity may revoke an invitation: it issued it, or administers and outranks who did. Spec: SPACE-11.8
    pub fn may_revoke(&self, identity: &IdentityId, invitation: &InvitationState) -> bool {
        let standing = |identity| self.facts.standing(identity, View::Now);
        let mine = standing(identity).filter(|standing| standing.role.may_administer());
        *identity == invitation.issuer || mine.is_some() && mine > standing(&invitation.issuer)
    }

    /// Whether hosts turn a newcomer away: its device was here and is not any more, or its identity was removed, and the invitation
    /// is not from after that in the order. Spec: INVITATION-4.3
    pub fn is_turned_away(&self, invitation: &InvitationId, identity: &IdentityId, device: &DeviceId) -> bool {
        let acts = &self.facts.acts;
        let gone = self.facts.devices.contains_key(device) && self.device(device).is_none();
        if gone || acts.on_device(device, identity).next().is_some() {
            return true;
        }
        let known = self.facts.invitations.get(invitation);
        let Some(issue) = known.and_then(|known| known.issue(|_| true)) else { return true };
        self.role_of(identity).is_none()
            && acts.on_member(identity).any(|(number, act)| self.facts.removes(number) && act.rank > issue.given)
    }

    /// Up to which length a feed stands, when something ended it: a removal of its member or device, or of the feed itself.
    /// What lies past it is void, and kept. Spec: SPACE-11.2
    pub fn stands(&self, feed: &FeedId) -> Option<u64> {
        let forked = self.kept_of(feed);
        let Some(facts) = self.facts.feeds.get(feed) else {
            return forked;
        };
        // As seen by one who has seen all: a feed that was admitted anew after a removal is not touched by it.
        let all = facts.admissions.iter().map(|admission| (admission.place.feed, admission.place.seq + 1)).collect();
        let stands = self.facts.stands(feed, facts, &Position::of(&all));
        let stands = stands.min(forked.unwrap_or(u64::MAX));
        (stands < u64::MAX).then_some(stands)
    }

    /// The acts by which the member that writes a feed may write no longer though it is a member, each with how much of the feed is judged by
    /// what it was before. Spec: SPACE-11.5
    pub fn demoted(&self, feed: &FeedId) -> Vec<(Place, u64)> {
        let Some(facts) = self.facts.feeds.get(feed) else { return Vec::new() };
        let acts = self.facts.acts.on_member(&facts.identity).map(|(_, act)| act);
        let demotes = |act: &&Act| matches!(act.effect, Effect::Lowers(_, role) if !role.may_write());
        let acts = acts.filter(demotes).filter(|act| !self.facts.is_of_a_junior(act, &facts.manifest.device));
        acts.filter_map(|act| Some((*act.places.first()?, act.stands(feed)))).collect()
    }

    /// What is known of a feed's fork, if two histories of it are proved. Spec: SPACE-16
    pub fn fork(&self, feed: &FeedId) -> Option<&Fork> {
        self.forks.get(feed)
    }

    /// Every fork that is proved.
    pub fn forks(&self) -> impl Iterator<Item = &Fork> {
        self.forks.values()
    }

    /// How much of a forked feed is kept.
    pub(crate) fn kept_of(&self, feed: &FeedId) -> Option<u64> {
        Some(self.forks.get(feed)?.kept.as_ref()?.head.length)
    }

    /// Whether a member ought to say of a forked feed what it holds: `head`, with `entry` as its first entry after the `common` ones.
    /// Spec: SPACE-16.5
    pub fn has_to_witness(&self, me: (&DeviceId, &IdentityId), head: &Head, common: u64, entry: &EntryId) -> bool {
        self.facts.has_to_witness(self.fork(&head.feed), me, (head, common, entry))
    }

    /// Why nothing may be written here, if so. Spec: SPACE-3.5.
    pub fn write_stop(&self) -> Option<WriteStop> {
        self.facts.stop
    }

    /// What does not count, and why, in the order of feeds.
    pub fn void(&self) -> impl Iterator<Item = (&Place, &VoidReason)> {
        self.facts.void.iter()
    }
}
