//! Parts of feeds that are held and whose stored bytes are damaged, until they are fetched again.
//!
//! Nothing of a feed is forgotten for it: what was derived from the part stays, what follows it is still served, and only
//! the part itself is shown to nobody. Whoever claims to hold it is asked, one peer after another. Spec: PEER-8

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use weft_crypto::{DeviceId, FeedId, Head};
use weft_feed::{Run, Tree, VerifiedRange, leaf};
use weft_machine::Time;
use weft_replication::StoredRange;

use crate::store::{Damage, Write};

/// How long a peer may take for a part, and how long it is before those are asked again who had nothing. 10 s, a guess: a part
/// is one range, 5 MiB at the most.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Part {
    damage: Damage,
    /// Who was asked, until an answer comes.
    asked: Option<DeviceId>,
    /// When the peer was asked too long ago, or when all may be asked again.
    until: Time,
    tried: BTreeSet<DeviceId>,
    came: Vec<StoredRange>,
    next: u64,
    /// It is on its way to the disk.
    writing: bool,
}

impl Part {
    /// Begins the part again, with the next peer.
    fn forget(&mut self) {
        self.asked = None;
        self.came.clear();
        self.next = self.damage.from;
    }
}

/// What a peer is asked for.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) device: DeviceId,
    pub(crate) feed: FeedId,
    pub(crate) base: Option<(Head, Tree)>,
    pub(crate) until: u64,
}

/// The damaged parts of a space, one a feed.
#[derive(Debug, Default)]
pub(crate) struct Mending {
    parts: BTreeMap<FeedId, Part>,
}

impl Mending {
    /// The store found damage. Says whether that is news.
    pub(crate) fn found(&mut self, now: Time, damage: Damage) -> bool {
        if self.parts.contains_key(&damage.feed) {
            return false;
        }
        let (feed, next) = (damage.feed, damage.from);
        let (tried, came) = (BTreeSet::new(), Vec::new());
        self.parts.insert(feed, Part { damage, asked: None, until: now, tried, came, next, writing: false });
        true
    }

    pub(crate) fn holds(&self, feed: &FeedId) -> bool {
        self.parts.contains_key(feed)
    }

    pub(crate) fn damaged(&self) -> impl Iterator<Item = &Damage> {
        self.parts.values().map(|part| &part.damage)
    }

    /// Whom to ask now; `holders` lists the peers that claim to hold a feed up to a length.
    pub(crate) fn questions(&mut self, now: Time, holders: impl Fn(&FeedId, u64) -> Vec<DeviceId>) -> Vec<Question> {
        let mut questions = Vec::new();
        for (feed, part) in self.parts.iter_mut().filter(|(_, part)| part.asked.is_none() && !part.writing) {
            let until = part.damage.head.length;
            let mut untried = holders(feed, until).into_iter().filter(|device| !part.tried.contains(device));
            let Some(device) = untried.next() else { continue };
            part.asked = Some(device);
            part.until = now + PATIENCE;
            part.tried.insert(device);
            questions.push(Question { device, feed: *feed, base: part.damage.base.clone(), until });
        }
        questions
    }

    /// A verified range came. Once the part is whole, what is to be written.
    pub(crate) fn came(&mut self, now: Time, device: DeviceId, range: &VerifiedRange) -> Option<Write> {
        let feed = range.feed();
        let part = self.parts.get_mut(&feed)?;
        if part.asked != Some(device) || part.writing || part.next != range.from() {
            return None;
        }
        let until = part.damage.head.length;
        part.until = now + PATIENCE;
        part.next = range.end();
        let runs = range.runs().iter().filter(|run| run.from() < until);
        let runs = runs.map(|run| run.slice(run.from(), run.end().min(until))).collect();
        // The last one may go on beyond the part, which ends at a head all the same.
        let head = if range.end() <= until { *range.head() } else { part.damage.head };
        part.came.push(StoredRange { head, runs });
        if part.next < until {
            return None;
        }
        // Signed by the feed's key, and yet it has to be what was held.
        let mut tree = part.damage.base.as_ref().map_or_else(Tree::new, |(_, tree)| tree.clone());
        for entry in part.came.iter().flat_map(|range| &range.runs).flat_map(Run::entries) {
            tree.push(leaf(entry.header.bytes()), entry.header.bytes().len() as u64 + entry.header.body_len());
        }
        // A body that this peer does not hold either mends nothing.
        let is_whole = part.came.iter().flat_map(|range| &range.runs).all(|run| run.absent().is_empty());
        if tree.root() != part.damage.head.root || !is_whole {
            part.forget();
            return None;
        }
        part.writing = true;
        Some(Write::Mend { feed, ranges: std::mem::take(&mut part.came) })
    }

    /// The part is stored again. What it was.
    pub(crate) fn written(&mut self, feed: &FeedId) -> Option<Damage> {
        self.parts.remove(feed).map(|part| part.damage)
    }

    /// It could not be written: it is fetched again.
    pub(crate) fn failed(&mut self, now: Time, feed: &FeedId) {
        if let Some(part) = self.parts.get_mut(feed) {
            part.writing = false;
            part.until = now + PATIENCE;
            part.forget();
        }
    }

    /// The peer does not give it.
    pub(crate) fn refused(&mut self, device: DeviceId, feed: &FeedId) {
        if let Some(part) = self.parts.get_mut(feed)
            && part.asked == Some(device)
        {
            part.forget();
        }
    }

    /// The peer is gone: asked again when it comes back.
    pub(crate) fn lost(&mut self, device: DeviceId) {
        for part in self.parts.values_mut() {
            part.tried.remove(&device);
            if part.asked == Some(device) && !part.writing {
                part.forget();
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let waiting = self.parts.values().filter(|part| !part.writing && !part.tried.is_empty());
        waiting.map(|part| part.until).min()
    }

    pub(crate) fn wake(&mut self, now: Time) {
        for part in self.parts.values_mut().filter(|part| !part.writing && part.until <= now) {
            if part.asked.is_some() {
                part.forget();
            } else {
                part.tried.clear();
            }
            part.until = now + PATIENCE;
        }
    }
}

#[cfg(test)]
mod tests {
    use weft_crypto::{FeedSecret, Head};

    use super::*;

    const FEED: FeedId = FeedId::from_bytes([9; 32]);
    const BOB: DeviceId = DeviceId::from_bytes([1; 32]);
    const CAROL: DeviceId = DeviceId::from_bytes([2; 32]);

    fn damage() -> Damage {
        let tree = Tree::new();
        let head = Head::sign(FEED, 5, 0, tree.root(), &FeedSecret::from_seed([1; 32]));
        Damage { feed: FEED, from: 0, entry: 3, base: None, head }
    }

    #[test]
    fn holders_are_asked_one_after_another_and_again_after_a_while() {
        let mut mending = Mending::default();
        assert!(mending.found(Time::ZERO, damage()));
        assert!(!mending.found(Time::ZERO, damage()), "one part a feed at a time");
        let holders = |_: &FeedId, until| if until == 5 { vec![BOB, CAROL] } else { Vec::new() };
        let asked = |mending: &mut Mending, now| {
            mending.questions(now, holders).iter().map(|question| question.device).collect::<Vec<_>>()
        };
        assert_eq!(asked(&mut mending, Time::ZERO), [BOB]);
        assert!(asked(&mut mending, Time::ZERO).is_empty(), "one at a time");
        mending.refused(BOB, &FEED);
        assert_eq!(asked(&mut mending, Time::ZERO), [CAROL]);
        let due = mending.deadline().expect("somebody was asked");
        mending.wake(due);
        assert!(asked(&mut mending, due).is_empty(), "both were asked");
        let due = mending.deadline().expect("somebody was asked");
        mending.wake(due);
        assert_eq!(asked(&mut mending, due), [BOB]);
        mending.lost(BOB);
        assert_eq!(asked(&mut mending, due), [BOB], "it came back");
        assert_eq!(mending.written(&FEED).expect("it was there").entry, 3);
        assert!(!mending.holds(&FEED) && mending.deadline().is_none());
    }
}
