//! How a command fails: what a person and a program get to know, and the exit code.

use std::io::Write as _;

use serde_json::json;
use weft_peer::command::RefusalKind;

use super::{
    look::{self, Tone},
    visible::{in_line, visible},
};

/// How a command ended. The numbers are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was done.
    Done = 0,
    /// It was tried and did not work.
    Failed = 1,
    /// It was not asked properly.
    Usage = 2,
    /// Something it names is not here.
    NotFound = 3,
    /// A rule says no.
    Refused = 4,
    /// It took too long, or the space is not level.
    TimedOut = 5,
    /// The store is damaged, or another process has it.
    Store = 6,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// How the process exits.
    pub(crate) exit: Exit,
    /// A stable name for programs, snake_case.
    pub(crate) code: String,
    /// What happened and why.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: String,
}

impl Failure {
    /// A failure in four parts.
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure { exit, code: code.to_owned(), message: message.into(), hint: hint.into() }
    }

    /// It was not asked properly.
    pub(crate) fn usage(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, code, message, hint)
    }

    /// What the node answered. Others' words may be in it: it is one line, whoever prints it.
    pub(crate) fn answered(exit: Exit, code: &str, message: &str, hint: &str) -> Failure {
        Failure::new(exit, code, in_line(message), in_line(hint))
    }

    /// Nobody reads on: reason enough to end, and none to complain.
    pub(crate) fn reader_gone() -> Failure {
        Failure::new(Exit::Done, "reader_gone", "nobody reads what is printed any more", "")
    }

    /// Says on standard error what happened.
    pub(crate) fn report(&self, json: bool) {
        if self.exit == Exit::Done {
            return;
        }
        let mut stderr = std::io::stderr().lock();
        // Nobody is left to tell when standard error is closed.
        let _ = if json {
            let error = json!({"error": {"code": self.code, "message": self.message, "hint": self.hint}});
            writeln!(stderr, "{error}")
        } else {
            let look = look::stderr();
            let hint = if self.hint.is_empty() {
                String::new()
            } else {
                format!("{} {}\n", look.paint(Tone::Title, " hint:"), visible(&self.hint))
            };
            write!(stderr, "{} {}\n{hint}", look.paint(Tone::Bad, "error:"), visible(&self.message))
        };
    }
}

/// An answer of the API that is no success.
pub(crate) fn from_answer(status: u16, body: &[u8]) -> Failure {
    #[derive(serde::Deserialize)]
    struct Answer {
        error: Inner,
    }
    #[derive(serde::Deserialize)]
    struct Inner {
        code: String,
        message: String,
        #[serde(default)]
        hint: String,
    }
    let exit = exit_of(status);
    match serde_json::from_slice::<Answer>(body) {
        Ok(Answer { error }) => Failure::answered(exit, &error.code, &error.message, &error.hint),
        Err(_) => Failure::new(
            Exit::Failed,
            "unexpected_answer",
            format!("what answers at the node's address is not a node of this version (HTTP status {status})"),
            "stop that program, or start the node again with `weft up`",
        ),
    }
}

/// The exit code that belongs to a refusal.
pub(crate) fn exit_of_kind(kind: RefusalKind) -> Exit {
    match kind {
        RefusalKind::NotFound => Exit::NotFound,
        RefusalKind::Refused => Exit::Refused,
        RefusalKind::Failed => Exit::Failed,
        RefusalKind::TimedOut => Exit::TimedOut,
        RefusalKind::Store => Exit::Store,
    }
}

/// The exit code that belongs to a status of the API.
pub(crate) fn exit_of(status: u16) -> Exit {
    match status {
        400 => Exit::Usage,
        404 => Exit::NotFound,
        401 | 403 | 413 | 423 => Exit::Refused,
        504 => Exit::TimedOut,
        507 => Exit::Store,
        _ => Exit::Failed,
    }
}
