//! The one road that every command takes: a request of the API, answered by the running node, or by the store itself when
//! none runs. Both ways end at the same router, so a command cannot behave differently.

use std::{
    io::{self, BufRead, BufReader, Read},
    path::Path,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, BodyDataStream, Bytes},
    http::{Method, Request, header},
};
use futures::StreamExt;
use serde_json::Value;
use tokio::runtime::{Handle, Runtime};
use tower::ServiceExt;
use zeroize::Zeroizing;

use super::{
    failure::{Exit, Failure, from_answer},
    passphrase,
    running::{self, Running},
    start,
};
use crate::{api, config::Config, identity::Passphrase, node::Node};

/// How long another process may keep the store before a command gives up: two commands at once are no error.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// The most that is read of one document, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;

/// A request of the API.
#[derive(Debug)]
pub(crate) struct Call {
    method: Method,
    path: String,
    body: Payload,
}

#[derive(Debug)]
enum Payload {
    None,
    Json(Value),
    /// JSON as somebody wrote it.
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    Secret(Zeroizing<Vec<u8>>),
}

impl Call {
    /// Asks for something.
    pub(crate) fn get(path: impl Into<String>) -> Call {
        Call { method: Method::GET, path: path.into(), body: Payload::None }
    }

    /// Has something done that needs no further words.
    pub(crate) fn post(path: impl Into<String>) -> Call {
        Call { method: Method::POST, path: path.into(), body: Payload::None }
    }

    /// Takes something away.
    pub(crate) fn delete(path: impl Into<String>) -> Call {
        Call { method: Method::DELETE, path: path.into(), body: Payload::None }
    }

    /// Has something done.
    pub(crate) fn post_json(path: impl Into<String>, body: Value) -> Call {
        Call { method: Method::POST, path: path.into(), body: Payload::Json(body) }
    }

    /// Changes something.
    pub(crate) fn patch_json(path: impl Into<String>, body: Value) -> Call {
        Call { method: Method::PATCH, path: path.into(), body: Payload::Json(body) }
    }

    /// Any request. A body that is JSON is sent as that.
    pub(crate) fn raw(method: Method, path: String, body: Option<Vec<u8>>) -> Call {
        let body = match body {
            None => Payload::None,
            Some(bytes) if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok() => Payload::Text(bytes),
            Some(bytes) => Payload::Bytes(bytes),
        };
        Call { method, path, body }
    }

    /// Hands over a secret as text. The copy that goes over the loopback is freed and not overwritten; the process ends soon.
    pub(crate) fn post_secret(path: impl Into<String>, secret: &[u8]) -> Call {
        Call { method: Method::POST, path: path.into(), body: Payload::Secret(Zeroizing::new(secret.to_vec())) }
    }

    /// Hands over bytes.
    pub(crate) fn post_bytes(path: impl Into<String>, body: Vec<u8>) -> Call {
        Call { method: Method::POST, path: path.into(), body: Payload::Bytes(body) }
    }
}

/// A path below `/api/v1` and its query, with what people wrote in them escaped.
pub(crate) fn path(parts: &[&str], query: &[(&str, Option<&str>)]) -> String {
    let mut path = "/api/v1".to_owned();
    for part in parts {
        path.push('/');
        escape(part, &mut path);
    }
    let asked = query.iter().filter_map(|(key, value)| value.map(|value| (key, value)));
    for (at, (key, value)) in asked.enumerate() {
        path.push(if at == 0 { '?' } else { '&' });
        path += key;
        path.push('=');
        escape(value, &mut path);
    }
    path
}

fn escape(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => into.push(char::from(byte)),
            _ => into.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// Who answers.
pub(crate) enum Client {
    /// The node that runs on the folder.
    Running(Box<Running>),
    /// The store itself, opened by this process.
    Here(Box<Here>),
}

/// A node of this process, for as long as one command lasts.
pub(crate) struct Here {
    runtime: Runtime,
    router: Router,
    node: Node,
}

impl Client {
    /// Finds the running node, or opens the store.
    pub(crate) fn open(config: &Config) -> Result<Client, Failure> {
        Client::open_with(config, |config, passphrase, runtime| runtime.block_on(start::offline(config, passphrase)))
    }

    /// The same for what needs peers: when no node runs, one is started for this command.
    pub(crate) fn open_to_peers(config: &Config) -> Result<Client, Failure> {
        Client::open_with(config, |config, passphrase, runtime| runtime.block_on(start::briefly(config, passphrase)))
    }

    /// A node that is started for this command, with what opens its keys: that was asked for already.
    pub(crate) fn reaching(config: &Config, passphrase: Option<&Passphrase>) -> Result<Client, Failure> {
        let runtime = start::runtime()?;
        let node = runtime.block_on(start::reaching(config, passphrase))?;
        Ok(Client::here(config, runtime, node))
    }

    fn here(config: &Config, runtime: Runtime, node: Node) -> Client {
        let router = api::router(api::Api::new(node.clone(), config.clone()));
        Client::Here(Box::new(Here { runtime, router, node }))
    }

    /// The running node, for what only makes sense with one: nothing changes by itself in a store that nobody has open, and
    /// whoever had it open would keep all others out.
    pub(crate) fn of_running(config: &Config) -> Result<Client, Failure> {
        require_identity(&config.data_dir.value)?;
        Client::running(config).ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                "no_node",
                "no node is running here, so nothing changes by itself",
                "start it with `weft up`",
            )
        })
    }

    /// The running node, if there is one.
    pub(crate) fn running(config: &Config) -> Option<Client> {
        running::find(&config.data_dir.value).map(|running| Client::Running(Box::new(running)))
    }

    fn open_with(
        config: &Config,
        open: impl Fn(&Config, Option<&Passphrase>, &Runtime) -> Result<Node, Failure>,
    ) -> Result<Client, Failure> {
        let folder = &config.data_dir.value;
        if let Some(client) = Client::running(config) {
            return Ok(client);
        }
        require_identity(folder)?;
        let passphrase = passphrase::to_start(config)?;
        let patient_until = Instant::now() + LOCK_PATIENCE;
        loop {
            if let Some(client) = Client::running(config) {
                return Ok(client);
            }
            let runtime = start::runtime()?;
            match open(config, passphrase.as_ref(), &runtime) {
                Ok(node) => return Ok(Client::here(config, runtime, node)),
                Err(failure) if failure.code == start::LOCKED && Instant::now() < patient_until => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Sends a request and reads the one document that answers it.
    pub(crate) fn ask(&self, call: Call) -> Result<Value, Failure> {
        let mut body = Vec::new();
        self.send(call)?.take(DOCUMENT_BYTES_MAX).read_to_end(&mut body).map_err(|error| lost(&error))?;
        serde_json::from_slice(&body).map_err(|error| lost(&error.into()))
    }

    /// Sends a request that a stream of lines answers, one object each.
    pub(crate) fn follow(&self, call: Call) -> Result<impl Iterator<Item = Result<Value, Failure>> + use<>, Failure> {
        let lines = BufReader::new(self.send(call)?).lines();
        Ok(lines.filter_map(|line| {
            let line = match line {
                Ok(line) => line,
                Err(error) => return Some(Err(lost(&error))),
            };
            // A line of JSON stands for itself; one of server-sent events has `data:` in front, and the others say nothing.
            let data = line.strip_prefix("data:").unwrap_or(&line).trim();
            data.starts_with('{').then(|| serde_json::from_str(data).map_err(|error| lost(&error.into())))
        }))
    }

    /// A node of this process that joined a space stays a moment, so that it meets a member and knows where to find it when
    /// it is started again.
    pub(crate) fn linger(&self, space: &str) {
        if let Client::Here(_) = self {
            // Nothing depends on it: membership is durable already.
            let _ = self.ask(Call::get(path(&["spaces", space, "wait"], &[("timeout_ms", Some("3000"))])));
        }
    }

    /// Sends a request; what is no success is an error. The body comes as it is read.
    pub(crate) fn send(&self, call: Call) -> Result<Box<dyn Read>, Failure> {
        let (status, mut body) = match self {
            Client::Running(running) => over_http(running, call)?,
            Client::Here(here) => in_process(here, call)?,
        };
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let mut answer = Vec::new();
        body.by_ref().take(1 << 20).read_to_end(&mut answer).map_err(|error| lost(&error))?;
        Err(from_answer(status, &answer))
    }

    /// Closes the store, if this process opened it.
    pub(crate) fn close(self) {
        if let Client::Here(here) = self {
            let Here { runtime, router, node } = *here;
            drop(router);
            runtime.block_on(node.stop());
        }
    }
}

/// Only `init` and `up` make an identity: a mistyped folder is an error, not a new person.
pub(super) fn require_identity(folder: &Path) -> Result<(), Failure> {
    if crate::identity::exists(folder) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::NotFound,
        "no_identity",
        format!("there is no Weft identity in {}", folder.display()),
        "run `weft init` or `weft up` to make one, or name another folder with --data",
    ))
}

fn over_http(running: &Running, call: Call) -> Result<(u16, Box<dyn Read>), Failure> {
    let (content_type, bytes) = encode(call.body);
    let mut request = Request::builder()
        .method(call.method.as_str())
        .uri(running.node.url(&call.path))
        .header("authorization", running.token.header());
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    let request = request.body(bytes).map_err(|error| lost(&io::Error::other(error)))?;
    // A body without length would be refused by ureq on GET and DELETE, which never carry one here.
    let answer = if request.body().is_empty() && content_type.is_none() {
        running.agent.run(request.map(|_| ()))
    } else {
        running.agent.run(request)
    };
    let answer = answer.map_err(|error| lost(&error.into_io()))?;
    let (head, body) = answer.into_parts();
    Ok((head.status.as_u16(), Box::new(body.into_reader())))
}

fn in_process(here: &Here, call: Call) -> Result<(u16, Box<dyn Read>), Failure> {
    let (content_type, bytes) = encode(call.body);
    let mut request = Request::builder().method(call.method).uri(call.path);
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    let request = request.body(Body::from(bytes)).map_err(|error| lost(&io::Error::other(error)))?;
    let answer = match here.runtime.block_on(here.router.clone().oneshot(request)) {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let status = answer.status().as_u16();
    let frames = answer.into_body().into_data_stream();
    Ok((status, Box::new(Frames { handle: here.runtime.handle().clone(), frames, rest: Bytes::new() })))
}

fn encode(body: Payload) -> (Option<&'static str>, Vec<u8>) {
    match body {
        Payload::None => (None, Vec::new()),
        Payload::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
        Payload::Text(text) => (Some("application/json"), text),
        Payload::Bytes(bytes) => (Some("application/octet-stream"), bytes),
        Payload::Secret(text) => (Some("text/plain"), text.to_vec()),
    }
}

/// The body of an answer of this process, read like a file.
struct Frames {
    handle: Handle,
    frames: BodyDataStream,
    rest: Bytes,
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.handle.block_on(self.frames.next()) {
                Some(frame) => self.rest = frame.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest.split_to(count));
        Ok(count)
    }
}

/// The answer did not come whole.
pub(crate) fn lost(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        "connection_lost",
        format!("the node did not answer to the end: {error}"),
        "look at what `weft up` printed; `weft status` says whether the node still runs",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_any_characters_make_one_part_of_a_path() {
        assert_eq!(path(&["spaces", "a/b ü?"], &[]), "/api/v1/spaces/a%2Fb%20%C3%BC%3F");
        assert_eq!(path(&["spaces", "..", "feeds"], &[]), "/api/v1/spaces/%2E%2E/feeds");
        assert_eq!(path(&["x"], &[("a", Some("1&2")), ("b", None), ("c", Some(""))]), "/api/v1/x?a=1%262&c=");
    }
}
