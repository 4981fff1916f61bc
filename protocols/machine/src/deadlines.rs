//! Timers as a table: each key waits for one time, and what is due comes out in one fixed order.

use std::collections::BTreeMap;

use crate::Time;

/// What waits until when. Entries come out by time, those of one time in the order in which they were set.
///
/// Holds one entry a key, so the owner's bound on keys is the bound here. All operations are logarithmic.
#[derive(Debug, Clone)]
pub struct Deadlines<K> {
    by_time: BTreeMap<(Time, u64), K>,
    by_key: BTreeMap<K, (Time, u64)>,
    set: u64,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { by_time: BTreeMap::new(), by_key: BTreeMap::new(), set: 0 }
    }
}

impl<K: Ord + Clone> Deadlines<K> {
    /// A table in which nothing waits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `key` wait until `due`, instead of whatever it waited for.
    pub fn set(&mut self, key: K, due: Time) {
        self.cancel(&key);
        let place = (due, self.set);
        self.set += 1;
        self.by_time.insert(place, key.clone());
        self.by_key.insert(key, place);
    }

    /// Lets `key` wait until `due` unless it already waits for something earlier.
    pub fn set_earlier(&mut self, key: K, due: Time) {
        if self.get(&key).is_none_or(|waits| due < waits) {
            self.set(key, due);
        }
    }

    /// Forgets what `key` waits for; says whether it waited.
    pub fn cancel(&mut self, key: &K) -> bool {
        match self.by_key.remove(key) {
            Some(place) => self.by_time.remove(&place).is_some(),
            None => false,
        }
    }

    /// What `key` waits for.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<Time> {
        self.by_key.get(key).map(|&(due, _)| due)
    }

    /// The earliest time that anything waits for. (Not an iterator.)
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.by_time.first_key_value().map(|(&(due, _), _)| due)
    }

    /// Takes out one key that is due at `now`, the first in order. Call until `None`.
    pub fn expire(&mut self, now: Time) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// How many keys wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}
