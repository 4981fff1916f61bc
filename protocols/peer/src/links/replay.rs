//! Order → membership → ECHO: data entries get their verdict, are opened, and reach ECHO in the order of their release.

use std::sync::Arc;

use weft_crypto::{EpochId, FeedId};
use weft_echo::{Applied, Counts};
use weft_feed::{
    Past, Run, kind,
    order::{OrderOutput, Released},
};
use weft_machine::{Machine as _, Time};
use weft_space::{Span, Verdict};

use crate::{
    job::{Job, OpenBodies, OpenedEntry},
    outbox::{Outbox, Purpose},
    room::{
        Room,
        replay::{Piece, Step},
    },
};

/// Takes what the order of the data feeds releases, and hands to ECHO what is ready. Spec: PEER-2, steps 4 to 7
pub(crate) fn pump(room: &mut Room, now: Time, outbox: &mut Outbox) {
    while room.replay.has_place(room.config.openings_max)
        && !room.derived.is_full()
        && room.echo.waiting_bytes() < room.config.waiting_bytes_max
    {
        match room.data_order.poll() {
            Some(OrderOutput::Released(released)) => release(room, released, outbox),
            Some(OrderOutput::Need { feed, from, bytes_max }) => {
                outbox.read(Purpose::RoomRead(room.space, feed), feed, from, bytes_max);
            }
            Some(OrderOutput::Refused { feed, seq, violation }) => {
                room.refused(feed, seq, violation.to_string());
            }
            Some(OrderOutput::Contradicted { .. }) => {}
            None => break,
        }
    }
    while room.echo.waiting_bytes() < room.config.waiting_bytes_max
        && let Some(step) = room.replay.next()
    {
        hand_over(room, now, step);
    }
}

/// Judges a run and sends its mutations to be opened. Own entries that ECHO is waiting for need neither.
fn release(room: &mut Room, released: Released, outbox: &mut Outbox) {
    let Released { feed, run, past, changes, head } = released;
    if !changes.is_empty() {
        room.derived.changes(room.space, &feed, run.from(), changes);
    }
    super::own::released(room, feed, run.end(), head);
    super::clients::released(room, feed, &run);
    if feed == room.data.feed && !room.written.is_empty() {
        return release_own(room, &run, &past);
    }
    release_run(room, feed, &run, past, outbox);
}

fn release_run(room: &mut Room, feed: FeedId, run: &Run, past: Vec<(u64, Arc<Past>)>, outbox: &mut Outbox) {
    let piece = if run.entries().any(|entry| entry.header.kind() == kind::MUTATION) {
        let job = Job::Open(bodies(room, feed, run.clone()));
        Piece::Opening(outbox.work(Purpose::RoomOpen(room.space), job))
    } else {
        Piece::Nothing
    };
    room.replay.push(Step { feed, length: run.end(), past, piece });
}

/// The bodies of a run's mutations, with the keys that are held. What is sealed under other epochs stays unread, and is replayed again
/// when a key of theirs comes.
pub(super) fn bodies(room: &mut Room, feed: FeedId, run: Run) -> OpenBodies {
    let mut epochs: Vec<EpochId> = Vec::new();
    let mutations = run.entries().filter(|entry| entry.header.kind() == kind::MUTATION);
    for epoch in mutations.filter_map(|entry| entry.header.epoch()) {
        if !epochs.contains(&epoch) {
            epochs.push(epoch);
        }
    }
    let keys: Vec<_> = epochs.into_iter().map(|epoch| (epoch, room.keys.body_keys(&epoch, &feed))).collect();
    room.unopened.extend(keys.iter().filter(|(_, keys)| keys.is_none()).map(|(epoch, _)| *epoch));
    OpenBodies { feed, run, keys }
}

/// Entries that this device has just written: ECHO has them already, and learns only that they are durable.
fn release_own(room: &mut Room, run: &Run, past: &[(u64, Arc<Past>)]) {
    let feed = room.data.feed;
    for entry in run.entries() {
        let piece = match room.written.remove(&entry.seq) {
            Some(ticket) => Piece::Written {
                ticket,
                sealed: Sealed { seq: entry.seq, session: entry.header.session(), epoch: entry.header.epoch() },
                entry: weft_feed::entry_id(&feed, entry.seq, &weft_feed::leaf(entry.header.bytes())),
                claimed: entry.header.claimed(),
            },
            None => Piece::Nothing,
        };
        let past = vec![(entry.seq, past_of(past, entry.seq))];
        room.replay.push(Step { feed, length: entry.seq + 1, past, piece });
    }
}

/// Verdicts of mutations one after another. The last one is kept as far as it holds: for entries of one session that are sealed
/// under one epoch and have one past, and up to a cut.
#[derive(Default)]
pub(crate) struct Judge {
    last: Option<(About, Counts, u64)>,
}

/// A mutation, as far as verdicts look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed {
    pub(crate) seq: u64,
    pub(crate) session: u64,
    pub(crate) epoch: Option<EpochId>,
}

/// What a verdict is about.
type About = (FeedId, Option<EpochId>, *const Past, u64);

impl Judge {
    /// The verdict of a mutation, by the resolution of now. A void one is integrated hollow: it shows nothing, and what others
    /// wrote into it keeps its place. Spec: ECHO-5.3, SPACE-8.3
    pub(crate) fn rule(&mut self, room: &Room, feed: &FeedId, entry: Sealed, until: u64, past: &Arc<Past>) -> Counts {
        let Sealed { seq, session, epoch } = entry;
        let about = (*feed, epoch, Arc::as_ptr(past), session);
        if let Some((same, counts, end)) = &self.last
            && *same == about
            && seq < *end
        {
            return counts.clone();
        }
        let (counts, end) = if room.clients.is_void(&(*feed, session)) {
            (Counts::Taken, until)
        } else if epoch.is_some_and(|epoch| !room.membership.resolution().has_begun(&epoch, past)) {
            (Counts::Void("it is sealed under no epoch that had begun".into()), until)
        } else {
            let span = Span { feed, from: seq, until, epoch: epoch.as_ref(), body: true, past };
            let ruling = room.membership.resolution().judge(&span);
            let counts = if ruling.verdict == Verdict::Counts { Counts::Counts } else { Counts::Hollow };
            (counts, ruling.until)
        };
        self.last = Some((about, counts.clone(), end));
        counts
    }
}

/// Gives ECHO the next step.
fn hand_over(room: &mut Room, now: Time, step: Step) {
    let author = room.author(&step.feed);
    let mut void = None;
    let input = match step.piece {
        Piece::Written { ticket, sealed, entry, claimed } => {
            let seq = sealed.seq;
            let past = past_of(&step.past, seq);
            // Whoever lost the right to write while this was on its way has shown it for a moment.
            if Judge::default().rule(room, &step.feed, sealed, step.length, &past) != Counts::Counts {
                void = Some(seq);
            }
            weft_echo::Input::Written(weft_echo::Written { ticket, seq, entry, claimed, past })
        }
        Piece::Nothing => weft_echo::Input::Released(weft_echo::Released {
            feed: step.feed,
            length: step.length,
            entries: Vec::new(),
        }),
        Piece::Opening(_) => unreachable!("only finished steps are handed over"),
        Piece::Opened(opened) => {
            let mut judge = Judge::default();
            let applied = |opened: OpenedEntry| {
                let past = past_of(&step.past, opened.seq);
                let counts = judge.rule(room, &step.feed, opened.sealed(), step.length, &past);
                let OpenedEntry { seq, session, entry, claimed, mutation, .. } = opened;
                Applied { seq, session, entry, author, claimed, past, counts, mutation }
            };
            let entries = opened.into_iter().map(applied).collect();
            weft_echo::Input::Released(weft_echo::Released { feed: step.feed, length: step.length, entries })
        }
    };
    room.echo.handle_input(now, input);
    if let Some(seq) = void {
        super::rereads::changed(room, now, [(step.feed, seq)]);
    }
}

/// The past that holds for an entry, of a list that says from which entry on each one holds.
pub(crate) fn past_of(past: &[(u64, Arc<Past>)], seq: u64) -> Arc<Past> {
    let place = past.partition_point(|(from, _)| *from <= seq);
    past[place.checked_sub(1).expect("the first past holds from the first entry")].1.clone()
}
