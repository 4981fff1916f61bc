//! Keeping the space writable: a new epoch where none may be written under, and lockboxes for those who have none.
//!
//! A removal that a leaver or a reader wrote, a newcomer whose admission turned out void, two removals at once with an epoch each: after
//! all of them somebody who writes has to begin an epoch. The most senior one who is on line does at once, the others give it
//! time. Should two begin one all the same, the rule that chooses an epoch chooses between them. Spec: PEER-14

use std::time::Duration;

use weft_credential::{Credential, History, LockboxRefused, PreKeySet, Role};
use weft_crypto::{DeviceId, EpochId};
use weft_feed::kind;
use weft_machine::{Draws, Time};
use weft_space::compose;

use super::{
    Room,
    own::{Draft, Purpose},
};
use crate::{commands::actor, links, outbox::Outbox};

/// How long each waits for the one before it. A guess: many times what an entry takes to everybody.
const TURN: Duration = Duration::from_secs(2);

/// Lockboxes in one entry: what fits 1,024 parts with room to spare.
const LOCKBOXES_MAX: usize = 1_000;

/// What this device has to do for the space.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    /// When it is this device's turn, while there is something to do.
    due: Option<Time>,
    /// Its turn has come.
    turn: bool,
    /// It has written, and that is on its way to the disk.
    writing: bool,
    /// Membership or keys are not what they were when it was looked last.
    changed: bool,
}

impl Upkeep {
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.due
    }

    pub(crate) fn wake(&mut self, now: Time) {
        if self.due.is_some_and(|at| at <= now) {
            self.due = None;
            self.turn = true;
        }
    }

    /// Membership, keys or connections changed: there may be something to do, or nothing any more.
    pub(crate) fn changed(&mut self) {
        self.changed = true;
    }

    /// What was written is durable.
    pub(crate) fn written(&mut self) {
        self.writing = false;
        self.changed = true;
    }

    /// What was written was not kept: again in a while.
    pub(crate) fn failed(&mut self, now: Time) {
        self.writing = false;
        self.due = Some(now + TURN);
    }

    /// Whether to act now. The first time that there is something to do, the device waits for its turn.
    fn comes(&mut self, now: Time, rank: u32) -> bool {
        if rank == 0 || self.turn {
            return true;
        }
        self.due.get_or_insert(now + TURN * rank);
        false
    }

    fn rests(&mut self) {
        self.due = None;
        self.turn = false;
    }
}

impl Room {
    /// Writes what is missing, when it is this device's turn.
    pub(crate) fn keep_up(&mut self, now: Time, now_ms: u64, draws: &mut Draws, outbox: &mut Outbox) {
        if self.upkeep.writing || !(self.upkeep.changed || self.upkeep.turn) || !self.control.is_idle() {
            return;
        }
        self.upkeep.changed = false;
        let pre_key = match links::membership::may_speak(self) {
            Ok(()) => self.renew_pre_key(now_ms, draws, outbox),
            Err(_) => None,
        };
        let missing = pre_key.map(Missing::PreKey).or_else(|| self.missing());
        let Some(missing) = missing else { return self.upkeep.rests() };
        // What a device says of itself nobody else can say.
        let rank = if matches!(missing, Missing::Opening(_) | Missing::PreKey(_)) { 0 } else { self.rank() };
        if !self.upkeep.comes(now, rank) {
            return;
        }
        let says = match missing {
            Missing::Epoch => {
                let begun = links::acts::begin(self, self.membership.resolution(), draws);
                begun.ok().map(|begun| vec![Credential::EpochStarted(begun)])
            }
            Missing::PreKey(set) => Some(vec![Credential::PreKeySet(set)]),
            Missing::Lockboxes => self.lockboxes(draws),
            Missing::Opening(epoch) => {
                let device = self.me.device.id();
                Some(vec![Credential::LockboxRefused(LockboxRefused { epoch, device })])
            }
        };
        self.upkeep.rests();
        if let Some(says) = says {
            self.upkeep.writing = true;
            let bodies = vec![compose::body(self.space, says)];
            self.control.push(Draft { kind: kind::CONTROL, session: 0, bodies, purpose: Purpose::Upkeep });
        }
    }

    /// What the space lacks that this device can give.
    fn missing(&self) -> Option<Missing> {
        let resolution = self.membership.resolution();
        if links::membership::may_speak(self).is_err() {
            return None;
        }
        let theirs = resolution.writable_epoch(|epoch| !self.keys.is_broken(epoch));
        let shut = theirs.filter(|epoch| self.keys.is_shut(epoch));
        if let Some(epoch) = shut.filter(|epoch| resolution.may_refuse(epoch, &self.me.device.id())) {
            return Some(Missing::Opening(epoch));
        }
        if !resolution.role_of(&self.me.identity).is_some_and(Role::may_write) {
            return None;
        }
        match &self.epoch {
            Some(epoch) if resolution.without_lockbox(epoch).is_empty() => {
                self.is_apart(epoch).then_some(Missing::Epoch)
            }
            // What was written under the epoch before they came is not theirs to read.
            Some(_) if resolution.history() == History::FromJoining => Some(Missing::Epoch),
            Some(_) => Some(Missing::Lockboxes),
            // Where others hold one that may be written under, they hand it over.
            None => theirs.is_none().then_some(Missing::Epoch),
        }
    }

    /// Whether something is written under an epoch that this device opens, that somebody who reads was left out of, and that no
    /// later one hands on: two have begun epochs without knowing of each other. The next epoch follows both.
    fn is_apart(&self, current: &EpochId) -> bool {
        let resolution = self.membership.resolution();
        let mut ends = self.keys.ends(resolution).into_iter().filter(|end| end != current && self.keys.holds(end));
        resolution.history() == History::All && ends.any(|end| !resolution.without_lockbox(&end).is_empty())
    }

    /// How many devices that write and are connected have their turn before this one.
    fn rank(&self) -> u32 {
        let resolution = self.membership.resolution();
        let me = resolution.seniority(&self.me.device.id());
        let before = |device: &DeviceId| {
            let other = resolution.device(device).and_then(|known| resolution.role_of(&known.identity));
            other.is_some_and(Role::may_write) && resolution.seniority(device) > me
        };
        let senior = self.sources.peers().filter(before).count();
        u32::try_from(senior).unwrap_or(u32::MAX).min(30)
    }

    fn lockboxes(&self, draws: &mut Draws) -> Option<Vec<Credential>> {
        let epoch = self.epoch?;
        let secrets = self.keys.secrets(&epoch)?;
        let recipients = self.membership.resolution().without_lockbox(&epoch);
        let me = actor(&self.me);
        let lockboxes = recipients.iter().take(LOCKBOXES_MAX).filter_map(|recipient| {
            let sealed = compose::lockbox_added(&me, &self.space, &epoch, secrets, recipient, draws);
            sealed.ok().map(Credential::LockboxAdded)
        });
        let lockboxes: Vec<_> = lockboxes.collect();
        (!lockboxes.is_empty()).then_some(lockboxes)
    }
}

enum Missing {
    /// No epoch may be written under.
    Epoch,
    /// What was sealed to this device of the epoch that others write under does not open.
    Opening(EpochId),
    /// A new pre-key of this device is on disk and not known to others.
    PreKey(PreKeySet),
    /// Some who read have no lockbox of the epoch that is written under.
    Lockboxes,
}
