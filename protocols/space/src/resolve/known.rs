//! The set of entries that is resolved, in the one order, and where things are in it.

use std::collections::{BTreeMap, BTreeSet};

use weft_credential::{Credential, Named, RULES, Subject};
use weft_crypto::{DeviceId, EntryId, FeedId, IdentityId, SignedManifest};
use weft_feed::Past;

use super::{
    act::{self, Act, Effect},
    pass::Spoken,
};
use crate::{ControlEntry, entry::Place, limits};

/// A credential that has to be decided.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) place: Place,
    pub(crate) entry: &'a ControlEntry,
    pub(crate) credential: &'a Credential,
}

/// The entries of a resolution.
pub(crate) struct Known<'a> {
    /// In the one order.
    pub(crate) entries: Vec<&'a ControlEntry>,
    places: BTreeMap<(FeedId, u64), &'a ControlEntry>,
    ids: BTreeMap<EntryId, &'a ControlEntry>,
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// As many of each feed as count.
    pub(crate) seals: Vec<(Named, &'a ControlEntry)>,
    pub(crate) spoken: Spoken,
}

impl<'a> Known<'a> {
    /// `entries` in the one order, none twice.
    pub(crate) fn new(entries: Vec<&'a ControlEntry>) -> Self {
        let mut candidates = Vec::new();
        let mut seals = Vec::new();
        let mut sealed: BTreeMap<FeedId, u32> = BTreeMap::new();
        let mut spoken = Spoken::new();
        for (place, entry, credential) in parts(&entries) {
            match credential {
                Credential::Seal(seal) => {
                    let before = sealed.entry(entry.feed).or_default();
                    if *before < limits::SEALS_MAX {
                        seals.push((seal.act, entry));
                    }
                    *before += 1;
                }
                Credential::InvitationRedeemed(redeemed) => {
                    let statement = redeemed.statement();
                    spoken.entry(statement.device).or_default().insert(statement.identity);
                }
                Credential::DeviceLinked(linked) => {
                    let statement = linked.statement();
                    spoken.entry(statement.device).or_default().insert(statement.identity);
                }
                Credential::SpaceGenesis(genesis) => {
                    let genesis = genesis.genesis();
                    spoken.entry(genesis.device).or_default().insert(genesis.root);
                }
                act if act::is_decided(act) => candidates.push(Candidate { place, entry, credential }),
                _ => {}
            }
        }
        // Only who asks needs to find an entry.
        let asked = !candidates.is_empty() || has_root_acts(&entries);
        let asked: &[&ControlEntry] = if asked { &entries } else { &[] };
        let places = asked.iter().map(|entry| ((entry.feed, entry.seq), *entry)).collect();
        let ids = asked.iter().map(|entry| (entry.id, *entry)).collect();
        Self { entries, places, ids, candidates, seals, spoken }
    }

    /// Whether what stands at `place` was said by one who had seen `act`, or later in the same entry.
    pub(crate) fn is_after(&self, place: &Place, act: &Place) -> bool {
        if (place.feed, place.seq) == (act.feed, act.seq) {
            return place.part > act.part;
        }
        let entry = self.places.get(&(place.feed, place.seq));
        entry.is_some_and(|entry| entry.position().has(act))
    }

    /// Where a named part stands.
    pub(crate) fn place_of(&self, named: &Named) -> Option<Place> {
        let entry = self.ids.get(&named.entry)?;
        Some(Place { feed: entry.feed, seq: entry.seq, part: named.part })
    }

    /// The entry that holds a place.
    pub(crate) fn entry_at(&self, place: &Place) -> Option<&'a ControlEntry> {
        self.places.get(&(place.feed, place.seq)).copied()
    }

    /// What the author of an entry had seen, itself not included.
    pub(crate) fn past_of(&self, entry: &ControlEntry) -> Vec<&'a ControlEntry> {
        let position = entry.position();
        let seen = |other: &&&ControlEntry| {
            let place = Place { feed: other.feed, seq: other.seq, part: 0 };
            position.has(&place) && other.id != entry.id
        };
        self.entries.iter().filter(seen).copied().collect()
    }

    /// What root keys said of removed devices: all that was said of one device is one act. Spec: SPACE-14.2
    pub(crate) fn root_acts(&self) -> Vec<Act> {
        let mut said: BTreeMap<(IdentityId, DeviceId), Vec<RootAct<'a>>> = BTreeMap::new();
        for (place, entry, credential) in parts(&self.entries) {
            let Credential::RootStatement(carried) = credential else { continue };
            let statement = carried.statement();
            if let Subject::DeviceRemoved { device, cuts } = &statement.subject {
                let cuts = cuts.as_ref().map(|cuts| cuts.iter().map(|cut| (cut.feed, cut.length)).collect());
                let number = statement.number;
                said.entry((statement.identity, *device)).or_default().push(RootAct { place, entry, number, cuts });
            }
        }
        said.into_iter().filter_map(|((identity, device), said)| self.root_act(identity, device, &said)).collect()
    }

    /// The latest statement that names cuts holds; while there is none, what its carriers had seen of control feeds stands.
    fn root_act(&self, identity: IdentityId, device: DeviceId, said: &[RootAct<'a>]) -> Option<Act> {
        let (mut floor, mut seen) = (Past::new(), Past::new());
        let mut cuts: BTreeMap<FeedId, u64> = BTreeMap::new();
        let latest = said.iter().filter(|act| act.cuts.is_some()).map(|act| act.number).max();
        let own = self.feeds_of(&device);
        for act in said {
            if !own.contains(&act.entry.feed) {
                seen.join(&act.entry.seen());
            }
            match &act.cuts {
                None if latest.is_none() && !own.contains(&act.entry.feed) => floor.join(&act.entry.seen()),
                Some(named) if latest == Some(act.number) => {
                    for (feed, length) in named {
                        let known = cuts.entry(*feed).or_default();
                        *known = (*length).max(*known);
                    }
                }
                _ => {}
            }
        }
        let first = said.first()?;
        Some(Act {
            places: said.iter().map(|act| act.place).collect(),
            rank: (first.entry.rank(), first.place.part),
            author: identity,
            first: None,
            standing: None,
            effect: Effect::RemovesDevice { device, of: Some(identity) },
            cuts,
            floor,
            seen,
        })
    }

    /// The feeds for which a device has signed.
    fn feeds_of(&self, device: &DeviceId) -> BTreeSet<FeedId> {
        let manifests = parts(&self.entries).filter_map(|(_, _, credential)| match credential {
            Credential::FeedAdmitted(signed) => Some(signed),
            _ => None,
        });
        manifests.filter(|signed| signed.manifest().device == *device).map(SignedManifest::feed).collect()
    }
}

/// One carrier of a root key's removal of a device.
struct RootAct<'a> {
    place: Place,
    entry: &'a ControlEntry,
    number: u64,
    cuts: Option<Vec<(FeedId, u64)>>,
}

fn parts<'a, 'b: 'a>(
    entries: &'a [&'b ControlEntry],
) -> impl Iterator<Item = (Place, &'b ControlEntry, &'b Credential)> + 'a {
    entries.iter().flat_map(|entry| {
        let parts = entry.parts.as_deref().unwrap_or_default();
        let parts = (0..).zip(parts).filter(|(_, read)| read.version <= RULES);
        parts.map(|(part, read)| {
            let place = Place { feed: entry.feed, seq: entry.seq, part };
            (place, *entry, &read.credential)
        })
    })
}

/// Whether an entry can change what was decided, by what it is alone.
pub(crate) fn decides(entry: &ControlEntry) -> bool {
    let entries = [entry];
    parts(&entries).any(|(_, _, credential)| {
        act::is_decided(credential) || matches!(credential, Credential::Seal(_)) || is_root_act(credential)
    })
}

fn has_root_acts(entries: &[&ControlEntry]) -> bool {
    parts(entries).any(|(_, _, credential)| is_root_act(credential))
}

fn is_root_act(credential: &Credential) -> bool {
    let Credential::RootStatement(carried) = credential else { return false };
    matches!(carried.statement().subject, Subject::DeviceRemoved { .. })
}
