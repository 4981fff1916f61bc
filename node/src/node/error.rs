//! Why a node did not start, with what a person can do about it.

use std::{io, path::PathBuf};

use libp2p::Multiaddr;

use crate::{
    identity::IdentityError,
    store::{LockError, StoreError},
};

/// Why a node did not start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another process uses the data folder.
    #[error("the data folder {} is in use{}", path.display(), .pid.map_or(String::new(), |pid| format!(" by process {pid}")))]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// Which process, if it said so.
        pid: Option<u32>,
    },
    /// There is an identity in the folder: it is a device of that one.
    #[error("there is an identity in {} already", path.display())]
    HasIdentity {
        /// The data folder.
        path: PathBuf,
    },
    /// There is a store in the folder: it belongs to a device whose identity is gone.
    #[error("there is a store in {} already, and no identity that it belongs to", path.display())]
    HasStore {
        /// The data folder.
        path: PathBuf,
    },
    /// A device in the folder is on its way to an identity.
    #[error("a link for this device was used in {}, and what came of it is not known yet", path.display())]
    Joining {
        /// The data folder.
        path: PathBuf,
    },
    /// Another copy of the data folder is in use: both would write as one device.
    #[error(
        "another copy of the data folder {} is in use{}: both would write as one device",
        path.display(),
        .pid.map_or(String::new(), |pid| format!(" by process {pid}"))
    )]
    Copied {
        /// The data folder of this one.
        path: PathBuf,
        /// Which process has the other one, if it said so.
        pid: Option<u32>,
    },
    /// The store contradicts itself.
    #[error("the store in {} is damaged: {what}", path.display())]
    Damaged {
        /// The data folder.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A newer version of the program wrote the store.
    #[error("the store in {} has format {found}; this version of weft reads up to {known}", path.display())]
    Newer {
        /// The data folder.
        path: PathBuf,
        /// What the store says.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The data folder may be read and not written.
    #[error("the data folder {} may not be written to: {error}", path.display())]
    ReadOnly {
        /// The data folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The data folder cannot be read or written.
    #[error("the data folder {} cannot be used: {error}", path.display())]
    Folder {
        /// The data folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The keys of this node cannot be used.
    #[error("the identity cannot be used: {0}")]
    Identity(#[from] IdentityError),
    /// Another program listens there.
    #[error("the address {address} is in use by another program")]
    PortInUse {
        /// Where the node was to listen.
        address: Multiaddr,
    },
    /// The address is not one to listen at.
    #[error("the node cannot listen at {address}: {why}")]
    Listen {
        /// Where the node was to listen.
        address: Multiaddr,
        /// What the system or the transport said.
        why: String,
    },
    /// The system refuses what every program needs.
    #[error("the system refused: {0}")]
    System(#[source] io::Error),
}

impl StartError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            StartError::Locked { .. } => {
                "use the node that runs, stop it with `weft down`, or name another folder with --data"
            }
            StartError::HasIdentity { .. } => {
                "a device has one identity: name another folder, `weft --data DIR device join LINK`. Spaces are joined by \
                 their own links, with `weft join`"
            }
            StartError::HasStore { .. } => "put its folder `identity` back, or name another folder with --data",
            StartError::Joining { .. } => {
                "run the same `weft device join LINK` again; `weft init` gives the link up and makes an identity of its own here"
            }
            StartError::Copied { .. } => {
                "stop the other one first; what it wrote comes here when both have met the same member, one after the other. A \
                 second device is made by linking it, never by copying a folder"
            }
            StartError::Damaged { .. } => {
                "run `weft up`: it sets the damaged files aside, deletes nothing, and says what is left and what peers have to \
                 give again"
            }
            StartError::ReadOnly { .. } => {
                "give this user the right to write in it, or mount its disk for writing; commands that only read work as it is"
            }
            StartError::Newer { .. } => "start the version of weft that wrote it, or a later one",
            StartError::Folder { .. } => {
                "look at the rights of the folder and at the space on its disk, or name another with --data"
            }
            StartError::Identity(IdentityError::PassphraseNeeded) => {
                "give it at a terminal, or name the file that holds it with --passphrase-file (`-`: standard input)"
            }
            StartError::Identity(IdentityError::WrongPassphrase) => {
                "try again: letter case, blanks and the layout of the keyboard count"
            }
            StartError::Identity(_) => "look at the folder `identity` in the data folder: its files belong together",
            StartError::PortInUse { .. } => "stop the other program, or name another address with --listen",
            StartError::Listen { .. } => "name an address of this machine, like /ip4/0.0.0.0/udp/9338/quic-v1",
            StartError::System(_) => "close other programs, or look at the limits of this user",
        }
    }

    pub(super) fn store(path: PathBuf, error: StoreError) -> StartError {
        match error {
            StoreError::Locked => StartError::Locked { path, pid: None },
            StoreError::Newer { found, known } => StartError::Newer { path, found, known },
            StoreError::Disk(error) if is_read_only(&error) => StartError::ReadOnly { path, error },
            StoreError::Disk(error) => StartError::Folder { path, error },
            StoreError::Damaged { what } => StartError::Damaged { path, what },
            other => {
                let what = other.to_string();
                let what = what.strip_prefix("the store is damaged: ").unwrap_or(&what).to_owned();
                StartError::Damaged { path, what }
            }
        }
    }

    pub(super) fn copied(path: PathBuf, error: LockError) -> StartError {
        match error {
            LockError::Held { pid } => StartError::Copied { path, pid },
            other => StartError::lock(path, other),
        }
    }

    pub(crate) fn lock(path: PathBuf, error: LockError) -> StartError {
        match error {
            LockError::Held { pid } => StartError::Locked { path, pid },
            LockError::Io(error) if is_read_only(&error) => StartError::ReadOnly { path, error },
            LockError::Io(error) => StartError::Folder { path, error },
        }
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
