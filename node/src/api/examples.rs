//! The examples of the description: one value for each parameter, one body for each request that has one.
//!
//! They stand together because they make one story, which a test runs from its beginning to its end: a space `garden`, an object
//! `plan` in it, and what can be asked of the two.

use serde_json::{Value, json};

/// Of the form of a session's key. The real one is told when the session is opened.
const SESSION_KEY: &str = "00000000000000000000000000000000";

/// What a parameter may look like.
pub(super) fn parameter(name: &str, place: &str) -> Option<Value> {
    Some(match name {
        "space" => json!("garden"),
        // Where it chooses among events it has to be a full id, which nobody knows beforehand.
        "object" if place == "path" => json!("plan"),
        // Nobody knows beforehand which invitations and newcomers there are.
        "invitation" => json!("the-id-of-an-invitation"),
        "newcomer" => json!("the-digits-of-a-newcomer"),
        // Nor which devices and feeds.
        "device" => json!("the-id-of-a-device"),
        "member" | "person" => json!("the-id-of-somebody"),
        "proposal" => json!("the-id-of-a-proposal"),
        "dry_run" if place == "query" => json!(true),
        "feed" if place == "path" => json!("the-id-of-a-feed"),
        "type" => json!("note"),
        "all" => json!(false),
        "from" => json!(0),
        "count" => json!(100),
        "timeout_ms" => json!(100),
        "session" | "draft" => json!(1),
        "events" => json!("object_changed,level_changed"),
        "name" => json!("essay"),
        _ => return None,
    })
}

/// What the body of a request may look like.
pub(super) fn body(path: &str, method: &str) -> Option<Value> {
    Some(match (method, path) {
        ("post", "/devices/links") => json!({"expires_ms": 600_000}),
        ("patch", "/devices/this") => json!({"name": "desk"}),
        ("post", "/spaces") => json!({"name": "orchard"}),
        ("patch", "/spaces/{space}") => json!({"name": "garden"}),
        ("patch", "/spaces/{space}/members/{member}") => json!({"role": "reader", "dry_run": true}),
        ("post", "/spaces/{space}/readmissions") => json!({"author": "the-id-of-somebody"}),
        ("patch", "/spaces/{space}/policy") => json!({"history": "from_joining"}),
        ("patch", "/profile") => json!({"name": "Alice"}),
        ("patch", "/contacts/{person}") => json!({"petname": "Bobby", "verified": true}),
        ("post", "/spaces/{space}/invitations") => {
            json!({"role": "reader", "expires_ms": 3_600_000, "uses": 5, "approve": true})
        }
        ("post", "/invitations/{invitation}/newcomers/{newcomer}") => json!({"approve": true}),
        ("post", "/join") => json!({"link": "weft-invite:the-rest-of-the-link"}),
        ("post", "/spaces/{space}/objects") => {
            json!({"type": "note", "properties": {"name": "seeds", "rows": 3}, "text": "Beans, peas."})
        }
        ("patch", "/objects/{object}") => json!({"properties": {"season": "spring"}, "unset": ["draft"]}),
        ("post", "/objects/{object}/text") => {
            json!({"operations": [{"position": 0, "delete": 3, "insert": "Water"}]})
        }
        ("post", "/spaces/{space}/import/trace") => {
            json!(
                "{\"startContent\": \"\", \"endContent\": \"hi\", \"txns\": [{\"patches\": [[0, 0, \"h\"], [1, 0, \"i\"]]}]}"
            )
        }
        ("post", "/objects/{object}/sessions/{session}/stream") => json!({"key": SESSION_KEY, "vector": "AA=="}),
        ("post", "/objects/{object}/sessions/{session}/updates") => {
            json!({"key": SESSION_KEY, "stream": 1, "update": "AAA="})
        }
        ("post", "/objects/{object}/sessions/{session}/presence") => {
            json!({"key": SESSION_KEY, "stream": 1, "state": {"name": "Alice", "cursor": 7}})
        }
        ("post", "/spaces/{space}/records") => json!("23.5 °C"),
        ("post", "/identity/unlock") => json!("correct horse battery staple"),
        ("post", "/tickets/spend") => json!({"ticket": "the-ticket-that-was-issued"}),
        _ => return None,
    })
}
