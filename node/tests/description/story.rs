//! The one story that all examples tell: a node with a space `garden`, an object `plan` in it, and another node that joins.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use super::schema;
use crate::harness::{Folder, Up};

/// An operation of the description.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) document: Value,
    base: &'static str,
}

/// A request.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) media_type: Option<String>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) token: bool,
    pub(crate) host: Option<&'static str>,
}

/// Every operation, in an order in which none takes from another what it needs.
pub(crate) fn operations(description: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let base = if item.get("servers").is_some() { "" } else { "/api/v1" };
        for (method, document) in item.as_object().unwrap() {
            if document.is_object() {
                let (method, path) = (method.clone(), path.clone());
                operations.push(Operation { method, path, document: document.clone(), base });
            }
        }
    }
    let rank = |operation: &Operation| match (&*operation.method, &*operation.path) {
        (_, "/stop") => 4,
        ("get", _) => 0,
        ("post", _) => 1,
        ("delete", _) => 3,
        _ => 2,
    };
    operations.sort_by_key(|operation| (rank(operation), operation.path.clone()));
    operations
}

impl Operation {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    pub(crate) fn parameters(&self) -> &[Value] {
        self.document["parameters"].as_array().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn needs_token(&self) -> bool {
        self.document.get("security").is_none()
    }

    /// The documented statuses, without `default`.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        self.document["responses"].as_object().unwrap().keys().filter_map(|status| status.parse().ok()).collect()
    }

    pub(crate) fn documents(&self, status: u16) -> bool {
        self.statuses().contains(&status)
    }

    /// The request that the description gives as an example.
    pub(crate) fn example(&self) -> Asked {
        let content = self.document["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
        let body = content.map(|(media_type, content)| match &content["example"] {
            Value::String(bytes) if media_type != "application/json" => bytes.clone().into_bytes(),
            example => example.to_string().into_bytes(),
        });
        let media_type = content.map(|(media_type, _)| media_type.clone());
        Asked { path: self.path_with(|example| example), media_type, body, token: true, host: None }
    }

    /// The same about something that is not there.
    pub(crate) fn about_nothing(&self) -> Asked {
        let nothing = |example: Value| match example.as_str() {
            Some("garden" | "plan") => json!("nothing-of-this-name"),
            _ => example,
        };
        Asked { path: self.path_with(nothing), ..self.example() }
    }

    fn path_with(&self, change: impl Fn(Value) -> Value) -> String {
        let (mut path, mut query) = (format!("{}{}", self.base, self.path), Vec::new());
        for parameter in self.parameters() {
            let (name, Some(example)) = (parameter["name"].as_str().unwrap(), parameter.get("example")) else {
                continue;
            };
            let example = change(example.clone());
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
                _ => query.push(format!("{name}={example}")),
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}

/// Two nodes and the description.
pub(crate) struct Story<'a> {
    alice: &'a Folder,
    bob: &'a Folder,
    _nodes: [Up<'a>; 2],
    description: Value,
    agent: ureq::Agent,
}

impl<'a> Story<'a> {
    /// Alice has her space, Bob has nothing yet.
    pub(crate) fn begin(alice: &'a Folder, bob: &'a Folder) -> Story<'a> {
        let nodes = [alice.up(&[]), bob.up(&[])];
        alice.json(&["space", "create", "garden"]);
        alice.json(&["object", "create", "garden", "note", "name=plan", "draft=yes", "body=Dig the bed."]);
        alice.json(&["record", "append", "garden", "first"]);
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let description = serde_json::from_str(&weft::api::description()).unwrap();
        Story { alice, bob, _nodes: nodes, description, agent }
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        operations(&self.description).into_iter().filter(|operation| operation.path != "/stop").collect()
    }

    /// Requests that need somebody else, or something that only an answer tells; and the end.
    pub(crate) fn with_others(&self) -> Vec<(Operation, Asked)> {
        let link = self.alice.field("link", &["invite", "garden"]);
        self.bob.json(&["join", &link]);
        self.alice.json(&["wait", "garden"]);
        // Whoever is a member already joins again by doing nothing.
        let known = self.alice.field("link", &["invite", "garden"]);
        let ticket = self.alice.field("url", &["open", "--print"]).rsplit_once('=').unwrap().1.to_owned();
        let with = |method: &str, path: &str, body: Value| {
            let mut all = operations(&self.description).into_iter();
            let operation = all.find(|operation| operation.is(method, path)).unwrap();
            let mut asked = operation.example();
            if !body.is_null() {
                asked.body = Some(body.to_string().into_bytes());
            }
            (operation, asked)
        };
        let feeds = self.alice.json(&["feed", "list", "garden"]);
        let (show_feed, mut feed) = with("get", "/feeds/{feed}", Value::Null);
        feed.path = feed.path.replace("the-id-of-a-feed", feeds["feeds"][0]["feed"].as_str().unwrap());
        let (revoke, mut taken_back) = with("delete", "/invitations/{invitation}", Value::Null);
        let invitation = self.alice.field("invitation", &["invite", "garden"]);
        taken_back.path = taken_back.path.replace("the-id-of-an-invitation", &invitation);
        let somebody = self.bob.field("identity", &["status"]);
        let about_bob = |method: &str, path: &str| {
            let (operation, mut asked) = with(method, path, Value::Null);
            asked.path = asked.path.replace("the-id-of-somebody", &somebody);
            (operation, asked)
        };
        vec![
            (show_feed, feed),
            (revoke, taken_back),
            about_bob("get", "/contacts/{person}"),
            about_bob("patch", "/contacts/{person}"),
            about_bob("delete", "/contacts/{person}"),
            about_bob("patch", "/spaces/{space}/members/{member}"),
            about_bob("delete", "/spaces/{space}/members/{member}"),
            with("post", "/join", json!({"link": known})),
            with("post", "/tickets/spend", json!({"ticket": ticket})),
            with("get", "/spaces/{space}/wait", Value::Null),
            with("post", "/stop", Value::Null),
        ]
    }

    /// Sends a request, checks that its answer is described and as it is described, and says its status.
    pub(crate) fn ask_and_check(&self, operation: &Operation, asked: &Asked) -> u16 {
        let name = operation.name();
        let file = std::fs::read(self.alice.data().join("node.json")).unwrap();
        let file: Value = serde_json::from_slice(&file).unwrap();
        let token = std::fs::read_to_string(file["token_path"].as_str().unwrap()).unwrap();
        let url = format!("http://{}{}", file["api"].as_str().unwrap(), asked.path);
        let mut request = ureq::http::Request::builder().method(operation.method.to_uppercase().as_str()).uri(url);
        if asked.token && operation.needs_token() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(host) = asked.host {
            request = request.header("host", host);
        }
        if let Some(media_type) = &asked.media_type {
            request = request.header("content-type", media_type);
        }
        let answer = match &asked.body {
            Some(body) => self.agent.run(request.body(body.clone()).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        let status = answer.status().as_u16();
        let media_type = answer.headers().get("content-type").map_or("", |value| value.to_str().unwrap());
        let media_type = media_type.split(';').next().unwrap_or_default().to_owned();
        let responses = &operation.document["responses"];
        let described = responses.get(status.to_string()).or_else(|| responses.get("default")).unwrap();
        let content = &described["content"][&media_type];
        assert!(content.is_object(), "{name}: {status} with {media_type} is not described");
        let reader = BufReader::new(answer.into_body().into_reader());
        for document in self.documents(&media_type, reader) {
            let checked = schema::check(&self.description, &content["schema"], &document);
            checked.unwrap_or_else(|wrong| panic!("{name}: {status}: {wrong} in {document}"));
        }
        status
    }

    /// What an answer holds, as JSON.
    fn documents(&self, media_type: &str, mut reader: impl BufRead) -> Vec<Value> {
        let mut text = String::new();
        match media_type {
            "text/event-stream" => {
                // Something happens, so that something is told.
                self.alice.json(&["object", "set", "plan", "told=yes", "--space", "garden"]);
                let told = reader.lines().map_while(Result::ok).find(|line| line.starts_with("data:")).unwrap();
                vec![serde_json::from_str(&told["data:".len()..]).unwrap()]
            }
            "application/x-ndjson" => {
                reader.read_to_string(&mut text).unwrap();
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
            }
            "application/json" => {
                reader.read_to_string(&mut text).unwrap();
                vec![serde_json::from_str(&text).unwrap()]
            }
            _ => {
                reader.read_to_string(&mut text).unwrap();
                vec![Value::String(text)]
            }
        }
    }
}
