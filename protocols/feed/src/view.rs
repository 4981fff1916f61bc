//! The strict reader of entry headers, without copies or allocation.
//!
//! A header is protobuf with one spelling only: fields in order, defaults left out, numbers in their shortest form, nothing
//! unknown. So what is hashed, what is read and what would be written again are always the same bytes, and two readers
//! can never see two different headers in them.
//!
//! Spec: FEED-2.1

use weft_crypto::{Dep, EpochId, FeedId, Root};
use weft_machine::ClaimedTime;
use weft_wire::varint;

use crate::{
    kind,
    limits::{BODY_BYTES_MAX, DEPS_MAX, HEADER_BYTES_MAX, LENGTH_MAX},
};

/// Why bytes are not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// More than [`HEADER_BYTES_MAX`] bytes.
    #[error("header of {bytes} bytes, at most {HEADER_BYTES_MAX} are allowed")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// The bytes end inside a field.
    #[error("header ends inside field {field}")]
    Truncated {
        /// The field's number; of a dep's fields, 6.
        field: u8,
    },
    /// A number is not in its shortest form or does not fit 64 bits.
    #[error("field {field} is not a number in its shortest form")]
    Number {
        /// The field's number.
        field: u8,
    },
    /// A field that holds its default is written out.
    #[error("field {field} is written although it holds its default")]
    DefaultWritten {
        /// The field's number.
        field: u8,
    },
    /// A hash or an id that is not 32 bytes.
    #[error("field {field} has {bytes} bytes instead of 32")]
    Width {
        /// The field's number.
        field: u8,
        /// How many bytes it claims.
        bytes: u64,
    },
    /// A field that must be there is not.
    #[error("field {field} is missing")]
    Missing {
        /// The field's number.
        field: u8,
    },
    /// A field that is unknown, out of order, of another wire type or there twice.
    #[error("unexpected byte {tag:#04x} where a field would start, at {offset}")]
    Unexpected {
        /// The byte found.
        tag: u8,
        /// Where, from the start of the header or of the dep.
        offset: usize,
    },
    /// A sequence number at or beyond [`LENGTH_MAX`].
    #[error("sequence number {seq} is beyond the largest feed")]
    SeqTooLarge {
        /// The number.
        seq: u64,
    },
    /// A kind that this version does not know.
    #[error("unknown kind {kind}")]
    UnknownKind {
        /// The number.
        kind: u64,
    },
    /// A body of more than [`BODY_BYTES_MAX`] bytes.
    #[error("body of {bytes} bytes, at most {BODY_BYTES_MAX} are allowed")]
    BodyTooLarge {
        /// How many it claims.
        bytes: u64,
    },
    /// A sealed entry without an epoch, or an entry in the clear with one.
    #[error("kind {kind} and its epoch do not go together")]
    Epoch {
        /// The entry's kind.
        kind: u32,
    },
    /// A session in an entry that no document edit can be in.
    #[error("kind {kind} has no session, found {session}")]
    Session {
        /// The entry's kind.
        kind: u32,
        /// The session.
        session: u64,
    },
    /// A merge entry with a body.
    #[error("a merge entry with a body of {bytes} bytes")]
    MergeBody {
        /// Its claimed size.
        bytes: u64,
    },
    /// More than [`DEPS_MAX`] deps.
    #[error("more than {DEPS_MAX} deps")]
    TooManyDeps,
    /// A dep of length 0 or beyond [`LENGTH_MAX`].
    #[error("dep of length {length}")]
    DepLength {
        /// The length.
        length: u64,
    },
    /// Deps that do not ascend by feed id; a feed named twice.
    #[error("deps do not ascend by feed, at {feed}")]
    DepOrder {
        /// The feed of the first dep out of order.
        feed: FeedId,
    },
}

/// A header read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderView<'a> {
    bytes: &'a [u8],
    seq: u64,
    kind: u32,
    session: u64,
    epoch: Option<&'a [u8; 32]>,
    claimed: u64,
    deps: &'a [u8],
    body_hash: &'a [u8; 32],
    body_len: u64,
}

impl<'a> HeaderView<'a> {
    /// Reads a header, refusing every spelling but the one that an honest writer writes.
    ///
    /// # Errors
    /// The first rule that the bytes break.
    ///
    /// Spec: FEED-2.1, FEED-2.3, FEED-2.4
    pub fn parse(bytes: &'a [u8]) -> Result<Self, HeaderError> {
        if bytes.len() > HEADER_BYTES_MAX {
            return Err(HeaderError::TooLarge { bytes: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        let seq = reader.number(1, 1)?;
        let kind = reader.number(2, 2)?;
        let session = reader.number(3, 3)?;
        let epoch = reader.hash(4, 4)?;
        let claimed = reader.number(5, 5)?;
        let deps = reader.deps()?;
        let body_hash = reader.hash(7, 7)?.ok_or(HeaderError::Missing { field: 7 })?;
        let body_len = reader.number(8, 8)?;
        reader.end()?;
        if seq >= LENGTH_MAX {
            return Err(HeaderError::SeqTooLarge { seq });
        }
        if body_len > BODY_BYTES_MAX {
            return Err(HeaderError::BodyTooLarge { bytes: body_len });
        }
        let kind = rules(kind, session, epoch.is_some(), body_len)?;
        Ok(Self { bytes, seq, kind, session, epoch, claimed, deps, body_hash, body_len })
    }

    /// The bytes as received: what is hashed.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The entry's place in its feed, from 0.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// One of [`crate::kind`].
    #[must_use]
    pub fn kind(&self) -> u32 {
        self.kind
    }

    /// Which of the feed's document instances wrote it; 0 is the node itself.
    #[must_use]
    pub fn session(&self) -> u64 {
        self.session
    }

    /// The epoch that the body is sealed under; none in control and merge entries.
    #[must_use]
    pub fn epoch(&self) -> Option<EpochId> {
        self.epoch.map(|bytes| EpochId::from_bytes(*bytes))
    }

    /// What the author says the time was. It gives no authority.
    #[must_use]
    pub fn claimed(&self) -> ClaimedTime {
        ClaimedTime(self.claimed)
    }

    /// Whether the author names any head of another feed. The bulk path asks only this.
    #[must_use]
    pub fn has_deps(&self) -> bool {
        !self.deps.is_empty()
    }

    /// The heads of other feeds that the author had seen since its previous entry, ascending by feed.
    pub fn deps(&self) -> impl Iterator<Item = Dep> + use<'a> {
        let mut reader = Reader::new(self.deps);
        std::iter::from_fn(move || reader.dep().expect("deps were checked by parse"))
    }

    /// The hash of the body as stored.
    #[must_use]
    pub fn body_hash(&self) -> &'a [u8; 32] {
        self.body_hash
    }

    /// Bytes of the body as stored.
    #[must_use]
    pub fn body_len(&self) -> u64 {
        self.body_len
    }
}

/// What goes together with which kind.
///
/// Spec: FEED-2.3
fn rules(kind: u64, session: u64, has_epoch: bool, body_len: u64) -> Result<u32, HeaderError> {
    let known = match kind {
        1 => kind::CONTROL,
        2 => kind::MUTATION,
        3 => kind::RECORD,
        4 => kind::MERGE,
        _ => return Err(HeaderError::UnknownKind { kind }),
    };
    let sealed = matches!(known, kind::MUTATION | kind::RECORD);
    if sealed != has_epoch {
        return Err(HeaderError::Epoch { kind: known });
    }
    if !sealed && session != 0 {
        return Err(HeaderError::Session { kind: known, session });
    }
    if known == kind::MERGE && body_len != 0 {
        return Err(HeaderError::MergeBody { bytes: body_len });
    }
    Ok(known)
}

/// A cursor over fields in order. `field` is what errors name, `tag` what the bytes must say: within deps they differ.
#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, len: bytes.len() }
    }

    /// A number, 0 when the field is left out.
    fn number(&mut self, tag: u8, field: u8) -> Result<u64, HeaderError> {
        if self.rest.first() != Some(&(tag << 3)) {
            return Ok(0);
        }
        self.rest = &self.rest[1..];
        match self.varint(field)? {
            0 => Err(HeaderError::DefaultWritten { field }),
            value => Ok(value),
        }
    }

    /// 32 bytes, none when the field is left out.
    fn hash(&mut self, tag: u8, field: u8) -> Result<Option<&'a [u8; 32]>, HeaderError> {
        if self.rest.first() != Some(&((tag << 3) | 2)) {
            return Ok(None);
        }
        self.rest = &self.rest[1..];
        match self.varint(field)? {
            0 => return Err(HeaderError::DefaultWritten { field }),
            32 => {}
            bytes => return Err(HeaderError::Width { field, bytes }),
        }
        let (hash, rest) = self.rest.split_first_chunk().ok_or(HeaderError::Truncated { field })?;
        self.rest = rest;
        Ok(Some(hash))
    }

    /// All deps, checked; gives the bytes that they take.
    fn deps(&mut self) -> Result<&'a [u8], HeaderError> {
        let start = self.rest;
        let mut count = 0;
        let mut before: Option<FeedId> = None;
        while let Some(dep) = self.dep()? {
            count += 1;
            if count > DEPS_MAX {
                return Err(HeaderError::TooManyDeps);
            }
            if before.is_some_and(|before| before >= dep.feed) {
                return Err(HeaderError::DepOrder { feed: dep.feed });
            }
            before = Some(dep.feed);
        }
        Ok(&start[..start.len() - self.rest.len()])
    }

    /// The next dep, if a dep is next.
    fn dep(&mut self) -> Result<Option<Dep>, HeaderError> {
        const FIELD: u8 = 6;
        if self.rest.first() != Some(&((FIELD << 3) | 2)) {
            return Ok(None);
        }
        self.rest = &self.rest[1..];
        let len = self.varint(FIELD)?;
        if len > self.rest.len() as u64 {
            return Err(HeaderError::Truncated { field: FIELD });
        }
        let (inner, rest) = self.rest.split_at(len as usize);
        self.rest = rest;
        let mut reader = Reader::new(inner);
        let feed = reader.hash(1, FIELD)?.ok_or(HeaderError::Missing { field: FIELD })?;
        let length = reader.number(2, FIELD)?;
        let root = reader.hash(3, FIELD)?.ok_or(HeaderError::Missing { field: FIELD })?;
        reader.end()?;
        if length == 0 || length > LENGTH_MAX {
            return Err(HeaderError::DepLength { length });
        }
        Ok(Some(Dep { feed: FeedId::from_bytes(*feed), length, root: Root::from_bytes(*root) }))
    }

    fn varint(&mut self, field: u8) -> Result<u64, HeaderError> {
        // Most numbers of a header take one byte.
        if let Some((&first, rest)) = self.rest.split_first()
            && first < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(first));
        }
        let (value, used) = varint::read(self.rest)
            .map_err(|_| HeaderError::Number { field })?
            .ok_or(HeaderError::Truncated { field })?;
        self.rest = &self.rest[used..];
        Ok(value)
    }

    fn end(&self) -> Result<(), HeaderError> {
        match self.rest.first() {
            None => Ok(()),
            Some(&tag) => Err(HeaderError::Unexpected { tag, offset: self.len - self.rest.len() }),
        }
    }
}
