//! A store that counts what it does, around one that does it.
//!
//! It stands between the threads and the disk, so that neither knows of counters, and it changes nothing: what goes in and
//! comes out is the other store's.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use weft_crypto::{FeedId, SpaceId};
use weft_feed::Run;
use weft_peer::{
    Rows as Wanted,
    store::{Batch, Damage, Opened, Write},
};
use weft_replication::{ReadError, StoredRange};

use super::{Store, StoreError};
use crate::meters::StoreMeters;

/// A store whose work is counted.
pub(crate) struct Counted<S> {
    store: Arc<S>,
    meters: StoreMeters,
}

impl<S: Store> Counted<S> {
    /// Counts what `store` does from now on.
    pub(crate) fn new(store: Arc<S>, meters: StoreMeters) -> Counted<S> {
        Counted { store, meters }
    }

    fn wrote(&self, batches: &[Batch], begun: Instant) {
        self.meters.durable(begun);
        for write in batches.iter().flat_map(|batch| &batch.writes) {
            if let Write::Range(range) = write {
                let bytes: usize = range.runs().iter().map(Run::bytes).sum();
                self.meters.wrote(range.end() - range.from(), bytes as u64);
            }
        }
    }

    fn failed<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        result.inspect_err(|_| self.meters.failed())
    }
}

impl<S: Store> Store for Counted<S> {
    fn write(&self, batches: &[Batch]) -> Result<(), StoreError> {
        let begun = Instant::now();
        self.failed(self.store.write(batches))?;
        self.wrote(batches, begun);
        Ok(())
    }

    fn write_if_quick(&self, batches: &[Batch]) -> Result<bool, StoreError> {
        let begun = Instant::now();
        let is_done = self.failed(self.store.write_if_quick(batches))?;
        if is_done {
            self.wrote(batches, begun);
        }
        Ok(is_done)
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.failed(self.store.settle())
    }

    fn read(&self, feed: &FeedId, from: u64, bytes_max: usize) -> Result<Vec<StoredRange>, ReadError> {
        let begun = Instant::now();
        let ranges = self.store.read(feed, from, bytes_max);
        self.meters.read(begun);
        match &ranges {
            // What is not held was asked for by a peer, and is no fault of the store.
            Err(ReadError::NotHeld) | Ok(_) => ranges,
            Err(_) => self.failed(ranges),
        }
    }

    fn load(&self, space: &SpaceId, table: u8, rows: &Wanted) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let begun = Instant::now();
        let loaded = self.failed(self.store.load(space, table, rows))?;
        self.meters.loaded(begun);
        Ok(loaded)
    }

    fn opened(&self) -> Result<Opened, StoreError> {
        self.failed(self.store.opened())
    }

    fn damage(&self, feed: &FeedId) -> Result<Option<Damage>, StoreError> {
        self.failed(self.store.damage(feed))
    }

    fn rest(&self) -> Result<(), StoreError> {
        self.failed(self.store.rest())
    }
}
