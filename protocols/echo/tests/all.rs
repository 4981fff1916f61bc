//! Tests of `weft-echo` from outside: what is refused, what converges, what local edits do, what is stored.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a test that cannot go on may panic")]

mod inspecting;
mod local;
mod objects;
mod properties;
mod sessions;
mod storage;
mod update;
mod vectors;
mod verdicts;
mod world;
