//! Which client ids are used in a space, and to which of two sessions that have one it belongs.
//!
//! Who chooses 2^27 feeds finds two with one client id. `yrs` would keep the characters of whichever came first, here these and
//! there those, for ever. So one of them has the id and nothing of the other is taken, and which one follows from the set of
//! entries alone.
//!
//! Spec: ECHO-1.2, SPACE-8.2

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use weft_crypto::FeedId;
use weft_space::AdmittedFeed;

/// A session of a data feed.
pub(crate) type Session = (FeedId, u64);

/// The client ids of one space. Bounded by what is admitted and held: one a feed, and one more for each that a held entry names.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    used: BTreeSet<Session>,
    by_client: BTreeMap<u64, Vec<Session>>,
    /// Client ids of more than one session. Nearly always none.
    contested: BTreeSet<u64>,
    void: BTreeSet<Session>,
}

impl Clients {
    /// A session is used under this client id; session 0 of a feed is from its admission on. Tells whether that is news.
    pub(crate) fn used(&mut self, session: Session, client: u64) -> bool {
        if !self.used.insert(session) {
            return false;
        }
        let sessions = self.by_client.entry(client).or_default();
        sessions.push(session);
        if sessions.len() > 1 {
            self.contested.insert(client);
        }
        true
    }

    /// Judges every contest again, now that feeds or sessions came. Gives the sessions of which another thing is true than before.
    pub(crate) fn judge(&mut self, admitted: impl Fn(&FeedId) -> Option<AdmittedFeed>) -> BTreeSet<Session> {
        if self.contested.is_empty() {
            return BTreeSet::new();
        }
        let rank = |(feed, session): &Session| {
            let feed_rank = admitted(feed).map_or((true, u64::MAX), |admitted| (!admitted.counts, admitted.number));
            (feed_rank, *feed, *session)
        };
        let mut void = BTreeSet::new();
        for client in &self.contested {
            let sessions = &self.by_client[client];
            let first = sessions.iter().min_by_key(|session| rank(session));
            void.extend(sessions.iter().filter(|session| Some(*session) != first).copied());
        }
        let changed = void.symmetric_difference(&self.void).copied().collect();
        self.void = void;
        changed
    }

    /// Whether the session's client id belongs to another.
    pub(crate) fn is_void(&self, session: &Session) -> bool {
        !self.void.is_empty() && self.void.contains(session)
    }

    /// Whether another session has this client id.
    pub(crate) fn has_another(&self, session: &Session, client: u64) -> bool {
        self.by_client.get(&client).is_some_and(|sessions| sessions.iter().any(|other| other != session))
    }

    /// The sessions beyond a feed's own, which no admission tells.
    pub(crate) fn named(&self) -> impl Iterator<Item = &Session> {
        self.used.iter().filter(|(_, session)| *session > 0)
    }

    /// Which are void, as a row.
    pub(crate) fn encode_void(&self) -> Bytes {
        let session = |(feed, session): &Session| [feed.as_bytes(), session.to_be_bytes().as_slice()].concat();
        self.void.iter().flat_map(session).collect()
    }
}

#[cfg(test)]
mod tests {
    use weft_crypto::{DeviceId, FeedKey, IdentityId, Manifest, Purpose, SpaceId};

    use super::*;

    const CLIENT: u64 = 9;

    fn feed(number: u8) -> FeedId {
        FeedId::from_bytes([number; 32])
    }

    /// Feeds 1 to 8 are admitted in the order of their numbers, from 5 on only carried.
    fn admitted(feed: &FeedId) -> Option<AdmittedFeed> {
        let number = feed.as_bytes()[0];
        let manifest = Manifest {
            version: Manifest::VERSION,
            space: SpaceId::from_bytes([0; 32]),
            device: DeviceId::from_bytes([0; 32]),
            feed_key: FeedKey::from_bytes([0; 32]),
            purpose: Purpose::Data,
            generation: 0,
        };
        let identity = IdentityId::from_bytes([0; 32]);
        Some(AdmittedFeed { manifest, identity, counts: number < 5, number: number.into() })
    }

    fn void(sessions: &[Session]) -> BTreeSet<Session> {
        let mut all = Clients::default();
        for session in sessions {
            all.used(*session, CLIENT);
            all.judge(admitted);
        }
        all.void
    }

    /// Spec: SPACE-8.2
    #[test]
    fn the_feed_that_was_admitted_first_keeps_a_client_id_in_every_order_of_arrival() {
        let (early, late, carried) = ((feed(2), 7), (feed(3), 0), (feed(6), 0));
        let lost = BTreeSet::from([late, carried]);
        for order in [[early, late, carried], [late, early, carried], [carried, late, early], [carried, early, late]] {
            assert_eq!(void(&order), lost);
        }
        assert_eq!(void(&[(feed(2), 7), (feed(2), 3)]), BTreeSet::from([(feed(2), 7)]), "of one feed the lower number");
    }

    #[test]
    fn what_changes_is_told_and_other_ids_are_left_alone() {
        let mut clients = Clients::default();
        assert!(clients.used((feed(3), 0), CLIENT) && !clients.used((feed(3), 0), CLIENT));
        assert!(clients.used((feed(4), 0), CLIENT + 1));
        assert_eq!(clients.judge(admitted), BTreeSet::new());
        assert!(clients.used((feed(2), 5), CLIENT));
        assert_eq!(clients.judge(admitted), BTreeSet::from([(feed(3), 0)]));
        assert_eq!(clients.judge(admitted), BTreeSet::new(), "told once");
        assert!(clients.used((feed(1), 0), CLIENT));
        assert_eq!(clients.judge(admitted), BTreeSet::from([(feed(2), 5)]));
        assert!(clients.is_void(&(feed(2), 5)) && clients.is_void(&(feed(3), 0)) && !clients.is_void(&(feed(4), 0)));
        assert_eq!(clients.encode_void().len(), 80);
        assert!(clients.has_another(&(feed(8), 1), CLIENT) && !clients.has_another(&(feed(4), 0), CLIENT + 1));
    }
}
