//! What does one feed cost: appending, verifying, replaying? The `hypercore` crate does the same work beside it.
//!
//! Same entries, same sizes. What each side guarantees differs, and belongs to each figure:
//!
//! - `append`: both hash every entry into a Merkle tree and sign; one by one a signature an entry, in batches ours a signature
//!   per 256 entries and hypercore's one a batch of 1,000. `weft, sealed` encrypts each body as a node does. hypercore does not.
//! - `append to disk`: ours is synced before it counts, hypercore's is not.
//! - `verify`: ours checks each range's headers, body hashes, tree and signature, and stores nothing. hypercore checks a proof
//!   per block and keeps the block in memory, because its crate does both in one call.
//! - `replay`: every entry in order, opened anew from disk; neither side verifies again.
//!
//! Sizes stay below 32,768 blocks: the crate panics when it opens more than that again.

use std::{cell::LazyCell, hint::black_box, path::PathBuf};

use bytes::Bytes;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use hypercore::{Hypercore, HypercoreBuilder, PartialKeypair, Storage};
use hypercore_schema::{Proof, RequestBlock, RequestUpgrade};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use weft_benches::{
    blocks::blocks,
    log::{Author, Replayed, keep, replay, replay_from, verify},
    sizes::is_quick,
};
use weft_feed::{Range, VerifiedRange};

/// Bytes in an entry.
const SIZE: usize = 256;
/// Entries in a batch, as in the npm baseline.
const BATCH: usize = 1_000;

/// Entries of the feed.
fn entries() -> u64 {
    if is_quick() { 2_000 } else { 20_000 }
}

/// Entries of a feed on disk: fewer, because the crate's disk takes seconds for them.
fn entries_on_disk() -> u64 {
    if is_quick() { 2_000 } else { 5_000 }
}

/// Entries that are appended one by one to disk.
fn synced_entries() -> u64 {
    if is_quick() { 20 } else { 500 }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn group<'a>(criterion: &'a mut Criterion, name: &str, entries: u64) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(entries)).sample_size(10);
    group
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("weft-bench-").tempdir().expect("a temporary folder")
}

async fn in_memory() -> Hypercore {
    let storage = Storage::new_memory().await.expect("memory");
    HypercoreBuilder::new(storage).build().await.expect("a new core")
}

async fn on_disk(folder: PathBuf) -> Hypercore {
    let storage = Storage::new_disk(&folder, false).await.expect("a folder");
    HypercoreBuilder::new(storage).build().await.expect("a core in a folder")
}

async fn append_one_by_one(core: Hypercore, blocks: &[Bytes]) -> Hypercore {
    for block in blocks {
        core.append(block).await.expect("an append");
    }
    core
}

async fn append_batched(core: Hypercore, blocks: &[Bytes]) -> Hypercore {
    for batch in blocks.chunks(BATCH) {
        core.append_batch(batch).await.expect("an append");
    }
    core
}

fn append(criterion: &mut Criterion) {
    let (runtime, blocks) = (runtime(), blocks(entries(), SIZE));

    let mut group = group(criterion, "append, one by one, memory", entries());
    group.bench_function("weft", |bencher| {
        bencher.iter_batched_ref(
            Author::new,
            |author| blocks.iter().map(|block| author.append(std::slice::from_ref(block))).collect::<Vec<_>>(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("hypercore", |bencher| {
        bencher.iter_batched(
            || runtime.block_on(in_memory()),
            |core| runtime.block_on(append_one_by_one(core, &blocks)),
            BatchSize::PerIteration,
        );
    });
    group.finish();

    let mut group = self::group(criterion, "append, batches of 1000, memory", entries());
    group.bench_function("weft", |bencher| {
        bencher.iter_batched_ref(
            Author::new,
            |author| blocks.chunks(BATCH).map(|batch| author.append(batch)).collect::<Vec<_>>(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("weft, sealed", |bencher| {
        bencher.iter_batched_ref(
            Author::new,
            |author| blocks.chunks(BATCH).map(|batch| author.append_sealed(batch)).collect::<Vec<_>>(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("hypercore", |bencher| {
        bencher.iter_batched(
            || runtime.block_on(in_memory()),
            |core| runtime.block_on(append_batched(core, &blocks)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn append_to_disk(criterion: &mut Criterion) {
    let runtime = runtime();

    let few = blocks(synced_entries(), SIZE);
    let mut group = group(criterion, "append, one by one, disk", synced_entries());
    let new_store = || {
        let (author, folder) = (Author::new(), folder());
        let store = author.store(folder.path()).expect("a store");
        (author, store, folder)
    };
    group.bench_function("weft (fsync)", |bencher| {
        bencher.iter_batched_ref(
            new_store,
            |(author, store, _)| {
                for block in &few {
                    keep(store, author.append(std::slice::from_ref(block))).expect("a write");
                }
            },
            BatchSize::PerIteration,
        );
    });
    let new_core = || {
        let folder = folder();
        (runtime.block_on(on_disk(folder.path().to_owned())), folder)
    };
    group.bench_function("hypercore (no fsync)", |bencher| {
        bencher.iter_batched(
            new_core,
            |(core, folder)| (runtime.block_on(append_one_by_one(core, &few)), folder),
            BatchSize::PerIteration,
        );
    });
    group.finish();

    let all = blocks(entries_on_disk(), SIZE);
    let mut group = self::group(criterion, "append, batches of 1000, disk", entries_on_disk());
    group.bench_function("weft (fsync)", |bencher| {
        bencher.iter_batched_ref(
            new_store,
            |(author, store, _)| {
                for batch in all.chunks(BATCH) {
                    keep(store, author.append(batch)).expect("a write");
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("hypercore (no fsync)", |bencher| {
        bencher.iter_batched(
            new_core,
            |(core, folder)| (runtime.block_on(append_batched(core, &all)), folder),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Somebody else's core, and a proof for each of its blocks in order, as a peer with none of them asks for them.
async fn proofs(blocks: &[Bytes]) -> (PartialKeypair, Vec<Proof>) {
    let origin = append_batched(in_memory().await, blocks).await;
    let public = PartialKeypair { public: origin.key_pair().public, secret: None };
    let peer = reader(public.clone()).await;
    let mut proofs = Vec::new();
    for index in 0..blocks.len() as u64 {
        let nodes = peer.missing_nodes(index).await.expect("a peer that knows what it misses");
        let upgrade = (index == 0).then_some(RequestUpgrade { start: 0, length: blocks.len() as u64 });
        let block = Some(RequestBlock { index, nodes });
        let proof = origin.create_proof(block, None, None, upgrade).await.expect("a proof").expect("a proof");
        assert!(peer.verify_and_apply_proof(proof.clone()).await.expect("a true proof"));
        proofs.push(proof);
    }
    (public, proofs)
}

async fn reader(key_pair: PartialKeypair) -> Hypercore {
    let storage = Storage::new_memory().await.expect("memory");
    HypercoreBuilder::new(storage).key_pair(key_pair).build().await.expect("a new core")
}

fn verify_all(criterion: &mut Criterion) {
    let (runtime, blocks) = (runtime(), blocks(entries(), SIZE));
    let mut group = group(criterion, "verify", entries());

    let mut author = Author::new();
    let ranges: Vec<Range> = author.append(&blocks).iter().map(VerifiedRange::to_range).collect();
    let origin = author.origin();
    group.bench_function("weft", |bencher| {
        bencher.iter(|| verify(&origin, black_box(&ranges)).expect("true ranges"));
    });

    let proofs = LazyCell::new(|| runtime.block_on(proofs(&blocks)));
    group.bench_function("hypercore (and keep)", |bencher| {
        bencher.iter_batched(
            || (runtime.block_on(reader(proofs.0.clone())), proofs.1.clone()),
            |(core, proofs)| {
                runtime.block_on(async {
                    for proof in proofs {
                        assert!(core.verify_and_apply_proof(proof).await.expect("a true proof"));
                    }
                    core
                })
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn replay_all(criterion: &mut Criterion) {
    let runtime = runtime();

    let in_memory_blocks = blocks(entries(), SIZE);
    let mut group = group(criterion, "replay, memory", entries());
    let ranges = LazyCell::new(|| Author::new().append(&in_memory_blocks));
    group.bench_function("weft", |bencher| {
        bencher.iter(|| replay(Replayed::default(), ranges.iter().flat_map(VerifiedRange::runs)));
    });
    let core = LazyCell::new(|| runtime.block_on(async { append_batched(in_memory().await, &in_memory_blocks).await }));
    group.bench_function("hypercore", |bencher| {
        bencher.iter(|| runtime.block_on(read(&core, entries())));
    });
    group.finish();

    let blocks = blocks(entries_on_disk(), SIZE);
    let expected = blocks.iter().fold(Replayed::default(), |sum, block| sum.and(block));
    let mut group = self::group(criterion, "replay, opened from disk", entries_on_disk());
    let kept = LazyCell::new(|| {
        let (mut author, folder) = (Author::new(), folder());
        keep(&author.store(folder.path()).expect("a store"), author.append(&blocks)).expect("a write");
        let feed = author.origin().feed;
        assert_eq!(replay_from(folder.path(), &feed).expect("a feed"), expected);
        (folder, feed)
    });
    group.bench_function("weft", |bencher| {
        bencher.iter(|| replay_from(kept.0.path(), &kept.1).expect("a feed"));
    });
    let open_and_read =
        async |folder: &TempDir| read(&on_disk(folder.path().to_owned()).await, entries_on_disk()).await;
    let kept = LazyCell::new(|| {
        let folder = folder();
        runtime.block_on(async { append_batched(on_disk(folder.path().to_owned()).await, &blocks).await });
        assert_eq!(runtime.block_on(open_and_read(&folder)), expected);
        folder
    });
    group.bench_function("hypercore", |bencher| {
        bencher.iter(|| runtime.block_on(open_and_read(&kept)));
    });
    group.finish();
}

async fn read(core: &Hypercore, entries: u64) -> Replayed {
    let mut sum = Replayed::default();
    for index in 0..entries {
        let block = core.get(index).await.expect("a read").expect("a block");
        sum = sum.and(&block);
    }
    sum
}

criterion_group!(benches, append, append_to_disk, verify_all, replay_all);
criterion_main!(benches);
