//! The shared text of an object.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_crypto::{ObjectId, SpaceId};
use weft_echo::{Edit, TextOp, view};

use super::{
    Api,
    error::{ApiError, Asked, Body, ErrorBody},
    lookup,
    objects::{self, ObjectName, WithinQuery},
};

/// A text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TextBody {
    /// The object.
    object: String,
    /// The space it is in.
    space: String,
    /// Its text.
    text: String,
}

/// Operations on a text: all of them or none, in sequence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextChange {
    /// At most 64.
    operations: Vec<Operation>,
}

/// Replace `delete` characters from `position` by `insert`. Characters are Unicode scalar values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// Where, counted from 0 in the text as the operations before this one left it.
    position: u64,
    /// How many characters go. Default 0.
    #[serde(default)]
    delete: u64,
    /// What comes in their place. Default nothing.
    #[serde(default)]
    insert: String,
}

/// The text of an object, exactly.
#[utoipa::path(get, path = "/objects/{object}/text", tag = "objects", params(("object" = String, Path), WithinQuery),
    responses((status = 200, body = TextBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(
    State(api): State<Api>,
    Path(asked): Path<String>,
    Asked(within): Asked<WithinQuery>,
) -> Result<Json<TextBody>, ApiError> {
    let (space, object) = lookup::object(&api, within.space.as_deref(), &asked).await?;
    let rows = objects::rows(&api, space, object).await?;
    let seen = view::object(&rows).map_err(lookup::damaged)?;
    if seen.is_none_or(|seen| seen.deleted) {
        return Err(objects::gone(&asked));
    }
    let text = view::text(&space, &rows).map_err(lookup::damaged)?;
    Ok(Json(TextBody { object: object.to_string(), space: space.to_string(), text }))
}

/// Change the text of an object. Answered when it is durable here.
#[utoipa::path(post, path = "/objects/{object}/text", tag = "objects", params(("object" = String, Path), WithinQuery),
    request_body = TextChange, responses((status = 200, body = ObjectName), (status = 403, body = ErrorBody)))]
pub(crate) async fn edit(
    State(api): State<Api>,
    Path(object): Path<String>,
    Asked(within): Asked<WithinQuery>,
    Body(change): Body<TextChange>,
) -> Result<Json<ObjectName>, ApiError> {
    let (space, object) = lookup::editable(&api, within.space.as_deref(), &object, lookup::Doing::Change).await?;
    let operation = |operation: Operation| TextOp {
        position: operation.position,
        delete: operation.delete,
        insert: operation.insert,
    };
    let ops = change.operations.into_iter().map(operation).collect();
    Ok(Json(objects::edit(&api, space, Edit::Text { object, ops }).await?))
}

/// The text of an object.
pub(crate) async fn read(api: &Api, space: SpaceId, object: ObjectId) -> Result<String, ApiError> {
    let rows = objects::rows(api, space, object).await?;
    view::text(&space, &rows).map_err(lookup::damaged)
}

/// Makes the text of an object equal to `wanted` by replacing the part that differs, so that what others write into the rest
/// at the same time stays.
pub(crate) async fn replace(api: &Api, space: SpaceId, object: ObjectId, wanted: &str) -> Result<(), ApiError> {
    let now = read(api, space, object).await?;
    if let Some(op) = difference(&now, wanted) {
        objects::edit(api, space, Edit::Text { object, ops: vec![op] }).await?;
    }
    Ok(())
}

/// The one operation that makes `wanted` of `now`, if they differ.
fn difference(now: &str, wanted: &str) -> Option<TextOp> {
    if now == wanted {
        return None;
    }
    let (now, wanted): (Vec<char>, Vec<char>) = (now.chars().collect(), wanted.chars().collect());
    let start = now.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let end = now[start..].iter().rev().zip(wanted[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    Some(TextOp {
        position: start as u64,
        delete: (now.len() - start - end) as u64,
        insert: wanted[start..wanted.len() - end].iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_that_differs_is_replaced() {
        let op = |position, delete, insert: &str| Some(TextOp { position, delete, insert: insert.to_owned() });
        assert_eq!(difference("same", "same"), None);
        assert_eq!(difference("ab🙂ef", "ab🙂cdef"), op(3, 0, "cd"));
        assert_eq!(difference("aaa", "aa"), op(2, 1, ""));
        assert_eq!(difference("", "new"), op(0, 0, "new"));
        assert_eq!(difference("old", ""), op(0, 3, ""));
    }
}
