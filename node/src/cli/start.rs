//! Starting a node: for good by `weft up`, or for one command when none runs.

use libp2p::Multiaddr;
use tokio::runtime::Runtime;

use super::{
    failure::{Exit, Failure},
    passphrase,
};
use crate::{
    config::{self, Config, Source},
    identity::{IdentityError, Passphrase},
    node::{Node, NodeConfig, StartError},
};

/// The code of a failure that another process may end.
pub(crate) const LOCKED: &str = "store_locked";

/// How this program is called for this data folder: with `--data` where the folder is not the one that everybody takes.
pub(crate) fn command(config: &Config) -> String {
    let folder = config.data_dir.value.display().to_string();
    let is_plain = folder.chars().all(|c| c.is_alphanumeric() || "/._-~:".contains(c));
    match config.data_dir.source {
        Source::Default => "weft".to_owned(),
        _ if is_plain => format!("weft --data {folder}"),
        _ => format!("weft --data '{}'", folder.replace('\'', "'\\''")),
    }
}

/// Two threads do for a node: one moves bytes, one serves commands.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| {
            Failure::new(
                Exit::Failed,
                "no_threads",
                format!("threads could not be started: {error}"),
                "close other programs",
            )
        })?;
    outlive_file_limits(&runtime);
    Ok(runtime)
}

/// A file that would grow beyond the limit of this user ends a process, unless it listens to that signal: then the write
/// fails, and what was to be written is refused like on a full disk.
#[cfg(unix)]
fn outlive_file_limits(runtime: &Runtime) {
    use tokio::signal::unix::{SignalKind, signal};
    /// SIGXFSZ on Linux (but for MIPS), macOS and the BSDs.
    const FILE_SIZE_EXCEEDED: i32 = 25;
    let _within = runtime.enter();
    // It stays listened to when this end of it is dropped. Where it cannot be, such a limit ends the process as before.
    let _ = signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED));
}

#[cfg(not(unix))]
fn outlive_file_limits(_runtime: &Runtime) {}

/// A node that listens here and stays.
pub(crate) async fn listening(
    config: &Config,
    passphrase: Option<&Passphrase>,
    listen: Vec<Multiaddr>,
) -> Result<Node, StartError> {
    Node::start(NodeConfig { listen, ..node_config(config, passphrase) }).await
}

/// A node that reaches others but cannot be reached for long: it listens on any free port.
pub(crate) async fn briefly(config: &Config, passphrase: Option<&Passphrase>) -> Result<Node, Failure> {
    listening(config, passphrase, config::default_listen(0)).await.map_err(|error| from_start(&error))
}

/// A node that reaches others and listens nowhere.
pub(crate) async fn reaching(config: &Config, passphrase: Option<&Passphrase>) -> Result<Node, Failure> {
    listening(config, passphrase, Vec::new()).await.map_err(|error| from_start(&error))
}

/// A node without a network.
pub(crate) async fn offline(config: &Config, passphrase: Option<&Passphrase>) -> Result<Node, Failure> {
    Node::offline(node_config(config, passphrase)).await.map_err(|error| from_start(&error))
}

/// Makes an identity and an empty store.
pub(crate) fn make_identity(config: &Config) -> Result<(), Failure> {
    let passphrase = passphrase::to_start(config)?;
    runtime()?.block_on(async {
        offline(config, passphrase.as_ref()).await?.stop().await;
        Ok(())
    })
}

/// The settings as the node takes them.
pub(crate) fn node_config(config: &Config, passphrase: Option<&Passphrase>) -> NodeConfig {
    NodeConfig {
        peers: config.peers.value.clone(),
        state_dir: Some(config.state_dir.value.clone()),
        name: config.name.value.clone(),
        cache_bytes: config.cache_bytes.value,
        passphrase: passphrase.cloned(),
        ..NodeConfig::new(&config.data_dir.value)
    }
}

/// Why a node did not start, as a command says it.
pub(crate) fn from_start(error: &StartError) -> Failure {
    let (exit, code) = match error {
        StartError::Locked { .. } => (Exit::Store, LOCKED),
        StartError::Copied { .. } => (Exit::Store, "device_in_use"),
        StartError::HasIdentity { .. } => (Exit::Refused, "identity_exists"),
        StartError::HasStore { .. } => (Exit::Refused, "store_exists"),
        StartError::Joining { .. } => (Exit::Refused, "device_joining"),
        StartError::Damaged { .. } => (Exit::Store, "store_damaged"),
        StartError::ReadOnly { .. } => (Exit::Failed, "read_only"),
        StartError::Newer { .. } => (Exit::Store, "store_newer"),
        StartError::Folder { .. } => (Exit::Failed, "unusable_folder"),
        StartError::Identity(IdentityError::PassphraseNeeded) => (Exit::Refused, "passphrase_needed"),
        StartError::Identity(IdentityError::WrongPassphrase) => (Exit::Refused, "wrong_passphrase"),
        StartError::Identity(_) => (Exit::Store, "identity_unusable"),
        StartError::PortInUse { .. } => (Exit::Failed, "port_in_use"),
        StartError::Listen { .. } => (Exit::Failed, "cannot_listen"),
        StartError::System(_) => (Exit::Failed, "system_refused"),
    };
    Failure::new(exit, code, error.to_string(), error.hint())
}
