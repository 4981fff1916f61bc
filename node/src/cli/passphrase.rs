//! Where a passphrase comes from: a file, the first line of standard input, or somebody at a terminal. Never a flag or a
//! variable: lists of processes, histories of shells and logs of service managers show those.

use std::{
    fs::File,
    io::{IsTerminal, Read},
    path::Path,
};

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    failure::{Exit, Failure},
    output::{Output, text},
    prompt, start,
};
use crate::{
    config::Config,
    identity::{self, IdentityError, PASSPHRASE_BYTES_MAX, Passphrase, PassphraseError, Protection},
    node::StartError,
};

/// The name that means standard input.
const STANDARD_INPUT: &str = "-";

/// What a node needs to start on this folder: nothing, what opens its identity, or what a new one is put under.
pub(crate) fn to_start(config: &Config) -> Result<Option<Passphrase>, Failure> {
    to_start_in(config, &config.data_dir.value)
}

/// The same for a folder with an identity that is another one than the data folder.
pub(crate) fn to_start_in(config: &Config, folder: &Path) -> Result<Option<Passphrase>, Failure> {
    if !identity::exists(folder) {
        let Some(file) = &config.passphrase_file.value else { return Ok(None) };
        let chosen = from_file(file)?;
        chosen.check_new().map_err(unfit)?;
        return Ok(Some(chosen));
    }
    match identity::protection(folder).map_err(unusable)? {
        Protection::Passphrase => current(config).map(Some),
        _ => Ok(None),
    }
}

/// The passphrase as it is now.
pub(crate) fn current(config: &Config) -> Result<Passphrase, Failure> {
    match &config.passphrase_file.value {
        Some(file) => from_file(file),
        None => at_terminal("Passphrase: ")?.ok_or_else(|| unusable(IdentityError::PassphraseNeeded)),
    }
}

/// A passphrase that is to be set, from this file or typed twice.
fn chosen(file: Option<&Path>) -> Result<Passphrase, Failure> {
    let chosen = match file {
        Some(file) => from_file(file)?,
        None => {
            let typed = at_terminal("New passphrase: ")?.ok_or_else(|| {
                Failure::new(
                    Exit::Refused,
                    "passphrase_needed",
                    "there is no terminal to ask for the new passphrase at",
                    "name the file that holds it with --new-passphrase-file (`-`: standard input)",
                )
            })?;
            typed.check_new().map_err(unfit)?;
            if at_terminal("The same again: ")? != Some(typed.clone()) {
                return Err(Failure::new(
                    Exit::Refused,
                    "passphrases_differ",
                    "the two passphrases are not the same; nothing was changed",
                    "try again",
                ));
            }
            typed
        }
    };
    chosen.check_new().map_err(unfit)?;
    Ok(chosen)
}

/// Sets, changes or removes the passphrase of the identity. A running node goes on: the keys it has are the same.
pub(crate) fn change(config: &Config, remove: bool, new: Option<&Path>, output: Output) -> Result<(), Failure> {
    let folder = &config.data_dir.value;
    super::client::require_identity(folder)?;
    let before = identity::protection(folder).map_err(unusable)?;
    let given = match before {
        Protection::Passphrase => Some(current(config)?),
        _ => None,
    };
    let wrapping = identity::wrapping_key(folder, given.as_ref()).map_err(unusable)?;
    let chosen = if remove { None } else { Some(chosen(new)?) };
    if chosen.is_some() || before == Protection::Passphrase {
        identity::protect(folder, &wrapping, chosen.as_ref()).map_err(unusable)?;
    }
    let after = identity::protection(folder).map_err(unusable)?;
    let answer = json!({"protection": after.name(), "before": before.name()});
    output.confirm(&answer, |answer| {
        let word = |key: &str| text(answer, key);
        match (word("before").as_str(), word("protection").as_str()) {
            ("passphrase", "passphrase") => {
                "the passphrase is changed; backups of the folder still open with the old one\n".to_owned()
            }
            ("passphrase", _) => "the passphrase is removed; file permissions alone protect the keys now\n".to_owned(),
            (_, "passphrase") => "the keys are under the passphrase now. Nobody can tell it to you again: if it is lost, the \
                                  recovery phrase is all that is left.\nBackups of the folder made before hold the keys \
                                  without it.\n"
                .to_owned(),
            _ => "there is no passphrase to remove\n".to_owned(),
        }
    })
}

/// What somebody types, unless nobody sits here.
fn at_terminal(question: &str) -> Result<Option<Passphrase>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    prompt::hidden(question)?.map(|typed| Passphrase::read(&typed).map_err(unfit)).transpose()
}

/// The first line of a file, or of standard input. No more of standard input is taken: the next line may be the new one.
fn from_file(path: &Path) -> Result<Passphrase, Failure> {
    let bytes = if path == Path::new(STANDARD_INPUT) {
        prompt::standard_input().and_then(line)
    } else {
        File::open(path).and_then(line)
    };
    let bytes = bytes.map_err(|error| {
        Failure::new(
            Exit::Failed,
            "unreadable_file",
            format!("the passphrase cannot be read from {}: {error}", path.display()),
            "name a file that this user can read, with the passphrase as its first line",
        )
    })?;
    Passphrase::read(&bytes).map_err(unfit)
}

/// One line, and no more than a passphrase has. A byte a call: nothing stays behind in a buffer.
fn line(mut from: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES_MAX + 2));
    let mut byte = Zeroizing::new([0]);
    while line.len() < PASSPHRASE_BYTES_MAX + 2 && from.read(&mut byte[..])? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    Ok(line)
}

fn unfit(error: PassphraseError) -> Failure {
    let hint = match error {
        PassphraseError::TooShort => {
            "choose a longer one: five or six words that nobody would put together are easy to keep and dear to guess"
        }
        _ => "a passphrase is one line of text",
    };
    Failure::new(Exit::Refused, "unfit_passphrase", error.to_string(), hint)
}

fn unusable(error: IdentityError) -> Failure {
    start::from_start(&StartError::Identity(error))
}
