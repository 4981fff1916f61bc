//! The machine: routes facts to the objects they are about, and collects what follows into one [`Output::Derive`] an input.
//!
//! One a space. Objects are opened on demand and closed when there are too many; nothing is replayed at the start.

mod again;
mod local;

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use weft_crypto::{FeedId, ObjectId};
use weft_machine::{Machine, Time};

use crate::config::Config;
use crate::error::{EditRefusal, Quarantine};
use crate::ids::{Clients, SESSIONS_MAX, object_id};
use crate::io::{Applied, Changed, Counts, Input, LoadTicket, Me, Output, Processed, Released};
use crate::message::Mutation;
use crate::object::{Object, Place, Rows, put};
use crate::progress::Progress;
use crate::rows;
use crate::slots::{Slots, State, Waiting};
use crate::tables;
use again::Again;
use local::Local;

pub(crate) use again::Making;

/// The objects of one space.
#[derive(Debug)]
pub struct Echo {
    config: Config,
    me: Me,
    clients: Clients,
    slots: Slots,
    progress: Progress,
    again: Again,
    local: Local,
    loads: u64,
    /// Objects to look at before this input is done.
    touched: BTreeSet<ObjectId>,
    /// Feeds of which something was finished in this input.
    finished: BTreeSet<FeedId>,
    rows: Rows,
    orders: Vec<Output>,
    outputs: VecDeque<Output>,
}

impl Echo {
    /// A machine that starts from what is stored. `own_length` is the length of our data feed in the store, `processed`
    /// what [`Output::Processed`] gave last and was made durable: entries from its length on are to be handed in.
    #[must_use]
    pub fn new(config: Config, me: Me, own_length: u64, processed: Vec<Processed>) -> Self {
        Self {
            clients: Clients { space: me.space, bits: config.client_bits },
            slots: Slots::default(),
            progress: Progress::resumed(processed),
            again: Again::default(),
            local: Local::new(own_length),
            loads: 0,
            touched: BTreeSet::new(),
            finished: BTreeSet::new(),
            rows: Rows::new(),
            orders: Vec::new(),
            outputs: VecDeque::new(),
            config,
            me,
        }
    }

    /// The same machine, with the changes of verdicts that were not worked off ([`Output::Judged`] did not come for them), and
    /// the number of the newest change there ever was.
    #[must_use]
    pub fn with_changes(self, number: u64, changes: Vec<Changed>) -> Self {
        Self { again: Again::resumed(number, changes), ..self }
    }

    /// Estimated bytes of the entries that wait for their objects to be opened: hand in no more while this is large.
    #[must_use]
    pub fn waiting_bytes(&self) -> u64 {
        self.slots.waiting_bytes()
    }

    fn own_client(&self) -> u64 {
        self.clients.of(&self.me.feed, 0)
    }

    fn released(&mut self, released: Released) {
        let Released { feed, length, entries } = released;
        let fresh = entries.into_iter().filter(|entry| self.progress.is_fresh(&feed, entry.seq));
        let fresh: Vec<Applied> = fresh.collect();
        self.progress.begin(feed, length, fresh.iter().map(|entry| entry.seq));
        self.finished.insert(feed);
        for entry in fresh {
            self.admit(feed, entry);
        }
        self.resume();
    }

    /// Decodes a mutation and lets it wait for its object.
    fn admit(&mut self, feed: FeedId, entry: Applied) {
        let decoded = match (&entry.mutation, &entry.counts) {
            _ if entry.session >= SESSIONS_MAX => Err(Quarantine::Session { session: entry.session }),
            (_, Counts::Taken) => {
                let client = self.clients.of(&feed, entry.session);
                Err(Quarantine::ClientTaken { client })
            }
            (_, Counts::Void(reason)) if feed != self.me.feed => Err(Quarantine::Void(reason.clone())),
            (Err(_), Counts::Void(reason)) => Err(Quarantine::Void(reason.clone())),
            (Err(failure), _) => Err(Quarantine::Closed(*failure)),
            (Ok(bytes), _) => Mutation::decode(bytes).map_err(Quarantine::from),
        };
        match decoded {
            Ok(mutation) => {
                let made = object_id(&self.me.space, &feed, entry.seq);
                let object = mutation.object.unwrap_or(made);
                self.open(object, mutation.object.is_none());
                let slot = self.slots.get(&object).expect("it was opened above");
                slot.entries.push_back(Waiting { feed, entry, mutation });
                self.touched.insert(object);
            }
            Err(reason) => {
                self.quarantine(feed, &entry, None, reason);
                self.finish(feed, entry.seq);
            }
        }
    }

    /// Makes sure that an object is open or being opened. Nothing is stored of one that is `made` by this entry.
    fn open(&mut self, object: ObjectId, made: bool) {
        if made {
            let client = self.own_client();
            let new = || State::Open(Box::new(Object::new(object, client)));
            let slot = self.slots.open(object, new);
            if slot.object().is_none() {
                // Somebody has named it before it was made.
                slot.state = new();
            }
        } else if self.slots.contains(&object) {
            self.slots.open(object, || State::Damaged);
        } else {
            let ticket = self.load(object);
            self.slots.open(object, || State::Loading(ticket));
        }
    }

    fn load(&mut self, object: ObjectId) -> LoadTicket {
        self.loads += 1;
        let ticket = LoadTicket(self.loads);
        self.orders.push(Output::Load { ticket, table: tables::OBJECT, prefix: tables::object(&object) });
        self.local.loads.insert(ticket, object);
        ticket
    }

    fn loaded(&mut self, ticket: LoadTicket, rows: &[(Bytes, Bytes)]) {
        if self.walked(ticket, rows) {
            return;
        }
        let Some(object) = self.local.loads.remove(&ticket) else { return };
        let client = self.own_client();
        let Some(slot) = self.slots.get(&object) else { return };
        if !matches!(slot.state, State::Loading(expected) if expected == ticket) {
            return;
        }
        match Object::load(object, client, rows, &self.clients) {
            Ok((open, taken)) if self.again.touches(&open) => {
                self.make_again(&open, rows.iter().map(|(key, _)| key.clone()), taken);
            }
            Ok((open, _)) => slot.state = State::Open(Box::new(open)),
            Err(error) => {
                slot.state = State::Damaged;
                self.orders.push(Output::Damaged { object, what: error.to_string() });
            }
        }
        self.touched.insert(object);
    }

    /// Does what can be done for every object that something has happened to.
    fn settle(&mut self) {
        loop {
            while let Some(object) = self.touched.pop_first() {
                self.reopen_if_touched(object);
                self.take_entries(object);
                self.take_edits(object);
            }
            self.walk();
            if self.touched.is_empty() {
                break;
            }
        }
        for feed in std::mem::take(&mut self.finished) {
            if let Some(processed) = self.progress.advance(&feed) {
                self.orders.push(Output::Processed(processed));
            }
        }
        if !self.rows.is_empty() {
            self.outputs.push_back(Output::Derive(std::mem::take(&mut self.rows)));
        }
        self.outputs.extend(self.orders.drain(..));
        self.slots.trim(&self.config);
    }

    fn take_entries(&mut self, object: ObjectId) {
        while let Some(slot) = self.slots.get(&object) {
            match slot.state {
                State::Loading(_) | State::Again(_) => return,
                // Not finished: they are handed in again when the space is rebuilt.
                State::Damaged => return slot.entries.clear(),
                State::Open(_) => {}
            }
            let Some(waiting) = slot.entries.pop_front() else { return };
            let Waiting { feed, entry, mutation } = waiting;
            self.take(object, feed, &entry, &mutation, false);
            self.finish(feed, entry.seq);
        }
    }

    /// Hands one mutation to its open object. Tells whether it was taken.
    fn take(&mut self, object: ObjectId, feed: FeedId, entry: &Applied, mutation: &Mutation, local: bool) -> bool {
        let client = self.clients.of(&feed, entry.session);
        let Some(open) = self.slots.get(&object).and_then(|slot| slot.object()) else { return false };
        match open.take(Place { feed, client, entry }, mutation, local, &mut self.rows) {
            Ok(true) => self.changed(object),
            Ok(false) => {}
            Err(reason) => {
                self.quarantine(feed, entry, Some(object), reason);
                return false;
            }
        }
        true
    }

    fn changed(&mut self, object: ObjectId) {
        let changed = Output::Changed { object };
        if self.orders.last() != Some(&changed) {
            self.orders.push(changed);
        }
    }

    fn quarantine(&mut self, feed: FeedId, entry: &Applied, object: Option<ObjectId>, reason: Quarantine) {
        let row = rows::Quarantined {
            code: reason.code().to_owned(),
            reason: reason.to_string(),
            author: Bytes::copy_from_slice(&entry.author),
            object: object.map_or_else(Bytes::new, |object| tables::object(&object)),
        };
        put(&mut self.rows, tables::QUARANTINE, tables::quarantine(&feed, entry.seq), rows::encode(&row));
        self.orders.push(Output::Quarantined { feed, seq: entry.seq, reason });
    }

    fn finish(&mut self, feed: FeedId, seq: u64) {
        self.progress.finish(&feed, seq);
        self.finished.insert(feed);
    }

    /// Folds an object's tail if nothing of the document is still on its way into the feed.
    fn fold(&mut self, object: ObjectId, always: bool) {
        let Some(slot) = self.slots.get(&object).filter(|slot| slot.in_flight.is_empty()) else { return };
        let Some(open) = slot.object() else { return };
        if always || open.is_fold_due(&self.config) {
            open.fold(&mut self.rows);
        }
    }

    /// The rows are gone: everything is forgotten and will be handed in again.
    ///
    /// Spec: ECHO-5.5
    fn wiped(&mut self) {
        let own = self.progress.taken(&self.me.feed);
        self.progress = Progress::default();
        self.again.wiped();
        for ticket in self.local.wiped(self.slots.drain(), own) {
            self.orders.push(Output::Refused { ticket, refusal: EditRefusal::Interrupted });
        }
    }
}

impl Machine for Echo {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, _now: Time, input: Input) {
        match input {
            Input::Released(released) => self.released(released),
            Input::Owned { length } => self.owned(length),
            Input::Edit { ticket, edit } => self.edit(ticket, edit),
            Input::Written(written) => self.written(written),
            Input::WriteFailed { ticket } => self.write_failed(ticket),
            Input::Loaded { ticket, rows } => self.loaded(ticket, &rows),
            Input::VerdictsChanged(changed) => self.verdicts_changed(changed),
            Input::Reread { object, entries, last } => self.reread(object, entries, last),
            Input::Look { object } => self.look(object),
            Input::Wiped => self.wiped(),
            Input::Flush => {
                for object in self.slots.ids() {
                    self.fold(object, true);
                }
            }
        }
        self.settle();
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn wake(&mut self, _now: Time) {}
}
