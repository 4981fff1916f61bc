//! Connections and streams: who is at the other end, and what a stream is for.

use weft_crypto::DeviceId;
use weft_machine::{Machine as _, Seed};
use weft_replication as replication;
use weft_space::door::{self, Door};

use crate::{
    event::Event,
    io::{Output, Protocol, StreamId},
    neighbour::Neighbour,
    peer::Peer,
};

impl Peer {
    pub(crate) fn connected(&mut self, device: DeviceId) {
        if self.neighbours.contains_key(&device) || device == self.me.device.id() {
            return;
        }
        if self.neighbours.len() >= self.config.neighbours_max {
            self.outbox.push(Output::Disconnect { device, reason: "too many devices are connected".into() });
            return;
        }
        let seed = Seed::from_bytes(self.draws.draw32());
        let neighbour = Neighbour::new(self.me.device.id(), device, seed);
        if neighbour.opener {
            self.outbox.push(Output::OpenStream { device, protocol: Protocol::Door });
        }
        self.neighbours.insert(device, neighbour);
        self.outbox.event(Event::PeerConnected { device });
        self.join_reached(device);
        self.linker_reached(device);
        self.maybe_farewell(device);
        self.devices.judge = true;
    }

    pub(crate) fn disconnected(&mut self, device: DeviceId) {
        // The neighbour goes first: the end of its streams is no news then.
        let neighbour = self.neighbours.remove(&device);
        let streams: Vec<StreamId> =
            self.streams.iter().filter(|(_, (at, _))| *at == device).map(|(stream, _)| *stream).collect();
        for stream in streams {
            self.stream_closed(stream);
        }
        if let Some(neighbour) = neighbour {
            for space in neighbour.open.keys() {
                if let Some(room) = self.rooms.get_mut(space) {
                    room.lost(self.now, device);
                    self.busy_rooms.insert(*space);
                }
            }
            self.outbox.event(Event::PeerDisconnected { device });
        }
    }

    pub(crate) fn stream_opened(&mut self, stream: StreamId, device: DeviceId, protocol: Protocol, opener: bool) {
        let accepted = match protocol {
            Protocol::Door => self.door_stream(stream, device, opener),
            Protocol::Replication => self.replication_stream(stream, device, opener),
            Protocol::Invitation if opener => self.join_stream(stream, device),
            Protocol::Invitation => self.host_stream(stream, device),
            Protocol::Device => self.device_stream(stream, device, opener),
        };
        if accepted {
            self.streams.insert(stream, (device, protocol));
        } else {
            self.outbox.push(Output::CloseStream { stream });
        }
    }

    /// Spec: PEER-1.1
    pub(crate) fn door_stream(&mut self, stream: StreamId, device: DeviceId, opener: bool) -> bool {
        // Who opens its door again has begun anew, and knows before us that the connection it had is gone.
        if !opener
            && self.neighbours.get(&device).is_some_and(|neighbour| !neighbour.opener && neighbour.door.is_some())
        {
            self.begin_anew(device);
        }
        let seed = Seed::from_bytes(self.draws.draw32());
        let spaces = self.door_spaces(device);
        let me = self.me.device.id();
        match self.neighbours.get_mut(&device) {
            Some(neighbour) if neighbour.opener == opener && neighbour.door.is_none() => {
                let door = Door::new(weft_space::Config::default(), me, device, opener, seed);
                neighbour.door = Some((stream, door));
                neighbour.door_input(self.now, door::Input::SpacesChanged(spaces));
                self.busy_neighbours.insert(device);
                true
            }
            _ => false,
        }
    }

    /// Spec: PEER-1.1
    pub(crate) fn replication_stream(&mut self, stream: StreamId, device: DeviceId, opener: bool) -> bool {
        match self.neighbours.get_mut(&device) {
            Some(neighbour)
                if neighbour.opener == opener && neighbour.replication.is_none() && !neighbour.open.is_empty() =>
            {
                neighbour.replication = Some(stream);
                neighbour.replication_ordered = false;
                neighbour.session.handle_input(self.now, replication::Input::Opened);
                self.busy_neighbours.insert(device);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn stream_closed(&mut self, stream: StreamId) {
        let Some((device, protocol)) = self.streams.remove(&stream) else { return };
        match protocol {
            Protocol::Door => self.door_closed(device, stream),
            Protocol::Replication => self.replication_closed(device, stream),
            Protocol::Invitation => {
                self.host_closed(stream);
                self.join_closed(stream);
            }
            Protocol::Device => self.device_stream_closed(stream, device),
        }
    }

    /// Without its door nothing may flow: the connection begins anew.
    pub(crate) fn door_closed(&mut self, device: DeviceId, stream: StreamId) {
        if self.neighbours.get(&device).is_some_and(|n| n.door.as_ref().is_some_and(|(at, _)| *at == stream)) {
            self.end(device, "the door stream was closed".into());
        }
    }

    pub(crate) fn replication_closed(&mut self, device: DeviceId, stream: StreamId) {
        if self.neighbours.get(&device).is_some_and(|n| n.replication == Some(stream)) {
            self.end(device, "the replication stream was closed".into());
        }
    }

    /// Forgets what went on with the device, on a connection that goes on.
    fn begin_anew(&mut self, device: DeviceId) {
        let streams = self.streams.iter().filter(|(_, (at, _))| *at == device).map(|(stream, _)| *stream);
        for stream in streams.collect::<Vec<_>>() {
            self.outbox.push(Output::CloseStream { stream });
        }
        self.disconnected(device);
        self.connected(device);
    }

    /// Ends the connection. The driver dials again if it wants to, and everything begins from what is durable.
    pub(crate) fn end(&mut self, device: DeviceId, reason: String) {
        if self.neighbours.contains_key(&device) {
            self.outbox.push(Output::Disconnect { device, reason });
            self.disconnected(device);
        }
    }

    pub(crate) fn violated(&mut self, device: DeviceId, what: String) {
        self.outbox.event(Event::Violated { device, what: what.clone() });
        self.end(device, what);
    }

    pub(crate) fn received(&mut self, stream: StreamId, frame: bytes::Bytes) {
        let Some((device, protocol)) = self.streams.get(&stream).copied() else { return };
        match protocol {
            Protocol::Door => {
                if let Some(neighbour) = self.neighbours.get_mut(&device) {
                    neighbour.door_input(self.now, door::Input::Received(frame));
                }
            }
            Protocol::Replication => {
                if let Some(neighbour) = self.neighbours.get_mut(&device) {
                    neighbour.session.handle_input(self.now, replication::Input::Received(frame));
                }
            }
            Protocol::Invitation => {
                if !self.host_received(stream, frame.clone()) {
                    self.join_received(stream, frame);
                }
            }
            Protocol::Device => self.device_received(stream, device, frame),
        }
        self.busy_neighbours.insert(device);
    }

    /// Closes an invitation stream from this side.
    pub(crate) fn close(&mut self, stream: StreamId) {
        if self.streams.remove(&stream).is_some() {
            self.outbox.push(Output::CloseStream { stream });
        }
    }
}
