//! The values of derived rows, as small protobuf messages of our own store. They are no wire format: a version that
//! changes them drops the tables and derives them again.
//!
//! Spec: ECHO-8.1

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use weft_crypto::{EntryId, FeedId};

use crate::registers::Write;

/// Why a row cannot be read: the store is damaged or of another version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a damaged {row} row: {what}")]
pub struct RowError {
    /// Which kind of row.
    pub row: &'static str,
    /// What is wrong with it.
    pub what: String,
}

impl RowError {
    pub(crate) fn new(row: &'static str, what: impl ToString) -> Self {
        Self { row, what: what.to_string() }
    }
}

/// One row of [`crate::tables::SUMMARY`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Summary {
    /// The object's type.
    #[prost(string, tag = "1")]
    pub type_name: String,
    /// Its property `name`, if that is text of at most [`NAME_SHOWN_BYTES_MAX`].
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    /// The identity that made it, 32 bytes.
    #[prost(bytes = "bytes", tag = "3")]
    pub author: Bytes,
    /// When, as its author claims; ms since 1970.
    #[prost(uint64, tag = "4")]
    pub claimed_ms: u64,
    /// It was deleted.
    #[prost(bool, tag = "5")]
    pub deleted: bool,
}

/// A name up to this long finds its object.
pub const NAME_SHOWN_BYTES_MAX: usize = 256;

/// The row `a` of an object.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct About {
    /// Its type.
    #[prost(string, tag = "1")]
    pub type_name: String,
    /// The feed of the entry that made it.
    #[prost(bytes = "bytes", tag = "2")]
    pub feed: Bytes,
    /// The place of that entry.
    #[prost(uint64, tag = "3")]
    pub seq: u64,
    /// The identity that made it.
    #[prost(bytes = "bytes", tag = "4")]
    pub author: Bytes,
    /// When, as its author claims; ms since 1970.
    #[prost(uint64, tag = "5")]
    pub claimed_ms: u64,
    /// A counting mutation has deleted it.
    #[prost(bool, tag = "6")]
    pub deleted: bool,
    /// A counting mutation has made or changed it; until then it is not shown.
    #[prost(bool, tag = "7")]
    pub counts: bool,
}

/// A row `r` of an object: the writes of one property that nothing has overwritten, by rising entry id.
#[derive(Clone, PartialEq, Message)]
pub struct Register {
    /// The writes.
    #[prost(message, repeated, tag = "1")]
    pub writes: Vec<RegisterWrite>,
}

/// One write of a property.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RegisterWrite {
    /// The feed of its entry.
    #[prost(bytes = "bytes", tag = "1")]
    pub feed: Bytes,
    /// The place of its entry.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
    /// The id of its entry.
    #[prost(bytes = "bytes", tag = "3")]
    pub entry: Bytes,
    /// Its author.
    #[prost(bytes = "bytes", tag = "4")]
    pub author: Bytes,
    /// When, as its author claims; ms since 1970.
    #[prost(uint64, tag = "5")]
    pub claimed_ms: u64,
    /// JSON, or nothing.
    #[prost(bytes = "bytes", tag = "6")]
    pub value: Bytes,
}

impl Register {
    pub(crate) fn of(writes: &[Write]) -> Self {
        let row = |write: &Write| RegisterWrite {
            feed: Bytes::copy_from_slice(write.feed.as_bytes()),
            seq: write.seq,
            entry: Bytes::copy_from_slice(write.entry.as_bytes()),
            author: Bytes::copy_from_slice(&write.author),
            claimed_ms: write.claimed_ms,
            value: write.value.clone(),
        };
        Self { writes: writes.iter().map(row).collect() }
    }

    pub(crate) fn into_writes(self) -> Result<Vec<Write>, RowError> {
        let write = |row: RegisterWrite| {
            Ok(Write {
                feed: FeedId::from_bytes(id(&row.feed, "register")?),
                seq: row.seq,
                entry: EntryId::from_bytes(id(&row.entry, "register")?),
                author: id(&row.author, "register")?,
                claimed_ms: row.claimed_ms,
                value: row.value,
            })
        };
        self.writes.into_iter().map(write).collect()
    }
}

/// A row `c` of an object: a page of the clock index, and which entries it was made of.
#[derive(Clone, PartialEq, Message)]
pub struct Clocks {
    /// One part a session.
    #[prost(message, repeated, tag = "1")]
    pub tracks: Vec<ClockTrack>,
    /// The feeds that occur in `entries`.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub feeds: Vec<Bytes>,
    /// For each entry in the order in which they were taken: its feed's place in `feeds`, and the difference of its seq to that
    /// of the feed's entry before (or 0).
    #[prost(uint64, repeated, tag = "3")]
    pub entries: Vec<u64>,
}

impl Clocks {
    /// Writes down which entries were taken, in order.
    pub(crate) fn list(&mut self, taken: &[(FeedId, u64)]) {
        let mut last: BTreeMap<FeedId, (u64, u64)> = BTreeMap::new();
        for (feed, seq) in taken {
            let next = last.len() as u64;
            let (place, before) = last.entry(*feed).or_insert_with(|| {
                self.feeds.push(Bytes::copy_from_slice(feed.as_bytes()));
                (next, 0)
            });
            self.entries.extend([*place, seq - *before]);
            *before = *seq;
        }
    }

    /// Reads the list back.
    pub(crate) fn listed(&self) -> Result<Vec<(FeedId, u64)>, RowError> {
        let damaged = || RowError::new("clocks", "entries that are no list");
        let feeds = self.feeds.iter().map(|feed| Ok((FeedId::from_bytes(id(feed, "clocks")?), 0)));
        let mut feeds: Vec<(FeedId, u64)> = feeds.collect::<Result<_, RowError>>()?;
        let (pairs, []) = self.entries.as_chunks::<2>() else { return Err(damaged()) };
        let entry = |[place, more]: &[u64; 2]| {
            let place = usize::try_from(*place).ok();
            let (feed, seq) = place.and_then(|place| feeds.get_mut(place)).ok_or_else(damaged)?;
            *seq = seq.checked_add(*more).ok_or_else(damaged)?;
            Ok((*feed, *seq))
        };
        pairs.iter().map(entry).collect()
    }
}

/// Steps of one session, rising.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ClockTrack {
    /// The feed.
    #[prost(bytes = "bytes", tag = "1")]
    pub feed: Bytes,
    /// The session.
    #[prost(uint64, tag = "2")]
    pub session: u64,
    /// For each step the difference of its seq to that of the step before (or 0).
    #[prost(uint64, repeated, tag = "3")]
    pub seqs: Vec<u64>,
    /// For each step twice the clocks it took, plus one if it was not integrated.
    #[prost(uint64, repeated, tag = "4")]
    pub clocks: Vec<u64>,
    /// The clock before the first step.
    #[prost(uint32, tag = "5")]
    pub from: u32,
}

/// A row `o` of an object: a piece of the order of all its characters.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct OrderPiece {
    /// The client ids that occur.
    #[prost(uint64, repeated, tag = "1")]
    pub clients: Vec<u64>,
    /// For each span: its first character, its length, the characters that it was placed after and before. A character
    /// is its client's place in `clients` plus one, and its clock; none is 0.
    #[prost(uint64, repeated, tag = "2")]
    pub numbers: Vec<u64>,
}

/// A row `t` of an object: a mutation that was taken, and what it did to the text, or to its clock only.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Tail {
    /// The feed of its entry.
    #[prost(bytes = "bytes", tag = "1")]
    pub feed: Bytes,
    /// The session.
    #[prost(uint64, tag = "2")]
    pub session: u64,
    /// The place of its entry.
    #[prost(uint64, tag = "3")]
    pub seq: u64,
    /// The session's clock before it.
    #[prost(uint32, tag = "4")]
    pub first_clock: u32,
    /// The session's clock after it.
    #[prost(uint32, tag = "5")]
    pub end_clock: u32,
    /// [`Tail::SHOWN`], [`Tail::HOLLOW`] or [`Tail::ABSENT`].
    #[prost(uint32, tag = "6")]
    pub state: u32,
    /// As in the mutation; nothing if it is absent.
    #[prost(bytes = "bytes", tag = "7")]
    pub inserts: Bytes,
    /// As in the mutation; nothing if it is hollow or absent. One that changes properties only has neither.
    #[prost(bytes = "bytes", tag = "8")]
    pub deletes: Bytes,
}

impl Tail {
    /// It counts.
    pub const SHOWN: u32 = 0;
    /// Its insertions keep their place and show nothing.
    pub const HOLLOW: u32 = 1;
    /// It was refused; it took up clocks only.
    pub const ABSENT: u32 = 2;
    /// No entry: clocks that the session left out before the entry of the next row. Spec: ECHO-5.4
    pub const GAP: u32 = 3;

    /// Whether its insertions have their place in the text.
    pub(crate) fn stands(&self) -> bool {
        matches!(self.state, Tail::SHOWN | Tail::HOLLOW)
    }

    /// Whether it does anything in the document.
    pub(crate) fn has_text(&self) -> bool {
        self.end_clock > self.first_clock || !self.deletes.is_empty()
    }
}

/// One row of [`crate::tables::QUARANTINE`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Quarantined {
    /// A stable name of the reason, see [`crate::Quarantine::code`].
    #[prost(string, tag = "1")]
    pub code: String,
    /// The reason as a sentence.
    #[prost(string, tag = "2")]
    pub reason: String,
    /// The identity that the feed writes for.
    #[prost(bytes = "bytes", tag = "3")]
    pub author: Bytes,
    /// The object that it meant, if that could be read.
    #[prost(bytes = "bytes", tag = "4")]
    pub object: Bytes,
}

/// Reads a row `j` of an object. It goes up when the object is rebuilt: what was told of it before is of no use then.
///
/// # Errors
/// When the row is damaged.
pub fn judged(value: &Bytes) -> Result<u64, RowError> {
    let number = <[u8; 8]>::try_from(&value[..]).map_err(|_| RowError::new("judged", "no number"))?;
    Ok(u64::from_be_bytes(number))
}

/// Reads a row `f` of an object: how many mutations were ever folded, so that numbers of tail rows never come again.
pub(crate) fn folded(value: &Bytes) -> Result<u64, RowError> {
    let number = <[u8; 8]>::try_from(&value[..]).map_err(|_| RowError::new("folded", "no number"))?;
    Ok(u64::from_be_bytes(number))
}

/// Reads a row's value.
pub(crate) fn decode<M: Message + Default>(row: &'static str, value: &Bytes) -> Result<M, RowError> {
    M::decode(value.clone()).map_err(|error| RowError::new(row, error))
}

/// Encodes a row's value.
pub(crate) fn encode(row: &impl Message) -> Bytes {
    row.encode_to_vec().into()
}

/// A 32-byte field.
pub(crate) fn id(bytes: &Bytes, row: &'static str) -> Result<[u8; 32], RowError> {
    <[u8; 32]>::try_from(&bytes[..]).map_err(|_| RowError::new(row, "an id that is not 32 bytes"))
}
