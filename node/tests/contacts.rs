//! What people are called: by themselves, and by the owner of a node.

use serde_json::json;

use super::{
    harness::{Folder, until},
    members::{agree, share_with},
};

#[test]
fn a_name_of_ones_own_goes_before_what_people_call_themselves() {
    let (alice, bob, mallory) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Bobby"));
    let _nodes = [alice.up(&[]), bob.up(&[]), mallory.up(&[])];
    share_with(&alice, &[(&bob, "writer"), (&mallory, "writer")]);
    assert_eq!(alice.json(&["contact", "list"])["contacts"], json!([]));
    let (bobs, mallorys) = (bob.json(&["status"]), mallory.field("identity", &["status"]));
    let named = alice.json(&["contact", "name", "Bob", "Bobby"]);
    assert_eq!((&named["identity"], &named["names"]), (&bobs["identity"], &json!(["Bob"])));
    // Whoever takes that name is not taken for him.
    for name in ["Bobby", "Bob"] {
        assert_eq!(alice.json(&["member", "remove", "notes", name, "--dry-run"])["identity"], bobs["identity"]);
    }
    let with = alice.json(&["wait", "notes", "--with", "Bobby"])["with"].clone();
    assert!(with.as_array().unwrap().contains(&bobs["peer_id"]), "{with}");
    let status = alice.json(&["status"]);
    let known = status["peers"].as_array().unwrap().iter().find(|peer| peer["peer_id"] == bobs["peer_id"]);
    assert_eq!(known.unwrap()["name"], "Bobby");
    let shown = alice.run(&["member", "list", "notes"]).stdout;
    assert!(shown.contains("Bobby (says Bob)"), "{shown}");
    assert_eq!(alice.error(2, &["contact", "name", &mallorys, "Bobby"]), "petname_taken");
    assert_eq!(alice.error(3, &["contact", "name", "Dave", "D"]), "unknown_person");
    // Nobody else hears of it.
    let told = bob.json(&["member", "list", "notes"])["members"].clone();
    assert!(told.as_array().unwrap().iter().all(|member| member["petname"].is_null()), "{told}");
    alice.json(&["contact", "forget", "Bobby"]);
    assert_eq!(alice.json(&["contact", "list"])["contacts"], json!([]));
    assert_eq!(alice.json(&["contact", "verify", "Bob"])["identity"], bobs["identity"]);
}

#[test]
fn two_who_compare_their_safety_numbers_read_the_same_digits() {
    let (alice, bob, carol) = (Folder::of("Alice"), Folder::of("Bob"), Folder::of("Carol"));
    let alice_up = alice.up(&[]);
    let _others = [bob.up(&[]), carol.up(&[])];
    share_with(&alice, &[(&bob, "writer"), (&carol, "reader")]);
    let number = |folder: &Folder, with: &str| folder.field("safety_number", &["contact", "verify", with]);
    let digits = number(&alice, "Bob");
    assert_eq!(digits, number(&bob, "Alice"));
    assert_eq!(digits.split(' ').map(str::len).collect::<Vec<_>>(), [5; 12]);
    let carols = carol.field("identity", &["status"]);
    assert_ne!(digits, number(&alice, &carols[..8]));
    let shown = alice.run(&["contact", "verify", "Bob"]).stdout;
    assert!(digits.split(' ').all(|group| shown.contains(group)) && shown.contains("--verified"), "{shown}");
    assert!(alice.json(&["contact", "verify", "Bob", "--verified"])["verified"].is_string());
    alice_up.kill();
    let listed = alice.run(&["member", "list", "notes"]).stdout;
    assert!(listed.contains("Bob ✓"), "kept through a crash: {listed}");
    let members = alice.json(&["member", "list", "notes"]);
    let verified = members["members"].as_array().unwrap().iter().filter(|member| member["verified"] == true);
    assert_eq!(verified.map(|member| member["name"].clone()).collect::<Vec<_>>(), ["Bob"]);
    assert_eq!(alice.json(&["contact", "verify", "Bob", "--unverified"])["verified"], json!(null));
}

#[test]
fn a_new_name_of_ones_own_is_read_in_every_space() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _nodes = [alice.up(&[]), bob.up(&[])];
    share_with(&alice, &[(&bob, "writer")]);
    assert_eq!(bob.run(&["profile"]).stdout, "Bob\n");
    let set = bob.json(&["profile", "set", "Robert"]);
    assert_eq!((set["spaces"].as_array().unwrap().len(), &set["not_said"]), (1, &json!([])));
    assert_eq!(bob.json(&["status"])["name"], "Robert");
    until("Alice reads it", || alice.json(&["member", "list", "notes"]).to_string().contains("Robert"));
    agree(&[&bob, &alice]);
    bob.json(&["space", "create", "own"]);
    assert_eq!(bob.json(&["member", "list", "own"])["members"][0]["name"], "Robert", "in new ones too");
    assert_eq!(bob.error(2, &["profile", "set", "  "]), "usage");
    let settings = std::fs::read_to_string(bob.data().join("config.toml")).unwrap();
    assert!(settings.contains("name = \"Robert\""), "and after the next start: {settings}");
}
