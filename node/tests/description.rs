//! The description of the API against a node that runs: every example, every documented answer, and nothing that is not
//! documented.

mod schema;
mod story;

use std::collections::BTreeSet;

use serde_json::Value;

use self::story::{Asked, Operation, Story};
use crate::harness::Folder;

/// Examples that are not meant to succeed as they stand: links, invitations, a ticket and a feed cannot be known beforehand, nobody
/// else is there, and no passphrase is set.
const NOT_DONE: [(&str, &str, u16); 20] = [
    ("delete", "/devices/{device}", 404),
    ("post", "/identity/lock", 403),
    ("post", "/join", 400),
    ("delete", "/invitations/{invitation}", 404),
    ("post", "/invitations/{invitation}/newcomers/{newcomer}", 404),
    ("post", "/tickets/spend", 403),
    ("get", "/contacts/{person}", 404),
    ("patch", "/contacts/{person}", 404),
    ("delete", "/contacts/{person}", 404),
    ("patch", "/spaces/{space}/members/{member}", 404),
    ("delete", "/spaces/{space}/members/{member}", 404),
    ("post", "/spaces/{space}/proposals/{proposal}", 404),
    ("post", "/spaces/{space}/readmissions", 404),
    ("post", "/spaces/{space}/leave", 403),
    ("delete", "/spaces/{space}/drafts/{draft}", 404),
    ("get", "/spaces/{space}/wait", 504),
    ("get", "/feeds/{feed}", 404),
    ("post", "/objects/{object}/sessions/{session}/stream", 403),
    ("post", "/objects/{object}/sessions/{session}/updates", 403),
    ("post", "/objects/{object}/sessions/{session}/presence", 403),
];

/// Needs the key that opening a session tells, and a stream that stands meanwhile.
const FOLLOWED: &str = "node/clients/typescript/test/text.test.mjs";

/// Needs an older copy of a data folder.
const DRAFTED: &str = "node/tests/restored.rs";

/// Answers that need something which is not of this test, and where they are provoked.
const ELSEWHERE: [(&str, &str, u16, &str); 23] = [
    ("delete", "/devices/{device}", 200, "tests/devices.rs"),
    ("post", "/identity/lock", 200, "node/tests/keys.rs: needs a passphrase"),
    ("post", "/identity/lock", 507, "needs a damaged folder"),
    ("post", "/join", 202, "tests/invitations.rs"),
    ("post", "/spaces/{space}/leave", 200, "tests/members.rs"),
    ("post", "/spaces/{space}/proposals/{proposal}", 200, "tests/members.rs"),
    ("post", "/spaces/{space}/readmissions", 200, "tests/quarantine.rs"),
    ("post", "/invitations/{invitation}/newcomers/{newcomer}", 200, "tests/invitations.rs"),
    ("post", "/objects/{object}/sessions/{session}/stream", 200, FOLLOWED),
    ("post", "/objects/{object}/sessions/{session}/updates", 200, FOLLOWED),
    ("post", "/objects/{object}/sessions/{session}/presence", 200, FOLLOWED),
    ("delete", "/spaces/{space}/drafts/{draft}", 200, DRAFTED),
    ("post", "/spaces/{space}/objects", 202, DRAFTED),
    ("patch", "/objects/{object}", 202, DRAFTED),
    ("delete", "/objects/{object}", 202, DRAFTED),
    ("post", "/objects/{object}/text", 202, DRAFTED),
    ("post", "/spaces/{space}/records", 202, DRAFTED),
    ("post", "/verify", 507, "needs a damaged store"),
    ("get", "/identity/phrase", 507, "needs a damaged folder"),
    ("delete", "/identity/phrase", 507, "needs a damaged folder"),
    ("get", "/readyz", 503, "src/api/health.rs: while the node stops"),
    ("post", "/tickets", 503, "src/api/health.rs: without a server"),
    ("post", "/tickets/spend", 503, "src/api/health.rs: without a server"),
];

#[test]
fn every_example_runs_and_every_answer_is_as_described() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let story = Story::begin(&alice, &bob);
    let mut seen = BTreeSet::new();
    let mut answered = |operation: &Operation, asked: Asked| {
        let status = story.ask_and_check(operation, &asked);
        seen.insert((operation.method.clone(), operation.path.clone(), status));
        status
    };
    for operation in story.operations() {
        let example = operation.example();
        let name = operation.name();
        if operation.needs_token() {
            assert_eq!(answered(&operation, Asked { token: false, ..example.clone() }), 401, "{name}");
        }
        assert_eq!(answered(&operation, Asked { host: Some("evil.example"), ..example.clone() }), 403, "{name}");
        if operation.documents(404) {
            assert_eq!(answered(&operation, operation.about_nothing()), 404, "{name}");
        }
        if operation.documents(400) {
            let nonsense = Asked { body: Some(b"{".to_vec()), ..example.clone() };
            assert_eq!(answered(&operation, nonsense), 400, "{name}");
        }
        if operation.documents(413) {
            let huge = Asked { body: Some(vec![b' '; 40 << 20]), ..example.clone() };
            assert_eq!(answered(&operation, huge), 413, "{name}");
        }
        let expected =
            NOT_DONE.iter().find(|(method, path, _)| operation.is(method, path)).map_or(200, |other| other.2);
        assert_eq!(answered(&operation, example), expected, "{name}");
    }
    for (operation, asked) in story.with_others() {
        assert_eq!(answered(&operation, asked), 200, "{}", operation.name());
    }
    for operation in story.operations() {
        for status in operation.statuses() {
            let key = (operation.method.clone(), operation.path.clone(), status);
            let is_elsewhere = ELSEWHERE.iter().any(|(m, p, s, _)| operation.is(m, p) && *s == status);
            assert!(
                seen.contains(&key) != is_elsewhere,
                "{} is described with {status}: seen or elsewhere",
                operation.name()
            );
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_examples_for_what_it_needs() {
    let description: Value = serde_json::from_str(&weft::api::description()).unwrap();
    let mut names = BTreeSet::new();
    for operation in story::operations(&description) {
        let name = operation.name();
        let id = operation.document["operationId"].as_str().unwrap();
        assert!(names.insert(id.to_owned()), "{name}: {id} is the name of another");
        assert!(
            operation.document["summary"].as_str().is_some_and(|summary| !summary.is_empty()),
            "{name}: no summary"
        );
        for parameter in operation.parameters() {
            let is_path = operation.path.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap()));
            assert_eq!(parameter["in"] == "path", is_path, "{name}: {parameter}");
            assert!(parameter["required"] != true || parameter.get("example").is_some(), "{name}: {parameter}");
        }
        let body = &operation.document["requestBody"]["content"];
        for (media_type, content) in body.as_object().into_iter().flatten() {
            let example = content.get("example").unwrap_or_else(|| panic!("{name}: no example of a {media_type}"));
            schema::check(&description, &content["schema"], example).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        }
    }
    assert!(names.len() > 25);
}
