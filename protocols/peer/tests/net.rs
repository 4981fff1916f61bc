//! A world of peers: every order is carried out at once, or held back when a test says so.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use weft_credential::RootStatements;
use weft_crypto::{
    DeviceId, DeviceKey, FeedId, IdentityId, PreKeyId, PreKeySecret, SpaceId, phrase::Phrase, seal::open_local,
};
use weft_feed::{Head, Run, Tree, VerifiedRange, leaf};
use weft_invitation::device::Welcome;
use weft_machine::{Machine as _, Seed, Time};
use weft_peer::{
    Answer, Ask, Batch, Command, Config, Damage, Event, Input, LinkedBy, Me, Opened, OpenedFeed, Output, Peer,
    Protocol, ReadError, Refusal, Rows, StoredRange, StreamId, Write,
};

/// A store in memory.
#[derive(Clone, Default)]
pub(crate) struct Store {
    local: BTreeMap<Bytes, Bytes>,
    feeds: BTreeMap<FeedId, StoredFeed>,
    pub(crate) derived: BTreeMap<(SpaceId, u8, Bytes), Bytes>,
    /// Feeds of which nothing can be read until they are mended.
    pub(crate) damaged: BTreeSet<FeedId>,
    /// What was mended: from where to where.
    pub(crate) mended: Vec<(FeedId, u64, u64)>,
    /// How often another history of a feed took the place of one.
    pub(crate) replaced: u64,
}

#[derive(Clone)]
struct StoredFeed {
    space: SpaceId,
    manifest: Bytes,
    tree: Tree,
    ranges: Vec<(Head, Vec<Run>)>,
}

impl Store {
    fn write(&mut self, batch: Batch) {
        for write in batch.writes {
            match write {
                Write::Feed { feed, space, manifest } => {
                    self.feeds.entry(feed).or_insert(StoredFeed {
                        space,
                        manifest,
                        tree: Tree::new(),
                        ranges: Vec::new(),
                    });
                }
                Write::Range(range) => {
                    let feed = self.feeds.get_mut(&range.feed()).expect("ranges of known feeds only");
                    assert_eq!(feed.tree.length(), range.from(), "ranges are contiguous");
                    feed.tree = range.tree().clone();
                    feed.ranges.push((*range.head(), range.runs().to_vec()));
                }
                Write::Mend { feed, ranges } => self.mend(feed, &ranges),
                Write::Replace { feed, base, ranges } => self.replace(feed, base.map(|base| *base), &ranges),
                Write::Local { key, value: Some(value) } => {
                    self.local.insert(key, value);
                }
                Write::Local { key, value: None } => {
                    self.local.remove(&key);
                }
                Write::Derived { space, table, key, value: Some(value) } => {
                    self.derived.insert((space, table, key), value);
                }
                Write::Derived { space, table, key, value: None } => {
                    self.derived.remove(&(space, table, key));
                }
                Write::DropDerived { space } => self.derived.retain(|(of, ..), _| *of != space),
                Write::DropSpace { space } => {
                    self.derived.retain(|(of, ..), _| *of != space);
                    self.feeds.retain(|_, feed| feed.space != space);
                }
            }
        }
    }

    /// Takes a feed as another store holds it.
    pub(crate) fn take_feed(&mut self, other: &mut Store, feed: FeedId) {
        self.feeds.insert(feed, other.feeds.remove(&feed).unwrap());
    }

    /// Everything that is held of every feed.
    pub(crate) fn feeds(&self) -> impl Iterator<Item = (FeedId, &Run)> {
        self.feeds.iter().flat_map(|(id, feed)| feed.ranges.iter().flat_map(|(_, runs)| runs).map(|run| (*id, run)))
    }

    /// How many feeds of a space there are.
    pub(crate) fn feeds_of(&self, space: &SpaceId) -> usize {
        self.feeds.values().filter(|feed| feed.space == *space).count()
    }

    /// The words with which the private rows about a space begin.
    pub(crate) fn private_rows_of(&self, space: &SpaceId) -> Vec<String> {
        let of_space = |key: &&Bytes| key.windows(32).any(|id| id == space.as_bytes());
        let word = |key: &Bytes| String::from_utf8_lossy(key.split(|byte| *byte == b'/').next().unwrap()).into_owned();
        self.local.keys().filter(of_space).map(word).collect()
    }

    /// The seed of this device's pre-key in a space.
    pub(crate) fn pre_key(&self, name: &'static str, space: &SpaceId) -> PreKeySecret {
        let row = &self.local[&Bytes::from([b"space/", space.as_bytes().as_slice()].concat())];
        let plain = open_local(&me(name).device.at_rest_key(), "space keys", row).unwrap();
        PreKeySecret::from_seed(plain[64..96].try_into().unwrap())
    }

    /// The damage of the range that is stored as the feed's `place`th.
    pub(crate) fn damage(&mut self, feed: FeedId, place: usize) -> Damage {
        self.damaged.insert(feed);
        let ranges = &self.feeds[&feed].ranges;
        let tree = tree_of(&ranges[..place]);
        let base = place.checked_sub(1).map(|before| (ranges[before].0, tree));
        let from = base.as_ref().map_or(0, |(head, _)| head.length);
        Damage { feed, from, entry: from, base, head: ranges[place].0 }
    }

    /// Whether a private row holds these bytes as they are.
    pub(crate) fn says(&self, bytes: &[u8]) -> bool {
        self.local.values().any(|value| value.windows(bytes.len()).any(|window| window == bytes))
    }

    fn replace(&mut self, feed: FeedId, base: Option<(Head, Tree)>, ranges: &[Arc<VerifiedRange>]) {
        let held = self.feeds.get_mut(&feed).unwrap();
        let from = base.as_ref().map_or(0, |(head, _)| head.length);
        assert!(from <= held.tree.length(), "what both have is held");
        held.ranges.retain(|(_, runs)| runs[0].from() < from);
        if let (Some((head, tree)), Some((last, runs))) = (base, held.ranges.last_mut()) {
            runs.retain(|run| run.from() < from);
            let end = runs.pop().unwrap();
            runs.push(end.slice(end.from(), end.end().min(from)));
            (*last, held.tree) = (head, tree);
        } else {
            held.tree = Tree::new();
        }
        assert_eq!(tree_of(&held.ranges), held.tree, "the base is of what is held");
        for range in ranges {
            assert_eq!(held.tree.length(), range.from(), "ranges are contiguous");
            held.tree = range.tree().clone();
            held.ranges.push((*range.head(), range.runs().to_vec()));
        }
        assert_eq!(tree_of(&held.ranges), held.tree);
        self.replaced += 1;
    }

    fn mend(&mut self, feed: FeedId, ranges: &[StoredRange]) {
        let (from, until) = (ranges[0].runs[0].from(), ranges.last().unwrap().head.length);
        for range in ranges {
            assert_eq!(range.runs.last().unwrap().end(), range.head.length);
        }
        let runs = ranges.iter().flat_map(|range| &range.runs);
        let entries = |runs: &mut dyn Iterator<Item = &'_ Run>| -> Vec<(u64, Vec<u8>, Option<Vec<u8>>)> {
            let within = |seq: &u64| (from..until).contains(seq);
            runs.flat_map(Run::entries)
                .filter(|entry| within(&entry.seq))
                .map(|entry| (entry.seq, entry.header.bytes().to_vec(), entry.body.map(<[u8]>::to_vec)))
                .collect()
        };
        let mut held = self.feeds[&feed].ranges.iter().flat_map(|(_, runs)| runs);
        assert_eq!(entries(&mut held), entries(&mut runs.clone()), "what mends is what was there");
        self.damaged.remove(&feed);
        self.mended.push((feed, from, until));
    }

    fn read(&self, feed: &FeedId, from: u64, bytes_max: usize) -> Result<Vec<StoredRange>, ReadError> {
        if self.damaged.contains(feed) {
            return Err(ReadError::Damaged);
        }
        let feed = self.feeds.get(feed).ok_or(ReadError::NotHeld)?;
        let mut ranges = Vec::new();
        let mut bytes = 0;
        for (head, runs) in &feed.ranges {
            if head.length <= from {
                continue;
            }
            let runs: Vec<Run> = runs
                .iter()
                .filter(|run| run.end() > from)
                .map(|run| if run.from() < from { run.slice(from, run.end()) } else { run.clone() })
                .collect();
            bytes += runs.iter().map(Run::bytes).sum::<usize>();
            if bytes > bytes_max && !ranges.is_empty() {
                break;
            }
            ranges.push(StoredRange { head: *head, runs });
        }
        if ranges.is_empty() { Err(ReadError::NotHeld) } else { Ok(ranges) }
    }

    fn load(&self, space: SpaceId, table: u8, rows: &Rows) -> Vec<(Bytes, Bytes)> {
        let fits = |key: &Bytes| match rows {
            Rows::Exact(exact) => key == exact,
            Rows::Prefix(prefix) => key.starts_with(prefix),
        };
        let (Rows::Exact(first) | Rows::Prefix(first)) = rows;
        let from = self.derived.range((space, table, first.clone())..);
        let rows = from.take_while(|((of, at, key), _)| *of == space && *at == table && fits(key));
        rows.map(|((.., key), value)| (key.clone(), value.clone())).collect()
    }

    fn opened(&self) -> Opened {
        let mut opened = Opened { local: self.local.clone().into_iter().collect(), ..Opened::default() };
        for (id, feed) in &self.feeds {
            opened.feeds.push(OpenedFeed {
                feed: *id,
                space: feed.space,
                manifest: feed.manifest.clone(),
                tree: feed.tree.clone(),
                head: feed.ranges.last().map(|(head, _)| *head),
            });
            let runs: Vec<Run> = feed.ranges.iter().flat_map(|(_, runs)| runs.clone()).collect();
            if runs.iter().flat_map(Run::entries).next().is_some_and(|entry| entry.header.epoch().is_none()) {
                opened.control.push((*id, runs));
            }
        }
        let mut cursors: BTreeMap<SpaceId, Vec<(Bytes, Bytes)>> = BTreeMap::new();
        for ((space, table, key), value) in &self.derived {
            if *table == weft_peer::store::CURSORS {
                cursors.entry(*space).or_default().push((key.clone(), value.clone()));
            }
        }
        opened.cursors = cursors.into_iter().collect();
        opened
    }
}

pub(crate) struct Node {
    name: &'static str,
    peer: Peer,
    pub(crate) store: Store,
    inputs: VecDeque<Input>,
    pub(crate) answers: BTreeMap<Ask, Result<Answer, Refusal>>,
    pub(crate) events: Vec<Event>,
    next_ask: u64,
}

/// Peers, connected or not.
pub(crate) struct Net {
    pub(crate) now: Time,
    nodes: BTreeMap<DeviceId, Node>,
    /// Stream → other end's device and stream.
    streams: BTreeMap<(DeviceId, StreamId), (DeviceId, StreamId)>,
    connected: Vec<(DeviceId, DeviceId)>,
    next_stream: u64,
    seeds: u64,
    /// Devices that were linked: what they act by since.
    pub(crate) linked: BTreeMap<DeviceId, (Welcome, LinkedBy)>,
    /// Recovery keys that people say they have, instead of those of their phrases.
    pub(crate) recoveries: BTreeMap<&'static str, PreKeyId>,
    /// Nobody reaches them.
    offline: BTreeSet<DeviceId>,
    /// Hosts that go off line when they have written a redemption and are about to say so.
    pub(crate) dying: BTreeSet<DeviceId>,
    /// Hosts that never say a word on streams of newcomers.
    pub(crate) silent: BTreeSet<DeviceId>,
    /// Both ends of streams of newcomers.
    newcomers: BTreeSet<(DeviceId, StreamId)>,
    /// Who dies when it has written so many batches more.
    deaths: BTreeMap<DeviceId, u64>,
}

fn tree_of(ranges: &[(Head, Vec<Run>)]) -> Tree {
    let mut tree = Tree::new();
    for entry in ranges.iter().flat_map(|(_, runs)| runs).flat_map(Run::entries) {
        tree.push(leaf(entry.header.bytes()), entry.header.bytes().len() as u64 + entry.header.body_len());
    }
    tree
}

fn is_data(run: &Run) -> bool {
    run.entries().any(|entry| entry.header.epoch().is_some())
}

fn me(name: &'static str) -> Me {
    let seed = |what: &str| *blake(&format!("{name} {what}"));
    Me::at_init(&Phrase::from_entropy(seed("phrase")), DeviceKey::from_seed(seed("device")), name)
}

pub(crate) fn identity(name: &'static str) -> IdentityId {
    me(name).identity
}

pub(crate) fn recovery(name: &'static str) -> PreKeySecret {
    let phrase = Phrase::from_entropy(*blake(&format!("{name} phrase")));
    phrase.recovery_key().as_pre_key().clone()
}

fn blake(text: &str) -> Box<[u8; 32]> {
    let mut bytes = Box::new([0; 32]);
    for (place, byte) in text.bytes().enumerate() {
        bytes[place % 32] ^= byte.wrapping_mul(31).wrapping_add(u8::try_from(place).unwrap());
    }
    bytes
}

impl Net {
    pub(crate) fn new() -> Net {
        Net {
            now: Time::from_micros(1_000_000),
            nodes: BTreeMap::new(),
            streams: BTreeMap::new(),
            connected: Vec::new(),
            next_stream: 0,
            seeds: 0,
            linked: BTreeMap::new(),
            recoveries: BTreeMap::new(),
            offline: BTreeSet::new(),
            dying: BTreeSet::new(),
            silent: BTreeSet::new(),
            newcomers: BTreeSet::new(),
            deaths: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, name: &'static str) -> DeviceId {
        let node = self.start(name, Store::default());
        let device = me(name).device.id();
        self.nodes.insert(device, node);
        device
    }

    fn start(&mut self, name: &'static str, store: Store) -> Node {
        self.seeds += 1;
        let seed = Seed::from_bytes(*blake(&format!("{name} seed {}", self.seeds)));
        let mut peer = Peer::new(Config::default(), self.me(name), seed, store.opened()).unwrap();
        peer.handle_input(self.now, Input::ClockRead { unix_ms: 1_800_000_000_000 });
        let (inputs, answers, events) = (VecDeque::new(), BTreeMap::new(), Vec::new());
        Node { name, peer, store, inputs, answers, events, next_ask: 0 }
    }

    fn me(&self, name: &'static str) -> Me {
        let mut me = me(name);
        if let Some(recovery) = self.recoveries.get(name) {
            let phrase = Phrase::from_entropy(*blake(&format!("{name} phrase")));
            let (root, next) = (phrase.root_key(), phrase.next_root_key().id());
            me.recovery = *recovery;
            me.statements = RootStatements::at_init(&root, &next, me.device.id(), *recovery);
        }
        if let Some((welcome, by)) = self.linked.get(&me.device.id()) {
            let admitted = welcome.statements[0].verify().unwrap();
            let recovery = welcome.statements[1].verify().unwrap();
            let weft_credential::Subject::RecoveryKeySet(key) = recovery.subject else { panic!("a recovery key") };
            (me.identity, me.recovery, me.name) = (admitted.identity, key, welcome.name.clone());
            (me.statements, me.chain) = (welcome.statements.clone(), welcome.chain.clone());
            me.linked_by = Some(by.clone());
        }
        me
    }

    /// Kills a peer and starts it again on what its store holds.
    pub(crate) fn restart(&mut self, device: DeviceId) {
        let pairs: Vec<_> = self.connected.iter().filter(|(a, b)| *a == device || *b == device).copied().collect();
        for (a, b) in pairs {
            self.disconnect(a, b);
        }
        let old = self.nodes.remove(&device).unwrap();
        let node = self.start(old.name, old.store);
        self.nodes.insert(device, node);
    }

    /// Starts a peer anew that takes itself for linked by another device, though it acts for its own identity.
    pub(crate) fn restart_as_linked_by(&mut self, device: DeviceId, by: LinkedBy) {
        let name = self.node(device).name;
        let honest = me(name);
        let welcome = Welcome {
            statements: honest.statements.clone(),
            chain: honest.chain.clone(),
            home: by.home,
            name: honest.name,
        };
        self.linked.insert(device, (welcome, by));
        self.restart(device);
    }

    /// Kills a peer and starts it on an older copy of its store.
    pub(crate) fn restore(&mut self, device: DeviceId, store: Store) {
        self.node(device).store = store;
        self.restart(device);
    }

    /// Restarts a peer that has lost a feed, all that it derived, and every head of another feed but the last.
    pub(crate) fn restart_without(&mut self, device: DeviceId, lost: FeedId, under_one_head: FeedId) {
        let store = &mut self.node(device).store;
        store.derived.clear();
        let feed = store.feeds.get_mut(&lost).unwrap();
        (feed.tree, feed.ranges) = (Tree::new(), Vec::new());
        let ranges = &mut store.feeds.get_mut(&under_one_head).unwrap().ranges;
        let head = ranges.last().unwrap().0;
        let runs = ranges.drain(..).flat_map(|(_, runs)| runs).collect();
        ranges.push((head, runs));
        self.restart(device);
    }

    /// Everybody's clock shows this.
    pub(crate) fn clock(&mut self, unix_ms: u64) {
        for node in self.nodes.values_mut() {
            node.inputs.push_back(Input::ClockRead { unix_ms });
        }
    }

    pub(crate) fn node(&mut self, device: DeviceId) -> &mut Node {
        self.nodes.get_mut(&device).unwrap()
    }

    /// The store of a peer finds damage in what it holds.
    pub(crate) fn damage(&mut self, device: DeviceId, feed: FeedId, place: usize) {
        let damage = self.node(device).store.damage(feed, place);
        self.input(device, Input::Damaged { damage });
    }

    /// A peer loses its store but for its keys and the control feeds, and knows that.
    pub(crate) fn lose(&mut self, device: DeviceId, space: SpaceId, data: u64) {
        let store = &mut self.node(device).store;
        store.derived.clear();
        for feed in store.feeds.values_mut() {
            let data = feed.ranges.iter().flat_map(|(_, runs)| runs).any(is_data);
            if data {
                (feed.tree, feed.ranges) = (Tree::new(), Vec::new());
            }
        }
        let writes =
            vec![weft_peer::store::ends_unknown(&space, weft_peer::Ends { data, ..weft_peer::Ends::default() })];
        store.write(Batch { writes, durable: true });
        self.restart(device);
    }

    /// Nobody reaches it, and it reaches nobody.
    pub(crate) fn goes_off_line(&mut self, device: DeviceId) {
        let pairs: Vec<_> = self.connected.iter().filter(|(a, b)| *a == device || *b == device).copied().collect();
        for (a, b) in pairs {
            self.disconnect(a, b);
        }
        self.offline.insert(device);
    }

    pub(crate) fn comes_back(&mut self, device: DeviceId) {
        self.offline.remove(&device);
    }

    /// Whether a frame gets through: some hosts keep silent towards newcomers, and some go before they have answered.
    fn gets_through(&mut self, at: DeviceId, stream: StreamId, payload: &Bytes) -> bool {
        /// The first byte of `Accepted`.
        const ACCEPTED: u8 = 5 << 3 | 2;
        if !self.newcomers.contains(&(at, stream)) {
            return true;
        }
        if payload.first() == Some(&ACCEPTED) && self.dying.remove(&at) {
            self.goes_off_line(at);
            return false;
        }
        !self.silent.contains(&at)
    }

    pub(crate) fn connect(&mut self, a: DeviceId, b: DeviceId) {
        self.connected.push((a, b));
        self.input(a, Input::Connected { device: b });
        self.input(b, Input::Connected { device: a });
    }

    /// Connects two if they are not.
    pub(crate) fn reconnect(&mut self, a: DeviceId, b: DeviceId) {
        if !self.connected.contains(&(a, b)) && !self.connected.contains(&(b, a)) {
            self.connect(a, b);
        }
    }

    /// Nobody is connected any more.
    pub(crate) fn part(&mut self) {
        for (a, b) in self.connected.clone() {
            self.disconnect(a, b);
        }
    }

    /// A peer dies when its `nth` batch from now on is written, and before it hears of it; it starts again at once.
    pub(crate) fn dies_at_write(&mut self, device: DeviceId, nth: u64) {
        self.deaths.insert(device, nth);
    }

    pub(crate) fn has_died(&self, device: DeviceId) -> bool {
        self.deaths.get(&device) == Some(&0)
    }

    pub(crate) fn disconnect(&mut self, a: DeviceId, b: DeviceId) {
        self.connected.retain(|pair| *pair != (a, b) && *pair != (b, a));
        self.streams.retain(|(at, _), (to, _)| !(*at == a && *to == b || *at == b && *to == a));
        self.input(a, Input::Disconnected { device: b });
        self.input(b, Input::Disconnected { device: a });
    }

    fn input(&mut self, device: DeviceId, input: Input) {
        self.nodes.get_mut(&device).unwrap().inputs.push_back(input);
    }

    pub(crate) fn ask(&mut self, device: DeviceId, command: Command) -> Ask {
        let node = self.nodes.get_mut(&device).unwrap();
        node.next_ask += 1;
        let ask = Ask(node.next_ask);
        node.inputs.push_back(Input::Asked { ask, command });
        ask
    }

    /// Asks, and works until it is answered.
    pub(crate) fn answer(&mut self, device: DeviceId, command: Command) -> Result<Answer, Refusal> {
        let ask = self.ask(device, command);
        for _ in 0..200 {
            self.run();
            if let Some(answer) = self.node(device).answers.remove(&ask) {
                return answer;
            }
            self.advance(Duration::from_millis(250));
        }
        panic!("{} never answered", self.node(device).name);
    }

    /// Works until nothing is left to do at this moment.
    pub(crate) fn run(&mut self) {
        loop {
            let devices: Vec<DeviceId> = self.nodes.keys().copied().collect();
            let mut moved = false;
            for device in devices {
                let node = self.nodes.get_mut(&device).unwrap();
                while let Some(input) = node.inputs.pop_front() {
                    node.peer.handle_input(self.now, input);
                    moved = true;
                }
                while let Some(output) = self.nodes.get_mut(&device).unwrap().peer.poll_output() {
                    self.carry_out(device, output);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Lets time pass, waking whoever wants to be.
    pub(crate) fn advance(&mut self, by: Duration) {
        let until = self.now + by;
        loop {
            let next = self.nodes.values().filter_map(|node| node.peer.deadline()).min().filter(|at| *at <= until);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            let now = self.now;
            for node in self.nodes.values_mut().filter(|node| node.peer.deadline().is_some_and(|at| at <= now)) {
                node.peer.wake(now);
                assert!(node.peer.deadline().is_none_or(|at| at > now), "a wake without effect would be a busy loop");
            }
            self.run();
        }
        self.now = until;
        self.run();
    }

    fn carry_out(&mut self, at: DeviceId, output: Output) {
        match output {
            Output::OpenStream { device, protocol } => self.open_stream(at, device, protocol),
            Output::Send { stream: own, frame } => {
                if let Some((to, stream)) = self.streams.get(&(at, own)).copied() {
                    let mut decoder = weft_wire::frame::Decoder::new();
                    decoder.push(frame);
                    let frame = decoder.next().unwrap().unwrap();
                    if self.gets_through(at, own, &frame) {
                        self.input(to, Input::Received { stream, frame });
                    }
                }
            }
            Output::CloseStream { stream } => {
                if let Some((to, other)) = self.streams.remove(&(at, stream)) {
                    self.streams.remove(&(to, other));
                    self.input(to, Input::StreamClosed { stream: other });
                }
            }
            Output::Dial { device, .. } => {
                if self.nodes.contains_key(&device) && !self.offline.contains(&device) && !self.offline.contains(&at) {
                    self.connect(at, device);
                } else {
                    self.input(at, Input::DialFailed { device, reason: "nobody there".into() });
                }
            }
            Output::Disconnect { device, .. } => {
                let pair =
                    self.connected.iter().find(|(a, b)| (*a == at && *b == device) || (*b == at && *a == device));
                if let Some((a, b)) = pair.copied() {
                    self.disconnect(a, b);
                }
            }
            Output::Persist { ticket, batch } => {
                self.node(at).store.write(batch);
                let left = self.deaths.get_mut(&at).filter(|left| **left > 0);
                if let Some(left) = left {
                    *left -= 1;
                    if *left == 0 {
                        return self.restart(at);
                    }
                }
                self.input(at, Input::Persisted { ticket });
            }
            Output::Read { ticket, feed, from, bytes_max } => {
                let result = self.node(at).store.read(&feed, from, bytes_max);
                self.input(at, Input::WasRead { ticket, result });
            }
            Output::Load { ticket, space, table, rows } => {
                let rows = self.node(at).store.load(space, table, &rows);
                self.input(at, Input::WasLoaded { ticket, rows });
            }
            Output::Work { ticket, job } => self.input(at, Input::Worked { ticket, done: job.run() }),
            Output::Answer { ask, result } => {
                self.node(at).answers.insert(ask, result);
            }
            Output::Event(event) => self.node(at).events.push(event),
        }
    }

    fn open_stream(&mut self, at: DeviceId, device: DeviceId, protocol: Protocol) {
        let connected = self.connected.contains(&(at, device)) || self.connected.contains(&(device, at));
        if !connected {
            return self.input(at, Input::StreamFailed { device, protocol, reason: "not connected".into() });
        }
        let (mine, theirs) = (StreamId(self.next_stream), StreamId(self.next_stream + 1));
        self.next_stream += 2;
        self.streams.insert((at, mine), (device, theirs));
        self.streams.insert((device, theirs), (at, mine));
        if protocol == Protocol::Invitation {
            self.newcomers.extend([(at, mine), (device, theirs)]);
        }
        self.input(at, Input::StreamOpened { stream: mine, device, protocol, opener: true });
        self.input(device, Input::StreamOpened { stream: theirs, device: at, protocol, opener: false });
    }
}
