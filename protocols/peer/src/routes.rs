//! What follows from facts: doors, sessions and rooms are drained, and what one orders reaches the other.

use weft_crypto::{DeviceId, SpaceId};
use weft_machine::{ClaimedTime, Machine as _};
use weft_replication as replication;
use weft_space::door::{self, DoorSpace};

use crate::{
    event::Event,
    io::{Output, Protocol},
    job::Job,
    links::{
        self,
        presence::{self, Said},
    },
    neighbour::Neighbour,
    outbox::Purpose,
    peer::Peer,
    room::{Effect, Room, mending::Question},
};

impl Peer {
    /// Works until nothing is left to do but to carry out orders.
    pub(crate) fn settle(&mut self) {
        loop {
            if let Some(device) = self.busy_neighbours.pop_first() {
                self.settle_neighbour(device);
            } else if let Some(space) = self.busy_rooms.pop_first() {
                self.settle_room(space);
            } else if std::mem::take(&mut self.devices.judge) {
                self.judge_siblings();
            } else {
                return;
            }
        }
    }

    pub(crate) fn settle_neighbour(&mut self, device: DeviceId) {
        while let Some(output) = self.neighbours.get_mut(&device).and_then(Neighbour::door_output) {
            self.heed_door(device, output);
        }
        while let Some(output) = self.neighbours.get_mut(&device).and_then(|n| n.session.poll_output()) {
            self.heed_session(device, output);
        }
    }

    pub(crate) fn heed_door(&mut self, device: DeviceId, output: door::Output) {
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
                room.upkeep.changed();
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
                    room.lost(self.now, device);
                    self.busy_rooms.insert(space);
                }
            }
            door::Output::Violated(violation) => self.violated(device, violation.to_string()),
        }
    }

    pub(crate) fn heed_session(&mut self, device: DeviceId, output: replication::Output) {
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
                self.in_room(space, |room, outbox| room.offer(now, device, ticket, range, outbox));
            }
            Out::Read { ticket, feed, from, bytes_max } => {
                let order = self.outbox.read(Purpose::SessionRead(device), feed, from, bytes_max);
                neighbour.reads.insert(order, ticket);
            }
            Out::Work { ticket, job } => {
                let order = self.outbox.work(Purpose::SessionWork(device), Job::Verify(job));
                neighbour.works.insert(order, ticket);
            }
            Out::Mended { space, range, .. } => {
                self.in_room(space, |room, outbox| links::mending::came(room, now, device, &range, outbox));
                self.in_room(space, |room, outbox| room.came_of_suspected(now, device, &range, outbox));
                self.in_room(space, |room, _| room.forks.came(now, device, &range));
            }
            Out::Learned { space, feed, length, root } => {
                self.outbox.event(Event::PeerHolds { device, space, feed, length });
                self.in_room(space, |room, _| room.learned(now, device, feed, length, root));
            }
            Out::Complete { space } => self.in_room(space, |room, _| room.sources.complete(now, device)),
            Out::Arriving { space, feed } => self.in_room(space, |room, _| room.sources.arriving(now, device, feed)),
            Out::Contradicted { space, feed, head } => {
                self.in_room(space, |room, outbox| room.stop(now, feed, head, outbox));
            }
            Out::PeerRefused { space, feed, reason, .. } => {
                self.in_room(space, |room, _| room.peer_refused(now, device, feed, reason));
            }
            Out::Heard { space, epoch, sealed } => {
                let said = self.rooms.get(&space).and_then(|room| presence::open(room, &device, &epoch, &sealed));
                if let Some(Said { object, session, state }) = said {
                    self.outbox.event(Event::Heard { device, space, object, session, state });
                }
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

    pub(crate) fn settle_room(&mut self, space: SpaceId) {
        let claimed = ClaimedTime(self.unix_ms());
        let Some(room) = self.rooms.get_mut(&space) else { return };
        room.settle(self.now, claimed, &mut self.draws, &mut self.outbox);
        while let Some(effect) = self.rooms.get_mut(&space).and_then(Room::effect) {
            self.heed_room(space, effect);
        }
        self.reopen_room(space);
        self.tell_level(space);
    }

    pub(crate) fn heed_room(&mut self, space: SpaceId, effect: Effect) {
        use replication::Input as In;
        match effect {
            Effect::Extended(range) => {
                self.tell_sessions(space, |_| In::Extended { feed: range.feed(), range: range.clone() });
            }
            Effect::Admitted(held) => self.tell_sessions(space, |_| In::FeedAdmitted { space, held: held.clone() }),
            Effect::Stopped(feed) => self.tell_sessions(space, |_| In::FeedStopped { feed }),
            Effect::Stands(feed, stands) => self.tell_sessions(space, |_| In::FeedStands { feed, stands }),
            Effect::Fetch(device, feed) => self.tell_session(device, In::Fetch { feed }),
            Effect::Mend(Question { device, feed, base, until }) => {
                self.tell_session(device, In::Mend { feed, base, until });
            }
            Effect::Cease(device, feed) => self.tell_session(device, In::Cease { feed }),
            Effect::Persisted(device, ticket) => self.tell_session(device, In::Persisted { ticket }),
            Effect::Reset(device) => self.end(device, "the store does not take what this peer sends".into()),
            Effect::Reopen => self.close_room(space),
            Effect::Judge => self.judge_doors(),
            Effect::Redeemed(stream) => self.host_redeemed(stream),
            Effect::RedemptionFailed(stream) => self.host_failed(stream),
            Effect::LetIn(stream) => self.sibling_is_in(stream),
            Effect::NotLetIn(stream) => self.sibling_is_not_in(stream),
            Effect::RedemptionKept(stream) => self.host_kept(stream),
        }
    }

    pub(crate) fn tell_session(&mut self, device: DeviceId, input: replication::Input) {
        if let Some(neighbour) = self.neighbours.get_mut(&device) {
            neighbour.session.handle_input(self.now, input);
            self.busy_neighbours.insert(device);
        }
    }

    pub(crate) fn tell_sessions(&mut self, space: SpaceId, input: impl Fn(DeviceId) -> replication::Input) {
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
        self.devices.judge = true;
    }

    pub(crate) fn door_spaces(&self, device: DeviceId) -> Vec<DoorSpace> {
        let space = |(space, room): (&SpaceId, &Room)| DoorSpace {
            space: *space,
            access: room.keys.access(room.membership.resolution()),
            peer_is_current_device: room.membership.resolution().device(&device).is_some(),
        };
        let open = self.rooms.iter().filter(|(_, room)| !room.is_closed());
        let mut spaces: Vec<DoorSpace> = open.map(space).collect();
        // A door has places for some hundred spaces: those that may open come first.
        spaces.sort_by_key(|space| !space.peer_is_current_device);
        spaces
    }

    /// Says so when a space became level, or ceased to be.
    pub(crate) fn tell_level(&mut self, space: SpaceId) {
        let level = self.is_level(&space);
        if self.level.insert(space, level).unwrap_or(false) != level {
            self.outbox.event(Event::LevelChanged { space, level });
        }
    }
}
