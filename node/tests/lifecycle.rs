//! A node's life: made, started, found, stopped, killed.

use std::net::{TcpListener, UdpSocket};

use serde_json::Value;

use super::harness::{Folder, LOOPBACK, Up};

fn node_file(folder: &Folder) -> Value {
    serde_json::from_slice(&std::fs::read(folder.data().join("node.json")).unwrap()).unwrap()
}

#[test]
fn init_makes_one_identity_and_only_one() {
    let folder = Folder::new();
    let made = folder.json(&["init", "--name", "Alice"]);
    assert_eq!((made["created"].clone(), made["name"].clone()), (true.into(), "Alice".into()));
    let again = folder.json(&["init"]);
    assert_eq!((again["created"].clone(), again["identity"].clone()), (false.into(), made["identity"].clone()));
    assert_eq!(folder.error(4, &["init", "--name", "Bob"]), "identity_exists");
    let status = folder.json(&["status"]);
    assert_eq!((status["identity"].clone(), status["running"].clone()), (made["identity"].clone(), false.into()));
}

#[test]
fn up_on_an_empty_folder_makes_an_identity_and_prints_no_phrase() {
    let folder = Folder::new();
    let node = folder.up(&[]);
    assert_eq!(node.ready["phrase_confirmed"], false);
    let phrase = folder.field("phrase", &["identity", "phrase"]);
    assert!([12, 24].contains(&phrase.split(' ').count()), "{phrase}");
    assert!(!node.ready.to_string().contains(&phrase));
    let notes = folder.json(&["status"])["notes"].to_string();
    assert!(
        notes.contains("recovery phrase not yet written down") && notes.contains("file permissions only"),
        "{notes}"
    );
    assert_eq!(folder.json(&["identity", "phrase", "--confirm"])["confirmed"], true);
    assert_eq!(folder.error(3, &["identity", "phrase"]), "phrase_confirmed");
    assert!(!folder.json(&["status"])["notes"].to_string().contains("recovery phrase"));
}

#[test]
fn a_running_node_is_found_by_its_file_and_leaves_none_behind() {
    let folder = Folder::of("Alice");
    let node = folder.up(&[]);
    let file = node_file(&folder);
    assert_eq!(file["peer_id"], node.ready["peer_id"]);
    #[cfg(unix)]
    for path in [folder.data().join("node.json"), file["token_path"].as_str().unwrap().into()] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    let status = folder.json(&["status"]);
    assert_eq!((status["running"].clone(), status["peer_id"].clone()), (true.into(), node.ready["peer_id"].clone()));
    node.down();
    assert_eq!(folder.json(&["status"])["running"], false);
}

#[cfg(unix)]
#[test]
fn signals_stop_a_node_in_order() {
    let folder = Folder::of("Alice");
    for signal in ["TERM", "INT"] {
        let node = folder.up(&[]);
        assert_eq!(node.signal(signal), 0);
        assert!(!folder.data().join("node.json").exists());
    }
}

#[test]
fn the_file_of_a_killed_node_is_stale() {
    let folder = Folder::of("Alice");
    folder.up(&[]).kill();
    assert!(folder.data().join("node.json").exists());
    assert_eq!(folder.json(&["status"])["running"], false);
    assert_eq!(folder.json(&["down"])["stopped"], false);
    let node = folder.up(&[]);
    assert_eq!(node_file(&folder)["peer_id"], node.ready["peer_id"]);
}

#[test]
fn a_second_node_on_the_same_folder_is_refused() {
    let folder = Folder::of("Alice");
    let node = folder.up(&[]);
    let Err(ended) = Up::start(&folder, &LOOPBACK) else { panic!("two nodes on one store") };
    assert_eq!(ended.error(6), "store_locked");
    assert_eq!(folder.json(&["status"])["peer_id"], node.ready["peer_id"], "the first goes on");
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_an_error() {
    let folder = Folder::of("Alice");
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = format!("/ip4/127.0.0.1/udp/{}/quic-v1", taken.local_addr().unwrap().port());
    let Err(ended) = Up::start(&folder, &["--listen", &listen, "--api", "127.0.0.1:0"]) else {
        panic!("{listen} is taken")
    };
    assert_eq!(ended.error(1), "port_in_use");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = taken.local_addr().unwrap().to_string();
    let Err(ended) = Up::start(&folder, &["--listen", LOOPBACK[1], "--api", &api]) else { panic!("{api} is taken") };
    assert_eq!(ended.error(1), "port_in_use");
    assert!(!folder.data().join("node.json").exists());
    folder.up(&[]).down();
}

#[test]
fn default_ports_are_chosen_once_and_kept() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let alice_up = Up::start(&alice, &[]).unwrap();
    let bob_up = Up::start(&bob, &[]).unwrap();
    let (api, listen) = (bob_up.ready["api"].clone(), bob_up.ready["listen"].clone());
    assert_ne!(api, alice_up.ready["api"]);
    assert!(!bob_up.ready["notes"].as_array().unwrap().is_empty(), "what is not the default is said");
    bob_up.down();
    let bob_up = Up::start(&bob, &[]).unwrap();
    assert_eq!((&api, &listen), (&bob_up.ready["api"], &bob_up.ready["listen"]));
}

#[test]
fn settings_of_a_running_node_are_its_own() {
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    let shown = folder.json(&["config", "show"]);
    let api = shown["settings"].as_array().unwrap().iter().find(|row| row["key"] == "api").unwrap();
    assert_eq!(api["source"], "flag");
}

#[test]
fn what_was_acknowledged_is_in_the_first_answer_after_a_crash() {
    let folder = Folder::of("Alice");
    folder.json(&["space", "create", "notes"]);
    folder.json(&["object", "create", "notes", "note", "name=poem"]);
    let mut expected = String::new();
    for round in 0..3 {
        let node = folder.up(&[]);
        for letter in ["a", "b", "c"] {
            folder.json(&["text", "insert", "poem", "0", letter]);
            expected.insert_str(0, letter);
        }
        node.kill();
        assert_eq!(folder.text("poem"), expected, "round {round}");
    }
}
