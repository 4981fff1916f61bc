//! Requests that are too large, answered so that their sender hears the answer.

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::StreamExt;

use super::error::too_large;

/// How much of a body that is refused is read and thrown away, in bytes. Who sends more than 1 GiB loses the connection.
const DISCARDED_BYTES_MAX: u64 = 1 << 30;

/// Refuses a request that says it is longer than `bytes_max`. Its body is read to the end first: closing a connection on which
/// the other side still sends takes the answer with it. Bodies that do not say their length meet the limit when they are read.
pub(crate) async fn admit(State(bytes_max): State<u64>, request: Request, next: Next) -> Response {
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_none_or(|length| length <= bytes_max) {
        return next.run(request).await;
    }
    discard(request, DISCARDED_BYTES_MAX).await;
    too_large().into_response()
}

/// Reads the body of a request that is not carried out, and throws it away; at most so many bytes of it.
pub(crate) async fn discard(request: Request, bytes_max: u64) {
    let mut body = request.into_body().into_data_stream();
    let mut discarded = 0;
    while let Some(Ok(bytes)) = body.next().await {
        discarded += bytes.len() as u64;
        if discarded > bytes_max {
            break;
        }
    }
}
