//! What this identity calls itself towards others.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_crypto::{DeviceId, ObjectId, SpaceId};
use weft_echo::Edit;
use weft_peer::command::Command;

use super::{
    Api,
    error::{ApiError, Body, ErrorBody},
    lookup,
    names::{self, PROFILE_TYPE},
    status,
};
use crate::config::{self, Source};

/// What this identity calls itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Profile {
    /// Its root key.
    identity: String,
    /// What members of its spaces see; none when it has no name.
    name: Option<String>,
}

/// A name for this identity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProfile {
    /// What members of its spaces see from now on; at most 128 bytes.
    name: String,
}

/// A name that this identity has from now on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProfileSet {
    /// Its root key.
    identity: String,
    /// The name.
    name: String,
    /// The spaces in which it was said.
    spaces: Vec<String>,
    /// The spaces in which it could not be said.
    not_said: Vec<NotSaid>,
}

/// A space in which a name could not be said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotSaid {
    /// The space.
    space: String,
    /// Why.
    reason: String,
}

/// What this identity calls itself.
#[utoipa::path(get, path = "/profile", tag = "profile", responses((status = 200, body = Profile)))]
pub(crate) async fn show(State(api): State<Api>) -> Result<Json<Profile>, ApiError> {
    let identity = api.node().identity().to_string();
    let name = status::ask(&api).await?.name;
    Ok(Json(Profile { identity, name: Some(name).filter(|name| !name.is_empty()) }))
}

/// Call this identity something else: in spaces that it enters, and in all where it may write.
#[utoipa::path(patch, path = "/profile", tag = "profile", request_body = NewProfile,
    responses((status = 200, body = ProfileSet), (status = 400, body = ErrorBody)))]
pub(crate) async fn set(
    State(api): State<Api>,
    Body(NewProfile { name }): Body<NewProfile>,
) -> Result<Json<ProfileSet>, ApiError> {
    let name = names::checked(&name)?;
    if let Source::Environment(variable) = api.config().name.source {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "set_elsewhere",
            format!("the variable {variable} says what this identity is called, and would again at the next start"),
            format!("unset {variable} and start the node again"),
        ));
    }
    keep(&api, &name).await?;
    api.node().command(Command::SetName { name: name.clone() }).await?;
    let (mut spaces, mut not_said) = (Vec::new(), Vec::new());
    for space in status::ask(&api).await?.spaces {
        if !space.role.is_some_and(weft_credential::Role::may_write) {
            continue;
        }
        match say(&api, space.space, &name).await {
            Ok(()) => spaces.push(space.space.to_string()),
            Err(error) => {
                not_said.push(NotSaid { space: space.space.to_string(), reason: error.reason.message });
            }
        }
    }
    Ok(Json(ProfileSet { identity: api.node().identity().to_string(), name, spaces, not_said }))
}

/// Writes the name where the next start reads it.
async fn keep(api: &Api, name: &str) -> Result<(), ApiError> {
    let (folder, name) = (api.config().data_dir.value.clone(), name.to_owned());
    let written = tokio::task::spawn_blocking(move || config::write_name(&folder, &name)).await;
    written.map_err(|_| ApiError::unexpected())?.map_err(|error| {
        ApiError::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "unwritable",
            format!("config.toml cannot be written: {error}"),
            "look at its rights",
        )
    })
}

/// Says in a space what this identity is called, as its last saying.
async fn say(api: &Api, space: SpaceId, name: &str) -> Result<(), ApiError> {
    let (me, device) = (api.node().identity(), api.node().device());
    let mut own: Vec<(ObjectId, Option<DeviceId>, u64)> = Vec::new();
    for (object, profile) in lookup::of_type(api, space, PROFILE_TYPE).await? {
        if profile.author == *me.as_bytes() {
            let by = names::own_text(&profile, "device").and_then(|device| device.parse().ok());
            own.push((object, by, names::number(&profile)));
        }
    }
    let number = own.iter().map(|(.., number)| *number).max().map_or(0, |last| last.saturating_add(1));
    let registers = names::registers(name, number, Some(&device));
    let edit = match own
        .iter()
        .filter(|(_, by, _)| *by == Some(device))
        .max_by_key(|(object, _, number)| (*number, *object))
    {
        Some((object, ..)) => Edit::Set { object: *object, registers },
        None => Edit::Create { type_name: PROFILE_TYPE.to_owned(), registers, text: None },
    };
    names::write(api, space, edit).await
}
