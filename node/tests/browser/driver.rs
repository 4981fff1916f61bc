//! A headless browser with as many tabs as a test opens: WebDriver over HTTP, and nothing to install but the browser.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::PATIENCE;

/// Keys that are no characters, as WebDriver names them.
pub(crate) mod key {
    pub(crate) const TAB: char = '\u{e004}';
    pub(crate) const ENTER: char = '\u{e007}';
    pub(crate) const SHIFT: char = '\u{e008}';
}

/// A browser of its own: no profile, no cache, no window is shared with another. It ends when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    agent: ureq::Agent,
    /// The session's address at the driver.
    session: String,
    _profile: TempDir,
}

/// Something that a page wrote to the console, or the browser about the page.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) level: String,
    pub(crate) message: String,
}

impl Browser {
    /// Starts a browser, or says why there is none. `resolve` are rules like `MAP evil.example 127.0.0.1`.
    pub(crate) fn start(resolve: &str) -> Option<Browser> {
        match Browser::try_start(resolve) {
            Ok(browser) => Some(browser),
            Err(why) if std::env::var("WEFT_BROWSER").is_ok_and(|wish| wish == "required") => {
                panic!("WEFT_BROWSER=required, and there is no browser: {why}")
            }
            Err(why) => {
                let test = thread::current().name().unwrap_or("a test").to_owned();
                // Not by a macro: the test runner keeps what those print of a test that passes.
                let said = writeln!(std::io::stderr(), "skipped: {test}: {why}");
                said.map_or_else(|error| panic!("{error}"), |()| None)
            }
        }
    }

    fn try_start(resolve: &str) -> Result<Browser, String> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                format!("chromedriver cannot be started ({error}); install chromium and chromium-driver")
            })?;
        let stdout = BufReader::new(driver.stdout.take().unwrap());
        let port = stdout.lines().map_while(Result::ok).find_map(|line| {
            let port = line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').to_owned();
            port.parse::<u16>().ok()
        });
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Browser { driver, agent, session: String::new(), _profile: profile };
        let port = port.ok_or("chromedriver did not say its port")?;
        let base = format!("http://127.0.0.1:{port}/session");
        let answer = browser.send("POST", &base, Some(browser.capabilities(resolve)))?;
        let id = answer["sessionId"].as_str().ok_or("no session")?.to_owned();
        browser.session = format!("{base}/{id}");
        let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
        browser.post("timeouts", json!({"script": patience, "pageLoad": patience}));
        Ok(browser)
    }

    fn capabilities(&self, resolve: &str) -> Value {
        let mut args = vec![
            "--headless=new".to_owned(),
            // It shows our own pages only, and runs as root in containers.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--no-first-run".to_owned(),
            "--window-size=1280,900".to_owned(),
            format!("--user-data-dir={}", self._profile.path().display()),
        ];
        if !resolve.is_empty() {
            args.push(format!("--host-resolver-rules={resolve}"));
        }
        let mut options = json!({"args": args});
        if let Some(binary) =
            ["/usr/bin/chromium", "/usr/bin/chromium-browser"].iter().find(|path| std::path::Path::new(path).exists())
        {
            options["binary"] = json!(binary);
        }
        json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "unhandledPromptBehavior": "ignore",
        }}})
    }

    fn send(&self, method: &str, url: &str, body: Option<Value>) -> Result<Value, String> {
        let request = ureq::http::Request::builder().method(method).uri(url);
        let answer = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.to_string());
                self.agent.run(request.map_err(|error| error.to_string())?)
            }
            None => self.agent.run(request.body(()).map_err(|error| error.to_string())?),
        };
        let mut answer = answer.map_err(|error| error.to_string())?;
        let text =
            answer.body_mut().with_config().limit(256 << 20).read_to_string().map_err(|error| error.to_string())?;
        let document: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        let value = document["value"].clone();
        if answer.status().is_success() {
            Ok(value)
        } else {
            Err(value["message"].as_str().unwrap_or(&text).to_owned())
        }
    }

    fn post(&self, command: &str, body: Value) -> Value {
        let sent = self.send("POST", &format!("{}/{command}", self.session), Some(body));
        sent.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    fn get(&self, command: &str) -> Value {
        let sent = self.send("GET", &format!("{}/{command}", self.session), None);
        sent.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Shows a page in the tab that is looked at.
    pub(crate) fn open(&self, url: &str) {
        self.post("url", json!({"url": url}));
    }

    /// What the address bar shows.
    pub(crate) fn address(&self) -> String {
        self.get("url").as_str().unwrap().to_owned()
    }

    /// Loads the page again.
    pub(crate) fn reload(&self) {
        self.post("refresh", json!({}));
    }

    /// Opens another tab, looks at it, and says its name.
    pub(crate) fn new_tab(&self) -> String {
        let tab = self.post("window/new", json!({"type": "tab"}))["handle"].as_str().unwrap().to_owned();
        self.look_at(&tab);
        tab
    }

    /// The tab that is looked at.
    pub(crate) fn tab(&self) -> String {
        self.get("window").as_str().unwrap().to_owned()
    }

    /// Looks at another tab; everything after this is done there.
    pub(crate) fn look_at(&self, tab: &str) {
        self.post("window", json!({"handle": tab}));
    }

    /// Runs the body of a function in the page, and says what it returned. `arguments` are those.
    pub(crate) fn run(&self, script: &str, arguments: Value) -> Value {
        self.post("execute/sync", json!({"script": script, "args": arguments}))
    }

    /// Runs the body of an asynchronous function in the page, waits for it, and says what it returned.
    pub(crate) fn run_async(&self, script: &str, arguments: Value) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async function () {{ {script} }}).apply(null, arguments).then(done, (error) => done({{ thrown: String(error) }}));"
        );
        self.post("execute/async", json!({"script": script, "args": arguments}))
    }

    /// Waits until an expression is true in the page, and says its value.
    pub(crate) fn until(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const look = () => {{ const value = ({expression}); value ? done(value) : setTimeout(look, 20); }};
             look();"
        );
        let sent =
            self.send("POST", &format!("{}/execute/async", self.session), Some(json!({"script": script, "args": []})));
        sent.unwrap_or_else(|error| {
            let shown = self.run("return document.body.innerText", json!([]));
            panic!("waited for {expression}: {error}\n--- the page shows\n{}", shown.as_str().unwrap_or_default())
        })
    }

    /// The text that is seen of the first element that a selector finds.
    pub(crate) fn text(&self, selector: &str) -> String {
        let script = "const found = document.querySelector(arguments[0]); return found ? found.innerText : null;";
        let text = self.run(script, json!([selector]));
        text.as_str().unwrap_or_else(|| panic!("nothing on the page is {selector}")).to_owned()
    }

    /// Presses keys, one after another, each let go before the next.
    pub(crate) fn press(&self, keys: &[char]) {
        self.keys(keys, None);
    }

    /// Presses a key while another is held.
    pub(crate) fn press_with(&self, held: char, pressed: char) {
        self.keys(&[pressed], Some(held));
    }

    fn keys(&self, keys: &[char], held: Option<char>) {
        let down = |key: char| json!({"type": "keyDown", "value": key.to_string()});
        let up = |key: char| json!({"type": "keyUp", "value": key.to_string()});
        let pressed = keys.iter().flat_map(|&key| [down(key), up(key)]);
        let actions: Vec<Value> = held.map(down).into_iter().chain(pressed).chain(held.map(up)).collect();
        self.post("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Types text where the focus is.
    pub(crate) fn type_text(&self, text: &str) {
        self.press(&text.chars().collect::<Vec<_>>());
    }

    /// Clicks the first element that a selector finds.
    pub(crate) fn click(&self, selector: &str) {
        let found = self.post("element", json!({"using": "css selector", "value": selector}));
        let element = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str).unwrap();
        self.post(&format!("element/{element}/click"), json!({}));
    }

    /// A command of the browser's own protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    /// Shows pages as on a screen of this width and height, in the `light` or `dark` scheme.
    pub(crate) fn looks(&self, width: u32, height: u32, scheme: &str) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features);
    }

    /// Keeps a picture of the page under this name, if pictures are wanted.
    pub(crate) fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("WEFT_SCREENSHOTS") else { return };
        let answer = self.devtools("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": true}));
        let bytes = data_encoding::BASE64.decode(answer["data"].as_str().unwrap().as_bytes()).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }

    /// What was written to the console since this was last asked, in every tab.
    pub(crate) fn console(&self) -> Vec<Said> {
        let entries = self.post("se/log", json!({"type": "browser"}));
        let said = |entry: &Value| Said {
            level: entry["level"].as_str().unwrap_or_default().to_owned(),
            message: entry["message"].as_str().unwrap_or_default().to_owned(),
        };
        entries.as_array().unwrap().iter().map(said).collect()
    }

    /// The URLs that pages asked for since this was last asked, in every tab. What the browser asks for itself is not among them.
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.post("se/log", json!({"type": "performance"}));
        let url = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            let is_request = message["method"] == "Network.requestWillBeSent";
            is_request.then(|| message["params"]["request"]["url"].as_str().map(str::to_owned)).flatten()
        };
        let is_own = |url: &String| !url.starts_with("chrome://") && !url.starts_with("data:");
        entries.as_array().unwrap().iter().filter_map(url).filter(is_own).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // The driver ends the browser; should it not, the profile's folder stays behind and nothing else.
            let _ = self.send("DELETE", &self.session, None);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
