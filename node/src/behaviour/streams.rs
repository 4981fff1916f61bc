//! The streams of all connections: which connection carries a new one, and what the driver hears of them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandlerInEvent,
        ToSwarm,
        behaviour::{ConnectionClosed, ConnectionEstablished},
    },
};
use weft_peer::{Protocol, StreamId};

use super::{
    config::Config,
    gate::{Gate, Permit, Wish},
    handler::{Handler, Order, Report, Reported},
    route::{self, Route},
};

/// What the driver hears.
#[derive(Debug)]
pub enum Event {
    /// The first connection to the peer stands.
    Connected {
        /// The peer.
        peer: PeerId,
    },
    /// The last connection to the peer is gone, or the one that carried its streams; then `Connected` follows at once.
    Disconnected {
        /// The peer.
        peer: PeerId,
    },
    /// A stream stands.
    StreamOpened {
        /// Its name from now on.
        stream: StreamId,
        /// Who is at the other end.
        peer: PeerId,
        /// What it speaks.
        protocol: Protocol,
        /// Whether this side opened it.
        opener: bool,
    },
    /// A stream that was ordered could not be opened.
    StreamFailed {
        /// Whom it was ordered to.
        peer: PeerId,
        /// What it was to speak.
        protocol: Protocol,
        /// Why, for a person.
        reason: String,
    },
    /// Frames, without their length prefixes, in the order in which they were sent.
    Frames {
        /// On this stream.
        stream: StreamId,
        /// At least one.
        frames: Vec<Bytes>,
        /// To be dropped when they have been dealt with; until then they count as read ahead.
        permit: Permit,
    },
    /// The other side broke a rule that holds for every protocol: a frame that is too long, takes too long, or is not read.
    /// `StreamClosed` follows.
    Violated {
        /// Who.
        peer: PeerId,
        /// What was broken, with its section.
        what: String,
    },
    /// The stream is gone. Nothing is said of a stream that this side closed.
    StreamClosed {
        /// The stream.
        stream: StreamId,
        /// Why, for a person.
        reason: String,
    },
}

/// Opens, carries and ends the streams of Weft's protocols.
pub struct Streams {
    me: PeerId,
    config: Config,
    ids: Arc<AtomicU64>,
    routes: BTreeMap<PeerId, Vec<Route>>,
    streams: BTreeMap<StreamId, Entry>,
    pending: VecDeque<ToSwarm<Event, Order>>,
    waker: Option<Waker>,
}

struct Entry {
    peer: PeerId,
    connection: ConnectionId,
    protocol: Protocol,
    /// None while it is being opened.
    gate: Option<Arc<Gate>>,
}

impl Streams {
    /// No streams yet.
    #[must_use]
    pub fn new(me: PeerId, config: Config) -> Streams {
        Streams {
            me,
            config,
            ids: Arc::default(),
            routes: BTreeMap::new(),
            streams: BTreeMap::new(),
            pending: VecDeque::new(),
            waker: None,
        }
    }

    /// Opens a stream on the preferred connection. `StreamOpened` or `StreamFailed` follows.
    pub fn open(&mut self, peer: PeerId, protocol: Protocol) {
        let Some(connection) = self.routes.get(&peer).and_then(|routes| route::preferred(routes)) else {
            let reason = "not connected".to_owned();
            return self.tell(Event::StreamFailed { peer, protocol, reason });
        };
        let stream = StreamId(self.ids.fetch_add(1, Ordering::Relaxed));
        self.streams.insert(stream, Entry { peer, connection, protocol, gate: None });
        self.push(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: Order { stream, protocol },
        });
    }

    /// Sends a frame that begins with its length. On a stream that is gone it does nothing: `StreamClosed` has been or will be
    /// said.
    pub fn send(&mut self, stream: StreamId, frame: Bytes) {
        if let Some(gate) = self.streams.get(&stream).and_then(|entry| entry.gate.as_ref()) {
            gate.send(frame);
        }
    }

    /// Closes the stream once what was sent is out. Nothing more is said of it.
    pub fn close(&mut self, stream: StreamId) {
        if let Some(gate) = self.streams.remove(&stream).and_then(|entry| entry.gate) {
            gate.end(Wish::Close);
        }
    }

    /// Peers that are connected, in no meaning order.
    pub fn peers(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.routes.keys().copied()
    }

    /// Whether there is a connection to the peer.
    #[must_use]
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.routes.contains_key(peer)
    }

    fn tell(&mut self, event: Event) {
        self.push(ToSwarm::GenerateEvent(event));
    }

    fn push(&mut self, order: ToSwarm<Event, Order>) {
        self.pending.push_back(order);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn established(&mut self, peer: PeerId, route: Route) {
        let routes = self.routes.entry(peer).or_default();
        let replaced = routes.iter().filter(|old| old.is_replaced_by(&route, self.config.replaced_after));
        let replaced: Vec<ConnectionId> = replaced.map(|old| old.connection).collect();
        routes.push(route);
        if routes.len() == 1 {
            self.tell(Event::Connected { peer });
        }
        for connection in replaced.into_iter().map(CloseConnection::One) {
            self.push(ToSwarm::CloseConnection { peer_id: peer, connection });
        }
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId) {
        let Some(routes) = self.routes.get_mut(&peer) else { return };
        routes.retain(|route| route.connection != connection);
        let last = routes.is_empty();
        if last {
            self.routes.remove(&peer);
        }
        let carried = self.streams.values().any(|entry| entry.connection == connection);
        if last || carried {
            // Sessions belong to the peer: they begin anew together, on what is left.
            self.drop_streams(peer);
            self.tell(Event::Disconnected { peer });
        }
        if carried && !last {
            self.tell(Event::Connected { peer });
        }
    }

    fn drop_streams(&mut self, peer: PeerId) {
        let of_peer: Vec<StreamId> =
            self.streams.iter().filter(|(_, entry)| entry.peer == peer).map(|(stream, _)| *stream).collect();
        for stream in of_peer {
            let Some(entry) = self.streams.remove(&stream) else { continue };
            let reason = "the connection is gone".to_owned();
            match entry.gate {
                Some(gate) => {
                    gate.end(Wish::Drop);
                    self.tell(Event::StreamClosed { stream, reason });
                }
                None => self.tell(Event::StreamFailed { peer, protocol: entry.protocol, reason }),
            }
        }
    }

    fn reported(&mut self, peer: PeerId, connection: ConnectionId, report: Reported) {
        match report {
            Reported::Opened { stream, protocol, opener, gate } => {
                if opener && !self.streams.contains_key(&stream) {
                    // Given up while it was being opened.
                    return gate.end(Wish::Drop);
                }
                self.streams.insert(stream, Entry { peer, connection, protocol, gate: Some(gate) });
                self.tell(Event::StreamOpened { stream, peer, protocol, opener });
            }
            Reported::Failed { stream, reason } => {
                if let Some(entry) = self.streams.remove(&stream) {
                    self.tell(Event::StreamFailed { peer, protocol: entry.protocol, reason });
                }
            }
            Reported::Frames { stream, frames, permit } => {
                if self.streams.contains_key(&stream) {
                    self.tell(Event::Frames { stream, frames, permit });
                }
            }
            Reported::Closed { stream, end } => {
                if self.streams.remove(&stream).is_some() {
                    if end.is_violation() {
                        self.tell(Event::Violated { peer, what: end.to_string() });
                    }
                    self.tell(Event::StreamClosed { stream, reason: end.to_string() });
                }
            }
        }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _connection: ConnectionId,
        _peer: PeerId,
        _local: &Multiaddr,
        _remote: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler::new(self.config.clone(), Arc::clone(&self.ids)))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _connection: ConnectionId,
        _peer: PeerId,
        _address: &Multiaddr,
        _role: Endpoint,
        _port: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler::new(self.config.clone(), Arc::clone(&self.ids)))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. }) => {
                self.established(peer_id, Route::new(connection_id, self.me, peer_id, endpoint));
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.closed(peer_id, connection_id)
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, report: Report) {
        self.reported(peer, connection, report.0);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        match self.pending.pop_front() {
            Some(order) => Poll::Ready(order),
            None => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
