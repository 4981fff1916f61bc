//! Every id that is printed can be pasted back: whole or short, it means the same thing again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::harness::{Folder, Following, share};

/// What an id names, which says where it can be pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Space,
    Object,
    Feed,
    Identity,
    Peer,
}

/// The fields of answers that hold ids.
const FIELDS: [(&str, Sort); 10] = [
    ("space", Sort::Space),
    ("object", Sort::Object),
    ("feed", Sort::Feed),
    ("identity", Sort::Identity),
    ("admitted_by", Sort::Identity),
    ("inviter", Sort::Identity),
    ("author", Sort::Identity),
    ("peer_id", Sort::Peer),
    ("peer", Sort::Peer),
    ("device", Sort::Peer),
];

/// Collects every id in an answer.
fn collect(answer: &Value, ids: &mut BTreeMap<String, Sort>) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let sort = FIELDS.iter().find(|(field, _)| field == key);
                if let (Some((_, sort)), Some(id)) = (sort, value.as_str()) {
                    ids.insert(id.to_owned(), *sort);
                }
                collect(value, ids);
            }
        }
        _ => {}
    }
}

/// The words of an output that look like an id, a short one or the end of a peer's. Roots are hashes and name nothing.
fn looks_like_an_id(word: &str) -> bool {
    let base32 = word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    base32 && has_digit && word.len() >= 6 || word.starts_with("12D3Koo")
}

fn words(output: &str) -> impl Iterator<Item = &str> {
    let lines = output.lines().filter(|line| !line.starts_with("root "));
    lines.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric())).filter(|word| word.len() >= 6)
}

/// Pastes a word into the command that takes such an id; the id that it means there.
fn paste(alice: &Folder, sort: Sort, word: &str) -> String {
    match sort {
        Sort::Space => alice.field("space", &["space", "show", word]),
        Sort::Object => alice.field("object", &["object", "get", word]),
        Sort::Feed => alice.field("feed", &["feed", "show", word]),
        // Whoever is here themselves is known and not connected: the name is understood either way.
        Sort::Peer | Sort::Identity => {
            let wait = alice.run(&["--json", "wait", "notes", "--with", word, "--timeout", "1ms"]);
            assert!([0, 5].contains(&wait.exit), "{word}: {wait:?}");
            word.to_owned()
        }
    }
}

#[test]
fn every_printed_id_can_be_pasted_back() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let alice_up = alice.up(&[]);
    let _bob_up = bob.up(&["--peer", &alice_up.address()]);
    share(&alice, &bob);
    let object = alice.field("object", &["object", "create", "notes", "note", "name=poem", "body=roses"]);
    let record = alice.run(&["record", "append", "notes", "r"]).stdout;
    alice.json(&["wait", "notes"]);
    let feed = record.split(' ').next().unwrap().to_owned();

    let commands: Vec<Vec<&str>> = vec![
        vec!["status"],
        vec!["init"],
        vec!["space", "list"],
        vec!["space", "show", "notes"],
        vec!["space", "members", "notes"],
        vec!["object", "list", "notes", "--all"],
        vec!["object", "get", "poem"],
        vec!["object", "set", "poem", "done:=true"],
        vec!["record", "list", "notes"],
        vec!["feed", "list", "notes"],
        vec!["feed", "show", &feed],
        vec!["wait", "notes"],
    ];
    let mut ids = BTreeMap::new();
    let mut printed = record;
    for command in &commands {
        collect(&alice.json(command), &mut ids);
        let ended = alice.run(command);
        assert_eq!(ended.exit, 0, "{ended:?}");
        // The name of a temporary folder can look like an id.
        printed += &ended.stdout.replace(&*alice.data().to_string_lossy(), "");
    }
    // Two programs that follow: what they print is pasted too.
    let watch = Following::start(&alice, &["watch", "notes"]);
    watch.line(|line| line.starts_with("space "));
    bob.json(&["object", "set", "poem", "seen:=true"]);
    let mut expected = vec![" extended ", " object_changed "];
    while !expected.is_empty() {
        let line = watch.line(|_| true);
        expected.retain(|event| !line.contains(event));
        printed += &(line + "\n");
    }

    let mut pasted = BTreeMap::new();
    for word in words(&printed) {
        let meant: Vec<(&String, &Sort)> = ids
            .iter()
            .filter(|(id, sort)| id.starts_with(word) && word.len() >= 12 && **sort != Sort::Peer || *id == word)
            .chain(ids.iter().filter(|(id, sort)| **sort == Sort::Peer && word.len() == 8 && id.ends_with(word)))
            .collect();
        match meant[..] {
            [] => assert!(!looks_like_an_id(word), "`{word}` names nothing, in:\n{printed}"),
            [(id, sort)] => {
                let found = pasted.entry(word.to_owned()).or_insert_with(|| (*sort, paste(&alice, *sort, word)));
                assert!(found.0 == Sort::Peer || found.0 == Sort::Identity || found.1 == *id, "{word} meant {found:?}");
            }
            _ => panic!("`{word}` means several things: {meant:?}"),
        }
    }
    for sort in [Sort::Space, Sort::Object, Sort::Feed, Sort::Identity, Sort::Peer] {
        let count = pasted.values().filter(|(of, _)| *of == sort).count();
        assert!(count >= if sort == Sort::Space { 2 } else { 3 }, "only {count} of {sort:?} in:\n{printed}");
    }
    assert!(pasted.contains_key(&object) && pasted.contains_key(&object[..12]));
}
