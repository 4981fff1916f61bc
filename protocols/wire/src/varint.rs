//! Unsigned varints: seven bits a byte, lowest first, the high bit says "more follows".
//!
//! Two readers. [`read`] is for our own lengths (frames, lists) and takes the shortest form only, so that a length has one
//! spelling. [`read_lenient`] reads what protobuf allows inside messages, where signed bytes are taken as received.
//!
//! Spec: WIRE-1.1

/// The longest varint of a `u64`.
pub const BYTES_MAX: usize = 10;

/// Why bytes are no varint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VarintError {
    /// More than ten bytes, or a value above 2^64 - 1.
    #[error("a varint does not fit 64 bits")]
    TooLarge,
    /// A shorter spelling of the same number exists.
    #[error("a varint is not in its shortest form")]
    NotShortest,
}

/// Reads the shortest form: the number and how many bytes it took; `None` when the bytes end before it does.
///
/// # Errors
/// When the number does not fit, or is spelt longer than needed.
pub fn read(bytes: &[u8]) -> Result<Option<(u64, usize)>, VarintError> {
    match read_lenient(bytes)? {
        Some((_, used)) if used > 1 && bytes[used - 1] == 0 => Err(VarintError::NotShortest),
        other => Ok(other),
    }
}

/// Reads any spelling that protobuf allows.
///
/// # Errors
/// When the number does not fit 64 bits.
pub fn read_lenient(bytes: &[u8]) -> Result<Option<(u64, usize)>, VarintError> {
    let mut value = 0u64;
    for (place, &byte) in bytes.iter().take(BYTES_MAX).enumerate() {
        if place == BYTES_MAX - 1 && byte > 1 {
            return Err(VarintError::TooLarge);
        }
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some((value, place + 1)));
        }
    }
    if bytes.len() >= BYTES_MAX { Err(VarintError::TooLarge) } else { Ok(None) }
}

/// Appends the shortest form.
pub fn write(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes the shortest form of `value` takes.
#[must_use]
pub fn len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}
