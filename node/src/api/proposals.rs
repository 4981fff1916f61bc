//! Removals and roles that wait until more than half of those who administer stand behind them.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use utoipa::ToSchema;
use weft_crypto::{EntryId, IdentityId, SpaceId};
use weft_peer::{Act, command::MemberStatus};
use weft_space::{Place, Proposed};

use super::{
    Api,
    choose::{Candidate, Sort, choose},
    error::{ApiError, ErrorBody},
    lookup, members,
    names::{self, People},
    status,
};

const PROPOSAL: Sort = Sort { word: "proposal", list: "weft member list SPACE", by_end: None };

/// A removal or a role that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Proposal {
    /// Its id.
    proposal: String,
    /// Whom it is about.
    identity: String,
    /// What to call that member.
    name: Option<String>,
    /// The role that it gives; none for a removal.
    role: Option<String>,
    /// Who proposed it.
    by: Option<String>,
    /// What to call that member.
    by_name: Option<String>,
    /// Who else says to stand behind it.
    sealed_by: Vec<String>,
    /// Whether this identity proposed it or stands behind it.
    mine: bool,
    /// How many have to stand behind it.
    votes: Votes,
}

/// How many have to stand behind a proposal, of how many.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Votes {
    /// More than half, whoever proposes counted.
    pub(crate) needed: u32,
    /// The owners and admins of the space.
    pub(crate) of: u32,
}

impl Votes {
    /// As many as these members are.
    pub(crate) fn of(members: &[MemberStatus]) -> Votes {
        let of = members.iter().filter(|member| member.role.may_administer()).count();
        let of = u32::try_from(of).unwrap_or(u32::MAX);
        Votes { needed: of / 2 + 1, of }
    }
}

/// A proposal that this identity stands behind now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sealed {
    /// The space.
    space: String,
    /// The proposal.
    proposal: String,
    /// Whom it is about.
    identity: String,
    /// What to call that member.
    name: Option<String>,
    /// The role that it gives; none for a removal.
    role: Option<String>,
    /// Whether it counts now; else it still waits.
    counts: bool,
}

/// What waits in a space.
pub(crate) async fn of_space(api: &Api, space: SpaceId, people: &People) -> Result<Vec<Proposal>, ApiError> {
    let members = names::members(api, space).await?;
    let me = api.node().identity();
    let body = |proposed: Proposed| Proposal {
        proposal: id(&proposed.entry, &proposed.act),
        identity: proposed.identity.to_string(),
        name: people.of(&proposed.identity),
        role: proposed.role.map(|role| role.to_string()),
        by: proposed.by.map(|by| by.to_string()),
        by_name: proposed.by.and_then(|by| people.of(&by)),
        mine: proposed.by == Some(me) || proposed.sealed_by.contains(&me),
        sealed_by: proposed.sealed_by.iter().map(IdentityId::to_string).collect(),
        votes: Votes::of(&members),
    };
    Ok(status::of_space(api, space).await?.proposed.into_iter().map(body).collect())
}

/// The id of what is proposed at a place, if it waits.
pub(crate) async fn at(api: &Api, space: SpaceId, place: &Place) -> Result<Option<String>, ApiError> {
    let waiting = status::of_space(api, space).await?.proposed;
    Ok(waiting.iter().find(|proposed| proposed.act == *place).map(|proposed| id(&proposed.entry, place)))
}

/// How an act is named: by its entry, and by the part of it where that is not the first.
pub(crate) fn id(entry: &EntryId, place: &Place) -> String {
    match place.part {
        0 => entry.to_string(),
        part => format!("{entry}.{part}"),
    }
}

/// Stand behind a removal or a role that is proposed.
#[utoipa::path(post, path = "/spaces/{space}/proposals/{proposal}", tag = "members",
    params(("space" = String, Path), ("proposal" = String, Path)),
    responses((status = 200, body = Sealed), (status = 404, body = ErrorBody)))]
pub(crate) async fn seal(
    State(api): State<Api>,
    Path((space, asked)): Path<(String, String)>,
) -> Result<Json<Sealed>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let people = names::people(&api, space).await?;
    let waiting = status::of_space(&api, space).await?.proposed;
    let about = |proposed: &Proposed| {
        let identity = proposed.identity.to_string();
        identity == asked || asked.len() >= 6 && identity.starts_with(&asked)
    };
    let proposed = match waiting.iter().filter(|proposed| about(proposed)).collect::<Vec<_>>()[..] {
        [proposed] => proposed.clone(),
        _ => {
            let candidates = waiting.into_iter().map(|proposed| Candidate {
                id: id(&proposed.entry, &proposed.act),
                name: people.of(&proposed.identity),
                value: proposed,
            });
            choose(PROPOSAL, &asked, candidates)?
        }
    };
    members::write(&api, space, Act::Seal { act: proposed.act }).await?;
    let still_waits = at(&api, space, &proposed.act).await?.is_some();
    Ok(Json(Sealed {
        space: space.to_string(),
        proposal: id(&proposed.entry, &proposed.act),
        identity: proposed.identity.to_string(),
        name: people.of(&proposed.identity),
        role: proposed.role.map(|role| role.to_string()),
        counts: !still_waits,
    }))
}
