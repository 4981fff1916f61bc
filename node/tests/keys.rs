//! Keys at rest: under a passphrase, changed while a node runs, and opened by nobody without it.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use super::harness::{Ended, Folder, LOOPBACK, Up, argument, share};

const FIRST: &str = "correct horse battery staple";
const SECOND: &str = "another one, just as long";

/// A folder whose identity was made under the passphrase, and the file that holds it.
fn protected(passphrase: &str) -> (Folder, String) {
    let folder = Folder::new();
    let file = argument(&folder.file("passphrase", passphrase)).to_owned();
    folder.json(&["init", "--name", "Alice", "--passphrase-file", &file]);
    (folder, file)
}

fn error(ended: &Ended) -> (i32, Value) {
    (ended.exit, serde_json::from_str(&ended.stderr).unwrap_or_else(|error| panic!("{error}: {ended:?}")))
}

#[test]
fn an_identity_made_under_a_passphrase_is_opened_by_it_alone() {
    let (alice, file) = protected(FIRST);
    let key = std::fs::read(alice.data().join("identity/key")).unwrap();
    assert_eq!(&key[..6], b"weft\x01\x02", "the key was never here without it");
    assert_eq!(alice.error(4, &["status"]), "passphrase_needed");
    assert_eq!(alice.error(4, &["space", "create", "garden"]), "passphrase_needed");
    let (exit, said) = error(&Up::start(&alice, &LOOPBACK).err().expect("nobody can be asked"));
    assert_eq!(exit, 4);
    assert_eq!(said["error"]["code"], "passphrase_needed");
    assert!(said["error"]["hint"].as_str().unwrap().contains("--passphrase-file"), "{said}");

    let wrong = alice.file("wrong", "correct horse battery stapler");
    assert_eq!(alice.error(4, &["status", "--passphrase-file", argument(&wrong)]), "wrong_passphrase");
    let status = alice.json(&["status", "--passphrase-file", &file]);
    assert_eq!(status["keys"]["protection"], "passphrase");
    assert_eq!(status["keys"]["command"], "weft identity passphrase");
    let notes = status["notes"].to_string();
    assert!(!notes.contains("file permissions"), "{notes}");
}

#[test]
fn a_node_starts_unattended_from_a_file_and_serves_commands_without_it() {
    let (alice, file) = protected(FIRST);
    let node = alice.up(&["--passphrase-file", &file]);
    alice.json(&["space", "create", "garden"]);
    assert_eq!(alice.field("phrase", &["identity", "phrase"]).split(' ').count(), 24);
    node.down();
    // From standard input, a line for each that is asked for.
    let status = alice.run_with(&["--json", "status", "--passphrase-file", "-"], format!("{FIRST}\r\n").as_bytes());
    assert_eq!(status.json()["keys"]["protection"], "passphrase");
    let change = ["--json", "identity", "passphrase", "--passphrase-file", "-", "--new-passphrase-file", "-"];
    alice.run_with(&change, format!("{FIRST}\n{SECOND}\n").as_bytes()).json();
    assert_eq!(alice.error(4, &["status", "--passphrase-file", &file]), "wrong_passphrase");
    alice.run_with(&change, format!("{SECOND}\n{FIRST}\n").as_bytes()).json();
    // A setting does for a service.
    std::fs::write(alice.data().join("config.toml"), format!("passphrase_file = {file:?}\n")).unwrap();
    alice.up(&[]).down();
}

#[test]
fn a_passphrase_is_set_changed_and_removed_while_a_node_runs() {
    let alice = Folder::of("Alice");
    let first = argument(&alice.file("first", FIRST)).to_owned();
    let second = argument(&alice.file("second", SECOND)).to_owned();
    let before = alice.json(&["status"]);
    assert_eq!(before["keys"]["protection"], "file_permissions");
    let node = alice.up(&[]);
    let change = |arguments: &[&str]| alice.json(&[&["identity", "passphrase"], arguments].concat());

    assert_eq!(change(&["--new-passphrase-file", &first])["protection"], "passphrase");
    assert_eq!(alice.json(&["status"])["keys"]["protection"], "passphrase", "the running node says so at once");
    assert_eq!(alice.error(4, &["identity", "passphrase", "--remove"]), "passphrase_needed");
    assert_eq!(change(&["--passphrase-file", &first, "--new-passphrase-file", &second])["before"], "passphrase");
    let with_the_old = ["identity", "passphrase", "--remove", "--passphrase-file", &first];
    assert_eq!(alice.error(4, &with_the_old), "wrong_passphrase");
    alice.json(&["space", "create", "garden"]);
    node.kill();

    assert_eq!(alice.error(4, &["status", "--passphrase-file", &first]), "wrong_passphrase");
    alice.up(&["--passphrase-file", &second]).down();
    assert_eq!(change(&["--remove", "--passphrase-file", &second])["protection"], "file_permissions");
    assert_eq!(change(&["--remove"])["before"], "file_permissions", "there is none to remove");
    let after = alice.json(&["status"]);
    assert_eq!((&after["peer_id"], &after["identity"]), (&before["peer_id"], &before["identity"]));
}

#[test]
fn what_is_no_passphrase_changes_nothing() {
    let alice = Folder::of("Alice");
    let key = std::fs::read(alice.data().join("identity/key")).unwrap();
    let try_file = |content: &[u8]| {
        let file = alice.file("new", content);
        alice.error(4, &["identity", "passphrase", "--new-passphrase-file", argument(&file)])
    };
    for content in [&b"short"[..], b"", b"\nsecond line is long enough", &[b'a'; 2000], b"\xff\xfe no text at all"] {
        assert_eq!(try_file(content), "unfit_passphrase");
    }
    assert_eq!(alice.error(4, &["identity", "passphrase"]), "passphrase_needed", "nobody can be asked");
    assert_eq!(alice.error(1, &["identity", "passphrase", "--new-passphrase-file", "/nowhere"]), "unreadable_file");
    assert_eq!(alice.error(2, &["identity", "passphrase", "--remove", "--new-passphrase-file", "x"]), "usage");
    assert_eq!(std::fs::read(alice.data().join("identity/key")).unwrap(), key);
    let nobody = Folder::new();
    let short = nobody.file("short", "short");
    assert_eq!(nobody.error(4, &["init", "--passphrase-file", argument(&short)]), "unfit_passphrase");
    assert!(!nobody.data().join("identity").exists(), "and no identity was made without one");
    assert_eq!(nobody.error(3, &["identity", "passphrase"]), "no_identity");
}

#[test]
fn a_folder_whose_key_is_missing_cut_or_crafted_is_named_and_left_alone() {
    let (alice, file) = protected(FIRST);
    let path = alice.data().join("identity/key");
    let whole = std::fs::read(&path).unwrap();
    let status = ["status", "--passphrase-file", &file];
    let mut dear = whole.clone();
    dear[6..10].copy_from_slice(&u32::MAX.to_le_bytes());
    for bytes in [&whole[..20], &whole[..60], &dear, b"", &[7; 4096]] {
        std::fs::write(&path, bytes).unwrap();
        let ended = alice.run(&[&["--json"], &status[..]].concat());
        assert_eq!(ended.error(6), "identity_unusable");
        assert!(ended.stderr.contains("identity/key"), "{ended:?}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is as it was");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(alice.error(6, &status), "identity_unusable");
    assert!(!path.exists(), "no other key is made in its place");
    std::fs::write(&path, &whole).unwrap();
    alice.json(&status);
}

#[test]
fn a_locked_node_forgets_its_keys_answers_nothing_else_and_comes_back() {
    let (alice, file) = protected(FIRST);
    let bob = Folder::of("Bob");
    let node = alice.up(&["--passphrase-file", &file]);
    let bob_node = bob.up(&[]);
    share(&alice, &bob);
    let object = alice.field("object", &["object", "create", "notes", "note", "name=plan", "body=the treasure"]);
    bob.json(&["wait", "notes"]);
    let before = alice.json(&["status"]);
    assert_eq!(alice.json(&["identity", "unlock"])["locked"], false, "it was not locked");

    assert_eq!(alice.json(&["identity", "lock"])["locked"], true);
    for command in [&["status"][..], &["text", "show", &object], &["space", "list"], &["identity", "phrase"]] {
        assert_eq!(alice.error(4, command), "identity_locked");
    }
    let second = Up::start(&alice, &[&LOOPBACK[..], &["--passphrase-file", &file]].concat());
    assert_eq!(second.err().expect("the folder is taken").error(6), "store_locked");
    assert_eq!(alice.json(&["identity", "lock"])["locked"], true, "it stays so");
    assert_eq!(bob.error(5, &["wait", "notes", "--timeout", "100ms"]), "not_level", "it has left its peers");

    let wrong = alice.file("wrong", SECOND);
    let wrong = ["identity", "unlock", "--passphrase-file", argument(&wrong)];
    assert_eq!(alice.error(4, &wrong), "wrong_passphrase");
    assert_eq!(alice.error(4, &["identity", "unlock"]), "passphrase_needed");
    assert_eq!(alice.error(4, &["status"]), "identity_locked");

    assert_eq!(alice.json(&["identity", "unlock", "--passphrase-file", &file])["locked"], false);
    assert_eq!(alice.json(&["status"])["peer_id"], before["peer_id"]);
    assert_eq!(alice.text(&object), "the treasure");
    alice.json(&["text", "insert", &object, "0", "all "]);
    bob.json(&["wait", "notes"]);
    assert_eq!(bob.text(&object), "all the treasure");
    alice.json(&["identity", "lock"]);
    node.down();
    bob_node.down();
}

#[test]
fn keys_under_no_passphrase_are_not_locked_and_nobody_holds_them_without_a_node() {
    let alice = Folder::of("Alice");
    assert_eq!(alice.json(&["identity", "lock"])["running"], false);
    assert_eq!(alice.error(1, &["identity", "unlock"]), "no_node");
    let node = alice.up(&[]);
    assert_eq!(alice.error(4, &["identity", "lock"]), "no_passphrase");
    alice.json(&["status"]);
    node.down();
}

#[test]
fn a_locked_node_keeps_its_guard_and_is_not_held_by_half_a_request() {
    let (alice, file) = protected(FIRST);
    let node = alice.up(&["--passphrase-file", &file]);
    alice.json(&["identity", "lock"]);
    let note: Value = serde_json::from_slice(&std::fs::read(alice.data().join("node.json")).unwrap()).unwrap();
    let address = note["api"].as_str().unwrap();

    // The passphrase without the token opens nothing.
    let mut stranger = TcpStream::connect(address).unwrap();
    let length = FIRST.len();
    write!(
        stranger,
        "POST /api/v1/identity/unlock HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{FIRST}"
    )
    .unwrap();
    let mut answer = String::new();
    stranger.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(alice.error(4, &["api", "POST", "identity/unlock", &"a".repeat(5000)]), "too_large");
    assert_eq!(alice.error(2, &["api", "POST", "identity/unlock", ""]), "unfit_passphrase");
    assert_eq!(alice.error(4, &["status"]), "identity_locked");

    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").unwrap();
    alice.json(&["identity", "unlock", "--passphrase-file", &file]);
    alice.json(&["status"]);
    drop(half);
    node.down();
}

#[cfg(unix)]
#[test]
fn a_locked_node_ends_when_it_is_told_to() {
    let (alice, file) = protected(FIRST);
    let node = alice.up(&["--passphrase-file", &file]);
    alice.json(&["identity", "lock"]);
    assert_eq!(node.signal("TERM"), 0);
    assert!(!alice.data().join("node.json").exists());
    assert_eq!(alice.json(&["status", "--passphrase-file", &file])["running"], false);
}

#[cfg(unix)]
mod at_a_terminal {
    use super::{super::terminal::Terminal, *};

    /// Types when asked, and says what was shown and how it ended.
    fn typed(mut terminal: Terminal, answers: &[(&str, &str)]) -> (String, i32) {
        for (question, answer) in answers {
            let asked = |shown: &str| shown.ends_with(question);
            terminal.until(asked);
            terminal.type_in(answer);
        }
        terminal.end()
    }

    #[test]
    fn a_passphrase_is_typed_twice_and_never_shown() {
        let alice = Folder::of("Alice");
        let start = |arguments: &[&str]| Terminal::start(&alice, 100, &[], arguments);
        let line = format!("{FIRST}\n");
        let answers = [("New passphrase: ", line.as_str()), ("The same again: ", "correct horse\n")];
        let (shown, exit) = typed(start(&["identity", "passphrase"]), &answers);
        assert!(exit == 4 && shown.contains("not the same"), "{shown}");
        let short = [("New passphrase: ", "short\n")];
        let (shown, exit) = typed(start(&["identity", "passphrase"]), &short);
        assert!(exit == 4 && shown.contains("fewer than 12"), "{shown}");

        let answers = [("New passphrase: ", line.as_str()), ("The same again: ", &line)];
        let (shown, exit) = typed(start(&["identity", "passphrase"]), &answers);
        assert!(exit == 0 && shown.contains("under the passphrase now"), "{shown}");
        assert!(!shown.contains("correct") && !shown.contains("battery"), "{shown}");

        let (shown, exit) = typed(start(&["status"]), &[("Passphrase: ", &line)]);
        assert!(exit == 0 && !shown.contains("battery"), "{shown}");
        let (shown, exit) = typed(start(&["status"]), &[("Passphrase: ", "wrong\n")]);
        assert!(exit == 4 && shown.contains("does not open"), "{shown}");
        let (shown, exit) = typed(start(&["status"]), &[("Passphrase: ", "half of it\u{3}")]);
        assert!(exit == 1 && shown.contains("interrupted") && !shown.contains("half"), "{shown}");
    }

    #[test]
    fn weft_up_asks_and_runs() {
        let (alice, _) = protected(FIRST);
        let mut up = Terminal::start(&alice, 100, &[], &[&["up"], &LOOPBACK[..]].concat());
        up.until(|shown| shown.ends_with("Passphrase: "));
        up.type_in(&format!("{FIRST}\n"));
        up.until(|shown| shown.contains("is ready"));
        alice.json(&["space", "create", "garden"]);
        alice.json(&["down"]);
        let (shown, exit) = up.end();
        assert!(exit == 0 && !shown.contains("battery"), "{shown}");
    }
}
