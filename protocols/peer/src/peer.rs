//! The peer: routes between rooms, neighbours, hosts and newcomers.
//!
//! Facts are routed when they come; what follows from them is worked out when orders are taken. So facts that a driver has
//! ready at one moment are answered together: many appends become one batch under one signature.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use weft_crypto::{DeviceId, FeedId, SpaceId};
use weft_machine::{Draws, Machine, Seed, Time};
use weft_replication as replication;

use crate::{
    command::{Answer, Command, Refusal, RefusalKind},
    commands::{Foundings, not_stored},
    config::Config,
    deleting::Deleted,
    devices::Devices,
    host::Hosts,
    io::{Ask, Input, Output, Protocol, StreamId, Ticket},
    job::Done,
    join::Joins,
    links,
    local::{self, Row, RowError},
    me::Me,
    neighbour::Neighbour,
    outbox::{Outbox, Purpose},
    reopening::{Reopening, reopening},
    room::{
        Room,
        enter::{EnterError, Entering},
        newcomers::Newcomers,
        sessions::FIRST_SESSION,
    },
    store::{Damage, Opened, OpenedFeed},
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
    /// What this member calls itself.
    pub(crate) called: String,
    pub(crate) draws: Draws,
    pub(crate) now: Time,
    clock: Clock,
    pub(crate) rooms: BTreeMap<SpaceId, Room>,
    pub(crate) neighbours: BTreeMap<DeviceId, Neighbour>,
    pub(crate) streams: BTreeMap<StreamId, (DeviceId, Protocol)>,
    pub(crate) hosts: Hosts,
    pub(crate) joins: Joins,
    pub(crate) deleted: Deleted,
    pub(crate) devices: Devices,
    pub(crate) foundings: Foundings,
    pub(crate) busy_rooms: BTreeSet<SpaceId>,
    pub(crate) busy_neighbours: BTreeSet<DeviceId>,
    pub(crate) outbox: Outbox,
    pub(crate) level: BTreeMap<SpaceId, bool>,
    pub(crate) reopenings: BTreeMap<SpaceId, Reopening>,
}

impl Peer {
    /// A peer on what its store holds.
    ///
    /// # Errors
    /// When what the store holds does not fit this device.
    pub fn new(config: Config, me: Me, seed: Seed, opened: Opened) -> Result<Peer, OpenError> {
        let mut peer = Peer {
            config: Arc::new(config),
            called: me.name.clone(),
            me: Arc::new(me),
            draws: Draws::new(seed),
            now: Time::ZERO,
            clock: Clock { unix_ms: 0, at: Time::ZERO },
            rooms: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            streams: BTreeMap::new(),
            hosts: Hosts::default(),
            joins: Joins::default(),
            deleted: Deleted::default(),
            devices: Devices::default(),
            foundings: Foundings::new(),
            busy_rooms: BTreeSet::new(),
            busy_neighbours: BTreeSet::new(),
            outbox: Outbox::default(),
            level: BTreeMap::new(),
            reopenings: BTreeMap::new(),
        };
        peer.open_rooms(opened)?;
        peer.seek_home();
        Ok(peer)
    }

    fn open_rooms(&mut self, opened: Opened) -> Result<(), OpenError> {
        let mut keys = BTreeMap::new();
        let mut stopped = Vec::new();
        let mut profiles = BTreeSet::new();
        let mut said = BTreeMap::new();
        let mut unsure = BTreeMap::new();
        let mut sessions = BTreeMap::new();
        let mut drafts: BTreeMap<SpaceId, Vec<_>> = BTreeMap::new();
        let mut newcomers: BTreeMap<SpaceId, Newcomers> = BTreeMap::new();
        let mut pre_keys = BTreeMap::new();
        for (key, value) in &opened.local {
            match Row::decode(key, value)? {
                Row::Space(space, value) => {
                    keys.insert(space, local::open_keys(&self.me.device, &value)?);
                }
                Row::Joining(space, value) => self.joins.remember(space, value),
                Row::Device(row) => self.devices.remember(row),
                Row::Former(space, former) => drop(self.deleted.former.insert(space, former)),
                Row::Stopped(feed, head) => stopped.push((feed, head)),
                Row::Profile(space) => {
                    profiles.insert(space);
                }
                Row::Unsure(space, ends) => {
                    unsure.insert(space, ends);
                }
                Row::Said(space, name) => {
                    said.insert(space, name);
                }
                Row::Newcomer(space, invitation, device, row) => {
                    newcomers.entry(space).or_default().restore(invitation, device, &row);
                }
                Row::PreKeys(space, value) => {
                    pre_keys.insert(space, local::open_pre_keys(&self.me.device, &value)?);
                }
                Row::Sessions(space, next) => {
                    sessions.insert(space, next);
                }
                Row::Draft(space, number, sealed) => drafts.entry(space).or_default().push((number, sealed)),
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
                unsure: unsure.remove(&space),
                sessions: sessions.remove(&space).unwrap_or(FIRST_SESSION),
                drafts: drafts.remove(&space).unwrap_or_default(),
                newcomers: newcomers.remove(&space).unwrap_or_default(),
                pre_keys: pre_keys.remove(&space),
            };
            let room = Room::enter(self.me.clone(), self.config.clone(), entering)?;
            self.rooms.insert(space, room);
            self.busy_rooms.insert(space);
        }
        let is_ousted = self.devices.removed_by.is_some();
        self.rooms.values_mut().for_each(|room| room.is_ousted = is_ousted);
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
            Some(Purpose::Delete(space)) => self.space_deleted(space),
            Some(Purpose::LinkMade(key)) => self.link_made(key, Ok(())),
            Some(Purpose::LinkUsed(stream, key)) => self.link_used(stream, key),
            Some(Purpose::DeviceAsk(ask)) => {
                self.outbox.push(Output::Answer { ask, result: Ok(Answer::DeviceNamed) });
            }
            Some(Purpose::LinksCancelled(ask, links)) => {
                self.outbox.push(Output::Answer { ask, result: Ok(Answer::DeviceLinksCancelled { links }) });
            }
            Some(Purpose::DeviceRemoved(ask, device)) => self.device_shut_out(ask, device),
            Some(Purpose::VisitKeep(device, space)) => self.visit_kept(device, space),
            Some(Purpose::VisitEnter(device, space)) => self.visit_entered(device, space),
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
            Some(Purpose::Delete(space)) => self.space_not_deleted(space, &reason),
            Some(Purpose::LinkMade(key)) => self.link_made(key, Err(not_stored(&reason))),
            Some(Purpose::LinkUsed(stream, key)) => self.link_not_used(stream, key),
            Some(Purpose::DeviceAsk(ask) | Purpose::LinksCancelled(ask, _) | Purpose::DeviceRemoved(ask, _)) => {
                self.outbox.push(Output::Answer { ask, result: Err(not_stored(&reason)) });
            }
            Some(Purpose::VisitKeep(device, space) | Purpose::VisitEnter(device, space)) => {
                self.visit_not_kept(device, space);
            }
            _ => {}
        }
    }

    fn was_read(&mut self, ticket: Ticket, result: Result<Vec<replication::StoredRange>, replication::ReadError>) {
        match self.outbox.redeem(ticket) {
            Some(Purpose::RoomRead(space, feed)) => self.in_room(space, |room, _| room.was_read(feed, result)),
            Some(Purpose::RoomReread(space, feed)) => {
                self.in_room(space, |room, _| links::rereads::was_read(room, ticket, feed, result));
            }
            Some(Purpose::RoomName(space)) => {
                self.in_room(space, |room, _| links::naming::read(room, ticket, result));
            }
            Some(Purpose::RoomCircle(space)) => {
                self.in_room(space, |room, outbox| room.read_for_circle(ticket, result, outbox));
            }
            Some(Purpose::RoomFork(space, feed)) => {
                let now = self.now;
                self.in_room(space, |room, _| room.read_history(now, ticket, feed, result));
            }
            Some(Purpose::RoomReopening(space, feed)) => self.read_to_reopen(space, feed, result),
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
            Some(Purpose::SiblingRead(stream)) => self.sibling_was_read(stream, result),
            _ => {}
        }
    }

    fn damaged(&mut self, damage: Damage) {
        let now = self.now;
        let room = self.rooms.iter().find(|(_, room)| room.ledger.get(&damage.feed).is_some());
        if let Some(space) = room.map(|(space, _)| *space) {
            self.in_room(space, |room, outbox| links::mending::found(room, now, damage, outbox));
        }
    }

    fn worked(&mut self, ticket: Ticket, done: Done) {
        match (self.outbox.redeem(ticket), done) {
            (Some(Purpose::RoomReopen(space)), Done::Reopened(entries)) => {
                let now = self.now;
                self.in_room(space, |room, _| links::rereads::opened(room, now, ticket, entries));
            }
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

    pub(crate) fn in_room(&mut self, space: SpaceId, act: impl FnOnce(&mut Room, &mut Outbox)) {
        if let Some(room) = self.rooms.get_mut(&space) {
            act(room, &mut self.outbox);
            self.busy_rooms.insert(space);
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
        if self.rooms.get(space).is_some_and(Room::is_closed) {
            return Err(reopening());
        }
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
                Protocol::Device => {
                    self.linker_unreachable(device, &reason);
                    self.visit_failed(device);
                }
            },
            Input::Received { stream, frame } => self.received(stream, frame),
            Input::StreamClosed { stream } => self.stream_closed(stream),
            Input::DialFailed { device, reason } => {
                self.join_unreachable(device, &reason);
                self.linker_unreachable(device, &reason);
            }
            Input::Persisted { ticket } => self.persisted(ticket),
            Input::PersistFailed { ticket, reason } => self.persist_failed(ticket, reason),
            Input::WasRead { ticket, result } => self.was_read(ticket, result),
            Input::Damaged { damage } => self.damaged(damage),
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
        let others = [self.joins.deadline(), self.hosts.deadline(), self.devices.deadline()];
        rooms.chain(neighbours).chain(others.into_iter().flatten()).min()
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
        self.devices_wake();
    }
}
