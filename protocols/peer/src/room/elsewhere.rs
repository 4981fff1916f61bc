//! What peers claim to hold of a feed of this device's own, beyond what is held here.
//!
//! This device may have lost writes, and what it signs anew would fork the feed; so it waits until it has back what others
//! hold. But a claim is signed by nobody. Only what comes of it is: so whoever claims more and shows nothing of it is
//! believed for a moment, and once. Spec: PEER-3.1

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use weft_crypto::DeviceId;
use weft_machine::Time;

/// How long a claim holds without a signed entry that comes of it. Default 10 s, a guess: many times what a largest range
/// takes, and short enough for a person who waits to write.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Claim {
    length: u64,
    until: Time,
}

/// Claims on one feed.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    claims: BTreeMap<DeviceId, Claim>,
    /// Devices whose claims nothing came of, as long as this node runs: members of the space, so there are not many.
    unfounded: BTreeSet<DeviceId>,
}

impl Elsewhere {
    /// The largest claim that is believed.
    pub(crate) fn length(&self) -> u64 {
        self.claims.values().map(|claim| claim.length).max().unwrap_or_default()
    }

    /// A device claims this length, and `held` is what is here. To claim more and more does not gain time.
    pub(crate) fn claimed(&mut self, now: Time, device: DeviceId, length: u64, held: u64) {
        if length > held && !self.unfounded.contains(&device) {
            let claim = self.claims.entry(device).or_insert(Claim { length, until: now + PATIENCE });
            claim.length = claim.length.max(length);
        }
    }

    /// The device says itself that it does not hold what it claimed.
    pub(crate) fn not_held(&mut self, device: DeviceId) {
        if self.claims.remove(&device).is_some() {
            self.unfounded.insert(device);
        }
    }

    /// Signed entries came back, up to here: there was something in it.
    pub(crate) fn came_back(&mut self, now: Time, length: u64) {
        self.claims.retain(|_, claim| claim.length > length);
        self.claims.values_mut().for_each(|claim| claim.until = now + PATIENCE);
    }

    /// When the next claim is believed no more.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.claims.values().map(|claim| claim.until).min()
    }

    /// Believes no more what nothing came of.
    pub(crate) fn wake(&mut self, now: Time) {
        let late: Vec<DeviceId> =
            self.claims.extract_if(.., |_, claim| claim.until <= now).map(|(device, _)| device).collect();
        self.unfounded.extend(late);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MALLORY: DeviceId = DeviceId::from_bytes([1; 32]);
    const BOB: DeviceId = DeviceId::from_bytes([2; 32]);

    #[test]
    fn a_claim_that_nothing_comes_of_is_believed_for_a_moment_and_once() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.claimed(Time::ZERO, MALLORY, 1 << 60, 5);
        elsewhere.claimed(Time::ZERO + PATIENCE / 2, MALLORY, 1 << 61, 5);
        assert_eq!(elsewhere.length(), 1 << 61);
        let due = elsewhere.deadline();
        assert_eq!(due, Some(Time::ZERO + PATIENCE));
        elsewhere.wake(Time::ZERO + PATIENCE);
        elsewhere.claimed(Time::ZERO + PATIENCE, MALLORY, 1 << 62, 5);
        assert_eq!((elsewhere.length(), elsewhere.deadline()), (0, None));
    }

    #[test]
    fn a_claim_holds_as_long_as_entries_come_back() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.claimed(Time::ZERO, BOB, 5, 5);
        assert_eq!(elsewhere.length(), 0, "no more than is held");
        elsewhere.claimed(Time::ZERO, BOB, 9, 5);
        elsewhere.came_back(Time::ZERO + PATIENCE / 2, 7);
        elsewhere.wake(Time::ZERO + PATIENCE);
        assert_eq!(elsewhere.length(), 9);
        elsewhere.came_back(Time::ZERO + PATIENCE, 9);
        assert_eq!((elsewhere.length(), elsewhere.deadline()), (0, None));
        elsewhere.claimed(Time::ZERO + PATIENCE, BOB, 12, 9);
        assert_eq!(elsewhere.length(), 12, "it was right before");
    }

    #[test]
    fn who_takes_a_claim_back_is_not_believed_again() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.not_held(BOB);
        for device in [BOB, MALLORY] {
            elsewhere.claimed(Time::ZERO, device, 9, 5);
        }
        elsewhere.not_held(MALLORY);
        elsewhere.not_held(BOB);
        elsewhere.claimed(Time::ZERO, MALLORY, 9, 5);
        assert_eq!(elsewhere.length(), 0);
    }
}
