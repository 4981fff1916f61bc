//! Feeds that wait for their turn: control before data, and within each one after another.

use std::collections::{BTreeSet, VecDeque};

use weft_crypto::FeedId;

#[derive(Debug, Default)]
pub(crate) struct Ring {
    control: VecDeque<FeedId>,
    data: VecDeque<FeedId>,
    members: BTreeSet<FeedId>,
}

impl Ring {
    /// Lets a feed wait, at the end. It waits once, however often this is called.
    pub(crate) fn push(&mut self, feed: FeedId, control: bool) {
        if self.members.insert(feed) {
            if control { &mut self.control } else { &mut self.data }.push_back(feed);
        }
    }

    pub(crate) fn front(&self) -> Option<FeedId> {
        self.control.front().or_else(|| self.data.front()).copied()
    }

    pub(crate) fn pop(&mut self) -> Option<FeedId> {
        let feed = self.control.pop_front().or_else(|| self.data.pop_front())?;
        self.members.remove(&feed);
        Some(feed)
    }

    pub(crate) fn remove(&mut self, feed: &FeedId) {
        if self.members.remove(feed) {
            self.control.retain(|other| other != feed);
            self.data.retain(|other| other != feed);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_goes_before_data_and_each_waits_once() {
        let [a, b, c] = [1, 2, 3].map(|byte| FeedId::from_bytes([byte; 32]));
        let mut ring = Ring::default();
        ring.push(a, false);
        ring.push(b, true);
        ring.push(a, false);
        ring.push(c, true);
        ring.remove(&c);
        assert_eq!((ring.len(), ring.front()), (2, Some(b)));
        assert_eq!([ring.pop(), ring.pop(), ring.pop()], [Some(b), Some(a), None]);
        assert!(ring.is_empty());
    }
}
