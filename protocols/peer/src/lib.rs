//! The whole node without input or output: one room a space, one session a peer.
//!
//! What it is: the place where the machines of the lower floors meet. A driver (the node on real sockets and a real disk, or
//! a simulated world) feeds [`Input`]s, drains [`Output`]s and carries them out. What it refuses to do: open a socket, read
//! a file, look at a clock, or draw a random number that was not seeded by its driver.
//!
//! Spec: `specs/peer.md`. The two types that matter: [`Peer`], and [`Output`], which a driver carries out.
//!
//! ```
//! use weft_credential::RootStatements;
//! use weft_crypto::{DeviceKey, phrase::Phrase};
//! use weft_machine::{Machine as _, Seed, Time};
//! use weft_peer::{Answer, Ask, Command, Config, Input, Me, Opened, Output, Peer};
//!
//! let phrase = Phrase::from_entropy([1; 32]);
//! let device = DeviceKey::from_seed([2; 32]);
//! let me = Me::at_init(&phrase, device, "alice");
//! let mut peer = Peer::new(Config::default(), me, Seed::from_bytes([3; 32]), Opened::default())?;
//!
//! peer.handle_input(Time::ZERO, Input::ClockRead { unix_ms: 1_800_000_000_000 });
//! peer.handle_input(Time::ZERO, Input::Asked { ask: Ask(1), command: Command::CreateSpace { name: "home".into() } });
//! let mut created = None;
//! while let Some(output) = peer.poll_output() {
//!     match output {
//!         // A driver writes the batch to its store first.
//!         Output::Persist { ticket, .. } => peer.handle_input(Time::ZERO, Input::Persisted { ticket }),
//!         Output::Load { ticket, .. } => peer.handle_input(Time::ZERO, Input::WasLoaded { ticket, rows: Vec::new() }),
//!         Output::Work { ticket, job } => peer.handle_input(Time::ZERO, Input::Worked { ticket, done: job.run() }),
//!         Output::Answer { result: Ok(Answer::SpaceCreated { space }), .. } => created = Some(space),
//!         _ => {}
//!     }
//! }
//! assert!(created.is_some());
//! # Ok::<(), weft_peer::OpenError>(())
//! ```

mod bundle;
pub mod command;
mod commands;
mod config;
mod connections;
mod deleting;
mod devices;
pub mod event;
pub mod fuzz;
mod host;
mod invitations;
mod io;
mod job;
mod join;
mod links;
mod local;
mod me;
mod neighbour;
mod outbox;
mod peer;
mod reopening;
mod room;
mod routes;
pub mod status;
pub mod store;
mod turns;

pub use command::{
    Acknowledgement, Act, Acted, Answer, Command, FeedStatus, Foreseen, MemberStatus, Refusal, RefusalKind, SessionKey,
};
pub use config::Config;
pub use devices::status::{DeviceInfo, DeviceLinkStatus, DeviceRemoval};
pub use event::Event;
pub use invitations::{InvitationStatus, NewLink, NewcomerStatus};
pub use io::{Ask, Input, Output, Protocol, Rows, StreamId, Ticket};
pub use job::{Done, Job, OpenBodies, OpenedEntry};
pub use local::RowError;
pub use me::{LinkedBy, Me};
pub use peer::{OpenError, Peer};
pub use room::enter::EnterError;
pub use status::{PairStatus, PeerStatus, SpaceStatus, Status, Waiting};
pub use store::{Batch, Damage, Ends, Opened, OpenedFeed, Write};
pub use weft_replication::{ReadError, StoredRange};
pub use weft_space::compose::Terms;
