//! A room is opened anew on what is durable, as at a start: a history that it had taken in is not there any more. Spec: PEER-4.2
//!
//! Sessions have claimed what is gone and doors were judged by it, so connections that have the space open begin anew. What was
//! ordered before comes back first; then the control feeds are read, and nobody notices but by a "try again" now and then.

use std::collections::VecDeque;

use weft_crypto::{DeviceId, FeedId, Purpose as FeedPurpose, SpaceId};
use weft_feed::Run;
use weft_replication::{ReadError, StoredRange};

use crate::{
    command::{Refusal, RefusalKind},
    host::PART_BYTES,
    outbox::Purpose,
    peer::Peer,
    room::Room,
};

/// The control feeds of a room, while they are read.
pub(crate) struct Reopening {
    /// Feeds that are not read yet, and how long they are.
    left: VecDeque<(FeedId, u64)>,
    read: Vec<(FeedId, Vec<Run>)>,
}

/// What is asked of a room meanwhile is refused.
pub(crate) fn reopening() -> Refusal {
    let message = "the space is opened anew: of a forked feed another history was put in place";
    Refusal::new(RefusalKind::Failed, "busy", message, "try again in a moment")
}

impl Peer {
    /// A room is to be opened anew.
    pub(crate) fn close_room(&mut self, space: SpaceId) {
        let open = self.neighbours.iter().filter(|(_, neighbour)| neighbour.open.contains_key(&space));
        let devices: Vec<DeviceId> = open.map(|(device, _)| *device).collect();
        for device in devices {
            self.end(device, "a space that both have open is opened anew".into());
        }
        let now = self.now;
        self.in_room(space, |room, outbox| room.close(now, outbox));
    }

    /// Begins to read for a room that is closed, once all that it ordered is done.
    pub(crate) fn reopen_room(&mut self, space: SpaceId) {
        let Some(room) = self.rooms.get(&space) else { return };
        if !room.is_closed() || !room.is_quiet() || self.reopenings.contains_key(&space) {
            return;
        }
        self.outbox.forget_room(space);
        let control = room.ledger.iter().filter(|(_, entry)| entry.manifest.purpose == FeedPurpose::Control);
        let held = control.map(|(feed, entry)| (*feed, entry.tree.length())).filter(|(_, length)| *length > 0);
        self.reopenings.insert(space, Reopening { left: held.collect(), read: Vec::new() });
        self.read_on_to_reopen(space);
    }

    /// Reads on, or opens the room.
    fn read_on_to_reopen(&mut self, space: SpaceId) {
        let Some(reopening) = self.reopenings.get_mut(&space) else { return };
        while let Some((feed, length)) = reopening.left.front().copied() {
            if reopening.read.last().is_none_or(|(last, _)| *last != feed) {
                reopening.read.push((feed, Vec::new()));
            }
            let runs = &reopening.read.last().expect("pushed just now").1;
            let from = runs.last().map_or(0, Run::end);
            if from < length {
                self.outbox.read(Purpose::RoomReopening(space, feed), feed, from, PART_BYTES);
                return;
            }
            reopening.left.pop_front();
        }
        let read = self.reopenings.remove(&space).map(|reopening| reopening.read).unwrap_or_default();
        if let Some(room) = self.rooms.remove(&space) {
            self.rooms.insert(space, room.reenter(self.now, read));
            self.busy_rooms.insert(space);
            self.judge_doors();
        }
    }

    pub(crate) fn read_to_reopen(&mut self, space: SpaceId, feed: FeedId, result: Result<Vec<StoredRange>, ReadError>) {
        let Some(reopening) = self.reopenings.get_mut(&space) else { return };
        let runs = reopening.read.iter_mut().find(|(read, _)| *read == feed).map(|(_, runs)| runs);
        match (result, runs) {
            (Ok(ranges), Some(runs)) if ranges.iter().any(|range| !range.runs.is_empty()) => {
                runs.extend(ranges.into_iter().flat_map(|range| range.runs));
                self.read_on_to_reopen(space);
            }
            (result, _) => {
                // Tried again like a write that failed; a control feed that stays unreadable ends the node.
                self.reopenings.remove(&space);
                let reason = result.err().map_or_else(|| "nothing was read".to_owned(), |error| error.to_string());
                let now = self.now;
                self.in_room(space, |room, _| room.store_failed = Some((reason, now)));
            }
        }
    }
}

impl Room {
    /// Nothing is on its way to the disk, and the disk can be read.
    fn is_quiet(&self) -> bool {
        self.persisting.is_empty() && self.derived.is_resting() && self.store_failed.is_none()
    }
}
