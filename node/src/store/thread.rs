//! The store's two threads: one writes and loads in the order it is asked to, one reads feeds for others.
//!
//! Writes that wait while the disk is busy go into one transaction together. Loads stand in the writer's line, so that each
//! sees every batch that was ordered before it; reads of feeds do not, they only ask for what was said to be durable.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use weft_crypto::{FeedId, SpaceId};
use weft_peer::{Rows, Ticket, store::Batch};
use weft_replication::{ReadError, StoredRange};

use super::{Store, StoreError};

/// After this long without an order the store does its housekeeping. A guess: longer than a pause between keystrokes.
const REST_AFTER: Duration = Duration::from_secs(1);
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
}

/// The threads. Dropped, they finish what they were ordered and end.
pub(crate) struct Threads {
    writer: Option<Sender<Order>>,
    reader: Option<Sender<Order>>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts them; facts go to `facts`.
    pub(crate) fn start(store: Arc<dyn Store>, facts: UnboundedSender<Fact>) -> std::io::Result<Threads> {
        let (writer, writes) = channel();
        let (reader, reads) = channel();
        let (for_reads, read_facts) = (Arc::clone(&store), facts.clone());
        let handles = vec![
            Builder::new().name("weft-store".to_owned()).spawn(move || write(&*store, &writes, &facts))?,
            Builder::new().name("weft-read".to_owned()).spawn(move || read(&*for_reads, &reads, &read_facts))?,
        ];
        Ok(Threads { writer: Some(writer), reader: Some(reader), handles })
    }

    /// Gives an order. What can be under way is bounded by the credit of the peer's sessions and drafts.
    pub(crate) fn order(&self, order: Order) {
        let line = if matches!(order, Order::Read { .. }) { &self.reader } else { &self.writer };
        // The threads end only after the lines were dropped.
        let sent = line.as_ref().is_some_and(|line| line.send(order).is_ok());
        debug_assert!(sent, "a store thread ended early");
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

fn write(store: &dyn Store, orders: &Receiver<Order>, facts: &UnboundedSender<Fact>) {
    let mut rested = false;
    // An order that ended a group of writes.
    let mut next = None;
    loop {
        let order = match next.take() {
            Some(order) => order,
            None if rested => match orders.recv() {
                Ok(order) => order,
                Err(_) => break,
            },
            None => match orders.recv_timeout(REST_AFTER) {
                Ok(order) => order,
                Err(RecvTimeoutError::Timeout) => {
                    rest(store);
                    rested = true;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            },
        };
        let fact = match order {
            Order::Write { batches } => {
                rested = false;
                let (mut tickets, mut batches): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
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
                // Said while the rows are still on their way to where readers find them: nobody waits for that.
                let result = store.write_then(&batches, &mut || {
                    let tickets = std::mem::take(&mut tickets);
                    // Should nobody listen, the next fact finds out.
                    let _ = facts.send(Fact::Written { tickets, result: Ok(()) });
                });
                match result {
                    Ok(()) if tickets.is_empty() => continue,
                    Err(error) if tickets.is_empty() => Fact::Broken { error },
                    result => Fact::Written { tickets, result },
                }
            }
            Order::Load { ticket, space, table, rows } => {
                Fact::Loaded { ticket, result: store.load(&space, table, &rows) }
            }
            Order::Read { ticket, feed, from, bytes_max } => {
                Fact::Read { ticket, result: store.read(&feed, from, bytes_max) }
            }
        };
        if facts.send(fact).is_err() {
            break;
        }
    }
    rest(store);
}

fn read(store: &dyn Store, orders: &Receiver<Order>, facts: &UnboundedSender<Fact>) {
    while let Ok(order) = orders.recv() {
        if let Order::Read { ticket, feed, from, bytes_max } = order
            && facts.send(Fact::Read { ticket, result: store.read(&feed, from, bytes_max) }).is_err()
        {
            break;
        }
    }
}

fn rest(store: &dyn Store) {
    if let Err(error) = store.rest() {
        tracing::error!(%error, "housekeeping of the store failed");
    }
}
