//! What goes wrong and when: drawn before the world begins, so that what peers do cannot change it.

use std::time::Duration;

use weft_machine::Time;

use crate::{dice::Dice, network::Host, scenario::Scenario};

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A host dies and is gone for a while.
    Crash {
        /// Which.
        host: Host,
        /// How long.
        down: Duration,
    },
    /// The network falls into two halves.
    Divide(Vec<bool>),
    /// It is one again.
    Join,
    /// Somebody copies the disk of a host.
    Copy(Host),
    /// A host dies and comes back from the copy.
    PutBack(Host),
}

/// Draws the faults of a run.
pub fn draw(scenario: &Scenario, dice: &mut Dice) -> Vec<(Time, Fault)> {
    let faults = &scenario.faults;
    let whole = [0, scenario.work_ms];
    let members: Vec<Host> =
        scenario.hosts().enumerate().filter(|(_, (_, part))| part.is_member()).map(|(host, _)| host).collect();
    let mut drawn = Vec::new();
    for _ in 0..faults.crashes {
        let at = Time::ZERO + dice.millis(whole);
        let host = members[dice.place(members.len()).unwrap_or(0)];
        drawn.push((at, Fault::Crash { host, down: dice.millis(faults.down_ms) }));
    }
    let hosts = scenario.hosts().count();
    for _ in 0..faults.partitions {
        let at = Time::ZERO + dice.millis(whole);
        let mut halves: Vec<bool> = (0..hosts).map(|_| dice.one_in(2)).collect();
        if halves.iter().all(|half| *half == halves[0]) {
            halves[0] = !halves[0];
        }
        drawn.push((at, Fault::Divide(halves)));
        drawn.push((at + dice.millis(faults.partition_ms), Fault::Join));
    }
    drawn
}
