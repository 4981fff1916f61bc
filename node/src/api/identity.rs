//! The recovery phrase: shown until its owner has written it down, then gone from this device.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Api,
    error::{ApiError, ErrorBody},
};
use crate::identity::IdentityError;

/// The phrase, and whether it is still stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct PhraseBody {
    /// Its words; none once they were confirmed.
    phrase: Option<String>,
    /// Whether the owner has said that it is written down.
    confirmed: bool,
}

/// The recovery phrase, while it is stored here.
#[utoipa::path(get, path = "/identity/phrase", tag = "identity",
    responses((status = 200, body = PhraseBody), (status = 507, body = ErrorBody)))]
pub(crate) async fn phrase(State(api): State<Api>) -> Result<Json<PhraseBody>, ApiError> {
    let phrase = api.node().phrase().map_err(unreadable)?;
    Ok(Json(PhraseBody { confirmed: phrase.is_none(), phrase: phrase.map(|phrase| phrase.words().to_string()) }))
}

/// Say that the phrase is written down: it is deleted from this device.
#[utoipa::path(delete, path = "/identity/phrase", tag = "identity",
    responses((status = 200, body = PhraseBody), (status = 507, body = ErrorBody)))]
pub(crate) async fn forget_phrase(State(api): State<Api>) -> Result<Json<PhraseBody>, ApiError> {
    api.node().confirm_phrase().map_err(unreadable)?;
    Ok(Json(PhraseBody { phrase: None, confirmed: true }))
}

pub(super) fn unreadable(error: IdentityError) -> ApiError {
    ApiError::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "identity_unreadable",
        error.to_string(),
        "look at the rights of the folder `identity` in the data folder",
    )
}
