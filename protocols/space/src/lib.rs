//! What a space is: who belongs to it, with which role, which feeds and epochs count, and the door before it.
//!
//! The heart is [`resolve`], a pure function of the *set* of control entries: the same everywhere, in whatever order they
//! came. Around it: [`Space`] keeps a resolution up as entries come, [`Verdict`] says whether data counts, [`Keys`] holds
//! the epoch secrets that were sealed to this device, [`compose`] writes what this node says itself, and [`door`] proves to
//! a peer that both belong. No feed is read and nothing is stored here; no rule reads claimed time.
//!
//! Spec: `specs/space.md`.
//!
//! ```text
//!  control entries ─► Space::insert ─► Resolution ─┬─ members, roles, invitations
//!   (from feed::order)      │                      ├─ judge(data span) ─► Verdict
//!                           ▼                      ├─ epochs ─► Keys::learn ─► body keys, access secrets
//!                        Changes                   └─ current devices ──────────► Door
//! ```
//!
//! ```
//! use weft_credential::{History, RootStatements, Role};
//! use weft_crypto::{DeviceKey, EntryId, RecoveryKey, RootKey, SignedManifest};
//! use weft_feed::Past;
//! use weft_machine::{Draws, Seed};
//! use weft_space::{ControlEntry, Space, compose};
//!
//! // Alice founds a space: everything it starts from is entry 0 of her control feed.
//! let (root, next) = (RootKey::from_seed([1; 32]), RootKey::from_seed([2; 32]));
//! let (device, recovery) = (DeviceKey::from_seed([3; 32]), RecoveryKey::from_seed([4; 32]));
//! let statements = RootStatements::at_init(&root, &next.id(), device.id(), recovery.id());
//! let chain = Default::default();
//! let (identity, recovery) = (root.id(), recovery.id());
//! let alice = compose::Actor { device: &device, identity, statements: &statements, chain: &chain, recovery };
//! let founded = compose::found(&alice, History::All, b"notes", &mut Draws::new(Seed::from_bytes([5; 32])))?;
//!
//! // Whoever holds that entry knows who belongs.
//! let control = founded.manifests[0].verify()?.id();
//! let mut space = Space::new(founded.space);
//! let entry = ControlEntry::read(&founded.space, control, 0, EntryId::from_bytes([9; 32]), Past::new(), &founded.body);
//! let changes = space.insert(vec![entry]);
//! assert_eq!(changes.feeds_admitted.len(), 2);
//! assert_eq!(space.resolution().role_of(&root.id()), Some(Role::Owner));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod compose;
mod config;
pub mod door;
mod entry;
mod epochs;
pub mod fuzz;
mod keys;
pub mod limits;
mod proposed;
mod resolution;
mod resolve;
mod space;
mod verdict;
mod void;
mod watch;

pub use config::Config;
pub use entry::{ControlEntry, Place};
pub use epochs::Epoch;
pub use keys::{ACCESS_EPOCHS, BadLockbox, Keys, Learned};
pub use proposed::Proposed;
pub use resolution::{AdmittedFeed, DeviceStatus, InvitationState, Member, Resolution, WriteStop};
pub use resolve::{
    Earlier,
    forks::{Fork, Kept},
    resolve,
};
pub use space::{Changes, Foreseen, Space};
pub use verdict::{Ruling, Span, Verdict};
pub use void::VoidReason;
