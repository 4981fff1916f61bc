//! The page of a node, as a person at a browser meets it.

use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::Folder;

/// The port of the API of the node that runs here.
fn port(folder: &Folder) -> u16 {
    let node: Value = serde_json::from_slice(&std::fs::read(folder.data().join("node.json")).unwrap()).unwrap();
    node["api"].as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn a_name_that_was_pointed_at_this_machine_is_refused() {
    let Some(browser) = Browser::start("MAP evil.example 127.0.0.1") else { return };
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    browser.open(&format!("http://evil.example:{}/api/v1/status", port(&folder)));
    let shown: Value = serde_json::from_str(&browser.text("body")).unwrap();
    assert_eq!(shown["error"]["code"], "wrong_host");
    // The page of that name is of one origin with the node, for the browser; the node knows better.
    let status =
        "return fetch('/api/v1/status', {headers: {authorization: 'Bearer x'}}).then((answer) => answer.status)";
    assert_eq!(browser.run_async(status, json!([])), 403);
}
