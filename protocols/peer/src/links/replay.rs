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
    job::{Job, OpenBodies},
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
    // Half of what a head covers cannot be acknowledged: nothing is written before the rest has followed. Own entries are in
    // the past of the next one without being named.
    if feed == room.data.feed || head.is_some_and(|head| head.length == run.end()) {
        room.unnamed.remove(&feed);
        room.naming.is_named(&feed);
    } else {
        room.unnamed.insert(feed);
    }
    if let Some(head) = head
        && let Some(past) = room.data_order.past_at(&feed, head.length)
    {
        room.data.news.heard(head, past);
    }
    super::clients::released(room, feed, &run);
    if feed == room.data.feed && !room.written.is_empty() {
        return release_own(room, &run, &past);
    }
    release_run(room, feed, &run, past, outbox);
}

/// What one ruling is about: entries sealed under one epoch, with one past, of one session.
type About = (Option<EpochId>, *const Past, u64);

fn release_run(room: &mut Room, feed: FeedId, run: &Run, past: Vec<(u64, Arc<Past>)>, outbox: &mut Outbox) {
    let mut step = Step { feed, length: run.end(), past, rulings: Vec::new(), piece: Piece::Nothing };
    let mut epochs: Vec<EpochId> = Vec::new();
    // What the last ruling was about, and the first entry that it is no longer about.
    let mut last: Option<(About, u64)> = None;
    for entry in run.entries() {
        if entry.header.kind() != kind::MUTATION {
            continue;
        }
        let epoch = entry.header.epoch();
        if let Some(epoch) = epoch
            && !epochs.contains(&epoch)
        {
            epochs.push(epoch);
        }
        let past = past_of(&step.past, entry.seq);
        let session = entry.header.session();
        let about = (epoch, Arc::as_ptr(&past), session);
        if last.is_none_or(|(same, until)| same != about || entry.seq >= until) {
            let (counts, until) = match room.clients.is_void(&(feed, session)) {
                true => (Counts::Taken, run.end()),
                false => rule(room, &feed, entry.seq, run.end(), epoch.as_ref(), &past),
            };
            last = Some((about, until));
            step.rulings.push((entry.seq, counts));
        }
    }
    if step.rulings.is_empty() {
        room.replay.push(step);
        return;
    }
    let keys = epochs.into_iter().map(|epoch| (epoch, room.keys.body_keys(&epoch, &feed))).collect();
    let job = Job::Open(OpenBodies { feed, run: run.clone(), keys });
    step.piece = Piece::Opening(outbox.work(Purpose::RoomOpen(room.space), job));
    room.replay.push(step);
}

/// Entries that this device has just written: ECHO has them already, and learns only that they are durable.
fn release_own(room: &mut Room, run: &Run, past: &[(u64, Arc<Past>)]) {
    let feed = room.data.feed;
    for entry in run.entries() {
        let piece = match room.written.remove(&entry.seq) {
            Some(ticket) => Piece::Written {
                ticket,
                seq: entry.seq,
                entry: weft_feed::entry_id(&feed, entry.seq, &weft_feed::leaf(entry.header.bytes())),
                claimed: entry.header.claimed(),
            },
            None => Piece::Nothing,
        };
        let past = vec![(entry.seq, past_of(past, entry.seq))];
        room.replay.push(Step { feed, length: entry.seq + 1, past, rulings: Vec::new(), piece });
    }
}

/// The verdict of mutations from `seq` on that share an epoch and a past, and up to where it holds: a cut may lie in a run. A void
/// one is integrated hollow: it shows nothing, and what others wrote into it keeps its place. Spec: ECHO-5.3, SPACE-8.3
fn rule(room: &Room, feed: &FeedId, seq: u64, until: u64, epoch: Option<&EpochId>, past: &Past) -> (Counts, u64) {
    let span = Span { feed, from: seq, until, epoch, body: true, past };
    let ruling = room.membership.resolution().judge(&span);
    let counts = match ruling.verdict {
        Verdict::Counts => Counts::Counts,
        Verdict::Void(_) | Verdict::Undecided => Counts::Hollow,
    };
    (counts, ruling.until)
}

/// Gives ECHO the next step.
fn hand_over(room: &mut Room, now: Time, step: Step) {
    let author = room.author(&step.feed);
    let input = match step.piece {
        Piece::Written { ticket, seq, entry, claimed } => {
            let past = past_of(&step.past, seq);
            weft_echo::Input::Written(weft_echo::Written { ticket, seq, entry, claimed, past })
        }
        Piece::Nothing => weft_echo::Input::Released(weft_echo::Released {
            feed: step.feed,
            length: step.length,
            entries: Vec::new(),
        }),
        Piece::Opening(_) => unreachable!("only finished steps are handed over"),
        Piece::Opened(opened) => {
            let entries = opened
                .into_iter()
                .map(|opened| Applied {
                    seq: opened.seq,
                    session: opened.session,
                    entry: opened.entry,
                    author,
                    claimed: opened.claimed,
                    past: past_of(&step.past, opened.seq),
                    counts: ruling_of(&step.rulings, opened.seq),
                    mutation: opened.mutation,
                })
                .collect();
            weft_echo::Input::Released(weft_echo::Released { feed: step.feed, length: step.length, entries })
        }
    };
    room.echo.handle_input(now, input);
}

/// The past that holds for an entry, of a list that says from which entry on each one holds.
pub(crate) fn past_of(past: &[(u64, Arc<Past>)], seq: u64) -> Arc<Past> {
    let place = past.partition_point(|(from, _)| *from <= seq);
    past[place.checked_sub(1).expect("the first past holds from the first entry")].1.clone()
}

fn ruling_of(rulings: &[(u64, Counts)], seq: u64) -> Counts {
    let place = rulings.partition_point(|(from, _)| *from <= seq);
    rulings[place.checked_sub(1).expect("the first mutation has a ruling")].1.clone()
}
