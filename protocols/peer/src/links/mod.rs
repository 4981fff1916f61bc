//! Links: one small function between two machines each, so that none of them knows another.

pub(crate) mod acts;
pub(crate) mod clients;
pub(crate) mod devices;
pub(crate) mod echo;
pub(crate) mod invitation;
pub(crate) mod membership;
pub(crate) mod mending;
pub(crate) mod naming;
pub(crate) mod own;
pub(crate) mod presence;
pub(crate) mod quarantine;
pub(crate) mod records;
pub(crate) mod replay;
pub(crate) mod rereads;
pub(crate) mod sources;

use weft_echo::Register;

/// A property whose value is this text.
pub(crate) fn register(name: &str, text: &str) -> Register {
    Register { name: name.to_owned(), value: json_string(text).into() }
}

/// A JSON string.
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if u32::from(c) < 0x20 => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// "a reader", "an admin".
pub(crate) fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_json_whatever_is_in_them() {
        assert_eq!(json_string("a\"b\\c\n\u{1}é😀"), "\"a\\\"b\\\\c\\u000a\\u0001é😀\"");
    }

    #[test]
    fn roles_get_their_article() {
        assert_eq!(with_article("reader"), "a reader");
        assert_eq!(with_article("admin"), "an admin");
    }
}
