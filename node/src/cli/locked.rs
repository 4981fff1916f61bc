//! A node whose keys are locked: it waits, holds the folder, and answers nothing but its unlocking. And the commands that lock
//! and unlock it.
//!
//! Spec: NODE-3.3

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    client::{Call, Client, path},
    failure::{Exit, Failure},
    interrupt::Signals,
    output::Output,
    passphrase, start, up,
};
use crate::{
    addresses::LastUp,
    api::locked::{self, Released},
    config::Config,
    identity::{self, Passphrase},
    node::StartError,
    store::Lock,
};

/// How long locking and unlocking may take: a store is closed or opened meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the node is unlocked, and by what; none when it is to stop.
pub(super) async fn wait(config: &Config, mut signals: Signals) -> Result<Option<Passphrase>, Failure> {
    let folder = &config.data_dir.value;
    let failed = |error: StartError| start::from_start(&error);
    // Nobody else takes the folder meanwhile.
    let lock = Lock::take(folder).map_err(|error| failed(StartError::lock(folder.clone(), error)))?;
    let (device, _) = identity::public(folder).map_err(|error| failed(error.into()))?.ok_or_else(|| {
        Failure::new(Exit::Store, "identity_unusable", "the identity is gone", "look at the folder `identity`")
    })?;
    let mut last = LastUp::read(folder);
    let (listener, guard) = up::announce(config, &mut last, &identity::peer_id(&device).to_string()).await?;
    tracing::info!("the keys are locked; the node waits");
    let released = tokio::select! {
        released = locked::serve(folder.clone(), listener, guard) => released,
        () = signals.next() => Ok(Released::Stopped),
    };
    up::withdraw(folder);
    drop(lock);
    match released {
        Ok(Released::By(passphrase)) => Ok(Some(passphrase)),
        Ok(Released::Stopped) => Ok(None),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            "cannot_listen",
            format!("the API cannot be served: {error}"),
            "start the node again with `weft up`",
        )),
    }
}

/// Has the running node forget its keys.
pub(crate) fn lock(config: &Config, output: Output) -> Result<(), Failure> {
    super::client::require_identity(&config.data_dir.value)?;
    let Some(client) = Client::running(config) else {
        let answer = json!({"locked": true, "running": false});
        return output.confirm(&answer, |_| "no node is running here, so nothing has the keys\n".to_owned());
    };
    client.ask(Call::post(path(&["identity", "lock"], &[])))?;
    until(config, true)?;
    let answer = json!({"locked": true, "running": true});
    output.confirm(&answer, |_| "locked; `weft identity unlock` brings the node back\n".to_owned())
}

/// Shows a locked node the passphrase.
pub(crate) fn unlock(config: &Config, output: Output) -> Result<(), Failure> {
    let client = Client::of_running(config)?;
    if is_locked(&client)? {
        let passphrase = passphrase::current(config)?;
        client.ask(Call::post_secret(path(&["identity", "unlock"], &[]), passphrase.bytes()))?;
        drop(passphrase);
        until(config, false)?;
    }
    output.confirm(&json!({"locked": false, "running": true}), |_| "unlocked\n".to_owned())
}

/// Whether the node that runs says that it is locked.
fn is_locked(client: &Client) -> Result<bool, Failure> {
    match client.ask(Call::get(path(&["status"], &[]))) {
        Ok(_) => Ok(false),
        Err(failure) if failure.code == "identity_locked" => Ok(true),
        Err(failure) => Err(failure),
    }
}

/// Waits until the node is locked, or is not. Between the two it cannot be reached for a moment.
fn until(config: &Config, locked: bool) -> Result<(), Failure> {
    let patient_until = Instant::now() + PATIENCE;
    loop {
        let now = Client::running(config).map(|client| is_locked(&client));
        match now {
            Some(Ok(now)) if now == locked => return Ok(()),
            _ if Instant::now() >= patient_until => {
                return Err(Failure::new(
                    Exit::TimedOut,
                    "still_changing",
                    format!("the node is not back after {PATIENCE:?}"),
                    "look at its output; `weft status` says whether it runs",
                ));
            }
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
