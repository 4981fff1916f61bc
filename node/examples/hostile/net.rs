//! A connection to a node, and streams of frames on it: a plain libp2p swarm, and nothing of Weft's own above it.

use std::time::Duration;

use bytes::Bytes;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder,
    identity::Keypair,
    noise,
    swarm::{SwarmEvent, dial_opts::DialOpts},
    tcp, yamux,
};
use libp2p_stream::{Behaviour, Control, IncomingStreams};
use prost::Message;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use weft_crypto::{DeviceId, DeviceKey};
use weft_wire::frame::Decoder;

use crate::Failed;

/// How long anything may take. Long, because machines are slow and busy; never waited for in full when things go well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// `/weft/space/1`.
pub(crate) const DOOR: StreamProtocol = StreamProtocol::new("/weft/space/1");
/// `/weft/invitation/1`.
pub(crate) const INVITATION: StreamProtocol = StreamProtocol::new("/weft/invitation/1");
/// `/weft/replication/1`.
pub(crate) const REPLICATION: StreamProtocol = StreamProtocol::new("/weft/replication/1");
/// Everything that a node speaks.
pub(crate) const PROTOCOLS: [StreamProtocol; 3] = [DOOR, INVITATION, REPLICATION];

/// What an attack goes over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Transport {
    Quic,
    Tcp,
}

impl Transport {
    /// By its name on the command line.
    pub(crate) fn named(name: &str) -> Result<Transport, Failed> {
        match name {
            "quic" => Ok(Transport::Quic),
            "tcp" => Ok(Transport::Tcp),
            _ => Err(format!("no transport {name}").into()),
        }
    }

    /// Of several addresses the one for it.
    pub(crate) fn choose<'a>(self, addresses: impl IntoIterator<Item = &'a String>) -> Result<String, Failed> {
        let part = match self {
            Transport::Quic => "/quic-v1",
            Transport::Tcp => "/tcp/",
        };
        let found = addresses.into_iter().find(|address| address.contains(part));
        Ok(found.ok_or_else(|| format!("no address for {self:?}"))?.clone())
    }

    fn loopback(self) -> Multiaddr {
        let address = match self {
            Transport::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
            Transport::Tcp => "/ip4/127.0.0.1/tcp/0",
        };
        address.parse().expect("an address")
    }
}

/// One connection to a node. It ends when this is dropped.
pub(crate) struct Net {
    control: Control,
    node: PeerId,
    doors: IncomingStreams,
    invitations: IncomingStreams,
    replications: IncomingStreams,
    gone: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Drop for Net {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Net {
    /// Connects a device to a node.
    pub(crate) async fn connect(device: &DeviceKey, address: &str) -> Result<Net, Failed> {
        let mut swarm = swarm(device)?;
        swarm.dial(DialOpts::unknown_peer_id().address(address.parse()?).build())?;
        Waiting::start(swarm)?.connected().await
    }

    /// Waits for somebody to connect: the address, and who waits.
    pub(crate) async fn listen(device: &DeviceKey, transport: Transport) -> Result<(Multiaddr, Waiting), Failed> {
        let mut swarm = swarm(device)?;
        swarm.listen_on(transport.loopback())?;
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                return Ok((address, Waiting::start(swarm)?));
            }
        }
    }

    /// The device at the other end.
    pub(crate) fn node(&self) -> DeviceId {
        let key = libp2p::identity::PublicKey::try_decode_protobuf(self.node.as_ref().digest());
        let key = key.ok().and_then(|key| key.try_into_ed25519().ok()).expect("a node's PeerId is its device key");
        DeviceId::from_bytes(key.to_bytes())
    }

    /// Opens a stream; an error when the node does not take it.
    pub(crate) async fn open(&mut self, protocol: StreamProtocol) -> Result<Framed, Failed> {
        Ok(Framed::new(timeout(PATIENCE, self.control.open_stream(self.node, protocol)).await??))
    }

    /// The door stream that the node opens.
    pub(crate) async fn door(&mut self) -> Result<Framed, Failed> {
        let (_, stream) = timeout(PATIENCE, self.doors.next()).await?.ok_or("no more streams")?;
        Ok(Framed::new(stream))
    }

    /// The next invitation stream that the node opens.
    pub(crate) async fn invitation(&mut self) -> Result<Framed, Failed> {
        let (_, stream) = timeout(PATIENCE, self.invitations.next()).await?.ok_or("no more streams")?;
        Ok(Framed::new(stream))
    }

    /// The replication stream that the node opens; none when it does not within `patience`.
    pub(crate) async fn replication_within(&mut self, patience: Duration) -> Option<Framed> {
        let (_, stream) = timeout(patience, self.replications.next()).await.ok()??;
        Some(Framed::new(stream))
    }

    /// Whether the node ended the connection, which is waited for.
    pub(crate) async fn ended_within(&mut self, patience: Duration) -> bool {
        timeout(patience, self.gone.wait_for(|gone| *gone)).await.is_ok_and(|gone| gone.is_ok())
    }
}

fn swarm(device: &DeviceKey) -> Result<Swarm<Behaviour>, Failed> {
    let mut seed = *device.seed();
    let keypair = Keypair::ed25519_from_bytes(&mut seed)?;
    Ok(SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_quic()
        .with_behaviour(|_| Behaviour::new())?
        .with_swarm_config(|config| config.with_idle_connection_timeout(2 * PATIENCE))
        .build())
}

/// A swarm that runs, before its connection stands.
pub(crate) struct Waiting {
    net: Net,
    is_connected: oneshot::Receiver<Result<PeerId, String>>,
}

impl Waiting {
    fn start(mut swarm: Swarm<Behaviour>) -> Result<Waiting, Failed> {
        let mut control = swarm.behaviour().new_control();
        let [doors, invitations, replications] =
            [control.accept(DOOR)?, control.accept(INVITATION)?, control.accept(REPLICATION)?];
        let (connected, is_connected) = oneshot::channel();
        let (ended, gone) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut connected = Some(connected);
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                        connected.take().map(|connected| connected.send(Ok(peer_id)));
                    }
                    SwarmEvent::OutgoingConnectionError { error, .. } => {
                        connected.take().map(|connected| connected.send(Err(error.to_string())));
                    }
                    SwarmEvent::ConnectionClosed { .. } => drop(ended.send(true)),
                    _ => {}
                }
            }
        });
        // Nobody's, until it stands.
        let node = PeerId::random();
        let net = Net { control, node, doors, invitations, replications, gone, task };
        Ok(Waiting { net, is_connected })
    }

    /// Waits until the connection stands.
    pub(crate) async fn connected(self) -> Result<Net, Failed> {
        let Waiting { mut net, is_connected } = self;
        net.node = timeout(PATIENCE, is_connected).await???;
        Ok(net)
    }
}

/// A stream of frames.
pub(crate) struct Framed {
    io: Stream,
    decoder: Decoder,
}

impl Framed {
    fn new(io: Stream) -> Framed {
        Framed { io, decoder: Decoder::new() }
    }

    /// Sends a message. An end of the stream is no failure: the node may have had enough before everything was said.
    pub(crate) async fn send(&mut self, message: &impl Message) {
        self.send_raw(&weft_wire::frame::encode(message)).await;
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        let sending = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        // As above; and a node that does not read on is what some attacks are about.
        let _ = timeout(PATIENCE, sending).await;
    }

    /// Sends bytes and says whether the stream took them within `patience`.
    pub(crate) async fn offer(&mut self, bytes: &[u8], patience: Duration) -> bool {
        matches!(timeout(patience, self.io.write_all(bytes)).await, Ok(Ok(())))
    }

    /// The next frame's payload; none when the stream ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failed> {
        loop {
            if let Some(frame) = self.decoder.next()? {
                return Ok(Some(frame));
            }
            let mut piece = vec![0; 64 << 10];
            match timeout(PATIENCE, self.io.read(&mut piece)).await? {
                Ok(0) | Err(_) => return Ok(None),
                Ok(count) => self.decoder.push(Bytes::copy_from_slice(&piece[..count])),
            }
        }
    }

    /// The next message of a protocol.
    pub(crate) async fn message<M: weft_wire::Bounded>(&mut self) -> Result<M, Failed> {
        let frame = self.next().await?.ok_or("the node closed the stream")?;
        Ok(weft_wire::decode(&frame)?)
    }

    /// Reads until the node ends the stream; the frames that came before.
    pub(crate) async fn rest(&mut self) -> Result<Vec<Bytes>, Failed> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await? {
            frames.push(frame);
        }
        Ok(frames)
    }
}
