//! What a command prints: JSON for programs, plain aligned columns for people.

use std::io::{self, Write};

use serde_json::Value;

use super::failure::{Exit, Failure};

/// Whom a command speaks to, and how much it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// To a program: JSON.
    pub(crate) json: bool,
    /// Nothing but what was asked for.
    pub(crate) quiet: bool,
}

impl Output {
    /// Prints what was asked for: as it is for programs, in words for people.
    pub(crate) fn say(self, answer: &Value, show: impl Fn(&Value) -> String) -> Result<(), Failure> {
        if self.json { print(&format!("{answer}\n")) } else { print(&show(answer)) }
    }

    /// Prints that something was done. With `--quiet`, that there is no error says it to a person.
    pub(crate) fn confirm(self, answer: &Value, show: impl Fn(&Value) -> String) -> Result<(), Failure> {
        if self.quiet && !self.json { Ok(()) } else { self.say(answer, show) }
    }
}

/// Prints text as it is. A reader that went away (`weft watch | head`) ends the command, and is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// The same for bytes.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::reader_gone()),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            "output_failed",
            format!("standard output could not be written: {error}"),
            "look at the disk or the program it goes to",
        )),
    }
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

/// The number at `key` with its noun: `1 entry`, `2 entries`.
pub(crate) fn counted(value: &Value, key: &str, one: &str, several: &str) -> String {
    let number = text(value, key);
    let noun = if number == "1" { one } else { several };
    format!("{number} {noun}")
}
