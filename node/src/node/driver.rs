//! The driver: one task that owns the peer and the swarm, and carries facts to the one and orders to the other.
//!
//! A turn takes every fact that is ready, then drains the orders. All that is to be written goes to the store in one order, so
//! it becomes one transaction. No decision is made here but whom to dial again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use libp2p::{
    Multiaddr, Swarm, identify,
    multiaddr::Protocol as Part,
    swarm::{ConnectionId, SwarmEvent},
};
use tokio::sync::{
    broadcast,
    mpsc::{Receiver, UnboundedReceiver},
    oneshot,
};
use weft_crypto::DeviceId;
use weft_machine::{Machine, Time};
use weft_peer::{
    Ask, Done, Input, Output, Peer, Ticket,
    command::{Answer, Command, Refusal},
    event::Event,
    store::Batch,
};

use super::{dialer::Dialer, jobs::Jobs, known::Acquaintances};
use crate::{
    behaviour::{self, Behaviour, StreamEvent},
    identity::{device_id, peer_id},
    meters::Meters,
    store::{Disk, Fact, Order, StoreError, Threads},
};

/// Facts that are taken before orders are drained. A guess: a burst of small appends becomes few transactions, and nobody
/// waits long.
const TURN_FACTS_MAX: usize = 256;
/// The wall clock is said to the peer again when it went another way than the monotonic one by this much.
const CLOCK_DRIFT_MS: u64 = 1_000;

/// What the handles ask of the driver.
pub(super) enum Request {
    Command(Box<Command>, oneshot::Sender<Result<Answer, Refusal>>),
    Stop,
}

/// Where facts come from, beside the swarm.
pub(super) struct Sources {
    pub(super) requests: Receiver<Request>,
    pub(super) stored: UnboundedReceiver<Fact>,
    pub(super) worked: UnboundedReceiver<(Ticket, Done)>,
}

/// The driver's parts.
pub(super) struct Driver {
    pub(super) peer: Peer,
    /// None when the node works without a network.
    pub(super) swarm: Option<Swarm<Behaviour>>,
    pub(super) dialer: Dialer,
    pub(super) acquaintances: Acquaintances,
    pub(super) store: Arc<Disk>,
    pub(super) threads: Threads,
    pub(super) jobs: Jobs,
    pub(super) events: broadcast::Sender<Event>,
    /// Where the node listens, for its handles.
    pub(super) listen: Arc<Mutex<Vec<Multiaddr>>>,
    pub(super) meters: Meters,
    pub(super) origin: Instant,
    pub(super) asked: BTreeMap<Ask, oneshot::Sender<Result<Answer, Refusal>>>,
    pub(super) asks: u64,
    /// The wall clock, in milliseconds since 1970.
    pub(super) wall: Wall,
    /// Wall clock less monotonic clock as the peer was told, in milliseconds.
    pub(super) clock_offset_ms: Option<u64>,
}

/// A wall clock: the system's, or one that a test sets.
pub(super) type Wall = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Why a driver ended.
pub(super) enum End {
    Asked,
    /// The store cannot be read or written any more.
    StoreFailed(StoreError),
}

/// A fact, wherever it came from.
#[allow(clippy::large_enum_variant, reason = "there is one at a time, on the stack")]
enum Ready {
    Swarm(SwarmEvent<behaviour::Event>),
    Stored(Fact),
    Worked(Ticket, Done),
    Request(Request),
    /// Every handle is gone.
    Abandoned,
    Due,
}

impl Driver {
    /// Runs until it is asked to stop, or the store fails.
    pub(super) async fn run(mut self, mut sources: Sources) -> End {
        let end = loop {
            if let Some(end) = self.drain() {
                break end;
            }
            let mut ready = Some(self.next(&mut sources).await);
            // It may have been set meanwhile, or the machine was asleep: who judges an expiry has to know.
            self.read_clock();
            let mut end = None;
            for _ in 0..TURN_FACTS_MAX {
                let Some(fact) = ready.take().or_else(|| self.ready_now(&mut sources)) else { break };
                end = self.take(fact);
                if end.is_some() {
                    break;
                }
            }
            if let Some(end) = end {
                break end;
            }
        };
        // Whatever ended it: what is answered and ordered by now is carried out.
        self.drain();
        if let Some(mut swarm) = self.swarm.take() {
            let connected: Vec<_> = swarm.connected_peers().copied().collect();
            for peer in connected {
                // It may be gone by now.
                let _ = swarm.disconnect_peer_id(peer);
            }
            // Lets the connections say goodbye, as far as that needs no waiting.
            while swarm.next().now_or_never().is_some() {}
        }
        end
    }

    fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    async fn next(&mut self, sources: &mut Sources) -> Ready {
        let deadline = [self.peer.deadline(), self.dialer.deadline()].into_iter().flatten().min();
        let origin = self.origin;
        let due = async {
            match deadline {
                Some(deadline) => {
                    let at = origin.checked_add(deadline.saturating_since(Time::ZERO));
                    match at {
                        Some(at) => tokio::time::sleep_until(at.into()).await,
                        None => std::future::pending().await,
                    }
                }
                None => std::future::pending().await,
            }
        };
        let swarm = async {
            match &mut self.swarm {
                Some(swarm) => swarm.select_next_some().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(fact) = sources.stored.recv() => Ready::Stored(fact),
            event = swarm => Ready::Swarm(event),
            request = sources.requests.recv() => request.map_or(Ready::Abandoned, Ready::Request),
            Some((ticket, done)) = sources.worked.recv() => Ready::Worked(ticket, done),
            () = due => Ready::Due,
        }
    }

    fn ready_now(&mut self, sources: &mut Sources) -> Option<Ready> {
        if let Ok(fact) = sources.stored.try_recv() {
            return Some(Ready::Stored(fact));
        }
        if let Ok((ticket, done)) = sources.worked.try_recv() {
            return Some(Ready::Worked(ticket, done));
        }
        if let Some(Some(event)) = self.swarm.as_mut().and_then(|swarm| swarm.next().now_or_never()) {
            return Some(Ready::Swarm(event));
        }
        sources.requests.try_recv().ok().map(Ready::Request)
    }

    // ---- facts -----------------------------------------------------------------------------------------------------

    fn tell(&mut self, input: Input) {
        let now = self.now();
        self.peer.handle_input(now, input);
    }

    fn take(&mut self, ready: Ready) -> Option<End> {
        match ready {
            Ready::Swarm(event) => self.swarm_event(event),
            Ready::Stored(fact) => return self.stored(fact),
            Ready::Worked(ticket, done) => {
                self.jobs.finished();
                self.tell(Input::Worked { ticket, done });
            }
            Ready::Request(Request::Command(command, answer)) => self.command(*command, answer),
            Ready::Request(Request::Stop) | Ready::Abandoned => return Some(End::Asked),
            Ready::Due => {
                let now = self.now();
                self.peer.wake(now);
            }
        }
        None
    }

    fn command(&mut self, command: Command, answer: oneshot::Sender<Result<Answer, Refusal>>) {
        let ask = Ask(self.asks);
        self.asks += 1;
        self.asked.insert(ask, answer);
        self.tell(Input::Asked { ask, command });
    }

    /// Opening found a part of a feed that is not what was signed.
    pub(super) fn found(&mut self, damage: weft_peer::Damage) {
        self.tell(Input::Damaged { damage });
    }

    /// Says to the peer what the wall clock shows, if it does not know.
    pub(super) fn read_clock(&mut self) {
        let unix_ms = (self.wall)();
        let offset = unix_ms.wrapping_sub(self.now().as_micros() / 1_000);
        let drift = self.clock_offset_ms.map(|known| offset.wrapping_sub(known).cast_signed().unsigned_abs());
        if drift.is_none_or(|drift| drift >= CLOCK_DRIFT_MS) {
            self.clock_offset_ms = Some(offset);
            self.tell(Input::ClockRead { unix_ms });
        }
    }

    fn stored(&mut self, fact: Fact) -> Option<End> {
        self.threads.heard(&fact);
        match fact {
            Fact::Written { tickets, result } => self.written(tickets, result),
            Fact::Broken { error } => Some(End::StoreFailed(error)),
            Fact::Damaged { damage } => {
                self.tell(Input::Damaged { damage: *damage });
                None
            }
            Fact::Loaded { ticket, result: Ok(rows) } => {
                self.tell(Input::WasLoaded { ticket, rows });
                None
            }
            // To go on as if there were no rows would write over what is there.
            Fact::Loaded { result: Err(error), .. } => Some(End::StoreFailed(error)),
            Fact::Read { ticket, result } => {
                self.tell(Input::WasRead { ticket, result });
                None
            }
        }
    }

    fn written(&mut self, tickets: Vec<Ticket>, result: Result<(), StoreError>) -> Option<End> {
        for ticket in tickets {
            self.tell(match &result {
                Ok(()) => Input::Persisted { ticket },
                Err(error) => Input::PersistFailed { ticket, reason: error.to_string() },
            });
        }
        match result {
            Ok(()) => None,
            // The disk is full, or would not: it may take the next one, and what is there can be read.
            Err(StoreError::Disk(error)) => {
                tracing::error!(%error, "the disk refused a write: nothing acknowledged is lost; make room on it");
                None
            }
            // The application hears its refusals before everything stops: the orders are carried out once more.
            Err(error) => Some(End::StoreFailed(error)),
        }
    }

    fn swarm_event(&mut self, event: SwarmEvent<behaviour::Event>) {
        match event {
            SwarmEvent::Behaviour(behaviour::Event::Streams(event)) => self.stream_event(event),
            SwarmEvent::Behaviour(behaviour::Event::Identify(event)) => {
                if let identify::Event::Received { peer_id, info, .. } = *event {
                    let rows = self.acquaintances.heard(peer_id, info.listen_addrs, (self.wall)());
                    self.remember(rows);
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.meters.connected(endpoint.get_remote_address(), endpoint.is_dialer());
                self.dialer.established(connection_id, peer_id);
                if endpoint.is_dialer() {
                    let without_peer =
                        endpoint.get_remote_address().iter().filter(|part| !matches!(part, Part::P2p(_)));
                    let rows = self.acquaintances.heard(peer_id, [without_peer.collect()], (self.wall)());
                    self.remember(rows);
                }
            }
            SwarmEvent::ConnectionClosed { endpoint, .. } => self.meters.disconnected(endpoint.get_remote_address()),
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.dial_failed(connection_id, error.to_string());
            }
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => self.say_where(),
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                tracing::warn!(?addresses, ?reason, "the node does not listen there any more");
                self.say_where();
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a connection could not be accepted"),
            _ => {}
        }
    }

    fn stream_event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Connected { peer } => match device_id(&peer) {
                Some(device) => self.tell(Input::Connected { device }),
                None => self.disconnect(peer, "its key is no device key"),
            },
            StreamEvent::Disconnected { peer } => {
                let now = self.now();
                let gone = self.swarm.as_ref().is_none_or(|swarm| !swarm.is_connected(&peer));
                if gone {
                    self.dialer.disconnected(now, peer);
                    self.acquaintances.disconnected(&peer);
                }
                if let Some(device) = device_id(&peer) {
                    self.tell(Input::Disconnected { device });
                }
            }
            StreamEvent::StreamOpened { stream, peer, protocol, opener } => {
                if let Some(device) = device_id(&peer) {
                    self.tell(Input::StreamOpened { stream, device, protocol, opener });
                }
            }
            StreamEvent::StreamFailed { peer, protocol, reason } => {
                if let Some(device) = device_id(&peer) {
                    self.tell(Input::StreamFailed { device, protocol, reason });
                }
            }
            StreamEvent::Frames { stream, frames, permit } => {
                self.meters.frames("in", frames.len(), frames.iter().map(Bytes::len).sum());
                for frame in frames {
                    self.tell(Input::Received { stream, frame });
                }
                drop(permit);
            }
            StreamEvent::Violated { peer, what } => {
                if let Some(device) = device_id(&peer) {
                    self.event(Event::Violated { device, what });
                }
            }
            StreamEvent::StreamClosed { stream, reason } => {
                tracing::debug!(?stream, reason, "a stream ended");
                self.tell(Input::StreamClosed { stream });
            }
        }
    }

    fn dial_failed(&mut self, connection: ConnectionId, reason: String) {
        self.meters.dial_failed();
        let now = self.now();
        if let Some(device) = self.dialer.failed(now, connection).and_then(|peer| device_id(&peer)) {
            self.tell(Input::DialFailed { device, reason });
        }
    }

    fn say_where(&self) {
        let Some(swarm) = &self.swarm else { return };
        let listeners = swarm.listeners().cloned().collect();
        *self.listen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = listeners;
    }

    fn remember(&self, rows: Vec<super::known::Row>) {
        if !rows.is_empty()
            && let Err(error) = self.store.set_node_rows(rows)
        {
            tracing::warn!(%error, "a peer's addresses could not be remembered");
        }
    }

    // ---- orders ----------------------------------------------------------------------------------------------------

    /// Carries out every order that there is, and every one that comes of a write that is done at once.
    pub(super) fn drain(&mut self) -> Option<End> {
        let mut end = None;
        loop {
            let mut batches = Vec::new();
            while let Some(order) = self.peer.poll_output() {
                self.carry_out(order, &mut batches);
            }
            if batches.is_empty() || end.is_some() {
                break;
            }
            if let Some((tickets, result)) = self.threads.write(batches) {
                end = self.written(tickets, result);
            }
        }
        self.dial();
        end
    }

    fn carry_out(&mut self, order: Output, batches: &mut Vec<(Ticket, Batch)>) {
        match order {
            Output::Send { stream, frame } => {
                self.meters.frames("out", 1, frame.len());
                self.with_swarm(|swarm| swarm.behaviour_mut().streams.send(stream, frame))
            }
            Output::Persist { ticket, batch } => batches.push((ticket, batch)),
            Output::Read { ticket, feed, from, bytes_max } => {
                self.threads.order(Order::Read { ticket, feed, from, bytes_max });
            }
            Output::Load { ticket, space, table, rows } => {
                // Loads see what was ordered before them.
                if !batches.is_empty() {
                    self.threads.order(Order::Write { batches: std::mem::take(batches) });
                }
                self.threads.order(Order::Load { ticket, space, table, rows });
            }
            Output::Work { ticket, job } => {
                if let Some(done) = self.jobs.run(ticket, job) {
                    self.tell(Input::Worked { ticket, done });
                }
            }
            Output::OpenStream { device, protocol } => {
                self.with_swarm(|swarm| swarm.behaviour_mut().streams.open(peer_id(&device), protocol));
            }
            Output::CloseStream { stream } => self.with_swarm(|swarm| swarm.behaviour_mut().streams.close(stream)),
            Output::Dial { device, addresses } => self.dial_once(device, &addresses),
            Output::Disconnect { device, reason } => self.disconnect(peer_id(&device), &reason),
            Output::Answer { ask, result } => {
                if let Some(asked) = self.asked.remove(&ask) {
                    // Who asked may have gone away.
                    let _ = asked.send(result);
                }
            }
            Output::Event(event) => self.event(event),
        }
    }

    fn with_swarm(&mut self, act: impl FnOnce(&mut Swarm<Behaviour>)) {
        if let Some(swarm) = &mut self.swarm {
            act(swarm);
        }
    }

    fn disconnect(&mut self, peer: libp2p::PeerId, reason: &str) {
        tracing::info!(%peer, reason, "disconnecting");
        self.with_swarm(|swarm| {
            // It may be gone by now.
            let _ = swarm.disconnect_peer_id(peer);
        });
    }

    fn dial_once(&mut self, device: DeviceId, addresses: &[String]) {
        let (now, peer) = (self.now(), peer_id(&device));
        let mut addresses: Vec<Multiaddr> = addresses.iter().filter_map(|address| address.parse().ok()).collect();
        // A link holds the addresses of all its hosts.
        addresses.retain(|address| match address.iter().last() {
            Some(libp2p::multiaddr::Protocol::P2p(of)) => of == peer,
            _ => true,
        });
        addresses.extend(self.acquaintances.addresses(&peer));
        if self.swarm.is_none() {
            self.tell(Input::DialFailed { device, reason: "this node works without a network".to_owned() });
        } else if addresses.is_empty() {
            self.tell(Input::DialFailed { device, reason: "no address of it is known".to_owned() });
        } else {
            self.dialer.once(now, peer, addresses);
        }
    }

    fn dial(&mut self) {
        let now = self.now();
        while let Some(options) = self.swarm.is_some().then(|| self.dialer.poll(now)).flatten() {
            let connection = options.connection_id();
            let refused = self.swarm.as_mut().and_then(|swarm| swarm.dial(options).err());
            if let Some(error) = refused {
                self.dial_failed(connection, error.to_string());
            }
        }
    }

    fn event(&mut self, event: Event) {
        match &event {
            Event::PeerHolds { device, .. } => {
                let peer = peer_id(device);
                let rows = self.acquaintances.is_member(peer, (self.wall)());
                if !rows.is_empty() {
                    let (now, addresses) = (self.now(), self.acquaintances.addresses(&peer));
                    self.dialer.keep(now, peer, addresses);
                    self.remember(rows);
                }
            }
            Event::Violated { device, what } => {
                tracing::warn!(%device, what, "a peer broke a rule");
                self.meters.violated(what);
                self.dialer.shun(peer_id(device));
            }
            Event::Quarantined { .. } => self.meters.quarantined(),
            Event::Damaged { space, feed, seq } => {
                tracing::error!(%space, %feed, seq, "an entry on this disk is not what was signed: it is fetched again");
            }
            Event::Mended { space, feed, seq } => {
                tracing::warn!(%space, %feed, seq, "a damaged entry is stored again as it was signed");
                // There may be more of it.
                self.threads.order(Order::Examine { feed: *feed });
            }
            Event::Stopped { space, feed } => {
                self.meters.forked();
                tracing::error!(%space, %feed, "a feed is forked and stays as it is held")
            }
            Event::Replaced { space, feed } => {
                tracing::warn!(%space, %feed, "of a forked feed the log that is kept took the place of the one held here");
            }
            Event::PeerConnected { device } => tracing::info!(peer = %peer_id(device), "a peer is connected"),
            Event::PeerDisconnected { device } => tracing::info!(peer = %peer_id(device), "a peer is gone"),
            Event::SpaceAdded { space } => tracing::info!(%space, "a space is here"),
            Event::SpaceRemoved { space } => tracing::info!(%space, "a space was deleted here"),
            Event::LevelChanged { space, level } => tracing::debug!(%space, level, "whether all have all changed"),
            _ => {}
        }
        // Nobody may be listening.
        let _ = self.events.send(event);
    }
}

/// What the wall clock shows, in milliseconds since 1970.
pub(super) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
