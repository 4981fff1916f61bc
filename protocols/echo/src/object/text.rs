//! The text of an open object: its document, the tail of mutations since the snapshot, and when to fold it.

use bytes::Bytes;
use weft_crypto::{FeedId, ObjectId, SpaceId};

use super::{Place, Rows, put, remove};
use crate::config::Config;
use crate::document::{self, Change, Document};
use crate::edit::TextOp;
use crate::error::{EditRefusal, Quarantine};
use crate::ids::client_id;
use crate::inspect::{self, Block, CLOCK_END, Refusal, Shape};
use crate::message::Mutation;
use crate::order::{Insertion, Journal, Order};
use crate::reach::{Step, Tracks};
use crate::rows::{self, ClockTrack, Clocks, OrderPiece, RowError, Tail};
use crate::tables::{self, Part};

/// A snapshot is kept in pieces of this size.
const PIECE_BYTES: usize = 256 << 10;

/// Bytes of a tail row beside its update.
const TAIL_ROW_BYTES: u64 = 96;

/// Spans of the order in one row: some 200 KiB.
const ORDER_PIECE_SPANS: usize = 16 << 10;

/// A mutation whose references lie in its past.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted<'a> {
    pub(super) place: Place<'a>,
    pub(super) mutation: &'a Mutation,
    pub(super) shape: Shape<'a>,
    pub(super) hollow: bool,
    /// Its text is in the document already.
    pub(super) local: bool,
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
    order_pieces: u64,
    tail_first: u64,
    tail_next: u64,
    tail_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Text {
    client: u64,
    held: Held,
    order: Order,
    stored: Stored,
    /// Steps of the tail that no page of the clock index has yet.
    unpaged: Vec<(u64, Step, u32)>,
    /// Entries of the tail that no page lists yet.
    unlisted: Vec<(FeedId, u64)>,
}

impl Text {
    pub(crate) fn new(client: u64) -> Self {
        Self {
            client,
            held: Held::Nothing,
            order: Order::default(),
            stored: Stored::default(),
            unpaged: Vec::new(),
            unlisted: Vec::new(),
        }
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

    /// Brings an accepted mutation's text into the order, the document and the rows.
    pub(super) fn integrate(
        &mut self,
        object: ObjectId,
        tracks: &mut Tracks,
        accepted: &Accepted<'_>,
        rows: &mut Rows,
    ) -> Result<(), Quarantine> {
        let Accepted { place, mutation, shape, hollow, local } = accepted;
        let deletes = if *hollow { Bytes::new() } else { mutation.deletes.clone() };
        let journal = self.arrange(shape)?;
        self.fill_gap(object, tracks, place, shape, rows);
        let tail = Tail {
            state: if *hollow { Tail::HOLLOW } else { Tail::SHOWN },
            inserts: mutation.inserts.clone(),
            deletes,
            ..tail(place, shape)
        };
        if !local
            && tail.has_text()
            && let Some(document) = self.document()
            && let Err(error) = apply(document, &tail, shape.client)
        {
            self.held = Held::Dropped;
            self.order.undo(journal);
            return Err(Quarantine::Document(error));
        }
        self.push(object, tracks, place, shape.client, &tail, rows);
        Ok(())
    }

    /// Places the insertions between their neighbours, all of them or none.
    ///
    /// Spec: ECHO-4.3
    fn arrange(&mut self, shape: &Shape<'_>) -> Result<Journal, Refusal> {
        let mut journal = Journal::default();
        let client = shape.client;
        let arranged = shape.blocks(|Block { clock, end, left, right, .. }| {
            let block = Insertion { id: (client, clock), len: end - clock, left, right };
            let inserted = self.order.insert(block, &mut journal);
            if inserted { Ok(()) } else { Err(Refusal::NotNeighbours { client, clock }) }
        });
        match arranged {
            Ok(()) => Ok(journal),
            Err(refusal) => {
                self.order.undo(journal);
                Err(refusal)
            }
        }
    }

    /// Whether the insertions can be placed. Nothing changes.
    ///
    /// Spec: ECHO-4.3
    pub(super) fn check(&mut self, shape: &Shape<'_>) -> Result<(), Refusal> {
        let journal = self.arrange(shape)?;
        self.order.undo(journal);
        Ok(())
    }

    /// Takes up the clocks of a mutation that is not integrated.
    pub(super) fn leave_out(
        &mut self,
        object: ObjectId,
        tracks: &mut Tracks,
        place: &Place<'_>,
        shape: &Shape<'_>,
        rows: &mut Rows,
    ) {
        self.fill_gap(object, tracks, place, shape, rows);
        let tail = Tail { state: Tail::ABSENT, ..tail(place, shape) };
        if let Some(document) = self.document()
            && apply(document, &tail, shape.client).is_err()
        {
            self.held = Held::Dropped;
        }
        self.push(object, tracks, place, shape.client, &tail, rows);
    }

    /// Takes up the clocks that the session has left out before a mutation: entries that nobody here could open, or that are
    /// sealed under no epoch that is known.
    ///
    /// Spec: ECHO-5.4
    fn fill_gap(
        &mut self,
        object: ObjectId,
        tracks: &mut Tracks,
        place: &Place<'_>,
        shape: &Shape<'_>,
        rows: &mut Rows,
    ) {
        let first_clock = tracks.end(shape.client);
        if shape.first_clock == first_clock {
            return;
        }
        let gap = Tail { state: Tail::GAP, first_clock, end_clock: shape.first_clock, ..tail(place, shape) };
        if let Some(document) = self.document()
            && apply(document, &gap, shape.client).is_err()
        {
            self.held = Held::Dropped;
        }
        self.push(object, tracks, place, shape.client, &gap, rows);
    }

    /// Writes one row for what a mutation did to the text, which also says that it was taken.
    ///
    /// Spec: ECHO-8.2
    fn push(
        &mut self,
        object: ObjectId,
        tracks: &mut Tracks,
        place: &Place<'_>,
        client: u64,
        tail: &Tail,
        rows: &mut Rows,
    ) {
        put(rows, tables::OBJECT, tables::numbered(&object, Part::Tail, self.stored.tail_next), rows::encode(tail));
        self.count(self.stored.tail_next, tail, client, place.feed, tracks);
    }

    /// Enters a tail row's clocks and size.
    fn count(&mut self, number: u64, tail: &Tail, client: u64, feed: FeedId, tracks: &mut Tracks) {
        self.stored.tail_next = number + 1;
        self.stored.tail_bytes += TAIL_ROW_BYTES + (tail.inserts.len() + tail.deletes.len()) as u64;
        if tail.state != Tail::GAP {
            self.unlisted.push((feed, tail.seq));
        }
        if tail.end_clock > tail.first_clock {
            let step = Step { seq: tail.seq, end: tail.end_clock, integrated: tail.stands() };
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
        let shape = check(tail, client)?;
        if tail.stands() {
            let _ = self.arrange(&shape).map_err(|error| RowError::new("tail", error))?;
        }
        if tail.has_text() {
            let document = self.document().expect("a text that is being loaded is not dropped");
            apply(document, tail, client).map_err(|error| RowError::new("tail", error))?;
        }
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

    /// Mutations below this number were folded.
    pub(super) fn loaded_fold(&mut self, number: u64) {
        (self.stored.tail_first, self.stored.tail_next) = (number, number);
    }

    /// Takes a piece of the order from the store.
    pub(super) fn load_order(&mut self, number: u64, piece: &OrderPiece) -> Result<(), RowError> {
        self.stored.order_pieces = number + 1;
        self.order.restore(piece)
    }

    /// A page of the clock index was loaded.
    pub(super) fn loaded_clocks(&mut self, number: u64) {
        self.stored.clock_pages = number + 1;
    }

    pub(super) fn edit(&mut self, ops: &[TextOp]) -> Result<Change, EditRefusal> {
        self.document().ok_or(EditRefusal::Damaged)?.edit(ops)
    }

    /// Whether the text, with what is on its way to the disk, is this one.
    pub(super) fn shows(&mut self, text: &str) -> bool {
        self.document().is_some_and(|document| document.text() == text)
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
        let snapshot = match &self.held {
            Held::Nothing => Bytes::new(),
            Held::Open(document) => document.snapshot().into(),
            Held::Dropped => return,
        };
        let pieces = snapshot.len().div_ceil(PIECE_BYTES);
        for number in 0..pieces {
            let piece = snapshot.slice(number * PIECE_BYTES..snapshot.len().min((number + 1) * PIECE_BYTES));
            put(rows, tables::OBJECT, tables::numbered(&object, Part::Snapshot, number as u64), piece);
        }
        self.order.compact();
        let mut order_pieces = 0;
        for piece in self.order.pieces(ORDER_PIECE_SPANS) {
            put(rows, tables::OBJECT, tables::numbered(&object, Part::Order, order_pieces), rows::encode(&piece));
            order_pieces += 1;
        }
        let stored = &mut self.stored;
        for number in order_pieces..stored.order_pieces {
            remove(rows, tables::OBJECT, tables::numbered(&object, Part::Order, number));
        }
        stored.order_pieces = order_pieces;
        for number in pieces as u64..stored.snapshot_pieces {
            remove(rows, tables::OBJECT, tables::numbered(&object, Part::Snapshot, number));
        }
        let folded = Bytes::copy_from_slice(&stored.tail_next.to_be_bytes());
        put(rows, tables::OBJECT, tables::part(&object, Part::Folded), folded);
        for number in stored.tail_first..stored.tail_next {
            remove(rows, tables::OBJECT, tables::numbered(&object, Part::Tail, number));
        }
        (stored.snapshot_pieces, stored.snapshot_bytes) = (pieces as u64, snapshot.len() as u64);
        (stored.tail_first, stored.tail_bytes) = (stored.tail_next, 0);
        let mut page = page(&self.unpaged, tracks);
        page.list(&self.unlisted);
        let key = tables::numbered(&object, Part::Clocks, stored.clock_pages);
        put(rows, tables::OBJECT, key, rows::encode(&page));
        stored.clock_pages += 1;
        self.unpaged.clear();
        self.unlisted.clear();
    }

    pub(super) fn bytes(&self) -> u64 {
        // A block of yrs takes about three times what it takes encoded; a step of the tail 24, a span of the order 96.
        3 * (self.stored.snapshot_bytes + self.stored.tail_bytes)
            + 24 * self.unpaged.len() as u64
            + 40 * self.unlisted.len() as u64
            + 96 * self.order.len() as u64
    }
}

/// Rows are ours, but `yrs` trusts what it is given: damage must not reach it.
fn check(tail: &Tail, client: u64) -> Result<Shape<'_>, RowError> {
    let damaged = || RowError::new("tail", "an update that was never accepted");
    let shape = inspect::shape(&tail.inserts, &tail.deletes, client, tail.first_clock).map_err(|_| damaged())?;
    let clocks = match tail.state {
        Tail::SHOWN => shape.end_clock == tail.end_clock,
        Tail::HOLLOW => shape.end_clock == tail.end_clock && tail.deletes.is_empty(),
        Tail::ABSENT | Tail::GAP => {
            tail.inserts.is_empty() && tail.deletes.is_empty() && tail.end_clock > tail.first_clock
        }
        _ => false,
    };
    if clocks && tail.end_clock < CLOCK_END { Ok(shape) } else { Err(damaged()) }
}

/// Brings a checked tail row's text into a document.
fn apply(document: &mut Document, tail: &Tail, client: u64) -> Result<(), String> {
    match tail.state {
        Tail::HOLLOW => document.apply_hollow(&tail.inserts, client, tail.first_clock, tail.end_clock),
        Tail::ABSENT | Tail::GAP => document.fill(client, tail.first_clock, tail.end_clock),
        _ => document.apply(&tail.inserts, &tail.deletes),
    }
}

/// A tail row as a Yjs v1 update.
pub(crate) fn update_of(tail: &Tail, client: u64) -> Result<Vec<u8>, RowError> {
    check(tail, client)?;
    let Tail { first_clock: from, end_clock: to, .. } = *tail;
    Ok(match tail.state {
        Tail::HOLLOW => document::update(&tail.inserts, &document::delete_set(client, from, to)),
        Tail::ABSENT | Tail::GAP => document::filling(client, from, to),
        _ => document::update(&tail.inserts, &tail.deletes),
    })
}

/// The document that all rows of an object make.
pub(crate) fn replayed(space: &SpaceId, rows: &[(Bytes, Bytes)]) -> Result<Document, RowError> {
    let of = |wanted: Part| {
        rows.iter()
            .filter(move |(key, _)| matches!(tables::parse_object_key(key), Some((_, part, _)) if part == wanted))
    };
    let mut document = Document::new(0);
    let snapshot: Vec<u8> = of(Part::Snapshot).flat_map(|(_, piece)| piece.iter().copied()).collect();
    if !snapshot.is_empty() {
        document.restore(&snapshot).map_err(|error| RowError::new("snapshot", error))?;
    }
    for (_, value) in of(Part::Tail) {
        let tail: Tail = rows::decode("tail", value)?;
        if !tail.has_text() {
            continue;
        }
        let feed = FeedId::from_bytes(rows::id(&tail.feed, "tail")?);
        let client = client_id(space, &feed, tail.session);
        check(&tail, client)?;
        apply(&mut document, &tail, client).map_err(|error| RowError::new("tail", error))?;
    }
    Ok(document)
}

/// What is the same in every tail row of an entry.
fn tail(place: &Place<'_>, shape: &Shape<'_>) -> Tail {
    Tail {
        feed: Bytes::copy_from_slice(place.feed.as_bytes()),
        session: place.entry.session,
        seq: place.entry.seq,
        first_clock: shape.first_clock,
        end_clock: shape.end_clock,
        ..Tail::default()
    }
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
    Clocks { tracks: page.into_iter().map(|(_, _, track)| track).collect(), ..Clocks::default() }
}
