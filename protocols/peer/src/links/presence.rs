//! Application → sessions → application: what documents tell each other of themselves. Nothing of it is kept.
//!
//! It goes to the devices whose door is open, one hop and no further, sealed under the content secret of the newest epoch: a
//! keeper, which may open the door and read no body, reads no cursor either.
//!
//! Spec: PEER-9

use bytes::Bytes;
use weft_crypto::{Context, DeviceId, EpochId, ObjectId, SpaceId, hash::Part, seal::BoxKeys};

use crate::room::Room;

/// What one document may say of itself, in bytes.
pub(crate) const STATE_BYTES_MAX: usize = 1_024;

/// What a document says, opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) object: ObjectId,
    pub(crate) session: u64,
    pub(crate) state: Bytes,
}

impl Said {
    fn encode(&self) -> Vec<u8> {
        [self.object.as_bytes().as_slice(), &self.session.to_le_bytes(), &self.state].concat()
    }

    fn decode(plain: &Bytes) -> Option<Said> {
        let (object, rest) = plain.split_first_chunk::<32>()?;
        let (session, state) = rest.split_first_chunk::<8>()?;
        let state = (state.len() <= STATE_BYTES_MAX).then(|| plain.slice(40..))?;
        Some(Said { object: ObjectId::from_bytes(*object), session: u64::from_le_bytes(*session), state })
    }
}

/// Seals what a document of this device says, under the epoch that is written under now.
pub(crate) fn seal(room: &Room, random: [u8; 16], said: &Said) -> Option<(EpochId, Bytes)> {
    let epoch = room.epoch?;
    let keys = keys(room, &epoch, &room.me.device.id())?;
    Some((epoch, keys.seal(b"", random, &said.encode()).into()))
}

/// Opens what `device` has sent. None: not sealed by it under an epoch that is held here, or nothing that a document says.
pub(crate) fn open(room: &Room, device: &DeviceId, epoch: &[u8], sealed: &[u8]) -> Option<Said> {
    let epoch = EpochId::try_from(epoch).ok()?;
    Said::decode(&keys(room, &epoch, device)?.open(b"", sealed).ok()?)
}

fn keys(room: &Room, epoch: &EpochId, device: &DeviceId) -> Option<BoxKeys> {
    let space: &SpaceId = &room.space;
    let ids = [space.as_bytes(), epoch.as_bytes(), device.as_bytes()];
    Some(BoxKeys::derive(Context::PRESENCE, room.keys.content(epoch)?, &ids.map(|id| Part::Fixed(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_and_anything_else_is_nothing() {
        let said = |state: usize| {
            let state = Bytes::from(vec![b'x'; state]);
            Said { object: ObjectId::from_bytes([7; 32]), session: 3, state }
        };
        for state in [0, 1, STATE_BYTES_MAX] {
            assert_eq!(Said::decode(&said(state).encode().into()), Some(said(state)));
        }
        assert_eq!(Said::decode(&said(STATE_BYTES_MAX + 1).encode().into()), None);
        assert_eq!(Said::decode(&Bytes::from_static(&[0; 39])), None);
    }
}
