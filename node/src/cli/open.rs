//! `weft open`: the page of the running node in the browser of whoever sits here.
//!
//! What is handed to the browser is an address with a ticket that is spent once: a list of processes or a history that shows
//! it later shows nothing of worth. Where there is no screen the address is printed, to be opened on this machine or through
//! a tunnel to it.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{
    client::{Call, Client, path},
    failure::{Exit, Failure},
    output::{Output, text},
    running::NodeFile,
};
use crate::config::Config;

/// Opens the page, or prints where it can be opened.
pub(crate) fn page(config: &Config, print: bool, output: Output) -> Result<(), Failure> {
    let no_node = || Failure::new(Exit::Failed, "no_node", "no node is running here", "start one with `weft up`");
    let client = Client::running(config).ok_or_else(no_node)?;
    let node = NodeFile::read(&config.data_dir.value).ok_or_else(no_node)?;
    let issued = client.ask(Call::post(path(&["tickets"], &[])))?;
    let url = node.url(&format!("/#ticket={}", text(&issued, "ticket")));
    let opened = !print && !output.json && show(&url);
    let answer = json!({"url": url, "expires": issued.get("expires"), "opened": opened});
    // An address that nobody sees was asked for in vain.
    if opened { output.confirm(&answer, words) } else { output.say(&answer, if print { address } else { words }) }
}

/// The address alone, for programs that take a line.
fn address(answer: &Value) -> String {
    text(answer, "url") + "\n"
}

fn words(answer: &Value) -> String {
    let url = text(answer, "url");
    match answer.get("opened") {
        Some(Value::Bool(true)) => {
            "opened in your browser; `weft open --print` prints the address instead\n".to_owned()
        }
        _ => format!("{url}\nOpen this address in a browser on this machine. It is good once, for five minutes.\n"),
    }
}

/// Whether a browser was asked to show it.
fn show(url: &str) -> bool {
    let has_screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let mut opener = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else if has_screen {
        Command::new("xdg-open")
    } else {
        return false;
    };
    opener.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Openers say only whether they found a browser, and end at once.
    opener.status().is_ok_and(|status| status.success())
}
