//! Another history of a forked feed in the place of the one that is held: as a whole or not at all, and no damage.

use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use weft_crypto::{DeviceKey, Head, Purpose};
use weft_feed::{Tree, VerifiedRange};
use weft_peer::{Batch, Write};

use super::{
    super::{Disk, Store, StoreError, aside, medium::Folder, rows},
    Author, CACHE_BYTES, batch,
    damage::{Failing, Faults, bodies},
    derived, open,
};

/// What one author wrote: bodies of these lengths, each list under one head.
fn written(purpose: Purpose, lengths: &[&[usize]]) -> (Author, Vec<Arc<VerifiedRange>>) {
    let mut author = Author::new(1, purpose);
    let writes = lengths.iter().flat_map(|lengths| author.append(lengths)).collect::<Vec<_>>();
    let ranges = writes.into_iter().map(|write| match write {
        Write::Range(range) => range,
        other => panic!("{other:?}"),
    });
    let ranges = ranges.collect();
    (author, ranges)
}

fn end(ranges: &[Arc<VerifiedRange>]) -> Option<(Head, Tree)> {
    ranges.last().map(|range| (*range.head(), range.tree().clone()))
}

/// A store that holds this history, with something derived from it.
fn held(disk: &Disk, author: &Author, ranges: &[Arc<VerifiedRange>]) {
    let writes = [author.known()].into_iter().chain(ranges.iter().cloned().map(Write::Range));
    disk.write(&[batch(writes.collect()), batch(vec![derived(1, "row", Some("of it"))])]).unwrap();
}

fn replaced(author: &Author, base: Option<(Head, Tree)>, ranges: &[Arc<VerifiedRange>]) -> Batch {
    let (feed, space, ranges) = (author.feed(), author.manifest.space, ranges.to_vec());
    let base = base.map(Box::new);
    batch(vec![Write::Replace { feed, base, ranges }, Write::DropDerived { space }])
}

fn lengths(disk: &Disk, author: &Author) -> Vec<usize> {
    bodies(disk, &author.feed()).iter().map(|(_, body)| body.len()).collect()
}

/// Held whole and as signed, and nothing else of it is there.
fn is_whole(disk: &Disk, author: &Author, ranges: &[Arc<VerifiedRange>]) {
    let opened = disk.opened().unwrap();
    let feed = opened.feeds.iter().find(|feed| feed.feed == author.feed()).unwrap();
    let (head, tree) = end(ranges).unzip();
    assert_eq!((feed.head, &feed.tree), (head, &tree.unwrap_or_default()));
    assert!(disk.damage(&author.feed()).unwrap().is_none());
    let read = disk.read(&author.feed(), 0, usize::MAX).map_or(0, |ranges| ranges.last().unwrap().head.length);
    assert_eq!(read, feed.tree.length());
}

#[test]
fn a_history_goes_on_from_any_head_that_both_have() {
    for purpose in [Purpose::Control, Purpose::Data] {
        let (author, first) = written(purpose, &[&[10], &[20, 0, 20], &[30], &[2_000; 100]]);
        // From nothing, from a stored head, from one that lies within what is stored, and to that without anything to follow.
        for (common, rest) in [
            (vec![], vec![&[11][..], &[21]]),
            (vec![&[10][..]], vec![&[21][..], &[0, 7]]),
            (vec![&[10][..], &[20, 0]], vec![&[22][..], &[3_000; 90]]),
            (vec![&[10][..], &[20, 0]], vec![]),
            (vec![&[10][..], &[20, 0, 20], &[30], &[2_000; 70]], vec![]),
        ] {
            let all: Vec<&[usize]> = common.iter().chain(&rest).copied().collect();
            let (_, kept) = written(purpose, &all);
            let (base, rest) = kept.split_at(common.len());
            let folder = tempfile::tempdir().unwrap();
            let disk = open(folder.path());
            held(&disk, &author, &first);
            disk.write(&[replaced(&author, end(base), rest)]).unwrap();
            let expected: Vec<usize> = all.concat();
            for disk in [disk, open(super::crashed(folder.path()).path())] {
                assert_eq!(lengths(&disk, &author), expected);
                is_whole(&disk, &author, &kept);
                assert!(disk.opened().unwrap().cursors.iter().all(|(_, rows)| rows.is_empty()));
            }
            // It is written on, and can be replaced again.
            let disk = open(folder.path());
            disk.write(&[replaced(&author, None, &first)]).unwrap();
            assert_eq!(disk.length(&author.feed()), 105);
            is_whole(&disk, &author, &first);
            drop(disk);
            if purpose == Purpose::Control {
                // What a lost store is made of again knows it too.
                fs::remove_file(folder.path().join(rows::NAME)).unwrap();
                aside::set_aside(folder.path(), CACHE_BYTES, DeviceKey::from_seed([2; 32]).id()).unwrap();
                is_whole(&open(folder.path()), &author, &first);
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let (author, first) = written(Purpose::Data, &[&[10], &[20]]);
    let (_, longer) = written(Purpose::Data, &[&[10], &[20], &[30], &[40]]);
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    held(&disk, &author, &first);
    for wrong in
        [replaced(&author, end(&longer[..3]), &longer[3..]), replaced(&author, end(&longer[..1]), &longer[3..])]
    {
        let refused = disk.write(&[wrong]);
        assert!(matches!(refused, Err(StoreError::NotContiguous { .. })), "{refused:?}");
    }
    assert!(!disk.write_if_quick(&[replaced(&author, None, &[])]).unwrap(), "it looks for rows");
    assert_eq!(lengths(&disk, &author), [10, 20]);
    is_whole(&disk, &author, &first);
}

/// The disk refuses one write after another, and the power goes: one history or the other, whole, and what was derived with it.
#[test]
fn whichever_write_fails_one_history_or_the_other_is_there() {
    let mut outcomes = [0, 0];
    for (purpose, size) in [(Purpose::Data, 30), (Purpose::Control, 30), (Purpose::Data, 300_000)] {
        let (author, first) = written(purpose, &[&[10], &[20, 20], &[size]]);
        let (_, kept) = written(purpose, &[&[10], &[20], &[size + 1, 5]]);
        for n in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let (left, lasting) = (AtomicI64::new(i64::MAX), AtomicBool::new(true));
            let faults = Arc::new(Faults { left, lasting, kind: io::ErrorKind::StorageFull });
            let media = Failing { below: Folder(folder.path().to_owned()), faults: Arc::clone(&faults) };
            let disk = Disk::open_on(Arc::new(media), CACHE_BYTES, false).unwrap().0;
            held(&disk, &author, &first);
            faults.left.store(n, Ordering::SeqCst);
            let done = disk.write(&[replaced(&author, end(&kept[..2]), &kept[2..])]);
            let is_over = faults.left.load(Ordering::SeqCst) > 0;
            let again = open(super::crashed(folder.path()).path());
            let rows = again.load(&author.manifest.space, 1, &weft_peer::Rows::Exact("row".into())).unwrap().len();
            let there = if lengths(&again, &author) == [10, 20, size + 1, 5] { 1 } else { 0 };
            is_whole(&again, &author, [&first, &kept][there]);
            assert_eq!(rows, 1 - there, "{n}");
            assert!(done.is_err() || there == 1, "what was acknowledged is there");
            outcomes[there] += 1;
            if is_over {
                break;
            }
        }
    }
    // Half of a refused write is there all the same, and a small record in the journal is whole by then.
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}
