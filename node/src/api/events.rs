//! What happens, as it happens: server-sent events.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::{
        IntoResponse, Response, Sse,
        sse::{self, KeepAlive},
    },
};
use futures::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use utoipa::{IntoParams, ToSchema};
use weft_crypto::SpaceId;
use weft_peer::event::Event;

use super::{
    Api,
    error::{ApiError, Asked},
    lookup, rfc3339,
};
use crate::identity::peer_id;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// Only what happens in this space.
    space: Option<String>,
    /// Only what happens to this object, by its full id.
    object: Option<String>,
    /// Only events of these names, separated by commas.
    events: Option<String>,
}

/// Something that happened.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct EventBody {
    /// What: `space_added`, `space_removed`, `extended`, `peer_holds`, `object_changed`, `quarantined`, `peer_connected`, `peer_disconnected`,
    /// `level_changed`, `violated`, `newcomer_waits`, `damaged`, `mended`, `ends_known`, `stopped`, `replaced`, or `lagged` when this reader was too slow
    /// and `count` events are missing.
    event: &'static str,
    /// When it was told, RFC 3339.
    time: String,
    /// The space it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<String>,
    /// The feed it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<String>,
    /// The object it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// The invitation by which a newcomer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
    /// The peer it happened with.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// The length of the feed now.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    /// The entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// Whether this node wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mine: Option<bool>,
    /// Whether the space is level now.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<bool>,
    /// The rule that was broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

/// Follow what happens. A stream of server-sent events; the data of each is one JSON object.
#[utoipa::path(get, path = "/events", tag = "node", params(EventsQuery),
    responses((status = 200, content_type = "text/event-stream", body = EventBody)))]
pub(crate) async fn events(State(api): State<Api>, Asked(query): Asked<EventsQuery>) -> Result<Response, ApiError> {
    let receiver = api.node().events();
    let space = match &query.space {
        Some(space) => Some(lookup::space(&api, space).await?),
        None => None,
    };
    let filter = Filter {
        space,
        object: query.object,
        events: query.events.map(|list| list.split(',').map(str::to_owned).collect()),
    };
    Ok(Sse::new(told(api, receiver, filter)).keep_alive(KeepAlive::default()).into_response())
}

struct Filter {
    space: Option<SpaceId>,
    object: Option<String>,
    events: Option<Vec<String>>,
}

impl Filter {
    fn lets_through(&self, event: &EventBody) -> bool {
        let space = self.space.map(|space| space.to_string());
        event.event == "lagged"
            || (space.is_none() || event.space == space)
                && (self.object.is_none() || event.object == self.object)
                && self.events.as_ref().is_none_or(|names| names.iter().any(|name| name == event.event))
    }
}

fn told(api: Api, receiver: Receiver<Event>, filter: Filter) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold((api, receiver, filter), |(api, mut receiver, filter)| async move {
        loop {
            let event = tokio::select! {
                () = api.stopped() => return None,
                event = receiver.recv() => event,
            };
            let body = match event {
                Ok(event) => match body(event) {
                    Some(body) => body,
                    None => continue,
                },
                Err(RecvError::Lagged(count)) => {
                    EventBody { event: "lagged", count: Some(count), ..EventBody::default() }
                }
                Err(RecvError::Closed) => return None,
            };
            if filter.lets_through(&body) {
                let body = EventBody { time: rfc3339::format(rfc3339::now_ms()), ..body };
                let data = serde_json::to_string(&body).expect("plain fields");
                return Some((Ok(sse::Event::default().data(data)), (api, receiver, filter)));
            }
        }
    })
}

/// None: what documents tell of themselves goes to who follows the object.
fn body(event: Event) -> Option<EventBody> {
    let of = |event, space: SpaceId| EventBody { event, space: Some(space.to_string()), ..EventBody::default() };
    Some(match event {
        Event::Heard { .. } => return None,
        Event::SpaceAdded { space } => of("space_added", space),
        Event::SpaceRemoved { space } => of("space_removed", space),
        Event::NewcomerWaits { space, invitation, newcomer } => EventBody {
            peer: Some(peer_id(&newcomer).to_string()),
            invitation: Some(invitation.to_string()),
            ..of("newcomer_waits", space)
        },
        Event::Extended { space, feed, length, mine } => {
            EventBody { feed: Some(feed.to_string()), length: Some(length), mine: Some(mine), ..of("extended", space) }
        }
        Event::PeerHolds { device, space, feed, length } => EventBody {
            peer: Some(peer_id(&device).to_string()),
            feed: Some(feed.to_string()),
            length: Some(length),
            ..of("peer_holds", space)
        },
        Event::ObjectChanged { space, object } => {
            EventBody { object: Some(object.to_string()), ..of("object_changed", space) }
        }
        Event::Quarantined { space, feed, seq, reason } => {
            EventBody { feed: Some(feed.to_string()), seq: Some(seq), reason: Some(reason), ..of("quarantined", space) }
        }
        Event::PeerConnected { device } => with_peer("peer_connected", &device),
        Event::PeerDisconnected { device } => with_peer("peer_disconnected", &device),
        Event::LevelChanged { space, level } => EventBody { level: Some(level), ..of("level_changed", space) },
        Event::Violated { device, what } => EventBody { reason: Some(what), ..with_peer("violated", &device) },
        Event::Damaged { space, feed, seq } => {
            EventBody { feed: Some(feed.to_string()), seq: Some(seq), ..of("damaged", space) }
        }
        Event::Mended { space, feed, seq } => {
            EventBody { feed: Some(feed.to_string()), seq: Some(seq), ..of("mended", space) }
        }
        Event::EndsKnown { space } => of("ends_known", space),
        Event::Stopped { space, feed } => EventBody { feed: Some(feed.to_string()), ..of("stopped", space) },
        Event::Replaced { space, feed } => EventBody { feed: Some(feed.to_string()), ..of("replaced", space) },
    })
}

fn with_peer(event: &'static str, device: &weft_crypto::DeviceId) -> EventBody {
    EventBody { event, peer: Some(peer_id(device).to_string()), ..EventBody::default() }
}
