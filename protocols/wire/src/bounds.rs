//! What a message may hold, and the scan that checks it before anything is built.
//!
//! A table says for each field its shape, how often it may occur and how long it may be. The scan walks the bytes once,
//! goes into nested messages by their own tables (so as deep as the tables, never as deep as the input), and allocates
//! nothing. Unknown fields are stepped over; groups, which protobuf gave up and we never used, are refused.
//!
//! Spec: WIRE-3.1

use bytes::Bytes;

use crate::varint::{self, VarintError};

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A varint (`uint32`, `uint64`, `bool`) of at most this value.
    Number {
        /// The largest value of the declared type.
        value_max: u64,
    },
    /// `bytes` or `string`.
    Bytes,
    /// A nested message, with its own table.
    Message(&'static [Bound]),
}

/// What one field may hold.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// The field's number.
    pub field: u32,
    /// What it holds.
    pub shape: Shape,
    /// How often it may occur.
    pub count_max: u32,
    /// The least length of an occurrence, in bytes. Above zero for repeated messages, so that a list of empty ones
    /// cannot make a large vector from few bytes.
    pub bytes_min: u32,
    /// The greatest length of an occurrence, in bytes; not used for numbers.
    pub bytes_max: u32,
    /// A member of the message's `oneof`: of all such fields together one may occur, once.
    pub alternative: bool,
}

impl Bound {
    const fn new(field: u32, shape: Shape, bytes_max: u32) -> Self {
        Self { field, shape, count_max: 1, bytes_min: 0, bytes_max, alternative: false }
    }

    /// A `uint32`.
    #[must_use]
    pub const fn u32(field: u32) -> Self {
        Self::new(field, Shape::Number { value_max: u32::MAX as u64 }, 0)
    }

    /// A `uint64`.
    #[must_use]
    pub const fn u64(field: u32) -> Self {
        Self::new(field, Shape::Number { value_max: u64::MAX }, 0)
    }

    /// A `bool`.
    #[must_use]
    pub const fn bool(field: u32) -> Self {
        Self::new(field, Shape::Number { value_max: 1 }, 0)
    }

    /// `bytes` or `string` of at most `bytes_max`.
    #[must_use]
    pub const fn bytes(field: u32, bytes_max: u32) -> Self {
        Self::new(field, Shape::Bytes, bytes_max)
    }

    /// A nested message; its length is bounded by its own fields and by the bytes that are there.
    #[must_use]
    pub const fn message(field: u32, bounds: &'static [Bound]) -> Self {
        Self::new(field, Shape::Message(bounds), u32::MAX)
    }

    /// The same field, repeated up to `count_max` times.
    #[must_use]
    pub const fn times(mut self, count_max: u32) -> Self {
        self.count_max = count_max;
        self
    }

    /// The same field, each occurrence at least `bytes_min` long.
    #[must_use]
    pub const fn at_least(mut self, bytes_min: u32) -> Self {
        self.bytes_min = bytes_min;
        self
    }

    /// The same field as a member of the message's `oneof`.
    #[must_use]
    pub const fn alternative(mut self) -> Self {
        self.alternative = true;
        self
    }
}

/// A message with a table of what it may hold. Every generated message has one.
pub trait Bounded: prost::Message + Default {
    /// The table, one row a field.
    const BOUNDS: &'static [Bound];
}

/// Why bytes are not the message they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The message ends inside a field.
    #[error("message cut short in field {field}")]
    Truncated {
        /// The field's number; 0 when even the tag is cut.
        field: u32,
    },
    /// A length runs over the end of the message that it is in.
    #[error("field {field} says {claimed} bytes, the message has {left} left")]
    OverEnd {
        /// The field's number.
        field: u32,
        /// The length that the field claims.
        claimed: u64,
        /// The bytes that are left in the enclosing message.
        left: usize,
    },
    /// A tag, number or length is no varint.
    #[error("{0}")]
    Varint(#[from] VarintError),
    /// A tag that protobuf does not allow: field 0, over 2^29 - 1, or a wire type that does not exist or that we refuse.
    #[error("tag {tag} is not allowed")]
    Tag {
        /// The tag as read.
        tag: u64,
    },
    /// A known field with the wire type of something else.
    #[error("field {field} has wire type {wire_type}")]
    WrongType {
        /// The field's number.
        field: u32,
        /// The wire type found.
        wire_type: u8,
    },
    /// A number larger than its type.
    #[error("field {field} holds {value}, at most {value_max} fits")]
    TooLargeNumber {
        /// The field's number.
        field: u32,
        /// What it holds.
        value: u64,
        /// What it may hold.
        value_max: u64,
    },
    /// A field occurs more often than it may.
    #[error("field {field} occurs more than {count_max} times")]
    TooMany {
        /// The field's number.
        field: u32,
        /// How often it may occur.
        count_max: u32,
    },
    /// Two members of one `oneof`.
    #[error("field {field} is a second alternative")]
    SecondAlternative {
        /// The second one's number.
        field: u32,
    },
    /// A field is longer than it may be.
    #[error("field {field} has {claimed} bytes, at most {bytes_max} are allowed")]
    TooLong {
        /// The field's number.
        field: u32,
        /// Its length.
        claimed: u64,
        /// The bound.
        bytes_max: u32,
    },
    /// A field is shorter than it can be.
    #[error("field {field} has {claimed} bytes, at least {bytes_min} are needed")]
    TooShort {
        /// The field's number.
        field: u32,
        /// Its length.
        claimed: u64,
        /// The bound.
        bytes_min: u32,
    },
    /// The field tables are kept and the message is still wrong: a string is not UTF-8.
    #[error("{0}")]
    Content(#[from] prost::DecodeError),
}

/// Decodes a message within its bounds. `bytes` fields of the result are slices of `bytes`, not copies.
///
/// Spec: WIRE-3.2
///
/// # Errors
/// When the bytes are no such message or go over a bound.
pub fn decode<M: Bounded>(bytes: &Bytes) -> Result<M, DecodeError> {
    scan(bytes, M::BOUNDS)?;
    Ok(M::decode(bytes.clone())?)
}

/// Most fields of one message, alternatives included.
const FIELDS_MAX: usize = 16;

/// Checks one message against its table, nested ones included, and allocates nothing.
///
/// # Errors
/// At the first field that breaks its bound.
pub fn scan(bytes: &[u8], bounds: &[Bound]) -> Result<(), DecodeError> {
    debug_assert!(bounds.len() <= FIELDS_MAX, "a table has more rows than the scan counts");
    let mut counts = [0u32; FIELDS_MAX];
    let mut alternative_seen = false;
    let mut rest = bytes;
    while !rest.is_empty() {
        let tag = number(&mut rest, 0)?;
        let (field, wire_type) = split_tag(tag)?;
        let value = skip_value(&mut rest, field, wire_type, tag)?;
        let Some(row) = bounds.iter().position(|bound| bound.field == field) else {
            continue;
        };
        let bound = &bounds[row];
        counts[row] += 1;
        if counts[row] > bound.count_max {
            return Err(DecodeError::TooMany { field, count_max: bound.count_max });
        }
        if bound.alternative && std::mem::replace(&mut alternative_seen, true) {
            return Err(DecodeError::SecondAlternative { field });
        }
        check_value(bound, wire_type, value)?;
    }
    Ok(())
}

/// A field's value as the scan sees it.
enum Value<'a> {
    Number(u64),
    Slice(&'a [u8]),
    Fixed,
}

fn check_value(bound: &Bound, wire_type: u8, value: Value<'_>) -> Result<(), DecodeError> {
    let field = bound.field;
    match (bound.shape, value) {
        (Shape::Number { value_max }, Value::Number(value)) => {
            if value > value_max {
                return Err(DecodeError::TooLargeNumber { field, value, value_max });
            }
            Ok(())
        }
        (Shape::Bytes, Value::Slice(slice)) => check_length(bound, slice),
        (Shape::Message(bounds), Value::Slice(slice)) => {
            check_length(bound, slice)?;
            scan(slice, bounds)
        }
        _ => Err(DecodeError::WrongType { field, wire_type }),
    }
}

fn check_length(bound: &Bound, slice: &[u8]) -> Result<(), DecodeError> {
    let (field, claimed) = (bound.field, slice.len() as u64);
    if claimed > u64::from(bound.bytes_max) {
        return Err(DecodeError::TooLong { field, claimed, bytes_max: bound.bytes_max });
    }
    if claimed < u64::from(bound.bytes_min) {
        return Err(DecodeError::TooShort { field, claimed, bytes_min: bound.bytes_min });
    }
    Ok(())
}

fn number(rest: &mut &[u8], field: u32) -> Result<u64, DecodeError> {
    let (value, used) = varint::read_lenient(rest)?.ok_or(DecodeError::Truncated { field })?;
    *rest = &rest[used..];
    Ok(value)
}

fn split_tag(tag: u64) -> Result<(u32, u8), DecodeError> {
    let field = u32::try_from(tag >> 3).map_err(|_| DecodeError::Tag { tag })?;
    if field == 0 || field >= 1 << 29 {
        return Err(DecodeError::Tag { tag });
    }
    Ok((field, (tag & 7) as u8))
}

fn skip_value<'a>(rest: &mut &'a [u8], field: u32, wire_type: u8, tag: u64) -> Result<Value<'a>, DecodeError> {
    match wire_type {
        0 => Ok(Value::Number(number(rest, field)?)),
        1 => skip_fixed(rest, field, 8),
        2 => {
            let claimed = number(rest, field)?;
            let left = rest.len();
            if claimed > left as u64 {
                return Err(DecodeError::OverEnd { field, claimed, left });
            }
            let (slice, after) = rest.split_at(claimed as usize);
            *rest = after;
            Ok(Value::Slice(slice))
        }
        5 => skip_fixed(rest, field, 4),
        _ => Err(DecodeError::Tag { tag }),
    }
}

fn skip_fixed<'a>(rest: &mut &'a [u8], field: u32, width: usize) -> Result<Value<'a>, DecodeError> {
    *rest = rest.get(width..).ok_or(DecodeError::Truncated { field })?;
    Ok(Value::Fixed)
}
