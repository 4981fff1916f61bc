//! Commands of every day: editing a text, asking before something goes, standard input, any request of the API.

use serde_json::json;

use super::harness::{Folder, argument};

/// Somebody with a space `notes` and a note `poem` with this text.
fn with_poem(text: &str) -> Folder {
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "notes"]);
    alice.json(&["object", "create", "notes", "note", "name=poem", &format!("body={text}")]);
    alice
}

/// A program that edits the file it is given: a shell script of these lines, with the file as `$1`.
#[cfg(unix)]
fn editor(folder: &Folder, script: &str) -> String {
    let path = folder.file("editor.sh", format!("#!/bin/sh\nset -e\n{script}\n"));
    format!("sh {}", argument(&path))
}

#[cfg(unix)]
fn edit(folder: &Folder, script: &str) -> super::harness::Ended {
    let mut command = folder.command(&["--json", "text", "edit", "poem"]);
    command.env_remove("VISUAL").env("EDITOR", editor(folder, script));
    super::harness::ended(command, b"")
}

#[cfg(unix)]
#[test]
fn an_editor_changes_the_text_and_leaves_nothing_behind() {
    let alice = with_poem("roses are red");
    assert_eq!(edit(&alice, "sed -i 's/red/blue/' \"$1\"").json()["changed"], true);
    assert_eq!(alice.text("poem"), "roses are blue", "sed ends the last line, and that is no change of ours");
    assert_eq!(edit(&alice, "true").json()["changed"], false);
    assert_eq!(edit(&alice, "printf 'a\\nb\\n\\n' > \"$1\"").json()["changed"], true);
    assert_eq!(alice.text("poem"), "a\nb\n");
    let left = std::fs::read_dir(alice.data()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with("edit-")));
}

#[cfg(unix)]
#[test]
fn an_editor_that_fails_changes_nothing() {
    let alice = with_poem("roses are red");
    for script in ["echo changed > \"$1\"; exit 1", "exit 127", "kill -9 $$"] {
        let mut ended = edit(&alice, script);
        // The shell may have had its say first.
        ended.stderr = ended.stderr.lines().last().unwrap_or_default().to_owned();
        assert_eq!(ended.error(1), "editor_failed", "{script}");
        assert_eq!(alice.text("poem"), "roses are red", "{script}");
    }
    assert_eq!(alice.error(3, &["text", "edit", "nobody"]), "unknown_object");
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_the_editor_is_the_editors() {
    let alice = with_poem("roses are red");
    // The folder of the file is called after the process that waits for the editor.
    let interrupt = "kill -INT \"$(echo \"$1\" | sed 's/.*edit-\\([0-9]*\\).*/\\1/')\"; sed -i 's/red/blue/' \"$1\"";
    assert_eq!(edit(&alice, interrupt).json()["changed"], true);
    assert_eq!(alice.text("poem"), "roses are blue");
}

#[cfg(unix)]
#[test]
fn what_others_write_while_the_editor_is_open_stays() {
    let alice = with_poem("one\ntwo\nthree\n");
    // The editor takes its time: meanwhile another command changes the same text, in a line of its own and in the edited one.
    let weft = env!("CARGO_BIN_EXE_weft");
    let meanwhile = format!(
        "{weft} text insert poem 0 'zero\n'\n{weft} text insert poem 8 ' (2)'\nsed -i 's/^three/three and four/; s/^one/ONE/' \"$1\""
    );
    assert_eq!(edit(&alice, &meanwhile).json()["changed"], true);
    assert_eq!(alice.text("poem"), "zero\nONE (2)\ntwo\nthree and four\n");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_taken_back_from_the_editor_is_kept() {
    let alice = with_poem("roses are red");
    let ended = edit(&alice, "printf '\\377' > \"$1\"");
    let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(ended.error(2), "not_text");
    let hint = error["error"]["hint"].as_str().unwrap();
    let path = hint.strip_prefix("what you wrote is kept in ").unwrap().split(';').next().unwrap();
    assert_eq!(std::fs::read(path).unwrap(), [0o377]);
}

#[test]
fn deleting_can_be_looked_at_first() {
    let alice = with_poem("roses are red");
    let would = alice.json(&["object", "delete", "poem", "--dry-run"]);
    assert_eq!(would["would"], "delete");
    let words = alice.run(&["object", "delete", "poem", "--dry-run"]).stdout;
    assert_eq!(words, "would delete `poem` (note, 13 characters of text)\n");
    assert_eq!(alice.text("poem"), "roses are red");
    let all = alice.json(&["object", "list", "notes", "--all"]);
    let own = all["objects"].as_array().unwrap().iter().find(|object| object["type"] == "weft.space").unwrap();
    let own = own["object"].as_str().unwrap();
    assert_eq!(alice.error(4, &["object", "delete", own, "--dry-run"]), "reserved_object");
    assert_eq!(alice.error(3, &["object", "delete", "nobody", "--dry-run"]), "unknown_object");
    // Where nobody can answer nobody is asked.
    assert_eq!(alice.run(&["object", "delete", "poem", "--quiet"]).stdout, "");
    assert_eq!(alice.error(3, &["object", "get", "poem"]), "unknown_object");
}

#[test]
fn rebuilding_and_forgetting_the_phrase_can_be_looked_at_first() {
    let alice = with_poem("roses are red");
    let would = alice.json(&["rebuild", "--dry-run"]);
    let did = alice.json(&["rebuild"]);
    assert_eq!(would, did, "what it says is what it does");
    assert!(would["entries"].as_u64().unwrap() >= 2, "{would}");
    assert_eq!(alice.json(&["identity", "phrase", "--confirm", "--dry-run"])["would"], "delete");
    assert_eq!(alice.error(2, &["identity", "phrase", "--dry-run"]), "usage");
    assert!(alice.field("phrase", &["identity", "phrase"]).contains(' '), "it is still there");
}

#[test]
fn a_dash_stands_for_standard_input() {
    let alice = with_poem("roses");
    assert_eq!(alice.run_with(&["text", "insert", "poem", "5", "-"], " are red".as_bytes()).exit, 0);
    assert_eq!(alice.text("poem"), "roses are red");
    assert_eq!(alice.run_with(&["text", "insert", "poem", "0", "--file", "-"], b"All ").exit, 0);
    assert_eq!(alice.run_with(&["object", "set", "poem", "why=@-"], b"because\n").exit, 0);
    assert_eq!(alice.json(&["object", "get", "poem"])["properties"]["why"], "because\n");
    assert_eq!(alice.run_with(&["record", "append", "notes", "-"], b"record").exit, 0);
    let trace = json!({"startContent": "", "endContent": "ab", "txns": [
        {"time": "2026-11-20T18:00:00Z", "patches": [[0, 0, "a"], [1, 0, "b"]]}]});
    let imported =
        alice.run_with(&["--json", "import", "trace", "-", "--space", "notes"], trace.to_string().as_bytes());
    assert_eq!(alice.text(imported.json()["object"].as_str().unwrap()), "ab");
    assert_eq!(alice.run_with(&["text", "insert", "poem", "0", "-"], &[0xff]).exit, 2, "bytes are no text");
}

#[test]
fn quiet_leaves_out_what_was_not_asked_for() {
    let alice = with_poem("roses");
    for confirmed in [&["verify"][..], &["rebuild"], &["object", "set", "poem", "done:=true"], &["down"]] {
        assert_ne!(alice.run(confirmed).stdout, "", "{confirmed:?}");
        let quiet = alice.run(&[&["-q"], confirmed].concat());
        assert_eq!((quiet.exit, quiet.stdout.as_str(), quiet.stderr.as_str()), (0, "", ""), "{confirmed:?}");
    }
    assert_eq!(alice.run(&["-q", "text", "show", "poem"]).stdout, "roses");
    assert_eq!(alice.json(&["-q", "verify"])["verified"], true, "a program is told");
}

/// What holds for the store itself and for a running node.
fn any_request(alice: &Folder) {
    let status: serde_json::Value = serde_json::from_str(&alice.run(&["api", "get", "status"]).stdout).unwrap();
    assert_eq!(status["identity"], alice.json(&["status"])["identity"]);
    assert_eq!(alice.run(&["api", "GET", "/api/v1/version"]).stdout.lines().count(), 1);
    let made =
        alice.run(&["api", "POST", "spaces/notes/objects", "{\"type\":\"note\",\"properties\":{\"name\":\"x\"}}"]);
    let object = made.json()["object"].as_str().unwrap().to_owned();
    let file = alice.file("change.json", "{\"text\": \"by file\"}");
    let path = format!("objects/{object}");
    assert_eq!(alice.run(&["api", "patch", &path, &format!("@{}", argument(&file))]).exit, 0);
    assert_eq!(alice.text(&object), "by file");
    assert_eq!(alice.run_with(&["api", "PATCH", &path, "-"], b"{\"text\": \"by dash\"}").exit, 0);
    assert_eq!(alice.text(&object), "by dash");
    assert_eq!(alice.run_with(&["api", "POST", "spaces/notes/records", "-"], &[0xff, 0]).exit, 0);
    assert_eq!(alice.run(&["api", "DELETE", &path]).exit, 0);
    assert_eq!(alice.error(3, &["api", "GET", &path]), "unknown_object");
    assert_eq!(alice.error(3, &["api", "GET", "/nowhere"]), "no_such_route");
    assert_eq!(alice.error(2, &["api", "GET", "a b"]), "bad_path");
    assert_eq!(alice.error(2, &["api", "BREW", "coffee"]), "usage");
    assert_eq!(alice.error(2, &["api", "GET", "objects/%ff"]), "bad_path", "an escape that is no text");
}

#[test]
fn any_request_of_the_api_can_be_sent() {
    let alice = with_poem("roses");
    any_request(&alice);
    let node = alice.up(&[]);
    any_request(&alice);
    node.down();
}

#[test]
fn a_number_that_would_not_come_back_is_refused() {
    let alice = with_poem("roses");
    let long = "n:=123456789012345678901234567890";
    assert_eq!(alice.error(2, &["object", "set", "poem", long]), "number_too_long");
    let body = "{\"properties\":{\"n\":123456789012345678901234567890}}";
    assert_eq!(alice.error(2, &["api", "PATCH", "objects/poem", body]), "number_too_long");
    alice.json(&["object", "set", "poem", "n:=18446744073709551615", "m:=-9223372036854775808", "x:=0.1"]);
    let properties = alice.run(&["--json", "object", "get", "poem"]).stdout;
    for kept in ["18446744073709551615", "-9223372036854775808", "\"x\":0.1"] {
        assert!(properties.contains(kept), "{properties}");
    }
}

#[test]
fn a_feed_is_shown_with_its_last_entries() {
    let alice = with_poem("roses");
    alice.json(&["record", "append", "notes", "r"]);
    let feeds = alice.json(&["feed", "list", "notes"]);
    let data = feeds["feeds"].as_array().unwrap().iter().find(|feed| feed["purpose"] == "data").unwrap();
    let id = data["feed"].as_str().unwrap();
    let shown = alice.json(&["feed", "show", &id[..12]]);
    for (key, value) in data.as_object().unwrap() {
        assert_eq!(&shown[key], value, "{key} is as in the list");
    }
    let entries = shown["entries"].as_array().unwrap();
    let last = entries.last().unwrap();
    assert_eq!(
        (last["kind"].as_str(), last["seq"].as_u64()),
        (Some("record"), Some(data["length"].as_u64().unwrap() - 1))
    );
    let first = alice.json(&["feed", "show", id, "--space", "notes", "--from", "0", "--count", "1"]);
    assert_eq!((first["entries"].as_array().unwrap().len(), &first["entries"][0]["seq"]), (1, &json!(0)));
    assert_eq!(alice.json(&["feed", "show", id, "--from", "99999"])["entries"], json!([]));
    assert_eq!(alice.error(3, &["feed", "show", "nothing"]), "unknown_feed");
}

#[test]
fn an_object_can_be_called_like_its_space_or_its_author() {
    let alice = with_poem("roses");
    for name in ["notes", "Alice"] {
        let object = alice.field("object", &["object", "create", "notes", "note", &format!("name={name}")]);
        assert_eq!(alice.field("object", &["object", "get", name]), object);
    }
}

#[test]
fn a_link_that_names_nobody_says_so_with_null() {
    let alice = Folder::new();
    alice.json(&["init"]);
    alice.json(&["space", "create", "notes"]);
    let node = alice.up(&[]);
    let link = alice.field("link", &["invite", "notes"]);
    let bob = Folder::of("Bob");
    let joined = bob.json(&["join", &link]);
    assert_eq!((&joined["says_inviter"], joined["says_space"].as_str()), (&json!(null), Some("notes")));
    node.down();
}

#[test]
fn settings_are_private_and_a_file_is_no_folder() {
    let alice = Folder::of("Alice");
    #[cfg(unix)]
    {
        let settings = std::fs::metadata(alice.data().join("config.toml")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&settings.permissions()) & 0o777, 0o600);
    }
    let file = alice.file("file", "x");
    assert_eq!(alice.error(2, &["--data", argument(&file), "status"]), "not_a_folder");
}
