//! The Weft node: the only place that knows sockets, tasks, clocks and the disk.
//!
//! What it is: a driver of [`weft_peer::Peer`], which is the whole node without input and output. This crate gives it a swarm
//! ([`swarm`], [`behaviour`]), a store ([`store`]) and an identity ([`identity`]), and itself a configuration, a local API and a
//! command line. What it is not: a place where the protocols decide anything; for that, see `protocols/`.
//!
//! The type that matters: [`node::Node`]. `weft up` is [`cli::run`] around it.
//!
//! ```
//! use weft::node::{Node, NodeConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
//! # let folder = tempfile::tempdir()?;
//! let alice = Node::offline(NodeConfig::new(folder.path().join("alice"))).await?;
//! assert_eq!(alice.phrase_state(), weft::identity::PhraseState::Here);
//! alice.stop().await;
//! # Ok(()) })
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test ends at the first surprise"))]

mod addresses;
pub mod api;
pub mod behaviour;
pub mod cli;
pub mod config;
pub mod identity;
pub mod log;
mod meters;
pub mod node;
mod private_file;
pub mod store;
pub mod swarm;
mod text_difference;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
