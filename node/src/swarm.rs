//! The swarm: transports and executor are chosen by whoever builds it, so that a simulator can bring its own.

use std::{io, time::Duration};

use libp2p::{
    Swarm, Transport,
    core::{muxing::StreamMuxerBox, transport::Boxed, upgrade},
    identity::{Keypair, PeerId},
    noise, quic,
    swarm::{self, Executor},
    tcp, yamux,
};

use crate::behaviour::{Behaviour, Config};

/// What a connection is made over: a transport whose connections are authenticated and carry many streams.
pub type Connections = Boxed<(PeerId, StreamMuxerBox)>;

/// How long a connection stays with no stream on it. A guess: longer than a door needs to open its first stream.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// QUIC: what one stream may have under way, in bytes: a window of a 100 Mbit/s path of 160 ms.
const STREAM_WINDOW_BYTES: u32 = 2 << 20;
/// QUIC: what one connection may have under way, in bytes.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// Streams that the other side may have open on one connection: six of ours, libp2p's own, and some under negotiation.
const INBOUND_STREAMS_MAX: u32 = 32;

/// A swarm on any transport and executor. Nothing in it reads tokio's clock.
pub fn on(
    connections: Connections,
    keypair: &Keypair,
    executor: impl Executor + Send + 'static,
    config: Config,
) -> Swarm<Behaviour> {
    let swarm_config = swarm::Config::with_executor(executor)
        .with_idle_connection_timeout(IDLE_TIMEOUT)
        .with_max_negotiating_inbound_streams(INBOUND_STREAMS_MAX as usize)
        .with_smart_dial();
    Swarm::new(connections, Behaviour::new(keypair, config), keypair.public().to_peer_id(), swarm_config)
}

/// The node's transports: QUIC v1, and TCP with Noise and Yamux.
pub fn quic_and_tcp(keypair: &Keypair) -> Result<Connections, io::Error> {
    let mut quic_config = quic::Config::new(keypair);
    quic_config.max_stream_data = STREAM_WINDOW_BYTES;
    quic_config.max_connection_data = CONNECTION_WINDOW_BYTES;
    quic_config.max_concurrent_stream_limit = INBOUND_STREAMS_MAX;
    let quic = quic::tokio::Transport::new(quic_config);

    // Yamux has no connection window to set; what is read is bounded by the streams' own credit.
    let mut yamux_config = yamux::Config::default();
    yamux_config.set_max_num_streams(2 * INBOUND_STREAMS_MAX as usize);
    let tcp = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(upgrade::Version::V1)
        .authenticate(noise::Config::new(keypair).map_err(io::Error::other)?)
        .multiplex(yamux_config)
        .timeout(Duration::from_secs(10));

    Ok(quic
        .or_transport(tcp)
        .map(|either, _| match either {
            futures::future::Either::Left((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
            futures::future::Either::Right((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
        })
        .boxed())
}
