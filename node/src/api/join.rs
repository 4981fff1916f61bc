//! Joining a space by a link.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_invitation::Link;
use weft_peer::command::{Answer, Command};

use super::{
    Api,
    error::{ApiError, Body, ErrorBody},
    status,
};

/// A link to be redeemed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Joining {
    /// `weft-invite:…`
    link: String,
}

/// The membership that is now durable here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Joined {
    /// The space.
    space: String,
    /// What this identity is there.
    role: String,
    /// The identity that issued the link.
    inviter: String,
    /// What the link says the space is called, if it says so.
    says_space: Option<String>,
    /// What the link says its issuer is called, if it says so.
    says_inviter: Option<String>,
    /// Whether this identity was a member before.
    already: bool,
}

/// A person at a host of the link has to approve first. The redemption is kept here and there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Waits {
    /// The space.
    space: String,
    /// True.
    waiting: bool,
    /// Twenty digits of this identity: read them to whoever sent the link, who sees the same.
    digits: String,
    /// What the link says the space is called, if it says so.
    says_space: Option<String>,
    /// What the link says its issuer is called, if it says so.
    says_inviter: Option<String>,
}

/// Join a space. Answered when membership is durable here and the epoch is open; the data comes later. Where a person has to approve
/// first, the answer says so, and the same request asks again.
#[utoipa::path(post, path = "/join", tag = "spaces", request_body = Joining,
    responses((status = 200, body = Joined), (status = 202, body = Waits, description = "a person has to approve first: ask again"),
        (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn join(State(api): State<Api>, Body(Joining { link }): Body<Joining>) -> Result<Response, ApiError> {
    let link = Link::parse(link.trim()).map_err(|error| {
        ApiError::bad_request(
            "malformed_link",
            error.to_string(),
            "copy the whole link, from `weft-invite:` to its end, or ask for a new one",
        )
    })?;
    let [says_space, says_inviter] =
        [&link.space_name, &link.inviter_name].map(|said| Some(said.clone()).filter(|said| !said.is_empty()));
    if let Some(already) = already_joined(&api, &link).await? {
        return Ok(Json(Joined { says_space, says_inviter, ..already }).into_response());
    }
    if !api.node().has_network() {
        return Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no_node",
            "joining needs a node that can reach the inviter",
            "start it with `weft up`",
        ));
    }
    match api.node().command(Command::Join { link }).await? {
        Answer::Joined { space, role, inviter, .. } => Ok(Json(Joined {
            space: space.to_string(),
            role: role.to_string(),
            inviter: inviter.to_string(),
            says_space,
            says_inviter,
            already: false,
        })
        .into_response()),
        Answer::JoinWaits { space, digits, .. } => {
            let waits = Waits { space: space.to_string(), waiting: true, digits, says_space, says_inviter };
            Ok((StatusCode::ACCEPTED, Json(waits)).into_response())
        }
        _ => Err(ApiError::unexpected()),
    }
}

/// Whoever is a member already joins by doing nothing; the link stays good for somebody else.
async fn already_joined(api: &Api, link: &Link) -> Result<Option<Joined>, ApiError> {
    let here = status::ask(api).await?.spaces.into_iter().find(|space| space.space == link.space);
    let Some(role) = here.and_then(|space| space.role) else { return Ok(None) };
    let Answer::Members(members) = api.node().command(Command::Members { space: link.space }).await? else {
        return Err(ApiError::unexpected());
    };
    let me = members.iter().find(|member| member.me);
    let inviter = me.map(|me| me.admitted_by.unwrap_or(me.identity).to_string()).unwrap_or_default();
    Ok(Some(Joined {
        space: link.space.to_string(),
        role: role.to_string(),
        inviter,
        says_space: None,
        says_inviter: None,
        already: true,
    }))
}
