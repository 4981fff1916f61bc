//! A space is dropped: as a whole, whenever a crash comes, and nothing of another one with it.

use std::fs;

use weft_crypto::{DeviceId, Purpose, SpaceId};
use weft_peer::{Rows as Wanted, Write};

use super::{Author, Store, batch, crashed, derived, entries, local, open};
use crate::store::{Disk, Outside, anchor};

const NINE: SpaceId = SpaceId::from_bytes([9; 32]);
const EIGHT: SpaceId = SpaceId::from_bytes([8; 32]);

/// Two spaces, each with a control and a data feed.
fn two(disk: &Disk) -> [Author; 4] {
    let mut authors = [
        (1, Purpose::Control, NINE),
        (2, Purpose::Data, NINE),
        (3, Purpose::Control, EIGHT),
        (4, Purpose::Data, EIGHT),
    ]
    .map(|(number, purpose, space)| Author::within(number, purpose, space));
    for author in &mut authors {
        let mut writes = vec![author.known()];
        writes.extend(author.append(&[100, 7]));
        disk.write(&[batch(writes)]).unwrap();
    }
    let kept = Write::Derived { space: EIGHT, table: 1, key: "kept".into(), value: Some("x".into()) };
    disk.write(&[batch(vec![local("space/nine", "key"), derived(1, "gone", Some("x")), kept])]).unwrap();
    authors
}

/// That of both spaces only the second is there.
fn only_eight(disk: &Disk, authors: &[Author; 4]) {
    let [control, data, others, kept] = authors;
    for gone in [control, data] {
        assert_eq!(disk.length(&gone.feed()), 0);
        assert!(disk.read(&gone.feed(), 0, usize::MAX).is_err());
    }
    for stays in [others, kept] {
        assert_eq!(entries(&disk.read(&stays.feed(), 0, usize::MAX).unwrap()), [(0, 100), (1, 7)]);
    }
    let rows = |space: &SpaceId| disk.load(space, 1, &Wanted::Prefix(bytes::Bytes::new())).unwrap().len();
    assert_eq!((rows(&NINE), rows(&EIGHT)), (0, 1));
    let opened = disk.opened().unwrap();
    assert!(opened.feeds.iter().all(|feed| feed.space == EIGHT) && opened.feeds.len() == 2);
    assert_eq!(opened.local, []);
}

fn drop_nine(disk: &Disk) {
    let row = Write::Local { key: "space/nine".into(), value: None };
    disk.write(&[batch(vec![row, Write::DropSpace { space: NINE }])]).unwrap();
}

/// Spec: PEER-17
#[test]
fn a_dropped_space_is_gone_at_once_and_after_a_crash_and_its_numbers_are_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let authors = two(&disk);
    drop_nine(&disk);
    only_eight(&disk, &authors);
    only_eight(&open(crashed(folder.path()).path()), &authors);
    // What comes next lies where nothing was.
    let mut news = [Author::within(5, Purpose::Data, NINE), Author::within(6, Purpose::Data, EIGHT)];
    for author in &mut news {
        let mut writes = vec![author.known()];
        writes.extend(author.append(&[3]));
        disk.write(&[batch(writes)]).unwrap();
        assert_eq!(entries(&disk.read(&author.feed(), 0, usize::MAX).unwrap()), [(0, 3)]);
    }
    drop(disk);
    let disk = open(folder.path());
    for author in &news {
        assert_eq!(entries(&disk.read(&author.feed(), 0, usize::MAX).unwrap()), [(0, 3)]);
    }
    assert_eq!(entries(&disk.read(&authors[3].feed(), 0, usize::MAX).unwrap()), [(0, 100), (1, 7)]);
}

/// Spec: NODE-2.6
#[test]
fn nothing_of_a_dropped_space_is_in_the_anchor_though_a_crash_came_before_it_was_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    let authors = two(&disk);
    let older = fs::read(folder.path().join(anchor::NAME)).unwrap();
    drop_nine(&disk);
    let has_nine = |bytes: &[u8]| bytes.windows(32).any(|window| window == NINE.as_bytes());
    assert!(has_nine(&older) && !has_nine(&fs::read(folder.path().join(anchor::NAME)).unwrap()));
    let copy = crashed(folder.path());
    fs::write(copy.path().join(anchor::NAME), older).unwrap();
    only_eight(&open(copy.path()), &authors);
    assert!(!has_nine(&fs::read(copy.path().join(anchor::NAME)).unwrap()));
}

/// Spec: NODE-2.5
#[test]
fn a_copy_is_not_taken_for_an_older_one_because_a_space_was_dropped() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let device: DeviceId = Author::within(1, Purpose::Control, NINE).manifest.device;
    let disk = open(folder.path());
    assert_eq!(disk.recognise(Outside::claim(state.path(), &device).unwrap(), device, [1; 16]).unwrap(), []);
    two(&disk);
    let outside = || fs::read_to_string(state.path().join(device.to_string())).unwrap();
    assert!(outside().contains(&NINE.to_string()));
    drop_nine(&disk);
    assert!(!outside().contains(&NINE.to_string()));
    disk.leave();
    drop(disk);
    let disk = open(folder.path());
    assert_eq!(disk.recognise(Outside::claim(state.path(), &device).unwrap(), device, [2; 16]).unwrap(), []);
    assert_eq!(disk.opened().unwrap().local, [], "no space is unsure of its ends");
}
