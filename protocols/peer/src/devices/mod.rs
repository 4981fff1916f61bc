//! The other devices of this identity: who they are, and that each gets the spaces of all.
//!
//! The identity's *home* is a space in which nobody but its devices is. A device is a sibling if it is a current one there, and
//! for no other reason: whatever a space of somebody else's making says, it lets nobody into another one. Home is made with the
//! first link. Spec: PEER-15

mod hosting;
mod linking;
mod removing;
pub(crate) mod status;
mod visiting;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use weft_crypto::{DeviceId, InvitationKeyId, SpaceId};
use weft_machine::Time;

use self::{hosting::Hostings, linking::Linking, status::DeviceInfo, visiting::Visits};
use crate::{
    command::{Answer, Refusal},
    io::{Ask, Output, StreamId},
    local,
    outbox::Purpose,
    peer::Peer,
    store::{Batch, Write},
};

/// A device is visited again after so long, when it would not have this one. A guess: it may learn of it meanwhile.
const AGAIN: Duration = Duration::from_secs(5);

/// How long a device that was removed may take to hear so, before its connection ends. A guess: it asks at once.
const FAREWELL: Duration = Duration::from_secs(5);

/// A link that this device made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenLink {
    /// When it is accepted no more, in milliseconds since 1970.
    pub(crate) expires_ms: u64,
    pub(crate) used_by: Option<DeviceId>,
}

/// What is known of the other devices, and what goes on with them.
#[derive(Default)]
pub(crate) struct Devices {
    pub(crate) home: Option<SpaceId>,
    /// Membership or connections changed: who is a sibling is judged again when all else is settled.
    pub(crate) judge: bool,
    links: BTreeMap<InvitationKeyId, OpenLink>,
    /// What devices call themselves; this one too.
    names: BTreeMap<DeviceId, String>,
    /// Who used a link of this device: siblings as long as home has not heard of them.
    linked: BTreeSet<DeviceId>,
    /// Whom this device was told to remove: no siblings, whatever home says.
    shut_out: BTreeSet<DeviceId>,
    /// The device by which this one was removed.
    pub(crate) removed_by: Option<DeviceId>,
    /// Until when connected devices that were removed may hear so.
    farewells: BTreeMap<DeviceId, Time>,
    /// Keys for spaces that a sibling was asked for, sealed.
    keys: BTreeMap<SpaceId, Bytes>,
    /// Spaces that home is made for: who asked for a link, and what for.
    wanted: Vec<(Ask, linking::Request)>,
    linking: Linking,
    hostings: Hostings,
    visits: Visits,
}

impl Devices {
    pub(crate) fn remember(&mut self, row: local::DeviceRow) {
        match row {
            local::DeviceRow::Home(space) => self.home = Some(space),
            local::DeviceRow::Link(key, link) => drop(self.links.insert(key, link)),
            local::DeviceRow::Named(device, linked, name) => {
                if linked {
                    self.linked.insert(device);
                }
                self.names.insert(device, name);
            }
            local::DeviceRow::RemovedBy(device) => self.removed_by = Some(device),
            local::DeviceRow::ShutOut(device) => drop(self.shut_out.insert(device)),
            local::DeviceRow::Keys(space, sealed) => drop(self.keys.insert(space, sealed)),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let farewell = self.farewells.values().min().copied();
        let others = [self.linking.deadline(), self.hostings.deadline(), self.visits.deadline()];
        others.into_iter().chain([farewell]).flatten().min()
    }
}

impl Peer {
    /// A device that was linked, and has not entered home yet, looks for the one that linked it. Spec: PEER-15.1
    pub(crate) fn seek_home(&mut self) {
        if let Some(by) = self.me.linked_by.clone() {
            self.devices.home.get_or_insert(by.home);
            if !self.rooms.contains_key(&by.home) {
                self.outbox.push(Output::Dial { device: by.host, addresses: by.addresses });
            }
        }
    }

    /// Whether a device is one of this identity's, as far as home says. Spec: PEER-15
    pub(crate) fn is_sibling(&self, device: &DeviceId) -> bool {
        let Some(home) = self.devices.home else { return false };
        let is_out = self.devices.removed_by.is_some() || self.devices.shut_out.contains(device);
        if is_out || *device == self.me.device.id() {
            return false;
        }
        let Some(room) = self.rooms.get(&home) else {
            // Home is what this device asks for first, from the one that linked it.
            return self.me.linked_by.as_ref().is_some_and(|by| by.host == *device);
        };
        let resolution = room.membership.resolution();
        match resolution.device(device) {
            Some(status) => status.identity == self.me.identity,
            None => !resolution.had_device(device) && self.devices.linked.contains(device),
        }
    }

    /// Whether a device was a sibling and is one no more by the identity's own doing. Spec: PEER-15.3
    fn was_sibling(&self, device: &DeviceId) -> bool {
        let home = self.devices.home.and_then(|home| self.rooms.get(&home));
        let at_home = home.is_some_and(|home| home.membership.resolution().was_removed_by_its_own(device));
        at_home || self.devices.shut_out.contains(device)
    }

    /// A connected device that was removed has a moment to hear so.
    pub(crate) fn maybe_farewell(&mut self, device: DeviceId) {
        if self.was_sibling(&device) {
            self.devices.farewells.insert(device, self.now + FAREWELL);
        }
    }

    /// Membership or connections changed: siblings are visited, those that are none any more are shut out, and what was removed in one
    /// space is removed in the others. Spec: PEER-15.2
    pub(crate) fn judge_siblings(&mut self) {
        self.carry_removals();
        let connected: Vec<DeviceId> = self.neighbours.keys().copied().collect();
        for device in connected {
            if self.is_sibling(&device) {
                self.visit(device);
            } else {
                self.turn_away(&device);
            }
            if self.is_ousted(&device) {
                self.end(device, "the device was removed".into());
            }
        }
        self.tell_siblings();
    }

    /// Whether a device was removed from a space here and nothing goes on with it any more.
    fn is_ousted(&self, device: &DeviceId) -> bool {
        let idle = self.neighbours.get(device).is_some_and(|neighbour| neighbour.open.is_empty());
        let hears = self.devices.farewells.contains_key(device);
        let asks = self.streams.values().any(|(at, protocol)| at == device && protocol.is_for_newcomers());
        let mut resolutions = self.rooms.values().map(|room| room.membership.resolution());
        let removed = resolutions.clone().any(|resolution| resolution.was_removed(device));
        idle && !hears && !asks && removed && resolutions.all(|resolution| resolution.device(device).is_none())
    }

    /// What this device calls itself among its siblings.
    fn own_name(&self) -> String {
        self.devices.names.get(&self.me.device.id()).unwrap_or(&self.me.called).clone()
    }

    /// A sibling says what it is called.
    fn is_called(&mut self, device: DeviceId, name: String) {
        if self.devices.names.get(&device) != Some(&name) {
            let linked = self.devices.linked.contains(&device);
            let row = local::device_row(&device, linked, &name);
            self.devices.names.insert(device, name);
            self.outbox.persist(Purpose::Devices, Batch { writes: vec![row], durable: false });
        }
    }

    pub(crate) fn name_device(&mut self, ask: Ask, name: String) -> Result<(), Refusal> {
        crate::commands::name_fits(&name)?;
        let device = self.me.device.id();
        let row: Write = local::device_row(&device, false, &name);
        self.devices.names.insert(device, name);
        self.outbox.persist(Purpose::DeviceAsk(ask), Batch { writes: vec![row], durable: true });
        self.visit_all_again();
        Ok(())
    }

    /// Everybody who is or was a device of this identity, as far as is known here.
    pub(crate) fn device_list(&self, ask: Ask) -> Output {
        let me = self.me.device.id();
        let mut devices = BTreeSet::from([me]);
        devices.extend(self.devices.linked.iter().chain(&self.devices.shut_out));
        for room in self.rooms.values() {
            let member = room.membership.resolution().member(&self.me.identity);
            devices.extend(member.into_iter().flat_map(|member| member.devices));
        }
        let info = |device: DeviceId| {
            let current = |room: &&crate::room::Room| room.membership.resolution().device(&device).is_some();
            let spaces = self.rooms.values().filter(current).map(|room| room.space);
            DeviceInfo {
                device,
                name: if device == me { Some(self.own_name()) } else { self.devices.names.get(&device).cloned() },
                me: device == me,
                sibling: self.is_sibling(&device),
                connected: self.neighbours.contains_key(&device),
                removed: self.devices.shut_out.contains(&device) || device == me && self.devices.removed_by.is_some(),
                spaces: spaces.filter(|space| Some(*space) != self.devices.home).collect(),
                lacking: self.lacking(&device),
            }
        };
        Output::Answer { ask, result: Ok(Answer::Devices(devices.into_iter().map(info).collect())) }
    }

    pub(crate) fn devices_wake(&mut self) {
        self.linking_wake();
        self.hostings_wake();
        self.visits_wake();
        self.farewells_wake();
    }

    // ---- streams ---------------------------------------------------------------------------------------------------

    pub(crate) fn device_stream(&mut self, stream: StreamId, device: DeviceId, opener: bool) -> bool {
        if opener {
            self.linking_stream(stream, device) || self.visit_stream(stream, device)
        } else {
            self.hosting_stream(stream, device)
        }
    }

    pub(crate) fn device_received(&mut self, stream: StreamId, device: DeviceId, frame: Bytes) {
        if !self.linking_received(stream, &frame) && !self.visit_received(device, stream, frame.clone()) {
            self.hosting_received(stream, frame);
        }
    }

    pub(crate) fn device_stream_closed(&mut self, stream: StreamId, device: DeviceId) {
        self.linking_closed(stream);
        self.visit_closed(device, stream);
        self.hosting_closed(stream);
    }
}
