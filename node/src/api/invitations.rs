//! Invitations: issued, listed, taken back, and newcomers that a person lets in or turns away.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
};
use libp2p::multiaddr::Protocol;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_credential::Role;
use weft_crypto::{DeviceId, IdentityId, InvitationId, SpaceId};
use weft_peer::{
    InvitationStatus, NewLink, NewcomerStatus, Terms,
    command::{Answer, Command},
};

use super::{
    Api,
    choose::{Candidate, Sort, choose},
    error::{ApiError, Asked, Body, ErrorBody},
    lookup,
    names::{self, People},
    rfc3339, status,
};
use crate::{
    addresses,
    identity::{device_id, peer_id},
};

/// The longest life of a link.
const EXPIRES_MAX: Duration = Duration::from_secs(366 * 86_400);

const INVITATION: Sort = Sort { word: "invitation", list: "weft invitation list", by_end: None };
const NEWCOMER: Sort = Sort { word: "newcomer", list: "weft invitation list", by_end: None };

/// A link to be issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvitation {
    /// What the newcomer will be: `reader`, `writer`, `admin` or `owner`. Default `writer`.
    role: Option<String>,
    /// How long the link can be used, in milliseconds; at most 366 days. Default 24 hours.
    expires_ms: Option<u64>,
    /// How many people can join by it, 1 to 10,000. Default 1.
    uses: Option<u32>,
    /// Whether somebody here has to approve each of them. Default false.
    approve: Option<bool>,
}

/// The link that was issued. Whoever has it can join, as often as it has uses.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invited {
    /// `weft-invite:…`
    link: String,
    /// The invitation's id.
    invitation: String,
    /// The space.
    space: String,
    /// What the newcomer will be.
    role: String,
    /// How many people can join by it.
    uses: u32,
    /// Whether somebody has to approve each of them.
    approve: bool,
    /// Until when it can be used, RFC 3339.
    expires: String,
    /// The devices that let newcomers in, this one first, as libp2p names them.
    hosts: Vec<String>,
}

/// Which invitations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Within {
    /// Only of this space.
    space: Option<String>,
}

/// Which invitations are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Only of this space.
    space: Option<String>,
    /// Those too that nobody can redeem any more. Default false.
    all: Option<bool>,
}

/// Invitations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invitations {
    /// Space by space, in the order of their ids.
    invitations: Vec<Invitation>,
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invitation {
    /// Its id.
    invitation: String,
    /// The space.
    space: String,
    /// What the space is called.
    space_name: Option<String>,
    /// What a newcomer becomes.
    role: String,
    /// How many people can join by it.
    uses: u32,
    /// How many did.
    used: u32,
    /// How many still can.
    left: u32,
    /// Until when it can be used, RFC 3339.
    expires: String,
    /// Whether that is over, by this node's clock.
    expired: bool,
    /// The identity that issued it.
    issuer: String,
    /// What to call the issuer.
    issuer_name: Option<String>,
    /// Whether somebody has to approve each newcomer.
    approve: bool,
    /// Whether it was taken back, or ended with its issuer.
    revoked: bool,
    /// Whether this device lets newcomers in by it.
    hosted: bool,
    /// Whether this identity may take it back.
    revocable: bool,
    /// The identities that joined by it.
    redeemed: Vec<String>,
    /// Who waits at this device to be approved.
    waiting: Vec<Newcomer>,
}

/// A newcomer that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Newcomer {
    /// Its root key: by this it is named.
    identity: String,
    /// Its device, as libp2p names it.
    peer_id: String,
    /// Twenty digits of its root key. Let the newcomer read its own to you, by telephone for instance, before you approve.
    digits: String,
    /// Since when it waits, RFC 3339.
    since: String,
}

/// An invitation that was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revoked {
    /// The invitation.
    invitation: String,
    /// The space.
    space: String,
    /// How many joined by it before, and stay.
    standing: u32,
}

/// What is said of a newcomer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// True lets it in, false turns it away.
    approve: bool,
}

/// What was said of a newcomer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    /// The newcomer's root key.
    newcomer: String,
    /// The invitation.
    invitation: String,
    /// The space.
    space: String,
    /// Whether it was let in.
    approved: bool,
}

/// Issue a link by which people can join.
#[utoipa::path(post, path = "/spaces/{space}/invitations", tag = "spaces", params(("space" = String, Path)),
    request_body = NewInvitation, responses((status = 200, body = Invited), (status = 403, body = ErrorBody)))]
pub(crate) async fn invite(
    State(api): State<Api>,
    Path(space): Path<String>,
    Body(new): Body<NewInvitation>,
) -> Result<Json<Invited>, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let role = new.role.as_deref().unwrap_or("writer").parse::<Role>();
    let role = role.map_err(|error| ApiError::bad_request("bad_role", error.to_string(), "choose one of these"))?;
    let life = Duration::from_millis(new.expires_ms.unwrap_or(86_400_000));
    if life.is_zero() || life > EXPIRES_MAX {
        return Err(ApiError::bad_request(
            "bad_expiry",
            "a link lives at least 1 ms and at most 366 days",
            "--expires 24h",
        ));
    }
    let expires_ms = rfc3339::now_ms() + u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
    let terms = Terms { role, uses: new.uses.unwrap_or(1), expires_ms, approve: new.approve.unwrap_or_default() };
    let command = Command::Invite(NewLink {
        space,
        terms,
        addresses: addresses::for_links(api.node(), api.config()),
        places: places(&api).await?,
        space_name: lookup::space_name(&api, space).await?.unwrap_or_default(),
        inviter_name: status::ask(&api).await?.name,
    });
    let Answer::Invited { link, invitation, hosts } = api.node().command(command).await? else {
        return Err(ApiError::unexpected());
    };
    Ok(Json(Invited {
        link,
        invitation: invitation.to_string(),
        space: space.to_string(),
        role: role.to_string(),
        uses: terms.uses,
        approve: terms.approve,
        expires: rfc3339::format(expires_ms),
        hosts: hosts.iter().map(|device| peer_id(device).to_string()).collect(),
    }))
}

/// Where members of shared spaces were found, those found last first; each address says whose it is.
async fn places(api: &Api) -> Result<Vec<(DeviceId, Vec<String>)>, ApiError> {
    let node = api.node().clone();
    let known = tokio::task::spawn_blocking(move || node.acquaintances()).await;
    let known = known.map_err(|_| ApiError::unexpected())??;
    let named = known.into_iter().filter_map(|(peer, addresses)| {
        let named = addresses.into_iter().map(|mut address| {
            if !matches!(address.iter().last(), Some(Protocol::P2p(_))) {
                address.push(Protocol::P2p(peer));
            }
            address.to_string()
        });
        Some((device_id(&peer)?, named.collect()))
    });
    Ok(named.collect())
}

/// List invitations, and who waits at this device to be approved.
#[utoipa::path(get, path = "/invitations", tag = "invitations", params(Listed),
    responses((status = 200, body = Invitations), (status = 404, body = ErrorBody)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Asked(Listed { space, all }): Asked<Listed>,
) -> Result<Json<Invitations>, ApiError> {
    let now_ms = rfc3339::now_ms();
    let mut listed = Vec::new();
    for space in lookup::spaces_or_all(&api, space.as_deref()).await? {
        let space_name = lookup::space_name(&api, space).await?;
        let people = names::people(&api, space).await?;
        let can = |known: &InvitationStatus| !known.revoked && known.left > 0 && now_ms < known.expires_ms;
        let of_space = of_space(&api, space).await?.into_iter();
        let of_space = of_space.filter(|known| all == Some(true) || can(known) || !known.waiting.is_empty());
        listed.extend(of_space.map(|known| body(space, space_name.clone(), &people, known, now_ms)));
    }
    Ok(Json(Invitations { invitations: listed }))
}

/// Take an invitation back. Whoever joined by it stays.
#[utoipa::path(delete, path = "/invitations/{invitation}", tag = "invitations",
    params(("invitation" = String, Path), Within),
    responses((status = 200, body = Revoked), (status = 404, body = ErrorBody)))]
pub(crate) async fn revoke(
    State(api): State<Api>,
    Path(asked): Path<String>,
    Asked(Within { space }): Asked<Within>,
) -> Result<Json<Revoked>, ApiError> {
    let (space, known) = invitation(&api, space.as_deref(), &asked).await?;
    let invitation = known.invitation;
    match api.node().command(Command::RevokeInvitation { space, invitation }).await? {
        Answer::InvitationRevoked { standing } => {
            Ok(Json(Revoked { invitation: invitation.to_string(), space: space.to_string(), standing }))
        }
        _ => Err(ApiError::unexpected()),
    }
}

/// Let a newcomer in that waits at this device, or turn it away.
#[utoipa::path(post, path = "/invitations/{invitation}/newcomers/{newcomer}", tag = "invitations",
    params(("invitation" = String, Path), ("newcomer" = String, Path), Within), request_body = Decision,
    responses((status = 200, body = Decided), (status = 404, body = ErrorBody)))]
pub(crate) async fn decide(
    State(api): State<Api>,
    Path((asked, newcomer)): Path<(String, String)>,
    Asked(Within { space }): Asked<Within>,
    Body(Decision { approve }): Body<Decision>,
) -> Result<Json<Decided>, ApiError> {
    let (space, known) = invitation(&api, space.as_deref(), &asked).await?;
    let invitation = known.invitation;
    let newcomer = waiting(known, &newcomer)?;
    let device = newcomer.device;
    let command = match approve {
        true => Command::ApproveNewcomer { space, invitation, newcomer: device },
        false => Command::DenyNewcomer { space, invitation, newcomer: device },
    };
    match api.node().command(command).await? {
        Answer::NewcomerApproved | Answer::NewcomerDenied => Ok(Json(Decided {
            newcomer: newcomer.identity.to_string(),
            invitation: invitation.to_string(),
            space: space.to_string(),
            approved: approve,
        })),
        _ => Err(ApiError::unexpected()),
    }
}

async fn of_space(api: &Api, space: SpaceId) -> Result<Vec<InvitationStatus>, ApiError> {
    match api.node().command(Command::Invitations { space }).await? {
        Answer::Invitations(invitations) => Ok(invitations),
        _ => Err(ApiError::unexpected()),
    }
}

/// The invitation that is meant, and the space it is of.
async fn invitation(api: &Api, within: Option<&str>, asked: &str) -> Result<(SpaceId, InvitationStatus), ApiError> {
    let mut candidates = Vec::new();
    for space in lookup::spaces_or_all(api, within).await? {
        candidates.extend(of_space(api, space).await?.into_iter().map(|known| Candidate {
            id: known.invitation.to_string(),
            name: None,
            value: (space, known),
        }));
    }
    choose(INVITATION, asked, candidates)
}

/// The newcomer that is meant: by its root key, the beginning of it, or its digits.
fn waiting(known: InvitationStatus, asked: &str) -> Result<NewcomerStatus, ApiError> {
    let is_digits = asked.chars().all(|char| char.is_ascii_digit() || char == ' ');
    let asked = if is_digits { asked.replace(' ', "") } else { asked.to_owned() };
    let candidates = known.waiting.into_iter().map(|newcomer| Candidate {
        id: newcomer.identity.to_string(),
        name: Some(newcomer.digits.replace(' ', "")),
        value: newcomer,
    });
    choose(NEWCOMER, &asked, candidates)
}

fn body(
    space: SpaceId,
    space_name: Option<String>,
    people: &People,
    known: InvitationStatus,
    now_ms: u64,
) -> Invitation {
    Invitation {
        invitation: InvitationId::to_string(&known.invitation),
        space: space.to_string(),
        space_name,
        role: known.role.to_string(),
        uses: known.uses,
        used: known.uses.saturating_sub(known.left),
        left: known.left,
        expires: rfc3339::format(known.expires_ms),
        expired: now_ms >= known.expires_ms,
        issuer_name: people.of(&known.issuer),
        issuer: known.issuer.to_string(),
        approve: known.approve,
        revoked: known.revoked,
        hosted: known.hosted,
        revocable: known.revocable,
        redeemed: known.redeemed.iter().map(IdentityId::to_string).collect(),
        waiting: known.waiting.into_iter().map(newcomer).collect(),
    }
}

fn newcomer(waiting: NewcomerStatus) -> Newcomer {
    Newcomer {
        identity: waiting.identity.to_string(),
        peer_id: peer_id(&waiting.device).to_string(),
        digits: waiting.digits,
        since: rfc3339::format(waiting.since_ms),
    }
}
