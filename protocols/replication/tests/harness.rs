//! Two nodes of one space without a network: what the peer and its driver do for a session, in a hundred lines, with
//! every step that takes time left to the test to order.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use weft_crypto::{DeviceId, DeviceKey, EpochId, FeedId, FeedSecret, Head, Manifest, Purpose, SpaceId};
use weft_feed::{Checkpoint, NewEntry, Origin, Tree, VerifiedRange, Writer, kind};
use weft_machine::{ClaimedTime, Machine, Seed, Time};
use weft_replication::{
    Config, Held, Input, Job, Output, ReadError, Session, Sources, StoredRange, Ticket, Violation,
    sources::{self, Order},
};
use weft_wire::{
    frame::Decoder,
    replication::{self as wire, frame::Kind},
};

pub(crate) const SPACE: SpaceId = SpaceId::from_bytes([7; 32]);

pub(crate) fn device(byte: u8) -> DeviceId {
    DeviceKey::from_seed([byte; 32]).id()
}

pub(crate) fn manifest(byte: u8, purpose: Purpose) -> Manifest {
    let secret = feed_secret(byte, purpose);
    Manifest { version: 1, space: SPACE, device: device(byte), feed_key: secret.id(), purpose, generation: 0 }
}

fn feed_secret(byte: u8, purpose: Purpose) -> FeedSecret {
    FeedSecret::from_seed([byte.wrapping_mul(2).wrapping_add(u8::from(purpose == Purpose::Data)).wrapping_add(100); 32])
}

/// A writer of the feed of a device. Two of them fork it.
pub(crate) fn writer(byte: u8, purpose: Purpose) -> Writer {
    Writer::new(&manifest(byte, purpose), feed_secret(byte, purpose), Checkpoint::default()).unwrap()
}

pub(crate) fn entry(purpose: Purpose, body: Vec<u8>) -> NewEntry {
    match purpose {
        Purpose::Control => NewEntry::control(ClaimedTime(0), vec![], body.into()),
        Purpose::Data => {
            let (session, epoch) = (0, Some(EpochId::from_bytes([9; 32])));
            NewEntry { kind: kind::RECORD, session, epoch, claimed: ClaimedTime(0), deps: vec![], body: body.into() }
        }
    }
}

/// `count` entries with bodies of `bytes` bytes, under as few heads as can be.
pub(crate) fn ranges(writer: &mut Writer, count: usize, bytes: usize) -> Vec<VerifiedRange> {
    let purpose = writer.origin().purpose;
    let first = writer.length();
    writer.append((0..count).map(|at| entry(purpose, vec![(first as usize + at) as u8; bytes])).collect()).unwrap()
}

/// A stored feed.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) origin: Origin,
    pub(crate) author: DeviceId,
    pub(crate) ranges: Vec<Arc<VerifiedRange>>,
}

impl Log {
    pub(crate) fn new(manifest: &Manifest) -> Self {
        Self { origin: Origin::of(manifest), author: manifest.device, ranges: Vec::new() }
    }

    pub(crate) fn length(&self) -> u64 {
        self.ranges.last().map_or(0, |range| range.end())
    }

    pub(crate) fn head(&self) -> Option<Head> {
        self.ranges.last().map(|range| *range.head())
    }

    pub(crate) fn held(&self) -> Held {
        Held {
            feed: self.origin.feed,
            feed_key: self.origin.feed_key,
            control: self.origin.purpose == Purpose::Control,
            tree: self.ranges.last().map_or_else(Tree::new, |range| range.tree().clone()),
            head: self.head(),
            stopped: false,
            stands: None,
        }
    }

    fn read(&self, from: u64, bytes_max: usize) -> Result<Vec<StoredRange>, ReadError> {
        let mut bytes = 0;
        let mut found = Vec::new();
        for range in self.ranges.iter().filter(|range| range.end() > from) {
            let runs: Vec<_> = range.runs().iter().filter(|run| run.end() > from).collect();
            bytes += runs.iter().map(|run| run.bytes()).sum::<usize>();
            if !found.is_empty() && bytes > bytes_max {
                break;
            }
            let runs = runs.into_iter().map(|run| run.slice(run.from().max(from), run.end())).collect();
            found.push(StoredRange { head: *range.head(), runs });
        }
        if found.is_empty() { Err(ReadError::NotHeld) } else { Ok(found) }
    }
}

/// What the peer and the driver keep for one session.
pub(crate) struct Node {
    pub(crate) byte: u8,
    pub(crate) logs: BTreeMap<FeedId, Log>,
    pub(crate) writers: BTreeMap<FeedId, Writer>,
    pub(crate) session: Option<Session>,
    pub(crate) sources: Sources,
    pub(crate) jobs: Vec<(Ticket, Job)>,
    pub(crate) reads: Vec<(Ticket, FeedId, u64, usize)>,
    pub(crate) persists: Vec<(Ticket, VerifiedRange)>,
    /// Bytes on their way to the other node.
    pub(crate) wire: BytesMut,
    pub(crate) inbound: Decoder,
    pub(crate) level: bool,
    pub(crate) violation: Option<Violation>,
    pub(crate) contradicted: Vec<Head>,
    pub(crate) refusals: Vec<(FeedId, weft_replication::Refusal)>,
    /// Parts that were asked for again: from where to where.
    pub(crate) mended: Vec<(u64, u64)>,
    /// What was heard of presence.
    pub(crate) heard: Vec<Bytes>,
    /// Frames that were sent, by kind.
    pub(crate) sent: BTreeMap<&'static str, u64>,
    pub(crate) reads_ordered: u64,
    /// What the other side's `Hello` allows, once it is here, and what is spent of it.
    window: Option<u64>,
    spent: u64,
}

/// Two nodes and what is between them.
pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) config: Config,
    pub(crate) nodes: [Node; 2],
    number: u32,
}

pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;

impl World {
    /// Alice and Bob, each with a control and a data feed that both know of, not connected.
    pub(crate) fn new(config: Config) -> Self {
        let nodes = [1, 2].map(|byte| {
            let mut logs = BTreeMap::new();
            let mut writers = BTreeMap::new();
            for (author, purpose) in
                [(1, Purpose::Control), (1, Purpose::Data), (2, Purpose::Control), (2, Purpose::Data)]
            {
                let manifest = manifest(author, purpose);
                logs.insert(manifest.id(), Log::new(&manifest));
                if author == byte {
                    writers.insert(manifest.id(), writer(author, purpose));
                }
            }
            Node {
                byte,
                logs,
                writers,
                session: None,
                sources: Sources::new(sources::Config::default(), device(byte)),
                jobs: Vec::new(),
                reads: Vec::new(),
                persists: Vec::new(),
                wire: BytesMut::new(),
                inbound: Decoder::new(),
                level: false,
                violation: None,
                contradicted: Vec::new(),
                heard: Vec::new(),
                refusals: Vec::new(),
                mended: Vec::new(),
                sent: BTreeMap::new(),
                reads_ordered: 0,
                window: None,
                spent: 0,
            }
        });
        Self { now: Time::ZERO, config, nodes, number: 0 }
    }

    pub(crate) fn connected() -> Self {
        let mut world = Self::new(Config::default());
        world.connect();
        world
    }

    /// The stream and the door open on both sides, Alice's a little before Bob's.
    pub(crate) fn connect(&mut self) {
        self.number += 1;
        for side in [ALICE, BOB] {
            let peer = device(self.nodes[1 - side].byte);
            let node = &mut self.nodes[side];
            let seed = Seed::from_bytes([node.byte ^ self.number as u8; 32]);
            node.session = Some(Session::new(self.config.clone(), device(node.byte), peer, seed));
            for log in node.logs.values() {
                let control = log.origin.purpose == Purpose::Control;
                node.sources.admitted(self.now, log.origin.feed, log.author, control, log.length());
            }
            self.input(side, Input::Opened);
            self.grant(side, self.number);
        }
    }

    /// The door of a node opens.
    pub(crate) fn grant(&mut self, side: usize, number: u32) {
        let peer = device(self.nodes[1 - side].byte);
        let feeds = self.nodes[side].logs.values().map(Log::held).collect();
        self.nodes[side].sources.lost(self.now, peer);
        self.nodes[side].sources.opened(self.now, peer);
        self.input(side, Input::Granted { number, space: SPACE, feeds });
        self.order(side);
    }

    /// The connection is gone, with all that was on its way. Writes that were ordered may still happen.
    pub(crate) fn disconnect(&mut self) {
        for side in [ALICE, BOB] {
            let peer = device(self.nodes[1 - side].byte);
            let node = &mut self.nodes[side];
            node.session = None;
            node.jobs.clear();
            node.reads.clear();
            node.wire.clear();
            node.inbound = Decoder::new();
            (node.window, node.spent, node.level) = (None, 0, false);
            node.sources.lost(self.now, peer);
            self.order(side);
        }
    }

    pub(crate) fn input(&mut self, side: usize, input: Input) {
        if let Some(session) = &mut self.nodes[side].session {
            session.handle_input(self.now, input);
        }
        self.drain(side);
    }

    /// Carries out the orders of a session, and leaves what takes time for later.
    fn drain(&mut self, side: usize) {
        let (now, peer) = (self.now, device(self.nodes[1 - side].byte));
        let node = &mut self.nodes[side];
        while let Some(output) = node.session.as_mut().and_then(Session::poll_output) {
            match output {
                Output::Send(frame) => node.send(&frame),
                Output::Persist { ticket, range, .. } => node.persists.push((ticket, range)),
                Output::Read { ticket, feed, from, bytes_max } => {
                    node.reads_ordered += 1;
                    node.reads.push((ticket, feed, from, bytes_max));
                }
                Output::Work { ticket, job } => node.jobs.push((ticket, job)),
                Output::Mended { range, .. } => node.mended.push((range.from(), range.end())),
                Output::Learned { feed, length, root, .. } => node.sources.claimed(now, peer, feed, length, root),
                Output::Complete { .. } => node.sources.complete(now, peer),
                Output::Arriving { feed, .. } => node.sources.arriving(now, peer, feed),
                Output::PeerRefused { feed, reason, .. } => {
                    node.refusals.push((feed, reason));
                    node.sources.refused(now, peer, feed);
                }
                Output::Contradicted { feed, head, .. } => {
                    node.contradicted.push(head);
                    node.sources.stopped(now, feed);
                }
                Output::Heard { space, sealed, .. } => {
                    assert_eq!(space, SPACE);
                    node.heard.push(sealed);
                }
                Output::Levelled { level, .. } => node.level = level,
                Output::Violated(violation) => node.violation = Some(violation),
            }
        }
        self.order(side);
    }

    /// Hands the choices of the sources to the session.
    fn order(&mut self, side: usize) {
        while let Some(order) = self.nodes[side].sources.poll() {
            let input = match order {
                Order::Fetch { feed, .. } => Input::Fetch { feed },
                Order::Cease { feed, .. } => Input::Cease { feed },
            };
            self.input(side, input);
        }
    }

    /// Carries up to `bytes` bytes from one node to the other.
    pub(crate) fn deliver(&mut self, from: usize, bytes: usize) -> bool {
        let piece = {
            let wire = &mut self.nodes[from].wire;
            let len = bytes.min(wire.len());
            wire.split_to(len).freeze()
        };
        let moved = !piece.is_empty();
        let to = 1 - from;
        self.nodes[to].inbound.push(piece);
        while let Some(payload) = self.nodes[to].inbound.next().unwrap() {
            self.nodes[to].hear(&payload);
            self.input(to, Input::Received(payload));
        }
        moved
    }

    pub(crate) fn work(&mut self, side: usize, which: usize) -> bool {
        let jobs = &mut self.nodes[side].jobs;
        if jobs.is_empty() {
            return false;
        }
        let (ticket, job) = jobs.remove(which % jobs.len());
        self.input(side, Input::Worked { ticket, done: job.run() });
        true
    }

    pub(crate) fn read(&mut self, side: usize, which: usize) -> bool {
        let reads = &mut self.nodes[side].reads;
        if reads.is_empty() {
            return false;
        }
        let (ticket, feed, from, bytes_max) = reads.remove(which % reads.len());
        let result = self.nodes[side].logs[&feed].read(from, bytes_max);
        self.input(side, Input::WasRead { ticket, result });
        true
    }

    /// The oldest write becomes durable.
    pub(crate) fn persist(&mut self, side: usize) -> bool {
        if self.nodes[side].persists.is_empty() {
            return false;
        }
        let (ticket, range) = self.nodes[side].persists.remove(0);
        let range = Arc::new(range);
        let stored = self.store(side, &range);
        if stored {
            self.say_extended(side, range);
        }
        self.input(side, Input::Persisted { ticket });
        true
    }

    fn store(&mut self, side: usize, range: &Arc<VerifiedRange>) -> bool {
        let log = self.nodes[side].logs.get_mut(&range.feed()).unwrap();
        let continues = range.from() == log.length();
        if continues {
            log.ranges.push(Arc::clone(range));
        }
        continues
    }

    /// A range is durable: the sources and the session hear of it.
    pub(crate) fn say_extended(&mut self, side: usize, range: Arc<VerifiedRange>) {
        let feed = range.feed();
        self.nodes[side].sources.progressed(self.now, feed, range.end());
        self.input(side, Input::Extended { feed, range });
        self.order(side);
    }

    /// Writes entries to a feed of this node and makes them durable.
    pub(crate) fn append(&mut self, side: usize, purpose: Purpose, count: usize, bytes: usize) {
        let feed = manifest(self.nodes[side].byte, purpose).id();
        let written = ranges(self.nodes[side].writers.get_mut(&feed).unwrap(), count, bytes);
        for range in written {
            let range = Arc::new(range);
            assert!(self.store(side, &range), "writers go on where they were");
            self.say_extended(side, range);
        }
    }

    /// Lets everything happen that can happen now.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000_000 {
            let moved = [ALICE, BOB].map(|side| {
                self.deliver(side, usize::MAX) | self.work(side, 0) | self.read(side, 0) | self.persist(side)
            });
            if moved == [false, false] {
                return;
            }
        }
        panic!("two sessions that never come to rest");
    }

    /// Time passes, and then whatever can happen happens.
    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        for side in [ALICE, BOB] {
            self.nodes[side].sources.wake(self.now);
            self.order(side);
        }
        self.settle();
    }

    pub(crate) fn lengths(&self, side: usize) -> Vec<u64> {
        self.nodes[side].logs.values().map(Log::length).collect()
    }

    pub(crate) fn length(&self, side: usize, author: usize, purpose: Purpose) -> u64 {
        self.nodes[side].logs[&manifest(self.nodes[author].byte, purpose).id()].length()
    }

    pub(crate) fn reasons(&self, side: usize) -> Vec<weft_replication::stuck::Reason> {
        self.nodes[side].session.as_ref().unwrap().reasons(&SPACE, self.now)
    }

    /// Both have everything, and both say so.
    pub(crate) fn assert_level(&self) {
        assert_eq!([&self.nodes[ALICE].violation, &self.nodes[BOB].violation], [&None, &None]);
        for (alice, bob) in self.nodes[ALICE].logs.values().zip(self.nodes[BOB].logs.values()) {
            assert_eq!(alice.head().map(|head| head.root), bob.head().map(|head| head.root));
            assert_eq!(alice.length(), bob.length());
        }
        let level = [ALICE, BOB].map(|side| self.nodes[side].session.as_ref().and_then(|node| node.level(&SPACE)));
        assert_eq!(level, [Some(true); 2], "{:#?}", self.reasons(BOB));
        assert_eq!([self.nodes[ALICE].level, self.nodes[BOB].level], [true; 2]);
        assert_eq!((self.reasons(ALICE), self.reasons(BOB)), (vec![], vec![]));
    }
}

impl Node {
    /// Puts a frame on the wire, and checks that the credit covers it.
    fn send(&mut self, frame: &Bytes) {
        let mut decoder = Decoder::new();
        decoder.push(frame.clone());
        let payload = decoder.next().unwrap().expect("one whole frame");
        let kind = weft_wire::decode::<wire::Frame>(&payload).unwrap().kind.unwrap();
        let (name, costs) = describe(&kind);
        *self.sent.entry(name).or_default() += 1;
        if costs {
            self.spent += payload.len() as u64 + weft_replication::FRAME_COST;
            let window = self.window.expect("nothing that costs is sent before the credit is known");
            assert!(self.spent <= window, "{} spent of {window}", self.spent);
        }
        self.wire.extend_from_slice(frame);
    }

    /// Keeps the books of what this node may send.
    fn hear(&mut self, payload: &Bytes) {
        match weft_wire::decode::<wire::Frame>(payload).unwrap().kind {
            Some(Kind::Hello(hello)) => self.window = Some(hello.credit),
            Some(Kind::Credit(credit)) => self.spent = self.spent.checked_sub(credit.bytes).unwrap(),
            _ => {}
        }
    }
}

/// The name of a frame, and whether it is charged.
pub(crate) fn describe(kind: &Kind) -> (&'static str, bool) {
    match kind {
        Kind::Hello(_) => ("hello", false),
        Kind::Have(_) => ("have", false),
        Kind::Want(_) => ("want", false),
        Kind::Stop(_) => ("stop", false),
        Kind::Range(_) => ("range", true),
        Kind::Bodies(_) => ("bodies", true),
        Kind::Credit(_) => ("credit", false),
        Kind::Contradiction(_) => ("contradiction", false),
        Kind::Refused(_) => ("refused", false),
        Kind::Presence(_) => ("presence", false),
    }
}
