//! What a session fetches: ranges arrive, are verified one after another on the tree of the one before, and leave to be
//! persisted. Everything that arrived and is not durable yet was paid for with credit, so memory is bounded by the window.
//!
//! A part of a feed whose stored bytes are damaged is wanted again by a `Want` of its own: it begins where the damage does
//! and ends when the damage does, and what comes of it leaves as mended.
//!
//! Spec: REPLICATION-5.1, REPLICATION-6.3, REPLICATION-7.3

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use weft_crypto::{FeedId, Head, SpaceId};
use weft_feed::{Absent, Origin, PendingBodies, Tree, limits};
use weft_wire::replication as wire;

use crate::{
    error::Violation,
    io::{Number, Output, Ticket},
    job::{Job, Outcome, Unverified},
    message,
    outbox::Outbox,
};

/// Where a feed is fetched for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) number: Number,
    pub(crate) space: SpaceId,
    pub(crate) origin: Origin,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    window: u64,
    /// What the peer has spent of the window.
    outstanding: u64,
    /// What it gets back with the next `Credit`.
    owed: u64,
    asks: BTreeMap<FeedId, Ask>,
    /// The range whose bodies come in frames of their own: always the newest one.
    streaming: Option<(FeedId, u64)>,
    jobs: BTreeMap<Ticket, FeedId>,
    persisting: BTreeMap<Ticket, Persisting>,
    /// The ends of what left to be persisted and is not durable yet.
    handed: BTreeMap<FeedId, (Head, Tree)>,
    /// Parts that are to be wanted again once the `Want` that is open has ended.
    mends: BTreeMap<FeedId, Mend>,
}

/// A part of a feed that is held and damaged.
#[derive(Debug)]
struct Mend {
    /// The head and the tree at its beginning; none at the feed's.
    base: Option<(Head, Tree)>,
    until: u64,
}

/// One `Want` of ours, from the first frame to the `Refused` that ends it.
#[derive(Debug)]
struct Ask {
    place: Place,
    state: State,
    /// After the last range that was verified.
    tree: Tree,
    /// Where the next range must begin.
    next: u64,
    arrived: VecDeque<Arrived>,
    /// The first of `arrived` when its headers are verified and its bodies are not all here.
    pending: Option<Box<PendingBodies>>,
    job: Option<Ticket>,
    /// Where the damage ends that this is for; none when it goes on from what is held.
    mends_until: Option<u64>,
    /// While it mends: whether the feed is followed afterwards.
    follows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// `Stop` was sent: whatever comes before `Refused` is dropped, and then the feed is wanted `again`, or not.
    Ending {
        again: bool,
    },
}

/// A range that left to be made durable.
#[derive(Clone, Copy, Debug)]
struct Persisting {
    feed: FeedId,
    end: u64,
    cost: u64,
}

#[derive(Debug)]
struct Arrived {
    from: u64,
    head: Head,
    headers: Bytes,
    absent: Absent,
    bodies: Vec<Bytes>,
    /// Whether bodies may still come.
    open: bool,
    cost: u64,
}

impl Receiver {
    pub(crate) fn new(window: u64) -> Self {
        Self {
            window,
            outstanding: 0,
            owed: 0,
            asks: BTreeMap::new(),
            streaming: None,
            jobs: BTreeMap::new(),
            persisting: BTreeMap::new(),
            handed: BTreeMap::new(),
            mends: BTreeMap::new(),
        }
    }

    /// Whether this feed is being fetched.
    pub(crate) fn asks(&self, feed: &FeedId) -> bool {
        self.asks.get(feed).is_some_and(|ask| ask.state == State::Open)
    }

    /// Takes a frame that must be paid for. Spec: REPLICATION-6.1
    pub(crate) fn charge(&mut self, cost: u64) -> Result<(), Violation> {
        let (outstanding, window) = (self.outstanding, self.window);
        if outstanding + cost > window {
            return Err(Violation::OverCredit { cost, outstanding, window });
        }
        self.outstanding += cost;
        Ok(())
    }

    /// Gives back what a frame was charged, with the next `Credit`.
    pub(crate) fn owe(&mut self, cost: u64) {
        self.owed += cost;
    }

    /// The `Credit` that is due. Small change is kept until an eighth of the window has come together. Spec: REPLICATION-6.3
    pub(crate) fn credit_due(&mut self) -> Option<u64> {
        if self.owed < self.window / 8 {
            return None;
        }
        let owed = std::mem::take(&mut self.owed);
        self.outstanding -= owed;
        Some(owed)
    }

    /// Wants the feed from the end of what is verified of it; `held` is what is durable.
    pub(crate) fn fetch(&mut self, feed: FeedId, place: Place, held: Option<(&Head, &Tree)>, out: &mut Outbox) {
        if let Some(ask) = self.asks.get_mut(&feed) {
            ask.follows = true;
            if let State::Ending { again } = &mut ask.state {
                *again = true;
            }
            return;
        }
        let base = self.handed.get(&feed).map(|(head, tree)| (head, tree)).or(held);
        let base = base.map(|(head, tree)| (*head, tree.clone()));
        self.want(feed, place, base, None, true, out);
    }

    /// Wants a part again that is held and damaged. What is being fetched of the feed ends first, and goes on
    /// afterwards. Spec: REPLICATION-5.6
    pub(crate) fn mend(
        &mut self,
        feed: FeedId,
        place: Place,
        base: Option<(Head, Tree)>,
        until: u64,
        out: &mut Outbox,
    ) {
        if self.asks.contains_key(&feed) {
            self.mends.insert(feed, Mend { base, until });
            self.end(&feed, true, out);
        } else {
            self.want(feed, place, base, Some(until), false, out);
        }
    }

    fn want(
        &mut self,
        feed: FeedId,
        place: Place,
        base: Option<(Head, Tree)>,
        mends_until: Option<u64>,
        follows: bool,
        out: &mut Outbox,
    ) {
        out.send(message::want(place.number, feed, base.as_ref().map(|(head, tree)| (head, tree))));
        let tree = base.map_or_else(Tree::new, |(_, tree)| tree);
        let next = tree.length();
        let arrived = VecDeque::new();
        let (state, pending, job) = (State::Open, None, None);
        self.asks.insert(feed, Ask { place, state, tree, next, arrived, pending, job, mends_until, follows });
    }

    /// Whether a part of the feed is wanted when the `Want` that is open ends.
    pub(crate) fn is_to_mend(&self, feed: &FeedId) -> bool {
        self.mends.contains_key(feed)
    }

    /// What waited for the end of a `Want`: a part to be mended goes before what goes on from what is held.
    pub(crate) fn again(&mut self, feed: FeedId, place: Place, held: Option<(&Head, &Tree)>, out: &mut Outbox) {
        match self.mends.remove(&feed) {
            Some(Mend { base, until }) => self.want(feed, place, base, Some(until), true, out),
            None => self.fetch(feed, place, held, out),
        }
    }

    /// Wants the feed no longer.
    pub(crate) fn cease(&mut self, feed: &FeedId, out: &mut Outbox) {
        self.mends.remove(feed);
        self.end(feed, false, out);
    }

    fn end(&mut self, feed: &FeedId, again: bool, out: &mut Outbox) {
        let Some(ask) = self.asks.get_mut(feed) else { return };
        if ask.state == State::Open {
            out.send(message::stop(ask.place.number, *feed));
        }
        ask.state = State::Ending { again };
        self.owed += ask.drop_arrived();
    }

    /// The peer ended it. Whether that is news, and where it ended; `Err` when nothing was wanted.
    pub(crate) fn refused(&mut self, feed: FeedId) -> Result<Ended, Violation> {
        let mut ask = self.asks.remove(&feed).ok_or(Violation::RefusedUnasked { feed })?;
        self.owed += ask.drop_arrived();
        Ok(match ask.state {
            State::Open => Ended::ByPeer,
            State::Ending { again: true } => Ended::Again,
            State::Ending { again: false } => Ended::AsAsked,
        })
    }

    /// The feed is durable up to here. If others brought more than this session did, it starts again from there.
    pub(crate) fn extended(&mut self, feed: &FeedId, length: u64, out: &mut Outbox) {
        if self.handed.get(feed).is_some_and(|(head, _)| head.length <= length) {
            self.handed.remove(feed);
        }
        let behind = |ask: &Ask| ask.state == State::Open && ask.mends_until.is_none() && ask.tree.length() < length;
        if self.asks.get(feed).is_some_and(behind) {
            self.end(feed, true, out);
        }
    }

    /// The space is closed: nothing of it is wanted or expected any more.
    pub(crate) fn close(&mut self, number: Number) {
        let closed: Vec<FeedId> =
            self.asks.iter().filter(|(_, ask)| ask.place.number == number).map(|(feed, _)| *feed).collect();
        for feed in closed {
            if let Some(mut ask) = self.asks.remove(&feed) {
                self.owed += ask.drop_arrived();
            }
            self.handed.remove(&feed);
            self.mends.remove(&feed);
        }
    }

    /// A range began: so the one before it has all its bodies, or never will.
    pub(crate) fn end_streaming(&mut self, out: &mut Outbox) -> Result<(), Violation> {
        let Some((feed, from)) = self.streaming.take() else { return Ok(()) };
        if let Some(last) = self.asks.get_mut(&feed).and_then(|ask| ask.arrived.back_mut())
            && last.from == from
        {
            last.open = false;
        }
        self.step(feed, out)
    }

    /// A range arrived, and was charged. Spec: REPLICATION-7.1
    pub(crate) fn range(
        &mut self,
        feed: FeedId,
        range: wire::Range,
        cost: u64,
        out: &mut Outbox,
    ) -> Result<(), Violation> {
        let from = range.from;
        let ask = self.asks.get_mut(&feed).ok_or(Violation::RangeUnasked { feed })?;
        if !range.inline {
            self.streaming = Some((feed, from));
        }
        if ask.state != State::Open {
            self.owed += cost;
            return Ok(());
        }
        if from != ask.next {
            return Err(Violation::RangeFrom { feed, expected: ask.next, found: from });
        }
        let head = Head::decode(&range.head).map_err(|_| Violation::RangeHead { feed, from })?;
        let entries =
            head.length.checked_sub(from).filter(|count| (1..=limits::RANGE_ENTRIES_MAX as u64).contains(count));
        let Some(entries) = entries.filter(|_| head.feed == feed) else {
            return Err(Violation::RangeHead { feed, from });
        };
        let shape = Violation::RangeShape { feed, from };
        let absent = Absent::from_bits(&range.absent, entries as u32).map_err(|_| shape.clone())?;
        if !range.inline && !range.bodies.is_empty() {
            return Err(shape);
        }
        ask.next = head.length;
        let bodies = if range.bodies.is_empty() { Vec::new() } else { vec![range.bodies] };
        let headers = range.headers;
        ask.arrived.push_back(Arrived { from, head, headers, absent, bodies, open: !range.inline, cost });
        out.push(Output::Arriving { space: ask.place.space, feed });
        self.step(feed, out)
    }

    /// Bodies arrived, and were charged. Spec: REPLICATION-7.2
    pub(crate) fn bodies(
        &mut self,
        feed: FeedId,
        message: wire::Bodies,
        cost: u64,
        out: &mut Outbox,
    ) -> Result<(), Violation> {
        let from = message.from;
        if self.streaming != Some((feed, from)) || message.bodies.is_empty() {
            return Err(Violation::BodiesUnasked { feed, from });
        }
        let ask = self.asks.get_mut(&feed).filter(|ask| ask.state == State::Open);
        let Some((space, last)) = ask.and_then(|ask| {
            let last = ask.arrived.back_mut().filter(|last| last.from == from)?;
            Some((ask.place.space, last))
        }) else {
            self.owed += cost;
            return Ok(());
        };
        last.bodies.push(message.bodies);
        last.cost += cost;
        out.push(Output::Arriving { space, feed });
        self.step(feed, out)
    }

    /// A job of this side has run.
    pub(crate) fn worked(&mut self, ticket: Ticket, outcome: Outcome, out: &mut Outbox) -> Result<(), Violation> {
        let Some(feed) = self.jobs.remove(&ticket) else { return Ok(()) };
        let Some(ask) = self.asks.get_mut(&feed).filter(|ask| ask.job == Some(ticket)) else { return Ok(()) };
        ask.job = None;
        match outcome {
            Outcome::Pending(pending) => ask.pending = Some(pending),
            Outcome::Verified(range) => {
                let arrived = ask.arrived.pop_front().expect("a job verifies the first range");
                if !arrived.bodies.is_empty() {
                    return Err(Violation::BodiesUnasked { feed, from: arrived.from });
                }
                if self.streaming == Some((feed, arrived.from)) {
                    self.streaming = None;
                }
                ask.tree = range.tree().clone();
                let ticket = out.ticket();
                let (space, end) = (ask.place.space, arrived.head.length);
                match ask.mends_until {
                    None => {
                        self.handed.insert(feed, (arrived.head, ask.tree.clone()));
                        self.persisting.insert(ticket, Persisting { feed, end, cost: arrived.cost });
                        out.push(Output::Persist { ticket, space, feed, range: *range });
                    }
                    Some(until) => {
                        let follows = ask.follows;
                        self.owed += arrived.cost;
                        out.push(Output::Mended { space, feed, range: *range });
                        if end >= until {
                            self.end(&feed, follows, out);
                            return Ok(());
                        }
                    }
                }
            }
            Outcome::Wrong(violation) => {
                let from = ask.arrived.front().map_or(ask.next, |arrived| arrived.from);
                return Err(Violation::Range { feed, from, violation: Box::new(violation) });
            }
            Outcome::Base(_) => unreachable!("tickets are not mixed up"),
        }
        self.step(feed, out)
    }

    /// A range is durable, or was set aside; its credit goes back. One that was set aside left a gap behind what came after
    /// it, so the feed starts again from what is durable.
    pub(crate) fn persisted(&mut self, ticket: Ticket, durable: impl Fn(&FeedId) -> u64, out: &mut Outbox) {
        let Some(Persisting { feed, end, cost }) = self.persisting.remove(&ticket) else { return };
        self.owed += cost;
        if durable(&feed) >= end {
            return;
        }
        if self.handed.get(&feed).is_some_and(|(head, _)| head.length >= end) {
            self.handed.remove(&feed);
        }
        if self.asks.get(&feed).is_some_and(|ask| ask.state == State::Open && ask.tree.length() >= end) {
            self.end(&feed, true, out);
        }
    }

    /// Orders the next job of a feed, if there is anything to do and none is under way.
    fn step(&mut self, feed: FeedId, out: &mut Outbox) -> Result<(), Violation> {
        let Some(ask) = self.asks.get_mut(&feed).filter(|ask| ask.job.is_none()) else { return Ok(()) };
        let Some(first) = ask.arrived.front_mut() else { return Ok(()) };
        let bodies = std::mem::take(&mut first.bodies);
        let job = match ask.pending.take() {
            None => Job::range(
                Unverified {
                    tree: ask.tree.clone(),
                    origin: ask.place.origin,
                    from: first.from,
                    head: first.head,
                    headers: first.headers.clone(),
                    absent: first.absent,
                },
                bodies,
            ),
            Some(pending) if !bodies.is_empty() => Job::bodies(pending, bodies),
            Some(pending) if first.open => {
                ask.pending = Some(pending);
                return Ok(());
            }
            Some(_) => return Err(Violation::RangeIncomplete { feed, from: first.from }),
        };
        let ticket = out.ticket();
        ask.job = Some(ticket);
        self.jobs.insert(ticket, feed);
        out.push(Output::Work { ticket, job });
        Ok(())
    }
}

/// How a `Want` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    ByPeer,
    AsAsked,
    /// As asked, and the feed is wanted again from where it is now.
    Again,
}

impl Ask {
    /// Forgets what is not verified, and says what it had been charged.
    fn drop_arrived(&mut self) -> u64 {
        self.job = None;
        self.pending = None;
        self.arrived.drain(..).map(|arrived| arrived.cost).sum()
    }
}
