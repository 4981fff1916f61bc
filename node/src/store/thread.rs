//! The store's two threads: one writes and loads in the order it is asked to, one reads feeds for others.
//!
//! A write that is quick, with nothing before it in line, is done by whoever asks: two changes of threads cost as much as a
//! third of a sync. The first thread then only brings it to where readers look, a moment later.
//!
//! Writes that wait while the disk is busy go into one transaction together. Loads stand in the writer's line, so that each
//! sees every batch that was ordered before it; reads of feeds do not, they only ask for what was said to be durable.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use weft_crypto::{FeedId, SpaceId};
use weft_peer::{
    Rows, Ticket,
    store::{Batch, Damage},
};
use weft_replication::{ReadError, StoredRange};

use super::{Store, StoreError};

/// After this long without an order the store does its housekeeping. A guess: longer than a pause between keystrokes.
const REST_AFTER: Duration = Duration::from_secs(1);
/// After this long what waits is brought to where readers look, if none came before. A guess: longer than a small write needs
/// from here to a peer's disk, so that it does not compete with that for the processor.
const SETTLE_AFTER: Duration = Duration::from_millis(3);
/// Batches in one transaction: bounds what a reader has to wait for.
const BATCHES_MAX: usize = 256;

/// What the driver orders.
#[derive(Debug)]
pub(crate) enum Order {
    /// All of them in one transaction.
    Write {
        batches: Vec<(Ticket, Batch)>,
    },
    Load {
        ticket: Ticket,
        space: SpaceId,
        table: u8,
        rows: Rows,
    },
    Read {
        ticket: Ticket,
        feed: FeedId,
        from: u64,
        bytes_max: usize,
    },
    /// Look for damage in a feed.
    Examine {
        feed: FeedId,
    },
    /// A write was done elsewhere.
    Settle,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Fact {
    Written {
        tickets: Vec<Ticket>,
        result: Result<(), StoreError>,
    },
    /// What was said to be written is safe, and cannot be read: the store has to be opened again.
    Broken {
        error: StoreError,
    },
    Loaded {
        ticket: Ticket,
        result: Result<Vec<(Bytes, Bytes)>, StoreError>,
    },
    Read {
        ticket: Ticket,
        result: Result<Vec<StoredRange>, ReadError>,
    },
    /// A part of a feed is not what was signed.
    Damaged {
        damage: Box<Damage>,
    },
}

/// The threads. Dropped, they finish what they were ordered and end.
pub(crate) struct Threads {
    store: Arc<dyn Store>,
    writer: Option<Sender<Order>>,
    reader: Option<Sender<Order>>,
    handles: Vec<JoinHandle<()>>,
    /// Batches and loads whose facts are not back yet.
    under_way: usize,
    /// Whether the writing thread knows that there is something to settle.
    is_told: Arc<AtomicBool>,
}

impl Threads {
    /// Starts them; facts go to `facts`.
    pub(crate) fn start(store: Arc<dyn Store>, facts: UnboundedSender<Fact>) -> std::io::Result<Threads> {
        let (writer, writes) = channel();
        let (reader, reads) = channel();
        let (for_writes, for_reads, read_facts) = (Arc::clone(&store), Arc::clone(&store), facts.clone());
        let is_told = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_told);
        let handles = vec![
            Builder::new().name("weft-store".to_owned()).spawn(move || {
                Writer { store: &*for_writes, facts, left: Left::Rest, told: &told }.run(&writes);
            })?,
            Builder::new().name("weft-read".to_owned()).spawn(move || read(&*for_reads, &reads, &read_facts))?,
        ];
        Ok(Threads { store, writer: Some(writer), reader: Some(reader), handles, under_way: 0, is_told })
    }

    /// Gives an order. What can be under way is bounded by the credit of the peer's sessions and drafts.
    pub(crate) fn order(&mut self, order: Order) {
        self.under_way += match &order {
            Order::Write { batches } => batches.len(),
            Order::Load { .. } => 1,
            Order::Read { .. } | Order::Examine { .. } | Order::Settle => 0,
        };
        let line =
            if matches!(order, Order::Read { .. } | Order::Examine { .. }) { &self.reader } else { &self.writer };
        // The threads end only after the lines were dropped.
        let sent = line.as_ref().is_some_and(|line| line.send(order).is_ok());
        debug_assert!(sent, "a store thread ended early");
    }

    /// Writes at once, if that is quick and no fact is outstanding that would come before its own; else orders it.
    pub(crate) fn write(&mut self, batches: Vec<(Ticket, Batch)>) -> Option<(Vec<Ticket>, Result<(), StoreError>)> {
        if self.under_way > 0 {
            self.order(Order::Write { batches });
            return None;
        }
        let (tickets, batches): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
        let result = match self.store.write_if_quick(&batches) {
            Ok(false) => {
                self.order(Order::Write { batches: tickets.into_iter().zip(batches).collect() });
                return None;
            }
            Ok(true) => {
                if !self.is_told.swap(true, Ordering::AcqRel) {
                    self.order(Order::Settle);
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        Some((tickets, result))
    }

    /// A fact came back.
    pub(crate) fn heard(&mut self, fact: &Fact) {
        self.under_way -= match fact {
            Fact::Written { tickets, .. } => tickets.len(),
            Fact::Loaded { .. } => 1,
            Fact::Read { .. } | Fact::Damaged { .. } | Fact::Broken { .. } => 0,
        };
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.writer = None;
        self.reader = None;
        for handle in self.handles.drain(..) {
            if handle.join().is_err() {
                tracing::error!("a store thread panicked");
            }
        }
    }
}

/// What the writing thread still has to do when nothing is ordered.
enum Left {
    /// To bring what was written to where readers look, at this moment.
    Settle(Instant),
    /// Its housekeeping.
    Rest,
    Nothing,
}

/// The writing thread.
struct Writer<'a> {
    store: &'a dyn Store,
    facts: UnboundedSender<Fact>,
    left: Left,
    /// Cleared before it settles: who writes after that tells it again.
    told: &'a AtomicBool,
}

impl Writer<'_> {
    fn run(mut self, orders: &Receiver<Order>) {
        // An order that ended a group of writes.
        let mut next = None;
        while let Some(order) = next.take().or_else(|| self.next(orders)) {
            let heard = match order {
                Order::Write { batches } => {
                    next = self.write(batches, orders);
                    self.settle()
                }
                Order::Load { ticket, space, table, rows } => {
                    self.say(Fact::Loaded { ticket, result: self.store.load(&space, table, &rows) })
                }
                // The other thread's; carried out all the same.
                order @ (Order::Read { .. } | Order::Examine { .. }) => look(self.store, order, &self.facts),
                Order::Settle => {
                    self.left = Left::Settle(Instant::now() + SETTLE_AFTER);
                    true
                }
            };
            if !heard {
                break;
            }
        }
        rest(self.store);
    }

    /// The next order; none when the line is dropped. Does meanwhile what is left to do.
    fn next(&mut self, orders: &Receiver<Order>) -> Option<Order> {
        loop {
            let wait = match self.left {
                Left::Settle(at) => at.saturating_duration_since(Instant::now()),
                Left::Rest => REST_AFTER,
                Left::Nothing => return orders.recv().ok(),
            };
            match orders.recv_timeout(wait) {
                Ok(order) => return Some(order),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if matches!(self.left, Left::Settle(_)) => {
                    if !self.settle() {
                        return None;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    rest(self.store);
                    self.left = Left::Nothing;
                }
            }
        }
    }

    /// Writes these and those that wait behind them. Gives back the order that is none.
    fn write(&mut self, batches: Vec<(Ticket, Batch)>, orders: &Receiver<Order>) -> Option<Order> {
        let (mut tickets, mut batches): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
        let mut next = None;
        while batches.len() < BATCHES_MAX
            && let Ok(order) = orders.try_recv()
        {
            match order {
                Order::Write { batches: more } => {
                    for (ticket, batch) in more {
                        tickets.push(ticket);
                        batches.push(batch);
                    }
                }
                other => {
                    next = Some(other);
                    break;
                }
            }
        }
        let result = self.store.write(&batches);
        // Should nobody listen, the next fact finds out.
        self.say(Fact::Written { tickets, result });
        next
    }

    /// After this, readers need not wait. Says whether anybody listens.
    fn settle(&mut self) -> bool {
        self.left = Left::Rest;
        self.told.store(false, Ordering::Release);
        match self.store.settle() {
            Ok(()) => true,
            Err(error) => self.say(Fact::Broken { error }),
        }
    }

    fn say(&self, fact: Fact) -> bool {
        self.facts.send(fact).is_ok()
    }
}

fn read(store: &dyn Store, orders: &Receiver<Order>, facts: &UnboundedSender<Fact>) {
    while let Ok(order) = orders.recv() {
        if !look(store, order, facts) {
            break;
        }
    }
}

/// Reads, and says what is damaged before it says that nothing could be read. Says whether anybody listens.
fn look(store: &dyn Store, order: Order, facts: &UnboundedSender<Fact>) -> bool {
    let (feed, read) = match order {
        Order::Read { ticket, feed, from, bytes_max } => (feed, Some((ticket, store.read(&feed, from, bytes_max)))),
        Order::Examine { feed } => (feed, None),
        Order::Write { .. } | Order::Load { .. } | Order::Settle => return true,
    };
    let is_suspect = !matches!(&read, Some((_, Ok(_) | Err(ReadError::NotHeld))));
    let found = match is_suspect.then(|| store.damage(&feed)) {
        Some(Ok(Some(damage))) => facts.send(Fact::Damaged { damage: Box::new(damage) }).is_ok(),
        Some(Err(error)) => facts.send(Fact::Broken { error }).is_ok(),
        Some(Ok(None)) | None => true,
    };
    found && read.is_none_or(|(ticket, result)| facts.send(Fact::Read { ticket, result }).is_ok())
}

fn rest(store: &dyn Store) {
    if let Err(error) = store.rest() {
        tracing::error!(%error, "housekeeping of the store failed");
    }
}
