//! A store that is damaged is set aside, and one is made in its place of what can be known.
//!
//! Nothing is deleted: the files go into a folder `damaged-1`, `damaged-2`, … as they are. What the new store begins with is the
//! anchor, and of every data feed what can still be read of the damaged one and verifies against its signed heads. The rest
//! comes from peers. Where this device's own feeds end is not known any more: see PEER-3.3.

use std::{
    collections::BTreeMap,
    fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use weft_crypto::{DeviceId, FeedId, Head, Purpose, SpaceId};
use weft_feed::{Run, Tree, body_hash, leaf};
use weft_peer::store::{Batch, Ends, ends_unknown};

use super::{
    Store,
    anchor::{self, Anchor, Kept},
    disk::{Disk, manifest_of},
    error::StoreError,
    journal,
    layout::{FeedRow, HeadersRow, decode_state, encode_headers, encode_state, number_key, run_key},
    mark,
    medium::{Folder, Untouched},
    private,
    row::{Change, Table},
    rows,
};

/// Where the new store is made before it takes the place of the damaged one.
const MAKING: &str = "store.new";

/// What was found of a damaged store, and is kept.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// Where its files are now.
    pub folder: PathBuf,
    /// Its feeds; empty when nothing was known of any.
    pub feeds: Vec<FoundFeed>,
}

/// What is left of a feed.
#[derive(Clone, Copy, Debug)]
pub struct FoundFeed {
    /// The feed.
    pub feed: FeedId,
    /// The space it belongs to.
    pub space: SpaceId,
    /// The device that writes it.
    pub device: DeviceId,
    /// Whether it carries credentials.
    pub control: bool,
    /// Entries it had at least.
    pub had: u64,
    /// Entries that were read and verified, and are in the new store.
    pub kept: u64,
}

/// Sets the store in `folder` aside and makes a new one. The caller holds the folder's lock.
pub(crate) fn set_aside(folder: &Path, cache_bytes: usize, me: DeviceId) -> Result<SetAside, StoreError> {
    let making = folder.join(MAKING);
    match fs::remove_dir_all(&making) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    private::make_folder(&making)?;
    let feeds = make_anew(folder, &making, cache_bytes, me)?;
    let aside = free_name(folder);
    private::make_folder(&aside)?;
    // The anchor stays until the new one is there: whenever this is cut off, it can be begun again.
    for name in [rows::NAME, journal::NAME, mark::NAME] {
        move_if_there(&folder.join(name), &aside.join(name))?;
    }
    if folder.join(anchor::NAME).exists() {
        fs::copy(folder.join(anchor::NAME), aside.join(anchor::NAME))?;
    }
    for name in [anchor::NAME, journal::NAME, rows::NAME] {
        move_if_there(&making.join(name), &folder.join(name))?;
    }
    fs::remove_dir_all(&making)?;
    private::sync_folder_of(&folder.join(rows::NAME))?;
    Ok(SetAside { folder: aside, feeds })
}

fn free_name(folder: &Path) -> PathBuf {
    (1..).map(|number: u32| folder.join(format!("damaged-{number}"))).find(|path| !path.exists()).unwrap_or_default()
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn make_anew(folder: &Path, making: &Path, cache_bytes: usize, me: DeviceId) -> Result<Vec<FoundFeed>, StoreError> {
    let old = Untouched(folder.to_owned());
    let kept = Anchor::open(&old)?.map(|(_, kept, _)| kept).unwrap_or_default();
    // What can be read of it decides nothing: everything that is taken over verifies.
    let damaged = Disk::open_readable(Arc::new(old), cache_bytes).ok();
    let mut known: BTreeMap<FeedId, FeedRow> = BTreeMap::new();
    for ((table, key), value) in &kept {
        if *table == Table::Feeds
            && let (Ok(feed), Ok(row)) = (FeedId::try_from(&key[..]), FeedRow::decode(value))
        {
            known.insert(feed, row);
        }
    }
    let mut changes = Vec::new();
    let mut found = Vec::new();
    for (feed, row) in &known {
        let manifest = manifest_of(feed, &row.manifest)?;
        let (control, device) = (manifest.purpose == Purpose::Control, manifest.device);
        let state = kept.get(&(Table::States, number_key(row.number)));
        let noted = state.and_then(|state| decode_state(feed, state).ok()).map_or(0, |(head, _)| head.length);
        let mut had = noted.max(damaged.as_ref().map_or(0, |damaged| damaged.length(feed)));
        let left = match &damaged {
            _ if control => anchored(&kept, feed, row.number),
            Some(damaged) => readable(damaged, feed),
            None => Readable::default(),
        };
        let kept_entries = left.tree.length();
        had = had.max(kept_entries);
        changes.extend(left.changes(row.number));
        found.push(FoundFeed { feed: *feed, space: row.space, device, control, had, kept: kept_entries });
    }
    let others = kept.iter().filter(|((table, _), _)| !matches!(table, Table::Headers | Table::Bodies | Table::States));
    changes.extend(others.map(|((table, key), value)| Change::Put(*table, key.clone(), value.clone())));
    let (disk, _) = Disk::open_on(Arc::new(Folder(making.to_owned())), cache_bytes, false)?;
    disk.put_rows(&changes)?;
    drop(disk);
    // Opened again, it knows its feeds; and its anchor is made of them.
    fs::remove_file(making.join(anchor::NAME))?;
    let (disk, _) = Disk::open_on(Arc::new(Folder(making.to_owned())), cache_bytes, true)?;
    let mut spaces: Vec<SpaceId> = found.iter().map(|found| found.space).collect();
    spaces.sort();
    spaces.dedup();
    let had = |space: &SpaceId, control: bool| {
        let own = found.iter().filter(|feed| feed.device == me && feed.space == *space && feed.control == control);
        own.map(|feed| feed.had).max().unwrap_or(0)
    };
    // Whom it let in is in the control entries, which the anchor has.
    let ends = |space| Ends { control: had(space, true), data: had(space, false), others: 0 };
    let writes = spaces.iter().map(|space| ends_unknown(space, ends(space))).collect();
    disk.write(&[Batch { writes, durable: true }])?;
    disk.rest()?;
    Ok(found)
}

/// The beginning of a feed as far as it verifies.
#[derive(Default)]
struct Readable {
    ranges: Vec<(Vec<Run>, Head)>,
    tree: Tree,
}

fn readable(damaged: &Disk, feed: &FeedId) -> Readable {
    let mut readable = Readable::default();
    let mut growing = Growing::default();
    // How far it goes is what is asked; why it goes no further was said before.
    let _ = damaged.runs(feed, 0, &mut |run, head| {
        let goes_on = readable.take(&mut growing, run, head);
        Ok(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    });
    readable
}

/// The beginning of a feed in an anchor. There may be rows beyond it that a store never took.
fn anchored(kept: &Kept, feed: &FeedId, number: u32) -> Readable {
    let mut readable = Readable::default();
    let mut growing = Growing::default();
    loop {
        let from = growing.tree.length();
        let key = run_key(number, from);
        let Some(headers) = kept.get(&(Table::Headers, key.clone())) else { break };
        let Ok(headers) = HeadersRow::decode(feed, from, headers) else { break };
        let head = headers.head;
        let bodies = kept.get(&(Table::Bodies, key)).cloned().unwrap_or_default();
        let Ok(run) = headers.into_run(feed, from, bodies) else { break };
        if run.count() == 0 || !readable.take(&mut growing, run, head) {
            break;
        }
    }
    readable
}

/// What was read since the last signed head.
#[derive(Default)]
struct Growing {
    tree: Tree,
    runs: Vec<Run>,
}

impl Readable {
    /// Takes a run that verifies, and says whether it did.
    fn take(&mut self, growing: &mut Growing, run: Run, head: Option<Head>) -> bool {
        let is_wrong =
            |entry: weft_feed::Entry<'_>| entry.body.is_some_and(|body| body_hash(body) != *entry.header.body_hash());
        if run.entries().any(is_wrong) {
            return false;
        }
        for entry in run.entries() {
            growing.tree.push(leaf(entry.header.bytes()), entry.header.bytes().len() as u64 + entry.header.body_len());
        }
        growing.runs.push(run);
        if let Some(head) = head {
            if head.length != growing.tree.length() || head.root != growing.tree.root() {
                return false;
            }
            self.ranges.push((std::mem::take(&mut growing.runs), head));
            self.tree = growing.tree.clone();
        }
        true
    }
}

impl Readable {
    fn changes(&self, number: u32) -> Vec<Change> {
        let mut changes = Vec::new();
        for (runs, head) in &self.ranges {
            for run in runs {
                let key = run_key(number, run.from());
                let head = (run.end() == head.length).then_some(head);
                changes.push(Change::Put(Table::Headers, key.clone(), encode_headers(run, head)));
                if !run.bodies().is_empty() {
                    changes.push(Change::Put(Table::Bodies, key, run.bodies().clone()));
                }
            }
        }
        if let Some((_, head)) = self.ranges.last() {
            changes.push(Change::Put(Table::States, number_key(number), encode_state(head, &self.tree)));
        }
        changes
    }
}
