//! Peers against each other, over a store and wires in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod deleting;
mod devices;
mod epochs;
mod forks;
mod invitations;
mod members;
mod net;
mod quarantine;
mod sessions;
mod spaces;
mod verdicts;
