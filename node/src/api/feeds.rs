//! Feeds as they are stored: what there is, whether it verifies, and deriving everything from it again.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_crypto::{Purpose, SpaceId, base32};
use weft_peer::command::{Answer, Command, FeedStatus};

use super::{
    Api,
    error::{ApiError, Asked, ErrorBody},
    lookup,
};
use crate::identity::peer_id;

/// The feeds of a space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Feeds {
    /// The space.
    space: String,
    /// Each device has two: control and data.
    feeds: Vec<FeedBody>,
}

/// A feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedBody {
    /// Its id.
    feed: String,
    /// `control` or `data`.
    purpose: &'static str,
    /// The device that writes it, as libp2p names it.
    device: String,
    /// What that device calls itself.
    name: Option<String>,
    /// The identity of that device.
    identity: Option<String>,
    /// Entries held.
    length: u64,
    /// Bytes held: headers and bodies.
    byte_length: u64,
    /// The Merkle root over what is held.
    root: String,
    /// Entries whose causal past is here and which have been replayed.
    replayed: u64,
    /// Why nothing more is accepted, if that is so.
    stopped: Option<String>,
    /// Whether this node writes it.
    mine: bool,
}

/// Which space; all without it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceQuery {
    /// A space.
    space: Option<String>,
}

/// What was checked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Verified {
    /// Always true: damage is answered as an error.
    verified: bool,
    /// How many feeds were checked.
    feeds: u64,
    /// How many entries.
    entries: u64,
    /// How many bytes of headers and bodies.
    bytes: u64,
}

/// What was derived again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rebuilt {
    /// How many spaces.
    spaces: u64,
    /// How many objects there are now.
    objects: u64,
    /// How many data entries were replayed.
    entries: u64,
}

/// List the feeds of a space.
#[utoipa::path(get, path = "/spaces/{space}/feeds", tag = "feeds", params(("space" = String, Path)),
    responses((status = 200, body = Feeds), (status = 404, body = ErrorBody)))]
pub(crate) async fn list(State(api): State<Api>, Path(space): Path<String>) -> Result<Json<Feeds>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let names = lookup::peer_names(&api, space).await?;
    let feeds = of_space(&api, space).await?.into_iter().map(|feed| FeedBody {
        feed: feed.feed.to_string(),
        purpose: purpose(feed.purpose),
        device: peer_id(&feed.device).to_string(),
        name: names.get(&feed.device).cloned(),
        identity: feed.identity.map(|identity| identity.to_string()),
        length: feed.length,
        byte_length: feed.byte_length,
        root: base32::encode(&feed.root),
        replayed: feed.released,
        stopped: feed.stopped,
        mine: feed.mine,
    });
    Ok(Json(Feeds { space: space.to_string(), feeds: feeds.collect() }))
}

/// The feeds of a space, as the peer has them.
pub(crate) async fn of_space(api: &Api, space: SpaceId) -> Result<Vec<FeedStatus>, ApiError> {
    match api.node().command(Command::Feeds { space }).await? {
        Answer::Feeds(feeds) => Ok(feeds),
        _ => Err(ApiError::unexpected()),
    }
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Control => "control",
        Purpose::Data => "data",
    }
}

/// Check every stored entry against its signed head. Damage is answered as an error with status 507.
#[utoipa::path(post, path = "/verify", tag = "feeds", params(SpaceQuery),
    responses((status = 200, body = Verified), (status = 507, body = ErrorBody)))]
pub(crate) async fn verify(
    State(api): State<Api>,
    Asked(SpaceQuery { space }): Asked<SpaceQuery>,
) -> Result<Json<Verified>, ApiError> {
    let mut sum = Verified { verified: true, feeds: 0, entries: 0, bytes: 0 };
    for space in lookup::spaces_or_all(&api, space.as_deref()).await? {
        let found = lookup::blocking(&api, move |reader| reader.verify(space)).await?;
        sum.feeds += found.feeds;
        sum.entries += found.entries;
        sum.bytes += found.bytes;
    }
    Ok(Json(sum))
}

/// Drop what was derived from the feeds and derive it again.
#[utoipa::path(post, path = "/rebuild", tag = "feeds", params(SpaceQuery),
    responses((status = 200, body = Rebuilt), (status = 404, body = ErrorBody)))]
pub(crate) async fn rebuild(
    State(api): State<Api>,
    Asked(SpaceQuery { space }): Asked<SpaceQuery>,
) -> Result<Json<Rebuilt>, ApiError> {
    let mut sum = Rebuilt { spaces: 0, objects: 0, entries: 0 };
    for space in lookup::spaces_or_all(&api, space.as_deref()).await? {
        let Answer::Rebuilt { entries } = api.node().command(Command::Rebuild { space }).await? else {
            return Err(ApiError::unexpected());
        };
        sum.spaces += 1;
        sum.entries += entries;
        sum.objects += lookup::objects(&api, space).await?.len() as u64;
    }
    Ok(Json(sum))
}
