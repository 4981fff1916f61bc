//! The order of all characters ever inserted into a text, deleted ones too, as spans of ids.
//!
//! `yrs` places an insertion between the two characters that it names, and replicas agree because an honest session names
//! two that *are* neighbours in all it has seen. One that names others makes replicas place it differently, for good, by
//! the order in which entries arrive. So before an insertion reaches `yrs`, this list says whether its two characters
//! can ever have been neighbours. That depends on them alone: the order of two characters never changes.
//!
//! The list is kept by the same rule that `yrs` integrates by, without any text.
//!
//! Spec: ECHO-4.3

use std::collections::BTreeMap;

use crate::rows::{OrderPiece, RowError};

/// A character: its client and clock.
pub(crate) type Id = (u64, u32);

/// Index of a span; the last one's `next` is [`END`].
type Place = u32;
const END: Place = Place::MAX;

#[derive(Clone, Copy, Debug)]
struct Span {
    id: Id,
    len: u32,
    /// What its first character was placed after and before; within a span each is placed after the one before it.
    left: Option<Id>,
    right: Option<Id>,
    next: Place,
}

impl Span {
    fn last(&self) -> Id {
        (self.id.0, self.id.1 + self.len - 1)
    }

    fn contains(&self, id: Id) -> bool {
        id.0 == self.id.0 && (self.id.1..=self.last().1).contains(&id.1)
    }

    /// Whether `other`, standing right after it, is the same session typing on.
    fn continues(&self, other: &Self) -> bool {
        let (client, clock) = self.last();
        other.id == (client, clock + 1) && other.left == Some((client, clock)) && other.right == self.right
    }
}

/// Insertions to take back, newest last.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Journal(Vec<Inserted>);

/// A span as it was inserted, and the place before it then.
#[derive(Debug)]
struct Inserted {
    place: Place,
    len: u32,
    before: Place,
}

/// The list.
#[derive(Debug)]
pub(crate) struct Order {
    spans: Vec<Span>,
    first: Place,
    at: BTreeMap<Id, Place>,
}

impl Default for Order {
    fn default() -> Self {
        Self { spans: Vec::new(), first: END, at: BTreeMap::new() }
    }
}

/// One block of an update, placed between two neighbours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Insertion {
    pub(crate) id: Id,
    pub(crate) len: u32,
    pub(crate) left: Option<Id>,
    pub(crate) right: Option<Id>,
}

impl Order {
    /// How many spans are kept.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Inserts a block whose neighbours are in the list, unless they can never have been neighbours. Tells whether it did.
    pub(crate) fn insert(&mut self, block: Insertion, journal: &mut Journal) -> bool {
        // The right one first: cutting keeps the index of what comes first.
        let right = block.right.map_or(Some(END), |id| self.cut_before(id));
        let left = block.left.map_or(Some(END), |id| self.cut_after(id));
        let (Some(left), Some(right)) = (left, right) else { return false };
        let Some(before) = self.place(&block, left, right) else { return false };
        let place = self.push(Span { id: block.id, len: block.len, left: block.left, right: block.right, next: END });
        self.spans[place as usize].next = self.replace_next(before, place);
        journal.0.push(Inserted { place, len: block.len, before });
        true
    }

    /// What stands between two places. `None`: the right one does not come after the left one; or the left one was
    /// itself placed before something that stands there, or the right one after something that does: whoever has seen both
    /// has seen that too.
    fn between(&self, left: Place, right: Place) -> Option<Vec<Place>> {
        let span = |place: Place| self.spans.get(place as usize);
        let placed_before = span(left).and_then(|span| span.right);
        let placed_after = span(right).and_then(|span| span.left);
        let mut between = Vec::new();
        let mut other = self.next(left);
        while other != right {
            let span = span(other)?;
            if [placed_before, placed_after].into_iter().flatten().any(|id| span.contains(id)) {
                return None;
            }
            between.push(other);
            other = span.next;
        }
        Some(between)
    }

    /// The place after which a block between `left` and `right` goes: the rule of YATA as `yrs` has it.
    fn place(&self, block: &Insertion, left: Place, right: Place) -> Option<Place> {
        let between = self.between(left, right)?;
        let number: BTreeMap<Place, usize> = between.iter().enumerate().map(|(at, place)| (*place, at)).collect();
        let mut before = left;
        // Of `between`: how many are passed, and from where on they conflict with the block.
        let mut conflicts = 0;
        for (passed, place) in between.iter().enumerate() {
            let span = &self.spans[*place as usize];
            if span.left == block.left {
                if span.id.0 < block.id.0 {
                    (before, conflicts) = (*place, passed + 1);
                } else if span.right == block.right {
                    break;
                }
            } else {
                let origin = span.left.and_then(|id| self.find(id));
                match origin.and_then(|place| number.get(&place)).filter(|at| **at <= passed) {
                    Some(at) if *at < conflicts => (before, conflicts) = (*place, passed + 1),
                    Some(_) => {}
                    None => break,
                }
            }
        }
        Some(before)
    }

    /// Takes insertions back.
    pub(crate) fn undo(&mut self, journal: Journal) {
        for Inserted { place, len, mut before } in journal.0.into_iter().rev() {
            // Later insertions of the same update may have cut both the span and the one before it; they are gone by now.
            while self.next(before) != place {
                before = self.next(before);
            }
            let (mut next, mut removed) = (place, 0);
            while removed < len {
                let span = self.spans[next as usize];
                self.at.remove(&span.id);
                (next, removed) = (span.next, removed + span.len);
            }
            self.replace_next(before, next);
        }
    }

    fn next(&self, place: Place) -> Place {
        self.spans.get(place as usize).map_or(self.first, |span| span.next)
    }

    /// Sets what follows a place ([`END`]: the beginning); gives what did.
    fn replace_next(&mut self, place: Place, next: Place) -> Place {
        let slot = self.spans.get_mut(place as usize).map_or(&mut self.first, |span| &mut span.next);
        std::mem::replace(slot, next)
    }

    fn push(&mut self, span: Span) -> Place {
        let place = Place::try_from(self.spans.len()).expect("a text has fewer than 2^32 spans");
        self.at.insert(span.id, place);
        self.spans.push(span);
        place
    }

    fn find(&self, id: Id) -> Option<Place> {
        let (first, place) = self.at.range(..=id).next_back()?;
        (first.0 == id.0 && self.spans[*place as usize].contains(id)).then_some(*place)
    }

    /// The span that begins with a character.
    fn cut_before(&mut self, id: Id) -> Option<Place> {
        let place = self.find(id)?;
        let offset = id.1 - self.spans[place as usize].id.1;
        Some(if offset == 0 { place } else { self.cut(place, offset) })
    }

    /// The span that ends with a character.
    fn cut_after(&mut self, id: Id) -> Option<Place> {
        let place = self.find(id)?;
        let kept = id.1 - self.spans[place as usize].id.1 + 1;
        if kept < self.spans[place as usize].len {
            self.cut(place, kept);
        }
        Some(place)
    }

    fn cut(&mut self, place: Place, kept: u32) -> Place {
        let span = self.spans[place as usize];
        let (client, clock) = span.id;
        let rest =
            Span { id: (client, clock + kept), len: span.len - kept, left: Some((client, clock + kept - 1)), ..span };
        let rest = self.push(rest);
        let span = &mut self.spans[place as usize];
        (span.len, span.next) = (kept, rest);
        rest
    }

    /// Joins what was typed on and forgets what was taken back.
    pub(crate) fn compact(&mut self) {
        let mut compact = Self::default();
        let mut place = self.first;
        while let Some(span) = self.spans.get(place as usize) {
            compact.append(*span);
            place = span.next;
        }
        *self = compact;
    }

    fn append(&mut self, span: Span) {
        if let Some(last) = self.spans.last_mut().filter(|last| last.continues(&span)) {
            last.len += span.len;
            return;
        }
        let before = self.spans.len().checked_sub(1).map_or(END, |last| last as Place);
        let place = self.push(Span { next: END, ..span });
        self.replace_next(before, place);
    }

    /// The list as rows, after [`Order::compact`].
    pub(crate) fn pieces(&self, spans_max: usize) -> impl Iterator<Item = OrderPiece> + '_ {
        self.spans.chunks(spans_max).map(|spans| {
            let mut piece = OrderPiece::default();
            let mut names = BTreeMap::new();
            let mut name = |id: Option<Id>, piece: &mut OrderPiece| match id {
                None => piece.numbers.push(0),
                Some((client, clock)) => {
                    let next = piece.clients.len() as u64 + 1;
                    let number = *names.entry(client).or_insert(next);
                    if number == next {
                        piece.clients.push(client);
                    }
                    piece.numbers.extend([number, u64::from(clock)]);
                }
            };
            for span in spans {
                name(Some(span.id), &mut piece);
                piece.numbers.push(u64::from(span.len));
                name(span.left, &mut piece);
                name(span.right, &mut piece);
            }
            piece
        })
    }

    /// Adds a piece from the store.
    pub(crate) fn restore(&mut self, piece: &OrderPiece) -> Result<(), RowError> {
        let damaged = || RowError::new("order", "numbers that are no spans");
        let mut numbers = piece.numbers.iter().copied();
        let clock = |number: u64| u32::try_from(number).ok().filter(|clock| *clock < crate::inspect::CLOCK_END);
        let id = |numbers: &mut dyn Iterator<Item = u64>| -> Result<Option<Id>, RowError> {
            let number = numbers.next().ok_or_else(damaged)?;
            let Some(index) = number.checked_sub(1) else { return Ok(None) };
            let client = usize::try_from(index).ok().and_then(|index| piece.clients.get(index)).ok_or_else(damaged)?;
            Ok(Some((*client, numbers.next().and_then(clock).ok_or_else(damaged)?)))
        };
        while numbers.len() > 0 {
            let first = id(&mut numbers)?.ok_or_else(damaged)?;
            let len = numbers.next().and_then(clock).filter(|len| *len > 0).ok_or_else(damaged)?;
            let (left, right) = (id(&mut numbers)?, id(&mut numbers)?);
            if first.1.checked_add(len).is_none() || self.find(first).is_some() {
                return Err(damaged());
            }
            self.append(Span { id: first, len, left, right, next: END });
        }
        Ok(())
    }

    /// The characters in order.
    #[cfg(test)]
    fn ids(&self) -> Vec<Id> {
        let mut ids = Vec::new();
        let mut place = self.first;
        while let Some(span) = self.spans.get(place as usize) {
            ids.extend((0..span.len).map(|n| (span.id.0, span.id.1 + n)));
            place = span.next;
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(order: &mut Order, id: Id, len: u32, left: Option<Id>, right: Option<Id>) -> bool {
        order.insert(Insertion { id, len, left, right }, &mut Journal::default())
    }

    #[test]
    fn blocks_are_cut_where_others_stand_between() {
        let mut order = Order::default();
        assert!(insert(&mut order, (1, 0), 4, None, None));
        assert!(insert(&mut order, (2, 0), 2, Some((1, 1)), Some((1, 2))));
        assert!(insert(&mut order, (1, 4), 1, Some((1, 3)), None));
        assert_eq!(order.ids(), [(1, 0), (1, 1), (2, 0), (2, 1), (1, 2), (1, 3), (1, 4)]);
        let ids = order.ids();
        order.compact();
        assert_eq!((order.len(), order.ids()), (3, ids.clone()));

        let mut again = Order::default();
        for piece in order.pieces(2) {
            assert_eq!(again.restore(&piece), Ok(()));
        }
        assert_eq!(again.ids(), ids);
        assert!(insert(&mut again, (3, 0), 1, Some((2, 0)), Some((2, 1))));
    }

    #[test]
    fn concurrent_blocks_at_one_place_stand_by_client() {
        let mut ids = Vec::new();
        for clients in [[5, 7, 9], [9, 7, 5], [7, 9, 5]] {
            let mut order = Order::default();
            for client in clients {
                assert!(insert(&mut order, (client, 0), 2, None, None));
            }
            ids.push(order.ids());
        }
        assert!(ids.iter().all(|other| *other == ids[0]));
    }

    #[test]
    fn what_cut_itself_and_its_neighbours_is_taken_back_whole() {
        let mut order = Order::default();
        assert!(insert(&mut order, (1, 0), 4, None, None));
        let ids = order.ids();
        let mut journal = Journal::default();
        let mut insert =
            |clock, len, left, right| order.insert(Insertion { id: (2, clock), len, left, right }, &mut journal);
        assert!(insert(0, 4, Some((1, 3)), None));
        assert!(insert(4, 1, Some((2, 1)), Some((2, 2))), "into what was just typed");
        assert!(insert(5, 1, Some((1, 1)), Some((1, 2))), "into what it was typed after");
        assert!(insert(6, 1, Some((2, 2)), Some((2, 3))));
        order.undo(journal);
        assert_eq!(order.ids(), ids);
        order.compact();
        assert_eq!((order.len(), order.ids()), (1, ids));
    }

    #[test]
    fn what_is_refused_leaves_no_trace() {
        let mut order = Order::default();
        assert!(insert(&mut order, (1, 0), 4, None, None));
        assert!(insert(&mut order, (1, 4), 1, Some((1, 0)), Some((1, 1))));
        let ids = order.ids();
        let mut journal = Journal::default();
        let mut insert =
            |clock, left, right| order.insert(Insertion { id: (2, clock), len: 1, left, right }, &mut journal);
        assert!(insert(0, Some((1, 4)), Some((1, 1))));
        assert!(!insert(1, Some((1, 0)), Some((1, 2))), "the right one was typed after one between them");
        assert!(!insert(1, Some((1, 4)), Some((1, 2))), "the left one was typed before one between them");
        assert!(!insert(1, Some((1, 4)), None), "as above");
        assert!(!insert(1, None, Some((1, 1))), "the right one follows the first");
        assert!(!insert(1, Some((1, 2)), Some((1, 1))), "the wrong way round");
        assert!(!insert(1, Some((1, 1)), Some((1, 1))), "one character twice");
        assert!(!insert(1, Some((1, 9)), None), "nobody");
        assert!(insert(1, Some((1, 0)), Some((1, 1))), "as if the fifth had not been seen");
        order.undo(journal);
        assert_eq!(order.ids(), ids);
    }
}
