//! Whole nodes on loopback: what is appended at one is durable at the other, across restarts and crashes of connections.

use std::{path::Path, time::Duration};

use libp2p::Multiaddr;
use tokio::{runtime::Runtime, sync::broadcast::Receiver};
use weft_credential::Role;
use weft_invitation::Link;
use weft_peer::{NewLink, Terms};

use super::*;

/// A test that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

fn run(test: impl Future<Output = ()>) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("it takes too long") });
}

fn config(folder: &Path, listen: &str) -> NodeConfig {
    NodeConfig { listen: vec![listen.parse().unwrap()], ..NodeConfig::new(folder) }
}

const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const TCP: &str = "/ip4/127.0.0.1/tcp/0";

async fn until(events: &mut Receiver<Event>, wanted: impl Fn(&Event) -> bool) {
    while !wanted(&events.recv().await.unwrap()) {}
}

async fn create_space(node: &Node) -> SpaceId {
    match node.command(Command::CreateSpace { name: "garden".into() }).await.unwrap() {
        Answer::SpaceCreated { space } => space,
        other => panic!("{other:?}"),
    }
}

async fn invite(node: &Node, space: SpaceId) -> Link {
    let command = Command::Invite(NewLink {
        space,
        terms: Terms::once(Role::Writer, u64::MAX),
        addresses: node.listen_addresses().iter().map(Multiaddr::to_string).collect(),
        places: Vec::new(),
        space_name: "garden".into(),
        inviter_name: "Alice".into(),
    });
    match node.command(command).await.unwrap() {
        Answer::Invited { link, .. } => Link::parse(&link).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn extended(feed: FeedId, to: u64) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Extended { feed: of, length, .. } if *of == feed && *length >= to)
}

async fn shares_a_space_over(listen: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let alice = Node::start(config(&folder.path().join("alice"), listen)).await.unwrap();
    let bob = Node::start(config(&folder.path().join("bob"), listen)).await.unwrap();
    let space = create_space(&alice).await;
    let link = invite(&alice, space).await;
    let mut at_bob = bob.events();
    bob.command(Command::Join { link }).await.unwrap();

    let first = alice.append(space, "from Alice").await.unwrap();
    until(&mut at_bob, extended(first.feed, first.seq + 1)).await;
    let mut at_alice = alice.events();
    let second = bob.append(space, "from Bob").await.unwrap();
    until(&mut at_alice, extended(second.feed, second.seq + 1)).await;
    for node in [&alice, &bob] {
        let reader = node.reader();
        let verified = tokio::task::spawn_blocking(move || reader.verify(space)).await.unwrap().unwrap();
        assert_eq!(verified.feeds, 4);
    }

    // Bob goes away, Alice writes on; when he is back he finds her by himself and gets the rest.
    bob.stop().await;
    let third = alice.append(space, "meanwhile").await.unwrap();
    let bob = Node::start(config(&folder.path().join("bob"), listen)).await.unwrap();
    let mut at_bob = bob.events();
    let records = Command::Records { space, feed: third.feed, from: 0, entries_max: 100 };
    until(&mut at_bob, extended(third.feed, third.seq + 1)).await;
    match bob.command(records).await.unwrap() {
        Answer::Records { records, .. } => {
            let texts: Vec<&[u8]> = records.iter().map(|(_, record)| &record[..]).collect();
            assert_eq!(texts, [&b"from Alice"[..], b"meanwhile"]);
        }
        other => panic!("{other:?}"),
    }
    alice.stop().await;
    bob.stop().await;
}

#[test]
fn two_nodes_share_a_space_over_quic() {
    run(shares_a_space_over(QUIC));
}

#[test]
fn two_nodes_share_a_space_over_tcp() {
    run(shares_a_space_over(TCP));
}

#[test]
fn a_second_node_on_the_folder_is_told_who_has_it() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::offline(NodeConfig::new(folder.path())).await.unwrap();
        let refused = Node::offline(NodeConfig::new(folder.path())).await.err().unwrap();
        assert!(matches!(refused, StartError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{refused}");
        let (peer, identity) = (node.peer_id(), node.identity());
        node.stop().await;
        let again = Node::offline(NodeConfig::new(folder.path())).await.unwrap();
        assert_eq!((again.peer_id(), again.identity()), (peer, identity));
        again.stop().await;
    });
}

#[test]
fn a_port_that_is_taken_is_named() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        for listen in [QUIC, TCP] {
            let first = Node::start(config(&folder.path().join("first"), listen)).await.unwrap();
            let taken = first.listen_addresses()[0].clone();
            let second = Node::start(config(&folder.path().join("second"), &taken.to_string())).await.err().unwrap();
            assert!(matches!(&second, StartError::PortInUse { address } if *address == taken), "{second}");
            first.stop().await;
        }
    });
}

#[test]
fn a_node_that_stopped_refuses_what_is_asked_of_it() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::offline(NodeConfig::new(folder.path())).await.unwrap();
        let handle = node.clone();
        node.stop().await;
        handle.stopped().await;
        let refused = handle.command(Command::Status).await.unwrap_err();
        assert_eq!((refused.code, refused.kind), ("node_stopped", RefusalKind::Store));
        assert_eq!(handle.failure(), None);
    });
}

/// A node on a wall clock that the test sets.
async fn on_clock(folder: &Path, wall: &Arc<std::sync::atomic::AtomicU64>) -> Node {
    let wall = Arc::clone(wall);
    let clock = Arc::new(move || wall.load(std::sync::atomic::Ordering::SeqCst));
    Node::launch(config(folder, QUIC), true, clock).await.unwrap()
}

/// Spec: INVITATION-4
#[test]
fn a_clock_that_jumps_by_years_moves_expiries_and_nothing_else() {
    use std::sync::atomic::{AtomicU64, Ordering};
    const HOUR: u64 = 3_600_000;
    const YEARS: u64 = 5 * 365 * 24 * HOUR;
    const NOW: u64 = 1_800_000_000_000;
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let wall = Arc::new(AtomicU64::new(NOW));
        let alice = on_clock(&folder.path().join("alice"), &wall).await;
        let bob = on_clock(&folder.path().join("bob"), &Arc::new(AtomicU64::new(NOW - YEARS))).await;
        let space = create_space(&alice).await;
        let command = |addresses| {
            Command::Invite(NewLink {
                space,
                terms: Terms::once(Role::Writer, NOW + HOUR),
                addresses,
                places: Vec::new(),
                space_name: "garden".into(),
                inviter_name: "Alice".into(),
            })
        };
        let addresses = alice.listen_addresses().iter().map(Multiaddr::to_string).collect();
        let Answer::Invited { link, .. } = alice.command(command(addresses)).await.unwrap() else { panic!("a link") };
        let link = Link::parse(&link).unwrap();

        // The host's clock goes forward, without anybody asking it anything: the link has expired.
        wall.store(NOW + YEARS, Ordering::SeqCst);
        let refused = bob.command(Command::Join { link: link.clone() }).await.unwrap_err();
        assert!(refused.code.contains("expired") || refused.message.contains("expired"), "{refused:?}");
        // It goes back to where it was, and further: the link stands again.
        wall.store(NOW - YEARS, Ordering::SeqCst);
        bob.command(Command::Join { link }).await.unwrap();

        // Entries flow whatever the clocks say, and in the order in which they were written.
        let (mut at_alice, mut at_bob) = (alice.events(), bob.events());
        let mut last = None;
        for (round, jump) in [NOW + YEARS, 0, NOW, u64::MAX / 2, 1].into_iter().enumerate() {
            wall.store(jump, Ordering::SeqCst);
            let appended = alice.append(space, format!("{round}")).await.unwrap();
            assert!(last.is_none_or(|last: Appended| last.seq < appended.seq));
            last = Some(appended);
            until(&mut at_bob, extended(appended.feed, appended.seq + 1)).await;
        }
        let feed = last.unwrap().feed;
        let records = Command::Records { space, feed, from: 0, entries_max: 100 };
        let Answer::Records { records, .. } = bob.command(records).await.unwrap() else { panic!("records") };
        let texts: Vec<&[u8]> = records.iter().map(|(_, record)| &record[..]).collect();
        assert_eq!(texts, [b"0", b"1", b"2", b"3", b"4"]);
        // Timers are of the other clock: the two get level.
        loop {
            let Answer::Status(status) = alice.command(Command::Status).await.unwrap() else { panic!("a status") };
            if status.spaces[0].level && status.spaces[0].waiting.is_empty() {
                break;
            }
            at_alice.recv().await.unwrap();
        }
        alice.stop().await;
        bob.stop().await;
    });
}
