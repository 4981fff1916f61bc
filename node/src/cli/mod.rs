//! The command line: forms in, one request, words or JSON out.
//!
//! A command is a request of the API and a way to show the answer to a person; with `--json` the answer is shown as it is.
//! What is more than that (starting and stopping, files, streams) has a file of its own.

use std::{io::Write as _, process::ExitCode};

use clap::Parser;
use serde_json::Value;

use crate::config::{Config, ConfigError, Flags};

mod args;
mod aside;
mod changes;
mod client;
mod contact;
mod demo;
mod device;
mod drafts;
mod edit;
mod failure;
mod files;
mod identity;
mod import;
mod interrupt;
mod join;
mod locked;
mod log;
mod look;
mod manual;
mod member;
mod object;
mod open;
mod output;
mod passphrase;
mod plan;
mod prompt;
mod raw;
mod running;
mod show;
mod space;
mod start;
mod status_watch;
mod sure;
mod table;
mod undumped;
mod up;
mod visible;
mod watch;

pub use manual::command_table;

use args::{Args, Command};
use client::Client;
use failure::{Exit, Failure};
use output::Output;

/// Runs one command with the arguments of this process.
#[must_use]
pub fn run() -> ExitCode {
    // What the store makes an error of is reported as one, and not as a panic before it.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::store::is_catching() {
            report(panic);
        }
    }));
    let exit = match Args::try_parse() {
        Ok(args) => {
            let json = args.json;
            match dispatch(args) {
                Ok(()) => Exit::Done,
                Err(failure) => {
                    failure.report(json);
                    failure.exit
                }
            }
        }
        Err(error) => misuse(&error),
    };
    ExitCode::from(exit as u8)
}

fn dispatch(args: Args) -> Result<(), Failure> {
    let Args { data, state_dir, passphrase_file, json, quiet, command } = args;
    let output = Output { json, quiet };
    // What looks at no data folder needs no settings.
    match &command {
        Command::Version => return output.say(&serde_json::json!({"version": crate::VERSION}), show::version),
        Command::Completions { shell } => return manual::completions(*shell),
        Command::Man { dir } => return manual::pages(dir, output),
        Command::Demo { fast } => return demo::demo(*fast, output),
        _ => {}
    }
    let mut flags = Flags { data, state_dir, passphrase_file, ..Flags::default() };
    if let Command::Up(up) = &command {
        flags = Flags {
            listen: up.listen.clone(),
            api: up.api,
            origins: up.origin.clone(),
            peers: up.peer.clone(),
            log: up.log.clone(),
            log_format: up.log_format,
            ..flags
        };
    }
    let config = Config::load(&flags, &|variable| std::env::var(variable).ok()).map_err(wrong_settings)?;
    match command {
        Command::Init { name } => identity::init(config, name.as_deref(), output),
        Command::Up(_) => up::up(config, output),
        Command::Down => up::down(&config, output),
        Command::Open { print } => open::page(&config, print, output),
        Command::Status { watch: true } => status_watch::watch(&config, output),
        Command::Watch { what, space } => watch::watch(&config, what.as_deref(), space.as_deref(), output),
        Command::Events { space } => watch::events(&config, space.as_deref(), output),
        Command::Log { lines, follow } => log::log(&config.data_dir.value, lines, follow, output),
        Command::Identity(args::Identity::Phrase { confirm, dry_run }) => {
            let ask = if dry_run {
                identity::Ask::WouldConfirm
            } else if confirm {
                identity::Ask::Confirm
            } else {
                identity::Ask::Show
            };
            identity::phrase(&config, ask, output)
        }
        Command::Identity(args::Identity::Passphrase { remove, new_passphrase_file }) => {
            passphrase::change(&config, remove, new_passphrase_file.as_deref(), output)
        }
        Command::Identity(args::Identity::Lock) => locked::lock(&config, output),
        Command::Identity(args::Identity::Unlock) => locked::unlock(&config, output),
        Command::Device(command) => device::run(&config, command, output),
        Command::Text(args::Text::Edit { object }) => edit::edit(&config, &object, output),
        Command::Object(args::Object::Delete { object, sure }) => {
            with(Client::open(&config)?, |client| sure::delete_object(client, &object, &sure, output))
        }
        Command::Rebuild { space, dry_run: true } => {
            with(Client::open(&config)?, |client| sure::would_rebuild(client, space.as_deref(), output))
        }
        Command::Api { method, path, body } => {
            with(Client::open(&config)?, |client| raw::request(client, &method, &path, body.as_deref()))
        }
        Command::Space(args::Space::Leave { space, sure }) => {
            with(Client::open(&config)?, |client| space::leave(client, &space, &sure, output))
        }
        Command::Space(args::Space::Delete { space, sure }) => {
            with(Client::open(&config)?, |client| space::delete(client, &space, &sure, output))
        }
        Command::Space(args::Space::Readmit { space, author, act, sure }) => {
            let which = (space.as_str(), author.as_str(), act.as_deref());
            with(Client::open(&config)?, |client| space::readmit(client, which, &sure, output))
        }
        Command::Member(command) => with(Client::open(&config)?, |client| member::member(client, command, output)),
        Command::Join(task) => with(Client::open_to_peers(&config)?, |client| join::join(client, task, output)),
        Command::Import(args::Import::Trace { file, space, name }) => {
            with(Client::open(&config)?, |client| import::trace(client, &file, &space, name, output))
        }
        Command::Import(args::Import::Files { folder, space, how }) => {
            let task = files_task(&config, &space, &folder, how, output);
            with(Client::open(&config)?, |client| files::import(client, task))
        }
        Command::Export(args::Export { space, folder, how }) => {
            let task = files_task(&config, &space, &folder, how, output);
            with(Client::open(&config)?, |client| files::export(client, task))
        }
        Command::Config(args::ConfigCommand::Show) => {
            // A running node says what it runs with; otherwise what it would.
            let answer = match Client::running(&config) {
                Some(client) => client.ask(plan::of(command)?.call)?,
                None => serde_json::json!(crate::api::Settings::of(&config)),
            };
            output.say(&answer, show::config)
        }
        Command::Draft(args::Draft::Show { space, draft }) => {
            with(Client::open(&config)?, |client| drafts::show(client, &space, draft, output))
        }
        command => {
            let plan = plan::of(command)?;
            with(Client::open(&config)?, |client| {
                let answer = client.ask(plan.call)?;
                if drafts::is_kept(&answer) {
                    return output.say(&answer, drafts::kept);
                }
                if plan.confirms { output.confirm(&answer, plan.show) } else { output.say(&answer, plan.show) }
            })
        }
    }
}

fn files_task<'a>(
    config: &'a Config,
    space: &'a str,
    folder: &'a std::path::Path,
    how: args::How,
    output: Output,
) -> files::Task<'a> {
    let args::How { dry_run, hidden } = how;
    files::Task { data: &config.data_dir.value, space, folder, hidden, dry_run, output }
}

/// Does something with a client and closes it whatever came of it.
fn with<T>(client: Client, work: impl FnOnce(&Client) -> Result<T, Failure>) -> Result<T, Failure> {
    let result = work(&client);
    client.close();
    result
}

fn wrong_settings(error: ConfigError) -> Failure {
    let hint = match &error {
        ConfigError::Variable { variable, .. } => format!("correct or unset {variable}"),
        ConfigError::File { .. } | ConfigError::OutOfBounds { .. } => {
            "correct it; `weft config show` lists every setting, its value and where it came from".to_owned()
        }
        ConfigError::Unreadable { .. } => "look at the rights of the file".to_owned(),
        ConfigError::NotAFolder { .. } => {
            return Failure::usage("not_a_folder", error.to_string(), "name a folder with --data or WEFT_DATA");
        }
        ConfigError::NoHome => "name a folder with --data or WEFT_DATA".to_owned(),
    };
    Failure::usage("bad_config", error.to_string(), hint)
}

/// Says what clap found; help and version are no errors. Colors are ours to choose: clap would color for a pipe of a build server
/// that calls itself a dumb terminal.
fn misuse(error: &clap::Error) -> Exit {
    let text = error.render();
    if !error.use_stderr() {
        let shown = if look::stdout().colors { text.ansi().to_string() } else { text.to_string() };
        let _ = std::io::stdout().write_all(shown.as_bytes());
        return Exit::Done;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = text.to_string();
        let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = message.strip_prefix("error: ").unwrap_or(message);
        Failure::usage("usage", message.trim(), rest.trim()).report(true);
    } else {
        let shown = if look::stderr().colors { text.ansi().to_string() } else { text.to_string() };
        let _ = std::io::stderr().write_all(shown.as_bytes());
    }
    Exit::Usage
}

/// The value at `key` as a string; empty where there is none.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
