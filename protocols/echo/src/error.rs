//! Why something was not done: to a mutation of anybody's ([`Malformed`], [`Quarantine`]), to an edit of ours
//! ([`EditRefusal`]).

use crate::ids::SESSIONS_MAX;
use crate::inspect::Refusal;
use crate::io::OpenFailure;
use crate::json::JsonFault;

/// Why bytes are no well-formed mutation. Such an entry moves no clock.
///
/// Spec: ECHO-2.4
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The bytes are no `Mutation` message within its bounds.
    #[error("no mutation: {0}")]
    Message(String),
    /// The object's id is neither absent nor 32 bytes.
    #[error("an object id of {bytes} bytes")]
    ObjectId {
        /// Its length.
        bytes: usize,
    },
    /// The type is missing where an object is made, or present where one is changed, or has an unfit character.
    #[error("an unfit object type {found:?}")]
    TypeName {
        /// The type.
        found: String,
    },
    /// A register's name is empty, too long, or has a control character.
    #[error("an unfit property name {found:?}")]
    RegisterName {
        /// The name.
        found: String,
    },
    /// A register is written twice.
    #[error("property {name:?} is written twice")]
    RegisterTwice {
        /// Its name.
        name: String,
    },
    /// More registers than a mutation may write.
    #[error("{found} properties in one mutation")]
    RegisterCount {
        /// How many.
        found: usize,
    },
    /// A register's value is no JSON within its bounds.
    #[error("the value of property {name:?}: {fault}")]
    Value {
        /// Its name.
        name: String,
        /// What is wrong with it.
        fault: JsonFault,
    },
    /// The mutation changes nothing.
    #[error("an empty mutation")]
    Empty,
    /// The mutation both makes and deletes an object.
    #[error("an object that is made and deleted at once")]
    MadeAndDeleted,
}

/// Why an entry changes no object. The reason is kept with the entry's place and author; the feed goes on.
///
/// Spec: ECHO-6.1
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Quarantine {
    /// Its body could not be opened.
    #[error("the body could not be opened: {0}")]
    Closed(OpenFailure),
    /// It does not count.
    #[error("void: {0}")]
    Void(String),
    /// It is no well-formed mutation.
    #[error("malformed: {0}")]
    Malformed(#[from] Malformed),
    /// Its update is refused.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The object that it names was not made in its causal past.
    #[error("an object that was not made in its past")]
    UnknownObject,
    /// Its session's client id is another session's.
    #[error("client id {client} is taken by another session")]
    ClientTaken {
        /// The id.
        client: u64,
    },
    /// A feed has no session of this number. Spec: ECHO-1.2
    #[error("session {session}, where a feed has {SESSIONS_MAX}")]
    Session {
        /// The number.
        session: u64,
    },
    /// `yrs` reported an error for an update that `inspect` accepted: a bug of ours, contained.
    #[error("the document refused it: {0}")]
    Document(String),
}

impl Quarantine {
    /// A stable name in snake_case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Closed(OpenFailure::NoKey) => "no_key",
            Self::Closed(OpenFailure::Undecryptable) => "undecryptable",
            Self::Closed(OpenFailure::Erased) => "erased",
            Self::Closed(OpenFailure::Missing) => "missing",
            Self::Void(_) => "void",
            Self::Malformed(_) => "malformed",
            Self::Refused(refusal) if refusal.is_malformed() => "malformed_update",
            Self::Refused(Refusal::Stranded { .. }) => "stranded",
            Self::Refused(Refusal::NotNeighbours { .. }) => "no_neighbours",
            Self::Refused(_) => "acausal",
            Self::UnknownObject => "unknown_object",
            Self::ClientTaken { .. } => "client_taken",
            Self::Session { .. } => "session",
            Self::Document(_) => "document",
        }
    }
}

/// Why a local edit is not done. Nothing has changed, unless said otherwise.
///
/// Spec: ECHO-7.1
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditRefusal {
    /// No such object.
    #[error("there is no such object in this space")]
    UnknownObject,
    /// The object was deleted.
    #[error("the object was deleted")]
    Deleted,
    /// The mutation would not be well formed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// An operation reaches outside the text.
    #[error("operation {index} reaches outside the text, which has {length} characters there")]
    OutOfBounds {
        /// Which operation.
        index: usize,
        /// The length of the text before it, in Unicode scalar values.
        length: u64,
    },
    /// More operations than one edit may have.
    #[error("{found} operations in one edit, at most {max}")]
    TooManyOps {
        /// How many.
        found: usize,
        /// How many are allowed.
        max: usize,
    },
    /// The text is not the one in which the operations were counted.
    #[error("the text was changed by somebody else meanwhile")]
    TextMoved,
    /// The mutation would not fit an entry.
    #[error("{bytes} bytes, at most {max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What fits.
        max: usize,
    },
    /// What a session sent is refused, as it would be from anybody. The session cannot go on with what it holds.
    #[error("the update is refused: {0}")]
    Update(#[from] Refusal),
    /// A session's client id is another session's in this object.
    #[error("client id {client} is taken by another session")]
    ClientTaken {
        /// The id.
        client: u64,
    },
    /// This device has written 2^31 characters into this object.
    #[error("this device can write no more text into this object")]
    Full,
    /// The write could not be made durable.
    #[error("the change could not be stored")]
    WriteFailed,
    /// Too many edits wait already.
    #[error("too many edits are waiting")]
    Busy,
    /// The derived rows were dropped while the edit was under way.
    #[error("interrupted by a rebuild")]
    Interrupted,
    /// The object's derived rows are damaged; the space is to be rebuilt.
    #[error("the stored form of the object is damaged")]
    Damaged,
}
