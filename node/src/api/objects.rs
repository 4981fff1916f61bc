//! Objects and their properties.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use weft_crypto::{IdentityId, ObjectId, SpaceId};
use weft_echo::{Edit, Register, tables, view};
use weft_peer::command::{Answer, Command};

use super::{
    Api,
    drafts::{self, Draft, DraftKept, Written},
    error::{ApiError, Asked, Body, ErrorBody},
    lookup, rfc3339, text,
};

/// An object to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewObject {
    /// What sort of object it is, 1 to 128 bytes.
    #[serde(rename = "type")]
    type_name: String,
    /// Its properties, any JSON values.
    #[serde(default)]
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
    /// Its first text.
    text: Option<String>,
}

/// What to change of an object.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectChange {
    /// Properties to set.
    #[serde(default)]
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
    /// Properties to take away.
    #[serde(default)]
    unset: Vec<String>,
    /// What its text is to become; only what differs is written.
    text: Option<String>,
    /// The text that `text` was made from. What others changed since then stays; without it, `text` is all there is to be.
    base: Option<String>,
}

/// An object that was made or changed; durable here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectName {
    /// Its id.
    pub(crate) object: String,
    /// The space it is in.
    pub(crate) space: String,
}

/// In which space an object's name is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithinQuery {
    /// Only this space.
    pub(crate) space: Option<String>,
}

/// In which space an object's name is looked for, and whether it is only looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteQuery {
    /// Only this space.
    space: Option<String>,
    /// Answer what would be deleted, and delete nothing.
    dry_run: Option<bool>,
}

/// Which objects.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only objects of this type.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    type_name: Option<String>,
    /// Also what Weft keeps for itself.
    all: Option<bool>,
}

/// The objects of a space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Objects {
    /// The space.
    space: String,
    /// By type, then name, then id.
    objects: Vec<ObjectRow>,
}

/// An object in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectRow {
    /// Its id.
    object: String,
    /// What sort of object it is.
    #[serde(rename = "type")]
    type_name: String,
    /// Its property `name`.
    name: Option<String>,
    /// The identity that made it.
    author: Option<String>,
    /// When, as its author says, RFC 3339.
    created: String,
}

/// An object.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectBody {
    /// Its id.
    object: String,
    /// The space it is in.
    space: String,
    /// What sort of object it is.
    #[serde(rename = "type")]
    type_name: String,
    /// The identity that made it.
    author: String,
    /// When, as its author says, RFC 3339.
    created: String,
    /// Its properties.
    #[schema(value_type = Object)]
    properties: BTreeMap<String, Value>,
    /// What others wrote into a property at the same time; the same value shows everywhere.
    alternatives: Vec<Alternative>,
    /// Its text.
    text: String,
}

/// A value that does not show because another, written at the same time, does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alternative {
    /// The property.
    key: String,
    /// What was written; none when it was taken away.
    #[schema(value_type = Value)]
    value: Option<Value>,
    /// Who wrote it.
    author: String,
}

/// List the objects of a space.
#[utoipa::path(get, path = "/spaces/{space}/objects", tag = "objects", params(("space" = String, Path), ListQuery),
    responses((status = 200, body = Objects), (status = 404, body = ErrorBody)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Path(space): Path<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Objects>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let mut listed = lookup::objects(&api, space).await?;
    listed.retain(|(_, object)| match &query.type_name {
        Some(type_name) => object.type_name == *type_name,
        None => query.all == Some(true) || !object.type_name.starts_with(lookup::HIDDEN),
    });
    let objects = listed.into_iter().map(|(id, object)| ObjectRow {
        object: id.to_string(),
        type_name: object.type_name,
        name: object.name,
        author: IdentityId::try_from(&object.author[..]).ok().map(|author| author.to_string()),
        created: rfc3339::format(object.claimed_ms),
    });
    Ok(Json(Objects { space: space.to_string(), objects: objects.collect() }))
}

/// Make an object. Answered when it is durable here.
#[utoipa::path(post, path = "/spaces/{space}/objects", tag = "objects", params(("space" = String, Path)),
    request_body = NewObject, responses((status = 200, body = ObjectName),
        (status = 202, description = "It waits as a draft", body = DraftKept), (status = 403, body = ErrorBody)))]
pub(crate) async fn create(
    State(api): State<Api>,
    Path(space): Path<String>,
    Body(new): Body<NewObject>,
) -> Result<Written<ObjectName>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    if new.type_name.starts_with(lookup::HIDDEN) {
        return Err(ApiError::bad_request(
            "reserved_type",
            format!("types that begin with `{}` are Weft's own", lookup::HIDDEN),
            "choose another name for the type",
        ));
    }
    let registers = registers(new.properties, Vec::new())?;
    let edit = Edit::Create { type_name: new.type_name, registers, text: new.text.filter(|text| !text.is_empty()) };
    drafts::edit(&api, space, edit).await
}

/// Show an object.
#[utoipa::path(get, path = "/objects/{object}", tag = "objects", params(("object" = String, Path), WithinQuery),
    responses((status = 200, body = ObjectBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn get(
    State(api): State<Api>,
    Path(asked): Path<String>,
    Asked(within): Asked<WithinQuery>,
) -> Result<Json<ObjectBody>, ApiError> {
    let (space, object) = lookup::object(&api, within.space.as_deref(), &asked).await?;
    let rows = rows(&api, space, object).await?;
    let seen = view::object(&rows).map_err(lookup::damaged)?.filter(|seen| !seen.deleted);
    let seen = seen.ok_or_else(|| gone(&asked))?;
    let text = view::text(&space, &rows).map_err(lookup::damaged)?;
    let (mut properties, mut alternatives) = (BTreeMap::new(), Vec::new());
    for (key, property) in seen.properties {
        alternatives.extend(property.alternatives.iter().map(|write| Alternative {
            key: key.clone(),
            value: json(&write.value),
            author: IdentityId::from_bytes(write.author).to_string(),
        }));
        if let Some(value) = property.value {
            properties.insert(key, json(&value).unwrap_or_default());
        }
    }
    Ok(Json(ObjectBody {
        object: object.to_string(),
        space: space.to_string(),
        type_name: seen.type_name,
        author: IdentityId::from_bytes(seen.author).to_string(),
        created: rfc3339::format(seen.claimed_ms),
        properties,
        alternatives,
        text,
    }))
}

/// The value of a write; none when it took the property away.
pub(crate) fn json(value: &[u8]) -> Option<Value> {
    serde_json::from_slice(value).ok()
}

/// Change properties of an object. Answered when it is durable here.
#[utoipa::path(patch, path = "/objects/{object}", tag = "objects", params(("object" = String, Path), WithinQuery),
    request_body = ObjectChange, responses((status = 200, body = ObjectName),
        (status = 202, description = "It waits as drafts", body = DraftKept), (status = 403, body = ErrorBody)))]
pub(crate) async fn set(
    State(api): State<Api>,
    Path(object): Path<String>,
    Asked(within): Asked<WithinQuery>,
    Body(change): Body<ObjectChange>,
) -> Result<Written<ObjectName>, ApiError> {
    let (space, object) = lookup::editable(&api, within.space.as_deref(), &object, lookup::Doing::Change).await?;
    let registers = registers(change.properties, change.unset)?;
    let mut kept = Vec::new();
    if !registers.is_empty() {
        let set = Edit::Set { object, registers };
        let result = edit(&api, space, set.clone()).await;
        if drafts::waits(&result) {
            kept.extend(Draft::of(set));
        } else {
            result?;
        }
    }
    match change.text {
        Some(wanted) => {
            let result = text::replace(&api, space, object, change.base.clone(), wanted.clone()).await;
            if drafts::waits(&result) {
                let base = match change.base {
                    Some(base) => base,
                    None => text::read(&api, space, object).await?,
                };
                kept.push(Draft::Text { object: object.to_string(), base, wanted });
            } else {
                result?;
            }
        }
        None if change.base.is_some() => {
            return Err(ApiError::bad_request(
                "no_text",
                "there is a `base` and no `text`",
                "say what the text is to be",
            ));
        }
        None => {}
    }
    if !kept.is_empty() {
        return drafts::keep(&api, space, kept).await;
    }
    Ok(Written::Done(ObjectName { object: object.to_string(), space: space.to_string() }))
}

/// Delete an object. Answered when it is durable here.
#[utoipa::path(delete, path = "/objects/{object}", tag = "objects", params(("object" = String, Path), DeleteQuery),
    responses((status = 200, body = ObjectName), (status = 202, description = "It waits as a draft", body = DraftKept),
        (status = 403, body = ErrorBody)))]
pub(crate) async fn delete(
    State(api): State<Api>,
    Path(object): Path<String>,
    Asked(query): Asked<DeleteQuery>,
) -> Result<Written<ObjectName>, ApiError> {
    let (space, object) = lookup::editable(&api, query.space.as_deref(), &object, lookup::Doing::Delete).await?;
    if query.dry_run == Some(true) {
        return Ok(Written::Done(ObjectName { object: object.to_string(), space: space.to_string() }));
    }
    drafts::edit(&api, space, Edit::Delete { object }).await
}

/// Has an edit made.
pub(crate) async fn edit(api: &Api, space: SpaceId, edit: Edit) -> Result<ObjectName, ApiError> {
    match api.node().command(Command::Edit { space, edit }).await? {
        Answer::Edited { object } => Ok(ObjectName { object: object.to_string(), space: space.to_string() }),
        _ => Err(ApiError::unexpected()),
    }
}

/// Every derived row of an object.
pub(crate) async fn rows(api: &Api, space: SpaceId, object: ObjectId) -> Result<Vec<(Bytes, Bytes)>, ApiError> {
    lookup::blocking(api, move |reader| reader.rows(space, tables::OBJECT, &tables::object(&object))).await
}

fn registers(properties: Map<String, Value>, unset: Vec<String>) -> Result<Vec<Register>, ApiError> {
    if let Some(both) = unset.iter().find(|key| properties.contains_key(*key)) {
        return Err(ApiError::bad_request("bad_property", format!("`{both}` is set and taken away"), "do one of them"));
    }
    let set = properties.into_iter().map(|(name, value)| Register { name, value: value.to_string().into() });
    let removed = unset.into_iter().map(|name| Register { name, value: Bytes::new() });
    Ok(set.chain(removed).collect())
}

/// The object was deleted.
pub(crate) fn gone(asked: &str) -> ApiError {
    ApiError::not_found("unknown_object", format!("the object `{asked}` was deleted"), "weft object list SPACE")
}
