//! Peers of earlier days: where members of shared spaces were found, kept on disk so that a node finds them again without
//! anybody's help.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};

/// Rows of known peers begin so.
pub(super) const PREFIX: &[u8] = b"peer/";
/// Peers that are remembered. A guess; those seen longest ago are forgotten first.
const PEERS_MAX: usize = 256;
/// Addresses of one peer. A guess: QUIC and TCP on two networks, IPv4 and IPv6.
const ADDRESSES_MAX: usize = 8;

/// A row to be written: its key, and its value or none to remove it.
pub(super) type Row = (Bytes, Option<Bytes>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    /// Milliseconds since 1970.
    seen_ms: u64,
    addresses: Vec<Multiaddr>,
}

/// Peers and where they were found.
#[derive(Debug, Default)]
pub(super) struct Acquaintances {
    known: BTreeMap<PeerId, Known>,
    /// Those connected now that showed to be members of a shared space.
    members: BTreeSet<PeerId>,
    /// Where those connected now were dialled, or say that they listen.
    heard: BTreeMap<PeerId, Vec<Multiaddr>>,
}

impl Acquaintances {
    /// From the rows on disk; those that cannot be read are as if they were not there.
    pub(super) fn new(rows: Vec<(Bytes, Bytes)>) -> Acquaintances {
        let known = rows.into_iter().filter_map(|(key, value)| {
            let peer = PeerId::from_bytes(key.strip_prefix(PREFIX)?).ok()?;
            Some((peer, Known::decode(&value)?))
        });
        Acquaintances { known: known.collect(), ..Acquaintances::default() }
    }

    /// Everybody, with where to find them.
    pub(super) fn all(&self) -> impl Iterator<Item = (PeerId, Vec<Multiaddr>)> + '_ {
        self.known.iter().map(|(peer, known)| (*peer, known.addresses.clone()))
    }

    /// The same, those seen last first.
    pub(super) fn last_seen_first(self) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let mut known: Vec<(PeerId, Known)> = self.known.into_iter().collect();
        known.sort_by_key(|(_, known)| std::cmp::Reverse(known.seen_ms));
        known.into_iter().map(|(peer, known)| (peer, known.addresses)).collect()
    }

    /// Where a connected peer was dialled or says that it listens; the first ones are tried first.
    pub(super) fn heard(
        &mut self,
        peer: PeerId,
        addresses: impl IntoIterator<Item = Multiaddr>,
        now_ms: u64,
    ) -> Vec<Row> {
        let heard = self.heard.entry(peer).or_default();
        for address in addresses {
            if heard.len() < ADDRESSES_MAX && !heard.contains(&address) {
                heard.push(address);
            }
        }
        if self.members.contains(&peer) { self.remember(peer, now_ms) } else { Vec::new() }
    }

    /// A connected peer showed to be a member of a shared space.
    pub(super) fn is_member(&mut self, peer: PeerId, now_ms: u64) -> Vec<Row> {
        if self.members.insert(peer) { self.remember(peer, now_ms) } else { Vec::new() }
    }

    pub(super) fn disconnected(&mut self, peer: &PeerId) {
        self.members.remove(peer);
        self.heard.remove(peer);
    }

    /// What is known of a peer, for who was told of it by others.
    pub(super) fn addresses(&self, peer: &PeerId) -> Vec<Multiaddr> {
        self.known.get(peer).map(|known| known.addresses.clone()).unwrap_or_default()
    }

    fn remember(&mut self, peer: PeerId, now_ms: u64) -> Vec<Row> {
        let Some(heard) = self.heard.get(&peer).filter(|heard| !heard.is_empty()) else { return Vec::new() };
        let mut addresses = heard.clone();
        for address in self.addresses(&peer) {
            if addresses.len() < ADDRESSES_MAX && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let known = Known { seen_ms: now_ms, addresses };
        let mut rows = vec![(key(&peer), Some(known.encode()))];
        self.known.insert(peer, known);
        if self.known.len() > PEERS_MAX {
            let oldest = self.known.iter().filter(|(other, _)| **other != peer).min_by_key(|(_, known)| known.seen_ms);
            if let Some(oldest) = oldest.map(|(peer, _)| *peer) {
                self.known.remove(&oldest);
                rows.push((key(&oldest), None));
            }
        }
        rows
    }
}

fn key(peer: &PeerId) -> Bytes {
    [PREFIX, &peer.to_bytes()].concat().into()
}

impl Known {
    /// Lines: when it was seen, then the addresses.
    fn encode(&self) -> Bytes {
        let lines =
            self.addresses.iter().fold(self.seen_ms.to_string(), |lines, address| format!("{lines}\n{address}"));
        lines.into()
    }

    fn decode(bytes: &[u8]) -> Option<Known> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        let seen_ms = lines.next()?.parse().ok()?;
        Some(Known { seen_ms, addresses: lines.filter_map(|line| line.parse().ok()).take(ADDRESSES_MAX).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/10.0.0.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn only_members_are_remembered_and_survive_a_restart() {
        let (mut known, member, stranger) = (Acquaintances::default(), PeerId::random(), PeerId::random());
        assert!(known.heard(stranger, [address(1)], 1).is_empty());
        assert!(known.heard(member, [address(2)], 1).is_empty());
        let mut rows = known.is_member(member, 2);
        assert!(known.is_member(member, 3).is_empty());
        rows.extend(known.heard(member, [address(3)], 4));
        let rows: BTreeMap<Bytes, Bytes> = rows.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let again = Acquaintances::new(rows.into_iter().collect());
        assert_eq!(again.all().collect::<Vec<_>>(), [(member, vec![address(2), address(3)])]);
    }

    #[test]
    fn who_was_seen_longest_ago_is_forgotten_first() {
        let mut known = Acquaintances::default();
        let peers: Vec<PeerId> = (0..=PEERS_MAX).map(|_| PeerId::random()).collect();
        let mut rows = Vec::new();
        for (seen, peer) in peers.iter().enumerate() {
            known.heard(*peer, [address(1)], 0);
            rows = known.is_member(*peer, seen as u64);
        }
        assert_eq!(known.all().count(), PEERS_MAX);
        assert_eq!(rows[1], (key(&peers[0]), None));
    }
}
