//! One connected peer: routes facts to what is fetched, what is served and what both hold, and keeps the order of frames.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use weft_crypto::{DeviceId, FeedId, Head, SpaceId};
use weft_feed::VerifiedRange;
use weft_machine::{Machine, Seed, Time};
use weft_wire::replication::{self as wire, frame::Kind};

use crate::{
    config::Config,
    error::Violation,
    io::{Held, Input, Number, Output, Refusal, Ticket},
    job::{Done, Outcome},
    message::{self, Point, refused},
    outbox::Outbox,
    pair::Pair,
    receive::{Ended, Place, Receiver},
    serve::{Server, Wanted},
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
    /// A session with `peer`. It draws nothing at random, so the seed is not used; every machine is made alike.
    #[must_use]
    pub fn new(config: Config, _me: DeviceId, peer: DeviceId, _seed: Seed) -> Self {
        Self {
            serve: Server::new(&config),
            receive: Receiver::new(config.window()),
            config,
            peer,
            out: Outbox::default(),
            now: Time::ZERO,
            stage: Stage::Before,
            heard_hello: false,
            spaces: BTreeMap::new(),
            pairs: BTreeMap::new(),
            closed: BTreeSet::new(),
            feeds: BTreeMap::new(),
            claims: 0,
            unsaid: BTreeMap::new(),
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

    // --- what the peer says --------------------------------------------------------------------------------------

    fn received(&mut self, payload: Bytes) -> Result<(), Violation> {
        let cost = message::cost(payload.len() as u64);
        let Some(kind) = weft_wire::decode::<wire::Frame>(&payload)?.kind else {
            return Ok(()); // of a later version
        };
        if !self.heard_hello && !matches!(kind, Kind::Hello(_)) {
            return Err(Violation::BeforeHello { frame: name(&kind) });
        }
        match kind {
            Kind::Hello(hello) => self.hello(hello),
            Kind::Credit(credit) => self.serve.credit(credit.bytes, &mut self.out),
            Kind::Have(have) => self.have(have),
            Kind::Want(want) => match self.space("Want", want.space)? {
                Some(_) => self.want(want),
                None => Ok(()),
            },
            Kind::Stop(stop) => match self.space("Stop", stop.space)? {
                Some(_) => self.stop(stop),
                None => Ok(()),
            },
            Kind::Refused(refused) => match self.space("Refused", refused.space)? {
                Some(space) => self.refused(space, refused),
                None => Ok(()),
            },
            Kind::Contradiction(contradiction) => match self.space("Contradiction", contradiction.space)? {
                Some(space) => self.contradiction(space, contradiction),
                None => Ok(()),
            },
            Kind::Range(range) => {
                self.receive.charge(cost)?;
                self.receive.end_streaming(&mut self.out)?;
                match self.space("Range", range.space)? {
                    Some(space) => {
                        let feed = self.feed_of(space, &range.feed, |feed| Violation::RangeUnasked { feed })?;
                        self.moved(range.space);
                        self.receive.range(feed, range, cost, &mut self.out)
                    }
                    None => {
                        self.receive.owe(cost);
                        Ok(())
                    }
                }
            }
            Kind::Bodies(bodies) => {
                self.receive.charge(cost)?;
                match self.space("Bodies", bodies.space)? {
                    Some(space) => {
                        let from = bodies.from;
                        let feed = self.feed_of(space, &bodies.feed, |feed| Violation::BodiesUnasked { feed, from })?;
                        self.moved(bodies.space);
                        self.receive.bodies(feed, bodies, cost, &mut self.out)
                    }
                    None => {
                        self.receive.owe(cost);
                        Ok(())
                    }
                }
            }
        }
    }

    fn hello(&mut self, hello: wire::Hello) -> Result<(), Violation> {
        if self.heard_hello {
            return Err(Violation::SecondHello);
        }
        if hello.version != message::VERSION {
            return Err(Violation::Version { version: hello.version });
        }
        if hello.credit < message::WINDOW_MIN {
            return Err(Violation::Window { credit: hello.credit });
        }
        self.heard_hello = true;
        self.serve.set_window(hello.credit, &mut self.out);
        Ok(())
    }

    /// The space that a number names: none when its door was closed here, and then the frame means nothing any more.
    /// Spec: REPLICATION-4.1
    fn space(&self, frame: &'static str, number: Number) -> Result<Option<SpaceId>, Violation> {
        let space = self.pairs.get(&number).and_then(|pair| pair.space);
        if space.is_none() && !self.closed.contains(&number) {
            return Err(Violation::UnknownNumber { frame, number });
        }
        Ok(space)
    }

    fn have(&mut self, have: wire::Have) -> Result<(), Violation> {
        let number = have.space;
        if self.closed.contains(&number) {
            return Ok(());
        }
        if !self.pairs.contains_key(&number) && self.pairs.len() - self.spaces.len() == self.config.early_max {
            return Err(Violation::UnknownNumber { frame: "Have", number });
        }
        // The peer's door may have opened a moment before ours: its claims are kept until ours does.
        let pair = self.pairs.entry(number).or_default();
        let space = pair.space;
        let mut news = Vec::new();
        for (feed, point) in message::holdings(&have.holdings)? {
            if point.length == 0 {
                return Err(Violation::EmptyHolding { feed });
            }
            if pair.theirs(&feed).is_none() {
                if self.claims == self.config.claims_max {
                    return Err(Violation::TooManyClaims { claims_max: self.config.claims_max });
                }
                self.claims += 1;
            }
            pair.claim(self.now, feed, point);
            news.push((feed, point));
        }
        let completes = have.complete && !pair.complete;
        pair.complete |= have.complete;
        let Some(space) = space else { return Ok(()) };
        for (feed, Point { length, root }) in news {
            if self.feeds.contains_key(&feed) {
                self.out.push(Output::Learned { space, feed, length, root });
                self.contradict(feed);
            }
        }
        if completes {
            self.out.push(Output::Complete { space });
        }
        self.tell_level(number, space);
        Ok(())
    }

    fn want(&mut self, want: wire::Want) -> Result<(), Violation> {
        let feed = id(&want.feed)?;
        let base = message::want_base(&want, feed)?;
        if self.serve.follows(&feed) {
            return Err(Violation::WantedTwice { feed });
        }
        let number = want.space;
        let Some(known) = self.feeds.get(&feed).filter(|known| known.number == number) else {
            self.out.send(message::refusal(number, feed, want.from, refused::NOT_HELD));
            return Ok(());
        };
        let (origin, length) = (known.held.origin(), known.held.tree.length());
        if want.from > length {
            self.out.send(message::refusal(number, feed, want.from, refused::NOT_HELD));
            return Ok(());
        }
        let base = base.filter(|(_, tree)| *tree != known.held.tree);
        if let Some((head, _)) = &base
            && want.from == length
        {
            head.verify(&origin.feed_key).map_err(|_| Violation::Unsigned { feed })?;
            self.out.send(message::refusal(number, feed, want.from, refused::CONTRADICTS));
            self.forked(*head);
            return Ok(());
        }
        self.serve.follow(Wanted { number, origin, length }, want.from, base, &mut self.out);
        Ok(())
    }

    fn stop(&mut self, stop: wire::Stop) -> Result<(), Violation> {
        let feed = id(&stop.feed)?;
        // If it is not followed, our own `Refused` crossed the `Stop` and has ended it.
        if let Some(next) = self.serve.end(&feed) {
            self.out.send(message::refusal(stop.space, feed, next, refused::AS_ASKED));
        }
        Ok(())
    }

    fn refused(&mut self, space: SpaceId, message: wire::Refused) -> Result<(), Violation> {
        let feed = self.feed_of(space, &message.feed, |feed| Violation::RefusedUnasked { feed })?;
        match self.receive.refused(feed)? {
            Ended::AsAsked => {}
            Ended::Again => self.fetch(feed),
            Ended::ByPeer => {
                let reason = match message.reason {
                    refused::NOT_HELD => Refusal::NotHeld,
                    refused::CONTRADICTS => Refusal::Contradicts,
                    refused::DAMAGED => Refusal::Damaged,
                    refused::RULE => Refusal::Rule,
                    other => Refusal::Other(other),
                };
                let known = self.feeds.get_mut(&feed).expect("feed_of() found it");
                known.refused = Some((reason, message.rule.clone()));
                let (from, rule) = (message.from, message.rule);
                self.out.push(Output::PeerRefused { space, feed, from, reason, rule });
            }
        }
        Ok(())
    }

    fn contradiction(&mut self, space: SpaceId, message: wire::Contradiction) -> Result<(), Violation> {
        let head = Head::decode(&message.head).map_err(|_| Violation::NoContradiction)?;
        let known = self.feeds.get(&head.feed).filter(|known| known.space == space);
        let known = known.ok_or(Violation::NoContradiction)?;
        head.verify(&known.held.feed_key).map_err(|_| Violation::Unsigned { feed: head.feed })?;
        let tree = &known.held.tree;
        if head.length != tree.length() {
            // About what we said a moment ago; whoever is longer finds out when the other wants the rest (REPLICATION-8.1).
            return Ok(());
        }
        if head.root == tree.root() {
            return Err(Violation::NoContradiction);
        }
        self.forked(head);
        Ok(())
    }

    /// The feed that a frame names, of this space; else `wrong`.
    fn feed_of(
        &self,
        space: SpaceId,
        bytes: &[u8],
        wrong: impl FnOnce(FeedId) -> Violation,
    ) -> Result<FeedId, Violation> {
        let feed = id(bytes)?;
        let known = self.feeds.get(&feed).filter(|known| known.space == space);
        if known.is_some() { Ok(feed) } else { Err(wrong(feed)) }
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
            Input::Extended { feed, range } => {
                self.extended(feed, &range);
                Ok(())
            }
            Input::WasRead { ticket, result } => {
                self.serve.was_read(ticket, result, &mut self.out);
                Ok(())
            }
            Input::Persisted { ticket } => {
                self.receive.persisted(ticket);
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

fn id(bytes: &[u8]) -> Result<FeedId, Violation> {
    let id: Result<[u8; 32], _> = bytes.try_into();
    id.map(FeedId::from_bytes).map_err(|_| Violation::FeedId { bytes: bytes.len() })
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Hello(_) => "Hello",
        Kind::Have(_) => "Have",
        Kind::Want(_) => "Want",
        Kind::Stop(_) => "Stop",
        Kind::Range(_) => "Range",
        Kind::Bodies(_) => "Bodies",
        Kind::Credit(_) => "Credit",
        Kind::Contradiction(_) => "Contradiction",
        Kind::Refused(_) => "Refused",
    }
}
