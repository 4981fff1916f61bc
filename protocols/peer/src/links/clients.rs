//! Membership and entries → sessions → ECHO: who has which client id.

use std::collections::BTreeSet;

use weft_crypto::FeedId;
use weft_feed::{Run, kind};

use crate::room::{Room, clients::Session};

/// A data feed is admitted: its device writes as session 0. Judge afterwards.
pub(crate) fn admitted(room: &mut Room, feed: FeedId) {
    let client = weft_echo::client_id(&room.space, &feed, 0);
    room.clients.used((feed, 0), client);
}

/// Mutations are released: their sessions are used, beyond the first of a feed. Spec: SPACE-8.2
pub(crate) fn released(room: &mut Room, feed: FeedId, run: &Run) {
    let mut new = BTreeSet::new();
    for entry in run.entries() {
        let session = entry.header.session();
        if session == 0 || session >= weft_echo::SESSIONS_MAX || entry.header.kind() != kind::MUTATION {
            continue;
        }
        if room.clients.used((feed, session), weft_echo::client_id(&room.space, &feed, session)) {
            room.derived.session(room.space, &feed, session);
            new.insert((feed, session));
        }
    }
    if !new.is_empty() {
        // Nothing of a new one was taken so far.
        judge(room, |_, changed| !new.contains(changed));
    }
}

/// Feeds came, or their order has changed. A feed of which nothing was handed to ECHO needs nothing to be taken back.
pub(crate) fn resolved(room: &mut Room) {
    judge(room, |room, (feed, _)| room.data_order.released(feed) > 0);
}

/// What was judged before the restart stands in the rows; if it is another thing now, they are derived again.
pub(crate) fn opened(room: &mut Room, stored: &[u8]) {
    let resolution = room.membership.resolution();
    room.clients.judge(|feed| resolution.feed(feed));
    if room.clients.encode_void() != stored {
        room.rederive();
    }
}

/// `taken`: whether ECHO may have taken something of a session.
fn judge(room: &mut Room, taken: impl Fn(&Room, &Session) -> bool) {
    let resolution = room.membership.resolution();
    let changed = room.clients.judge(|feed| resolution.feed(feed));
    if changed.iter().any(|session| taken(room, session)) {
        // The rows say which are void when they are dropped: after a crash before that they are still to be derived again.
        room.rederive();
    } else if !changed.is_empty() {
        room.derived.void_sessions(room.space, room.clients.encode_void());
    }
}

/// All rows were dropped: those of the sessions are written again, so that a replay judges as the one before.
pub(crate) fn write_again(room: &mut Room) {
    for (feed, session) in room.clients.named() {
        room.derived.session(room.space, feed, *session);
    }
    let void = room.clients.encode_void();
    if !void.is_empty() {
        room.derived.void_sessions(room.space, void);
    }
}
