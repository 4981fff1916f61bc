//! What a space lets newcomers read of the time before they came.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_credential::History;
use weft_crypto::SpaceId;
use weft_peer::Act;

use super::{
    Api,
    error::{ApiError, Body, ErrorBody},
    lookup, members, status,
};

/// The policy of a space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Policy {
    /// The space.
    space: String,
    /// What newcomers read of the time before they came: `all`, or `from_joining`.
    history: &'static str,
}

/// Another policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPolicy {
    /// `all`, or `from_joining`.
    history: String,
}

/// What a space lets newcomers read of the time before they came.
#[utoipa::path(get, path = "/spaces/{space}/policy", tag = "policy", params(("space" = String, Path)),
    responses((status = 200, body = Policy), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(api): State<Api>, Path(space): Path<String>) -> Result<Json<Policy>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    policy(&api, space).await.map(Json)
}

/// Let newcomers read something else of the time before they came, from now on. An owner does.
#[utoipa::path(patch, path = "/spaces/{space}/policy", tag = "policy", params(("space" = String, Path)),
    request_body = NewPolicy, responses((status = 200, body = Policy), (status = 404, body = ErrorBody)))]
pub(crate) async fn set(
    State(api): State<Api>,
    Path(space): Path<String>,
    Body(NewPolicy { history }): Body<NewPolicy>,
) -> Result<Json<Policy>, ApiError> {
    let history = match history.as_str() {
        "all" => History::All,
        "from_joining" => History::FromJoining,
        _ => {
            let message = format!("`{history}` is no such policy");
            return Err(ApiError::bad_request("bad_policy", message, "choose `all` or `from_joining`"));
        }
    };
    let space = lookup::space(&api, &space).await?;
    if status::of_space(&api, space).await?.history != history {
        members::write(&api, space, Act::SetPolicy { history }).await?;
    }
    policy(&api, space).await.map(Json)
}

async fn policy(api: &Api, space: SpaceId) -> Result<Policy, ApiError> {
    let history = match status::of_space(api, space).await?.history {
        History::All => "all",
        History::FromJoining => "from_joining",
    };
    Ok(Policy { space: space.to_string(), history })
}
