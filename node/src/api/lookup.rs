//! Finding what a request names, and the names of things, in the derived rows.

use std::{collections::BTreeMap, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use weft_crypto::{DeviceId, FeedId, ObjectId, SpaceId};
use weft_echo::{
    rows::Summary,
    tables::{self, By},
    view::{self, Object},
};
use weft_peer::command::{Answer, Command};

use super::{
    Api,
    choose::{Candidate, Sort, choose},
    error::ApiError,
    feeds, status,
};
use crate::{identity::peer_id, node::Reader, store::StoreError};

/// Types that begin so are Weft's own.
pub(crate) const HIDDEN: &str = "weft.";
/// The type of the object that holds a space's name.
const SPACE_TYPE: &str = "weft.space";
/// The type of the objects by which members say what they are called.
const PROFILE_TYPE: &str = "weft.profile";

/// How long a reader waits for a node that derives again what a crash has lost. A guess: some ten thousand entries.
pub(crate) const CATCH_UP_MAX: Duration = Duration::from_secs(30);
/// How long a list of spaces waits for their names, which are among what is derived. A guess: people notice longer waits.
const NAMES_MAX: Duration = Duration::from_secs(2);

const SPACE: Sort = Sort { word: "space", list: "weft space list", by_end: None };
const OBJECT: Sort = Sort { word: "object", list: "weft object list SPACE", by_end: None };
const FEED: Sort = Sort { word: "feed", list: "weft feed list SPACE", by_end: None };
const PEER: Sort = Sort { word: "peer", list: "weft feed list SPACE", by_end: Some(8) };

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
    let spaces = status::ask(api).await?.spaces;
    // A full id needs no names.
    if let Some(full) = asked.parse().ok().filter(|full| spaces.iter().any(|space| space.space == *full)) {
        return Ok(full);
    }
    let mut candidates = Vec::new();
    for status in spaces {
        // Right after joining, the link is all that says what the space is called.
        let name = space_name(api, status.space).await?.or(status.said_name);
        candidates.push(Candidate { id: status.space.to_string(), name, value: status.space });
    }
    let nameless = candidates.iter().filter(|candidate| candidate.name.is_none());
    let nameless: Vec<SpaceId> = nameless.map(|candidate| candidate.value).collect();
    match choose(SPACE, asked, candidates.clone()) {
        Err(error) if error.status == StatusCode::NOT_FOUND && !nameless.is_empty() => {
            // Its name may be among what is being derived again.
            all_caught_up(api, &nameless, CATCH_UP_MAX).await?;
            for candidate in candidates.iter_mut().filter(|candidate| candidate.name.is_none()) {
                candidate.name = space_name(api, candidate.value).await?;
            }
            choose(SPACE, asked, candidates)
        }
        chosen => chosen,
    }
}

/// The names of spaces that have one. What is being derived again is waited for, but not for long: the others are shown as
/// they are.
pub(crate) async fn space_names(api: &Api, spaces: &[SpaceId]) -> Result<BTreeMap<SpaceId, String>, ApiError> {
    let mut names = BTreeMap::new();
    for round in [Some(NAMES_MAX), None] {
        let nameless: Vec<SpaceId> = spaces.iter().copied().filter(|space| !names.contains_key(space)).collect();
        for space in &nameless {
            names.extend(space_name(api, *space).await?.map(|name| (*space, name)));
        }
        let Some(patience) = round else { break };
        let nameless: Vec<SpaceId> = nameless.into_iter().filter(|space| !names.contains_key(space)).collect();
        if nameless.is_empty() || all_caught_up(api, &nameless, patience).await.is_err() {
            break;
        }
    }
    Ok(names)
}

/// Waits for several spaces at once.
async fn all_caught_up(api: &Api, spaces: &[SpaceId], patience: Duration) -> Result<(), ApiError> {
    let each = spaces.iter().map(|space| caught_up(api, *space, None, patience));
    futures::future::try_join_all(each).await.map(|_| ())
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
            // What Weft keeps for itself is called like spaces and people, who are not meant where an object is.
            name: summary.name.filter(|_| !summary.type_name.starts_with(HIDDEN)),
            value: (space, object),
        }));
    }
    choose(OBJECT, asked, candidates)
}

/// What is to be done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Change,
    Delete,
}

/// The object that is meant, to be changed or deleted. What Weft keeps of a member for itself, only that member changes, and
/// nobody deletes.
pub(crate) async fn editable(
    api: &Api,
    within: Option<&str>,
    asked: &str,
    doing: Doing,
) -> Result<(SpaceId, ObjectId), ApiError> {
    let (space, object) = self::object(api, within, asked).await?;
    let mine = api.node().identity();
    let is_reserved = |summary: &Summary| {
        summary.type_name.starts_with(HIDDEN) && (doing == Doing::Delete || summary.author != mine.as_bytes()[..])
    };
    if summaries(api, space, tables::object(&object).to_vec()).await?.iter().any(|(_, summary)| is_reserved(summary)) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "reserved_object",
            format!("objects whose type begins with `{HIDDEN}` are Weft's own"),
            "nobody can delete them, and only the member who made one can change it",
        ));
    }
    Ok((space, object))
}

/// Every object of a space that is not deleted, in the order in which lists show them.
pub(crate) async fn objects(api: &Api, space: SpaceId) -> Result<Vec<(ObjectId, Summary)>, ApiError> {
    let mut listed = summaries(api, space, Vec::new()).await?;
    listed.retain(|(_, summary)| !summary.deleted);
    listed.sort_by(view::list_order);
    Ok(listed)
}

/// Waits until what is shown of an object, or of all of a space, holds all that was held when the node started: after a crash it
/// may lag behind for a moment, and nothing that was acknowledged may seem to be missing. So it is with what a removal hides.
pub(crate) async fn caught_up(
    api: &Api,
    space: SpaceId,
    object: Option<ObjectId>,
    patience: Duration,
) -> Result<(), ApiError> {
    match tokio::time::timeout(patience, api.node().command(Command::CatchUp { space, object })).await {
        Ok(answer) => answer.map(|_| ()).map_err(ApiError::from),
        Err(_) => Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "replaying",
            format!("after {patience:?} the objects are still being derived from the feeds"),
            "try again later; `weft feed list SPACE` shows how far it is",
        )),
    }
}

async fn summaries(api: &Api, space: SpaceId, prefix: Vec<u8>) -> Result<Vec<(ObjectId, Summary)>, ApiError> {
    // One object is waited for alone: others that are being made again hold nobody up.
    let object = prefix.as_slice().try_into().ok().map(ObjectId::from_bytes);
    caught_up(api, space, object, CATCH_UP_MAX).await?;
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

/// The feed that is meant, and the space it belongs to.
pub(crate) async fn feed_anywhere(api: &Api, within: Option<&str>, asked: &str) -> Result<(SpaceId, FeedId), ApiError> {
    let mut candidates = Vec::new();
    for space in spaces_or_all(api, within).await? {
        let feeds = feeds::of_space(api, space).await?.into_iter();
        // A name would mean both feeds of a device, in every space.
        candidates.extend(feeds.map(|feed| Candidate {
            id: feed.feed.to_string(),
            name: None,
            value: (space, feed.feed),
        }));
    }
    choose(FEED, asked, candidates)
}

/// The member's device that is meant: by its own id or name, or as the only one of an identity. Devices of this identity go by the
/// names that they have among each other.
pub(crate) async fn peer(api: &Api, space: SpaceId, asked: &str) -> Result<DeviceId, ApiError> {
    let mut names = peer_names(api, space).await?;
    names.extend(super::devices::names(api).await?);
    let feeds = feeds::of_space(api, space).await?;
    let mut devices: Vec<DeviceId> = feeds.iter().map(|feed| feed.device).collect();
    devices.sort();
    devices.dedup();
    let is_of = |device: &DeviceId| {
        let identity = feeds.iter().find(|feed| feed.device == *device).and_then(|feed| feed.identity);
        identity.is_some_and(|identity| {
            let identity = identity.to_string();
            identity == asked || asked.len() >= 12 && identity.starts_with(asked)
        })
    };
    let of_identity: Vec<&DeviceId> = devices.iter().filter(|device| is_of(device)).collect();
    if let [device] = of_identity[..] {
        return Ok(*device);
    }
    let candidate = |device: DeviceId| Candidate {
        id: peer_id(&device).to_string(),
        name: names.get(&device).cloned(),
        value: device,
    };
    choose(PEER, asked, devices.into_iter().map(candidate))
}

/// The name of a space, which its founder gives it; none before the founder's first data is here.
pub(crate) async fn space_name(api: &Api, space: SpaceId) -> Result<Option<String>, ApiError> {
    let named = of_type(api, space, SPACE_TYPE).await?;
    if named.is_empty() {
        return Ok(None);
    }
    let Answer::Members(members) = api.node().command(Command::Members { space }).await? else {
        return Err(ApiError::unexpected());
    };
    // Nobody invited the founder.
    let founder = members.iter().find(|member| member.admitted_by.is_none()).map(|member| *member.identity.as_bytes());
    let by_founder = named.into_iter().filter(|(_, named)| Some(named.author) == founder);
    // Should the founder have made several, the lowest id is the same everywhere.
    Ok(by_founder.min_by_key(|(object, _)| *object).and_then(|(_, named)| own_text(&named, "name")))
}

/// What the devices of a space call themselves. What others say of them does not count.
pub(crate) async fn peer_names(api: &Api, space: SpaceId) -> Result<BTreeMap<DeviceId, String>, ApiError> {
    let feeds = feeds::of_space(api, space).await?;
    let identities: BTreeMap<DeviceId, _> =
        feeds.iter().filter_map(|feed| Some((feed.device, *feed.identity?.as_bytes()))).collect();
    let mut names = BTreeMap::new();
    let mut profiles = of_type(api, space, PROFILE_TYPE).await?;
    if profiles.is_empty() && caught_up(api, space, None, NAMES_MAX).await.is_ok() {
        profiles = of_type(api, space, PROFILE_TYPE).await?;
    }
    for (_, profile) in profiles {
        let device = own_text(&profile, "device").and_then(|device| device.parse().ok());
        let device = device.filter(|device| identities.get(device) == Some(&profile.author));
        if let (Some(device), Some(name)) = (device, own_text(&profile, "name")) {
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

/// A property that is text and not empty, as the object's author wrote it: the next that the author wrote beside it when another
/// member's shows, none when another member's has overwritten it.
fn own_text(object: &Object, key: &str) -> Option<String> {
    let property = object.properties.get(key)?;
    let mut writes = std::iter::once(&property.write).chain(&property.alternatives);
    let own = writes.find(|write| write.author == object.author)?;
    serde_json::from_slice(&own.value).ok().filter(|text: &String| !text.is_empty())
}

/// Derived rows do not decode.
pub(crate) fn damaged(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "derived_damaged",
        format!("what was derived from the feeds cannot be read: {error}"),
        "derive it again with `weft rebuild`; the feeds themselves are checked by `weft verify`",
    )
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        let (code, hint) = match error {
            StoreError::Entry { .. } => (
                "store_damaged",
                "keep the node running and connect it to somebody who holds the entry: it is fetched again; and look at the disk",
            ),
            _ if error.is_damage() => {
                ("store_damaged", "stop the node and run `weft up`: damaged files are set aside, none is deleted")
            }
            _ => ("store_failed", "look at the disk (is it full?), then run `weft verify`"),
        };
        ApiError::new(StatusCode::INSUFFICIENT_STORAGE, code, error.to_string(), hint)
    }
}

#[cfg(test)]
mod tests {
    use weft_crypto::EntryId;
    use weft_echo::{registers::Write, view::Property};

    use super::*;

    #[test]
    fn what_others_write_into_a_profile_does_not_count() {
        let write = |author: u8, name: &str| Write {
            feed: FeedId::from_bytes([author; 32]),
            seq: 0,
            entry: EntryId::from_bytes([author; 32]),
            author: [author; 32],
            claimed_ms: 0,
            value: serde_json::json!(name).to_string().into(),
        };
        let named = |write: Write, alternatives: Vec<Write>| {
            let property = Property { value: Some(write.value.clone()), write, alternatives };
            let properties = BTreeMap::from([("name".to_owned(), property)]);
            let type_name = PROFILE_TYPE.to_owned();
            own_text(&Object { type_name, author: [1; 32], claimed_ms: 0, deleted: false, properties }, "name")
        };
        assert_eq!(named(write(1, "Alice"), Vec::new()).as_deref(), Some("Alice"));
        assert_eq!(named(write(2, "Mallory"), vec![write(1, "Alice")]).as_deref(), Some("Alice"));
        assert_eq!(named(write(2, "Mallory"), Vec::new()), None);
        assert_eq!(named(write(1, ""), Vec::new()), None, "a member without a name");
    }
}
