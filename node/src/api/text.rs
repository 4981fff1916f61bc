//! The shared text of an object.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_crypto::{ObjectId, SpaceId};
use weft_echo::{Edit, TextOp, view};

use super::{
    Api,
    drafts::{self, Draft, DraftKept, Written},
    error::{ApiError, Asked, Body, ErrorBody},
    lookup,
    objects::{self, ObjectName, WithinQuery},
};
use crate::text_difference;

/// How many entries of one replacement are ordered together: the bound of `weft_echo` ([`weft_echo::Config::revisions_max`]).
const REVISIONS_MAX: usize = 16;
/// How often a replacement is counted anew because somebody wrote meanwhile. A guess: it takes milliseconds each time, and people
/// write some ten times a second.
const MISSES_MAX: u32 = 100;

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
    request_body = TextChange, responses((status = 200, body = ObjectName),
        (status = 202, description = "It waits as a draft", body = DraftKept), (status = 403, body = ErrorBody)))]
pub(crate) async fn edit(
    State(api): State<Api>,
    Path(object): Path<String>,
    Asked(within): Asked<WithinQuery>,
    Body(change): Body<TextChange>,
) -> Result<Written<ObjectName>, ApiError> {
    let (space, object) = lookup::editable(&api, within.space.as_deref(), &object, lookup::Doing::Change).await?;
    let operation = |operation: Operation| TextOp {
        position: operation.position,
        delete: operation.delete,
        insert: operation.insert,
    };
    let ops: Vec<TextOp> = change.operations.into_iter().map(operation).collect();
    let result = objects::edit(&api, space, Edit::Text { object, ops: ops.clone() }).await;
    if !drafts::waits(&result) {
        return result.map(Written::Done);
    }
    let base = read(&api, space, object).await?;
    let wanted = done(&base, &ops)?;
    drafts::keep(&api, space, vec![Draft::Text { object: object.to_string(), base, wanted }]).await
}

/// What operations make of a text, each counted in the text as the one before it left it.
fn done(text: &str, ops: &[TextOp]) -> Result<String, ApiError> {
    let mut text: Vec<char> = text.chars().collect();
    for (index, TextOp { position, delete, insert }) in ops.iter().enumerate() {
        let end = position.checked_add(*delete).filter(|end| *end <= text.len() as u64).ok_or_else(|| {
            let message =
                format!("operation {index} reaches outside the text, which has {} characters there", text.len());
            let hint = "positions count characters from 0; `weft text show` prints the text";
            ApiError::new(StatusCode::FORBIDDEN, "out_of_bounds", message, hint)
        })?;
        text.splice(*position as usize..end as usize, insert.chars());
    }
    Ok(text.into_iter().collect())
}

/// The text of an object.
pub(crate) async fn read(api: &Api, space: SpaceId, object: ObjectId) -> Result<String, ApiError> {
    let rows = objects::rows(api, space, object).await?;
    view::text(&space, &rows).map_err(lookup::damaged)
}

/// Makes `wanted` of the text of an object, by entries that say only what differs. `wanted` was made from `base`: what others
/// changed since stays; without it, from the text as it is now. Gives the text that came of it.
pub(crate) async fn replace(
    api: &Api,
    space: SpaceId,
    object: ObjectId,
    base: Option<String>,
    wanted: String,
) -> Result<String, ApiError> {
    let (mut base, mut wanted) = (base, wanted);
    let mut misses = 0;
    loop {
        let now = read(api, space, object).await?;
        let from = base.take().unwrap_or_else(|| now.clone());
        let (step, seen) = tokio::task::spawn_blocking(move || (Step::of(&from, &now, wanted), now))
            .await
            .map_err(|_| ApiError::unexpected())?;
        if step.revisions.is_empty() {
            return Ok(step.wanted);
        }
        let revise = Edit::Revise { object, seen: seen.as_str().into(), revisions: step.revisions };
        match objects::edit(api, space, revise).await {
            Ok(_) if step.after == step.wanted => return Ok(step.after),
            Ok(_) => (base, wanted) = (Some(step.after), step.wanted),
            // Somebody wrote between the look and the edit: what they wrote is merged in.
            Err(error) if error.reason.code == "text_moved" && misses < MISSES_MAX => {
                misses += 1;
                (base, wanted) = (Some(seen), step.wanted);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The next entries of a replacement.
struct Step {
    /// What the text is to become in the end.
    wanted: String,
    /// As many entries as go together.
    revisions: Vec<Vec<TextOp>>,
    /// The text after them.
    after: String,
}

impl Step {
    fn of(base: &str, now: &str, wanted: String) -> Step {
        let wanted = text_difference::merge(base, now, &wanted);
        let mut revisions = text_difference::entries(text_difference::operations(now, &wanted));
        if revisions.len() <= REVISIONS_MAX {
            return Step { after: wanted.clone(), wanted, revisions };
        }
        revisions.truncate(REVISIONS_MAX);
        let after = text_difference::after(now, revisions.iter().flatten());
        Step { wanted, revisions, after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_replacement_is_made_step_by_step() {
        assert_eq!(REVISIONS_MAX, weft_echo::Config::default().revisions_max);
        let (mut text, mut steps) = ("short".to_owned(), 0);
        let wanted = "a long line of a long text\n".repeat(200_000);
        while text != wanted {
            let step = Step::of(&text, &text, wanted.clone());
            assert!(step.revisions.len() <= REVISIONS_MAX && step.wanted == wanted);
            (text, steps) = (step.after, steps + 1);
            assert!(steps < 20);
        }
        assert_eq!(steps, 2);
    }
}
