//! Lets an event happen: who hears what, what is written, what goes wrong.

use bytes::Bytes;
use weft_peer::{Input, Ticket};

use super::{Event, World};
use crate::{
    faults::Fault,
    network::{Host as Number, Pair},
    scenario::Part,
};

impl World {
    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Hear { host, life, input } => {
                if self.hosts[host].life == life {
                    self.hear(host, input);
                }
            }
            Event::Arrive { pair, round, host, input } => {
                if self.network.is_current(pair, round) && self.is_open(&input) {
                    self.hear(host, input);
                }
            }
            Event::Sever(pair) => self.sever(pair),
            Event::Gone { pair, host, life } => {
                self.network.told(pair, host);
                if self.hosts[host].life == life {
                    let device = self.device(pair.other(host));
                    self.hear(host, Input::Disconnected { device });
                }
            }
            Event::Dialled { pair, round, dialler } => self.dialled(pair, round, dialler),
            Event::Redial(pair) => {
                self.dial(pair.both()[0], pair.both()[1]);
                let again = self.network.redial(self.now);
                self.put(again, Event::Redial(pair));
            }
            Event::Commit { host, life, ticket } => {
                if self.hosts[host].life == life {
                    self.commit(host, ticket);
                }
            }
            Event::Load { host, life, ticket, space, table, rows } => {
                let found = self.hosts[host].store.content().load(space, table, &rows);
                let at = self.now + self.dice.micros(self.scenario.disk.read_us);
                self.put(at, Event::Hear { host, life, input: Input::WasLoaded { ticket, rows: found } });
            }
            Event::Wake { host, life } => {
                if self.hosts[host].life == life {
                    self.mark(host, "wake", &[]);
                    let orders = self.hosts[host].wake(self.now);
                    self.carry_out(host, orders);
                }
            }
            Event::Step(host) => self.take_step(host),
            Event::Act(act) => self.apps[act.by].take_duty(act, self.identities[act.to]),
            Event::Fault(fault) => self.go_wrong(fault),
            Event::Start(host) => {
                if !self.hosts[host].is_running() && self.hosts[host].part != Part::Intruder {
                    self.mark(host, "start", &[]);
                    match self.hosts[host].start(self.now) {
                        Ok(orders) => self.carry_out(host, orders),
                        Err(error) => {
                            let name = &self.hosts[host].name;
                            self.ledger
                                .oddities
                                .push(format!("{name} cannot open at {} what it wrote: {error}", self.now));
                        }
                    }
                }
            }
        }
    }

    pub(super) fn hear(&mut self, host: Number, input: Input) {
        let (what, bytes) = summary(&input);
        self.mark(host, what, &bytes);
        if let Some(intruder) = self.intruders.get_mut(&host) {
            let orders = intruder.hear(input);
            self.carry_out(host, orders);
        } else {
            let orders = self.hosts[host].hear(self.now, input);
            self.carry_out(host, orders);
        }
    }

    pub(super) fn mark(&mut self, host: Number, what: &str, bytes: &[u8]) {
        self.fingerprint.update(&self.now.as_micros().to_le_bytes());
        self.fingerprint.update(&(host as u64).to_le_bytes());
        self.fingerprint.update(what.as_bytes());
        self.fingerprint.update(&(bytes.len() as u64).to_le_bytes());
        self.fingerprint.update(bytes);
    }

    pub(super) fn commit(&mut self, host: Number, ticket: Ticket) {
        let here = &mut self.hosts[host];
        if here.failing == 0 && !self.healed && self.dice.one_in(self.scenario.disk.fail_one_in) {
            here.failing = here.store.waiting();
        }
        if here.failing > 0 {
            here.failing -= 1;
            here.counts.failed += 1;
            here.store.fail();
            self.hear(host, Input::PersistFailed { ticket, reason: "no space is left on the device".into() });
            return;
        }
        if let Err(broken) = self.hosts[host].store.complete() {
            let name = &self.hosts[host].name;
            self.ledger.oddities.push(format!("{name} ordered at {} what cannot be written: {broken}", self.now));
        }
        self.hosts[host].counts.commits += 1;
        self.hear(host, Input::Persisted { ticket });
    }

    pub(super) fn go_wrong(&mut self, fault: Fault) {
        if self.healed {
            return;
        }
        match fault {
            Fault::Crash { host, down } => {
                if self.hosts[host].is_running() {
                    self.crash(host);
                    self.put(self.now + down, Event::Start(host));
                }
            }
            Fault::Divide(halves) => {
                for pair in self.network.divide(Some(halves)) {
                    self.sever(pair);
                }
            }
            Fault::Join => {
                self.network.divide(None);
            }
            Fault::Copy(host) => {
                // Who is not in the space yet has nothing to say twice.
                if self.apps[host].space().is_some() {
                    self.copies.insert(host, self.hosts[host].store.copied());
                }
            }
            Fault::PutBack(host) => {
                if let Some(copy) = self.copies.remove(&host) {
                    self.crash(host);
                    self.hosts[host].store.put_back(copy);
                    self.ledger.forking.insert(host);
                    self.put(self.now, Event::Start(host));
                }
            }
        }
    }

    pub(super) fn crash(&mut self, host: Number) {
        if !self.hosts[host].is_running() {
            return;
        }
        self.mark(host, "crash", &[]);
        if let Err(broken) = self.hosts[host].stop(&mut self.crash_dice) {
            self.ledger
                .oddities
                .push(format!("{} had ordered what cannot be written: {broken}", self.hosts[host].name));
        }
        self.apps[host].cut_off(&mut self.ledger);
        let pairs: Vec<Pair> = self.network.up().filter(|pair| pair.both().contains(&host)).collect();
        for pair in pairs {
            self.sever(pair);
        }
    }
}

/// What a fact is called and what of it goes into the fingerprint.
fn summary(input: &Input) -> (&'static str, Bytes) {
    let what = match input {
        Input::Received { frame, .. } => return ("received", frame.clone()),
        Input::StreamOpened { protocol, .. } => {
            return ("stream opened", Bytes::from_static(protocol.name().as_bytes()));
        }
        Input::Connected { .. } => "connected",
        Input::Disconnected { .. } => "disconnected",
        Input::StreamFailed { .. } => "stream failed",
        Input::StreamClosed { .. } => "stream closed",
        Input::DialFailed { .. } => "dial failed",
        Input::Persisted { .. } => "persisted",
        Input::PersistFailed { .. } => "persist failed",
        Input::Damaged { .. } => "damaged",
        Input::WasRead { .. } => "was read",
        Input::WasLoaded { .. } => "was loaded",
        Input::Worked { .. } => "worked",
        Input::Asked { .. } => "asked",
        Input::ClockRead { .. } => "clock read",
    };
    (what, Bytes::new())
}
