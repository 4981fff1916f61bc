//! The replication stream as `specs/replication.md` says: enough of it to be believed, and then to be refused.

use bytes::Bytes;
use weft_crypto::{FeedId, Head, Root};
use weft_feed::{Tree, VerifiedRange};
use weft_wire::replication::{Bodies, Frame, Have, Hello, Range, Refused, Want, frame::Kind};

use crate::{
    Failed,
    door::{self, Door},
    member::Member,
    net::{Framed, Net, REPLICATION},
};

/// The window that is offered, and that every node has to offer at least.
pub(crate) const WINDOW: u64 = 8 << 20;

/// A replication stream with its door.
pub(crate) struct Replica {
    pub(crate) stream: Framed,
    /// The stream that has to stay.
    _door: Door,
    pub(crate) number: u32,
    /// What the node wanted while something else was waited for.
    wants: Vec<Want>,
}

/// A frame of replication.
pub(crate) fn frame(kind: Kind) -> Frame {
    Frame { kind: Some(kind) }
}

/// `Hello`.
pub(crate) fn hello(credit: u64) -> Frame {
    frame(Kind::Hello(Hello { version: 1, credit }))
}

/// `Have`, of these holdings.
pub(crate) fn have(space: u32, holdings: &[(FeedId, u64, Root)], complete: bool) -> Frame {
    let holding = |(feed, length, root): &(FeedId, u64, Root)| {
        [feed.as_bytes(), &length.to_le_bytes()[..], root.as_bytes()].concat()
    };
    frame(Kind::Have(Have { space, holdings: holdings.iter().flat_map(holding).collect(), complete }))
}

/// `Want` on a base, or from the start.
pub(crate) fn want(space: u32, feed: FeedId, base: Option<(Head, Tree)>) -> Frame {
    let (from, head, tree) = match base {
        Some((head, tree)) => (tree.length(), head.encode(), tree.encode()),
        None => (0, Bytes::new(), Bytes::new()),
    };
    frame(Kind::Want(Want { space, feed: feed.to_bytes(), from, head, tree }))
}

/// What goes over the wire of a range, to be spoilt.
pub(crate) fn range(space: u32, range: &VerifiedRange) -> Range {
    let range = range.to_range();
    Range {
        space,
        feed: range.head.feed.to_bytes(),
        from: range.from,
        head: range.head.encode(),
        headers: range.headers,
        bodies: range.bodies.concat().into(),
        absent: Bytes::new(),
        inline: true,
    }
}

/// Bodies of a range.
pub(crate) fn bodies(range: &Range, bodies: Bytes) -> Frame {
    let (space, feed, from) = (range.space, range.feed.clone(), range.from);
    frame(Kind::Bodies(Bodies { space, feed, from, bodies }))
}

impl Replica {
    /// Goes through the door and opens the stream. Nothing is said on it yet.
    pub(crate) async fn open(net: &mut Net, member: &mut Member) -> Result<Replica, Failed> {
        let (door, number) = door::enter(net, member).await?;
        Replica::behind(net, door, number).await
    }

    /// Opens the stream behind a door that is open.
    pub(crate) async fn behind(net: &mut Net, door: Door, number: u32) -> Result<Replica, Failed> {
        let stream = net.open(REPLICATION).await?;
        Ok(Replica { stream, _door: door, number, wants: Vec::new() })
    }

    /// As [`Replica::open`], and says `Hello`.
    pub(crate) async fn greet(net: &mut Net, member: &mut Member) -> Result<Replica, Failed> {
        let mut replica = Replica::open(net, member).await?;
        replica.stream.send(&hello(WINDOW)).await;
        Ok(replica)
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, kind: Kind) {
        self.stream.send(&frame(kind)).await;
    }

    /// Says that it holds this much of a feed, and nothing else so far.
    pub(crate) async fn claim(&mut self, head: &Head, complete: bool) {
        let number = self.number;
        self.stream.send(&have(number, &[(head.feed, head.length, head.root)], complete)).await;
    }

    /// Reads until this finds what it looks for.
    pub(crate) async fn until<T>(&mut self, mut found: impl FnMut(Kind) -> Option<T>) -> Result<T, Failed> {
        loop {
            let kind = self.stream.message::<Frame>().await?.kind.ok_or("a frame of no known kind")?;
            if let Kind::Want(want) = &kind {
                self.wants.push(want.clone());
            }
            if let Some(found) = found(kind) {
                return Ok(found);
            }
        }
    }

    /// Waits until the node wants a feed.
    pub(crate) async fn wanted(&mut self, feed: FeedId) -> Result<Want, Failed> {
        let feed = feed.to_bytes();
        if !self.wants.iter().any(|want| want.feed == feed) {
            self.until(|kind| matches!(kind, Kind::Want(want) if want.feed == feed).then_some(())).await?;
        }
        let place = self.wants.iter().position(|want| want.feed == feed).ok_or("it was wanted")?;
        Ok(self.wants.remove(place))
    }

    /// Waits until the node says that it stored a feed up to here.
    pub(crate) async fn stored(&mut self, head: &Head) -> Result<(), Failed> {
        let holding = [head.feed.as_bytes(), &head.length.to_le_bytes()[..], head.root.as_bytes()].concat();
        self.until(|kind| match kind {
            Kind::Have(have) => have.holdings.chunks(holding.len()).any(|held| held == holding).then_some(()),
            _ => None,
        })
        .await
    }

    /// Refuses what the node wants.
    pub(crate) async fn refuse(&mut self, want: &Want, reason: u32) {
        let refused =
            Refused { space: want.space, feed: want.feed.clone(), from: want.from, reason, rule: String::new() };
        self.send(Kind::Refused(refused)).await;
    }

    /// Claims a range and sends it when it is wanted, then waits until it is stored.
    pub(crate) async fn give(&mut self, given: &VerifiedRange) -> Result<(), Failed> {
        self.claim(given.head(), true).await;
        if given.from() == 0 {
            self.wanted(given.feed()).await?;
        }
        self.send(Kind::Range(range(self.number, given))).await;
        self.stored(given.head()).await
    }
}
