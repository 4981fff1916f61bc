//! A device of this identity is removed: here, in every space, and in those that come later.
//!
//! What was asked for is kept, and carried out wherever this device may. What a sibling removed at home is carried on too. Spec: PEER-15.3

use weft_crypto::{DeviceId, SpaceId};

use crate::{
    command::{Answer, Refusal, RefusalKind},
    io::{Ask, Output},
    links::acts,
    local,
    outbox::Purpose,
    peer::Peer,
    store::Batch,
};

impl Peer {
    pub(crate) fn remove_my_device(&mut self, ask: Ask, device: DeviceId) -> Result<(), Refusal> {
        if device == self.me.device.id() {
            let message = "this is the device that you are at";
            let hint = "remove it from another device of yours";
            return Err(Refusal::new(RefusalKind::Refused, "own_device", message, hint));
        }
        let mine = |room: &crate::room::Room| {
            room.membership.resolution().device(&device).is_some_and(|status| status.identity == self.me.identity)
        };
        if !self.devices.linked.contains(&device) && !self.rooms.values().any(mine) {
            let message = format!("{device} is no device of this identity");
            let hint = "`weft device list` lists them";
            return Err(Refusal::new(RefusalKind::NotFound, "unknown_device", message, hint));
        }
        self.devices.shut_out.insert(device);
        let writes = vec![local::shut_out_row(&device)];
        self.outbox.persist(Purpose::DeviceRemoved(ask, device), Batch { writes, durable: true });
        Ok(())
    }

    /// That it was asked for is durable: it is done.
    pub(crate) fn device_shut_out(&mut self, ask: Ask, device: DeviceId) {
        let spaces: Vec<SpaceId> = self.rooms.keys().copied().collect();
        let mut done = Vec::new();
        for space in spaces {
            if let Some(result) = self.carry_removal(space, device) {
                done.push((space, result.err()));
            }
        }
        self.outbox.push(Output::Answer { ask, result: Ok(Answer::MyDeviceRemoved(done)) });
        self.devices.judge = true;
    }

    /// Removes from every space what was removed at home or is to be removed everywhere, where this device may.
    pub(crate) fn carry_removals(&mut self) {
        let Some(home) = self.devices.home.and_then(|home| self.rooms.get(&home)) else { return };
        let at_home = home.membership.resolution();
        let mut pending = Vec::new();
        for room in self.rooms.values() {
            let member = room.membership.resolution().member(&self.me.identity);
            let gone =
                |device: &DeviceId| self.devices.shut_out.contains(device) || at_home.was_removed_by_its_own(device);
            let devices = member.into_iter().flat_map(|member| member.devices).filter(gone);
            pending.extend(devices.map(|device| (room.space, device)));
        }
        for (space, device) in pending {
            // Where it may not, an earlier device of the identity or an admin has to.
            let _ = self.carry_removal(space, device);
        }
    }

    /// Removes a device from one space; none when it is not there, or the removal is on its way.
    fn carry_removal(&mut self, space: SpaceId, device: DeviceId) -> Option<Result<(), Refusal>> {
        let me = self.me.identity;
        let room = self.rooms.get_mut(&space)?;
        let status = room.membership.resolution().device(&device)?;
        if status.identity != me || room.carried.contains(&device) {
            return None;
        }
        let written = acts::carry(room, device, &mut self.draws);
        if written.is_ok() {
            room.carried.insert(device);
            self.busy_rooms.insert(space);
        }
        Some(written)
    }
}
