//! Finding what a request names, and the names of things, in the derived rows.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::{DeviceId, FeedId, ObjectId, SpaceId};
use weft_echo::{
    rows::Summary,
    tables::{self, By},
    view::{self, Object},
};

use super::{
    Api,
    choose::{Candidate, Sort, choose},
    error::ApiError,
    feeds, status,
};
use crate::{identity::peer_id, node::Reader, store::StoreError};

/// The type of the object that holds a space's name.
const SPACE_TYPE: &str = "weft.space";
/// The type of the objects by which members say what they are called.
const PROFILE_TYPE: &str = "weft.profile";

const SPACE: Sort = Sort { word: "space", list: "weft space list", by_end: None };
const OBJECT: Sort = Sort { word: "object", list: "weft object list SPACE", by_end: None };
const FEED: Sort = Sort { word: "feed", list: "weft feed list SPACE", by_end: None };
const PEER: Sort = Sort { word: "peer", list: "weft space members SPACE", by_end: Some(8) };

/// Reads the store on a thread that may wait for the disk.
pub(crate) async fn blocking<T: Send + 'static>(
    api: &Api,
    read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let reader = api.node().reader();
    match tokio::task::spawn_blocking(move || read(&reader)).await {
        Ok(result) => result.map_err(ApiError::from),
        Err(_) => Err(ApiError::unexpected()),
    }
}

/// The space that is meant.
pub(crate) async fn space(api: &Api, asked: &str) -> Result<SpaceId, ApiError> {
    let mut candidates = Vec::new();
    for status in status::ask(api).await?.spaces {
        // Right after joining, the link is all that says what the space is called.
        let name = space_name(api, status.space).await?.or(status.said_name);
        candidates.push(Candidate { id: status.space.to_string(), name, value: status.space });
    }
    choose(SPACE, asked, candidates)
}

/// The space that is meant; every space when none is.
pub(crate) async fn spaces_or_all(api: &Api, asked: Option<&str>) -> Result<Vec<SpaceId>, ApiError> {
    match asked {
        Some(asked) => Ok(vec![space(api, asked).await?]),
        None => Ok(status::ask(api).await?.spaces.iter().map(|space| space.space).collect()),
    }
}

/// The object that is meant, and the space it is in.
pub(crate) async fn object(api: &Api, within: Option<&str>, asked: &str) -> Result<(SpaceId, ObjectId), ApiError> {
    let full: Option<ObjectId> = asked.parse().ok();
    let mut candidates = Vec::new();
    for space in spaces_or_all(api, within).await? {
        // A full id needs no list to be looked through.
        let listed = match full {
            Some(object) => summaries(api, space, tables::object(&object).to_vec()).await?,
            None => objects(api, space).await?,
        };
        candidates.extend(listed.into_iter().map(|(object, summary)| Candidate {
            id: object.to_string(),
            name: summary.name,
            value: (space, object),
        }));
    }
    choose(OBJECT, asked, candidates)
}

/// Every object of a space that is not deleted, in the order in which lists show them.
pub(crate) async fn objects(api: &Api, space: SpaceId) -> Result<Vec<(ObjectId, Summary)>, ApiError> {
    let mut listed = summaries(api, space, Vec::new()).await?;
    listed.retain(|(_, summary)| !summary.deleted);
    listed.sort_by(view::list_order);
    Ok(listed)
}

async fn summaries(api: &Api, space: SpaceId, prefix: Vec<u8>) -> Result<Vec<(ObjectId, Summary)>, ApiError> {
    let rows = blocking(api, move |reader| reader.rows(space, tables::SUMMARY, &prefix)).await?;
    let summary = |(key, value): &(Bytes, Bytes)| Some((tables::object_of(key)?, view::summary(value)));
    rows.iter().filter_map(summary).map(|(object, summary)| Ok((object, summary.map_err(damaged)?))).collect()
}

/// The feed that is meant.
pub(crate) async fn feed(api: &Api, space: SpaceId, asked: &str) -> Result<FeedId, ApiError> {
    let names = peer_names(api, space).await?;
    let feeds = feeds::of_space(api, space).await?;
    let candidate = |feed: weft_peer::command::FeedStatus| Candidate {
        id: feed.feed.to_string(),
        name: names.get(&feed.device).cloned(),
        value: feed.feed,
    };
    choose(FEED, asked, feeds.into_iter().map(candidate))
}

/// The member's device that is meant.
pub(crate) async fn peer(api: &Api, space: SpaceId, asked: &str) -> Result<DeviceId, ApiError> {
    let names = peer_names(api, space).await?;
    let mut devices: Vec<DeviceId> = feeds::of_space(api, space).await?.iter().map(|feed| feed.device).collect();
    devices.sort();
    devices.dedup();
    let candidate = |device: DeviceId| Candidate {
        id: peer_id(&device).to_string(),
        name: names.get(&device).cloned(),
        value: device,
    };
    choose(PEER, asked, devices.into_iter().map(candidate))
}

/// The name of a space; none before its first data is here.
pub(crate) async fn space_name(api: &Api, space: SpaceId) -> Result<Option<String>, ApiError> {
    let named = of_type(api, space, SPACE_TYPE).await?;
    // Should several have made one, the lowest id is the same everywhere.
    Ok(named.into_iter().min_by_key(|(object, _)| *object).and_then(|(_, seen)| text(&seen, "name")))
}

/// What the devices of a space call themselves.
pub(crate) async fn peer_names(api: &Api, space: SpaceId) -> Result<BTreeMap<DeviceId, String>, ApiError> {
    let mut names = BTreeMap::new();
    for (_, profile) in of_type(api, space, PROFILE_TYPE).await? {
        let device = text(&profile, "device").and_then(|device| device.parse().ok());
        if let (Some(device), Some(name)) = (device, text(&profile, "name")) {
            names.entry(device).or_insert(name);
        }
    }
    Ok(names)
}

/// The objects of a type that are not deleted.
async fn of_type(api: &Api, space: SpaceId, type_name: &'static str) -> Result<Vec<(ObjectId, Object)>, ApiError> {
    let found = blocking(api, move |reader| {
        let rows = reader.rows(space, tables::INDEX, &tables::index(By::Type(type_name)))?;
        let objects = rows.iter().filter_map(|(key, _)| tables::object_of(key));
        objects.map(|object| Ok((object, reader.rows(space, tables::OBJECT, &tables::object(&object))?))).collect()
    });
    let found: Vec<(ObjectId, Vec<_>)> = found.await?;
    let mut seen = Vec::new();
    for (id, rows) in found {
        let object = view::object(&rows).map_err(damaged)?;
        seen.extend(object.filter(|object| !object.deleted).map(|object| (id, object)));
    }
    Ok(seen)
}

/// A property that is text.
fn text(object: &Object, key: &str) -> Option<String> {
    serde_json::from_slice(object.properties.get(key)?.value.as_ref()?).ok()
}

/// Derived rows do not decode.
pub(crate) fn damaged(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(
        axum::http::StatusCode::INSUFFICIENT_STORAGE,
        "derived_damaged",
        format!("what was derived from the feeds cannot be read: {error}"),
        "derive it again with `weft rebuild`; the feeds themselves are checked by `weft verify`",
    )
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        ApiError::new(
            axum::http::StatusCode::INSUFFICIENT_STORAGE,
            "store_failed",
            error.to_string(),
            "look at the disk (is it full?), then run `weft verify`",
        )
    }
}
