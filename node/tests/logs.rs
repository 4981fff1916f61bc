//! What a running node logs: levels by module, one object a line for programs, and never a secret.

use serde_json::Value;

use super::harness::Folder;

fn lines(folder: &Folder) -> Vec<Value> {
    folder
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn a_filter_chooses_by_module_and_json_is_one_object_a_line() {
    let folder = Folder::of("Alice");
    let node = folder.up(&["--log", "off,weft::api=debug", "--log-format", "json"]);
    folder.json(&["space", "create", "garden"]);
    node.down();
    let lines = lines(&folder);
    for line in &lines {
        assert!(line["target"].as_str().is_some_and(|target| target.starts_with("weft::api")), "{line}");
        assert!(line["timestamp"].is_string() && line["level"] == "DEBUG" && line["message"].is_string(), "{line}");
    }
    let made = lines.iter().find(|line| line["method"] == "POST" && line["route"] == "/api/v1/spaces").unwrap();
    assert_eq!(made["status"], 200, "fields are beside the message: {made}");
}

#[test]
fn a_level_that_does_not_exist_is_wrong_usage() {
    let folder = Folder::of("Alice");
    assert_eq!(folder.error(2, &["up", "--log", "weft=loud"]), "bad_config");
    assert_eq!(folder.error(2, &["up", "--log-format", "xml"]), "usage");
    let settings = folder.json(&["config", "show"])["settings"].clone();
    for key in ["log", "log_format"] {
        assert!(settings.as_array().unwrap().iter().any(|setting| setting["key"] == key), "{key}: {settings}");
    }
}

#[test]
fn no_secret_is_logged_at_the_finest_level() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let alice_node = alice.up(&["--log", "trace"]);
    let bob_node = bob.up(&["--log", "trace", "--log-format", "json"]);
    let phrase = alice.field("phrase", &["identity", "phrase"]);
    alice.json(&["space", "create", "garden"]);
    let link = alice.field("link", &["invite", "garden"]);
    bob.json(&["join", &link]);
    let object =
        alice.field("object", &["object", "create", "garden", "note", "name=plan", "body=the buried treasure"]);
    bob.json(&["wait", "garden"]);
    assert_eq!(bob.text(&object), "the buried treasure");
    let tokens = [&alice, &bob].map(|folder| std::fs::read_to_string(folder.data().join("api-token")).unwrap());
    let end_of_link = &link[link.len() - 40..];
    let secrets = [&tokens[0], &tokens[1], &phrase, end_of_link, "the buried treasure", "weft-invite:"];
    alice_node.down();
    bob_node.down();
    for (folder, name) in [(&alice, "alice"), (&bob, "bob")] {
        let log = folder.log();
        assert!(log.contains("TRACE") && log.contains("weft::api"), "{name} logs at all levels");
        for secret in secrets {
            assert!(!log.contains(secret.trim()), "{name} logs {secret}");
        }
    }
}
