//! Real keystroke histories, sequential and concurrent, through the whole crate: every `*.json.gz` of the folder that
//! `WEFT_TRACES` names, or generated ones. The text that queries read equals the trace's `endContent`.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "a test that cannot go on may panic")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it reads files and says how long it took")]

#[allow(dead_code, reason = "shared with the other tests, which use more of it")]
mod world;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Instant;

use weft_crypto::{FeedId, ObjectId};
use weft_echo::trace::{self, Trace, Transaction};
use weft_echo::{Applied, Edit, TextOp};
use weft_machine::Draws;
use world::{Node, draws, feed, op, reader, ready};

#[test]
fn traces_end_as_they_say() {
    match std::env::var_os("WEFT_TRACES") {
        Some(folder) => {
            let traces = files(&PathBuf::from(&folder));
            assert!(!traces.is_empty(), "no *.json.gz in {}", folder.display());
            for (name, trace) in traces {
                replay(&name, trace);
            }
        }
        None => {
            for seed in 0..3 {
                replay(&format!("generated sequential {seed}"), sequential(seed));
                replay(&format!("generated concurrent {seed}"), concurrent(seed));
            }
        }
    }
}

fn files(folder: &PathBuf) -> Vec<(String, Trace)> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.to_string_lossy().ends_with(".json.gz")).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let mut json = Vec::new();
        flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap()).read_to_end(&mut json).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), trace::parse(&json).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn replay(name: &str, trace: Trace) {
    let started = Instant::now();
    let (kind, entries) = if trace.concurrent { ("concurrent", merge(&trace)) } else { ("sequential", import(trace)) };
    println!("{name}: {kind}, {entries} entries, {:?}", started.elapsed());
}

/// One author, as `weft import trace` does it; then a reader that gets the entries from elsewhere.
fn import(trace: Trace) -> usize {
    let mut alice = Node::new(1);
    let object = alice.create("text", Vec::new(), &trace.start);
    let end = trace.end.clone();
    for ops in trace::edits(trace, 64) {
        alice.typed(object, ops);
    }
    assert_eq!(alice.text(&object), end);
    let feeds = BTreeMap::from([(feed(1), alice.entries)]);
    let bob = reader(&feeds, 1);
    assert_eq!(bob.text(&object), end);
    assert!(bob.quarantined.is_empty(), "{:?}", bob.quarantined);
    feeds[&feed(1)].len()
}

/// One feed an agent, deps = the trace's parents; then readers in random causal orders.
fn merge(trace: &Trace) -> usize {
    let mut writers = Writers::new(trace);
    for index in 0..trace.transactions.len() {
        writers.write(trace, index);
    }
    let Writers { feeds, object, .. } = writers;
    for order in 0..4 {
        let reader = reader(&feeds, order);
        assert_eq!(reader.text(&object), trace.end, "order {order}");
        assert!(reader.quarantined.is_empty(), "{:?}", reader.quarantined);
    }
    feeds.values().map(Vec::len).sum()
}

/// The agents of a concurrent trace, each with its own node that holds exactly what its transactions' parents say.
struct Writers {
    nodes: BTreeMap<u32, Node>,
    feeds: BTreeMap<FeedId, Vec<Applied>>,
    object: ObjectId,
    /// Of each transaction: the lengths of all feeds after it.
    after: Vec<BTreeMap<FeedId, u64>>,
}

fn agent_feed(agent: u32) -> FeedId {
    feed(u8::try_from(agent + 1).unwrap())
}

impl Writers {
    fn new(trace: &Trace) -> Self {
        let mut founder = Node::new(200);
        let object = founder.create("text", Vec::new(), &trace.start);
        let mut feeds = BTreeMap::from([(feed(200), founder.entries)]);
        let agents = trace.transactions.iter().map(|transaction| transaction.agent);
        let mut nodes = BTreeMap::new();
        for agent in agents {
            feeds.entry(agent_feed(agent)).or_default();
            nodes.entry(agent).or_insert_with(|| Node::new(u8::try_from(agent + 1).unwrap()));
        }
        Self { nodes, feeds, object, after: Vec::new() }
    }

    fn write(&mut self, trace: &Trace, index: usize) {
        let Transaction { agent, parents, ops } = &trace.transactions[index];
        let mut past = BTreeMap::from([(feed(200), 1)]);
        for parent in parents {
            for (feed, length) in &self.after[*parent] {
                let known = past.entry(*feed).or_insert(0);
                *known = (*known).max(*length);
            }
        }
        let own = agent_feed(*agent);
        let written = self.nodes[agent].entries.len() as u64;
        assert_eq!(past.get(&own).copied().unwrap_or(0), written, "an agent builds on all that it did before");
        let node = self.nodes.get_mut(agent).unwrap();
        let order: Vec<FeedId> = past.keys().copied().filter(|feed| *feed != own).collect();
        while order.iter().any(|feed| node.held.get(feed) < past[feed]) {
            let next = |feed: &&FeedId| node.held.get(feed) < past[*feed] && ready(node, &self.feeds, feed).is_some();
            let feed = *order.iter().find(next).expect("parents come first");
            let entry = ready(node, &self.feeds, &feed).unwrap().clone();
            node.take(feed, entry);
        }
        for ops in ops.chunks(64) {
            node.edit(Edit::Text { object: self.object, ops: ops.to_vec() }).unwrap();
        }
        let feed = self.feeds.get_mut(&own).unwrap();
        feed.extend_from_slice(&node.entries[feed.len()..]);
        past.insert(own, node.entries.len() as u64);
        self.after.push(past);
    }
}

/// Somebody who types, goes back, jumps and corrects.
fn sequential(seed: u64) -> Trace {
    let mut draws = draws(seed);
    let start = "Once upon a time 😀 ".to_owned();
    let mut text: Vec<char> = start.chars().collect();
    let mut transactions = Vec::new();
    let mut cursor = text.len();
    for _ in 0..4_000 {
        if draws.below(40) == 0 {
            cursor = draws.below(text.len() as u64 + 1) as usize;
        }
        let op = keystroke(&mut text, &mut cursor, &mut draws);
        transactions.push(Transaction { ops: vec![op], ..Transaction::default() });
    }
    Trace { start, end: text.into_iter().collect(), transactions, concurrent: false }
}

fn keystroke(text: &mut Vec<char>, cursor: &mut usize, draws: &mut Draws) -> TextOp {
    if *cursor > 0 && draws.below(5) == 0 {
        *cursor -= 1;
        text.remove(*cursor);
        return op(*cursor as u64, 1, "");
    }
    let key = ['e', 'n', ' ', 'ß', '界', '🦀', '\n'][draws.below(7) as usize];
    text.insert(*cursor, key);
    *cursor += 1;
    op(*cursor as u64 - 1, 0, &key.to_string())
}

/// Three people, each in a paragraph of their own, who rarely look at what the others did: no two insertions are at one
/// place, so the end is known without a merge.
fn concurrent(seed: u64) -> Trace {
    const MARK: char = '|';
    let mut draws = draws(100 + seed);
    // What each sees: for each paragraph how many of its author's transactions.
    let mut versions: [Vec<Vec<char>>; 3] = [vec![vec![]], vec![vec![]], vec![vec![]]];
    let mut last: [Vec<usize>; 3] = [vec![], vec![], vec![]];
    let mut sees = [[0usize; 3]; 3];
    let mut transactions: Vec<Transaction> = Vec::new();
    for _ in 0..1_500 {
        let me = draws.below(3) as usize;
        let mut parents: Vec<usize> = last[me].last().copied().into_iter().collect();
        for other in (0..3).filter(|other| *other != me) {
            if draws.below(8) == 0 && sees[me][other] < versions[other].len() - 1 {
                let newest = versions[other].len() - 1;
                sees[me][other] = newest;
                parents.push(last[other][newest - 1]);
                // Its past comes with it.
                for (third, seen) in sees[me].iter_mut().enumerate() {
                    *seen = (*seen).max(seen_by(&transactions, &last, other, newest, third, &versions));
                }
            }
        }
        let before: usize = (0..me).map(|other| versions[other][sees[me][other]].len() + 1).sum();
        let mut mine = versions[me].last().unwrap().clone();
        let mut cursor = draws.below(mine.len() as u64 + 1) as usize;
        let mut key = keystroke(&mut mine, &mut cursor, &mut draws);
        key.position += before as u64;
        versions[me].push(mine);
        sees[me][me] = versions[me].len() - 1;
        last[me].push(transactions.len());
        transactions.push(Transaction { agent: me as u32, parents, ops: vec![key] });
    }
    let paragraphs: Vec<String> = versions.iter().map(|versions| versions.last().unwrap().iter().collect()).collect();
    Trace { start: format!("{MARK}{MARK}"), end: paragraphs.join("|"), transactions, concurrent: true }
}

/// How many transactions of `third` are in the past of the `count`-th transaction of `other`.
fn seen_by(
    transactions: &[Transaction],
    last: &[Vec<usize>; 3],
    other: usize,
    count: usize,
    third: usize,
    versions: &[Vec<Vec<char>>; 3],
) -> usize {
    let mut past = vec![false; transactions.len()];
    let mut todo = vec![last[other][count - 1]];
    while let Some(index) = todo.pop() {
        if !std::mem::replace(&mut past[index], true) {
            todo.extend(&transactions[index].parents);
        }
    }
    last[third].iter().take(versions[third].len() - 1).filter(|index| past[**index]).count()
}
