//! Deleting: a space goes from this device, and from nobody else's.
//!
//! What is left of it is one row: which feeds this device may open if it is ever let in again, and whether it can be at all. Its
//! doors are shut before anything is deleted, and the application hears of it when it is durable. Spec: PEER-17

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::{DeviceId, SpaceId};

use crate::{
    command::{Answer, Refusal, RefusalKind},
    commands::not_stored,
    event::Event,
    io::{Ask, Output},
    local,
    outbox::Purpose,
    peer::Peer,
    room::Room,
    store::{Batch, Write},
};

/// What a device knows of a space that it has deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    /// The generation of the feeds that it would open there next.
    pub(crate) generation: u64,
    /// Whether it was removed from there, or has left: the same device is never let in again. Spec: SPACE-11.6
    pub(crate) ended: bool,
}

impl Former {
    pub(crate) fn decode(value: &[u8]) -> Option<Former> {
        let (generation, ended) = value.split_first_chunk::<8>()?;
        let [ended @ (0 | 1)] = ended else { return None };
        Some(Former { generation: u64::from_le_bytes(*generation), ended: *ended == 1 })
    }

    fn encode(self) -> Bytes {
        [self.generation.to_le_bytes().as_slice(), &[u8::from(self.ended)]].concat().into()
    }
}

/// Spaces that were deleted here, and those on their way out.
#[derive(Default)]
pub(crate) struct Deleted {
    pub(crate) former: BTreeMap<SpaceId, Former>,
    under_way: BTreeMap<SpaceId, Ask>,
}

impl Peer {
    /// Deletes what is held of a space. Spec: PEER-17
    pub(crate) fn delete_space(&mut self, ask: Ask, space: SpaceId) -> Result<(), Refusal> {
        let home = self.devices.home;
        let room = self.room(&space)?;
        if home == Some(space) {
            let message = "in this space the devices of this identity know each other";
            return Err(Refusal::new(RefusalKind::Refused, "home", message, "`weft device list` lists them"));
        }
        if room.is_writing() {
            let message = "something is being written in the space just now";
            return Err(Refusal::new(RefusalKind::Failed, "busy", message, "try again in a moment"));
        }
        // What goes on over a door stands on the room.
        let open = self.neighbours.iter().filter(|(_, neighbour)| neighbour.open.contains_key(&space));
        for device in open.map(|(device, _)| *device).collect::<Vec<DeviceId>>() {
            self.end(device, "a space was deleted here".into());
        }
        let mut room = self.rooms.remove(&space).expect("just found");
        self.judge_doors();
        for ask in room.readers_and_waiters() {
            self.outbox.push(Output::Answer { ask, result: Err(deleted(&space)) });
        }
        self.level.remove(&space);
        self.joins.forget(&space);
        let former = former(&room);
        self.deleted.former.insert(space, former);
        self.deleted.under_way.insert(space, ask);
        let mut writes: Vec<Write> =
            room.private_rows().into_iter().map(|key| Write::Local { key, value: None }).collect();
        writes.push(Write::DropSpace { space });
        writes.push(Write::Local { key: local::former_key(&space), value: Some(former.encode()) });
        self.outbox.persist(Purpose::Delete(space), Batch { writes, durable: true });
        Ok(())
    }

    /// Nothing of the space is on the disk any more.
    pub(crate) fn space_deleted(&mut self, space: SpaceId) {
        if let Some(ask) = self.deleted.under_way.remove(&space) {
            self.outbox.event(Event::SpaceRemoved { space });
            self.outbox.push(Output::Answer { ask, result: Ok(Answer::SpaceDeleted) });
        }
    }

    /// It is all there still, and is opened again with the next start.
    pub(crate) fn space_not_deleted(&mut self, space: SpaceId, reason: &str) {
        self.deleted.former.remove(&space);
        if let Some(ask) = self.deleted.under_way.remove(&space) {
            let refusal = Refusal {
                hint: "make room on the disk, start the node again and try again".into(),
                ..not_stored(reason)
            };
            self.outbox.push(Output::Answer { ask, result: Err(refusal) });
        }
    }

    /// With which generation of feeds this device would come back into a space, if it can.
    pub(crate) fn next_generation(&self, space: &SpaceId) -> Result<u64, Refusal> {
        if self.deleted.under_way.contains_key(space) {
            let message = "the space is being deleted just now";
            return Err(Refusal::new(RefusalKind::Failed, "busy", message, "try again in a moment"));
        }
        match self.deleted.former.get(space) {
            Some(Former { ended: true, .. }) => {
                let message =
                    "this device has left the space or was removed from it, and a device that is gone never comes back";
                let hint = "join with another device: `weft device link` makes one yours";
                Err(Refusal::new(RefusalKind::Refused, "device_ended", message, hint))
            }
            former => Ok(former.map_or(0, |former| former.generation)),
        }
    }
}

fn former(room: &Room) -> Former {
    let resolution = room.membership.resolution();
    let ended = resolution.device(&room.me.device.id()).is_none();
    let generation = room.ledger.get(&room.control.feed).expect("own feeds are known").manifest.generation;
    Former { generation: generation.saturating_add(1), ended }
}

fn deleted(space: &SpaceId) -> Refusal {
    let message = format!("the space {space} was deleted meanwhile");
    Refusal::new(RefusalKind::NotFound, "unknown_space", message, "`weft space list` lists the spaces of this node")
}
