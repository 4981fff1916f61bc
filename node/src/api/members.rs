//! Who belongs to a space, and changes of that: removals, roles, and what waits until more than half stand behind it.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use weft_credential::Role;
use weft_crypto::{IdentityId, SpaceId};
use weft_peer::{
    Acknowledgement, Act, Acted, Foreseen,
    command::{Answer, Command, MemberStatus},
};

use super::{
    Api,
    error::{ApiError, Asked, Body, ErrorBody},
    lookup,
    names::{self, People},
    proposals::{self, Proposal, Votes},
};
use crate::identity::peer_id;

/// How long a change waits for those that are connected to hear of it, before it is answered. A guess: what a person waits for without
/// thinking.
const HEARD_WITHIN: Duration = Duration::from_secs(2);
/// They are asked again after this long, whatever happens or not.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// The members of a space, and what is proposed about them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Members {
    /// The space.
    space: String,
    /// By seniority.
    members: Vec<Member>,
    /// Removals and roles that count once more than half of those who administer stand behind them.
    proposals: Vec<Proposal>,
}

/// A member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// Its root key.
    identity: String,
    /// What it calls itself.
    name: Option<String>,
    /// What the owner of this node calls it.
    petname: Option<String>,
    /// Whether the owner of this node has compared the safety number with it.
    verified: bool,
    /// `reader`, `writer`, `admin`, `owner` or `keeper`.
    role: String,
    /// Its devices, as libp2p names them.
    devices: Vec<String>,
    /// Those of them that are not known to have heard of the newest change of members.
    unheard: Vec<String>,
    /// Who issued the invitation it came by; none for the founder.
    admitted_by: Option<String>,
    /// Whether it is the identity of this node.
    me: bool,
}

/// How a member is removed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removing {
    /// Write it also where it counts only once more than half of those who administer stand behind it. Default false.
    propose: Option<bool>,
    /// Only say what would be done. Default false.
    dry_run: Option<bool>,
}

/// A role to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// `reader`, `writer`, `admin` or `owner`.
    role: String,
    /// Write it also where it counts only once more than half of those who administer stand behind it. Default false.
    propose: Option<bool>,
    /// Only say what would be done. Default false.
    dry_run: Option<bool>,
}

/// A change of members: what was done, or what would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberChange {
    /// The space.
    space: String,
    /// What the space is called.
    space_name: Option<String>,
    /// Whom it is about.
    identity: String,
    /// What to call that member.
    name: Option<String>,
    /// Its role before.
    role: String,
    /// Its role from then on; none: it is no member any more.
    becomes: Option<String>,
    /// How many devices it has.
    devices: u32,
    /// Whether it takes a right from that member.
    takes: bool,
    /// Whether nothing was written.
    dry_run: bool,
    /// Whether it counts at once; else it waits until enough stand behind it.
    counts: bool,
    /// How many have to stand behind it where it does not count at once.
    votes: Votes,
    /// Entries of the member that connected peers claim to hold and this device does not: what it loses a right to is hidden of them.
    not_held: u64,
    /// Entries of the member that are held here and wait for others: they stand, and are not shown yet.
    waiting: u64,
    /// By this id others stand behind it, where it does not count at once.
    proposal: Option<String>,
    /// Devices of those who stay that are not known to have heard of it yet.
    unheard: Vec<Unheard>,
}

/// A device that is not known to have heard of a change of members.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Unheard {
    /// As libp2p names it.
    peer_id: String,
    /// For whom it acts.
    identity: String,
    /// What to call that member.
    name: Option<String>,
}

/// List who belongs to a space, as what, and what is proposed about them.
#[utoipa::path(get, path = "/spaces/{space}/members", tag = "spaces", params(("space" = String, Path)),
    responses((status = 200, body = Members), (status = 404, body = ErrorBody)))]
pub(crate) async fn members(State(api): State<Api>, Path(space): Path<String>) -> Result<Json<Members>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let people = names::people(&api, space).await?;
    let unheard = unheard(&api, space).await?;
    let members = names::members(&api, space).await?.into_iter().map(|member| Member {
        identity: member.identity.to_string(),
        name: people.said_by(&member.identity).map(str::to_owned),
        petname: people.petname(&member.identity).map(str::to_owned),
        verified: people.contact(&member.identity).is_some_and(|contact| contact.verified_ms.is_some()),
        role: member.role.to_string(),
        devices: member.devices.iter().map(|device| peer_id(device).to_string()).collect(),
        unheard: unheard
            .iter()
            .filter(|one| one.identity == member.identity)
            .map(|one| peer_id(&one.device).to_string())
            .collect(),
        admitted_by: member.admitted_by.map(|identity| identity.to_string()),
        me: member.me,
    });
    let members = members.collect();
    Ok(Json(Members { space: space.to_string(), members, proposals: proposals::of_space(&api, space, &people).await? }))
}

/// Remove a member, with all its devices. What is held here of what it wrote stays; it reads nothing that is written from then on.
#[utoipa::path(delete, path = "/spaces/{space}/members/{member}", tag = "members",
    params(("space" = String, Path), ("member" = String, Path), Removing),
    responses((status = 200, body = MemberChange), (status = 404, body = ErrorBody)))]
pub(crate) async fn remove(
    State(api): State<Api>,
    Path((space, member)): Path<(String, String)>,
    Asked(Removing { propose, dry_run }): Asked<Removing>,
) -> Result<Json<MemberChange>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let people = names::people(&api, space).await?;
    let member = lookup::member(&api, space, &people, &member).await?;
    if member.me {
        return Err(ApiError::bad_request(
            "own_identity",
            "nobody removes itself: who goes by itself leaves",
            "`weft space leave SPACE`",
        ));
    }
    let act = Act::RemoveMember { identity: member.identity, propose: propose == Some(true) };
    change(&api, space, &people, member, act, dry_run == Some(true)).await
}

/// Give a member another role. By a lower one what is held here of what it wrote stays.
#[utoipa::path(patch, path = "/spaces/{space}/members/{member}", tag = "members",
    params(("space" = String, Path), ("member" = String, Path)), request_body = NewRole,
    responses((status = 200, body = MemberChange), (status = 404, body = ErrorBody)))]
pub(crate) async fn set_role(
    State(api): State<Api>,
    Path((space, member)): Path<(String, String)>,
    Body(NewRole { role, propose, dry_run }): Body<NewRole>,
) -> Result<Json<MemberChange>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let role = role.parse::<Role>();
    let role = role.map_err(|error| ApiError::bad_request("bad_role", error.to_string(), "choose one of these"))?;
    let people = names::people(&api, space).await?;
    let member = lookup::member(&api, space, &people, &member).await?;
    let act = Act::SetRole { identity: member.identity, role, propose: propose == Some(true) };
    change(&api, space, &people, member, act, dry_run == Some(true)).await
}

async fn change(
    api: &Api,
    space: SpaceId,
    people: &People,
    member: MemberStatus,
    act: Act,
    dry_run: bool,
) -> Result<Json<MemberChange>, ApiError> {
    let votes = Votes::of(&names::members(api, space).await?);
    let foreseen = foresee(api, space, act.clone(), votes).await?;
    let becomes = match &act {
        Act::SetRole { role, .. } => Some(*role),
        _ => None,
    };
    let mut answer = MemberChange {
        space: space.to_string(),
        space_name: lookup::space_name(api, space).await?,
        identity: member.identity.to_string(),
        name: people.of(&member.identity),
        role: member.role.to_string(),
        takes: becomes.is_none_or(|becomes| becomes < member.role),
        becomes: becomes.map(|role| role.to_string()),
        devices: u32::try_from(member.devices.len()).unwrap_or(u32::MAX),
        dry_run,
        counts: foreseen.counts,
        votes,
        not_held: foreseen.not_held,
        waiting: foreseen.waiting,
        proposal: None,
        unheard: Vec::new(),
    };
    if dry_run {
        return Ok(Json(answer));
    }
    let acted = write(api, space, act).await?;
    answer.counts = acted.counts;
    if acted.counts {
        let unheard = heard_by_the_connected(api, space).await?;
        answer.unheard = unheard.into_iter().map(|one| unheard_body(&one, people)).collect();
    } else {
        answer.proposal = proposals::at(api, space, &acted.act).await?;
    }
    Ok(Json(answer))
}

/// What an act would do, or why it would be refused.
pub(crate) async fn foresee(api: &Api, space: SpaceId, act: Act, votes: Votes) -> Result<Foreseen, ApiError> {
    let Answer::Foreseen(foreseen) = api.node().command(Command::Foresee { space, act }).await? else {
        return Err(ApiError::unexpected());
    };
    match foreseen.refusal {
        None => Ok(foreseen),
        Some(refusal) if refusal.code == "outranked" => {
            let mut error = ApiError::from(refusal);
            let Votes { needed, of } = votes;
            error.reason.message =
                "it is about somebody who stands as high or higher, and nobody does that alone".to_owned();
            error.reason.hint = format!(
                "propose it (`--propose`): it counts once {needed} of the {of} owners and admins stand behind it"
            );
            Err(error)
        }
        Some(refusal) => Err(refusal.into()),
    }
}

/// Has an act written.
pub(crate) async fn write(api: &Api, space: SpaceId, act: Act) -> Result<Acted, ApiError> {
    match api.node().command(Command::Act { space, act }).await? {
        Answer::Acted(acted) => Ok(acted),
        _ => Err(ApiError::unexpected()),
    }
}

/// The devices that are not known to have heard of the newest change of members.
async fn unheard(api: &Api, space: SpaceId) -> Result<Vec<Acknowledgement>, ApiError> {
    match api.node().command(Command::Acknowledgements { space }).await? {
        Answer::Acknowledgements(all) => Ok(all.into_iter().filter(|one| !one.acknowledged).collect()),
        _ => Err(ApiError::unexpected()),
    }
}

/// The same, once those that are connected have had the time to say that they hold it.
async fn heard_by_the_connected(api: &Api, space: SpaceId) -> Result<Vec<Acknowledgement>, ApiError> {
    let mut events = api.node().events();
    let deadline = Instant::now() + HEARD_WITHIN;
    loop {
        let unheard = unheard(api, space).await?;
        let connected = super::status::of_space(api, space).await?.pairs;
        let waits = unheard.iter().any(|one| connected.iter().any(|pair| pair.device == one.device));
        if !waits || Instant::now() >= deadline {
            return Ok(unheard);
        }
        // Whatever happens is a reason to look again; so is that an event was missed.
        let _ = tokio::time::timeout_at(deadline.min(Instant::now() + LOOK_INTERVAL), events.recv()).await;
    }
}

fn unheard_body(one: &Acknowledgement, people: &People) -> Unheard {
    Unheard {
        peer_id: peer_id(&one.device).to_string(),
        identity: IdentityId::to_string(&one.identity),
        name: people.of(&one.identity),
    }
}
