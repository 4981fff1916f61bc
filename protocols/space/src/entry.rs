//! A control entry as the resolution reads it, and places in the causal order.

use bytes::Bytes;
use weft_credential::{ControlBody, Malformed, Part};
use weft_crypto::{EntryId, FeedId, SpaceId, Verified};
use weft_feed::Past;

use crate::resolve::forks;

/// One entry of a control feed. Spec: SPACE-2.
#[derive(Clone, Debug)]
pub struct ControlEntry {
    /// The feed that holds it.
    pub feed: FeedId,
    /// Where in that feed, from 0.
    pub seq: u64,
    /// Its id.
    pub id: EntryId,
    /// Lengths of the *other* control feeds that its author had seen, closed under causality: what an entry in it had seen
    /// is in it too. Of its own feed an entry has seen everything before itself.
    pub past: Past,
    /// What its own deps name of other control feeds: what its past is closed from where feeds are forked (SPACE-16.2).
    pub named: Past,
    /// What it says, every signature in it checked; or why it says nothing.
    pub parts: Result<Vec<Verified<Part>>, Malformed>,
}

impl ControlEntry {
    /// Decodes and verifies a control body. This is where the signatures are checked: call it inside a job.
    pub fn read(space: &SpaceId, feed: FeedId, seq: u64, id: EntryId, past: Past, body: &Bytes) -> Self {
        let parts = ControlBody::decode(body, space).and_then(ControlBody::verify);
        let named = past.clone();
        let mut entry = Self { feed, seq, id, past, named, parts };
        let checked = forks::proofs(&entry).try_for_each(forks::check);
        if let Err(malformed) = checked {
            entry.parts = Err(malformed);
        }
        entry
    }

    /// The same, where less is named than seen: what is named has seen the rest.
    #[must_use]
    pub fn naming(self, named: Past) -> Self {
        Self { named, ..self }
    }

    /// Its place in the one order in which entries are judged: how many entries are in its past, then its id.
    ///
    /// What is in an entry's past has a smaller past itself, so the order extends causality; and the rank says nothing of
    /// other entries, so a new entry never changes the order of those before. Spec: SPACE-2.1.
    pub(crate) fn rank(&self) -> Rank {
        let others = self.past.total() - self.past.get(&self.feed);
        Rank { seen: others.saturating_add(self.seq), id: self.id }
    }

    pub(crate) fn position(&self) -> Position<'_> {
        self.position_at(u32::MAX)
    }

    /// What a part of it has in its past: earlier parts too.
    pub(crate) fn position_at(&self, part: u32) -> Position<'_> {
        Position { own: Some((&self.feed, self.seq, part)), past: &self.past }
    }

    /// What its author had seen, this entry included.
    pub(crate) fn seen(&self) -> Past {
        let mut seen = self.past.clone();
        seen.raise(self.feed, self.seq + 1);
        seen
    }
}

impl Rank {
    /// For an order in which who had seen more comes first: nobody can have seen what it has not.
    pub(crate) fn knowledge(&self) -> (std::cmp::Reverse<u64>, EntryId) {
        (std::cmp::Reverse(self.seen), self.id)
    }
}

/// See [`ControlEntry::rank`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    seen: u64,
    id: EntryId,
}

/// Where a credential stands: the `part`th part of entry `seq` of `feed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The control feed.
    pub feed: FeedId,
    /// The entry, from 0.
    pub seq: u64,
    /// The part of it, from 0.
    pub part: u32,
}

/// A causal position: what somebody had seen when writing.
#[derive(Clone, Copy)]
pub(crate) struct Position<'a> {
    /// The part of a control entry that is being read: what stands before it in its feed is in its past.
    own: Option<(&'a FeedId, u64, u32)>,
    past: &'a Past,
}

impl<'a> Position<'a> {
    /// The position of one who has seen `past`, as of a data entry.
    pub(crate) fn of(past: &'a Past) -> Self {
        Self { own: None, past }
    }

    /// The position of a part of a control entry, whose past is `past`.
    pub(crate) fn at(place: &'a Place, past: &'a Past) -> Self {
        Self { own: Some((&place.feed, place.seq, place.part)), past }
    }

    /// Whether what stands at `place` is in the past of this position. Spec: SPACE-2
    pub(crate) fn has(&self, place: &Place) -> bool {
        match self.own {
            Some((feed, seq, part)) if *feed == place.feed => (place.seq, place.part) < (seq, part),
            _ => self.past.get(&place.feed) > place.seq,
        }
    }

    pub(crate) fn has_any<'p>(&self, places: impl IntoIterator<Item = &'p Place>) -> bool {
        places.into_iter().any(|place| self.has(place))
    }
}
