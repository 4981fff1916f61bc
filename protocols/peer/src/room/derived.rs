//! Rows that ECHO derives, on their way to the store together with the cursors they stand for.
//!
//! One batch is under way at a time and the next one gathers meanwhile, so that a slow disk makes larger batches rather
//! than a longer queue. Answers and events that speak of rows wait until these rows can be read.

use std::{collections::BTreeMap, mem};

use bytes::Bytes;
use weft_crypto::{FeedId, SpaceId};
use weft_echo::{Changed, DerivedWrite, Processed};

use crate::{
    io::{Output, Ticket},
    outbox::{Outbox, Purpose},
    store::{Batch, CURSORS, REBUILDS, Write, rebuilds},
};

/// Beyond this many bytes of unwritten rows nothing more is released to ECHO. 8 MiB: a few hundred snapshots.
const BACKLOG_BYTES: usize = 8 << 20;

/// Rows on their way.
#[derive(Default)]
pub(crate) struct Derived {
    rows: Vec<Write>,
    bytes: usize,
    after: Vec<Output>,
    flying: Option<(Ticket, Vec<Write>, Vec<Output>)>,
    failed: Option<String>,
    /// How often the rows were dropped.
    rebuilds: u64,
    /// Changes of verdicts that are noted.
    changes: BTreeMap<FeedId, Changed>,
}

impl Derived {
    pub(crate) fn derive(&mut self, space: SpaceId, writes: Vec<DerivedWrite>) {
        for write in writes {
            self.row(space, write.table, write.key, write.value);
        }
    }

    /// How far a feed is replayed.
    pub(crate) fn cursor(&mut self, space: SpaceId, processed: &Processed) {
        let ends = processed.beyond.iter().flat_map(|range| [range.start, range.end]);
        let value = [processed.length].into_iter().chain(ends).flat_map(u64::to_le_bytes).collect();
        self.row(space, CURSORS, cursor_key(&processed.feed), Some(value));
    }

    /// What the order needs to know again after a restart.
    pub(crate) fn changes(&mut self, space: SpaceId, feed: &FeedId, from: u64, changes: Bytes) {
        self.row(space, CURSORS, changes_key(feed, from), Some(changes));
    }

    /// A session beyond a feed's first has written.
    pub(crate) fn session(&mut self, space: SpaceId, feed: &FeedId, session: u64) {
        self.row(space, CURSORS, session_key(feed, session), Some(Bytes::new()));
    }

    /// How much of a control feed the verdicts go by that stand in the rows, but for the changes that are noted.
    pub(crate) fn judged_by(&mut self, space: SpaceId, control: &FeedId, length: u64) {
        self.row(space, CURSORS, feed_key(b'k', control), Some(Bytes::copy_from_slice(&length.to_le_bytes())));
    }

    /// The verdicts of a feed have changed, and what it touched is to be made again.
    pub(crate) fn change(&mut self, space: SpaceId, changed: Changed) {
        let Changed { feed, from, number } = changed;
        let noted = self.changes.entry(feed).or_insert(changed);
        *noted = Changed { feed, from: from.min(noted.from), number };
        let value = [noted.from, number].map(u64::to_le_bytes).concat();
        self.row(space, CURSORS, feed_key(b'q', &feed), Some(value.into()));
        self.row(space, CURSORS, NUMBER, Some(Bytes::copy_from_slice(&number.to_le_bytes())));
    }

    /// That is done.
    pub(crate) fn judged(&mut self, space: SpaceId, feed: &FeedId, number: u64) {
        if self.changes.get(feed).is_some_and(|changed| changed.number == number) {
            self.changes.remove(feed);
            self.row(space, CURSORS, feed_key(b'q', feed), None);
        }
    }

    /// What was noted before a restart.
    pub(crate) fn resume_changes(&mut self, changes: &[Changed]) {
        self.changes = changes.iter().map(|changed| (changed.feed, *changed)).collect();
    }

    /// The rows that follow are of this version's format.
    pub(crate) fn format(&mut self, space: SpaceId) {
        self.row(space, CURSORS, FORMAT_KEY, Some(Bytes::from_static(&[FORMAT])));
    }

    /// The sessions that are void in the rows that follow.
    pub(crate) fn void_sessions(&mut self, space: SpaceId, void: Bytes) {
        self.row(space, CURSORS, VOID_SESSIONS, Some(void));
    }

    fn row(&mut self, space: SpaceId, table: u8, key: Bytes, value: Option<Bytes>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
        self.rows.push(Write::Derived { space, table, key, value });
    }

    /// Says this once the rows derived so far can be read.
    pub(crate) fn then(&mut self, output: Output) {
        self.after.push(output);
    }

    pub(crate) fn drop_all(&mut self, space: SpaceId) {
        self.bytes = 0;
        self.rows = self.dropped(space);
        self.rebuilds += 1;
        self.changes.clear();
    }

    /// What drops the rows, and the rows that there are then.
    pub(crate) fn dropped(&self, space: SpaceId) -> Vec<Write> {
        let first = self.first_rows().into_iter();
        let first = first.map(|(key, value)| Write::Derived { space, table: CURSORS, key, value: Some(value) });
        [Write::DropDerived { space }].into_iter().chain(first).collect()
    }

    /// The rows that are written when all others are dropped.
    pub(crate) fn first_rows(&self) -> Vec<(Bytes, Bytes)> {
        // In the batch that drops them, so that nobody takes rows of one derivation for rows of another.
        let rebuilds = Bytes::copy_from_slice(&(self.rebuilds + 1).to_le_bytes());
        vec![(REBUILDS.into(), rebuilds), (FORMAT_KEY, Bytes::from_static(&[FORMAT]))]
    }

    /// Gives back whatever was to be said once rows can be read.
    pub(crate) fn give_up(&mut self) -> Vec<Output> {
        mem::take(&mut self.after)
    }

    /// The rows were dropped so often before.
    pub(crate) fn resume(&mut self, rebuilds: u64) {
        self.rebuilds = rebuilds;
    }

    /// Nothing gathered and nothing under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.rows.is_empty() && self.after.is_empty() && self.flying.is_none()
    }

    /// Every row that was given can be read.
    pub(crate) fn is_settled(&self) -> bool {
        self.rows.is_empty() && self.flying.is_none()
    }

    /// No row is on its way to the disk.
    pub(crate) fn is_resting(&self) -> bool {
        self.flying.is_none()
    }

    /// Whether so much waits for the disk that nothing more should be derived now.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes > BACKLOG_BYTES
    }

    /// Sends what was gathered on its way, if nothing is under way.
    pub(crate) fn flush(&mut self, space: SpaceId, outbox: &mut Outbox) {
        if self.flying.is_some() || self.failed.is_some() {
            return;
        }
        if self.rows.is_empty() {
            for output in self.after.drain(..) {
                outbox.push(output);
            }
            return;
        }
        let rows = mem::take(&mut self.rows);
        self.bytes = 0;
        let batch = Batch { writes: rows.clone(), durable: false };
        let ticket = outbox.persist(Purpose::RoomDerived(space), batch);
        self.flying = Some((ticket, rows, mem::take(&mut self.after)));
    }

    /// The batch under way can be read.
    pub(crate) fn landed(&mut self, ticket: Ticket, outbox: &mut Outbox) {
        if self.flying.as_ref().is_some_and(|(flying, ..)| *flying == ticket) {
            let (_, _, after) = self.flying.take().expect("just seen");
            for output in after {
                outbox.push(output);
            }
        }
    }

    /// The batch under way was not written: it goes first when the store is tried again.
    pub(crate) fn failed(&mut self, ticket: Ticket, reason: String) {
        if self.flying.as_ref().is_some_and(|(flying, ..)| *flying == ticket) {
            let (_, mut rows, mut after) = self.flying.take().expect("just seen");
            rows.append(&mut self.rows);
            after.append(&mut self.after);
            self.rows = rows;
            self.after = after;
            self.failed = Some(reason);
        }
    }

    /// Tries the store again after a failure.
    pub(crate) fn retry(&mut self) {
        self.failed = None;
    }
}

fn cursor_key(feed: &FeedId) -> Bytes {
    [b"c", feed.as_bytes().as_slice()].concat().into()
}

fn session_key(feed: &FeedId, session: u64) -> Bytes {
    [b"s", feed.as_bytes().as_slice(), session.to_be_bytes().as_slice()].concat().into()
}

const VOID_SESSIONS: Bytes = Bytes::from_static(b"v");

/// Under which the number of the newest change of verdicts stands.
const NUMBER: Bytes = Bytes::from_static(b"n");

/// Under which the format of the rows stands.
const FORMAT_KEY: Bytes = Bytes::from_static(b"f");

/// Rows of another format, or of none, are dropped and derived again. 2: objects list the entries that they are made of.
pub(crate) const FORMAT: u8 = 2;

fn feed_key(tag: u8, feed: &FeedId) -> Bytes {
    [&[tag], feed.as_bytes().as_slice()].concat().into()
}

fn changes_key(feed: &FeedId, from: u64) -> Bytes {
    [b"p", feed.as_bytes().as_slice(), from.to_be_bytes().as_slice()].concat().into()
}

/// A row of table [`CURSORS`], read back.
pub(crate) enum CursorRow {
    /// The feed is replayed up to a length, and some of it beyond.
    Cursor(Processed),
    /// What the order said of the feed.
    Changes(FeedId, Bytes),
    /// A session of a feed that has written.
    Session(FeedId, u64),
    /// Which sessions are void in the rows.
    VoidSessions(Bytes),
    /// How often the rows of the space were dropped.
    Rebuilds(u64),
    /// The verdicts in the rows go by so much of a control feed.
    JudgedBy(FeedId, u64),
    /// A change of verdicts that is not worked off.
    Change(Changed),
    /// The number of the newest.
    Number(u64),
    /// The format of the rows.
    Format(u8),
}

impl CursorRow {
    pub(crate) fn decode(key: &[u8], value: &Bytes) -> Option<CursorRow> {
        if key == REBUILDS {
            return Some(CursorRow::Rebuilds(rebuilds(value)?));
        }
        let number = |value: &[u8]| Some(u64::from_le_bytes(value.try_into().ok()?));
        let (tag, rest) = key.split_first()?;
        match (tag, rest) {
            (b'v', []) => return Some(CursorRow::VoidSessions(value.clone())),
            (b'n', []) => return Some(CursorRow::Number(number(value)?)),
            (b'f', []) => return Some(CursorRow::Format(*value.first()?)),
            _ => {}
        }
        let feed = FeedId::try_from(rest.get(..32)?).ok()?;
        match tag {
            b'c' => {
                let (numbers, []) = value.as_chunks::<8>() else { return None };
                let (length, ends) = numbers.split_first()?;
                let (pairs, []) = ends.as_chunks::<2>() else { return None };
                let beyond = pairs.iter().map(|[start, end]| u64::from_le_bytes(*start)..u64::from_le_bytes(*end));
                Some(CursorRow::Cursor(Processed {
                    feed,
                    length: u64::from_le_bytes(*length),
                    beyond: beyond.collect(),
                }))
            }
            b'p' => Some(CursorRow::Changes(feed, value.clone())),
            b'k' => Some(CursorRow::JudgedBy(feed, number(value)?)),
            b'q' => {
                let (from, rest) = value.split_at_checked(8)?;
                Some(CursorRow::Change(Changed { feed, from: number(from)?, number: number(rest)? }))
            }
            b's' => Some(CursorRow::Session(feed, u64::from_be_bytes(rest.get(32..)?.try_into().ok()?))),
            _ => None,
        }
    }
}
