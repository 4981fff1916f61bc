//! What is noted of every request: its route, how it was answered, how long that took.
//!
//! The route is noted as the router knows it (`/spaces/{space}`), never as it was asked: what people call their spaces is
//! nobody's business, and a log with one name for a route can be counted.
//!
//! Spec: NODE-7, NODE-8.1.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use super::Api;

/// Notes a request and its answer.
pub(crate) async fn request(State(api): State<Api>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map(MatchedPath::as_str);
    api.node().meters().answered(route, method.as_str(), response.status().as_u16(), begun);
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::debug!(%method, route = route.unwrap_or("none"), status = response.status().as_u16(), micros, "answered a request");
    response
}
