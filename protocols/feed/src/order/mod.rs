//! Holds the runs of a space's feeds until their deps are here, and knows the causal past of every entry.
//!
//! There is one order for the control feeds of a space and one for its data feeds. Runs that are durable go in, and come
//! out [`Released`]: an entry only after every entry in its past. A feed that waits costs a cursor; its runs are kept in
//! memory within a bound, and read again ([`OrderOutput::Need`]) past it.
//!
//! ```text
//!   extended ──► queue ──► deps here? ──yes──► Released ──► wakes who waits for this feed
//!                  ▲            └──no──► waits (listed)
//!    Need ──► supply
//! ```
//!
//! An order never refuses an entry for what others did: a dep on a branch that is not held, or beyond the end of a
//! stopped feed, is satisfied by what is there, so that one who writes two histories stalls nobody else.
//!
//! Spec: FEED-6.2

mod config;
mod lane;
mod turns;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use weft_crypto::{Dep, FeedId, Root};

pub use self::config::Config;
use self::{
    lane::{Blocked, Lane},
    turns::Turns,
};
use crate::{
    error::Violation,
    limits::RUN_BYTES_MAX,
    past::{History, News, Past, RestoreError},
    run::{Entry, Run},
};

/// Entries whose whole past is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// Their feed.
    pub feed: FeedId,
    /// The entries.
    pub run: Run,
    /// Their pasts, piece by piece: from which entry on which past holds. The first piece starts at the run's start. The
    /// entries before each in its own feed belong to its past too and are not in it.
    pub past: Vec<(u64, Arc<Past>)>,
    /// A row to keep, in order, for [`History::restore`]. Empty when no entry brought news of other feeds.
    pub changes: Bytes,
    /// The newest head of the feed that is released with this run, if there is one: what own entries can name.
    pub head: Option<Dep>,
}

/// What an order wants or has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderOutput {
    /// Read the feed from `from` on and [`Order::supply`] it.
    Need {
        /// The feed.
        feed: FeedId,
        /// The first entry.
        from: u64,
        /// How much to read.
        bytes_max: usize,
    },
    /// These entries may be interpreted now.
    Released(Released),
    /// The feed's author broke a rule: the feed ends before this entry.
    Refused {
        /// The feed.
        feed: FeedId,
        /// The entry.
        seq: u64,
        /// The rule.
        violation: Violation,
    },
    /// An author saw another history of a feed than is held here. Its entry is released all the same. Half a fork proof.
    Contradicted {
        /// The author's feed.
        feed: FeedId,
        /// Its entry.
        seq: u64,
        /// What it names.
        dep: Dep,
        /// The root at that length of what is held here.
        held: Root,
    },
}

/// A feed whose next entry waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The feed.
    pub feed: FeedId,
    /// The entry.
    pub seq: u64,
    /// What is not here.
    pub on: Dep,
}

/// The order of one space's control feeds, or of its data feeds.
#[derive(Debug)]
pub struct Order {
    config: Config,
    lanes: BTreeMap<FeedId, Lane>,
    /// Who waits for which length of which feed.
    waiters: BTreeMap<FeedId, BTreeSet<(u64, FeedId)>>,
    /// Feeds that may go on.
    ready: Turns,
    /// Feeds whose next entries may have to be read.
    hungry: Turns,
    outputs: VecDeque<OrderOutput>,
    /// Bytes of waiting runs.
    pending_bytes: usize,
    /// Reads under way.
    reads: usize,
}

/// How far a run could be looked through.
struct Looked {
    released: u64,
    past: Vec<(u64, Arc<Past>)>,
    changes: Vec<u8>,
    contradicted: Vec<(u64, Dep, Root)>,
    end: Option<End>,
}

/// Why not to the end.
enum End {
    Blocked(Blocked),
    Refused(u64, Violation),
}

impl Order {
    /// An order without feeds.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            lanes: BTreeMap::new(),
            waiters: BTreeMap::new(),
            ready: Turns::new(),
            hungry: Turns::new(),
            outputs: VecDeque::new(),
            pending_bytes: 0,
            reads: 0,
        }
    }

    /// A feed of this order's kind, of which `released` entries were released before; `history` is restored from the rows
    /// of that time. A feed that is here already stays as it is.
    pub fn admit(&mut self, feed: FeedId, released: u64, history: History) {
        self.lanes.entry(feed).or_insert_with(|| Lane::new(released, history));
        self.wake(feed);
    }

    /// A head of a feed that is held, verified. Say it before [`Order::extended`] with its entries.
    pub fn known(&mut self, feed: FeedId, length: u64, root: Root) {
        if let Some(lane) = self.lanes.get_mut(&feed) {
            lane.heads.insert(length, root, lane.released, self.config.heads_max);
        }
    }

    /// The feed is durable here up to `held`. `run`, if it continues what is here and there is room, saves reading it.
    pub fn extended(&mut self, feed: FeedId, held: u64, run: Option<Run>) {
        let Some(lane) = self.lanes.get_mut(&feed) else { return };
        lane.held = lane.held.max(held);
        let room = self.config.pending_bytes_max.saturating_sub(self.pending_bytes);
        if let Some(run) = run.filter(|run| run.bytes() <= room || self.pending_bytes == 0) {
            self.pending_bytes += lane.push(&run);
        }
        self.ready.insert(feed);
    }

    /// What a [`OrderOutput::Need`] asked for. Nothing at all says that the read failed; it is asked for again when the feed
    /// is extended.
    pub fn supply(&mut self, feed: FeedId, runs: Vec<Run>) {
        let Some(lane) = self.lanes.get_mut(&feed) else { return };
        if std::mem::take(&mut lane.asked) {
            self.reads -= 1;
        }
        let added: usize = runs.iter().map(|run| lane.push(run)).sum();
        self.pending_bytes += added;
        if added > 0 {
            self.ready.insert(feed);
        }
    }

    /// A feed of the other kind is interpreted up to `length`: for the order of data feeds, a control feed that is
    /// resolved. `changes` is what the other order released since the last call, in order (on opening: all stored rows,
    /// one after another).
    ///
    /// # Errors
    /// When `changes` is damaged or out of order.
    pub fn advanced(&mut self, feed: FeedId, length: u64, changes: &[u8]) -> Result<(), RestoreError> {
        let lane = self.lanes.entry(feed).or_insert_with(|| Lane::new(0, History::new()));
        lane.history.extend(changes)?;
        lane.released = lane.released.max(length);
        lane.held = lane.released;
        self.wake(feed);
        Ok(())
    }

    /// The feed ends at `length`: it is forked, or cut. What is released stays so; deps beyond wait no more.
    ///
    /// Spec: FEED-5.2
    pub fn stop(&mut self, feed: FeedId, length: u64) {
        let Some(lane) = self.lanes.get_mut(&feed) else { return };
        self.pending_bytes -= lane.end_at(length);
        if let Some(blocked) = lane.blocked.take_if(|blocked| blocked.seq >= length) {
            let waiters = self.waiters.entry(blocked.on.feed).or_default();
            waiters.remove(&(blocked.reach, feed));
        }
        self.wake(feed);
    }

    /// The next order or news. Entries of one feed come in their order, and entries come after all that is in their past.
    /// Each call releases at most one run, so who cannot take more stops asking, and what comes meanwhile stays on disk.
    pub fn poll(&mut self) -> Option<OrderOutput> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            match self.ready.next() {
                Some(feed) => self.go_on(feed),
                None => return self.need(),
            }
        }
    }

    /// Whether [`Order::poll`] has nothing to give and no read is under way. Feeds may still wait for deps.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let hungry = || self.lanes.values().any(Lane::is_hungry);
        self.outputs.is_empty() && self.ready.is_empty() && self.reads == 0 && !hungry()
    }

    /// The feeds that wait for deps, by feed id.
    pub fn waiting(&self) -> impl Iterator<Item = Waiting> + '_ {
        self.lanes.iter().filter_map(|(feed, lane)| {
            lane.blocked.map(|blocked| Waiting { feed: *feed, seq: blocked.seq, on: blocked.on })
        })
    }

    /// Feeds of which each waits for the next one, and the last for the first: nothing that may still come lets them go on.
    ///
    /// Spec: FEED-6.4
    #[must_use]
    pub fn circles(&self) -> Vec<Vec<Waiting>> {
        let mut seen = BTreeSet::new();
        let circle = |first: &FeedId| {
            let (mut way, mut at) = (Vec::<Waiting>::new(), *first);
            while let Some(Blocked { seq, on, .. }) = self.lanes.get(&at).and_then(|lane| lane.blocked) {
                if !seen.insert(at) {
                    let begin = way.iter().position(|waiting| waiting.feed == at)?;
                    return Some(way.split_off(begin));
                }
                way.push(Waiting { feed: at, seq, on });
                at = on.feed;
            }
            None
        };
        self.lanes.keys().filter_map(circle).collect()
    }

    /// The dep that a feed waits for turned out to mean another history of the feed that it names: no more of that than `common` entries
    /// is waited for, and is in the entry's past.
    ///
    /// Spec: FEED-6.4
    pub fn meant(&mut self, waiting: &Waiting, common: u64) {
        let Some(lane) = self.lanes.get_mut(&waiting.feed) else { return };
        let Some(blocked) = lane.blocked.take_if(|blocked| (blocked.seq, blocked.on) == (waiting.seq, waiting.on))
        else {
            return;
        };
        lane.meant.insert((blocked.seq, blocked.on.feed), common);
        let waiters = self.waiters.entry(blocked.on.feed).or_default();
        waiters.remove(&(blocked.reach, waiting.feed));
        self.ready.insert(waiting.feed);
    }

    /// How much of the feed that a dep of an entry names the entry can have in its past: what the dep names, unless it turned out to mean
    /// another history.
    #[must_use]
    pub fn reach(&self, feed: &FeedId, seq: u64, dep: &Dep) -> u64 {
        self.lanes.get(feed).map_or(dep.length, |lane| lane.reach(seq, dep))
    }

    /// How many entries of a feed are released; 0 for a feed that is not here.
    #[must_use]
    pub fn released(&self, feed: &FeedId) -> u64 {
        self.lanes.get(feed).map_or(0, |lane| lane.released)
    }

    /// Everything that the first `length` entries of a feed know, these entries included. None when they are not all
    /// released here.
    #[must_use]
    pub fn past_at(&self, feed: &FeedId, length: u64) -> Option<Arc<Past>> {
        let lane = self.lanes.get(feed).filter(|lane| length <= lane.released)?;
        let mut past = length.checked_sub(1).map_or_else(Past::new, |last| lane.history.before(last));
        past.raise(*feed, length);
        Some(Arc::new(past))
    }

    /// What the feed's entries named in their deps so far: what [`crate::Writer::new`] wants to know of an own feed.
    #[must_use]
    pub fn named(&self, feed: &FeedId) -> BTreeMap<FeedId, u64> {
        self.lanes.get(feed).map(|lane| lane.history.named().collect()).unwrap_or_default()
    }

    /// Goes on with one run of a feed.
    fn go_on(&mut self, feed: FeedId) {
        // A feed never looks at itself, so its lane can be out of the table meanwhile.
        let Some(mut lane) = self.lanes.remove(&feed) else { return };
        let before = lane.released;
        if let Some(run) = lane.next() {
            self.pending_bytes -= run.bytes();
            self.release(feed, &mut lane, run);
            self.ready.insert(feed);
        } else if lane.is_hungry() {
            self.hungry.insert(feed);
        }
        // What waits is the first to be forgotten when there is no room. It is read again.
        while lane.blocked.is_some()
            && self.pending_bytes > self.config.pending_bytes_max
            && let Some(bytes) = lane.forget_last()
        {
            self.pending_bytes -= bytes;
        }
        let moved = lane.released > before || lane.is_stopped();
        self.lanes.insert(feed, lane);
        if moved {
            self.wake(feed);
        }
    }

    /// Looks through a run, releases what can be, and keeps the rest.
    fn release(&mut self, feed: FeedId, lane: &mut Lane, run: Run) {
        let looked = self.look(feed, lane, &run);
        for (seq, dep, held) in looked.contradicted {
            self.outputs.push_back(OrderOutput::Contradicted { feed, seq, dep, held });
        }
        if looked.released > run.from() {
            let head = lane.heads.within(run.from(), looked.released);
            lane.released = looked.released;
            self.outputs.push_back(OrderOutput::Released(Released {
                feed,
                run: run.slice(run.from(), looked.released),
                past: looked.past,
                changes: looked.changes.into(),
                head: head.map(|(length, root)| Dep { feed, length, root }),
            }));
        }
        match looked.end {
            None => {}
            Some(End::Blocked(blocked)) => {
                let rest = run.slice(looked.released, run.end());
                self.pending_bytes += rest.bytes();
                lane.put_back(rest);
                lane.blocked = Some(blocked);
                self.waiters.entry(blocked.on.feed).or_default().insert((blocked.reach, feed));
            }
            Some(End::Refused(seq, violation)) => {
                self.pending_bytes -= lane.end_at(seq);
                self.outputs.push_back(OrderOutput::Refused { feed, seq, violation });
            }
        }
    }

    fn look(&self, feed: FeedId, lane: &mut Lane, run: &Run) -> Looked {
        let mut looked = Looked::new(run, lane.past.clone());
        if !run.has_deps() {
            return looked;
        }
        for entry in run.entries().filter(|entry| entry.header.has_deps()) {
            if let Err(end) = self.enter(feed, lane, &entry, &mut looked) {
                looked.released = entry.seq;
                looked.end = Some(end);
                break;
            }
        }
        looked
    }

    /// Enters the deps of one entry into its feed's history.
    fn enter(&self, feed: FeedId, lane: &mut Lane, entry: &Entry<'_>, looked: &mut Looked) -> Result<(), End> {
        let seq = entry.seq;
        for dep in entry.header.deps() {
            let earlier = lane.history.named_of(&dep.feed);
            if dep.length <= earlier {
                return Err(End::Refused(seq, Violation::DepNotNewer { seq, dep, earlier }));
            }
        }
        let mut news = News::default();
        let mut contradicted = Vec::new();
        for dep in entry.header.deps() {
            let reach = lane.reach(seq, &dep);
            let other = self.lanes.get(&dep.feed).filter(|other| other.satisfies(reach));
            let other = other.ok_or(End::Blocked(Blocked { seq, on: dep, reach }))?;
            if let Some(held) = other.heads.at(dep.length).filter(|held| *held != dep.root) {
                contradicted.push((seq, dep, held));
            }
            // Beyond the end of a feed there is nothing to see.
            let seen = reach.min(other.stop.unwrap_or(u64::MAX));
            if let Some(last) = seen.min(other.released).checked_sub(1) {
                for (known, length) in other.history.lengths(last).filter(|(known, _)| *known != feed) {
                    news.inherit(known, length, lane.past.get(&known));
                }
            }
            news.name(dep.feed, seen, dep.length);
        }
        let mut past = Past::clone(&lane.past);
        for (other, length) in news.lengths() {
            past.raise(other, length);
        }
        lane.history.record(seq, news, &mut looked.changes);
        lane.past = Arc::new(past);
        looked.contradicted.append(&mut contradicted);
        looked.turn(seq, lane.past.clone());
        Ok(())
    }

    /// The feed moved or ended: those who waited for that go on.
    fn wake(&mut self, feed: FeedId) {
        let (Some(lane), Some(waiters)) = (self.lanes.get(&feed), self.waiters.get_mut(&feed)) else { return };
        let mut woken = Vec::new();
        while let Some((_, waiter)) = waiters.first().filter(|(length, _)| lane.satisfies(*length)) {
            woken.push(*waiter);
            waiters.pop_first();
        }
        if waiters.is_empty() {
            self.waiters.remove(&feed);
        }
        for waiter in woken {
            self.lanes.get_mut(&waiter).expect("who waits is here").blocked = None;
            self.ready.insert(waiter);
        }
    }

    /// The next read, the hungry feeds in turn.
    fn need(&mut self) -> Option<OrderOutput> {
        while self.reads < self.config.reads_max {
            let feed = self.hungry.next()?;
            let Some(lane) = self.lanes.get_mut(&feed).filter(|lane| lane.is_hungry()) else { continue };
            lane.asked = true;
            self.reads += 1;
            let room = self.config.pending_bytes_max.saturating_sub(self.pending_bytes).max(RUN_BYTES_MAX);
            let bytes_max = self.config.read_bytes_max.min(room);
            return Some(OrderOutput::Need { feed, from: lane.released, bytes_max });
        }
        None
    }
}

impl Looked {
    fn new(run: &Run, past: Arc<Past>) -> Self {
        Self {
            released: run.end(),
            past: vec![(run.from(), past)],
            changes: Vec::new(),
            contradicted: Vec::new(),
            end: None,
        }
    }

    /// From `seq` on this past holds.
    fn turn(&mut self, seq: u64, past: Arc<Past>) {
        self.past.pop_if(|(from, _)| *from == seq);
        self.past.push((seq, past));
    }
}
