//! One connected peer: routes facts to what is fetched, what is served and what both hold, and keeps the order of frames.

mod heard;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use weft_crypto::{DeviceId, FeedId, Head, SpaceId};
use weft_feed::{Tree, VerifiedRange};
use weft_machine::{Draws, Machine, Seed, Time};

use crate::{
    allowance::Allowance,
    config::Config,
    error::Violation,
    io::{Held, Input, Number, Output, Refusal, Ticket},
    job::{Done, Outcome},
    message::{self, Point},
    outbox::Outbox,
    pair::Pair,
    receive::{Place, Receiver},
    serve::Server,
    stuck::{self, Reason},
};

/// The replication session with one peer. See the crate's page for how it is driven; it has no timers.
#[derive(Debug)]
pub struct Session {
    config: Config,
    peer: DeviceId,
    out: Outbox,
    now: Time,
    stage: Stage,
    heard_hello: bool,
    spaces: BTreeMap<SpaceId, Number>,
    /// By number: spaces whose door is open here, and what the peer claimed of those whose door opens in a moment.
    pairs: BTreeMap<Number, Pair>,
    /// Numbers whose door was open and is not any more.
    closed: BTreeSet<Number>,
    feeds: BTreeMap<FeedId, Feed>,
    /// Claims kept, over all pairs.
    claims: usize,
    /// Feeds that grew since the last `Have`.
    unsaid: BTreeMap<Number, BTreeSet<FeedId>>,
    /// What of presence may be said, and what is listened to.
    said: Allowance,
    heard: Allowance,
    serve: Server,
    receive: Receiver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The stream does not stand yet.
    Before,
    Open,
    /// The peer broke the protocol.
    Over,
}

/// A feed of an open space.
#[derive(Debug)]
struct Feed {
    number: Number,
    space: SpaceId,
    held: Held,
    /// Why the peer ended what was fetched of it, until it is fetched again.
    refused: Option<(Refusal, String)>,
    /// The length at which our head was sent as a contradiction.
    contradicted: u64,
}

impl Session {
    /// A session with `peer`. The seed only says where its tickets begin, so that an answer which comes too late is not
    /// taken for one to a later session.
    #[must_use]
    pub fn new(config: Config, _me: DeviceId, peer: DeviceId, seed: Seed) -> Self {
        let Config { presence_out, presence_in, .. } = config;
        Self {
            serve: Server::new(&config),
            receive: Receiver::new(config.window()),
            config,
            peer,
            out: Outbox::new(Draws::new(seed).next_u64()),
            now: Time::ZERO,
            stage: Stage::Before,
            heard_hello: false,
            spaces: BTreeMap::new(),
            pairs: BTreeMap::new(),
            closed: BTreeSet::new(),
            feeds: BTreeMap::new(),
            claims: 0,
            unsaid: BTreeMap::new(),
            said: Allowance::new(presence_out.0, presence_out.1),
            heard: Allowance::new(presence_in.0, presence_in.1),
        }
    }

    /// The device at the other end.
    #[must_use]
    pub fn peer(&self) -> DeviceId {
        self.peer
    }

    /// Whether both hold the same of this space: the peer's list is whole, and every feed has one length and one root on
    /// both sides, durable on both. None while its door is closed. Spec: REPLICATION-9.1
    #[must_use]
    pub fn level(&self, space: &SpaceId) -> Option<bool> {
        self.spaces.get(space).and_then(|number| self.pairs.get(number)).map(Pair::level)
    }

    /// Why the two are not level, at most [`Config::reasons_max`] of it; empty when they are. Spec: REPLICATION-9.2
    #[must_use]
    pub fn reasons(&self, space: &SpaceId, now: Time) -> Vec<Reason> {
        let Some(pair) = self.spaces.get(space).and_then(|number| self.pairs.get(number)) else { return Vec::new() };
        let lookup = |feed: &FeedId| {
            let known = self.feeds.get(feed)?;
            Some(stuck::Standing {
                stopped: known.held.stopped,
                refused: known.refused.as_ref(),
                asked: self.receive.asks(feed),
                follows: self.serve.follows(feed),
            })
        };
        stuck::reasons(pair, lookup, self.peer, now, &self.config)
    }

    // --- what happens here ---------------------------------------------------------------------------------------

    fn open(&mut self) {
        self.stage = Stage::Open;
        self.out.send(message::hello(self.config.window()));
        for number in self.spaces.values() {
            let held = self.pairs[number].held();
            message::haves(*number, &held, true).into_iter().for_each(|frame| self.out.send(frame));
        }
    }

    fn granted(&mut self, number: Number, space: SpaceId, feeds: Vec<Held>) {
        self.revoked(space);
        self.closed.remove(&number);
        self.spaces.insert(space, number);
        self.pairs.entry(number).or_default().space = Some(space);
        for held in feeds {
            self.admit(number, space, held);
        }
        let pair = &self.pairs[&number];
        let complete = pair.complete;
        if self.stage == Stage::Open {
            message::haves(number, &pair.held(), true).into_iter().for_each(|frame| self.out.send(frame));
        }
        if complete {
            self.out.push(Output::Complete { space });
        }
        self.tell_level(number, space);
    }

    fn feed_admitted(&mut self, space: SpaceId, held: Held) {
        let Some(&number) = self.spaces.get(&space) else { return };
        let feed = held.feed;
        if let Some(known) = self.feeds.get_mut(&feed) {
            // Admitted again: only that a fork stopped it can be news.
            known.held.stopped |= held.stopped;
            if known.held.stopped {
                self.receive.cease(&feed, &mut self.out);
            }
            return;
        }
        let holds_some = held.head.is_some();
        self.admit(number, space, held);
        if holds_some {
            self.unsaid.entry(number).or_default().insert(feed);
        }
        self.tell_level(number, space);
    }

    fn admit(&mut self, number: Number, space: SpaceId, held: Held) {
        let feed = held.feed;
        let pair = self.pairs.get_mut(&number).expect("the door is open");
        pair.stand(self.now, feed, held.stands);
        if let Some(head) = &held.head {
            pair.hold(self.now, feed, head.into());
        }
        let theirs = pair.theirs(&feed);
        self.feeds.insert(feed, Feed { number, space, held, refused: None, contradicted: 0 });
        if let Some(Point { length, root }) = theirs {
            self.out.push(Output::Learned { space, feed, length, root });
            self.contradict(feed);
        }
    }

    fn revoked(&mut self, space: SpaceId) {
        let Some(number) = self.spaces.remove(&space) else { return };
        if let Some(pair) = self.pairs.remove(&number) {
            self.claims -= pair.claims();
            if pair.told {
                self.out.push(Output::Levelled { space, level: false });
            }
        }
        self.unsaid.remove(&number);
        self.feeds.retain(|_, feed| feed.number != number);
        self.serve.close(number);
        self.receive.close(number);
        self.closed.insert(number);
        if self.closed.len() > self.config.closed_max {
            self.closed.pop_first();
        }
    }

    fn extended(&mut self, feed: FeedId, range: &Arc<VerifiedRange>) {
        let Some(known) = self.feeds.get_mut(&feed) else { return };
        let (number, space) = (known.number, known.space);
        known.held.tree = range.tree().clone();
        known.held.head = Some(*range.head());
        let pair = self.pairs.get_mut(&number).expect("the door is open");
        pair.hold(self.now, feed, range.head().into());
        self.unsaid.entry(number).or_default().insert(feed);
        self.receive.extended(&feed, range.end(), &mut self.out);
        self.serve.extended(feed, range, &mut self.out);
        self.contradict(feed);
        self.tell_level(number, space);
    }

    fn fetch(&mut self, feed: FeedId) {
        if let Some(known) = self.feeds.get_mut(&feed)
            && !known.held.stopped
        {
            known.refused = None;
            let place = Place { number: known.number, space: known.space, origin: known.held.origin() };
            self.receive.fetch(feed, place, known.held.base(), &mut self.out);
        }
    }

    /// What waited for the end of a `Want` of ours.
    fn fetch_again(&mut self, feed: FeedId) {
        // Of a stopped feed only parts are wanted.
        if let Some(known) = self.feeds.get_mut(&feed)
            && (!known.held.stopped || self.receive.is_to_mend(&feed))
        {
            known.refused = None;
            let place = Place { number: known.number, space: known.space, origin: known.held.origin() };
            self.receive.again(feed, place, known.held.base(), &mut self.out);
        }
    }

    fn mend(&mut self, feed: FeedId, base: Option<(Head, Tree)>, until: u64) {
        if let Some(known) = self.feeds.get_mut(&feed) {
            known.refused = None;
            let place = Place { number: known.number, space: known.space, origin: known.held.origin() };
            self.receive.mend(feed, place, base, until, &mut self.out);
        }
    }

    fn feed_stands(&mut self, feed: FeedId, stands: Option<u64>) {
        let Some(known) = self.feeds.get_mut(&feed) else { return };
        known.held.stands = stands;
        let (number, space) = (known.number, known.space);
        if let Some(pair) = self.pairs.get_mut(&number) {
            pair.stand(self.now, feed, stands);
        }
        self.tell_level(number, space);
    }

    fn stop_feed(&mut self, feed: &FeedId) {
        if let Some(known) = self.feeds.get_mut(feed) {
            known.held.stopped = true;
            self.receive.cease(feed, &mut self.out);
        }
    }

    fn worked(&mut self, ticket: Ticket, done: Done) -> Result<(), Violation> {
        match done.0 {
            Outcome::Base(base) => {
                if let Some(head) = self.serve.checked(ticket, base, &mut self.out)? {
                    self.forked(*head);
                }
                Ok(())
            }
            outcome => self.receive.worked(ticket, outcome, &mut self.out),
        }
    }

    // --- what follows from both ----------------------------------------------------------------------------------

    /// If both hold one length under two roots, shows the peer our head. Spec: REPLICATION-8.2
    fn contradict(&mut self, feed: FeedId) {
        let Some(known) = self.feeds.get_mut(&feed) else { return };
        let theirs = self.pairs.get(&known.number).and_then(|pair| pair.theirs(&feed));
        if let (Some(head), Some(theirs)) = (&known.held.head, theirs)
            && head.length == theirs.length
            && head.root != theirs.root
            && known.contradicted < head.length
            && self.stage == Stage::Open
        {
            known.contradicted = head.length;
            self.out.send(message::contradiction(known.number, head));
        }
    }

    /// The feed's author signed two logs, and `head` is of the one that is not held here. Spec: REPLICATION-8.3
    fn forked(&mut self, head: Head) {
        let feed = head.feed;
        let Some(known) = self.feeds.get_mut(&feed) else { return };
        let space = known.space;
        if !known.held.stopped {
            known.held.stopped = true;
            self.receive.cease(&feed, &mut self.out);
            self.out.push(Output::Contradicted { space, feed, head });
        }
    }

    /// Says what is not kept. Only to who has said something of the space: its door is open too. Spec: REPLICATION-10.1
    fn say(&mut self, space: SpaceId, epoch: Bytes, sealed: Bytes) {
        let Some(number) = self.spaces.get(&space).copied() else { return };
        let heard = self.pairs.get(&number).is_some_and(|pair| pair.complete);
        if heard && self.stage == Stage::Open && self.said.take(self.now) {
            self.out.send(message::presence(number, epoch, sealed));
        }
    }

    fn moved(&mut self, number: Number) {
        if let Some(pair) = self.pairs.get_mut(&number) {
            pair.moved = self.now;
        }
    }

    fn tell_level(&mut self, number: Number, space: SpaceId) {
        if let Some(level) = self.pairs.get_mut(&number).and_then(Pair::change) {
            self.out.push(Output::Levelled { space, level });
        }
    }

    /// Says what came together since the last time: what grew, and credit.
    fn flush(&mut self) {
        for (number, feeds) in std::mem::take(&mut self.unsaid) {
            let Some(pair) = self.pairs.get(&number) else { continue };
            let held: Vec<_> = feeds.into_iter().filter_map(|feed| Some((feed, pair.ours(&feed)?))).collect();
            message::haves(number, &held, false).into_iter().for_each(|frame| self.out.send(frame));
        }
        if let Some(bytes) = self.receive.credit_due() {
            self.out.send(message::credit(bytes));
        }
    }

    fn violated(&mut self, violation: Violation) {
        self.stage = Stage::Over;
        self.out.push(Output::Violated(violation));
    }
}

impl Machine for Session {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Time, input: Input) {
        self.now = now;
        if self.stage == Stage::Over {
            return;
        }
        let result = match input {
            Input::Received(payload) => self.received(payload),
            Input::Worked { ticket, done } => self.worked(ticket, done),
            Input::Opened => {
                self.open();
                Ok(())
            }
            Input::Granted { number, space, feeds } => {
                self.granted(number, space, feeds);
                Ok(())
            }
            Input::FeedAdmitted { space, held } => {
                self.feed_admitted(space, held);
                Ok(())
            }
            Input::FeedStopped { feed } => {
                self.stop_feed(&feed);
                Ok(())
            }
            Input::FeedStands { feed, stands } => {
                self.feed_stands(feed, stands);
                Ok(())
            }
            Input::Revoked { space } => {
                self.revoked(space);
                Ok(())
            }
            Input::Fetch { feed } => {
                self.fetch(feed);
                Ok(())
            }
            Input::Cease { feed } => {
                self.receive.cease(&feed, &mut self.out);
                Ok(())
            }
            Input::Mend { feed, base, until } => {
                self.mend(feed, base, until);
                Ok(())
            }
            Input::Extended { feed, range } => {
                self.extended(feed, &range);
                Ok(())
            }
            Input::Say { space, epoch, sealed } => {
                self.say(space, epoch, sealed);
                Ok(())
            }
            Input::WasRead { ticket, result } => {
                self.serve.was_read(ticket, result, &mut self.out);
                Ok(())
            }
            Input::Persisted { ticket } => {
                let durable = |feed: &FeedId| self.feeds.get(feed).map_or(0, |known| known.held.tree.length());
                self.receive.persisted(ticket, durable, &mut self.out);
                Ok(())
            }
        };
        if let Err(violation) = result {
            self.violated(violation);
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        if self.out.is_empty() && self.stage == Stage::Open {
            self.flush();
        }
        self.out.pop()
    }

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn wake(&mut self, now: Time) {
        self.now = now;
    }
}
