//! The API over its socket: who may use it, what it streams, what it counts.

use std::{
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::{Value, json};

use super::harness::Folder;

struct Caller {
    agent: ureq::Agent,
    base: String,
    token: String,
}

impl Caller {
    fn of(folder: &Folder) -> Caller {
        let file: Value = serde_json::from_slice(&std::fs::read(folder.data().join("node.json")).unwrap()).unwrap();
        let token = std::fs::read_to_string(file["token_path"].as_str().unwrap()).unwrap();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        Caller { agent, base: format!("http://{}", file["api"].as_str().unwrap()), token: format!("Bearer {token}") }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    fn refused(&self, headers: &[(&str, &str)]) -> (u16, String) {
        let (status, body) = self.get("/api/v1/status", headers);
        (status, body["error"]["code"].as_str().unwrap().to_owned())
    }
}

#[test]
fn only_who_has_the_token_and_comes_from_this_machine_is_answered() {
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    let caller = Caller::of(&folder);
    let token = ("authorization", caller.token.as_str());
    assert_eq!(caller.get("/api/v1/status", &[token]).0, 200);
    assert_eq!(caller.refused(&[]), (401, "no_token".to_owned()));
    assert_eq!(caller.refused(&[("authorization", "Bearer x")]), (401, "no_token".to_owned()));
    assert_eq!(caller.refused(&[token, ("host", "evil.example")]), (403, "wrong_host".to_owned()));
    assert_eq!(caller.refused(&[token, ("origin", "https://evil.example")]), (403, "wrong_origin".to_owned()));
    let (status, body) = caller.get("/api/v1/nothing", &[token]);
    assert_eq!((status, &body["error"]["code"]), (404, &json!("no_such_route")));
}

#[test]
fn the_description_that_is_checked_in_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        std::fs::write(&path, weft::api::description()).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == weft::api::description(),
        "node/openapi.json is out of date: WEFT_REGENERATE=1 cargo test -p weft --test all description"
    );
}

#[test]
fn a_body_that_is_too_large_or_no_json_is_refused_in_our_words() {
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    let caller = Caller::of(&folder);
    let post = |body: &[u8]| {
        let request = caller.agent.post(format!("{}/api/v1/spaces", caller.base));
        let request = request.header("authorization", &caller.token).header("content-type", "application/json");
        let mut answer = request.send(body).unwrap();
        let body: Value = answer.body_mut().read_json().unwrap();
        (answer.status().as_u16(), body["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(post(b"{"), (400, "bad_body".to_owned()));
    assert_eq!(post(b"{\"name\": \"x\", \"colour\": 1}"), (400, "bad_body".to_owned()));
    assert_eq!(post(&vec![b' '; 40 << 20]), (413, "too_large".to_owned()));
}

#[test]
fn events_are_streamed_and_end_when_the_node_stops() {
    let folder = Folder::of("Alice");
    folder.json(&["space", "create", "notes"]);
    let node = folder.up(&[]);
    let caller = Caller::of(&folder);
    let request = caller.agent.get(format!("{}/api/v1/events?events=object_changed", caller.base));
    let answer = request.header("authorization", &caller.token).call().unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut lines = BufReader::new(answer.into_body().into_reader()).lines();
    let object = folder.field("object", &["object", "create", "notes", "note", "name=x"]);
    let told = lines.by_ref().map_while(Result::ok).find(|line| line.contains(&object)).unwrap();
    let event: Value = serde_json::from_str(told.strip_prefix("data:").unwrap()).unwrap();
    assert_eq!(event["event"], "object_changed");
    node.down();
    assert!(lines.all(|line| line.is_err() || !line.unwrap().contains("data:")));
}

#[test]
fn what_was_done_is_counted_for_operators() {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice = alice.up(&[]);
    let bobs = bob.up(&[]);
    let caller = Caller::of(&alice);
    let metrics = || {
        let request = caller.agent.get(format!("{}/metrics", caller.base)).header("authorization", &caller.token);
        let mut answer = request.call().unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
        answer.body_mut().read_to_string().unwrap()
    };
    let value = |text: &str, series: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
        line.unwrap_or_else(|| panic!("no {series} in\n{text}"))
    };
    let space = alice.field("space", &["space", "create", "secret garden"]);
    let before = metrics();
    assert!(before.ends_with("# EOF\n"));
    assert_eq!(value(&before, "weft_spaces"), 1.0);
    assert_eq!(value(&before, &format!("weft_space_level{{space=\"{}\"}}", &space[..12])), 0.0);
    bob.json(&["join", &alice.field("link", &["invite", &space])]);
    bob.json(&["record", "append", &space, "hello"]);
    alice.json(&["wait", &space]);
    let after = metrics();
    assert_eq!(value(&after, &format!("weft_space_level{{space=\"{}\"}}", &space[..12])), 1.0);
    assert_eq!(value(&after, &format!("weft_space_members{{space=\"{}\"}}", &space[..12])), 2.0);
    assert_eq!(value(&after, "weft_connections{transport=\"quic\"}"), 1.0);
    for counter in ["weft_store_entries_total", "weft_store_entry_bytes_total", "weft_store_write_seconds_count"] {
        assert!(value(&after, counter) > value(&before, counter), "{counter} does not count");
    }
    for direction in ["in", "out"] {
        assert!(value(&after, &format!("weft_frame_bytes_total{{direction=\"{direction}\"}}")) > 0.0);
    }
    let invited =
        "weft_api_requests_total{route=\"/api/v1/spaces/{space}/invitations\",method=\"POST\",status=\"200\"}";
    assert_eq!(value(&after, invited), 1.0);
    assert!(!after.contains("garden") && !after.contains(&space), "neither names nor whole ids are told");
    drop(bobs);
}

#[test]
fn health_needs_no_token_and_metrics_do() {
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    let caller = Caller::of(&folder);
    assert_eq!(caller.get("/healthz", &[]), (200, json!({"alive": true})));
    assert_eq!(caller.get("/readyz", &[]), (200, json!({"ready": true})));
    assert_eq!(caller.get("/metrics", &[]).0, 401);
}
