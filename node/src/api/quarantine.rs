//! What is held past where its author's right to write ended, and how it is taken in again.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_crypto::{FeedId, IdentityId, Purpose, SpaceId};
use weft_peer::{
    Act,
    command::{Answer, Command, CuttingAct, QuarantinedFeed},
};

use super::{
    Api,
    choose::Sort,
    error::{ApiError, Asked, Body, ErrorBody},
    lookup, members,
    names::{self, People},
    proposals,
};
use crate::identity::peer_id;

const AUTHOR: Sort = Sort { word: "author", list: "weft space quarantine SPACE", by_end: None };

/// Which quarantine.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Within {
    /// Only of this space.
    space: Option<String>,
}

/// What is held and does not count, because an act came before it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Quarantine {
    /// Space by space, feed by feed.
    quarantined: Vec<Quarantined>,
}

/// Entries of a feed that an act has cut.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Quarantined {
    /// The space.
    space: String,
    /// What the space is called.
    space_name: Option<String>,
    /// The feed.
    feed: String,
    /// `control` or `data`.
    purpose: String,
    /// The device that wrote it, as libp2p names it.
    device: String,
    /// For whom.
    identity: String,
    /// What to call that one.
    name: Option<String>,
    /// The first entry that does not count.
    from: u64,
    /// How many there are.
    entries: u64,
    /// Their bytes, as if all entries of the feed were of one size.
    bytes: u64,
    /// Whether more was offered than is taken.
    full: bool,
    /// What has cut it.
    acts: Vec<Cutting>,
}

/// An act that has cut a feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Cutting {
    /// Its id.
    act: String,
    /// `member_removed`, `role_changed`, `device_removed` or `feed_closed`.
    kind: String,
    /// Who says so.
    by: Option<String>,
    /// What to call that one.
    by_name: Option<String>,
}

/// What is to be taken in again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Readmission {
    /// Whose entries: a root key, the beginning of it, or a name.
    author: String,
    /// Only by this act; all that have cut its feeds without it.
    act: Option<String>,
}

/// What was taken in again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readmitted {
    /// The space.
    space: String,
    /// Whose entries.
    identity: String,
    /// What to call that one.
    name: Option<String>,
    /// How many count now that did not.
    entries: u64,
}

/// List what is held past where its author's right to write ended, and which acts have ended it.
#[utoipa::path(get, path = "/quarantine", tag = "quarantine", params(Within),
    responses((status = 200, body = Quarantine), (status = 404, body = ErrorBody)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Asked(Within { space }): Asked<Within>,
) -> Result<Json<Quarantine>, ApiError> {
    let mut quarantined = Vec::new();
    for space in lookup::spaces_or_all(&api, space.as_deref()).await? {
        let held = of_space(&api, space).await?;
        if held.is_empty() {
            continue;
        }
        let space_name = lookup::space_name(&api, space).await?;
        let people = names::people(&api, space).await?;
        quarantined.extend(held.into_iter().map(|feed| body(space, space_name.clone(), feed, &people)));
    }
    Ok(Json(Quarantine { quarantined }))
}

/// Take in again what is held here of somebody: it counts, for everybody. Refused to who does not outrank whom it is of, and has not said
/// the act itself.
#[utoipa::path(post, path = "/spaces/{space}/readmissions", tag = "quarantine", params(("space" = String, Path)),
    request_body = Readmission, responses((status = 200, body = Readmitted), (status = 404, body = ErrorBody)))]
pub(crate) async fn readmit(
    State(api): State<Api>,
    Path(space): Path<String>,
    Body(Readmission { author, act }): Body<Readmission>,
) -> Result<Json<Readmitted>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let people = names::people(&api, space).await?;
    let held = of_space(&api, space).await?;
    let mut authors: Vec<IdentityId> = held.iter().map(|feed| feed.identity).collect();
    authors.sort_unstable();
    authors.dedup();
    let identity = lookup::identity(AUTHOR, &author, &people, authors.into_iter().map(|one| (one, one)))?;
    let of_author: Vec<&QuarantinedFeed> = held.iter().filter(|feed| feed.identity == identity).collect();
    let meant = |cutting: &&CuttingAct| {
        let id = proposals::id(&cutting.entry, &cutting.act);
        act.as_ref().is_none_or(|act| id == *act || act.len() >= 6 && id.starts_with(act.as_str()))
    };
    let mut acts: Vec<_> =
        of_author.iter().flat_map(|feed| &feed.acts).filter(meant).map(|cutting| cutting.act).collect();
    acts.sort_unstable();
    acts.dedup();
    if acts.is_empty() {
        return Err(ApiError::not_found(
            "unknown_act",
            "no such act has cut a feed of that author",
            "`weft space quarantine SPACE` lists which have",
        ));
    }
    for act in acts {
        members::write(&api, space, Act::RaiseCut { act, feeds: Vec::new() }).await?;
    }
    let left = of_space(&api, space).await?;
    let count = |feeds: &[QuarantinedFeed]| -> u64 {
        feeds.iter().filter(|feed| feed.identity == identity).map(|feed| feed.until - feed.from).sum()
    };
    Ok(Json(Readmitted {
        space: space.to_string(),
        identity: identity.to_string(),
        name: people.of(&identity),
        entries: count(&held).saturating_sub(count(&left)),
    }))
}

async fn of_space(api: &Api, space: SpaceId) -> Result<Vec<QuarantinedFeed>, ApiError> {
    match api.node().command(Command::Quarantine { space }).await? {
        Answer::Quarantine(held) => Ok(held),
        _ => Err(ApiError::unexpected()),
    }
}

fn body(space: SpaceId, space_name: Option<String>, feed: QuarantinedFeed, people: &People) -> Quarantined {
    let cutting = |cutting: &CuttingAct| Cutting {
        act: proposals::id(&cutting.entry, &cutting.act),
        kind: cutting.kind.to_owned(),
        by: cutting.author.map(|by| by.to_string()),
        by_name: cutting.author.and_then(|by| people.of(&by)),
    };
    Quarantined {
        space: space.to_string(),
        space_name,
        feed: FeedId::to_string(&feed.feed),
        purpose: if feed.purpose == Purpose::Control { "control" } else { "data" }.to_owned(),
        device: peer_id(&feed.device).to_string(),
        identity: feed.identity.to_string(),
        name: people.of(&feed.identity),
        from: feed.from,
        entries: feed.until.saturating_sub(feed.from),
        bytes: feed.bytes,
        full: feed.full,
        acts: feed.acts.iter().map(cutting).collect(),
    }
}
