//! The tests of replication: two sessions wired back to back over an in-memory store, and what a hostile peer may try.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "tests read and write specs/, machines do not")]

mod contradictions;
mod harness;
mod laws;
mod level;
mod presence;
mod properties;
mod sources;
mod spec;
mod vectors;
mod violations;
