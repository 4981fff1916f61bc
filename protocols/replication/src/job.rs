//! The work of a session that takes time: pure functions over their own arguments, run wherever the driver likes.
//!
//! Jobs of one feed follow one another, jobs of different feeds do not know of each other: so the order in which they
//! complete changes nothing.

use bytes::Bytes;
use weft_crypto::Head;
use weft_feed::{Absent, Origin, PendingBodies, Range, Tree, VerifiedRange, verify_headers};

use crate::io::StoredRange;

/// A range whose headers are all here; bodies may still be on their way.
#[derive(Clone, Debug)]
pub(crate) struct Unverified {
    pub(crate) tree: Tree,
    pub(crate) origin: Origin,
    pub(crate) from: u64,
    pub(crate) head: Head,
    pub(crate) headers: Bytes,
    pub(crate) absent: Absent,
}

/// Work for a driver. [`Job::run`] does it.
#[derive(Debug)]
pub struct Job(Kind);

#[derive(Debug)]
enum Kind {
    Range { range: Box<Unverified>, bodies: Vec<Bytes> },
    Bodies { pending: Box<PendingBodies>, bodies: Vec<Bytes> },
    Base { ours: Box<Unverified>, base: Box<Head> },
}

/// What came out of a [`Job`].
#[derive(Clone, Debug)]
pub struct Done(pub(crate) Outcome);

#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A whole range, verified.
    Verified(Box<VerifiedRange>),
    /// Its headers are those that the head signs, and so are the bodies so far.
    Pending(Box<PendingBodies>),
    /// It is not what the head signs.
    Wrong(weft_feed::Violation),
    /// What to make of the base of a `Want`.
    Base(Base),
}

/// How the log that a follower goes on from compares with ours.
#[derive(Clone, Debug)]
pub(crate) enum Base {
    /// It is a beginning of ours.
    Ours,
    /// The same key signed this head of it, and it is another log.
    Another(Box<Head>),
    /// The feed's key did not sign it.
    Unsigned,
}

impl Job {
    /// Verifies the headers of a range, then the bodies that are here.
    pub(crate) fn range(range: Unverified, bodies: Vec<Bytes>) -> Self {
        Self(Kind::Range { range: Box::new(range), bodies })
    }

    /// Verifies the next bodies of a range.
    pub(crate) fn bodies(pending: Box<PendingBodies>, bodies: Vec<Bytes>) -> Self {
        Self(Kind::Bodies { pending, bodies })
    }

    /// Compares the log that a follower goes on from, `base`, with ours: `ours` is what follows here. Two trees that come to
    /// one root under the same entries were the same (REPLICATION-5.2).
    pub(crate) fn base(origin: Origin, (base, tree): (Head, Tree), ours: &StoredRange) -> Self {
        let Range { from, head, headers, absent, .. } = Range::from_runs(ours.head, &ours.runs);
        Self(Kind::Base {
            ours: Box::new(Unverified { tree, origin, from, head, headers, absent }),
            base: Box::new(base),
        })
    }

    /// How many bytes it works through: what a driver decides by whether to run it where it stands.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Kind::Range { range, bodies } => range.headers.len() + bodies.iter().map(Bytes::len).sum::<usize>(),
            Kind::Bodies { bodies, .. } => bodies.iter().map(Bytes::len).sum(),
            Kind::Base { ours, .. } => ours.headers.len(),
        }
    }

    /// Does the work. The result depends on nothing but the job.
    #[must_use]
    pub fn run(self) -> Done {
        Done(match self.0 {
            Kind::Range { range, bodies } => match range.headers() {
                Ok(pending) => push(Box::new(pending), &bodies),
                Err(violation) => Outcome::Wrong(violation),
            },
            Kind::Bodies { pending, bodies } => push(pending, &bodies),
            Kind::Base { ours, base } => Outcome::Base(match ours.headers() {
                Ok(_) => Base::Ours,
                Err(_) if base.verify(&ours.origin.feed_key).is_ok() => Base::Another(base),
                Err(_) => Base::Unsigned,
            }),
        })
    }
}

impl Unverified {
    fn headers(&self) -> Result<PendingBodies, weft_feed::Violation> {
        verify_headers(&self.tree, &self.origin, self.from, &self.head, &self.headers, &self.absent)
    }
}

fn push(mut pending: Box<PendingBodies>, bodies: &[Bytes]) -> Outcome {
    for piece in bodies {
        if let Err(violation) = pending.push(piece) {
            return Outcome::Wrong(violation);
        }
    }
    if !pending.is_complete() {
        return Outcome::Pending(pending);
    }
    match pending.finish() {
        Ok(range) => Outcome::Verified(Box::new(range)),
        Err(violation) => Outcome::Wrong(violation),
    }
}
