//! The epoch secrets that this device holds, and the keys derived from them. Spec: SPACE-7.4.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use weft_crypto::{
    DeviceId, EpochId, FeedId, PreKeySecret, SpaceId,
    lockbox::{self, EpochSecrets, LockboxError, RecipientKind},
    seal::BodyKeys,
};
use zeroize::Zeroizing;

use crate::Resolution;

/// Access secrets offered at the door: those of the newest epochs held. Spec: SPACE-9.2.
pub const ACCESS_EPOCHS: usize = 3;

/// A lockbox for this device that does not open: its author sealed badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLockbox {
    /// The epoch.
    pub epoch: EpochId,
    /// What is wrong with it.
    pub error: LockboxError,
}

/// What looking at a resolution brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Epochs whose secrets are held now and were not before.
    pub opened: Vec<EpochId>,
    /// Lockboxes for this device that do not open.
    pub bad: Vec<BadLockbox>,
}

/// The epoch secrets of one space.
pub struct Keys {
    space: SpaceId,
    secrets: BTreeMap<EpochId, EpochSecrets>,
    /// How deep each held epoch is: the newest are the deepest.
    depths: BTreeMap<EpochId, u64>,
    /// Lockboxes of epochs not held yet that did not open.
    bad: BTreeMap<EpochId, BTreeSet<([u8; 32], Bytes)>>,
    cache: BTreeMap<(EpochId, FeedId), (u64, Arc<BodyKeys>)>,
    cache_max: usize,
    clock: u64,
}

impl Keys {
    /// No secrets. At most `cache_max` derived body keys are kept (about 200 bytes each; 256 feeds in a handful of epochs
    /// fit in 1,024); others are derived again.
    pub fn new(space: SpaceId, cache_max: usize) -> Self {
        Self {
            space,
            secrets: BTreeMap::new(),
            depths: BTreeMap::new(),
            bad: BTreeMap::new(),
            cache: BTreeMap::new(),
            cache_max: cache_max.max(1),
            clock: 0,
        }
    }

    /// Opens what was sealed to this device's pre-key. Each lockbox is tried once. One HPKE opening is 0.1 ms, so an epoch
    /// that somebody filled with bad lockboxes for this device costs each of them once.
    pub fn learn(&mut self, resolution: &Resolution, me: &DeviceId, pre_key: &PreKeySecret) -> Learned {
        let mut learned = Learned::default();
        for epoch in resolution.epochs() {
            self.depths.insert(epoch.id, epoch.depth);
            if self.secrets.contains_key(&epoch.id) {
                continue;
            }
            let bad = self.bad.entry(epoch.id).or_default();
            for lockbox in epoch.lockboxes {
                let (sealed, recipient) = (&lockbox.sealed, &lockbox.recipient);
                let mine = recipient.kind == RecipientKind::Device && recipient.recipient == *me.as_bytes();
                if !mine || bad.contains(&(sealed.encapsulated, sealed.ciphertext.clone())) {
                    continue;
                }
                match lockbox::open(sealed, pre_key, &self.space, &epoch.id, recipient, epoch.commitments) {
                    Ok(secrets) => {
                        self.secrets.insert(epoch.id, secrets);
                        learned.opened.push(epoch.id);
                        break;
                    }
                    Err(error) => {
                        bad.insert((sealed.encapsulated, sealed.ciphertext.clone()));
                        learned.bad.push(BadLockbox { epoch: epoch.id, error });
                    }
                }
            }
            if self.secrets.contains_key(&epoch.id) {
                self.bad.remove(&epoch.id);
            }
        }
        learned
    }

    /// Whether the secrets of an epoch are held.
    pub fn holds(&self, epoch: &EpochId) -> bool {
        self.secrets.contains_key(epoch)
    }

    /// Both secrets of an epoch, for handing them on in a lockbox.
    pub fn secrets(&self, epoch: &EpochId) -> Option<&EpochSecrets> {
        self.secrets.get(epoch)
    }

    /// The content secret of an epoch.
    pub fn content(&self, epoch: &EpochId) -> Option<&[u8; 32]> {
        Some(&self.secrets.get(epoch)?.content)
    }

    /// The access secrets of the newest epochs held, newest first, at most [`ACCESS_EPOCHS`].
    pub fn access(&self) -> Vec<(EpochId, Zeroizing<[u8; 32]>)> {
        let depth = |epoch: &EpochId| self.depths.get(epoch).copied().unwrap_or(0);
        let mut newest: Vec<_> = self.secrets.iter().collect();
        newest.sort_by_key(|(epoch, _)| (std::cmp::Reverse(depth(epoch)), **epoch));
        newest.truncate(ACCESS_EPOCHS);
        newest.into_iter().map(|(epoch, secrets)| (*epoch, Zeroizing::new(secrets.access))).collect()
    }

    /// The keys of one feed's bodies in one epoch.
    pub fn body_keys(&mut self, epoch: &EpochId, feed: &FeedId) -> Option<Arc<BodyKeys>> {
        self.clock += 1;
        let at = (*epoch, *feed);
        if let Some((used, keys)) = self.cache.get_mut(&at) {
            *used = self.clock;
            return Some(keys.clone());
        }
        let keys = Arc::new(BodyKeys::derive(self.content(epoch)?, &self.space, epoch, feed));
        if self.cache.len() >= self.cache_max {
            let oldest = self.cache.iter().min_by_key(|(_, (used, _))| *used).map(|(at, _)| *at);
            oldest.map(|at| self.cache.remove(&at));
        }
        self.cache.insert(at, (self.clock, keys.clone()));
        Some(keys)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let epochs: Vec<_> = self.secrets.keys().collect();
        f.debug_struct("Keys").field("space", &self.space).field("epochs", &epochs).finish_non_exhaustive()
    }
}
