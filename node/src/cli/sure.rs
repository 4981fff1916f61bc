//! Asking before something is destroyed, and saying only what would be.

use std::io::{BufRead, IsTerminal, Write};

use serde_json::{Value, json};

use super::{
    args::{Sure, Which},
    client::{Call, Client, path},
    drafts,
    failure::{Exit, Failure},
    output::{Output, text},
    show,
    visible::in_line,
};

/// Deletes an object, once its owner is sure.
pub(crate) fn delete_object(client: &Client, which: &Which, sure: &Sure, output: Output) -> Result<(), Failure> {
    let query = [("space", which.space.as_deref()), ("dry_run", Some("true"))];
    let would = client.ask(Call::delete(path(&["objects", &which.object], &query)))?;
    let (object, space) = (text(&would, "object"), text(&would, "space"));
    let within = [("space", Some(space.as_str()))];
    let seen = client.ask(Call::get(path(&["objects", &object], &within)))?;
    if sure.dry_run {
        let answer = json!({"object": object, "space": space, "would": "delete"});
        return output.say(&answer, |_| format!("would delete {}\n", described(&seen)));
    }
    if !sure.yes {
        require(output, &format!("Delete {} for every member?", described(&seen)), "nothing was deleted")?;
    }
    // By its id: the name may mean another one by now.
    let answer = client.ask(Call::delete(path(&["objects", &object], &within)))?;
    if drafts::is_kept(&answer) { output.say(&answer, drafts::kept) } else { output.confirm(&answer, show::object_id) }
}

fn described(object: &Value) -> String {
    let name = object.get("properties").and_then(|properties| properties.get("name")).and_then(Value::as_str);
    let name = name.map_or_else(|| text(object, "object"), |name| format!("`{name}`"));
    let characters = super::text(object, "text").chars().count();
    format!("{} ({}, {characters} characters of text)", in_line(&name), in_line(&text(object, "type")))
}

/// Says what a rebuild would go through.
pub(crate) fn would_rebuild(client: &Client, space: Option<&str>, output: Output) -> Result<(), Failure> {
    let call = Call::post(path(&["rebuild"], &[("space", space), ("dry_run", Some("true"))]));
    output.say(&client.ask(call)?, show::would_rebuild)
}

/// Asks at a terminal, and ends the command with what was not done if the answer is not yes.
pub(crate) fn require(output: Output, question: &str, not_done: &str) -> Result<(), Failure> {
    if is_sure(output, question) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "not_confirmed", not_done, "answer `y`, or give --yes"))
}

/// A sentence from an order.
pub(crate) fn capitalised(order: &str) -> String {
    let mut letters = order.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Whether there is a person at a terminal who can answer.
pub(crate) fn can_ask(output: Output) -> bool {
    !output.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks at a terminal. Where nobody can answer, whoever gave the command was sure.
pub(crate) fn is_sure(output: Output, question: &str) -> bool {
    if !can_ask(output) {
        return true;
    }
    let mut stderr = std::io::stderr().lock();
    let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let answered = asked.is_ok() && std::io::stdin().lock().read_line(&mut answer).is_ok();
    answered && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Nobody said yes.
pub(crate) fn not_confirmed(what: &str) -> Failure {
    Failure::new(Exit::Refused, "not_confirmed", what, "answer `y`, or give --yes")
}
