//! One object, open: takes mutations one by one in causal order and says which derived rows change.
//!
//! Everything it shows is in rows, so it can be dropped at any time and opened again without replaying its history.

mod load;
mod text;

pub(crate) use text::{replayed, update_of};

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use weft_crypto::{FeedId, ObjectId};

use crate::config::Config;
use crate::document::{Change, Document};
use crate::edit::TextOp;
use crate::error::{EditRefusal, Quarantine};
use crate::inspect::{self, Shape, pieces};
use crate::io::{Applied, Counts, DerivedWrite};
use crate::message::{Mutation, Register};
use crate::reach::Tracks;
use crate::registers::{self, Write};
use crate::rows::{self, About, NAME_SHOWN_BYTES_MAX, RowError, Summary};
use crate::tables::{self, By, Part};
use text::{Accepted, Text};

/// Rows that a step has changed, in order.
pub(crate) type Rows = Vec<DerivedWrite>;

pub(crate) fn put(rows: &mut Rows, table: u8, key: Bytes, value: Bytes) {
    rows.push(DerivedWrite { table, key, value: Some(value) });
}

pub(crate) fn remove(rows: &mut Rows, table: u8, key: Bytes) {
    rows.push(DerivedWrite { table, key, value: None });
}

/// The entry that a mutation came in, with its session's client id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) feed: FeedId,
    pub(crate) client: u64,
    pub(crate) entry: &'a Applied,
}

#[derive(Debug)]
pub(crate) struct Object {
    id: ObjectId,
    /// `None`: no entry has made it yet.
    about: Option<About>,
    registers: BTreeMap<String, Vec<Write>>,
    tracks: Tracks,
    text: Text,
    /// The newest entry of each feed that it was made of.
    feeds: BTreeMap<FeedId, u64>,
    /// The change of verdicts by which it was rebuilt last; 0: none.
    judged: u64,
}

impl Object {
    /// An object that nothing is known of; local edits will be made as `client`.
    pub(crate) fn new(id: ObjectId, client: u64) -> Self {
        Self {
            id,
            about: None,
            registers: BTreeMap::new(),
            tracks: Tracks::default(),
            text: Text::new(client),
            feeds: BTreeMap::new(),
            judged: 0,
        }
    }

    /// An object that is made again from its entries, because of this change of verdicts.
    pub(crate) fn again(id: ObjectId, client: u64, judged: u64) -> Self {
        Self { judged, ..Self::new(id, client) }
    }

    /// Opens it from its rows in [`tables::OBJECT`]. With it comes the list of the entries that it is made of, in the order in
    /// which they were taken.
    pub(crate) fn load(
        id: ObjectId,
        client: u64,
        rows: &[(Bytes, Bytes)],
        clients: &crate::ids::Clients,
    ) -> Result<(Self, Vec<(FeedId, u64)>), RowError> {
        load::load(Self::new(id, client), rows, clients)
    }

    /// Takes up the document in which this object's first text was typed here.
    pub(crate) fn adopt(&mut self, document: Document) {
        self.text.adopt(document);
    }

    /// Takes one mutation. `local`: our own, its text is in the document already. Tells whether what shows has changed.
    ///
    /// Spec: ECHO-3.4, ECHO-4.4, ECHO-5.2
    pub(crate) fn take(
        &mut self,
        place: Place<'_>,
        mutation: &Mutation,
        local: bool,
        rows: &mut Rows,
    ) -> Result<bool, Quarantine> {
        let taken = self.take_checked(place, mutation, local, rows);
        if local && taken.is_err() {
            self.text.drop_document();
        }
        taken
    }

    fn take_checked(
        &mut self,
        place: Place<'_>,
        mutation: &Mutation,
        local: bool,
        rows: &mut Rows,
    ) -> Result<bool, Quarantine> {
        let Place { feed, client, entry } = place;
        if mutation.object.is_some() && !self.is_made_before(&place) {
            return Err(Quarantine::UnknownObject);
        }
        if self.tracks.is_taken(client, &feed, entry.session) {
            return Err(Quarantine::ClientTaken { client });
        }
        let first_clock = inspect::begins(&mutation.inserts, self.tracks.end(client));
        let shape = inspect::shape(&mutation.inserts, &mutation.deletes, client, first_clock)?;
        let integrated = self.judge(&place, &shape).and_then(|hollow| {
            let accepted = Accepted { place, mutation, shape, hollow, local };
            self.text.integrate(self.id, &mut self.tracks, &accepted, rows).map(|()| hollow)
        });
        match integrated {
            Ok(hollow) => {
                self.touch(&place, rows);
                Ok(self.show(&place, mutation, hollow, rows))
            }
            Err(reason) => {
                // Its clocks count whatever else is wrong with it, or its session could never write here again.
                if self.about.is_some() && shape.end_clock > shape.first_clock {
                    self.text.leave_out(self.id, &mut self.tracks, &place, &shape, rows);
                    self.touch(&place, rows);
                }
                Err(reason)
            }
        }
    }

    pub(crate) fn id(&self) -> ObjectId {
        self.id
    }

    /// The entry is one of those that it is made of.
    fn touch(&mut self, place: &Place<'_>, rows: &mut Rows) {
        if self.feeds.insert(place.feed, place.entry.seq).is_none() {
            put(rows, tables::TOUCHED, tables::touched(&place.feed, &self.id), Bytes::new());
        }
    }

    /// The newest entry of a feed that it is made of.
    pub(crate) fn newest_of(&self, feed: &FeedId) -> Option<u64> {
        self.feeds.get(feed).copied()
    }

    /// The change of verdicts by which it was rebuilt last.
    pub(crate) fn judged(&self) -> u64 {
        self.judged
    }

    /// Whether the entry that made this object is in the causal past.
    fn is_made_before(&self, place: &Place<'_>) -> bool {
        let past = self.tracks.in_past_of(&place.feed, place.entry.seq, &place.entry.past);
        self.about.as_ref().is_some_and(|about| {
            rows::id(&about.feed, "about").is_ok_and(|feed| past.holds(&FeedId::from_bytes(feed), about.seq))
        })
    }

    /// Whether it is integrated, and hollow.
    fn judge(&self, place: &Place<'_>, shape: &Shape<'_>) -> Result<bool, Quarantine> {
        if let Counts::Void(reason) = &place.entry.counts {
            return Err(Quarantine::Void(reason.clone()));
        }
        shape.judge(&self.tracks.in_past_of(&place.feed, place.entry.seq, &place.entry.past))?;
        Ok(place.entry.counts == Counts::Hollow)
    }

    /// Everything but the text.
    fn show(&mut self, place: &Place<'_>, mutation: &Mutation, hollow: bool, rows: &mut Rows) -> bool {
        let before = self.summary();
        let about = self.about.clone();
        let made = self.about.get_or_insert_with(|| About {
            type_name: mutation.type_name.clone(),
            feed: Bytes::copy_from_slice(place.feed.as_bytes()),
            seq: place.entry.seq,
            author: Bytes::copy_from_slice(&place.entry.author),
            claimed_ms: place.entry.claimed.0,
            deleted: false,
            counts: false,
        });
        if !hollow {
            made.counts = true;
            made.deleted |= mutation.deleted;
            for register in &mutation.registers {
                self.write_register(place, register, rows);
            }
        }
        if self.about != about {
            let about = self.about.as_ref().expect("it was made above");
            put(rows, tables::OBJECT, tables::part(&self.id, Part::About), rows::encode(about));
        }
        self.list(before, rows);
        !hollow || !mutation.inserts.is_empty()
    }

    fn write_register(&mut self, place: &Place<'_>, register: &Register, rows: &mut Rows) {
        let write = Write {
            feed: place.feed,
            seq: place.entry.seq,
            entry: place.entry.entry,
            author: place.entry.author,
            claimed_ms: place.entry.claimed.0,
            value: register.value.clone(),
        };
        let past = self.tracks.in_past_of(&place.feed, place.entry.seq, &place.entry.past);
        let alternatives = self.registers.entry(register.name.clone()).or_default();
        registers::write(alternatives, write, |feed, seq| past.holds(feed, seq));
        let value = rows::encode(&rows::Register::of(alternatives));
        put(rows, tables::OBJECT, tables::register(&self.id, &register.name), value);
    }

    /// The keys of the rows by which lists show and find it.
    pub(crate) fn listed(&self) -> Vec<(u8, Bytes)> {
        let summary = self.summary();
        let index = self.index_keys(summary.as_ref()).into_iter().map(|key| (tables::INDEX, key));
        summary.iter().map(|_| (tables::SUMMARY, tables::object(&self.id))).chain(index).collect()
    }

    /// The row that lists read; `None` while nothing that counts has touched the object.
    fn summary(&self) -> Option<Summary> {
        let about = self.about.as_ref().filter(|about| about.counts)?;
        Some(Summary {
            type_name: about.type_name.clone(),
            name: self.registers.get("name").and_then(|writes| name(writes)),
            author: about.author.clone(),
            claimed_ms: about.claimed_ms,
            deleted: about.deleted,
        })
    }

    /// Brings the list and index rows from what they were to what the object is.
    fn list(&self, before: Option<Summary>, rows: &mut Rows) {
        let after = self.summary();
        let Some(summary) = &after else { return };
        if before == after {
            return;
        }
        put(rows, tables::SUMMARY, tables::object(&self.id), rows::encode(summary));
        let (old, new) = (self.index_keys(before.as_ref()), self.index_keys(after.as_ref()));
        for key in old.iter().filter(|key| !new.contains(key)) {
            remove(rows, tables::INDEX, key.clone());
        }
        for key in new.iter().filter(|key| !old.contains(key)) {
            put(rows, tables::INDEX, key.clone(), Bytes::new());
        }
    }

    fn index_keys(&self, summary: Option<&Summary>) -> Vec<Bytes> {
        let Some(summary) = summary.filter(|summary| !summary.deleted) else { return Vec::new() };
        let name = summary.name.as_deref().map(By::Name);
        name.into_iter().chain([By::Type(&summary.type_name)]).map(|by| tables::index_key(by, &self.id)).collect()
    }

    /// Whether an edit may be begun on it.
    pub(crate) fn check_editable(&self) -> Result<(), EditRefusal> {
        match self.about.as_ref().filter(|about| about.counts) {
            None => Err(EditRefusal::UnknownObject),
            Some(about) if about.deleted => Err(EditRefusal::Deleted),
            Some(_) => Ok(()),
        }
    }

    /// Runs text operations in the document. On an error nothing has changed.
    pub(crate) fn edit(&mut self, ops: &[TextOp]) -> Result<Change, EditRefusal> {
        self.text.edit(ops)
    }

    /// Whether the text is this one.
    pub(crate) fn shows(&mut self, text: &str) -> bool {
        self.text.shows(text)
    }

    /// What is new in an update of a session of ours, as mutations that nobody will refuse. Nothing changes yet.
    ///
    /// Spec: ECHO-7.6
    pub(crate) fn accept(
        &mut self,
        feed: &FeedId,
        session: u64,
        client: u64,
        update: &[u8],
        bytes_max: usize,
    ) -> Result<VecDeque<Change>, EditRefusal> {
        if self.tracks.is_taken(client, feed, session) {
            return Err(EditRefusal::ClientTaken { client });
        }
        let known = self.tracks.end(client);
        let news = pieces::read(update, client, known)?;
        let Change { inserts, deletes } = news.whole();
        let shape = inspect::shape(&inserts, &deletes, client, known)?;
        shape.judge(&self.tracks)?;
        self.text.check(&shape)?;
        Ok(news.pieces(bytes_max))
    }

    /// The newest entry of a session, 0 if there is none.
    pub(crate) fn last_seq(&self, client: u64) -> u64 {
        self.tracks.last_seq(client).unwrap_or_default()
    }

    /// The document no longer shows what the rows say: it is to be opened again before the next edit.
    pub(crate) fn drop_document(&mut self) {
        self.text.drop_document();
    }

    /// Whether [`Object::drop_document`] was called.
    pub(crate) fn is_dropped(&self) -> bool {
        self.text.is_dropped()
    }

    /// Whether the tail has outgrown its bounds.
    pub(crate) fn is_fold_due(&self, config: &Config) -> bool {
        self.text.is_fold_due(config)
    }

    /// Folds the tail into a new snapshot. The document holds nothing that is not in rows when this is called.
    pub(crate) fn fold(&mut self, rows: &mut Rows) {
        self.text.fold(self.id, &self.tracks, rows);
    }

    /// An estimate of the memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let registers = self.registers.iter().map(|(name, writes)| {
            let values: usize = writes.iter().map(|write| write.value.len() + size_of::<Write>()).sum();
            (name.len() + values + 64) as u64
        });
        1024 + 64 * self.feeds.len() as u64 + registers.sum::<u64>() + 16 * self.tracks.len() as u64 + self.text.bytes()
    }
}

/// A `name` that lists can show and find.
fn name(writes: &[Write]) -> Option<String> {
    let value = &registers::shown(writes)?.value;
    let name: String = serde_json::from_slice(value).ok()?;
    (!name.is_empty() && name.len() <= NAME_SHOWN_BYTES_MAX && !name.contains('\0')).then_some(name)
}
