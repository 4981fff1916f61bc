//! The text of an open object: its document, the tail of mutations since the snapshot, and when to fold it.

use bytes::Bytes;
use weft_crypto::{FeedId, ObjectId};

use super::{Place, Rows, put, remove};
use crate::config::Config;
use crate::document::{Change, Document};
use crate::edit::TextOp;
use crate::error::{EditRefusal, Quarantine};
use crate::inspect;
use crate::message::Mutation;
use crate::reach::{Step, Tracks};
use crate::rows::{self, ClockTrack, Clocks, RowError, Tail};
use crate::tables::{self, Part};

/// A snapshot is kept in pieces of this size.
const PIECE_BYTES: usize = 256 << 10;

/// Bytes of a tail row beside its update.
const TAIL_ROW_BYTES: u64 = 96;

/// The clocks that a mutation takes up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) client: u64,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

#[derive(Debug)]
enum Held {
    /// Nothing was ever written; made when something is.
    Nothing,
    Open(Document),
    /// Holds what the rows do not say (a failed write): unusable until the object is opened again.
    Dropped,
}

/// What is in the store: a snapshot, pages of the clock index, a tail.
#[derive(Debug, Default)]
struct Stored {
    snapshot_pieces: u64,
    snapshot_bytes: u64,
    clock_pages: u64,
    tail_first: u64,
    tail_next: u64,
    tail_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Text {
    client: u64,
    held: Held,
    stored: Stored,
    /// Steps of the tail that no page of the clock index has yet.
    unpaged: Vec<(u64, Step, u32)>,
}

impl Text {
    pub(crate) fn new(client: u64) -> Self {
        Self { client, held: Held::Nothing, stored: Stored::default(), unpaged: Vec::new() }
    }

    pub(crate) fn adopt(&mut self, document: Document) {
        self.held = Held::Open(document);
    }

    /// `None` when it was dropped.
    fn document(&mut self) -> Option<&mut Document> {
        if matches!(self.held, Held::Nothing) {
            self.held = Held::Open(Document::new(self.client));
        }
        match &mut self.held {
            Held::Open(document) => Some(document),
            Held::Nothing | Held::Dropped => None,
        }
    }

    /// Brings an accepted mutation's text into the document and the rows.
    #[allow(clippy::too_many_arguments, reason = "the parts of one object that a mutation's text touches")]
    pub(super) fn integrate(
        &mut self,
        object: ObjectId,
        tracks: &mut Tracks,
        place: &Place<'_>,
        mutation: &Mutation,
        span: Span,
        hollow: bool,
        local: bool,
        rows: &mut Rows,
    ) -> Result<(), Quarantine> {
        let deletes = if hollow { Bytes::new() } else { mutation.deletes.clone() };
        if mutation.inserts.is_empty() && deletes.is_empty() {
            return Ok(());
        }
        if !local && let Some(document) = self.document() {
            let applied = if hollow {
                document.apply_hollow(&mutation.inserts, span.client, span.from, span.to)
            } else {
                document.apply(&mutation.inserts, &deletes)
            };
            if let Err(error) = applied {
                self.held = Held::Dropped;
                return Err(Quarantine::Document(error));
            }
        }
        let state = if hollow { Tail::HOLLOW } else { Tail::SHOWN };
        self.push(object, tracks, place, span, (state, mutation.inserts.clone(), deletes), rows);
        Ok(())
    }

    /// Takes up the clocks of a mutation that is not integrated.
    pub(super) fn leave_out(
        &mut self,
        object: ObjectId,
        tracks: &mut Tracks,
        place: &Place<'_>,
        span: Span,
        rows: &mut Rows,
    ) {
        if span.from == span.to {
            return;
        }
        if let Some(document) = self.document()
            && document.fill(span.client, span.from, span.to).is_err()
        {
            self.held = Held::Dropped;
        }
        self.push(object, tracks, place, span, (Tail::ABSENT, Bytes::new(), Bytes::new()), rows);
    }

    fn push(
        &mut self,
        object: ObjectId,
        tracks: &mut Tracks,
        place: &Place<'_>,
        span: Span,
        (state, inserts, deletes): (u32, Bytes, Bytes),
        rows: &mut Rows,
    ) {
        let tail = Tail {
            feed: Bytes::copy_from_slice(place.feed.as_bytes()),
            session: place.entry.session,
            seq: place.entry.seq,
            first_clock: span.from,
            end_clock: span.to,
            state,
            inserts,
            deletes,
        };
        put(rows, tables::OBJECT, tables::numbered(&object, Part::Tail, self.stored.tail_next), rows::encode(&tail));
        self.count(self.stored.tail_next, &tail, span.client, place.feed, tracks);
    }

    /// Enters a tail row's clocks and size.
    fn count(&mut self, number: u64, tail: &Tail, client: u64, feed: FeedId, tracks: &mut Tracks) {
        self.stored.tail_next = number + 1;
        self.stored.tail_bytes += TAIL_ROW_BYTES + (tail.inserts.len() + tail.deletes.len()) as u64;
        if tail.end_clock > tail.first_clock {
            let step = Step { seq: tail.seq, end: tail.end_clock, integrated: tail.state != Tail::ABSENT };
            tracks.push(client, feed, tail.session, step);
            self.unpaged.push((client, step, tail.first_clock));
        }
    }

    /// Takes a tail row from the store.
    pub(super) fn load_tail(
        &mut self,
        number: u64,
        tail: &Tail,
        client: u64,
        feed: FeedId,
        tracks: &mut Tracks,
    ) -> Result<(), RowError> {
        if tail.end_clock < tail.first_clock
            || tail.first_clock != tracks.end(client)
            || tracks.is_taken(client, &feed, tail.session)
        {
            return Err(RowError::new("tail", "clocks that do not continue"));
        }
        if self.stored.tail_bytes == 0 {
            self.stored.tail_first = number;
        }
        let document = self.document().expect("a text that is being loaded is not dropped");
        replay(document, tail, client)?;
        self.count(number, tail, client, feed, tracks);
        Ok(())
    }

    /// Takes the whole snapshot from the store.
    pub(super) fn load_snapshot(&mut self, pieces: &[&Bytes]) -> Result<(), RowError> {
        let snapshot: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        self.stored.snapshot_pieces = pieces.len() as u64;
        self.stored.snapshot_bytes = snapshot.len() as u64;
        let document = self.document().expect("a text that is being loaded is not dropped");
        document.restore(&snapshot).map_err(|error| RowError::new("snapshot", error))
    }

    /// A page of the clock index was loaded.
    pub(super) fn loaded_clocks(&mut self, number: u64) {
        self.stored.clock_pages = number + 1;
    }

    pub(super) fn edit(&mut self, ops: &[TextOp]) -> Result<Change, EditRefusal> {
        self.document().ok_or(EditRefusal::Damaged)?.edit(ops)
    }

    pub(super) fn drop_document(&mut self) {
        self.held = Held::Dropped;
    }

    pub(super) fn is_dropped(&self) -> bool {
        matches!(self.held, Held::Dropped)
    }

    pub(super) fn is_fold_due(&self, config: &Config) -> bool {
        let Stored { tail_first, tail_next, tail_bytes, snapshot_bytes, .. } = self.stored;
        let outgrown = tail_next - tail_first >= config.tail_entries_max || tail_bytes >= config.tail_bytes_max;
        outgrown && tail_bytes.saturating_mul(config.tail_share) >= snapshot_bytes
    }

    /// Writes the document as a snapshot and the tail's clocks as a page; the tail goes.
    ///
    /// Spec: ECHO-8.3
    pub(super) fn fold(&mut self, object: ObjectId, tracks: &Tracks, rows: &mut Rows) {
        if self.stored.tail_next == self.stored.tail_first {
            return;
        }
        let Some(document) = self.document() else { return };
        let snapshot = Bytes::from(document.snapshot());
        let pieces = snapshot.len().div_ceil(PIECE_BYTES);
        for number in 0..pieces {
            let piece = snapshot.slice(number * PIECE_BYTES..snapshot.len().min((number + 1) * PIECE_BYTES));
            put(rows, tables::OBJECT, tables::numbered(&object, Part::Snapshot, number as u64), piece);
        }
        let stored = &mut self.stored;
        for number in pieces as u64..stored.snapshot_pieces {
            remove(rows, tables::OBJECT, tables::numbered(&object, Part::Snapshot, number));
        }
        for number in stored.tail_first..stored.tail_next {
            remove(rows, tables::OBJECT, tables::numbered(&object, Part::Tail, number));
        }
        (stored.snapshot_pieces, stored.snapshot_bytes) = (pieces as u64, snapshot.len() as u64);
        (stored.tail_first, stored.tail_bytes) = (stored.tail_next, 0);
        if !self.unpaged.is_empty() {
            put(
                rows,
                tables::OBJECT,
                tables::numbered(&object, Part::Clocks, stored.clock_pages),
                rows::encode(&page(&self.unpaged, tracks)),
            );
            stored.clock_pages += 1;
            self.unpaged.clear();
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        // A block of yrs takes about three times what it takes encoded; steps of the tail 24.
        3 * (self.stored.snapshot_bytes + self.stored.tail_bytes) + 24 * self.unpaged.len() as u64
    }
}

/// Brings a tail row's text into a document.
pub(crate) fn replay(document: &mut Document, tail: &Tail, client: u64) -> Result<(), RowError> {
    if tail.state != Tail::ABSENT {
        // Rows are ours, but yrs trusts what it is given: damage must not reach it.
        let shape = inspect::shape(&tail.inserts, &tail.deletes, client, tail.first_clock);
        if shape.map(|shape| shape.end_clock) != Ok(tail.end_clock) {
            return Err(RowError::new("tail", "an update that was never accepted"));
        }
    }
    match tail.state {
        Tail::SHOWN => document.apply(&tail.inserts, &tail.deletes),
        Tail::HOLLOW => document.apply_hollow(&tail.inserts, client, tail.first_clock, tail.end_clock),
        Tail::ABSENT if tail.end_clock > tail.first_clock => document.fill(client, tail.first_clock, tail.end_clock),
        _ => return Err(RowError::new("tail", "an unknown state")),
    }
    .map_err(|error| RowError::new("tail", error))
}

fn page(steps: &[(u64, Step, u32)], tracks: &Tracks) -> Clocks {
    let mut page: Vec<(u64, u64, ClockTrack)> = Vec::new();
    for (client, step, first_clock) in steps {
        let clocks = 2 * u64::from(step.end - first_clock) + u64::from(!step.integrated);
        if let Some((_, seq, track)) = page.iter_mut().find(|(other, _, _)| other == client) {
            track.seqs.push(step.seq - *seq);
            track.clocks.push(clocks);
            *seq = step.seq;
            continue;
        }
        let owner = tracks.owner(*client).expect("a step's session is known");
        let feed = Bytes::copy_from_slice(owner.feed.as_bytes());
        let track =
            ClockTrack { feed, session: owner.session, seqs: vec![step.seq], clocks: vec![clocks], from: *first_clock };
        page.push((*client, step.seq, track));
    }
    Clocks { tracks: page.into_iter().map(|(_, _, track)| track).collect() }
}
