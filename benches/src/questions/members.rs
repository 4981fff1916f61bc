//! Knowing who belongs to a large space, and changing it, in this process: no disk and no network.

use std::time::Instant;

use weft_space::{ControlEntry, resolve};

use super::{Setting, progress, weft};
use crate::{
    crowd::Crowd,
    error::Failure,
    report::{Goal, Row, Table, Unit},
};

/// Entries that are added one by one in each run, each to the same space.
const ONE_BY_ONE: usize = 50;

const RESOLVED: &str = "a function of the set of entries, whose signatures were checked when they came; one thread";
const REMOVED: &str =
    "foreseen before it is signed; a new epoch's seed sealed to each device and recovery key that stays; one thread";

pub(super) fn answer(setting: &Setting, table: &mut Table) -> Result<(), Failure> {
    let sizes = setting.sizes;
    let mut crowd = Crowd::new(4);
    crowd.grow(sizes.credentials);
    let said = crowd.said();
    progress(format!("members: {said:?}"));
    let entries: Vec<ControlEntry> = crowd.space().entries().cloned().collect();
    let of = *crowd.space().resolution().space();
    let more = [vec![crowd.one_pre_key()], crowd.one_newcomer().to_vec()].concat();
    let (mut resolving, mut adding) = (Vec::new(), Vec::new());
    for _ in 0..sizes.runs {
        let (resolution, time) = timed(|| resolve(&of, &entries));
        if resolution != *crowd.space().resolution() {
            return Err(Failure::because("entry by entry they resolve to something else"));
        }
        resolving.push(time);
        for _ in 0..ONE_BY_ONE {
            let mut space = crowd.space().clone();
            adding.extend(more.iter().map(|entry| timed(|| space.insert(vec![entry.clone()])).1));
        }
    }
    let mut few = Crowd::new(1);
    while few.space().resolution().members().len() < sizes.devices {
        few.let_in_one();
    }
    let (mut removing, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..sizes.runs {
        let (body, time) = timed(|| few.remove_newest());
        few.hear_of_removal(&mut few.space().clone(), &body);
        removing.push(time);
        bytes.push(body.len() as f64 / 1024.0);
    }
    let mut row = |work: String, unit, runs, guarantees, goal| {
        table.rows.push(Row { work, unit, ours: weft(runs, guarantees), theirs: None, goal: Goal::Figure(goal) });
    };
    let (credentials, devices) = (said.credentials, sizes.devices);
    row(format!("resolving {credentials} credentials"), Unit::Milliseconds, resolving, RESOLVED, 100.0);
    row(format!("one entry more than {credentials} credentials"), Unit::Milliseconds, adding, RESOLVED, 0.2);
    row(format!("removing one of {devices} devices"), Unit::Milliseconds, removing, REMOVED, 30.0);
    row("the entry of that removal".to_owned(), Unit::Kilobytes, bytes, "with the epoch and its lockboxes", 32.0);
    Ok(())
}

/// What was done, and how long it took in milliseconds.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let from = Instant::now();
    let done = work();
    (done, from.elapsed().as_secs_f64() * 1_000.0)
}
