//! The connections to one peer, and which of them carries new streams.
//!
//! Both ends must choose the same one, so the choice looks only at what both know: QUIC over TCP, then the connection that
//! the lower PeerId dialled. The others are left to finish and close when they are idle.

use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId, core::ConnectedPoint, multiaddr::Protocol as Part, swarm::ConnectionId};

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) connection: ConnectionId,
    quic: bool,
    dialled_by_lower: bool,
    since: Instant,
}

impl Route {
    pub(super) fn new(connection: ConnectionId, me: PeerId, peer: PeerId, endpoint: &ConnectedPoint) -> Route {
        Route {
            connection,
            quic: is_quic(endpoint.get_remote_address()),
            dialled_by_lower: endpoint.is_dialer() == (me < peer),
            since: Instant::now(),
        }
    }

    /// Whether `newer` takes the place of this connection: nodes dial only whom they are not connected to, so one end of this
    /// one is gone, however alive it looks from here.
    pub(super) fn is_replaced_by(&self, newer: &Route, after: Duration) -> bool {
        newer.since.duration_since(self.since) >= after
    }
}

/// The preferred one; of equals the oldest.
pub(super) fn preferred(routes: &[Route]) -> Option<ConnectionId> {
    routes
        .iter()
        .min_by_key(|route| (!route.quic, !route.dialled_by_lower, route.connection))
        .map(|route| route.connection)
}

fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Part::QuicV1))
}

#[cfg(test)]
mod tests {
    use libp2p::core::{Endpoint, transport::PortUse};

    use super::*;

    fn point(address: &str, dialer: bool) -> ConnectedPoint {
        let address: Multiaddr = address.parse().unwrap();
        if dialer {
            ConnectedPoint::Dialer { address, role_override: Endpoint::Dialer, port_use: PortUse::Reuse }
        } else {
            ConnectedPoint::Listener { local_addr: address.clone(), send_back_addr: address }
        }
    }

    #[test]
    fn who_dials_again_after_a_while_has_lost_the_old_connection() {
        let (me, peer) = (PeerId::random(), PeerId::random());
        let old = Route::new(ConnectionId::new_unchecked(1), me, peer, &point("/ip4/10.0.0.1/udp/1/quic-v1", false));
        let after = Duration::from_secs(2);
        for dialer in [true, false] {
            let newer = Route::new(ConnectionId::new_unchecked(2), me, peer, &point("/ip4/10.0.0.1/tcp/1", dialer));
            let late = |seconds| Route { since: old.since + Duration::from_secs(seconds), ..newer };
            assert!(old.is_replaced_by(&late(3), after));
            assert!(!old.is_replaced_by(&late(1), after), "dialled at once");
        }
    }

    #[test]
    fn both_ends_prefer_the_same_connection() {
        let (low, high) = {
            let (a, b) = (PeerId::random(), PeerId::random());
            (a.min(b), a.max(b))
        };
        let (tcp, quic) = ("/ip4/10.0.0.1/tcp/1", "/ip4/10.0.0.1/udp/1/quic-v1");
        // (address, whether the lower one dialled)
        let connections = [(tcp, true), (tcp, false), (quic, false), (quic, true)];
        for best in 0..connections.len() {
            let seen_by = |me: PeerId, peer: PeerId| {
                let routes: Vec<Route> = connections[..=best]
                    .iter()
                    .enumerate()
                    .map(|(place, (address, by_lower))| {
                        Route::new(
                            ConnectionId::new_unchecked(place),
                            me,
                            peer,
                            &point(address, *by_lower == (me == low)),
                        )
                    })
                    .collect();
                preferred(&routes)
            };
            let expected = Some(ConnectionId::new_unchecked([0, 0, 2, 3][best]));
            assert_eq!(seen_by(low, high), expected);
            assert_eq!(seen_by(high, low), expected);
        }
    }
}
