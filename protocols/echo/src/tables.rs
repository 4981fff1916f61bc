//! The derived tables of a space and their keys. Table 0 is not ours: `weft-peer` keeps its cursors there.
//!
//! Everything that belongs to one object lies together in [`OBJECT`], so that one read opens it; what lists need lies
//! together in [`SUMMARY`].
//!
//! Spec: ECHO-8.1

use bytes::{BufMut, Bytes, BytesMut};
use weft_crypto::{FeedId, ObjectId};

/// Object id -> [`crate::rows::Summary`]: one small row for each object that a counting mutation has made or changed.
pub const SUMMARY: u8 = 1;
/// Object id, part, number -> the object itself, see [`Part`].
pub const OBJECT: u8 = 2;
/// `n` name 0 object id, `t` type 0 object id -> nothing: finds objects by what they are called.
pub const INDEX: u8 = 3;
/// Feed id, seq -> [`crate::rows::Quarantined`].
pub const QUARANTINE: u8 = 4;
/// Feed id, object id -> nothing: which objects the entries of a feed have touched, counting or not.
pub const TOUCHED: u8 = 5;

/// The parts of an object in [`OBJECT`], in key order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    /// [`crate::rows::About`]: one row.
    About = b'a',
    /// [`crate::rows::Clocks`]: a page of the clock index and of the list of entries, numbered.
    Clocks = b'c',
    /// The number of the first mutation that the snapshot does not hold: one row.
    Folded = b'f',
    /// The number of the change of verdicts by which it was rebuilt last: one row, none while it never was.
    Judged = b'j',
    /// [`crate::rows::OrderPiece`]: a piece of the order of all characters, numbered.
    Order = b'o',
    /// [`crate::rows::Register`]: one row a property, by its name.
    Register = b'r',
    /// A piece of the snapshot (bytes of a Yjs v1 update), numbered.
    Snapshot = b's',
    /// [`crate::rows::Tail`]: a mutation since the snapshot, numbered.
    Tail = b't',
}

impl Part {
    fn of(byte: u8) -> Option<Self> {
        let state = [Self::About, Self::Clocks, Self::Folded, Self::Judged];
        let shown = [Self::Order, Self::Register, Self::Snapshot, Self::Tail];
        state.into_iter().chain(shown).find(|part| *part as u8 == byte)
    }
}

/// The prefix of all rows of an object in [`OBJECT`]; in [`SUMMARY`] the whole key.
#[must_use]
pub fn object(object: &ObjectId) -> Bytes {
    Bytes::copy_from_slice(object.as_bytes())
}

/// The prefix of one part of an object in [`OBJECT`].
#[must_use]
pub fn part(object: &ObjectId, part: Part) -> Bytes {
    key(object, part, &[])
}

/// The key of a numbered row.
pub(crate) fn numbered(object: &ObjectId, part: Part, number: u64) -> Bytes {
    key(object, part, &number.to_be_bytes())
}

/// The key of a property's row.
pub(crate) fn register(object: &ObjectId, name: &str) -> Bytes {
    key(object, Part::Register, name.as_bytes())
}

fn key(object: &ObjectId, part: Part, rest: &[u8]) -> Bytes {
    let mut key = BytesMut::with_capacity(33 + rest.len());
    key.put_slice(object.as_bytes());
    key.put_u8(part as u8);
    key.put_slice(rest);
    key.freeze()
}

/// Takes a key of [`OBJECT`] apart: the object, the part and what follows. `None`: no such key.
#[must_use]
pub fn parse_object_key(key: &[u8]) -> Option<(ObjectId, Part, &[u8])> {
    let (id, rest) = key.split_at_checked(32)?;
    let (part, rest) = rest.split_first()?;
    let id = <[u8; 32]>::try_from(id).ok()?;
    Some((ObjectId::from_bytes(id), Part::of(*part)?, rest))
}

/// The number at the end of a numbered row's key.
pub(crate) fn parse_number(rest: &[u8]) -> Option<u64> {
    rest.try_into().ok().map(u64::from_be_bytes)
}

/// What [`INDEX`] is asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// The property `name`.
    Name(&'a str),
    /// The type.
    Type(&'a str),
}

/// The prefix in [`INDEX`] of the objects that are called exactly so.
#[must_use]
pub fn index(by: By<'_>) -> Bytes {
    let (kind, text) = match by {
        By::Name(name) => (b'n', name),
        By::Type(name) => (b't', name),
    };
    let mut prefix = BytesMut::with_capacity(2 + text.len() + 32);
    prefix.put_u8(kind);
    prefix.put_slice(text.as_bytes());
    prefix.put_u8(0);
    prefix.freeze()
}

/// The key in [`INDEX`] for one object.
pub(crate) fn index_key(by: By<'_>, object: &ObjectId) -> Bytes {
    let mut key = BytesMut::from(&index(by)[..]);
    key.put_slice(object.as_bytes());
    key.freeze()
}

/// The object at the end of a key of [`INDEX`] or [`SUMMARY`].
#[must_use]
pub fn object_of(key: &[u8]) -> Option<ObjectId> {
    key.last_chunk::<32>().map(|id| ObjectId::from_bytes(*id))
}

/// The key of a quarantined entry.
pub(crate) fn quarantine(feed: &FeedId, seq: u64) -> Bytes {
    let mut key = BytesMut::with_capacity(40);
    key.put_slice(feed.as_bytes());
    key.put_u64(seq);
    key.freeze()
}

/// The key that says that a feed has touched an object.
pub(crate) fn touched(feed: &FeedId, object: &ObjectId) -> Bytes {
    [feed.as_bytes().as_slice(), object.as_bytes()].concat().into()
}

/// The prefix in [`TOUCHED`] of what a feed has touched; of the 256th part that `page` names, if it is one.
#[must_use]
pub fn touched_by(feed: &FeedId, page: Option<u8>) -> Bytes {
    feed.as_bytes().iter().copied().chain(page).collect()
}

/// Takes a key of [`QUARANTINE`] apart.
#[must_use]
pub fn parse_quarantine_key(key: &[u8]) -> Option<(FeedId, u64)> {
    let (feed, seq) = key.split_first_chunk::<32>()?;
    Some((FeedId::from_bytes(*feed), parse_number(seq)?))
}
