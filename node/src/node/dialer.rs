//! Whom to connect to, and when to try again: configured peers and peers of earlier days for ever, others once.
//!
//! Knows no clock: the driver says what time it is and asks what is due.

use std::{collections::BTreeMap, time::Duration};

use libp2p::{
    Multiaddr, PeerId,
    multiaddr::Protocol,
    swarm::{
        ConnectionId,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use weft_machine::{Deadlines, Draws, Seed, Time};

/// The first wait before a peer is dialled again; each failure doubles it.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A peer, or an address at which a peer is yet unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Peer(PeerId),
    Address(Multiaddr),
}

#[derive(Debug)]
struct Target {
    addresses: Vec<Multiaddr>,
    /// Dialled again for ever.
    kept: bool,
    /// Who was found at the address, or is dialled.
    peer: Option<PeerId>,
    dialling: Option<ConnectionId>,
    wait: Duration,
}

/// Whom to connect to, and when.
#[derive(Debug)]
pub(super) struct Dialer {
    targets: BTreeMap<Key, Target>,
    due: Deadlines<Key>,
    connected: Vec<PeerId>,
    draws: Draws,
}

impl Dialer {
    pub(super) fn new(seed: Seed) -> Dialer {
        Dialer { targets: BTreeMap::new(), due: Deadlines::new(), connected: Vec::new(), draws: Draws::new(seed) }
    }

    /// Keeps a connection to whoever is at the address.
    pub(super) fn keep_address(&mut self, now: Time, address: Multiaddr) {
        match address.iter().last() {
            Some(Protocol::P2p(peer)) => self.want(now, Key::Peer(peer), vec![address], true),
            _ => self.want(now, Key::Address(address.clone()), vec![address], true),
        }
    }

    /// Keeps a connection to the peer.
    pub(super) fn keep(&mut self, now: Time, peer: PeerId, addresses: Vec<Multiaddr>) {
        self.want(now, Key::Peer(peer), addresses, true);
    }

    /// Dials the peer now, and only now unless it is kept.
    pub(super) fn once(&mut self, now: Time, peer: PeerId, addresses: Vec<Multiaddr>) {
        self.want(now, Key::Peer(peer), addresses, false);
    }

    fn want(&mut self, now: Time, key: Key, addresses: Vec<Multiaddr>, kept: bool) {
        let peer = if let Key::Peer(peer) = &key { Some(*peer) } else { None };
        let target = self.targets.entry(key.clone()).or_insert_with(|| Target {
            addresses: Vec::new(),
            kept: false,
            peer,
            dialling: None,
            wait: WAIT_MIN,
        });
        target.kept |= kept;
        for address in addresses {
            if !target.addresses.contains(&address) {
                target.addresses.push(address);
            }
        }
        if target.dialling.is_none() && !peer.is_some_and(|peer| self.connected.contains(&peer)) {
            self.due.set(key, now);
        }
    }

    /// The next dial that is due.
    pub(super) fn poll(&mut self, now: Time) -> Option<DialOpts> {
        while let Some(key) = self.due.expire(now) {
            let Some(target) = self.targets.get_mut(&key) else { continue };
            if target.peer.is_some_and(|peer| self.connected.contains(&peer)) {
                continue;
            }
            let options = match &key {
                Key::Peer(peer) => DialOpts::peer_id(*peer)
                    .addresses(target.addresses.clone())
                    .condition(PeerCondition::DisconnectedAndNotDialing)
                    .build(),
                Key::Address(address) => DialOpts::unknown_peer_id().address(address.clone()).build(),
            };
            target.dialling = Some(options.connection_id());
            return Some(options);
        }
        None
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.due.next()
    }

    /// A connection stands.
    pub(super) fn established(&mut self, connection: ConnectionId, peer: PeerId) {
        if !self.connected.contains(&peer) {
            self.connected.push(peer);
        }
        if let Some((key, target)) = self.targets.iter_mut().find(|(_, target)| target.dialling == Some(connection)) {
            target.dialling = None;
            target.peer = Some(peer);
            target.wait = WAIT_MIN;
            if !target.kept {
                let key = key.clone();
                self.targets.remove(&key);
            }
        }
    }

    /// A dial failed. Gives the peer if it was to be reached only once, and is not connected otherwise.
    pub(super) fn failed(&mut self, now: Time, connection: ConnectionId) -> Option<PeerId> {
        let (key, target) = self.targets.iter_mut().find(|(_, target)| target.dialling == Some(connection))?;
        target.dialling = None;
        let (key, peer, kept) = (key.clone(), target.peer, target.kept);
        if peer.is_some_and(|peer| self.connected.contains(&peer)) {
            return None;
        }
        if kept {
            self.again(now, &key);
        } else {
            self.targets.remove(&key);
        }
        peer
    }

    /// The last connection to the peer is gone.
    pub(super) fn disconnected(&mut self, now: Time, peer: PeerId) {
        self.connected.retain(|connected| *connected != peer);
        let keys: Vec<Key> =
            self.targets.iter().filter(|(_, target)| target.peer == Some(peer)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.again(now, &key);
        }
    }

    /// The peer broke a rule: it is left alone as long as possible.
    pub(super) fn shun(&mut self, peer: PeerId) {
        for target in self.targets.values_mut().filter(|target| target.peer == Some(peer)) {
            target.wait = WAIT_MAX;
        }
    }

    fn again(&mut self, now: Time, key: &Key) {
        let Some(target) = self.targets.get_mut(key).filter(|target| target.dialling.is_none()) else { return };
        // From three quarters to five quarters of the wait, so that peers that lost each other do not all dial at once.
        let wait = target.wait.mul_f64(0.75 + 0.5 * self.draws.below(1_000) as f64 / 1_000.0);
        target.wait = (2 * target.wait).min(WAIT_MAX);
        self.due.set(key.clone(), now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer() -> Dialer {
        Dialer::new(Seed::from_bytes([7; 32]))
    }

    #[test]
    fn a_kept_peer_is_dialled_again_with_growing_waits() {
        let (mut dialer, peer) = (dialer(), PeerId::random());
        let mut now = Time::ZERO;
        dialer.keep(now, peer, vec!["/ip4/10.0.0.1/tcp/1".parse().unwrap()]);
        let mut waits = Vec::new();
        for _ in 0..9 {
            let dial = dialer.poll(now).unwrap();
            assert_eq!(dialer.failed(now, dial.connection_id()), Some(peer));
            assert!(dialer.poll(now).is_none());
            let next = dialer.deadline().unwrap();
            waits.push(next.saturating_since(now).as_secs_f64());
            now = next;
        }
        assert!((0.75..=1.25).contains(&waits[0]) && (3.0..=5.0).contains(&waits[2]), "{waits:?}");
        assert!(waits[6..].iter().all(|wait| (45.0..=75.0).contains(wait)), "{waits:?}");
    }

    #[test]
    fn whoever_is_connected_is_not_dialled_until_it_is_lost() {
        let (mut dialer, peer) = (dialer(), PeerId::random());
        dialer.established(ConnectionId::new_unchecked(1), peer);
        dialer.keep(Time::ZERO, peer, vec!["/ip4/10.0.0.1/tcp/1".parse().unwrap()]);
        assert!(dialer.poll(Time::MAX).is_none());
        dialer.disconnected(Time::ZERO, peer);
        assert!(dialer.poll(Time::ZERO + 2 * WAIT_MIN).is_some());
    }

    #[test]
    fn who_was_wanted_once_is_dialled_once() {
        let (mut dialer, peer) = (dialer(), PeerId::random());
        dialer.once(Time::ZERO, peer, vec!["/ip4/10.0.0.1/tcp/1".parse().unwrap()]);
        let dial = dialer.poll(Time::ZERO).unwrap();
        assert_eq!(dialer.failed(Time::ZERO, dial.connection_id()), Some(peer));
        assert_eq!(dialer.deadline(), None);
    }

    #[test]
    fn the_peer_at_a_bare_address_is_found_and_kept() {
        let (mut dialer, peer) = (dialer(), PeerId::random());
        dialer.keep_address(Time::ZERO, "/ip4/10.0.0.1/tcp/1".parse().unwrap());
        let dial = dialer.poll(Time::ZERO).unwrap();
        dialer.established(dial.connection_id(), peer);
        assert_eq!(dialer.deadline(), None);
        dialer.disconnected(Time::ZERO, peer);
        assert!(dialer.deadline().is_some());
    }
}
