//! Carries out what a peer orders, and lets its application speak.

use std::time::Duration;

use weft_peer::{Event as Said, Input, Output};

use super::{Event, World};
use crate::{
    app::Errand,
    ledger::Held,
    network::{Host as Number, Pair},
};

impl World {
    pub(super) fn carry_out(&mut self, host: Number, orders: Vec<Output>) {
        for order in orders {
            self.order(host, order);
        }
        if let Some(at) = self.hosts[host].next_wake(self.now) {
            let life = self.hosts[host].life;
            self.put(at, Event::Wake { host, life });
        }
    }

    pub(super) fn order(&mut self, host: Number, order: Output) {
        let life = self.hosts[host].life;
        match order {
            Output::OpenStream { device, protocol } => self.open_stream(host, device, protocol),
            Output::Send { stream, frame } => self.send(host, stream, &frame),
            Output::CloseStream { stream } => self.close_stream(host, stream),
            Output::Dial { device, .. } => match self.devices.get(&device).copied() {
                Some(other) if other != host => {
                    if !self.dial(host, other) {
                        let input = Input::DialFailed { device, reason: "not reachable".into() };
                        self.put(self.now + Duration::from_millis(500), Event::Hear { host, life, input });
                    }
                }
                _ => {
                    let input = Input::DialFailed { device, reason: "nobody of that name".into() };
                    self.put(self.now + Duration::from_millis(1), Event::Hear { host, life, input });
                }
            },
            Output::Disconnect { device, .. } => {
                if let Some(other) = self.devices.get(&device).copied() {
                    self.sever(Pair::of(host, other));
                }
            }
            Output::Persist { ticket, batch } => {
                self.hosts[host].store.order(batch);
                let at = self.hosts[host].disk_free.max(self.now) + self.dice.micros(self.scenario.disk.commit_us);
                self.hosts[host].disk_free = at;
                self.put(at, Event::Commit { host, life, ticket });
            }
            Output::Read { ticket, feed, from, bytes_max } => {
                let result = self.hosts[host].store.read(feed, from, bytes_max);
                let at = self.now + self.dice.micros(self.scenario.disk.read_us);
                self.put(at, Event::Hear { host, life, input: Input::WasRead { ticket, result } });
            }
            Output::Load { ticket, space, table, rows } => {
                // What was ordered before is seen, what is ordered later is not.
                let at = self.hosts[host].disk_free.max(self.now);
                self.put(at, Event::Load { host, life, ticket, space, table, rows });
            }
            Output::Work { ticket, job } => {
                let done = job.run();
                let at = self.now + self.dice.micros(self.scenario.disk.work_us);
                self.put(at, Event::Hear { host, life, input: Input::Worked { ticket, done } });
            }
            Output::Answer { ask, result } => {
                self.mark(host, if result.is_ok() { "done" } else { "refused" }, &ask.0.to_le_bytes());
                match self.apps[host].answered(self.now, ask, result, &mut self.ledger) {
                    Some(Errand::Hand(newcomer, link)) => self.apps[newcomer].take_link(link),
                    // The founder stays, and can let in whomever it likes.
                    Some(Errand::Ask(part)) => self.apps[0].take_asking(host, part),
                    None => {}
                }
            }
            Output::Event(said) => self.note(host, said),
        }
    }

    pub(super) fn note(&mut self, host: Number, said: Said) {
        match said {
            Said::Extended { feed, length, mine, .. } => {
                self.ledger.held.push(Held { at: self.now, host, feed, length, mine });
            }
            Said::Violated { device, what } => {
                let other = self.devices.get(&device).copied().unwrap_or(host);
                self.ledger.violations.push((host, other, what));
            }
            Said::Stopped { feed, .. } => {
                let known = self.hosts[host].store.content().feeds().find(|(id, _)| **id == feed);
                let author = known.and_then(|(_, feed)| self.host_of(&feed.manifest()?.device));
                self.ledger.forked.insert(feed);
                if !author.is_some_and(|author| self.ledger.forking.contains(&author)) {
                    let name = &self.hosts[host].name;
                    self.ledger.oddities.push(format!("{name} says at {} that feed {feed} is forked", self.now));
                }
            }
            // Keys come later than what they open, and epochs turn out not to count: what is refused for a moment is told by what is
            // seen in the end.
            Said::Quarantined { .. } if !self.ledger.acts.is_empty() => {}
            Said::Quarantined { feed, seq, reason, .. } => {
                self.ledger.refused.insert((feed, seq));
                // What was written into a history that is not kept may have nothing to stand on.
                if self.ledger.forking.is_empty() {
                    let name = &self.hosts[host].name;
                    self.ledger
                        .oddities
                        .push(format!("{name} refuses entry {seq} of feed {feed} at {}: {reason}", self.now));
                }
            }
            _ => {}
        }
    }

    pub(super) fn take_step(&mut self, number: Number) {
        let host = &self.hosts[number];
        if host.is_running() {
            let clock = host.clock_ms(self.now);
            let content = host.store.content();
            let work = &self.scenario.work;
            let asked = self.apps[number].step(self.now, clock, self.working, work, content, &mut self.ledger);
            if let Some((ask, command)) = asked {
                self.hear(number, Input::Asked { ask, command });
            }
        }
        let at = self.apps[number].rest(self.now, &self.scenario.work);
        self.put(at, Event::Step(number));
    }
}
