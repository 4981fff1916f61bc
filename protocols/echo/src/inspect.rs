//! Reads every byte of an update before `yrs` sees it.
//!
//! `yrs` reserves memory for counts it was told, nests as deep as it is told, keeps what it cannot place yet, and deletes
//! what does not exist yet; a hostile update uses each of these. So this reader accepts exactly what an honest session
//! of ours writes: insertions of text by one client that continue its clock, deletions of ranges, and references to
//! nothing but what the entry's causal past holds. (Whether two characters can have been neighbours is for `order` to say.)
//!
//! Two questions, two functions: [`shape`] needs the session's clock only and says whether an update is *well formed*
//! (then it moves the clock, whatever else is wrong with it); [`Shape::judge`] needs the causal past.
//!
//! Spec: ECHO-3.2, ECHO-4.1

pub(crate) mod pieces;
mod refusal;
mod scan;

use bytes::Bytes;

pub use refusal::Refusal;
use scan::Scan;

/// Clocks end below this: `yrs` computes with `i32` differences.
///
/// Spec: ECHO-3.5
pub const CLOCK_END: u32 = 1 << 31;

/// What a session has reached, as far as the causal past of the judged entry tells.
pub trait Reached {
    /// The clock that the session with this client id has reached; 0 for one that is not known.
    fn reached(&self, client: u64) -> u32;

    /// The first clock in `from..to` that belongs to an entry which was not integrated.
    fn absent(&self, client: u64, from: u32, to: u32) -> Option<u32>;
}

/// What an update is judged by.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The client id of the entry's session.
    pub client: u64,
    /// The end clock of that session's previous well-formed mutation of the object; 0 for the first.
    pub first_clock: u32,
    /// The causal past.
    pub past: &'a dyn Reached,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("client", &self.client)
            .field("first_clock", &self.first_clock)
            .finish_non_exhaustive()
    }
}

/// An accepted update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The session's clock after it.
    pub end_clock: u32,
}

/// Whether an update may be applied: a function of its bytes and of the causal past, never of the document.
///
/// # Errors
/// The first rule of section 3 (malformed) or 4 (acausal, stranded) that is broken.
pub fn inspect(inserts: &[u8], deletes: &[u8], context: &Context<'_>) -> Result<Inspected, Refusal> {
    let shape = shape(inserts, deletes, context.client, context.first_clock)?;
    shape.judge(context.past)?;
    Ok(Inspected { end_clock: shape.end_clock })
}

/// A well-formed update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape<'a> {
    inserts: &'a [u8],
    deletes: &'a [u8],
    /// The session's client id.
    pub client: u64,
    /// The session's clock before it.
    pub first_clock: u32,
    /// The session's clock after it.
    pub end_clock: u32,
}

/// Reads an update without its past.
///
/// # Errors
/// The first rule of section 3 that is broken; then the update moves no clock.
pub fn shape<'a>(inserts: &'a [u8], deletes: &'a [u8], client: u64, first_clock: u32) -> Result<Shape<'a>, Refusal> {
    let end_clock = scan::inserts(inserts, client, first_clock, |_| Ok(()))?;
    scan::deletes(deletes, |_| Ok(()))?;
    Ok(Shape { inserts, deletes, client, first_clock, end_clock })
}

/// The clock at which insertions begin, where the session has reached `reached`: there, or beyond a gap.
///
/// Spec: ECHO-3.4
pub(crate) fn begins(inserts: &[u8], reached: u32) -> u32 {
    scan::begins(inserts).map_or(reached, |clock| clock.max(reached))
}

impl Shape<'_> {
    /// Judges every reference by the causal past.
    ///
    /// # Errors
    /// The first reference to something that is not in the past, or that was not integrated.
    pub fn judge(&self, past: &dyn Reached) -> Result<(), Refusal> {
        self.blocks(|Block { clock: own, left, right, .. }| {
            for (client, clock) in left.into_iter().chain(right) {
                let reached = if client == self.client { own } else { past.reached(client) };
                if clock >= reached {
                    return Err(Refusal::OriginOutsideThePast { client, clock, reached });
                }
                check_integrated(past, Range { client, from: clock, to: clock + 1 })?;
            }
            Ok(())
        })?;
        scan::deletes(self.deletes, |range| {
            let Range { client, to: end, .. } = range;
            let reached = if client == self.client { self.end_clock } else { past.reached(client) };
            if end > reached {
                return Err(Refusal::DeleteOutsideThePast { client, end, reached });
            }
            check_integrated(past, range)
        })
    }

    /// Hands out the insertions in order.
    ///
    /// # Errors
    /// The first that `visit` gives.
    pub(crate) fn blocks(&self, visit: impl FnMut(Block<'_>) -> Result<(), Refusal>) -> Result<(), Refusal> {
        scan::inserts(self.inserts, self.client, self.first_clock, visit).map(drop)
    }
}

fn check_integrated(past: &dyn Reached, Range { client, from, to }: Range) -> Result<(), Refusal> {
    match past.absent(client, from, to) {
        Some(clock) => Err(Refusal::Stranded { client, clock }),
        None => Ok(()),
    }
}

/// A piece of text that is inserted between two characters; no neighbour: the beginning or the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    pub(crate) clock: u32,
    pub(crate) end: u32,
    pub(crate) left: Option<(u64, u32)>,
    pub(crate) right: Option<(u64, u32)>,
    pub(crate) text: &'a str,
}

/// Clocks of one client that are deleted.
#[derive(Clone, Copy, Debug)]
struct Range {
    client: u64,
    from: u32,
    to: u32,
}

/// Takes the update of a session's transaction apart into the two fields of a mutation, each empty where there is
/// nothing. The deletions are not read.
///
/// # Errors
/// When the insertions are not what [`shape`] accepts.
pub fn split(update: &Bytes, client: u64, first_clock: u32) -> Result<(Bytes, Bytes), Refusal> {
    const NONE: &[u8] = &[0];
    let mut scan = Scan::new(update);
    let inserts = if update.first() == Some(&0) {
        scan = Scan::after(update, 1);
        Bytes::new()
    } else {
        scan::blocks(&mut scan, client, first_clock, |_| Ok(()))?;
        Bytes::from([&update[..scan.at()], NONE].concat())
    };
    let deletes = update.slice(scan.at()..);
    Ok((inserts, if deletes == NONE { Bytes::new() } else { deletes }))
}

/// Puts any bytes through both readers, split at every place that the first byte names.
pub fn fuzz(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let (inserts, deletes) = rest.split_at(rest.len() * usize::from(*first) / 255);
    struct Everything;
    impl Reached for Everything {
        fn reached(&self, _: u64) -> u32 {
            CLOCK_END
        }
        fn absent(&self, _: u64, _: u32, _: u32) -> Option<u32> {
            None
        }
    }
    let _ = inspect(inserts, deletes, &Context { client: 1, first_clock: 0, past: &Everything });
}
