//! Why an update is refused, with what was found.

/// Why an update is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes end within something that was begun. Spec: ECHO-3.2
    #[error("the update ends at byte {at}")]
    Truncated {
        /// Where.
        at: usize,
    },
    /// A number is longer than it needs to be, or out of range. Spec: ECHO-3.2
    #[error("a number that is out of range or not in its shortest form at byte {at}")]
    Number {
        /// Where.
        at: usize,
    },
    /// Bytes follow the end. Spec: ECHO-3.2
    #[error("{bytes} bytes after the end of the update")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A count claims more than the bytes that follow can hold. Spec: ECHO-3.2
    #[error("a count of {claimed} before {left} bytes")]
    Count {
        /// The count.
        claimed: u64,
        /// The bytes that follow it.
        left: usize,
    },
    /// The insertions are not of exactly one client. Spec: ECHO-3.3
    #[error("insertions of {found} clients")]
    Clients {
        /// Of how many.
        found: u64,
    },
    /// The insertions are not of the entry's session. Spec: ECHO-3.3
    #[error("insertions of client {found}, the session's is {expected}")]
    ForeignClient {
        /// The session's client id.
        expected: u64,
        /// The update's.
        found: u64,
    },
    /// The insertions do not continue the session's clock. Spec: ECHO-3.4
    #[error("the first clock is {found}, the session has reached {expected}")]
    Clock {
        /// Where the session is.
        expected: u32,
        /// Where the update begins.
        found: u64,
    },
    /// A clock reaches 2^31. Spec: ECHO-3.5
    #[error("a clock of {end}")]
    ClockTooHigh {
        /// The clock.
        end: u64,
    },
    /// A block of a kind that is not text (Skip, GC, JSON, Doc, a nested type …) or with flags of one. Spec: ECHO-3.6
    #[error("a block with info byte {info:#04x} at byte {at}")]
    Block {
        /// Its info byte.
        info: u8,
        /// Where.
        at: usize,
    },
    /// A first block's parent is not the root `body`. Spec: ECHO-3.7
    #[error("a parent other than the root `body` at byte {at}")]
    Parent {
        /// Where.
        at: usize,
    },
    /// Text that is no UTF-8, or empty. Spec: ECHO-3.6
    #[error("text that is empty or no UTF-8 at byte {at}")]
    Text {
        /// Where.
        at: usize,
    },
    /// The insertions carry deletions. Spec: ECHO-3.8
    #[error("deletions among the insertions")]
    DeletesAmongInserts,
    /// Deleted clients are not in rising order, or their ranges not rising and apart, or a range or list is empty.
    /// Spec: ECHO-3.9
    #[error("deletions out of order, overlapping or empty, of client {client}")]
    DeleteOrder {
        /// Of which client.
        client: u64,
    },
    /// A client id of 2^53 or more. Spec: ECHO-1.2
    #[error("client id {client} is wider than 53 bits")]
    ClientTooWide {
        /// The id.
        client: u64,
    },
    /// An origin or right origin is not in the causal past. Spec: ECHO-4.1
    #[error("an origin ({client}, {clock}) outside the causal past, which reaches {reached}")]
    OriginOutsideThePast {
        /// Whose.
        client: u64,
        /// The clock.
        clock: u32,
        /// How far that session has come in the past.
        reached: u32,
    },
    /// A deleted range is not in the causal past. Spec: ECHO-4.1
    #[error("a deletion up to ({client}, {end}) outside the causal past, which reaches {reached}")]
    DeleteOutsideThePast {
        /// Whose.
        client: u64,
        /// Where the range ends.
        end: u32,
        /// How far that session has come in the past.
        reached: u32,
    },
    /// It is inserted between two characters that can never have been neighbours. Spec: ECHO-4.3
    #[error("({client}, {clock}) is inserted between two characters that were never neighbours")]
    NotNeighbours {
        /// Whose.
        client: u64,
        /// The clock.
        clock: u32,
    },
    /// It speaks of text that was never integrated, because its entry was refused. Spec: ECHO-4.2
    #[error("refers to ({client}, {clock}), which was never integrated")]
    Stranded {
        /// Whose.
        client: u64,
        /// The clock.
        clock: u32,
    },
}

impl Refusal {
    /// Whether the update is malformed: then it moves no clock. The others are refused by their past.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        !matches!(
            self,
            Self::OriginOutsideThePast { .. }
                | Self::DeleteOutsideThePast { .. }
                | Self::NotNeighbours { .. }
                | Self::Stranded { .. }
        )
    }
}
