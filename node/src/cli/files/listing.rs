//! The files that a space has, as the node tells them.

use serde_json::Value;

use super::super::{
    client::{Call, Client, path},
    failure::{Failure, exit_of},
    text,
};

/// A file of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The object.
    pub(crate) object: String,
    /// Its path, as somebody wrote it.
    pub(crate) path: Option<String>,
    /// When it was made, as its author says.
    created: String,
    /// BLAKE3 of its text, in hex.
    hash: String,
}

impl Listed {
    /// Whether its text is this one.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        blake3::hash(bytes).to_hex().as_str() == self.hash
    }

    /// What it is called in a report: its path as somebody wrote it.
    pub(crate) fn shown(&self) -> String {
        self.path.clone().unwrap_or_else(|| format!("object {}", self.object))
    }
}

/// The full id of a space.
pub(crate) fn space(client: &Client, asked: &str) -> Result<String, Failure> {
    Ok(text(&client.ask(Call::get(path(&["spaces", asked], &[])))?, "space").to_owned())
}

/// The files of a space, the oldest first: when two want one place, it is the older one's, and everybody gives it to the same.
pub(crate) fn files(client: &Client, space: &str) -> Result<Vec<Listed>, Failure> {
    let mut files = Vec::new();
    for line in client.follow(Call::get(path(&["spaces", space, "files"], &[])))? {
        let line = line?;
        if let Some(error) = line.get("error") {
            let status = line.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
            let exit = exit_of(status.unwrap_or(500));
            return Err(Failure::answered(exit, text(error, "code"), text(error, "message"), text(error, "hint")));
        }
        files.push(Listed {
            object: text(&line, "object").to_owned(),
            path: line.get("path").and_then(Value::as_str).map(str::to_owned),
            created: text(&line, "created").to_owned(),
            hash: text(&line, "text_hash").to_owned(),
        });
    }
    files.sort_by(|a, b| (&a.created, &a.object).cmp(&(&b.created, &b.object)));
    Ok(files)
}

/// The text of an object.
pub(crate) fn text_of(client: &Client, space: &str, object: &str) -> Result<String, Failure> {
    let answer = client.ask(Call::get(path(&["objects", object, "text"], &[("space", Some(space))])))?;
    Ok(text(&answer, "text").to_owned())
}
