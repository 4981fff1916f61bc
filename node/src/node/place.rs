//! The device's place in the state folder, taken with a little patience: a process that ends may have it for a moment longer than its
//! data folder, and commands follow each other quickly.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use weft_crypto::DeviceId;

use super::StartError;
use crate::store::{LockError, Outside};

/// How long another process may keep the place before this one gives up. A guess: far longer than a process takes to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes the place. Spec: NODE-2.5
pub(super) async fn claim(folder: &Path, state_dir: &Path, device: &DeviceId) -> Result<Outside, StartError> {
    let patient_until = Instant::now() + PATIENCE;
    loop {
        match Outside::claim(state_dir, device) {
            Ok(outside) => return Ok(outside),
            Err(LockError::Held { .. }) if Instant::now() < patient_until => tokio::time::sleep(PATIENCE / 20).await,
            Err(error) => return Err(StartError::copied(folder.to_owned(), error)),
        }
    }
}

/// What this machine is called, if it says so.
pub(crate) fn host_name() -> Option<String> {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok()?;
    Some(name).filter(|name| !name.is_empty() && !name.contains(char::is_control))
}
