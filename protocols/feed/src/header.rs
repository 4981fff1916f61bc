//! An entry's header as a value: what a writer fills in.
//!
//! Readers on the bulk path use [`HeaderView`] on the same bytes instead. Signed and hashed are always the bytes as
//! received, never a header written again.
//!
//! Spec: FEED-2.1

use bytes::Bytes;
use weft_crypto::{Dep, EpochId};
use weft_machine::ClaimedTime;
use weft_wire::varint;

use crate::view::{HeaderError, HeaderView};

/// What the tree commits to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The entry's place in its feed, from 0.
    pub seq: u64,
    /// One of [`crate::kind`].
    pub kind: u32,
    /// Which of the feed's document instances wrote it; 0 is the node itself. 0 in control and merge entries.
    pub session: u64,
    /// The epoch that the body is sealed under. There in mutations and records, nowhere else.
    pub epoch: Option<EpochId>,
    /// What the author says the time was.
    pub claimed: ClaimedTime,
    /// The heads of other feeds that changed for the author since its previous entry: ascending by feed, at most 512.
    pub deps: Vec<Dep>,
    /// The hash of the body as stored, also of an empty one.
    pub body_hash: [u8; 32],
    /// Bytes of the body as stored.
    pub body_len: u64,
}

impl Header {
    /// The one spelling of this header. It is not checked here: what breaks a rule, [`HeaderView::parse`] refuses.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(128 + self.deps.len() * 80);
        self.encode_into(&mut out);
        out.into()
    }

    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        put_number(1, self.seq, out);
        put_number(2, u64::from(self.kind), out);
        put_number(3, self.session, out);
        if let Some(epoch) = &self.epoch {
            put_hash(4, epoch.as_bytes(), out);
        }
        put_number(5, self.claimed.0, out);
        for dep in &self.deps {
            let length_bytes = if dep.length == 0 { 0 } else { 1 + varint::len(dep.length) };
            out.push(6 << 3 | 2);
            varint::write((34 + length_bytes + 34) as u64, out);
            put_hash(1, dep.feed.as_bytes(), out);
            put_number(2, dep.length, out);
            put_hash(3, dep.root.as_bytes(), out);
        }
        put_hash(7, &self.body_hash, out);
        put_number(8, self.body_len, out);
    }

    /// Reads a header strictly.
    ///
    /// # Errors
    /// The first rule that the bytes break.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        HeaderView::parse(bytes).map(Self::from)
    }
}

impl From<HeaderView<'_>> for Header {
    fn from(view: HeaderView<'_>) -> Self {
        Self {
            seq: view.seq(),
            kind: view.kind(),
            session: view.session(),
            epoch: view.epoch(),
            claimed: view.claimed(),
            deps: view.deps().collect(),
            body_hash: *view.body_hash(),
            body_len: view.body_len(),
        }
    }
}

/// A number field; a 0 is left out.
fn put_number(tag: u8, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        out.push(tag << 3);
        varint::write(value, out);
    }
}

fn put_hash(tag: u8, hash: &[u8; 32], out: &mut Vec<u8>) {
    out.extend_from_slice(&[tag << 3 | 2, 32]);
    out.extend_from_slice(hash);
}
