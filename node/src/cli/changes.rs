//! What differs between two states of something that is followed, for people.

use imara_diff::{Algorithm, Diff, InternedInput};
use serde_json::Value;

use super::{
    look::{Look, Tone},
    visible::{in_line, visible},
};

/// The lines that went, with `-`, and those that came, with `+`; nothing of what both have.
pub(crate) fn of_lines(look: Look, before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut input = InternedInput::default();
    input.update_before(before.iter().copied());
    input.update_after(after.iter().copied());
    let mut difference = Diff::compute(Algorithm::Histogram, &input);
    difference.postprocess_no_heuristic(&input);
    let mut shown = String::new();
    let mut show = |sign: char, tone: Tone, lines: &[&str]| {
        for line in lines {
            shown += &look.paint(tone, &format!("  {sign} {}", in_line(line)));
            shown.push('\n');
        }
    };
    for hunk in difference.hunks() {
        show('-', Tone::Bad, &before[hunk.before.start as usize..hunk.before.end as usize]);
        show('+', Tone::Good, &after[hunk.after.start as usize..hunk.after.end as usize]);
    }
    shown
}

/// What differs between two states of an object: its properties, and its text line by line. Empty when nothing does.
pub(crate) fn of_object(look: Look, before: &Value, after: &Value) -> String {
    let mut shown = String::new();
    let empty = serde_json::Map::new();
    let properties = |state: &Value| state.get("properties").and_then(Value::as_object).unwrap_or(&empty).clone();
    let (was, is) = (properties(before), properties(after));
    for (key, value) in &is {
        if was.get(key) != Some(value) {
            shown += &format!("  {} = {}\n", in_line(key), plain(value));
        }
    }
    for key in was.keys().filter(|key| !is.contains_key(*key)) {
        shown += &format!("  {} is taken away\n", in_line(key));
    }
    if before.get("alternatives") != after.get("alternatives") {
        for other in super::output::list(after, "alternatives") {
            let value = other.get("value").map(plain).unwrap_or_default();
            shown += &format!("  {} = {value} was written at the same time\n", in_line(super::text(other, "key")));
        }
    }
    let (was, is) = (super::text(before, "text"), super::text(after, "text"));
    let lines = of_lines(look, was, is);
    if lines.is_empty() && was != is {
        // Lines are the same, their ends are not.
        shown += "  the end of a line changed\n";
    }
    shown + &lines
}

/// A value as a person reads it.
fn plain(value: &Value) -> String {
    visible(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_lines_that_differ_are_shown() {
        let lines = |before, after| of_lines(Look::default(), before, after);
        assert_eq!(lines("a\nb\nc\n", "a\nB\nc\n"), "  - b\n  + B\n");
        assert_eq!(lines("a\n", "a\nb\u{7}\n"), "  + b\\u{7}\n");
        assert_eq!(lines("a\na\n", "a\n"), "  - a\n");
        assert_eq!(lines("a\nb\nc\nd\n", "A\nb\nc\nD\n"), "  - a\n  + A\n  - d\n  + D\n");
        assert_eq!(lines("same", "same"), "");
    }

    #[test]
    fn an_object_changes_in_its_properties_and_its_text() {
        let before = json!({"properties": {"name": "today", "done": false}, "text": "one\ntwo\n"});
        let after = json!({"properties": {"name": "today", "size": 3}, "text": "one\ntwo and a half\n"});
        let shown = of_object(Look::default(), &before, &after);
        assert_eq!(shown, "  size = 3\n  done is taken away\n  - two\n  + two and a half\n");
        assert_eq!(of_object(Look::default(), &after, &after), "");
        let ended = json!({"properties": {"name": "today", "size": 3}, "text": "one\ntwo and a half"});
        assert_eq!(of_object(Look::default(), &after, &ended), "  the end of a line changed\n");
    }
}
