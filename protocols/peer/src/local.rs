//! Private rows: what only this node knows, sealed under its device key where it is secret.
//!
//! | key | value |
//! | --- | --- |
//! | `space/` space id | the device's keys in the space, sealed |
//! | `joining/` space id | a redemption that was not answered yet, and the keys in it, sealed |
//! | `newcomer/` space id, invitation id, device | since when it waits to be approved, 8 bytes little endian, and its redemption; none when it was denied |
//! | `stopped/` feed id | the head that contradicts what is held |
//! | `profile/` space id | this member has said its name in the space |
//! | `sessions/` space id | the number of the next session of this device's data feed, 8 bytes little endian |
//! | `said/` space id | what the link said that the space is called |
//! | `former/` space id | a space that was deleted here: the generation of the feeds that the device would open there next, 8 bytes little endian, and whether it is gone from there (1 byte) |
//! | `draft/` space id, number of 8 bytes big endian | what an application wants written when the ends are known, sealed |
//! | `home/` space id | the space in which this identity's devices know each other |
//! | `device-link/` key | a link for another device: when it expires, 8 bytes little endian; who used it |
//! | `device/` device id | whether it used a link of this device (1 byte), and what it calls itself |
//! | `shut-out/` device id | a device of this identity that this one was told to remove |
//! | `removed-by/` device id | the device of this identity by which this one was removed |
//! | `linking/` space id | this device's keys for a space that a sibling is asked for, sealed |
//! | `pre-keys/` space id | since when the newest pre-key is used, and those after the first, sealed |
//! | `unsure/` space id | where own feeds end is not known: at least how many entries control and data feed had, and how many other devices had feeds; 8 bytes little endian each |

use bytes::Bytes;
use weft_credential::Redemption;
use weft_crypto::{
    DeviceId, DeviceKey, FeedId, FeedSecret, Head, InvitationId, InvitationKeyId, PreKeySecret, SpaceId,
    seal::{open_local, seal_local},
};
use weft_space::compose::SpaceKeys;
use zeroize::Zeroizing;

use crate::{
    deleting::Former,
    devices::OpenLink,
    store::{Ends, Write},
};

/// Says what a sealed row is for, so that one cannot stand for another.
const KEYS: &str = "space keys";
const JOINING: &str = "joining";
const DRAFT: &str = "draft";
const PRE_KEYS: &str = "pre-keys";
const SECRETS_BYTES: usize = 96;
/// What the keys begin with of rows that say that the ends of own feeds are not known.
pub(crate) const UNSURE: &[u8] = b"unsure/";

/// A private row, read back.
#[derive(Debug)]
pub(crate) enum Row {
    Space(SpaceId, Bytes),
    Joining(SpaceId, Bytes),
    Stopped(FeedId, Head),
    Profile(SpaceId),
    Said(SpaceId, String),
    Unsure(SpaceId, Ends),
    Sessions(SpaceId, u64),
    Draft(SpaceId, u64, Bytes),
    Newcomer(SpaceId, InvitationId, DeviceId, Bytes),
    PreKeys(SpaceId, Bytes),
    Device(DeviceRow),
    Former(SpaceId, Former),
}

/// The pre-keys that came after the one a device joined with.
#[derive(Debug, Default)]
pub(crate) struct PreKey {
    /// Since when the newest of all is used, in milliseconds since 1970.
    pub(crate) since_ms: u64,
    /// The newest last.
    pub(crate) later: Vec<PreKeySecret>,
}

/// What is known of the devices of this identity.
#[derive(Debug)]
pub(crate) enum DeviceRow {
    Home(SpaceId),
    Link(InvitationKeyId, OpenLink),
    Named(DeviceId, bool, String),
    ShutOut(DeviceId),
    RemovedBy(DeviceId),
    Keys(SpaceId, Bytes),
}

/// A private row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// Its key or value is of no known form.
    #[error("a private row has no known form")]
    Unknown,
    /// It does not open under this device's key.
    #[error("a private row does not open under this device's key: store and key do not belong together")]
    Sealed,
}

pub(crate) fn space_key(space: &SpaceId) -> Bytes {
    [b"space/", space.as_bytes().as_slice()].concat().into()
}

pub(crate) fn pre_keys_key(space: &SpaceId) -> Bytes {
    [b"pre-keys/", space.as_bytes().as_slice()].concat().into()
}

pub(crate) fn joining_key(space: &SpaceId) -> Bytes {
    [b"joining/", space.as_bytes().as_slice()].concat().into()
}

pub(crate) fn newcomer_key(space: &SpaceId, invitation: &InvitationId, device: &DeviceId) -> Bytes {
    [b"newcomer/", space.as_bytes().as_slice(), invitation.as_bytes(), device.as_bytes()].concat().into()
}

pub(crate) fn stopped_key(feed: &FeedId) -> Bytes {
    [b"stopped/", feed.as_bytes().as_slice()].concat().into()
}

pub(crate) fn profile_key(space: &SpaceId) -> Bytes {
    [b"profile/", space.as_bytes().as_slice()].concat().into()
}

pub(crate) fn said_key(space: &SpaceId) -> Bytes {
    [b"said/", space.as_bytes().as_slice()].concat().into()
}

pub(crate) fn unsure_key(space: &SpaceId) -> Bytes {
    [UNSURE, space.as_bytes().as_slice()].concat().into()
}

pub(crate) fn former_key(space: &SpaceId) -> Bytes {
    [b"former/", space.as_bytes().as_slice()].concat().into()
}

pub(crate) fn draft_key(space: &SpaceId, number: u64) -> Bytes {
    [b"draft/", space.as_bytes().as_slice(), &number.to_be_bytes()].concat().into()
}

pub(crate) fn link_keys_key(space: &SpaceId) -> Bytes {
    [b"linking/", space.as_bytes().as_slice()].concat().into()
}

pub(crate) fn sessions_key(space: &SpaceId) -> Bytes {
    [b"sessions/", space.as_bytes().as_slice()].concat().into()
}

impl Row {
    pub(crate) fn decode(key: &[u8], value: &Bytes) -> Result<Row, RowError> {
        let place = key.iter().position(|byte| *byte == b'/').ok_or(RowError::Unknown)?;
        let (name, id) = (&key[..place], &key[place + 1..]);
        let space = || SpaceId::try_from(id).map_err(|_| RowError::Unknown);
        let device = || DeviceId::try_from(id).map_err(|_| RowError::Unknown);
        match name {
            b"space" => Ok(Row::Space(space()?, value.clone())),
            b"joining" => Ok(Row::Joining(space()?, value.clone())),
            b"pre-keys" => Ok(Row::PreKeys(space()?, value.clone())),
            b"profile" => Ok(Row::Profile(space()?)),
            b"said" => Ok(Row::Said(space()?, String::from_utf8_lossy(value).into_owned())),
            b"unsure" => Ok(Row::Unsure(space()?, Ends::decode(value).ok_or(RowError::Unknown)?)),
            b"former" => Ok(Row::Former(space()?, Former::decode(value).ok_or(RowError::Unknown)?)),
            b"sessions" => {
                let next = <[u8; 8]>::try_from(&value[..]).map_err(|_| RowError::Unknown)?;
                Ok(Row::Sessions(space()?, u64::from_le_bytes(next)))
            }
            b"draft" => {
                let (space, number) = id.split_last_chunk::<8>().ok_or(RowError::Unknown)?;
                let space = SpaceId::try_from(space).map_err(|_| RowError::Unknown)?;
                Ok(Row::Draft(space, u64::from_be_bytes(*number), value.clone()))
            }
            b"home" => Ok(Row::Device(DeviceRow::Home(space()?))),
            b"linking" => Ok(Row::Device(DeviceRow::Keys(space()?, value.clone()))),
            b"removed-by" => Ok(Row::Device(DeviceRow::RemovedBy(device()?))),
            b"shut-out" => Ok(Row::Device(DeviceRow::ShutOut(device()?))),
            b"device" => {
                let (linked, name) = value.split_first().ok_or(RowError::Unknown)?;
                let name = String::from_utf8_lossy(name).into_owned();
                Ok(Row::Device(DeviceRow::Named(device()?, *linked == 1, name)))
            }
            b"device-link" => {
                let key = InvitationKeyId::try_from(id).map_err(|_| RowError::Unknown)?;
                let (expires_ms, by) = value.split_first_chunk::<8>().ok_or(RowError::Unknown)?;
                let used_by = match by {
                    [] => None,
                    by => Some(DeviceId::try_from(by).map_err(|_| RowError::Unknown)?),
                };
                let link = OpenLink { expires_ms: u64::from_le_bytes(*expires_ms), used_by };
                Ok(Row::Device(DeviceRow::Link(key, link)))
            }
            b"newcomer" => {
                let (&[space, invitation, device], []) = id.as_chunks::<32>() else { return Err(RowError::Unknown) };
                let (space, invitation) = (SpaceId::from_bytes(space), InvitationId::from_bytes(invitation));
                Ok(Row::Newcomer(space, invitation, DeviceId::from_bytes(device), value.clone()))
            }
            b"stopped" => {
                let feed = FeedId::try_from(id).map_err(|_| RowError::Unknown)?;
                Ok(Row::Stopped(feed, Head::decode(value).map_err(|_| RowError::Unknown)?))
            }
            _ => Err(RowError::Unknown),
        }
    }
}

pub(crate) fn home_row(space: &SpaceId) -> Write {
    row([b"home/", space.as_bytes().as_slice()].concat(), Vec::new())
}

pub(crate) fn link_row(key: &InvitationKeyId, link: &OpenLink) -> Write {
    let mut value = link.expires_ms.to_le_bytes().to_vec();
    value.extend(link.used_by.iter().flat_map(|device| *device.as_bytes()));
    row([b"device-link/", key.as_bytes().as_slice()].concat(), value)
}

pub(crate) fn no_link_row(key: &InvitationKeyId) -> Write {
    Write::Local { key: [b"device-link/", key.as_bytes().as_slice()].concat().into(), value: None }
}

pub(crate) fn device_row(device: &DeviceId, linked: bool, name: &str) -> Write {
    let value = [&[u8::from(linked)], name.as_bytes()].concat();
    row([b"device/", device.as_bytes().as_slice()].concat(), value)
}

pub(crate) fn shut_out_row(device: &DeviceId) -> Write {
    row([b"shut-out/", device.as_bytes().as_slice()].concat(), Vec::new())
}

pub(crate) fn removed_by_row(device: &DeviceId) -> Write {
    row([b"removed-by/", device.as_bytes().as_slice()].concat(), Vec::new())
}

pub(crate) fn link_keys_row(space: &SpaceId, sealed: Option<Bytes>) -> Write {
    Write::Local { key: link_keys_key(space), value: sealed }
}

fn row(key: Vec<u8>, value: Vec<u8>) -> Write {
    Write::Local { key: key.into(), value: Some(value.into()) }
}

fn plain(keys: &SpaceKeys) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(SECRETS_BYTES + 8));
    for seed in [keys.control.seed(), keys.data.seed(), keys.pre_key.seed()] {
        plain.extend_from_slice(seed.as_slice());
    }
    plain
}

fn keys(plain: &[u8], generation: u64) -> Result<SpaceKeys, RowError> {
    let seed = |place: usize| -> Result<[u8; 32], RowError> {
        plain.get(place * 32..place * 32 + 32).and_then(|seed| seed.try_into().ok()).ok_or(RowError::Unknown)
    };
    Ok(SpaceKeys {
        control: FeedSecret::from_seed(seed(0)?),
        data: FeedSecret::from_seed(seed(1)?),
        pre_key: PreKeySecret::from_seed(seed(2)?),
        generation,
    })
}

/// Seals the keys of this device in a space.
pub(crate) fn seal_keys(device: &DeviceKey, space_keys: &SpaceKeys, random: [u8; 16]) -> Bytes {
    let mut row = plain(space_keys);
    // Older versions know the first generation only, and no number.
    if space_keys.generation > 0 {
        row.extend_from_slice(&space_keys.generation.to_le_bytes());
    }
    seal_local(&device.at_rest_key(), KEYS, random, &row).into()
}

/// Opens them.
pub(crate) fn open_keys(device: &DeviceKey, value: &[u8]) -> Result<SpaceKeys, RowError> {
    let plain = open_local(&device.at_rest_key(), KEYS, value).map_err(|_| RowError::Sealed)?;
    let generation = match plain.get(SECRETS_BYTES..).unwrap_or_default() {
        [] => 0,
        generation => u64::from_le_bytes(generation.try_into().map_err(|_| RowError::Unknown)?),
    };
    keys(&plain, generation)
}

/// Seals the pre-keys after the first.
pub(crate) fn seal_pre_keys(device: &DeviceKey, keys: &PreKey, random: [u8; 16]) -> Bytes {
    let mut plain = Zeroizing::new(keys.since_ms.to_le_bytes().to_vec());
    for key in &keys.later {
        plain.extend_from_slice(key.seed().as_slice());
    }
    seal_local(&device.at_rest_key(), PRE_KEYS, random, &plain).into()
}

/// Opens them.
pub(crate) fn open_pre_keys(device: &DeviceKey, value: &[u8]) -> Result<PreKey, RowError> {
    let plain = open_local(&device.at_rest_key(), PRE_KEYS, value).map_err(|_| RowError::Sealed)?;
    let (since_ms, seeds) = plain.split_first_chunk::<8>().ok_or(RowError::Unknown)?;
    let (seeds, []) = seeds.as_chunks::<32>() else { return Err(RowError::Unknown) };
    let later = seeds.iter().map(|seed| PreKeySecret::from_seed(*seed)).collect();
    Ok(PreKey { since_ms: u64::from_le_bytes(*since_ms), later })
}

/// Seals keys and redemption of a newcomer.
pub(crate) fn seal_joining(device: &DeviceKey, space_keys: &SpaceKeys, redemption: &[u8], random: [u8; 16]) -> Bytes {
    let mut row = plain(space_keys);
    row.extend_from_slice(redemption);
    seal_local(&device.at_rest_key(), JOINING, random, &row).into()
}

/// Opens them; of which generation they are, the redemption says.
pub(crate) fn open_joining(device: &DeviceKey, value: &[u8]) -> Result<(SpaceKeys, Bytes), RowError> {
    let plain = open_local(&device.at_rest_key(), JOINING, value).map_err(|_| RowError::Sealed)?;
    let redemption = Bytes::copy_from_slice(plain.get(SECRETS_BYTES..).ok_or(RowError::Unknown)?);
    let joining = Redemption::decode(&redemption).map_err(|_| RowError::Unknown)?;
    Ok((keys(&plain, joining.statement().control.manifest().generation)?, redemption))
}

/// Seals a draft.
pub(crate) fn seal_draft(device: &DeviceKey, content: &[u8], random: [u8; 16]) -> Bytes {
    seal_local(&device.at_rest_key(), DRAFT, random, content).into()
}

/// Opens one.
pub(crate) fn open_draft(device: &DeviceKey, value: &[u8]) -> Result<Bytes, RowError> {
    let content = open_local(&device.at_rest_key(), DRAFT, value).map_err(|_| RowError::Sealed)?;
    Ok(Bytes::copy_from_slice(&content))
}
