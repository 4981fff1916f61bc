//! What is kept of a feed whose author wrote two histories.
//!
//! A fork stops a feed and never undoes it. Witnesses say which of the histories they hold; the highest of them decides, as
//! everybody stands *without* what the forked feeds say after the fork. So whoever wrote two histories cannot choose by one of
//! them who decides between them, and nodes that hold different ones choose alike. Spec: SPACE-16

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use weft_credential::{Branch, Credential, ForkProven, Malformed};
use weft_crypto::{DeviceId, EntryId, FeedId, Head, IdentityId, Manifest};
use weft_feed::{Past, entry_id, leaf, proof::ForkProof};

use super::{
    decide,
    facts::Facts,
    pass::Author,
    standing::{Standing, View},
};
use crate::{ControlEntry, entry::Rank};

/// A feed of which two histories are proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// What names the feed.
    pub manifest: Manifest,
    /// How many entries all histories have in common: of several proofs the fewest.
    pub common: u64,
    /// What is kept; none before a witness counts.
    pub kept: Option<Kept>,
}

/// The history that is kept, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where it ends.
    pub head: Head,
    /// Its first entry after what the histories have in common.
    pub entry: EntryId,
    /// Who decided it.
    pub by: IdentityId,
}

/// One who said of a forked feed which history it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) device: DeviceId,
    pub(crate) identity: IdentityId,
    standing: Option<Standing>,
    given: (Rank, u32),
    common: u64,
    head: Head,
    entry: EntryId,
}

/// Whether the proof proves a fork of the feed that it comes with. Spec: CREDENTIAL-12
pub(crate) fn check(proven: &ForkProven) -> Result<(), Malformed> {
    let wrong = |why: String| Malformed::Proof { why };
    let proof = ForkProof::decode(&proven.proof).map_err(|error| wrong(error.to_string()))?;
    if proof.first.feed != proven.manifest.id() {
        return Err(wrong("it is about another feed".into()));
    }
    proof.verify(&proven.manifest.feed_key).map_err(|error| wrong(error.to_string()))
}

impl Witness {
    /// What one says who may speak. None for a proof that was not checked.
    pub(crate) fn of(proven: &ForkProven, author: &Author, given: (Rank, u32)) -> Option<Self> {
        let proof = ForkProof::decode(&proven.proof).ok()?;
        let (head, header) = match proven.held {
            Branch::First => (proof.first, &proof.first_leaf.header),
            Branch::Second => (proof.second, &proof.second_leaf.header),
        };
        let entry = entry_id(&head.feed, proof.common, &leaf(header));
        let Author { device, identity, standing } = *author;
        Some(Self { device, identity, standing, given, common: proof.common, head, entry })
    }
}

/// The entries that are read where feeds are forked, in the one order, and what is kept of which feed. Spec: SPACE-16.3
pub(crate) fn settle<'a>(entries: Vec<&'a ControlEntry>) -> (Vec<Cow<'a, ControlEntry>>, BTreeMap<FeedId, Fork>) {
    let mut forks = proved(&entries);
    if forks.is_empty() {
        return (entries.into_iter().map(Cow::Borrowed).collect(), forks);
    }
    let held: BTreeMap<FeedId, EntryId> = forks
        .iter()
        .filter_map(|(feed, fork)| {
            let at = entries.iter().find(|entry| entry.feed == *feed && entry.seq == fork.common)?;
            Some((*feed, at.id))
        })
        .collect();
    // Without what any forked feed says after its fork. Then, where nobody was there before the fork who could say, as things
    // are held.
    let commons = forks.iter().map(|(feed, fork)| (*feed, fork.common)).collect();
    choose(&mut forks, &facts(&entries, &commons), |_| true);
    if forks.values().any(|fork| fork.kept.is_none()) {
        let facts = facts(&entries, &limits(&forks, &held));
        choose(&mut forks, &facts, |witness| held.get(&witness.head.feed).is_none_or(|id| *id == witness.entry));
    }
    let kept = within(&entries, &limits(&forks, &held));
    (kept, forks)
}

/// Every fork that is proved in any entry, whoever wrote it.
fn proved(entries: &[&ControlEntry]) -> BTreeMap<FeedId, Fork> {
    let mut forks: BTreeMap<FeedId, Fork> = BTreeMap::new();
    for proven in entries.iter().flat_map(|entry| proofs(entry)) {
        let Ok(proof) = ForkProof::decode(&proven.proof) else { continue };
        let (manifest, common) = (proven.manifest, proof.common);
        let fork = forks.entry(proof.first.feed).or_insert(Fork { manifest, common, kept: None });
        fork.common = fork.common.min(common);
    }
    forks
}

/// The fork proofs in an entry.
pub(crate) fn proofs(entry: &ControlEntry) -> impl Iterator<Item = &ForkProven> {
    entry.parts.iter().flatten().filter_map(|part| match &part.credential {
        Credential::ForkProven(proven) => Some(proven),
        _ => None,
    })
}

fn facts(entries: &[&ControlEntry], limits: &BTreeMap<FeedId, u64>) -> Facts {
    let within = within(entries, limits);
    decide::decide(within.iter().map(|entry| &**entry).collect(), &mut Default::default())
}

/// Lets the witnesses that count decide where nobody has.
fn choose(forks: &mut BTreeMap<FeedId, Fork>, facts: &Facts, may: impl Fn(&Witness) -> bool) {
    for (feed, fork) in forks.iter_mut().filter(|(_, fork)| fork.kept.is_none()) {
        let owner = facts.devices.get(&fork.manifest.device).map(|device| device.identity);
        let witnesses = facts.witnesses.get(feed).into_iter().flatten();
        let witnesses = witnesses
            .filter(|witness| witness.common == fork.common && witness.device != fork.manifest.device && may(witness));
        // Another identity before a sibling device; then who stands highest; of one who says two things the first.
        let weight = |witness: &&Witness| (Some(witness.identity) != owner, witness.standing, Reverse(witness.given));
        let Some(first) = witnesses.clone().max_by_key(weight) else { continue };
        // It may come to know more of that history.
        let same = witnesses.filter(|other| (other.identity, other.entry) == (first.identity, first.entry));
        let longest = same.map(|witness| witness.head).max_by_key(|head| (head.length, head.root));
        let head = longest.unwrap_or(first.head);
        fork.kept = Some(Kept { head, entry: first.entry, by: first.identity });
    }
}

/// How much of each feed is read: nothing after the fork where another history is held than is kept.
fn limits(forks: &BTreeMap<FeedId, Fork>, held: &BTreeMap<FeedId, EntryId>) -> BTreeMap<FeedId, u64> {
    let limit = |(feed, fork): (&FeedId, &Fork)| {
        let kept = fork.kept.as_ref()?;
        let other = held.get(feed).is_some_and(|id| *id != kept.entry);
        Some((*feed, if other { fork.common } else { kept.head.length }))
    };
    forks.iter().filter_map(limit).collect()
}

/// The entries within the limits, each with what it had seen *of these*, in the one order. Spec: SPACE-16.2
fn within<'a>(entries: &[&'a ControlEntry], limits: &BTreeMap<FeedId, u64>) -> Vec<Cow<'a, ControlEntry>> {
    let mut feeds: BTreeMap<FeedId, Vec<&'a ControlEntry>> = BTreeMap::new();
    for entry in entries {
        if limits.get(&entry.feed).is_none_or(|limit| entry.seq < *limit) {
            feeds.entry(entry.feed).or_default().push(entry);
        }
    }
    feeds.values_mut().for_each(|feed| feed.sort_by_key(|entry| entry.seq));
    let mut pasts: BTreeMap<FeedId, Vec<Past>> = feeds.keys().map(|feed| (*feed, Vec::new())).collect();
    let mut open: BTreeSet<FeedId> = feeds.keys().copied().collect();
    // Round and round: an entry when all that it names is done.
    while !open.is_empty() {
        let before = open.clone();
        let mut moved = false;
        for feed in before {
            let entries = &feeds[&feed];
            let mut own = pasts.remove(&feed).unwrap_or_default();
            while let Some(entry) = entries.get(own.len()) {
                let inherited = own.last().cloned().unwrap_or_default();
                let Some(past) = past(entry, inherited, &feeds, &pasts) else { break };
                own.push(past);
                moved = true;
            }
            if own.len() == entries.len() {
                open.remove(&feed);
            }
            pasts.insert(feed, own);
        }
        if !moved {
            // Nobody honest names what names it back: left out, everywhere alike.
            break;
        }
    }
    let mut kept: Vec<Cow<'a, ControlEntry>> = Vec::new();
    for (feed, pasts) in pasts {
        for (entry, past) in feeds[&feed].iter().zip(pasts) {
            kept.push(if entry.past == past {
                Cow::Borrowed(entry)
            } else {
                Cow::Owned(ControlEntry { past, ..(*entry).clone() })
            });
        }
    }
    kept.sort_by_key(|entry| entry.rank());
    kept
}

/// What an entry had seen of the others, once they are done.
fn past(
    entry: &ControlEntry,
    inherited: Past,
    feeds: &BTreeMap<FeedId, Vec<&ControlEntry>>,
    pasts: &BTreeMap<FeedId, Vec<Past>>,
) -> Option<Past> {
    let mut past = inherited;
    for (feed, length) in entry.named.iter().filter(|(feed, _)| *feed != entry.feed) {
        let Some(entries) = feeds.get(&feed) else { continue };
        let length = entries.last().map_or(0, |last| length.min(last.seq + 1));
        let seen = entries.partition_point(|other| other.seq < length);
        let done = pasts.get(&feed)?;
        if let Some(last) = seen.checked_sub(1) {
            let others = done.get(last)?.iter().filter(|(other, _)| *other != entry.feed);
            for (other, length) in others {
                past.raise(other, length);
            }
        }
        past.raise(feed, length);
    }
    Some(past)
}

impl Facts {
    /// Whether a member who holds `head`, with `entry` where the histories part after `common` entries, has something to say of a
    /// forked feed that nobody has said whom everybody would rather hear. Spec: SPACE-16.5
    pub(crate) fn has_to_witness(
        &self,
        fork: Option<&Fork>,
        me: (&DeviceId, &IdentityId),
        held: (&Head, u64, &EntryId),
    ) -> bool {
        let (head, common, entry) = held;
        let Some(fork) = fork.filter(|fork| fork.common <= common) else { return true };
        let said = self.witnesses.get(&head.feed).into_iter().flatten();
        let mut said = said.filter(|witness| witness.identity == *me.1 && witness.common == fork.common);
        if *me.0 == fork.manifest.device || fork.common != common || said.any(|witness| witness.entry == *entry) {
            return false;
        }
        let Some(kept) = &fork.kept else { return true };
        let owner = self.devices.get(&fork.manifest.device).map(|device| device.identity);
        let standing = |identity: &IdentityId| self.standing(identity, View::Now);
        let weight = |identity: &IdentityId| (Some(*identity) != owner, standing(identity));
        kept.entry != *entry && weight(me.1) > weight(&kept.by)
    }
}
