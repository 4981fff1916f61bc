//! What the other side can do wrong.

use weft_credential::Malformed;
use weft_wire::DecodeError;

/// The peer broke the rules of `/weft/invitation/1`; the stream ends. Spec: INVITATION-3.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// INVITATION-3: a frame that does not decode.
    #[error("INVITATION-3: {0}")]
    Decode(#[from] DecodeError),
    /// INVITATION-3: a frame that is not due.
    #[error("INVITATION-3: {found} where {due} is due")]
    NotDue {
        /// What came.
        found: &'static str,
        /// What had to come.
        due: &'static str,
    },
    /// INVITATION-3: a version that is not spoken here.
    #[error("INVITATION-3: version {found}, this is 1")]
    Version {
        /// The version found.
        found: u32,
    },
    /// INVITATION-3: a field of another length.
    #[error("INVITATION-3: {field} has {found} bytes")]
    Length {
        /// Which field.
        field: &'static str,
        /// Its bytes.
        found: usize,
    },
    /// INVITATION-6.2: what a linked device was given does not hold together.
    #[error("INVITATION-6.2: {0}")]
    Welcome(#[from] Malformed),
    /// INVITATION-6.2: a linked device was given somebody else's identity.
    #[error("INVITATION-6.2: the identity is not that of the link")]
    OtherIdentity,
    /// INVITATION-3: our own nonce came back.
    #[error("INVITATION-3: our own nonce came back")]
    Reflected,
    /// INVITATION-5: more parts or bytes than a newcomer takes, or none.
    #[error("INVITATION-5: a bundle of {parts} parts and {bytes} bytes")]
    Bundle {
        /// Parts announced or received.
        parts: u32,
        /// Bytes announced or received.
        bytes: u64,
    },
    /// INVITATION-4.2: a reason that no host gives.
    #[error("INVITATION-4.2: refused for reason {found}")]
    Reason {
        /// The number found.
        found: u32,
    },
    /// INVITATION-5: nothing came for too long.
    #[error("INVITATION-5: {due} did not come in time")]
    TooSlow {
        /// What was due.
        due: &'static str,
    },
}
