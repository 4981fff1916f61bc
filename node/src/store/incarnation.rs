//! Whether this copy of the data folder is the one that wrote last: a mark in the store, and the same mark outside of the folder.
//!
//! An older copy that is put back, or a second one that is started, would sign again what was signed before and differs: an
//! honest device would fork itself. So whoever opens the store draws a new mark, writes it into the store together with the one
//! that it follows, and then into a file of the state folder, named by the device. Cut off between the two, the next opening
//! finds outside the mark that the store says it follows. Everything else is another copy, and its spaces are unsure (PEER-3.3).
//!
//! Beside the mark stands how far the own feeds went, so that a copy that was made while the node ran is noticed too. A lock
//! beside the file keeps a second copy on the same machine from running at the same time. What it does not see: an older copy
//! of both folders, and copies on machines that never meet the same peer. Spec: NODE-2.5

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weft_crypto::{DeviceId, FeedId, Purpose, SpaceId};
use weft_peer::store::Ends;

use super::{
    lock::{Lock, LockError},
    private,
};

/// The row of the node itself that holds the mark.
pub(super) const KEY: &[u8] = b"incarnation";
/// How far feeds went is written outside this often while there is no pause. A guess: what is lost of it matters only when an
/// older copy of this moment is put back after a crash.
const NOTED_EVERY: Duration = Duration::from_secs(1);
/// More is not read of the file outside: 4,096 spaces at about 130 bytes, and room to grow.
const BYTES_MAX: u64 = 4 << 20;
const FORMAT: u32 = 1;

/// Names one opening of a store.
pub(super) type Mark = [u8; 16];

/// The mark as the store holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    pub(super) mark: Mark,
    /// What stood outside when it was drawn; none when that could not be moved on.
    pub(super) follows: Option<Mark>,
}

impl Inside {
    pub(super) fn encode(&self) -> Bytes {
        [self.mark.as_slice(), self.follows.as_ref().map_or(&[], |mark| mark.as_slice())].concat().into()
    }

    pub(super) fn decode(row: &[u8]) -> Option<Inside> {
        let (mark, rest) = row.split_first_chunk()?;
        let follows = if rest.is_empty() { None } else { Some(rest.try_into().ok()?) };
        Some(Inside { mark: *mark, follows })
    }
}

/// What stands outside of the data folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) mark: Mark,
    /// How far this device's own feeds went in each space.
    pub(super) spaces: BTreeMap<SpaceId, Ends>,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    mark: String,
    spaces: BTreeMap<String, Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    control: u64,
    data: u64,
    others: u64,
}

impl Noted {
    fn encode(&self) -> Vec<u8> {
        let row = |(space, ends): (&SpaceId, &Ends)| {
            (space.to_string(), Row { control: ends.control, data: ends.data, others: ends.others })
        };
        let mark = data_encoding::HEXLOWER.encode(&self.mark);
        let file = File { format: FORMAT, mark, spaces: self.spaces.iter().map(row).collect() };
        let mut text = serde_json::to_vec_pretty(&file).expect("plain fields");
        text.push(b'\n');
        text
    }

    fn decode(text: &[u8]) -> Option<Noted> {
        let file: File = serde_json::from_slice(text).ok()?;
        let mark = data_encoding::HEXLOWER.decode(file.mark.as_bytes()).ok()?.try_into().ok()?;
        let row = |(space, row): (String, Row)| {
            Some((space.parse().ok()?, Ends { control: row.control, data: row.data, others: row.others }))
        };
        let spaces = file.spaces.into_iter().map(row).collect::<Option<_>>()?;
        (file.format == FORMAT).then_some(Noted { mark, spaces })
    }
}

/// The place outside of the data folder, held by this process.
#[derive(Debug)]
pub(crate) struct Outside {
    path: PathBuf,
    _lock: Option<Lock>,
}

impl Outside {
    /// Takes the place of a device in the state folder. Where that folder cannot be used, nothing keeps a second copy from
    /// running, and what is written fails as well.
    ///
    /// # Errors
    /// When another process has it: another copy of the data folder is in use.
    pub(crate) fn claim(folder: &Path, device: &DeviceId) -> Result<Outside, LockError> {
        let path = folder.join(device.to_string());
        let lock =
            private::make_folder(folder).map_err(LockError::Io).and_then(|()| Lock::at(&path.with_extension("lock")));
        match lock {
            Ok(lock) => Ok(Outside { path, _lock: Some(lock) }),
            Err(LockError::Io(error)) => {
                tracing::warn!(%error, path = %path.display(), "the mark of this copy of the data folder cannot be locked");
                Ok(Outside { path, _lock: None })
            }
            Err(held) => Err(held),
        }
    }

    /// What stands there; nothing when it cannot be read.
    pub(super) fn read(&self) -> Option<Noted> {
        let fits = fs::metadata(&self.path).is_ok_and(|file| file.len() <= BYTES_MAX);
        Noted::decode(&fs::read(&self.path).ok().filter(|_| fits)?)
    }

    /// Puts it there, as a whole or not at all.
    pub(super) fn write(&self, noted: &Noted, synced: bool) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = private::open(&new)?;
        file.set_len(0)?;
        file.write_all(&noted.encode())?;
        if synced {
            file.sync_all()?;
        }
        fs::rename(&new, &self.path)?;
        if synced { private::sync_folder_of(&self.path) } else { Ok(()) }
    }
}

/// A feed that became known to the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced {
    pub(super) feed: FeedId,
    pub(super) space: SpaceId,
    pub(super) device: DeviceId,
    pub(super) purpose: Purpose,
    pub(super) generation: u64,
}

/// Keeps what stands outside level with the store, as long as it is open.
#[derive(Debug)]
pub(super) struct Watch {
    outside: Outside,
    device: DeviceId,
    pub(super) noted: Noted,
    /// This device's feeds by space and whether it is the control feed, each with its generation: those of the newest are written.
    own: BTreeMap<(SpaceId, bool), (u64, FeedId)>,
    /// The other devices that have feeds, by space.
    others: BTreeMap<SpaceId, BTreeSet<DeviceId>>,
    /// Spaces whose ends are not known: what was noted of them stays, until more is held.
    pub(super) unsure: BTreeSet<SpaceId>,
    at: Instant,
    /// Why nothing can be written outside, if that is so.
    pub(super) trouble: Option<String>,
}

impl Watch {
    pub(super) fn new(outside: Outside, device: DeviceId) -> Watch {
        let (noted, own, others, unsure) = (Noted::default(), BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Watch { outside, device, noted, own, others, unsure, at: Instant::now(), trouble: None }
    }

    pub(super) fn read(&self) -> Option<Noted> {
        self.outside.read()
    }

    pub(super) fn learn(&mut self, feed: Announced) {
        if feed.device == self.device {
            let newest = self.own.entry((feed.space, feed.purpose == Purpose::Control));
            let newest = newest.or_insert((feed.generation, feed.feed));
            *newest = (*newest).max((feed.generation, feed.feed));
        } else {
            self.others.entry(feed.space).or_default().insert(feed.device);
        }
    }

    /// A space was deleted: nothing of it can be behind.
    pub(super) fn forget(&mut self, space: &SpaceId) {
        self.own.retain(|(of, _), _| of != space);
        self.others.remove(space);
        self.unsure.remove(space);
    }

    /// How far the own feeds are held.
    pub(super) fn held(&self, length: impl Fn(&FeedId) -> u64) -> BTreeMap<SpaceId, Ends> {
        let mut spaces: BTreeMap<SpaceId, Ends> = BTreeMap::new();
        for ((space, control), (_, feed)) in &self.own {
            let ends = spaces.entry(*space).or_default();
            let end = if *control { &mut ends.control } else { &mut ends.data };
            *end = length(feed);
            ends.others = self.others.get(space).map_or(0, BTreeSet::len) as u64;
        }
        spaces
    }

    /// Writes outside how far the own feeds are held, if that changed. Without `synced` a crash of the machine may lose it, and
    /// it is done at most once in a while.
    pub(super) fn note(&mut self, length: impl Fn(&FeedId) -> u64, synced: bool) {
        if self.trouble.is_some() || !synced && self.at.elapsed() < NOTED_EVERY {
            return;
        }
        self.at = Instant::now();
        let mut spaces = self.held(length);
        for (space, before) in &self.noted.spaces {
            if self.unsure.contains(space) {
                let ends = spaces.entry(*space).or_default();
                *ends = ends.max(*before);
            }
        }
        if spaces == self.noted.spaces {
            return;
        }
        let noted = Noted { mark: self.noted.mark, spaces };
        match self.outside.write(&noted, synced) {
            Ok(()) => self.noted = noted,
            Err(error) => {
                tracing::warn!(%error, "how far the own feeds went could not be noted outside of the data folder")
            }
        }
    }

    /// Moves the mark outside on to this one.
    pub(super) fn move_on(&mut self, noted: Noted) -> io::Result<()> {
        self.outside.write(&noted, true)?;
        self.noted = noted;
        Ok(())
    }

    /// Where the mark stands outside.
    pub(super) fn path(&self) -> &Path {
        &self.outside.path
    }
}
