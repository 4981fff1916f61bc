//! `weft up` and `weft down`: a node's life as a process.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinHandle};

use super::{
    aside,
    client::{Call, Client, path},
    failure::{Exit, Failure},
    interrupt::Signals,
    locked,
    output::{Output, list, text},
    passphrase,
    running::{self, NodeFile},
    start, undumped,
};
use crate::{
    addresses::{self, LastUp},
    api::{self, Api, guard::Guard, token::Token},
    config::{API_PORT, Config, SWARM_PORT, Source},
    identity::{Passphrase, PhraseState},
    node::{Node, StartError},
};

/// How long requests under way may take when the node stops.
const GRACE: Duration = Duration::from_secs(5);
/// How long `weft down` waits for the process to end.
const DOWN_PATIENCE: Duration = Duration::from_secs(20);

/// Starts the node and stays until it is told to stop.
pub(crate) fn up(config: Config, output: Output) -> Result<(), Failure> {
    log(&config)?;
    undumped::keep();
    let mut passphrase = passphrase::to_start(&config)?;
    let mut greeting = Some(output);
    let (mut runtime, mut signals) = life()?;
    loop {
        let end = runtime.block_on(live(&config, passphrase.take(), signals, greeting.take()));
        // The next one listens to signals before the last one stops to, so that none is lost. With a runtime goes everything
        // that still held a key.
        let next = life()?;
        runtime.shutdown_timeout(Duration::from_secs(1));
        if end? == End::Stopped {
            return Ok(());
        }
        let (waiting, signals_meanwhile) = next;
        passphrase = waiting.block_on(locked::wait(&config, signals_meanwhile))?;
        (runtime, signals) = life()?;
        waiting.shutdown_timeout(Duration::from_secs(1));
        if passphrase.is_none() {
            return Ok(());
        }
    }
}

/// What a node lives on until it stops or is locked.
fn life() -> Result<(Runtime, Signals), Failure> {
    let runtime = start::runtime()?;
    let signals = runtime.block_on(async { Signals::new() })?;
    Ok((runtime, signals))
}

/// How a node's life ended.
#[derive(PartialEq)]
enum End {
    Stopped,
    Locked,
}

async fn live(
    config: &Config,
    passphrase: Option<Passphrase>,
    mut signals: Signals,
    greeting: Option<Output>,
) -> Result<End, Failure> {
    let folder = config.data_dir.value.clone();
    let mut last = LastUp::read(&folder);
    let node = start_node(config, passphrase.as_ref(), &mut last).await?;
    drop(passphrase);
    let served = match serve(&node, config, &mut last).await {
        Ok(served) => served,
        Err(failure) => {
            node.stop().await;
            return Err(failure);
        }
    };
    tracing::info!(version = crate::VERSION, peer_id = %node.peer_id(), api = %served.address, "the node is ready");
    let ready = match greeting {
        None => Ok(()),
        Some(output) => match output.confirm(&introduction(&node, config, &served, &last), screen) {
            // A node runs on when nobody reads what it said.
            Err(failure) if failure == Failure::reader_gone() => Ok(()),
            said => said,
        },
    };
    let mut is_told = false;
    if ready.is_ok() {
        tokio::select! {
            () = signals.next() => is_told = true,
            () = served.api.stopped() => {}
            () = node.stopped() => {}
        }
    }
    tracing::info!("the node stops");
    withdraw(&folder);
    served.api.stop();
    let close = async {
        let _ = tokio::time::timeout(GRACE, served.server).await;
        node.clone().stop().await;
    };
    tokio::select! {
        () = close => {}
        // Whoever asks twice does not want to wait.
        () = signals.next() => is_told = true,
    }
    ready?;
    match node.failure() {
        Some(why) if node.is_damaged() => Err(Failure::new(
            Exit::Store,
            "store_damaged",
            format!("the node stopped because its store is damaged: {why}"),
            "run `weft up` again: it sets the damaged files aside, deletes nothing, and says what is left and what peers have to \
             give again",
        )),
        Some(why) => Err(Failure::new(
            Exit::Store,
            "store_failed",
            format!("the node stopped because its store failed: {why}"),
            "look at the disk (is it full?), then start it again: nothing acknowledged is lost",
        )),
        None if served.api.is_locking() && !is_told => Ok(End::Locked),
        None => Ok(End::Stopped),
    }
}

/// Starts the node at the addresses asked for, else at the first free port.
async fn start_node(config: &Config, passphrase: Option<&Passphrase>, last: &mut LastUp) -> Result<Node, Failure> {
    if config.listen.source != Source::Default {
        last.swarm_port = None;
        return start::listening(config, passphrase, config.listen.value.clone())
            .await
            .map_err(|error| located(config, &error));
    }
    for port in addresses::ports(last.swarm_port, SWARM_PORT).filter(|port| addresses::is_free(*port)) {
        match start::listening(config, passphrase, addresses::everywhere(port)).await {
            // Somebody took it between the look and the start.
            Err(StartError::PortInUse { .. }) => {}
            Err(error) => return Err(located(config, &error)),
            Ok(node) => {
                last.swarm_port = Some(port);
                return Ok(node);
            }
        }
    }
    Err(Failure::new(
        Exit::Failed,
        "port_in_use",
        format!("none of the ports from {SWARM_PORT} on is free"),
        "name an address with --listen /ip4/0.0.0.0/udp/PORT/quic-v1",
    ))
}

/// A failure to start; when another node has the store, it says which.
fn located(config: &Config, error: &StartError) -> Failure {
    if matches!(error, StartError::Damaged { .. }) {
        return aside::set_aside(config, error);
    }
    let failure = start::from_start(error);
    match NodeFile::read(&config.data_dir.value).filter(|node| running::may_live(node.pid)) {
        Some(node) if failure.code == start::LOCKED => Failure {
            message: format!("{}: a node runs on it already (process {}, API {})", failure.message, node.pid, node.api),
            hint: "use that one, stop it with `weft down`, or name another folder with --data".to_owned(),
            ..failure
        },
        _ => failure,
    }
}

/// What serves commands.
struct Served {
    api: Api,
    address: SocketAddr,
    server: JoinHandle<io::Result<()>>,
}

async fn serve(node: &Node, config: &Config, last: &mut LastUp) -> Result<Served, Failure> {
    last.listen = addresses::of(node);
    let (listener, guard) = announce(config, last, &node.peer_id().to_string()).await?;
    let address = listener.local_addr().map_err(|error| unwritable(config, &error))?;
    let api = Api::new(node.clone(), config.clone());
    let server = tokio::spawn(api::serve(api.clone(), listener, guard));
    Ok(Served { api, address, server })
}

/// Takes the address of the API and says in the folder where it is. Whoever comes now waits until it is served.
pub(super) async fn announce(
    config: &Config,
    last: &mut LastUp,
    peer_id: &str,
) -> Result<(TcpListener, Guard), Failure> {
    let folder = &config.data_dir.value;
    let failed = |error: io::Error| unwritable(config, &error);
    let listener = bind_api(config, last).await?;
    let address = listener.local_addr().map_err(failed)?;
    let (token, token_path) = Token::issue(folder).map_err(failed)?;
    let guard = Guard::new(token, address, &config.api_hosts.value, &config.api_origins.value, peer_id);
    last.write(folder).map_err(failed)?;
    let token_path = std::path::absolute(token_path).map_err(failed)?;
    let (pid, version) = (std::process::id(), crate::VERSION.to_owned());
    let note = NodeFile { api: address, pid, token_path, peer_id: peer_id.to_owned(), version };
    note.write(folder).map_err(failed)?;
    Ok((listener, guard))
}

/// Takes back what was announced.
pub(super) fn withdraw(folder: &Path) {
    NodeFile::remove(folder);
}

fn unwritable(config: &Config, error: &io::Error) -> Failure {
    let what = format!("{} cannot be written: {error}", config.data_dir.value.display());
    Failure::new(Exit::Failed, "unwritable", what, "look at the rights of the folder and at the space on its disk")
}

async fn bind_api(config: &Config, last: &mut LastUp) -> Result<TcpListener, Failure> {
    let address = config.api.value;
    let bound = if config.api.source == Source::Default {
        api::bind(address, addresses::ports(last.api_port, API_PORT)).await
    } else {
        api::bind(address, std::iter::once(address.port())).await
    };
    let listener = bound.map_err(|error| {
        let (code, hint) = match error.kind() {
            io::ErrorKind::AddrInUse => {
                ("port_in_use", "stop the program that uses it, or name another port with --api")
            }
            _ => ("cannot_listen", "name an address of this machine with --api"),
        };
        Failure::new(Exit::Failed, code, format!("the API cannot listen at {address}: {error}"), hint)
    })?;
    let chosen = listener.local_addr().ok().map(|address| address.port());
    last.api_port = chosen.filter(|_| config.api.source == Source::Default);
    Ok(listener)
}

/// What `weft up` says when it is ready.
fn introduction(node: &Node, config: &Config, served: &Served, last: &LastUp) -> Value {
    let listen: Vec<String> = addresses::of(node).iter().map(ToString::to_string).collect();
    json!({
        "ready": true, "peer_id": node.peer_id().to_string(), "identity": node.identity().to_string(), "listen": listen,
        "api": format!("http://{}", served.address), "data": config.data_dir.value.display().to_string(),
        "command": start::command(config), "version": crate::VERSION, "phrase_confirmed": node.phrase_state() != PhraseState::Here, "notes": moved_ports(last),
    })
}

/// Ports that were chosen because the default ones were not free.
fn moved_ports(last: &LastUp) -> Vec<String> {
    let moved = |what: &str, default: u16, port: Option<u16>| {
        port.filter(|port| *port != default)
            .map(|port| format!("port {default} was not free, so {what} has port {port} from now on"))
    };
    [moved("the network", SWARM_PORT, last.swarm_port), moved("the API", API_PORT, last.api_port)]
        .into_iter()
        .flatten()
        .collect()
}

fn screen(ready: &Value) -> String {
    let mut shown = format!("weft {} is ready\n", text(ready, "version"));
    let mut line = |name: &str, value: &str| shown += &format!("  {name:<9} {value}\n");
    line("peer id", &text(ready, "peer_id"));
    line("identity", &text(ready, "identity"));
    line("data", &text(ready, "data"));
    for address in list(ready, "listen").iter().filter_map(Value::as_str) {
        line("listens", address);
    }
    line("api", &text(ready, "api"));
    let weft = text(ready, "command");
    line("page", &format!("`{weft} open` shows it in a browser"));
    for note in list(ready, "notes").iter().filter_map(Value::as_str) {
        line("note", note);
    }
    shown += "\nIn a second terminal:\n";
    let mut hint = |form: &str, what: &str| shown += &format!("  {weft} {form:<18} {what}\n");
    hint("space create NAME", "make a space");
    hint("invite NAME", "print a link for somebody to join it");
    hint("join LINK", "join the space of a link");
    hint("device link", "have another device of yours join");
    hint("status", "see how it goes");
    if ready.get("phrase_confirmed") != Some(&Value::Bool(true)) {
        hint("identity phrase", "write down your recovery phrase: not done yet");
    }
    shown + &format!("Ctrl-C or `{weft} down` stops it.\n")
}

/// Stops the node that runs on the folder, and waits until it is gone.
pub(crate) fn down(config: &Config, output: Output) -> Result<(), Failure> {
    let folder = &config.data_dir.value;
    let Some(client) = Client::running(config) else {
        return output.confirm(&json!({"stopped": false}), |_| "no node is running here\n".to_owned());
    };
    let pid = NodeFile::read(folder).map(|node| node.pid);
    client.ask(Call::post(path(&["stop"], &[])))?;
    let patient_until = Instant::now() + DOWN_PATIENCE;
    while is_there(folder, pid) {
        if Instant::now() >= patient_until {
            return Err(Failure::new(
                Exit::TimedOut,
                "still_running",
                format!("the node was told to stop and is still there after {DOWN_PATIENCE:?}"),
                "look at its output; it can be killed without losing anything",
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    output.confirm(&json!({"stopped": true}), |_| "stopped\n".to_owned())
}

fn is_there(folder: &Path, pid: Option<u32>) -> bool {
    let knows_processes = Path::new("/proc/self/stat").exists();
    NodeFile::read(folder).is_some() || knows_processes && pid.is_some_and(running::may_live)
}

fn log(config: &Config) -> Result<(), Failure> {
    crate::log::start(config).map_err(|(setting, why)| {
        Failure::usage(
            "bad_config",
            format!("`{setting}` cannot be used: {why}"),
            "write a level like `info`, or levels by module like `warn,weft::store=debug`",
        )
    })
}
