//! Whether entries of a data feed count. Spec: SPACE-8.

use weft_crypto::{EpochId, FeedId, Purpose};
use weft_feed::Past;

use crate::{Resolution, entry::Position, resolve::standing::View, void::VoidReason};

/// What the resolution says of a data entry. It may change when the set of control entries grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Counts,
    /// It does not.
    Void(VoidReason),
    /// The feed is not known here yet: ask again after the next control sync.
    Undecided,
}

/// A verdict for contiguous entries of a feed with one epoch and one past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// The first entry it is no longer about: at most the end of what was asked for. Ask again from there.
    pub until: u64,
}

/// Contiguous entries of a data feed that have one kind, one epoch and one past.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// The feed.
    pub feed: &'a FeedId,
    /// The first entry.
    pub from: u64,
    /// The first entry after them.
    pub until: u64,
    /// The epoch they are sealed under; none for entries without a body.
    pub epoch: Option<&'a EpochId>,
    /// Whether they have a body (a `Merge` has none).
    pub body: bool,
    /// What their author had seen, control feeds and data feeds.
    pub past: &'a Past,
}

impl Resolution {
    /// The verdict for one data entry that has a body; see [`Resolution::judge`] for many.
    pub fn verdict(&self, feed: &FeedId, seq: u64, epoch: Option<&EpochId>, past: &Past) -> Verdict {
        let span = Span { feed, from: seq, until: seq.saturating_add(1), epoch, body: true, past };
        self.judge(&span).verdict
    }

    /// The verdict for many entries at once, in time that does not depend on their number. Spec: SPACE-8.1.
    pub fn judge(&self, span: &Span<'_>) -> Ruling {
        let (verdict, until) = match self.check(span) {
            Ok(until) => (Verdict::Counts, until),
            Err((reason, until)) => (Verdict::Void(reason), until),
        };
        let unknown =
            verdict == Verdict::Void(VoidReason::FeedNotAdmitted) && !self.carried.feeds.contains_key(span.feed);
        Ruling {
            verdict: if unknown { Verdict::Undecided } else { verdict },
            until: until.clamp(span.from + 1, span.until),
        }
    }

    /// The verdict on the first entry, and up to where it is the same.
    fn check(&self, span: &Span<'_>) -> Result<u64, (VoidReason, u64)> {
        let all = span.until;
        let position = Position::of(span.past);
        let feed = self.facts.feeds.get(span.feed).ok_or((VoidReason::FeedNotAdmitted, all))?;
        if feed.manifest.purpose != Purpose::Data {
            return Err((VoidReason::WrongPurpose, all));
        }
        if !feed.is_admitted(&position) {
            return Err((VoidReason::NotClosed, all));
        }
        // What ends the feed, and where a lower role begins, may lie inside the span.
        let stands = self.facts.stands(span.feed, feed, &position).min(self.kept_of(span.feed).unwrap_or(u64::MAX));
        if span.from >= stands {
            return Err((VoidReason::PastCut { stands }, all));
        }
        let lowered = self.facts.acts.on_member(&feed.identity).map(|(_, act)| act.stands(span.feed));
        let until = lowered.chain([stands]).filter(|at| *at > span.from).min().unwrap_or(all).min(all);
        if span.body {
            let epoch = span.epoch.ok_or((VoidReason::NotSealed, until))?;
            if !self.has_begun(epoch, span.past) {
                return Err((VoidReason::UnknownEpoch, until));
            }
        }
        let had = self.facts.role(&feed.identity, View::Own(&position, feed.manifest.device, span.feed, span.from));
        match had {
            Some(role) if role.may_write() => Ok(until),
            had => Err((VoidReason::NoRight { had }, until)),
        }
    }
}
