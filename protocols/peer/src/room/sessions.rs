//! Sessions of this device's data feed: document instances of applications, such as browser tabs.
//!
//! A number is on disk before anybody hears of it, and none is handed out twice: two documents with one client id would
//! make different texts for good. What its holder shows follows from the device's key, so nothing is kept for a session
//! that is not connected.
//!
//! Spec: PEER-10

use weft_crypto::{Context, Hasher, Purpose as FeedPurpose};
use weft_echo::SESSIONS_MAX;
use weft_feed::VerifiedRange;

use super::{Persisting, Room};
use crate::{
    command::{Answer, Refusal, RefusalKind, SessionKey},
    io::{Ask, Output},
    local,
    outbox::Outbox,
    store::{Batch, Write},
};

/// The node itself is session 0.
pub(crate) const FIRST_SESSION: u64 = 1;

impl Room {
    /// Takes the next number.
    pub(crate) fn open_session(&mut self, ask: Ask, outbox: &mut Outbox) -> Result<(), Refusal> {
        self.may_write()?;
        let client = |session| weft_echo::client_id(&self.space, &self.data.feed, session);
        // A number whose client id another session has is passed over.
        let free = |session: &u64| !self.clients.has_another(&(self.data.feed, *session), client(*session));
        let Some(session) = (self.sessions..SESSIONS_MAX).find(free) else {
            let message =
                format!("this device has opened {SESSIONS_MAX} sessions in the space, which is the most it can");
            let hint =
                "keep sessions across reconnects instead of opening one each time; another device can still edit";
            return Err(Refusal::new(RefusalKind::Refused, "too_many_sessions", message, hint));
        };
        self.sessions = session + 1;
        let batch = Batch { writes: vec![self.sessions_row()], durable: true };
        let ticket = outbox.persist(crate::outbox::Purpose::RoomPersist(self.space), batch);
        self.persisting.insert(ticket, Persisting::Session { ask, session });
        Ok(())
    }

    /// The number is durably taken.
    pub(crate) fn opened_session(&self, ask: Ask, session: u64, outbox: &mut Outbox) {
        let client = weft_echo::client_id(&self.space, &self.data.feed, session);
        let answer = Answer::Session { session, client, key: self.key_of_session(session) };
        outbox.push(Output::Answer { ask, result: Ok(answer) });
    }

    /// Makes sure that the session was handed out, to whoever shows its key.
    pub(crate) fn check_session(&self, session: u64, key: &SessionKey) -> Result<(), Refusal> {
        let hint = "open a session of your own";
        if !(FIRST_SESSION..self.sessions).contains(&session) {
            let message = format!("session {session} was never opened here");
            return Err(Refusal::new(RefusalKind::NotFound, "unknown_session", message, hint));
        }
        let expected = self.key_of_session(session);
        let differs = expected.iter().zip(key).fold(0, |differs, (a, b)| differs | (a ^ b));
        if differs != 0 {
            let message = format!("session {session} belongs to another document");
            return Err(Refusal::new(RefusalKind::Refused, "not_your_session", message, hint));
        }
        if self.clients.is_void(&(self.data.feed, session)) {
            let message = format!("the client id of session {session} is another session's");
            return Err(Refusal::new(RefusalKind::Refused, "client_taken", message, hint));
        }
        Ok(())
    }

    /// What of sessions is to be written with a part of an own feed that came back from a peer: after a loss of the store
    /// the numbers in it are taken all the same.
    pub(crate) fn sessions_elsewhere(&mut self, range: &VerifiedRange) -> Option<Write> {
        let own = self.ledger.get(&range.feed()).is_some_and(|entry| entry.manifest.purpose == FeedPurpose::Data)
            && range.feed() == self.data.feed;
        let headers = range.runs().iter().flat_map(weft_feed::Run::entries).map(|entry| entry.header.session());
        let newest = headers.max().filter(|newest| own && *newest >= self.sessions)?;
        self.sessions = newest.saturating_add(1);
        Some(self.sessions_row())
    }

    fn sessions_row(&self) -> Write {
        let next = bytes::Bytes::copy_from_slice(&self.sessions.to_le_bytes());
        Write::Local { key: local::sessions_key(&self.space), value: Some(next) }
    }

    fn key_of_session(&self, session: u64) -> SessionKey {
        let hash = Hasher::new(Context::SESSION)
            .fixed(self.me.device.at_rest_key().as_slice())
            .fixed(self.space.as_bytes())
            .fixed(self.data.feed.as_bytes())
            .u64(session)
            .finish();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        key
    }
}
