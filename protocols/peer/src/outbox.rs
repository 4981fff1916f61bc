//! Orders on their way to the driver, and what each ticket was for.

use std::collections::{BTreeMap, VecDeque};

use weft_crypto::{DeviceId, FeedId, InvitationKeyId, SpaceId};

use crate::{
    event::Event,
    io::{Ask, Output, StreamId, Ticket},
    job::Job,
    store::Batch,
};

/// What an order was for, so that the fact that answers it finds its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Feed entries or private rows of a room became durable.
    RoomPersist(SpaceId),
    /// Derived rows of a room were written.
    RoomDerived(SpaceId),
    /// The order of a room reads on.
    RoomRead(SpaceId, FeedId),
    /// A length between heads gets its name.
    RoomName(SpaceId),
    /// Entries of a feed in a circle.
    RoomCircle(SpaceId),
    /// A history is compared with another one of the same feed.
    RoomFork(SpaceId, FeedId),
    /// A room is opened anew: its control feeds are read.
    RoomReopening(SpaceId, FeedId),
    /// An application reads records.
    RoomRecords(SpaceId),
    /// ECHO loads rows.
    RoomLoad(SpaceId),
    /// Bodies are opened.
    RoomOpen(SpaceId),
    /// An object is made again: a feed is read.
    RoomReread(SpaceId, FeedId),
    /// An object is made again: bodies are opened.
    RoomReopen(SpaceId),
    /// A session reads what it serves.
    SessionRead(DeviceId),
    /// A session verifies what arrived.
    SessionWork(DeviceId),
    /// A host gathers the control feeds for a newcomer.
    HostRead(StreamId),
    /// A new space becomes durable.
    Found(SpaceId),
    /// A space is deleted.
    Delete(SpaceId),
    /// A newcomer keeps its redemption before it sends it.
    JoinKeep(SpaceId),
    /// A newcomer keeps what it was given.
    JoinEnter(SpaceId),
    /// A device link becomes durable.
    LinkMade(InvitationKeyId),
    /// Who used a device link becomes durable.
    LinkUsed(StreamId, InvitationKeyId),
    /// That so many links were taken back becomes durable.
    LinksCancelled(Ask, usize),
    /// What is known of devices is kept; nobody waits.
    Devices,
    /// The same, and an application waits.
    DeviceAsk(Ask),
    /// That a device is to be removed becomes durable.
    DeviceRemoved(Ask, DeviceId),
    /// The control feeds for a sibling are gathered.
    SiblingRead(StreamId),
    /// Keys for a space that a sibling is asked for are kept.
    VisitKeep(DeviceId, SpaceId),
    /// A space that a sibling gave is kept.
    VisitEnter(DeviceId, SpaceId),
}

impl Purpose {
    /// The room for which it was.
    fn room(&self) -> Option<SpaceId> {
        match self {
            Purpose::RoomPersist(space)
            | Purpose::RoomDerived(space)
            | Purpose::RoomRead(space, _)
            | Purpose::RoomName(space)
            | Purpose::RoomCircle(space)
            | Purpose::RoomFork(space, _)
            | Purpose::RoomReopening(space, _)
            | Purpose::RoomRecords(space)
            | Purpose::RoomLoad(space)
            | Purpose::RoomOpen(space)
            | Purpose::RoomReread(space, _)
            | Purpose::RoomReopen(space) => Some(*space),
            _ => None,
        }
    }
}

/// Orders on their way, in order.
#[derive(Default)]
pub(crate) struct Outbox {
    next: u64,
    queue: VecDeque<Output>,
    purposes: BTreeMap<Ticket, Purpose>,
}

impl Outbox {
    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    fn ticket(&mut self, purpose: Purpose) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.purposes.insert(ticket, purpose);
        ticket
    }

    /// The purpose of a ticket, once: a second fact with it finds nothing.
    pub(crate) fn redeem(&mut self, ticket: Ticket) -> Option<Purpose> {
        self.purposes.remove(&ticket)
    }

    /// Nobody waits any more for what was ordered for a room.
    pub(crate) fn forget_room(&mut self, space: SpaceId) {
        self.purposes.retain(|_, purpose| purpose.room() != Some(space));
    }

    pub(crate) fn persist(&mut self, purpose: Purpose, batch: Batch) -> Ticket {
        let ticket = self.ticket(purpose);
        self.push(Output::Persist { ticket, batch });
        ticket
    }

    pub(crate) fn read(&mut self, purpose: Purpose, feed: FeedId, from: u64, bytes_max: usize) -> Ticket {
        let ticket = self.ticket(purpose);
        self.push(Output::Read { ticket, feed, from, bytes_max });
        ticket
    }

    pub(crate) fn load(&mut self, space: SpaceId, table: u8, rows: crate::io::Rows) -> Ticket {
        let ticket = self.ticket(Purpose::RoomLoad(space));
        self.push(Output::Load { ticket, space, table, rows });
        ticket
    }

    pub(crate) fn work(&mut self, purpose: Purpose, job: Job) -> Ticket {
        let ticket = self.ticket(purpose);
        self.push(Output::Work { ticket, job });
        ticket
    }
}
