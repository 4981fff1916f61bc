//! A node: its store, its identity, its swarm, and the task that drives the peer; and the handle that applications hold.

mod contacts;
mod dialer;
mod driver;
mod error;
mod jobs;
mod joining;
mod known;
mod listen;
mod place;
mod reader;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use weft_crypto::{DeviceId, FeedId, IdentityId, Phrase, SpaceId};
use weft_machine::Seed;
use weft_peer::{
    Me, Peer,
    command::{Answer, Command, Refusal, RefusalKind},
    event::Event,
};

pub(crate) use self::contacts::{Contact, Contacts};
pub(crate) use self::place::host_name;
use self::{
    dialer::Dialer,
    driver::{Driver, End, Request, Sources, Wall},
    jobs::Jobs,
    known::Acquaintances,
};
pub use self::{
    error::StartError,
    joining::{JoinAsDeviceError, JoinedAsDevice},
    reader::{EntrySeen, Reader, Verified},
};
use crate::{
    identity::{self, Identity, IdentityError, Passphrase, PhraseState, Protection, WrappingKey},
    meters::Meters,
    store::{self, Counted, Disk, Lock, SetAside, Store, Threads},
};

/// Commands that may wait for the driver; more wait with their callers.
const REQUESTS_MAX: usize = 1_024;
/// Events that a slow listener may lag behind before it misses some.
const EVENTS_MAX: usize = 1_024;

/// What a node needs to start.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The folder with everything it keeps; made if it is not there, open to its owner only.
    pub data_dir: PathBuf,
    /// The folder outside of it that remembers which copy of it wrote last, so that an older one that is put back is noticed and
    /// does not fork its device (NODE-2.5). It has to stay when the data folder is restored. Default: none, for programs that see to
    /// that themselves.
    pub state_dir: Option<PathBuf>,
    /// Where to listen for peers; nowhere when empty.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to, with or without `/p2p/…` at the end.
    pub peers: Vec<Multiaddr>,
    /// What this node calls itself towards the members of its spaces.
    pub name: Option<String>,
    /// What the store's cache may take, in bytes. Default 8 MiB.
    pub cache_bytes: usize,
    /// What opens the keys of the identity, where a passphrase protects them; an identity that is made is put under it.
    pub passphrase: Option<Passphrase>,
}

impl NodeConfig {
    /// A node in this folder that listens nowhere and knows nobody.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> NodeConfig {
        NodeConfig {
            data_dir: data_dir.into(),
            state_dir: None,
            listen: Vec::new(),
            peers: Vec::new(),
            name: None,
            cache_bytes: 8 << 20,
            passphrase: None,
        }
    }
}

/// A running node. Clones are handles to the same one; when the last is dropped, it stops as with [`Node::stop`].
#[derive(Clone)]
pub struct Node(Arc<Handle>);

struct Handle {
    requests: mpsc::Sender<Request>,
    events: broadcast::Sender<Event>,
    store: Arc<Disk>,
    data_dir: PathBuf,
    device: DeviceId,
    identity: IdentityId,
    wrapping: WrappingKey,
    has_network: bool,
    listen: Arc<Mutex<Vec<Multiaddr>>>,
    meters: Meters,
    life: watch::Receiver<Life>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Life {
    Running,
    Stopped,
    Failed { why: String, damaged: bool },
}

/// Where an appended record is; it is durable here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// This device's data feed in the space.
    pub feed: FeedId,
    /// The record's sequence number.
    pub seq: u64,
}

impl Node {
    /// Starts a node: opens its store, makes an identity if there is none, listens, and dials its peers for as long as it
    /// runs. Runs on the tokio runtime that calls it.
    ///
    /// ```
    /// use weft::node::{Node, NodeConfig};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// let config = NodeConfig {
    ///     listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse()?],
    ///     ..NodeConfig::new(folder.path().join("alice"))
    /// };
    /// let alice = Node::start(config).await?;
    /// println!("{} listens at {:?}", alice.peer_id(), alice.listen_addresses());
    /// alice.stop().await;
    /// # Ok(()) })
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the folder, the identity, the store or an address cannot be used; each says what to do.
    pub async fn start(config: NodeConfig) -> Result<Node, StartError> {
        Node::launch(config, true, Arc::new(driver::unix_ms)).await
    }

    /// The same without a network, for work on the store while no node runs on it. A folder that may not be written to can be
    /// read so; whatever would change it is refused.
    ///
    /// # Errors
    /// As [`Node::start`], but for addresses.
    pub async fn offline(config: NodeConfig) -> Result<Node, StartError> {
        Node::launch(config, false, Arc::new(driver::unix_ms)).await
    }

    /// Sets a damaged store aside, in the data folder, and makes one in its place of what can be known of it. Nothing is
    /// deleted. To be called when [`Node::start`] says that the store is damaged.
    ///
    /// # Errors
    /// When the folder is in use, its identity cannot be read, or the disk refuses; then everything is as it was.
    pub fn set_aside(config: &NodeConfig) -> Result<SetAside, StartError> {
        let folder = &config.data_dir;
        let _lock = Lock::take(folder).map_err(|error| StartError::lock(folder.clone(), error))?;
        let (device, _) = identity::public(folder)?.ok_or(StartError::Damaged {
            path: folder.clone(),
            what: "there is no identity to make a store for".to_owned(),
        })?;
        store::set_aside(folder, config.cache_bytes, device).map_err(|error| StartError::store(folder.clone(), error))
    }

    async fn launch(config: NodeConfig, has_network: bool, wall: Wall) -> Result<Node, StartError> {
        let folder = config.data_dir.clone();
        let unusable = |error: io::Error| StartError::Folder { path: folder.clone(), error };
        store::make_folder(&config.data_dir).map_err(unusable)?;
        let lock = match Lock::take(&config.data_dir) {
            Ok(lock) => Some(lock),
            Err(error) if error.is_read_only() && !has_network => None,
            Err(error) => return Err(StartError::lock(folder.clone(), error)),
        };
        let passphrase = config.passphrase.as_ref();
        let identity = match Identity::open(&config.data_dir, passphrase)? {
            Some(identity) => identity,
            // It would be another person than the one that the link was for.
            None if identity::is_joining(&config.data_dir) => return Err(StartError::Joining { path: folder }),
            None => Identity::create(&config.data_dir, passphrase)?,
        };
        if lock.is_some() {
            identity::forget_joining(&config.data_dir)?;
        }
        // Before the store: an opening leaves its mark, and an address that is taken is no reason to open it.
        let swarm = match has_network {
            true => Some(listen::start(&identity.keypair(), &config.listen).await?),
            false => None,
        };
        let damaged = |error| StartError::store(folder.clone(), error);
        let open = if lock.is_some() { Disk::open } else { Disk::look };
        let (disk, recovered) = open(&config.data_dir, config.cache_bytes).map_err(damaged)?;
        if recovered.torn {
            tracing::warn!(
                "the last write before the store was closed was not whole; nobody was told that it was kept"
            );
        }
        if recovered.batches > 0 {
            tracing::info!(
                batches = recovered.batches,
                "taken over from the journal: the node was not stopped in order"
            );
        }
        let store = Arc::new(disk);
        let unsure = match &config.state_dir {
            Some(state_dir) if lock.is_some() => {
                let outside = place::claim(&folder, state_dir, &identity.device.id()).await?;
                let mut mark = [0; 16];
                getrandom::fill(&mut mark).map_err(|error| StartError::Identity(IdentityError::NoEntropy(error)))?;
                store.recognise(outside, identity.device.id(), mark).map_err(damaged)?
            }
            _ => Vec::new(),
        };
        let mut opened = store.opened().map_err(damaged)?;
        opened.local.extend(unsure);
        let acquaintances = Acquaintances::new(store.node_rows(known::PREFIX).map_err(damaged)?);

        let listen = Arc::new(Mutex::new(swarm.iter().flat_map(|swarm| swarm.listeners().cloned()).collect()));
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).map_err(|error| StartError::Identity(IdentityError::NoEntropy(error)))?;
        let seed = Seed::from_bytes(entropy);
        let mut dialer = Dialer::new(seed.fork("dialer"));
        let now = weft_machine::Time::ZERO;
        config.peers.iter().for_each(|address| dialer.keep_address(now, address.clone()));
        acquaintances.all().for_each(|(peer, addresses)| dialer.keep(now, peer, addresses));

        let (device, who, wrapping) = (identity.device.id(), identity.identity, identity.wrapping);
        let name =
            config.name.or_else(|| identity.linked.as_ref().map(|linked| linked.name.clone())).unwrap_or_default();
        let (linked_by, called) = match identity.linked {
            Some(linked) => (Some(linked.by), linked.called),
            None => (None, host_name().unwrap_or_else(|| name.clone())),
        };
        // Until home is here there is nobody else to ask for it.
        if let Some(by) = linked_by.as_ref().filter(|by| opened.feeds.iter().all(|feed| feed.space != by.home)) {
            let addresses = by.addresses.iter().filter_map(|address| address.parse().ok());
            dialer.keep(now, identity::peer_id(&by.host), addresses.collect());
        }
        let me = Me {
            device: identity.device,
            identity: identity.identity,
            statements: identity.statements,
            chain: identity.chain,
            recovery: identity.recovery,
            name,
            called,
            linked_by,
        };
        let peer = Peer::new(weft_peer::Config::default(), me, seed.fork("peer"), opened)
            .map_err(|error| StartError::Damaged { path: folder.clone(), what: error.to_string() })?;

        let (facts, stored) = mpsc::unbounded_channel();
        let (done, worked) = mpsc::unbounded_channel();
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let (lives, life) = watch::channel(Life::Running);
        let events = broadcast::Sender::new(EVENTS_MAX);
        let meters = Meters::new();
        let counted = Arc::new(Counted::new(Arc::clone(&store), meters.store()));
        let threads = Threads::start(counted, facts).map_err(StartError::System)?;
        let mut driver = Driver {
            peer,
            swarm,
            dialer,
            acquaintances,
            store: Arc::clone(&store),
            threads,
            jobs: Jobs::new(done),
            events: events.clone(),
            listen: Arc::clone(&listen),
            meters: meters.clone(),
            origin: Instant::now(),
            asked: BTreeMap::new(),
            asks: 0,
            wall,
            clock_offset_ms: None,
        };
        driver.read_clock();
        for damage in store.take_damage() {
            driver.found(damage);
        }
        let (data_dir, left) = (folder.clone(), Arc::clone(&store));
        tokio::spawn(async move {
            let end = driver.run(Sources { requests: asked, stored, worked }).await;
            // The store's threads are joined by now: everything that was ordered is on disk.
            let life = match end {
                End::Asked => Life::Stopped,
                End::StoreFailed(error) => {
                    tracing::error!(%error, "the node stops because its store failed");
                    if error.is_damage() && lock.is_some() {
                        store::leave_mark(&data_dir, &error);
                    }
                    Life::Failed { why: error.to_string(), damaged: error.is_damage() }
                }
            };
            // Handles may keep the store open for reading; the places are free for another process from here on.
            left.leave();
            drop((left, lock));
            lives.send_replace(life);
        });
        Ok(Node(Arc::new(Handle {
            requests,
            events,
            store,
            data_dir: folder,
            device,
            identity: who,
            wrapping,
            has_network,
            listen,
            meters,
            life,
        })))
    }

    /// Appends a record to this device's data feed in the space. Answered when it is durable here.
    ///
    /// ```
    /// use weft::node::{Node, NodeConfig};
    /// use weft_peer::command::{Answer, Command};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// let alice = Node::offline(NodeConfig::new(folder.path().join("alice"))).await?;
    /// let Answer::SpaceCreated { space } = alice.command(Command::CreateSpace { name: "garden".into() }).await? else {
    ///     unreachable!("the answer to CreateSpace")
    /// };
    /// let appended = alice.append(space, "23.5 °C").await?;
    /// println!("entry {} of feed {}", appended.seq, appended.feed);
    /// alice.stop().await;
    /// # Ok(()) })
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the space is unknown, this identity may not write there, the record is too large, or the store fails.
    pub async fn append(&self, space: SpaceId, bytes: impl Into<Bytes>) -> Result<Appended, Refusal> {
        match self.command(Command::Append { space, records: vec![bytes.into()] }).await? {
            Answer::Appended { feed, from, .. } => Ok(Appended { feed, seq: from }),
            _ => Err(stopped("the answer was that of another command")),
        }
    }

    /// Has the peer carry out a command.
    ///
    /// # Errors
    /// When a rule says no, or the node stops before it is done.
    pub async fn command(&self, command: Command) -> Result<Answer, Refusal> {
        let (answer, answered) = oneshot::channel();
        // A request that cannot be sent is dropped, and its answer with it.
        let sent = self.0.requests.send(Request::Command(Box::new(command), answer)).await.is_ok();
        match answered.await {
            Ok(result) if sent => result,
            _ => Err(stopped(&self.failure().unwrap_or_else(|| "the node stopped before this was done".to_owned()))),
        }
    }

    /// What happens from now on. A listener that lags behind by more than 1,024 events misses some, and is told.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Reads what is stored.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.0.store))
    }

    /// The device, as libp2p names it.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        identity::peer_id(&self.0.device)
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        self.0.device
    }

    /// The identity that the device acts for.
    #[must_use]
    pub fn identity(&self) -> IdentityId {
        self.0.identity
    }

    /// Where it listens, each interface by itself, without the PeerId.
    #[must_use]
    pub fn listen_addresses(&self) -> Vec<Multiaddr> {
        self.0.listen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Members of shared spaces and where they were found, those seen last first. Waits for the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn acquaintances(&self) -> Result<Vec<(PeerId, Vec<Multiaddr>)>, store::StoreError> {
        let rows = self.0.store.node_rows(known::PREFIX)?;
        Ok(Acquaintances::new(rows).last_seen_first())
    }

    /// What its owner keeps of people. Waits for the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn contacts(&self) -> Result<Contacts, store::StoreError> {
        Ok(contacts::read(self.0.store.node_rows(contacts::PREFIX)?))
    }

    /// Keeps this of somebody, or nothing, durably. Waits for the disk.
    ///
    /// # Errors
    /// When the store does not take it.
    pub(crate) fn keep_contact(&self, identity: &IdentityId, contact: &Contact) -> Result<(), store::StoreError> {
        self.0.store.keep_node_row(contacts::row(identity, contact))
    }

    /// What it counts.
    pub(crate) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    /// Whether it works with a network.
    #[must_use]
    pub fn has_network(&self) -> bool {
        self.0.has_network
    }

    /// Why an older copy of the data folder would not be noticed, if that is so: the mark cannot be kept outside of it.
    pub(crate) fn unmarked(&self) -> Option<String> {
        self.0.store.unmarked()
    }

    /// The recovery phrase, until its owner has confirmed it.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn phrase(&self) -> Result<Option<Phrase>, IdentityError> {
        identity::phrase(&self.0.data_dir, &self.0.wrapping)
    }

    /// How the keys are protected on disk, now.
    ///
    /// # Errors
    /// When the file that says so cannot be read.
    pub fn protection(&self) -> Result<Protection, IdentityError> {
        identity::protection(&self.0.data_dir)
    }

    /// Where the recovery phrase is.
    #[must_use]
    pub fn phrase_state(&self) -> PhraseState {
        identity::phrase_state(&self.0.data_dir)
    }

    /// The owner has written the phrase down: it is deleted here.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn confirm_phrase(&self) -> Result<(), IdentityError> {
        identity::confirm_phrase(&self.0.data_dir)
    }

    /// Why the node stopped by itself, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match &*self.0.life.borrow() {
            Life::Failed { why, .. } => Some(why.clone()),
            Life::Running | Life::Stopped => None,
        }
    }

    /// Whether it stopped because what is on disk contradicts itself.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(&*self.0.life.borrow(), Life::Failed { damaged: true, .. })
    }

    /// Returns when the node has stopped, for whatever reason.
    pub async fn stopped(&self) {
        // An error means that the task is gone, which is the same.
        let _ = self.0.life.clone().wait_for(|life| *life != Life::Running).await;
    }

    /// Stops the node: what was accepted is written, connections are closed, the folder is free.
    pub async fn stop(self) {
        // When it stopped already there is nobody to ask.
        let _ = self.0.requests.send(Request::Stop).await;
        self.stopped().await;
    }
}

fn stopped(why: &str) -> Refusal {
    Refusal::new(RefusalKind::Store, "node_stopped", why, "start the node again; what was acknowledged is kept")
}
