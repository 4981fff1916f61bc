//! What the store promises: whole batches, nothing acknowledged lost, ranges that end at held heads.
//!
//! A crash is a copy of the folder as it is at that moment, opened by another store.

mod damage;
mod dropping;
mod incarnation;
mod replaced;

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use tempfile::TempDir;
use weft_crypto::{DeviceKey, EpochId, FeedId, FeedSecret, Manifest, Purpose, SignedManifest, SpaceId};
use weft_feed::{Checkpoint, NewEntry, Writer, kind};
use weft_machine::ClaimedTime;
use weft_peer::{Batch, Rows as Wanted, Write};
use weft_replication::{ReadError, StoredRange};

use super::{Disk, Lock, LockError, Recovered, Store, StoreError, journal::JOURNAL_BYTES};

pub(super) const CACHE_BYTES: usize = 8 << 20;
const NO_LIMIT: usize = usize::MAX;

/// One feed and who writes it.
pub(super) struct Author {
    pub(super) manifest: Manifest,
    signed: Bytes,
    writer: Writer,
}

impl Author {
    pub(super) fn new(number: u8, purpose: Purpose) -> Author {
        Author::within(number, purpose, SpaceId::from_bytes([9; 32]))
    }

    pub(super) fn within(number: u8, purpose: Purpose, space: SpaceId) -> Author {
        let (device, secret) = (DeviceKey::from_seed([number; 32]), FeedSecret::from_seed([number + 100; 32]));
        let manifest = Manifest {
            version: Manifest::VERSION,
            space,
            device: device.id(),
            feed_key: secret.id(),
            purpose,
            generation: 0,
        };
        let signed = SignedManifest::sign(&manifest, &device, &secret).encode();
        let writer = Writer::new(&manifest, secret, Checkpoint::default()).unwrap();
        Author { manifest, signed, writer }
    }

    pub(super) fn length(&self) -> u64 {
        self.writer.length()
    }

    pub(super) fn feed(&self) -> FeedId {
        self.manifest.id()
    }

    pub(super) fn known(&self) -> Write {
        Write::Feed { feed: self.feed(), space: self.manifest.space, manifest: self.signed.clone() }
    }

    /// Appends bodies of these lengths.
    pub(super) fn append(&mut self, lengths: &[usize]) -> Vec<Write> {
        let epoch = Some(EpochId::from_bytes([3; 32]));
        let entry = |(number, length): (usize, &usize)| {
            let body = vec![number as u8; *length].into();
            let claimed = ClaimedTime(7);
            match self.manifest.purpose {
                Purpose::Control => NewEntry::control(claimed, Vec::new(), body),
                Purpose::Data => NewEntry { kind: kind::RECORD, session: 0, epoch, claimed, deps: Vec::new(), body },
            }
        };
        let entries = lengths.iter().enumerate().map(entry).collect();
        self.writer.append(entries).unwrap().into_iter().map(|range| Write::Range(Arc::new(range))).collect()
    }
}

pub(super) fn batch(writes: Vec<Write>) -> Batch {
    Batch { writes, durable: true }
}

pub(super) fn local(key: &'static str, value: &'static str) -> Write {
    Write::Local { key: key.into(), value: Some(value.into()) }
}

pub(super) fn derived(table: u8, key: &'static str, value: Option<&'static str>) -> Write {
    Write::Derived { space: SpaceId::from_bytes([9; 32]), table, key: key.into(), value: value.map(Into::into) }
}

pub(super) fn open(folder: &Path) -> Disk {
    Disk::open(folder, CACHE_BYTES).unwrap().0
}

/// The folder as a crash at this moment would leave it.
fn crashed(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["store.redb", "journal", "anchor"] {
        fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn entries(ranges: &[StoredRange]) -> Vec<(u64, usize)> {
    let runs = ranges.iter().flat_map(|range| &range.runs);
    runs.flat_map(|run| run.entries().map(|entry| (entry.seq, entry.body.map_or(0, <[u8]>::len))).collect::<Vec<_>>())
        .collect()
}

#[test]
fn what_was_written_is_there_again_after_a_crash_at_any_batch() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let mut alice = Author::new(1, Purpose::Data);
    disk.write(&[batch(vec![alice.known(), local("a", "b"), derived(0, "cursor", Some("1"))])]).unwrap();
    for round in 1..=5u64 {
        disk.write(&[batch(alice.append(&[100, 200, 0]))]).unwrap();
        let copy = crashed(folder.path());
        let (again, recovered) = Disk::open(copy.path(), CACHE_BYTES).unwrap();
        assert_eq!(recovered, Recovered { batches: round + 1, torn: false });
        let opened = again.opened().unwrap();
        assert_eq!(opened.local, [(Bytes::from("a"), Bytes::from("b"))]);
        assert_eq!(opened.cursors, [(alice.manifest.space, vec![(Bytes::from("cursor"), Bytes::from("1"))])]);
        let [feed] = &opened.feeds[..] else { panic!("one feed") };
        assert_eq!((feed.feed, feed.space, &feed.manifest), (alice.feed(), alice.manifest.space, &alice.signed));
        assert_eq!(&feed.tree, alice.writer.tree());
        assert_eq!(feed.head.as_ref().unwrap().length, 3 * round);
        assert_eq!(entries(&again.read(&alice.feed(), 0, NO_LIMIT).unwrap()).len() as u64, 3 * round);
    }
}

#[test]
fn a_store_goes_on_where_the_one_before_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (mut alice, mut bob) = (Author::new(1, Purpose::Data), Author::new(2, Purpose::Data));
    for round in 0..4 {
        let disk = open(folder.path());
        disk.write(&[batch(vec![alice.known()]), batch(alice.append(&[10]))]).unwrap();
        if round % 2 == 0 {
            disk.rest().unwrap();
        }
        disk.write(&[batch(vec![bob.known(), alice.known()]), batch(bob.append(&[20, 20]))]).unwrap();
    }
    let disk = open(folder.path());
    assert_eq!(disk.length(&alice.feed()), 4);
    assert_eq!(entries(&disk.read(&bob.feed(), 0, NO_LIMIT).unwrap()), (0..8).map(|seq| (seq, 20)).collect::<Vec<_>>());
}

#[test]
fn what_is_read_begins_where_it_was_asked_for_and_ends_at_a_head() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let mut alice = Author::new(1, Purpose::Data);
    disk.write(&[batch(vec![alice.known()])]).unwrap();
    // The first range has several runs, the second one entry larger than a run, the third is small.
    for lengths in [vec![1_000; 150], vec![100_000], vec![5, 0, 7]] {
        let range = batch(alice.append(&lengths));
        disk.write(&[range]).unwrap();
    }
    let all = disk.read(&alice.feed(), 0, NO_LIMIT).unwrap();
    assert_eq!(all.iter().map(|range| range.head.length).collect::<Vec<_>>(), [150, 151, 154]);
    assert!(all[0].runs.len() > 1);
    let everything = entries(&all);
    for from in [1, 60, 149, 150, 151, 153] {
        let ranges = disk.read(&alice.feed(), from, NO_LIMIT).unwrap();
        assert_eq!(entries(&ranges), everything[from as usize..]);
        for range in &ranges {
            assert_eq!(range.runs.last().unwrap().end(), range.head.length);
            range.head.verify(&alice.manifest.feed_key).unwrap();
        }
    }
    // One range at least; another only as far as it fits.
    assert_eq!(disk.read(&alice.feed(), 0, 1).unwrap().len(), 1);
    assert_eq!(disk.read(&alice.feed(), 150, 1_000).unwrap().len(), 1);
    assert_eq!(disk.read(&alice.feed(), 150, 200_000).unwrap().len(), 2);
    assert_eq!(disk.read(&alice.feed(), 154, NO_LIMIT).unwrap_err(), ReadError::NotHeld);
    assert_eq!(disk.read(&FeedId::from_bytes([0; 32]), 0, NO_LIMIT).unwrap_err(), ReadError::NotHeld);
}

#[test]
fn control_entries_are_given_whole_when_a_store_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let (mut control, mut data) = (Author::new(1, Purpose::Control), Author::new(2, Purpose::Data));
    disk.write(&[batch(vec![control.known(), data.known()])]).unwrap();
    disk.write(&[batch(control.append(&[50, 60])), batch(data.append(&[70])), batch(control.append(&[80]))]).unwrap();
    let opened = disk.opened().unwrap();
    let [(feed, runs)] = &opened.control[..] else { panic!("one control feed") };
    assert_eq!(*feed, control.feed());
    let bodies: Vec<usize> =
        runs.iter().flat_map(|run| run.entries().map(|entry| entry.body.unwrap().len()).collect::<Vec<_>>()).collect();
    assert_eq!(bodies, [50, 60, 80]);
}

#[test]
fn derived_rows_are_loaded_replaced_and_dropped_together() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let space = SpaceId::from_bytes([9; 32]);
    let rows = [(1, "a/1"), (1, "a/2"), (1, "b"), (2, "a/1")].map(|(table, key)| derived(table, key, Some("x")));
    disk.write(&[batch(rows.to_vec()), batch(vec![derived(1, "a/2", None), derived(1, "b", Some("y"))])]).unwrap();
    let load = |table, rows: Wanted| {
        let rows = disk.load(&space, table, &rows).unwrap();
        rows.iter().map(|(key, value)| format!("{}={}", key.escape_ascii(), value.escape_ascii())).collect::<Vec<_>>()
    };
    assert_eq!(load(1, Wanted::Prefix(Bytes::new())), ["a/1=x", "b=y"]);
    assert_eq!(load(1, Wanted::Prefix("a/".into())), ["a/1=x"]);
    assert_eq!(load(1, Wanted::Exact("b".into())), ["b=y"]);
    assert!(load(1, Wanted::Exact("a".into())).is_empty());
    assert!(disk.load(&SpaceId::from_bytes([1; 32]), 1, &Wanted::Prefix(Bytes::new())).unwrap().is_empty());
    disk.write(&[batch(vec![Write::DropDerived { space }, derived(2, "new", Some("z"))])]).unwrap();
    assert!(load(1, Wanted::Prefix(Bytes::new())).is_empty());
    assert_eq!(load(2, Wanted::Prefix(Bytes::new())), ["new=z"]);
}

#[test]
fn what_is_not_durable_is_seen_at_once_and_kept_by_the_next_durable_batch() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let space = SpaceId::from_bytes([9; 32]);
    let lazy = Batch { writes: vec![derived(1, "lazy", Some("x"))], durable: false };
    disk.write(&[lazy]).unwrap();
    assert_eq!(disk.load(&space, 1, &Wanted::Exact("lazy".into())).unwrap().len(), 1);
    let lost = open(crashed(folder.path()).path());
    assert!(lost.load(&space, 1, &Wanted::Exact("lazy".into())).unwrap().is_empty());
    disk.write(&[batch(vec![local("a", "b")])]).unwrap();
    let kept = open(crashed(folder.path()).path());
    assert_eq!(kept.load(&space, 1, &Wanted::Exact("lazy".into())).unwrap().len(), 1);
}

#[test]
fn a_quick_write_is_durable_and_seen_at_once_and_a_large_one_is_left_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut alice = Author::new(1, Purpose::Data);
    open(folder.path()).write(&[batch(vec![alice.known()])]).unwrap();
    for round in 1..=5u64 {
        // The first write after opening: no sync has been seen to be slow.
        let disk = open(folder.path());
        assert!(disk.write_if_quick(&[batch(alice.append(&[100]))]).unwrap());
        // Nobody settled it; a crash keeps it, and who reads sees it.
        assert_eq!(open(crashed(folder.path()).path()).length(&alice.feed()), round);
        assert_eq!(disk.length(&alice.feed()), round);
        assert_eq!(entries(&disk.read(&alice.feed(), round - 1, NO_LIMIT).unwrap()), [(round - 1, 100)]);
    }
    let disk = open(folder.path());
    let large = [batch(alice.append(&[20_000]))];
    assert!(!disk.write_if_quick(&large).unwrap());
    assert_eq!(disk.length(&alice.feed()), 5, "nothing of it is done");
    disk.write(&large).unwrap();
    assert_eq!(disk.length(&alice.feed()), 6);
}

#[test]
fn what_waits_to_settle_keeps_its_order_with_what_goes_past_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let space = SpaceId::from_bytes([9; 32]);
    let value = |text: &'static str| derived(1, "row", Some(text));
    let row = |disk: &Disk| disk.load(&space, 1, &Wanted::Exact("row".into())).unwrap()[0].1.clone();
    let large = Write::Local { key: "large".into(), value: Some(vec![7; 300_000].into()) };
    disk.write(&[batch(vec![value("first")])]).unwrap();
    disk.write(&[batch(vec![large.clone(), value("second")])]).unwrap();
    assert_eq!(row(&disk), "second");
    disk.write(&[batch(vec![large, value("third")])]).unwrap();
    disk.write(&[batch(vec![value("fourth")])]).unwrap();
    let again = open(crashed(folder.path()).path());
    assert_eq!((row(&again), row(&disk)), (Bytes::from("fourth"), Bytes::from("fourth")));
    disk.write(&[batch(vec![value("fifth")])]).unwrap();
    disk.rest().unwrap();
    let (again, recovered) = Disk::open(crashed(folder.path()).path(), CACHE_BYTES).unwrap();
    assert_eq!((recovered.batches, row(&again)), (0, Bytes::from("fifth")));
}

#[test]
fn a_batch_that_does_not_fit_leaves_nothing_and_the_store_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let (mut alice, stranger) = (Author::new(1, Purpose::Data), Author::new(2, Purpose::Data).append(&[1]));
    disk.write(&[batch(vec![alice.known()])]).unwrap();
    let first = alice.append(&[1]);
    let second = alice.append(&[2]);
    let gap = disk.write(&[batch(vec![local("a", "b")]), batch(second.clone())]);
    assert!(matches!(gap, Err(StoreError::NotContiguous { held: 0, from: 1, .. })), "{gap:?}");
    assert!(matches!(disk.write(&[batch(stranger)]), Err(StoreError::UnknownFeed { .. })));
    assert!(disk.opened().unwrap().local.is_empty());
    disk.write(&[batch(first), batch(second)]).unwrap();
    assert_eq!(disk.length(&alice.feed()), 2);
}

#[test]
fn a_torn_last_record_is_cut_off_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let mut alice = Author::new(1, Purpose::Data);
    disk.write(&[batch(vec![alice.known()])]).unwrap();
    disk.write(&[batch(alice.append(&[100]))]).unwrap();
    disk.write(&[batch(alice.append(&[8_000]))]).unwrap();
    // The third record begins in the third sector and is longer than one.
    for torn_at in [8_192 + 50, 8_192 + 4_096, 8_192 + 8_191] {
        let copy = crashed(folder.path());
        let journal = OpenOptions::new().write(true).open(copy.path().join("journal")).unwrap();
        journal.write_all_at(&[0xff; 1], torn_at).unwrap();
        let (again, recovered) = Disk::open(copy.path(), CACHE_BYTES).unwrap();
        assert_eq!(recovered, Recovered { batches: 2, torn: true });
        assert_eq!(again.length(&alice.feed()), 1);
        // It goes on, and what lay behind the tear never comes back.
        let mut after = Author::new(3, Purpose::Data);
        again.write(&[batch(vec![after.known()])]).unwrap();
        again.write(&[batch(after.append(&[1]))]).unwrap();
        let (last, recovered) = Disk::open(crashed(copy.path()).path(), CACHE_BYTES).unwrap();
        assert_eq!(recovered, Recovered { batches: 2, torn: false });
        assert_eq!((last.length(&alice.feed()), last.length(&after.feed())), (1, 1));
    }
}

#[test]
fn a_full_journal_is_emptied_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let mut alice = Author::new(1, Purpose::Data);
    disk.write(&[batch(vec![alice.known()])]).unwrap();
    // Each takes 50 sectors; this fills the journal twice.
    let rounds = 2 * JOURNAL_BYTES / 4_096 / 50;
    for _ in 0..rounds {
        disk.write(&[batch(alice.append(&[200_000]))]).unwrap();
    }
    let (again, recovered) = Disk::open(crashed(folder.path()).path(), CACHE_BYTES).unwrap();
    assert!(recovered.batches < rounds && !recovered.torn, "{recovered:?}");
    assert_eq!(again.length(&alice.feed()), rounds);
    assert_eq!(fs::metadata(folder.path().join("journal")).unwrap().len(), JOURNAL_BYTES);
}

#[test]
fn a_large_batch_goes_past_the_journal_and_takes_it_along() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let mut alice = Author::new(1, Purpose::Data);
    disk.write(&[batch(vec![alice.known()])]).unwrap();
    disk.write(&[batch(alice.append(&[10])), batch(alice.append(&[500_000]))]).unwrap();
    let (again, recovered) = Disk::open(crashed(folder.path()).path(), CACHE_BYTES).unwrap();
    assert_eq!(recovered, Recovered::default());
    assert_eq!(again.length(&alice.feed()), 2);
    disk.write(&[batch(alice.append(&[20]))]).unwrap();
    let (again, recovered) = Disk::open(crashed(folder.path()).path(), CACHE_BYTES).unwrap();
    assert_eq!((recovered.batches, again.length(&alice.feed())), (1, 3));
}

#[test]
fn a_newer_store_is_refused_with_its_version() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let database = redb::Database::create(folder.path().join("store.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&[u8], &[u8]>::new("meta");
    transaction.open_table(meta).unwrap().insert(&b"version"[..], &3u32.to_le_bytes()[..]).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Disk::open(folder.path(), CACHE_BYTES).err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 3, known: 2 }), "{error}");
}

#[test]
fn a_damaged_store_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let mut alice = Author::new(1, Purpose::Data);
    disk.write(&[batch(vec![alice.known()])]).unwrap();
    disk.write(&[batch(alice.append(&vec![1_000; 2_000]))]).unwrap();
    drop(disk);
    let whole = fs::read(folder.path().join("store.redb")).unwrap();
    type Damage = fn(&mut Vec<u8>);
    let damage: [(&str, Damage); 4] = [
        ("cut short", |bytes| bytes.truncate(bytes.len() / 2)),
        ("no store at all", |bytes| bytes.fill(7)),
        ("a hole at the front", |bytes| bytes[64..4_096].fill(0)),
        ("a hole in the middle", |bytes| {
            let middle = bytes.len() / 8;
            bytes[middle..].fill(0xff);
        }),
    ];
    for (what, damage) in damage {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        let copy = crashed(folder.path());
        fs::write(copy.path().join("store.redb"), bytes).unwrap();
        let found = Disk::open(copy.path(), CACHE_BYTES).and_then(|(disk, _)| {
            disk.opened()?;
            disk.read(&alice.feed(), 0, NO_LIMIT).map_err(|error| StoreError::damaged(error.to_string()))
        });
        assert!(found.is_err(), "{what}");
    }
}

#[test]
fn an_older_store_beside_a_newer_journal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let older = fs::read(folder.path().join("store.redb")).unwrap();
    disk.write(&[batch(vec![local("a", "1")])]).unwrap();
    disk.rest().unwrap();
    disk.write(&[batch(vec![local("a", "2")])]).unwrap();
    let copy = crashed(folder.path());
    fs::write(copy.path().join("store.redb"), older).unwrap();
    let error = Disk::open(copy.path(), CACHE_BYTES).err().unwrap();
    assert!(matches!(&error, StoreError::Damaged { what } if what.contains("older")), "{error}");
}

#[test]
fn a_store_that_is_none_or_gone_is_damage_and_never_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let path = folder.path().join("store.redb");
    for content in [vec![0; 8_192], vec![b'x'; 100], Vec::new()] {
        fs::write(&path, content).unwrap();
        assert!(matches!(Disk::open(folder.path(), CACHE_BYTES), Err(StoreError::Damaged { .. })));
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(Disk::open(folder.path(), CACHE_BYTES), Err(StoreError::Damaged { .. })));
    assert!(!path.exists());
}

#[test]
fn a_store_without_its_journal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).write(&[batch(vec![local("a", "1")])]).unwrap();
    fs::remove_file(folder.path().join("journal")).unwrap();
    let error = Disk::open(folder.path(), CACHE_BYTES).err().unwrap();
    assert!(matches!(&error, StoreError::Damaged { what } if what.contains("journal")), "{error}");
}

#[test]
fn the_lock_says_who_has_the_folder_and_is_free_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::take(folder.path()).unwrap();
    let held = Lock::take(folder.path()).unwrap_err();
    assert!(matches!(held, LockError::Held { pid: Some(pid) } if pid == std::process::id()), "{held}");
    drop(lock);
    Lock::take(folder.path()).unwrap();
}
