//! Two peers level their feeds: the replication session, `/weft/replication/1`.
//!
//! What it is: one [`Session`] a connected peer, carrying every space whose door is open between the two. Each side says
//! what it holds (feed, length, **root**), asks for feeds from where its own log ends, and serves what it is asked for,
//! live as the feeds grow, never more than the other side gave credit for. What arrives is verified against a signed
//! head before it leaves as an order to persist it. [`Sources`] chooses which peer each feed of a space is fetched from.
//!
//! What it is not: it opens no stream, reads no disk and has no clock; it judges no credential and opens no body. Which
//! feeds count is what the space says, with [`Input::Granted`] and [`Input::FeedAdmitted`].
//!
//! Spec: `specs/replication.md`. The types that matter: [`Session`] with [`Input`] and [`Output`], and [`Sources`].
//!
//! ```text
//!            Granted, FeedAdmitted, Extended, Fetch          Learned, Complete, PeerRefused
//!   Room ───────────────────────────────────────► Session ────────────────────────────────► Room, Sources
//!                                                 │    ▲
//!                      Send, Read, Work, Persist  ▼    │  Received, WasRead, Worked, Persisted
//!                                                 driver
//! ```
//!
//! ```
//! use weft_crypto::{DeviceId, SpaceId};
//! use weft_machine::{Machine, Seed, Time};
//! use weft_replication::{Config, Input, Output, Session};
//!
//! let (alice, bob) = (DeviceId::from_bytes([1; 32]), DeviceId::from_bytes([2; 32]));
//! let space = SpaceId::from_bytes([7; 32]);
//! let mut at_alice = Session::new(Config::default(), alice, bob, Seed::from_bytes([0; 32]));
//! let mut at_bob = Session::new(Config::default(), bob, alice, Seed::from_bytes([1; 32]));
//! for session in [&mut at_alice, &mut at_bob] {
//!     session.handle_input(Time::ZERO, Input::Opened);
//!     session.handle_input(Time::ZERO, Input::Granted { number: 1, space, feeds: Vec::new() });
//! }
//!
//! // The loop of a driver: take what is to be sent, take its length off as a stream reader would, hand it over.
//! let mut moved = true;
//! while moved {
//!     moved = false;
//!     for turn in [true, false] {
//!         let (from, to) = if turn { (&mut at_alice, &mut at_bob) } else { (&mut at_bob, &mut at_alice) };
//!         while let Some(output) = from.poll_output() {
//!             if let Output::Send(frame) = output {
//!                 let mut decoder = weft_wire::frame::Decoder::new();
//!                 decoder.push(frame);
//!                 let payload = decoder.next().unwrap().expect("one whole frame");
//!                 to.handle_input(Time::ZERO, Input::Received(payload));
//!                 moved = true;
//!             }
//!         }
//!     }
//! }
//! assert_eq!((at_alice.level(&space), at_bob.level(&space)), (Some(true), Some(true)));
//! ```

mod allowance;
mod config;
mod error;
pub mod fuzz;
mod io;
mod job;
mod message;
mod outbox;
mod pair;
mod receive;
mod ring;
mod serve;
mod session;
pub mod sources;
pub mod stuck;

pub use config::Config;
pub use error::Violation;
pub use io::{Held, Input, Number, Output, ReadError, Refusal, StoredRange, Ticket};
pub use job::{Done, Job};
pub use message::{FRAME_COST, HOLDINGS_MAX, VERSION, WINDOW_MIN};
pub use session::Session;
pub use sources::Sources;
