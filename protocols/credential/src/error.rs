//! Why a credential is malformed: it says nothing, whoever wrote it.

use weft_crypto::{BadSignature, ManifestError};
use weft_wire::DecodeError;

/// A control body, or a credential in it, that cannot be what it claims to be. It is void for everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// More bytes than an entry's body may have.
    #[error("a control body of {found} bytes, more than {}", crate::limits::BODY_BYTES_MAX)]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// No part at all.
    #[error("a control body without a part")]
    Empty,
    /// The bytes are not the message.
    #[error("{what} does not decode: {source}")]
    Decode {
        /// Which message.
        what: &'static str,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A field that must have an exact length has another.
    #[error("{field} has {found} bytes, not {expected}")]
    Length {
        /// Which field.
        field: &'static str,
        /// Bytes it must have.
        expected: usize,
        /// Bytes it has.
        found: usize,
    },
    /// A number outside what the field allows.
    #[error("{field} is {found}")]
    Number {
        /// Which field.
        field: &'static str,
        /// Its value.
        found: u64,
    },
    /// It is about another space than the one whose feed carries it.
    #[error("{what} is about another space")]
    OtherSpace {
        /// Which statement.
        what: &'static str,
    },
    /// Two statements in one credential that must agree do not.
    #[error("{what} do not agree")]
    Disagree {
        /// Which ones.
        what: &'static str,
    },
    /// A known kind with the wrong critical bit.
    #[error("kind {kind} with the critical bit {critical}")]
    Critical {
        /// The kind.
        kind: u32,
        /// The bit found.
        critical: bool,
    },
    /// A signature does not fit.
    #[error("the signature by {by} does not fit")]
    Signature {
        /// Whose.
        by: &'static str,
    },
    /// A fork proof proves nothing.
    #[error("the fork proof proves nothing: {why}")]
    Proof {
        /// The rule of FEED-7 that it breaks.
        why: String,
    },
    /// A manifest is wrong in itself.
    #[error("{field}: {source}")]
    Manifest {
        /// Which one.
        field: &'static str,
        /// What is wrong.
        source: ManifestError,
    },
}

impl Malformed {
    /// Names the message that did not decode.
    pub(crate) fn decode(what: &'static str) -> impl FnOnce(DecodeError) -> Self {
        move |source| Self::Decode { what, source }
    }

    /// Names whose signature does not fit.
    pub(crate) fn signature(by: &'static str) -> impl FnOnce(BadSignature) -> Self {
        move |_| Self::Signature { by }
    }

    /// Names the manifest that is wrong.
    pub(crate) fn manifest(field: &'static str) -> impl FnOnce(ManifestError) -> Self {
        move |source| Self::Manifest { field, source }
    }
}
