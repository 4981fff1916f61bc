//! What the API answers when it does not do what was asked.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::JsonRejection},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;
use weft_peer::command::{Refusal, RefusalKind};

use super::numbers;

/// Why a request was not carried out. The status says what sort of reason it is: 400 asked wrongly, 401 no token, 403 a rule
/// says no, 404 not here, 413 too large, 423 the keys are locked, 503 busy, 504 timed out or not level, 507 the store did not keep it, 500 anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// See above.
    pub(crate) status: StatusCode,
    /// The rest, as it is answered.
    pub(crate) reason: Reason,
}

/// The body of an answer that is no success.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// Why.
    pub(crate) error: Reason,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reason {
    /// A stable name for programs, snake_case.
    pub(crate) code: String,
    /// What happened and why.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: String,
}

impl ApiError {
    /// An error in four parts.
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError { status, reason: Reason { code: code.to_owned(), message: message.into(), hint: hint.into() } }
    }

    /// The request cannot be understood.
    pub(crate) fn bad_request(code: &str, message: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, code, message, hint)
    }

    /// What it names is not here.
    pub(crate) fn not_found(code: &str, message: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, code, message, hint)
    }

    /// The peer gave an answer to another question: a fault of ours.
    pub(crate) fn unexpected() -> ApiError {
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the node gave an answer that does not belong to the question",
            "this is a fault in Weft: please report it",
        )
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let status = match refusal.kind {
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Refused => StatusCode::FORBIDDEN,
            RefusalKind::Failed if refusal.code == "busy" => StatusCode::SERVICE_UNAVAILABLE,
            RefusalKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            RefusalKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            RefusalKind::Store => StatusCode::INSUFFICIENT_STORAGE,
        };
        ApiError::new(status, refusal.code, refusal.message, refusal.hint)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorBody { error: self.reason })).into_response()
    }
}

/// A JSON body that says in our own form what is wrong with it.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, ApiError> {
        // The head says whether it is JSON at all, the bytes are looked at before they are read.
        let (head, body) = request.into_parts();
        let bytes =
            Bytes::from_request(Request::from_parts(head.clone(), body), state).await.map_err(|_| too_large())?;
        if let Some(number) = numbers::too_long(&bytes) {
            return Err(ApiError::bad_request("number_too_long", numbers::message(number), numbers::HINT));
        }
        match Json::<T>::from_request(Request::from_parts(head, bytes.into()), state).await {
            Ok(Json(value)) => Ok(Body(value)),
            Err(JsonRejection::BytesRejection(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(too_large())
            }
            Err(rejection) => Err(ApiError::bad_request("bad_body", rejection.body_text(), SEE_DESCRIPTION)),
        }
    }
}

/// Query parameters that say in our own form what is wrong with them.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Asked<T>, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Asked(value)),
            Err(rejection) => Err(ApiError::bad_request("bad_query", rejection.body_text(), SEE_DESCRIPTION)),
        }
    }
}

const SEE_DESCRIPTION: &str = "GET /api/v1/openapi.json describes every request";

/// The body is over the limit; nothing of it was written.
pub(crate) fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        "what was sent is larger than a request may be; nothing was written",
        "send it in smaller pieces",
    )
}
