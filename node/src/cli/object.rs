//! Properties as they are written on the command line.

use serde_json::{Map, Value};

use super::{failure::Failure, plan::read_text};
use crate::api::numbers;

/// The key under which an object's shared text goes by.
const BODY: &str = "body";

/// What `KEY=…` arguments say.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Properties {
    /// Registers.
    pub(crate) registers: Map<String, Value>,
    /// The shared text.
    pub(crate) body: Option<String>,
}

/// Reads `KEY=text`, `KEY:=json` and `KEY=@file`. A key given twice is an error: one of them would be lost.
pub(crate) fn properties(arguments: &[String]) -> Result<Properties, Failure> {
    let mut properties = Properties::default();
    for argument in arguments {
        let (key, value) = property(argument)?;
        let twice = match (key.as_str(), value) {
            (BODY, Value::String(text)) => properties.body.replace(text).is_some(),
            (BODY, _) => return Err(Failure::usage("bad_property", "`body` is text", "write body=TEXT or body=@FILE")),
            (_, value) => properties.registers.insert(key.clone(), value).is_some(),
        };
        if twice {
            return Err(Failure::usage("bad_property", format!("`{key}` is given twice"), "give each key once"));
        }
    }
    Ok(properties)
}

fn property(argument: &str) -> Result<(String, Value), Failure> {
    let malformed = |message: String| {
        Failure::usage("bad_property", message, "write KEY=text, KEY:=json (like done:=true) or KEY=@file")
    };
    let (key, value) =
        argument.split_once('=').ok_or_else(|| malformed(format!("`{argument}` is no property: it has no `=`")))?;
    let (key, is_json) = match key.strip_suffix(':') {
        Some(key) => (key, true),
        None => (key, false),
    };
    if key.is_empty() {
        return Err(malformed(format!("`{argument}` has no key")));
    }
    let value = if is_json {
        if let Some(number) = numbers::too_long(value.as_bytes()) {
            return Err(Failure::usage(
                "number_too_long",
                format!("the value of `{key}`: {}", numbers::message(number)),
                "write it as text: KEY=12345678901234567890123",
            ));
        }
        serde_json::from_str(value).map_err(|error| malformed(format!("the value of `{key}` is no JSON: {error}")))?
    } else if let Some(file) = value.strip_prefix('@') {
        Value::String(read_text(file)?)
    } else {
        Value::String(value.to_owned())
    };
    Ok((key.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(arguments: &[&str]) -> Result<Properties, String> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        properties(&arguments).map_err(|failure| failure.message)
    }

    #[test]
    fn values_are_text_json_or_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("poem");
        std::fs::write(&file, "two\nlines\n").unwrap();
        let from_file = format!("poem=@{}", file.display());
        let read = read(&["title=a=b", "done:=true", "tags:=[1,\"x\"]", "empty=", &from_file, "body=hello"]).unwrap();
        let expected = json!({"title": "a=b", "done": true, "tags": [1, "x"], "empty": "", "poem": "two\nlines\n"});
        assert_eq!(Value::Object(read.registers), expected);
        assert_eq!(read.body.as_deref(), Some("hello"));
    }

    #[test]
    fn what_is_no_property_is_refused() {
        for wrong in [
            &["title"][..],
            &["=x"],
            &[":=1"],
            &["a:=nope"],
            &["a=1", "a=2"],
            &["body:=1"],
            &["a:=[123456789012345678901]"],
            &["a=@/nowhere/at/all"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
