//! Invitations: how a link makes a stranger a member.
//!
//! A [`Link`] is what one person sends another. On `/weft/invitation/1` the [`Newcomer`] dials a host that the link names,
//! proves that it knows the link's key, and hands over its redemption; the [`Host`] checks what can be checked without
//! knowing the space, asks its Room to judge and write it down, and answers with the control feeds from genesis on.
//! Expiry is judged by the host that acts, on its own clock ([`judge`]), and by nobody else. Where a person has to approve, the
//! host says `Waiting` and the newcomer asks again; both people can read [`digits`] to one another meanwhile.
//!
//! Spec: `specs/invitation.md`. Neither machine knows what a space resolves to: that is `weft-space`.
//!
//! ```text
//!   newcomer                            host                       Room
//!     Begin{nonce} ─────────────────────►
//!                  ◄───────────────────── Challenge{nonce}
//!     Redeem{proof, redemption} ────────► Judge ──────────────────►  knows it? uses left? not expired?
//!                                         Judged ◄─────────────────  (one control entry, durable)
//!                  ◄───────────────────── Accepted, Part, Part …  ◄─ Bundle
//!     Bundle
//! ```
//!
//! ```
//! use weft_crypto::{DeviceKey, InvitationSecret, SpaceId};
//! use weft_invitation::Link;
//!
//! let link = Link {
//!     space: SpaceId::from_bytes([1; 32]),
//!     secret: InvitationSecret::from_seed([2; 32]),
//!     hosts: vec![DeviceKey::from_seed([3; 32]).id()],
//!     addresses: vec!["/ip4/192.0.2.1/udp/9338/quic-v1".to_owned()],
//!     space_name: "notes".to_owned(),
//!     inviter_name: "alice".to_owned(),
//! };
//! let text = link.encode();
//! assert!(text.starts_with("weft-invite:"));
//! assert_eq!(Link::parse(&text)?.hosts, link.hosts);
//! # Ok::<(), weft_invitation::LinkError>(())
//! ```

mod config;
pub mod device;
mod digits;
mod error;
pub mod fuzz;
mod host;
mod judge;
mod link;
mod newcomer;
mod part;
mod proof;
mod text;

pub use config::Config;
pub use digits::digits;
pub use error::Violation;
pub use host::{Host, Input as HostInput, Output as HostOutput};
pub use judge::{Reason, Standing, judge};
pub use link::{Link, LinkError};
pub use newcomer::{Input as NewcomerInput, Newcomer, Output as NewcomerOutput};
pub use part::{PART_BYTES_MAX, Part};
