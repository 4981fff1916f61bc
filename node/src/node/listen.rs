//! Beginning to listen, and saying clearly when another program was there first.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    time::Duration,
};

use futures::StreamExt;
use libp2p::{Multiaddr, Swarm, identity::Keypair, multiaddr::Protocol, swarm::SwarmEvent};

use super::StartError;
use crate::{
    behaviour::{self, Behaviour},
    swarm,
};

/// How long the addresses may take to become known. They are there at once but where an address has no interface.
const PATIENCE: Duration = Duration::from_millis(500);

/// A swarm on QUIC and TCP that listens at the addresses.
pub(super) async fn start(keypair: &Keypair, listen: &[Multiaddr]) -> Result<Swarm<Behaviour>, StartError> {
    let connections = swarm::quic_and_tcp(keypair).map_err(StartError::System)?;
    let executor = |task| {
        tokio::spawn(task);
    };
    let mut swarm = swarm::on(connections, keypair, executor, behaviour::Config::default());
    // All are looked at before the first is taken: a socket on every address of IPv6 would meet our own one of IPv4.
    listen.iter().try_for_each(look)?;
    let mut unknown = Vec::new();
    for address in listen {
        let listener = swarm
            .listen_on(address.clone())
            .map_err(|error| StartError::Listen { address: address.clone(), why: error.to_string() })?;
        unknown.push(listener);
    }
    let known = async {
        while !unknown.is_empty() {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, .. } => unknown.retain(|listener| *listener != listener_id),
                SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                    if let Some(place) = unknown.iter().position(|listener| *listener == listener_id) {
                        let why = reason.err().map_or("it was closed at once".to_owned(), |error| error.to_string());
                        return Err(StartError::Listen { address: listen[place].clone(), why });
                    }
                }
                _ => {}
            }
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, known).await.unwrap_or(Ok(()))?;
    Ok(swarm)
}

/// libp2p shares TCP ports with other programs of the same user, so a second node would start and not be reached: look
/// before.
fn look(address: &Multiaddr) -> Result<(), StartError> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::from(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::from(ip),
        _ => return Ok(()),
    };
    let bound = match parts.next() {
        Some(Protocol::Tcp(port)) => TcpListener::bind(SocketAddr::new(ip, port)).map(drop),
        Some(Protocol::Udp(port)) => UdpSocket::bind(SocketAddr::new(ip, port)).map(drop),
        _ => Ok(()),
    };
    match bound {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Err(StartError::PortInUse { address: address.clone() })
        }
        Err(error) => Err(StartError::Listen { address: address.clone(), why: error.to_string() }),
        Ok(()) => Ok(()),
    }
}
