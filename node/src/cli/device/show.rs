//! What is said of devices, for people.

use std::io::IsTerminal;

use serde_json::Value;

use super::super::{
    client::Client,
    output::{Output, counted, list, short, text},
    show::last_eight,
    table::table,
    visible::in_line,
};

fn is(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

/// A link.
pub(super) fn link(answer: &Value) -> String {
    format!("{}\n", text(answer, "link"))
}

/// What to do with it, for who sits at the terminal.
pub(super) fn explain(client: &Client, made: &Value, waits: bool, output: Output) {
    if output.json || output.quiet || !std::io::stdout().is_terminal() || !std::io::stderr().is_terminal() {
        return;
    }
    eprintln!("\nOn the other device, before {}: weft device join LINK", text(made, "expires"));
    eprintln!("Whoever uses it first is you, in every space. `weft device link --cancel` takes it back.");
    match client {
        _ if waits => eprintln!("Waiting for the other device …"),
        Client::Here(_) => {
            eprintln!("No node is running here: start it with `weft up`, so that the other device can reach it.")
        }
        Client::Running(_) => {}
    }
}

/// Links that were taken back.
pub(super) fn cancelled(answer: &Value) -> String {
    format!("took back {}\n", counted(answer, "cancelled", "link", "links"))
}

/// The device that used a link.
pub(super) fn linked(device: &Value) -> String {
    let spaces = match list(device, "spaces").len() {
        0 => String::new(),
        1 => "; it is in 1 space".to_owned(),
        spaces => format!("; it is in {spaces} spaces"),
    };
    format!("{} is a device of yours now{spaces}\n", named(device))
}

/// What a device is called, and the end of its id.
fn named(device: &Value) -> String {
    let id = text(device, "device");
    match device.get("name").and_then(Value::as_str) {
        Some(name) => format!("`{}` ({})", in_line(name), last_eight(&id)),
        None => last_eight(&id).to_owned(),
    }
}

/// What this device is called.
pub(super) fn renamed(answer: &Value) -> String {
    format!("this device is `{}` now\n", in_line(&text(answer, "name")))
}

/// The devices as a table, and below it the links that are good.
pub(super) fn devices(answer: &Value, all: bool) -> String {
    let gone = |device: &&Value| is(device, "removed") && !is(device, "me") && list(device, "spaces").is_empty();
    let shown: Vec<&Value> = list(answer, "devices").iter().filter(|device| all || !gone(device)).collect();
    let is_out = shown.iter().any(|device| is(device, "me") && is(device, "removed"));
    let row = |device: &&Value| {
        let state = if is_out && !is(device, "me") { "still a device of yours".to_owned() } else { state_of(device) };
        let spaces = list(device, "spaces").len().to_string();
        vec![last_eight(&text(device, "device")).to_owned(), text(device, "name"), spaces, state]
    };
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    let mut text = table(&["DEVICE", "NAME", "SPACES", "STATE"], &rows);
    if let [_] = shown[..] {
        text += "no other device yet; `weft device link` makes a link for one\n";
    }
    for link in list(answer, "links").iter().filter(|link| link.get("used_by").is_some_and(Value::is_null)) {
        let expires = super::super::output::text(link, "expires");
        text +=
            &format!("a link for a device can be used until {expires}: `weft device link --cancel` takes it back\n");
    }
    text
}

/// How it is with a device.
fn state_of(device: &Value) -> String {
    if is(device, "me") {
        return if is(device, "removed") { "this device, removed" } else { "this device" }.to_owned();
    }
    if is(device, "removed") {
        return if list(device, "spaces").is_empty() { "removed" } else { "removed, but not everywhere" }.to_owned();
    }
    if !is(device, "sibling") {
        return "in spaces only".to_owned();
    }
    let state = if is(device, "connected") { "connected" } else { "not connected" };
    match device.get("lacking").and_then(Value::as_u64) {
        None | Some(0) => state.to_owned(),
        Some(1) => format!("{state}, 1 space is still to come from it"),
        Some(lacking) => format!("{state}, {lacking} spaces are still to come from it"),
    }
}

/// Names of spaces, a few of them.
fn spaces(spaces: &[Value]) -> String {
    const NAMED_MAX: usize = 5;
    let name = |space: &Value| match space.get("name").and_then(Value::as_str) {
        Some(name) => in_line(name).into_owned(),
        None => short(&text(space, "space")).to_owned(),
    };
    let mut names: Vec<String> = spaces.iter().take(NAMED_MAX).map(name).collect();
    if spaces.len() > NAMED_MAX {
        names.push("…".to_owned());
    }
    match spaces.len() {
        1 => format!("1 space: {}", names.join(", ")),
        count => format!("{count} spaces: {}", names.join(", ")),
    }
}

/// From where a device is removed.
fn reach(answer: &Value) -> String {
    let from = list(answer, "spaces");
    match (is(answer, "removed"), from.is_empty()) {
        (true, true) => "from your devices".to_owned(),
        (true, false) => format!("from your devices and from {}", spaces(from)),
        (false, _) => format!("from {}", spaces(from)),
    }
}

/// Where it stays, and why.
fn stays(answer: &Value) -> String {
    let mut shown = String::new();
    for space in list(answer, "stays") {
        let name = match space.get("name").and_then(Value::as_str) {
            Some(name) => in_line(name).into_owned(),
            None => short(&text(space, "space")).to_owned(),
        };
        let reason = space.get("reason").unwrap_or(&Value::Null);
        let (why, hint) = (text(reason, "message"), text(reason, "hint"));
        shown += &format!("  it stays in {name}\n    because: {}\n    to do:   {}\n", in_line(&why), in_line(&hint));
    }
    shown
}

/// What a removal would do.
pub(super) fn would_remove(answer: &Value) -> String {
    format!("would remove {} {}\n{}", named(answer), reach(answer), stays(answer))
}

/// What is asked before it.
pub(super) fn question(answer: &Value) -> String {
    format!(
        "{}Remove {} {}? It keeps what it holds and gets nothing that is written later. This cannot be taken back.",
        stays(answer),
        named(answer),
        reach(answer),
    )
}

/// What it did.
pub(super) fn removed(answer: &Value) -> String {
    format!("removed {} {}\n{}", named(answer), reach(answer), stays(answer))
}

/// A device that is one of an identity now.
pub(super) fn joined(answer: &Value) -> String {
    let whose = match answer.get("name").and_then(Value::as_str) {
        Some(name) => format!("of {}", in_line(name)),
        None => "of the identity".to_owned(),
    };
    let here = list(answer, "spaces");
    let what = match (is(answer, "complete"), here.is_empty()) {
        (true, true) => "there are no spaces yet; those that come will be here too".to_owned(),
        (true, false) => format!("with all there is: {}", spaces(here)),
        (false, true) => "the spaces come when both devices are on line".to_owned(),
        (false, false) => format!("with {}; the rest comes when both devices are on line", spaces(here)),
    };
    format!(
        "this device is `{}` {whose} now\n  identity  {}\n  peer id   {}\n  data      {}\n{what}\nnext: `{} up` to start\n",
        in_line(&text(answer, "device_name")),
        text(answer, "identity"),
        text(answer, "peer_id"),
        text(answer, "data"),
        text(answer, "command"),
    )
}
