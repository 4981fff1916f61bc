//! Verdicts that change: which objects they touch, and how these are made again from their entries.
//!
//! A change costs one note a feed, however much the feed wrote. Objects are compared with the notes when they are opened, and a
//! walk through what the feed has touched opens them, a few at a time; whoever wants to read one has it go first. So verdicts
//! that are turned to and fro cost what is read meanwhile, and all other objects are left alone.
//!
//! Spec: ECHO-5.5, PEER-5

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use weft_crypto::{FeedId, ObjectId};

use super::Echo;
use crate::error::Quarantine;
use crate::io::{Applied, Changed, Counts, DerivedWrite, LoadTicket, Output};
use crate::message::Mutation;
use crate::object::{Object, Place, Rows, put};
use crate::slots::{State, Waiting};
use crate::tables;

/// Objects that the walk has open at a time. 4: enough that reading and making overlap.
const AGAIN_MAX: usize = 4;

/// Pages in which what a feed touched is read: by the first byte of the object's id.
const PAGES: u16 = 256;

/// Changes of verdicts that are not worked off.
#[derive(Debug, Default)]
pub(super) struct Again {
    changes: BTreeMap<FeedId, Change>,
    /// The newest change there was.
    number: u64,
    walk: Option<Walk>,
}

#[derive(Debug)]
struct Change {
    from: u64,
    number: u64,
    /// Entries below this were handed in with the verdicts of before, and may still wait for their objects.
    handed_in: u64,
}

/// A walk through the objects that one feed has touched.
#[derive(Debug)]
struct Walk {
    feed: FeedId,
    number: u64,
    page: u16,
    load: Option<LoadTicket>,
    found: VecDeque<ObjectId>,
    under_way: BTreeSet<ObjectId>,
}

/// An object that is being made again: nothing of it shows before it is done.
#[derive(Debug)]
pub(crate) struct Making {
    object: Object,
    /// Entries still to come that were taken before. What follows them is taken for the first time.
    taken: usize,
    /// The rows that it has now, to be replaced.
    old: Vec<(u8, Bytes)>,
    rows: BTreeMap<(u8, Bytes), Option<Bytes>>,
}

impl Making {
    pub(crate) fn bytes(&self) -> u64 {
        self.object.bytes()
    }

    fn keep(&mut self, rows: Rows) {
        self.rows.extend(rows.into_iter().map(|row| ((row.table, row.key), row.value)));
    }
}

impl Again {
    /// From what was noted before a restart.
    pub(super) fn resumed(number: u64, changes: Vec<Changed>) -> Self {
        let change = |Changed { feed, from, number }| (feed, Change { from, number, handed_in: 0 });
        Self { changes: changes.into_iter().map(change).collect(), number, walk: None }
    }

    /// All rows are derived again anyway.
    pub(super) fn wiped(&mut self) {
        *self = Self { number: self.number, ..Self::default() };
    }

    /// Whether an object is to be made again. May say so once too often of one that a feed has touched since the change.
    pub(super) fn touches(&self, object: &Object) -> bool {
        let touches = |(feed, change): (&FeedId, &Change)| {
            change.number > object.judged() && object.newest_of(feed).is_some_and(|seq| seq >= change.from)
        };
        self.changes.iter().any(touches)
    }
}

impl Echo {
    /// Whether what the rows say of an object, or of all, goes by the verdicts of change `number` at least.
    #[must_use]
    pub fn is_judged(&self, object: Option<&ObjectId>, number: u64) -> bool {
        if self.again.changes.values().all(|change| change.number > number) {
            return true;
        }
        let state = object.and_then(|object| self.slots.state(object));
        matches!(state, Some(State::Open(open)) if !self.again.touches(open))
    }

    /// The newest change of verdicts that this machine was told of.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.again.number
    }

    pub(super) fn verdicts_changed(&mut self, changed: Changed) {
        let Changed { feed, from, number } = changed;
        let handed_in = self.progress.taken(&feed);
        let change = self.again.changes.entry(feed).or_insert(Change { from, number, handed_in });
        *change = Change { from: from.min(change.from), number, handed_in };
        self.again.number = self.again.number.max(number);
        self.touched.extend(self.slots.ids());
    }

    /// Somebody is about to read it.
    pub(super) fn look(&mut self, object: ObjectId) {
        if !self.again.changes.is_empty() {
            self.open(object, false);
            self.touched.insert(object);
        }
    }

    /// Closes an open object that is to be made again, once nothing of it is on its way into the feed: it is opened anew, with
    /// the list of its entries.
    pub(super) fn reopen_if_touched(&mut self, object: ObjectId) {
        if self.again.changes.is_empty() {
            return;
        }
        let Some(slot) = self.slots.get(&object).filter(|slot| slot.in_flight.is_empty()) else { return };
        let Some(open) = slot.object() else { return };
        if self.again.touches(open) {
            let ticket = self.load(object);
            self.slots.get(&object).expect("found above").state = State::Loading(ticket);
        }
    }

    /// Asks for the entries of an object that was just opened, those included that wait for it.
    pub(super) fn make_again(&mut self, open: &Object, keys: impl Iterator<Item = Bytes>, taken: Vec<(FeedId, u64)>) {
        let object = open.id();
        let old = keys.map(|key| (tables::OBJECT, key)).chain(open.listed()).collect();
        let fresh = Object::again(object, self.own_client(), self.again.number);
        let making = Making { object: fresh, taken: taken.len(), old, rows: BTreeMap::new() };
        let slot = self.slots.get(&object).expect("it is being opened");
        slot.state = State::Again(Box::new(making));
        let waiting = slot.entries.drain(..).map(|Waiting { feed, entry, .. }| (feed, entry.seq));
        let entries = taken.into_iter().chain(waiting).collect();
        self.orders.push(Output::Reread { object, entries });
    }

    /// The next entries of an object that is made again.
    pub(super) fn reread(&mut self, object: ObjectId, entries: Vec<(FeedId, Applied)>, last: bool) {
        for (feed, entry) in entries {
            self.take_again(object, feed, &entry);
            self.finish(feed, entry.seq);
        }
        let Some(slot) = self.slots.get(&object) else { return };
        let State::Again(making) = &mut slot.state else { return };
        let mut rows = Rows::new();
        if making.object.is_fold_due(&self.config) {
            making.object.fold(&mut rows);
            making.keep(rows);
        }
        if !last {
            return;
        }
        let State::Again(making) = std::mem::replace(&mut slot.state, State::Damaged) else {
            unreachable!("seen above")
        };
        let Making { object: open, old, rows, .. } = *making;
        for key in old.into_iter().filter(|key| !rows.contains_key(key)) {
            self.rows.push(DerivedWrite { table: key.0, key: key.1, value: None });
        }
        let rows = rows.into_iter();
        self.rows.extend(rows.map(|((table, key), value)| DerivedWrite { table, key, value }));
        let judged = Bytes::copy_from_slice(&open.judged().to_be_bytes());
        put(&mut self.rows, tables::OBJECT, tables::part(&object, tables::Part::Judged), judged);
        slot.state = State::Open(Box::new(open));
        self.changed(object);
        self.touched.insert(object);
    }

    fn take_again(&mut self, object: ObjectId, feed: FeedId, entry: &Applied) {
        let client = self.clients.of(&feed, entry.session);
        let Some(slot) = self.slots.get(&object) else { return };
        let State::Again(making) = &mut slot.state else { return };
        let is_new = making.taken == 0;
        making.taken = making.taken.saturating_sub(1);
        let mutation = match &entry.mutation {
            _ if entry.counts == Counts::Taken => Err(Quarantine::ClientTaken { client }),
            _ if let Counts::Void(reason) = &entry.counts
                && feed != self.me.feed =>
            {
                Err(Quarantine::Void(reason.clone()))
            }
            Ok(bytes) => Mutation::decode(bytes).map_err(Quarantine::from),
            Err(failure) => Err(Quarantine::Closed(*failure)),
        };
        let mut rows = Rows::new();
        let taken = mutation
            .and_then(|mutation| making.object.take(Place { feed, client, entry }, &mutation, false, &mut rows));
        making.keep(rows);
        // What was refused before is refused again, and was said.
        if let Err(reason) = taken
            && is_new
        {
            self.quarantine(feed, entry, Some(object), reason);
        }
    }

    /// A page of what a feed has touched.
    pub(super) fn walked(&mut self, ticket: LoadTicket, rows: &[(Bytes, Bytes)]) -> bool {
        let Some(walk) = self.again.walk.as_mut().filter(|walk| walk.load == Some(ticket)) else { return false };
        walk.load = None;
        walk.found.extend(rows.iter().filter_map(|(key, _)| tables::object_of(key)));
        true
    }

    /// Goes on walking.
    pub(super) fn walk(&mut self) {
        loop {
            if self.again.walk.is_none() && !self.begin_walk() {
                return;
            }
            let Some(walk) = &mut self.again.walk else { return };
            let slots = &mut self.slots;
            let changes = &self.again.changes;
            let done = |object: &ObjectId| match slots.get(object).map(|slot| &slot.state) {
                Some(State::Open(open)) => {
                    let change = changes.get(&walk.feed);
                    change.is_none_or(|change| {
                        open.judged() >= change.number.min(walk.number)
                            || open.newest_of(&walk.feed).is_none_or(|seq| seq < change.from)
                    })
                }
                Some(State::Loading(_) | State::Again(_)) => false,
                Some(State::Damaged) | None => true,
            };
            let ended: Vec<ObjectId> = walk.under_way.iter().copied().filter(done).collect();
            for object in ended {
                walk.under_way.remove(&object);
            }
            if walk.under_way.len() >= AGAIN_MAX || walk.load.is_some() {
                return;
            }
            if let Some(object) = walk.found.pop_front() {
                walk.under_way.insert(object);
                self.open(object, false);
                self.reopen_if_touched(object);
            } else if walk.page < PAGES {
                let page = u8::try_from(walk.page).expect("fewer than 256");
                walk.page += 1;
                let prefix = tables::touched_by(&walk.feed, Some(page));
                self.loads += 1;
                let ticket = LoadTicket(self.loads);
                walk.load = Some(ticket);
                self.orders.push(Output::Load { ticket, table: tables::TOUCHED, prefix });
                return;
            } else if walk.under_way.is_empty() {
                self.end_walk();
            } else {
                return;
            }
        }
    }

    /// Begins with a feed of which nothing waits any more that was judged before.
    fn begin_walk(&mut self) -> bool {
        let mut ready = self.again.changes.iter().filter(|(feed, change)| self.progress.done(feed) >= change.handed_in);
        let Some((feed, change)) = ready.next() else { return false };
        self.again.walk = Some(Walk {
            feed: *feed,
            number: change.number,
            page: 0,
            load: None,
            found: VecDeque::new(),
            under_way: BTreeSet::new(),
        });
        true
    }

    /// Everything that the feed has touched was looked at. If its verdicts have changed meanwhile, it is looked at again.
    fn end_walk(&mut self) {
        let Some(Walk { feed, number, .. }) = self.again.walk.take() else { return };
        if self.again.changes.get(&feed).is_some_and(|change| change.number == number) {
            self.again.changes.remove(&feed);
            self.orders.push(Output::Judged { feed, number });
        }
    }
}
