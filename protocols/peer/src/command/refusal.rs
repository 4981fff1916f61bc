//! Why a command was not carried out.

/// What sort of refusal it is; a command line makes its exit code of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The thing named does not exist here.
    NotFound,
    /// A rule says no.
    Refused,
    /// It was tried and did not work.
    Failed,
    /// It took too long.
    TimedOut,
    /// The store did not keep it.
    Store,
}

/// Why a command was not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// A stable name for programs, snake_case.
    pub code: &'static str,
    /// What sort of refusal it is.
    pub kind: RefusalKind,
    /// What happened and why.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Refusal {
    /// A refusal in four parts.
    #[must_use]
    pub fn new(kind: RefusalKind, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Refusal {
        Refusal { code, kind, message: message.into(), hint: hint.into() }
    }
}
