//! A space as it grows: the entries known so far and what they resolve to.

use std::collections::{BTreeMap, BTreeSet};

use weft_credential::{Credential, Malformed, Part, Role, Subject, verify};
use weft_crypto::{DeviceId, EntryId, EpochId, FeedId, Purpose, SpaceId};
use weft_feed::Past;

use crate::{
    ControlEntry, Resolution,
    entry::{Place, Rank},
    resolve::{Facts, act::Effect, forks},
    void::VoidReason,
    watch::Watch,
};

/// What new control entries changed. Spec: SPACE-3.6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Feeds to replicate and order from now on, those included that do not count (see [`crate::AdmittedFeed::counts`]).
    pub feeds_admitted: Vec<FeedId>,
    /// Devices that are current now and were not.
    pub devices_admitted: Vec<DeviceId>,
    /// Devices that were current and are not any more.
    pub devices_gone: Vec<DeviceId>,
    /// Epochs that are known now and were not.
    pub epochs_started: Vec<EpochId>,
    /// Whether something was sealed to somebody: `Keys::learn` has something to look at.
    pub lockboxes: bool,
    /// Data feeds whose entries, already judged, must be judged again from the start.
    pub verdicts_changed: Vec<FeedId>,
    /// Epochs that are known now and were not before, though their start was held: what is sealed under them was passed over.
    pub epochs_revived: Vec<EpochId>,
    /// Feeds of whose forks something else is known than before.
    pub forks: Vec<FeedId>,
    /// Whether the reason not to write came or changed.
    pub write_stop: bool,
}

/// What an entry that is not written yet would lead to.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The space with it.
    pub resolution: Resolution,
    /// Why it, or the first part of it that does not, would not count.
    pub void: Option<VoidReason>,
}

/// The control entries of a space and their resolution, kept up as entries come. Its owner gives it entries in any order
/// that feeds allow (of each feed from 0 on); the resolution is that of [`crate::resolve`] on all of them.
///
/// Memory: every control entry is kept, since a late one may be judged before those that came earlier.
#[derive(Clone, Debug)]
pub struct Space {
    entries: BTreeMap<Rank, ControlEntry>,
    resolution: Resolution,
    watch: Watch,
}

impl Space {
    /// A space of which nothing is known.
    pub fn new(space: SpaceId) -> Self {
        Self { entries: BTreeMap::new(), resolution: Resolution::empty(space), watch: Watch::default() }
    }

    /// What the entries so far resolve to.
    pub fn resolution(&self) -> &Resolution {
        &self.resolution
    }

    /// The entries known, in the order in which they are judged.
    pub fn entries(&self) -> impl Iterator<Item = &ControlEntry> {
        self.entries.values()
    }

    /// Takes entries in. Those known already change nothing.
    pub fn insert(&mut self, entries: Vec<ControlEntry>) -> Changes {
        let known = self.entries.last_key_value().map(|(rank, _)| *rank);
        let mut new = BTreeMap::new();
        for entry in entries {
            let rank = entry.rank();
            if !self.entries.contains_key(&rank) {
                new.insert(rank, entry);
            }
        }
        let Some(first) = new.keys().next() else {
            return Changes::default();
        };
        let goes_on = known.is_none_or(|known| known < *first);
        let forked =
            !self.resolution.forks.is_empty() || new.values().any(|entry| forks::proofs(entry).next().is_some());
        if !goes_on || forked || new.values().any(|entry| self.watch.decides(entry, &self.resolution.facts)) {
            return self.read_again(new);
        }
        let mut news = News::default();
        for entry in new.values() {
            news.before(entry, &self.resolution);
            self.resolution.read(entry);
        }
        self.entries.extend(new);
        news.after(&self.resolution)
    }

    /// What would become of it if the device of `feed` wrote these credentials next, having seen all that is known here. So whoever
    /// is about to write learns from the resolution itself whether it counts, and for whom an epoch is that begins with it.
    ///
    /// # Errors
    /// When a credential is malformed.
    pub fn foresee(&self, feed: FeedId, credentials: Vec<Credential>) -> Result<Foreseen, Malformed> {
        let lengths = self.lengths();
        let seq = lengths.get(&feed).copied().unwrap_or(0);
        let past: Past = lengths.into_iter().filter(|(other, _)| *other != feed).collect();
        let parts = credentials.into_iter().map(|says| verify(Part::new(*self.resolution.space(), says)));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        // It has seen every other entry, so it comes last in the order whatever its id.
        let (id, named) = (EntryId::from_bytes([0xff; 32]), past.clone());
        let entry = ControlEntry { feed, seq, id, past, named, parts: Ok(parts) };
        let entries = self.entries.values().chain([&entry]).collect();
        let resolution = Resolution::of(self.resolution.space(), entries);
        let void = resolution.void().find(|(place, _)| (place.feed, place.seq) == (feed, seq));
        let void = void.map(|(_, reason)| reason.clone());
        Ok(Foreseen { resolution, void })
    }

    /// The entry at a place.
    pub fn entry(&self, place: &Place) -> Option<&ControlEntry> {
        self.entries.values().find(|entry| (entry.feed, entry.seq) == (place.feed, place.seq))
    }

    /// A new entry comes before known ones in the order, or decides something: everything is resolved again.
    fn read_again(&mut self, new: BTreeMap<Rank, ControlEntry>) -> Changes {
        let before = Summary::of(&self.resolution);
        let lengths = self.lengths();
        self.entries.extend(new);
        let resolution = Resolution::of(self.resolution.space(), self.entries.values().collect());
        let old = std::mem::replace(&mut self.resolution, resolution);
        self.watch = Watch::of(self.entries.values(), &self.resolution.facts);
        let known = |place: &Place| lengths.get(&place.feed).is_some_and(|length| place.seq < *length);
        let all = old.forks.keys().chain(self.resolution.forks.keys());
        let forks: BTreeSet<FeedId> = all.filter(|id| old.fork(id) != self.resolution.fork(id)).copied().collect();
        let [counted, count] = [&old, &self.resolution].map(|resolution| epochs_of(resolution, &known));
        let epochs = counted != count;
        let did_count = |epoch: &EpochId| counted.iter().any(|(counted, _)| counted == epoch);
        let revived = count.iter().map(|(epoch, _)| *epoch).filter(|epoch| !did_count(epoch));
        let epochs_revived = revived.collect::<BTreeSet<_>>().into_iter().collect();
        let data = old.feeds().filter(|(_, feed)| feed.manifest.purpose == Purpose::Data);
        let changed = data.map(|(id, _)| id);
        let changed = changed.filter(|id| epochs || ground(&old, id, &known) != ground(&self.resolution, id, &known));
        let changed = changed.collect();
        Changes {
            forks: forks.into_iter().collect(),
            epochs_revived,
            ..before.changes(&Summary::of(&self.resolution), changed)
        }
    }

    /// How many entries of each feed are known.
    fn lengths(&self) -> BTreeMap<FeedId, u64> {
        let mut lengths = BTreeMap::new();
        for entry in self.entries.values() {
            let length = lengths.entry(entry.feed).or_insert(0);
            *length = u64::max(*length, entry.seq + 1);
        }
        lengths
    }
}

type Known<'a> = &'a dyn Fn(&Place) -> bool;

/// What verdicts on a data feed rest on, of what was known before: its admissions, its author's roles, and what acts leave.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ground {
    admissions: BTreeSet<(Place, BTreeSet<Place>)>,
    grants: BTreeSet<(Place, Role, BTreeSet<Place>)>,
    /// Where the feed ends, by which act.
    ends: BTreeSet<(Place, u64)>,
    /// From where on which role is the most.
    lowered: BTreeSet<(Place, u64, Role)>,
    /// How much of it is kept, if it is forked.
    kept: Option<u64>,
}

fn ground(resolution: &Resolution, id: &FeedId, known: Known<'_>) -> Ground {
    let facts = &resolution.facts;
    let Some(feed) = facts.feeds.get(id) else {
        return Ground::default();
    };
    let mut ground = Ground { kept: resolution.kept_of(id), ..Ground::default() };
    for admission in feed.admissions.iter().filter(|admission| known(&admission.place)) {
        ground.admissions.insert((admission.place, acts_of(facts, &admission.after)));
    }
    let member = facts.members.get(&feed.identity);
    let mut highest = None;
    for grant in member.into_iter().flat_map(|member| &member.grants).filter(|grant| known(&grant.place)) {
        highest = highest.max(Some(grant.standing.role));
        ground.grants.insert((grant.place, grant.standing.role, acts_of(facts, &grant.after)));
    }
    for (_, act) in facts.acts.on_member(&feed.identity) {
        match act.effect {
            Effect::Lowers(_, role) if highest.is_some_and(|highest| role < highest) => {
                ground.lowered.insert((act.places[0], act.stands(id), role));
            }
            Effect::Removes(_) => drop(ground.ends.insert((act.places[0], act.stands(id)))),
            _ => {}
        }
    }
    let ends = facts.acts.on_device(&feed.manifest.device, &feed.identity).chain(facts.acts.on_feed(id));
    ground.ends.extend(ends.map(|(_, act)| (act.places[0], act.stands(id))));
    ground
}

fn acts_of(facts: &Facts, numbers: &[u32]) -> BTreeSet<Place> {
    let acts = numbers.iter().filter_map(|number| facts.acts.all().get(*number as usize));
    acts.filter_map(|act| act.places.first().copied()).collect()
}

/// Which epochs were known, of what was held before.
fn epochs_of(resolution: &Resolution, known: Known<'_>) -> BTreeSet<(EpochId, Place)> {
    let epochs = resolution.facts.epochs.iter().chain(&resolution.carried.epochs);
    let places = epochs.flat_map(|(id, epoch)| epoch.places.iter().map(|place| (*id, *place)));
    places.filter(|(_, place)| known(place)).collect()
}

/// What is compared before and after, where entries are read on top of the others: what they speak of, no more.
#[derive(Debug, Default)]
struct News {
    feeds: BTreeMap<FeedId, bool>,
    devices: BTreeMap<DeviceId, bool>,
    epochs: BTreeMap<EpochId, bool>,
    stop: Option<Option<crate::WriteStop>>,
    lockboxes: Option<u64>,
}

impl News {
    fn before(&mut self, entry: &ControlEntry, resolution: &Resolution) {
        self.stop.get_or_insert(resolution.write_stop());
        self.lockboxes.get_or_insert(resolution.carried.lockboxes);
        for part in entry.parts.iter().flatten() {
            match &part.credential {
                Credential::FeedAdmitted(signed) => {
                    let known = resolution.carried.feeds.contains_key(&signed.feed());
                    self.feeds.entry(signed.feed()).or_insert(known);
                }
                Credential::InvitationRedeemed(redeemed) => self.device(redeemed.statement().device, resolution),
                Credential::DeviceLinked(linked) => self.device(linked.statement().device, resolution),
                Credential::RootStatement(carried) => {
                    if let Subject::DeviceAdmitted(device) = carried.statement().subject {
                        self.device(device, resolution);
                    }
                }
                Credential::EpochStarted(started) => {
                    let id = started.id(resolution.space());
                    self.epochs.entry(id).or_insert(resolution.epoch(&id).is_some());
                }
                _ => {}
            }
        }
    }

    fn device(&mut self, device: DeviceId, resolution: &Resolution) {
        self.devices.entry(device).or_insert(resolution.device(&device).is_some());
    }

    fn after(self, resolution: &Resolution) -> Changes {
        let feeds = self.feeds.into_iter();
        let feeds = feeds.filter(|(id, known)| !known && resolution.carried.feeds.contains_key(id));
        let devices = self.devices.into_iter();
        let devices = devices.filter(|(id, current)| !current && resolution.device(id).is_some());
        let epochs = self.epochs.into_iter();
        let epochs = epochs.filter(|(id, known)| !known && resolution.epoch(id).is_some());
        Changes {
            feeds_admitted: feeds.map(|(id, _)| id).collect(),
            devices_admitted: devices.map(|(id, _)| id).collect(),
            // What was read before keeps its facts: the pass never looks back.
            devices_gone: Vec::new(),
            epochs_started: epochs.map(|(id, _)| id).collect(),
            lockboxes: self.lockboxes != Some(resolution.carried.lockboxes),
            verdicts_changed: Vec::new(),
            epochs_revived: Vec::new(),
            forks: Vec::new(),
            write_stop: self.stop != Some(resolution.write_stop()),
        }
    }
}

/// What is compared before and after.
struct Summary {
    feeds: BTreeSet<FeedId>,
    devices: BTreeSet<DeviceId>,
    epochs: BTreeSet<EpochId>,
    lockboxes: u64,
    stop: Option<crate::WriteStop>,
}

impl Summary {
    fn of(resolution: &Resolution) -> Self {
        let devices = resolution.facts.devices.keys();
        Self {
            feeds: resolution.carried.feeds.keys().copied().collect(),
            devices: devices.filter(|device| resolution.device(device).is_some()).copied().collect(),
            epochs: resolution.epochs().iter().map(|epoch| epoch.id).collect(),
            lockboxes: resolution.carried.lockboxes,
            stop: resolution.write_stop(),
        }
    }

    fn changes(self, after: &Self, verdicts_changed: Vec<FeedId>) -> Changes {
        Changes {
            feeds_admitted: after.feeds.difference(&self.feeds).copied().collect(),
            devices_admitted: after.devices.difference(&self.devices).copied().collect(),
            devices_gone: self.devices.difference(&after.devices).copied().collect(),
            epochs_started: after.epochs.difference(&self.epochs).copied().collect(),
            lockboxes: after.lockboxes != self.lockboxes,
            verdicts_changed,
            epochs_revived: Vec::new(),
            forks: Vec::new(),
            write_stop: after.stop != self.stop,
        }
    }
}
