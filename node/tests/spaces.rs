//! Spaces, invitations and what two nodes see of each other.

use super::harness::{Folder, Following, Up, share};

#[test]
fn a_space_has_its_maker_as_owner() {
    let alice = Folder::of("Alice");
    let space = alice.field("space", &["space", "create", "notes"]);
    assert!(space.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')), "{space}");
    let shown = alice.json(&["space", "show", &space[..6]]);
    assert_eq!((&shown["space"], &shown["name"], &shown["role"]), (&(*space).into(), &"notes".into(), &"owner".into()));
    let listed = alice.json(&["space", "list"]);
    assert_eq!(listed["spaces"][0]["space"], *space);
    let members = alice.json(&["space", "members", "notes"]);
    let member = &members["members"][0];
    assert_eq!((&member["name"], &member["me"], &member["role"]), (&"Alice".into(), &true.into(), &"owner".into()));
    assert_eq!(alice.error(5, &["wait", "notes", "--timeout", "1s"]), "no_node");
}

#[test]
fn a_newcomer_joins_by_link_once() {
    let (alice, bob, carol) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Carol"));
    let _alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    let _carol_up = carol.up(&[]);
    let space = alice.field("space", &["space", "create", "notes"]);
    let link = alice.field("link", &["invite", "notes", "--role", "reader"]);
    assert!(link.starts_with("weft-invite:"));
    let joined = bob.run_with(&["--json", "join", "-"], format!("{link}\n").as_bytes()).json();
    assert_eq!((&joined["space"], &joined["role"]), (&(*space).into(), &"reader".into()));
    assert_eq!(joined["inviter"], alice.json(&["status"])["identity"]);
    assert_eq!((&joined["says_space"], &joined["says_inviter"]), (&"notes".into(), &"Alice".into()));
    bob.json(&["wait", &space]);
    assert_eq!(bob.json(&["join", &link])["already"], true);
    assert_eq!(carol.error(4, &["join", &link]), "used_invitation");
    assert_eq!(carol.json(&["space", "list"])["spaces"], serde_json::json!([]));
    let cut_short = &link[..link.len() - 7];
    assert_eq!(carol.error(2, &["join", cut_short]), "malformed_link");
    assert_eq!(carol.error(2, &["join", "https://example.org"]), "malformed_link");
}

#[test]
fn an_expired_link_is_refused() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    alice.json(&["space", "create", "notes"]);
    // On a busy machine a link of a millisecond can be too late before it is made, which is refused too.
    let made =
        (0..50).map(|_| alice.run(&["--json", "invite", "notes", "--expires", "1ms"])).find(|made| made.exit == 0);
    let link = made.expect("one link of fifty in time").json()["link"].as_str().unwrap().to_owned();
    assert_eq!(bob.error(4, &["join", &link]), "expired_invitation");
}

#[test]
fn a_reader_cannot_write_and_nothing_is_lost_by_trying() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    alice.json(&["space", "create", "notes"]);
    alice.json(&["object", "create", "notes", "note", "name=poem", "body=hers"]);
    let link = alice.field("link", &["invite", "notes", "--role", "reader"]);
    bob.json(&["join", &link]);
    bob.json(&["wait", "notes"]);
    assert_eq!(bob.text("poem"), "hers");
    assert_eq!(bob.error(4, &["text", "insert", "poem", "0", "his "]), "wrong_role");
    assert_eq!(bob.error(4, &["object", "create", "notes", "note"]), "wrong_role");
    assert_eq!(bob.error(4, &["invite", "notes"]), "wrong_role");
    assert_eq!(bob.text("poem"), "hers");
}

#[test]
fn two_nodes_wait_for_each_other_by_name() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let alice_up = alice.up(&[]);
    let bob_up = bob.up(&[]);
    let space = share(&alice, &bob);
    alice.json(&["wait", &space]);
    let peer = &*bob_up.ready["peer_id"].as_str().unwrap().to_owned();
    for with in [peer, &peer[peer.len() - 8..], "Bob"] {
        assert_eq!(alice.json(&["wait", "notes", "--with", with])["with"], serde_json::json!([peer]));
    }
    assert_eq!(alice.error(3, &["wait", "notes", "--with", "Mallory"]), "unknown_peer");
    let stranger = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    assert_eq!(alice.error(3, &["wait", "notes", "--with", stranger, "--timeout", "300ms"]), "unknown_peer");
    let feeds = bob.json(&["feed", "list", "notes"]);
    assert_eq!(feeds["feeds"].as_array().unwrap().len(), 4, "{feeds}");
    assert!(bob.json(&["status"])["peers"].to_string().contains(alice_up.ready["peer_id"].as_str().unwrap()));
    let events = Following::start(&alice, &["--json", "events"]);
    bob_up.kill();
    let gone = || !alice.json(&["status"])["peers"].to_string().contains(peer);
    events.until_or(|event| event["event"] == "peer_disconnected", gone);
    assert_eq!(alice.error(5, &["wait", "notes", "--timeout", "300ms", "--with", "Bob"]), "not_level");
}

#[test]
fn a_node_without_membership_gets_nothing() {
    let (alice, mallory) = (Folder::of("Alice"), Folder::of("Mallory"));
    let alice_up = alice.up(&[]);
    let space = alice.field("space", &["space", "create", "notes"]);
    alice.json(&["object", "create", "notes", "note", "body=secret"]);
    let mallory_up = mallory.up(&["--peer", &alice_up.address()]);
    let stranger = mallory_up.ready["peer_id"].as_str().unwrap();
    let events = Following::start(&alice, &["--json", "events"]);
    let connected = || alice.json(&["status"])["peers"].to_string().contains(stranger);
    events.until_or(|event| event["event"] == "peer_connected", connected);
    assert_eq!(mallory.json(&["space", "list"])["spaces"], serde_json::json!([]));
    assert_eq!(mallory.error(3, &["object", "list", &space]), "unknown_space");
    assert_eq!(alice.json(&["status"])["peers"][0]["spaces"], serde_json::json!([]));
}

#[test]
fn a_link_can_be_made_before_the_node_is_started() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("/ip4/127.0.0.1/udp/{free}/quic-v1");
    let settings = format!("name = \"Alice\"\nlisten = [\"{listen}\"]\n");
    std::fs::write(alice.data().join("config.toml"), settings).unwrap();
    let space = alice.field("space", &["space", "create", "notes"]);
    let link = alice.field("link", &["invite", "notes"]);
    let _alice_up = Up::start(&alice, &["--api", "127.0.0.1:0"]).unwrap();
    let _bob_up = bob.up(&[]);
    assert_eq!(bob.field("space", &["join", &link]), space);
}

#[test]
fn joining_needs_no_running_node() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice_up = alice.up(&[]);
    alice.json(&["space", "create", "notes"]);
    let link = alice.field("link", &["invite", "notes"]);
    assert_eq!(bob.json(&["join", &link])["role"], "writer");
    assert_eq!(bob.json(&["space", "list"])["spaces"].as_array().unwrap().len(), 1);
    let _bob_up = bob.up(&[]);
    bob.json(&["wait", &bob.json(&["space", "list"])["spaces"][0]["space"].as_str().unwrap()[..12]]);
    assert_eq!(bob.json(&["space", "show", "notes"])["name"], "notes");
}

#[test]
fn nobody_renames_another_member_or_the_space() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    share(&alice, &bob);
    bob.json(&["wait", "notes"]);
    let identity = alice.json(&["status"])["identity"].clone();
    let listed = bob.json(&["object", "list", "notes", "--all"]);
    let theirs = |object: &&serde_json::Value| object["author"] == identity;
    for object in listed["objects"].as_array().unwrap().iter().filter(theirs) {
        let id = object["object"].as_str().unwrap();
        assert_eq!(bob.error(4, &["object", "set", id, "name=Mallory"]), "reserved_object");
        assert_eq!(bob.error(4, &["object", "delete", id]), "reserved_object");
    }
    let own = listed["objects"].as_array().unwrap().iter().find(|object| !theirs(object)).unwrap();
    assert_eq!(bob.error(4, &["object", "delete", own["object"].as_str().unwrap()]), "reserved_object");
    let members = bob.json(&["space", "members", "notes"])["members"].to_string();
    assert!(members.contains("Alice") && members.contains("Bob"), "{members}");
}
