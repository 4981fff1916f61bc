//! Visits to siblings: this device hears which spaces they hold, and asks to be let into those that it lacks.
//!
//! Its keys for a space are durable before they are sent, and the space is durable before anybody hears of it, as when a link is
//! redeemed. Spec: PEER-3, PEER-15.2

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use weft_crypto::{DeviceId, SpaceId};
use weft_invitation::{
    Part,
    device::{Guest, GuestInput, GuestOutput},
};
use weft_machine::{Machine as _, Time};
use weft_space::compose::{self, SpaceKeys};

use super::AGAIN;
use crate::{
    bundle,
    commands::actor,
    event::Event,
    io::{Output, Protocol, StreamId},
    local,
    outbox::Purpose,
    peer::Peer,
    room::Room,
    store::{Batch, Write},
};

/// A sibling that is visited.
#[derive(Default)]
struct Visit {
    stream: Option<(StreamId, Guest)>,
    ordered: bool,
    /// The spaces that it holds.
    told: Option<Vec<SpaceId>>,
    /// Where it did not let this device in.
    refused: BTreeSet<SpaceId>,
    entering: Option<Entering>,
    again: Option<Time>,
}

/// A space that a sibling is asked for.
struct Entering {
    space: SpaceId,
    keys: SpaceKeys,
    /// On its way to the disk.
    room: Option<Box<Room>>,
}

#[derive(Default)]
pub(super) struct Visits(BTreeMap<DeviceId, Visit>);

impl Visits {
    pub(super) fn deadline(&self) -> Option<Time> {
        let visits = self.0.values();
        let guest = |visit: &Visit| visit.stream.as_ref().and_then(|(_, guest)| guest.deadline());
        visits.flat_map(|visit| [visit.again, guest(visit)]).flatten().min()
    }
}

impl Peer {
    /// A connected sibling is visited, unless it is already.
    pub(super) fn visit(&mut self, device: DeviceId) {
        let visit = self.devices.visits.0.entry(device).or_default();
        if visit.stream.is_none() && !visit.ordered && visit.again.is_none() {
            visit.ordered = true;
            self.outbox.push(Output::OpenStream { device, protocol: Protocol::Device });
        }
        self.ask_for_more(device);
    }

    pub(super) fn end_visit(&mut self, device: &DeviceId) {
        if let Some(Visit { stream: Some((stream, _)), .. }) = self.devices.visits.0.remove(device) {
            self.close(stream);
        }
    }

    /// Siblings hear anew what this device is called. Who gives it a space just now hears it another time.
    pub(super) fn visit_all_again(&mut self) {
        let idle = |(_, visit): &(&DeviceId, &Visit)| visit.stream.is_some() && visit.entering.is_none();
        let idle: Vec<DeviceId> = self.devices.visits.0.iter().filter(idle).map(|(device, _)| *device).collect();
        idle.iter().for_each(|device| self.end_visit(device));
        self.devices.judge = true;
    }

    pub(super) fn visit_stream(&mut self, stream: StreamId, device: DeviceId) -> bool {
        let name = self.own_name();
        let visit = self.devices.visits.0.get_mut(&device);
        let Some(visit) = visit.filter(|visit| visit.ordered && visit.stream.is_none()) else { return false };
        visit.ordered = false;
        visit.stream = Some((stream, Guest::new(weft_invitation::Config::default(), name)));
        self.visit_pump(device);
        true
    }

    pub(crate) fn visit_failed(&mut self, device: DeviceId) {
        let again = self.now + AGAIN;
        if let Some(visit) = self.devices.visits.0.get_mut(&device) {
            visit.ordered = false;
            visit.again = Some(again);
        }
    }

    /// The stream was closed: it may be that the sibling does not know this device yet.
    pub(super) fn visit_closed(&mut self, device: DeviceId, stream: StreamId) {
        let again = self.now + AGAIN;
        let connected = self.neighbours.contains_key(&device);
        let Some(visit) = self.devices.visits.0.get_mut(&device) else { return };
        if visit.stream.as_ref().is_some_and(|(at, _)| *at == stream) {
            let storing = visit.entering.take().filter(|entering| entering.room.is_some());
            *visit = Visit { again: connected.then_some(again), entering: storing, ..Visit::default() };
        }
        if !connected && visit.entering.is_none() {
            self.devices.visits.0.remove(&device);
        }
    }

    pub(super) fn visit_received(&mut self, device: DeviceId, stream: StreamId, frame: Bytes) -> bool {
        let now = self.now;
        let visit = self.devices.visits.0.get_mut(&device);
        let Some((_, guest)) = visit.and_then(|visit| visit.stream.as_mut()).filter(|(at, _)| *at == stream) else {
            return false;
        };
        guest.handle_input(now, GuestInput::Received(frame));
        self.visit_pump(device);
        true
    }

    fn visit_pump(&mut self, device: DeviceId) {
        loop {
            let Some(visit) = self.devices.visits.0.get_mut(&device) else { return };
            let Some((stream, guest)) = &mut visit.stream else { return };
            let stream = *stream;
            let Some(output) = guest.poll_output() else { break };
            match output {
                GuestOutput::Send(frame) => self.outbox.push(Output::Send { stream, frame }),
                GuestOutput::Told(spaces) => {
                    visit.told = Some(spaces);
                    visit.refused.clear();
                }
                GuestOutput::Refused(_) => {
                    let asked = visit.entering.take();
                    visit.refused.extend(asked.map(|entering| entering.space));
                }
                GuestOutput::Bundle(parts) => {
                    if let Err(what) = self.enter_from_sibling(device, parts) {
                        self.visit_went_wrong(device, what);
                        return;
                    }
                }
                GuestOutput::Removed => {
                    self.was_told_removed(device);
                    return;
                }
                GuestOutput::Violated(violation) => {
                    self.visit_went_wrong(device, violation.to_string());
                    return;
                }
            }
        }
        self.ask_for_more(device);
    }

    fn visit_went_wrong(&mut self, device: DeviceId, what: String) {
        self.outbox.event(Event::Violated { device, what });
        self.visit_later(device);
    }

    pub(super) fn visit_later(&mut self, device: DeviceId) {
        self.end_visit(&device);
        let again = Some(self.now + AGAIN * 12);
        self.devices.visits.0.insert(device, Visit { again, ..Visit::default() });
    }

    /// Asks for the next space that the sibling holds and this device lacks: home first.
    fn ask_for_more(&mut self, device: DeviceId) {
        let home = self.devices.home;
        let entering: BTreeSet<SpaceId> =
            self.devices.visits.0.values().filter_map(|visit| Some(visit.entering.as_ref()?.space)).collect();
        if self.rooms.len() + entering.len() >= self.config.spaces_max {
            return;
        }
        let Some(visit) = self.devices.visits.0.get_mut(&device) else { return };
        let ready = visit.stream.as_ref().is_some_and(|(_, guest)| guest.is_open()) && visit.entering.is_none();
        let lacks = |space: &&SpaceId| {
            let deleted = self.deleted.former.contains_key(space);
            !self.rooms.contains_key(space) && !deleted && !entering.contains(space) && !visit.refused.contains(space)
        };
        let next =
            visit.told.iter().flatten().filter(lacks).min_by_key(|space| (Some(**space) != home, **space)).copied();
        let Some(space) = next.filter(|_| ready) else { return };
        let kept = self.devices.keys.get(&space).and_then(|sealed| local::open_keys(&self.me.device, sealed).ok());
        if let Some(keys) = kept {
            visit.entering = Some(Entering { space, keys, room: None });
            return self.ask_for(device);
        }
        let keys = compose::link_keys(&actor(&self.me), &space, &mut self.draws);
        let sealed = local::seal_keys(&self.me.device, &keys, self.draws.draw16());
        let writes = vec![local::link_keys_row(&space, Some(sealed.clone()))];
        self.devices.keys.insert(space, sealed);
        visit.entering = Some(Entering { space, keys, room: None });
        self.outbox.persist(Purpose::VisitKeep(device, space), Batch { writes, durable: true });
    }

    /// How many spaces that a sibling told of are not here; none when it told nothing.
    pub(super) fn lacking(&self, device: &DeviceId) -> Option<usize> {
        let told = self.devices.visits.0.get(device)?.told.as_ref()?;
        Some(told.iter().filter(|space| !self.rooms.contains_key(space)).count())
    }

    /// The keys are durable.
    pub(crate) fn visit_kept(&mut self, device: DeviceId, space: SpaceId) {
        let visit = self.devices.visits.0.get(&device);
        if visit.and_then(|visit| visit.entering.as_ref()).is_some_and(|entering| entering.space == space) {
            self.ask_for(device);
        }
    }

    fn ask_for(&mut self, device: DeviceId) {
        let now = self.now;
        let Some(visit) = self.devices.visits.0.get_mut(&device) else { return };
        if let (Some((_, guest)), Some(entering)) = (&mut visit.stream, &visit.entering) {
            let linked = compose::link(&actor(&self.me), entering.space, &entering.keys, device);
            guest.handle_input(now, GuestInput::Enter(Box::new(linked)));
            self.visit_pump(device);
        }
    }

    /// The store did not keep something of a space that is asked for.
    pub(crate) fn visit_not_kept(&mut self, device: DeviceId, space: SpaceId) {
        if let Some(visit) = self.devices.visits.0.get_mut(&device) {
            visit.entering = None;
            visit.refused.insert(space);
        }
    }

    /// Checks what the sibling gave, and orders it to be stored.
    fn enter_from_sibling(&mut self, device: DeviceId, parts: Vec<Part>) -> Result<(), String> {
        let (me, config) = (self.me.clone(), self.config.clone());
        let visit = self.devices.visits.0.get_mut(&device).expect("its stream spoke just now");
        let entering = visit.entering.as_mut().ok_or("a space that was not asked for")?;
        let space = entering.space;
        let (room, writes) = bundle::room_of(me, config, space, entering.keys.clone(), parts, None)?;
        let row = local::seal_keys(&self.me.device, &entering.keys, self.draws.draw16());
        let mut batch =
            vec![Write::Local { key: local::space_key(&space), value: Some(row) }, local::link_keys_row(&space, None)];
        if Some(space) == self.devices.home {
            batch.push(local::home_row(&space));
        }
        batch.extend(writes);
        entering.room = Some(Box::new(room));
        self.outbox.persist(Purpose::VisitEnter(device, space), Batch { writes: batch, durable: true });
        Ok(())
    }

    /// The space is durable.
    pub(crate) fn visit_entered(&mut self, device: DeviceId, space: SpaceId) {
        let visit = self.devices.visits.0.get_mut(&device);
        let entering = visit.and_then(|visit| visit.entering.take_if(|entering| entering.space == space));
        let Some(room) = entering.and_then(|entering| entering.room) else { return };
        self.devices.keys.remove(&space);
        self.open_room(*room);
        let now = self.now;
        self.rooms.get_mut(&space).expect("just opened").say_profile(now);
        self.ask_for_more(device);
    }

    pub(super) fn visits_wake(&mut self) {
        let now = self.now;
        let due = |at: Option<Time>| at.is_some_and(|at| at <= now);
        let devices: Vec<DeviceId> = self.devices.visits.0.keys().copied().collect();
        for device in devices {
            let sibling = self.is_sibling(&device) && self.neighbours.contains_key(&device);
            let Some(visit) = self.devices.visits.0.get_mut(&device) else { continue };
            if due(visit.again) {
                visit.again = None;
                match sibling {
                    true => self.visit(device),
                    false => self.end_visit(&device),
                }
            } else if let Some((_, guest)) = &mut visit.stream
                && due(guest.deadline())
            {
                guest.wake(now);
                self.visit_pump(device);
            }
        }
    }
}
