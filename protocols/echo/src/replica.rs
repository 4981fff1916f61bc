//! What a document instance of an application on this node (a browser tab) holds of an object's text, and the updates that
//! bring it to what the rows say.
//!
//! While the instance keeps up, each new tail row is one small update. When it has just come, or when the tail it had been
//! told from was folded meanwhile, it gets the difference to its state vector. Either way nothing is kept for it here
//! but a few numbers, so a slow one costs nothing and misses nothing.
//!
//! Spec: ECHO-9.2

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::{FeedId, ObjectId, SpaceId};
use weft_wire::varint;

use crate::ids::{CLIENT_BITS, client_id};
use crate::inspect::CLOCK_END;
use crate::object::{replayed, update_of};
use crate::rows::{self, RowError, Tail};
use crate::tables::{self, Part};

/// Sessions that a state vector may name. 65,536: a hundred times what a busy text has seen in a year, a guess.
const SESSIONS_MAX: u64 = 65_536;

/// Bytes that are no state vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no Yjs state vector of at most {SESSIONS_MAX} sessions")]
pub struct NoStateVector;

/// How far one document instance was told.
#[derive(Clone, Debug)]
pub struct Replica {
    space: SpaceId,
    vector: BTreeMap<u64, u32>,
    /// The tail row to tell next; `None`: the difference comes first.
    next: Option<u64>,
}

impl Replica {
    /// An instance that holds what this Yjs v1 state vector says; nothing when it is empty.
    ///
    /// # Errors
    /// When the bytes are no state vector.
    pub fn new(space: SpaceId, vector: &[u8]) -> Result<Self, NoStateVector> {
        let vector = if vector.is_empty() { BTreeMap::new() } else { read_vector(vector).ok_or(NoStateVector)? };
        Ok(Self { space, vector, next: None })
    }

    /// The clock that it holds of the session with this client id.
    #[must_use]
    pub fn clock(&self, client: u64) -> u32 {
        self.vector.get(&client).copied().unwrap_or(0)
    }

    /// The prefixes of the rows that [`Replica::tell`] wants, to be read in this order; then [`Replica::level`] those of
    /// all rows of the object if it says so.
    #[must_use]
    pub fn prefixes(object: &ObjectId) -> [Bytes; 2] {
        // The fold is read last: a tail row that is missing from the first read shows in the second.
        [tables::part(object, Part::Tail), tables::part(object, Part::Folded)]
    }

    /// The updates for the tail rows that it was not told of. `None`: read all rows of the object and ask
    /// [`Replica::level`].
    ///
    /// # Errors
    /// When a row is damaged.
    pub fn tell(&mut self, tail: &[(Bytes, Bytes)], folded: &[(Bytes, Bytes)]) -> Result<Option<Vec<Bytes>>, RowError> {
        let Some(mut next) = self.next else { return Ok(None) };
        if let Some((_, value)) = folded.first()
            && rows::folded(value)? > next
        {
            return Ok(None);
        }
        let mut updates = Vec::new();
        for (key, value) in tail {
            let number = tail_number(key)?;
            if number > next {
                return Ok(None);
            }
            if number == next {
                updates.extend(self.row(value)?);
                next += 1;
            }
        }
        self.next = Some(next);
        Ok(Some(updates))
    }

    fn row(&mut self, value: &Bytes) -> Result<Option<Bytes>, RowError> {
        let tail: Tail = rows::decode("tail", value)?;
        if !tail.has_text() {
            return Ok(None);
        }
        let feed = FeedId::from_bytes(rows::id(&tail.feed, "tail")?);
        let client = client_id(&self.space, &feed, tail.session);
        let update = update_of(&tail, client)?;
        if tail.end_clock > tail.first_clock {
            let clock = self.vector.entry(client).or_default();
            *clock = tail.end_clock.max(*clock);
        }
        Ok(Some(update.into()))
    }

    /// The difference between what it holds and what all rows of the object (in [`tables::OBJECT`], in key order) say.
    ///
    /// # Errors
    /// When a row is damaged.
    pub fn level(&mut self, rows: &[(Bytes, Bytes)]) -> Result<Bytes, RowError> {
        let mut next = 0;
        for (key, value) in rows {
            match tables::parse_object_key(key) {
                Some((_, Part::Folded, _)) => next = rows::folded(value)?.max(next),
                Some((_, Part::Tail, _)) => next = tail_number(key)? + 1,
                _ => {}
            }
        }
        let document = replayed(&self.space, rows)?;
        let update = document.difference(&self.vector);
        for (client, clock) in document.vector() {
            let held = self.vector.entry(client).or_default();
            *held = clock.max(*held);
        }
        self.next = Some(next);
        Ok(update.into())
    }
}

fn tail_number(key: &[u8]) -> Result<u64, RowError> {
    let number = tables::parse_object_key(key).and_then(|(_, _, rest)| tables::parse_number(rest));
    number.ok_or_else(|| RowError::new("tail", "a key without its number"))
}

fn read_vector(bytes: &[u8]) -> Option<BTreeMap<u64, u32>> {
    let mut at = 0;
    let mut number = || {
        let (number, used) = varint::read(bytes.get(at..)?).ok()??;
        at += used;
        Some(number)
    };
    let count = number().filter(|count| *count <= SESSIONS_MAX)?;
    let mut vector = BTreeMap::new();
    for _ in 0..count {
        let client = number().filter(|client| client >> CLIENT_BITS == 0)?;
        let clock = number().and_then(|clock| u32::try_from(clock).ok()).filter(|clock| *clock < CLOCK_END)?;
        vector.insert(client, clock);
    }
    (at == bytes.len()).then_some(vector)
}
