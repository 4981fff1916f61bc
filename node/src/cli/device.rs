//! `weft device`: links for other devices, and which there are.

use serde_json::{Value, json};

use super::{
    args::{Device, DeviceLink, Sure},
    client::{Call, Client, path},
    failure::{Exit, Failure},
    output::{Output, list},
    sure::{is_sure, not_confirmed},
    text, with,
};
use crate::config::Config;

mod join;
mod linked;
mod show;

/// Carries out a command.
pub(crate) fn run(config: &Config, command: Device, output: Output) -> Result<(), Failure> {
    match command {
        Device::Link(DeviceLink { cancel: true, .. }) => with(Client::open(config)?, |client| {
            let answer = client.ask(Call::delete(path(&["devices", "links"], &[])))?;
            output.confirm(&answer, show::cancelled)
        }),
        // Whoever waits is there to be reached.
        Device::Link(task @ DeviceLink { wait: true, .. }) => {
            with(Client::open_to_peers(config)?, |client| link(client, &task, output))
        }
        Device::Link(task) => with(Client::open(config)?, |client| link(client, &task, output)),
        Device::Join(task) => join::join(config, task, output),
        Device::List { all } => with(Client::open(config)?, |client| {
            let answer = client.ask(Call::get(path(&["devices"], &[])))?;
            output.say(&answer, |answer| show::devices(answer, all))
        }),
        Device::Rename { name } => with(Client::open(config)?, |client| {
            let answer = client.ask(Call::patch_json(path(&["devices", "this"], &[]), json!({"name": name})))?;
            output.confirm(&answer, show::renamed)
        }),
        Device::Remove { device, sure } => with(Client::open(config)?, |client| remove(client, &device, &sure, output)),
    }
}

/// Makes a link, and stays until it is used where that was asked for.
fn link(client: &Client, task: &DeviceLink, output: Output) -> Result<(), Failure> {
    let expires_ms = task.expires.as_millis() as u64;
    let made = client.ask(Call::post_json(path(&["devices", "links"], &[]), json!({"expires_ms": expires_ms})))?;
    output.say(&made, show::link)?;
    show::explain(client, &made, task.wait, output);
    if task.wait { linked::wait(client, &made, task.expires, output) } else { Ok(()) }
}

/// Removes a device, once its owner is sure.
fn remove(client: &Client, device: &str, sure: &Sure, output: Output) -> Result<(), Failure> {
    let would = client.ask(Call::delete(path(&["devices", device], &[("dry_run", Some("true"))])))?;
    if sure.dry_run {
        return output.say(&would, show::would_remove);
    }
    if !sure.yes && !is_sure(output, &show::question(&would)) {
        return Err(not_confirmed("nothing was removed"));
    }
    // By its id: the name may mean another one by now.
    let done = client.ask(Call::delete(path(&["devices", text(&would, "device")], &[])))?;
    output.confirm(&done, show::removed)?;
    if done.get("removed") == Some(&Value::Bool(true)) && list(&done, "stays").is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        "partly_removed",
        "the device stays where this one may not remove it",
        "there an earlier device of yours can remove it, or an owner or admin of the space",
    ))
}
