//! The epoch secrets that this device holds, and the keys derived from them. Spec: SPACE-7.4.

//!
//! What is held of one epoch opens those before it: each carries the secrets of its parents (SPACE-7.1).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use weft_credential::History;
use weft_crypto::{
    DeviceId, EpochId, FeedId, PreKeySecret, SpaceId,
    earlier::{self, Earlier as Chain},
    lockbox::{self, EpochSecrets, LockboxError, RecipientKind},
    seal::BodyKeys,
    sealed_seed,
};
use zeroize::Zeroizing;

use crate::{Epoch, Resolution, compose};

/// Access secrets offered at the door: those of the two newest epochs held, and the oldest one's. Spec: SPACE-9.2.
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
    /// Epochs that came with something else than their parents' access secrets.
    pub broken: Vec<EpochId>,
}

/// The epoch secrets of one space.
pub struct Keys {
    space: SpaceId,
    secrets: BTreeMap<EpochId, EpochSecrets>,
    /// Of epochs whose content secret is not held.
    access_only: BTreeMap<EpochId, Zeroizing<[u8; 32]>>,
    /// Lockboxes of epochs not held yet that did not open.
    bad: BTreeMap<EpochId, BTreeSet<([u8; 32], Bytes)>>,
    /// Epochs that do not hand on what they must.
    broken: BTreeSet<EpochId>,
    /// Epochs of which it was seen what they hand on: by the access secret, and by the content secret.
    checked: BTreeMap<EpochId, (bool, bool)>,
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
            access_only: BTreeMap::new(),
            bad: BTreeMap::new(),
            broken: BTreeSet::new(),
            checked: BTreeMap::new(),
            cache: BTreeMap::new(),
            cache_max: cache_max.max(1),
            clock: 0,
        }
    }

    /// Opens what was sealed to this device's pre-keys, and what earlier secrets follow from it. Each lockbox is tried once. One
    /// HPKE opening is 0.1 ms, so an epoch that somebody filled with bad lockboxes for this device costs each of them once.
    pub fn learn(&mut self, resolution: &Resolution, me: &DeviceId, pre_keys: &[PreKeySecret]) -> Learned {
        let mut learned = Learned::default();
        // The deepest first: what they hand on is looked at after them.
        for epoch in resolution.epochs() {
            if !self.secrets.contains_key(&epoch.id) {
                self.open(&epoch, me, pre_keys, &mut learned);
            }
            self.open_earlier(&epoch, resolution, &mut learned);
        }
        learned
    }

    /// Tries the lockboxes of an epoch. Spec: SPACE-7.4
    fn open(&mut self, epoch: &Epoch<'_>, me: &DeviceId, pre_keys: &[PreKeySecret], learned: &mut Learned) {
        let bad = self.bad.entry(epoch.id).or_default();
        for lockbox in epoch.lockboxes {
            let (sealed, recipient) = (&lockbox.sealed, &lockbox.recipient);
            let mine = recipient.kind == RecipientKind::Device && recipient.recipient == *me.as_bytes();
            let pre_key = pre_keys.iter().find(|key| key.id() == recipient.key).or(pre_keys.last());
            let Some(pre_key) = pre_key.filter(|_| mine) else { continue };
            if bad.contains(&(sealed.encapsulated, sealed.ciphertext.clone())) {
                continue;
            }
            match lockbox::open(sealed, pre_key, &self.space, &epoch.id, recipient, epoch.commitments) {
                Ok(secrets) => {
                    self.bad.remove(&epoch.id);
                    self.hold(epoch.id, secrets, learned);
                    return;
                }
                Err(error) => {
                    bad.insert((sealed.encapsulated, sealed.ciphertext.clone()));
                    learned.bad.push(BadLockbox { epoch: epoch.id, error });
                }
            }
        }
        for to_keys in epoch.sealed {
            for pre_key in pre_keys {
                let Some(sealed) = to_keys.lockbox(&pre_key.id()) else { continue };
                if bad.contains(&(sealed.encapsulated, sealed.ciphertext.clone())) {
                    continue;
                }
                match sealed_seed::open(&sealed, pre_key, &self.space, &epoch.id, epoch.commitments) {
                    Ok(secrets) => {
                        self.bad.remove(&epoch.id);
                        self.hold(epoch.id, secrets, learned);
                        return;
                    }
                    Err(error) => {
                        bad.insert((sealed.encapsulated, sealed.ciphertext));
                        learned.bad.push(BadLockbox { epoch: epoch.id, error });
                    }
                }
            }
        }
        if bad.is_empty() {
            self.bad.remove(&epoch.id);
        }
    }

    fn hold(&mut self, epoch: EpochId, secrets: EpochSecrets, learned: &mut Learned) {
        self.access_only.remove(&epoch);
        self.secrets.insert(epoch, secrets);
        learned.opened.push(epoch);
    }

    /// Takes what an epoch hands on of its parents, and sees whether it hands on what it must. Spec: SPACE-7.1
    fn open_earlier(&mut self, epoch: &Epoch<'_>, resolution: &Resolution, learned: &mut Learned) {
        let level = (true, self.holds(&epoch.id));
        if epoch.parents.is_empty() || self.checked.get(&epoch.id) == Some(&level) {
            return;
        }
        let Some(access) = self.access_of(&epoch.id) else { return };
        let mut handed_on: BTreeSet<(bool, EpochId)> = BTreeSet::new();
        for sealed in epoch.earlier {
            let accesses = earlier::open(Chain::Access, &access, &self.space, &epoch.id, &sealed.access);
            let contents = self
                .content(&epoch.id)
                .map(|content| earlier::open(Chain::Content, content, &self.space, &epoch.id, &sealed.content));
            let contents = contents.and_then(Result::ok).unwrap_or_default();
            for (place, access) in accesses.unwrap_or_default().iter().enumerate().take(epoch.parents.len()) {
                let parent = epoch.parents[place];
                let Some(known) = resolution.epoch(&parent).filter(|known| known.commitments.fit_access(access)) else {
                    continue;
                };
                handed_on.insert((false, parent));
                let content = contents.get(place).filter(|content| known.commitments.fit_content(content));
                if content.is_some() {
                    handed_on.insert((true, parent));
                }
                match content {
                    _ if self.holds(&parent) => {}
                    Some(content) => {
                        let secrets = EpochSecrets { content: **content, access: **access };
                        self.hold(parent, secrets, learned);
                    }
                    None => drop(self.access_only.insert(parent, access.clone())),
                }
            }
        }
        let all = resolution.history() == History::All && level.1;
        let missing = |parent: &EpochId| {
            let content = all && self.holds(parent) && !handed_on.contains(&(true, *parent));
            resolution.epoch(parent).is_some() && (content || !handed_on.contains(&(false, *parent)))
        };
        if epoch.parents.iter().any(missing) && self.broken.insert(epoch.id) {
            learned.broken.push(epoch.id);
        }
        if epoch.parents.iter().all(|parent| resolution.epoch(parent).is_some()) {
            self.checked.insert(epoch.id, level);
        }
    }

    /// Whether the secrets of an epoch are held.
    pub fn holds(&self, epoch: &EpochId) -> bool {
        self.secrets.contains_key(epoch)
    }

    /// Whether it may be written under by one who holds it: it hands on what it must. Spec: SPACE-7.3
    pub fn may_use(&self, epoch: &EpochId) -> bool {
        self.holds(epoch) && !self.broken.contains(epoch)
    }

    /// Whether nothing that was sealed to this device of an epoch opens.
    pub fn is_shut(&self, epoch: &EpochId) -> bool {
        !self.holds(epoch) && self.bad.get(epoch).is_some_and(|bad| !bad.is_empty())
    }

    /// Whether it is known here not to hand on what it must.
    pub fn is_broken(&self, epoch: &EpochId) -> bool {
        self.broken.contains(epoch)
    }

    /// Both secrets of an epoch, for handing them on in a lockbox.
    pub fn secrets(&self, epoch: &EpochId) -> Option<&EpochSecrets> {
        self.secrets.get(epoch)
    }

    /// The epochs that none held follows: those that count first. One that does not count stands for none that does.
    pub fn ends(&self, resolution: &Resolution) -> Vec<EpochId> {
        let epochs = resolution.epochs();
        let held = |epoch: &&Epoch<'_>| self.access_of(&epoch.id).is_some() && !self.broken.contains(&epoch.id);
        let (mut by_counting, mut by_any): (BTreeSet<EpochId>, BTreeSet<EpochId>) = Default::default();
        for later in epochs.iter().filter(held) {
            by_any.extend(later.parents);
            if later.counts {
                by_counting.extend(later.parents);
            }
        }
        let follows = |epoch: &Epoch<'_>| if epoch.counts { &by_counting } else { &by_any };
        epochs.iter().filter(|epoch| !follows(epoch).contains(&epoch.id)).map(|epoch| epoch.id).collect()
    }

    /// What a new epoch follows, with what is handed on of it: the ends of which at least the access secret is held.
    pub fn latest(&self, resolution: &Resolution, history: History) -> Vec<compose::Earlier> {
        let earlier = self.ends(resolution).into_iter().filter_map(|epoch| {
            let content = self.content(&epoch).filter(|_| history == History::All);
            Some(compose::Earlier {
                epoch,
                access: self.access_of(&epoch)?,
                content: content.map(|content| Zeroizing::new(*content)),
            })
        });
        earlier.take(weft_credential::limits::PARENTS_MAX).collect()
    }

    /// The content secret of an epoch.
    pub fn content(&self, epoch: &EpochId) -> Option<&[u8; 32]> {
        Some(&self.secrets.get(epoch)?.content)
    }

    fn access_of(&self, epoch: &EpochId) -> Option<Zeroizing<[u8; 32]>> {
        let whole = self.secrets.get(epoch).map(|secrets| Zeroizing::new(secrets.access));
        whole.or_else(|| self.access_only.get(epoch).cloned())
    }

    /// The access secrets of the newest epochs held that count, newest first, and of the oldest: at most [`ACCESS_EPOCHS`]. Whoever opens a
    /// newer epoch comes by the oldest too, so any two members share that one, however long one of them was away.
    pub fn access(&self, resolution: &Resolution) -> Vec<(EpochId, Zeroizing<[u8; 32]>)> {
        let epochs = resolution.epochs().into_iter().filter(|epoch| epoch.counts);
        let mut held: Vec<EpochId> =
            epochs.map(|epoch| epoch.id).filter(|epoch| self.access_of(epoch).is_some()).collect();
        let oldest = held.pop();
        held.truncate(ACCESS_EPOCHS - 1);
        let offered = held.into_iter().chain(oldest);
        offered.filter_map(|epoch| Some((epoch, self.access_of(&epoch)?))).collect()
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
        let epochs: Vec<_> = self.secrets.keys().chain(self.access_only.keys()).collect();
        f.debug_struct("Keys").field("space", &self.space).field("epochs", &epochs).finish_non_exhaustive()
    }
}
