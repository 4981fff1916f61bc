//! The example application: two tabs edit one text through two nodes, and see each other.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::json;

use super::driver::Browser;
use crate::harness::Folder;

/// The application's server, and where it is. It ends when it is dropped.
struct App {
    server: Child,
    origin: String,
}

impl App {
    /// Starts one for a node's folder, or says what is missing for that.
    fn start(folder: &Folder) -> Result<App, String> {
        let app = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/notes");
        if !app.join("node_modules/yjs").exists() {
            return Err("node/examples/notes has no node_modules; run `npm ci` there".to_owned());
        }
        let mut server = Command::new("node");
        server.arg(app.join("server.mjs")).arg("--data").arg(folder.data()).args(["--port", "0"]);
        let server = server.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut server = server.map_err(|error| format!("node cannot be started ({error}); install Node.js"))?;
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let origin = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Ok(App { server, origin })
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn text(browser: &Browser, wanted: &str) {
    browser.until(&format!("document.querySelector('#text').value === {}", json!(wanted)));
}

/// What a person does: the cursor to a place, and keys.
fn type_at(browser: &Browser, position: usize, keys: &str) {
    browser.run(
        "const t = document.querySelector('#text'); t.focus(); t.setSelectionRange(arguments[0], arguments[0]);",
        json!([position]),
    );
    browser.type_text(keys);
}

#[test]
fn two_tabs_edit_one_text_through_two_nodes() {
    let Some(browser) = Browser::start("") else { return };
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let apps = [&alice, &bob].map(App::start);
    let [hers, his] = match apps {
        [Ok(hers), Ok(his)] => [hers, his],
        [Err(why), _] | [_, Err(why)] => {
            writeln!(std::io::stderr(), "skipped: the example application: {why}").unwrap();
            return;
        }
    };
    let alice_up = alice.up(&["--origin", &hers.origin]);
    let _bob_up = bob.up(&["--origin", &his.origin]);
    alice.json(&["space", "create", "notes"]);
    alice.json(&["object", "create", "notes", "note", "name=today"]);
    let link = alice.field("link", &["invite", "notes"]);
    bob.json(&["join", &link]);
    bob.json(&["wait", "notes"]);

    let tabs = [browser.tab(), browser.new_tab()];
    let open = |tab: usize, app: &App, name: &str| {
        browser.look_at(&tabs[tab]);
        browser.open(&app.origin);
        browser.until(
            "!document.querySelector('#text').disabled && document.querySelector('#status').textContent === 'saved'",
        );
        browser.run(
            "const n = document.querySelector('#name'); n.value = arguments[0]; n.dispatchEvent(new Event('input'))",
            json!([name]),
        );
    };
    open(0, &hers, "Alice");
    type_at(&browser, 0, "Hello from Alice. ");
    open(1, &his, "Bob");
    text(&browser, "Hello from Alice. ");
    type_at(&browser, 18, "And from Bob 🦀.");
    browser.look_at(&tabs[0]);
    text(&browser, "Hello from Alice. And from Bob 🦀.");
    // Bob's cursor stands where he has typed.
    browser.until("document.querySelector('.cursor')?.dataset.name === 'Bob'");
    browser.until("(() => { let n = document.querySelector('.cursor'), before = ''; while ((n = n.previousSibling)) before = n.textContent + before; return before.endsWith('Bob 🦀.'); })()");
    browser.until("document.querySelector('#others').textContent.includes('Bob')");
    browser.picture("notes-alice");
    // What she types before it moves it, and her own cursor stays where it is.
    type_at(&browser, 0, "> ");
    browser.look_at(&tabs[1]);
    text(&browser, "> Hello from Alice. And from Bob 🦀.");
    assert_eq!(browser.run("return document.querySelector('#text').selectionEnd", json!([])), 36);
    browser.look_at(&tabs[0]);
    assert_eq!(browser.run("return document.querySelector('#text').selectionEnd", json!([])), 2);
    browser.until("document.querySelector('#status').textContent === 'saved'");
    bob.json(&["wait", "notes"]);
    assert_eq!(alice.text("today"), "> Hello from Alice. And from Bob 🦀.");
    assert_eq!(bob.text("today"), "> Hello from Alice. And from Bob 🦀.");

    // Alice's node is killed; she types on, and nothing is lost when it comes back.
    let api = alice_up.ready["api"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    alice_up.kill();
    browser.until("document.querySelector('#status').textContent === 'offline'");
    type_at(&browser, 2, "(alone) ");
    let listen = "/ip4/127.0.0.1/udp/0/quic-v1";
    let arguments = ["--listen", listen, "--api", &api, "--origin", &hers.origin];
    let _alice_up = crate::harness::Up::start(&alice, &arguments).unwrap_or_else(|ended| panic!("{ended:?}"));
    browser.until("document.querySelector('#status').textContent === 'saved'");
    browser.look_at(&tabs[1]);
    text(&browser, "> (alone) Hello from Alice. And from Bob 🦀.");

    // Who closes the tab is gone.
    browser.until("document.querySelector('.cursor')?.dataset.name === 'Alice'");
    browser.picture("notes-bob");
    browser.look_at(&tabs[0]);
    browser.open("about:blank");
    browser.look_at(&tabs[1]);
    browser.until("document.querySelector('.cursor') === null");

    // A page of another origin is told nothing of either.
    let stolen = "return fetch(arguments[0] + '/node.json').then((answer) => answer.status, () => 'refused')";
    assert_eq!(browser.run_async(stolen, json!([hers.origin])), "refused");
    assert!(Path::new(&alice.data()).join("api-token").exists());
}
