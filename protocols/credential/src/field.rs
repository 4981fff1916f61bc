//! Reading fields of an exact length.

use bytes::Bytes;
use weft_crypto::Signature;

use crate::Malformed;

/// 32 bytes as an id or a key.
pub(crate) fn id<'a, T: TryFrom<&'a [u8]>>(field: &'static str, bytes: &'a [u8]) -> Result<T, Malformed> {
    T::try_from(bytes).map_err(|_| Malformed::Length { field, expected: 32, found: bytes.len() })
}

/// Exactly `N` bytes.
pub(crate) fn array<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed::Length { field, expected: N, found: bytes.len() })
}

/// A signature.
pub(crate) fn signature(field: &'static str, bytes: &[u8]) -> Result<Signature, Malformed> {
    Ok(Signature::from_bytes(array(field, bytes)?))
}

/// A field that is there or empty.
pub(crate) fn optional<'a, T: TryFrom<&'a [u8]>>(field: &'static str, bytes: &'a [u8]) -> Result<Option<T>, Malformed> {
    if bytes.is_empty() {
        return Ok(None);
    }
    id(field, bytes).map(Some)
}

/// A hash that is there or empty.
pub(crate) fn hash(field: &'static str, bytes: &[u8]) -> Result<Option<[u8; 32]>, Malformed> {
    if bytes.is_empty() {
        return Ok(None);
    }
    array(field, bytes).map(Some)
}

/// A number that must be one value.
pub(crate) fn exactly(field: &'static str, found: u64, expected: u64) -> Result<(), Malformed> {
    if found == expected {
        return Ok(());
    }
    Err(Malformed::Number { field, found })
}

/// The bytes of an id or a key, for a message.
pub(crate) fn put(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
