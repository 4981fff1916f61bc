//! A machine that keeps the laws passes; one that breaks a law is caught by it.

use std::{cell::Cell, time::Duration};

use weft_machine::{Deadlines, Machine, Time, laws};

/// Says each number a second later, unless told to misbehave.
#[derive(Default)]
struct Echoing {
    due: Deadlines<u32>,
    ready: Vec<u32>,
    salt: u32,
    keeps_deadline: bool,
    talks_when_woken: bool,
}

impl Machine for Echoing {
    type Input = u32;
    type Output = u32;

    fn handle_input(&mut self, now: Time, input: u32) {
        self.due.set(input, now + Duration::from_secs(1));
    }

    fn poll_output(&mut self) -> Option<u32> {
        self.ready.pop().map(|said| said + self.salt)
    }

    fn deadline(&self) -> Option<Time> {
        if self.keeps_deadline { Some(Time::ZERO) } else { self.due.next() }
    }

    fn wake(&mut self, now: Time) {
        if self.talks_when_woken {
            self.ready.push(0);
        }
        while let Some(said) = self.due.expire(now) {
            self.ready.push(said);
        }
    }
}

const SCRIPT: [(Time, u32); 3] = [(Time::from_millis(0), 1), (Time::from_millis(500), 2), (Time::from_millis(3000), 3)];

#[test]
fn an_honest_machine_keeps_every_law() {
    laws::all(Echoing::default, &SCRIPT);
    let said = laws::run(&mut Echoing::default(), &SCRIPT, Time::from_millis(10_000));
    let expected = [(1000, "1"), (1500, "2"), (4000, "3")];
    assert_eq!(said, expected.map(|(at, what)| (Time::from_millis(at), what.to_owned())));
}

#[test]
#[should_panic(expected = "output 0 differs")]
fn hidden_state_is_caught() {
    let runs = Cell::new(0);
    let make = || {
        runs.set(runs.get() + 1);
        Echoing { salt: runs.get(), ..Echoing::default() }
    };
    laws::same_inputs_same_outputs(make, &SCRIPT);
}

#[test]
#[should_panic(expected = "asks to be woken at")]
fn a_deadline_that_stays_is_caught() {
    let make = || Echoing { keeps_deadline: true, ..Echoing::default() };
    laws::deadline_is_not_in_the_past_after_wake(make, &SCRIPT);
}

#[test]
#[should_panic(expected = "does not move")]
fn a_busy_loop_is_caught() {
    laws::run(&mut Echoing { keeps_deadline: true, ..Echoing::default() }, &SCRIPT, Time::MAX);
}

#[test]
#[should_panic(expected = "woken too early")]
fn noticing_an_early_wake_is_caught() {
    let make = || Echoing { talks_when_woken: true, ..Echoing::default() };
    laws::early_wake_changes_nothing(make, &SCRIPT);
}
