//! What more than half of those who administered stood behind.
//!
//! Votes are counted as the act's author and each sealer saw the space, each by a resolution of what it had seen: so a removal
//! that answers a sealed one by removing its sealers comes too late, however it is dated. Spec: SPACE-12.3

use std::collections::{BTreeMap, BTreeSet};

use weft_credential::{Credential, Role};
use weft_crypto::{FeedId, IdentityId};

use super::{
    act::{Acts, Effect},
    decide,
    facts::Facts,
    known::{Candidate, Known},
    pass::Author,
    standing::View,
};
use crate::{ControlEntry, entry::Rank};

/// What the authors of entries had seen, resolved: by the entry.
pub(crate) type Seen = BTreeMap<(FeedId, u64), Facts>;

/// An act with those who stand behind it.
pub(crate) struct Sealed<'a> {
    pub(crate) act: Candidate<'a>,
    pub(crate) author: Author,
    /// Where its author's device was first admitted.
    pub(crate) first: Option<(Rank, u32)>,
    /// Who administered when it was written, its target included.
    electorate: usize,
    /// Where each stands behind it.
    votes: BTreeMap<IdentityId, (Author, &'a ControlEntry)>,
}

impl<'a> Sealed<'a> {
    /// What is sealed; what had seen most comes first.
    pub(crate) fn of(known: &Known<'a>, seen: &mut Seen) -> Vec<Self> {
        let mut seals: BTreeMap<_, Vec<&'a ControlEntry>> = BTreeMap::new();
        for (named, entry) in &known.seals {
            if let Some(place) = known.place_of(named) {
                seals.entry(place).or_default().push(entry);
            }
        }
        let mut sealed = Vec::new();
        for candidate in &known.candidates {
            let sealable = matches!(candidate.credential, Credential::MemberRemoved(_) | Credential::RoleChanged(_));
            if let Some(seals) = seals.get(&candidate.place).filter(|_| sealable) {
                sealed.extend(Self::count(known, candidate, seals, seen));
            }
        }
        sealed.retain(|sealed| sealed.is_sealed(&Acts::default()));
        sealed.sort_by_key(|sealed| (sealed.act.entry.rank().knowledge(), sealed.act.place.part));
        sealed
    }

    fn count(known: &Known<'a>, act: &Candidate<'a>, seals: &[&'a ControlEntry], seen: &mut Seen) -> Option<Self> {
        let facts = as_seen(known, act.entry, seen);
        let author = administers(facts, act.entry)?;
        let about = match act.credential {
            Credential::MemberRemoved(removed) => removed.identity,
            Credential::RoleChanged(changed) => changed.identity,
            _ => return None,
        };
        let members = facts.members.keys();
        let administer = |id: &&IdentityId| facts.role(id, View::Now).is_some_and(Role::may_administer);
        let electorate: BTreeSet<_> = members.filter(administer).copied().collect();
        let first = facts.devices.get(&author.device).map(|device| device.first);
        if about == author.identity || facts.role(&about, View::Now).is_none() || !electorate.contains(&author.identity)
        {
            return None;
        }
        let mut votes = BTreeMap::from([(author.identity, (author, act.entry))]);
        for seal in seals {
            if !seal.position().has(&act.place) {
                continue;
            }
            if let Some(sealer) = administers(as_seen(known, seal, seen), seal)
                && electorate.contains(&sealer.identity)
            {
                votes.entry(sealer.identity).or_insert((sealer, seal));
            }
        }
        Some(Self { act: *act, author, first, electorate: electorate.len(), votes })
    }

    /// Whether more than half stand behind it, and not its author alone; those not counted who were removed or lowered by what
    /// was sealed before, as far as they had not seen it (what they had seen is in how their vote was judged), and whose device
    /// its root key removed.
    pub(crate) fn is_sealed(&self, acts: &Acts) -> bool {
        let stands = |(identity, (author, entry)): &(&IdentityId, &(Author, &ControlEntry))| {
            if acts.on_device(&author.device, identity).any(|(_, act)| entry.seq >= act.stands(&entry.feed)) {
                return false;
            }
            let mut on = acts.on_member(identity).filter(|(_, act)| match act.effect {
                Effect::Lowers(_, role) => !role.may_administer(),
                _ => true,
            });
            !on.any(|(_, act)| entry.seq >= act.stands(&entry.feed) && !act.is_known(&entry.position()))
        };
        let votes = self.votes.iter().filter(stands).count();
        votes > 1 && votes * 2 > self.electorate
    }
}

fn administers(facts: &Facts, entry: &ControlEntry) -> Option<Author> {
    let author = facts.author(entry).ok()?;
    author.must(Role::may_administer).ok()?;
    Some(author)
}

fn as_seen<'s>(known: &Known<'_>, entry: &ControlEntry, seen: &'s mut Seen) -> &'s Facts {
    let place = (entry.feed, entry.seq);
    if !seen.contains_key(&place) {
        let facts = decide::decide(known.past_of(entry), seen);
        seen.insert(place, facts);
    }
    seen.entry(place).or_default()
}
