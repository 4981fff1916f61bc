//! Records: an application's own bytes, sealed, verified and read in order.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Path, Request, State},
};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_crypto::{FeedId, Purpose, SpaceId};
use weft_peer::command::{Answer, Command};

use super::{
    Api,
    drafts::{self, Draft, DraftKept, Written},
    error::{ApiError, Asked, ErrorBody, too_large},
    feeds, lookup,
};
use crate::identity::peer_id;

/// How many entries are looked at in one question to the peer: the length of a run.
const PAGE_ENTRIES: u64 = 256;
/// The most that one answer holds, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Where a record is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Appended {
    /// The space.
    space: String,
    /// This device's data feed.
    feed: String,
    /// Its place in the feed.
    seq: u64,
}

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsQuery {
    /// Only this feed.
    feed: Option<String>,
    /// The first entry to look at. Default 0.
    from: Option<u64>,
    /// How many records of a feed at most. Default 1,000.
    count: Option<u64>,
}

/// Records, feed by feed, in the order of each.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Records {
    /// The space.
    space: String,
    /// What was found.
    records: Vec<RecordBody>,
}

/// A record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordBody {
    /// The feed it is in.
    feed: String,
    /// The device that wrote it, as libp2p names it.
    device: String,
    /// Its place in the feed.
    seq: u64,
    /// Its bytes, when they are UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Its bytes in base64, when they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Append a record. The body is its bytes. Answered when it is durable here.
#[utoipa::path(post, path = "/spaces/{space}/records", tag = "records", params(("space" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Appended), (status = 202, description = "It waits as a draft", body = DraftKept), (status = 403, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(crate) async fn append(
    State(api): State<Api>,
    Path(space): Path<String>,
    request: Request,
) -> Result<Written<Appended>, ApiError> {
    let record = Bytes::from_request(request, &()).await.map_err(|_| too_large())?;
    let space = lookup::space(&api, &space).await?;
    let result = write(&api, space, record.clone()).await;
    if drafts::waits(&result) {
        return drafts::keep(&api, space, vec![Draft::record(&record)]).await;
    }
    result.map(Written::Done)
}

/// Has a record appended.
pub(crate) async fn write(api: &Api, space: SpaceId, record: Bytes) -> Result<Appended, ApiError> {
    match api.node().command(Command::Append { space, records: vec![record] }).await? {
        Answer::Appended { feed, from, .. } => {
            Ok(Appended { space: space.to_string(), feed: feed.to_string(), seq: from })
        }
        _ => Err(ApiError::unexpected()),
    }
}

/// List records.
#[utoipa::path(get, path = "/spaces/{space}/records", tag = "records", params(("space" = String, Path), RecordsQuery),
    responses((status = 200, body = Records), (status = 404, body = ErrorBody)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Path(space): Path<String>,
    Asked(query): Asked<RecordsQuery>,
) -> Result<Json<Records>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    lookup::caught_up(&api, space, None, lookup::CATCH_UP_MAX).await?;
    let mut feeds = feeds::of_space(&api, space).await?;
    feeds.retain(|feed| feed.purpose == Purpose::Data);
    if let Some(asked) = &query.feed {
        let feed = lookup::feed(&api, space, asked).await?;
        feeds.retain(|status| status.feed == feed);
    }
    let mut records = Vec::new();
    let mut bytes_left = ANSWER_BYTES_MAX;
    for feed in feeds {
        let (from, count) = (query.from.unwrap_or(0), query.count.unwrap_or(1_000));
        for (seq, bytes) in read(&api, space, feed.feed, from..feed.length, count, &mut bytes_left).await? {
            let (text, base64) = match std::str::from_utf8(&bytes) {
                Ok(text) => (Some(text.to_owned()), None),
                Err(_) => (None, Some(BASE64.encode(&bytes))),
            };
            let device = peer_id(&feed.device).to_string();
            records.push(RecordBody { feed: feed.feed.to_string(), device, seq, text, base64 });
        }
    }
    Ok(Json(Records { space: space.to_string(), records }))
}

async fn read(
    api: &Api,
    space: SpaceId,
    feed: FeedId,
    entries: std::ops::Range<u64>,
    count: u64,
    bytes_left: &mut usize,
) -> Result<Vec<(u64, Bytes)>, ApiError> {
    let mut found = Vec::new();
    let mut from = entries.start;
    while from < entries.end && (found.len() as u64) < count {
        let command = Command::Records { space, feed, from, entries_max: PAGE_ENTRIES };
        let Answer::Records { records, next } = api.node().command(command).await? else {
            return Err(ApiError::unexpected());
        };
        for (seq, bytes) in records {
            *bytes_left = bytes_left.checked_sub(bytes.len()).ok_or_else(too_many)?;
            if (found.len() as u64) < count {
                found.push((seq, bytes));
            }
        }
        if next <= from {
            break;
        }
        from = next;
    }
    Ok(found)
}

fn too_many() -> ApiError {
    ApiError::bad_request(
        "too_many_records",
        "the records asked for are more than 64 MiB",
        "ask for fewer with --from and --count, or for one feed with --feed",
    )
}
