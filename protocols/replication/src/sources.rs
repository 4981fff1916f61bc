//! Which peer each feed of a space is fetched from. One of these a space; it knows claims, not bytes.
//!
//! A feed has one source at a time, and keeps it while it is level so that it hears of more at once. The author's own
//! device is preferred: what it writes then takes one step. Otherwise the peer that holds more, then the one with the
//! fewest feeds. Own feeds go first (an older copy of this device may have written more), then control, then
//! data; and data is only asked of a peer whose claims on control are all held here.
//!
//! Spec: REPLICATION-5.5

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use weft_crypto::{DeviceId, FeedId, Root};
use weft_machine::{Deadlines, Time};

/// When a source is given up.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Without a byte for so long, another peer is tried, in milliseconds. Default 2,000.
    pub silent_ms: u64,
    /// Without anything durable for so long, another peer is tried though bytes drip, in milliseconds; doubled each time
    /// it happens to a feed in a row. Default 60,000: a largest range takes that long at 90 kB/s.
    pub fruitless_ms: u64,
    /// A peer that refused a feed or was given up for it is not asked for it again for so long, in milliseconds, unless it
    /// claims more meanwhile. Default 10,000.
    pub retry_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { silent_ms: 2_000, fruitless_ms: 60_000, retry_ms: 10_000 }
    }
}

/// What the session with a peer is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Fetch the feed from this peer.
    Fetch {
        /// The peer.
        peer: DeviceId,
        /// The feed.
        feed: FeedId,
    },
    /// Fetch it from this peer no longer.
    Cease {
        /// The peer.
        peer: DeviceId,
        /// The feed.
        feed: FeedId,
    },
}

/// Chooses sources. Say what happened, then take [`Sources::poll`] until it gives nothing, and call [`Sources::wake`] at
/// [`Sources::deadline`].
#[derive(Debug)]
pub struct Sources {
    config: Config,
    me: DeviceId,
    now: Time,
    feeds: BTreeMap<FeedId, Feed>,
    peers: BTreeMap<DeviceId, Peer>,
    /// Feeds whose source must be looked at again, in the order in which that is done.
    unsettled: BTreeSet<(Rank, FeedId)>,
    orders: VecDeque<Order>,
    timers: Deadlines<Timer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Own,
    Control,
    Data,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Timer {
    /// Whether the feed's source delivers.
    Stall(FeedId),
    /// Peers that were avoided for the feed may be asked again.
    Retry(FeedId),
}

#[derive(Debug)]
struct Feed {
    author: DeviceId,
    control: bool,
    /// Durable here.
    length: u64,
    stopped: bool,
    /// Where it ends for good.
    end: Option<(u64, Root)>,
    /// No more of it is taken than is held.
    full: bool,
    source: Option<Source>,
    /// Peers that are not asked until then.
    avoid: BTreeMap<DeviceId, Time>,
    /// Times in a row that a source delivered bytes and nothing that could be made durable.
    fruitless: u32,
}

impl Feed {
    /// Whether nothing more of it is wanted.
    fn is_over(&self) -> bool {
        self.full || self.end.map_or(self.stopped, |(length, _)| self.length >= length)
    }
}

#[derive(Clone, Copy, Debug)]
struct Source {
    peer: DeviceId,
    /// When bytes last came.
    heard: Time,
    /// When something last became durable.
    moved: Time,
    /// Since when it has nothing more to give while another peer claims more.
    outdone: Option<Time>,
}

#[derive(Debug, Default)]
struct Peer {
    claims: BTreeMap<FeedId, (u64, Root)>,
    /// Its first list is whole.
    complete: bool,
    /// Control feeds of which it claims more than is held here.
    lag: BTreeSet<FeedId>,
    /// Feeds that are fetched from it.
    load: usize,
}

impl Peer {
    /// How much it claims; of a feed whose end is known nothing but just that.
    fn claim(&self, feed: &FeedId, known: Option<&Feed>) -> u64 {
        let end = known.and_then(|known| known.end);
        self.claims.get(feed).filter(|claim| end.is_none_or(|end| **claim == end)).map_or(0, |(length, _)| *length)
    }

    fn gives_data(&self) -> bool {
        self.complete && self.lag.is_empty()
    }
}

impl Sources {
    /// Sources for one space, on device `me`.
    #[must_use]
    pub fn new(config: Config, me: DeviceId) -> Self {
        Self {
            config,
            me,
            now: Time::ZERO,
            feeds: BTreeMap::new(),
            peers: BTreeMap::new(),
            unsettled: BTreeSet::new(),
            orders: VecDeque::new(),
            timers: Deadlines::new(),
        }
    }

    /// A feed was admitted; `length` is durable here.
    pub fn admitted(&mut self, now: Time, feed: FeedId, author: DeviceId, control: bool, length: u64) {
        self.now = now;
        if self.feeds.contains_key(&feed) {
            return;
        }
        let avoid = BTreeMap::new();
        self.feeds.insert(
            feed,
            Feed { author, control, length, stopped: false, end: None, full: false, source: None, avoid, fruitless: 0 },
        );
        self.unsettle(feed);
    }

    /// A fork stopped the feed.
    pub fn stopped(&mut self, now: Time, feed: FeedId) {
        self.now = now;
        if let Some(known) = self.feeds.get_mut(&feed) {
            (known.stopped, known.end) = (true, None);
            self.unsettle_claims(feed);
        }
    }

    /// Of a forked feed, what is held is the beginning of the history that is kept, which ends here: the rest is asked of
    /// those who claim to hold just that.
    pub fn ends(&mut self, now: Time, feed: FeedId, length: u64, root: Root) {
        self.now = now;
        if let Some(known) = self.feeds.get_mut(&feed) {
            known.end = Some((length, root));
            self.unsettle_claims(feed);
        }
    }

    /// No more of a feed is taken than is held, or it is again.
    pub fn full(&mut self, feed: FeedId, full: bool) {
        if let Some(known) = self.feeds.get_mut(&feed)
            && known.full != full
        {
            known.full = full;
            self.unsettle_claims(feed);
        }
    }

    /// The door to a peer opened.
    pub fn opened(&mut self, now: Time, peer: DeviceId) {
        self.now = now;
        self.peers.entry(peer).or_default();
    }

    /// The door to a peer closed, or the connection is gone.
    pub fn lost(&mut self, now: Time, peer: DeviceId) {
        self.now = now;
        if self.peers.remove(&peer).is_none() {
            return;
        }
        for feed in self.feeds.values_mut() {
            feed.avoid.remove(&peer);
            feed.source.take_if(|source| source.peer == peer);
        }
        self.unsettle_all(|feed| feed.source.is_none());
    }

    /// A peer claims to hold this much of an admitted feed, with this root.
    pub fn claimed(&mut self, now: Time, peer: DeviceId, feed: FeedId, length: u64, root: Root) {
        self.now = now;
        let (Some(from), Some(known)) = (self.peers.get_mut(&peer), self.feeds.get_mut(&feed)) else { return };
        let before = from.claims.insert(feed, (length, root)).map_or(0, |(length, _)| length);
        if before >= length {
            return;
        }
        known.avoid.remove(&peer);
        self.measure(peer, feed);
        self.watch(feed);
        self.unsettle(feed);
    }

    /// A peer's first list is whole.
    pub fn complete(&mut self, now: Time, peer: DeviceId) {
        self.now = now;
        if let Some(from) = self.peers.get_mut(&peer) {
            from.complete = true;
            self.unsettle_all(|_| true);
        }
    }

    /// Bytes of a feed came from a peer.
    pub fn arriving(&mut self, now: Time, peer: DeviceId, feed: FeedId) {
        self.now = now;
        let source = self.feeds.get_mut(&feed).and_then(|known| known.source.as_mut());
        if let Some(source) = source.filter(|source| source.peer == peer) {
            source.heard = now;
            self.watch(feed);
        }
    }

    /// This much of a feed is durable here.
    pub fn progressed(&mut self, now: Time, feed: FeedId, length: u64) {
        self.now = now;
        let Some(known) = self.feeds.get_mut(&feed) else { return };
        known.length = known.length.max(length);
        known.fruitless = 0;
        if let Some(source) = &mut known.source {
            (source.heard, source.moved) = (now, now);
        }
        let (control, done) = (known.control, known.author == self.me || known.is_over());
        if control {
            for device in self.peers.keys().copied().collect::<Vec<_>>() {
                self.measure(device, feed);
            }
        }
        self.watch(feed);
        if done {
            self.unsettle(feed);
        }
    }

    /// A peer ended what was fetched of a feed.
    pub fn refused(&mut self, now: Time, peer: DeviceId, feed: FeedId) {
        self.now = now;
        let Some(known) = self.feeds.get_mut(&feed) else { return };
        if known.source.take_if(|source| source.peer == peer).is_some() {
            self.release(peer);
            self.avoid(feed, peer);
        }
        // What it refuses does not keep its data back.
        if let Some(from) = self.peers.get_mut(&peer)
            && from.lag.remove(&feed)
        {
            self.unsettle_data();
        }
        self.unsettle(feed);
    }

    /// What a peer gave of a feed leads to another end: it is not asked for it for a while.
    pub fn led_astray(&mut self, now: Time, peer: DeviceId, feed: FeedId) {
        if self.source(&feed) == Some(peer) {
            self.orders.push_back(Order::Cease { peer, feed });
        }
        self.refused(now, peer, feed);
    }

    /// The peer that a feed is fetched from.
    #[must_use]
    pub fn source(&self, feed: &FeedId) -> Option<DeviceId> {
        self.feeds.get(feed)?.source.map(|source| source.peer)
    }

    /// The peers that claim to hold this much of a feed, the author's own device first.
    #[must_use]
    pub fn holders(&self, feed: &FeedId, length: u64) -> Vec<DeviceId> {
        let known = self.feeds.get(feed);
        let author = known.map(|known| known.author);
        let holding = self.peers.iter().filter(|(_, peer)| peer.complete && peer.claim(feed, known) >= length);
        let mut holding: Vec<DeviceId> = holding.map(|(device, _)| *device).collect();
        holding.sort_by_key(|device| Some(*device) != author);
        holding
    }

    /// The peers that claim to hold just this much of a feed, with this root.
    pub fn holders_of(&self, feed: FeedId, length: u64, root: Root) -> impl Iterator<Item = DeviceId> + '_ {
        let holding = self.peers.iter().filter(move |(_, peer)| peer.claims.get(&feed) == Some(&(length, root)));
        holding.filter(|(_, peer)| peer.complete).map(|(device, _)| *device)
    }

    /// Who has the space open.
    pub fn peers(&self) -> impl Iterator<Item = DeviceId> + '_ {
        self.peers.keys().copied()
    }

    /// The most that a connected peer claims to hold of a feed.
    pub fn claimed_most(&self, feed: &FeedId) -> u64 {
        let known = self.feeds.get(feed);
        self.peers.values().map(|peer| peer.claim(feed, known)).max().unwrap_or_default()
    }

    /// The peers that have shown all that they hold.
    pub fn shown_by(&self) -> impl Iterator<Item = &DeviceId> {
        self.peers.iter().filter(|(_, peer)| peer.complete).map(|(device, _)| device)
    }

    /// Whether a peer has shown all that it holds, and nobody claims more of this feed than is here.
    #[must_use]
    pub fn is_shown(&self, feed: &FeedId) -> bool {
        let known = self.feeds.get(feed);
        let held = known.map_or(0, |known| known.length);
        self.peers.values().any(|peer| peer.complete) && self.peers.values().all(|peer| peer.claim(feed, known) <= held)
    }

    /// The next order.
    pub fn poll(&mut self) -> Option<Order> {
        while self.orders.is_empty() {
            let (_, feed) = self.unsettled.pop_first()?;
            self.settle(feed);
        }
        self.orders.pop_front()
    }

    /// When [`Sources::wake`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Time has passed.
    pub fn wake(&mut self, now: Time) {
        self.now = now;
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::Stall(feed) => self.stalled(feed),
                Timer::Retry(feed) => {
                    if let Some(known) = self.feeds.get_mut(&feed) {
                        known.avoid.retain(|_, until| *until > now);
                        let next = known.avoid.values().min().copied();
                        if let Some(next) = next {
                            self.timers.set(Timer::Retry(feed), next);
                        }
                    }
                    self.unsettle(feed);
                }
            }
        }
    }

    /// The source let the feed wait: another one, if there is any; else it is waited for further.
    fn stalled(&mut self, feed: FeedId) {
        let Some(known) = self.feeds.get_mut(&feed) else { return };
        let Some(source) = known.source else { return };
        let heard = self.now.saturating_since(source.heard) < Duration::from_millis(self.config.silent_ms);
        if self.best(&feed, Some(source.peer)).is_some() {
            let known = self.feeds.get_mut(&feed).expect("it was there");
            known.fruitless += u32::from(heard);
            known.source = None;
            self.release(source.peer);
            self.orders.push_back(Order::Cease { peer: source.peer, feed });
            self.avoid(feed, source.peer);
            self.unsettle(feed);
        } else {
            let known = self.feeds.get_mut(&feed).expect("it was there");
            known.source = Some(Source { heard: self.now, moved: self.now, outdone: None, ..source });
            self.watch(feed);
        }
    }

    fn settle(&mut self, feed: FeedId) {
        let Some(known) = self.feeds.get(&feed) else { return };
        let source = known.source.map(|source| source.peer);
        let (author, stopped) = (known.author, known.is_over());
        let keep = |source: DeviceId| match author {
            _ if stopped => false,
            author if author == self.me => self.can_serve(&feed, source),
            author => source == author || !self.prefers_author(&feed, source),
        };
        if source.is_some_and(keep) {
            self.watch(feed);
            return;
        }
        if let Some(peer) = source {
            self.release(peer);
            self.orders.push_back(Order::Cease { peer, feed });
        }
        let best = self.best(&feed, None).filter(|_| !stopped);
        let source = best.map(|peer| Source { peer, heard: self.now, moved: self.now, outdone: None });
        self.feeds.get_mut(&feed).expect("it was there").source = source;
        if let Some(peer) = best {
            self.peers.get_mut(&peer).expect("a source is connected").load += 1;
            self.orders.push_back(Order::Fetch { peer, feed });
        }
        self.watch(feed);
    }

    /// Whether the author's own device can take over from `source` and holds no less.
    fn prefers_author(&self, feed: &FeedId, source: DeviceId) -> bool {
        let known = &self.feeds[feed];
        let author = known.author;
        let claim = |peer| self.peers.get(&peer).map_or(0, |peer| peer.claim(feed, Some(known)));
        self.can_serve(feed, author) && claim(author) >= claim(source)
    }

    /// The best peer to fetch a feed from now.
    fn best(&self, feed: &FeedId, except: Option<DeviceId>) -> Option<DeviceId> {
        let known = self.feeds.get(feed)?;
        let candidates =
            self.peers.iter().filter(|(device, _)| Some(**device) != except && self.can_serve(feed, **device));
        let worth = |(device, peer): &(&DeviceId, &Peer)| {
            let more = peer.claim(feed, Some(known)) > known.length;
            (!more, **device != known.author, peer.load, **device)
        };
        candidates.min_by_key(worth).map(|(device, _)| *device)
    }

    fn can_serve(&self, feed: &FeedId, device: DeviceId) -> bool {
        let (Some(known), Some(peer)) = (self.feeds.get(feed), self.peers.get(&device)) else { return false };
        let claim = peer.claim(feed, Some(known));
        let holds = if known.author == self.me {
            claim > known.length
        } else {
            // Who has said nothing yet may not have opened its door: it is not asked (REPLICATION-4.1).
            claim >= known.length && (claim > 0 || (known.author == device && peer.complete))
        };
        holds && !known.avoid.contains_key(&device) && (known.control || peer.gives_data())
    }

    /// Compares what a peer claims of a control feed with what is held.
    fn measure(&mut self, device: DeviceId, feed: FeedId) {
        let (Some(known), Some(peer)) = (self.feeds.get(&feed), self.peers.get_mut(&device)) else { return };
        let gave = peer.gives_data();
        if known.control && !known.is_over() && peer.claim(&feed, Some(known)) > known.length {
            peer.lag.insert(feed);
        } else {
            peer.lag.remove(&feed);
        }
        if !gave && peer.gives_data() {
            self.unsettle_data();
        }
    }

    /// Sets when the source of a feed will have been silent for too long: one that owes something, or one that holds no more
    /// than we do while another peer claims more. (Two peers that are level would else wait for each other for ever.)
    fn watch(&mut self, feed: FeedId) {
        let Some(known) = self.feeds.get(&feed) else { return };
        let Some(mut source) = known.source else {
            self.timers.cancel(&Timer::Stall(feed));
            return;
        };
        let claim = |device: &DeviceId| self.peers.get(device).map_or(0, |peer| peer.claim(&feed, Some(known)));
        let owes = |device: &DeviceId| claim(device) > known.length;
        let silent = Duration::from_millis(self.config.silent_ms);
        let until = if owes(&source.peer) {
            source.outdone = None;
            let fruitless = self.config.fruitless_ms.saturating_mul(1 << known.fruitless.min(10));
            Some((source.heard + silent).min(source.moved + Duration::from_millis(fruitless)))
        } else if self.peers.keys().any(|device| owes(device) && self.can_serve(&feed, *device)) {
            Some(*source.outdone.get_or_insert(self.now) + silent)
        } else {
            source.outdone = None;
            None
        };
        match until {
            Some(until) => self.timers.set(Timer::Stall(feed), until),
            None => {
                self.timers.cancel(&Timer::Stall(feed));
            }
        }
        self.feeds.get_mut(&feed).expect("it was there").source = Some(source);
    }

    fn avoid(&mut self, feed: FeedId, peer: DeviceId) {
        let until = self.now + Duration::from_millis(self.config.retry_ms);
        if let Some(known) = self.feeds.get_mut(&feed) {
            known.avoid.insert(peer, until);
            let next = known.avoid.values().min().copied().unwrap_or(until);
            self.timers.set(Timer::Retry(feed), next);
        }
    }

    fn release(&mut self, peer: DeviceId) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.load -= 1;
        }
    }

    fn unsettle(&mut self, feed: FeedId) {
        if let Some(known) = self.feeds.get(&feed) {
            self.unsettled.insert((self.rank(known), feed));
        }
    }

    /// What is wanted of a feed has changed.
    fn unsettle_claims(&mut self, feed: FeedId) {
        self.unsettle(feed);
        for device in self.peers.keys().copied().collect::<Vec<_>>() {
            self.measure(device, feed);
        }
    }

    fn unsettle_all(&mut self, which: impl Fn(&Feed) -> bool) {
        let found: Vec<_> = self
            .feeds
            .iter()
            .filter(|(_, known)| which(known))
            .map(|(feed, known)| (self.rank(known), *feed))
            .collect();
        self.unsettled.extend(found);
    }

    /// A peer may give data now: feeds that have no source may take it, its own feeds move to it, and others may wait for
    /// one that holds less.
    fn unsettle_data(&mut self) {
        self.unsettle_all(|feed| !feed.control);
    }

    fn rank(&self, feed: &Feed) -> Rank {
        match (feed.author == self.me, feed.control) {
            (true, _) => Rank::Own,
            (false, true) => Rank::Control,
            (false, false) => Rank::Data,
        }
    }
}
