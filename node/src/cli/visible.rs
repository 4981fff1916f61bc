//! Strings that others wrote, made safe to look at.
//!
//! A name can hold escape sequences that repaint the terminal and characters that turn the direction of writing, so that
//! what is shown is not what is there. Both are shown as what they are.

use std::borrow::Cow;

/// The text with control and bidirectional characters written as `\u{…}`; line ends and tabs stay as they are.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escape(text, |c| c == '\n' || c == '\t')
}

/// The same for a value within a line, where line ends and tabs would break the layout.
pub(crate) fn in_line(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

fn escape(text: &str, stays: fn(char) -> bool) -> Cow<'_, str> {
    let hidden = |c: char| deceives(c) && !stays(c);
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// Controls, separators of lines, marks and overrides of direction, and characters without width.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_deceive_the_eye_is_written_out() {
        assert_eq!(in_line("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(in_line("txt.\u{202e}exe"), "txt.\\u{202e}exe");
        assert_eq!(in_line("two\nlines"), "two\\u{a}lines");
        assert_eq!(visible("two\nlines\u{7}"), "two\nlines\\u{7}");
    }

    #[test]
    fn ordinary_text_of_any_language_stays_as_it_is() {
        for text in ["Grüße", "日本語", "שלום", "🙂", "a b"] {
            assert!(matches!(in_line(text), Cow::Borrowed(same) if same == text));
        }
    }
}
