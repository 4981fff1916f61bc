//! Property values: JSON text within bounds. The depth is checked before a parser sees the bytes.
//!
//! Spec: ECHO-2.3

/// A value is at most 64 KiB.
pub const VALUE_BYTES_MAX: usize = 64 << 10;

/// Arrays and objects nest at most 32 deep.
pub const VALUE_DEPTH_MAX: usize = 32;

/// Why bytes are no property value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// Longer than [`VALUE_BYTES_MAX`].
    #[error("{bytes} bytes of JSON, at most 65536")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Nests deeper than [`VALUE_DEPTH_MAX`].
    #[error("JSON that nests more than 32 deep, at byte {at}")]
    TooDeep {
        /// Where the bound is passed.
        at: usize,
    },
    /// Not one JSON value (RFC 8259), or a number beyond the range of a double.
    #[error("no JSON: {0}")]
    Syntax(String),
}

/// Whether bytes are one JSON value within the bounds.
///
/// # Errors
/// The first bound or rule that is broken.
pub fn check(bytes: &[u8]) -> Result<(), JsonFault> {
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(JsonFault::TooLong { bytes: bytes.len() });
    }
    depth(bytes)?;
    serde_json::from_slice::<serde_json::Value>(bytes).map(drop).map_err(|error| JsonFault::Syntax(error.to_string()))
}

/// Counts brackets outside strings; what is no JSON otherwise is the parser's to say.
fn depth(bytes: &[u8]) -> Result<(), JsonFault> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match (quoted, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => quoted = !quoted,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > VALUE_DEPTH_MAX {
                    return Err(JsonFault::TooDeep { at });
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Vec<u8> {
        [vec![b'['; levels], vec![b']'; levels]].concat()
    }

    #[test]
    fn values_within_the_bounds_pass() {
        for text in ["null", "\"a\\\"[[[\"", "-1.5e3", "{\"a\":[1,2,{\"b\":true}]}", " 1 "] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        assert_eq!(check(&nested(VALUE_DEPTH_MAX)), Ok(()));
    }

    #[test]
    fn each_bound_is_kept() {
        assert_eq!(check(&nested(VALUE_DEPTH_MAX + 1)), Err(JsonFault::TooDeep { at: VALUE_DEPTH_MAX }));
        let long = format!("\"{}\"", "a".repeat(VALUE_BYTES_MAX - 1));
        assert_eq!(check(long.as_bytes()), Err(JsonFault::TooLong { bytes: VALUE_BYTES_MAX + 1 }));
        for text in ["", "{", "nul", "1 2", "1e999", "{\"a\"}", "\"\u{1}\"", "'a'", "NaN"] {
            assert!(matches!(check(text.as_bytes()), Err(JsonFault::Syntax(_))), "{text}");
        }
        assert!(matches!(check(b"\"\xff\""), Err(JsonFault::Syntax(_))));
    }
}
