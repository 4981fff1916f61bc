//! Document instances of applications, such as browser tabs: each edits a Yjs document of its own and is told of everybody's
//! changes as they can be read.
//!
//! An instance asks for a session once, follows the object in a stream, and sends what it has done. It says how far it is
//! (its state vector) whenever it connects, so a broken connection costs nothing but a difference; what of it was never
//! answered it sends again. Nothing is kept here for one that is not connected.
//!
//! Spec: NODE-10

use axum::{
    Json,
    extract::{Path, State},
};
use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use weft_crypto::{ObjectId, SpaceId};
use weft_peer::{
    SessionKey,
    command::{Answer, Command},
};

use super::{
    Api,
    error::{ApiError, Asked, Body, ErrorBody},
    lookup,
    objects::WithinQuery,
};

pub(crate) mod presence;
pub(crate) mod stream;
pub(crate) mod tabs;

/// What a tab tells others of itself is at most this long as JSON, in bytes: a name, a colour and two positions take 300.
const PRESENCE_BYTES_MAX: usize = 1_024;

/// A session: a document that edits under it is told apart from every other, for ever.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionBody {
    /// The object that it was asked for.
    object: String,
    /// The space it is in.
    space: String,
    /// The session's number in this device's data feed of the space; never given twice.
    session: u64,
    /// The client id that the Yjs document is to have, below 2^53.
    client_id: u64,
    /// What the document shows with every request. Keep it in memory: a copy of the tab needs a session of its own.
    key: String,
}

/// Who follows, and how far it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Follow {
    /// What was given with the session.
    key: String,
    /// What the document holds: its Yjs state vector (v1), base64. Nothing: it is empty.
    #[serde(default)]
    vector: String,
    /// What `attached` said before, when this is not the first time.
    derivation: Option<u64>,
}

/// What a document has done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    /// What was given with the session.
    key: String,
    /// The stream that this document follows, as `attached` said.
    stream: u64,
    /// A Yjs update (v1) of what the session itself has inserted and deleted, base64; at most 16 MiB.
    update: String,
}

/// An update that is durable here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Written {
    /// The object.
    object: String,
    /// Its (last) entry in this device's data feed.
    seq: u64,
}

/// What a document tells others of itself, until it is gone or says otherwise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Presence {
    /// What was given with the session.
    key: String,
    /// The stream that this document follows.
    stream: u64,
    /// Any JSON of at most 1,024 bytes, such as a name and a cursor; nothing: it shows itself no more.
    #[serde(default)]
    #[schema(value_type = Object)]
    state: Value,
}

/// A presence that is told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shown {
    /// The session.
    session: u64,
}

/// Open a session for a document that is about to edit an object. Answered when the number is durably taken.
#[utoipa::path(post, path = "/objects/{object}/sessions", tag = "sessions", params(("object" = String, Path), WithinQuery),
    responses((status = 200, body = SessionBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn open(
    State(api): State<Api>,
    Path(object): Path<String>,
    Asked(within): Asked<WithinQuery>,
) -> Result<Json<SessionBody>, ApiError> {
    let (space, object) = lookup::editable(&api, within.space.as_deref(), &object, lookup::Doing::Change).await?;
    let Answer::Session { session, client, key } = api.node().command(Command::OpenSession { space }).await? else {
        return Err(ApiError::unexpected());
    };
    let (object, space, key) = (object.to_string(), space.to_string(), HEXLOWER.encode(&key));
    Ok(Json(SessionBody { object, space, session, client_id: client, key }))
}

/// Write what a document has done. Answered when it is durable here; sent again, it is written once.
#[utoipa::path(post, path = "/objects/{object}/sessions/{session}/updates", tag = "sessions",
    params(("object" = String, Path), ("session" = u64, Path), WithinQuery), request_body = Update,
    responses((status = 200, body = Written), (status = 403, body = ErrorBody)))]
pub(crate) async fn update(
    State(api): State<Api>,
    Path((object, session)): Path<(String, u64)>,
    Asked(within): Asked<WithinQuery>,
    Body(sent): Body<Update>,
) -> Result<Json<Written>, ApiError> {
    let (space, object) = place(&api, within.space.as_deref(), &object).await?;
    let key = key_of(&sent.key)?;
    check(&api, space, session, key).await?;
    api.tabs().follows((space, session), sent.stream)?;
    let update = Bytes::from(decoded(&sent.update, "update")?);
    match api.node().command(Command::Update { space, object, session, key, update }).await? {
        Answer::Updated { seq } => Ok(Json(Written { object: object.to_string(), seq })),
        _ => Err(ApiError::unexpected()),
    }
}

/// Tell the other documents of the object, here and on connected nodes of members, something that is not kept: who is here and
/// where its cursor is.
#[utoipa::path(post, path = "/objects/{object}/sessions/{session}/presence", tag = "sessions",
    params(("object" = String, Path), ("session" = u64, Path), WithinQuery), request_body = Presence,
    responses((status = 200, body = Shown), (status = 403, body = ErrorBody)))]
pub(crate) async fn presence(
    State(api): State<Api>,
    Path((object, session)): Path<(String, u64)>,
    Asked(within): Asked<WithinQuery>,
    Body(sent): Body<Presence>,
) -> Result<Json<Shown>, ApiError> {
    let (space, object) = place(&api, within.space.as_deref(), &object).await?;
    check(&api, space, session, key_of(&sent.key)?).await?;
    let state = serde_json::to_string(&sent.state).expect("JSON that was read can be written");
    if state.len() > PRESENCE_BYTES_MAX {
        return Err(ApiError::bad_request(
            "too_large",
            format!("a presence of {} bytes, at most {PRESENCE_BYTES_MAX}", state.len()),
            "tell others less; what is to be kept belongs into the object",
        ));
    }
    api.tabs().show((space, session), sent.stream, object, sent.state)?;
    Ok(Json(Shown { session }))
}

/// The object, and the space it is in. Full ids, which whoever opened a session has, are not looked up at every keystroke.
async fn place(api: &Api, within: Option<&str>, object: &str) -> Result<(SpaceId, ObjectId), ApiError> {
    if let (Some(Ok(space)), Ok(object)) = (within.map(str::parse), object.parse()) {
        return Ok((space, object));
    }
    lookup::object(api, within, object).await
}

/// Makes sure that whoever asks holds the session; its client id.
async fn check(api: &Api, space: SpaceId, session: u64, key: SessionKey) -> Result<u64, ApiError> {
    match api.node().command(Command::CheckSession { space, session, key }).await? {
        Answer::Session { client, .. } => Ok(client),
        _ => Err(ApiError::unexpected()),
    }
}

fn key_of(text: &str) -> Result<SessionKey, ApiError> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
    bytes.and_then(|bytes| SessionKey::try_from(bytes).ok()).ok_or_else(|| {
        ApiError::bad_request("bad_key", "this is no key of a session", "show the `key` that opening the session gave")
    })
}

fn decoded(text: &str, what: &str) -> Result<Vec<u8>, ApiError> {
    BASE64.decode(text.as_bytes()).map_err(|error| {
        ApiError::bad_request(
            "bad_base64",
            format!("`{what}` is no base64: {error}"),
            "use the alphabet with + and /, padded",
        )
    })
}
