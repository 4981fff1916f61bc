//! Drafts: changes that wait because it is not known where this device's own feeds end (PEER-11).
//!
//! What cannot be written then is kept as it was asked for, and answered with 202. The running node makes the changes in their
//! order as soon as it may: a text gets what differs between the text that was seen and the one that was wanted, whatever others
//! wrote meanwhile. A change that a rule refuses by then stays with its reason until somebody drops it.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;
use weft_crypto::{ObjectId, SpaceId};
use weft_echo::{Edit, Register};
use weft_peer::{
    command::{Answer, Command},
    event::Event,
};

use super::{
    Api,
    error::{ApiError, ErrorBody, Reason},
    lookup, objects, records, rfc3339, status, text,
};

/// By this code the peer says that nothing can be written yet.
const END_UNKNOWN: &str = "end_unknown";
/// How long drafts wait that failed for a moment, such as on a full disk. A guess.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// A change that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Draft {
    /// Append a record.
    Record { base64: String },
    /// Make an object.
    Create { type_name: String, properties: Vec<Property>, text: Option<String> },
    /// Set properties of one; those without a value are taken away.
    Set { object: String, properties: Vec<Property> },
    /// Make `wanted` of the text `base`.
    Text { object: String, base: String, wanted: String },
    /// Delete an object.
    Delete { object: String },
}

/// A property, its value as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Property {
    name: String,
    value: Option<Value>,
}

/// A draft as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    draft: Draft,
    kept_ms: u64,
    refused: Option<Reason>,
}

/// A change that could not be written yet is kept, and made when it can be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftKept {
    /// The space.
    space: String,
    /// The numbers of the drafts that were kept.
    drafts: Vec<u64>,
    /// What they wait for.
    waits_for: &'static str,
}

/// The drafts of a space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Drafts {
    /// The space.
    space: String,
    /// Whether this device may write by now, so that only what was refused stays.
    ends_known: bool,
    /// In the order in which they were kept.
    drafts: Vec<DraftBody>,
}

/// A draft.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftBody {
    /// Its number.
    draft: u64,
    /// When it was kept, RFC 3339.
    kept: String,
    /// What is to be changed, and how.
    #[schema(value_type = Object)]
    change: Value,
    /// Why it could not be made when it should have been; none while it waits.
    refused: Option<Reason>,
}

/// The answer to a change: it is made, or it waits.
pub(crate) enum Written<T> {
    /// It is durable here.
    Done(T),
    /// It is kept as drafts.
    Kept(DraftKept),
}

impl<T: Serialize> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        match self {
            Written::Done(done) => Json(done).into_response(),
            Written::Kept(kept) => (StatusCode::ACCEPTED, Json(kept)).into_response(),
        }
    }
}

impl Draft {
    pub(crate) fn record(record: &[u8]) -> Draft {
        Draft::Record { base64: BASE64.encode(record) }
    }

    /// The draft of an edit, but for one of text, which needs the text that was seen.
    pub(crate) fn of(edit: Edit) -> Option<Draft> {
        match edit {
            Edit::Create { type_name, registers, text } => {
                Some(Draft::Create { type_name, properties: properties(registers), text })
            }
            Edit::Set { object, registers } => {
                Some(Draft::Set { object: object.to_string(), properties: properties(registers) })
            }
            Edit::Delete { object } => Some(Draft::Delete { object: object.to_string() }),
            Edit::Text { .. } | Edit::Revise { .. } | Edit::Update { .. } => None,
        }
    }
}

fn properties(registers: Vec<Register>) -> Vec<Property> {
    let property = |register: Register| Property { value: objects::json(&register.value), name: register.name };
    registers.into_iter().map(property).collect()
}

fn registers(properties: Vec<Property>) -> Vec<Register> {
    let register = |property: Property| Register {
        name: property.name,
        value: property.value.map(|value| value.to_string()).unwrap_or_default().into(),
    };
    properties.into_iter().map(register).collect()
}

/// Whether a change was refused only for now.
pub(crate) fn waits<T>(result: &Result<T, ApiError>) -> bool {
    matches!(result, Err(error) if error.reason.code == END_UNKNOWN)
}

/// Keeps drafts, in their order.
pub(crate) async fn keep<T>(api: &Api, space: SpaceId, drafts: Vec<Draft>) -> Result<Written<T>, ApiError> {
    let mut numbers = Vec::new();
    for draft in drafts {
        let stored = Stored { draft, kept_ms: rfc3339::now_ms(), refused: None };
        numbers.push(store(api, space, None, &stored).await?);
    }
    let waits_for = "a member of the space, who shows what it holds of this device's own feeds";
    Ok(Written::Kept(DraftKept { space: space.to_string(), drafts: numbers, waits_for }))
}

/// Has an edit made, or keeps it.
pub(crate) async fn edit(api: &Api, space: SpaceId, edit: Edit) -> Result<Written<objects::ObjectName>, ApiError> {
    let draft = Draft::of(edit.clone());
    match (objects::edit(api, space, edit).await, draft) {
        (result, Some(draft)) if waits(&result) => keep(api, space, vec![draft]).await,
        (result, _) => result.map(Written::Done),
    }
}

async fn store(api: &Api, space: SpaceId, number: Option<u64>, stored: &Stored) -> Result<u64, ApiError> {
    let content = serde_json::to_vec(stored).map_err(|_| ApiError::unexpected())?.into();
    match api.node().command(Command::KeepDraft { space, number, content }).await? {
        Answer::DraftKept { number } => Ok(number),
        _ => Err(ApiError::unexpected()),
    }
}

async fn all(api: &Api, space: SpaceId) -> Result<(Vec<(u64, Stored)>, bool), ApiError> {
    let Answer::Drafts { drafts, ends_known } = api.node().command(Command::Drafts { space }).await? else {
        return Err(ApiError::unexpected());
    };
    let read = |(number, content): (u64, axum::body::Bytes)| {
        let stored =
            serde_json::from_slice(&content).map_err(|error| lookup::damaged(format!("draft {number}: {error}")));
        stored.map(|stored| (number, stored))
    };
    Ok((drafts.into_iter().map(read).collect::<Result<_, _>>()?, ends_known))
}

/// List the drafts of a space: changes that wait, or that could not be made.
#[utoipa::path(get, path = "/spaces/{space}/drafts", tag = "drafts", params(("space" = String, Path)),
    responses((status = 200, body = Drafts), (status = 404, body = ErrorBody)))]
pub(crate) async fn list(State(api): State<Api>, Path(space): Path<String>) -> Result<Json<Drafts>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let (drafts, ends_known) = all(&api, space).await?;
    let body = |(draft, stored): (u64, Stored)| DraftBody {
        draft,
        kept: rfc3339::format(stored.kept_ms),
        change: serde_json::to_value(&stored.draft).unwrap_or_default(),
        refused: stored.refused,
    };
    Ok(Json(Drafts { space: space.to_string(), ends_known, drafts: drafts.into_iter().map(body).collect() }))
}

/// Drop a draft: it is not made any more.
#[utoipa::path(delete, path = "/spaces/{space}/drafts/{draft}", tag = "drafts",
    params(("space" = String, Path), ("draft" = u64, Path)),
    responses((status = 200, body = DraftDropped), (status = 404, body = ErrorBody)))]
pub(crate) async fn drop_one(
    State(api): State<Api>,
    Path((space, draft)): Path<(String, u64)>,
) -> Result<Json<DraftDropped>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    api.node().command(Command::DropDraft { space, number: draft }).await?;
    Ok(Json(DraftDropped { space: space.to_string(), dropped: draft }))
}

/// A draft that is gone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftDropped {
    /// The space.
    space: String,
    /// The draft.
    dropped: u64,
}

/// Makes what waits as soon as it may be made, until the node stops.
pub(crate) fn start(api: &Api) {
    let (api, mut events) = (api.clone(), api.node().events());
    tokio::spawn(async move {
        // Those that waited when the node was stopped.
        let mut due = spaces(&api).await;
        let mut again = tokio::time::interval(AGAIN_AFTER);
        loop {
            let mut left = BTreeSet::new();
            for space in std::mem::take(&mut due) {
                if append(&api, space).await.is_err() {
                    left.insert(space);
                }
            }
            due = tokio::select! {
                () = api.node().stopped() => return,
                _ = again.tick(), if !left.is_empty() => BTreeSet::new(),
                event = events.recv() => match event {
                    Ok(Event::EndsKnown { space }) => BTreeSet::from([space]),
                    Ok(_) => BTreeSet::new(),
                    Err(RecvError::Lagged(_)) => spaces(&api).await,
                    Err(RecvError::Closed) => return,
                },
            };
            due.extend(left);
        }
    });
}

async fn spaces(api: &Api) -> BTreeSet<SpaceId> {
    let spaces = status::ask(api).await.map(|status| status.spaces).unwrap_or_default();
    spaces.into_iter().map(|space| space.space).collect()
}

/// Makes the changes of a space in their order. An error means that it is to be tried again.
async fn append(api: &Api, space: SpaceId) -> Result<(), ApiError> {
    let (drafts, ends_known) = all(api, space).await?;
    if !ends_known {
        return Ok(());
    }
    for (number, stored) in drafts.into_iter().filter(|(_, stored)| stored.refused.is_none()) {
        match make(api, space, stored.draft.clone()).await {
            Ok(()) => {
                api.node().command(Command::DropDraft { space, number }).await?;
                tracing::info!(%space, number, "a draft is appended");
            }
            Err(error) if error.status.is_client_error() && error.reason.code != "no_epoch" => {
                tracing::warn!(%space, number, code = error.reason.code, "a draft cannot be appended and stays");
                store(api, space, Some(number), &Stored { refused: Some(error.reason), ..stored }).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn make(api: &Api, space: SpaceId, draft: Draft) -> Result<(), ApiError> {
    let named = |object: &str| object.parse::<ObjectId>().map_err(|_| lookup::damaged("a draft names no object"));
    match draft {
        Draft::Record { base64 } => {
            let record = BASE64.decode(base64.as_bytes()).map_err(lookup::damaged)?;
            records::write(api, space, record.into()).await.map(drop)
        }
        Draft::Text { object, base, wanted } => {
            text::replace(api, space, named(&object)?, Some(base), wanted).await.map(drop)
        }
        Draft::Create { type_name, properties, text } => {
            let edit = Edit::Create { type_name, registers: registers(properties), text };
            objects::edit(api, space, edit).await.map(drop)
        }
        Draft::Set { object, properties } => {
            let edit = Edit::Set { object: named(&object)?, registers: registers(properties) };
            objects::edit(api, space, edit).await.map(drop)
        }
        Draft::Delete { object } => objects::edit(api, space, Edit::Delete { object: named(&object)? }).await.map(drop),
    }
}
