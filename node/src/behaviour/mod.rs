//! What a node says and hears on its connections: Weft's own streams beside libp2p's identify and ping.
//!
//! The protocols themselves are machines in `protocols/`; this module only carries their frames. It knows no clock but
//! libp2p's own timers and starts no task, so a simulator can run it on a transport and in a time of its own.

mod config;
mod framed;
mod gate;
mod handler;
mod route;
mod streams;
#[cfg(test)]
mod tests;

use std::convert::Infallible;

use libp2p::{
    connection_limits::{self, ConnectionLimits},
    identify,
    identity::Keypair,
    ping,
    swarm::NetworkBehaviour,
};

pub use config::Config;
pub use framed::End;
pub use gate::Permit;
pub use streams::{Event as StreamEvent, Streams};

/// Connections to one peer: the two that cross when both dial over QUIC and TCP at once.
const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Connections at all. A guess: an idle connection costs about 80 KiB.
const CONNECTIONS_MAX: u32 = 512;
/// Handshakes under way that others began. A guess: each costs a signature.
const HANDSHAKES_MAX: u32 = 64;

/// Everything that runs on a connection.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "Event")]
pub struct Behaviour {
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    /// Weft's own streams.
    pub streams: Streams,
}

/// What happened on a connection.
#[derive(Debug)]
pub enum Event {
    /// On Weft's own streams.
    Streams(StreamEvent),
    /// Somebody said who they are and where they listen.
    Identify(Box<identify::Event>),
    /// Nothing that a driver acts upon.
    Other,
}

impl From<StreamEvent> for Event {
    fn from(event: StreamEvent) -> Event {
        Event::Streams(event)
    }
}

impl From<identify::Event> for Event {
    fn from(event: identify::Event) -> Event {
        Event::Identify(Box::new(event))
    }
}

impl From<ping::Event> for Event {
    fn from(_: ping::Event) -> Event {
        Event::Other
    }
}

impl From<Infallible> for Event {
    fn from(never: Infallible) -> Event {
        match never {}
    }
}

impl Behaviour {
    /// For the device with this key.
    #[must_use]
    pub fn new(keypair: &Keypair, config: Config) -> Behaviour {
        let limits = ConnectionLimits::default()
            .with_max_established(Some(CONNECTIONS_MAX))
            .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX))
            .with_max_pending_incoming(Some(HANDSHAKES_MAX));
        let identify = identify::Config::new("/weft/1".to_owned(), keypair.public())
            .with_agent_version(concat!("weft/", env!("CARGO_PKG_VERSION")).to_owned());
        Behaviour {
            limits: connection_limits::Behaviour::new(limits),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            streams: Streams::new(keypair.public().to_peer_id(), config),
        }
    }
}
