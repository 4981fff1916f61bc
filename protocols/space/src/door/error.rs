//! What a peer can do wrong at the door.

use weft_wire::DecodeError;

/// The peer broke the door's rules; the stream ends. Spec: SPACE-9.5.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// SPACE-9.1: the frame does not decode.
    #[error("SPACE-9.1: {0}")]
    Decode(#[from] DecodeError),
    /// SPACE-9.1: a frame of no known kind.
    #[error("SPACE-9.1: a frame of no known kind")]
    NoKind,
    /// SPACE-9.1: a version this door does not speak.
    #[error("SPACE-9.1: version {found} of the door, this is 1")]
    Version {
        /// The version found.
        found: u32,
    },
    /// SPACE-9.1: a nonce of another length.
    #[error("SPACE-9.1: a nonce of {found} bytes, not 32")]
    Nonce {
        /// Bytes found.
        found: usize,
    },
    /// SPACE-9.1: our own nonce came back.
    #[error("SPACE-9.1: our own nonce came back")]
    Reflected,
    /// SPACE-9.1: a second hello.
    #[error("SPACE-9.1: a second hello")]
    SecondHello,
    /// SPACE-9.1: something before the hello.
    #[error("SPACE-9.1: tags before the hello")]
    BeforeHello,
    /// SPACE-9.3: tags of another round than the next.
    #[error("SPACE-9.3: tags of round {found} where {expected:?} is due")]
    Round {
        /// The round that is due, if any.
        expected: Option<u32>,
        /// The round found.
        found: u32,
    },
    /// SPACE-9.3: not a power of two of whole tags, or not as many answers as asked for.
    #[error("SPACE-9.3: {bytes} bytes of tags")]
    Count {
        /// Bytes found.
        bytes: usize,
    },
    /// SPACE-9.4: the opener asks for another round; only the acceptor may.
    #[error("SPACE-9.4: the opener asks for a round that it could send")]
    AgainByOpener,
    /// SPACE-9.6: rounds faster than any opener sends them.
    #[error("SPACE-9.6: rounds without end")]
    TooManyRounds,
}
