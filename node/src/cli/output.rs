//! What a command prints: JSON for programs, plain aligned columns for people.

use std::io::{self, Write};

use serde_json::Value;

use super::visible::in_line;

/// Prints an answer: as it is for programs, in words for people.
pub(crate) fn say(json: bool, answer: &Value, show: impl Fn(&Value) -> String) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if json {
        writeln!(stdout, "{answer}")?;
    } else {
        stdout.write_all(show(answer).as_bytes())?;
    }
    stdout.flush()
}

/// Columns as wide as their widest cell. What others wrote is made visible.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(&head)
        .chain(rows)
        .map(|row| row.iter().map(|cell| in_line(cell).into_owned()).collect())
        .collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line += &format!("{cell:<width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The first characters of an id, enough to name it by.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// The value at `key` as text for a person; `-` where there is none.
pub(crate) fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The list at `key`; empty where there is none.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nobody_can_break_a_row() {
        let rows = vec![vec!["ab".to_owned(), "x\ny".to_owned()], vec!["abcd".to_owned(), "z".to_owned()]];
        assert_eq!(table(&["ID", "NAME"], &rows), "ID    NAME\nab    x\\u{a}y\nabcd  z\n");
    }
}
