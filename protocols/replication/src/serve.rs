//! What a session serves: whoever wants a feed follows it, from the store until it has caught up and then live, within
//! the credit that the peer gave. Control feeds go first, and within each kind the feeds take turns.
//!
//! A range is only begun when the credit covers all of it. So no two ranges are under way at once, and none can wait for
//! credit that only its own end would bring.
//!
//! Spec: REPLICATION-5.3, REPLICATION-6.2, REPLICATION-7.1

use std::collections::{BTreeMap, VecDeque};

use weft_crypto::{FeedId, Head, Purpose};
use weft_feed::{Origin, Run, Tree, VerifiedRange};

use crate::{
    config::Config,
    error::Violation,
    io::{Number, Output, ReadError, StoredRange, Ticket},
    job::{Base, Job},
    message::{self, Size, refused},
    outbox::Outbox,
    ring::Ring,
};

#[derive(Debug)]
pub(crate) struct Server {
    send_window: u64,
    read_bytes: usize,
    reads_max: usize,
    inline_bytes: usize,
    /// What the peer's window allows to be outstanding; 0 before its `Hello`.
    window: u64,
    outstanding: u64,
    followers: BTreeMap<FeedId, Follower>,
    /// Followers with ranges to send.
    loaded: Ring,
    /// Followers for whom the store must be read.
    hungry: Ring,
    /// Reads and checks under way.
    busy: BTreeMap<Ticket, FeedId>,
}

/// The peer follows a feed of ours.
#[derive(Debug)]
struct Follower {
    number: Number,
    origin: Origin,
    /// The next entry to be sent.
    next: u64,
    /// How much of the feed is durable here.
    length: u64,
    /// What the peer goes on from, until it is known to be the beginning of what is held here.
    base: Option<Box<(Head, Tree)>>,
    queue: VecDeque<StoredRange>,
    /// The read or check under way.
    ticket: Option<Ticket>,
}

impl Follower {
    fn control(&self) -> bool {
        self.origin.purpose == Purpose::Control
    }
}

/// A feed that the peer wants, as it is here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) number: Number,
    pub(crate) origin: Origin,
    pub(crate) length: u64,
}

impl Server {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            send_window: config.send_window_bytes.max(message::WINDOW_MIN),
            read_bytes: config.read_bytes,
            reads_max: config.reads_max.max(1),
            inline_bytes: config.inline_bytes,
            window: 0,
            outstanding: 0,
            followers: BTreeMap::new(),
            loaded: Ring::default(),
            hungry: Ring::default(),
            busy: BTreeMap::new(),
        }
    }

    /// Whether the peer follows this feed here.
    pub(crate) fn follows(&self, feed: &FeedId) -> bool {
        self.followers.contains_key(feed)
    }

    /// The peer's `Hello`. Spec: REPLICATION-6.2
    pub(crate) fn set_window(&mut self, window: u64, out: &mut Outbox) {
        self.window = window.min(self.send_window);
        self.pump(out);
    }

    /// The peer gave credit back. Spec: REPLICATION-6.3
    pub(crate) fn credit(&mut self, credit: u64, out: &mut Outbox) -> Result<(), Violation> {
        let outstanding = self.outstanding;
        self.outstanding = outstanding.checked_sub(credit).ok_or(Violation::CreditUnowed { credit, outstanding })?;
        self.pump(out);
        Ok(())
    }

    /// Begins to serve a feed. `base` is what the peer goes on from if that must be checked. Spec: REPLICATION-5.1
    pub(crate) fn follow(&mut self, wanted: Wanted, from: u64, base: Option<(Head, Tree)>, out: &mut Outbox) {
        let Wanted { number, origin, length } = wanted;
        let feed = origin.feed;
        let base = base.map(Box::new);
        let queue = VecDeque::new();
        let follower = Follower { number, origin, next: from, length, base, queue, ticket: None };
        self.followers.insert(feed, follower);
        self.feed_hungry(feed);
        self.pump(out);
    }

    /// Ends serving a feed, and says where it had come to if it was served.
    pub(crate) fn end(&mut self, feed: &FeedId) -> Option<u64> {
        self.loaded.remove(feed);
        self.hungry.remove(feed);
        self.followers.remove(feed).map(|follower| follower.next)
    }

    /// The space is closed.
    pub(crate) fn close(&mut self, number: Number) {
        let closed: Vec<FeedId> =
            self.followers.iter().filter(|(_, follower)| follower.number == number).map(|(feed, _)| *feed).collect();
        closed.iter().for_each(|feed| {
            self.end(feed);
        });
    }

    /// More of a feed is durable. A follower that has all before it gets it at once, from memory. Spec: REPLICATION-5.3
    pub(crate) fn extended(&mut self, feed: FeedId, range: &VerifiedRange, out: &mut Outbox) {
        let Some(follower) = self.followers.get_mut(&feed) else { return };
        follower.length = range.head().length;
        let level = follower.next == range.from() && follower.base.is_none() && follower.ticket.is_none();
        let fits = message::range_cost_max(Size::of(range.runs())) <= self.window.saturating_sub(self.outstanding);
        if level && fits && self.loaded.is_empty() {
            follower.next = range.head().length;
            let number = follower.number;
            self.hungry.remove(&feed);
            self.send(number, feed, range.head(), range.runs(), out);
        } else {
            self.feed_hungry(feed);
        }
        self.pump(out);
    }

    /// The store answered. Spec: REPLICATION-5.4
    pub(crate) fn was_read(&mut self, ticket: Ticket, result: Result<Vec<StoredRange>, ReadError>, out: &mut Outbox) {
        if let Some(feed) = self.finished(ticket) {
            let follower = self.followers.get_mut(&feed).expect("finished() found it");
            match result {
                Ok(ranges) if continues(follower.next, &ranges) => {
                    follower.queue.extend(ranges);
                    match follower.base.take() {
                        Some(base) => self.check(feed, *base, out),
                        None => self.loaded.push(feed, follower.control()),
                    }
                }
                Ok(_) | Err(ReadError::Damaged) => self.refuse(feed, refused::DAMAGED, out),
                Err(ReadError::NotHeld) => self.refuse(feed, refused::NOT_HELD, out),
            }
        }
        self.pump(out);
    }

    /// The base of a follower was compared with ours. A head that contradicts ours comes back. Spec: REPLICATION-5.2
    pub(crate) fn checked(
        &mut self,
        ticket: Ticket,
        result: Base,
        out: &mut Outbox,
    ) -> Result<Option<Box<Head>>, Violation> {
        let Some(feed) = self.finished(ticket) else { return Ok(None) };
        let follower = self.followers.get_mut(&feed).expect("finished() found it");
        let contradiction = match result {
            Base::Ours => {
                self.loaded.push(feed, follower.control());
                None
            }
            Base::Another(head) => {
                self.refuse(feed, refused::CONTRADICTS, out);
                Some(head)
            }
            Base::Unsigned => return Err(Violation::Unsigned { feed }),
        };
        self.pump(out);
        Ok(contradiction)
    }

    /// The follower whose read or check this was, if it still waits for it.
    fn finished(&mut self, ticket: Ticket) -> Option<FeedId> {
        let feed = self.busy.remove(&ticket)?;
        let follower = self.followers.get_mut(&feed).filter(|follower| follower.ticket == Some(ticket))?;
        follower.ticket = None;
        Some(feed)
    }

    fn check(&mut self, feed: FeedId, base: (Head, Tree), out: &mut Outbox) {
        let follower = self.followers.get_mut(&feed).expect("only followers are checked");
        let first = follower.queue.front().expect("a read gives at least one range");
        let ticket = out.ticket();
        follower.ticket = Some(ticket);
        self.busy.insert(ticket, feed);
        let job = Job::base(follower.origin, base, first);
        out.push(Output::Work { ticket, job });
    }

    fn refuse(&mut self, feed: FeedId, reason: u32, out: &mut Outbox) {
        if let Some(follower) = self.followers.get(&feed) {
            out.send(message::refusal(follower.number, feed, follower.next, reason));
            self.end(&feed);
        }
    }

    /// Lets a follower that lacks something and has nothing under way wait for a read.
    fn feed_hungry(&mut self, feed: FeedId) {
        if let Some(follower) = self.followers.get(&feed)
            && follower.next < follower.length
            && follower.queue.is_empty()
            && follower.ticket.is_none()
        {
            self.hungry.push(feed, follower.control());
        }
    }

    /// Sends what the credit covers, then has the store read for whoever is next.
    fn pump(&mut self, out: &mut Outbox) {
        while let Some(feed) = self.loaded.front() {
            let follower = self.followers.get_mut(&feed).expect("who ends leaves the rings");
            let (count, size) = batch(&follower.queue, self.inline_bytes);
            if message::range_cost_max(size) > self.window.saturating_sub(self.outstanding) {
                break;
            }
            let ranges: Vec<StoredRange> = follower.queue.drain(..count).collect();
            let head = ranges[count - 1].head;
            let runs: Vec<Run> = ranges.into_iter().flat_map(|range| range.runs).collect();
            follower.next = head.length;
            let (number, control, more) = (follower.number, follower.control(), !follower.queue.is_empty());
            self.loaded.pop();
            if more {
                self.loaded.push(feed, control);
            }
            self.send(number, feed, &head, &runs, out);
            self.feed_hungry(feed);
        }
        while self.window > 0 && self.busy.len() + self.loaded.len() < self.reads_max {
            let Some(feed) = self.hungry.pop() else { break };
            let follower = self.followers.get_mut(&feed).expect("who ends leaves the rings");
            let ticket = out.ticket();
            follower.ticket = Some(ticket);
            self.busy.insert(ticket, feed);
            out.push(Output::Read { ticket, feed, from: follower.next, bytes_max: self.read_bytes });
        }
    }

    fn send(&mut self, number: Number, feed: FeedId, head: &Head, runs: &[Run], out: &mut Outbox) {
        let (frames, cost) = message::range(number, feed, head, runs, self.inline_bytes);
        self.outstanding += cost;
        frames.into_iter().for_each(|frame| out.send(frame));
    }
}

/// Whether these are ranges one after another from `from` on, each within the bounds of one.
fn continues(from: u64, ranges: &[StoredRange]) -> bool {
    let mut next = from;
    !ranges.is_empty()
        && ranges.iter().all(|range| {
            let fits = range.from() == next && Size::of(&range.runs).is_a_range();
            next = range.head.length;
            fits
        })
}

/// How many ranges of the queue go out as one: one, or as many small ones as fit in a frame. Only the last head is sent.
fn batch(queue: &VecDeque<StoredRange>, inline_bytes: usize) -> (usize, Size) {
    let mut total = Size::default();
    let mut count = 0;
    for range in queue {
        let sum = total.plus(Size::of(&range.runs));
        if count > 0 && !(sum.is_a_range() && sum.headers + sum.bodies <= inline_bytes) {
            break;
        }
        (total, count) = (sum, count + 1);
    }
    (count, total)
}
