//! How often rounds may follow each other.

use std::time::Duration;

use weft_machine::Time;

/// A budget of rounds: `burst` at once, then one every `every`.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the budget is whole again.
    whole: Time,
    every: Duration,
    burst: u32,
}

impl Pace {
    pub(super) fn new(burst: u32, every: Duration) -> Self {
        Self { whole: Time::ZERO, every, burst: burst.max(1) }
    }

    /// When the next round may be.
    pub(super) fn next(&self) -> Time {
        let room = self.every.saturating_mul(self.burst - 1);
        let room = u64::try_from(room.as_micros()).unwrap_or(u64::MAX);
        Time::from_micros(self.whole.as_micros().saturating_sub(room))
    }

    /// Takes a round out of the budget, if it may be now.
    pub(super) fn take(&mut self, now: Time) -> bool {
        let may = self.next() <= now;
        if may {
            self.whole = self.whole.max(now) + self.every;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use weft_machine::Time;

    use super::Pace;

    #[test]
    fn after_the_burst_one_at_a_time() {
        let mut pace = Pace::new(3, Duration::from_millis(100));
        let start = Time::from_millis(1000);
        assert!(pace.take(start) && pace.take(start) && pace.take(start));
        assert!(!pace.take(start));
        assert_eq!(pace.next(), Time::from_millis(1100));
        assert!(pace.take(Time::from_millis(1100)));
        assert!(!pace.take(Time::from_millis(1100)));
    }

    #[test]
    fn a_long_rest_saves_up_no_more_than_the_burst() {
        let mut pace = Pace::new(2, Duration::from_millis(100));
        let later = Time::from_millis(1_000_000);
        assert!(pace.take(later) && pace.take(later));
        assert!(!pace.take(later));
    }
}
