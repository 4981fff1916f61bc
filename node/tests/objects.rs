//! Objects, texts and records of one person, with and without a running node.

use super::harness::{Folder, argument};

/// Everything here holds for the store itself as it does for a running node.
fn both_ways(test: impl Fn(&Folder)) {
    let folder = Folder::of("Alice");
    folder.json(&["space", "create", "notes"]);
    test(&folder);
    let folder = Folder::of("Alice");
    folder.json(&["space", "create", "notes"]);
    let node = folder.up(&[]);
    test(&folder);
    node.down();
}

#[test]
fn an_object_is_made_read_changed_and_deleted() {
    both_ways(|alice| {
        let poem = alice.file("poem.txt", "two\nlines\n");
        let poem = format!("poem=@{}", argument(&poem));
        let object = alice.field(
            "object",
            &["object", "create", "notes", "note", "name=first", "done:=true", "size:={\"w\":1.5}", &poem],
        );
        let seen = alice.json(&["object", "get", "first"]);
        assert_eq!((seen["object"].as_str(), seen["type"].as_str()), (Some(&*object), Some("note")));
        let properties = serde_json::json!({"name": "first", "done": true, "size": {"w": 1.5}, "poem": "two\nlines\n"});
        assert_eq!(seen["properties"], properties);
        assert!(seen["created"].as_str().unwrap().ends_with('Z'));

        alice.json(&["object", "set", &object[..10], "done:=false", "--unset", "size"]);
        let seen = alice.json(&["object", "get", &object, "--space", "notes"]);
        assert_eq!(seen["properties"], serde_json::json!({"name": "first", "done": false, "poem": "two\nlines\n"}));

        let listed = alice.json(&["object", "list", "notes"]);
        assert_eq!(listed["objects"].as_array().unwrap().len(), 1, "{listed}");
        assert_eq!(alice.json(&["object", "list", "notes", "--type", "other"])["objects"], serde_json::json!([]));
        let all = alice.json(&["object", "list", "notes", "--all"]);
        assert!(all["objects"].to_string().contains("weft.space"), "{all}");

        alice.json(&["object", "delete", "first"]);
        assert_eq!(alice.json(&["object", "list", "notes"])["objects"], serde_json::json!([]));
        for command in [["object", "get"], ["text", "show"]] {
            assert_eq!(alice.error(3, &[&command[..], &[&object]].concat()), "unknown_object");
            assert_eq!(alice.error(2, &[&command[..], &[""]].concat()), "usage");
        }
    });
}

#[test]
fn a_text_is_counted_in_characters_and_printed_exactly() {
    both_ways(|alice| {
        let object = alice.field("object", &["object", "create", "notes", "note", "name=poem", "body=a🙂c"]);
        assert_eq!(alice.text("poem"), "a🙂c");
        alice.json(&["text", "insert", "poem", "2", "é\n"]);
        assert_eq!(alice.text(&object), "a🙂é\nc");
        alice.json(&["text", "delete", "poem", "1", "2"]);
        assert_eq!(alice.text("poem"), "a\nc");
        alice.json(&["object", "set", "poem", "body=a new\nc"]);
        assert_eq!(alice.text("poem"), "a new\nc");
        alice.json(&["text", "insert", "poem", "0", "- "]);
        alice.json(&["text", "insert", "poem", "0", "--x"]);
        alice.json(&["text", "delete", "poem", "0", "5"]);
        assert_eq!(alice.json(&["text", "show", "poem"])["text"], "a new\nc");
        assert_eq!(alice.run(&["text", "insert", "poem", "99", "x"]).exit, 4);
        assert_eq!(alice.run(&["text", "delete", "poem", "0", "99"]).exit, 4);
        assert_eq!(alice.text("poem"), "a new\nc");
    });
}

#[test]
fn an_object_without_text_takes_text_later() {
    both_ways(|alice| {
        let object = alice.field("object", &["object", "create", "notes", "note"]);
        assert_eq!(alice.text(&object), "");
        let file = alice.file("from.txt", "from a file");
        alice.json(&["text", "insert", &object, "0", "--file", argument(&file)]);
        assert_eq!(alice.text(&object), "from a file");
    });
}

#[test]
fn what_is_over_the_limit_is_refused_and_nothing_is_written() {
    both_ways(|alice| {
        let object = alice.field("object", &["object", "create", "notes", "note", "name=poem", "body=short"]);
        let feeds = alice.json(&["feed", "list", "notes"]);
        let large = alice.file("large.txt", "x".repeat(3 << 20));
        let key = format!("key=@{}", argument(&large));
        assert_eq!(alice.run(&["text", "insert", &object, "0", "--file", argument(&large)]).exit, 4);
        assert_eq!(alice.run(&["object", "set", &object, &key]).exit, 4);
        assert_eq!(alice.run(&["record", "append", "notes", &key[4..]]).exit, 4);
        let huge = alice.file("huge.txt", "x".repeat(40 << 20));
        let body = format!("body=@{}", argument(&huge));
        assert_eq!(alice.run(&["object", "create", "notes", "note", &body]).exit, 4);
        assert_eq!(alice.json(&["feed", "list", "notes"]), feeds, "no entry was written");
        assert_eq!(alice.text("poem"), "short");
    });
}

#[test]
fn names_that_mean_nothing_or_several_things_are_refused() {
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "notes"]);
    for _ in 0..2 {
        alice.json(&["object", "create", "notes", "note", "name=twin"]);
    }
    let ended = alice.run(&["object", "get", "twin"]);
    assert_eq!(ended.exit, 2);
    assert_eq!(ended.stderr.matches("(twin)").count(), 2, "both candidates are listed: {ended:?}");
    assert_eq!(alice.error(2, &["text", "show", "twin"]), "ambiguous_object");
    assert_eq!(alice.error(3, &["object", "get", "nobody"]), "unknown_object");
    assert_eq!(alice.error(3, &["object", "list", "nowhere"]), "unknown_space");
    assert_eq!(alice.error(2, &["object", "create", "notes", "note", "novalue"]), "bad_property");
    assert_eq!(alice.error(2, &["object", "create", "notes", "note", "a:={"]), "bad_property");
    assert_eq!(alice.error(3, &["object", "create", "notes", "note", "a=@/nowhere/at/all"]), "unreadable_file");
}

#[test]
fn records_are_read_as_they_were_appended() {
    both_ways(|alice| {
        let first = alice.json(&["record", "append", "notes", "hello"]);
        let bytes = alice.file("bytes", [0_u8, 159, 146, 150]);
        alice.json(&["record", "append", "notes", &format!("@{}", argument(&bytes))]);
        assert_eq!(alice.run_with(&["record", "append", "notes", "-"], b"from stdin").exit, 0);
        let records = alice.json(&["record", "list", "notes"]);
        let records = records["records"].as_array().unwrap();
        assert_eq!(records.len(), 3, "{records:?}");
        assert_eq!((&records[0]["text"], &records[0]["seq"]), (&"hello".into(), &first["seq"]));
        assert_eq!((&records[1]["base64"], &records[2]["text"]), (&"AJ+Slg==".into(), &"from stdin".into()));
        let feed = first["feed"].as_str().unwrap();
        let one = alice.json(&["record", "list", "notes", "--feed", &feed[..8], "--count", "1"]);
        assert_eq!(one["records"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn everything_derived_can_be_derived_again() {
    both_ways(|alice| {
        let object = alice.field("object", &["object", "create", "notes", "note", "name=poem", "body=one"]);
        alice.json(&["text", "insert", &object, "3", " two"]);
        let before = alice.json(&["object", "get", &object]);
        let verified = alice.json(&["verify"]);
        assert!(verified["entries"].as_u64().unwrap() >= 4, "{verified}");
        assert!(alice.json(&["rebuild", "notes"])["entries"].as_u64().unwrap() >= 3);
        assert_eq!(alice.json(&["object", "get", "poem"]), before);
        assert_eq!(alice.json(&["verify", "notes"])["feeds"], 2);
    });
}
