//! A small world for tests: nodes with an `Echo` and a table in memory, and the feeds that they write, delivered in any
//! causal order.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use weft_crypto::{EntryId, FeedId, ObjectId, SpaceId};
use weft_echo::{
    Applied, Changed, Config, Counts, DerivedWrite, Echo, Edit, EditRefusal, EditTicket, Input, Me, Mutation,
    OpenFailure, Output, Processed, Quarantine, Register, Released, TextOp, WriteTicket, Written, tables, view,
};
use weft_feed::past::Past;
use weft_machine::{ClaimedTime, Draws, Machine, Seed, Time};

pub fn space() -> SpaceId {
    SpaceId::from_bytes([9; 32])
}

pub fn feed(number: u8) -> FeedId {
    FeedId::from_bytes([number; 32])
}

pub fn draws(number: u64) -> Draws {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Draws::new(Seed::from_bytes(seed))
}

pub fn op(position: u64, delete: u64, insert: &str) -> TextOp {
    TextOp { position, delete, insert: insert.into() }
}

pub fn register(name: &str, value: &str) -> Register {
    Register { name: name.into(), value: Bytes::copy_from_slice(value.as_bytes()) }
}

pub fn past(lengths: &[(FeedId, u64)]) -> Arc<Past> {
    Arc::new(lengths.iter().copied().collect())
}

/// An entry's id; the last byte can be set to decide ties.
pub fn entry_id(feed: &FeedId, seq: u64) -> EntryId {
    weft_feed::entry_id(feed, seq, &[0; 32])
}

pub fn entry(feed: FeedId, seq: u64, past: Arc<Past>, mutation: &Mutation) -> Applied {
    sealed(feed, seq, past, Ok(mutation.encode()))
}

pub fn sealed(feed: FeedId, seq: u64, past: Arc<Past>, mutation: Result<Bytes, OpenFailure>) -> Applied {
    Applied {
        seq,
        session: 0,
        entry: entry_id(&feed, seq),
        author: *feed.as_bytes(),
        claimed: ClaimedTime(1_000 + seq),
        past,
        counts: Counts::Counts,
        mutation,
    }
}

/// One node.
pub struct Node {
    pub echo: Echo,
    pub me: Me,
    config: Config,
    pub rows: BTreeMap<(u8, Vec<u8>), Bytes>,
    /// What was made durable with the rows.
    pub processed: BTreeMap<FeedId, Processed>,
    /// How much of each feed is here, the own one included.
    pub held: Past,
    /// The own feed.
    pub entries: Vec<Applied>,
    /// Writes not answered yet, when [`Node::holds_writes`].
    pub writes: Vec<(WriteTicket, u64, Bytes, Past)>,
    pub holds_writes: bool,
    /// Entries acknowledge what was handed in when they are appended, not when their write was ordered.
    pub acknowledges_late: bool,
    pub done: BTreeMap<EditTicket, (ObjectId, u64)>,
    pub refused: BTreeMap<EditTicket, EditRefusal>,
    pub quarantined: BTreeMap<(FeedId, u64), Quarantine>,
    pub loads: usize,
    pub row_bytes: usize,
    /// Everything that was handed in, in order.
    pub order: Vec<(FeedId, Applied)>,
    /// From which entry on a feed is void.
    pub void: BTreeMap<FeedId, u64>,
    /// Changes of verdicts that were not worked off.
    pub changes: BTreeMap<FeedId, Changed>,
    pub number: u64,
    /// Objects to make again that wait, when [`Node::holds_rereads`].
    pub rereads: Vec<(ObjectId, Vec<(FeedId, u64)>)>,
    pub holds_rereads: bool,
    /// Objects that were made again.
    pub again: Vec<ObjectId>,
    tickets: u64,
}

impl Node {
    pub fn new(number: u8) -> Self {
        Self::with(number, Config::default())
    }

    pub fn with(number: u8, config: Config) -> Self {
        let me = Me { space: space(), feed: feed(number), author: [number; 32] };
        Self {
            echo: Echo::new(config.clone(), me, 0, Vec::new()),
            me,
            config,
            rows: BTreeMap::new(),
            processed: BTreeMap::new(),
            held: Past::new(),
            entries: Vec::new(),
            writes: Vec::new(),
            holds_writes: false,
            acknowledges_late: false,
            done: BTreeMap::new(),
            refused: BTreeMap::new(),
            quarantined: BTreeMap::new(),
            loads: 0,
            row_bytes: 0,
            order: Vec::new(),
            void: BTreeMap::new(),
            changes: BTreeMap::new(),
            number: 0,
            rereads: Vec::new(),
            holds_rereads: false,
            again: Vec::new(),
            tickets: 0,
        }
    }

    /// A crash: what was not durable is gone; the machine starts from rows and lengths.
    pub fn restart(&mut self) {
        let processed = self.processed.values().cloned().collect();
        let echo = Echo::new(self.config.clone(), self.me, self.entries.len() as u64, processed);
        self.echo = echo.with_changes(self.number, self.changes.values().copied().collect());
        self.writes.clear();
        self.rereads.clear();
        // What was not worked into rows is handed in again.
        let own = (self.me.feed, self.entries.len() as u64);
        self.held = self.processed.values().map(|processed| (processed.feed, processed.length)).chain([own]).collect();
        self.drain();
    }

    /// All derived rows are dropped and made again from `feeds`, in a causal order.
    pub fn rebuild(&mut self, feeds: &BTreeMap<FeedId, Vec<Applied>>) {
        self.rows.clear();
        self.processed.clear();
        self.quarantined.clear();
        self.held = Past::new();
        self.input(Input::Wiped);
        deliver_all(self, feeds, &mut draws(0));
    }

    pub fn input(&mut self, input: Input) {
        self.echo.handle_input(Time::ZERO, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.echo.poll_output() {
            self.carry_out(output);
        }
        if !self.holds_writes && !self.writes.is_empty() {
            self.append_one();
        }
        if !self.holds_rereads && !self.rereads.is_empty() {
            self.reread_one();
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Load { ticket, table, prefix } => {
                self.loads += 1;
                let rows = self.prefix(table, &prefix);
                self.echo.handle_input(Time::ZERO, Input::Loaded { ticket, rows });
            }
            Output::Derive(writes) => {
                for DerivedWrite { table, key, value } in writes {
                    self.row_bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
                    match value {
                        Some(value) => self.rows.insert((table, key.to_vec()), value),
                        None => self.rows.remove(&(table, key.to_vec())),
                    };
                }
            }
            Output::Processed(processed) => {
                let (feed, length) = (processed.feed, processed.length);
                assert!(self.processed.insert(feed, processed).is_none_or(|before| before.length <= length));
            }
            Output::Write { ticket, session, plaintext } => {
                // What was handed in when the write was ordered; a node may also acknowledge what came since.
                let past = self.held.iter().filter(|(feed, _)| *feed != self.me.feed).collect();
                self.writes.push((ticket, session, plaintext, past));
            }
            Output::Done { ticket, object, seq } => {
                self.done.insert(ticket, (object, seq));
            }
            Output::Refused { ticket, refusal } => {
                self.refused.insert(ticket, refusal);
            }
            Output::Quarantined { feed, seq, reason } => {
                self.quarantined.insert((feed, seq), reason);
            }
            Output::Changed { .. } => {}
            Output::Reread { object, entries } => {
                self.again.push(object);
                self.rereads.push((object, entries));
            }
            Output::Judged { feed, number } => {
                assert_eq!(self.changes.remove(&feed).map(|changed| changed.number), Some(number));
            }
            Output::Damaged { object, what } => panic!("damaged rows of {object}: {what}"),
        }
    }

    pub fn prefix(&self, table: u8, prefix: &[u8]) -> Vec<(Bytes, Bytes)> {
        let from = (table, prefix.to_vec());
        let rows = self.rows.range(from..).take_while(|((t, key), _)| *t == table && key.starts_with(prefix));
        rows.map(|((_, key), value)| (Bytes::copy_from_slice(key), value.clone())).collect()
    }

    /// Makes the oldest unanswered write an entry.
    pub fn append_one(&mut self) {
        let (ticket, session, plaintext, mut past) = self.writes.remove(0);
        if self.acknowledges_late {
            past = self.held.iter().filter(|(feed, _)| *feed != self.me.feed).collect();
        }
        let seq = self.entries.len() as u64;
        let applied = Applied { session, ..sealed(self.me.feed, seq, Arc::new(past), Ok(plaintext)) };
        let Applied { entry, claimed, past, .. } = applied.clone();
        self.held.raise(self.me.feed, seq + 1);
        self.order.push((self.me.feed, applied.clone()));
        self.entries.push(applied);
        self.echo.handle_input(Time::ZERO, Input::Written(Written { ticket, seq, entry, claimed, past }));
        self.drain();
    }

    /// Gives the oldest object that waits for its entries the next ones, two at a time.
    pub fn reread_one(&mut self) {
        let (object, entries) = self.rereads.remove(0);
        for (number, two) in entries.chunks(2).enumerate() {
            let read = |(feed, seq): &(FeedId, u64)| {
                let found = self.order.iter().rev().find(|(of, entry)| of == feed && entry.seq == *seq);
                let (feed, entry) = found.expect("it was handed in").clone();
                (feed, self.judged(feed, entry))
            };
            let (entries, last) = (two.iter().map(read).collect(), 2 * number + two.len() == entries.len());
            self.echo.handle_input(Time::ZERO, Input::Reread { object, entries, last });
        }
        self.drain();
    }

    fn judged(&self, feed: FeedId, entry: Applied) -> Applied {
        let hollow = self.void.get(&feed).is_some_and(|from| entry.seq >= *from);
        Applied { counts: if hollow { Counts::Hollow } else { entry.counts.clone() }, ..entry }
    }

    /// From now on a feed is void from an entry on; or not at all.
    pub fn void(&mut self, feed: FeedId, from: Option<u64>) {
        let before = match from {
            Some(from) => self.void.insert(feed, from),
            None => self.void.remove(&feed),
        };
        self.number += 1;
        let lowest = from.into_iter().chain(before).min().unwrap_or(0);
        let noted = self.changes.get(&feed).map_or(lowest, |changed| changed.from.min(lowest));
        let changed = Changed { feed, from: lowest, number: self.number };
        self.changes.insert(feed, Changed { from: noted, ..changed });
        self.input(Input::VerdictsChanged(changed));
    }

    /// A node that was handed the same in the same order, by the verdicts of now.
    pub fn replayed(&self) -> Self {
        let mut fresh = Self::with(250, self.config.clone());
        fresh.void = self.void.clone();
        for (feed, entry) in &self.order {
            fresh.take(*feed, entry.clone());
        }
        fresh
    }

    /// All rows but those that say how often an object was made again.
    pub fn without_changes(&self) -> BTreeMap<(u8, Vec<u8>), Bytes> {
        let mut rows = self.rows.clone();
        rows.retain(|(table, key), _| *table != tables::OBJECT || key[32] != tables::Part::Judged as u8);
        rows
    }

    /// The oldest unanswered write could not be stored, so none after it is.
    pub fn fail_all(&mut self) {
        for (ticket, ..) in std::mem::take(&mut self.writes) {
            self.input(Input::WriteFailed { ticket });
        }
    }

    pub fn begin(&mut self, edit: Edit) -> EditTicket {
        self.tickets += 1;
        let ticket = EditTicket(self.tickets);
        self.input(Input::Edit { ticket, edit });
        ticket
    }

    pub fn edit(&mut self, edit: Edit) -> Result<(ObjectId, u64), EditRefusal> {
        let ticket = self.begin(edit);
        match self.refused.remove(&ticket) {
            Some(refusal) => Err(refusal),
            None => Ok(self.done[&ticket]),
        }
    }

    pub fn create(&mut self, type_name: &str, registers: Vec<Register>, text: &str) -> ObjectId {
        let text = Some(text.to_owned());
        self.edit(Edit::Create { type_name: type_name.into(), registers, text }).unwrap().0
    }

    pub fn typed(&mut self, object: ObjectId, ops: Vec<TextOp>) {
        self.edit(Edit::Text { object, ops }).unwrap();
    }

    pub fn set(&mut self, object: ObjectId, name: &str, value: &str) {
        self.edit(Edit::Set { object, registers: vec![register(name, value)] }).unwrap();
    }

    /// Hands in one entry of another's feed.
    pub fn take(&mut self, feed: FeedId, entry: Applied) {
        let length = entry.seq + 1;
        if !self.order.iter().any(|(of, known)| *of == feed && known.seq == entry.seq) {
            self.order.push((feed, entry.clone()));
        }
        let entry = self.judged(feed, entry);
        self.held.raise(feed, length);
        self.input(Input::Released(Released { feed, length, entries: vec![entry] }));
    }

    pub fn text(&self, object: &ObjectId) -> String {
        view::text(&space(), &self.prefix(tables::OBJECT, &tables::object(object))).unwrap()
    }

    pub fn object(&self, object: &ObjectId) -> Option<view::Object> {
        view::object(&self.prefix(tables::OBJECT, &tables::object(object))).unwrap()
    }

    /// The JSON that shows, or nothing.
    pub fn value(&self, object: &ObjectId, name: &str) -> Option<String> {
        let object = self.object(object)?;
        let value = object.properties.get(name)?.value.clone()?;
        Some(String::from_utf8(value.to_vec()).unwrap())
    }

    /// Everything that queries can see, and nothing of how it is stored.
    pub fn visible(&self) -> Visible {
        let summaries = self.prefix(tables::SUMMARY, &[]);
        let objects = summaries.iter().map(|(key, summary)| {
            let id = tables::object_of(key).unwrap();
            (id, (view::summary(summary).unwrap(), self.object(&id).unwrap(), self.text(&id)))
        });
        let index = self.prefix(tables::INDEX, &[]).into_iter().map(|(key, _)| key).collect();
        Visible { objects: objects.collect(), index, quarantine: self.prefix(tables::QUARANTINE, &[]) }
    }
}

#[derive(Debug, PartialEq)]
pub struct Visible {
    pub objects: BTreeMap<ObjectId, (weft_echo::rows::Summary, view::Object, String)>,
    index: Vec<Bytes>,
    quarantine: Vec<(Bytes, Bytes)>,
}

/// The next entry of `feed` for a node, if all that it builds on is there.
pub fn ready<'a>(node: &Node, feeds: &'a BTreeMap<FeedId, Vec<Applied>>, feed: &FeedId) -> Option<&'a Applied> {
    let next = feeds[feed].get(node.held.get(feed) as usize)?;
    next.past.iter().all(|(other, length)| node.held.get(&other) >= length).then_some(next)
}

/// Hands in one entry, chosen among those that can be next. Tells whether there was one.
pub fn deliver_one(node: &mut Node, feeds: &BTreeMap<FeedId, Vec<Applied>>, draws: &mut Draws) -> bool {
    let ready: Vec<FeedId> = feeds.keys().filter(|feed| ready(node, feeds, feed).is_some()).copied().collect();
    if ready.is_empty() {
        return false;
    }
    let feed = ready[draws.below(ready.len() as u64) as usize];
    let next = ready_entry(node, feeds, &feed);
    node.take(feed, next);
    true
}

fn ready_entry(node: &Node, feeds: &BTreeMap<FeedId, Vec<Applied>>, feed: &FeedId) -> Applied {
    ready(node, feeds, feed).expect("it was ready").clone()
}

/// Hands in everything, in a random causal order.
pub fn deliver_all(node: &mut Node, feeds: &BTreeMap<FeedId, Vec<Applied>>, draws: &mut Draws) {
    while deliver_one(node, feeds, draws) {}
    for (feed, entries) in feeds {
        assert_eq!(node.held.get(feed), entries.len() as u64, "a causally closed set is delivered whole");
    }
}

/// A node that only reads, after everything was handed in to it in a random causal order.
pub fn reader(feeds: &BTreeMap<FeedId, Vec<Applied>>, order: u64) -> Node {
    let mut node = Node::new(250);
    deliver_all(&mut node, feeds, &mut draws(order));
    node
}
