//! Finding what a request names, and the names of things, in the derived rows.

use std::{collections::BTreeMap, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use weft_crypto::{DeviceId, FeedId, IdentityId, ObjectId, SpaceId};
use weft_echo::{
    rows::Summary,
    tables::{self, By},
    view::{self, Object},
};
use weft_peer::command::{Command, MemberStatus};

use super::{
    Api,
    choose::{Candidate, Sort, choose},
    error::ApiError,
    feeds,
    names::{self, People},
    status,
};
use crate::{identity::peer_id, node::Reader, store::StoreError};

/// Types that begin so are Weft's own.
pub(crate) const HIDDEN: &str = "weft.";

/// How long a reader waits for a node that derives again what a crash has lost. A guess: some ten thousand entries.
pub(crate) const CATCH_UP_MAX: Duration = Duration::from_secs(30);
/// How long a list of spaces waits for their names, which are among what is derived. A guess: people notice longer waits.
pub(crate) const NAMES_MAX: Duration = Duration::from_secs(2);

const SPACE: Sort = Sort { word: "space", list: "weft space list", by_end: None };
const OBJECT: Sort = Sort { word: "object", list: "weft object list SPACE", by_end: None };
const FEED: Sort = Sort { word: "feed", list: "weft feed list SPACE", by_end: None };
const MEMBER: Sort = Sort { word: "member", list: "weft member list SPACE", by_end: None };
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
    let (people, own) = (names::people(api, space).await?, super::devices::names(api).await?);
    let mut devices: BTreeMap<DeviceId, Option<IdentityId>> = BTreeMap::new();
    for feed in feeds::of_space(api, space).await? {
        *devices.entry(feed.device).or_default() = feed.identity;
    }
    let is_of = |identity: &IdentityId| {
        let id = identity.to_string();
        id == asked || asked.len() >= 12 && id.starts_with(asked) || people.petname(identity) == Some(asked)
    };
    let of_identity: Vec<&DeviceId> =
        devices.iter().filter(|(_, identity)| identity.as_ref().is_some_and(is_of)).map(|(device, _)| device).collect();
    if let [device] = of_identity[..] {
        return Ok(*device);
    }
    let candidate = |device: &DeviceId| Candidate {
        id: peer_id(device).to_string(),
        name: own.get(device).cloned().or_else(|| people.of_device(device)),
        value: *device,
    };
    choose(PEER, asked, devices.keys().map(candidate))
}

/// The member that is meant: by its root key or the beginning of it, or by its name.
pub(crate) async fn member(api: &Api, space: SpaceId, people: &People, asked: &str) -> Result<MemberStatus, ApiError> {
    let members = names::members(api, space).await?;
    let candidates = members.into_iter().map(|member| (member.identity, member));
    identity(MEMBER, asked, people, candidates)
}

/// The one of these that is meant by its root key, the beginning of it, or a name. What the owner of this node calls somebody goes before
/// what anybody says to be called: else whoever takes the name of another could be taken for that one. Spec: NODE-11
pub(crate) fn identity<T>(
    sort: Sort,
    asked: &str,
    people: &People,
    candidates: impl Iterator<Item = (IdentityId, T)>,
) -> Result<T, ApiError> {
    let mut candidates: Vec<(IdentityId, T)> = candidates.collect();
    if let Some(known) = candidates.iter().position(|(identity, _)| people.petname(identity) == Some(asked)) {
        return Ok(candidates.swap_remove(known).1);
    }
    let candidate = |(identity, value): (IdentityId, T)| {
        let said = people.said_by(&identity).filter(|said| *said == asked).map(str::to_owned);
        Candidate { id: identity.to_string(), name: said.or_else(|| people.of(&identity)), value }
    };
    choose(sort, asked, candidates.into_iter().map(candidate))
}

/// The name of a space; none before the first data of who named it is here.
pub(crate) async fn space_name(api: &Api, space: SpaceId) -> Result<Option<String>, ApiError> {
    Ok(names::of_space(api, space).await?.into_iter().next().map(|said| said.name))
}

/// What to call whoever acts by each device of a space.
pub(crate) async fn peer_names(api: &Api, space: SpaceId) -> Result<BTreeMap<DeviceId, String>, ApiError> {
    Ok(names::people(api, space).await?.devices())
}

/// The objects of a type that are not deleted.
pub(crate) async fn of_type(
    api: &Api,
    space: SpaceId,
    type_name: &'static str,
) -> Result<Vec<(ObjectId, Object)>, ApiError> {
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
