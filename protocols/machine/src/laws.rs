//! The laws of machines, as functions that every crate's tests call with a machine and a list of inputs.
//!
//! Each panics with what it saw, as a test does. [`all`] checks every law on one script.

use std::fmt::Debug;

use crate::{Machine, Time};

/// Orders that one call may give before the law says that draining never ends.
const OUTPUTS_MAX: usize = 1_000_000;
/// Wakings at one moment before the law says that a deadline never moves.
const WAKES_MAX: usize = 1_000;

/// What a machine did: each order with the time at which it came.
pub type Transcript = Vec<(Time, String)>;

/// Runs a script as a driver would: wakes the machine at each deadline that comes before the next input, and until `end`
/// after the last.
///
/// # Panics
/// When draining never ends or a deadline does not move.
pub fn run<M>(machine: &mut M, inputs: &[(Time, M::Input)], end: Time) -> Transcript
where
    M: Machine,
    M::Input: Clone,
    M::Output: Debug,
{
    let mut transcript = Vec::new();
    let mut last = Time::ZERO;
    for (at, input) in inputs {
        assert!(*at >= last, "the script goes back in time: {at} after {last}");
        last = *at;
        wake_until(machine, *at, &mut transcript);
        machine.handle_input(*at, input.clone());
        drain(machine, *at, &mut transcript);
    }
    wake_until(machine, end, &mut transcript);
    transcript
}

/// The same inputs give the same outputs at the same times, and leave the same deadline.
///
/// Spec: MACHINE-4.1
///
/// # Panics
/// At the first difference.
pub fn same_inputs_same_outputs<M>(make: impl Fn() -> M, inputs: &[(Time, M::Input)])
where
    M: Machine,
    M::Input: Clone,
    M::Output: Debug,
{
    let (mut one, mut other) = (make(), make());
    let end = end_of(inputs);
    let (first, second) = (run(&mut one, inputs, end), run(&mut other, inputs, end));
    for (place, (a, b)) in first.iter().zip(&second).enumerate() {
        assert_eq!(a, b, "output {place} differs between two runs of one script");
    }
    assert_eq!(first.len(), second.len(), "two runs of one script give different numbers of outputs");
    assert_eq!(one.deadline(), other.deadline(), "two runs of one script end with different deadlines");
}

/// After a machine was woken and drained it does not ask to be woken at that same moment again.
///
/// Spec: MACHINE-4.2
///
/// # Panics
/// When a deadline is not in the future after waking.
pub fn deadline_is_not_in_the_past_after_wake<M>(make: impl Fn() -> M, inputs: &[(Time, M::Input)])
where
    M: Machine,
    M::Input: Clone,
    M::Output: Debug,
{
    let mut machine = make();
    let mut transcript = Vec::new();
    for (at, input) in inputs {
        machine.handle_input(*at, input.clone());
        drain(&mut machine, *at, &mut transcript);
        machine.wake(*at);
        drain(&mut machine, *at, &mut transcript);
        let deadline = machine.deadline();
        assert!(deadline.is_none_or(|due| due > *at), "woken at {at}, the machine asks to be woken at {deadline:?}");
    }
}

/// Waking a machine before its deadline gives no output and moves no deadline.
///
/// Spec: MACHINE-4.3
///
/// # Panics
/// When an early call is noticed.
pub fn early_wake_changes_nothing<M>(make: impl Fn() -> M, inputs: &[(Time, M::Input)])
where
    M: Machine,
    M::Input: Clone,
    M::Output: Debug,
{
    let mut machine = make();
    let mut transcript = Vec::new();
    for (at, input) in inputs {
        wake_until(&mut machine, *at, &mut transcript);
        machine.handle_input(*at, input.clone());
        drain(&mut machine, *at, &mut transcript);
        let before = machine.deadline();
        if before.is_some_and(|due| due <= *at) {
            continue;
        }
        let outputs = transcript.len();
        machine.wake(*at);
        drain(&mut machine, *at, &mut transcript);
        assert_eq!(transcript.get(outputs), None, "woken too early, the machine gave an output");
        assert_eq!(machine.deadline(), before, "woken too early, the machine moved its deadline");
    }
}

/// Every law on one script.
///
/// # Panics
/// When one is broken.
pub fn all<M>(make: impl Fn() -> M, inputs: &[(Time, M::Input)])
where
    M: Machine,
    M::Input: Clone,
    M::Output: Debug,
{
    same_inputs_same_outputs(&make, inputs);
    deadline_is_not_in_the_past_after_wake(&make, inputs);
    early_wake_changes_nothing(&make, inputs);
}

/// A minute after the last input: time for what waits to come out.
fn end_of<I>(inputs: &[(Time, I)]) -> Time {
    inputs.last().map_or(Time::ZERO, |(at, _)| *at) + std::time::Duration::from_secs(60)
}

fn wake_until<M>(machine: &mut M, until: Time, transcript: &mut Transcript)
where
    M: Machine,
    M::Output: Debug,
{
    let mut wakes_at_one_moment = 0;
    let mut last = None;
    while let Some(due) = machine.deadline().filter(|due| *due <= until) {
        // A deadline may have been set in the past; the clock never goes back for it.
        let now = last.map_or(due, |last| due.max(last));
        wakes_at_one_moment = if last == Some(now) { wakes_at_one_moment + 1 } else { 0 };
        assert!(wakes_at_one_moment < WAKES_MAX, "the deadline {due} does not move");
        last = Some(now);
        machine.wake(now);
        drain(machine, now, transcript);
    }
}

fn drain<M>(machine: &mut M, now: Time, transcript: &mut Transcript)
where
    M: Machine,
    M::Output: Debug,
{
    let start = transcript.len();
    while let Some(output) = machine.poll_output() {
        transcript.push((now, format!("{output:?}")));
        assert!(transcript.len() - start < OUTPUTS_MAX, "draining does not end: {output:?}");
    }
}
