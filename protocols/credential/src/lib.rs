//! Credentials: the signed statements that say what a space is and who belongs to it.
//!
//! A *control entry* carries a [`ControlBody`], a list of [`Part`]s; each part is one [`Credential`]. Decoding bounds
//! every part, [`verify`] checks all signatures that lie inside one credential. What a credential *means*, whether its
//! author may say it, is not decided here: that is the resolution, in `weft-space`.
//!
//! Spec: `specs/credential.md`. Messages: `specs/proto/credential.proto`.
//!
//! ```text
//! control entry ── ControlBody ─┬─ Part ── SpaceGenesis        founder's device signs the genesis statement
//!                               ├─ Part ── RootStatement       a root key signs
//!                               ├─ Part ── FeedAdmitted        device key and feed key sign the manifest
//!                               ├─ Part ── EpochStarted        commitments and lockboxes
//!                               ├─ Part ── InvitationRedeemed  invitation key and newcomer's device sign
//!                               └─ Part ── MemberRemoved …     cuts: what stands of whose feeds
//! ```
//!
//! The two types that matter are [`ControlBody`] and [`Credential`]:
//!
//! ```
//! use weft_credential::{ControlBody, Credential, InvitationIssued, Part, Role};
//! use weft_crypto::{InvitationSecret, SpaceId};
//!
//! let space = SpaceId::from_bytes([7; 32]);
//! let link = InvitationSecret::from_seed([1; 32]);
//! let expires_ms = 1_900_000_000_000;
//! let issued = InvitationIssued { key: link.id(), role: Role::Writer, uses: 1, expires_ms, approve: false };
//! let body = ControlBody::new(vec![Part::new(space, Credential::InvitationIssued(issued))]).encode();
//!
//! let parts = ControlBody::decode(&body, &space)?.verify()?;
//! assert!(matches!(parts[0].credential, Credential::InvitationIssued(ref i) if i.role == Role::Writer));
//! # Ok::<(), weft_credential::Malformed>(())
//! ```

mod authority;
mod body;
mod chain;
mod credential;
mod epoch;
mod error;
mod field;
mod fork;
pub mod fuzz;
pub mod genesis;
mod invitation;
pub mod limits;
pub mod linked;
mod manifests;
mod prekey;
pub mod redemption;
mod role;
pub mod root;

pub use authority::{
    Cut, CutRaised, DeviceRemoved, FeedClosed, InvitationRevoked, MemberRemoved, Named, PolicyChanged, RoleChanged,
    RulesChanged, Seal,
};
pub use body::{ControlBody, Part, verify};
pub use chain::Chain;
pub use credential::{Credential, Unknown, kind};
pub use epoch::{EpochStarted, Lockbox, LockboxRefused, SealedToKeys, To};
pub use error::Malformed;
pub use fork::{Branch, ForkProven};
pub use genesis::{Genesis, History, SpaceGenesis};
pub use invitation::{InvitationIssued, invitation_id};
pub use linked::DeviceLinked;
pub use prekey::PreKeySet;
pub use redemption::Redemption;
pub use role::Role;
pub use root::{Carried, RootStatement, RootStatements, Subject};

/// The rules version that this crate writes and knows. Spec: CREDENTIAL-2.
pub const RULES: u32 = 1;
