//! From "what has been released here" to the deps of the next own entry.
//!
//! `deps` name only heads that changed since the feed's previous entry, transitively reduced: a head that is in the past
//! of another one is left out, and so is whatever this feed's own past has already.
//!
//! Spec: FEED-6.1

use std::{collections::BTreeMap, sync::Arc};

use weft_crypto::{Dep, FeedId};

use crate::{limits::DEPS_MAX, past::Past};

/// The deps of what is written next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Merge entries to write first, each with these deps. Empty but in spaces with more than 512 news at once.
    pub merges: Vec<Vec<Dep>>,
    /// The deps of the entry itself.
    pub deps: Vec<Dep>,
}

/// What one own feed has to acknowledge. Holds one head and its past for each feed that has news.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    own: FeedId,
    past: Past,
    heard: BTreeMap<FeedId, (Dep, Arc<Past>)>,
    /// How much of each feed own entries named: no entry names so much again, though it may not be in their past, because it meant
    /// a history that is not kept.
    named: BTreeMap<FeedId, u64>,
    /// The next entry is to be understood without what any other one has in its past.
    plain: bool,
}

impl Acknowledged {
    /// For the feed `own`, whose last entry has this past (none for a new feed).
    #[must_use]
    pub fn new(own: FeedId, past: Past) -> Self {
        Self { own, past, heard: BTreeMap::new(), named: BTreeMap::new(), plain: false }
    }

    /// The feed's entries have named so much of each feed in their deps.
    #[must_use]
    pub fn having_named(self, named: BTreeMap<FeedId, u64>) -> Self {
        Self { named, ..self }
    }

    /// For an entry that is to be understood though some feed turns out to say something else: it names every head that is
    /// heard from now on and that `named`, what the feed's entries named in their deps, does not have; none is left out because
    /// another one has it in its past.
    #[must_use]
    pub fn plainly(self, named: BTreeMap<FeedId, u64>) -> Self {
        Self { named, plain: true, ..self }
    }

    /// A head up to which everything is released and durable here, with the past at that head
    /// ([`crate::order::Order::past_at`]). A lower head of the same feed is replaced.
    pub fn heard(&mut self, head: Dep, past: Arc<Past>) {
        let named = self.named.get(&head.feed).copied().unwrap_or(0);
        let known = if self.plain { named } else { self.past.get(&head.feed).max(named) };
        let known = self.heard.get(&head.feed).map_or(0, |(dep, _)| dep.length).max(known);
        if head.feed != self.own && head.length > known {
            self.heard.insert(head.feed, (head, past));
        }
    }

    /// Whether the next entry would name anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    /// How much of another feed the next entry has in its past.
    #[must_use]
    pub fn reaches(&self, feed: &FeedId) -> u64 {
        let heard = self.heard.values().map(|(dep, past)| if dep.feed == *feed { dep.length } else { past.get(feed) });
        heard.fold(self.past.get(feed), u64::max)
    }

    /// What the feed's last entry knows.
    #[must_use]
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// The deps of the next entry, which are now acknowledged. Keep a clone to go back to if the entry is not written.
    pub fn take(&mut self) -> Acknowledgement {
        let heard = std::mem::take(&mut self.heard);
        let is_plain = std::mem::take(&mut self.plain);
        let covered = |dep: &Dep| {
            let has_it = |(other, past): &(Dep, Arc<Past>)| other.feed != dep.feed && past.get(&dep.feed) >= dep.length;
            !is_plain && heard.values().any(has_it)
        };
        let mut deps: Vec<Dep> = heard.values().map(|(dep, _)| *dep).filter(|dep| !covered(dep)).collect();
        for (dep, past) in heard.values() {
            self.past.join(past);
            self.past.raise(dep.feed, dep.length);
        }
        self.named.extend(deps.iter().map(|dep| (dep.feed, dep.length)));
        let mut merges = Vec::new();
        while deps.len() > DEPS_MAX {
            let rest = deps.split_off(DEPS_MAX);
            merges.push(std::mem::replace(&mut deps, rest));
        }
        Acknowledgement { merges, deps }
    }
}
