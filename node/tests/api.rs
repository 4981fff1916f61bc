//! The API over its socket: who may use it, how it is described, what it streams.

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
fn every_described_path_is_served() {
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    let caller = Caller::of(&folder);
    let (_, description) = caller.get("/api/v1/openapi.json", &[("authorization", &caller.token)]);
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() > 15);
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys().filter(|method| *method != "parameters") {
            if path == "/stop" || path == "/events" || path == "/identity/phrase" {
                continue;
            }
            let url = format!("{}/api/v1{}", caller.base, path.replace('{', "no-").replace('}', ""));
            let request = ureq::http::Request::builder().method(method.to_uppercase().as_str()).uri(url);
            let request = request.header("authorization", &caller.token).header("content-type", "application/json");
            let mut answer = caller.agent.run(request.body("{}").unwrap()).unwrap();
            let body: Value = answer.body_mut().read_json().unwrap();
            let code = body["error"]["code"].as_str().unwrap_or_default();
            assert!(!["no_such_route", "wrong_method"].contains(&code), "{method} {path}: {body}");
        }
    }
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
