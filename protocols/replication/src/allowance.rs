//! How much that is not kept may be said: a bucket of frames that fills again with time.
//!
//! Spec: REPLICATION-10.2

use weft_machine::Time;

/// A frame in the bucket's own measure, so that parts of one are not lost.
const FRAME: u64 = 1_000_000;

/// A bucket of frames.
#[derive(Debug)]
pub(crate) struct Allowance {
    per_second: u64,
    burst: u64,
    left: u64,
    at: Time,
}

impl Allowance {
    /// A full bucket of `burst` frames that fills by `per_second`.
    pub(crate) fn new(per_second: u64, burst: u64) -> Self {
        Self { per_second, burst, left: burst * FRAME, at: Time::ZERO }
    }

    /// Takes a frame out, if there is one.
    pub(crate) fn take(&mut self, now: Time) -> bool {
        let passed = u64::try_from(now.saturating_since(self.at).as_micros()).unwrap_or(u64::MAX);
        self.at = self.at.max(now);
        self.left = self.left.saturating_add(passed.saturating_mul(self.per_second)).min(self.burst * FRAME);
        let taken = self.left >= FRAME;
        self.left -= if taken { FRAME } else { 0 };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let mut allowance = Allowance::new(10, 3);
        let taken = |allowance: &mut Allowance, ms| (0..9).filter(|_| allowance.take(Time::from_millis(ms))).count();
        assert_eq!(taken(&mut allowance, 0), 3);
        assert_eq!(taken(&mut allowance, 99), 0);
        assert_eq!(taken(&mut allowance, 100), 1);
        assert_eq!(taken(&mut allowance, 250), 1);
        assert_eq!(taken(&mut allowance, 300), 1, "half a frame was kept");
        assert_eq!(taken(&mut allowance, 60_000), 3);
        assert_eq!(taken(&mut allowance, 0), 0, "a clock that goes back gives nothing");
    }
}
