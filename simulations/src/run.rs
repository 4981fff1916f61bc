//! One run from beginning to end: work and faults, healing, agreement, a restart of everybody, and what the checkers then say.

use std::{collections::BTreeMap, time::Duration};

use weft_machine::Time;
use weft_peer::command::{Answer, Command};

use crate::{
    checkers::{self, Finding, convergence},
    dice,
    scenario::Scenario,
    world::World,
};

/// How often it is looked whether all agree.
const LOOK_MS: u64 = 250;
/// How many entries are asked for at a time when records are read.
const READ_ENTRIES: u64 = 1_024;

/// What came of a run.
pub struct Outcome {
    /// The number that was typed.
    pub seed: u64,
    /// The world as it was left.
    pub world: World,
    /// How long after healing all agreed; none if they never did.
    pub agreed_after: Option<Duration>,
    /// What does not hold.
    pub findings: Vec<Finding>,
}

/// Runs a scenario with a seed.
#[must_use]
pub fn run(scenario: &Scenario, seed: u64) -> Outcome {
    let mut world = World::new(scenario, &dice::seed(seed));
    world.run_until(Time::from_millis(scenario.work_ms));
    world.heal();
    let agreed_after = agree(&mut world);
    // What is true now must be true after the power went everywhere at once, from what was durable alone.
    world.restart_all();
    agree(&mut world);
    read_records(&mut world);
    let mut findings = checkers::all(&world);
    if agreed_after.is_none() {
        let what = format!("not all agreed and were at rest within {} ms after healing", world.scenario.settle_ms);
        findings.push(Finding { invariant: "agreement", what });
    }
    Outcome { seed, world, agreed_after, findings }
}

fn agree(world: &mut World) -> Option<Duration> {
    let begin = world.now();
    let end = begin + Duration::from_millis(world.scenario.settle_ms);
    while world.now() < end {
        world.run_until(world.now() + Duration::from_millis(LOOK_MS));
        world.call_the_roll();
        let rest = world.apps.iter().all(|app| app.is_at_rest());
        if rest && convergence::check(world).is_empty() {
            return Some(world.now().saturating_since(begin));
        }
    }
    None
}

/// Lets everybody who was invited read all records, through its peer, as an application would.
fn read_records(world: &mut World) {
    let Some(space) = world.space() else { return };
    let invited: Vec<usize> = world.invited().map(|(number, _)| number).collect();
    for number in invited {
        let feeds: BTreeMap<_, _> = world.ledger.appended.iter().map(|appended| (appended.feed, ())).collect();
        let mut read = BTreeMap::new();
        for feed in feeds.into_keys() {
            let mut from = 0;
            let question = |from| Command::Records { space, feed, from, entries_max: READ_ENTRIES };
            while let Some(Answer::Records { records, next }) = world.ask(number, question(from)) {
                read.extend(records.into_iter().map(|(seq, record)| ((feed, seq), record)));
                if next <= from {
                    break;
                }
                from = next;
            }
        }
        world.records.insert(number, read);
    }
}
