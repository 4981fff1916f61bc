//! The devices of this identity: listed, named, removed, and links for new ones.
//!
//! A link is used by a device that has no identity yet, so that side is no request: see `weft device join`.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_crypto::{DeviceId, SpaceId};
use weft_peer::{
    DeviceInfo, DeviceLinkStatus, DeviceRemoval,
    command::{Answer, Command, Refusal},
};

use super::{
    Api,
    choose::{Candidate, Sort, choose},
    error::{ApiError, Asked, Body, ErrorBody, Reason},
    lookup, rfc3339,
};
use crate::{addresses, identity::peer_id};

/// The longest life of a link. A guess: nobody carries one about for longer, and whoever finds it is a device of its maker.
const EXPIRES_MAX: Duration = Duration::from_secs(7 * 86_400);
/// The life of a link when nobody says otherwise: time to walk to the other device.
const EXPIRES_DEFAULT: Duration = Duration::from_secs(600);

const DEVICE: Sort = Sort { word: "device", list: "weft device list", by_end: Some(8) };

/// The devices of this identity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Devices {
    /// This one first.
    devices: Vec<Device>,
    /// Links of this device by which another one can become one of this identity, or became it.
    links: Vec<DeviceLink>,
}

/// A device of this identity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    /// As libp2p names it.
    device: String,
    /// What it calls itself, as far as it has said so here.
    name: Option<String>,
    /// Whether it is this one.
    me: bool,
    /// Whether it gets the spaces of this identity; false for this one, and for one that was removed.
    sibling: bool,
    /// Whether it is connected.
    connected: bool,
    /// Whether this device was told to remove it. It may still be in spaces from which this one may not remove it.
    removed: bool,
    /// The spaces of this device in which it is.
    spaces: Vec<String>,
    /// How many spaces it holds that this device still lacks; none as long as it has not said what it holds.
    lacking: Option<usize>,
}

/// A link for another device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceLink {
    /// Its id.
    id: String,
    /// Until when it can be used, RFC 3339.
    expires: String,
    /// The device that used it, as libp2p names it.
    used_by: Option<String>,
}

/// A link to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDeviceLink {
    /// How long the link can be used, in milliseconds; at most 7 days. Default 10 minutes.
    expires_ms: Option<u64>,
}

/// The link that was made. Whoever uses it first is a device of this identity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeDeviceLink {
    /// `weft-device:…`
    link: String,
    /// By which it is listed.
    id: String,
    /// Until when it can be used, RFC 3339.
    expires: String,
}

/// Links that were taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CancelledDeviceLinks {
    /// How many; those that were used are not among them.
    cancelled: usize,
}

/// What this device is to be called.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceName {
    /// At most 128 bytes. Only this identity's devices see it.
    name: String,
}

/// How a device is removed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removing {
    /// Only say what would be done.
    dry_run: Option<bool>,
}

/// What became of a device, or would.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemovedDevice {
    /// The device, as libp2p names it.
    device: String,
    /// What it called itself.
    name: Option<String>,
    /// Whether it is no device of this identity any more.
    removed: bool,
    /// The spaces from which it is removed.
    spaces: Vec<SpaceName>,
    /// The spaces in which it stays, and why.
    stays: Vec<StaysIn>,
}

/// A space and what it is called.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SpaceName {
    /// Its id.
    space: String,
    /// Its name.
    name: Option<String>,
}

/// A space from which this device may not remove the other one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StaysIn {
    /// Its id.
    space: String,
    /// Its name.
    name: Option<String>,
    /// Why.
    reason: Reason,
}

/// List the devices of this identity, and its links for new ones.
#[utoipa::path(get, path = "/devices", tag = "devices", responses((status = 200, body = Devices)))]
pub(crate) async fn list(State(api): State<Api>) -> Result<Json<Devices>, ApiError> {
    let mut devices = all(&api).await?;
    devices.sort_by_key(|device| (!device.me, device.device));
    let links = match api.node().command(Command::DeviceLinks).await? {
        Answer::DeviceLinks(links) => links,
        _ => return Err(ApiError::unexpected()),
    };
    Ok(Json(Devices {
        devices: devices.into_iter().map(device_body).collect(),
        links: links.into_iter().map(link_body).collect(),
    }))
}

/// Make a link by which another device becomes one of this identity.
#[utoipa::path(post, path = "/devices/links", tag = "devices", request_body = NewDeviceLink,
    responses((status = 200, body = MadeDeviceLink), (status = 400, body = ErrorBody)))]
pub(crate) async fn link(
    State(api): State<Api>,
    Body(NewDeviceLink { expires_ms }): Body<NewDeviceLink>,
) -> Result<Json<MadeDeviceLink>, ApiError> {
    let life = expires_ms.map_or(EXPIRES_DEFAULT, Duration::from_millis);
    if life.is_zero() || life > EXPIRES_MAX {
        let message = "a link for a device lives at least 1 ms and at most 7 days";
        return Err(ApiError::bad_request("bad_expiry", message, "--expires 10m"));
    }
    let expires_ms = rfc3339::now_ms() + u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
    let addresses = addresses::for_links(api.node(), api.config());
    match api.node().command(Command::LinkDevice { expires_ms, addresses }).await? {
        Answer::DeviceLink { link, id } => {
            Ok(Json(MadeDeviceLink { link, id: id.to_string(), expires: rfc3339::format(expires_ms) }))
        }
        _ => Err(ApiError::unexpected()),
    }
}

/// Take back every link for a device that was not used.
#[utoipa::path(delete, path = "/devices/links", tag = "devices",
    responses((status = 200, body = CancelledDeviceLinks)))]
pub(crate) async fn cancel(State(api): State<Api>) -> Result<Json<CancelledDeviceLinks>, ApiError> {
    match api.node().command(Command::CancelDeviceLinks).await? {
        Answer::DeviceLinksCancelled { links } => Ok(Json(CancelledDeviceLinks { cancelled: links })),
        _ => Err(ApiError::unexpected()),
    }
}

/// Give this device a name, which the identity's other devices hear.
#[utoipa::path(patch, path = "/devices/this", tag = "devices", request_body = DeviceName,
    responses((status = 200, body = DeviceName), (status = 400, body = ErrorBody)))]
pub(crate) async fn rename(
    State(api): State<Api>,
    Body(DeviceName { name }): Body<DeviceName>,
) -> Result<Json<DeviceName>, ApiError> {
    match api.node().command(Command::NameDevice { name: name.clone() }).await? {
        Answer::DeviceNamed => Ok(Json(DeviceName { name })),
        _ => Err(ApiError::unexpected()),
    }
}

/// Remove a device of this identity: from every space, now and later. It cannot be taken back; the device can be linked again with
/// a new key. Where this device may not remove it, the answer says so; when that is so everywhere, nothing is done.
#[utoipa::path(delete, path = "/devices/{device}", tag = "devices", params(("device" = String, Path), Removing),
    responses((status = 200, body = RemovedDevice), (status = 404, body = ErrorBody)))]
pub(crate) async fn remove(
    State(api): State<Api>,
    Path(asked): Path<String>,
    Asked(Removing { dry_run }): Asked<Removing>,
) -> Result<Json<RemovedDevice>, ApiError> {
    let candidates = all(&api).await?.into_iter().map(|info| Candidate {
        id: peer_id(&info.device).to_string(),
        name: info.name.clone(),
        value: info,
    });
    let DeviceInfo { device, name, .. } = choose(DEVICE, &asked, candidates)?;
    let name = name.filter(|name| !name.is_empty());
    let foreseen = removal(api.node().command(Command::ForeseeMyDeviceRemoval { device }).await?)?;
    if let Some(refusal) = foreseen.refusal() {
        return Err(refusal.clone().into());
    }
    let done = match dry_run {
        Some(true) => foreseen,
        _ => removal(api.node().command(Command::RemoveMyDevice { device }).await?)?,
    };
    let DeviceRemoval { stays: elsewhere, spaces } = done;
    let (mut removed_from, mut stays) = (Vec::new(), Vec::new());
    for (space, refusal) in spaces {
        let SpaceName { space, name } = named(&api, space).await?;
        match refusal {
            None => removed_from.push(SpaceName { space, name }),
            Some(refusal) => stays.push(StaysIn { space, name, reason: reason(refusal) }),
        }
    }
    let device = peer_id(&device).to_string();
    Ok(Json(RemovedDevice { device, name, removed: elsewhere.is_none(), spaces: removed_from, stays }))
}

async fn all(api: &Api) -> Result<Vec<DeviceInfo>, ApiError> {
    match api.node().command(Command::Devices).await? {
        Answer::Devices(devices) => Ok(devices),
        _ => Err(ApiError::unexpected()),
    }
}

/// What the other devices of this identity call themselves.
pub(crate) async fn names(api: &Api) -> Result<BTreeMap<DeviceId, String>, ApiError> {
    let named =
        |info: DeviceInfo| info.name.filter(|name| info.sibling && !name.is_empty()).map(|name| (info.device, name));
    Ok(all(api).await?.into_iter().filter_map(named).collect())
}

fn removal(answer: Answer) -> Result<DeviceRemoval, ApiError> {
    match answer {
        Answer::MyDeviceRemoved(removal) => Ok(removal),
        _ => Err(ApiError::unexpected()),
    }
}

async fn named(api: &Api, space: SpaceId) -> Result<SpaceName, ApiError> {
    Ok(SpaceName { space: space.to_string(), name: lookup::space_name(api, space).await? })
}

fn reason(refusal: Refusal) -> Reason {
    ApiError::from(refusal).reason
}

fn device_body(info: DeviceInfo) -> Device {
    Device {
        device: peer_id(&info.device).to_string(),
        name: info.name.filter(|name| !name.is_empty()),
        me: info.me,
        sibling: info.sibling,
        connected: info.connected,
        removed: info.removed,
        spaces: info.spaces.iter().map(SpaceId::to_string).collect(),
        lacking: info.lacking,
    }
}

fn link_body(link: DeviceLinkStatus) -> DeviceLink {
    DeviceLink {
        id: link.id.to_string(),
        expires: rfc3339::format(link.expires_ms),
        used_by: link.used_by.map(|device| peer_id(&device).to_string()),
    }
}
