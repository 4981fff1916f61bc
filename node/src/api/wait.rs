//! Waiting until a space is level.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::broadcast::error::RecvError, time::Instant};
use utoipa::{IntoParams, ToSchema};
use weft_crypto::{DeviceId, SpaceId};
use weft_peer::{event::Event, status::SpaceStatus};

use super::{
    Api,
    error::{ApiError, Asked, ErrorBody},
    lookup, status,
};
use crate::identity::peer_id;

/// How often the status is looked at when no event says that something changed. 1 s: events can be lost, level is state.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// With whom, and for how long.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitQuery {
    /// Only this peer counts: a full peer id, its last eight characters or a unique name.
    with: Option<String>,
    /// Milliseconds until the answer is 504; at most a year. Default 30,000.
    timeout_ms: Option<u64>,
}

/// The space is level.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Level {
    /// The space.
    space: String,
    /// Always true.
    level: bool,
    /// The peers it is level with.
    with: Vec<String>,
}

/// Answer when at least one other member (or the one named) is connected, each connected one holds what is held here and the
/// other way round, and all of it can be read here.
#[utoipa::path(get, path = "/spaces/{space}/wait", tag = "spaces", params(("space" = String, Path), WaitQuery),
    responses((status = 200, body = Level), (status = 504, body = ErrorBody)))]
pub(crate) async fn wait(
    State(api): State<Api>,
    Path(space): Path<String>,
    Asked(query): Asked<WaitQuery>,
) -> Result<Json<Level>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    if !api.node().has_network() {
        return Err(ApiError::new(
            StatusCode::GATEWAY_TIMEOUT,
            "no_node",
            "no node is running, so nothing can become level",
            "start it with `weft up`, then wait",
        ));
    }
    let timeout = Duration::from_millis(query.timeout_ms.unwrap_or(30_000).min(366 * 86_400_000));
    let deadline = Instant::now() + timeout;
    let mut events = api.node().events();
    let with = match &query.with {
        Some(peer) => Some(member(&api, space, peer, deadline).await?),
        None => None,
    };
    loop {
        let now = status::of_space(&api, space).await?;
        if let Some(with) = level_with(&now, with) {
            return Ok(Json(Level { space: space.to_string(), level: true, with }));
        }
        if Instant::now() >= deadline {
            return Err(not_level(&now, with, timeout));
        }
        // Whatever happens in the space may have made it level; a burst of events is one reason to look.
        let look_at = deadline.min(Instant::now() + LOOK_INTERVAL);
        while let Ok(event) = tokio::time::timeout_at(look_at, events.recv()).await {
            match event {
                Ok(event) if concerns(&event, space) => break,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(stopped()),
            }
        }
        while events.try_recv().is_ok() {}
    }
}

/// The member's device that is meant. A full peer id may be that of somebody who joined elsewhere just now, so the credentials
/// that admit them are waited for too.
async fn member(api: &Api, space: SpaceId, asked: &str, deadline: Instant) -> Result<DeviceId, ApiError> {
    let is_full = asked.parse::<libp2p::PeerId>().is_ok();
    loop {
        let found = lookup::peer(api, space, asked).await;
        let is_unknown = found.as_ref().is_err_and(|error| error.status == StatusCode::NOT_FOUND);
        if !is_unknown || !is_full || Instant::now() >= deadline {
            return found;
        }
        tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_INTERVAL)).await;
    }
}

fn concerns(event: &Event, space: SpaceId) -> bool {
    match event {
        Event::LevelChanged { space: of, .. }
        | Event::PeerHolds { space: of, .. }
        | Event::ObjectChanged { space: of, .. }
        | Event::Quarantined { space: of, .. }
        | Event::Extended { space: of, .. } => *of == space,
        Event::PeerConnected { .. } | Event::PeerDisconnected { .. } => true,
        _ => false,
    }
}

/// The peers the space is level with, if it is.
fn level_with(space: &SpaceStatus, with: Option<DeviceId>) -> Option<Vec<String>> {
    let level = match with {
        // What waits for a third member's entries is not this one's to give.
        Some(device) => space.settled && space.pairs.iter().any(|pair| pair.device == device && pair.level),
        None => space.level,
    };
    level.then(|| space.pairs.iter().filter(|pair| pair.level).map(|pair| peer_id(&pair.device).to_string()).collect())
}

fn not_level(space: &SpaceStatus, with: Option<DeviceId>, timeout: Duration) -> ApiError {
    let timed_out = |message: String, hint: &str| {
        ApiError::new(StatusCode::GATEWAY_TIMEOUT, "not_level", format!("not level after {timeout:?}: {message}"), hint)
    };
    let connected = match with {
        Some(device) => space.pairs.iter().any(|pair| pair.device == device),
        None => !space.pairs.is_empty(),
    };
    if !connected {
        let who = if with.is_some() { "that peer" } else { "no other member" };
        let not = if with.is_some() { "is not connected" } else { "is connected" };
        return timed_out(
            format!("{who} {not}"),
            "start the other node, or name its address with `weft up --peer MULTIADDR`",
        );
    }
    let waiting =
        space.waiting.iter().filter(|waiting| with.is_none() || waiting.from.is_none() || waiting.from == with);
    match waiting.clone().next() {
        None => {
            timed_out("data is still on its way".to_owned(), "wait longer with --timeout, or look at `weft status`")
        }
        Some(first) => {
            let reasons: Vec<String> =
                waiting.take(4).map(|waiting| format!("{} ({})", waiting.what, waiting.rule)).collect();
            timed_out(reasons.join("; "), &first.remedy)
        }
    }
}

fn stopped() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the node is stopping", "start it again with `weft up`")
}
