//! `node.json`: by which commands find the node that runs on a data folder.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    api::{guard::NODE_HEADER, token::Token},
    private_file,
};

/// The name of the file in the data folder.
pub(crate) const FILE_NAME: &str = "node.json";

/// What a running node says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeFile {
    /// Where its API listens.
    pub(crate) api: SocketAddr,
    /// Its process.
    pub(crate) pid: u32,
    /// The file with the API's token.
    pub(crate) token_path: PathBuf,
    /// Its device, as libp2p names it.
    pub(crate) peer_id: String,
    /// Its version.
    pub(crate) version: String,
}

impl NodeFile {
    /// Says that the node is ready.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self).expect("plain fields");
        private_file::write(&folder.join(FILE_NAME), (text + "\n").as_bytes())
    }

    /// Takes it back.
    pub(crate) fn remove(folder: &Path) {
        // A file that stays behind is recognised as stale.
        let _ = std::fs::remove_file(folder.join(FILE_NAME));
    }

    /// What the file says, if there is one that can be read.
    pub(crate) fn read(folder: &Path) -> Option<NodeFile> {
        serde_json::from_slice(&std::fs::read(folder.join(FILE_NAME)).ok()?).ok()
    }

    /// The URL of a path of the API.
    pub(crate) fn url(&self, path: &str) -> String {
        // A node that listens on every address is reached on loopback.
        let mut address = self.api;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}{path}")
    }
}

/// A node that answers, and how to speak to it.
pub(crate) struct Running {
    /// What it says of itself.
    pub(crate) node: NodeFile,
    /// Shown with every request.
    pub(crate) token: Token,
    /// The HTTP client.
    pub(crate) agent: ureq::Agent,
}

/// Finds the node that runs on this folder. A file whose process is gone, or at whose address something else or nothing
/// answers, is stale.
pub(crate) fn find(folder: &Path) -> Option<Running> {
    let node = NodeFile::read(folder).filter(|node| may_live(node.pid))?;
    let token = Token::read(&node.token_path).ok()?;
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Nothing is sent anywhere but to the node.
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(2)))
            .build(),
    );
    let probe = agent
        .get(node.url("/api/v1/version"))
        .header("authorization", token.header())
        .config()
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .call();
    let answers = probe.is_ok_and(|answer| {
        answer.status() == 200
            && answer.headers().get(NODE_HEADER).is_some_and(|id| id.as_bytes() == node.peer_id.as_bytes())
    });
    answers.then_some(Running { node, token, agent })
}

/// Whether the process can still be there. Where the system does not say so in its file system, it can.
pub(crate) fn may_live(pid: u32) -> bool {
    let processes = Path::new("/proc");
    if !processes.join("self/stat").exists() {
        return true;
    }
    // The state follows the name, which is in brackets and may hold any character. `Z` has ended, and only its parent has
    // not asked yet how.
    let stat = std::fs::read_to_string(processes.join(pid.to_string()).join("stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(pid: u32) -> NodeFile {
        NodeFile {
            api: "127.0.0.1:1".parse().unwrap(),
            pid,
            token_path: "/nowhere".into(),
            peer_id: "12D3".to_owned(),
            version: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(NodeFile::read(folder.path()), None);
        note(7).write(folder.path()).unwrap();
        assert_eq!(NodeFile::read(folder.path()), Some(note(7)));
        NodeFile::remove(folder.path());
        assert_eq!(NodeFile::read(folder.path()), None);
    }

    #[test]
    fn a_note_at_whose_address_nobody_answers_is_stale() {
        let folder = tempfile::tempdir().unwrap();
        let (_, token_path) = Token::issue(folder.path()).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let api = listener.local_addr().unwrap();
        drop(listener);
        NodeFile { api, token_path, ..note(std::process::id()) }.write(folder.path()).unwrap();
        assert!(find(folder.path()).is_none());
    }

    #[test]
    fn a_node_on_every_address_is_reached_on_loopback() {
        let node = NodeFile { api: "0.0.0.0:5".parse().unwrap(), ..note(1) };
        assert_eq!(node.url("/x"), "http://127.0.0.1:5/x");
    }
}
