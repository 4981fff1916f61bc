//! The page of a node, as a person at a browser meets it: by keyboard, live, and with everything that others may have written.

use serde_json::{Value, json};

use super::driver::{Browser, key};
use crate::harness::{Folder, Up};

/// The port of the API of the node that runs here.
fn port(folder: &Folder) -> u16 {
    let node: Value = serde_json::from_slice(&std::fs::read(folder.data().join("node.json")).unwrap()).unwrap();
    node["api"].as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Opens the page with a new ticket, and waits until it shows something of the node.
fn open(browser: &Browser, folder: &Folder) {
    browser.open(&folder.field("url", &["open", "--print"]));
    browser.until(
        "document.querySelector('#link').dataset.state === 'live' && document.querySelector('main h1')?.innerText",
    );
}

/// Presses Tab until the focus is on something with this text; fails if it never is.
fn tab_to(browser: &Browser, text: &str) {
    for _ in 0..40 {
        browser.press(&[key::TAB]);
        let focused = browser.run("return document.activeElement.innerText ?? ''", json!([]));
        if focused.as_str().unwrap().contains(text) {
            let seen = "const style = getComputedStyle(document.activeElement);
                        return style.outlineStyle !== 'none' || style.boxShadow !== 'none'";
            assert_eq!(browser.run(seen, json!([])), true, "where the focus is can be seen at {text}");
            return;
        }
    }
    panic!("the keyboard does not reach {text}");
}

/// Nothing went wrong in any tab, and every request went to the node.
fn is_clean(browser: &Browser, folder: &Folder) {
    let said = browser.console();
    assert!(said.iter().all(|said| said.level != "SEVERE" && said.level != "WARNING"), "{said:?}");
    let origin = format!("http://127.0.0.1:{}/", port(folder));
    let requests = browser.requests();
    assert!(requests.iter().any(|url| url.starts_with(&origin)), "requests are seen");
    let elsewhere: Vec<&String> = requests.iter().filter(|url| !url.starts_with(&origin)).collect();
    assert!(elsewhere.is_empty(), "asked elsewhere: {elsewhere:?}");
}

#[test]
fn a_keyboard_reaches_an_object_and_its_text_changes_as_it_is_written() {
    let Some(browser) = Browser::start("") else { return };
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    folder.json(&["space", "create", "garden"]);
    let object = folder.field("object", &["object", "create", "garden", "note", "name=plan", "body=Dig the bed."]);
    open(&browser, &folder);
    assert_eq!(browser.address(), format!("http://127.0.0.1:{}/", port(&folder)), "the ticket leaves the address");
    assert_eq!(browser.text("main h1"), "Alice’s node");

    browser.press(&[key::TAB]);
    assert_eq!(browser.run("return document.activeElement.id", json!([])), "skip");
    browser.press(&[key::ENTER]);
    assert_eq!(browser.run("return document.activeElement.id", json!([])), "main");
    tab_to(&browser, "garden");
    browser.press(&[key::ENTER]);
    browser.until("document.querySelector('main h1')?.innerText === 'garden'");
    browser.until("[...document.querySelectorAll('main a')].some((link) => link.innerText.includes('plan'))");
    assert_eq!(browser.run("return document.activeElement.tagName", json!([])), "H1");
    tab_to(&browser, "plan");
    browser.press(&[key::ENTER]);
    browser.until("document.querySelector('pre.text')?.innerText === 'Dig the bed.'");
    browser.until("document.title === 'plan · Weft'");

    folder.run(&["text", "insert", &object, "4", "🙂 and water "]);
    browser.until("document.querySelector('pre.text').innerText === 'Dig 🙂 and water the bed.'");
    assert_eq!(browser.text("pre.text mark").trim(), "🙂 and water");
    folder.run(&["object", "set", &object, "name=the plan"]);
    browser.until("document.querySelector('main h1').innerText === 'the plan'");
    browser.press_with(key::SHIFT, key::TAB);
    browser.press(&[key::TAB]);
    browser.reload();
    browser.until("document.querySelector('pre.text')?.innerText.startsWith('Dig')");
    is_clean(&browser, &folder);
    folder.run(&["object", "delete", &object]);
    browser.until("document.querySelector('main').innerText.includes('was deleted')");
}

#[test]
fn what_others_wrote_is_text_and_nothing_else() {
    let Some(browser) = Browser::start("") else { return };
    let folder = Folder::of("Mallory <b>");
    let _node = folder.up(&[]);
    let markup = "<img src=x onerror=\"document.title='hacked'\">";
    let space = folder.field("space", &["space", "create", &format!("{markup}\u{202e}evil")]);
    let deceiving: String = "\u{1}\u{1b}\u{85}\u{61c}\u{200b}\u{200f}\u{2028}\u{202e}\u{2066}\u{feff}\u{e0041}".into();
    let written: String = deceiving.chars().flat_map(char::escape_unicode).collect();
    let name = format!("name={markup}{deceiving}.");
    let text = format!("body=<script>document.title='hacked'</script>{deceiving}\u{200d}\nnext 👩\u{200d}🌾");
    let kind = "<svg onload=alert(1)>".to_owned();
    folder.json(&["object", "create", &space, &kind, &name, &text, &format!("<b>key</b>={markup}")]);
    let listed = folder.run(&["object", "list", &space]).stdout;
    assert!(listed.contains(&written), "the command line writes it out: {listed}");

    open(&browser, &folder);
    let shown = format!("{markup}\\u{{202e}}evil");
    browser.until(&format!("document.querySelector('.card .name').innerText === {}", json!(shown)));
    browser.click(".card");
    let row = "document.querySelector('.rows.links a .name')?.innerText";
    assert_eq!(browser.until(row), format!("{markup}{written}."), "as the command line does");
    browser.click(".rows.links a");
    browser.until("document.querySelector('pre.text')?.innerText.includes('next')");
    let body = browser.text("pre.text");
    assert_eq!(body, format!("<script>document.title='hacked'</script>{written}\\u{{200d}}\nnext 👩\u{200d}🌾"));
    assert_eq!(browser.text("dl.facts dt"), "<b>key</b>");
    assert_eq!(browser.text("dl.facts dd"), markup);
    assert_eq!(browser.text(".title .chip"), kind);
    let found = browser.run(
        "return [document.querySelectorAll('main img, main svg, main script, main b').length, document.title]",
        json!([]),
    );
    assert_eq!(found, json!([0, format!("{markup}{written}. · Weft")]));
    is_clean(&browser, &folder);
}

#[test]
fn why_a_space_is_not_level_is_said_with_the_remedy() {
    let Some(browser) = Browser::start("") else { return };
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    folder.json(&["space", "create", "garden"]);
    open(&browser, &folder);
    browser.until("document.querySelector('.card .chip').innerText === 'only you'");
    // The node is level as soon as it can be, so what it would say otherwise is put into its mouth.
    let said = "const real = window.fetch;
        window.fetch = async (path, request) => {
            const answer = await real(path, request);
            if (!path.endsWith('/status')) return answer;
            const status = await answer.json();
            Object.assign(status.spaces[0], { members: 2, connected: [{ peer_id: '12D3KooWabcdefgh', name: 'Bob\\u202e', level: false }],
                waiting: [{ what: 'entries 3 to 7 of feed abc', from: '12D3KooWabcdefgh', since: new Date(Date.now() - 60000).toISOString(),
                            rule: 'a body is missing (FEED-3.2)', remedy: 'wait, or run `weft verify`' }] });
            return new Response(JSON.stringify(status), { status: 200 });
        };";
    browser.run(said, json!([]));
    browser.until("document.querySelector('.card .chip').innerText === 'not level'");
    browser.click(".card");
    browser.until("document.querySelector('.panel strong')?.innerText === 'Not level'");
    let panel = browser.text(".panel");
    for part in
        ["entries 3 to 7 of feed abc", "Bob\\u{202e} (…abcdefgh)", "1 min ago", "FEED-3.2", "wait, or run weft verify"]
    {
        assert!(panel.contains(part), "no {part} in {panel}");
    }
    assert_eq!(browser.text(".panel dd code"), "weft verify");
    browser.picture("not-level");
    is_clean(&browser, &folder);
}

#[test]
fn peers_members_and_invitations_are_shown_as_they_come() {
    let Some(browser) = Browser::start("") else { return };
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _alice = alice.up(&[]);
    let bobs = bob.up(&[]);
    alice.json(&["space", "create", "garden"]);
    open(&browser, &alice);
    browser.until("document.querySelector('.card')");
    browser.click(".card");
    browser.until("document.querySelector('.panel strong')?.innerText === 'Only you are here'");
    browser.click(".invite .choice button");
    let link = browser.until("document.querySelector('.result input')?.value").as_str().unwrap().to_owned();
    assert_eq!(bob.field("role", &["join", &link]), "writer");
    browser.until("document.querySelector('.panel strong').innerText === 'Level'");
    browser
        .until("[...document.querySelectorAll('section .rows li')].some((row) => /Bob\\s+level/.test(row.innerText))");
    bob.json(&["object", "create", "garden", "note", "name=Bob's seeds"]);
    browser.until("document.querySelector('main').innerText.includes(\"Bob's seeds\")");
    pictures(&browser, "space");
    browser.click(".crumbs a");
    browser.until("document.querySelector('main').innerText.includes('1 space in common')");
    pictures(&browser, "overview");
    bobs.kill();
    browser.until("document.querySelector('.card .chip').innerText === 'nobody connected'");
    is_clean(&browser, &alice);
}

/// Looks at the page in both schemes and as wide as a phone: it never has to be scrolled sideways.
fn pictures(browser: &Browser, name: &str) {
    for (width, height) in [(1280, 900), (390, 844)] {
        for scheme in ["light", "dark"] {
            browser.looks(width, height, scheme);
            let is_dark =
                "const [r] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g); return Number(r) < 128";
            assert_eq!(browser.run(is_dark, json!([])), scheme == "dark");
            let over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.run(over, json!([])), 0, "{name} at {width}");
            browser.picture(&format!("{name}-{width}-{scheme}"));
        }
    }
    browser.looks(1280, 900, "light");
}

#[test]
fn without_a_ticket_the_page_says_what_to_run() {
    let Some(browser) = Browser::start("") else { return };
    let folder = Folder::of("Alice");
    let node = folder.up(&[]);
    let address = format!("http://127.0.0.1:{}/", port(&folder));
    browser.open(&address);
    browser.until("document.querySelector('main code')?.innerText === 'weft open'");
    assert!(!browser.text("body").contains("Alice"));
    let url = folder.field("url", &["open", "--print"]);
    browser.open(&url);
    browser.until("document.querySelector('#link').dataset.state === 'live'");
    // A ticket is spent once, and a token stays in its tab.
    browser.new_tab();
    browser.open(&url);
    browser.until("document.querySelector('main h1')?.innerText === 'This address was used already'");
    open(&browser, &folder);
    let api = format!("127.0.0.1:{}", port(&folder));
    node.down();
    browser.until("document.querySelector('#link').dataset.state === 'lost'");
    let listen = ["--listen", "/ip4/127.0.0.1/udp/0/quic-v1", "--api", &api];
    let _node = Up::start(&folder, &listen).unwrap();
    browser.until("document.querySelector('main h1').innerText === 'The node was started again'");
    open(&browser, &folder);
}

#[test]
fn a_name_that_was_pointed_at_this_machine_is_refused() {
    let Some(browser) = Browser::start("MAP evil.example 127.0.0.1") else { return };
    let folder = Folder::of("Alice");
    let _node = folder.up(&[]);
    for path in ["", "api/v1/status", "page/app.js", "healthz"] {
        browser.open(&format!("http://evil.example:{}/{path}", port(&folder)));
        let shown: Value = serde_json::from_str(&browser.text("body")).unwrap();
        assert_eq!(shown["error"]["code"], "wrong_host", "/{path}");
    }
    // A page of that name is of one origin with the node, for the browser; the node knows better, whatever is shown to it.
    let token = std::fs::read_to_string(folder.data().join("api-token")).unwrap();
    let status = "return (await fetch('/api/v1/status', {headers: {authorization: `Bearer ${arguments[0]}`}})).status";
    assert_eq!(browser.run_async(status, json!([token])), 403);
}

#[test]
fn a_page_of_another_origin_gets_nothing_and_does_nothing() {
    let Some(browser) = Browser::start("") else { return };
    let (folder, other) = (Folder::of("Alice"), Folder::of("Mallory"));
    let (_node, _elsewhere) = (folder.up(&["--log", "weft::api=debug", "--log-format", "json"]), other.up(&[]));
    // Another node's page stands for any page on another port; its policy would keep it from asking at all.
    browser.open(&format!("http://127.0.0.1:{}/api/v1/nothing", port(&other)));
    let node = format!("http://127.0.0.1:{}", port(&folder));
    let token = std::fs::read_to_string(folder.data().join("api-token")).unwrap();
    let tried = browser.run_async(
        "const [node, token] = arguments;
         const outcome = (asked) => asked.then((answer) => answer.type, () => 'refused');
         const headers = { authorization: `Bearer ${token}` };
         const frame = document.createElement('iframe');
         frame.src = `${node}/`;
         const framed = new Promise((done) => { frame.onload = () => done(frame.contentDocument === null ? 'closed' : 'open'); });
         const script = document.createElement('script');
         script.src = `${node}/page/app.js`;
         const ran = new Promise((done) => { script.onload = () => done('ran'); script.onerror = () => done('refused'); });
         document.body.append(frame, script);
         return [
             await outcome(fetch(`${node}/api/v1/status`, { headers })),
             await outcome(fetch(`${node}/api/v1/stop`, { method: 'POST', headers })),
             await outcome(fetch(`${node}/api/v1/stop`, { method: 'POST', mode: 'no-cors', body: '{}' })),
             await outcome(fetch(`${node}/api/v1/status`, { mode: 'no-cors' })),
             await outcome(fetch(`${node}/healthz`, { mode: 'no-cors' })),
             await framed, await ran,
         ]",
        json!([node, token]),
    );
    assert_eq!(tried, json!(["refused", "refused", "opaque", "opaque", "opaque", "closed", "refused"]));
    // What was let through to the browser as opaque was a refusal too.
    let answers: Vec<Value> = folder
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["status"].is_u64())
        .collect();
    assert!(answers.len() >= 7, "{answers:?}");
    assert!(answers.iter().all(|answer| answer["status"] == 403), "{answers:?}");
    assert_eq!(folder.json(&["status"])["running"], true);
}
