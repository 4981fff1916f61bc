//! Feeds: signed append-only logs, each written by one device and verified by everybody.
//!
//! A feed is a list of entries. An entry is a header and a body; a BLAKE3 tree covers the headers, each header commits
//! to its body, and one signature over the root (a [`Head`]) proves every entry before it. So a contiguous piece is
//! verified by hashing alone, a body of data can be erased while the feed still verifies, and a feed that was written in
//! two ways is caught by two heads.
//!
//! ```text
//!   entries ──Writer::append──► VerifiedRange ──to_range──► Range ~~network~~► verify_range ──► VerifiedRange
//!                                    │ runs                                                       │ runs
//!                                    ▼                                                            ▼
//!                                  store                                       order::Order: holds runs until
//!                                                                              their deps are here
//! ```
//!
//! The types that matter: [`VerifiedRange`], which may be stored, and [`Run`], which is how entries travel. This crate
//! opens no body and judges no right: what an entry means is for the floors above. It does no I/O.
//!
//! Normative text: `specs/feed.md`.
//!
//! ```
//! use weft_crypto::{DeviceKey, FeedSecret, Manifest, Purpose, SpaceId};
//! use weft_feed::{Checkpoint, NewEntry, Origin, Tree, Writer, verify};
//! use weft_machine::ClaimedTime;
//!
//! let secret = FeedSecret::from_seed([7; 32]);
//! let manifest = Manifest {
//!     version: 1,
//!     space: SpaceId::from_bytes([1; 32]),
//!     device: DeviceKey::from_seed([2; 32]).id(),
//!     feed_key: secret.id(),
//!     purpose: Purpose::Control,
//!     generation: 0,
//! };
//! let mut alice = Writer::new(&manifest, secret, Checkpoint::default())?;
//! let mut bob = Tree::new();
//! for text in ["first", "second"] {
//!     let entry = NewEntry::control(ClaimedTime(0), vec![], text.into());
//!     for written in alice.append(vec![entry])? {
//!         let verified = verify::verify_range(&bob, &Origin::of(&manifest), &written.to_range())?;
//!         bob = verified.tree().clone();
//!     }
//! }
//! assert_eq!(bob.root(), alice.tree().root());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod absent;
mod error;
mod hashes;
mod header;
mod range;
mod run;
mod tree;
mod view;
mod writer;

pub mod acknowledged;
pub mod flat;
pub mod fuzz;
pub mod kind;
pub mod limits;
pub mod order;
pub mod past;
pub mod proof;
pub mod verify;

pub use absent::{Absent, AbsentError};
pub use error::Violation;
pub use hashes::{body_hash, entry_id, leaf};
pub use header::Header;
pub use past::Past;
pub use range::{Origin, Range, VerifiedRange};
pub use run::{Entry, EraseError, Run, RunError};
pub use tree::{Peak, Tree, TreeError};
pub use verify::{PendingBodies, verify_headers, verify_range};
pub use view::{HeaderError, HeaderView};
pub use weft_crypto::{Dep, Head, Manifest, Purpose};
pub use writer::{AppendError, Checkpoint, NewEntry, Writer, WrongSecret};
