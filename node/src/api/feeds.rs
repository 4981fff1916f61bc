//! Feeds as they are stored: what there is, whether it verifies, and deriving everything from it again.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_crypto::{DeviceId, Purpose, SpaceId, base32};
use weft_peer::command::{Answer, Command, FeedStatus};

use super::{
    Api,
    error::{ApiError, Asked, ErrorBody},
    lookup, rfc3339,
};
use crate::identity::peer_id;

/// How many entries one answer shows at most.
const ENTRIES_MAX: u64 = 1_000;

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
    /// The space it belongs to.
    space: String,
    /// Some of its entries, in order, where it is shown by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<EntryBody>>,
}

/// Which entries of a feed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedQuery {
    /// Look for the feed in this space only.
    space: Option<String>,
    /// The first entry. Default: so that the last `count` are shown.
    from: Option<u64>,
    /// How many entries, at most 1,000. Default 20.
    count: Option<u64>,
}

/// What the header of an entry says. Nothing of it is secret to whoever holds the feed; bodies of data entries are sealed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryBody {
    /// Its place in the feed.
    seq: u64,
    /// `control`, `mutation`, `record` or `merge`.
    kind: &'static str,
    /// When it was written, as its author says, RFC 3339.
    claimed: String,
    /// The bytes of its body as stored.
    bytes: u64,
    /// Whether the body is held; it can be erased.
    held: bool,
    /// How many feeds it names the heads of, because they grew since the entry before.
    deps: u64,
}

/// Which space; all without it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceQuery {
    /// A space.
    space: Option<String>,
}

/// What to derive again.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RebuildQuery {
    /// A space; all without it.
    space: Option<String>,
    /// Answer what would be dropped, and drop nothing.
    dry_run: Option<bool>,
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
    let feeds = of_space(&api, space).await?.into_iter().map(|feed| body(space, feed, &names));
    Ok(Json(Feeds { space: space.to_string(), feeds: feeds.collect() }))
}

fn body(space: SpaceId, feed: FeedStatus, names: &BTreeMap<DeviceId, String>) -> FeedBody {
    FeedBody {
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
        space: space.to_string(),
        entries: None,
    }
}

/// Show a feed and some of its entries.
#[utoipa::path(get, path = "/feeds/{feed}", tag = "feeds", params(("feed" = String, Path), FeedQuery),
    responses((status = 200, body = FeedBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(
    State(api): State<Api>,
    Path(asked): Path<String>,
    Asked(query): Asked<FeedQuery>,
) -> Result<Json<FeedBody>, ApiError> {
    let (space, feed) = lookup::feed_anywhere(&api, query.space.as_deref(), &asked).await?;
    let names = lookup::peer_names(&api, space).await?;
    let found = of_space(&api, space).await?.into_iter().find(|status| status.feed == feed);
    let shown = body(space, found.ok_or_else(ApiError::unexpected)?, &names);
    let count = query.count.unwrap_or(20).min(ENTRIES_MAX);
    let from = query.from.unwrap_or(shown.length.saturating_sub(count));
    let entries = lookup::blocking(&api, move |reader| reader.entries(&feed, from, count)).await?;
    let entries = entries.into_iter().map(|entry| EntryBody {
        seq: entry.seq,
        kind: kind(entry.kind),
        claimed: rfc3339::format(entry.claimed_ms),
        bytes: entry.body_bytes,
        held: entry.is_held,
        deps: entry.deps,
    });
    Ok(Json(FeedBody { entries: Some(entries.collect()), ..shown }))
}

fn kind(kind: u32) -> &'static str {
    match kind {
        weft_feed::kind::CONTROL => "control",
        weft_feed::kind::MUTATION => "mutation",
        weft_feed::kind::RECORD => "record",
        weft_feed::kind::MERGE => "merge",
        _ => "unknown",
    }
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
#[utoipa::path(post, path = "/rebuild", tag = "feeds", params(RebuildQuery),
    responses((status = 200, body = Rebuilt), (status = 404, body = ErrorBody)))]
pub(crate) async fn rebuild(
    State(api): State<Api>,
    Asked(RebuildQuery { space, dry_run }): Asked<RebuildQuery>,
) -> Result<Json<Rebuilt>, ApiError> {
    let mut sum = Rebuilt { spaces: 0, objects: 0, entries: 0 };
    for space in lookup::spaces_or_all(&api, space.as_deref()).await? {
        sum.entries += if dry_run == Some(true) { replayed(&api, space).await? } else { derive(&api, space).await? };
        sum.spaces += 1;
        sum.objects += lookup::objects(&api, space).await?.len() as u64;
    }
    Ok(Json(sum))
}

/// Derives a space again; how many data entries were replayed.
async fn derive(api: &Api, space: SpaceId) -> Result<u64, ApiError> {
    match api.node().command(Command::Rebuild { space }).await? {
        Answer::Rebuilt { entries } => Ok(entries),
        _ => Err(ApiError::unexpected()),
    }
}

/// How many data entries of a space have been replayed.
async fn replayed(api: &Api, space: SpaceId) -> Result<u64, ApiError> {
    let feeds = of_space(api, space).await?;
    Ok(feeds.iter().filter(|feed| feed.purpose == Purpose::Data).map(|feed| feed.released).sum())
}
