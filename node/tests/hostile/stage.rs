//! Alice, who is attacked, and Bob, an honest member of the same space: real processes, looked at through their API.

use std::{sync::OnceLock, time::Instant};

use serde_json::{Value, json};

use super::program::Program;
use crate::harness::{Folder, Following, PATIENCE, Up, share};

/// How much more memory than without the attacks a node may need at its peak, in KiB.
const MORE_KIB: u64 = 32 << 10;
/// Rounds of the run without attacks. Others are compared with the peak after as many rounds as they had, or after these.
const ROUNDS: usize = 6;

/// What the attacks go over.
pub(super) const TRANSPORTS: [&str; 2] = ["quic", "tcp"];

/// A node and its API.
pub(super) struct Node<'a> {
    pub(super) folder: &'a Folder,
    pub(super) up: Up<'a>,
    agent: ureq::Agent,
    base: String,
    token: String,
    pid: u64,
}

impl<'a> Node<'a> {
    pub(super) fn start(folder: &'a Folder) -> Node<'a> {
        let up = folder.up(&["--listen", "/ip4/127.0.0.1/tcp/0"]);
        let file: Value = serde_json::from_slice(&std::fs::read(folder.data().join("node.json")).unwrap()).unwrap();
        let token = std::fs::read_to_string(file["token_path"].as_str().unwrap()).unwrap();
        Node {
            folder,
            up,
            agent: ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent(),
            base: format!("http://{}/api/v1", file["api"].as_str().unwrap()),
            token: format!("Bearer {token}"),
            pid: file["pid"].as_u64().unwrap(),
        }
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let request = self.agent.get(format!("{}{path}", self.base)).header("authorization", &self.token);
        request.call().unwrap_or_else(|error| panic!("{path}: {error}")).body_mut().read_json().unwrap()
    }

    pub(super) fn post(&self, path: &str, body: Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.base)).header("authorization", &self.token);
        request.send_json(body).unwrap_or_else(|error| panic!("{path}: {error}")).body_mut().read_json().unwrap()
    }

    pub(super) fn text(&self, object: &str) -> String {
        self.get(&format!("/objects/{object}/text"))["text"].as_str().unwrap().to_owned()
    }

    /// How this node's peer id is written.
    pub(super) fn peer_id(&self) -> &str {
        self.up.ready["peer_id"].as_str().unwrap()
    }

    /// The most memory that the process ever had, in KiB.
    fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// Both nodes, their space, and a note of Alice's in it.
pub(super) struct Stage<'a> {
    pub(super) alice: Node<'a>,
    pub(super) bob: Node<'a>,
    pub(super) space: String,
    /// The note: its text begins with what was inserted in honest rounds.
    pub(super) note: String,
    /// What the next attacks go over: one of [`TRANSPORTS`].
    pub(super) transport: &'static str,
    events: Following,
    rounds: usize,
}

/// What a node holds and shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Feed, length, root, why it is stopped.
    feeds: Vec<(String, u64, String, Option<String>)>,
    objects: Value,
    members: Value,
    text: String,
}

impl Kept {
    /// Without these feeds.
    pub(super) fn but(mut self, feeds: &[&str]) -> Kept {
        self.feeds.retain(|(feed, ..)| !feeds.contains(&feed.as_str()));
        self
    }

    /// Without this object.
    pub(super) fn without(mut self, object: &str) -> Kept {
        self.objects["objects"].as_array_mut().unwrap().retain(|shown| shown["object"] != object);
        self
    }

    /// How long a feed is, and whether it is stopped.
    pub(super) fn feed(&self, feed: &str) -> (u64, bool) {
        let found = self.feeds.iter().find(|(id, ..)| id == feed);
        found.map(|(_, length, _, stopped)| (*length, stopped.is_some())).unwrap()
    }
}

/// Plays on a stage, and then looks whether the node that was attacked is whole and has not grown.
pub(super) fn play(play: impl FnOnce(&mut Stage<'_>)) {
    // Measured first, so that it does not run beside the attacks that are compared with it.
    let baseline = peaks_without_attacks();
    let (rounds, peaks) = played(play);
    let allowed = baseline[rounds.clamp(1, ROUNDS) - 1] + MORE_KIB;
    let peak = peaks.last().copied().unwrap_or_default();
    assert!(peak <= allowed, "a peak of {peak} KiB after {rounds} rounds, {allowed} are allowed");
}

/// How many rounds were played, and the peak of the node's memory after each.
fn played(play: impl FnOnce(&mut Stage<'_>)) -> (usize, Vec<u64>) {
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let (alice, bob) = (Node::start(&alice), Node::start(&bob));
    let space = share(alice.folder, bob.folder);
    let made = alice.folder.json(&["object", "create", &space, "note", "name=poem", "body=hers"]);
    let note = made["object"].as_str().unwrap().to_owned();
    let events = Following::start(alice.folder, &["--json", "events"]);
    let mut stage = Stage { alice, bob, space, note, transport: TRANSPORTS[0], events, rounds: 0 };
    stage.level();
    play(&mut stage);
    assert_eq!(stage.alice.folder.json(&["verify"])["verified"], true);
    (stage.rounds, vec![stage.alice.peak_kib()])
}

fn peaks_without_attacks() -> &'static [u64] {
    static PEAKS: OnceLock<Vec<u64>> = OnceLock::new();
    PEAKS.get_or_init(|| {
        let mut peaks = Vec::new();
        played(|stage| {
            for _ in 0..ROUNDS {
                let (mut mallory, _) = stage.member("none", "writer");
                stage.kept();
                mallory.go_on();
                let object = mallory.until("wrote")["object"].as_str().unwrap().to_owned();
                mallory.until("done");
                assert_eq!(stage.shown(&object), "an honest text");
                stage.kept();
                stage.serves();
                mallory.end();
                peaks.push(stage.alice.peak_kib());
            }
        });
        peaks
    })
}

impl Stage<'_> {
    /// Somebody joins by a link of Alice's, to attack then.
    pub(super) fn member(&mut self, attack: &str, role: &str) -> (Program, Value) {
        self.member_with(attack, role, None)
    }

    /// The same; who attacks is in another space of Alice's too, by this link.
    pub(super) fn member_with(&mut self, attack: &str, role: &str, other: Option<&str>) -> (Program, Value) {
        self.rounds += 1;
        let link = self.link(role);
        let arguments = [self.transport, "member", attack, &link, &self.note].into_iter().chain(other);
        let mut program = Program::start(&arguments.collect::<Vec<_>>());
        let ready = program.until("ready");
        self.level();
        (program, ready)
    }

    /// A new link of Alice's.
    pub(super) fn link(&self, role: &str) -> String {
        self.link_to(&self.space, role)
    }

    /// A new link of Alice's to a space.
    pub(super) fn link_to(&self, space: &str, role: &str) -> String {
        let path = format!("/spaces/{space}/invitations");
        self.alice.post(&path, json!({ "role": role }))["link"].as_str().unwrap().to_owned()
    }

    /// Counts a round in which nobody joined.
    pub(super) fn round(&mut self) {
        self.rounds += 1;
    }

    /// Waits until Alice and Bob hold and show the same.
    pub(super) fn level(&self) {
        let path = |with: &Node<'_>| format!("/spaces/{}/wait?timeout_ms=60000&with={}", self.space, with.peer_id());
        self.alice.get(&path(&self.bob));
        self.bob.get(&path(&self.alice));
    }

    /// What Alice holds and shows.
    pub(super) fn kept(&self) -> Kept {
        let feeds = self.alice.get(&format!("/spaces/{}/feeds", self.space));
        let mut feeds: Vec<_> = feeds["feeds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|feed| {
                (
                    feed["feed"].as_str().unwrap().to_owned(),
                    feed["length"].as_u64().unwrap(),
                    feed["root"].as_str().unwrap().to_owned(),
                    feed["stopped"].as_str().map(str::to_owned),
                )
            })
            .collect();
        feeds.sort();
        Kept {
            feeds,
            objects: self.alice.get(&format!("/spaces/{}/objects?all=true", self.space)),
            members: self.alice.get(&format!("/spaces/{}/members", self.space)),
            text: self.alice.text(&self.note),
        }
    }

    /// The next event of this kind that has to do with a peer or a feed.
    pub(super) fn event(&self, kind: &str, of: &Value) -> Value {
        self.events.until(|event| event["event"] == kind && (event["peer"] == *of || event["feed"] == *of))
    }

    /// The next breach of a rule for this reason, whoever broke it.
    pub(super) fn violation(&self, why: &str) -> Value {
        self.events.until(|event| event["event"] == "violated" && event["reason"].as_str().unwrap().contains(why))
    }

    /// The text of an object at both nodes, which have to agree.
    pub(super) fn shown(&self, object: &str) -> String {
        self.level();
        let text = self.alice.text(object);
        assert_eq!(text, self.bob.text(object));
        text
    }

    /// Alice goes on: what she writes is at Bob's, and what he writes is at hers.
    pub(super) fn serves(&self) {
        let before = self.shown(&self.note);
        let insert = |text: &str| json!({ "operations": [{ "position": 0, "insert": text }] });
        self.alice.post(&format!("/objects/{}/text", self.note), insert("a"));
        self.come_to(&format!("a{before}"));
        self.bob.post(&format!("/objects/{}/text", self.note), insert("b"));
        self.come_to(&format!("ba{before}"));
    }

    /// Waits until the note has this text at both: what is durable need not be replayed yet.
    fn come_to(&self, text: &str) {
        let begun = Instant::now();
        while self.alice.text(&self.note) != text || self.bob.text(&self.note) != text {
            assert!(begun.elapsed() < PATIENCE, "{:?} is not {text:?}", self.alice.text(&self.note));
            self.level();
        }
    }
}
