//! What the store does on bad disks: full ones, failing ones, files that were cut or overwritten.
//!
//! Each sweep goes through every write of a small run, or every page of a small file. What is acknowledged has to be there; what
//! is given out has to be what was written, or an error that names the damage; and nothing may panic.

use std::{
    fs, io,
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use redb::StorageBackend;
use weft_crypto::{DeviceKey, FeedId, Purpose, SpaceId};
use weft_peer::{Batch, Rows as Wanted, Write};
use weft_replication::{ReadError, StoredRange};

use super::{
    super::{
        Disk, Store, StoreError, anchor, aside, journal,
        medium::{Folder, Media, Medium, Untouched},
        rows,
    },
    Author, CACHE_BYTES, batch, derived, local, open,
};

const SPACE: SpaceId = SpaceId::from_bytes([9; 32]);

// ---- disks that refuse ---------------------------------------------------------------------------------------------------

/// When writes fail.
#[derive(Debug)]
pub(super) struct Faults {
    /// Writes, changes of length and syncs that still go well.
    pub(super) left: AtomicI64,
    /// Whether everything fails from then on, as on a full disk, or once, as on a bad one.
    pub(super) lasting: AtomicBool,
    pub(super) kind: io::ErrorKind,
}

impl Faults {
    fn step(&self) -> io::Result<()> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left == 0 || left < 0 && self.lasting.load(Ordering::SeqCst) { Err(self.kind.into()) } else { Ok(()) }
    }

    fn end(&self) {
        self.left.store(i64::MAX, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(super) struct Failing {
    pub(super) below: Folder,
    pub(super) faults: Arc<Faults>,
}

impl Media for Failing {
    fn open(&self, name: &str) -> Result<Medium, StoreError> {
        Ok(Medium::new(Bad { below: self.below.open(name)?, faults: Arc::clone(&self.faults) }))
    }

    fn look(&self, name: &str) -> Result<Medium, StoreError> {
        self.below.look(name)
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        self.below.len(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.faults.step()?;
        self.below.sync_names()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.faults.step()?;
        self.below.rename(from, to)
    }

    fn copy(&self, from: &str, to: &str) -> io::Result<()> {
        self.faults.step()?;
        self.below.copy(from, to)
    }
}

#[derive(Debug)]
struct Bad {
    below: Medium,
    faults: Arc<Faults>,
}

impl StorageBackend for Bad {
    fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.below.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.faults.step()?;
        self.below.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.faults.step()?;
        self.below.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if let Err(error) = self.faults.step() {
            // Half of it may be there all the same.
            self.below.write(offset, &data[..data.len() / 2])?;
            return Err(error);
        }
        self.below.write(offset, data)
    }
}

pub(super) fn bodies(disk: &Disk, feed: &FeedId) -> Vec<(u64, Vec<u8>)> {
    let mut found = Vec::new();
    disk.runs(feed, 0, &mut |run, _| {
        found.extend(run.entries().map(|entry| (entry.seq, entry.body.unwrap_or_default().to_vec())));
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    found
}

/// What has to be there.
#[derive(Default)]
struct Acknowledged {
    lengths: Vec<usize>,
    row: Option<&'static str>,
}

impl Acknowledged {
    fn check(&self, disk: &Disk, author: &Author, what: &str) {
        let lengths: Vec<usize> = bodies(disk, &author.feed()).iter().map(|(_, body)| body.len()).collect();
        assert_eq!(lengths, self.lengths, "{what}");
        let rows = disk.opened().unwrap().local;
        let row = rows.iter().find(|(key, _)| key == "row").map(|(_, value)| value.clone());
        assert_eq!(row, self.row.map(Bytes::from), "{what}");
    }
}

/// Bodies of the batches of one run: through the journal, and past it.
const RUN: [&[usize]; 6] = [&[10], &[300_000], &[100, 0, 7], &[20], &[400_000, 1], &[30]];

/// One run over a disk whose `n`th write fails. Says how many there were, and whether the store had to be opened anew.
fn fails_at(n: i64, lasting: bool, kind: io::ErrorKind) -> (i64, bool) {
    let folder = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults { left: AtomicI64::new(i64::MAX), lasting: AtomicBool::new(lasting), kind });
    let media = || Arc::new(Failing { below: Folder(folder.path().to_owned()), faults: Arc::clone(&faults) });
    let mut disk = Disk::open_on(media(), CACHE_BYTES, false).unwrap().0;
    let mut author = Author::new(1, Purpose::Data);
    disk.write(&[batch(vec![author.known()])]).unwrap();
    faults.left.store(n, Ordering::SeqCst);
    let mut there = Acknowledged::default();
    let mut anew = false;
    for (round, lengths) in RUN.iter().enumerate() {
        let what = format!("the {n}th write fails, in round {round}");
        let row = if round % 2 == 0 { "even" } else { "odd" };
        let batches = [
            batch(author.append(lengths)),
            Batch { writes: vec![derived(1, "lazy", Some(row))], durable: false },
            batch(vec![local("row", row)]),
        ];
        loop {
            match disk.write(&batches) {
                Ok(()) => break,
                Err(error) => {
                    assert!(matches!(error, StoreError::Disk(_) | StoreError::Stopped), "{what}: {error}");
                    if matches!(error, StoreError::Stopped) {
                        // Only by opening it anew is it known what is there.
                        drop(disk);
                        faults.end();
                        disk = Disk::open_on(media(), CACHE_BYTES, false).unwrap().0;
                        anew = true;
                        if disk.length(&author.feed()) == author.length() {
                            break;
                        }
                    }
                    there.check(&disk, &author, &what);
                    faults.end();
                }
            }
        }
        there.lengths.extend_from_slice(lengths);
        there.row = Some(row);
        there.check(&disk, &author, &what);
        assert_eq!(disk.load(&SPACE, 1, &Wanted::Exact("lazy".into())).unwrap().len(), 1, "{what}");
        if round % 3 == 2
            && let Err(error) = disk.rest()
        {
            assert!(matches!(error, StoreError::Disk(_) | StoreError::Stopped), "{what}: {error}");
            if matches!(error, StoreError::Stopped) {
                drop(disk);
                faults.end();
                disk = Disk::open_on(media(), CACHE_BYTES, false).unwrap().0;
                anew = true;
            }
            there.check(&disk, &author, &what);
            faults.end();
        }
    }
    let left = faults.left.load(Ordering::SeqCst);
    // The power goes, and the disk is well again.
    let copy = tempfile::tempdir().unwrap();
    for name in [rows::NAME, journal::NAME, anchor::NAME] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    there.check(&open(copy.path()), &author, "after a crash");
    (n - left, anew)
}

/// Whoever is killed, or finds the disk full, while a store is made for the first time has none, and the next one makes it.
#[test]
fn a_store_that_was_not_made_to_the_end_is_made_anew() {
    let made_at = |n: i64| {
        let folder = tempfile::tempdir().unwrap();
        let kind = io::ErrorKind::StorageFull;
        let faults = Arc::new(Faults { left: AtomicI64::new(n), lasting: AtomicBool::new(true), kind });
        let media = Arc::new(Failing { below: Folder(folder.path().to_owned()), faults: Arc::clone(&faults) });
        let made = Disk::open_on(media, CACHE_BYTES, false).is_ok();
        let left = faults.left.load(Ordering::SeqCst);
        // As another process finds it.
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        let disk = open(copy.path());
        let mut author = Author::new(1, Purpose::Data);
        disk.write(&[batch(vec![author.known()]), batch(author.append(&[10]))]).unwrap();
        assert_eq!(bodies(&disk, &author.feed()).len(), 1, "the {n}th write fails");
        (made, n - left)
    };
    let (made, writes) = made_at(i64::MAX / 2);
    assert!(made && writes > 5, "{writes} writes make no store");
    assert!((0..writes).filter(|n| !made_at(*n).0).count() > 3, "of {writes} writes none was needed");
}

#[test]
fn a_write_that_the_disk_refuses_is_refused_and_nothing_acknowledged_is_lost() {
    for (lasting, kind) in [(true, io::ErrorKind::StorageFull), (false, io::ErrorKind::Other)] {
        let (writes, _) = fails_at(i64::MAX / 2, lasting, kind);
        assert!(writes > 30, "{writes} writes are no run");
        let opened_anew = (0..writes).filter(|n| fails_at(*n, lasting, kind).1).count();
        println!(
            "{kind}: {writes} writes failed one after another; {opened_anew} times the store had to be opened anew"
        );
        assert!(opened_anew * 10 < writes as usize, "{opened_anew} of {writes}: reading goes on as a rule");
    }
}

#[test]
fn a_store_on_a_full_disk_opens_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut author = Author::new(1, Purpose::Data);
    let disk = open(folder.path());
    disk.write(&[batch(vec![author.known()])]).unwrap();
    disk.write(&[batch(author.append(&[10, 20]))]).unwrap();
    // As a crash leaves it: the journal has what redb does not.
    let copy = tempfile::tempdir().unwrap();
    for name in [rows::NAME, journal::NAME, anchor::NAME] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let mut read = 0;
    for n in 0..40 {
        let (lasting, kind) = (AtomicBool::new(true), io::ErrorKind::StorageFull);
        let faults = Arc::new(Faults { left: AtomicI64::new(n), lasting, kind });
        let media = Arc::new(Failing { below: Folder(copy.path().to_owned()), faults: Arc::clone(&faults) });
        match Disk::open_on(media, CACHE_BYTES, false) {
            Ok((disk, _)) => {
                assert_eq!(bodies(&disk, &author.feed()).len(), 2, "{n}");
                read += 1;
            }
            Err(error) => assert!(matches!(error, StoreError::Disk(_) | StoreError::Stopped), "{n}: {error}"),
        }
    }
    assert!(read > 20, "{read} of 40");
    assert_eq!(bodies(&open(copy.path()), &author.feed()).len(), 2);
}

// ---- files that were changed ---------------------------------------------------------------------------------------------

/// A store with something in every table, closed.
fn small_store(folder: &Path) -> [Author; 2] {
    let mut authors = [Author::new(1, Purpose::Control), Author::new(2, Purpose::Data)];
    let disk = open(folder);
    disk.write(&[batch(authors.iter().map(Author::known).collect())]).unwrap();
    for round in 0..6 {
        let mut writes: Vec<Write> = authors.iter_mut().flat_map(|author| author.append(&[200, 3_000, 40])).collect();
        writes.push(derived(round, "key", Some("value")));
        disk.write(&[batch(writes)]).unwrap();
    }
    disk.write(&[batch(authors[1].append(&[1_000; 60])), batch(vec![local("stopped", "x")])]).unwrap();
    disk.set_node_rows(vec![("peer/1".into(), Some("2".into()))]).unwrap();
    disk.rest().unwrap();
    authors
}

/// A file of which a part is not what was written.
#[derive(Debug)]
struct Changed {
    below: Untouched,
    file: &'static str,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Cut(u64),
    Overwritten(u64, Vec<u8>),
}

impl Media for Changed {
    fn open(&self, name: &str) -> Result<Medium, StoreError> {
        let medium = self.below.open(name)?;
        if name == self.file {
            match &self.change {
                Change::Cut(at) => medium.set_len(*at)?,
                Change::Overwritten(at, bytes) => medium.write(*at, bytes)?,
            }
        }
        Ok(medium)
    }

    fn look(&self, name: &str) -> Result<Medium, StoreError> {
        self.open(name)
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        match &self.change {
            Change::Cut(at) if name == self.file => Ok(Some(*at)),
            _ => self.below.len(name),
        }
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Ok(())
    }

    fn copy(&self, _from: &str, _to: &str) -> io::Result<()> {
        Ok(())
    }
}

type Rows = Vec<(Bytes, Bytes)>;

/// Everything that can be asked of a store.
#[derive(Debug, PartialEq)]
struct All {
    local: Rows,
    lengths: Vec<(FeedId, u64)>,
    derived: Vec<Rows>,
    node: Rows,
}

fn all(disk: &Disk) -> Result<All, StoreError> {
    let opened = disk.opened()?;
    let lengths = opened.feeds.iter().map(|feed| (feed.feed, feed.tree.length())).collect();
    let derived = (0..6).map(|table| disk.load(&SPACE, table, &Wanted::Prefix(Bytes::new())));
    Ok(All { local: opened.local, lengths, derived: derived.collect::<Result<_, _>>()?, node: disk.node_rows(b"")? })
}

/// Number, header and body of each.
type Entries = Vec<(u64, Bytes, Bytes)>;

fn entries(ranges: &[StoredRange]) -> Entries {
    let runs = ranges.iter().flat_map(|range| &range.runs);
    runs.flat_map(|run| {
        run.entries()
            .map(|entry| {
                (
                    entry.seq,
                    Bytes::copy_from_slice(entry.header.bytes()),
                    Bytes::copy_from_slice(entry.body.unwrap_or_default()),
                )
            })
            .collect::<Vec<_>>()
    })
    .collect()
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Equal,
    /// A part of a feed is named, and not given out.
    Named,
    /// Derived rows are gone, to be derived again.
    Derived,
    /// The store is damaged as a whole.
    Refused,
}

/// Opens a changed store and asks it everything. Panics when anything that it says is wrong.
fn outcome(folder: &Path, change: &Change, whole: &All, feeds: &[(FeedId, Entries)]) -> Outcome {
    let below = Untouched(folder.to_owned());
    let media = Arc::new(Changed { below, file: rows::NAME, change: change.clone() });
    let refused = |error: &StoreError| {
        let expected = error.is_damage() || matches!(error, StoreError::Newer { .. });
        assert!(expected, "{change:?}: {error}");
        Outcome::Refused
    };
    let disk = match Disk::open_on(media, CACHE_BYTES, false) {
        Ok((disk, _)) => disk,
        Err(error) => return refused(&error),
    };
    let damage = disk.take_damage();
    let mut outcome = match all(&disk) {
        Err(error) => return refused(&error),
        Ok(found) if found == *whole => Outcome::Equal,
        Ok(found) => {
            assert_eq!((&found.local, &found.lengths), (&whole.local, &whole.lengths), "{change:?}");
            assert!(found.derived.iter().all(Vec::is_empty) && found.node == whole.node, "{change:?}: {found:?}");
            Outcome::Derived
        }
    };
    for (feed, expected) in feeds {
        let found = disk.read(feed, 0, usize::MAX);
        match damage.iter().find(|damage| damage.feed == *feed) {
            None => assert_eq!(&entries(&found.unwrap()), expected, "{change:?}"),
            Some(damage) => {
                assert!(damage.from <= damage.entry && damage.entry < damage.head.length, "{damage:?}");
                let found = entries(&found.unwrap_or_default());
                assert_eq!(found[..], expected[..damage.from as usize], "{change:?}");
                outcome = Outcome::Named;
            }
        }
    }
    // What goes on to be written does not make it worse.
    let mut carol = Author::new(3, Purpose::Data);
    let written = disk.write(&[batch(vec![carol.known()]), batch(carol.append(&[300_000]))]).and_then(|()| disk.rest());
    match written.and_then(|()| all(&disk)) {
        Err(error) => _ = refused(&error),
        Ok(after) => assert_eq!(after.local, whole.local, "{change:?}"),
    }
    outcome
}

fn whole(folder: &Path, authors: &[Author]) -> (All, Vec<(FeedId, Entries)>) {
    let disk = Disk::look(folder, CACHE_BYTES).unwrap().0;
    let feeds =
        authors.iter().map(|author| (author.feed(), entries(&disk.read(&author.feed(), 0, usize::MAX).unwrap())));
    (all(&disk).unwrap(), feeds.collect())
}

#[test]
fn whatever_page_is_overwritten_the_answer_is_right_or_names_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    let authors = small_store(folder.path());
    let bytes = fs::read(folder.path().join(rows::NAME)).unwrap();
    let (all, feeds) = whole(folder.path(), &authors);
    let mut counts = std::collections::BTreeMap::new();
    for (number, page) in bytes.chunks(4_096).enumerate().filter(|(_, page)| page.iter().any(|byte| *byte != 0)) {
        let at = number as u64 * 4_096;
        let noise = blake3::Hasher::new().update(&at.to_le_bytes()).finalize_xof();
        let mut random = vec![0; page.len()];
        { noise }.fill(&mut random);
        let middle = at + page.len() as u64 / 2;
        let mut flipped = page[page.len() / 2..][..64].to_vec();
        flipped.iter_mut().for_each(|byte| *byte ^= 0x20);
        let sector = at + 1_024;
        for change in [
            Change::Overwritten(at, vec![0; page.len()]),
            Change::Overwritten(at, random),
            Change::Overwritten(middle, flipped),
            Change::Overwritten(sector, vec![0xff; 512]),
        ] {
            *counts.entry(outcome(folder.path(), &change, &all, &feeds)).or_insert(0) += 1;
        }
    }
    println!("{counts:?}");
    for outcome in [Outcome::Equal, Outcome::Named, Outcome::Refused] {
        assert!(counts.contains_key(&outcome), "{outcome:?} was never met: {counts:?}");
    }
    assert_eq!(fs::read(folder.path().join(rows::NAME)).unwrap(), bytes, "looking changes nothing");
}

#[test]
fn wherever_a_file_is_cut_the_store_is_refused_or_whole() {
    let folder = tempfile::tempdir().unwrap();
    let authors = small_store(folder.path());
    let length = fs::metadata(folder.path().join(rows::NAME)).unwrap().len();
    let (all, feeds) = whole(folder.path(), &authors);
    let mut refused = 0;
    for step in 0..64 {
        for cut in [length * step / 64, (length * step / 64).saturating_sub(1)] {
            refused += u32::from(outcome(folder.path(), &Change::Cut(cut), &all, &feeds) == Outcome::Refused);
        }
    }
    assert!(refused > 100, "{refused} of 128");
    for cut in [0, 1, 4_096, journal::JOURNAL_BYTES / 2, journal::JOURNAL_BYTES - 1] {
        let below = Untouched(folder.path().to_owned());
        let media = Arc::new(Changed { below, file: journal::NAME, change: Change::Cut(cut) });
        let error = Disk::open_on(media, CACHE_BYTES, false).err().unwrap();
        assert!(matches!(&error, StoreError::Damaged { what } if what.contains("journal")), "{cut}: {error}");
    }
}

// ---- what is done about it -----------------------------------------------------------------------------------------------

/// Overwrites the body of an entry, whose bytes are all `byte`, in the file.
fn hit_body(folder: &Path, byte: u8) {
    let path = folder.join(rows::NAME);
    let mut bytes = fs::read(&path).unwrap();
    let places: Vec<usize> = bytes
        .windows(600)
        .enumerate()
        .filter(|(_, bytes)| bytes.iter().all(|b| *b == byte))
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + 300] ^= 1;
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_body_is_named_never_given_out_and_mended_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut author = Author::new(1, Purpose::Data);
    let disk = open(folder.path());
    disk.write(&[batch(vec![author.known()])]).unwrap();
    let mut ranges = Vec::new();
    for lengths in [vec![10, 20], vec![700; 9], vec![30]] {
        let writes = author.append(&lengths);
        let Write::Range(range) = &writes[0] else { panic!("a range") };
        ranges.push(StoredRange { head: *range.head(), runs: range.runs().to_vec() });
        disk.write(&[batch(writes)]).unwrap();
    }
    let expected = bodies(&disk, &author.feed());
    disk.rest().unwrap();
    drop(disk);
    // The sixth of the second range.
    hit_body(folder.path(), 5);
    let disk = open(folder.path());
    let [damage] = &disk.take_damage()[..] else { panic!("one part is damaged") };
    assert_eq!((damage.feed, damage.from, damage.entry, damage.head.length), (author.feed(), 2, 7, 11));
    assert_eq!(damage.base.as_ref().unwrap().0, ranges[0].head);
    assert_eq!(entries(&disk.read(&author.feed(), 0, usize::MAX).unwrap()).len(), 2);
    for from in 2..8 {
        assert_eq!(disk.read(&author.feed(), from, usize::MAX).unwrap_err(), ReadError::Damaged);
    }
    assert_eq!(entries(&disk.read(&author.feed(), 11, usize::MAX).unwrap()).len(), 1, "what follows is served");
    let error = disk.runs(&author.feed(), 0, &mut |_, _| Ok(ControlFlow::Continue(()))).unwrap_err();
    assert!(matches!(error, StoreError::Entry { seq: 7, .. }), "{error}");
    let mend = Write::Mend { feed: author.feed(), ranges: vec![ranges[1].clone()] };
    disk.write(&[batch(vec![mend])]).unwrap();
    assert_eq!(bodies(&disk, &author.feed()), expected);
    drop(disk);
    let disk = open(folder.path());
    assert!(disk.take_damage().is_empty());
    assert_eq!(bodies(&disk, &author.feed()), expected);
}

#[test]
fn a_damaged_store_is_set_aside_whole_and_a_new_one_begins_with_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let authors = small_store(folder.path());
    let (before, feeds) = whole(folder.path(), &authors);
    let me = DeviceKey::from_seed([2; 32]).id();
    // First the body of an entry in the middle of the data feed, with a row that only the anchor can give back.
    let path = folder.path().join(rows::NAME);
    let bytes = fs::read(&path).unwrap();
    for (round, cut) in [(1, bytes.len()), (2, bytes.len() / 3)] {
        let mut damaged = fs::read(&path).unwrap();
        damaged.truncate(cut);
        fs::write(&path, &damaged).unwrap();
        let set = aside::set_aside(folder.path(), CACHE_BYTES, me).unwrap();
        assert_eq!(set.folder, folder.path().join(format!("damaged-{round}")));
        assert_eq!(fs::read(set.folder.join(rows::NAME)).unwrap(), damaged, "nothing is changed and nothing deleted");
        let disk = open(folder.path());
        let opened = disk.opened().unwrap();
        let mut local = opened.local.clone();
        let unsure: Vec<_> = local.extract_if(.., |(key, _)| key.starts_with(b"unsure/")).collect();
        assert_eq!((unsure.len(), &local), (1, &before.local));
        assert_eq!(disk.node_rows(b"").unwrap(), before.node);
        for ((feed, entries_before), found) in feeds.iter().zip(&set.feeds) {
            let found = set.feeds.iter().find(|found| found.feed == *feed).unwrap_or(found);
            assert_eq!(found.had, entries_before.len() as u64);
            let left = disk.read(feed, 0, usize::MAX).map(|ranges| entries(&ranges)).unwrap_or_default();
            assert_eq!(left[..], entries_before[..found.kept as usize]);
            // Control entries are in the anchor, data entries are left as far as they could be read.
            assert!(found.kept == found.had || !found.control && round == 2, "{found:?}");
        }
        drop(disk);
    }
    fs::write(folder.path().join("damage-found"), "a page of redb").unwrap();
    let error = Disk::open(folder.path(), CACHE_BYTES).err().unwrap();
    assert!(error.to_string().contains("a page of redb"), "{error}");
    aside::set_aside(folder.path(), CACHE_BYTES, me).unwrap();
    drop(open(folder.path()));
}

#[test]
fn a_store_of_format_1_is_migrated_after_a_copy_was_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let authors = small_store(folder.path());
    let (before, _) = whole(folder.path(), &authors);
    // Format 1 had no checksums behind its values.
    let path = folder.path().join(rows::NAME);
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    for name in ["meta", "feeds", "states", "headers", "bodies", "local", "spaces", "derived", "node"] {
        use redb::ReadableTable as _;
        let mut table = transaction.open_table(redb::TableDefinition::<&[u8], &[u8]>::new(name)).unwrap();
        let rows: Vec<_> = table
            .iter()
            .unwrap()
            .map(|row| row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).unwrap())
            .collect();
        for (key, value) in rows {
            let bare = if key == b"version" { &1u32.to_le_bytes()[..] } else { &value[..value.len() - 4] };
            table.insert(&key[..], bare).unwrap();
        }
    }
    transaction.commit().unwrap();
    drop(database);
    fs::remove_file(folder.path().join(anchor::NAME)).unwrap();
    let disk = open(folder.path());
    assert_eq!(all(&disk).unwrap(), before);
    assert!(folder.path().join("store.redb.format-1").exists() && folder.path().join(anchor::NAME).exists());
}
