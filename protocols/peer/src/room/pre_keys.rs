//! The keys to which this device's lockboxes are sealed: a new one now and then, so that one that was stolen unseen opens no more
//! than a month of epochs.
//!
//! A key is on disk before anybody hears of it. Old ones stay: lockboxes are opened again at every start, and whoever was away seals to
//! the key it knows. Spec: PEER-16

use weft_credential::PreKeySet;
use weft_crypto::PreKeySecret;
use weft_machine::Draws;
use weft_space::compose;

use super::{Persisting, Room};
use crate::{
    commands::actor,
    local::{self, PreKey},
    outbox::{Outbox, Purpose},
    store::{Batch, Write},
};

/// The keys of one space, the newest last.
#[derive(Debug)]
pub(crate) struct PreKeys {
    secrets: Vec<PreKeySecret>,
    /// Since when the newest is used, in milliseconds since 1970; 0 while nobody has looked at the clock.
    since_ms: u64,
    /// How many there were, and since when, before what is on its way to the disk.
    before: Option<(usize, u64)>,
}

impl PreKeys {
    /// The key that a device came with, and those after it.
    pub(crate) fn new(first: PreKeySecret, kept: Option<PreKey>) -> Self {
        let kept = kept.unwrap_or_default();
        let secrets = [first].into_iter().chain(kept.later).collect();
        Self { secrets, since_ms: kept.since_ms, before: None }
    }

    /// The key that the device came with, and those after it: as they are on disk.
    pub(crate) fn kept(&self) -> (PreKeySecret, PreKey) {
        let (first, later) = self.secrets.split_first().expect("there is the first");
        (first.clone(), PreKey { since_ms: self.since_ms, later: later.to_vec() })
    }

    pub(crate) fn all(&self) -> &[PreKeySecret] {
        &self.secrets
    }

    fn newest(&self) -> &PreKeySecret {
        self.secrets.last().expect("there is the first")
    }

    /// What was on its way is on disk.
    pub(crate) fn written(&mut self) {
        self.before = None;
    }

    /// It was not kept, and so is nobody's key.
    pub(crate) fn not_kept(&mut self) {
        if let Some((length, since_ms)) = self.before.take() {
            self.secrets.truncate(length);
            self.since_ms = since_ms;
        }
    }
}

impl Room {
    /// Makes a new key when the newest is old enough, or is not the one that others know. Gives what there is to say of it.
    pub(crate) fn renew_pre_key(&mut self, now_ms: u64, draws: &mut Draws, outbox: &mut Outbox) -> Option<PreKeySet> {
        let me = self.me.device.id();
        let status =
            self.membership.resolution().device(&me).filter(|_| now_ms > 0 && self.pre_keys.before.is_none())?;
        let (number, known) = (status.pre_key_number?, status.pre_key?);
        if known != self.pre_keys.newest().id() {
            let key = self.pre_keys.newest().id();
            return Some(PreKeySet { device: me, number: number + 1, key });
        }
        let age_ms = u64::try_from(self.config.pre_key_age.as_millis()).unwrap_or(u64::MAX);
        let first_look = self.pre_keys.since_ms == 0;
        let due = now_ms >= self.pre_keys.since_ms.saturating_add(age_ms);
        if first_look || due {
            self.pre_keys.before = Some((self.pre_keys.secrets.len(), self.pre_keys.since_ms));
            if !first_look {
                let fresh = compose::pre_key(&actor(&self.me), &self.space, number + 1, draws);
                self.pre_keys.secrets.push(fresh);
            }
            self.pre_keys.since_ms = now_ms;
            self.keep_pre_keys(!first_look, draws, outbox);
        }
        None
    }

    /// A key has to be on disk before anybody hears of it; that the clock was looked at need not.
    fn keep_pre_keys(&mut self, durable: bool, draws: &mut Draws, outbox: &mut Outbox) {
        let row = PreKey { since_ms: self.pre_keys.since_ms, later: self.pre_keys.secrets[1..].to_vec() };
        let value = local::seal_pre_keys(&self.me.device, &row, draws.draw16());
        let write = Write::Local { key: local::pre_keys_key(&self.space), value: Some(value) };
        let ticket = outbox.persist(Purpose::RoomPersist(self.space), Batch { writes: vec![write], durable });
        self.persisting.insert(ticket, Persisting::PreKeys);
    }
}
