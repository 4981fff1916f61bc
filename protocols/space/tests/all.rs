//! The tests of the space: resolution, verdicts, keys, the door, known answers and properties.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "tests read and write specs/, machines do not")]

mod acts;
mod contests;
mod dated;
mod devices;
mod door;
mod forks;
mod fuzz;
mod invitations;
mod keys;
mod model;
mod properties;
mod resolution;
mod rights;
mod siblings;
mod stories;
mod vectors;
mod verdicts;
mod world;
