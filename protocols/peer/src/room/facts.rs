//! Facts that reach a room: what sessions bring, and what the driver has done.

use std::sync::Arc;

use bytes::Bytes;
use weft_crypto::{DeviceId, FeedId, Head, Purpose as FeedPurpose, Root};
use weft_feed::VerifiedRange;
use weft_machine::{Machine as _, Time};
use weft_replication::{ReadError, Refusal, StoredRange};

use super::{Effect, Persisting, Room, ledger::Offer};
use crate::{
    event::Event,
    io::{Output, Ticket},
    links, local,
    outbox::{Outbox, Purpose},
    store::{Batch, Write},
};

impl Room {
    /// A verified range: ordered to be stored if it continues what is held. Spec: PEER-2
    pub(crate) fn offer(
        &mut self,
        now: Time,
        device: DeviceId,
        session: weft_replication::Ticket,
        range: VerifiedRange,
        outbox: &mut Outbox,
    ) {
        let end = self.ledger.get(&range.feed()).and_then(|entry| entry.end);
        if end.is_some_and(|end| !end.leads_here(&range)) {
            self.sources.led_astray(now, device, range.feed());
            self.effects.push_back(Effect::Persisted(device, session));
            return;
        }
        if self.ledger.takes(&range) && !self.quarantine.take(&range.feed(), range.end(), range.bytes() as u64) {
            self.sources.full(range.feed(), true);
            self.effects.push_back(Effect::Persisted(device, session));
            return;
        }
        match self.ledger.offer(&range) {
            Offer::Aside => self.effects.push_back(Effect::Persisted(device, session)),
            Offer::Order => {
                let range = Arc::new(range);
                let taken = self.sessions_elsewhere(&range);
                let writes = self.ledger.announced([Write::Range(range.clone())].into_iter().chain(taken));
                let batch = Batch { writes, durable: true };
                let ticket = outbox.persist(Purpose::RoomPersist(self.space), batch);
                self.persisting.insert(ticket, Persisting::Remote { device, session, range });
            }
        }
    }

    /// A peer says that it holds this much of a feed.
    pub(crate) fn learned(&mut self, now: Time, device: DeviceId, feed: FeedId, length: u64, root: Root) {
        for own in [&mut self.control, &mut self.data] {
            if own.feed == feed {
                let held = own.length();
                own.elsewhere.claimed(now, device, length, held);
            }
        }
        self.sources.claimed(now, device, feed, length, root);
    }

    /// A peer sends nothing more of a feed.
    pub(crate) fn peer_refused(&mut self, now: Time, device: DeviceId, feed: FeedId, reason: Refusal) {
        for own in [&mut self.control, &mut self.data] {
            if own.feed == feed && reason == Refusal::NotHeld {
                own.elsewhere.not_held(device);
            }
        }
        self.sources.refused(now, device, feed);
        self.mending.refused(device, &feed);
        self.forks.refused(device, Some(&feed));
        self.suspected.refused(device, Some(&feed));
        if reason == Refusal::Contradicts {
            self.leads_elsewhere(device, &feed);
            self.suspect(device, feed);
        }
    }

    /// A head, signed by the feed's key, contradicts what is held. Spec: PEER-4
    pub(crate) fn stop(&mut self, now: Time, feed: FeedId, head: Head, outbox: &mut Outbox) {
        let Some(entry) = self.ledger.get_mut(&feed) else { return };
        if entry.is_forked() {
            return;
        }
        // What is on its way to the disk is held too.
        let length = entry.ordered;
        let row = Write::Local { key: local::stopped_key(&feed), value: Some(head.encode()) };
        entry.stopped = Some(head);
        self.clamp(&feed, length);
        self.persist_rows(Batch { writes: vec![row], durable: true }, outbox);
        self.sources.stopped(now, feed);
        self.forks.found(now, head);
        self.effects.push_back(Effect::Stopped(feed));
        outbox.event(Event::Stopped { space: self.space, feed });
    }

    /// Feed entries or private rows are durable.
    pub(crate) fn persisted(&mut self, now: Time, ticket: Ticket, outbox: &mut Outbox) {
        match self.persisting.remove(&ticket) {
            Some(Persisting::Remote { device, session, range }) => {
                let own = [self.control.feed, self.data.feed].contains(&range.feed());
                self.extended(now, range.clone(), outbox);
                if own {
                    let own = if range.feed() == self.control.feed { &mut self.control } else { &mut self.data };
                    own.is_overtaken();
                    own.elsewhere.came_back(now, range.end());
                }
                self.effects.push_back(Effect::Persisted(device, session));
            }
            Some(Persisting::Own { feed, ranges }) => {
                links::own::landed(self, feed, ticket, outbox);
                for range in ranges {
                    self.extended(now, range, outbox);
                }
            }
            Some(Persisting::Mend { feed }) => links::mending::written(self, feed, outbox),
            Some(Persisting::Replaced { feeds }) => self.replaced(feeds, outbox),
            Some(Persisting::Draft(change)) => self.changed_draft(change, outbox),
            Some(Persisting::PreKeys) => {
                self.pre_keys.written();
                self.upkeep.changed();
            }
            Some(Persisting::Session { ask, session }) => self.opened_session(ask, session, outbox),
            Some(Persisting::Newcomer(saying)) => self.newcomer_kept(saying, outbox),
            Some(Persisting::Rows) | None => {}
        }
    }

    pub(crate) fn persist_failed(&mut self, now: Time, ticket: Ticket, reason: &str, outbox: &mut Outbox) {
        self.store_failed = Some((reason.to_owned(), now));
        match self.persisting.remove(&ticket) {
            Some(Persisting::Remote { device, range, .. }) => {
                self.ledger.failed(&range.feed());
                self.holds_less(&range.feed());
                self.effects.push_back(Effect::Reset(device));
            }
            Some(Persisting::Own { feed, ranges }) => {
                ranges.iter().for_each(|_| self.ledger.failed(&feed));
                self.holds_less(&feed);
                links::own::failed(self, now, feed, ticket, reason, outbox);
            }
            Some(Persisting::Mend { feed }) => self.mending.failed(now, &feed),
            Some(Persisting::Replaced { .. }) => self.reopening = None,
            Some(Persisting::Draft(change)) => self.draft_failed(change, reason, outbox),
            Some(Persisting::PreKeys) => self.pre_keys.not_kept(),
            Some(Persisting::Session { ask, .. }) => {
                outbox.push(Output::Answer { ask, result: Err(links::own::not_stored(reason)) });
            }
            Some(Persisting::Newcomer(saying)) => self.newcomer_not_kept(saying, reason, outbox),
            Some(Persisting::Rows) | None => {}
        }
    }

    pub(crate) fn derived_landed(&mut self, ticket: Ticket, outbox: &mut Outbox) {
        self.derived.landed(ticket, outbox);
    }

    pub(crate) fn derived_failed(&mut self, now: Time, ticket: Ticket, reason: String) {
        self.store_failed = Some((reason.clone(), now));
        self.derived.failed(ticket, reason);
    }

    pub(crate) fn was_read(&mut self, feed: FeedId, result: Result<Vec<StoredRange>, ReadError>) {
        let control = self.ledger.get(&feed).is_some_and(|entry| entry.manifest.purpose == FeedPurpose::Control);
        let order = if control { &mut self.control_order } else { &mut self.data_order };
        let ranges = result.unwrap_or_default();
        for range in &ranges {
            order.known(feed, range.head.length, range.head.root);
        }
        order.supply(feed, ranges.into_iter().flat_map(|range| range.runs).collect());
    }

    pub(crate) fn records_read(
        &mut self,
        ticket: Ticket,
        result: Result<Vec<StoredRange>, ReadError>,
        outbox: &mut Outbox,
    ) {
        if let Some(reader) = self.readers.remove(&ticket) {
            let result = links::records::open(self, reader.feed, reader.from, reader.until, result);
            outbox.push(Output::Answer { ask: reader.ask, result });
        }
    }

    pub(crate) fn was_loaded(&mut self, now: Time, ticket: Ticket, rows: Vec<(Bytes, Bytes)>) {
        if let Some(ticket) = self.loads.remove(&ticket) {
            self.echo.handle_input(now, weft_echo::Input::Loaded { ticket, rows });
        }
    }

    pub(crate) fn opened(&mut self, ticket: Ticket, entries: Vec<crate::job::OpenedEntry>) {
        self.replay.opened(ticket, entries);
    }
}
