//! A run: contiguous entries of one feed handled as one piece, as two byte strings (all headers, all bodies).
//!
//! Runs are how entries are stored, read and passed on. They are not part of what is signed: anybody may cut them anew.
//! A run is made by verification or by [`Run::new`], which checks its shape, so walking it cannot fail.
//!
//! Spec: FEED-4.1

use bytes::Bytes;
use weft_wire::frame::{FrameError, Framed};

use crate::{
    absent::Absent,
    kind,
    limits::{RUN_BYTES_MAX, RUN_ENTRIES_MAX},
    view::{HeaderError, HeaderView},
};

/// Why bytes are not a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No entry, or more than [`RUN_ENTRIES_MAX`].
    #[error("{count} entries in a run")]
    Count {
        /// How many there are; one too many when there are more.
        count: usize,
    },
    /// More than [`RUN_BYTES_MAX`] bytes in more than one entry.
    #[error("{count} entries take {bytes} bytes, a run of several at most {RUN_BYTES_MAX}")]
    TooLarge {
        /// How many entries there are.
        count: usize,
        /// Bytes of framed headers and bodies.
        bytes: usize,
    },
    /// The list of headers is broken.
    #[error("header list: {0}")]
    Frame(#[from] FrameError),
    /// A header is not one.
    #[error("header {index}: {error}")]
    Header {
        /// Which, from 0.
        index: usize,
        /// What is wrong with it.
        error: HeaderError,
    },
    /// A header names another place in the feed.
    #[error("entry {found} where {expected} should be")]
    Seq {
        /// The next one in order.
        expected: u64,
        /// What the header says.
        found: u64,
    },
    /// The bodies take more or fewer bytes than the headers say.
    #[error("bodies of {found} bytes where the headers say {expected}")]
    Bodies {
        /// The sum of the headers' body lengths, without absent ones.
        expected: u64,
        /// How many bytes there are.
        found: u64,
    },
    /// A body is marked absent that cannot be: of a control entry, an empty one, or of no entry.
    #[error("the body at index {index} cannot be absent")]
    Absent {
        /// The index.
        index: u32,
    },
}

/// Why a body cannot be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// The run does not hold this entry.
    #[error("entry {seq} is not in this run")]
    NotHere {
        /// The entry.
        seq: u64,
    },
    /// What membership is computed from lives for ever.
    #[error("entry {seq} is a control entry: its body cannot be erased")]
    Control {
        /// The entry.
        seq: u64,
    },
}

/// One entry of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its place in the feed.
    pub seq: u64,
    /// Its header as received.
    pub header: HeaderView<'a>,
    /// Its body as stored; none when it was erased or is not held.
    pub body: Option<&'a [u8]>,
}

/// What is known of an entry when it is put into a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// Bytes of the framed header.
    pub(crate) header_bytes: usize,
    /// Bytes of the body in the list of bodies: 0 when it is absent.
    pub(crate) body_bytes: usize,
    pub(crate) has_deps: bool,
}

impl Mark {
    fn bytes(&self) -> usize {
        self.header_bytes + self.body_bytes
    }
}

/// Contiguous entries of one feed: at most 256, and at most 60 KiB or one larger entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    from: u64,
    count: u32,
    headers: Bytes,
    bodies: Bytes,
    absent: Absent,
    has_deps: bool,
}

impl Run {
    /// A run from bytes that somebody kept or sent. Checks the shape, not that the feed's key stands behind it.
    ///
    /// # Errors
    /// When the bytes are not `headers` and `bodies` of contiguous entries from `from` on, within the limits of a run.
    pub fn new(from: u64, headers: Bytes, bodies: Bytes, absent: Absent) -> Result<Self, RunError> {
        let (mut count, mut expected, mut has_deps) = (0, 0, false);
        for header in Framed::new(&headers) {
            if count == RUN_ENTRIES_MAX {
                return Err(RunError::Count { count: count + 1 });
            }
            let header = HeaderView::parse(header?).map_err(|error| RunError::Header { index: count, error })?;
            let seq = from.saturating_add(count as u64);
            if header.seq() != seq {
                return Err(RunError::Seq { expected: seq, found: header.seq() });
            }
            if !absent.contains(count as u32) {
                expected += header.body_len();
            } else if !erasable(&header) {
                return Err(RunError::Absent { index: count as u32 });
            }
            has_deps |= header.has_deps();
            count += 1;
        }
        if count == 0 {
            return Err(RunError::Count { count });
        }
        if let Some(index) = absent.iter().last().filter(|&index| index as usize >= count) {
            return Err(RunError::Absent { index });
        }
        if expected != bodies.len() as u64 {
            return Err(RunError::Bodies { expected, found: bodies.len() as u64 });
        }
        let bytes = headers.len() + bodies.len();
        if count > 1 && bytes > RUN_BYTES_MAX {
            return Err(RunError::TooLarge { count, bytes });
        }
        Ok(Self { from, count: count as u32, headers, bodies, absent, has_deps })
    }

    /// The first entry.
    #[must_use]
    pub fn from(&self) -> u64 {
        self.from
    }

    /// One past the last entry.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.from + u64::from(self.count)
    }

    /// How many entries there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The headers, each preceded by its length.
    #[must_use]
    pub fn headers(&self) -> &Bytes {
        &self.headers
    }

    /// The bodies that are held, one after another.
    #[must_use]
    pub fn bodies(&self) -> &Bytes {
        &self.bodies
    }

    /// Which bodies are not held, counted from [`Run::from`].
    #[must_use]
    pub fn absent(&self) -> &Absent {
        &self.absent
    }

    /// Bytes of headers and held bodies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.headers.len() + self.bodies.len()
    }

    /// Whether any entry names heads of other feeds.
    #[must_use]
    pub fn has_deps(&self) -> bool {
        self.has_deps
    }

    /// The entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut bodies: &[u8] = &self.bodies;
        self.views().enumerate().map(move |(index, header)| {
            let body = (!self.absent.contains(index as u32)).then(|| {
                let (body, rest) = bodies.split_at(header.body_len() as usize);
                bodies = rest;
                body
            });
            Entry { seq: header.seq(), header, body }
        })
    }

    fn views(&self) -> impl Iterator<Item = HeaderView<'_>> {
        Framed::new(&self.headers)
            .map(|header| HeaderView::parse(header.expect("checked when made")).expect("checked when made"))
    }

    /// One entry, if it is in this run.
    #[must_use]
    pub fn entry(&self, seq: u64) -> Option<Entry<'_>> {
        let index = seq.checked_sub(self.from)?;
        self.entries().nth(usize::try_from(index).ok()?)
    }

    /// A held body, sharing the run's memory. `body` must come from an entry of this run.
    #[must_use]
    pub fn share(&self, body: &[u8]) -> Bytes {
        self.bodies.slice_ref(body)
    }

    /// The entries from `from` to before `to`, sharing this run's memory.
    ///
    /// # Panics
    /// When the piece is empty or not within the run.
    #[must_use]
    pub fn slice(&self, from: u64, to: u64) -> Self {
        assert!(self.from <= from && from < to && to <= self.end(), "a slice lies within its run");
        if from == self.from && to == self.end() {
            return self.clone();
        }
        let marks = self.marks();
        let (start, stop) = ((from - self.from) as usize, (to - self.from) as usize);
        let before = total(&marks[..start]);
        let within = total(&marks[start..stop]);
        Self {
            from,
            count: (stop - start) as u32,
            headers: self.headers.slice(before.0..before.0 + within.0),
            bodies: self.bodies.slice(before.1..before.1 + within.1),
            absent: self.absent.window(start as u32, stop as u32),
            has_deps: marks[start..stop].iter().any(|mark| mark.has_deps),
        }
    }

    /// Several contiguous runs as one: for a store that joins the small pieces of the live path.
    ///
    /// # Errors
    /// When they do not follow one another, or would be more than a run may be.
    pub fn concat(runs: &[Self]) -> Result<Self, RunError> {
        let count: usize = runs.iter().map(|run| run.count as usize).sum();
        if count == 0 || count > RUN_ENTRIES_MAX {
            return Err(RunError::Count { count });
        }
        let bytes = runs.iter().map(Self::bytes).sum();
        if count > 1 && bytes > RUN_BYTES_MAX {
            return Err(RunError::TooLarge { count, bytes });
        }
        for pair in runs.windows(2) {
            if pair[0].end() != pair[1].from {
                return Err(RunError::Seq { expected: pair[0].end(), found: pair[1].from });
            }
        }
        let from = runs[0].from;
        Ok(Self {
            from,
            count: count as u32,
            headers: join(runs.iter().map(Self::headers)),
            bodies: join(runs.iter().map(Self::bodies)),
            absent: absent_of(runs),
            has_deps: runs.iter().any(Self::has_deps),
        })
    }

    /// The run without the body of one data entry. The feed still verifies: the header commits to the body's hash.
    ///
    /// # Errors
    /// When the entry is not here or is a control entry.
    ///
    /// Spec: FEED-4.3
    pub fn erase(&self, seq: u64) -> Result<Self, EraseError> {
        let entry = self.entry(seq).ok_or(EraseError::NotHere { seq })?;
        if entry.header.kind() == kind::CONTROL {
            return Err(EraseError::Control { seq });
        }
        let Some(body) = entry.body.filter(|body| !body.is_empty()) else {
            return Ok(self.clone());
        };
        let index = (seq - self.from) as usize;
        let start = total(&self.marks()[..index]).1;
        let mut run = self.clone();
        run.bodies = [&self.bodies[..start], &self.bodies[start + body.len()..]].concat().into();
        run.absent.insert(index as u32);
        Ok(run)
    }

    fn marks(&self) -> Vec<Mark> {
        self.entries()
            .map(|entry| Mark {
                header_bytes: framed_bytes(entry.header.bytes().len()),
                body_bytes: entry.body.map_or(0, <[u8]>::len),
                has_deps: entry.header.has_deps(),
            })
            .collect()
    }
}

/// Whether the body of such an entry may be missing.
///
/// Spec: FEED-4.3
pub(crate) fn erasable(header: &HeaderView<'_>) -> bool {
    header.kind() != kind::CONTROL && header.body_len() > 0
}

/// The indices of absent bodies of contiguous runs, counted from the first.
pub(crate) fn absent_of(runs: &[Run]) -> Absent {
    let Some(first) = runs.first() else { return Absent::NONE };
    let index = |run: &Run, at: u32| (run.from - first.from) as u32 + at;
    runs.iter().flat_map(|run| run.absent.iter().map(move |at| index(run, at))).collect()
}

/// Cuts checked entries into runs. `take_bodies` gives the next so many bytes of the bodies.
pub(crate) fn split(
    from: u64,
    headers: &Bytes,
    absent: &Absent,
    marks: &[Mark],
    mut take_bodies: impl FnMut(usize) -> Bytes,
) -> Vec<Run> {
    let mut runs = Vec::new();
    let (mut at, mut header_at) = (0, 0);
    while at < marks.len() {
        let count = fitting(&marks[at..]);
        let taken = &marks[at..at + count];
        let (header_bytes, body_bytes) = total(taken);
        runs.push(Run {
            from: from + at as u64,
            count: count as u32,
            headers: headers.slice(header_at..header_at + header_bytes),
            bodies: take_bodies(body_bytes),
            absent: absent.window(at as u32, (at + count) as u32),
            has_deps: taken.iter().any(|mark| mark.has_deps),
        });
        at += count;
        header_at += header_bytes;
    }
    runs
}

/// How many of these entries make the next run; at least one.
fn fitting(marks: &[Mark]) -> usize {
    let mut bytes = 0;
    let fits = marks.iter().take(RUN_ENTRIES_MAX).take_while(|mark| {
        bytes += mark.bytes();
        bytes <= RUN_BYTES_MAX
    });
    fits.count().max(1)
}

fn total(marks: &[Mark]) -> (usize, usize) {
    marks.iter().fold((0, 0), |sum, mark| (sum.0 + mark.header_bytes, sum.1 + mark.body_bytes))
}

/// Bytes of a header with its length in front.
pub(crate) fn framed_bytes(header_bytes: usize) -> usize {
    weft_wire::varint::len(header_bytes as u64) + header_bytes
}

/// Several byte strings as one; the same one when the others are empty.
pub(crate) fn join<'a>(pieces: impl Iterator<Item = &'a Bytes> + Clone) -> Bytes {
    let mut filled = pieces.clone().filter(|piece| !piece.is_empty());
    match (filled.next(), filled.next()) {
        (None, _) => Bytes::new(),
        (Some(only), None) => only.clone(),
        _ => pieces
            .fold(Vec::new(), |mut all, piece| {
                all.extend_from_slice(piece);
                all
            })
            .into(),
    }
}
