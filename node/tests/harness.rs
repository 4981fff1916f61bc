//! Folders, commands and nodes for the tests.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test fails. Long, because machines are slow and busy; never waited for in full.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A data folder, and the commands that are run on it.
pub(crate) struct Folder {
    dir: TempDir,
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The document on standard output of a command that went well.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.exit, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the error on standard error of a command that failed so.
    pub(crate) fn error(&self, exit: i32) -> String {
        assert_eq!(self.exit, exit, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let error: Value = serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        for key in ["message", "hint"] {
            assert!(error["error"][key].as_str().is_some_and(|text| !text.is_empty()), "no {key}: {self:?}");
        }
        error["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl Folder {
    /// An empty folder.
    pub(crate) fn new() -> Folder {
        Folder { dir: tempfile::tempdir().unwrap() }
    }

    /// A folder with an identity of this name.
    pub(crate) fn of(name: &str) -> Folder {
        let folder = Folder::new();
        folder.json(&["init", "--name", name]);
        folder
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Where it is remembered which copy of the data folder wrote last.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// What the node that runs or ran here wrote to standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("up.log")).unwrap_or_default()
    }

    /// A file beside the data folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program on this folder, with nothing of the surroundings that could change what it does.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
        for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("WEFT_")) {
            command.env_remove(variable);
        }
        command.env("HOME", self.dir.path()).env("WEFT_DATA", self.data()).args(arguments).stdin(Stdio::null());
        command.env("WEFT_STATE_DIR", self.state());
        command
    }

    /// The same, run by another program that is given what to run as its last arguments.
    pub(crate) fn command_by(&self, runner: &[&str], arguments: &[&str]) -> Command {
        let [program, first @ ..] = runner else { return self.command(arguments) };
        let inner = self.command(arguments);
        let mut command = Command::new(program);
        command.args(first).arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
        for (key, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command
    }

    /// Runs a command to its end, by another program.
    pub(crate) fn run_by(&self, runner: &[&str], arguments: &[&str]) -> Ended {
        ended(self.command_by(runner, arguments), b"")
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments), b"")
    }

    /// Runs a command that reads from standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ended {
        ended(self.command(arguments), input)
    }

    /// What a command says to programs.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[&["--json"], arguments].concat()).json()
    }

    /// The code of the error by which a command fails.
    pub(crate) fn error(&self, exit: i32, arguments: &[&str]) -> String {
        self.run(&[&["--json"], arguments].concat()).error(exit)
    }

    /// The field of a command's answer, as text.
    pub(crate) fn field(&self, key: &str, arguments: &[&str]) -> String {
        let answer = self.json(arguments);
        answer[key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned()
    }

    /// What `text show` prints.
    pub(crate) fn text(&self, object: &str) -> String {
        let shown = self.run(&["text", "show", object]);
        assert_eq!(shown.exit, 0, "{shown:?}");
        shown.stdout
    }

    /// Starts a node on loopback, at ports that the system chooses, and waits until it is ready.
    pub(crate) fn up(&self, arguments: &[&str]) -> Up<'_> {
        Up::start(self, &[&LOOPBACK, arguments].concat()).unwrap_or_else(|ended| panic!("{ended:?}"))
    }
}

/// Loopback, at ports that the system chooses.
pub(crate) const LOOPBACK: [&str; 4] = ["--listen", "/ip4/127.0.0.1/udp/0/quic-v1", "--api", "127.0.0.1:0"];

/// A node that runs. It is killed when it is dropped.
pub(crate) struct Up<'a> {
    child: Child,
    folder: &'a Folder,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

impl<'a> Up<'a> {
    /// Starts a node with exactly these arguments, and waits until it is ready or has ended.
    pub(crate) fn start(folder: &'a Folder, arguments: &[&str]) -> Result<Up<'a>, Ended> {
        Up::start_by(folder, &[], arguments)
    }

    /// The same, run by another program.
    pub(crate) fn start_by(folder: &'a Folder, runner: &[&str], arguments: &[&str]) -> Result<Up<'a>, Ended> {
        let log = folder.dir.path().join("up.log");
        let mut child = folder
            .command_by(runner, &[&["--json", "up"], arguments].concat())
            .env("WEFT_LOG", "weft=debug")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let line = within(PATIENCE, move || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            line
        });
        let Some(line) = line else {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("not ready in time: {}", std::fs::read_to_string(log).unwrap());
        };
        match serde_json::from_str(&line) {
            Ok(ready) => Ok(Up { child, folder, ready }),
            Err(_) => {
                let exit = child.wait().unwrap().code().unwrap_or(-1);
                Err(Ended { exit, stdout: line, stderr: std::fs::read_to_string(log).unwrap() })
            }
        }
    }

    /// An address that others can dial.
    pub(crate) fn address(&self) -> String {
        let listen = self.ready["listen"][0].as_str().unwrap();
        let peer_id = self.ready["peer_id"].as_str().unwrap();
        if listen.contains("/p2p/") { listen.to_owned() } else { format!("{listen}/p2p/{peer_id}") }
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The same over `quic` or `tcp`, where it listens on both.
    pub(crate) fn address_over(&self, transport: &str) -> String {
        let mut listen = self.ready["listen"].as_array().unwrap().iter().map(|address| address.as_str().unwrap());
        let listen = listen.find(|address| address.contains(transport)).expect("it listens on that");
        let peer_id = self.ready["peer_id"].as_str().unwrap();
        if listen.contains("/p2p/") { listen.to_owned() } else { format!("{listen}/p2p/{peer_id}") }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.dir.path().join("up.log")).unwrap()
    }

    /// Ends the process as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it with `weft down`.
    pub(crate) fn down(mut self) {
        assert_eq!(self.folder.json(&["down"])["stopped"], true);
        assert!(self.child.wait().unwrap().success());
        assert!(!self.folder.data().join("node.json").exists());
    }

    /// Sends a signal and says how the process ended.
    #[cfg(unix)]
    pub(crate) fn signal(mut self, signal: &str) -> i32 {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = std::fs::read_to_string(self.folder.dir.path().join("up.log")).unwrap_or_default();
            eprintln!("--- what the node logged\n{log}");
        }
    }
}

/// A command whose lines are read while it runs. It is killed when it is dropped.
pub(crate) struct Following {
    child: Child,
    lines: mpsc::Receiver<String>,
    errors: PathBuf,
}

impl Following {
    /// Starts a command.
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Following {
        let name: String = arguments.join("-").replace(['/', ':'], "_").chars().take(100).collect();
        let errors = folder.dir.path().join(format!("{name}.err"));
        let stderr = std::fs::File::create(&errors).unwrap();
        let mut child = folder.command(arguments).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = mpsc::channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| told.send(line).is_ok()));
        Following { child, lines, errors }
    }

    /// The next line, if one comes in this time.
    pub(crate) fn next_within(&self, time: Duration) -> Option<String> {
        self.lines.recv_timeout(time).ok()
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the command ends by itself: what it still said, and how it ended.
    pub(crate) fn end(mut self) -> Ended {
        let mut stdout = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => stdout += &format!("{line}\n"),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the command goes on"),
            }
        }
        let exit = self.child.wait().unwrap().code().unwrap_or(-1);
        Ended { exit, stdout, stderr: std::fs::read_to_string(&self.errors).unwrap() }
    }

    /// The next line as it is that this says yes to.
    pub(crate) fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if wanted(&line) => return line,
                Ok(_) => {}
                Err(error) => panic!("no such line: {error}"),
            }
        }
        panic!("no such line in time");
    }

    /// The next line that this says yes to.
    pub(crate) fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.until_or(wanted, || false).expect("the line that was wanted")
    }

    /// The same, or none when something is so without a line saying it.
    pub(crate) fn until_or(&self, wanted: impl Fn(&Value) -> bool, or: impl Fn() -> bool) -> Option<Value> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.lines.recv_timeout(Duration::from_millis(500)) {
                Ok(line) => {
                    let value = serde_json::from_str(&line).unwrap();
                    if wanted(&value) {
                        return Some(value);
                    }
                }
                Err(RecvTimeoutError::Timeout) if or() => return None,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the command ended"),
            }
        }
        panic!("no such line in time");
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command with this input to its end.
pub(crate) fn ended(mut command: Command, input: &[u8]) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    thread::spawn(move || feed(stdin, &input));
    let stderr = child.stderr.take().unwrap();
    let stderr = thread::spawn(move || read(stderr));
    let stdout = child.stdout.take().unwrap();
    let Some(stdout) = within(PATIENCE, move || read(stdout)) else {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("{command:?} did not end in time: {}", stderr.join().unwrap());
    };
    let exit = child.wait().unwrap().code().unwrap_or(-1);
    Ended { exit, stdout, stderr: stderr.join().unwrap() }
}

fn feed(mut stdin: ChildStdin, input: &[u8]) {
    // A command that does not want its input closes it.
    let _ = stdin.write_all(input);
}

fn read(mut from: impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    text
}

fn within<T: Send + 'static>(patience: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    result.recv_timeout(patience).ok()
}

/// Asks until something is so.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
    }
}

/// Two nodes that share a space called `notes`: its id.
pub(crate) fn share(alice: &Folder, bob: &Folder) -> String {
    let space = alice.field("space", &["space", "create", "notes"]);
    let link = alice.field("link", &["invite", "notes"]);
    let joined = bob.json(&["join", &link]);
    assert_eq!(joined["space"], space.as_str());
    space
}

/// The path as an argument.
pub(crate) fn argument(path: &Path) -> &str {
    path.to_str().unwrap()
}
