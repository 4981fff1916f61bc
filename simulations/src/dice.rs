//! Everything in a world that could have been otherwise: draws between two ends, from the world's one seed.
//!
//! Each part has dice of its own, forked by a label, so that a draw more in one place changes nothing in another.

use std::time::Duration;

use weft_machine::{Draws, Seed};

use crate::scenario::Between;

/// A stream of draws.
#[derive(Debug)]
pub struct Dice(Draws);

/// The seed of a world, from the number that a person types.
#[must_use]
pub fn seed(number: u64) -> Seed {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Seed::from_bytes(bytes)
}

impl Dice {
    /// The dice of one part of the world.
    #[must_use]
    pub fn new(seed: &Seed, label: &str) -> Dice {
        Dice(seed.fork(label).draws())
    }

    /// A number between two ends, both included.
    pub fn between(&mut self, [low, high]: Between) -> u64 {
        low + self.0.below((high - low).saturating_add(1).max(1))
    }

    /// A time between two ends in milliseconds, drawn to the microsecond.
    pub fn millis(&mut self, [low, high]: Between) -> Duration {
        self.micros([low * 1_000, high * 1_000])
    }

    /// A time between two ends in microseconds.
    pub fn micros(&mut self, ends: Between) -> Duration {
        Duration::from_micros(self.between(ends))
    }

    /// Whether one of `one_in` comes up; never for 0.
    pub fn one_in(&mut self, one_in: u64) -> bool {
        one_in > 0 && self.0.below(one_in) == 0
    }

    /// A place below `length`, if there is one.
    pub fn place(&mut self, length: usize) -> Option<usize> {
        let length = u64::try_from(length).ok().filter(|length| *length > 0)?;
        usize::try_from(self.0.below(length)).ok()
    }

    /// One of these, by weight; none if all weigh nothing.
    pub fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> Option<T> {
        let total = choices.iter().map(|(weight, _)| weight).sum::<u64>();
        let mut at = if total == 0 { return None } else { self.0.below(total) };
        choices.iter().find_map(|(weight, choice)| match at.checked_sub(*weight) {
            None => Some(*choice),
            Some(rest) => {
                at = rest;
                None
            }
        })
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        self.0.draw32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_between_their_ends_and_repeat_with_the_seed() {
        let draw = |number| {
            let mut dice = Dice::new(&seed(number), "test");
            (0..100).map(|_| dice.between([3, 5])).collect::<Vec<_>>()
        };
        let drawn = draw(7);
        assert!(drawn.iter().all(|number| (3..=5).contains(number)));
        assert_eq!([3, 4, 5].map(|end| drawn.contains(&end)), [true; 3]);
        assert_eq!(drawn, draw(7));
        assert_ne!(drawn, draw(8));
    }

    #[test]
    fn what_weighs_nothing_is_never_drawn() {
        let mut dice = Dice::new(&seed(1), "test");
        let drawn: Vec<_> = (0..50).map(|_| dice.weighted(&[(0, 'a'), (2, 'b'), (0, 'c'), (1, 'd')])).collect();
        assert!(drawn.contains(&Some('b')) && drawn.contains(&Some('d')));
        assert!(!drawn.contains(&Some('a')) && !drawn.contains(&Some('c')) && !drawn.contains(&None));
        assert_eq!(dice.weighted(&[(0, 'a')]), None);
    }
}
