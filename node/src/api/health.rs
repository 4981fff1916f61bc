//! What operators' programs ask: whether the node lives, whether it is ready, and what it has counted.
//!
//! The first two tell nothing that whoever reaches the address does not know, so they need no token. The third says how many
//! spaces there are and how busy they are, so it does; it names a space by the beginning of its id, never by what people call it.
//!
//! Spec: NODE-8.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};
use serde::Serialize;
use utoipa::ToSchema;
use weft_peer::status::Status;

use super::{
    Api,
    error::{ApiError, ErrorBody},
    status,
};

/// How long the task that drives the node may take to answer before it does not count as ready. A guess: a large rebuild holds
/// it for less.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Spaces that are shown one by one; of more only the sums. 1,000: what a node is measured with.
const SPACES_MAX: usize = 1_000;
/// What the text is, for those who scrape it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// That the process lives.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    /// Always true.
    alive: bool,
}

/// That the node does its work.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Always true: otherwise the answer is an error that says why.
    ready: bool,
}

/// Whether the process lives and answers. Needs no token.
#[utoipa::path(get, path = "/healthz", tag = "operators", security(()), responses((status = 200, body = Alive)))]
pub(crate) async fn alive() -> Json<Alive> {
    Json(Alive { alive: true })
}

/// Whether the store is open, the node listens for peers and carries out commands. Needs no token.
#[utoipa::path(get, path = "/readyz", tag = "operators", security(()),
    responses((status = 200, body = Ready), (status = 503, body = ErrorBody)))]
pub(crate) async fn ready(State(api): State<Api>) -> Result<Json<Ready>, ApiError> {
    let not = |code: &str, message: String, hint: &str| {
        Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message, hint))
    };
    if let Some(why) = api.node().failure() {
        return not("store_failed", format!("the store failed: {why}"), "look at the disk, then start the node again");
    }
    if api.is_stopping() {
        return not("stopping", "the node is stopping".to_owned(), "start it again with `weft up`");
    }
    if api.node().has_network() && api.node().listen_addresses().is_empty() {
        return not(
            "not_listening",
            "no address listens for peers".to_owned(),
            "look at the log; name one with --listen",
        );
    }
    match tokio::time::timeout(ANSWER_MAX, status::ask(&api)).await {
        Ok(Ok(_)) => Ok(Json(Ready { ready: true })),
        Ok(Err(error)) => not("stopping", error.reason.message, "start it again with `weft up`"),
        Err(_) => not("busy", format!("the node did not answer within {ANSWER_MAX:?}"), "wait, or look at the log"),
    }
}

/// What the node has counted, as OpenMetrics text for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operators",
    responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn metrics(State(api): State<Api>) -> Result<Response, ApiError> {
    let status = status::ask(&api).await?;
    let mut shown = String::new();
    let now = of_status(&status);
    let written = text::encode_registry(&mut shown, &now)
        .and_then(|()| text::encode_registry(&mut shown, api.node().meters().registry()))
        .and_then(|()| text::encode_eof(&mut shown));
    written.map_err(|_| ApiError::unexpected())?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], shown).into_response())
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Space {
    space: String,
}

/// What is so now, as gauges.
fn of_status(status: &Status) -> Registry {
    let mut registry = Registry::with_prefix("weft");
    registry.register("build", "The program", Info::new([("version", crate::VERSION)]));
    let mut sum = |name: &str, help: &str, count: usize| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    sum("peers_connected", "Peers that are connected", status.peers.len());
    sum("spaces", "Spaces of this node", status.spaces.len());
    sum("spaces_level", "Spaces that are level", status.spaces.iter().filter(|space| space.level).count());
    sum("waiting", "What is missing, in all spaces", status.spaces.iter().map(|space| space.waiting.len()).sum());
    type Gauges = Family<Space, Gauge>;
    let [level, members, connected, waiting, stopped]: [Gauges; 5] = Default::default();
    for space in status.spaces.iter().take(SPACES_MAX) {
        // As long as tables show it: enough to ask `weft space show` about it.
        let label = Space { space: space.space.to_string().chars().take(12).collect() };
        let set = |family: &Gauges, value: usize| {
            family.get_or_create(&label).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&level, usize::from(space.level));
        set(&members, space.members as usize);
        set(&connected, space.pairs.len());
        set(&waiting, space.waiting.len());
        set(&stopped, usize::from(space.write_stop.is_some()));
    }
    registry.register("space_level", "Whether every connected member holds the same: 1 or 0", level);
    registry.register("space_members", "Members", members);
    registry.register("space_devices_connected", "Devices of other members that are connected", connected);
    registry.register("space_waiting", "What is missing", waiting);
    registry.register("space_write_stopped", "Whether nothing can be written: 1 or 0", stopped);
    registry
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::*;
    use crate::{
        api,
        config::{Config, Flags},
        node::{Node, NodeConfig},
    };

    async fn asked(api: &Api, method: &str, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.body(Body::from("{\"ticket\": \"x\"}")).unwrap();
        let answer = api::router(api.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        (status, body["error"]["code"].as_str().unwrap_or("none").to_owned())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_node_that_does_not_do_its_work_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags { data: Some(folder.path().to_owned()), ..Flags::default() };
        let config = Config::load(&flags, &|_| None).unwrap();
        let deaf = Node::start(NodeConfig::new(folder.path())).await.unwrap();
        let api = Api::new(deaf.clone(), config);
        assert_eq!(asked(&api, "GET", "/readyz").await, (503, "not_listening".to_owned()));
        assert_eq!(asked(&api, "POST", "/api/v1/tickets").await, (503, "no_node".to_owned()));
        assert_eq!(asked(&api, "POST", "/api/v1/tickets/spend").await, (503, "no_node".to_owned()));
        api.stop();
        assert_eq!(asked(&api, "GET", "/readyz").await, (503, "stopping".to_owned()));
        assert_eq!(asked(&api, "GET", "/healthz").await, (200, "none".to_owned()));
        deaf.stop().await;
    }
}
