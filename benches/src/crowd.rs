//! A space with many members, as those who run it make it, entry by entry: each is decoded and verified before the space takes it in.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_credential::{
    Carried, Chain, Credential, Cut, EpochStarted, History, MemberRemoved, PreKeySet, Role, RoleChanged, RootStatements,
};
use weft_crypto::{
    DeviceKey, EntryId, EpochId, FeedId, IdentityId, PreKeyId, PreKeySecret, RecoveryKey, Root, RootKey, SpaceId,
    lockbox::EpochSecrets,
};
use weft_feed::Past;
use weft_machine::{Draws, Seed};
use weft_space::{
    ControlEntry, Keys, Place, Resolution, Space,
    compose::{self, Actor, SpaceKeys, Terms},
};

/// One in so many of those who were let in is given another role, publishes another pre-key, or is removed again. A guess.
const ROLES: usize = 32;
const PRE_KEYS: usize = 4;
const REMOVALS: usize = 50;

/// Somebody with one device and a recovery key.
struct Person {
    device: DeviceKey,
    identity: IdentityId,
    statements: [Carried; 2],
    chain: Chain,
    recovery: PreKeyId,
    pre_key: PreKeySecret,
    /// Control and data.
    feeds: [FeedId; 2],
    /// Control entries written.
    length: u64,
}

/// The number does not stand in the first byte: X25519 leaves out the lowest bits of a key.
fn seed(number: usize, what: u8) -> [u8; 32] {
    let mut seed = [what; 32];
    seed[8..16].copy_from_slice(&(number as u64).to_le_bytes());
    seed
}

impl Person {
    fn new(number: usize) -> Self {
        let (root, next) = (RootKey::from_seed(seed(number, 1)), RootKey::from_seed(seed(number, 2)));
        let device = DeviceKey::from_seed(seed(number, 3));
        let recovery = RecoveryKey::from_seed(seed(number, 4)).id();
        let statements = RootStatements::at_init(&root, &next.id(), device.id(), recovery);
        let none = FeedId::from_bytes([0; 32]);
        Self {
            device,
            identity: root.id(),
            statements,
            chain: Chain::default(),
            recovery,
            pre_key: PreKeySecret::from_seed(seed(number, 5)),
            feeds: [none; 2],
            length: 0,
        }
    }

    fn actor(&self) -> Actor<'_> {
        let Self { device, identity, statements, chain, recovery, .. } = self;
        Actor { device, identity: *identity, statements, chain, recovery: *recovery }
    }

    fn take(&mut self, space: SpaceId, keys: SpaceKeys) {
        let manifests = keys.manifests(space, &self.device);
        self.feeds = manifests.map(|manifest| manifest.verify().expect("signed just now").id());
        self.pre_key = keys.pre_key;
    }
}

/// What stands in a space, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// All of it.
    pub credentials: usize,
    /// Entries that hold it.
    pub entries: usize,
    /// Members let in.
    pub let_in: usize,
    /// Members removed again, each with a new epoch.
    pub removed: usize,
    /// Feeds with control entries.
    pub feeds: usize,
}

/// A space and everybody in it. Whoever writes has heard everything.
pub struct Crowd {
    id: SpaceId,
    people: Vec<Person>,
    /// Who lets people in and removes them, in turn: the founder and those whom it made admins.
    admins: usize,
    space: Space,
    lengths: BTreeMap<FeedId, u64>,
    keys: Keys,
    epoch: EpochId,
    draws: Draws,
    said: Said,
}

impl Crowd {
    /// A space with its founder and so many other admins.
    ///
    /// # Panics
    /// When what is composed does not count: a fault of ours.
    #[must_use]
    pub fn new(admins: usize) -> Self {
        let (mut founder, mut draws) = (Person::new(0), Draws::new(Seed::from_bytes([7; 32])));
        let founded = compose::found(&founder.actor(), History::All, b"crowd", &mut draws).expect("usable keys");
        founder.take(founded.space, founded.keys);
        let mut crowd = Self {
            id: founded.space,
            people: vec![founder],
            admins: 1,
            space: Space::new(founded.space),
            lengths: BTreeMap::new(),
            keys: Keys::new(founded.space, 16),
            epoch: founded.epoch,
            draws,
            said: Said::default(),
        };
        crowd.take(0, &founded.body);
        crowd.learn();
        for _ in 0..admins {
            crowd.let_in(0, Role::Admin);
        }
        crowd.admins = 1 + admins;
        crowd
    }

    /// Lets people in, and changes and removes some of them, until so many credentials stand.
    ///
    /// # Panics
    /// As [`Crowd::new`].
    pub fn grow(&mut self, credentials: usize) {
        while self.said.credentials < credentials {
            let host = self.said.let_in % self.admins;
            let newcomer = self.let_in(host, Role::Writer);
            if newcomer.is_multiple_of(PRE_KEYS) {
                let entry = self.pre_key(newcomer);
                self.insert(newcomer, entry);
            }
            if newcomer.is_multiple_of(ROLES) {
                let (identity, cuts) = (self.people[newcomer].identity, self.cuts(newcomer));
                let changed = Credential::RoleChanged(RoleChanged { identity, role: Role::Reader, cuts });
                self.take(host, &compose::body(self.id, vec![changed]));
            }
            if newcomer.is_multiple_of(REMOVALS) {
                let body = self.removal(host, newcomer);
                self.take(host, &body);
                self.said.removed += 1;
                self.learn();
            }
        }
    }

    /// Lets one more in, as a writer.
    ///
    /// # Panics
    /// As [`Crowd::new`].
    pub fn let_in_one(&mut self) {
        self.let_in(0, Role::Writer);
    }

    /// What stands.
    #[must_use]
    pub fn said(&self) -> Said {
        Said { feeds: self.lengths.len(), ..self.said }
    }

    /// The space.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The body of the entry by which the founder removes the newest member: what it leads to is resolved, and the seed of a
    /// new epoch sealed to every device and recovery key that stays.
    ///
    /// # Panics
    /// As [`Crowd::new`].
    pub fn remove_newest(&mut self) -> Bytes {
        self.removal(0, self.newest())
    }

    /// Somebody else reads the entry of [`Crowd::remove_newest`] on top of what it knows, and opens its lockbox.
    ///
    /// # Panics
    /// When the removal or the epoch does not count.
    pub fn hear_of_removal(&self, space: &mut Space, body: &Bytes) {
        let members = space.resolution().members().len();
        space.insert(vec![self.entry(0, body)]);
        assert_eq!(space.resolution().members().len(), members - 1);
        let other = &self.people[1];
        let mut keys = Keys::new(self.id, 16);
        let learned = keys.learn(space.resolution(), &other.device.id(), std::slice::from_ref(&other.pre_key));
        assert!(!learned.opened.is_empty() && learned.bad.is_empty());
        assert!(space.resolution().writable_epoch(|epoch| keys.may_use(epoch)).is_some());
    }

    /// One more entry for the space, with one credential: the newest member publishes another pre-key.
    #[must_use]
    pub fn one_pre_key(&self) -> ControlEntry {
        self.pre_key(self.newest())
    }

    /// The two entries by which one more comes in, the second with five credentials.
    ///
    /// # Panics
    /// As [`Crowd::new`].
    #[must_use]
    pub fn one_newcomer(&mut self) -> [ControlEntry; 2] {
        let mut newcomer = Person::new(self.people.len());
        let [invitation, redemption] = self.admission(0, Role::Writer, &mut newcomer);
        let seq = self.people[0].length;
        [self.entry_at(0, seq, &invitation), self.entry_at(0, seq + 1, &redemption)]
    }

    fn newest(&self) -> usize {
        let here = |person: &Person| self.space.resolution().role_of(&person.identity).is_some();
        self.people.iter().rposition(here).expect("the founder is there")
    }

    fn let_in(&mut self, host: usize, role: Role) -> usize {
        let number = self.people.len();
        let mut newcomer = Person::new(number);
        for body in self.admission(host, role, &mut newcomer) {
            self.take(host, &body);
        }
        self.people.push(newcomer);
        self.said.let_in += 1;
        number
    }

    /// The bodies of an invitation and of its redemption.
    fn admission(&mut self, host: usize, role: Role, newcomer: &mut Person) -> [Bytes; 2] {
        let (id, epoch, draws) = (self.id, self.epoch, &mut self.draws);
        let actor = self.people[host].actor();
        let (link, invitation) = compose::invitation_issued(&actor, id, &Terms::once(role, u64::MAX), draws);
        let joining = compose::redeem(&newcomer.actor(), id, &link, actor.device.id(), draws);
        let secrets: &EpochSecrets = self.keys.secrets(&epoch).expect("the founder reads");
        let redemption = compose::redeemed_entry(&actor, &joining.redemption, Some((&epoch, secrets)), draws);
        newcomer.take(id, joining.keys);
        [invitation, redemption.expect("usable keys")]
    }

    fn removal(&mut self, by: usize, who: usize) -> Bytes {
        let says =
            Credential::MemberRemoved(MemberRemoved { identity: self.people[who].identity, cuts: self.cuts(who) });
        let foreseen = self.space.foresee(self.people[by].feeds[0], vec![says.clone()]).expect("well formed");
        assert_eq!(foreseen.void, None);
        assert_eq!(foreseen.resolution.writable_epoch(|epoch| self.keys.may_use(epoch)), None);
        let begun = Credential::EpochStarted(self.epoch_started(by, &foreseen.resolution));
        compose::body(self.id, vec![says, begun])
    }

    fn epoch_started(&mut self, by: usize, resolution: &Resolution) -> EpochStarted {
        let latest = self.keys.latest(resolution, History::All);
        compose::epoch_started(&self.people[by].actor(), resolution, &latest, &mut self.draws).expect("usable keys")
    }

    /// Control as it is, and data as if there were some.
    fn cuts(&self, who: usize) -> Vec<Cut> {
        let Person { feeds: [control, data], length, .. } = self.people[who];
        let cut = |feed, length| Cut { feed, length, root: Root::from_bytes([9; 32]) };
        let mut cuts = vec![cut(data, 1_000)];
        cuts.extend((length > 0).then(|| cut(control, length)));
        cuts.sort_unstable();
        cuts
    }

    fn pre_key(&self, who: usize) -> ControlEntry {
        let device = self.people[who].device.id();
        let key = PreKeySecret::from_seed(seed(who, 6)).id();
        let said = Credential::PreKeySet(PreKeySet { device, number: self.people[who].length + 1, key });
        self.entry(who, &compose::body(self.id, vec![said]))
    }

    fn take(&mut self, who: usize, body: &Bytes) {
        let entry = self.entry(who, body);
        self.insert(who, entry);
    }

    fn insert(&mut self, who: usize, entry: ControlEntry) {
        let person = &mut self.people[who];
        person.length += 1;
        self.lengths.insert(person.feeds[0], person.length);
        let parts = entry.parts.as_ref().expect("well formed").len();
        self.said.credentials += parts;
        self.said.entries += 1;
        let (feed, seq) = (entry.feed, entry.seq);
        self.space.insert(vec![entry]);
        let of_it = |place: &Place| (place.feed, place.seq) == (feed, seq);
        assert_eq!(self.space.resolution().void().find(|(place, _)| of_it(place)), None);
    }

    /// An entry that its author writes next, as another device reads it.
    fn entry(&self, who: usize, body: &Bytes) -> ControlEntry {
        self.entry_at(who, self.people[who].length, body)
    }

    fn entry_at(&self, who: usize, seq: u64, body: &Bytes) -> ControlEntry {
        let feed = self.people[who].feeds[0];
        let past: Past =
            self.lengths.iter().filter(|(other, _)| **other != feed).map(|(feed, length)| (*feed, *length)).collect();
        let mut id = [0; 32];
        id[..8].copy_from_slice(&seq.to_le_bytes());
        id[8..].copy_from_slice(&feed.as_bytes()[..24]);
        ControlEntry::read(&self.id, feed, seq, EntryId::from_bytes(id), past, body)
    }

    fn learn(&mut self) {
        let founder = &self.people[0];
        self.keys.learn(self.space.resolution(), &founder.device.id(), std::slice::from_ref(&founder.pre_key));
        let newest = self.space.resolution().writable_epoch(|epoch| self.keys.may_use(epoch));
        self.epoch = newest.expect("one that the founder reads");
    }
}
