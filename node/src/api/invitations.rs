//! Inviting somebody into a space, and joining one.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_credential::Role;
use weft_invitation::Link;
use weft_peer::command::{Answer, Command};

use super::{
    Api,
    error::{ApiError, Body, ErrorBody},
    lookup, rfc3339, status,
};
use crate::addresses;

/// The longest life of a link.
const EXPIRES_MAX: Duration = Duration::from_secs(366 * 86_400);

/// A link to be issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvitation {
    /// What the newcomer will be: `reader`, `writer`, `admin` or `owner`. Default `writer`.
    role: Option<String>,
    /// How long the link can be used, in milliseconds; at most 366 days. Default 24 hours.
    expires_ms: Option<u64>,
}

/// The link that was issued. Whoever has it can join, once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invited {
    /// `weft-invite:…`
    link: String,
    /// The invitation's id.
    invitation: String,
    /// The space.
    space: String,
    /// What the newcomer will be.
    role: String,
    /// Until when it can be used, RFC 3339.
    expires: String,
}

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

/// Issue a link by which one person can join.
#[utoipa::path(post, path = "/spaces/{space}/invitations", tag = "spaces", params(("space" = String, Path)),
    request_body = NewInvitation, responses((status = 200, body = Invited), (status = 403, body = ErrorBody)))]
pub(crate) async fn invite(
    State(api): State<Api>,
    Path(space): Path<String>,
    Body(new): Body<NewInvitation>,
) -> Result<Json<Invited>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let role = new.role.as_deref().unwrap_or("writer").parse::<Role>();
    let role = role.map_err(|error| ApiError::bad_request("bad_role", error.to_string(), "choose one of these"))?;
    let life = Duration::from_millis(new.expires_ms.unwrap_or(86_400_000));
    if life.is_zero() || life > EXPIRES_MAX {
        return Err(ApiError::bad_request(
            "bad_expiry",
            "a link lives at least 1 ms and at most 366 days",
            "--expires 24h",
        ));
    }
    let expires_ms = rfc3339::now_ms() + u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
    let me = api.config().name.value.clone().unwrap_or_default();
    let command = Command::Invite {
        space,
        role,
        uses: 1,
        expires_ms,
        addresses: addresses::for_links(api.node(), api.config()),
        space_name: lookup::space_name(&api, space).await?.unwrap_or_default(),
        inviter_name: me,
    };
    let Answer::Invited { link, invitation } = api.node().command(command).await? else {
        return Err(ApiError::unexpected());
    };
    Ok(Json(Invited {
        link,
        invitation: invitation.to_string(),
        space: space.to_string(),
        role: role.to_string(),
        expires: rfc3339::format(expires_ms),
    }))
}

/// Join a space. Answered when membership is durable here and the epoch is open; the data comes later.
#[utoipa::path(post, path = "/join", tag = "spaces", request_body = Joining,
    responses((status = 200, body = Joined), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn join(
    State(api): State<Api>,
    Body(Joining { link }): Body<Joining>,
) -> Result<Json<Joined>, ApiError> {
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
        return Ok(Json(Joined { says_space, says_inviter, ..already }));
    }
    if !api.node().has_network() {
        return Err(ApiError::new(
            axum::http::StatusCode::SERVICE_UNAVAILABLE,
            "no_node",
            "joining needs a node that can reach the inviter",
            "start it with `weft up`",
        ));
    }
    let Answer::Joined { space, role, inviter, .. } = api.node().command(Command::Join { link }).await? else {
        return Err(ApiError::unexpected());
    };
    Ok(Json(Joined {
        space: space.to_string(),
        role: role.to_string(),
        inviter: inviter.to_string(),
        says_space,
        says_inviter,
        already: false,
    }))
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
