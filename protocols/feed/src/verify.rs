//! Verification of a range: headers first, against the signed root, then each body against its hash as it arrives.
//!
//! Nothing is signed or looked up per entry; an entry costs three hashes and the walk over its header. What is held
//! before the root is proved is bounded by the size of a range's headers.
//!
//! ```text
//! tree ──► verify_headers(range's headers, head) ──► PendingBodies ──push(bodies)…──► finish ──► VerifiedRange
//! ```
//!
//! Spec: FEED-5.1

use bytes::Bytes;
use weft_crypto::Head;
use weft_wire::frame::Framed;

use crate::{
    absent::Absent,
    error::Violation,
    hashes, kind,
    limits::{RANGE_BODY_BYTES_MAX, RANGE_ENTRIES_MAX, RANGE_HEADER_BYTES_MAX},
    range::{Origin, Range, VerifiedRange},
    run::{self, Mark},
    tree::Tree,
    view::HeaderView,
};

/// Verifies a range all at once, on top of `tree`.
///
/// # Errors
/// The first rule that it breaks. Nothing is changed.
pub fn verify_range(tree: &Tree, origin: &Origin, range: &Range) -> Result<VerifiedRange, Violation> {
    let mut pending = verify_headers(tree, origin, range.from, &range.head, &range.headers, &range.absent)?;
    for bodies in &range.bodies {
        pending.push(bodies)?;
    }
    pending.finish()
}

/// Verifies the headers of a range on top of `tree`: shape, order, sizes, root and signature.
///
/// # Errors
/// The first rule that they break.
pub fn verify_headers(
    tree: &Tree,
    origin: &Origin,
    from: u64,
    head: &Head,
    headers: &Bytes,
    absent: &Absent,
) -> Result<PendingBodies, Violation> {
    let count = bounds(tree, origin, from, head, headers, absent)?;
    let mut walk = Walk { origin, absent, tree: tree.clone(), bodies: 0, entries: Vec::with_capacity(count) };
    for header in Framed::new(headers) {
        let seq = from + walk.entries.len() as u64;
        if walk.entries.len() == count {
            return Err(Violation::HeaderCount { expected: count as u64, found: count as u64 + 1 });
        }
        walk.entry(seq, header.map_err(|error| Violation::HeaderList { seq, error })?)?;
    }
    if walk.entries.len() != count {
        return Err(Violation::HeaderCount { expected: count as u64, found: walk.entries.len() as u64 });
    }
    proved(&walk.tree, origin, head)?;
    let mut pending = PendingBodies {
        from,
        head: *head,
        tree: walk.tree,
        headers: headers.clone(),
        absent: *absent,
        entries: walk.entries,
        next: 0,
        pieces: Vec::new(),
    };
    pending.skip_bodiless();
    Ok(pending)
}

/// What can be refused before a byte is hashed. Gives the number of entries.
fn bounds(
    tree: &Tree,
    origin: &Origin,
    from: u64,
    head: &Head,
    headers: &Bytes,
    absent: &Absent,
) -> Result<usize, Violation> {
    if head.feed != origin.feed {
        return Err(Violation::OtherFeed { expected: origin.feed, found: head.feed });
    }
    if from != tree.length() {
        return Err(Violation::NotContiguous { expected: tree.length(), found: from });
    }
    if head.length <= from {
        return Err(Violation::Empty { from, length: head.length });
    }
    let count = head.length - from;
    if count > RANGE_ENTRIES_MAX as u64 {
        return Err(Violation::TooManyEntries { count });
    }
    if headers.len() > RANGE_HEADER_BYTES_MAX {
        return Err(Violation::HeadersTooLarge { bytes: headers.len() });
    }
    if let Some(index) = absent.iter().last().filter(|&index| u64::from(index) >= count) {
        return Err(crate::absent::AbsentError::Beyond { index, count: count as u32 }.into());
    }
    Ok(count as usize)
}

/// Whether the head says of itself what the tree is, and the feed's key says so too.
fn proved(tree: &Tree, origin: &Origin, head: &Head) -> Result<(), Violation> {
    if head.byte_length != tree.byte_length() {
        return Err(Violation::ByteLength { signed: head.byte_length, found: tree.byte_length() });
    }
    let found = tree.root();
    if head.root != found {
        return Err(Violation::Root { signed: head.root, found });
    }
    head.verify(&origin.feed_key).map_err(|_| Violation::Signature { length: head.length })
}

/// An entry whose header is read and whose body is not.
#[derive(Clone, Copy, Debug)]
struct Expected {
    mark: Mark,
    body_hash: [u8; 32],
}

struct Walk<'a> {
    origin: &'a Origin,
    absent: &'a Absent,
    tree: Tree,
    bodies: u64,
    entries: Vec<Expected>,
}

impl Walk<'_> {
    fn entry(&mut self, seq: u64, bytes: &[u8]) -> Result<(), Violation> {
        let header = HeaderView::parse(bytes).map_err(|error| Violation::Header { seq, error })?;
        if header.seq() != seq {
            return Err(Violation::Seq { expected: seq, found: header.seq() });
        }
        if !kind::fits(header.kind(), self.origin.purpose) {
            return Err(Violation::Kind { seq, kind: header.kind(), purpose: self.origin.purpose });
        }
        if header.has_deps() && header.deps().any(|dep| dep.feed == self.origin.feed) {
            return Err(Violation::DepOnItself { seq });
        }
        let absent = self.absent.contains(self.entries.len() as u32);
        if absent && !run::erasable(&header) {
            return Err(Violation::NotErasable { seq });
        }
        if header.body_len() == 0 {
            check_body(seq, header.body_hash(), &[])?;
        }
        self.bodies += header.body_len();
        if self.bodies > RANGE_BODY_BYTES_MAX {
            return Err(Violation::BodiesTooLarge { seq });
        }
        self.tree.push(hashes::leaf(bytes), bytes.len() as u64 + header.body_len());
        let mark = Mark {
            header_bytes: run::framed_bytes(bytes.len()),
            body_bytes: if absent { 0 } else { header.body_len() as usize },
            has_deps: header.has_deps(),
        };
        self.entries.push(Expected { mark, body_hash: *header.body_hash() });
        Ok(())
    }
}

fn check_body(seq: u64, expected: &[u8; 32], body: &[u8]) -> Result<(), Violation> {
    let found = hashes::body_hash(body);
    if found == *expected { Ok(()) } else { Err(Violation::Body { seq, expected: *expected, found }) }
}

/// A range whose headers are proved and whose bodies are arriving.
#[derive(Clone, Debug)]
pub struct PendingBodies {
    from: u64,
    head: Head,
    tree: Tree,
    headers: Bytes,
    absent: Absent,
    entries: Vec<Expected>,
    /// The first entry whose body is still to come.
    next: usize,
    pieces: Vec<Bytes>,
}

impl PendingBodies {
    /// Takes the next bodies: one or several whole ones. After an error the range is lost.
    ///
    /// # Errors
    /// When a body is cut, is not what its header commits to, or is none.
    pub fn push(&mut self, bodies: &Bytes) -> Result<(), Violation> {
        let mut rest: &[u8] = bodies;
        while !rest.is_empty() {
            let Some(expected) = self.entries.get(self.next) else {
                return Err(Violation::BodiesBeyond { bytes: rest.len() });
            };
            let seq = self.from + self.next as u64;
            let len = expected.mark.body_bytes;
            let (body, after) = rest.split_at_checked(len).ok_or(Violation::BodyCut {
                seq,
                expected: len as u64,
                found: rest.len() as u64,
            })?;
            check_body(seq, &expected.body_hash, body)?;
            rest = after;
            self.next += 1;
            self.skip_bodiless();
        }
        if !bodies.is_empty() {
            self.pieces.push(bodies.clone());
        }
        Ok(())
    }

    /// Whether every body is here that is to come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.next == self.entries.len()
    }

    /// Bytes of bodies still to come.
    #[must_use]
    pub fn missing_bytes(&self) -> usize {
        self.entries[self.next..].iter().map(|entry| entry.mark.body_bytes).sum()
    }

    /// The signed head that the range ends at.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The range, cut into runs.
    ///
    /// # Errors
    /// When bodies are missing.
    pub fn finish(self) -> Result<VerifiedRange, Violation> {
        if !self.is_complete() {
            return Err(Violation::BodiesMissing { seq: self.from + self.next as u64 });
        }
        let marks: Vec<Mark> = self.entries.iter().map(|entry| entry.mark).collect();
        let mut pieces = Pieces(self.pieces.into_iter().collect());
        let runs = run::split(self.from, &self.headers, &self.absent, &marks, |bytes| pieces.take(bytes));
        Ok(VerifiedRange::new(self.from, self.head, self.tree, runs))
    }

    fn skip_bodiless(&mut self) {
        while self.entries.get(self.next).is_some_and(|entry| entry.mark.body_bytes == 0) {
            self.next += 1;
        }
    }
}

/// Bodies in the pieces they came in. What lies within one piece is shared, what spans several is copied.
struct Pieces(std::collections::VecDeque<Bytes>);

impl Pieces {
    fn take(&mut self, bytes: usize) -> Bytes {
        let mut parts = Vec::new();
        let mut missing = bytes;
        while missing > 0 {
            let front = self.0.front_mut().expect("all bodies are here");
            let part = front.split_to(missing.min(front.len()));
            if front.is_empty() {
                self.0.pop_front();
            }
            missing -= part.len();
            parts.push(part);
        }
        run::join(parts.iter())
    }
}
