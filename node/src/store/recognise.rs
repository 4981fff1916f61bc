//! Looking whether the store that was opened is the copy that wrote last, and what follows if it is not.
//!
//! The mark itself and the file outside are in `incarnation`; here they meet the rows of the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{MutexGuard, PoisonError},
};

use bytes::Bytes;
use weft_crypto::{DeviceId, Manifest, SpaceId};
use weft_peer::{
    Write,
    store::{Ends, ends_unknown, space_of_ends},
};

use super::{
    disk::{Disk, manifest_of},
    error::StoreError,
    incarnation::{Announced, Inside, KEY, Mark, Noted, Outside, Watch},
    plan::put_or_remove,
    row::{Change, Table},
};

impl Disk {
    /// Looks whether this copy of the data folder is the one of this device that wrote last, and draws a new mark. If it is not,
    /// or the mark cannot be kept outside, its spaces become unsure of their ends. Gives back rows that say so where the disk
    /// does not take them. Call it before anything is written. Spec: NODE-2.5
    pub(crate) fn recognise(
        &self,
        outside: Outside,
        device: DeviceId,
        mark: Mark,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let mut watch = Watch::new(outside, device);
        for (feed, row) in self.feed_rows()? {
            let Manifest { device, purpose, generation, .. } = manifest_of(&feed, &row.manifest)?;
            watch.learn(Announced { feed, space: row.space, device, purpose, generation });
        }
        let mut before: BTreeMap<SpaceId, Ends> = BTreeMap::new();
        for (key, value) in self.table(Table::Local, b"unsure/")? {
            before.extend(space_of_ends(&key).zip(Ends::decode(&value)));
        }
        watch.unsure = before.keys().copied().collect();
        let inside = self.rows.get(Table::Node, KEY)?.and_then(|row| Inside::decode(&row));
        let noted = watch.read();
        let mut held = watch.held(|feed| self.length(feed));
        let is_known = is_last(inside, noted.as_ref(), &held);
        if !is_known {
            tracing::warn!(
                path = %watch.path().display(),
                missing = noted.is_none(),
                "this data folder is not known to be the copy that this device wrote last: its spaces wait for a member"
            );
        }
        for (space, ends) in &mut held {
            let known = [noted.as_ref().and_then(|noted| noted.spaces.get(space)), before.get(space)];
            *ends = known.into_iter().flatten().fold(*ends, |ends, known| ends.max(*known));
        }
        let unsure: Vec<Change> =
            held.iter().filter_map(|(space, ends)| put_local(ends_unknown(space, *ends))).collect();
        let follows = noted.as_ref().map(|noted| noted.mark);
        let moved = Inside { mark, follows };
        let mut changes = vec![Change::Put(Table::Node, Bytes::from_static(KEY), moved.encode())];
        let spaces = held.clone();
        if !is_known {
            watch.unsure.extend(held.keys());
            changes.extend(unsure.iter().cloned());
        }
        let mut said = Vec::new();
        match self.put_durably(&changes) {
            Ok(()) => {
                if let Err(error) = watch.move_on(Noted { mark, spaces }) {
                    tracing::warn!(%error, path = %watch.path().display(), "the mark of this copy cannot be kept there");
                    watch.trouble = Some(format!("{}: {error}", watch.path().display()));
                    // Nothing outside may match it later: what is written from now on is known to nobody there.
                    let alone = Inside { mark, follows: None };
                    let mut changes = vec![Change::Put(Table::Node, Bytes::from_static(KEY), alone.encode())];
                    changes.extend(unsure);
                    self.put_durably(&changes)?;
                }
            }
            // It can be read, and what it holds was looked at; it is marked when there is room.
            Err(StoreError::Disk(error)) => {
                tracing::warn!(%error, "the disk does not take the mark of this copy");
                watch.noted = noted.unwrap_or_default();
                watch.trouble = Some(format!("the store: {error}"));
                said.extend(changes.into_iter().filter_map(|change| match change {
                    Change::Put(Table::Local, key, value) => Some((key, value)),
                    _ => None,
                }));
            }
            Err(error) => return Err(error),
        }
        *self.watch() = Some(watch);
        Ok(said)
    }

    /// Ceases to keep the mark outside, and lets another process have the place.
    pub(crate) fn leave(&self) {
        self.note(true);
        *self.watch() = None;
    }

    /// Why the mark is not kept outside, if it is to be and is not.
    pub(crate) fn unmarked(&self) -> Option<String> {
        self.watch().as_ref().and_then(|watch| watch.trouble.clone())
    }

    fn watch(&self) -> MutexGuard<'_, Option<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, synced: bool) {
        if let Some(watch) = &mut *self.watch() {
            watch.note(|feed| self.length(feed), synced);
        }
    }

    /// Spaces were deleted: nothing is to stand outside of them.
    pub(super) fn forget(&self, spaces: &BTreeSet<SpaceId>) {
        if spaces.is_empty() {
            return;
        }
        if let Some(watch) = &mut *self.watch() {
            spaces.iter().for_each(|space| watch.forget(space));
            watch.note(|feed| self.length(feed), true);
        }
    }

    /// What was written changes what is to stand outside.
    pub(super) fn noticed(&self, announced: Vec<Announced>, anchored: &[Change]) {
        if anchored.is_empty() {
            return;
        }
        if let Some(watch) = &mut *self.watch() {
            announced.into_iter().for_each(|feed| watch.learn(feed));
            for change in anchored {
                match change {
                    Change::Put(Table::Local, key, _) => watch.unsure.extend(space_of_ends(key)),
                    Change::Remove(Table::Local, key) => {
                        watch.unsure.retain(|space| space_of_ends(key) != Some(*space));
                    }
                    _ => {}
                }
            }
            watch.note(|feed| self.length(feed), true);
        }
    }
}

fn put_local(write: Write) -> Option<Change> {
    match write {
        Write::Local { key, value } => Some(put_or_remove(Table::Local, key, value)),
        _ => None,
    }
}

/// Whether a store with this mark, that holds so much of the own feeds, is the one that wrote last.
fn is_last(inside: Option<Inside>, noted: Option<&Noted>, held: &BTreeMap<SpaceId, Ends>) -> bool {
    let has_written = held.values().any(|ends| *ends != Ends { others: ends.others, ..Ends::default() });
    match (inside, noted) {
        // Nothing was signed that could be contradicted.
        _ if !has_written => true,
        // Written by a version that had no marks, and opened here for the first time since.
        (None, None) => true,
        (Some(inside), Some(noted)) => {
            let is_behind = |(space, noted): (&SpaceId, &Ends)| held.get(space).is_some_and(|held| !held.covers(noted));
            (inside.mark == noted.mark || inside.follows == Some(noted.mark)) && !noted.spaces.iter().any(is_behind)
        }
        _ => false,
    }
}
