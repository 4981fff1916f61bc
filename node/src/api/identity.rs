//! The recovery phrase: shown until its owner has written it down, then gone from this device. And the lock of the keys.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Api,
    error::{ApiError, ErrorBody},
};
use crate::identity::{IdentityError, PhraseState, Protection};

/// The phrase, and whether it is still stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct PhraseBody {
    /// Its words; none once they were confirmed, or where it never was.
    phrase: Option<String>,
    /// Whether the owner has said that it is written down.
    confirmed: bool,
    /// Whether this device was linked: the phrase was never on it.
    elsewhere: bool,
}

/// The recovery phrase, while it is stored here.
#[utoipa::path(get, path = "/identity/phrase", tag = "identity",
    responses((status = 200, body = PhraseBody), (status = 507, body = ErrorBody)))]
pub(crate) async fn phrase(State(api): State<Api>) -> Result<Json<PhraseBody>, ApiError> {
    let phrase = api.node().phrase().map_err(unreadable)?;
    Ok(Json(PhraseBody {
        phrase: phrase.map(|phrase| phrase.words().to_string()),
        confirmed: api.node().phrase_state() == PhraseState::Confirmed,
        elsewhere: api.node().phrase_state() == PhraseState::Elsewhere,
    }))
}

/// Say that the phrase is written down: it is deleted from this device.
#[utoipa::path(delete, path = "/identity/phrase", tag = "identity",
    responses((status = 200, body = PhraseBody), (status = 507, body = ErrorBody)))]
pub(crate) async fn forget_phrase(State(api): State<Api>) -> Result<Json<PhraseBody>, ApiError> {
    if api.node().phrase_state() == PhraseState::Elsewhere {
        return Err(ApiError::not_found(
            "phrase_elsewhere",
            "this device was linked: the recovery phrase of its identity was never on it",
            "it is with the identity's first device, or where it was written down",
        ));
    }
    api.node().confirm_phrase().map_err(unreadable)?;
    Ok(Json(PhraseBody { phrase: None, confirmed: true, elsewhere: false }))
}

/// Whether the keys are locked.
#[derive(Serialize, ToSchema)]
pub(crate) struct LockBody {
    /// Whether they are, as soon as this was answered.
    pub(super) locked: bool,
}

/// Forget the keys. It answers first; then the node leaves its peers, closes its store, and answers with 423 until it is
/// unlocked. Refused where no passphrase would open them again.
#[utoipa::path(post, path = "/identity/lock", tag = "identity",
    responses((status = 200, body = LockBody), (status = 403, body = ErrorBody), (status = 507, body = ErrorBody)))]
pub(crate) async fn lock(State(api): State<Api>) -> Result<Json<LockBody>, ApiError> {
    if api.node().protection().map_err(unreadable)? != Protection::Passphrase {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "no_passphrase",
            "the keys are under no passphrase, so whoever reads the folder has them, locked or not",
            "set one with `weft identity passphrase`, or stop the node with `weft down`",
        ));
    }
    api.lock();
    Ok(Json(LockBody { locked: true }))
}

/// Open the keys of a locked node: the body is the passphrase as text. A node that is not locked does not look at it.
#[utoipa::path(post, path = "/identity/unlock", tag = "identity",
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = LockBody)))]
pub(crate) async fn unlock() -> Json<LockBody> {
    Json(LockBody { locked: false })
}

/// It is another passphrase.
pub(super) fn wrong_passphrase() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "wrong_passphrase",
        IdentityError::WrongPassphrase.to_string(),
        "try again: letter case, blanks and the layout of the keyboard count",
    )
}

pub(super) fn unreadable(error: IdentityError) -> ApiError {
    ApiError::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "identity_unreadable",
        error.to_string(),
        "look at the rights of the folder `identity` in the data folder",
    )
}
