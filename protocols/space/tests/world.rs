//! A space with people in it who write control entries as far as each has heard.

use std::collections::BTreeMap;

use weft_credential::{
    Carried, Chain, ControlBody, Credential, Cut, CutRaised, DeviceRemoved, EpochStarted, FeedClosed, ForkProven,
    History, InvitationIssued, InvitationRevoked, Lockbox, MemberRemoved, Named, Part, Role, RoleChanged,
    RootStatement, RootStatements, Seal, Subject, To, invitation_id,
};
use weft_crypto::{
    DeviceKey, EpochId, FeedId, FeedSecret, IdentityId, InvitationSecret, PreKeySecret, RecoveryKey, Root, RootKey,
    SpaceId,
    lockbox::{self, EpochSecrets, Recipient, RecipientKind},
};
use weft_feed::{
    Head, Header, Past, Peak, Tree, body_hash, entry_id, leaf,
    proof::{ForkProof, Nodes},
};
use weft_machine::{ClaimedTime, Draws, Seed};
use weft_space::{
    ControlEntry, Keys, Resolution, VoidReason,
    compose::{self, Actor, Joining, SpaceKeys, Terms},
    resolve,
};

pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;
pub(crate) const CAROL: usize = 2;
pub(crate) const DAVE: usize = 3;
pub(crate) const MALLORY: usize = 4;

/// A person with one device, and what it has heard.
pub(crate) struct Person {
    pub(crate) root: RootKey,
    pub(crate) device: DeviceKey,
    pub(crate) recovery: RecoveryKey,
    pub(crate) statements: [Carried; 2],
    pub(crate) chain: Chain,
    pub(crate) keys: Option<SpaceKeys>,
    /// The control feed it writes.
    pub(crate) control: Option<FeedId>,
    pub(crate) data: Option<FeedId>,
    pub(crate) length: u64,
    /// Of the other control feeds.
    pub(crate) heard: Past,
    /// How long its data feed is said to be.
    pub(crate) written: u64,
}

impl Person {
    pub(crate) fn new(number: u8) -> Self {
        let seed = |what: u8| {
            let mut seed = [what; 32];
            seed[0] = number;
            seed
        };
        let (root, next) = (RootKey::from_seed(seed(1)), RootKey::from_seed(seed(2)));
        let (device, recovery) = (DeviceKey::from_seed(seed(3)), RecoveryKey::from_seed(seed(4)));
        let statements = RootStatements::at_init(&root, &next.id(), device.id(), recovery.id());
        Self {
            root,
            device,
            recovery,
            statements,
            chain: Chain::default(),
            keys: None,
            control: None,
            data: None,
            length: 0,
            heard: Past::new(),
            written: 0,
        }
    }

    /// Another device of the same identity.
    fn sibling(&self, number: u8) -> Self {
        let mut device = [5; 32];
        device[0] = number;
        let (root, device) = (RootKey::from_seed(*self.root.seed()), DeviceKey::from_seed(device));
        let recovery = RecoveryKey::from_seed([number; 32]);
        let statements = RootStatements::at_init(&root, &self.root.id(), device.id(), recovery.id());
        Self { root, device, recovery, statements, ..Self::new(number) }
    }

    pub(crate) fn actor(&self) -> Actor<'_> {
        Actor {
            device: &self.device,
            identity: self.root.id(),
            statements: &self.statements,
            chain: &self.chain,
            recovery: self.recovery.id(),
        }
    }

    pub(crate) fn take(&mut self, space: SpaceId, keys: SpaceKeys) {
        let [control, data] = keys.manifests(space, &self.device).map(|manifest| manifest.verify().unwrap().id());
        self.control = Some(control);
        self.data = Some(data);
        self.keys = Some(keys);
    }

    /// What a data entry of this person has in its past now.
    pub(crate) fn past(&self) -> Past {
        let mut past = self.heard.clone();
        if let Some(control) = self.control {
            past.raise(control, self.length);
        }
        past
    }
}

pub(crate) struct World {
    pub(crate) space: SpaceId,
    pub(crate) epoch: EpochId,
    pub(crate) secrets: EpochSecrets,
    /// Later epochs that somebody began, whether or not they count.
    pub(crate) begun: Vec<EpochId>,
    pub(crate) people: Vec<Person>,
    pub(crate) entries: Vec<ControlEntry>,
    pub(crate) draws: Draws,
    /// The headers of entries, where they are real ones: then feeds can be forked.
    headers: Option<BTreeMap<(FeedId, u64), bytes::Bytes>>,
    admissions: BTreeMap<(usize, usize), bytes::Bytes>,
}

impl World {
    /// Five people; Alice has founded a space.
    pub(crate) fn new() -> Self {
        Self::under(History::All)
    }

    /// The same, with this policy for newcomers.
    pub(crate) fn under(history: History) -> Self {
        Self::founded(history, false)
    }

    /// The same, with headers.
    pub(crate) fn with_headers() -> Self {
        Self::founded(History::All, true)
    }

    fn founded(history: History, headers: bool) -> Self {
        let mut people: Vec<Person> = (0..5).map(Person::new).collect();
        let mut draws = Draws::new(Seed::from_bytes([7; 32]));
        let founded = compose::found(&people[ALICE].actor(), history, b"notes", &mut draws).unwrap();
        let mut keys = Keys::new(founded.space, 16);
        people[ALICE].take(founded.space, founded.keys.clone());
        let mut world = Self {
            space: founded.space,
            epoch: founded.epoch,
            secrets: EpochSecrets { content: [0; 32], access: [0; 32] },
            begun: Vec::new(),
            people,
            entries: Vec::new(),
            draws,
            headers: headers.then(BTreeMap::new),
            admissions: BTreeMap::new(),
        };
        world.write_bytes(ALICE, founded.body);
        let me = world.people[ALICE].device.id();
        let learned = keys.learn(&world.resolve(), &me, std::slice::from_ref(&founded.keys.pre_key));
        assert_eq!(learned.opened, [founded.epoch]);
        world.secrets = keys.secrets(&founded.epoch).unwrap().clone();
        world
    }

    pub(crate) fn resolve(&self) -> Resolution {
        resolve(&self.space, &self.entries)
    }

    pub(crate) fn id(&self, who: usize) -> IdentityId {
        self.people[who].root.id()
    }

    /// `who` has now seen all that `from` has seen and written.
    pub(crate) fn hear(&mut self, who: usize, from: usize) {
        let past = self.people[from].past();
        let own = self.people[who].control;
        let others: Past = past.iter().filter(|(feed, _)| Some(*feed) != own).collect();
        self.people[who].heard.join(&others);
    }

    /// The next entry of somebody's control feed.
    pub(crate) fn entry(&self, who: usize, body: bytes::Bytes) -> ControlEntry {
        let person = &self.people[who];
        let feed = person.control.expect("who writes has a control feed");
        // The body is as good as a header here, unless feeds are forked: something that differs from entry to entry.
        let header = if self.headers.is_some() { header(person.length, &body) } else { body.clone() };
        let id = entry_id(&feed, person.length, &leaf(&header));
        ControlEntry::read(&self.space, feed, person.length, id, person.heard.clone(), &body)
    }

    fn push(&mut self, who: usize, entry: ControlEntry) -> usize {
        self.people[who].length += 1;
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Writes parts into somebody's control feed.
    pub(crate) fn write(&mut self, who: usize, credentials: Vec<Credential>) -> usize {
        let parts = credentials.into_iter().map(|credential| Part::new(self.space, credential)).collect();
        self.write_parts(who, parts)
    }

    pub(crate) fn write_parts(&mut self, who: usize, parts: Vec<Part>) -> usize {
        self.write_bytes(who, ControlBody::new(parts).encode())
    }

    pub(crate) fn write_bytes(&mut self, who: usize, body: bytes::Bytes) -> usize {
        let entry = self.entry(who, body.clone());
        if let Some(headers) = &mut self.headers {
            headers.insert((entry.feed, entry.seq), header(entry.seq, &body));
        }
        self.push(who, entry)
    }

    pub(crate) fn invite(&mut self, who: usize, role: Role, uses: u32, expires_ms: u64) -> InvitationSecret {
        let actor = self.people[who].actor();
        let terms = Terms { role, uses, expires_ms, approve: false };
        let (secret, body) = compose::invitation_issued(&actor, self.space, &terms, &mut self.draws);
        self.write_bytes(who, body);
        secret
    }

    pub(crate) fn joining(&mut self, newcomer: usize, link: &InvitationSecret, host: usize) -> Joining {
        let host = self.people[host].device.id();
        compose::redeem(&self.people[newcomer].actor(), self.space, link, host, &mut self.draws)
    }

    /// The host writes the newcomer in, and the newcomer hears it. Gives the entry's place in `entries`.
    pub(crate) fn redeem(&mut self, host: usize, link: &InvitationSecret, newcomer: usize) -> usize {
        let joining = self.joining(newcomer, link, host);
        let at = self.write_redemption(host, &joining);
        if self.people[newcomer].keys.is_none() {
            self.people[newcomer].take(self.space, joining.keys);
        }
        self.hear(newcomer, host);
        at
    }

    pub(crate) fn write_redemption(&mut self, host: usize, joining: &Joining) -> usize {
        let epoch = Some((&self.epoch, &self.secrets));
        let actor = self.people[host].actor();
        let body = compose::redeemed_entry(&actor, &joining.redemption, epoch, &mut self.draws).unwrap();
        self.write_bytes(host, body)
    }

    /// Alice makes somebody a member.
    pub(crate) fn admit(&mut self, who: usize, role: Role) {
        let link = self.invite(ALICE, role, 1, u64::MAX);
        self.redeem(ALICE, &link, who);
    }

    /// Somebody begins an epoch, sealed to some devices.
    pub(crate) fn begin(&mut self, who: usize, to: &[usize], parents: Vec<EpochId>, seed: u8) -> EpochId {
        let secrets = EpochSecrets { content: [seed; 32], access: [seed + 1; 32] };
        let recipient = |who: &usize| Recipient {
            kind: RecipientKind::Device,
            recipient: *self.people[*who].device.id().as_bytes(),
            key: self.people[*who].keys.as_ref().unwrap().pre_key.id(),
        };
        let recipients: Vec<_> = to.iter().map(recipient).collect();
        let commitments = secrets.commitments();
        let epoch = lockbox::epoch_id(&self.space, &commitments, &parents, &recipients);
        let sealed = |recipient: &Recipient| Lockbox {
            epoch,
            recipient: *recipient,
            sealed: lockbox::seal(&secrets, &self.space, &epoch, recipient, [seed; 32]).unwrap(),
        };
        let lockboxes = recipients.iter().map(sealed).collect();
        let (sealed_access, sealed_content) = Default::default();
        let to = To::Each { recipients, lockboxes };
        let begun = EpochStarted { commitments, parents, to, sealed_access, sealed_content };
        self.write(who, vec![Credential::EpochStarted(begun)]);
        self.begun.push(epoch);
        epoch
    }

    /// Why parts of an entry are void, by part.
    pub(crate) fn void_of(&self, at: usize) -> Vec<(u32, VoidReason)> {
        let (feed, seq) = (self.entries[at].feed, self.entries[at].seq);
        let resolution = self.resolve();
        let void = resolution.void().filter(|(place, _)| place.feed == feed && place.seq == seq);
        void.map(|(place, reason)| (place.part, reason.clone())).collect()
    }

    pub(crate) fn counts(&self, at: usize) -> bool {
        self.void_of(at).is_empty()
    }
}

/// What takes rights away.
impl World {
    /// What `who` knows of the feeds of `target`'s device: its control feed as heard, its data feed as written.
    pub(crate) fn cuts(&self, who: usize, target: usize) -> Vec<Cut> {
        let person = &self.people[target];
        let own = who == target;
        let mut cuts = Vec::new();
        for (feed, control) in [(person.control, true), (person.data, false)] {
            let Some(feed) = feed else { continue };
            let length = match control {
                true if own => person.length + 1,
                true => self.people[who].heard.get(&feed),
                false => person.written,
            };
            if length > 0 {
                cuts.push(Cut { feed, length, root: Root::from_bytes([0; 32]) });
            }
        }
        cuts.sort();
        cuts
    }

    pub(crate) fn remove(&mut self, who: usize, target: usize) -> usize {
        let cuts = self.cuts(who, target);
        self.remove_at(who, target, cuts)
    }

    pub(crate) fn remove_at(&mut self, who: usize, target: usize, cuts: Vec<Cut>) -> usize {
        let identity = self.id(target);
        self.write(who, vec![Credential::MemberRemoved(MemberRemoved { identity, cuts })])
    }

    pub(crate) fn set_role(&mut self, who: usize, target: usize, role: Role) -> usize {
        let (identity, cuts) = (self.id(target), self.cuts(who, target));
        self.write(who, vec![Credential::RoleChanged(RoleChanged { identity, role, cuts })])
    }

    pub(crate) fn remove_device(&mut self, who: usize, target: usize) -> usize {
        let (device, cuts) = (self.people[target].device.id(), self.cuts(who, target));
        self.write(who, vec![Credential::DeviceRemoved(DeviceRemoved { device, cuts })])
    }

    pub(crate) fn close(&mut self, who: usize, feed: FeedId, length: u64) -> usize {
        let cut = (length > 0).then_some(Cut { feed, length, root: Root::from_bytes([0; 32]) });
        self.write(who, vec![Credential::FeedClosed(FeedClosed { feed, cut })])
    }

    pub(crate) fn revoke(&mut self, who: usize, link: &InvitationSecret, mut standing: Vec<usize>) -> usize {
        standing.sort_by_key(|at| self.entries[*at].id);
        let standing = standing.iter().map(|at| self.entries[*at].id).collect();
        let invitation = invitation_id(&self.space, &link.id());
        self.write(who, vec![Credential::InvitationRevoked(InvitationRevoked { invitation, standing })])
    }

    pub(crate) fn raise(&mut self, who: usize, act: usize, mut cuts: Vec<Cut>) -> usize {
        cuts.sort();
        let act = Named { entry: self.entries[act].id, part: 0 };
        self.write(who, vec![Credential::CutRaised(CutRaised { act, cuts })])
    }

    pub(crate) fn seal(&mut self, who: usize, act: usize) -> usize {
        let act = Named { entry: self.entries[act].id, part: 0 };
        self.write(who, vec![Credential::Seal(Seal { act })])
    }

    /// A statement by somebody's root key, as the next one.
    pub(crate) fn root_says(&self, who: usize, number: u64, subject: Subject) -> Carried {
        let person = &self.people[who];
        let previous = (number > 0).then_some([3; 32]);
        let next_root = (number == 0).then_some([4; 32]);
        let (identity, scope) = (person.root.id(), None);
        RootStatement { identity, scope, number, previous, next_root, subject }.sign(&person.root)
    }

    /// A second device of somebody, written in by `host`; it has heard all of that.
    pub(crate) fn link(&mut self, host: usize, owner: usize) -> usize {
        let new = self.people[owner].sibling(self.people.len() as u8);
        let seed = |what: u8| {
            let mut seed = [what; 32];
            seed[0] = self.people.len() as u8;
            seed
        };
        let keys = SpaceKeys {
            control: FeedSecret::from_seed(seed(6)),
            data: FeedSecret::from_seed(seed(7)),
            pre_key: PreKeySecret::from_seed(seed(8)),
            generation: 0,
        };
        let [control, data] = keys.manifests(self.space, &new.device);
        let admitted = self.root_says(owner, 2, Subject::DeviceAdmitted(new.device.id()));
        self.people.push(new);
        let at = self.people.len() - 1;
        self.people[at].take(self.space, keys);
        let parts =
            [Credential::RootStatement(admitted), Credential::FeedAdmitted(control), Credential::FeedAdmitted(data)];
        self.write(host, parts.to_vec());
        self.hear(at, host);
        at
    }

    /// Another device of somebody, who acts for it by the word of `by`, a device of the same identity: in no space yet.
    pub(crate) fn linked_device(&mut self, by: usize) -> usize {
        let mut seed = [5; 32];
        seed[0] = self.people.len() as u8;
        let device = DeviceKey::from_seed(seed);
        let older = &self.people[by];
        let chain = older.chain.and(older.root.id(), &older.device, device.id()).unwrap();
        let (root, recovery) = (older.root.clone(), older.recovery.clone());
        let (statements, number) = (older.statements.clone(), self.people.len() as u8);
        self.people.push(Person { root, device, recovery, statements, chain, ..Person::new(number) });
        self.people.len() - 1
    }

    /// `sibling` lets another device of its identity in. Gives the entry's place in `entries`.
    pub(crate) fn let_in(&mut self, sibling: usize, device: usize) -> usize {
        let keys = compose::link_keys(&self.people[device].actor(), &self.space, &mut self.draws);
        let host = self.people[sibling].device.id();
        let linked = compose::link(&self.people[device].actor(), self.space, &keys, host);
        let epoch = Some((&self.epoch, &self.secrets));
        let body = compose::linked_entry(&self.people[sibling].actor(), &linked, epoch, &mut self.draws).unwrap();
        let at = self.write_bytes(sibling, body);
        if self.people[device].keys.is_none() {
            self.people[device].take(self.space, keys);
        }
        self.hear(device, sibling);
        at
    }

    /// Everybody hears everybody.
    pub(crate) fn all_hear(&mut self) {
        for _ in 0..2 {
            for who in 0..self.people.len() {
                for from in 0..self.people.len() {
                    if who != from && self.people[from].control.is_some() {
                        self.hear(who, from);
                    }
                }
            }
        }
    }

    pub(crate) fn role(&self, who: usize) -> Option<Role> {
        self.resolve().role_of(&self.id(who))
    }

    /// Whether the next entry of somebody's data feed would count, by what it has seen.
    pub(crate) fn writes(&self, who: usize) -> bool {
        self.writes_at(who, self.people[who].written, &self.people[who].past())
    }

    pub(crate) fn writes_at(&self, who: usize, seq: u64, past: &Past) -> bool {
        let feed = self.people[who].data.expect("who writes has a data feed");
        self.resolve().verdict(&feed, seq, Some(&self.epoch), past) == weft_space::Verdict::Counts
    }
}

/// The header of a control entry.
fn header(seq: u64, body: &[u8]) -> bytes::Bytes {
    let header = Header {
        seq,
        kind: weft_feed::kind::CONTROL,
        session: 0,
        epoch: None,
        claimed: ClaimedTime(0),
        deps: Vec::new(),
        body_hash: body_hash(body),
        body_len: body.len() as u64,
    };
    header.encode()
}

/// One of the histories of a control feed that was written twice.
#[derive(Clone)]
pub(crate) struct Branch {
    pub(crate) head: Head,
    nodes: Nodes,
    header: bytes::Bytes,
    /// Its entries from the fork on.
    pub(crate) entries: Vec<ControlEntry>,
}

/// Two histories of one feed.
impl World {
    /// Takes what somebody wrote from `common` on out of the world, as one history; what it writes next is another one.
    pub(crate) fn take_back(&mut self, who: usize, common: u64) -> Branch {
        let branch = self.branch(who, common);
        let feed = self.people[who].control.unwrap();
        self.entries.retain(|entry| entry.feed != feed || entry.seq < common);
        self.people[who].length = common;
        branch
    }

    /// What somebody's control feed is now, as one of two histories that part after `common` entries.
    pub(crate) fn branch(&self, who: usize, common: u64) -> Branch {
        let person = &self.people[who];
        let feed = person.control.unwrap();
        let headers = self.headers.as_ref().expect("a world with headers");
        let (mut nodes, mut tree) = (Nodes::new(), Tree::new());
        for seq in 0..person.length {
            let header = &headers[&(feed, seq)];
            let size = header.len() as u64 + Header::decode(header).unwrap().body_len;
            nodes.push(Peak { hash: leaf(header), size });
            tree.push(leaf(header), size);
        }
        let secret = &person.keys.as_ref().unwrap().control;
        let head = Head::sign(feed, tree.length(), tree.byte_length(), tree.root(), secret);
        let entries = self.entries.iter().filter(|entry| entry.feed == feed && entry.seq >= common);
        Branch { head, nodes, header: headers[&(feed, common)].clone(), entries: entries.cloned().collect() }
    }

    /// That somebody's control feed has both histories, by one who holds the first named.
    pub(crate) fn proven(&self, of: usize, held: &Branch, other: &Branch) -> ForkProven {
        let part = |branch: &Branch| (branch.head, branch.header.clone());
        let ((head, header), (other_head, other_header)) = (part(held), part(other));
        let proof = ForkProof::make((head, &held.nodes, header), (other_head, &other.nodes, other_header)).unwrap();
        let held = if proof.first == head { weft_credential::Branch::First } else { weft_credential::Branch::Second };
        let person = &self.people[of];
        let [control, _] = person.keys.as_ref().unwrap().manifests(self.space, &person.device);
        ForkProven { manifest: *control.verify().unwrap(), proof: proof.encode(), held }
    }

    /// `who` says that it holds the first of two histories.
    pub(crate) fn witness(&mut self, who: usize, of: usize, held: &Branch, other: &Branch) -> usize {
        let proven = self.proven(of, held, other);
        self.write(who, vec![Credential::ForkProven(proven)])
    }

    /// The resolution of one who holds this history.
    pub(crate) fn resolve_with(&self, branch: &Branch) -> Resolution {
        let entries: Vec<_> = self.entries.iter().chain(&branch.entries).cloned().collect();
        resolve(&self.space, &entries)
    }
}

/// For the model.
impl World {
    /// A device with which somebody can come back.
    pub(crate) fn spare(&mut self, owner: usize) {
        let new = self.people[owner].sibling(self.people.len() as u8);
        self.people.push(new);
    }

    /// The control feeds of the six devices of the model, and how long they are.
    pub(crate) fn lengths(&self) -> [(FeedId, u64); 6] {
        [ALICE, BOB, CAROL, 5, 6, 7].map(|who| (self.people[who].control.unwrap(), self.people[who].length))
    }

    /// The body by which `host` lets the spare device of one of the three in, or Dave: an invitation and its redemption, the same each
    /// time.
    pub(crate) fn admission(&mut self, host: usize, person: usize) -> bytes::Bytes {
        if let Some(body) = self.admissions.get(&(host, person)) {
            return body.clone();
        }
        let mut seed = [11; 32];
        (seed[0], seed[1]) = (host as u8, person as u8);
        let link = InvitationSecret::from_seed(seed);
        let issued = InvitationIssued { key: link.id(), role: Role::Writer, uses: 1, expires_ms: 0, approve: false };
        let newcomer = if person == DAVE { DAVE } else { 8 + person };
        let joining = self.joining(newcomer, &link, host);
        let [control, data] = joining.manifests;
        let parts = [
            Credential::InvitationIssued(issued),
            Credential::InvitationRedeemed(Box::new(joining.redemption)),
            Credential::FeedAdmitted(control),
            Credential::FeedAdmitted(data),
        ];
        let parts = parts.into_iter().map(|credential| Part::new(self.space, credential)).collect();
        let body = ControlBody::new(parts).encode();
        self.admissions.insert((host, person), body.clone());
        body
    }
}
