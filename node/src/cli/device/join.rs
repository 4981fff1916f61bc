//! `weft device join`: a data folder without an identity becomes a device of one.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use weft_invitation::device::DeviceLink;

use super::{
    super::{
        args::DeviceJoin,
        client::{Call, Client, path},
        failure::{Exit, Failure, exit_of_kind},
        output::{Output, list},
        passphrase, plan, start, text, with,
    },
    show,
};
use crate::{
    config::{self, Config},
    identity::{self, Passphrase},
    node::{JoinAsDeviceError, JoinedAsDevice, Node, StartError, host_name},
};

/// How often it is looked whether the spaces are here.
const PAUSE: Duration = Duration::from_millis(200);
/// How long the spaces are waited for. What does not come by then comes when the node runs.
const SPACES_MAX: Duration = Duration::from_secs(30);

/// Becomes a device of the link's identity, and then fetches what that one has.
pub(super) fn join(config: &Config, task: DeviceJoin, output: Output) -> Result<(), Failure> {
    let link = if task.link == "-" { plan::standard_input()? } else { task.link };
    let link = DeviceLink::parse(&link).map_err(|error| {
        let hint = "copy the whole link, from `weft-device:` to its end, or make a new one with `weft device link`";
        Failure::usage("malformed_link", error.to_string(), hint)
    })?;
    let folder = &config.data_dir.value;
    if identity::exists(folder) {
        return Err(start::from_start(&StartError::HasIdentity { path: folder.clone() }));
    }
    let called = task.name.or_else(host_name).unwrap_or_else(|| "device".to_owned());
    let passphrase = passphrase::to_start_in(config, &identity::joining(folder))?;
    let joined = become_device(config, link, &called, passphrase.as_ref())?;
    // Members see this device under the same name as the others, unless a name is set here.
    let mut config = config.clone();
    if config.name.value.is_none() && !joined.name.is_empty() {
        config::write_name(folder, &joined.name).map_err(|error| {
            let message = format!("config.toml cannot be written: {error}");
            Failure::new(
                Exit::Failed,
                "unwritable",
                message,
                "look at its rights; this is a device of the identity already",
            )
        })?;
        config.name.value = Some(joined.name.clone());
    }
    with(Client::reaching(&config, passphrase.as_ref())?, |client| {
        let complete = fetch(client, &joined.host.to_string())?;
        let status = client.ask(Call::get(path(&["status"], &[])))?;
        let space = |space: &Value| json!({"space": space.get("space"), "name": space.get("name")});
        let spaces: Vec<Value> = list(&status, "spaces").iter().map(space).collect();
        let answer = json!({
            "identity": status.get("identity"), "peer_id": status.get("peer_id"), "name": status.get("name"),
            "device_name": called, "linked_by": joined.host.to_string(), "spaces": spaces, "complete": complete,
            "data": folder.display().to_string(), "command": start::command(&config),
        });
        output.confirm(&answer, show::joined)
    })
}

fn become_device(
    config: &Config,
    link: DeviceLink,
    called: &str,
    passphrase: Option<&Passphrase>,
) -> Result<JoinedAsDevice, Failure> {
    let node = start::node_config(config, passphrase);
    let joined = start::runtime()?.block_on(Node::join_as_device(&node, link, called.to_owned()));
    joined.map_err(|error| match error {
        JoinAsDeviceError::Start(error) => start::from_start(&error),
        JoinAsDeviceError::Refused(refusal) => {
            Failure::answered(exit_of_kind(refusal.kind), refusal.code, &refusal.message, &refusal.hint)
        }
    })
}

/// Waits until everything is here that the other device holds; whether that is so.
fn fetch(client: &Client, host: &str) -> Result<bool, Failure> {
    let patient_until = Instant::now() + SPACES_MAX;
    loop {
        let answer = client.ask(Call::get(path(&["devices"], &[])))?;
        let host = list(&answer, "devices").iter().find(|device| text(device, "device") == host);
        if host.is_some_and(|host| host.get("lacking") == Some(&json!(0))) {
            break;
        }
        if Instant::now() >= patient_until {
            return Ok(false);
        }
        thread::sleep(PAUSE);
    }
    let spaces = client.ask(Call::get(path(&["spaces"], &[])))?;
    for space in list(&spaces, "spaces") {
        let left = patient_until.saturating_duration_since(Instant::now()).as_millis().max(1).to_string();
        let wait = path(&["spaces", text(space, "space"), "wait"], &[("timeout_ms", Some(&left))]);
        match client.ask(Call::get(wait)) {
            Err(failure) if failure.exit == Exit::TimedOut => return Ok(false),
            answered => drop(answered?),
        }
    }
    Ok(true)
}
