//! The grammar: one pass over the bytes, no allocation, every reference handed to the caller.

use super::{Block, CLOCK_END, Range, Refusal};
use crate::ids::{CLIENT_BITS, ROOT};

/// Flags and kind of a block's info byte.
pub(super) const HAS_ORIGIN: u8 = 0x80;
pub(super) const HAS_RIGHT_ORIGIN: u8 = 0x40;
pub(super) const STRING: u8 = 4;

/// The smallest block is an info byte, one origin (two bytes), a length and one character.
const BLOCK_BYTES_MIN: usize = 5;
/// The smallest client of a delete set is an id, a count and one range.
const DELETED_CLIENT_BYTES_MIN: usize = 4;
const RANGE_BYTES_MIN: usize = 2;

/// Reads an `inserts` field: nothing, or an update of one client with an empty delete set. Returns the end clock.
pub(super) fn inserts(
    bytes: &[u8],
    client: u64,
    first_clock: u32,
    visit: impl FnMut(Block<'_>) -> Result<(), Refusal>,
) -> Result<u32, Refusal> {
    if bytes.is_empty() {
        return Ok(first_clock);
    }
    let mut scan = Scan::new(bytes);
    let end = blocks(&mut scan, client, first_clock, visit)?;
    if scan.number()? != 0 {
        return Err(Refusal::DeletesAmongInserts);
    }
    scan.finish()?;
    Ok(end)
}

/// Reads the blocks of exactly one client, from this clock on.
pub(super) fn blocks<'a>(
    scan: &mut Scan<'a>,
    client: u64,
    first_clock: u32,
    visit: impl FnMut(Block<'a>) -> Result<(), Refusal>,
) -> Result<u32, Refusal> {
    let begins = |found| match u64::from(first_clock) == found {
        true => Ok(first_clock),
        false => Err(Refusal::Clock { expected: first_clock, found }),
    };
    blocks_from(scan, client, begins, visit)
}

/// Reads the blocks of exactly one client, from a first clock on that `begins` takes.
pub(super) fn blocks_from<'a>(
    scan: &mut Scan<'a>,
    client: u64,
    begins: impl FnOnce(u64) -> Result<u32, Refusal>,
    mut visit: impl FnMut(Block<'a>) -> Result<(), Refusal>,
) -> Result<u32, Refusal> {
    match scan.number()? {
        1 => {}
        found => return Err(Refusal::Clients { found }),
    }
    let count = scan.count(BLOCK_BYTES_MIN)?;
    if count == 0 {
        return Err(Refusal::Count { claimed: 0, left: scan.left().len() });
    }
    let found = scan.number()?;
    if found != client {
        return Err(Refusal::ForeignClient { expected: client, found });
    }
    let mut clock = begins(scan.number()?)?;
    for _ in 0..count {
        clock = block(scan, clock, &mut visit)?;
    }
    Ok(clock)
}

fn block<'a>(
    scan: &mut Scan<'a>,
    clock: u32,
    visit: &mut impl FnMut(Block<'a>) -> Result<(), Refusal>,
) -> Result<u32, Refusal> {
    let at = scan.at();
    let info = scan.byte()?;
    if info & !(HAS_ORIGIN | HAS_RIGHT_ORIGIN) != STRING {
        return Err(Refusal::Block { info, at });
    }
    let mut neighbour = |flag| if info & flag == 0 { Ok(None) } else { scan.id().map(Some) };
    let (left, right) = (neighbour(HAS_ORIGIN)?, neighbour(HAS_RIGHT_ORIGIN)?);
    if left.is_none() && right.is_none() {
        let at = scan.at();
        if scan.number()? != 1 || scan.string()? != ROOT.as_bytes() {
            return Err(Refusal::Parent { at });
        }
    }
    let at = scan.at();
    let text = std::str::from_utf8(scan.string()?).map_err(|_| Refusal::Text { at })?;
    let length = utf16_len(text);
    if length == 0 {
        return Err(Refusal::Text { at });
    }
    let end = advance(clock, length)?;
    visit(Block { clock, end, left, right, text })?;
    Ok(end)
}

/// The clock at which the insertions of an `inserts` field say they begin, if that can be read: nothing else is looked at.
pub(super) fn begins(bytes: &[u8]) -> Option<u32> {
    let mut scan = Scan::new(bytes);
    let clock = [(); 4].map(|()| scan.number().ok())[3]?;
    u32::try_from(clock).ok()
}

/// Reads a `deletes` field: nothing, or a delete set of at least one range.
pub(super) fn deletes(bytes: &[u8], mut visit: impl FnMut(Range) -> Result<(), Refusal>) -> Result<(), Refusal> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut scan = Scan::new(bytes);
    let mut previous = None;
    for _ in 0..scan.count(DELETED_CLIENT_BYTES_MIN)? {
        let client = scan.client()?;
        if previous.is_some_and(|previous| previous >= client) {
            return Err(Refusal::DeleteOrder { client });
        }
        previous = Some(client);
        ranges(&mut scan, client, &mut visit)?;
    }
    if previous.is_none() {
        return Err(Refusal::DeleteOrder { client: 0 });
    }
    scan.finish()
}

fn ranges(
    scan: &mut Scan<'_>,
    client: u64,
    visit: &mut impl FnMut(Range) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let count = scan.count(RANGE_BYTES_MIN)?;
    let mut end = 0;
    for _ in 0..count {
        let from = scan.clock()?;
        let length = scan.number()?;
        if from < end || length == 0 {
            return Err(Refusal::DeleteOrder { client });
        }
        end = advance(from, length)?;
        visit(Range { client, from, to: end })?;
    }
    if count == 0 {
        return Err(Refusal::DeleteOrder { client });
    }
    Ok(())
}

/// Reads a delete set in whatever order its writer has put it, and with nothing after it.
pub(super) fn any_deletes(scan: &mut Scan<'_>, mut visit: impl FnMut(Range)) -> Result<(), Refusal> {
    for _ in 0..scan.count(DELETED_CLIENT_BYTES_MIN)? {
        let client = scan.client()?;
        for _ in 0..scan.count(RANGE_BYTES_MIN)? {
            let from = scan.clock()?;
            let to = advance(from, scan.number()?)?;
            visit(Range { client, from, to });
        }
    }
    scan.finish()
}

fn advance(clock: u32, length: u64) -> Result<u32, Refusal> {
    let end = u64::from(clock).saturating_add(length);
    match u32::try_from(end) {
        Ok(clock) if clock < CLOCK_END => Ok(clock),
        _ => Err(Refusal::ClockTooHigh { end }),
    }
}

fn utf16_len(text: &str) -> u64 {
    if text.is_ascii() { text.len() as u64 } else { text.chars().map(|c| c.len_utf16() as u64).sum() }
}

/// A place in the bytes.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn after(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn left(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        let byte = *self.left().first().ok_or(Refusal::Truncated { at: self.at })?;
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, Refusal> {
        let at = self.at;
        let read = weft_wire::varint::read(self.left()).map_err(|_| Refusal::Number { at })?;
        let (number, used) = read.ok_or(Refusal::Truncated { at: self.bytes.len() })?;
        self.at += used;
        Ok(number)
    }

    fn client(&mut self) -> Result<u64, Refusal> {
        match self.number()? {
            client if client >> CLIENT_BITS == 0 => Ok(client),
            client => Err(Refusal::ClientTooWide { client }),
        }
    }

    fn id(&mut self) -> Result<(u64, u32), Refusal> {
        Ok((self.client()?, self.clock()?))
    }

    /// A clock that something stands at, so that one past it is still a clock.
    fn clock(&mut self) -> Result<u32, Refusal> {
        let clock = self.number()?;
        match u32::try_from(clock) {
            Ok(found) if found < CLOCK_END - 1 => Ok(found),
            _ => Err(Refusal::ClockTooHigh { end: clock }),
        }
    }

    /// A count of things that take at least `bytes_min` each.
    fn count(&mut self, bytes_min: usize) -> Result<u64, Refusal> {
        let claimed = self.number()?;
        let left = self.left().len();
        if claimed > (left / bytes_min) as u64 {
            return Err(Refusal::Count { claimed, left });
        }
        Ok(claimed)
    }

    fn string(&mut self) -> Result<&'a [u8], Refusal> {
        let claimed = self.number()?;
        let left = self.left();
        let length = usize::try_from(claimed).ok().filter(|length| *length <= left.len());
        let length = length.ok_or(Refusal::Count { claimed, left: left.len() })?;
        self.at += length;
        Ok(&left[..length])
    }

    fn finish(&self) -> Result<(), Refusal> {
        match self.left().len() {
            0 => Ok(()),
            bytes => Err(Refusal::Trailing { bytes }),
        }
    }
}
