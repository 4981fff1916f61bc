//! What every machine of Weft is made of: time as a value, deadlines, one seed of randomness, and the laws they keep.
//!
//! A machine owns no clock, no socket and no random generator. A driver (the node, or the simulator) hands it facts and
//! the time, drains its orders, and asks when it wants to be woken. The same seed and the same inputs give the same
//! outputs; [`laws`] checks that for every machine.
//!
//! Spec: `specs/machine.md`. The two types that matter are [`Machine`] and [`Time`]. This crate refuses to know what any
//! machine is about.
//!
//! ```
//! use std::time::Duration;
//! use weft_machine::{Deadlines, Machine, Time};
//!
//! /// Says "ping" a second after it was asked to.
//! #[derive(Default)]
//! struct Pinger { due: Deadlines<&'static str>, ready: Vec<&'static str> }
//!
//! impl Machine for Pinger {
//!     type Input = ();
//!     type Output = &'static str;
//!     fn handle_input(&mut self, now: Time, (): ()) { self.due.set("ping", now + Duration::from_secs(1)); }
//!     fn poll_output(&mut self) -> Option<&'static str> { self.ready.pop() }
//!     fn deadline(&self) -> Option<Time> { self.due.next() }
//!     fn wake(&mut self, now: Time) { while let Some(what) = self.due.expire(now) { self.ready.push(what); } }
//! }
//!
//! // What a driver does, with a clock of its own.
//! let mut pinger = Pinger::default();
//! pinger.handle_input(Time::ZERO, ());
//! assert_eq!(pinger.poll_output(), None);
//! let due = pinger.deadline().expect("it waits for something");
//! pinger.wake(due);
//! assert_eq!(pinger.poll_output(), Some("ping"));
//! ```

mod deadlines;
mod draws;
pub mod laws;
mod machine;
pub mod mutants;
mod seed;
mod time;

pub use deadlines::Deadlines;
pub use draws::Draws;
pub use machine::Machine;
pub use seed::Seed;
pub use time::{ClaimedTime, Time};
