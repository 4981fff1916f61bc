//! One connection: opens and accepts streams, and passes on what comes in.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{
    future::{Ready, ready},
    task::AtomicWaker,
};
use libp2p::{
    InboundUpgrade, OutboundUpgrade, Stream,
    core::UpgradeInfo,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
        handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use weft_peer::{Protocol, StreamId};

use super::{
    config::Config,
    framed::{End, Framed},
    gate::{Gate, Permit},
};

/// The streams of one connection.
pub struct Handler {
    config: Config,
    task: Arc<AtomicWaker>,
    ids: Arc<AtomicU64>,
    streams: Vec<Framed<Stream>>,
    /// Where the next round over the streams begins, so that none starves.
    turn: usize,
    orders: VecDeque<Order>,
    reports: VecDeque<Report>,
}

/// A stream to open.
#[derive(Debug)]
pub struct Order {
    pub(super) stream: StreamId,
    pub(super) protocol: Protocol,
}

/// What happened on a connection.
pub struct Report(pub(super) Reported);

pub(super) enum Reported {
    Opened { stream: StreamId, protocol: Protocol, opener: bool, gate: Arc<Gate> },
    Failed { stream: StreamId, reason: String },
    Frames { stream: StreamId, frames: Vec<Bytes>, permit: Permit },
    Closed { stream: StreamId, end: End },
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reported::Opened { stream, protocol, opener, .. } => {
                write!(f, "Opened({stream:?}, {protocol:?}, opener: {opener})")
            }
            Reported::Failed { stream, reason } => write!(f, "Failed({stream:?}, {reason})"),
            Reported::Frames { stream, frames, .. } => write!(f, "Frames({stream:?}, {})", frames.len()),
            Reported::Closed { stream, end } => write!(f, "Closed({stream:?}, {end})"),
        }
    }
}

impl Handler {
    pub(super) fn new(config: Config, ids: Arc<AtomicU64>) -> Handler {
        Handler {
            config,
            task: Arc::new(AtomicWaker::new()),
            ids,
            streams: Vec::new(),
            turn: 0,
            orders: VecDeque::new(),
            reports: VecDeque::new(),
        }
    }

    fn opened(&mut self, id: StreamId, protocol: Protocol, opener: bool, io: Stream) {
        let gate = Gate::new(Arc::clone(&self.task), &self.config);
        self.streams.push(Framed::new(id, protocol, opener, io, Arc::clone(&gate), self.config.frame_timeout));
        self.reports.push_back(Report(Reported::Opened { stream: id, protocol, opener, gate }));
    }

    fn accepted(&mut self, protocol: Protocol, io: Stream) {
        let open = self.streams.iter().filter(|stream| !stream.opener && stream.protocol == protocol).count();
        if open >= self.config.inbound_per_protocol_max {
            // Dropping resets the stream; the other side has to end one of its own first.
            tracing::debug!(protocol = protocol.name(), "one stream too many was opened by the other side");
            return;
        }
        let id = StreamId(self.ids.fetch_add(1, Ordering::Relaxed));
        self.opened(id, protocol, false, io);
    }

    fn poll_streams(&mut self, cx: &mut Context<'_>) -> Poll<Report> {
        for step in 0..self.streams.len() {
            let place = (self.turn + step) % self.streams.len();
            let stream = &mut self.streams[place];
            let id = stream.id;
            match stream.poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok((frames, permit))) => {
                    self.turn = place + 1;
                    return Poll::Ready(Report(Reported::Frames { stream: id, frames, permit }));
                }
                Poll::Ready(Err(end)) => {
                    self.streams.remove(place);
                    return Poll::Ready(Report(Reported::Closed { stream: id, end }));
                }
            }
        }
        Poll::Pending
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Order;
    type ToBehaviour = Report;
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = StreamId;

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        SubstreamProtocol::new(Upgrade(None), ())
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Upgrade, StreamId, Report>> {
        self.task.register(cx.waker());
        if let Some(report) = self.reports.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(report));
        }
        if let Some(Order { stream, protocol }) = self.orders.pop_front() {
            let protocol = SubstreamProtocol::new(Upgrade(Some(protocol)), stream);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        self.poll_streams(cx).map(ConnectionHandlerEvent::NotifyBehaviour)
    }

    fn on_behaviour_event(&mut self, order: Order) {
        self.orders.push_back(order);
        self.task.wake();
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade, (), StreamId>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: (protocol, io), .. }) => {
                self.accepted(protocol, io);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (protocol, io),
                info: id,
            }) => {
                self.opened(id, protocol, true, io);
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: stream, error }) => {
                let reason = match error {
                    StreamUpgradeError::Timeout => "the other side did not answer in time".to_owned(),
                    StreamUpgradeError::NegotiationFailed => "the other side does not speak this protocol".to_owned(),
                    StreamUpgradeError::Io(error) => error.to_string(),
                    StreamUpgradeError::Apply(never) => match never {},
                };
                self.reports.push_back(Report(Reported::Failed { stream, reason }));
            }
            // An inbound stream that was never agreed upon, and news of protocols, concern nobody here.
            _ => {}
        }
    }
}

/// The protocols by name: one that is asked for, or all that are accepted.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade(Option<Protocol>);

/// A protocol with its name.
#[derive(Clone, Copy, Debug)]
pub struct Name(Protocol);

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.0.name()
    }
}

impl UpgradeInfo for Upgrade {
    type Info = Name;
    type InfoIter = Vec<Name>;

    fn protocol_info(&self) -> Vec<Name> {
        match self.0 {
            Some(protocol) => vec![Name(protocol)],
            None => Protocol::ALL.into_iter().map(Name).collect(),
        }
    }
}

impl InboundUpgrade<Stream> for Upgrade {
    type Output = (Protocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, io: Stream, name: Name) -> Self::Future {
        ready(Ok((name.0, io)))
    }
}

impl OutboundUpgrade<Stream> for Upgrade {
    type Output = (Protocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, io: Stream, name: Name) -> Self::Future {
        ready(Ok((name.0, io)))
    }
}
