//! The frames of `specs/proto/replication.proto`: their constants, how ours are made, how the fields of theirs are read.

use bytes::Bytes;
use weft_crypto::{FeedId, Head, Root};
use weft_feed::{Range, Run, Tree, limits};
use weft_wire::{
    frame,
    replication::{self as wire, frame::Kind},
};

use crate::{error::Violation, io::Number};

/// The version of this protocol. Spec: REPLICATION-3.1
pub const VERSION: u32 = 1;
/// What a frame costs beside its bytes, so that tiny frames cannot take more memory than they pay for. Spec: REPLICATION-6.1
pub const FRAME_COST: u64 = 256;
/// The smallest window: a largest range fits while an eighth of the window is not given back yet. Spec: REPLICATION-6.2
pub const WINDOW_MIN: u64 = 6 << 20;
/// Holdings in one `Have`. Spec: REPLICATION-4.2
pub const HOLDINGS_MAX: usize = 16_384;
/// Bytes of a holding: feed, length, root.
const HOLDING_BYTES: usize = 32 + 8 + 32;
/// Bytes of the bodies in one of our `Bodies` frames.
const BODIES_BYTES: usize = 1 << 20;
/// The most that may go in one frame: headers and bodies, with room for the other fields.
const INLINE_MAX: usize = 1 << 20;
/// More than any `Range` or `Bodies` frame of ours has beside headers and bodies.
const FRAME_OVERHEAD: u64 = 1 << 10;

/// How much of a feed somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) length: u64,
    pub(crate) root: Root,
}

impl From<&Head> for Point {
    fn from(head: &Head) -> Self {
        Self { length: head.length, root: head.root }
    }
}

/// The reasons of `Refused` as numbers. Spec: REPLICATION-5.4
pub(crate) mod refused {
    pub(crate) const NOT_HELD: u32 = 1;
    pub(crate) const CONTRADICTS: u32 = 2;
    pub(crate) const DAMAGED: u32 = 3;
    pub(crate) const RULE: u32 = 4;
    pub(crate) const AS_ASKED: u32 = 5;
}

pub(crate) fn encode(kind: Kind) -> Bytes {
    frame::encode(&wire::Frame { kind: Some(kind) })
}

/// Spec: REPLICATION-10.1
pub(crate) fn presence(space: Number, epoch: Bytes, sealed: Bytes) -> Bytes {
    encode(Kind::Presence(wire::Presence { space, epoch, sealed }))
}

pub(crate) fn hello(window: u64) -> Bytes {
    encode(Kind::Hello(wire::Hello { version: VERSION, credit: window }))
}

/// `Have` frames for all of `held`, the last one saying so if this is the first list. Spec: REPLICATION-4.2
pub(crate) fn haves(space: Number, held: &[(FeedId, Point)], first_list: bool) -> Vec<Bytes> {
    let pages = held.len().div_ceil(HOLDINGS_MAX).max(usize::from(first_list));
    let mut chunks = held.chunks(HOLDINGS_MAX);
    (1..=pages)
        .map(|page| {
            let mut holdings = Vec::new();
            for (feed, point) in chunks.next().unwrap_or_default() {
                holdings.extend_from_slice(feed.as_bytes());
                holdings.extend_from_slice(&point.length.to_le_bytes());
                holdings.extend_from_slice(point.root.as_bytes());
            }
            let complete = first_list && page == pages;
            encode(Kind::Have(wire::Have { space, holdings: holdings.into(), complete }))
        })
        .collect()
}

/// The holdings of a `Have`. Nothing is allocated for what they claim.
pub(crate) fn holdings(bytes: &[u8]) -> Result<impl Iterator<Item = (FeedId, Point)> + '_, Violation> {
    if !bytes.len().is_multiple_of(HOLDING_BYTES) || bytes.len() > HOLDINGS_MAX * HOLDING_BYTES {
        return Err(Violation::Holdings { bytes: bytes.len() });
    }
    Ok(bytes.chunks_exact(HOLDING_BYTES).map(|holding| {
        let (feed, rest) = holding.split_first_chunk::<32>().expect("a chunk of 72 bytes");
        let (length, root) = rest.split_first_chunk::<8>().expect("a chunk of 72 bytes");
        let root = root.try_into().expect("a chunk of 72 bytes");
        let point = Point { length: u64::from_le_bytes(*length), root: Root::from_bytes(root) };
        (FeedId::from_bytes(*feed), point)
    }))
}

pub(crate) fn want(space: Number, feed: FeedId, base: Option<(&Head, &Tree)>) -> Bytes {
    encode(Kind::Want(wire::Want {
        space,
        feed: id(feed),
        from: base.map_or(0, |(head, _)| head.length),
        head: base.map_or_else(Bytes::new, |(head, _)| head.encode()),
        tree: base.map_or_else(Bytes::new, |(_, tree)| tree.encode()),
    }))
}

/// What a `Want` goes on from; none when it begins at the beginning. Spec: REPLICATION-5.1
pub(crate) fn want_base(want: &wire::Want, feed: FeedId) -> Result<Option<(Head, Tree)>, Violation> {
    if want.from == 0 {
        let empty = want.head.is_empty() && want.tree.is_empty();
        return if empty { Ok(None) } else { Err(Violation::Base { feed }) };
    }
    let head = Head::decode(&want.head).map_err(|_| Violation::Base { feed })?;
    let tree = Tree::decode(&want.tree).map_err(|_| Violation::Base { feed })?;
    let fits = head.feed == feed
        && head.length == want.from
        && tree.length() == want.from
        && head.byte_length == tree.byte_length()
        && head.root == tree.root();
    if fits { Ok(Some((head, tree))) } else { Err(Violation::Base { feed }) }
}

pub(crate) fn stop(space: Number, feed: FeedId) -> Bytes {
    encode(Kind::Stop(wire::Stop { space, feed: id(feed) }))
}

pub(crate) fn credit(bytes: u64) -> Bytes {
    encode(Kind::Credit(wire::Credit { bytes }))
}

pub(crate) fn contradiction(space: Number, head: &Head) -> Bytes {
    encode(Kind::Contradiction(wire::Contradiction { space, head: head.encode() }))
}

pub(crate) fn refusal(space: Number, feed: FeedId, from: u64, reason: u32) -> Bytes {
    encode(Kind::Refused(wire::Refused { space, feed: id(feed), from, reason, rule: String::new() }))
}

/// What the receiver's window is charged for a `Range` or `Bodies` frame with this payload. Spec: REPLICATION-6.1
pub(crate) fn cost(payload: u64) -> u64 {
    payload + FRAME_COST
}

/// The most that [`range`] can cost for this much.
pub(crate) fn range_cost_max(size: Size) -> u64 {
    // Two batches that follow one another are together larger than one frame takes.
    let frames = 2 + 2 * size.bodies / BODIES_BYTES;
    (size.headers + size.bodies) as u64 + frames as u64 * (FRAME_COST + FRAME_OVERHEAD)
}

/// How large entries are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub(crate) entries: u64,
    pub(crate) headers: usize,
    pub(crate) bodies: usize,
}

impl Size {
    pub(crate) fn of(runs: &[Run]) -> Self {
        runs.iter().fold(Self::default(), |size, run| {
            let run =
                Self { entries: u64::from(run.count()), headers: run.headers().len(), bodies: run.bodies().len() };
            size.plus(run)
        })
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            headers: self.headers + other.headers,
            bodies: self.bodies + other.bodies,
        }
    }

    /// Whether one range may hold this. Spec: REPLICATION-7.1
    pub(crate) fn is_a_range(self) -> bool {
        (1..=limits::RANGE_ENTRIES_MAX as u64).contains(&self.entries)
            && self.headers <= limits::RANGE_HEADER_BYTES_MAX
            && self.bodies as u64 <= limits::RANGE_BODY_BYTES_MAX
    }
}

/// One range as frames, and what they cost together. Bodies are never cut. Spec: REPLICATION-7.1
pub(crate) fn range(space: Number, feed: FeedId, head: &Head, runs: &[Run], inline_max: usize) -> (Vec<Bytes>, u64) {
    let size = Size::of(runs);
    debug_assert!(size.is_a_range(), "{size:?} is no range");
    let inline = size.headers + size.bodies <= inline_max.min(INLINE_MAX);
    let Range { from, head, headers, bodies, absent } = Range::from_runs(*head, runs);
    let (inlined, following) = if inline { (join(&bodies), Vec::new()) } else { (Bytes::new(), batches(&bodies)) };
    let first = wire::Range {
        space,
        feed: id(feed),
        from,
        head: head.encode(),
        headers,
        bodies: inlined,
        absent: absent.to_bits(),
        inline,
    };
    let following = following
        .into_iter()
        .map(|batch| Kind::Bodies(wire::Bodies { space, feed: id(feed), from, bodies: join(batch) }));
    let mut total = 0;
    let frames = std::iter::once(Kind::Range(first))
        .chain(following)
        .map(|kind| {
            let message = wire::Frame { kind: Some(kind) };
            total += cost(prost::Message::encoded_len(&message) as u64);
            frame::encode(&message)
        })
        .collect();
    debug_assert!(total <= range_cost_max(size), "a range costs {total} and {size:?} was covered");
    (frames, total)
}

/// Pieces of bodies that go into one frame: as many as fit, or one larger one.
fn batches(mut pieces: &[Bytes]) -> Vec<&[Bytes]> {
    let mut batches = Vec::new();
    while !pieces.is_empty() {
        let mut bytes = 0;
        let fits = pieces.iter().take_while(|piece| {
            bytes += piece.len();
            bytes <= BODIES_BYTES
        });
        let (batch, rest) = pieces.split_at(fits.count().max(1));
        batches.push(batch);
        pieces = rest;
    }
    batches
}

fn join(pieces: &[Bytes]) -> Bytes {
    match pieces {
        [] => Bytes::new(),
        [only] => only.clone(),
        _ => pieces.concat().into(),
    }
}

fn id(feed: FeedId) -> Bytes {
    Bytes::copy_from_slice(feed.as_bytes())
}
