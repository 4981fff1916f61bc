//! What the peer says: each frame is checked against what may be said now, and handed to the part that it is for.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_crypto::{FeedId, Head, SpaceId};
use weft_wire::replication::{self as wire, frame::Kind};

use super::Session;
use crate::{
    error::Violation,
    io::{Number, Output, Refusal},
    message::{self, Point, refused},
    receive::Ended,
    serve::Wanted,
};

impl Session {
    pub(super) fn received(&mut self, payload: Bytes) -> Result<(), Violation> {
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
            Kind::Presence(presence) => {
                if let Some(space) = self.space("Presence", presence.space)?
                    && self.heard.take(self.now)
                {
                    let wire::Presence { epoch, sealed, .. } = presence;
                    self.out.push(Output::Heard { space, epoch, sealed });
                }
                Ok(())
            }
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
        // Of each feed once, whatever the frame repeats: what follows from a claim costs more than its 72 bytes.
        let mut news = BTreeMap::new();
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
            news.insert(feed, point);
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
            Ended::Again => self.fetch_again(feed),
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
        Kind::Presence(_) => "Presence",
    }
}
