//! A connected device: its door, its session, and the streams they run on.

use std::collections::{BTreeMap, BTreeSet};

use weft_crypto::{DeviceId, SpaceId};
use weft_machine::{Machine, Seed, Time};
use weft_replication::Session;
use weft_space::door::{self, Door};

use crate::io::StreamId;

/// A connected device.
pub(crate) struct Neighbour {
    pub(crate) device: DeviceId,
    /// This side opens the door and the session (PEER-1.1).
    pub(crate) opener: bool,
    pub(crate) door: Option<(StreamId, Door)>,
    pub(crate) session: Session,
    pub(crate) replication: Option<StreamId>,
    /// A replication stream was ordered and has not come yet.
    pub(crate) replication_ordered: bool,
    /// Spaces whose door is open, with the number it gave.
    pub(crate) open: BTreeMap<SpaceId, u32>,
    /// Spaces where both hold the same.
    pub(crate) level: BTreeSet<SpaceId>,
    /// Tickets of the session behind tickets of the peer.
    pub(crate) reads: BTreeMap<crate::io::Ticket, weft_replication::Ticket>,
    pub(crate) works: BTreeMap<crate::io::Ticket, weft_replication::Ticket>,
}

impl Neighbour {
    pub(crate) fn new(me: DeviceId, device: DeviceId, seed: Seed) -> Neighbour {
        Neighbour {
            device,
            opener: me < device,
            door: None,
            session: Session::new(weft_replication::Config::default(), me, device, seed),
            replication: None,
            replication_ordered: false,
            open: BTreeMap::new(),
            level: BTreeSet::new(),
            reads: BTreeMap::new(),
            works: BTreeMap::new(),
        }
    }

    pub(crate) fn door_input(&mut self, now: Time, input: door::Input) {
        if let Some((_, door)) = &mut self.door {
            door.handle_input(now, input);
        }
    }

    pub(crate) fn door_output(&mut self) -> Option<door::Output> {
        self.door.as_mut().and_then(|(_, door)| door.poll_output())
    }

    /// When the door or the session wants to be woken.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let door = self.door.as_ref().and_then(|(_, door)| door.deadline());
        [door, self.session.deadline()].into_iter().flatten().min()
    }

    pub(crate) fn wake(&mut self, now: Time) {
        if let Some((_, door)) = &mut self.door
            && door.deadline().is_some_and(|at| at <= now)
        {
            door.wake(now);
        }
        if self.session.deadline().is_some_and(|at| at <= now) {
            self.session.wake(now);
        }
    }
}
