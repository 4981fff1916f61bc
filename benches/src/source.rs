//! The node that has the data: the first of the two processes.
//!
//! Fresh peers become members while its space is still empty, and stop; then it is filled, with nobody connected. So the clock
//! of a fresh peer times the data and nothing else, as that of the hypercore baseline, whose peer knows the key beforehand.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::join_all;
use tempfile::TempDir;
use tokio::{
    task::{JoinSet, unconstrained},
    time::timeout,
};
use weft::node::{Node, NodeConfig};
use weft_credential::Role;
use weft_crypto::{FeedId, ObjectId, Purpose, SpaceId};
use weft_echo::{Edit, TextOp};
use weft_invitation::Link;
use weft_peer::{Answer, Command, FeedStatus, NewLink, SpaceStatus, Terms};

use crate::{
    blocks::{block, change},
    error::Failure,
    process::PATIENCE,
};

/// Records in one command when a feed is filled, as the baseline's batches.
const BATCH: u64 = 1_000;
/// Bytes in one command: two of them must fit what may wait in a space, which is 16 MiB.
const BATCH_BYTES: u64 = 4 << 20;
/// Edits of the document that wait for the node at once.
const EDITS: u64 = 256;

/// What a connection is made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// QUIC v1.
    Quic,
    /// TCP with Noise and Yamux.
    Tcp,
}

impl Transport {
    /// As people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quic => "QUIC",
            Self::Tcp => "TCP",
        }
    }

    /// Where a node listens for it: loopback, at a port that the system chooses.
    #[must_use]
    pub fn loopback(self) -> &'static str {
        match self {
            Self::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
            Self::Tcp => "/ip4/127.0.0.1/tcp/0",
        }
    }
}

/// A node with a space of its own, in a folder that is removed with it.
pub struct Source {
    /// The node.
    pub node: Node,
    /// Its space.
    pub space: SpaceId,
    /// Its data feed there.
    pub feed: FeedId,
    folder: TempDir,
    peers: usize,
}

impl Source {
    /// Starts one that others reach over this transport.
    ///
    /// # Errors
    /// When the node does not start.
    pub async fn start(transport: Transport) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("weft-bench-").tempdir()?;
        let config = NodeConfig {
            listen: transport.loopback().parse().into_iter().collect(),
            ..NodeConfig::new(folder.path().join("source"))
        };
        let node = Node::start(config).await?;
        let Answer::SpaceCreated { space } = node.command(Command::CreateSpace { name: "bench".to_owned() }).await?
        else {
            return Err(unexpected());
        };
        let feed = my_data_feed(&node, space).await?.feed;
        Ok(Self { node, space, feed, folder, peers: 0 })
    }

    /// Where others reach it, with its PeerId.
    ///
    /// # Errors
    /// When it listens nowhere.
    pub fn address(&self) -> Result<String, Failure> {
        let addresses = self.node.listen_addresses();
        let address = addresses.first().ok_or_else(|| Failure::because("the source listens nowhere"))?;
        Ok(format!("{address}/p2p/{}", self.node.peer_id()))
    }

    /// Lets a new node become a member and stop again. Its folder, which is removed with this source.
    ///
    /// # Errors
    /// When it cannot join.
    pub async fn fresh_peer(&mut self) -> Result<PathBuf, Failure> {
        self.peers += 1;
        let folder = self.folder.path().join(format!("peer-{}", self.peers));
        let addresses = self.node.listen_addresses().iter().map(ToString::to_string).collect();
        let invite = Command::Invite(NewLink {
            space: self.space,
            terms: Terms::once(Role::Writer, u64::MAX / 2_000),
            addresses,
            places: Vec::new(),
            space_name: String::new(),
            inviter_name: String::new(),
        });
        let Answer::Invited { link, .. } = self.node.command(invite).await? else { return Err(unexpected()) };
        let peer = Node::start(NodeConfig::new(&folder)).await?;
        peer.command(Command::Join { link: Link::parse(&link)? }).await?;
        until(&peer, self.space, |status| status.level).await?;
        until(&self.node, self.space, |status| status.level).await?;
        peer.stop().await;
        until(&self.node, self.space, |status| status.pairs.is_empty()).await?;
        Ok(folder)
    }

    /// Appends records in batches of 1,000, or of 4 MiB; how many a second became durable.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn fill(&self, count: u64, size: usize) -> Result<f64, Failure> {
        let batch = BATCH.min(BATCH_BYTES / size.max(1) as u64).max(1);
        let mut elapsed = Duration::ZERO;
        let mut from = 0;
        while from < count {
            // Two batches at once: the node signs one while the other becomes durable.
            let mut appends = JoinSet::new();
            let mut commands = Vec::new();
            for _ in 0..2 {
                let to = count.min(from + batch);
                if from < to {
                    commands.push((from..to).map(|index| block(index, size)).collect());
                }
                from = to;
            }
            let started = Instant::now();
            for records in commands {
                let (node, space) = (self.node.clone(), self.space);
                appends.spawn(async move { node.command(Command::Append { space, records }).await });
            }
            while let Some(append) = appends.join_next().await {
                append.map_err(|error| Failure::because(error.to_string()))??;
            }
            elapsed += started.elapsed();
        }
        Ok(count as f64 / elapsed.as_secs_f64())
    }

    /// Appends records one by one from many callers, each of whom waits until its own is durable; how many a second.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn append_by_many(&self, count: u64, callers: u64, size: usize) -> Result<f64, Failure> {
        let mut tasks = JoinSet::new();
        let records: Vec<Vec<Bytes>> = (0..callers)
            .map(|caller| (caller..count).step_by(callers as usize).map(|index| block(index, size)).collect())
            .collect();
        let started = Instant::now();
        for records in records {
            let (node, space) = (self.node.clone(), self.space);
            tasks.spawn(async move {
                for record in records {
                    node.append(space, record).await?;
                }
                Ok::<(), Failure>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.map_err(|error| Failure::because(error.to_string()))??;
        }
        Ok(count as f64 / started.elapsed().as_secs_f64())
    }

    /// Makes documents and changes each `changes` times at its end, each change an entry of its own.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn documents(&self, count: u64, changes: u64) -> Result<(), Failure> {
        for _ in 0..count {
            let create =
                Edit::Create { type_name: "bench".to_owned(), registers: Vec::new(), text: Some(String::new()) };
            let Answer::Edited { object } = self.edit(create).await? else { return Err(unexpected()) };
            self.change(object, changes).await?;
        }
        Ok(())
    }

    async fn change(&self, object: ObjectId, changes: u64) -> Result<(), Failure> {
        let mut position = 0;
        for from in (0..changes).step_by(EDITS as usize) {
            let texts: Vec<String> = (from..changes.min(from + EDITS)).map(change).collect();
            let edits = texts.into_iter().map(|insert| {
                let op = TextOp { position, delete: 0, insert };
                position += op.insert.len() as u64;
                self.edit(Edit::Text { object, ops: vec![op] })
            });
            // Each is asked for when it is first polled, which is in order as long as tokio does not break off in between.
            for answer in unconstrained(join_all(edits)).await {
                answer?;
            }
        }
        Ok(())
    }

    async fn edit(&self, edit: Edit) -> Result<Answer, Failure> {
        Ok(self.node.command(Command::Edit { space: self.space, edit }).await?)
    }

    /// How many entries its data feed has.
    ///
    /// # Errors
    /// When the node does not say.
    pub async fn length(&self) -> Result<u64, Failure> {
        Ok(my_data_feed(&self.node, self.space).await?.length)
    }

    /// Returns when no peer is connected.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn alone(&self) -> Result<(), Failure> {
        until(&self.node, self.space, |status| status.pairs.is_empty()).await
    }

    /// Stops the node; its folder stays until this is dropped.
    pub async fn stop(self) -> TempDir {
        self.node.stop().await;
        self.folder
    }
}

/// The feeds of a space.
///
/// # Errors
/// When the node refuses.
pub async fn feeds(node: &Node, space: SpaceId) -> Result<Vec<FeedStatus>, Failure> {
    match node.command(Command::Feeds { space }).await? {
        Answer::Feeds(feeds) => Ok(feeds),
        _ => Err(unexpected()),
    }
}

async fn my_data_feed(node: &Node, space: SpaceId) -> Result<FeedStatus, Failure> {
    let mine = feeds(node, space).await?.into_iter().find(|feed| feed.mine && feed.purpose == Purpose::Data);
    mine.ok_or_else(|| Failure::because("the node has no data feed of its own in the space"))
}

/// Returns when the space is as `wanted` says. Looks again every 2 ms, which costs a node next to nothing.
///
/// # Errors
/// When that takes too long.
pub async fn until(node: &Node, space: SpaceId, wanted: impl Fn(&SpaceStatus) -> bool) -> Result<(), Failure> {
    let look = async {
        loop {
            let Answer::Status(status) = node.command(Command::Status).await? else { return Err(unexpected()) };
            if status.spaces.iter().any(|status| status.space == space && wanted(status)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, look).await.unwrap_or_else(|_| Err(Failure::because("the space did not become as it should")))
}

/// A folder's path as an argument.
///
/// # Errors
/// When it is not UTF-8.
pub fn argument(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| Failure::because(format!("{} is not UTF-8", path.display())))
}

pub(crate) fn unexpected() -> Failure {
    Failure::because("the answer was that of another command")
}
