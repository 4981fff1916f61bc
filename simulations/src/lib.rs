//! Whole worlds of Weft in virtual time: the real [`weft_peer::Peer`] of every inhabitant, one queue of events, one seed.
//!
//! This is the second driver of the protocols; the first is the node. It answers what a node's tests cannot: what happens at *every* unlucky
//! moment, and the same again. It refuses to model the protocols themselves: signatures are made, bodies are sealed, bytes are what they would
//! be. What it idealises is the world below them, and [`report::IDEALISED`] says how.
//!
//! A [`scenario`] says who lives in a world and what goes wrong; [`world`] is the event loop; [`checkers`] say from outside what does not hold;
//! [`run`] puts them in order; [`report`] writes it down.
//!
//! ```
//! use weft_simulations::{run, scenario::Scenario};
//!
//! let scenario = Scenario::parse("quiet", r#"
//!     format = 1
//!     about = "Do two peers on a good line agree?"
//!     writers = ["alice", "bob"]
//!     work_ms = 2_000
//!     settle_ms = 20_000
//!     network = { latency_ms = [5, 20] }
//!     disk = { commit_us = [200, 400], read_us = [10, 50], work_us = [10, 200] }
//!     work = { step_ms = [50, 100], append = 1 }
//! "#)?;
//! let outcome = run::run(&scenario, 7);
//! assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
//! # Ok::<(), weft_simulations::scenario::ScenarioError>(())
//! ```

pub mod acts;
pub mod app;
pub mod checkers;
pub mod dice;
pub mod faults;
pub mod forks;
pub mod host;
mod identity;
pub mod intruder;
pub mod ledger;
pub mod network;
pub mod report;
pub mod run;
pub mod scenario;
pub mod store;
pub mod visible;
pub mod world;
