//! What queries read: pure functions of derived rows. No machine is asked.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::{ObjectId, SpaceId};

use crate::object::replayed;
use crate::registers::{self, Write};
use crate::rows::{self, About, Quarantined, RowError, Summary};
use crate::tables::{self, Part};

/// A property as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The JSON that shows; `None`: it was removed.
    pub value: Option<Bytes>,
    /// The write that shows.
    pub write: Write,
    /// Concurrent writes that do not show, the next to show first.
    pub alternatives: Vec<Write>,
}

/// An object without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its type.
    pub type_name: String,
    /// The identity that made it.
    pub author: [u8; 32],
    /// When, as its author claims; ms since 1970.
    pub claimed_ms: u64,
    /// It was deleted.
    pub deleted: bool,
    /// All properties ever written, by name; a removed one has no value.
    pub properties: BTreeMap<String, Property>,
}

/// Reads a row of [`tables::SUMMARY`]; its key is the object's id.
///
/// # Errors
/// When the row is damaged.
pub fn summary(value: &Bytes) -> Result<Summary, RowError> {
    rows::decode("summary", value)
}

/// The order in which lists show objects: by type, then name (those without one last), then id.
#[must_use]
pub fn list_order(a: &(ObjectId, Summary), b: &(ObjectId, Summary)) -> Ordering {
    fn key((id, summary): &(ObjectId, Summary)) -> (&str, bool, Option<&str>, &ObjectId) {
        (&summary.type_name, summary.name.is_none(), summary.name.as_deref(), id)
    }
    key(a).cmp(&key(b))
}

/// Reads an object from its rows in [`tables::OBJECT`] (rows of its text are passed over). `None`: nothing that counts
/// has made it.
///
/// # Errors
/// When a row is damaged.
pub fn object(rows: &[(Bytes, Bytes)]) -> Result<Option<Object>, RowError> {
    let mut about = None;
    let mut properties = BTreeMap::new();
    for (key, value) in rows {
        match tables::parse_object_key(key) {
            Some((_, Part::About, _)) => about = Some(rows::decode::<About>("about", value)?),
            Some((_, Part::Register, name)) => {
                let name = std::str::from_utf8(name).map_err(|error| RowError::new("register", error))?;
                if let Some(property) = property(value)? {
                    properties.insert(name.to_owned(), property);
                }
            }
            _ => {}
        }
    }
    let Some(about) = about.filter(|about| about.counts) else { return Ok(None) };
    let author = rows::id(&about.author, "about")?;
    let About { type_name, claimed_ms, deleted, .. } = about;
    Ok(Some(Object { type_name, author, claimed_ms, deleted, properties }))
}

fn property(value: &Bytes) -> Result<Option<Property>, RowError> {
    let mut writes = rows::decode::<rows::Register>("register", value)?.into_writes()?;
    let Some(write) = registers::shown(&writes).cloned() else { return Ok(None) };
    writes.pop();
    writes.reverse();
    let value = (!write.value.is_empty()).then(|| write.value.clone());
    Ok(Some(Property { value, write, alternatives: writes }))
}

/// The visible text of an object, from its rows in [`tables::OBJECT`] in key order (other rows are passed over).
///
/// # Errors
/// When a row is damaged.
pub fn text(space: &SpaceId, rows: &[(Bytes, Bytes)]) -> Result<String, RowError> {
    Ok(replayed(space, rows)?.text())
}

/// Reads a row of [`tables::QUARANTINE`]; its key is taken apart by [`tables::parse_quarantine_key`].
///
/// # Errors
/// When the row is damaged.
pub fn quarantined(value: &Bytes) -> Result<Quarantined, RowError> {
    rows::decode("quarantine", value)
}
