//! One feed by itself, without network: writing, verifying and replaying it, in memory and on disk.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use weft::store::{Disk, Store, StoreError};
use weft_crypto::{
    DeviceKey, EpochId, FeedId, FeedSecret, Manifest, Purpose, Root, SignedManifest, SpaceId, seal::BodyKeys,
};
use weft_feed::{Checkpoint, NewEntry, Origin, Range, Run, Tree, VerifiedRange, Violation, Writer, kind, verify_range};
use weft_machine::ClaimedTime;
use weft_peer::{
    ReadError,
    store::{Batch, Write},
};

use crate::error::Failure;

/// What the store may keep in memory, as in a node.
const CACHE_BYTES: usize = 8 << 20;

/// A data feed and who writes it.
#[derive(Debug)]
pub struct Author {
    manifest: SignedManifest,
    space: SpaceId,
    origin: Origin,
    writer: Writer,
    keys: BodyKeys,
}

impl Author {
    /// The same author each time.
    #[must_use]
    pub fn new() -> Self {
        let (device, secret) = (DeviceKey::from_seed([1; 32]), FeedSecret::from_seed([2; 32]));
        let space = SpaceId::from_bytes([3; 32]);
        let manifest = Manifest {
            version: Manifest::VERSION,
            space,
            device: device.id(),
            feed_key: secret.id(),
            purpose: Purpose::Data,
            generation: 0,
        };
        let signed = SignedManifest::sign(&manifest, &device, &secret);
        let writer = Writer::new(&manifest, secret, Checkpoint::default()).expect("the secret is the manifest's");
        let origin = Origin::of(&manifest);
        let keys = BodyKeys::derive(&[4; 32], &space, &epoch(), &origin.feed);
        Self { manifest: signed, space, origin, writer, keys }
    }

    /// The feed.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Appends records as they are, under one signature for at most 256.
    pub fn append(&mut self, bodies: &[Bytes]) -> Vec<VerifiedRange> {
        let entries = bodies.iter().map(|body| record(body.clone())).collect();
        self.writer.append(entries).expect("records that keep the rules")
    }

    /// Seals records and appends them.
    pub fn append_sealed(&mut self, bodies: &[Bytes]) -> Vec<VerifiedRange> {
        let from = self.writer.length();
        let seal = |(at, body): (u64, &Bytes)| record(self.keys.seal(at, kind::RECORD, [5; 16], body));
        let entries = (from..).zip(bodies).map(seal).collect();
        self.writer.append(entries).expect("records that keep the rules")
    }

    /// A store in `folder` that knows the feed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn store(&self, folder: &Path) -> Result<Disk, StoreError> {
        let (disk, _) = Disk::open(folder, CACHE_BYTES)?;
        let manifest = self.manifest.encode();
        disk.write(&[durable(vec![Write::Feed { feed: self.origin.feed, space: self.space, manifest }])])?;
        Ok(disk)
    }
}

impl Default for Author {
    fn default() -> Self {
        Self::new()
    }
}

fn epoch() -> EpochId {
    EpochId::from_bytes([9; 32])
}

fn record(body: Bytes) -> NewEntry {
    NewEntry {
        kind: kind::RECORD,
        session: 0,
        epoch: Some(epoch()),
        claimed: ClaimedTime(1_700_000_000_000),
        deps: Vec::new(),
        body,
    }
}

fn durable(writes: Vec<Write>) -> Batch {
    Batch { writes, durable: true }
}

/// Verifies what a stranger sent, range by range from the beginning: every header, body hash, root and signature. Gives the
/// root of all of it.
///
/// # Errors
/// What is wrong with it.
pub fn verify(origin: &Origin, ranges: &[Range]) -> Result<Root, Violation> {
    let mut tree = Tree::new();
    for range in ranges {
        tree = verify_range(&tree, origin, range)?.tree().clone();
    }
    Ok(tree.root())
}

/// What reading every entry of a feed in order came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Entries.
    pub entries: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// The sum of the last byte of each, so that reading is more than knowing where it lies.
    pub last_bytes: u64,
}

impl Replayed {
    /// One more entry.
    #[must_use]
    pub fn and(self, body: &[u8]) -> Self {
        Self {
            entries: self.entries + 1,
            bytes: self.bytes + body.len() as u64,
            last_bytes: self.last_bytes + u64::from(body.last().copied().unwrap_or_default()),
        }
    }
}

/// Reads every entry of runs in order, after `before`.
#[must_use]
pub fn replay<'a>(before: Replayed, runs: impl IntoIterator<Item = &'a Run>) -> Replayed {
    let entries = runs.into_iter().flat_map(Run::entries);
    entries.fold(before, |sum, entry| sum.and(entry.body.unwrap_or_default()))
}

/// Makes ranges durable: one transaction, synced.
///
/// # Errors
/// When the disk refuses.
pub fn keep(disk: &Disk, ranges: Vec<VerifiedRange>) -> Result<(), StoreError> {
    disk.write(&[durable(ranges.into_iter().map(|range| Write::Range(Arc::new(range))).collect())])
}

/// Opens the store in `folder` and reads every entry of the feed in order.
///
/// # Errors
/// When the disk refuses or the feed is damaged.
pub fn replay_from(folder: &Path, feed: &FeedId) -> Result<Replayed, Failure> {
    let (disk, _) = Disk::open(folder, CACHE_BYTES)?;
    let mut sum = Replayed::default();
    loop {
        match disk.read(feed, sum.entries, 1 << 20) {
            Ok(ranges) => sum = ranges.iter().fold(sum, |sum, range| replay(sum, &range.runs)),
            Err(ReadError::NotHeld) => return Ok(sum),
            Err(error) => return Err(Failure::because(format!("the feed cannot be read: {error:?}"))),
        }
    }
}
