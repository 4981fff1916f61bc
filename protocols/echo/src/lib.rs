//! ECHO: objects as a pure function of feeds.
//!
//! A space's data feeds carry *mutations*; this crate turns those that count into objects with properties
//! (multi-value registers of our own) and text (a `yrs` document), and turns local edits into mutations.
//! Normative text: `specs/echo.md`.
//!
//! It does not decide what counts (that is `weft-space`), orders nothing (`weft-feed::order` hands it entries whose
//! causal past is complete), seals nothing, and stores nothing: what must be kept leaves as [`Output::Derive`] rows
//! that can be dropped and made again at any time.
//!
//! ```text
//!   Released (judged, opened) ─► decode ─► inspect ─► object ─► Derive rows ─► view::* (queries read these)
//!   Edit ─► document ─► Write ─(the entry is durable)─► Written ─► the same rows
//! ```
//!
//! The two types that matter are [`Echo`], the machine (one a space), and [`inspect::inspect`], which reads every
//! byte of an update before `yrs` sees it: `yrs` trusts what it is given.
//!
//! ```
//! use weft_crypto::{FeedId, SpaceId};
//! use weft_echo::{Config, Echo, Edit, EditTicket, Input, Me, Output};
//! use weft_machine::{Machine, Time};
//!
//! let me = Me { space: SpaceId::from_bytes([1; 32]), feed: FeedId::from_bytes([2; 32]), author: [3; 32] };
//! let mut echo = Echo::new(Config::default(), me, 0, Vec::new());
//! let edit = Edit::Create { type_name: "note".into(), registers: Vec::new(), text: Some("hello".into()) };
//! echo.handle_input(Time::ZERO, Input::Edit { ticket: EditTicket(1), edit });
//! // The mutation is ready to be sealed and appended; nothing has changed until `Input::Written` says it is durable.
//! assert!(matches!(echo.poll_output(), Some(Output::Write { .. })));
//! ```

pub mod config;
mod document;
mod echo;
pub mod edit;
pub mod error;
pub mod fuzz;
mod ids;
pub mod inspect;
pub mod io;
pub mod json;
pub mod message;
mod object;
mod order;
mod progress;
mod reach;
pub mod registers;
pub mod replica;
pub mod rows;
mod slots;
pub mod tables;
pub mod trace;
pub mod view;

pub use config::Config;
pub use echo::Echo;
pub use edit::{Edit, TextOp};
pub use error::{EditRefusal, Malformed, Quarantine};
pub use ids::{CLIENT_BITS, ROOT, SESSIONS_MAX, client_id, object_id};
pub use io::{
    Applied, Changed, Counts, DerivedWrite, EditTicket, Input, LoadTicket, Me, OpenFailure, Output, Processed,
    Released, WriteTicket, Written,
};
pub use message::{Mutation, Register};
pub use replica::Replica;
