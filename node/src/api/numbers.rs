//! Numbers that would not come back as they were written.
//!
//! JSON has numbers of any length; what reads it here, and in most languages, keeps integers of 64 bits. A longer one would
//! silently become another number, in a store that promises to give back what was put in.

/// The first integer in this JSON that 64 bits cannot hold. What is no JSON is left to whoever parses it.
///
/// Spec: NODE-5.3
pub(crate) fn too_long(json: &[u8]) -> Option<&str> {
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at = end_of_string(json, at),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let end = json[at..].iter().position(|byte| !is_part(byte)).map_or(json.len(), |length| at + length);
                let number = std::str::from_utf8(&json[at..end]).unwrap_or_default();
                let digits = number.strip_prefix('-').unwrap_or(number);
                let is_integer = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
                if is_integer && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
                    return Some(number);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// Behind the quote that ends the string which begins at `at`.
fn end_of_string(json: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

/// What to say of such a number.
pub(crate) fn message(number: &str) -> String {
    let shown: String = number.chars().take(40).collect();
    let more = if shown.len() < number.len() { "…" } else { "" };
    format!("{shown}{more} is no integer of 64 bits and would not come back as it is")
}

/// And what to do about it.
pub(crate) const HINT: &str = "write it as text, like \"12345678901234567890123\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_beyond_64_bits_are_found_wherever_they_stand() {
        for (json, found) in [
            ("18446744073709551615", None),
            ("18446744073709551616", Some("18446744073709551616")),
            ("-9223372036854775808", None),
            ("-9223372036854775809", Some("-9223372036854775809")),
            ("{\"a\":[1,{\"b\":123456789012345678901}]}", Some("123456789012345678901")),
            ("{\"123456789012345678901\":\"\\\"123456789012345678901\"}", None),
            ("[1.5e300,0.1,-0,1E5]", None),
            ("\"unended 123456789012345678901", None),
            ("\"\\", None),
            ("-", None),
            ("2026-11-20", None),
        ] {
            assert_eq!(too_long(json.as_bytes()), found, "{json}");
        }
    }
}
