//! From batches to rows: what is to be written, what of it goes into the anchor, and what will be new in the index.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use bytes::Bytes;
use weft_crypto::{FeedId, Head, Manifest, Purpose, SpaceId};
use weft_feed::{Run, Tree, VerifiedRange};
use weft_peer::store::Write;
use weft_replication::StoredRange;

use super::{
    disk::{Index, Slot, manifest_of},
    error::StoreError,
    incarnation::Announced,
    layout::{FeedRow, HeadersRow, derived_key, encode_headers, encode_state, number_key, run_from, run_key},
    row::{Change, Table},
    rows::{Rows, View},
};

/// The changes of rows that batches mean, and what will be new in the index.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// Those of them that go into the anchor.
    pub(super) anchored: Vec<Change>,
    /// States of data feeds that go there later.
    pub(super) grown: BTreeMap<u32, Bytes>,
    /// What is in the index afterwards.
    pub(super) news: Index,
    /// Feeds that become known.
    pub(super) announced: Vec<Announced>,
    /// What is in the index no longer.
    pub(super) dropped: Dropped,
}

/// A space whose rows go, and its feeds with their numbers.
#[derive(Default)]
pub(super) struct Dropped {
    pub(super) spaces: BTreeSet<SpaceId>,
    pub(super) feeds: BTreeMap<FeedId, u32>,
}

impl Plan {
    pub(super) fn add(&mut self, index: &Index, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Feed { feed, space, manifest } => self.feed(index, *feed, *space, manifest)?,
            Write::Range(range) => self.range(index, range)?,
            // They need the rows that they replace or remove: see `mend`, `replace` and `drop_space`.
            Write::Mend { .. } | Write::Replace { .. } | Write::DropSpace { .. } => {}
            Write::Local { key, value } => self.anchor(put_or_remove(Table::Local, key.clone(), value.clone())),
            Write::Derived { space, table, key, value } => {
                let key = derived_key(self.space(index, space), *table, key);
                self.changes.push(put_or_remove(Table::Derived, key, value.clone()));
            }
            Write::DropDerived { space } => {
                let prefix = number_key(self.space(index, space));
                self.changes.push(Change::RemovePrefix(Table::Derived, prefix));
            }
        }
        Ok(())
    }

    fn slot(&self, index: &Index, feed: &FeedId) -> Option<Slot> {
        let known = index.feeds.get(feed).filter(|_| !self.dropped.feeds.contains_key(feed));
        self.news.feeds.get(feed).or(known).copied()
    }

    fn anchor(&mut self, change: Change) {
        self.anchored.push(change.clone());
        self.changes.push(change);
    }

    fn feed(&mut self, index: &Index, feed: FeedId, space: SpaceId, manifest: &Bytes) -> Result<(), StoreError> {
        if self.slot(index, &feed).is_some() {
            return Ok(());
        }
        let Manifest { device, purpose, generation, .. } = manifest_of(&feed, manifest)?;
        let control = purpose == Purpose::Control;
        self.announced.push(Announced { feed, space, device, purpose, generation });
        let number = index.next_feed.max(self.news.next_feed);
        self.news.next_feed = number + 1;
        self.news.feeds.insert(feed, Slot { number, control, length: 0 });
        let row = FeedRow { number, space, manifest: manifest.clone() };
        self.anchor(Change::Put(Table::Feeds, Bytes::copy_from_slice(feed.as_bytes()), row.encode()));
        Ok(())
    }

    fn range(&mut self, index: &Index, range: &VerifiedRange) -> Result<(), StoreError> {
        let (feed, from) = (range.feed(), range.from());
        let Slot { number, control, length } = self.slot(index, &feed).ok_or(StoreError::UnknownFeed { feed })?;
        if length != from {
            return Err(StoreError::NotContiguous { feed, held: length, from });
        }
        self.news.feeds.insert(feed, Slot { number, control, length: range.end() });
        let before = self.changes.len();
        self.runs(number, range.runs(), range.head());
        let state = encode_state(range.head(), range.tree());
        self.changes.push(Change::Put(Table::States, number_key(number), state.clone()));
        if control {
            self.anchored.extend_from_slice(&self.changes[before..]);
        } else {
            self.grown.insert(number, state);
        }
        Ok(())
    }

    /// The rows of runs that end at a head.
    fn runs(&mut self, number: u32, runs: &[Run], head: &Head) {
        for run in runs {
            let key = run_key(number, run.from());
            let head = (run.end() == head.length).then_some(head);
            self.changes.push(Change::Put(Table::Headers, key.clone(), encode_headers(run, head)));
            if !run.bodies().is_empty() {
                self.changes.push(Change::Put(Table::Bodies, key, run.bodies().clone()));
            }
        }
    }

    /// Puts ranges in the place of whatever lies there.
    pub(super) fn mend(
        &mut self,
        rows: &Rows,
        index: &Index,
        feed: &FeedId,
        ranges: &[StoredRange],
    ) -> Result<(), StoreError> {
        let Slot { number, control, length } = self.slot(index, feed).ok_or(StoreError::UnknownFeed { feed: *feed })?;
        let bounds = ranges.first().and_then(|range| range.runs.first()).zip(ranges.last());
        let Some((from, until)) = bounds.map(|(first, last)| (first.from(), last.head.length)) else { return Ok(()) };
        if until > length {
            return Err(StoreError::NotContiguous { feed: *feed, held: length, from });
        }
        let before = self.changes.len();
        for table in [Table::Headers, Table::Bodies] {
            let keys = rows.view()?.keys(table, &run_key(number, from), &run_key(number, until))?;
            self.changes.extend(keys.into_iter().map(|key| Change::Remove(table, key)));
        }
        for range in ranges {
            self.runs(number, &range.runs, &range.head);
        }
        if control {
            self.anchored.extend_from_slice(&self.changes[before..]);
        }
        Ok(())
    }

    /// Removes everything that is stored of a space.
    pub(super) fn drop_space(&mut self, rows: &Rows, index: &Index, space: &SpaceId) -> Result<(), StoreError> {
        let mut feeds: Vec<(FeedId, u32)> = Vec::new();
        rows.scan(Table::Feeds, &[], &[], &mut |key, value| {
            let feed = FeedId::try_from(key).map_err(|_| StoreError::damaged("a row of the table of feeds"))?;
            let row = FeedRow::decode(value)?;
            if row.space == *space {
                feeds.push((feed, row.number));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (feed, number) in feeds {
            self.changes.push(Change::Remove(Table::Feeds, Bytes::copy_from_slice(feed.as_bytes())));
            for table in [Table::States, Table::Headers, Table::Bodies] {
                self.changes.push(Change::RemovePrefix(table, number_key(number)));
            }
            self.dropped.feeds.insert(feed, number);
        }
        if let Some(number) = index.spaces.get(space) {
            self.changes.push(Change::RemovePrefix(Table::Derived, number_key(*number)));
            self.changes.push(Change::Remove(Table::Spaces, Bytes::copy_from_slice(space.as_bytes())));
        }
        self.dropped.spaces.insert(*space);
        Ok(())
    }

    /// Takes a feed back to a head, and goes on from there with other ranges.
    pub(super) fn replace(
        &mut self,
        rows: &Rows,
        index: &Index,
        feed: &FeedId,
        base: Option<&(Head, Tree)>,
        ranges: &[Arc<VerifiedRange>],
    ) -> Result<(), StoreError> {
        let Slot { number, control, length } = self.slot(index, feed).ok_or(StoreError::UnknownFeed { feed: *feed })?;
        let from = base.map_or(0, |(head, _)| head.length);
        if from > length {
            return Err(StoreError::NotContiguous { feed: *feed, held: length, from });
        }
        let before = self.changes.len();
        let view = rows.view()?;
        for table in [Table::Headers, Table::Bodies] {
            let keys = view.keys(table, &run_key(number, from), &run_key(number, length))?;
            self.changes.extend(keys.into_iter().map(|key| Change::Remove(table, key)));
        }
        if let Some((head, _)) = base {
            let key = view.last_within(Table::Headers, &run_key(number, 0), &run_key(number, from - 1))?;
            let key = key.ok_or(StoreError::Entry { feed: *feed, seq: from - 1 })?;
            let run = stored_run(&view, feed, &key)?;
            self.changes.push(Change::Remove(Table::Bodies, key));
            self.runs(number, &[run.slice(run.from(), run.end().min(from))], head);
        }
        let mut end = base.cloned();
        for range in ranges {
            let held = end.as_ref().map_or(0, |(head, _)| head.length);
            if range.from() != held {
                return Err(StoreError::NotContiguous { feed: *feed, held, from: range.from() });
            }
            self.runs(number, range.runs(), range.head());
            end = Some((*range.head(), range.tree().clone()));
        }
        let state = end.as_ref().map(|(head, tree)| encode_state(head, tree));
        self.changes.push(put_or_remove(Table::States, number_key(number), state.clone()));
        self.news.feeds.insert(*feed, Slot { number, control, length: end.map_or(0, |(head, _)| head.length) });
        if control {
            self.anchored.extend_from_slice(&self.changes[before..]);
        } else if let Some(state) = state {
            self.grown.insert(number, state);
        }
        Ok(())
    }

    fn space(&mut self, index: &Index, space: &SpaceId) -> u32 {
        let known = index.spaces.get(space).filter(|_| !self.dropped.spaces.contains(space));
        if let Some(number) = known.or_else(|| self.news.spaces.get(space)) {
            return *number;
        }
        let number = index.next_space.max(self.news.next_space);
        self.news.next_space = number + 1;
        self.news.spaces.insert(*space, number);
        self.anchor(Change::Put(Table::Spaces, Bytes::copy_from_slice(space.as_bytes()), number_key(number)));
        number
    }
}

fn stored_run(view: &View<'_>, feed: &FeedId, key: &[u8]) -> Result<Run, StoreError> {
    let from = run_from(key)?;
    let headers = view.get(Table::Headers, key)?.ok_or(StoreError::Entry { feed: *feed, seq: from })?;
    let bodies = view.get(Table::Bodies, key)?.unwrap_or_default();
    HeadersRow::decode(feed, from, &headers)?.into_run(feed, from, bodies)
}

pub(super) fn put_or_remove(table: Table, key: Bytes, value: Option<Bytes>) -> Change {
    match value {
        Some(value) => Change::Put(table, key, value),
        None => Change::Remove(table, key),
    }
}
