//! Private rows: what only this node knows, sealed under its device key where it is secret.
//!
//! | key | value |
//! | --- | --- |
//! | `space/` space id | the device's keys in the space, sealed |
//! | `joining/` space id | a redemption that was not answered yet, and the keys in it, sealed |
//! | `stopped/` feed id | the head that contradicts what is held |
//! | `profile/` space id | this member has said its name in the space |
//! | `sessions/` space id | the number of the next session of this device's data feed, 8 bytes little endian |
//! | `said/` space id | what the link said that the space is called |
//! | `draft/` space id, number of 8 bytes big endian | what an application wants written when the ends are known, sealed |
//! | `unsure/` space id | where own feeds end is not known: at least how many entries control and data feed had, and how many other devices had feeds; 8 bytes little endian each |

use bytes::Bytes;
use weft_crypto::{
    DeviceKey, FeedId, FeedSecret, Head, PreKeySecret, SpaceId,
    seal::{open_local, seal_local},
};
use weft_space::compose::SpaceKeys;
use zeroize::Zeroizing;

use crate::store::Ends;

/// Says what a sealed row is for, so that one cannot stand for another.
const KEYS: &str = "space keys";
const JOINING: &str = "joining";
const DRAFT: &str = "draft";
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

pub(crate) fn joining_key(space: &SpaceId) -> Bytes {
    [b"joining/", space.as_bytes().as_slice()].concat().into()
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

pub(crate) fn draft_key(space: &SpaceId, number: u64) -> Bytes {
    [b"draft/", space.as_bytes().as_slice(), &number.to_be_bytes()].concat().into()
}

pub(crate) fn sessions_key(space: &SpaceId) -> Bytes {
    [b"sessions/", space.as_bytes().as_slice()].concat().into()
}

impl Row {
    pub(crate) fn decode(key: &[u8], value: &Bytes) -> Result<Row, RowError> {
        let place = key.iter().position(|byte| *byte == b'/').ok_or(RowError::Unknown)?;
        let (name, id) = (&key[..place], &key[place + 1..]);
        let space = || SpaceId::try_from(id).map_err(|_| RowError::Unknown);
        match name {
            b"space" => Ok(Row::Space(space()?, value.clone())),
            b"joining" => Ok(Row::Joining(space()?, value.clone())),
            b"profile" => Ok(Row::Profile(space()?)),
            b"said" => Ok(Row::Said(space()?, String::from_utf8_lossy(value).into_owned())),
            b"unsure" => Ok(Row::Unsure(space()?, Ends::decode(value).ok_or(RowError::Unknown)?)),
            b"sessions" => {
                let next = <[u8; 8]>::try_from(&value[..]).map_err(|_| RowError::Unknown)?;
                Ok(Row::Sessions(space()?, u64::from_le_bytes(next)))
            }
            b"draft" => {
                let (space, number) = id.split_last_chunk::<8>().ok_or(RowError::Unknown)?;
                let space = SpaceId::try_from(space).map_err(|_| RowError::Unknown)?;
                Ok(Row::Draft(space, u64::from_be_bytes(*number), value.clone()))
            }
            b"stopped" => {
                let feed = FeedId::try_from(id).map_err(|_| RowError::Unknown)?;
                Ok(Row::Stopped(feed, Head::decode(value).map_err(|_| RowError::Unknown)?))
            }
            _ => Err(RowError::Unknown),
        }
    }
}

fn plain(keys: &SpaceKeys) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(SECRETS_BYTES));
    for seed in [keys.control.seed(), keys.data.seed(), keys.pre_key.seed()] {
        plain.extend_from_slice(seed.as_slice());
    }
    plain
}

fn keys(plain: &[u8]) -> Result<SpaceKeys, RowError> {
    let seed = |place: usize| -> Result<[u8; 32], RowError> {
        plain.get(place * 32..place * 32 + 32).and_then(|seed| seed.try_into().ok()).ok_or(RowError::Unknown)
    };
    Ok(SpaceKeys {
        control: FeedSecret::from_seed(seed(0)?),
        data: FeedSecret::from_seed(seed(1)?),
        pre_key: PreKeySecret::from_seed(seed(2)?),
    })
}

/// Seals the keys of this device in a space.
pub(crate) fn seal_keys(device: &DeviceKey, space_keys: &SpaceKeys, random: [u8; 16]) -> Bytes {
    seal_local(&device.at_rest_key(), KEYS, random, &plain(space_keys)).into()
}

/// Opens them.
pub(crate) fn open_keys(device: &DeviceKey, value: &[u8]) -> Result<SpaceKeys, RowError> {
    keys(&open_local(&device.at_rest_key(), KEYS, value).map_err(|_| RowError::Sealed)?)
}

/// Seals keys and redemption of a newcomer.
pub(crate) fn seal_joining(device: &DeviceKey, space_keys: &SpaceKeys, redemption: &[u8], random: [u8; 16]) -> Bytes {
    let mut row = plain(space_keys);
    row.extend_from_slice(redemption);
    seal_local(&device.at_rest_key(), JOINING, random, &row).into()
}

/// Opens them.
pub(crate) fn open_joining(device: &DeviceKey, value: &[u8]) -> Result<(SpaceKeys, Bytes), RowError> {
    let plain = open_local(&device.at_rest_key(), JOINING, value).map_err(|_| RowError::Sealed)?;
    let redemption = plain.get(SECRETS_BYTES..).ok_or(RowError::Unknown)?;
    Ok((keys(&plain)?, Bytes::copy_from_slice(redemption)))
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
