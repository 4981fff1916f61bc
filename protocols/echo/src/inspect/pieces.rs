//! Takes what a session of ours sends apart: a Yjs v1 update, as a Yjs document gives it out, becomes the fields of one
//! or more mutations.
//!
//! A Yjs document writes one update however large it is, puts its deletions in an order of its own, and is sent again when
//! no answer came. So what the session has said before is left out, deletions are put in order, and what does not fit
//! one entry is cut. Whether the result may stand is for [`super::shape`] and [`super::Shape::judge`] to say, as for anybody's.
//!
//! Spec: ECHO-7.7

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use weft_wire::varint;

use super::{Block, Range, Refusal, scan};
use crate::document::Change;
use crate::ids::ROOT;

/// A mutation of a session carries about this much at most.
const PIECE_BYTES: usize = 256 << 10;
/// What a block takes at most beside its text: info, two ids of 13 bytes, a length.
const BLOCK_BYTES: usize = 40;
/// What a deleted range takes at most: a client id, a count, two clocks.
const RANGE_BYTES: usize = 20;

/// What is new in an update.
#[derive(Debug)]
pub(crate) struct News<'a> {
    client: u64,
    known: u32,
    blocks: Vec<Block<'a>>,
    deletes: BTreeMap<u64, Vec<(u32, u32)>>,
}

/// Reads an update of the session with this client id, which has reached the clock `known`.
///
/// # Errors
/// When it is no update, has another client's insertions or other content than text, or leaves clocks out.
pub(crate) fn read(update: &[u8], client: u64, known: u32) -> Result<News<'_>, Refusal> {
    let mut scan = scan::Scan::new(update);
    let mut blocks = Vec::new();
    if update.first() == Some(&0) {
        scan = scan::Scan::after(update, 1);
    } else {
        let begins = |found: u64| match u32::try_from(found) {
            Ok(clock) if clock <= known => Ok(clock),
            _ => Err(Refusal::Clock { expected: known, found }),
        };
        scan::blocks_from(&mut scan, client, begins, |block| {
            if block.end > known {
                blocks.push(rest(block, client, known)?);
            }
            Ok(())
        })?;
    }
    let mut deletes: BTreeMap<u64, Vec<(u32, u32)>> = BTreeMap::new();
    scan::any_deletes(&mut scan, |Range { client, from, to }| {
        if from < to {
            deletes.entry(client).or_default().push((from, to));
        }
    })?;
    deletes.values_mut().for_each(join);
    Ok(News { client, known, blocks, deletes })
}

/// What of a block the session has not said before.
fn rest(block: Block<'_>, client: u64, known: u32) -> Result<Block<'_>, Refusal> {
    if block.clock >= known {
        return Ok(block);
    }
    let (mut units, mut at) = (0, 0);
    for c in block.text.chars() {
        if block.clock + units >= known {
            break;
        }
        units += c.len_utf16() as u32;
        at += c.len_utf8();
    }
    if block.clock + units != known {
        // The cut would go through a character: nothing that was acknowledged ends there.
        return Err(Refusal::Clock { expected: known, found: u64::from(block.clock) });
    }
    Ok(Block { clock: known, left: Some((client, known - 1)), text: &block.text[at..], ..block })
}

/// Puts ranges in order; those that touch or overlap become one.
fn join(ranges: &mut Vec<(u32, u32)>) {
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges.drain(..) {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    *ranges = joined;
}

impl News<'_> {
    /// All of it as one `inserts` and one `deletes` field, however large.
    pub(crate) fn whole(&self) -> Change {
        let mut inserts = Inserts::new(self.client, self.known);
        self.blocks.iter().for_each(|block| inserts.push(block.left, block.right, block.text));
        Change { inserts: inserts.finish(), deletes: deletes(self.ranges()) }
    }

    /// The same as mutations that fit an entry with room for `bytes_max`: the insertions in their order, then the deletions.
    pub(crate) fn pieces(&self, bytes_max: usize) -> VecDeque<Change> {
        let room = PIECE_BYTES.min(bytes_max / 4).max(2 * BLOCK_BYTES);
        let mut pieces = VecDeque::new();
        let mut inserts = Inserts::new(self.client, self.known);
        for Block { clock, left, right, text, .. } in &self.blocks {
            let (mut left, mut text, mut clock) = (*left, *text, *clock);
            while !text.is_empty() {
                let left_over = room.saturating_sub(inserts.bytes.len() + BLOCK_BYTES);
                let (piece, after) = text.split_at(text.floor_char_boundary(left_over));
                if piece.is_empty() {
                    pieces.push_back(Change { inserts: inserts.finish(), deletes: Bytes::new() });
                    inserts = Inserts::new(self.client, clock);
                    continue;
                }
                inserts.push(left, *right, piece);
                clock += piece.chars().map(|c| c.len_utf16() as u32).sum::<u32>();
                (left, text) = (Some((self.client, clock - 1)), after);
            }
        }
        if inserts.count > 0 {
            pieces.push_back(Change { inserts: inserts.finish(), deletes: Bytes::new() });
        }
        let ranges: Vec<_> = self.ranges().collect();
        for (number, ranges) in ranges.chunks((room / RANGE_BYTES).max(1)).enumerate() {
            let deletes = deletes(ranges.iter().copied());
            match pieces.back_mut() {
                // What is typed over something takes its place in one mutation.
                Some(last) if number == 0 => last.deletes = deletes,
                _ => pieces.push_back(Change { inserts: Bytes::new(), deletes }),
            }
        }
        pieces
    }

    fn ranges(&self) -> impl Iterator<Item = (u64, u32, u32)> {
        self.deletes.iter().flat_map(|(client, ranges)| ranges.iter().map(|(from, to)| (*client, *from, *to)))
    }
}

/// An `inserts` field that is being written.
struct Inserts {
    client: u64,
    first_clock: u32,
    count: u64,
    bytes: Vec<u8>,
}

impl Inserts {
    fn new(client: u64, first_clock: u32) -> Self {
        Self { client, first_clock, count: 0, bytes: Vec::new() }
    }

    fn push(&mut self, left: Option<(u64, u32)>, right: Option<(u64, u32)>, text: &str) {
        self.count += 1;
        let out = &mut self.bytes;
        let flag = |there: bool, flag: u8| if there { flag } else { 0 };
        out.push(scan::STRING | flag(left.is_some(), scan::HAS_ORIGIN) | flag(right.is_some(), scan::HAS_RIGHT_ORIGIN));
        for (client, clock) in left.into_iter().chain(right) {
            varint::write(client, out);
            varint::write(u64::from(clock), out);
        }
        if left.is_none() && right.is_none() {
            varint::write(1, out);
            string(ROOT, out);
        }
        string(text, out);
    }

    fn finish(self) -> Bytes {
        if self.count == 0 {
            return Bytes::new();
        }
        let mut out = Vec::with_capacity(self.bytes.len() + 32);
        for number in [1, self.count, self.client, u64::from(self.first_clock)] {
            varint::write(number, &mut out);
        }
        out.extend_from_slice(&self.bytes);
        out.push(0);
        out.into()
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    varint::write(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// A `deletes` field of ranges in order.
fn deletes(ranges: impl Iterator<Item = (u64, u32, u32)>) -> Bytes {
    let mut clients: Vec<(u64, Vec<(u32, u32)>)> = Vec::new();
    for (client, from, to) in ranges {
        match clients.last_mut() {
            Some((last, ranges)) if *last == client => ranges.push((from, to)),
            _ => clients.push((client, vec![(from, to)])),
        }
    }
    if clients.is_empty() {
        return Bytes::new();
    }
    let mut out = Vec::new();
    varint::write(clients.len() as u64, &mut out);
    for (client, ranges) in clients {
        varint::write(client, &mut out);
        varint::write(ranges.len() as u64, &mut out);
        for (from, to) in ranges {
            varint::write(u64::from(from), &mut out);
            varint::write(u64::from(to - from), &mut out);
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

    use super::*;
    use crate::inspect;

    /// One block of `text` at the beginning, and deletions as a Yjs document writes them: clients falling, ranges as they came.
    fn update(client: u64, first: u32, text: &str, gone: &[(u64, &[(u32, u32)])]) -> Vec<u8> {
        let mut inserts = Inserts::new(client, first);
        inserts.push(None, None, text);
        let mut out = inserts.finish().to_vec();
        out.pop();
        varint::write(gone.len() as u64, &mut out);
        for (client, ranges) in gone {
            varint::write(*client, &mut out);
            varint::write(ranges.len() as u64, &mut out);
            for (from, length) in *ranges {
                varint::write(u64::from(*from), &mut out);
                varint::write(u64::from(*length), &mut out);
            }
        }
        out
    }

    #[test]
    fn deletions_in_any_order_become_a_well_formed_field() {
        let update = update(7, 0, "ab", &[(9, &[(4, 2), (0, 3), (2, 1)]), (3, &[(0, 1), (5, 0)])]);
        let change = read(&update, 7, 0).unwrap().whole();
        assert_eq!(change.deletes, Bytes::from_static(&[2, 3, 1, 0, 1, 9, 2, 0, 3, 4, 2]));
        assert_eq!(inspect::shape(&change.inserts, &change.deletes, 7, 0).unwrap().end_clock, 2);
    }

    #[test]
    fn what_was_said_before_is_left_out() {
        let update = update(7, 3, "a🦀bc", &[]);
        let clocks = |known| {
            let change = read(&update, 7, known).unwrap().whole();
            (!change.inserts.is_empty()).then(|| inspect::shape(&change.inserts, &[], 7, known).unwrap().end_clock)
        };
        assert_eq!([3, 4, 6, 7].map(clocks), [Some(8); 4]);
        assert_eq!([8, 100].map(clocks), [None, None]);
        assert_eq!(read(&update, 7, 5).unwrap_err(), Refusal::Clock { expected: 5, found: 3 });
        assert_eq!(read(&update, 7, 2).unwrap_err(), Refusal::Clock { expected: 2, found: 3 });
        assert_eq!(read(&update, 8, 3).unwrap_err(), Refusal::ForeignClient { expected: 8, found: 7 });
    }

    #[test]
    fn a_large_update_is_cut_between_characters() {
        let text: String = "aß🦀".repeat(100);
        let gone: Vec<(u32, u32)> = (0..50).map(|n| (3 * n, 1)).collect();
        let update = update(7, 0, &text, &[(7, &gone)]);
        let news = read(&update, 7, 0).unwrap();
        let pieces = news.pieces(400);
        assert!(pieces.len() > 10);
        let (mut clock, mut characters) = (0, 0);
        for piece in &pieces {
            assert!(piece.inserts.len() + piece.deletes.len() <= 400, "{} bytes", piece.inserts.len());
            let shape = inspect::shape(&piece.inserts, &piece.deletes, 7, clock).unwrap();
            shape
                .blocks(|block| {
                    characters += block.text.chars().count();
                    Ok(())
                })
                .unwrap();
            clock = shape.end_clock;
        }
        assert_eq!((clock, characters), (400, 300));
        assert_eq!(news.pieces(1 << 20), [news.whole()]);
    }
}
