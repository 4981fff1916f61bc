//! Where a node listens: which ports it takes, what it remembers of that, and which addresses it puts into links.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    path::Path,
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use serde::{Deserialize, Serialize};

use crate::{
    config::{self, Config},
    node::Node,
    private_file,
};

/// The name of the file in the data folder.
const FILE_NAME: &str = "last-up.json";
/// How many ports are tried, from the first one on.
const PORTS_MAX: u16 = 100;
/// How many addresses a link carries: the bound of its format.
const LINK_ADDRESSES_MAX: usize = 16;

/// What the last `weft up` on this folder used, so that the next one uses the same: a link names addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastUp {
    /// The port for peers, when it was chosen by default.
    pub(crate) swarm_port: Option<u16>,
    /// The port of the API, when it was chosen by default.
    pub(crate) api_port: Option<u16>,
    /// Where it could be reached.
    pub(crate) listen: Vec<Multiaddr>,
}

impl LastUp {
    /// What is remembered; nothing when the file is missing or unreadable.
    pub(crate) fn read(folder: &Path) -> LastUp {
        let bytes = std::fs::read(folder.join(FILE_NAME)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Remembers this.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        private_file::write(&folder.join(FILE_NAME), &serde_json::to_vec(self).expect("plain fields"))
    }
}

/// The ports to try: the remembered one, then those from the default one on.
pub(crate) fn ports(remembered: Option<u16>, default: u16) -> impl Iterator<Item = u16> {
    let others = (default..default.saturating_add(PORTS_MAX)).filter(move |port| Some(*port) != remembered);
    remembered.into_iter().chain(others)
}

/// Whether peers could be listened for on every address at this port, for QUIC and for TCP.
pub(crate) fn is_free(port: u16) -> bool {
    let address = (Ipv4Addr::UNSPECIFIED, port);
    UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok()
}

/// QUIC and TCP on all addresses at this port, of IPv6 too where this machine has it.
pub(crate) fn everywhere(port: u16) -> Vec<Multiaddr> {
    let mut listen = config::default_listen(port);
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        let any = Multiaddr::from(Ipv6Addr::UNSPECIFIED);
        listen.push(any.clone().with(Protocol::Udp(port)).with(Protocol::QuicV1));
        listen.push(any.with(Protocol::Tcp(port)));
    }
    listen
}

/// Where a node listens, what reaches farthest first.
pub(crate) fn of(node: &Node) -> Vec<Multiaddr> {
    let mut addresses = node.listen_addresses();
    sort(&mut addresses);
    addresses
}

fn sort(addresses: &mut Vec<Multiaddr>) {
    addresses.sort_by_cached_key(|address| (is_loopback(address), !is_quic(address), address.to_string()));
    addresses.dedup();
}

/// The addresses that a link names: where this node listens, or did last, or would by its settings. What reaches farthest
/// comes first.
pub(crate) fn for_links(node: &Node, config: &Config) -> Vec<String> {
    let mut addresses = of(node);
    if !node.has_network() {
        addresses = LastUp::read(&config.data_dir.value).listen;
        if addresses.is_empty() {
            addresses = config.listen.value.iter().flat_map(|address| specific(address, outward_address())).collect();
        }
    }
    addresses.retain(is_reachable);
    sort(&mut addresses);
    addresses.iter().take(LINK_ADDRESSES_MAX).map(ToString::to_string).collect()
}

/// An address on all interfaces, as one on the outward interface and one on loopback.
fn specific(address: &Multiaddr, outward: Option<Ipv4Addr>) -> Vec<Multiaddr> {
    if ip(address) != Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
        return vec![address.clone()];
    }
    let at = |ip: Ipv4Addr| address.replace(0, |_| Some(Protocol::Ip4(ip)));
    outward.into_iter().chain([Ipv4Addr::LOCALHOST]).filter_map(at).collect()
}

/// The address this machine would use towards others. Connecting a datagram socket sends nothing.
fn outward_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // 192.0.2.0/24 is set aside for documentation: whatever routes there routes anywhere.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(address) if !address.ip().is_unspecified() => Some(*address.ip()),
        _ => None,
    }
}

fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

/// Addresses of every interface, of one link only, and without a port say nothing to others.
fn is_reachable(address: &Multiaddr) -> bool {
    let link_local = match ip(address) {
        Some(IpAddr::V4(ip)) => ip.is_link_local() || ip.is_unspecified(),
        Some(IpAddr::V6(ip)) => ip.is_unicast_link_local() || ip.is_unspecified(),
        None => false,
    };
    !link_local && !address.iter().any(|part| matches!(part, Protocol::Udp(0) | Protocol::Tcp(0)))
}

fn is_loopback(address: &Multiaddr) -> bool {
    ip(address).is_some_and(|ip| ip.is_loopback())
}

fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::QuicV1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remembered_port_is_tried_first_and_only_once() {
        assert_eq!(ports(Some(9340), 9338).take(4).collect::<Vec<_>>(), [9340, 9338, 9339, 9341]);
        assert_eq!(ports(None, 9338).take(2).collect::<Vec<_>>(), [9338, 9339]);
    }

    #[test]
    fn a_taken_port_is_not_free() {
        let taken = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        assert!(!is_free(taken.local_addr().unwrap().port()));
    }

    #[test]
    fn what_is_remembered_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(LastUp::read(folder.path()), LastUp::default());
        let last = LastUp { swarm_port: Some(9340), api_port: None, listen: everywhere(9340) };
        last.write(folder.path()).unwrap();
        assert_eq!(LastUp::read(folder.path()), last);
    }

    #[test]
    fn all_interfaces_become_addresses_that_can_be_dialled() {
        let any: Multiaddr = "/ip4/0.0.0.0/udp/5/quic-v1".parse().unwrap();
        let texts: Vec<String> =
            specific(&any, Some(Ipv4Addr::new(10, 0, 0, 7))).iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["/ip4/10.0.0.7/udp/5/quic-v1", "/ip4/127.0.0.1/udp/5/quic-v1"]);
        for useless in ["/ip4/0.0.0.0/udp/5/quic-v1", "/ip4/127.0.0.1/tcp/0", "/ip6/fe80::1/tcp/5"] {
            assert!(!is_reachable(&useless.parse().unwrap()), "{useless}");
        }
    }
}
