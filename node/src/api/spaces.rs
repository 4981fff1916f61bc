//! Spaces: made, listed, shown, named, left and deleted.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_credential::Role;
use weft_crypto::SpaceId;
use weft_echo::Edit;
use weft_peer::{
    Act,
    command::{Answer, Command, MemberStatus},
};

use super::{
    Api,
    error::{ApiError, Asked, Body, ErrorBody},
    lookup, members,
    names::{self, SPACE_TYPE},
    proposals::Votes,
    status::{self, SpaceBody},
};

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

/// A name for a space.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceName {
    /// What people call it from now on; at most 128 bytes.
    name: String,
}

/// How a space is left or deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Going {
    /// Only say what would be done. Default false.
    dry_run: Option<bool>,
}

/// A space that was left, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Left {
    /// The space.
    space: String,
    /// What it is called.
    name: Option<String>,
    /// What this identity was there.
    role: String,
    /// How many others stay.
    others: u32,
    /// What to call those of them who administer, each by its name or else its root key.
    administer: Vec<String>,
    /// Whether nothing was written.
    dry_run: bool,
}

/// A space that was deleted from this device, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeletedSpace {
    /// The space.
    space: String,
    /// What it is called.
    name: Option<String>,
    /// What this identity is there; none when it is no member.
    role: Option<String>,
    /// How many devices of members there are beside this one: each holds what it has got of the space.
    others: u32,
    /// Whether the connected members hold all that is held here, as far as they say.
    level: bool,
    /// Whether nothing was deleted.
    dry_run: bool,
}

/// Every space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Spaces {
    /// In the order of their ids.
    spaces: Vec<SpaceBody>,
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
        spaces.push(status::space_body(&api, space, name, &names));
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
    Ok(Json(status::space_body(&api, space, name, &names)))
}

/// Give a space another name. Every member reads it; an owner gives it.
#[utoipa::path(patch, path = "/spaces/{space}", tag = "spaces", params(("space" = String, Path)), request_body = SpaceName,
    responses((status = 200, body = MadeSpace), (status = 404, body = ErrorBody)))]
pub(crate) async fn rename(
    State(api): State<Api>,
    Path(space): Path<String>,
    Body(SpaceName { name }): Body<SpaceName>,
) -> Result<Json<MadeSpace>, ApiError> {
    let name = names::checked(&name)?;
    let space = lookup::space(&api, &space).await?;
    let me = own(&api, space).await?;
    if me.role != Role::Owner {
        return Err(ApiError::new(
            axum::http::StatusCode::FORBIDDEN,
            "wrong_role",
            format!("a space is named by its owners, and this identity is {} there", me.role),
            "ask an owner: `weft member list SPACE` shows who is one",
        ));
    }
    let said = names::of_space(&api, space).await?;
    let number = said.first().map_or(0, |said| said.number).saturating_add(1);
    let registers = names::registers(&name, number, None);
    let edit = match said.iter().find(|said| said.author == *me.identity.as_bytes()) {
        Some(mine) => Edit::Set { object: mine.object, registers },
        None => Edit::Create { type_name: SPACE_TYPE.to_owned(), registers, text: None },
    };
    names::write(&api, space, edit).await?;
    Ok(Json(MadeSpace { space: space.to_string(), name }))
}

/// Leave a space: this identity, with all its devices, for good. What is here of it stays here, to be read.
#[utoipa::path(post, path = "/spaces/{space}/leave", tag = "spaces", params(("space" = String, Path), Going),
    responses((status = 200, body = Left), (status = 404, body = ErrorBody)))]
pub(crate) async fn leave(
    State(api): State<Api>,
    Path(space): Path<String>,
    Asked(Going { dry_run }): Asked<Going>,
) -> Result<Json<Left>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let people = names::people(&api, space).await?;
    let known = names::members(&api, space).await?;
    let foreseen = members::foresee(&api, space, Act::Leave, Votes::of(&known)).await;
    foreseen.map_err(|error| last_one(error, &known))?;
    let me = own(&api, space).await?;
    let administer = known.iter().filter(|member| !member.me && member.role.may_administer());
    let left = Left {
        space: space.to_string(),
        name: lookup::space_name(&api, space).await?,
        role: me.role.to_string(),
        others: u32::try_from(known.iter().filter(|member| !member.me).count()).unwrap_or(u32::MAX),
        administer: administer
            .map(|member| people.of(&member.identity).unwrap_or_else(|| member.identity.to_string()))
            .collect(),
        dry_run: dry_run == Some(true),
    };
    if !left.dry_run {
        members::write(&api, space, Act::Leave).await?;
    }
    Ok(Json(left))
}

/// Delete a space from this device: its keys, entries and rows. What other devices hold stays there, and who is a member stays one.
#[utoipa::path(delete, path = "/spaces/{space}", tag = "spaces", params(("space" = String, Path), Going),
    responses((status = 200, body = DeletedSpace), (status = 404, body = ErrorBody)))]
pub(crate) async fn delete(
    State(api): State<Api>,
    Path(space): Path<String>,
    Asked(Going { dry_run }): Asked<Going>,
) -> Result<Json<DeletedSpace>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let status = status::of_space(&api, space).await?;
    let members = names::members(&api, space).await?;
    let mine = api.node().device();
    let others = members.iter().flat_map(|member| &member.devices).filter(|device| **device != mine).count();
    let deleted = DeletedSpace {
        space: space.to_string(),
        name: lookup::space_name(&api, space).await?.or(status.said_name),
        role: status.role.map(|role| role.to_string()),
        others: u32::try_from(others).unwrap_or(u32::MAX),
        level: status.level,
        dry_run: dry_run == Some(true),
    };
    if !deleted.dry_run {
        api.node().command(Command::DeleteSpace { space }).await?;
    }
    Ok(Json(deleted))
}

/// This identity as a member.
async fn own(api: &Api, space: SpaceId) -> Result<MemberStatus, ApiError> {
    let me = names::members(api, space).await?.into_iter().find(|member| member.me);
    me.ok_or_else(|| {
        ApiError::new(
            axum::http::StatusCode::FORBIDDEN,
            "wrong_role",
            "this identity is no member of the space",
            "`weft space list` shows what it is where",
        )
    })
}

/// Who is alone has nobody to make an owner.
fn last_one(mut error: ApiError, members: &[MemberStatus]) -> ApiError {
    if error.reason.code == "last_owner" {
        error.reason.hint = match members.len() {
            1 => "nobody else is in it: `weft space delete SPACE` deletes it here",
            _ => "make somebody else an owner first: `weft member role SPACE MEMBER owner`",
        }
        .to_owned();
    }
    error
}
