//! Devices of one identity: a link that makes a device one of them, and the talk in which siblings let each other into spaces.
//!
//! On `/weft/device/1` whoever opens the stream asks. A [`Newcomer`] proves that it knows a link's key and gets the identity's
//! statements and a chain that ends at itself. A [`Guest`] is a sibling already: it hears which spaces the other one holds, and asks
//! to be let into those that it lacks. The [`Host`] serves both, and asks its peer whom it knows. Spec: INVITATION-6.
//!
//! ```text
//!   newcomer                        host               guest                       host
//!     Begin{nonce} ─────────────────►                    Sibling{name} ────────────►  is it one?
//!                  ◄───────────────── Challenge{nonce}                ◄──────────── Spaces{…}, again when they change
//!     Prove{key, proof} ────────────►  knows the link?   Enter{linked} ────────────►  one control entry, durable
//!                  ◄───────────────── Welcome{chain}                  ◄──────────── Accepted, Part, Part …
//! ```

mod guest;
mod host;
mod link;
mod newcomer;
mod proof;
mod welcome;

pub use guest::{Guest, Input as GuestInput, Output as GuestOutput};
pub use host::{Host, Input as HostInput, Output as HostOutput};
pub use link::{DeviceLink, DeviceLinkError};
pub use newcomer::{Input as NewcomerInput, Newcomer, Output as NewcomerOutput};
pub use welcome::Welcome;

use weft_wire::invitation::device_frame::Kind;

/// Spaces that one sibling tells another of. Spec: INVITATION-6.4
pub const SPACES_MAX: usize = 1024;

fn name(kind: Option<&Kind>) -> &'static str {
    match kind {
        Some(Kind::Begin(_)) => "Begin",
        Some(Kind::Challenge(_)) => "Challenge",
        Some(Kind::Prove(_)) => "Prove",
        Some(Kind::Refused(_)) => "Refused",
        Some(Kind::Welcome(_)) => "Welcome",
        Some(Kind::Sibling(_)) => "Sibling",
        Some(Kind::Spaces(_)) => "Spaces",
        Some(Kind::Enter(_)) => "Enter",
        Some(Kind::Accepted(_)) => "Accepted",
        Some(Kind::Part(_)) => "Part",
        None => "a frame of no known kind",
    }
}
