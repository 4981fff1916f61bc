//! The one who writes a feed: puts entries under signed heads.
//!
//! What it gives is what a reader would have verified. It must be durable before it leaves the device: a writer that
//! forgets a head it has shown forks its own feed. So until the store has it, the caller keeps a [`Checkpoint`], and goes
//! back to it if the store fails.
//!
//! Spec: FEED-5.3

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use weft_crypto::{Dep, EpochId, FeedId, FeedSecret, Head, Manifest};
use weft_machine::ClaimedTime;
use weft_wire::varint;

use crate::{
    absent::Absent,
    hashes,
    header::Header,
    kind,
    limits::{LENGTH_MAX, RANGE_BODY_BYTES_MAX, RANGE_ENTRIES_MAX, RANGE_HEADER_BYTES_MAX},
    range::{Origin, VerifiedRange},
    run::{self, Mark},
    tree::Tree,
    view::{HeaderError, HeaderView},
};

/// An entry to write. Its place in the feed is the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// One of [`crate::kind`].
    pub kind: u32,
    /// Which document instance writes; 0 is the node itself.
    pub session: u64,
    /// The epoch that the body is sealed under.
    pub epoch: Option<EpochId>,
    /// The author's clock.
    pub claimed: ClaimedTime,
    /// Heads that changed since the previous entry ([`crate::acknowledged`]); in any order.
    pub deps: Vec<Dep>,
    /// The body as stored.
    pub body: Bytes,
}

impl NewEntry {
    /// A control entry.
    #[must_use]
    pub fn control(claimed: ClaimedTime, deps: Vec<Dep>, body: Bytes) -> Self {
        Self { kind: kind::CONTROL, session: 0, epoch: None, claimed, deps, body }
    }

    /// A merge entry: deps that did not fit into the next one.
    #[must_use]
    pub fn merge(claimed: ClaimedTime, deps: Vec<Dep>) -> Self {
        Self { kind: kind::MERGE, session: 0, epoch: None, claimed, deps, body: Bytes::new() }
    }
}

/// Why entries were not written. Nothing was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The header would break a rule of the format: a body or deps too large, an epoch missing.
    #[error("entry {index}: {error}")]
    Header {
        /// Which of the new entries, from 0.
        index: usize,
        /// The rule.
        error: HeaderError,
    },
    /// A kind that this feed does not carry.
    #[error("entry {index} of kind {kind} does not belong in this feed")]
    Kind {
        /// Which of the new entries, from 0.
        index: usize,
        /// Its kind.
        kind: u32,
    },
    /// A dep on this feed itself.
    #[error("entry {index} depends on its own feed")]
    DepOnItself {
        /// Which of the new entries, from 0.
        index: usize,
    },
    /// A dep that an earlier entry named, or had gone beyond.
    #[error("entry {index} depends on {} of {}, after {earlier} was named", .dep.length, .dep.feed)]
    DepNotNewer {
        /// Which of the new entries, from 0.
        index: usize,
        /// The dep.
        dep: Dep,
        /// The length that was named before.
        earlier: u64,
    },
    /// The feed is full.
    #[error("the feed has {LENGTH_MAX} entries, which is the most there can be")]
    Full,
}

/// The secret is not that of the manifest's feed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this secret does not sign for feed {feed}")]
pub struct WrongSecret {
    /// The feed.
    pub feed: FeedId,
}

/// Where a writer was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The feed's tree.
    pub tree: Tree,
    /// For each feed that its entries named in their deps, the length they named last.
    pub named: BTreeMap<FeedId, u64>,
}

/// Writes one feed.
#[derive(Debug)]
pub struct Writer {
    origin: Origin,
    secret: FeedSecret,
    state: Checkpoint,
}

impl Writer {
    /// A writer that goes on from `state`: an empty one for a new feed, else the stored tree and what
    /// [`crate::order::Order::named`] says of the feed.
    ///
    /// # Errors
    /// When the secret is not that of the manifest.
    pub fn new(manifest: &Manifest, secret: FeedSecret, state: Checkpoint) -> Result<Self, WrongSecret> {
        let origin = Origin::of(manifest);
        if secret.id() != origin.feed_key {
            return Err(WrongSecret { feed: origin.feed });
        }
        Ok(Self { origin, secret, state })
    }

    /// Gives the secret back: another writer goes on.
    #[must_use]
    pub fn into_secret(self) -> FeedSecret {
        self.secret
    }

    /// The feed.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many entries have been written.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.state.tree.length()
    }

    /// The feed's tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.state.tree
    }

    /// Where the writer is, to come back to.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.state.clone()
    }

    /// Forgets what was written since: the store did not keep it and nobody has seen it. Or goes on from a longer log of the
    /// same feed that came back from a peer.
    pub fn rollback(&mut self, checkpoint: Checkpoint) {
        self.state = checkpoint;
    }

    /// Writes entries in order: one signed head for all of them, or one for as many as a range may hold.
    ///
    /// # Errors
    /// When one of them breaks a rule. Then none is written.
    pub fn append(&mut self, entries: Vec<NewEntry>) -> Result<Vec<VerifiedRange>, AppendError> {
        let mut state = self.state.clone();
        let mut ranges = Vec::new();
        let mut draft = Draft::new(&state.tree);
        for (index, entry) in entries.into_iter().enumerate() {
            let has_deps = !entry.deps.is_empty();
            let (header, body) = self.header(&mut state, index, entry)?;
            if !draft.fits(header.len(), body.len()) {
                ranges.push(draft.sign(&state.tree, &self.origin, &self.secret));
                draft = Draft::new(&state.tree);
            }
            draft.add(&mut state.tree, &header, &body, has_deps);
        }
        if !draft.marks.is_empty() {
            ranges.push(draft.sign(&state.tree, &self.origin, &self.secret));
        }
        self.state = state;
        Ok(ranges)
    }

    /// The encoded header and the body of the next entry, checked as a reader would.
    fn header(&self, state: &mut Checkpoint, index: usize, entry: NewEntry) -> Result<(Vec<u8>, Bytes), AppendError> {
        if state.tree.length() == LENGTH_MAX {
            return Err(AppendError::Full);
        }
        if !kind::fits(entry.kind, self.origin.purpose) {
            return Err(AppendError::Kind { index, kind: entry.kind });
        }
        let mut header = Header {
            seq: state.tree.length(),
            kind: entry.kind,
            session: entry.session,
            epoch: entry.epoch,
            claimed: entry.claimed,
            deps: entry.deps,
            body_hash: hashes::body_hash(&entry.body),
            body_len: entry.body.len() as u64,
        };
        header.deps.sort_unstable_by_key(|dep| dep.feed);
        for dep in &header.deps {
            if dep.feed == self.origin.feed {
                return Err(AppendError::DepOnItself { index });
            }
            if let Some(earlier) = state.named.insert(dep.feed, dep.length)
                && earlier >= dep.length
            {
                return Err(AppendError::DepNotNewer { index, dep: *dep, earlier });
            }
        }
        let mut bytes = Vec::with_capacity(128 + header.deps.len() * 80);
        header.encode_into(&mut bytes);
        HeaderView::parse(&bytes).map_err(|error| AppendError::Header { index, error })?;
        Ok((bytes, entry.body))
    }
}

/// Entries under the head that is to be signed next.
struct Draft {
    from: u64,
    headers: Vec<u8>,
    bodies: BytesMut,
    marks: Vec<Mark>,
}

impl Draft {
    fn new(tree: &Tree) -> Self {
        Self { from: tree.length(), headers: Vec::new(), bodies: BytesMut::new(), marks: Vec::new() }
    }

    /// Whether one more entry keeps within a range. The first one always does.
    fn fits(&self, header_bytes: usize, body_bytes: usize) -> bool {
        self.marks.len() < RANGE_ENTRIES_MAX
            && self.headers.len() + run::framed_bytes(header_bytes) <= RANGE_HEADER_BYTES_MAX
            && (self.bodies.len() + body_bytes) as u64 <= RANGE_BODY_BYTES_MAX
    }

    fn add(&mut self, tree: &mut Tree, header: &[u8], body: &[u8], has_deps: bool) {
        tree.push(hashes::leaf(header), (header.len() + body.len()) as u64);
        varint::write(header.len() as u64, &mut self.headers);
        self.headers.extend_from_slice(header);
        self.bodies.extend_from_slice(body);
        self.marks.push(Mark { header_bytes: run::framed_bytes(header.len()), body_bytes: body.len(), has_deps });
    }

    fn sign(self, tree: &Tree, origin: &Origin, secret: &FeedSecret) -> VerifiedRange {
        let head = Head::sign(origin.feed, tree.length(), tree.byte_length(), tree.root(), secret);
        let mut bodies = self.bodies.freeze();
        let runs =
            run::split(self.from, &self.headers.into(), &Absent::NONE, &self.marks, |bytes| bodies.split_to(bytes));
        VerifiedRange::new(self.from, head, tree.clone(), runs)
    }
}
