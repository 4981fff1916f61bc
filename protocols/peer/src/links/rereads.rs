//! Verdicts that changed → notes and ECHO; and the entries of objects that are made again: disk → opened → judged → ECHO.
//!
//! Spec: PEER-5

use std::sync::Arc;

use weft_crypto::FeedId;
use weft_echo::{Applied, Changed};
use weft_machine::{Machine as _, Time};
use weft_replication::{ReadError, StoredRange};

use super::replay::{Judge, bodies};
use crate::{
    io::Ticket,
    job::{Job, OpenedEntry},
    outbox::{Outbox, Purpose},
    room::{Room, rereads::STRETCH_BYTES},
};

/// The verdicts of these feeds' entries changed, from these entries on. It is noted with the rows that follow, so that a crash
/// before it is worked off forgets nothing.
pub(crate) fn changed(room: &mut Room, now: Time, feeds: impl IntoIterator<Item = (FeedId, u64)>) {
    let number = room.echo.judged() + 1;
    for (feed, from) in feeds {
        let changed = Changed { feed, from, number };
        room.derived.change(room.space, changed);
        room.echo.handle_input(now, weft_echo::Input::VerdictsChanged(changed));
    }
}

/// ECHO has worked off what was noted of a feed.
pub(crate) fn judged(room: &mut Room, feed: &FeedId, number: u64) {
    room.derived.judged(room.space, feed, number);
}

/// Reads and opens what the next object waits for.
pub(crate) fn pump(room: &mut Room, outbox: &mut Outbox) {
    let bytes_max = room.config.replay_bytes_max;
    let Some(reread) = room.rereads.turn() else { return };
    let order = &room.data_order;
    let pieces = reread.take(bytes_max, |feed| order.released(feed));
    if !pieces.is_empty() {
        let job = Job::Reopen(pieces.into_iter().map(|(feed, run)| bodies(room, feed, run)).collect());
        let ticket = outbox.work(Purpose::RoomReopen(room.space), job);
        room.rereads.opening(ticket);
    } else if let Some((feed, seq)) = reread.entries.front().copied()
        // What was worked off beyond the cursor before a restart is released again first, and its past known.
        && room.data_order.released(&feed) > seq
        && !room.mending.holds(&feed)
    {
        let ticket = outbox.read(Purpose::RoomReread(room.space, feed), feed, seq, STRETCH_BYTES);
        room.rereads.reading(ticket);
    }
}

/// What was read. What is damaged is mended meanwhile (PEER-8), and read again then.
pub(crate) fn was_read(room: &mut Room, ticket: Ticket, feed: FeedId, result: Result<Vec<StoredRange>, ReadError>) {
    let ranges = result.unwrap_or_default();
    room.rereads.was_read(ticket, feed, ranges.into_iter().flat_map(|range| range.runs).collect());
}

/// Bodies are opened: they are judged as of now, and handed over.
pub(crate) fn opened(room: &mut Room, now: Time, ticket: Ticket, opened: Vec<(FeedId, OpenedEntry)>) {
    let Some((object, last)) = room.rereads.opened(ticket) else { return };
    let mut judge = Judge::default();
    let mut entries = Vec::new();
    for (feed, opened) in opened {
        let past = room.data_order.past_at(&feed, opened.seq + 1).unwrap_or_else(|| Arc::new(weft_feed::Past::new()));
        let counts = judge.rule(room, &feed, opened.sealed(), opened.seq + 1, &past);
        let author = room.author(&feed);
        let OpenedEntry { seq, session, entry, claimed, mutation, .. } = opened;
        entries.push((feed, Applied { seq, session, entry, author, claimed, past, counts, mutation }));
    }
    room.echo.handle_input(now, weft_echo::Input::Reread { object, entries, last });
}
