//! What a node leaves for its next start when it ends because its store is damaged: a file that says so.
//!
//! Some damage is met only when a page is read that no start reads. The next opening must not stumble over it in the same way.

use std::{fs, io, path::Path};

use super::{error::StoreError, private};

/// The file's name.
pub(super) const NAME: &str = "damage-found";
/// The first line when only rows that follow from the feeds are damaged.
const DERIVED: &str = "derived rows";

/// What the last process found.
pub(super) struct Mark(String);

impl Mark {
    /// What is damaged, if the store cannot be used as it is.
    pub(super) fn fatal(&self) -> Option<String> {
        (self.0 != DERIVED).then(|| self.0.clone())
    }
}

pub(super) fn read(folder: &Path) -> Option<Mark> {
    fs::read_to_string(folder.join(NAME)).ok().map(|text| Mark(text.trim().to_owned()))
}

pub(super) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Leaves word that a store is damaged.
pub(crate) fn leave(folder: &Path, error: &StoreError) {
    let text = if error.is_of_derived() { DERIVED.to_owned() } else { error.to_string() };
    let path = folder.join(NAME);
    let written = private::open(&path).and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
    if let Err(error) = written {
        tracing::warn!(%error, "what is damaged could not be noted for the next start");
    }
}
