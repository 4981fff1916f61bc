//! Spaces and who belongs to them.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_peer::command::{Answer, Command};

use super::{
    Api,
    error::{ApiError, Body, ErrorBody},
    lookup,
    status::{self, SpaceBody},
};
use crate::identity::peer_id;

/// A space to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSpace {
    /// What people call it; at most 128 bytes.
    name: String,
}

/// The space that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeSpace {
    /// Its id.
    space: String,
    /// Its name.
    name: String,
}

/// Every space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Spaces {
    /// In the order of their ids.
    spaces: Vec<SpaceBody>,
}

/// The members of a space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Members {
    /// The space.
    space: String,
    /// By seniority.
    members: Vec<Member>,
}

/// A member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// Its root key.
    identity: String,
    /// What it calls itself.
    name: Option<String>,
    /// `reader`, `writer`, `admin`, `owner` or `keeper`.
    role: String,
    /// Its devices, as libp2p names them.
    devices: Vec<String>,
    /// Who issued the invitation it came by; none for the founder.
    admitted_by: Option<String>,
    /// Whether it is the identity of this node.
    me: bool,
}

/// Make a space and become its owner.
#[utoipa::path(post, path = "/spaces", tag = "spaces", request_body = NewSpace,
    responses((status = 200, body = MadeSpace), (status = 400, body = ErrorBody)))]
pub(crate) async fn create(
    State(api): State<Api>,
    Body(NewSpace { name }): Body<NewSpace>,
) -> Result<Json<MadeSpace>, ApiError> {
    match api.node().command(Command::CreateSpace { name: name.clone() }).await? {
        Answer::SpaceCreated { space } => Ok(Json(MadeSpace { space: space.to_string(), name })),
        _ => Err(ApiError::unexpected()),
    }
}

/// List the spaces of this node.
#[utoipa::path(get, path = "/spaces", tag = "spaces", responses((status = 200, body = Spaces)))]
pub(crate) async fn list(State(api): State<Api>) -> Result<Json<Spaces>, ApiError> {
    let mut spaces = Vec::new();
    for (space, name) in status::named(&api, status::ask(&api).await?.spaces).await? {
        let names = lookup::peer_names(&api, space.space).await?;
        spaces.push(status::space_body(space, name, &names));
    }
    Ok(Json(Spaces { spaces }))
}

/// Show a space and what it waits for.
#[utoipa::path(get, path = "/spaces/{space}", tag = "spaces", params(("space" = String, Path)),
    responses((status = 200, body = SpaceBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(api): State<Api>, Path(space): Path<String>) -> Result<Json<SpaceBody>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let name = lookup::space_names(&api, &[space]).await?.remove(&space);
    let names = lookup::peer_names(&api, space).await?;
    let space = status::of_space(&api, space).await?;
    Ok(Json(status::space_body(space, name, &names)))
}

/// List who belongs to a space.
#[utoipa::path(get, path = "/spaces/{space}/members", tag = "spaces", params(("space" = String, Path)),
    responses((status = 200, body = Members), (status = 404, body = ErrorBody)))]
pub(crate) async fn members(State(api): State<Api>, Path(space): Path<String>) -> Result<Json<Members>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let names = lookup::peer_names(&api, space).await?;
    let Answer::Members(members) = api.node().command(Command::Members { space }).await? else {
        return Err(ApiError::unexpected());
    };
    let members = members.into_iter().map(|member| Member {
        identity: member.identity.to_string(),
        name: member.devices.iter().find_map(|device| names.get(device).cloned()),
        role: member.role.to_string(),
        devices: member.devices.iter().map(|device| peer_id(device).to_string()).collect(),
        admitted_by: member.admitted_by.map(|identity| identity.to_string()),
        me: member.me,
    });
    Ok(Json(Members { space: space.to_string(), members: members.collect() }))
}
