//! One process a data folder: a lock of the operating system, so that a process that died holds nothing.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
};

use super::private;

/// Held while the data folder is in use.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the data folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("in use by {}", .pid.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    Held {
        /// Which one, if it said so.
        pid: Option<u32>,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl LockError {
    /// Whether the folder may not be written to.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        let kinds = [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
        matches!(self, LockError::Io(error) if kinds.contains(&error.kind()))
    }
}

impl Lock {
    /// Takes the lock of the folder, or says who has it.
    pub fn take(folder: &Path) -> Result<Lock, LockError> {
        Lock::at(&folder.join("lock"))
    }

    /// The same with a file of any name.
    pub(super) fn at(path: &Path) -> Result<Lock, LockError> {
        let mut file = private::open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Who holds it is a courtesy; that it is held is certain.
                let read = file.take(16).read_to_string(&mut text);
                return Err(LockError::Held { pid: read.ok().and_then(|_| text.trim().parse().ok()) });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        Ok(Lock { _file: file })
    }
}
