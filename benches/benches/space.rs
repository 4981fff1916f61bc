//! What does membership cost in a large space?
//!
//! - `remove one of 200`: everything from the wish to the signed body: what the removal would lead to is resolved, the epoch's seed is sealed
//!   to every device and recovery key that stays (398 keys), and the entry is encoded. Its bytes are printed.
//! - `hear of it`: the same entry read and resolved by somebody else, and its lockbox opened.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use weft_credential::{Carried, Credential, Cut, History, MemberRemoved, Role, RootStatements};
use weft_crypto::{DeviceKey, EntryId, FeedId, IdentityId, PreKeyId, PreKeySecret, RecoveryKey, Root, RootKey};
use weft_feed::Past;
use weft_machine::{Draws, Seed};
use weft_space::{
    ControlEntry, Keys, Space,
    compose::{self, Actor},
};

/// Identities with a device and a recovery key each.
const MEMBERS: u32 = 200;

fn seed(number: u32, what: u8) -> [u8; 32] {
    let mut seed = [what; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    seed
}

struct Person {
    device: DeviceKey,
    identity: IdentityId,
    statements: [Carried; 2],
    recovery: PreKeyId,
}

impl Person {
    fn new(number: u32) -> Self {
        let (root, next) = (RootKey::from_seed(seed(number, 1)), RootKey::from_seed(seed(number, 2)));
        let device = DeviceKey::from_seed(seed(number, 3));
        let recovery = RecoveryKey::from_seed(seed(number, 4)).id();
        let statements = RootStatements::at_init(&root, &next.id(), device.id(), recovery);
        Self { device, identity: root.id(), statements, recovery }
    }

    fn actor(&self) -> Actor<'_> {
        let Self { device, identity, statements, recovery } = self;
        Actor { device, identity: *identity, statements, recovery: *recovery }
    }
}

/// A space that its founder has let everybody into.
struct Crowd {
    founder: Person,
    space: Space,
    control: FeedId,
    length: u64,
    keys: Keys,
    /// Who is to go, and what stands of its feeds.
    removed: MemberRemoved,
    /// One who stays.
    other: (Person, PreKeySecret),
    draws: Draws,
}

impl Crowd {
    fn new() -> Self {
        let (founder, mut draws) = (Person::new(0), Draws::new(Seed::from_bytes([7; 32])));
        let founded = compose::found(&founder.actor(), History::All, b"crowd", &mut draws).expect("a usable key");
        let control = founded.manifests[0].verify().expect("signed just now").id();
        let mut space = Space::new(founded.space);
        let mut keys = Keys::new(founded.space, 16);
        let mut length = 0;
        let mut write = |space: &mut Space, body: &Bytes| {
            let entry = ControlEntry::read(&founded.space, control, length, id(length), Past::new(), body);
            length += 1;
            space.insert(vec![entry]);
        };
        write(&mut space, &founded.body);
        let pre_key = founded.keys.pre_key;
        keys.learn(space.resolution(), &founder.device.id(), std::slice::from_ref(&pre_key));
        let secrets = keys.secrets(&founded.epoch).expect("sealed to the founder").clone();
        let mut last = None;
        for number in 1..MEMBERS {
            let newcomer = Person::new(number);
            let actor = founder.actor();
            let (link, body) = compose::invitation_issued(&actor, founded.space, Role::Writer, 1, u64::MAX, &mut draws);
            write(&mut space, &body);
            let host = founder.device.id();
            let joining = compose::redeem(&newcomer.actor(), founded.space, &link, host, &mut draws);
            let epoch = Some((&founded.epoch, &secrets));
            let body = compose::redeemed_entry(&actor, &joining.redemption, epoch, &mut draws).expect("a usable key");
            write(&mut space, &body);
            let other = last.replace((newcomer, joining));
            if number == MEMBERS - 1 {
                let (gone, joining) = last.take().expect("just put there");
                let feeds = joining.manifests.map(|manifest| manifest.verify().expect("signed just now").id());
                let mut cuts = feeds.map(|feed| Cut { feed, length: 1_000, root: Root::from_bytes([9; 32]) });
                cuts.sort_unstable();
                let removed = MemberRemoved { identity: gone.identity, cuts: cuts.to_vec() };
                let (other, joined) = other.expect("there are more than two");
                let other = (other, joined.keys.pre_key);
                return Self { founder, space, control, length, keys, removed, other, draws };
            }
        }
        unreachable!("the last of them is removed")
    }

    /// The body of the entry that removes one.
    fn remove(&mut self) -> Bytes {
        let says = Credential::MemberRemoved(self.removed.clone());
        let foreseen = self.space.foresee(self.control, vec![says.clone()]).expect("well formed");
        assert_eq!(foreseen.void, None);
        let resolution = &foreseen.resolution;
        assert_eq!(resolution.writable_epoch(|epoch| self.keys.may_use(epoch)), None);
        let latest = self.keys.latest(resolution, History::All);
        let begun = compose::epoch_started(&self.founder.actor(), resolution, &latest, &mut self.draws);
        let begun = Credential::EpochStarted(begun.expect("usable keys"));
        compose::body(*resolution.space(), vec![says, begun])
    }

    fn hear(&self, mut space: Space, body: &Bytes) {
        let of = *space.resolution().space();
        space.insert(vec![ControlEntry::read(&of, self.control, self.length, id(self.length), Past::new(), body)]);
        assert_eq!(space.resolution().members().len(), MEMBERS as usize - 1);
        let (other, pre_key) = &self.other;
        let mut keys = Keys::new(of, 16);
        let learned = keys.learn(space.resolution(), &other.device.id(), std::slice::from_ref(pre_key));
        assert_eq!((learned.opened.len(), learned.bad.len()), (2, 0));
        assert!(space.resolution().writable_epoch(|epoch| keys.may_use(epoch)).is_some());
    }
}

fn id(seq: u64) -> EntryId {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&seq.to_le_bytes());
    EntryId::from_bytes(id)
}

fn removal(criterion: &mut Criterion) {
    let mut crowd = Crowd::new();
    let body = crowd.remove();
    println!("a removal in a space of {MEMBERS} members: {} bytes", body.len());
    crowd.hear(crowd.space.clone(), &body);
    let mut group = criterion.benchmark_group("space");
    group.sample_size(20);
    group.bench_function("remove one of 200", |bencher| bencher.iter(|| black_box(crowd.remove())));
    group.bench_function("hear of it", |bencher| {
        bencher.iter_batched(|| crowd.space.clone(), |space| crowd.hear(space, &body), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, removal);
criterion_main!(benches);
