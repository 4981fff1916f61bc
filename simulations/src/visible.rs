//! What a user of a host can read: objects, their properties and texts, from the derived rows on its disk. The peer is not asked.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::{ObjectId, SpaceId};
use weft_echo::{tables, view};
use weft_peer::Rows;

use crate::store::Content;

/// An object as a user sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// Its type.
    pub type_name: String,
    /// Its properties as JSON, by name.
    pub properties: BTreeMap<String, String>,
    /// Values that lost against the shown ones, by name.
    pub alternatives: BTreeMap<String, Vec<String>>,
    /// Its text.
    pub text: String,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Why it cannot be read, if that is so.
    pub damage: Option<String>,
}

/// Every object of a space.
#[must_use]
pub fn of(content: &Content, space: SpaceId) -> BTreeMap<ObjectId, Visible> {
    listed(content, space).map(|(object, _)| (object, read(content, space, object))).collect()
}

/// The objects of a type that are not deleted.
#[must_use]
pub fn of_type(content: &Content, space: SpaceId, type_name: &str) -> Vec<ObjectId> {
    listed(content, space)
        .filter(|(_, row)| view::summary(row).is_ok_and(|summary| summary.type_name == type_name && !summary.deleted))
        .map(|(object, _)| object)
        .collect()
}

/// How many characters a text has.
#[must_use]
pub fn length(content: &Content, space: SpaceId, object: ObjectId) -> u64 {
    view::text(&space, &rows(content, space, object)).map_or(0, |text| text.chars().count() as u64)
}

fn listed(content: &Content, space: SpaceId) -> impl Iterator<Item = (ObjectId, &Bytes)> {
    content.derived(space, tables::SUMMARY).filter_map(|(key, row)| Some((tables::object_of(key)?, row)))
}

fn rows(content: &Content, space: SpaceId, object: ObjectId) -> Vec<(Bytes, Bytes)> {
    content.load(space, tables::OBJECT, &Rows::Prefix(tables::object(&object)))
}

fn read(content: &Content, space: SpaceId, object: ObjectId) -> Visible {
    let rows = rows(content, space, object);
    let (seen, text) = match (view::object(&rows), view::text(&space, &rows)) {
        (Ok(seen), Ok(text)) => (seen, text),
        (Err(error), _) | (_, Err(error)) => {
            return Visible { damage: Some(error.to_string()), ..Visible::default() };
        }
    };
    let Some(seen) = seen else { return Visible { damage: Some("listed and not there".into()), ..Visible::default() } };
    let shown = |value: &Bytes| String::from_utf8_lossy(value).into_owned();
    let mut visible = Visible { type_name: seen.type_name, text, deleted: seen.deleted, ..Visible::default() };
    for (name, property) in seen.properties {
        let alternatives = property.alternatives.iter().map(|write| shown(&write.value)).collect();
        visible.alternatives.insert(name.clone(), alternatives);
        visible.properties.insert(name, property.value.as_ref().map_or_else(String::new, shown));
    }
    visible
}
