//! What the second process does: the program that was started again, with [`MARK`] as its first argument.
//!
//! It prints lines of `key=value` and ends when its standard input does.

use std::{
    io::{Read as _, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use weft::node::{Node, NodeConfig, Reader};
use weft_crypto::{FeedId, SpaceId};
use weft_echo::{tables, view};
use weft_peer::{Answer, Command, Event};

use crate::{
    error::Failure,
    figures::Figures,
    process::{cpu_s, memory_mb, shared_clock_us},
    source::{feeds, unexpected, until},
};

/// The first argument of a second process.
pub const MARK: &str = "--second-process";

/// What a second process does with the node in its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Gets all of a feed. Says `dialled`-to-stored seconds, when all of it was replayed, and what it used for it.
    Fetch {
        /// How long the feed is.
        length: u64,
    },
    /// Says `length` and `at_us` for each growth of a feed that is durable here.
    Follow,
    /// Opens the node and reads the last record of a feed.
    Open {
        /// How long the feed is.
        length: u64,
    },
    /// Opens the node, has it rest and says what memory it takes.
    Rest {
        /// For how many seconds.
        seconds: u64,
    },
    /// Gets documents. Says when the whole text of all could be read.
    Documents {
        /// How many.
        count: u64,
        /// How many characters they have together.
        characters: u64,
    },
}

/// A second process's task: its role, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What it does.
    pub role: Role,
    /// The node's folder.
    pub folder: PathBuf,
    /// The space.
    pub space: SpaceId,
    /// The feed.
    pub feed: FeedId,
    /// Where the other node is, with its PeerId; empty: nowhere.
    pub peer: String,
}

impl Task {
    /// The arguments of the process.
    ///
    /// # Errors
    /// When the folder is not UTF-8.
    pub fn arguments(&self) -> Result<Vec<String>, Failure> {
        let mut role = match self.role {
            Role::Fetch { length } => vec!["fetch".to_owned(), length.to_string()],
            Role::Follow => vec!["follow".to_owned()],
            Role::Open { length } => vec!["open".to_owned(), length.to_string()],
            Role::Rest { seconds } => vec!["rest".to_owned(), seconds.to_string()],
            Role::Documents { count, characters } => {
                vec!["documents".to_owned(), count.to_string(), characters.to_string()]
            }
        };
        let folder = crate::source::argument(&self.folder)?;
        let mut arguments =
            vec![MARK.to_owned(), folder, self.space.to_string(), self.feed.to_string(), self.peer.clone()];
        arguments.append(&mut role);
        Ok(arguments)
    }

    /// Reads the arguments after the program's name; none when they are not those of a second process.
    #[must_use]
    pub fn parse(arguments: &[String]) -> Option<Self> {
        let [mark, folder, space, feed, peer, role @ ..] = arguments else { return None };
        let number = |at: usize| role.get(at)?.parse().ok();
        let role = match role.first()?.as_str() {
            "fetch" => Role::Fetch { length: number(1)? },
            "follow" => Role::Follow,
            "open" => Role::Open { length: number(1)? },
            "rest" => Role::Rest { seconds: number(1)? },
            "documents" => Role::Documents { count: number(1)?, characters: number(2)? },
            _ => return None,
        };
        let (space, feed) = (space.parse().ok()?, feed.parse().ok()?);
        (mark == MARK).then(|| Self { role, folder: folder.into(), space, feed, peer: peer.clone() })
    }

    /// Does it, says what came of it, and waits until nobody wants to know more. It should be a task of the node's runtime,
    /// as an application would be.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn run(self) -> Result<(), Failure> {
        let config = NodeConfig {
            // An end that listens too, as `weft up` does.
            listen: "/ip4/127.0.0.1/udp/0/quic-v1".parse().into_iter().collect(),
            peers: self.peer.parse().into_iter().collect(),
            ..NodeConfig::new(&self.folder)
        };
        let cpu = cpu_s().unwrap_or_default();
        let started = Instant::now();
        let node = Node::start(config).await?;
        // The node dials as soon as its task runs, which is now.
        let dialled = Instant::now();
        let events = node.events();
        let opened_ms = started.elapsed().as_secs_f64() * 1e3;
        match self.role {
            Role::Fetch { length } => {
                reach(&node, events, &self, length).await?;
                let stored_s = dialled.elapsed().as_secs_f64();
                let used = Figures::default()
                    .with("stored_s", stored_s)
                    .with("opened_ms", opened_ms)
                    .with("cpu_s", cpu_s().unwrap_or_default() - cpu)
                    .with("peak_mb", memory_mb("VmHWM").unwrap_or_default());
                until(&node, self.space, |status| status.settled).await?;
                let replayed_s = dialled.elapsed().as_secs_f64();
                let (reader, space) = (node.reader(), self.space);
                let verified = tokio::task::spawn_blocking(move || reader.verify(space)).await;
                let verified = verified.map_err(|error| Failure::because(error.to_string()))??;
                if verified.entries < length {
                    return Err(Failure::because(format!("only {} of {length} entries are stored", verified.entries)));
                }
                say(&used.with("replayed_s", replayed_s));
            }
            Role::Follow => {
                until(&node, self.space, |status| status.level).await?;
                say(&Figures::default().with("ready", 1.0));
                tokio::select! {
                    result = follow(&node, events, self.feed) => result?,
                    () = input_ended() => {}
                }
                node.stop().await;
                return Ok(());
            }
            Role::Open { length } => {
                let read = Command::Records { space: self.space, feed: self.feed, from: length - 1, entries_max: 1 };
                let Answer::Records { records, .. } = node.command(read).await? else { return Err(unexpected()) };
                let read_ms = started.elapsed().as_secs_f64() * 1e3;
                if records.len() != 1 {
                    return Err(Failure::because("the last record is not there"));
                }
                say(&Figures::default().with("opened_ms", opened_ms).with("read_ms", read_ms));
            }
            Role::Rest { seconds } => {
                until(&node, self.space, |status| status.level).await?;
                tokio::time::sleep_until((started + Duration::from_secs(seconds)).into()).await;
                let used = Figures::default()
                    .with("rss_mb", memory_mb("VmRSS").unwrap_or_default())
                    .with("anonymous_mb", memory_mb("RssAnon").unwrap_or_default())
                    .with("peak_mb", memory_mb("VmHWM").unwrap_or_default());
                say(&used);
            }
            Role::Documents { count, characters } => {
                let read = readable(&node, events, self.space, Texts { count, characters }).await?;
                say(&Figures::default()
                    .with("readable_s", dialled.elapsed().as_secs_f64())
                    .with("documents", read.count as f64)
                    .with("characters", read.characters as f64));
            }
        }
        input_ended().await;
        node.stop().await;
        Ok(())
    }
}

/// Returns when the feed has this length durably here.
async fn reach(node: &Node, mut events: Receiver<Event>, task: &Task, wanted: u64) -> Result<(), Failure> {
    if is_held(node, task, wanted).await? {
        return Ok(());
    }
    loop {
        match events.recv().await {
            Ok(Event::Extended { feed, length, .. }) if feed == task.feed && length >= wanted => return Ok(()),
            Ok(Event::Violated { what, .. }) => return Err(Failure::because(what)),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) if is_held(node, task, wanted).await? => return Ok(()),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Err(Failure::because("the node stopped")),
        }
    }
}

async fn is_held(node: &Node, task: &Task, wanted: u64) -> Result<bool, Failure> {
    let feeds = feeds(node, task.space).await?;
    Ok(feeds.iter().any(|feed| feed.feed == task.feed && feed.length >= wanted))
}

async fn follow(node: &Node, mut events: Receiver<Event>, wanted: FeedId) -> Result<(), Failure> {
    loop {
        match events.recv().await {
            Ok(Event::Extended { feed, length, .. }) if feed == wanted => {
                say(&Figures::default().with("at_us", shared_clock_us()).with("length", length as f64));
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return Err(Failure::because("events were missed")),
            Err(RecvError::Closed) => {
                return Err(Failure::because(node.failure().unwrap_or_else(|| "the node stopped".to_owned())));
            }
        }
    }
}

/// Documents with a text, and the characters of all.
#[derive(Clone, Copy, Debug, Default)]
struct Texts {
    count: u64,
    characters: u64,
}

/// What could be read, once it is as much as wanted.
async fn readable(node: &Node, mut events: Receiver<Event>, space: SpaceId, wanted: Texts) -> Result<Texts, Failure> {
    loop {
        // Whatever happened since, one look is enough.
        while events.try_recv().is_ok() {}
        if is_replayed(node, space).await? {
            let reader = node.reader();
            let read = tokio::task::spawn_blocking(move || texts(&reader, space)).await;
            let read = read.map_err(|error| Failure::because(error.to_string()))??;
            if read.count >= wanted.count && read.characters >= wanted.characters {
                return Ok(read);
            }
        }
        // A node that is not level has something to tell before long; the pause bounds what is missed.
        let _ = tokio::time::timeout(Duration::from_millis(5), events.recv()).await;
    }
}

/// Reads every text of the space from the store.
fn texts(reader: &Reader, space: SpaceId) -> Result<Texts, Failure> {
    let rows = reader.rows(space, tables::OBJECT, &[])?;
    let object = |row: &(Bytes, Bytes)| tables::parse_object_key(&row.0).map(|(object, ..)| object);
    let mut read = Texts::default();
    for rows in rows.chunk_by(|one, next| object(one) == object(next)) {
        let characters = view::text(&space, rows)?.chars().count() as u64;
        read.count += u64::from(characters > 0);
        read.characters += characters;
    }
    Ok(read)
}

async fn is_replayed(node: &Node, space: SpaceId) -> Result<bool, Failure> {
    let Answer::Status(status) = node.command(Command::Status).await? else { return Err(unexpected()) };
    Ok(status.spaces.iter().any(|status| status.space == space && status.level && status.settled))
}

fn say(figures: &Figures) {
    let mut out = std::io::stdout().lock();
    // When nobody listens any more, the end of the input says so.
    let _ = writeln!(out, "{}", figures.line());
    let _ = out.flush();
}

async fn input_ended() {
    let ended = || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    };
    // It cannot fail but by a panic, after which there is nothing to wait for.
    let _ = tokio::task::spawn_blocking(ended).await;
}
