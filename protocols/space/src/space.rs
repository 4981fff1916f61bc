//! A space as it grows: the entries known so far and what they resolve to.

use std::collections::{BTreeMap, BTreeSet};

use weft_credential::Role;
use weft_crypto::{DeviceId, EpochId, FeedId, Purpose, SpaceId};

use crate::{
    ControlEntry, Resolution,
    entry::{Place, Rank},
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
    /// Epochs that count now and did not.
    pub epochs_started: Vec<EpochId>,
    /// Whether something was sealed to somebody: `Keys::learn` has something to look at.
    pub lockboxes: bool,
    /// Data feeds whose entries, already judged, must be judged again from the start.
    pub verdicts_changed: Vec<FeedId>,
    /// Whether the reason not to write came or changed.
    pub write_stop: bool,
}

/// The control entries of a space and their resolution, kept up as entries come. Its owner gives it entries in any order
/// that feeds allow (of each feed from 0 on); the resolution is that of [`crate::resolve`] on all of them.
///
/// Memory: every control entry is kept, since a late one may be judged before those that came earlier.
#[derive(Clone, Debug)]
pub struct Space {
    entries: BTreeMap<Rank, ControlEntry>,
    resolution: Resolution,
}

impl Space {
    /// A space of which nothing is known.
    pub fn new(space: SpaceId) -> Self {
        Self { entries: BTreeMap::new(), resolution: Resolution::empty(space) }
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
        let before = Summary::of(&self.resolution);
        let goes_on = known.is_none_or(|known| known < *first);
        let changed = if goes_on {
            for entry in new.values() {
                self.resolution.read(entry);
            }
            self.entries.append(&mut new);
            // What was read before keeps its facts: the pass never looks back.
            Vec::new()
        } else {
            self.read_again(new)
        };
        before.changes(&Summary::of(&self.resolution), changed)
    }

    /// A new entry comes before known ones in the order: reads everything again.
    fn read_again(&mut self, mut new: BTreeMap<Rank, ControlEntry>) -> Vec<FeedId> {
        let lengths = self.lengths();
        self.entries.append(&mut new);
        let mut resolution = Resolution::empty(*self.resolution.space());
        for entry in self.entries.values() {
            resolution.read(entry);
        }
        let old = std::mem::replace(&mut self.resolution, resolution);
        let known = |place: &Place| lengths.get(&place.feed).is_some_and(|length| place.seq < *length);
        let epochs = epochs_of(&old, &known) != epochs_of(&self.resolution, &known);
        let data = old.feeds().filter(|(_, feed)| feed.manifest.purpose == Purpose::Data);
        data.map(|(id, _)| id)
            .filter(|id| epochs || ground(&old, id, &known) != ground(&self.resolution, id, &known))
            .collect()
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

/// What verdicts on a data feed rest on, of what was known before: its admissions and its author's roles.
fn ground(resolution: &Resolution, feed: &FeedId, known: Known<'_>) -> (BTreeSet<Place>, BTreeMap<Place, Role>) {
    let Some(feed) = resolution.facts.feeds.get(feed) else {
        return Default::default();
    };
    let places = feed.places.iter().filter(|place| known(place));
    let member = resolution.facts.members.get(&feed.identity);
    let grants = member.into_iter().flat_map(|member| &member.grants);
    let grants = grants.filter(|grant| known(&grant.place));
    (places.copied().collect(), grants.map(|grant| (grant.place, grant.role)).collect())
}

/// Which epochs counted, of what was known before.
fn epochs_of(resolution: &Resolution, known: Known<'_>) -> BTreeSet<(EpochId, Place)> {
    let epochs = resolution.facts.epochs.iter();
    let places = epochs.flat_map(|(id, epoch)| epoch.places.iter().map(|place| (*id, *place)));
    places.filter(|(_, place)| known(place)).collect()
}

/// What is compared before and after.
struct Summary {
    feeds: BTreeSet<FeedId>,
    devices: BTreeSet<DeviceId>,
    epochs: BTreeSet<EpochId>,
    lockboxes: usize,
    stop: Option<crate::WriteStop>,
}

impl Summary {
    fn of(resolution: &Resolution) -> Self {
        let devices = resolution.facts.devices.keys();
        let epochs = resolution.carried.epochs.values();
        Self {
            feeds: resolution.carried.feeds.keys().copied().collect(),
            devices: devices.filter(|device| resolution.device(device).is_some()).copied().collect(),
            epochs: resolution.facts.epochs.keys().copied().collect(),
            lockboxes: epochs.map(|epoch| epoch.lockboxes.len()).sum(),
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
            write_stop: after.stop != self.stop,
        }
    }
}
