//! Who belongs to a space is changed: removed, given other roles, proposed and sealed; left, deleted and entered again.

use serde_json::{Value, json};

use super::harness::{Folder, until};

/// Alice's space `notes` with these, each connected with Alice.
pub(crate) fn share_with(alice: &Folder, others: &[(&Folder, &str)]) -> String {
    let space = alice.field("space", &["space", "create", "notes"]);
    for (folder, role) in others {
        let link = alice.field("link", &["invite", "notes", "--role", role]);
        folder.json(&["join", &link]);
        folder.json(&["wait", &space]);
    }
    let mut all = vec![alice];
    all.extend(others.iter().map(|(folder, _)| *folder));
    agree(&all);
    space
}

/// Waits until each of them is level with whoever of the others is connected with it.
pub(crate) fn agree(folders: &[&Folder]) {
    for _ in 0..2 {
        for folder in folders {
            folder.json(&["wait", "notes", "--timeout", "60s"]);
        }
    }
}

/// The names and roles of the members.
fn roles(folder: &Folder) -> Vec<(String, String)> {
    let listed = folder.json(&["member", "list", "notes"]);
    let members = listed["members"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut roles: Vec<_> = members.map(|member| (text(&member["name"]), text(&member["role"]))).collect();
    roles.sort();
    roles
}

fn have(folders: &[&Folder], wanted: &[(&str, &str)]) {
    for folder in folders {
        let roles = roles(folder);
        let same = roles.iter().map(|(name, role)| (name.as_str(), role.as_str())).eq(wanted.iter().copied());
        assert!(same, "{roles:?} rather than {wanted:?}");
    }
}

#[test]
fn a_removed_member_reads_nothing_that_is_written_after() {
    let (alice, bob, carol) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Carol"));
    let alice_up = alice.up(&[]);
    let _bob_up = bob.up(&[]);
    let carol_up = carol.up(&[]);
    share_with(&alice, &[(&bob, "writer"), (&carol, "writer")]);
    bob.json(&["object", "create", "notes", "note", "name=poem", "body=by Bob"]);
    agree(&[&bob, &alice, &carol]);
    carol_up.down();

    let would = alice.json(&["member", "remove", "notes", "Bob", "--dry-run"]);
    assert_eq!((&would["counts"], &would["not_held"], &would["dry_run"]), (&true.into(), &0.into(), &true.into()));
    assert_eq!(roles(&alice).len(), 3, "nothing was done yet");
    let removed = alice.json(&["member", "remove", "notes", "Bob"]);
    assert_eq!(
        (&removed["name"], &removed["becomes"], &removed["counts"]),
        (&"Bob".into(), &Value::Null, &true.into())
    );
    let [unheard] = &removed["unheard"].as_array().unwrap()[..] else { panic!("{removed}") };
    assert_eq!((&unheard["peer_id"], &unheard["name"]), (&carol.json(&["status"])["peer_id"], &"Carol".into()));
    let shown = alice.run(&["member", "list", "notes"]).stdout;
    assert!(shown.contains("not yet") && shown.contains("1 device is not known to have heard"), "{shown}");
    alice.json(&["text", "insert", "poem", "0", "secret of Alice, "]);

    let _carol_up = carol.up(&["--peer", &alice_up.address()]);
    carol.json(&["wait", "notes", "--with", "Alice"]);
    carol.json(&["text", "insert", "poem", "0", "secret of Carol, "]);
    agree(&[&carol, &alice]);
    have(&[&alice, &carol], &[("Alice", "owner"), ("Carol", "writer")]);
    for folder in [&alice, &carol] {
        assert_eq!(folder.text("poem"), "secret of Carol, secret of Alice, by Bob");
    }
    let shown = alice.run(&["member", "list", "notes"]).stdout;
    assert!(!shown.contains("not yet"), "{shown}");
    // Bob keeps what he had, and hears nothing more.
    assert_eq!(bob.text("poem"), "by Bob");
    assert_eq!(alice.error(3, &["member", "remove", "notes", "Bob"]), "unknown_member");
}

#[test]
fn what_a_member_may_not_do_is_refused_with_the_reason() {
    let (alice, bob, carol) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Carol"));
    let _nodes = [alice.up(&[]), bob.up(&[]), carol.up(&[])];
    share_with(&alice, &[(&bob, "admin"), (&carol, "writer")]);
    assert_eq!(carol.error(4, &["member", "remove", "notes", "Bob"]), "wrong_role");
    assert_eq!(carol.error(4, &["member", "role", "notes", "Carol", "admin"]), "wrong_role");
    assert_eq!(bob.error(4, &["member", "remove", "notes", "Alice"]), "outranked");
    assert_eq!(bob.error(4, &["member", "role", "notes", "Carol", "owner"]), "wrong_role");
    assert_eq!(bob.error(4, &["member", "role", "notes", "Carol", "writer"]), "same_role");
    assert_eq!(bob.error(3, &["member", "remove", "notes", "Dave"]), "unknown_member");
    assert_eq!(bob.error(2, &["member", "remove", "notes", "Bob"]), "own_identity");
    assert_eq!(alice.error(4, &["space", "leave", "notes"]), "last_owner");
    assert_eq!(alice.error(3, &["member", "seal", "notes", "Carol"]), "unknown_proposal");
    let hint = bob.run(&["member", "remove", "notes", "Alice"]).stderr;
    assert!(hint.contains("--propose") && hint.contains("2 of the 2 owners and admins"), "{hint}");
    have(&[&alice, &bob], &[("Alice", "owner"), ("Bob", "admin"), ("Carol", "writer")]);
}

#[test]
fn a_role_is_given_and_taken_and_holds_at_once() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _nodes = [alice.up(&[]), bob.up(&[])];
    share_with(&alice, &[(&bob, "writer")]);
    bob.json(&["object", "create", "notes", "note", "name=poem", "body=roses"]);
    agree(&[&bob, &alice]);
    let would = alice.json(&["member", "role", "notes", "Bob", "reader", "--dry-run"]);
    assert_eq!(
        (&would["role"], &would["becomes"], &would["takes"]),
        (&"writer".into(), &"reader".into(), &true.into())
    );
    let changed = alice.run(&["member", "role", "notes", "Bob", "reader"]);
    assert_eq!((changed.exit, changed.stdout.as_str()), (0, "`Bob` is a reader of `notes` now\n"), "{changed:?}");
    agree(&[&alice, &bob]);
    assert_eq!(bob.error(4, &["text", "insert", "poem", "0", "red "]), "wrong_role");
    assert_eq!(bob.json(&["space", "show", "notes"])["role"], "reader");
    alice.json(&["member", "role", "notes", "Bob", "owner"]);
    agree(&[&alice, &bob]);
    bob.json(&["text", "insert", "poem", "0", "red "]);
    agree(&[&bob, &alice]);
    assert_eq!(alice.text("poem"), "red roses");
    // With two owners either may go.
    assert_eq!(alice.json(&["space", "leave", "notes", "--dry-run"])["administer"], json!(["Bob"]));
}

#[test]
fn two_of_three_who_administer_remove_the_third() {
    let (alice, bob, carol) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Carol"));
    let _nodes = [alice.up(&[]), bob.up(&[]), carol.up(&[])];
    share_with(&alice, &[(&bob, "admin"), (&carol, "admin")]);
    // Bob is the more senior of the two: Carol alone cannot.
    assert_eq!(carol.error(4, &["member", "remove", "notes", "Bob"]), "outranked");
    let would = carol.json(&["member", "remove", "notes", "Bob", "--propose", "--dry-run"]);
    assert_eq!((&would["counts"], &would["votes"]), (&false.into(), &json!({"needed": 2, "of": 3})));
    let proposed = carol.json(&["member", "remove", "notes", "Bob", "--propose"]);
    let proposal = proposed["proposal"].as_str().unwrap();
    assert_eq!(proposed["counts"], false);
    agree(&[&carol, &alice, &bob]);
    assert_eq!(alice.json(&["status"])["spaces"][0]["proposals"], 1);
    let listed = alice.json(&["member", "list", "notes"]);
    let waiting = &listed["proposals"][0];
    let said = (&waiting["proposal"], &waiting["name"], &waiting["by_name"]);
    assert_eq!(said, (&proposal.into(), &"Bob".into(), &"Carol".into()));
    let shown = alice.run(&["member", "list", "notes"]).stdout;
    assert!(shown.contains("proposed: Bob is removed") && shown.contains("weft member seal "), "{shown}");
    assert_eq!(roles(&alice).len(), 3);

    let sealed = alice.json(&["member", "seal", "notes", "Bob"]);
    assert_eq!((&sealed["proposal"], &sealed["counts"]), (&proposal.into(), &true.into()));
    until("Carol has heard of the seal", || roles(&carol).len() == 2);
    have(&[&alice, &carol], &[("Alice", "owner"), ("Carol", "admin")]);
    assert_eq!(alice.json(&["status"])["spaces"][0]["proposals"], 0);
    carol.json(&["object", "create", "notes", "note", "name=after"]);
    agree(&[&carol, &alice]);
    assert_eq!(bob.error(3, &["object", "get", "after"]), "unknown_object");
}

#[test]
fn of_two_admins_who_remove_each_other_the_senior_one_stays() {
    let (alice, bob, carol) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Carol"));
    let alice_up = alice.up(&[]);
    let bob_up = bob.up(&[]);
    let carol_up = carol.up(&[]);
    share_with(&alice, &[(&bob, "admin"), (&carol, "admin")]);
    bob_up.down();
    carol_up.down();
    // Neither has heard of the other.
    assert_eq!(bob.json(&["member", "remove", "notes", "Carol"])["counts"], true);
    assert_eq!(carol.json(&["member", "remove", "notes", "Bob", "--propose"])["counts"], false);
    let address = alice_up.address();
    let _carol_up = carol.up(&["--peer", &address]);
    carol.json(&["wait", "notes", "--with", "Alice"]);
    let _bob_up = bob.up(&["--peer", &address]);
    until("Alice has heard of both", || roles(&alice).len() == 2);
    bob.json(&["wait", "notes", "--with", "Alice"]);
    have(&[&alice, &bob], &[("Alice", "owner"), ("Bob", "admin")]);
    assert_eq!(alice.json(&["member", "list", "notes"])["proposals"], json!([]));
}

#[test]
fn who_leaves_keeps_what_is_here_and_writes_nothing_more() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _nodes = [alice.up(&[]), bob.up(&[])];
    let space = share_with(&alice, &[(&bob, "writer")]);
    alice.json(&["object", "create", "notes", "note", "name=poem", "body=roses"]);
    agree(&[&alice, &bob]);
    let would = bob.json(&["space", "leave", "notes", "--dry-run"]);
    let said = (&would["others"], &would["administer"], &would["role"]);
    assert_eq!(said, (&1.into(), &json!(["Alice"]), &"writer".into()));
    bob.json(&["space", "leave", "notes"]);
    until("Alice has heard that Bob is gone", || roles(&alice).len() == 1);
    alice.json(&["text", "insert", "poem", "0", "red "]);
    assert_eq!(bob.text("poem"), "roses");
    assert_eq!(bob.error(4, &["text", "insert", "poem", "0", "red "]), "left_space");
    assert_eq!(bob.error(4, &["invite", "notes"]), "left_space");
    assert_eq!(bob.error(4, &["space", "leave", "notes"]), "left_space");
    let status = &bob.json(&["status"])["spaces"][0];
    assert_eq!((&status["gone"], &status["role"], &status["waiting"]), (&"left".into(), &Value::Null, &json!([])));
    let shown = bob.run(&["space", "list"]).stdout;
    assert!(shown.contains("you left notes"), "{shown}");
    // He deletes it, and with this device he does not come back.
    assert_eq!(bob.json(&["space", "delete", "notes"])["others"], 1);
    assert_eq!(bob.json(&["space", "list"])["spaces"], json!([]));
    let link = alice.field("link", &["invite", &space]);
    assert_eq!(bob.error(4, &["join", &link]), "device_ended");
}

#[test]
fn a_deleted_space_comes_back_by_a_new_invitation() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let alice_up = alice.up(&[]);
    let bob_up = bob.up(&[]);
    let space = share_with(&alice, &[(&bob, "writer")]);
    bob.json(&["object", "create", "notes", "note", "name=poem", "body=roses"]);
    agree(&[&bob, &alice]);
    // Who is a member has to say that he means it, where nobody can be asked.
    assert_eq!(bob.error(4, &["space", "delete", "notes"]), "not_confirmed");
    let would = bob.json(&["space", "delete", "notes", "--dry-run"]);
    assert_eq!((&would["role"], &would["others"], &would["level"]), (&"writer".into(), &1.into(), &true.into()));
    assert!(anchor_has_keys(&bob, &space));
    bob.json(&["space", "delete", "notes", "--yes"]);
    assert_eq!(bob.error(3, &["text", "show", "poem"]), "unknown_object");
    bob_up.kill();
    assert_eq!(bob.json(&["space", "list"])["spaces"], json!([]), "after a crash too");
    assert!(!anchor_has_keys(&bob, &space));

    let bob_up = bob.up(&["--peer", &alice_up.address()]);
    let link = alice.field("link", &["invite", "notes"]);
    assert_eq!(bob.json(&["join", &link])["already"], false);
    bob.json(&["wait", &space]);
    assert_eq!(bob.text("poem"), "roses");
    bob.json(&["text", "insert", "poem", "0", "red "]);
    agree(&[&bob, &alice]);
    assert_eq!(alice.text("poem"), "red roses");
    have(&[&alice, &bob], &[("Alice", "owner"), ("Bob", "writer")]);
    bob_up.kill();
    let _bob_up = bob.up(&["--peer", &alice_up.address()]);
    bob.json(&["text", "insert", "poem", "0", "dark "]);
    agree(&[&bob, &alice]);
    assert_eq!(alice.text("poem"), "dark red roses");
    for folder in [&alice, &bob] {
        assert_eq!(folder.json(&["verify"])["verified"], true);
        assert!(!folder.json(&["status"]).to_string().contains("fork"));
    }
}

/// Whether what a lost store would be made of again has this device's keys in a space.
fn anchor_has_keys(folder: &Folder, space: &str) -> bool {
    let id = data_encoding::BASE32_NOPAD.decode(space.to_uppercase().as_bytes()).unwrap();
    let anchor = std::fs::read(folder.data().join("anchor")).unwrap();
    let key = [b"space/".as_slice(), &id].concat();
    anchor.windows(key.len()).any(|window| window == key)
}

#[test]
fn every_owner_may_rename_a_space_and_nobody_else() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _nodes = [alice.up(&[]), bob.up(&[])];
    let space = share_with(&alice, &[(&bob, "writer")]);
    let name = |folder: &Folder| folder.json(&["space", "show", &space])["name"].clone();
    let both =
        |wanted: &str| until("both read the name", || [&alice, &bob].iter().all(|folder| name(folder) == wanted));
    assert_eq!(bob.error(4, &["space", "rename", "notes", "mine"]), "wrong_role");
    assert_eq!(alice.json(&["space", "rename", "notes", "garden"])["name"], "garden");
    both("garden");
    alice.json(&["member", "role", "garden", "Bob", "owner"]);
    until("Bob is an owner", || bob.json(&["space", "show", &space])["role"] == "owner");
    bob.json(&["space", "rename", "garden", "orchard"]);
    both("orchard");
    // Who is no owner any more takes along what it has called the space.
    alice.json(&["member", "role", "orchard", "Bob", "writer"]);
    both("garden");
    alice.json(&["space", "rename", "garden", "meadow"]);
    both("meadow");
}

#[test]
fn an_owner_says_what_newcomers_can_read() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _nodes = [alice.up(&[]), bob.up(&[])];
    share_with(&alice, &[(&bob, "admin")]);
    let policy = |folder: &Folder| folder.json(&["space", "policy", "notes"])["history"].clone();
    assert_eq!(policy(&alice), "all");
    assert_eq!(bob.error(4, &["space", "policy", "notes", "--set", "from-joining"]), "wrong_role");
    assert_eq!(alice.json(&["space", "policy", "notes", "--set", "from-joining"])["history"], "from_joining");
    until("Bob has heard of it", || policy(&bob) == "from_joining");
    let shown = bob.run(&["space", "policy", "notes"]).stdout;
    assert_eq!(shown, "newcomers read what is written from their coming on\n");
}
