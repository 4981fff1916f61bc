//! The `yrs` document of one object: applies what `inspect` accepted, turns local operations into an update.
//!
//! The only file that names `yrs`. It counts UTF-16 units; this file converts, so that the rest of the crate counts
//! Unicode scalar values.

use std::collections::BTreeMap;

use bytes::Bytes;
use yrs::updates::decoder::Decode as _;
use yrs::{
    ClientID, Doc, GetString as _, OffsetKind, Options, ReadTxn as _, StateVector, Text as _, TextRef, Transact as _,
    Update,
};

use crate::edit::{self, TextOp};
use crate::error::EditRefusal;
use crate::ids::ROOT;
use crate::inspect::{self, CLOCK_END};

/// An update with no insertions, or a delete set with no deletions.
const NONE: &[u8] = &[0];

/// The two fields of a mutation that a local edit fills.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) inserts: Bytes,
    pub(crate) deletes: Bytes,
}

pub(crate) struct Document {
    doc: Doc,
    text: TextRef,
    client: u64,
    /// Positions (in scalar values) of the visible characters that take two UTF-16 units, rising; `None`: to be counted.
    wide: Option<Vec<u64>>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Document {
    /// An empty document in which local edits are made as `client`.
    pub(crate) fn new(client: u64) -> Self {
        let mut options = Options::with_guid_and_client_id("weft".into(), ClientID::new(client));
        options.offset_kind = OffsetKind::Utf16;
        options.skip_gc = true;
        options.cleanup_formatting = false;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text(ROOT);
        Self { doc, text, client, wide: Some(Vec::new()) }
    }

    /// Adds a snapshot that [`Document::snapshot`] made.
    pub(crate) fn restore(&mut self, snapshot: &[u8]) -> Result<(), String> {
        self.wide = None;
        self.integrate(snapshot)
    }

    /// Applies an accepted mutation's fields.
    pub(crate) fn apply(&mut self, inserts: &[u8], deletes: &[u8]) -> Result<(), String> {
        if !matches!(&self.wide, Some(wide) if wide.is_empty()) || has_wide(inserts) {
            self.wide = None;
        }
        self.integrate(&update(inserts, deletes))
    }

    /// Applies insertions and deletes them at once, so that what others wrote into them keeps its place.
    ///
    /// Spec: ECHO-5.3
    pub(crate) fn apply_hollow(&mut self, inserts: &[u8], client: u64, from: u32, to: u32) -> Result<(), String> {
        self.apply(inserts, &delete_set(client, from, to))
    }

    /// Takes up clocks of an entry that is not integrated, so that the session's next one continues in `yrs` too. A GC
    /// block stands in no text, and `inspect` refuses whatever refers to it.
    ///
    /// Spec: ECHO-5.4
    pub(crate) fn fill(&mut self, client: u64, from: u32, to: u32) -> Result<(), String> {
        self.integrate(&filling(client, from, to))
    }

    /// Spec: ECHO-4.5
    fn integrate(&mut self, update: &[u8]) -> Result<(), String> {
        let update = Update::decode_v1(update).map_err(|error| error.to_string())?;
        let mut transaction = self.doc.transact_mut();
        transaction.apply_update(update).map_err(|error| error.to_string())?;
        if transaction.has_missing_updates() {
            return Err("something of it is pending".into());
        }
        Ok(())
    }

    /// Runs operations as one transaction. On an error nothing has changed.
    ///
    /// Spec: ECHO-7.2
    pub(crate) fn edit(&mut self, ops: &[TextOp]) -> Result<Change, EditRefusal> {
        let wide = self.wide.get_or_insert_with(|| wide_positions(&self.text.get_string(&self.doc.transact())));
        let mut transaction = self.doc.transact_mut();
        let length = u64::from(self.text.len(&transaction)) - wide.len() as u64;
        edit::length_after(length, ops).map_err(|(index, length)| EditRefusal::OutOfBounds { index, length })?;
        let first_clock = transaction.state_vector().get(&ClientID::new(self.client));
        let typed: u64 = ops.iter().map(|op| op.insert.encode_utf16().count() as u64).sum();
        if u64::from(first_clock) + typed >= u64::from(CLOCK_END) - 1 {
            return Err(EditRefusal::Full);
        }
        for run in edit::runs(ops) {
            let (position, removed) = splice(wide, &run);
            if removed > 0 {
                self.text.remove_range(&mut transaction, position, removed);
            }
            self.text.insert(&mut transaction, position, &run.insert);
        }
        transaction.commit();
        let update = Bytes::from(transaction.encode_update_v1());
        let (inserts, deletes) = inspect::split(&update, self.client, first_clock)
            .expect("a local transaction inserts text as its own client");
        Ok(Change { inserts, deletes })
    }

    /// The whole document as a v1 update.
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    /// What a document with this state vector lacks, as a v1 update; with all deletions.
    pub(crate) fn difference(&self, vector: &BTreeMap<u64, u32>) -> Vec<u8> {
        let vector = vector.iter().map(|(client, clock)| (ClientID::new(*client), *clock)).collect();
        self.doc.transact().encode_state_as_update_v1(&StateVector::new(vector))
    }

    /// The clock that each client has reached.
    pub(crate) fn vector(&self) -> Vec<(u64, u32)> {
        let vector = self.doc.transact().state_vector();
        vector.iter().map(|(client, clock)| (client.get(), *clock)).collect()
    }

    /// The visible text.
    pub(crate) fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }
}

/// Converts a run to UTF-16 units and brings the positions of wide characters up to date.
fn splice(wide: &mut Vec<u64>, run: &TextOp) -> (u32, u32) {
    let first = wide.partition_point(|at| *at < run.position);
    let last = wide.partition_point(|at| *at < run.position + run.delete);
    let position = run.position + first as u64;
    let removed = run.delete + (last - first) as u64;
    let mut inserted = 0;
    let mut fresh = Vec::new();
    for c in run.insert.chars() {
        if c.len_utf16() == 2 {
            fresh.push(run.position + inserted);
        }
        inserted += 1;
    }
    for at in &mut wide[last..] {
        *at = *at - run.delete + inserted;
    }
    wide.splice(first..last, fresh);
    let unit = |count| u32::try_from(count).expect("a text is shorter than 2^31 units");
    (unit(position), unit(removed))
}

fn wide_positions(text: &str) -> Vec<u64> {
    (0u64..).zip(text.chars()).filter(|(_, c)| c.len_utf16() == 2).map(|(at, _)| at).collect()
}

/// Whether insertions may have a character of two units: its UTF-8 begins with 0xf0 to 0xf4. A number may look like
/// that too, which costs a recount and nothing else.
fn has_wide(inserts: &[u8]) -> bool {
    inserts
        .windows(4)
        .any(|four| four[0] >= 0xf0 && matches!(std::str::from_utf8(four), Ok(text) if text.chars().count() == 1))
}

/// The two fields of a mutation as one v1 update.
pub(crate) fn update(inserts: &[u8], deletes: &[u8]) -> Vec<u8> {
    let blocks = inserts.split_last().map_or(NONE, |(_, blocks)| blocks);
    [blocks, if deletes.is_empty() { NONE } else { deletes }].concat()
}

/// A GC block as a v1 update.
pub(crate) fn filling(client: u64, from: u32, to: u32) -> Vec<u8> {
    let mut update = vec![1, 1];
    for number in [client, u64::from(from), 0, u64::from(to - from), 0] {
        weft_wire::varint::write(number, &mut update);
    }
    update
}

/// A delete set of one range.
pub(crate) fn delete_set(client: u64, from: u32, to: u32) -> Vec<u8> {
    let mut set = vec![1];
    for number in [client, 1, u64::from(from), u64::from(to - from)] {
        weft_wire::varint::write(number, &mut set);
    }
    set
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

    use super::*;

    fn op(position: u64, delete: u64, insert: &str) -> TextOp {
        TextOp { position, delete, insert: insert.into() }
    }

    #[test]
    fn positions_are_scalar_values_whatever_the_width() {
        let mut document = Document::new(7);
        document.edit(&[op(0, 0, "a😀b𝄞c"), op(2, 0, "ß"), op(4, 1, "🦀🦀"), op(1, 1, "")]).unwrap();
        assert_eq!(document.text(), "aßb🦀🦀c");
        document.wide = None;
        document.edit(&[op(5, 1, "é"), op(4, 1, "")]).unwrap();
        assert_eq!(document.text(), "aßb🦀é");
        assert_eq!(
            document.edit(&[op(0, 1, ""), op(5, 0, "x")]),
            Err(EditRefusal::OutOfBounds { index: 1, length: 4 })
        );
        assert_eq!(document.text(), "aßb🦀é");
    }

    #[test]
    fn a_change_applied_elsewhere_gives_the_same_text() {
        let (mut here, mut there) = (Document::new(7), Document::new(8));
        for ops in [vec![op(0, 0, "hello 😀")], vec![op(1, 3, "")], vec![op(0, 1, "j"), op(4, 0, "!")]] {
            let change = here.edit(&ops).unwrap();
            there.apply(&change.inserts, &change.deletes).unwrap();
            assert_eq!(there.text(), here.text());
        }
        let mut restored = Document::new(9);
        restored.restore(&here.snapshot()).unwrap();
        assert_eq!(restored.text(), here.text());
        assert_eq!(there.edit(&[op(4, 0, "?")]).unwrap().deletes, Bytes::new());
    }

    #[test]
    fn filled_clocks_let_the_session_go_on() {
        let mut here = Document::new(7);
        let changes: Vec<Change> =
            ["one ", "two ", "three"].iter().map(|word| here.edit(&[op(0, 0, word)]).unwrap()).collect();
        let mut there = Document::new(8);
        there.apply(&changes[0].inserts, &[]).unwrap();
        there.fill(7, 4, 8).unwrap();
        let mut again = Document::new(8);
        again.restore(&there.snapshot()).unwrap();
        assert_eq!(again.text(), "one ");
        assert_eq!(again.doc.transact().state_vector().get(&ClientID::new(7)), 8);
    }
}
