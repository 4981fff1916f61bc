//! Links for many, links that somebody approves, links that are taken back, and who lets newcomers in while others are away.

use std::time::Instant;

use serde_json::Value;

use super::harness::{Folder, Following, PATIENCE, share};

/// Alice's space `notes`, with Bob as an admin.
fn with_an_admin(alice: &Folder, bob: &Folder) -> String {
    let space = alice.field("space", &["space", "create", "notes"]);
    let link = alice.field("link", &["invite", "notes", "--role", "admin"]);
    bob.json(&["join", &link]);
    alice.json(&["wait", "notes"]);
    bob.json(&["wait", "notes"]);
    space
}

/// A link that names two hosts, once it is known where the other one is.
fn link_of_two(alice: &Folder, arguments: &[&str]) -> Value {
    let begun = Instant::now();
    loop {
        let made = alice.json(&[&["invite", "notes"], arguments].concat());
        if made["hosts"].as_array().unwrap().len() == 2 {
            return made;
        }
        assert!(begun.elapsed() < PATIENCE, "one host only: {made}");
    }
}

fn link(made: &Value) -> &str {
    made["link"].as_str().unwrap()
}

fn the_only_one(alice: &Folder) -> Value {
    let listed = alice.json(&["invitation", "list"]);
    let [invitation] = &listed["invitations"].as_array().unwrap()[..] else { panic!("{listed}") };
    invitation.clone()
}

fn members(folder: &Folder) -> usize {
    folder.json(&["space", "members", "notes"])["members"].as_array().unwrap().len()
}

#[test]
fn another_admin_lets_newcomers_in_while_the_issuer_is_off_line() {
    let (alice, bob, carol) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Carol"));
    let alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    let _carol_up = carol.up(&[]);
    let space = with_an_admin(&alice, &bob);
    let made = link_of_two(&alice, &["--uses", "2"]);
    assert_eq!(made["hosts"][0], alice_up.ready["peer_id"]);
    bob.json(&["wait", "notes"]);
    alice_up.down();
    let joined = carol.json(&["join", link(&made)]);
    assert_eq!((&joined["space"], &joined["role"]), (&(*space).into(), &"writer".into()));
    assert_eq!(joined["inviter"], alice.json(&["status"])["identity"], "whoever lets them in, Alice invited");
    carol.json(&["wait", "notes", "--with", "Bob"]);
    let listed = bob.json(&["invitation", "list", "notes", "--all"]);
    let of_the_link = |known: &&Value| known["invitation"] == made["invitation"];
    let known = listed["invitations"].as_array().unwrap().iter().find(of_the_link).unwrap();
    assert_eq!((&known["used"], &known["left"], &known["hosted"]), (&1.into(), &1.into(), &true.into()));
    assert_eq!(known["redeemed"][0], carol.json(&["status"])["identity"]);
}

#[test]
fn of_two_who_race_for_one_use_at_two_hosts_one_is_a_member() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let (carol, dave) = (Folder::of("Carol"), Folder::of("Dave"));
    let alice_up = alice.up(&[]);
    let bob_up = bob.up(&[]);
    with_an_admin(&alice, &bob);
    let made = link_of_two(&alice, &[]);
    bob.json(&["wait", "notes"]);
    // Bob is away while Carol joins at Alice's, Alice while Dave joins at Bob's.
    let (alice_at, bob_at) = (alice_up.address(), bob_up.address());
    bob_up.down();
    carol.json(&["join", link(&made)]);
    alice_up.down();
    let _bob_up = bob.up(&["--listen", listen(&bob_at)]);
    dave.json(&["join", link(&made)]);
    let _alice_up = alice.up(&["--listen", listen(&alice_at), "--peer", &bob_at]);
    alice.json(&["wait", "notes", "--with", "Bob"]);
    bob.json(&["wait", "notes", "--with", "Alice"]);
    assert_eq!((members(&alice), members(&bob)), (3, 3));
}

/// An address without the peer's name.
fn listen(address: &str) -> &str {
    address.split_once("/p2p/").unwrap().0
}

#[test]
fn somebody_approves_one_newcomer_and_denies_another() {
    let (alice, bob, mallory) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Mallory"));
    let _alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    let _mallory_up = mallory.up(&[]);
    alice.json(&["space", "create", "notes"]);
    let link = alice.field("link", &["invite", "notes", "--uses", "5", "--approve"]);
    assert_eq!(bob.error(5, &["join", &link, "--no-wait"]), "waits_for_approval");
    let told = bob.run(&["join", &link, "--no-wait"]).stderr;
    let invitation = the_only_one(&alice);
    let [waiting] = &invitation["waiting"].as_array().unwrap()[..] else { panic!("{invitation}") };
    assert_eq!(waiting["identity"], bob.json(&["status"])["identity"]);
    let digits = waiting["digits"].as_str().unwrap();
    assert!(told.contains(digits), "Bob can read the same digits to Alice: {told} {digits}");
    let status = alice.json(&["status"]);
    assert_eq!(status["spaces"][0]["newcomers"], 1);
    assert!(alice.run(&["status"]).stdout.contains("1 newcomer waits to be let in"));
    assert!(alice.run(&["invitation", "list"]).stdout.contains(digits));

    let id = invitation["invitation"].as_str().unwrap();
    assert_eq!(alice.error(3, &["invitation", "approve", id, "nobody-known"]), "unknown_newcomer");
    assert_eq!(alice.json(&["invitation", "approve", &id[..8], digits])["approved"], true);
    let joined = bob.json(&["join", &link]);
    assert_eq!((&joined["role"], &joined["already"]), (&"writer".into(), &false.into()));
    bob.json(&["wait", "notes"]);
    assert_eq!(alice.json(&["status"])["spaces"][0]["newcomers"], 0);

    assert_eq!(mallory.error(5, &["join", &link, "--no-wait"]), "waits_for_approval");
    let hers = mallory.field("identity", &["status"]);
    assert_eq!(alice.json(&["invitation", "deny", id, &hers[..6]])["approved"], false);
    assert_eq!(mallory.error(4, &["join", &link]), "denied");
    assert_eq!(members(&alice), 2);
    assert_eq!(the_only_one(&alice)["left"], 4);
}

#[test]
fn whoever_waits_is_let_in_while_the_command_waits() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    alice.json(&["space", "create", "notes"]);
    let link = alice.field("link", &["invite", "notes", "--approve"]);
    let joining = Following::start(&bob, &["--json", "join", &link]);
    let begun = Instant::now();
    let invitation = loop {
        let invitation = the_only_one(&alice);
        if invitation["waiting"] != serde_json::json!([]) {
            break invitation;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody waits");
    };
    let identity = bob.field("identity", &["status"]);
    alice.json(&["invitation", "approve", invitation["invitation"].as_str().unwrap(), &identity]);
    let joined = joining.until(|answer| answer["space"].is_string());
    assert_eq!((&joined["role"], &joined["already"]), (&"writer".into(), &false.into()));
    assert_eq!(joining.end().exit, 0);
}

#[test]
fn a_revoked_link_is_not_valid_any_more() {
    let (alice, bob, carol) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Carol"));
    let _alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    let _carol_up = carol.up(&[]);
    share(&alice, &bob);
    let made = alice.json(&["invite", "notes", "--uses", "10000", "--role", "reader"]);
    assert_eq!(alice.error(2, &["invite", "notes", "--uses", "10001"]), "usage");
    let id = made["invitation"].as_str().unwrap();
    // A writer sees what is open, and takes nothing back that is not his.
    bob.json(&["wait", "notes"]);
    assert_eq!(the_only_one(&bob)["revocable"], false);
    assert_eq!(bob.error(4, &["invitation", "revoke", id]), "wrong_role");
    assert_eq!(alice.json(&["invitation", "revoke", &id[..6]])["standing"], 0);
    assert_eq!(alice.json(&["invitation", "list"])["invitations"], serde_json::json!([]));
    let all = alice.json(&["invitation", "list", "notes", "--all"]);
    let states = all["invitations"].as_array().unwrap().iter().map(|known| known["revoked"] == true);
    assert_eq!(states.filter(|revoked| *revoked).count(), 1);
    assert_eq!(carol.error(4, &["join", link(&made)]), "unknown_invitation");
    assert_eq!(alice.error(3, &["invitation", "revoke", "aaaaaa"]), "unknown_invitation");
}

#[test]
fn without_a_node_links_are_listed_and_taken_back_too() {
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "notes"]);
    let made = alice.json(&["invite", "notes", "--uses", "3", "--expires", "7d"]);
    let shown = alice.run(&["invitation", "list"]).stdout;
    assert!(shown.contains("0 of 3") && shown.contains("open") && shown.contains("Alice"), "{shown}");
    let revoked = alice.run(&["invitation", "revoke", &made["invitation"].as_str().unwrap()[..12]]);
    assert!(revoked.exit == 0 && revoked.stdout.starts_with("revoked "), "{revoked:?}");
    assert!(alice.run(&["invitation", "list", "--all"]).stdout.contains("revoked"));
}
