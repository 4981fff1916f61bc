//! How bytes are shown to people: base32 (RFC 4648 alphabet), lower case, no padding. Upper case is read as well.
//!
//! Spec: CRYPTO-3.2

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

/// Text that is no base32, or has bits to spare that are not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not base32 at character {position}")]
pub struct Base32Error {
    /// Where it goes wrong, in bytes from the start.
    pub position: usize,
}

static ENCODING: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.translate.from.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    specification.translate.to.push_str("abcdefghijklmnopqrstuvwxyz");
    specification.encoding().expect("32 different symbols and a translation into them")
});

/// Writes bytes as text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    ENCODING.encode(bytes)
}

/// Reads text back. The memory used is less than the text's.
///
/// # Errors
/// When the text is not what `encode` gives, upper case aside.
pub fn decode(text: &str) -> Result<Vec<u8>, Base32Error> {
    ENCODING.decode(text.as_bytes()).map_err(|error| Base32Error { position: error.position })
}
