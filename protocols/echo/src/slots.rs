//! The objects that are open or being opened, what waits for each, and which are closed when there are too many.

use std::collections::{BTreeMap, VecDeque};

use weft_crypto::{FeedId, ObjectId};

use crate::config::Config;
use crate::echo::Making;
use crate::edit::Edit;
use crate::io::{Applied, EditTicket, LoadTicket, WriteTicket};
use crate::message::Mutation;
use crate::object::Object;

/// A mutation that waits for its object to be open.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) feed: FeedId,
    pub(crate) entry: Applied,
    pub(crate) mutation: Mutation,
}

/// A write that was ordered and is not answered yet.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) write: WriteTicket,
    pub(crate) edit: EditTicket,
    /// Whose it is; 0: its text stands in the document already.
    pub(crate) session: u64,
    pub(crate) mutation: Mutation,
    /// The edit is done with it.
    pub(crate) last: bool,
}

#[derive(Debug)]
pub(crate) enum State {
    Loading(LoadTicket),
    Open(Box<Object>),
    /// It is being made again from its entries.
    Again(Box<Making>),
    /// Its rows are damaged; edits are refused until the space is rebuilt.
    Damaged,
}

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) state: State,
    pub(crate) entries: VecDeque<Waiting>,
    pub(crate) edits: VecDeque<(EditTicket, Edit)>,
    pub(crate) in_flight: VecDeque<InFlight>,
    used: u64,
}

impl Slot {
    pub(crate) fn new(state: State) -> Self {
        Self { state, entries: VecDeque::new(), edits: VecDeque::new(), in_flight: VecDeque::new(), used: 0 }
    }

    pub(crate) fn object(&mut self) -> Option<&mut Object> {
        match &mut self.state {
            State::Open(object) => Some(object),
            State::Loading(_) | State::Again(_) | State::Damaged => None,
        }
    }

    /// Whether the next edit is an update of a session that has one under way: its first clock is known when that is done.
    pub(crate) fn next_waits(&self) -> bool {
        match self.edits.front() {
            Some((_, Edit::Update { session, .. })) => self.in_flight.iter().any(|write| write.session == *session),
            _ => false,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.entries.is_empty()
            && self.edits.is_empty()
            && self.in_flight.is_empty()
            && matches!(self.state, State::Open(_))
    }

    fn bytes(&self) -> u64 {
        match &self.state {
            State::Open(object) => object.bytes(),
            State::Again(making) => making.bytes(),
            State::Loading(_) | State::Damaged => 0,
        }
    }
}

/// Slots by object, with the order in which they were used.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: BTreeMap<ObjectId, Slot>,
    uses: u64,
}

impl Slots {
    pub(crate) fn get(&mut self, object: &ObjectId) -> Option<&mut Slot> {
        self.slots.get_mut(object)
    }

    pub(crate) fn state(&self, object: &ObjectId) -> Option<&State> {
        self.slots.get(object).map(|slot| &slot.state)
    }

    /// The slot of an object, now the last used one.
    pub(crate) fn open(&mut self, object: ObjectId, state: impl FnOnce() -> State) -> &mut Slot {
        self.uses += 1;
        let slot = self.slots.entry(object).or_insert_with(|| Slot::new(state()));
        slot.used = self.uses;
        slot
    }

    pub(crate) fn contains(&self, object: &ObjectId) -> bool {
        self.slots.contains_key(object)
    }

    pub(crate) fn ids(&self) -> Vec<ObjectId> {
        self.slots.keys().copied().collect()
    }

    pub(crate) fn remove(&mut self, object: &ObjectId) {
        self.slots.remove(object);
    }

    /// Takes everything out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Slot> + use<> {
        std::mem::take(&mut self.slots).into_values()
    }

    /// Bytes of the mutations that wait.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        let entries = self.slots.values().flat_map(|slot| &slot.entries);
        entries.map(|waiting| waiting.entry.mutation.as_ref().map_or(0, bytes::Bytes::len) as u64 + 256).sum()
    }

    /// Closes the objects used longest ago until the bounds hold; those with work to do stay.
    pub(crate) fn trim(&mut self, config: &Config) {
        let mut count = self.slots.len();
        if count <= config.documents_max && count < 2 {
            return;
        }
        let mut bytes: u64 = self.slots.values().map(Slot::bytes).sum();
        if count <= config.documents_max && bytes <= config.documents_bytes_max {
            return;
        }
        let idle = self.slots.iter().filter(|(_, slot)| slot.is_idle());
        let mut idle: Vec<(u64, ObjectId, u64)> = idle.map(|(id, slot)| (slot.used, *id, slot.bytes())).collect();
        idle.sort_unstable();
        for (_, id, size) in idle {
            if count <= config.documents_max && bytes <= config.documents_bytes_max {
                break;
            }
            self.slots.remove(&id);
            (count, bytes) = (count - 1, bytes - size);
        }
    }
}
