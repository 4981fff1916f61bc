//! Two swarms in one thread over memory: everything runs until nothing moves, so that "no more arrives" can be seen.

use std::{cell::RefCell, pin::Pin, rc::Rc, time::Duration};

use bytes::Bytes;
use futures::{
    StreamExt,
    channel::mpsc,
    executor::{LocalPool, LocalSpawner},
    task::{AtomicWaker, LocalSpawnExt},
};
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport,
    core::{transport::MemoryTransport, upgrade::Version},
    identity::Keypair,
    noise,
    swarm::{Executor, SwarmEvent},
    yamux,
};
use weft_peer::{Protocol, StreamId};

use super::{Behaviour, Config, Event, Permit, StreamEvent};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Queue(mpsc::UnboundedSender<Task>);

impl Executor for Queue {
    fn exec(&self, task: Task) {
        self.0.unbounded_send(task).unwrap();
    }
}

/// A swarm, and what was heard of it.
#[derive(Clone)]
struct Node {
    swarm: Rc<RefCell<Swarm<Behaviour>>>,
    heard: Rc<RefCell<Vec<StreamEvent>>>,
    /// Held, so that nothing more is read; cleared to read on.
    permits: Rc<RefCell<Vec<Permit>>>,
    holds_permits: Rc<RefCell<bool>>,
    task: Rc<AtomicWaker>,
}

impl Node {
    fn start(config: Config, spawner: &LocalSpawner) -> Node {
        let keypair = Keypair::generate_ed25519();
        let (sender, mut tasks) = mpsc::unbounded();
        let tasks_spawner = spawner.clone();
        spawner
            .spawn_local(async move {
                while let Some(task) = tasks.next().await {
                    tasks_spawner.spawn_local(task).unwrap();
                }
            })
            .unwrap();
        let transport = MemoryTransport::default()
            .upgrade(Version::V1)
            .authenticate(noise::Config::new(&keypair).unwrap())
            .multiplex(yamux::Config::default())
            .boxed();
        let node = Node {
            swarm: Rc::new(RefCell::new(crate::swarm::on(transport, &keypair, Queue(sender), config))),
            heard: Rc::default(),
            permits: Rc::default(),
            holds_permits: Rc::default(),
            task: Rc::default(),
        };
        let running = node.clone();
        spawner
            .spawn_local(futures::future::poll_fn(move |cx| {
                running.task.register(cx.waker());
                while let std::task::Poll::Ready(Some(event)) = running.swarm.borrow_mut().poll_next_unpin(cx) {
                    if let SwarmEvent::Behaviour(Event::Streams(event)) = event {
                        running.hear(event);
                    }
                }
                std::task::Poll::Pending
            }))
            .unwrap();
        node
    }

    fn hear(&self, event: StreamEvent) {
        match event {
            StreamEvent::Frames { stream, frames, permit } => {
                if *self.holds_permits.borrow() {
                    self.permits.borrow_mut().push(permit);
                }
                let permit = Permit::none();
                self.heard.borrow_mut().push(StreamEvent::Frames { stream, frames, permit });
            }
            event => self.heard.borrow_mut().push(event),
        }
    }

    fn peer_id(&self) -> PeerId {
        *self.swarm.borrow().local_peer_id()
    }

    fn open(&self, peer: &Node, protocol: Protocol) {
        self.swarm.borrow_mut().behaviour_mut().streams.open(peer.peer_id(), protocol);
    }

    fn send(&self, stream: StreamId, frame: Vec<u8>) {
        self.swarm.borrow_mut().behaviour_mut().streams.send(stream, frame.into());
    }

    fn streams(&self) -> Vec<StreamId> {
        let heard = self.heard.borrow();
        heard
            .iter()
            .filter_map(|event| if let StreamEvent::StreamOpened { stream, .. } = event { Some(*stream) } else { None })
            .collect()
    }

    fn frames(&self) -> Vec<Bytes> {
        let heard = self.heard.borrow();
        let frames = heard
            .iter()
            .filter_map(|event| if let StreamEvent::Frames { frames, .. } = event { Some(frames) } else { None });
        frames.flatten().cloned().collect()
    }

    fn closed(&self) -> Vec<String> {
        let heard = self.heard.borrow();
        let reasons = heard.iter().filter_map(|event| match event {
            StreamEvent::StreamClosed { reason, .. } | StreamEvent::StreamFailed { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        reasons.collect()
    }
}

struct Pair {
    pool: LocalPool,
    alice: Node,
    bob: Node,
}

impl Pair {
    /// Alice is connected to Bob.
    fn connected(config: &Config) -> Pair {
        let pool = LocalPool::new();
        let [alice, bob] = [(); 2].map(|()| Node::start(config.clone(), &pool.spawner()));
        let mut pair = Pair { pool, alice, bob };
        pair.bob.swarm.borrow_mut().listen_on("/memory/0".parse().unwrap()).unwrap();
        pair.run();
        let address: Multiaddr = pair.bob.swarm.borrow().listeners().next().unwrap().clone();
        pair.alice.swarm.borrow_mut().dial(address).unwrap();
        // The swarm lets addresses that are neither QUIC nor TCP wait for a moment.
        pair.run_until(|pair| !pair.alice.heard.borrow().is_empty() && !pair.bob.heard.borrow().is_empty());
        assert!(
            matches!(pair.alice.heard.borrow()[..], [StreamEvent::Connected { .. }]),
            "{:?}",
            pair.alice.heard.borrow()
        );
        pair
    }

    /// And has a replication stream to him: its name at Alice's and at Bob's end.
    fn with_stream(config: &Config) -> (Pair, StreamId, StreamId) {
        let mut pair = Pair::connected(config);
        pair.alice.open(&pair.bob, Protocol::Replication);
        pair.run();
        let (at_alice, at_bob) = (pair.alice.streams()[0], pair.bob.streams()[0]);
        (pair, at_alice, at_bob)
    }

    fn run(&mut self) {
        // The swarms were changed outside their tasks.
        self.alice.task.wake();
        self.bob.task.wake();
        self.pool.run_until_stalled();
    }

    /// Runs through libp2p's timers until the condition holds.
    fn run_until(&mut self, condition: impl Fn(&Pair) -> bool) {
        while !condition(self) {
            self.run();
            std::thread::yield_now();
        }
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    weft_wire::frame::put_framed(payload, &mut frame);
    frame
}

#[test]
fn frames_go_both_ways_in_their_order() {
    let (mut pair, at_alice, at_bob) = Pair::with_stream(&Config::default());
    let payloads: Vec<Vec<u8>> = [0, 1, 127, 128, 5_000, 20_000, 2 << 20, 3, 700_000, 0]
        .iter()
        .enumerate()
        .map(|(number, length)| vec![number as u8; *length])
        .collect();
    for payload in &payloads {
        pair.alice.send(at_alice, framed(payload));
        pair.bob.send(at_bob, framed(payload));
    }
    pair.run();
    for node in [&pair.alice, &pair.bob] {
        assert!(
            node.frames().iter().eq(payloads.iter()),
            "{:?}",
            node.frames().iter().map(Bytes::len).collect::<Vec<_>>()
        );
        assert!(node.closed().is_empty(), "{:?}", node.closed());
    }
}

#[test]
fn a_frame_over_the_bound_ends_the_stream_and_only_the_stream() {
    let (mut pair, at_alice, _) = Pair::with_stream(&Config::default());
    let mut prefix = Vec::new();
    weft_wire::varint::write((2 << 20) + 1, &mut prefix);
    pair.alice.send(at_alice, prefix);
    pair.run();
    assert_eq!(pair.bob.closed().len(), 1);
    assert!(pair.bob.closed()[0].contains("2097153"), "{:?}", pair.bob.closed());
    assert_eq!(pair.alice.closed().len(), 1);
    assert!(pair.bob.frames().is_empty());
    assert!(pair.alice.swarm.borrow().is_connected(&pair.bob.peer_id()));
}

#[test]
fn a_driver_that_does_not_keep_up_is_not_read_ahead_of() {
    let config = Config { ahead_bytes_max: 1 << 20, ..Config::default() };
    let (mut pair, at_alice, _) = Pair::with_stream(&config);
    *pair.bob.holds_permits.borrow_mut() = true;
    for number in 0..40 {
        pair.alice.send(at_alice, framed(&vec![number; 100_000]));
    }
    pair.run();
    // Ten frames reach the bound of 1 MiB; the eleventh passes it.
    assert_eq!(pair.bob.frames().len(), 11);
    *pair.bob.holds_permits.borrow_mut() = false;
    pair.bob.permits.borrow_mut().clear();
    pair.run();
    assert_eq!(pair.bob.frames().len(), 40);

    *pair.bob.holds_permits.borrow_mut() = true;
    for _ in 0..100 {
        pair.alice.send(at_alice, framed(b"small"));
    }
    pair.run();
    assert_eq!(pair.bob.frames().len(), 40 + config.ahead_frames_max);
}

#[test]
fn a_peer_that_does_not_read_loses_its_stream_and_costs_no_more_than_the_bound() {
    let config = Config { queued_bytes_max: 1 << 20, ahead_bytes_max: 1 << 20, ..Config::default() };
    let (mut pair, at_alice, _) = Pair::with_stream(&config);
    *pair.bob.holds_permits.borrow_mut() = true;
    for _ in 0..40 {
        pair.alice.send(at_alice, framed(&[7; 100_000]));
        pair.run();
    }
    assert_eq!(pair.alice.closed(), ["the other side does not read what is sent"]);
}

#[test]
fn a_frame_that_trickles_is_cut_off() {
    let config = Config { frame_timeout: Duration::from_millis(30), ..Config::default() };
    let (mut pair, at_alice, _) = Pair::with_stream(&config);
    pair.alice.send(at_alice, vec![100, 1, 2, 3]);
    pair.run_until(|pair| !pair.bob.closed().is_empty());
    assert_eq!(pair.bob.closed(), ["a frame took longer than 0.03 s"]);
}

#[test]
fn a_third_stream_of_one_protocol_is_refused() {
    let mut pair = Pair::connected(&Config::default());
    for protocol in [Protocol::Door, Protocol::Door, Protocol::Door, Protocol::Replication] {
        pair.alice.open(&pair.bob, protocol);
        pair.run();
    }
    assert_eq!(pair.bob.streams().len(), 3);
    assert_eq!(pair.alice.closed().len(), 1);
}

#[test]
fn closing_sends_what_is_queued_first() {
    let (mut pair, at_alice, _) = Pair::with_stream(&Config::default());
    pair.alice.send(at_alice, framed(&[7; 300_000]));
    pair.alice.swarm.borrow_mut().behaviour_mut().streams.close(at_alice);
    pair.run();
    assert_eq!(pair.bob.frames().len(), 1);
    assert_eq!(pair.bob.closed(), ["closed by the other side"]);
    assert!(pair.alice.closed().is_empty());
}

#[test]
fn the_end_of_the_connection_ends_its_streams_first() {
    let (mut pair, ..) = Pair::with_stream(&Config::default());
    let alice = pair.alice.peer_id();
    pair.bob.swarm.borrow_mut().disconnect_peer_id(alice).unwrap();
    pair.run();
    for node in [&pair.alice, &pair.bob] {
        let heard = node.heard.borrow();
        assert!(
            matches!(heard[heard.len() - 2..], [StreamEvent::StreamClosed { .. }, StreamEvent::Disconnected { .. }]),
            "{heard:?}"
        );
    }
    pair.alice.open(&pair.bob, Protocol::Door);
    pair.run();
    assert!(matches!(pair.alice.heard.borrow().last(), Some(StreamEvent::StreamFailed { .. })));
}
