//! Device streams at the one that is asked: newcomers with a link, and siblings that want to be let into spaces.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_credential::DeviceLinked;
use weft_crypto::{DeviceId, SpaceId};
use weft_invitation::{
    Reason,
    device::{Host, HostInput, HostOutput},
};
use weft_machine::{Machine as _, Seed, Time};
use weft_replication::{ReadError, StoredRange};

use super::FAREWELL;
use crate::{
    event::Event,
    host::{Gathering, PART_BYTES},
    io::{Output, StreamId},
    links::devices::{self, LetIn},
    outbox::Purpose,
    peer::Peer,
};

/// Streams at once: as many as an identity has devices, and as many newcomers.
const HOSTINGS_MAX: usize = 64;

/// A device on its stream.
struct Hosting {
    device: DeviceId,
    host: Host,
    /// What it was told of, once it has shown itself as a sibling.
    told: Option<Vec<SpaceId>>,
    /// The space that it is let into.
    space: Option<SpaceId>,
    gathering: Option<Gathering>,
}

#[derive(Default)]
pub(super) struct Hostings(BTreeMap<StreamId, Hosting>);

impl Hostings {
    pub(super) fn deadline(&self) -> Option<Time> {
        self.0.values().filter_map(|hosting| hosting.host.deadline()).min()
    }
}

impl Peer {
    pub(super) fn hosting_stream(&mut self, stream: StreamId, device: DeviceId) -> bool {
        let hostings = &mut self.devices.hostings.0;
        if hostings.len() >= HOSTINGS_MAX || hostings.values().any(|hosting| hosting.device == device) {
            return false;
        }
        let seed = Seed::from_bytes(self.draws.draw32());
        let (config, identity, me) = (weft_invitation::Config::default(), self.me.identity, self.me.device.id());
        let host = Host::new(config, identity, me, device, self.now, &seed);
        hostings.insert(stream, Hosting { device, host, told: None, space: None, gathering: None });
        true
    }

    pub(super) fn hosting_closed(&mut self, stream: StreamId) {
        if let Some(hosting) = self.devices.hostings.0.remove(&stream) {
            // One that was removed has heard all that there was to hear for it.
            self.devices.judge |= self.devices.farewells.remove(&hosting.device).is_some();
        }
    }

    pub(super) fn hosting_received(&mut self, stream: StreamId, frame: Bytes) {
        self.hosting_input(stream, HostInput::Received(frame));
    }

    pub(super) fn hosting_input(&mut self, stream: StreamId, input: HostInput) {
        let now = self.now;
        if let Some(hosting) = self.devices.hostings.0.get_mut(&stream) {
            hosting.host.handle_input(now, input);
        }
        self.hosting_pump(stream);
    }

    fn hosting_pump(&mut self, stream: StreamId) {
        loop {
            let Some(hosting) = self.devices.hostings.0.get_mut(&stream) else { return };
            let device = hosting.device;
            let Some(output) = hosting.host.poll_output() else { return };
            match output {
                HostOutput::Send(frame) => self.outbox.push(Output::Send { stream, frame }),
                HostOutput::Link { key, name } => self.judge_link(stream, device, key, name),
                HostOutput::Sibling { name } => {
                    if !self.is_sibling(&device) {
                        // A stranger learns nothing but that it is none.
                        match self.was_sibling(&device) {
                            true => self.hosting_input(stream, HostInput::Removed),
                            false => self.end_hosting(stream),
                        }
                        return;
                    }
                    self.is_called(device, name);
                    let spaces = self.spaces_to_tell();
                    if let Some(hosting) = self.devices.hostings.0.get_mut(&stream) {
                        hosting.told = Some(spaces.clone());
                        hosting.host.handle_input(self.now, HostInput::Told(spaces));
                    }
                }
                HostOutput::Enter(linked) => self.let_sibling_in(stream, device, &linked),
                HostOutput::Close => self.end_hosting(stream),
                HostOutput::Violated(violation) => {
                    self.outbox.event(Event::Violated { device, what: violation.to_string() });
                    self.end_hosting(stream);
                }
            }
        }
    }

    fn end_hosting(&mut self, stream: StreamId) {
        self.devices.hostings.0.remove(&stream);
        self.close(stream);
    }

    /// Judged when it asks, not when it came. Spec: PEER-15.2
    fn let_sibling_in(&mut self, stream: StreamId, device: DeviceId, linked: &DeviceLinked) {
        let space = linked.statement().space;
        let sibling = self.is_sibling(&device);
        let room = self.rooms.get_mut(&space).filter(|_| sibling).ok_or(Reason::NotValid);
        let judged = room.and_then(|room| devices::let_in(room, stream, linked, &mut self.draws));
        self.busy_rooms.insert(space);
        if let Some(hosting) = self.devices.hostings.0.get_mut(&stream) {
            hosting.space = Some(space);
        }
        match judged {
            Ok(LetIn::Ordered) => {}
            Ok(LetIn::Stands) => self.sibling_is_in(stream),
            Err(reason) => {
                if let Some(hosting) = self.devices.hostings.0.get_mut(&stream) {
                    hosting.host.handle_input(self.now, HostInput::Judged(Err(reason)));
                }
            }
        }
    }

    /// The entry is durable: the sibling gets the control feeds.
    pub(crate) fn sibling_is_in(&mut self, stream: StreamId) {
        self.hosting_input(stream, HostInput::Judged(Ok(())));
        let Some(hosting) = self.devices.hostings.0.get_mut(&stream) else { return };
        let Some(room) = hosting.space.and_then(|space| self.rooms.get(&space)) else { return };
        hosting.gathering = Some(Gathering::of(room));
        self.gather_for_sibling(stream);
    }

    pub(crate) fn sibling_is_not_in(&mut self, stream: StreamId) {
        self.hosting_input(stream, HostInput::Judged(Err(Reason::Busy)));
    }

    fn gather_for_sibling(&mut self, stream: StreamId) {
        let hosting = self.devices.hostings.0.get_mut(&stream);
        let Some(gathering) = hosting.and_then(|hosting| hosting.gathering.as_mut()) else { return };
        match gathering.next() {
            Some((feed, from)) => drop(self.outbox.read(Purpose::SiblingRead(stream), feed, from, PART_BYTES)),
            None => {
                let parts = gathering.parts();
                self.hosting_input(stream, HostInput::Bundle(parts));
            }
        }
    }

    pub(crate) fn sibling_was_read(&mut self, stream: StreamId, result: Result<Vec<StoredRange>, ReadError>) {
        let Some(hosting) = self.devices.hostings.0.get_mut(&stream) else { return };
        let room = hosting.space.and_then(|space| self.rooms.get(&space));
        let Some(gathering) = &mut hosting.gathering else { return };
        match gathering.take(room, result) {
            Some(()) => self.gather_for_sibling(stream),
            // What is durable cannot be read: it may try again later.
            None => self.end_hosting(stream),
        }
    }

    /// The spaces of this identity that are held here, home included.
    fn spaces_to_tell(&self) -> Vec<SpaceId> {
        let me = self.me.device.id();
        let current = |room: &&crate::room::Room| room.membership.resolution().device(&me).is_some();
        self.rooms.values().filter(current).map(|room| room.space).collect()
    }

    /// Siblings hear of the spaces that came or went.
    pub(super) fn tell_siblings(&mut self) {
        let spaces = self.spaces_to_tell();
        let behind = |(_, hosting): &(&StreamId, &Hosting)| hosting.told.as_ref().is_some_and(|told| *told != spaces);
        let streams: Vec<StreamId> = self.devices.hostings.0.iter().filter(behind).map(|(stream, _)| *stream).collect();
        for stream in streams {
            if let Some(hosting) = self.devices.hostings.0.get_mut(&stream) {
                hosting.told = Some(spaces.clone());
            }
            self.hosting_input(stream, HostInput::Told(spaces.clone()));
        }
    }

    /// Ends what goes on with a device that is no sibling any more.
    pub(super) fn turn_away(&mut self, device: &DeviceId) {
        self.end_visit(device);
        for stream in self.hostings_of(device, |hosting| hosting.told.is_some()) {
            if self.was_sibling(device) {
                self.devices.farewells.entry(*device).or_insert(self.now + FAREWELL);
                if let Some(hosting) = self.devices.hostings.0.get_mut(&stream) {
                    hosting.told = None;
                }
                self.hosting_input(stream, HostInput::Removed);
            } else {
                self.end_hosting(stream);
            }
        }
    }

    /// Nobody waits for a removed device any longer.
    pub(super) fn farewells_wake(&mut self) {
        let now = self.now;
        let over: Vec<DeviceId> =
            self.devices.farewells.extract_if(.., |_, until| *until <= now).map(|(device, _)| device).collect();
        for device in over {
            if !self.is_sibling(&device) {
                self.hostings_of(&device, |_| true).into_iter().for_each(|stream| self.end_hosting(stream));
                self.devices.judge = true;
            }
        }
    }

    fn hostings_of(&self, device: &DeviceId, which: impl Fn(&Hosting) -> bool) -> Vec<StreamId> {
        let streams = self.devices.hostings.0.iter();
        let of_it = streams.filter(|(_, hosting)| hosting.device == *device && which(hosting));
        of_it.map(|(stream, _)| *stream).collect()
    }

    pub(super) fn hostings_wake(&mut self) {
        let now = self.now;
        let due = |(_, hosting): &(&StreamId, &Hosting)| hosting.host.deadline().is_some_and(|at| at <= now);
        for stream in self.devices.hostings.0.iter().filter(due).map(|(stream, _)| *stream).collect::<Vec<_>>() {
            if let Some(hosting) = self.devices.hostings.0.get_mut(&stream) {
                hosting.host.wake(now);
            }
            self.hosting_pump(stream);
        }
    }
}
