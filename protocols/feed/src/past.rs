//! The causal past of entries: how long each feed was, as the author had seen it.
//!
//! A [`Past`] is a vector of lengths. A [`History`] keeps the pasts of all entries of one feed at once, as the steps in
//! which each length grew, so that a feed that rarely looks at others costs nothing, and the past at any of its entries
//! is found by binary search. Pasts are never found by walking.
//!
//! Spec: FEED-6.3

use std::collections::{BTreeMap, btree_map::Entry};

use weft_crypto::FeedId;
use weft_wire::varint;

use crate::limits::LENGTH_MAX;

/// Lengths of feeds: everything up to them is in the past. A feed that is not named has length 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Ascending by feed, no length is 0.
    lengths: Vec<(FeedId, u64)>,
    /// Their sum.
    total: u64,
}

impl Past {
    /// Nothing seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How much of this feed is in the past.
    #[must_use]
    pub fn get(&self, feed: &FeedId) -> u64 {
        self.find(feed).map_or(0, |at| self.lengths[at].1)
    }

    /// How many entries are in the past, of all feeds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Adds the entries of a feed up to `length`; gives whether that was news.
    pub fn raise(&mut self, feed: FeedId, length: u64) -> bool {
        let before = match self.find(&feed) {
            _ if length == 0 => return false,
            Ok(at) if self.lengths[at].1 >= length => return false,
            Ok(at) => std::mem::replace(&mut self.lengths[at].1, length),
            Err(at) => {
                self.lengths.insert(at, (feed, length));
                0
            }
        };
        self.total = self.total.saturating_add(length - before);
        true
    }

    /// Adds all of another past.
    pub fn join(&mut self, other: &Self) {
        for &(feed, length) in &other.lengths {
            self.raise(feed, length);
        }
    }

    /// Whether all of another past is in this one.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        other.iter().all(|(feed, length)| self.get(&feed) >= length)
    }

    /// Feeds and lengths, ascending by feed.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FeedId, u64)> + '_ {
        self.lengths.iter().copied()
    }

    /// Whether nothing was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Where a feed is, or would be. Feed ids are hashes, so their first bytes tell nearly where; from there it is looked further
    /// and further away, then by halves. Of 500 feeds an even spread puts nearly all within 32 places of the guess; ids that somebody
    /// picked to lie together cost twice a search by halves.
    fn find(&self, feed: &FeedId) -> Result<usize, usize> {
        let lengths = &self.lengths;
        let guess = ((u128::from(leading(feed)) * lengths.len() as u128) >> 64) as usize;
        let (mut low, mut high, mut step) = (guess, guess, 8);
        while low > 0 && lengths[low].0 > *feed {
            high = low;
            low = low.saturating_sub(step);
            step *= 4;
        }
        while high < lengths.len() && lengths[high].0 < *feed {
            low = high;
            high = (high + step).min(lengths.len());
            step *= 4;
        }
        let near = &lengths[low..(high + 1).min(lengths.len())];
        near.binary_search_by(|(other, _)| other.cmp(feed)).map(|at| low + at).map_err(|at| low + at)
    }
}

/// The first eight bytes as a number, which orders ids as they are.
fn leading(feed: &FeedId) -> u64 {
    feed.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

impl FromIterator<(FeedId, u64)> for Past {
    fn from_iter<I: IntoIterator<Item = (FeedId, u64)>>(lengths: I) -> Self {
        let mut past = Self::new();
        for (feed, length) in lengths {
            past.raise(feed, length);
        }
        past
    }
}

/// Why a stored row is not a piece of a history, or not the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The row ends early, or a number in it is no number.
    #[error("a row of a feed's past is cut short or malformed")]
    Malformed,
    /// An entry at or before one that was restored already.
    #[error("a row about entry {seq} where entry {next} or later should be")]
    OutOfOrder {
        /// The entry of the row.
        seq: u64,
        /// The earliest that can be next.
        next: u64,
    },
    /// A length that does not grow, or is larger than a feed can be.
    #[error("entry {seq} puts a length of {length} after {earlier}")]
    Length {
        /// The entry.
        seq: u64,
        /// The length in the row.
        length: u64,
        /// The length before.
        earlier: u64,
    },
}

/// What the entries of a feed know of one other feed.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The length that an entry of the feed named last in its own deps.
    named: u64,
    /// From which entry on which length is in the past, both ascending.
    steps: Vec<(u64, u64)>,
}

impl Known {
    fn at(&self, seq: u64) -> u64 {
        let after = self.steps.partition_point(|&(from, _)| from <= seq);
        after.checked_sub(1).map_or(0, |last| self.steps[last].1)
    }

    fn last(&self) -> u64 {
        self.steps.last().map_or(0, |&(_, length)| length)
    }
}

/// The pasts of all entries of one feed. 16 bytes a step, and a step is an entry that brought news of some feed.
#[derive(Clone, Debug, Default)]
pub struct History {
    known: BTreeMap<FeedId, Known>,
    /// One past the last entry that brought news.
    next: u64,
}

impl History {
    /// The history of a feed that never looked at another one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A history from the rows that [`crate::order::Released::changes`] gave, in order.
    ///
    /// # Errors
    /// When the rows are damaged.
    pub fn restore<'a>(rows: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, RestoreError> {
        let mut history = Self::new();
        rows.into_iter().try_for_each(|row| history.extend(row))?;
        Ok(history)
    }

    /// Adds one more row. After an error the history holds a part of it.
    ///
    /// # Errors
    /// When the row is damaged, or does not come after the ones before.
    pub fn extend(&mut self, row: &[u8]) -> Result<(), RestoreError> {
        self.read(row, |next, seq| match seq {
            _ if seq >= next && seq < LENGTH_MAX => Ok(true),
            _ => Err(RestoreError::OutOfOrder { seq, next }),
        })
    }

    /// As [`History::extend`], but passes over what was said before and over entries from `until` on: for rows that were kept
    /// of entries which were then released once more, in other pieces.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn extend_until(&mut self, row: &[u8], until: u64) -> Result<(), RestoreError> {
        self.read(row, |next, seq| Ok(seq >= next && seq < until.min(LENGTH_MAX)))
    }

    /// Reads a row; `takes` says of each entry, after the earliest that can be next, whether it is entered.
    fn read(&mut self, row: &[u8], takes: impl Fn(u64, u64) -> Result<bool, RestoreError>) -> Result<(), RestoreError> {
        let mut reader = Reader(row);
        while !reader.0.is_empty() {
            let seq = reader.number()?;
            let taken = takes(self.next, seq)?;
            for _ in 0..reader.number()? {
                let (feed, length, named) = (reader.feed()?, reader.number()?, reader.number()?);
                if taken {
                    self.change(seq, feed, length, named)?;
                }
            }
            if taken {
                self.next = seq + 1;
            }
        }
        Ok(())
    }

    fn change(&mut self, seq: u64, feed: FeedId, length: u64, named: u64) -> Result<(), RestoreError> {
        let known = self.known.entry(feed).or_default();
        let earlier = known.last();
        if length > 0 {
            if length <= earlier || length > LENGTH_MAX {
                return Err(RestoreError::Length { seq, length, earlier });
            }
            known.steps.push((seq, length));
        }
        if named > 0 {
            if named <= known.named {
                return Err(RestoreError::Length { seq, length: named, earlier: known.named });
            }
            known.named = named;
        }
        if length == 0 && named == 0 { Err(RestoreError::Malformed) } else { Ok(()) }
    }

    /// The past of an entry, without its own feed.
    #[must_use]
    pub fn before(&self, seq: u64) -> Past {
        let lengths: Vec<_> = self.lengths(seq).collect();
        Past { total: lengths.iter().map(|(_, length)| length).sum(), lengths }
    }

    /// The length of `feed` in the past of an entry.
    #[must_use]
    pub fn get(&self, seq: u64, feed: &FeedId) -> u64 {
        self.known.get(feed).map_or(0, |known| known.at(seq))
    }

    /// For each feed that entries of this feed named in their deps, the length they named last.
    pub fn named(&self) -> impl Iterator<Item = (FeedId, u64)> + '_ {
        self.known.iter().filter(|(_, known)| known.named > 0).map(|(feed, known)| (*feed, known.named))
    }

    pub(crate) fn named_of(&self, feed: &FeedId) -> u64 {
        self.known.get(feed).map_or(0, |known| known.named)
    }

    pub(crate) fn lengths(&self, seq: u64) -> impl Iterator<Item = (FeedId, u64)> + '_ {
        self.known.iter().map(move |(feed, known)| (*feed, known.at(seq))).filter(|&(_, length)| length > 0)
    }

    /// Enters what an entry brought and adds the row's bytes to `out`.
    pub(crate) fn record(&mut self, seq: u64, news: News, out: &mut Vec<u8>) {
        varint::write(seq, out);
        varint::write(news.0.len() as u64, out);
        for (feed, (length, named)) in news.0 {
            let length = if length > self.get(seq, &feed) { length } else { 0 };
            out.extend_from_slice(feed.as_bytes());
            varint::write(length, out);
            varint::write(named, out);
            self.change(seq, feed, length, named).expect("news are checked by the order");
        }
        self.next = seq + 1;
    }
}

/// What one entry brings to its feed's history: for each feed the length in its past, and the length its deps name or 0.
#[derive(Debug, Default)]
pub(crate) struct News(BTreeMap<FeedId, (u64, u64)>);

impl News {
    /// Names a length, of which `seen` is there.
    pub(crate) fn name(&mut self, feed: FeedId, seen: u64, named: u64) {
        let news = self.0.entry(feed).or_default();
        *news = (news.0.max(seen), named);
    }

    /// A length from the past of a dep; left out when `known` says that the feed has it already.
    pub(crate) fn inherit(&mut self, feed: FeedId, length: u64, known: u64) {
        match self.0.entry(feed) {
            Entry::Occupied(mut news) => {
                let news = news.get_mut();
                news.0 = news.0.max(length);
            }
            Entry::Vacant(news) if length > known => {
                news.insert((length, 0));
            }
            Entry::Vacant(_) => {}
        }
    }

    pub(crate) fn lengths(&self) -> impl Iterator<Item = (FeedId, u64)> + '_ {
        self.0.iter().map(|(feed, (length, _))| (*feed, *length))
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Result<u64, RestoreError> {
        let (value, used) = varint::read(self.0).ok().flatten().ok_or(RestoreError::Malformed)?;
        self.0 = &self.0[used..];
        Ok(value)
    }

    fn feed(&mut self) -> Result<FeedId, RestoreError> {
        let (feed, rest) = self.0.split_first_chunk().ok_or(RestoreError::Malformed)?;
        self.0 = rest;
        Ok(FeedId::from_bytes(*feed))
    }
}
