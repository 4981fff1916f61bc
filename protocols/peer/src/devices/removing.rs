//! A device of this identity is removed: here, in every space, and in those that come later.
//!
//! What was asked for is kept, and carried out wherever this device may. What a sibling removed at home is carried on too. Spec: PEER-15.3

use weft_crypto::{DeviceId, SpaceId};

use super::status::DeviceRemoval;
use crate::{
    command::{Answer, Refusal, RefusalKind},
    io::{Ask, Output},
    links::acts,
    local,
    outbox::Purpose,
    peer::Peer,
    room::Room,
    store::Batch,
};

impl Peer {
    /// What the removal would do: in each space it is put on top of what is known there.
    pub(crate) fn foresee_my_device_removal(&self, device: DeviceId) -> Result<DeviceRemoval, Refusal> {
        self.may_be_removed(&device)?;
        let mut removal = DeviceRemoval::default();
        for room in self.rooms.values().filter(|room| self.is_mine_in(room, &device)) {
            let stays = acts::foresee_carrying(room, device).err().map(|refusal| self.outranked(&device, refusal));
            self.note(&mut removal, room.space, stays);
        }
        Ok(removal)
    }

    pub(crate) fn remove_my_device(&mut self, ask: Ask, device: DeviceId) -> Result<(), Refusal> {
        self.may_be_removed(&device)?;
        self.devices.shut_out.insert(device);
        let writes = vec![local::shut_out_row(&device)];
        self.outbox.persist(Purpose::DeviceRemoved(ask, device), Batch { writes, durable: true });
        Ok(())
    }

    /// A sibling says that this device was removed. It is believed if it could do that itself: from then on nothing is written here, for
    /// nobody would take it. Spec: PEER-15.4
    pub(super) fn was_told_removed(&mut self, by: DeviceId) {
        self.visit_later(by);
        let could = match self.devices.home.and_then(|home| self.rooms.get(&home)) {
            Some(home) => acts::may_remove_this(home, &by),
            None => self.is_sibling(&by),
        };
        if could && self.devices.removed_by.is_none() {
            self.devices.removed_by = Some(by);
            self.rooms.values_mut().for_each(|room| room.is_ousted = true);
            let writes = vec![local::removed_by_row(&by)];
            self.outbox.persist(Purpose::Devices, Batch { writes, durable: true });
        }
    }

    /// Why this device begins nothing any more, if it was removed.
    pub(crate) fn may_begin(&self) -> Result<(), Refusal> {
        self.devices.removed_by.map_or(Ok(()), |_| Err(acts::this_device_removed()))
    }

    fn may_be_removed(&self, device: &DeviceId) -> Result<(), Refusal> {
        if *device == self.me.device.id() {
            let message = "this is the device that you are at";
            let hint = "remove it from another device of yours";
            return Err(Refusal::new(RefusalKind::Refused, "own_device", message, hint));
        }
        if !self.devices.linked.contains(device) && !self.rooms.values().any(|room| self.is_mine_in(room, device)) {
            let message = format!("{device} is no device of this identity");
            let hint = "`weft device list` lists them";
            return Err(Refusal::new(RefusalKind::NotFound, "unknown_device", message, hint));
        }
        Ok(())
    }

    fn is_mine_in(&self, room: &Room, device: &DeviceId) -> bool {
        let status = room.membership.resolution().device(device);
        status.is_some_and(|status| status.identity == self.me.identity)
    }

    /// That it was asked for is durable: it is done.
    pub(crate) fn device_shut_out(&mut self, ask: Ask, device: DeviceId) {
        let spaces: Vec<SpaceId> = self.rooms.keys().copied().collect();
        let mut removal = DeviceRemoval::default();
        for space in spaces {
            if let Some(result) = self.carry_removal(space, device) {
                let stays = result.err().map(|refusal| self.outranked(&device, refusal));
                self.note(&mut removal, space, stays);
            }
        }
        self.outbox.push(Output::Answer { ask, result: Ok(Answer::MyDeviceRemoved(removal)) });
        self.devices.judge = true;
    }

    /// Home is no space that anybody knows of.
    fn note(&self, removal: &mut DeviceRemoval, space: SpaceId, stays: Option<Refusal>) {
        match self.devices.home == Some(space) {
            true => removal.stays = stays,
            false => removal.spaces.push((space, stays)),
        }
    }

    /// Of one's own devices the earlier one outranks the later, and nobody votes about them. Spec: SPACE-11.4
    fn outranked(&self, device: &DeviceId, refusal: Refusal) -> Refusal {
        if refusal.code != "outranked" {
            return refusal;
        }
        let name = self.devices.names.get(device).map_or_else(|| "that device".to_owned(), |name| format!("`{name}`"));
        let message =
            format!("{name} was a device of yours before this one, and a later device does not remove an earlier one");
        let hint = "an earlier device of yours can; the recovery phrase will be able to, which no command can yet. In a space, its owners \
                    and admins can";
        Refusal::new(RefusalKind::Refused, "earlier_device", message, hint)
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
        let room = self.rooms.get(&space)?;
        if !self.is_mine_in(room, &device) || room.carried.contains(&device) {
            return None;
        }
        let room = self.rooms.get_mut(&space)?;
        let written = acts::carry(room, device, &mut self.draws);
        if written.is_ok() {
            room.carried.insert(device);
            self.busy_rooms.insert(space);
        }
        Some(written)
    }
}
