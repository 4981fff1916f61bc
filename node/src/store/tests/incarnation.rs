//! Which copy of a data folder wrote last: marks in the store and outside, whatever is copied, put back or cut off.

use std::{fs, path::Path};

use tempfile::TempDir;
use weft_crypto::{DeviceId, DeviceKey, Purpose};
use weft_peer::store::{Ends, space_of_ends};

use super::{
    super::{Disk, LockError, Outside, Store},
    Author, batch, open,
};

fn alice() -> DeviceId {
    DeviceKey::from_seed([1; 32]).id()
}

/// A data folder with feeds of Alice's, and a state folder.
struct Place {
    data: TempDir,
    state: TempDir,
    control: Author,
    feed: Author,
    marks: u8,
}

impl Place {
    fn new() -> Place {
        let (data, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let [control, feed] = [Purpose::Control, Purpose::Data].map(|purpose| Author::new(1, purpose));
        Place { data, state, control, feed, marks: 0 }
    }

    /// Opens the store, and says whether it is known to be the one that wrote last.
    fn open(&mut self) -> (Disk, bool) {
        let folder = self.data.path().to_owned();
        self.open_at(&folder)
    }

    fn open_at(&mut self, folder: &Path) -> (Disk, bool) {
        self.marks += 1;
        let disk = open(folder);
        let said =
            disk.recognise(Outside::claim(self.state.path(), &alice()).unwrap(), alice(), [self.marks; 16]).unwrap();
        assert!(said.is_empty());
        let is_known = ends(&disk).is_empty();
        (disk, is_known)
    }

    fn append(&mut self, disk: &Disk) {
        let known = [&self.control, &self.feed].map(Author::known);
        disk.write(&[batch(known.to_vec()), batch(self.feed.append(&[10, 20]))]).unwrap();
    }

    fn let_go(disk: Disk) {
        disk.rest().unwrap();
        disk.leave();
    }

    fn outside(&self) -> std::path::PathBuf {
        self.state.path().join(alice().to_string())
    }
}

/// The spaces whose ends the store does not know.
fn ends(disk: &Disk) -> Vec<Ends> {
    let local = disk.opened().unwrap().local;
    local
        .iter()
        .filter(|(key, _)| space_of_ends(key).is_some())
        .map(|(_, value)| Ends::decode(value).unwrap())
        .collect()
}

/// A copy of the data folder as it is at this moment.
fn copied(folder: &Path) -> TempDir {
    super::crashed(folder)
}

fn put_back(copy: &Path, folder: &Path) {
    for file in fs::read_dir(copy).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
}

#[test]
fn the_copy_that_wrote_last_is_known_after_a_stop_and_after_a_crash() {
    let mut place = Place::new();
    for round in 0..4 {
        let (disk, is_known) = place.open();
        assert!(is_known, "{round}");
        place.append(&disk);
        // Every other time it is killed: nothing is said, and nothing more is written.
        if round % 2 == 0 { Place::let_go(disk) } else { drop(disk) }
    }
}

#[test]
fn an_older_copy_that_is_put_back_is_noticed() {
    let mut place = Place::new();
    let (disk, _) = place.open();
    place.append(&disk);
    Place::let_go(disk);
    let backup = copied(place.data.path());
    let (disk, _) = place.open();
    place.append(&disk);
    Place::let_go(disk);
    put_back(backup.path(), place.data.path());
    let (disk, is_known) = place.open();
    assert!(!is_known);
    assert_eq!(ends(&disk), [Ends { control: 0, data: 4, others: 0 }], "as far as it is known to have gone");
    Place::let_go(disk);
    // It stays so, until the room knows its ends.
    assert!(!place.open().1);
}

#[test]
fn a_copy_made_while_the_node_ran_is_noticed() {
    let mut place = Place::new();
    let (disk, _) = place.open();
    place.append(&disk);
    let backup = copied(place.data.path());
    place.append(&disk);
    Place::let_go(disk);
    put_back(backup.path(), place.data.path());
    assert!(!place.open().1, "the mark is the same, and the feed went further");
}

#[test]
fn a_data_folder_on_another_machine_is_noticed() {
    let mut place = Place::new();
    let (disk, _) = place.open();
    place.append(&disk);
    Place::let_go(disk);
    place.state = tempfile::tempdir().unwrap();
    assert!(!place.open().1);
    // What cannot be read is as good as gone.
    fs::write(place.outside(), b"{").unwrap();
    assert!(!place.open().1);
}

#[test]
fn two_copies_that_take_turns_are_both_noticed() {
    let mut place = Place::new();
    let (disk, _) = place.open();
    place.append(&disk);
    Place::let_go(disk);
    let other = copied(place.data.path());
    let (disk, is_known) = place.open_at(other.path());
    assert!(is_known, "it is the only one that went on");
    // It is killed before it says how far it came.
    drop(disk);
    assert!(!place.open().1, "the other one was opened meanwhile");
    assert!(!place.open_at(other.path()).1);
}

#[test]
fn a_copy_cannot_run_beside_the_other_one() {
    let mut place = Place::new();
    let (disk, _) = place.open();
    let refused = Outside::claim(place.state.path(), &alice()).unwrap_err();
    assert!(matches!(refused, LockError::Held { .. }));
    disk.leave();
    Outside::claim(place.state.path(), &alice()).unwrap();
}

/// Cut off after the mark is in the store and before it is outside, any number of times.
#[test]
fn whoever_is_killed_between_the_two_marks_is_known_again() {
    let mut place = Place::new();
    let (disk, _) = place.open();
    place.append(&disk);
    Place::let_go(disk);
    let outside = fs::read(place.outside()).unwrap();
    let untouched = copied(place.data.path());
    for _ in 0..3 {
        let (disk, is_known) = place.open();
        assert!(is_known);
        drop(disk);
        fs::write(place.outside(), &outside).unwrap();
    }
    // Nothing was written meanwhile, so the copy from before is as good.
    assert!(place.open_at(untouched.path()).1);
}

#[test]
fn a_store_from_before_there_were_marks_is_taken_over_once() {
    let mut place = Place::new();
    let disk = open(place.data.path());
    place.append(&disk);
    drop(disk);
    let backup = copied(place.data.path());
    let (disk, is_known) = place.open();
    assert!(is_known);
    place.append(&disk);
    Place::let_go(disk);
    put_back(backup.path(), place.data.path());
    assert!(!place.open().1, "this device has been seen here");
}

#[cfg(unix)]
#[test]
fn without_a_place_outside_every_start_is_unsure_and_says_why() {
    let mut place = Place::new();
    let file = place.state.path().join("file");
    fs::write(&file, b"no folder").unwrap();
    for round in 0..3u8 {
        let disk = open(place.data.path());
        let said = disk.recognise(Outside::claim(&file, &alice()).unwrap(), alice(), [round; 16]).unwrap();
        assert!(said.is_empty() && disk.unmarked().is_some());
        assert_eq!(ends(&disk).is_empty(), round == 0, "there is nothing to be unsure of at first");
        place.append(&disk);
        Place::let_go(disk);
    }
    // A place that comes back does not know what was written without it.
    assert!(!place.open().1);
}

#[test]
fn what_another_device_got_is_remembered_with_the_space() {
    let mut place = Place::new();
    let bob = Author::new(2, Purpose::Data);
    let (disk, _) = place.open();
    place.append(&disk);
    Place::let_go(disk);
    let backup = copied(place.data.path());
    let (disk, _) = place.open();
    disk.write(&[batch(vec![bob.known()])]).unwrap();
    // Killed at once: it was noted before anything could follow from it.
    drop(disk);
    put_back(backup.path(), place.data.path());
    let (disk, is_known) = place.open();
    assert!(!is_known);
    assert_eq!(ends(&disk)[0].others, 1);
}
