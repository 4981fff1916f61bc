//! What the node is and how it does: above all, why a space is not in sync.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use weft_crypto::{DeviceId, SpaceId};
use weft_peer::{
    command::{Answer, Command},
    status::{SpaceStatus, Status, Waiting},
};

use super::{Api, error::ApiError, lookup, rfc3339};
use crate::{
    addresses,
    identity::{PhraseState, Protection, peer_id},
};

/// The version of the program and of what it speaks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Version {
    /// Of the program.
    version: &'static str,
    /// Of this API.
    api: u32,
    /// The names of the protocols it speaks with peers.
    protocols: Vec<&'static str>,
}

/// The version.
#[utoipa::path(get, path = "/version", tag = "node", responses((status = 200, body = Version)))]
pub(crate) async fn version() -> Json<Version> {
    let protocols = weft_peer::Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
    Json(Version { version: env!("CARGO_PKG_VERSION"), api: 1, protocols })
}

/// The whole of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusBody {
    /// This device, as libp2p names it.
    peer_id: String,
    /// The identity it acts for.
    identity: String,
    /// What the identity calls itself.
    name: Option<String>,
    /// The device of this identity by which this one was removed, as libp2p names it: nobody takes what is written here.
    removed_by: Option<String>,
    /// Whether a node is running, rather than only its store being looked at.
    running: bool,
    /// The addresses it can be reached at.
    listen: Vec<String>,
    /// Who is connected.
    peers: Vec<PeerBody>,
    /// How the keys are protected on disk.
    keys: KeysBody,
    /// Every space here.
    spaces: Vec<SpaceBody>,
    /// What the owner should look after, with the command that does it.
    notes: Vec<Note>,
}

/// How the keys are protected on disk, and what changes it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysBody {
    /// `file_permissions`: who can read the data folder has them; `passphrase`: it has to be guessed as well.
    protection: &'static str,
    /// The command that changes it.
    command: &'static str,
}

/// A connected device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeerBody {
    /// As libp2p names it.
    peer_id: String,
    /// What it calls itself, in a space that both are in.
    name: Option<String>,
    /// What it is called among the devices of this identity, if it is one.
    device_name: Option<String>,
    /// The spaces that both have shown each other to be in.
    spaces: Vec<String>,
}

/// A space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SpaceBody {
    /// Its id.
    pub(crate) space: String,
    /// Its name; none before its first data is here.
    pub(crate) name: Option<String>,
    /// What the link it was joined by says it is called; a claim, and none once the name is here.
    pub(crate) said_name: Option<String>,
    /// What this identity is there: `reader`, `writer`, `admin`, `owner`; none when it is no member.
    pub(crate) role: Option<String>,
    /// `left` or `removed` when this identity was a member and is none any more, as far as that is known here.
    pub(crate) gone: Option<&'static str>,
    /// Who removed it then; this identity itself when it left.
    pub(crate) removed_by: Option<String>,
    /// How many members there are.
    pub(crate) members: u32,
    /// How many newcomers wait at this device until somebody approves them.
    pub(crate) newcomers: u32,
    /// Whether at least one other member is connected and each connected one holds what is held here and the other way round.
    pub(crate) level: bool,
    /// The members that are connected.
    pub(crate) connected: Vec<PairBody>,
    /// What is not as it should be; empty when level.
    pub(crate) waiting: Vec<WaitingBody>,
    /// How many removals and roles are proposed there: `members` says which.
    pub(crate) proposals: u32,
    /// Why nothing can be written here, if that is so.
    pub(crate) write_stop: Option<String>,
}

/// A connected member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PairBody {
    /// As libp2p names it.
    peer_id: String,
    /// What it calls itself.
    name: Option<String>,
    /// Whether both hold the same.
    level: bool,
}

/// Something that is missing, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingBody {
    /// What is missing.
    what: String,
    /// From whom it should come.
    from: Option<String>,
    /// Since when, RFC 3339.
    since: String,
    /// The rule by which it is refused or held back.
    rule: String,
    /// What to do.
    remedy: String,
}

/// Something that the owner should look after.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Note {
    /// What.
    note: String,
    /// The command that does it.
    command: String,
}

/// What this node is, whom it is connected to, and why it is not in sync.
#[utoipa::path(get, path = "/status", tag = "node", responses((status = 200, body = StatusBody)))]
pub(crate) async fn status(State(api): State<Api>) -> Result<Json<StatusBody>, ApiError> {
    let status = ask(&api).await?;
    let mut names = BTreeMap::new();
    let mut spaces = Vec::new();
    for (space, name) in named(&api, status.spaces).await? {
        let here = lookup::peer_names(&api, space.space).await?;
        spaces.push(space_body(&api, space, name, &here));
        names.extend(here);
    }
    let protection = api.node().protection().map_err(super::identity::unreadable)?;
    let mine = super::devices::names(&api).await?;
    let peers = status.peers.iter().map(|peer| PeerBody {
        peer_id: peer_id(&peer.device).to_string(),
        name: names.get(&peer.device).cloned(),
        device_name: mine.get(&peer.device).cloned(),
        spaces: peer.spaces.iter().map(SpaceId::to_string).collect(),
    });
    Ok(Json(StatusBody {
        peer_id: api.node().peer_id().to_string(),
        identity: status.identity.to_string(),
        name: Some(status.name).filter(|name| !name.is_empty()),
        removed_by: status.removed_by.map(|device| peer_id(&device).to_string()),
        running: api.node().has_network(),
        listen: addresses::of(api.node()).iter().map(ToString::to_string).collect(),
        peers: peers.collect(),
        keys: KeysBody { protection: protection.name(), command: CHANGES_PROTECTION },
        spaces,
        notes: notes(&api, status.removed_by.is_some(), protection),
    }))
}

/// What sets, changes or removes the passphrase.
const CHANGES_PROTECTION: &str = "weft identity passphrase";

fn notes(api: &Api, is_removed: bool, protection: Protection) -> Vec<Note> {
    let mut notes = Vec::new();
    if is_removed {
        notes.push(Note {
            note: "this device was removed by another device of yours: nobody takes what is written here, and nothing new comes".to_owned(),
            command: "`weft device join LINK` in another data folder makes this machine a device of yours again".to_owned(),
        });
    }
    if let Some(why) = api.node().unmarked() {
        notes.push(Note {
            note: format!(
                "an older copy of the data folder would not be noticed, so spaces wait for a member at each start: {why}"
            ),
            command: "name a folder that can be written to, outside of the data folder, with --state-dir or `state_dir`".to_owned(),
        });
    }
    let mut note = |note: &str, command: &str| {
        notes.push(Note { note: note.to_owned(), command: command.to_owned() });
    };
    if api.node().phrase_state() == PhraseState::Here {
        note("recovery phrase not yet written down", "weft identity phrase");
    }
    if protection == Protection::FilePermissions {
        note("keys are protected by file permissions only", CHANGES_PROTECTION);
    }
    notes
}

/// What the peer says of itself.
pub(crate) async fn ask(api: &Api) -> Result<Status, ApiError> {
    match api.node().command(Command::Status).await? {
        Answer::Status(status) => Ok(status),
        _ => Err(ApiError::unexpected()),
    }
}

/// What the peer says of one space.
pub(crate) async fn of_space(api: &Api, space: SpaceId) -> Result<SpaceStatus, ApiError> {
    let found = ask(api).await?.spaces.into_iter().find(|status| status.space == space);
    found.ok_or_else(|| {
        ApiError::not_found("unknown_space", format!("there is no space {space} here"), "weft space list")
    })
}

/// Spaces with the names they have.
pub(crate) async fn named(api: &Api, spaces: Vec<SpaceStatus>) -> Result<Vec<(SpaceStatus, Option<String>)>, ApiError> {
    let ids: Vec<SpaceId> = spaces.iter().map(|space| space.space).collect();
    let mut names = lookup::space_names(api, &ids).await?;
    let with_name = |space: SpaceStatus| {
        let name = names.remove(&space.space);
        (space, name)
    };
    Ok(spaces.into_iter().map(with_name).collect())
}

/// A space as the API shows it.
pub(crate) fn space_body(
    api: &Api,
    space: SpaceStatus,
    name: Option<String>,
    names: &BTreeMap<DeviceId, String>,
) -> SpaceBody {
    SpaceBody {
        space: space.space.to_string(),
        said_name: space.said_name.filter(|_| name.is_none()),
        name,
        role: space.role.map(|role| role.to_string()),
        gone: space.removed_by.map(|by| if by == api.node().identity() { "left" } else { "removed" }),
        removed_by: space.removed_by.map(|identity| identity.to_string()),
        members: space.members,
        newcomers: space.newcomers,
        level: space.level,
        connected: space
            .pairs
            .iter()
            .map(|pair| PairBody {
                peer_id: peer_id(&pair.device).to_string(),
                name: names.get(&pair.device).cloned(),
                level: pair.level,
            })
            .collect(),
        waiting: space.waiting.into_iter().map(waiting_body).collect(),
        proposals: u32::try_from(space.proposed.len()).unwrap_or(u32::MAX),
        write_stop: space.write_stop,
    }
}

fn waiting_body(waiting: Waiting) -> WaitingBody {
    WaitingBody {
        what: waiting.what,
        from: waiting.from.map(|device| peer_id(&device).to_string()),
        since: rfc3339::format(waiting.since_ms),
        rule: waiting.rule,
        remedy: waiting.remedy,
    }
}
