//! What stays and follows: a text, a space, the status, the log; and how it ends.

use serde_json::Value;

use super::harness::{Folder, Following};

fn with_poem() -> Folder {
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "notes"]);
    alice.json(&["object", "create", "notes", "note", "name=poem", "body=one\n"]);
    alice
}

#[test]
fn an_object_is_followed_as_it_changes_until_it_is_deleted() {
    let alice = with_poem();
    let _node = alice.up(&[]);
    let watch = Following::start(&alice, &["--json", "watch", "poem"]);
    let state = watch.until(|_| true);
    assert_eq!((state["event"].as_str(), state["value"]["text"].as_str()), (Some("state"), Some("one\n")));
    alice.json(&["text", "insert", "poem", "4", "two\n"]);
    assert_eq!(watch.until(|_| true)["value"]["text"], "one\ntwo\n");
    alice.json(&["object", "set", "poem", "done:=true"]);
    let changed = watch.until(|line| line["value"]["properties"]["done"] == true);
    assert_eq!(changed["event"], "object_changed");
    alice.json(&["object", "delete", "poem"]);
    assert_eq!(watch.until(|_| true)["event"], "object_deleted");
    assert_eq!(watch.end().exit, 0);
}

#[test]
fn people_see_what_changed_line_by_line() {
    let alice = with_poem();
    let _node = alice.up(&[]);
    let watch = Following::start(&alice, &["watch", "poem", "--space", "notes"]);
    watch.line(|line| line == "one");
    alice.json(&["text", "insert", "poem", "4", "two\u{202e}\n"]);
    assert_eq!(watch.line(|line| line.starts_with("  + ")), "  + two\\u{202e}");
    alice.json(&["object", "set", "poem", "done:=true"]);
    watch.line(|line| line == "  done = true");
}

#[test]
fn a_space_and_the_node_are_followed_by_their_events() {
    let alice = with_poem();
    let space = alice.json(&["space", "list"])["spaces"][0]["space"].as_str().unwrap().to_owned();
    let _node = alice.up(&[]);
    let follow =
        [Following::start(&alice, &["--json", "watch", "notes"]), Following::start(&alice, &["--json", "watch"])];
    for watch in &follow {
        assert_eq!(watch.until(|_| true)["event"], "state");
    }
    let object = alice.field("object", &["object", "create", "notes", "note"]);
    for watch in &follow {
        let event = watch.until(|event| event["object"] == object.as_str());
        assert_eq!((event["event"].as_str(), event["space"].as_str()), (Some("object_changed"), Some(&*space)));
    }
}

#[test]
fn a_name_has_to_mean_one_thing() {
    let alice = with_poem();
    alice.json(&["object", "create", "notes", "note", "name=notes"]);
    let _node = alice.up(&[]);
    assert_eq!(alice.error(2, &["watch", "notes"]), "ambiguous_name");
    assert_eq!(alice.error(3, &["watch", "nothing"]), "unknown_name");
    assert_eq!(alice.error(3, &["watch", "poem", "--space", "nowhere"]), "unknown_name");
}

#[test]
fn nothing_is_followed_where_no_node_runs() {
    let alice = with_poem();
    for command in [&["watch"][..], &["watch", "poem"], &["status", "--watch"], &["events"]] {
        assert_eq!(alice.error(1, command), "no_node", "{command:?}");
    }
    assert_eq!(Folder::new().error(3, &["watch"]), "no_identity");
}

#[test]
fn a_node_that_goes_is_said_to_be_gone() {
    let alice = with_poem();
    let commands = [&["watch"][..], &["watch", "poem"], &["status", "--watch"], &["events"]];
    let started = |command: &&[&str]| {
        let following = Following::start(&alice, &[&["--json"], *command].concat());
        if *command != ["events"] {
            following.until(|_| true);
        }
        following
    };
    for kill in [true, false] {
        let node = alice.up(&[]);
        let mut following: Vec<Following> = commands.iter().map(started).collect();
        // Events say nothing first, so one that comes tells that it listens: whoever connects last sees it for all.
        let events = following.pop().unwrap();
        let told = (0..100).any(|round| {
            alice.json(&["object", "set", "poem", &format!("x:={round}")]);
            events.next_within(std::time::Duration::from_millis(500)).is_some()
        });
        assert!(told, "no event in a hundred changes");
        following.push(events);
        if kill {
            node.kill()
        } else {
            node.down()
        }
        for (command, following) in commands.iter().zip(following) {
            let ended = following.end();
            let error: Value = serde_json::from_str(&ended.stderr).unwrap();
            let code = error["error"]["code"].as_str().unwrap();
            assert_eq!(ended.exit, 1, "{command:?}");
            assert!(["node_stopped", "connection_lost"].contains(&code), "{command:?}: {error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn who_follows_ends_with_whoever_reads() {
    let alice = with_poem();
    let _node = alice.up(&[]);
    let mut shell = std::process::Command::new("sh");
    let line = format!("{} --json watch poem | head -n 1", env!("CARGO_BIN_EXE_weft"));
    shell.args(["-c", &line]).env("WEFT_DATA", alice.data());
    let reader = std::thread::spawn(move || super::harness::ended(shell, b""));
    // The next line finds nobody, whenever the first was read.
    let ends = (0..1_000).any(|round| {
        alice.json(&["object", "set", "poem", &format!("x:={round}")]);
        reader.is_finished()
    });
    assert!(ends, "it follows for nobody");
    let ended = reader.join().unwrap();
    assert_eq!((ended.exit, ended.stdout.lines().count(), ended.stderr.as_str()), (0, 1, ""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_in_order() {
    let alice = with_poem();
    let _node = alice.up(&[]);
    for command in [&["watch", "poem"][..], &["watch", "notes"], &["status", "--watch"], &["log", "-f"]] {
        let following = Following::start(&alice, &[&["--json"], command].concat());
        following.until(|_| true);
        following.signal("INT");
        let ended = following.end();
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{command:?}");
    }
}

#[test]
fn the_status_is_followed_as_it_changes() {
    let alice = with_poem();
    let _node = alice.up(&[]);
    let json = Following::start(&alice, &["--json", "status", "--watch"]);
    assert_eq!(json.until(|_| true)["spaces"].as_array().unwrap().len(), 1);
    let words = Following::start(&alice, &["status", "--watch"]);
    words.line(|line| line.contains("notes"));
    alice.json(&["space", "create", "garden"]);
    json.until(|status| status["spaces"].as_array().unwrap().len() == 2);
    let line = words.line(|line| line.contains("garden"));
    assert!(line.starts_with("  + "), "what is new, and not all again: {line}");
}

#[test]
fn the_log_is_kept_shown_and_followed() {
    let alice = Folder::of("Alice");
    assert_eq!(alice.error(3, &["log"]), "no_log");
    let node = alice.up(&[]);
    let words = alice.run(&["log"]).stdout;
    let line = words.lines().find(|line| line.contains("the node is ready")).unwrap();
    assert!(line.contains(" INFO weft::") && line.contains("peer_id=12D3Koo"), "{line}");
    let follow = Following::start(&alice, &["--json", "log", "-f", "-n", "1"]);
    follow.until(|line| line["message"] == "the node is ready");
    node.down();
    assert_eq!(follow.until(|line| line["message"] == "the node stops")["level"], "INFO");
    // It is one log over all the times the node was up, the one that runs goes on in it.
    let node = alice.up(&[]);
    follow.until(|line| line["message"] == "the node is ready");
    node.down();
    let all = alice.run(&["--json", "log"]).stdout;
    assert_eq!(all.matches("the node is ready").count(), 2);
    assert_eq!(alice.run(&["log", "-n", "1"]).stdout.lines().count(), 1);
    #[cfg(unix)]
    {
        let log = std::fs::metadata(alice.data().join("weft.log")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&log.permissions()) & 0o777, 0o600);
    }
}

#[test]
fn what_is_kept_of_the_log_is_a_setting() {
    let alice = Folder::of("Alice");
    std::fs::write(alice.data().join("config.toml"), "log_kept = \"off\"\n").unwrap();
    alice.up(&[]).down();
    assert_eq!(alice.error(3, &["log"]), "no_log");
    std::fs::write(alice.data().join("config.toml"), "log_kept = \"weft=loud\"\n").unwrap();
    let refused = alice.run(&["--json", "up"]);
    assert!(refused.stderr.contains("log_kept"), "{refused:?}");
    assert_eq!(refused.error(2), "bad_config");
}
