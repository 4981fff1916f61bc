//! Local edits: from what an application asks for to a mutation that is durable, and back when it could not be stored.
//!
//! An edit's text stands in the document at once, so that the next edit can build on it; rows, and with them everybody
//! who reads, hear of it when it is durable. Spec: ECHO-7.2, ECHO-7.3

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use weft_crypto::ObjectId;

use super::Echo;
use crate::config::Config;
use crate::document::{Change, Document};
use crate::edit::{Edit, TextOp};
use crate::error::{EditRefusal, Malformed};
use crate::ids::object_id;
use crate::io::{Applied, Counts, EditTicket, LoadTicket, Output, WriteTicket, Written};
use crate::message::{Mutation, Register};
use crate::object::Object;
use crate::slots::{InFlight, Slot, State, Waiting};

/// A first text is cut into mutations of this many bytes, with room for the properties beside it.
const CHUNK_BYTES: usize = 256 << 10;

/// An object that is being made here.
#[derive(Debug)]
struct Making {
    edit: EditTicket,
    mutation: Mutation,
    /// The document in which the whole first text was typed.
    document: Option<Document>,
    /// What of the text did not fit the first mutation.
    rest: VecDeque<Change>,
}

/// What is under way on this device's behalf.
#[derive(Debug)]
pub(super) struct Local {
    /// Edits wait until this much of our own feed has been handed in.
    own_length: u64,
    /// Which object each load opens.
    pub(super) loads: BTreeMap<LoadTicket, ObjectId>,
    writes: u64,
    /// Unanswered writes to objects that exist.
    in_flight: BTreeMap<WriteTicket, ObjectId>,
    making: BTreeMap<WriteTicket, Making>,
    /// Objects to be made, in order.
    creates: VecDeque<(EditTicket, Edit)>,
    /// Objects with edits that wait.
    waiting: BTreeSet<ObjectId>,
    waiting_edits: usize,
}

impl Local {
    pub(super) fn new(own_length: u64) -> Self {
        Self {
            own_length,
            loads: BTreeMap::new(),
            writes: 0,
            in_flight: BTreeMap::new(),
            making: BTreeMap::new(),
            creates: VecDeque::new(),
            waiting: BTreeSet::new(),
            waiting_edits: 0,
        }
    }

    fn ticket(&mut self) -> WriteTicket {
        self.writes += 1;
        WriteTicket(self.writes)
    }

    fn unanswered(&self) -> usize {
        self.in_flight.len() + self.making.len()
    }

    /// Forgets everything under way; gives the edits that are not done because of it.
    pub(super) fn wiped(&mut self, slots: impl Iterator<Item = Slot>, own: u64) -> BTreeSet<EditTicket> {
        let mut tickets: BTreeSet<EditTicket> = self.making.values().map(|making| making.edit).collect();
        tickets.extend(self.creates.drain(..).map(|(ticket, _)| ticket));
        for slot in slots {
            tickets.extend(slot.edits.iter().map(|(ticket, _)| *ticket));
            tickets.extend(slot.in_flight.iter().map(|write| write.edit));
        }
        let (writes, own_length) = (self.writes, self.own_length.max(own));
        *self = Self { writes, ..Self::new(own_length) };
        tickets
    }
}

impl Echo {
    pub(super) fn owned(&mut self, length: u64) {
        self.local.own_length = self.local.own_length.max(length);
        self.resume();
    }

    pub(super) fn edit(&mut self, ticket: EditTicket, edit: Edit) {
        if self.local.waiting_edits >= self.config.edits_max {
            self.refuse(ticket, EditRefusal::Busy);
            return;
        }
        self.local.waiting_edits += 1;
        match &edit {
            Edit::Create { .. } => self.local.creates.push_back((ticket, edit)),
            Edit::Set { object, .. }
            | Edit::Text { object, .. }
            | Edit::Revise { object, .. }
            | Edit::Update { object, .. }
            | Edit::Delete { object } => {
                let object = *object;
                self.open(object, false);
                self.slots.get(&object).expect("it was opened above").edits.push_back((ticket, edit));
                self.local.waiting.insert(object);
            }
        }
        self.resume();
    }

    fn refuse(&mut self, ticket: EditTicket, refusal: EditRefusal) {
        self.orders.push(Output::Refused { ticket, refusal });
    }

    /// Something that edits wait for may have come.
    pub(super) fn resume(&mut self) {
        while self.may_write()
            && let Some((ticket, edit)) = self.local.creates.pop_front()
        {
            self.local.waiting_edits -= 1;
            if let Err(refusal) = self.create(ticket, edit) {
                self.refuse(ticket, refusal);
            }
        }
        self.touched.extend(self.local.waiting.iter().copied());
    }

    /// No edit before everything of our own feed was handed in, and not too many at once.
    fn may_write(&self) -> bool {
        self.progress.taken(&self.me.feed) >= self.local.own_length && self.local.unanswered() < self.config.writes_max
    }

    /// Begins as many of an object's edits as can be begun.
    pub(super) fn take_edits(&mut self, object: ObjectId) {
        self.fold(object, false);
        while self.may_write() {
            let config = &self.config;
            let Some(slot) = self.slots.get(&object) else { return };
            let ready = match &slot.state {
                State::Loading(_) | State::Again(_) => return,
                State::Damaged => true,
                State::Open(open) => !open.is_dropped() && !open.is_fold_due(config) && !self.again.touches(open),
            };
            // What is on its way to the disk was not read by whoever revises the text.
            let waits = matches!(slot.edits.front(), Some((_, Edit::Revise { .. }))) && !slot.in_flight.is_empty();
            if !ready || waits || slot.next_waits() {
                break;
            }
            let Some((ticket, edit)) = slot.edits.pop_front() else {
                self.local.waiting.remove(&object);
                break;
            };
            self.local.waiting_edits -= 1;
            let begun = match edit {
                Edit::Update { session, update, .. } => self.begin_update(object, ticket, session, &update),
                edit => self.begin(object, edit).map(|mutations| self.write_all(object, ticket, 0, mutations)),
            };
            if let Err(refusal) = begun {
                self.refuse(ticket, refusal);
            }
        }
        self.reopen(object);
    }

    /// Opens an object again whose document was dropped, once nothing of it is on its way.
    fn reopen(&mut self, object: ObjectId) {
        let Some(slot) = self.slots.get(&object).filter(|slot| slot.in_flight.is_empty()) else { return };
        if !slot.object().is_some_and(|open| open.is_dropped()) {
            return;
        }
        if slot.is_idle() {
            self.slots.remove(&object);
        } else {
            let ticket = self.load(object);
            self.slots.get(&object).expect("it was there above").state = State::Loading(ticket);
        }
    }

    /// The mutations of an edit to an object that exists. On an error nothing has changed.
    fn begin(&mut self, object: ObjectId, edit: Edit) -> Result<Vec<Mutation>, EditRefusal> {
        let config = &self.config;
        let slot = self.slots.get(&object).expect("its edits are kept there");
        let open = slot.object().ok_or(EditRefusal::Damaged)?;
        open.check_editable()?;
        let base = Mutation { object: Some(object), ..Mutation::default() };
        match edit {
            Edit::Create { .. } | Edit::Update { .. } => unreachable!("these are begun elsewhere"),
            Edit::Set { registers, .. } => fitting(Mutation { registers, ..base }, config).map(|set| vec![set]),
            Edit::Delete { .. } => Ok(vec![Mutation { deleted: true, ..base }]),
            Edit::Text { ops, .. } => revise(open, &base, &[ops], config),
            Edit::Revise { seen, revisions, .. } => {
                let (found, max) = (revisions.len(), config.revisions_max);
                if found > max {
                    return Err(EditRefusal::TooManyOps { found, max });
                }
                if !open.shows(&seen) {
                    return Err(EditRefusal::TextMoved);
                }
                revise(open, &base, &revisions, config)
            }
        }
    }

    /// Orders the mutations of one edit, which is done when the last of them is.
    fn write_all(&mut self, object: ObjectId, edit: EditTicket, session: u64, mutations: Vec<Mutation>) {
        let count = mutations.len();
        for (number, mutation) in mutations.into_iter().enumerate() {
            self.write(object, edit, session, mutation, number + 1 == count);
        }
    }

    /// Orders the mutations of an update. On an error nothing has changed.
    ///
    /// Spec: ECHO-7.6
    fn begin_update(
        &mut self,
        object: ObjectId,
        ticket: EditTicket,
        session: u64,
        update: &[u8],
    ) -> Result<(), EditRefusal> {
        let client = self.clients.of(&self.me.feed, session);
        let (feed, bytes_max) = (self.me.feed, self.config.mutation_bytes_max);
        if update.len() > self.config.text_bytes_max {
            return Err(EditRefusal::TooLarge { bytes: update.len(), max: self.config.text_bytes_max });
        }
        let slot = self.slots.get(&object).expect("its edits are kept there");
        let open = slot.object().ok_or(EditRefusal::Damaged)?;
        open.check_editable()?;
        if session == 0 {
            // The node's own: its text stands in the document before it is written.
            return Err(EditRefusal::ClientTaken { client });
        }
        let pieces = open.accept(&feed, session, client, update, bytes_max)?;
        if pieces.is_empty() {
            let seq = open.last_seq(client);
            self.orders.push(Output::Done { ticket, object, seq });
        }
        let base = Mutation { object: Some(object), ..Mutation::default() };
        let mutations = pieces.into_iter().map(|change| changing(change, &base)).collect();
        self.write_all(object, ticket, session, mutations);
        Ok(())
    }

    fn write(&mut self, object: ObjectId, edit: EditTicket, session: u64, mutation: Mutation, last: bool) {
        let write = self.local.ticket();
        self.order(write, session, &mutation);
        self.local.in_flight.insert(write, object);
        let slot = self.slots.get(&object).expect("an object that is written is open");
        slot.in_flight.push_back(InFlight { write, edit, session, mutation, last });
    }

    fn order(&mut self, ticket: WriteTicket, session: u64, mutation: &Mutation) {
        self.orders.push(Output::Write { ticket, session, plaintext: mutation.encode() });
    }

    /// Orders the entry that makes an object. On an error nothing has changed.
    fn create(&mut self, edit: EditTicket, create: Edit) -> Result<(), EditRefusal> {
        let Edit::Create { type_name, registers, text } = create else { unreachable!("only creates wait here") };
        let mut mutation = Mutation { type_name, registers, ..Mutation::default() };
        mutation.check()?;
        let mut rest = VecDeque::new();
        let mut document = None;
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let max = self.config.text_bytes_max;
            if text.len() > max {
                return Err(EditRefusal::TooLarge { bytes: text.len(), max });
            }
            let mut typed = Document::new(self.own_client());
            rest = type_in(&mut typed, &text)?;
            document = Some(typed);
        }
        // The first piece goes with the properties if they leave room for it.
        if registers_bytes(&mutation.registers) <= CHUNK_BYTES
            && let Some(first) = rest.pop_front()
        {
            (mutation.inserts, mutation.deletes) = (first.inserts, first.deletes);
        }
        check_size(mutation.encode().len(), &self.config)?;
        let write = self.local.ticket();
        self.order(write, 0, &mutation);
        self.local.making.insert(write, Making { edit, mutation, document, rest });
        Ok(())
    }

    /// A write is an entry of our feed now: it is taken like everybody's.
    pub(super) fn written(&mut self, written: Written) {
        let feed = self.me.feed;
        let duplicate = written.seq < self.progress.taken(&feed);
        if !duplicate {
            self.progress.begin(feed, written.seq + 1, [written.seq]);
        }
        let seq = written.seq;
        let mut taken = true;
        if let Some(making) = self.local.making.remove(&written.ticket) {
            self.made(making, written, duplicate);
        } else if let Some(object) = self.local.in_flight.remove(&written.ticket) {
            taken = self.changed_here(object, written, duplicate);
        }
        if taken {
            self.finish(feed, seq);
        }
        self.resume();
    }

    fn made(&mut self, making: Making, written: Written, duplicate: bool) {
        let Making { edit, mutation, document, rest } = making;
        let object = object_id(&self.me.space, &self.me.feed, written.seq);
        self.open(object, !duplicate);
        self.touched.insert(object);
        let entry = self.entry(&written, 0);
        if !duplicate {
            let open = self.slots.get(&object).and_then(Slot::object).expect("a new object is open");
            if let Some(document) = document {
                open.adopt(document);
            }
            self.take(object, self.me.feed, &entry, &mutation, true);
        }
        if rest.is_empty() {
            self.orders.push(Output::Done { ticket: edit, object, seq: written.seq });
        }
        let base = Mutation { object: Some(object), ..Mutation::default() };
        self.write_all(object, edit, 0, rest.into_iter().map(|change| changing(change, &base)).collect());
    }

    /// Tells whether the entry is finished; otherwise it waits for its object like everybody's.
    fn changed_here(&mut self, object: ObjectId, written: Written, duplicate: bool) -> bool {
        self.touched.insert(object);
        let slot = self.slots.get(&object).expect("an object with unanswered writes has its slot");
        let place = slot.in_flight.iter().position(|write| write.write == written.ticket);
        let place = place.expect("an unanswered write is kept with its object");
        let InFlight { edit, session, mutation, last, .. } = slot.in_flight.remove(place).expect("its place was found");
        let waits = !duplicate && slot.object().is_none();
        let (feed, entry) = (self.me.feed, self.entry(&written, session));
        let mut taken = true;
        if waits {
            let slot = self.slots.get(&object).expect("found above");
            slot.entries.push_back(Waiting { feed, entry, mutation });
        } else if !duplicate {
            taken = self.take(object, feed, &entry, &mutation, session == 0);
        }
        if last && (taken || session == 0) {
            self.orders.push(Output::Done { ticket: edit, object, seq: written.seq });
        } else if last {
            // Another session's entry with the same client id came between: the only rule that the past cannot tell ahead.
            self.refuse(edit, EditRefusal::ClientTaken { client: self.clients.of(&feed, session) });
        }
        !waits
    }

    fn entry(&self, written: &Written, session: u64) -> Applied {
        Applied {
            seq: written.seq,
            session,
            entry: written.entry,
            author: self.me.author,
            claimed: written.claimed,
            past: written.past.clone(),
            counts: Counts::Counts,
            mutation: Ok(Bytes::new()),
        }
    }

    /// A write is no entry: what was built on it in the document goes with it.
    pub(super) fn write_failed(&mut self, ticket: WriteTicket) {
        if let Some(making) = self.local.making.remove(&ticket) {
            self.refuse(making.edit, EditRefusal::WriteFailed);
        } else if let Some(object) = self.local.in_flight.remove(&ticket) {
            self.touched.insert(object);
            let slot = self.slots.get(&object).expect("an object with unanswered writes stays open");
            if let Some(open) = slot.object() {
                open.drop_document();
            }
            let place = slot.in_flight.iter().position(|write| write.write == ticket);
            if let Some(failed) = place.and_then(|place| slot.in_flight.remove(place)) {
                let under_way = slot.in_flight.iter().any(|write| write.edit == failed.edit);
                if !under_way {
                    self.refuse(failed.edit, EditRefusal::WriteFailed);
                }
            }
        }
        self.resume();
    }
}

/// Runs each group of operations in the open document, one mutation each. On an error nothing has changed.
///
/// Spec: ECHO-7.1, ECHO-7.5
fn revise(
    open: &mut Object,
    base: &Mutation,
    revisions: &[Vec<TextOp>],
    config: &Config,
) -> Result<Vec<Mutation>, EditRefusal> {
    if revisions.is_empty() {
        return Err(EditRefusal::Malformed(Malformed::Empty));
    }
    revisions.iter().try_for_each(|ops| check_ops(ops, config))?;
    let mut mutations = Vec::with_capacity(revisions.len());
    for ops in revisions {
        let ran = open.edit(ops);
        // How large deletions are is known only when they have run.
        let has_run = ran.is_ok() || !mutations.is_empty();
        match ran.and_then(|change| fitting(changing(change, base), config)) {
            Ok(mutation) => mutations.push(mutation),
            Err(refusal) => {
                if has_run {
                    open.drop_document();
                }
                return Err(refusal);
            }
        }
    }
    Ok(mutations)
}

/// The mutation of a change of the text.
fn changing(change: Change, base: &Mutation) -> Mutation {
    Mutation { inserts: change.inserts, deletes: change.deletes, ..base.clone() }
}

/// The mutation, if it is well formed and fits an entry.
fn fitting(mutation: Mutation, config: &Config) -> Result<Mutation, EditRefusal> {
    mutation.check()?;
    check_size(mutation.encode().len(), config)?;
    Ok(mutation)
}

fn check_ops(ops: &[TextOp], config: &Config) -> Result<(), EditRefusal> {
    if ops.len() > config.ops_max {
        return Err(EditRefusal::TooManyOps { found: ops.len(), max: config.ops_max });
    }
    if ops.iter().all(|op| op.delete == 0 && op.insert.is_empty()) {
        return Err(EditRefusal::Malformed(Malformed::Empty));
    }
    check_size(ops.iter().map(|op| op.insert.len()).sum(), config)
}

fn check_size(bytes: usize, config: &Config) -> Result<(), EditRefusal> {
    let max = config.mutation_bytes_max;
    if bytes > max { Err(EditRefusal::TooLarge { bytes, max }) } else { Ok(()) }
}

fn registers_bytes(registers: &[Register]) -> usize {
    registers.iter().map(|register| register.name.len() + register.value.len() + 16).sum()
}

/// Types a first text into an empty document, in pieces that fit an entry.
///
/// Spec: ECHO-7.4
fn type_in(document: &mut Document, text: &str) -> Result<VecDeque<Change>, EditRefusal> {
    let mut changes = VecDeque::new();
    let (mut rest, mut position) = (text, 0);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(CHUNK_BYTES));
        changes.push_back(document.edit(&[TextOp { position, delete: 0, insert: piece.to_owned() }])?);
        position += piece.chars().count() as u64;
        rest = after;
    }
    Ok(changes)
}
