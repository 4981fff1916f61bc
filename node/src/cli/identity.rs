//! `weft init` and `weft identity phrase`.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
};

use serde_json::{Value, json};

use super::{
    client::{Call, Client, path},
    failure::{Exit, Failure},
    output::{Output, print, text},
    start, with,
};
use crate::{
    config::{self, Config},
    node::StartError,
    store::Lock,
};

/// Makes an identity, or shows the one there is.
pub(crate) fn init(config: Config, name: Option<&str>, output: Output) -> Result<(), Failure> {
    let folder = config.data_dir.value.clone();
    let created = !crate::identity::exists(&folder);
    let mut config = config;
    if created {
        give_up_joining(&folder)?;
    }
    if let Some(name) = name {
        if !created && config.name.value.as_deref() != Some(name) {
            return Err(Failure::new(
                Exit::Refused,
                "identity_exists",
                format!("there is an identity in {} already", folder.display()),
                "to call it something else, set `name` in config.toml there",
            ));
        }
        config.name.value = Some(name.to_owned());
    }
    if created {
        start::make_identity(&config)?;
        if let Some(name) = name {
            config::write_name(&folder, name).map_err(|error| {
                Failure::new(
                    Exit::Failed,
                    "unwritable",
                    format!("config.toml cannot be written: {error}"),
                    "look at its rights",
                )
            })?;
        }
    }
    with(Client::open(&config)?, |client| {
        let status = client.ask(Call::get(path(&["status"], &[])))?;
        let answer = json!({
            "identity": status.get("identity"), "peer_id": status.get("peer_id"), "name": status.get("name"),
            "data": folder.display().to_string(), "created": created, "command": start::command(&config),
        });
        output.confirm(&answer, initialised)
    })
}

/// Whoever makes an identity here does not want to be a device of another one any more.
fn give_up_joining(folder: &Path) -> Result<(), Failure> {
    if !crate::identity::is_joining(folder) {
        return Ok(());
    }
    let failed = |error: StartError| start::from_start(&error);
    let _lock = Lock::take(folder).map_err(|error| failed(StartError::lock(folder.to_owned(), error)))?;
    crate::identity::forget_joining(folder).map_err(|error| failed(error.into()))
}

fn initialised(answer: &Value) -> String {
    let created = answer.get("created") == Some(&Value::Bool(true));
    let what = if created { "made an identity in" } else { "there is an identity already in" };
    format!(
        "{what} {}\n  identity  {}\n  peer id   {}\nnext: `{3} identity phrase` to write down the recovery phrase, \
         `{3} up` to start\n",
        text(answer, "data"),
        text(answer, "identity"),
        text(answer, "peer_id"),
        text(answer, "command"),
    )
}

/// What is asked of the recovery phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Show,
    Confirm,
    WouldConfirm,
}

/// Shows the recovery phrase, and has it forgotten here once its owner says that it is written down.
pub(crate) fn phrase(config: &Config, ask: Ask, output: Output) -> Result<(), Failure> {
    let confirm = ask != Ask::Show;
    with(Client::open(config)?, |client| {
        let answer = client.ask(Call::get(path(&["identity", "phrase"], &[])))?;
        if answer.get("elsewhere") == Some(&Value::Bool(true)) {
            return Err(Failure::new(
                Exit::NotFound,
                "phrase_elsewhere",
                "this device was linked: the recovery phrase of its identity was never on it",
                "it is with the identity's first device (`weft identity phrase` there), or where you wrote it down",
            ));
        }
        if answer.get("confirmed") == Some(&Value::Bool(true)) {
            if confirm {
                return output.confirm(&answer, |_| "the phrase is written down already\n".to_owned());
            }
            return Err(Failure::new(
                Exit::NotFound,
                "phrase_confirmed",
                "the recovery phrase is not stored on this device any more: it was confirmed as written down",
                "it is where you wrote it down",
            ));
        }
        if ask == Ask::WouldConfirm {
            let would = json!({"confirmed": false, "would": "delete"});
            return output.say(&would, |_| "would delete the phrase from this device\n".to_owned());
        }
        let forget = || client.ask(Call::delete(path(&["identity", "phrase"], &[])));
        if confirm {
            return output.confirm(&forget()?, |_| "the phrase is deleted from this device\n".to_owned());
        }
        output.say(&answer, words)?;
        if output.json || !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Ok(());
        }
        if !says_yes() {
            return print("kept; this command shows it again\n");
        }
        output.confirm(&forget()?, |_| "the phrase is deleted from this device\n".to_owned())
    })
}

fn words(answer: &Value) -> String {
    format!(
        "{}\n\nWrite these words down on paper, in this order. Whoever has them is you; without them a lost device\n\
         takes your identity with it.{}\n",
        text(answer, "phrase"),
        if std::io::stdin().is_terminal() { "" } else { " Then run `weft identity phrase --confirm`." },
    )
}

fn says_yes() -> bool {
    let mut stdout = std::io::stdout().lock();
    let asked = write!(stdout, "Type `yes` when they are written down: ").and_then(|()| stdout.flush());
    let mut answer = String::new();
    asked.is_ok() && std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}
