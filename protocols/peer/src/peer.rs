//! The peer: routes between rooms, neighbours, hosts and newcomers.
//!
//! Facts are routed when they come; what follows from them is worked out when orders are taken. So facts that a driver has
//! ready at one moment are answered together: many appends become one batch under one signature.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use weft_crypto::{DeviceId, FeedId, SpaceId};
use weft_machine::{ClaimedTime, Draws, Machine, Seed, Time};
use weft_replication as replication;
use weft_space::door::{self, Door, DoorSpace};

use crate::{
    command::{Command, Refusal, RefusalKind},
    commands::Foundings,
    config::Config,
    event::Event,
    host::Hosts,
    io::{Ask, Input, Output, Protocol, StreamId, Ticket},
    job::{Done, Job},
    join::Joins,
    local::{self, Row, RowError},
    me::Me,
    neighbour::Neighbour,
    outbox::{Outbox, Purpose},
    room::{
        Effect, Room,
        enter::{EnterError, Entering},
    },
    store::{Opened, OpenedFeed},
};

/// Why a peer cannot be opened on what a store holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A private row.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A room.
    #[error(transparent)]
    Room(#[from] EnterError),
}

/// The wall clock as the driver last read it.
#[derive(Clone, Copy)]
struct Clock {
    unix_ms: u64,
    at: Time,
}

/// The whole node without input or output. See the crate's documentation.
pub struct Peer {
    pub(crate) config: Arc<Config>,
    pub(crate) me: Arc<Me>,
    pub(crate) draws: Draws,
    pub(crate) now: Time,
    clock: Clock,
    pub(crate) rooms: BTreeMap<SpaceId, Room>,
    pub(crate) neighbours: BTreeMap<DeviceId, Neighbour>,
    streams: BTreeMap<StreamId, (DeviceId, Protocol)>,
    pub(crate) hosts: Hosts,
    pub(crate) joins: Joins,
    pub(crate) foundings: Foundings,
    pub(crate) busy_rooms: BTreeSet<SpaceId>,
    pub(crate) busy_neighbours: BTreeSet<DeviceId>,
    pub(crate) outbox: Outbox,
    level: BTreeMap<SpaceId, bool>,
}

impl Peer {
    /// A peer on what its store holds.
    ///
    /// # Errors
    /// When what the store holds does not fit this device.
    pub fn new(config: Config, me: Me, seed: Seed, opened: Opened) -> Result<Peer, OpenError> {
        let mut peer = Peer {
            config: Arc::new(config),
            me: Arc::new(me),
            draws: Draws::new(seed),
            now: Time::ZERO,
            clock: Clock { unix_ms: 0, at: Time::ZERO },
            rooms: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            streams: BTreeMap::new(),
            hosts: Hosts::default(),
            joins: Joins::default(),
            foundings: Foundings::new(),
            busy_rooms: BTreeSet::new(),
            busy_neighbours: BTreeSet::new(),
            outbox: Outbox::default(),
            level: BTreeMap::new(),
        };
        peer.open_rooms(opened)?;
        Ok(peer)
    }

    fn open_rooms(&mut self, opened: Opened) -> Result<(), OpenError> {
        let mut keys = BTreeMap::new();
        let mut stopped = Vec::new();
        let mut profiles = BTreeSet::new();
        let mut said = BTreeMap::new();
        for (key, value) in &opened.local {
            match Row::decode(key, value)? {
                Row::Space(space, value) => {
                    keys.insert(space, local::open_keys(&self.me.device, &value)?);
                }
                Row::Joining(space, value) => self.joins.remember(space, value),
                Row::Stopped(feed, head) => stopped.push((feed, head)),
                Row::Profile(space) => {
                    profiles.insert(space);
                }
                Row::Said(space, name) => {
                    said.insert(space, name);
                }
            }
        }
        let mut feeds: BTreeMap<SpaceId, Vec<OpenedFeed>> = BTreeMap::new();
        let mut space_of: BTreeMap<FeedId, SpaceId> = BTreeMap::new();
        for feed in opened.feeds {
            space_of.insert(feed.feed, feed.space);
            feeds.entry(feed.space).or_default().push(feed);
        }
        let mut control: BTreeMap<SpaceId, Vec<_>> = BTreeMap::new();
        for (feed, runs) in opened.control {
            if let Some(space) = space_of.get(&feed) {
                control.entry(*space).or_default().push((feed, runs));
            }
        }
        let mut cursors: BTreeMap<SpaceId, Vec<_>> = opened.cursors.into_iter().collect();
        for (space, keys) in keys {
            let entering = Entering {
                space,
                keys,
                feeds: feeds.remove(&space).unwrap_or_default(),
                control: control.remove(&space).unwrap_or_default(),
                cursors: cursors.remove(&space).unwrap_or_default(),
                stopped: stopped.iter().filter(|(feed, _)| space_of.get(feed) == Some(&space)).cloned().collect(),
                profile_said: profiles.contains(&space),
                said_name: said.remove(&space),
            };
            let room = Room::enter(self.me.clone(), self.config.clone(), entering)?;
            self.rooms.insert(space, room);
            self.busy_rooms.insert(space);
        }
        Ok(())
    }

    /// Who this node is.
    #[must_use]
    pub fn me(&self) -> &Me {
        &self.me
    }

    /// What the wall clock shows, in milliseconds since 1970.
    pub(crate) fn unix_ms(&self) -> u64 {
        let passed = self.now.saturating_since(self.clock.at).as_millis();
        self.clock.unix_ms.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    /// A moment of this peer's own time, on the wall clock.
    pub(crate) fn unix_ms_at(&self, at: Time) -> u64 {
        let ago = self.now.saturating_since(at).as_millis();
        self.unix_ms().saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX))
    }

    // ---- connections and streams -----------------------------------------------------------------------------------

    fn connected(&mut self, device: DeviceId) {
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
    }

    fn disconnected(&mut self, device: DeviceId) {
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
                    room.sources.lost(self.now, device);
                    self.busy_rooms.insert(*space);
                }
            }
            self.outbox.event(Event::PeerDisconnected { device });
        }
    }

    fn stream_opened(&mut self, stream: StreamId, device: DeviceId, protocol: Protocol, opener: bool) {
        let accepted = match protocol {
            Protocol::Door => self.door_stream(stream, device, opener),
            Protocol::Replication => self.replication_stream(stream, device, opener),
            Protocol::Invitation if opener => self.join_stream(stream, device),
            Protocol::Invitation => self.host_stream(stream, device),
        };
        if accepted {
            self.streams.insert(stream, (device, protocol));
        } else {
            self.outbox.push(Output::CloseStream { stream });
        }
    }

    /// Spec: PEER-1.1
    fn door_stream(&mut self, stream: StreamId, device: DeviceId, opener: bool) -> bool {
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
    fn replication_stream(&mut self, stream: StreamId, device: DeviceId, opener: bool) -> bool {
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

    fn stream_closed(&mut self, stream: StreamId) {
        let Some((device, protocol)) = self.streams.remove(&stream) else { return };
        match protocol {
            Protocol::Door => self.door_closed(device, stream),
            Protocol::Replication => self.replication_closed(device, stream),
            Protocol::Invitation => {
                self.host_closed(stream);
                self.join_closed(stream);
            }
        }
    }

    /// Without its door nothing may flow: the connection begins anew.
    fn door_closed(&mut self, device: DeviceId, stream: StreamId) {
        if self.neighbours.get(&device).is_some_and(|n| n.door.as_ref().is_some_and(|(at, _)| *at == stream)) {
            self.end(device, "the door stream was closed".into());
        }
    }

    fn replication_closed(&mut self, device: DeviceId, stream: StreamId) {
        if self.neighbours.get(&device).is_some_and(|n| n.replication == Some(stream)) {
            self.end(device, "the replication stream was closed".into());
        }
    }

    /// Ends the connection. The driver dials again if it wants to, and everything begins from what is durable.
    fn end(&mut self, device: DeviceId, reason: String) {
        if self.neighbours.contains_key(&device) {
            self.outbox.push(Output::Disconnect { device, reason });
            self.disconnected(device);
        }
    }

    fn violated(&mut self, device: DeviceId, what: String) {
        self.outbox.event(Event::Violated { device, what: what.clone() });
        self.end(device, what);
    }

    fn received(&mut self, stream: StreamId, frame: bytes::Bytes) {
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
        }
        self.busy_neighbours.insert(device);
    }

    /// Closes an invitation stream from this side.
    pub(crate) fn close(&mut self, stream: StreamId) {
        if self.streams.remove(&stream).is_some() {
            self.outbox.push(Output::CloseStream { stream });
        }
    }

    // ---- facts from the store and the pool -------------------------------------------------------------------------

    fn persisted(&mut self, ticket: Ticket) {
        match self.outbox.redeem(ticket) {
            Some(Purpose::RoomPersist(space)) => {
                let now = self.now;
                self.in_room(space, |room, outbox| room.persisted(now, ticket, outbox));
            }
            Some(Purpose::RoomDerived(space)) => {
                self.in_room(space, |room, outbox| room.derived_landed(ticket, outbox))
            }
            Some(Purpose::JoinKeep(space)) => self.join_kept(space),
            Some(Purpose::JoinEnter(space)) => self.join_entered(space),
            Some(Purpose::Found(space)) => self.founded(space),
            _ => {}
        }
    }

    fn persist_failed(&mut self, ticket: Ticket, reason: String) {
        let now = self.now;
        match self.outbox.redeem(ticket) {
            Some(Purpose::RoomPersist(space)) => {
                self.in_room(space, |room, outbox| room.persist_failed(now, ticket, &reason, outbox));
            }
            Some(Purpose::RoomDerived(space)) => {
                self.in_room(space, |room, _| room.derived_failed(now, ticket, reason));
            }
            Some(Purpose::JoinKeep(space) | Purpose::JoinEnter(space)) => self.join_not_kept(space, &reason),
            Some(Purpose::Found(space)) => self.not_founded(space, &reason),
            _ => {}
        }
    }

    fn was_read(&mut self, ticket: Ticket, result: Result<Vec<replication::StoredRange>, replication::ReadError>) {
        match self.outbox.redeem(ticket) {
            Some(Purpose::RoomRead(space, feed)) => self.in_room(space, |room, _| room.was_read(feed, result)),
            Some(Purpose::RoomRecords(space)) => {
                self.in_room(space, |room, outbox| room.records_read(ticket, result, outbox));
            }
            Some(Purpose::SessionRead(device)) => {
                if let Some(neighbour) = self.neighbours.get_mut(&device)
                    && let Some(ticket) = neighbour.reads.remove(&ticket)
                {
                    neighbour.session.handle_input(self.now, replication::Input::WasRead { ticket, result });
                    self.busy_neighbours.insert(device);
                }
            }
            Some(Purpose::HostRead(stream)) => self.host_was_read(stream, result),
            _ => {}
        }
    }

    fn worked(&mut self, ticket: Ticket, done: Done) {
        match (self.outbox.redeem(ticket), done) {
            (Some(Purpose::RoomOpen(space)), Done::Opened(entries)) => {
                self.in_room(space, |room, _| room.opened(ticket, entries));
            }
            (Some(Purpose::SessionWork(device)), Done::Verified(done)) => {
                if let Some(neighbour) = self.neighbours.get_mut(&device)
                    && let Some(ticket) = neighbour.works.remove(&ticket)
                {
                    neighbour.session.handle_input(self.now, replication::Input::Worked { ticket, done });
                    self.busy_neighbours.insert(device);
                }
            }
            _ => {}
        }
    }

    fn in_room(&mut self, space: SpaceId, act: impl FnOnce(&mut Room, &mut Outbox)) {
        if let Some(room) = self.rooms.get_mut(&space) {
            act(room, &mut self.outbox);
            self.busy_rooms.insert(space);
        }
    }

    // ---- working out what follows ----------------------------------------------------------------------------------

    /// Works until nothing is left to do but to carry out orders.
    fn settle(&mut self) {
        loop {
            if let Some(device) = self.busy_neighbours.pop_first() {
                self.settle_neighbour(device);
            } else if let Some(space) = self.busy_rooms.pop_first() {
                self.settle_room(space);
            } else {
                return;
            }
        }
    }

    fn settle_neighbour(&mut self, device: DeviceId) {
        while let Some(output) = self.neighbours.get_mut(&device).and_then(Neighbour::door_output) {
            self.from_door(device, output);
        }
        while let Some(output) = self.neighbours.get_mut(&device).and_then(|n| n.session.poll_output()) {
            self.from_session(device, output);
        }
    }

    fn from_door(&mut self, device: DeviceId, output: door::Output) {
        let Some(neighbour) = self.neighbours.get_mut(&device) else { return };
        match output {
            door::Output::Send(frame) => {
                let stream = neighbour.door.as_ref().expect("a door that speaks has a stream").0;
                self.outbox.push(Output::Send { stream, frame });
            }
            door::Output::Opened { space, number } => {
                let Some(room) = self.rooms.get_mut(&space) else { return };
                neighbour.open.insert(space, number);
                let feeds = room.ledger.held();
                neighbour.session.handle_input(self.now, replication::Input::Granted { number, space, feeds });
                room.sources.opened(self.now, device);
                self.busy_rooms.insert(space);
                if neighbour.opener && neighbour.replication.is_none() && !neighbour.replication_ordered {
                    neighbour.replication_ordered = true;
                    self.outbox.push(Output::OpenStream { device, protocol: Protocol::Replication });
                }
            }
            door::Output::Closed { space, .. } => {
                neighbour.open.remove(&space);
                neighbour.level.remove(&space);
                neighbour.session.handle_input(self.now, replication::Input::Revoked { space });
                if let Some(room) = self.rooms.get_mut(&space) {
                    room.sources.lost(self.now, device);
                    self.busy_rooms.insert(space);
                }
            }
            door::Output::Violated(violation) => self.violated(device, violation.to_string()),
        }
    }

    fn from_session(&mut self, device: DeviceId, output: replication::Output) {
        use replication::Output as Out;
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&device) else { return };
        match output {
            Out::Send(frame) => {
                if let Some(stream) = neighbour.replication {
                    self.outbox.push(Output::Send { stream, frame });
                }
            }
            Out::Persist { ticket, space, range, .. } => {
                self.in_room(space, |room, outbox| room.offer(device, ticket, range, outbox));
            }
            Out::Read { ticket, feed, from, bytes_max } => {
                let order = self.outbox.read(Purpose::SessionRead(device), feed, from, bytes_max);
                neighbour.reads.insert(order, ticket);
            }
            Out::Work { ticket, job } => {
                let order = self.outbox.work(Purpose::SessionWork(device), Job::Verify(job));
                neighbour.works.insert(order, ticket);
            }
            Out::Learned { space, feed, length, .. } => {
                self.outbox.event(Event::PeerHolds { device, space, feed, length });
                self.in_room(space, |room, _| room.learned(now, device, feed, length));
            }
            Out::Complete { space } => self.in_room(space, |room, _| room.sources.complete(now, device)),
            Out::Arriving { space, feed } => self.in_room(space, |room, _| room.sources.arriving(now, device, feed)),
            Out::Contradicted { space, feed, head } => {
                self.in_room(space, |room, outbox| room.stop(now, feed, head, outbox));
            }
            Out::PeerRefused { space, feed, .. } => {
                self.in_room(space, |room, _| room.sources.refused(now, device, feed));
            }
            Out::Levelled { space, level } => {
                if level {
                    neighbour.level.insert(space);
                } else {
                    neighbour.level.remove(&space);
                }
                self.busy_rooms.insert(space);
            }
            Out::Violated(violation) => self.violated(device, violation.to_string()),
        }
    }

    fn settle_room(&mut self, space: SpaceId) {
        let claimed = ClaimedTime(self.unix_ms());
        let Some(room) = self.rooms.get_mut(&space) else { return };
        room.settle(self.now, claimed, &mut self.draws, &mut self.outbox);
        while let Some(effect) = self.rooms.get_mut(&space).and_then(Room::effect) {
            self.from_room(space, effect);
        }
        self.tell_level(space);
    }

    fn from_room(&mut self, space: SpaceId, effect: Effect) {
        use replication::Input as In;
        match effect {
            Effect::Extended(range) => {
                self.to_sessions(space, |_| In::Extended { feed: range.feed(), range: range.clone() });
            }
            Effect::Admitted(held) => self.to_sessions(space, |_| In::FeedAdmitted { space, held: held.clone() }),
            Effect::Stopped(feed) => self.to_sessions(space, |_| In::FeedStopped { feed }),
            Effect::Fetch(device, feed) => self.to_session(device, In::Fetch { feed }),
            Effect::Cease(device, feed) => self.to_session(device, In::Cease { feed }),
            Effect::Persisted(device, ticket) => self.to_session(device, In::Persisted { ticket }),
            Effect::Reset(device) => self.end(device, "the store does not take what this peer sends".into()),
            Effect::Judge => self.judge_doors(),
            Effect::Redeemed(stream) => self.host_redeemed(stream),
            Effect::RedemptionFailed(stream) => self.host_failed(stream),
        }
    }

    fn to_session(&mut self, device: DeviceId, input: replication::Input) {
        if let Some(neighbour) = self.neighbours.get_mut(&device) {
            neighbour.session.handle_input(self.now, input);
            self.busy_neighbours.insert(device);
        }
    }

    fn to_sessions(&mut self, space: SpaceId, input: impl Fn(DeviceId) -> replication::Input) {
        for (device, neighbour) in &mut self.neighbours {
            if neighbour.open.contains_key(&space) {
                neighbour.session.handle_input(self.now, input(*device));
                self.busy_neighbours.insert(*device);
            }
        }
    }

    /// Judges every door again.
    pub(crate) fn judge_doors(&mut self) {
        let devices: Vec<DeviceId> = self.neighbours.keys().copied().collect();
        for device in devices {
            let spaces = self.door_spaces(device);
            let neighbour = self.neighbours.get_mut(&device).expect("just listed");
            neighbour.door_input(self.now, door::Input::SpacesChanged(spaces));
            self.busy_neighbours.insert(device);
        }
    }

    fn door_spaces(&self, device: DeviceId) -> Vec<DoorSpace> {
        let space = |(space, room): (&SpaceId, &Room)| DoorSpace {
            space: *space,
            access: room.keys.access(),
            peer_is_current_device: room.membership.resolution().device(&device).is_some(),
        };
        self.rooms.iter().map(space).collect()
    }

    /// Says so when a space became level, or ceased to be.
    fn tell_level(&mut self, space: SpaceId) {
        let level = self.is_level(&space);
        if self.level.insert(space, level).unwrap_or(false) != level {
            self.outbox.event(Event::LevelChanged { space, level });
        }
    }

    fn asked(&mut self, ask: Ask, command: Command) {
        if let Err(refusal) = self.carry_out(ask, command) {
            self.outbox.push(Output::Answer { ask, result: Err(refusal) });
        }
    }

    /// The room of a space that is named.
    pub(crate) fn room(&mut self, space: &SpaceId) -> Result<&mut Room, Refusal> {
        self.busy_rooms.insert(*space);
        self.rooms.get_mut(space).ok_or_else(|| {
            let message = format!("there is no space {space} here");
            Refusal::new(
                RefusalKind::NotFound,
                "unknown_space",
                message,
                "`weft space list` lists the spaces of this node",
            )
        })
    }
}

impl Machine for Peer {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::Connected { device } => self.connected(device),
            Input::Disconnected { device } => self.disconnected(device),
            Input::StreamOpened { stream, device, protocol, opener } => {
                self.stream_opened(stream, device, protocol, opener);
            }
            Input::StreamFailed { device, protocol, reason } => match protocol {
                Protocol::Door | Protocol::Replication => self.end(device, reason),
                Protocol::Invitation => self.join_unreachable(device, &reason),
            },
            Input::Received { stream, frame } => self.received(stream, frame),
            Input::StreamClosed { stream } => self.stream_closed(stream),
            Input::DialFailed { device, reason } => self.join_unreachable(device, &reason),
            Input::Persisted { ticket } => self.persisted(ticket),
            Input::PersistFailed { ticket, reason } => self.persist_failed(ticket, reason),
            Input::WasRead { ticket, result } => self.was_read(ticket, result),
            Input::WasLoaded { ticket, rows } => {
                if let Some(Purpose::RoomLoad(space)) = self.outbox.redeem(ticket) {
                    let now = self.now;
                    self.in_room(space, |room, _| room.was_loaded(now, ticket, rows));
                }
            }
            Input::Worked { ticket, done } => self.worked(ticket, done),
            Input::Asked { ask, command } => self.asked(ask, command),
            Input::ClockRead { unix_ms } => self.clock = Clock { unix_ms, at: self.now },
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop().or_else(|| {
            self.settle();
            self.outbox.pop()
        })
    }

    fn deadline(&self) -> Option<Time> {
        let rooms = self.rooms.values().filter_map(Room::deadline);
        let neighbours = self.neighbours.values().filter_map(Neighbour::deadline);
        rooms.chain(neighbours).chain(self.joins.deadline()).chain(self.hosts.deadline()).min()
    }

    fn wake(&mut self, now: Time) {
        self.now = self.now.max(now);
        for (space, room) in &mut self.rooms {
            if room.deadline().is_some_and(|at| at <= now) {
                room.wake(now);
                self.busy_rooms.insert(*space);
            }
        }
        for (device, neighbour) in &mut self.neighbours {
            if neighbour.deadline().is_some_and(|at| at <= now) {
                neighbour.wake(now);
                self.busy_neighbours.insert(*device);
            }
        }
        self.join_wake();
        self.host_wake();
    }
}
