//! One simulated host: a real peer, its disk, and what a driver keeps for it. The twin of the node's driver.

use std::time::Duration;

use weft_machine::{Machine, Seed, Time};
use weft_peer::{Config, Input, Me, OpenError, Output, Peer};

use crate::{dice::Dice, scenario::Part, store::Store};

/// Unix milliseconds at the world's beginning: an hour that is easy to recognise in output.
pub const EPOCH_MS: u64 = 1_800_000_000_000;
/// More orders than this at one moment, and a machine talks to itself.
const ORDERS_MAX: usize = 1 << 20;

/// What a host did, for the report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Facts that its peer was given.
    pub inputs: u64,
    /// Frames sent.
    pub frames: u64,
    /// Bytes of these frames.
    pub bytes: u64,
    /// Batches written.
    pub commits: u64,
    /// Crashes.
    pub crashes: u64,
    /// Batches that crashes took.
    pub lost: u64,
    /// Batches that could not be written.
    pub failed: u64,
}

/// One simulated host.
pub struct Host {
    /// What it is called in the scenario.
    pub name: String,
    /// What it stands for.
    pub part: Part,
    /// Its disk.
    pub store: Store,
    /// When the disk has done what was ordered so far.
    pub disk_free: Time,
    /// How many of the oldest orders to write will fail.
    pub failing: usize,
    /// Counts its lives; what was meant for an earlier one never reaches a later one.
    pub life: u64,
    /// What it did.
    pub counts: Counts,
    me: Box<dyn Fn() -> Me>,
    seed: Seed,
    skew_ms: i64,
    peer: Option<Peer>,
    wake: Option<Time>,
}

impl Host {
    /// A host that is not running yet. `me` makes its keys again at every start, as a node reads them from disk.
    pub fn new(name: &str, part: Part, me: Box<dyn Fn() -> Me>, seed: Seed, skew_ms: i64) -> Host {
        Host {
            name: name.to_owned(),
            part,
            store: Store::default(),
            disk_free: Time::ZERO,
            failing: 0,
            life: 0,
            counts: Counts::default(),
            me,
            seed,
            skew_ms,
            peer: None,
            wake: None,
        }
    }

    /// Whether its peer is running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.peer.is_some()
    }

    /// What its wall clock shows.
    #[must_use]
    pub fn clock_ms(&self, now: Time) -> u64 {
        (EPOCH_MS + now.as_micros() / 1_000).saturating_add_signed(self.skew_ms)
    }

    /// Starts the peer on what is on disk, with randomness of this life only.
    ///
    /// # Errors
    /// When the peer cannot open what it wrote in an earlier life.
    pub fn start(&mut self, now: Time) -> Result<Vec<Output>, OpenError> {
        self.life += 1;
        self.disk_free = now;
        self.failing = 0;
        self.wake = None;
        let seed = self.seed.fork(&format!("life {}", self.life));
        self.peer = Some(Peer::new(Config::default(), (self.me)(), seed, self.store.open())?);
        Ok(self.hear(now, Input::ClockRead { unix_ms: self.clock_ms(now) }))
    }

    /// The power goes.
    pub fn stop(&mut self, dice: &mut Dice) -> Result<(), crate::store::Broken> {
        self.peer = None;
        self.life += 1;
        self.counts.crashes += 1;
        self.counts.lost += self.store.crash(dice)? as u64;
        Ok(())
    }

    /// Gives the peer a fact, and takes all its orders.
    pub fn hear(&mut self, now: Time, input: Input) -> Vec<Output> {
        let Some(peer) = &mut self.peer else { return Vec::new() };
        self.counts.inputs += 1;
        peer.handle_input(now, input);
        drain(peer)
    }

    /// It is time: wakes the peer if it wants to be woken.
    pub fn wake(&mut self, now: Time) -> Vec<Output> {
        self.wake = None;
        match &mut self.peer {
            Some(peer) if peer.deadline().is_some_and(|at| at <= now) => {
                peer.wake(now);
                drain(peer)
            }
            _ => Vec::new(),
        }
    }

    /// When the world has to come back, if that is sooner than it meant to.
    pub fn next_wake(&mut self, now: Time) -> Option<Time> {
        let at = self.peer.as_ref()?.deadline()?.max(now + Duration::from_micros(1));
        let sooner = self.wake.is_none_or(|wake| at < wake || wake < now);
        sooner.then(|| {
            self.wake = Some(at);
            at
        })
    }
}

fn drain(peer: &mut Peer) -> Vec<Output> {
    let mut orders = Vec::new();
    while let Some(order) = peer.poll_output() {
        orders.push(order);
        assert!(orders.len() <= ORDERS_MAX, "a peer gave {ORDERS_MAX} orders for one fact");
    }
    orders
}
