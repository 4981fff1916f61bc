//! What the demo plays on: a folder that goes at the end, and the processes in it.
//!
//! The nodes are processes of this same program, so that one of them can be killed as a power cut would kill it.

use std::{
    fs::{self, DirBuilder},
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::super::{
    client::{Call, Client, path},
    failure::{Exit, Failure},
    running, text,
};

/// The folder, and every process that was started in it.
pub(super) struct Stage {
    folder: PathBuf,
    processes: Mutex<Processes>,
}

#[derive(Default)]
struct Processes {
    running: Vec<Child>,
    closed: bool,
}

impl Stage {
    /// An empty folder that only its owner can open.
    pub(super) fn new() -> Result<Arc<Stage>, Failure> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| failed(format!("the system gives no random numbers: {error}")))?;
        let name = format!("weft-demo-{}", data_encoding::HEXLOWER.encode(&random));
        let folder = std::env::temp_dir().join(name);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(|error| failed(format!("{} cannot be made: {error}", folder.display())))?;
        Ok(Arc::new(Stage { folder, processes: Mutex::default() }))
    }

    /// Ends every process and deletes the folder. Nothing is started after it.
    pub(super) fn clear(&self) {
        let mut processes = self.processes();
        processes.closed = true;
        for mut process in processes.running.drain(..) {
            // One that ended already is as good.
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn processes(&self) -> MutexGuard<'_, Processes> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Somebody with a data folder, and a node as long as it runs.
pub(super) struct Actor {
    stage: Arc<Stage>,
    pub(super) name: &'static str,
    data: PathBuf,
    node: Option<(u32, Client)>,
}

impl Actor {
    /// Somebody with an identity of their own.
    pub(super) fn new(stage: &Arc<Stage>, name: &'static str) -> Result<Actor, Failure> {
        let actor = Actor { stage: Arc::clone(stage), name, data: stage.folder.join(name), node: None };
        actor.run(&["init", "--name", name])?;
        Ok(actor)
    }

    /// Starts the node and waits until it is ready.
    pub(super) fn up(&mut self) -> Result<(), Failure> {
        let listen = ["--listen", "/ip4/127.0.0.1/udp/0/quic-v1", "--api", "127.0.0.1:0"];
        let mut command = self.command(&[&["up"], &listen[..]].concat())?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let (pid, stdout) = {
            let mut processes = self.stage.processes();
            if processes.closed {
                return Err(failed("it was stopped".to_owned()));
            }
            let mut process = command.spawn().map_err(|error| failed(format!("a node cannot be started: {error}")))?;
            let started = (process.id(), process.stdout.take());
            processes.running.push(process);
            started
        };
        let mut ready = String::new();
        // It says that it is ready, or ends and closes its output.
        let _ = stdout.map(|stdout| BufReader::new(stdout).read_line(&mut ready));
        let running = running::find(&self.data).filter(|_| !ready.is_empty());
        let running = running.ok_or_else(|| failed(format!("the node of {} did not start", self.name)))?;
        self.node = Some((pid, Client::Running(Box::new(running))));
        Ok(())
    }

    /// Kills the node: no goodbye, nothing written at the end. Gives the process that was killed.
    pub(super) fn kill(&mut self) -> Result<u32, Failure> {
        let (pid, _) = self.node.take().ok_or_else(|| failed(format!("{} runs no node", self.name)))?;
        let mut processes = self.stage.processes();
        for process in processes.running.iter_mut().filter(|process| process.id() == pid) {
            let killed = process.kill().and_then(|()| process.wait());
            killed.map_err(|error| failed(format!("process {pid} cannot be killed: {error}")))?;
        }
        processes.running.retain(|process| process.id() != pid);
        Ok(pid)
    }

    /// Asks the node that runs.
    pub(super) fn ask(&self, call: Call) -> Result<Value, Failure> {
        let (_, client) = self.node.as_ref().ok_or_else(|| failed(format!("{} runs no node", self.name)))?;
        client.ask(call)
    }

    /// Runs a command to its end and gives its answer.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let output = self.command(arguments)?.stdin(Stdio::null()).output();
        let output = output.map_err(|error| failed(format!("a command cannot be run: {error}")))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(failed(format!("`weft {}` of {} failed: {why}", arguments.join(" "), self.name)));
        }
        serde_json::from_slice(&output.stdout).or(Ok(Value::Null))
    }

    /// The text of an object, from the node if one runs, else from the store.
    pub(super) fn read(&self, object: &str) -> Result<String, Failure> {
        let answer = match self.node {
            Some(_) => self.ask(Call::get(path(&["objects", object, "text"], &[])))?,
            None => self.run(&["text", "show", object])?,
        };
        Ok(text(&answer, "text").to_owned())
    }

    /// Has `change` made of the text as it is here now. What others write meanwhile stays.
    pub(super) fn write(&self, object: &str, change: impl FnOnce(&str) -> String) -> Result<(), Failure> {
        let base = self.read(object)?;
        let edit = json!({"text": change(&base), "base": base});
        self.ask(Call::patch_json(path(&["objects", object], &[]), edit)).map(|_| ())
    }

    /// This program on this folder, without the settings of whoever runs the demo.
    fn command(&self, arguments: &[&str]) -> Result<Command, Failure> {
        let program = std::env::current_exe().map_err(|error| failed(format!("weft does not find itself: {error}")))?;
        let mut command = Command::new(program);
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("WEFT_") {
                command.env_remove(variable);
            }
        }
        command.arg("--data").arg(&self.data).arg("--state-dir").arg(self.stage.folder.join("state"));
        command.arg("--json").args(arguments);
        Ok(command)
    }
}

/// The demo cannot go on.
pub(super) fn failed(why: String) -> Failure {
    Failure::new(Exit::Failed, "demo_failed", why, "nothing of it is left behind; please report it if it fails again")
}
