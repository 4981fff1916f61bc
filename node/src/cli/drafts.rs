//! Drafts on the command line: what was kept instead of made, and what waits.

use serde_json::Value;

use super::{
    client::{Call, Client, path},
    failure::{Exit, Failure},
    output::{Output, list as items, text},
    table::table,
    visible::{in_line, visible},
};

/// Whether the answer says that a change waits.
pub(crate) fn is_kept(answer: &Value) -> bool {
    answer.get("waits_for").is_some()
}

/// That a change waits.
pub(crate) fn kept(answer: &Value) -> String {
    let numbers: Vec<String> = items(answer, "drafts").iter().map(Value::to_string).collect();
    let noun = if numbers.len() == 1 { "draft" } else { "drafts" };
    let space = text(answer, "space");
    format!(
        "kept as {noun} {}: waits for {}\n`weft draft list {}` shows what waits\n",
        numbers.join(", "),
        text(answer, "waits_for"),
        super::output::short(&space)
    )
}

/// Refuses what is not to be kept as drafts, while nothing can be written in the space.
pub(crate) fn require_none_needed(client: &Client, space: &str) -> Result<(), Failure> {
    let drafts = client.ask(Call::get(path(&["spaces", space, "drafts"], &[])))?;
    if drafts.get("ends_known") == Some(&Value::Bool(false)) {
        return Err(Failure::new(
            Exit::Refused,
            "end_unknown",
            "this device does not know yet how far its own feeds went, and files are not kept as drafts",
            "connect to another member of the space, then try again; `weft status` says when it is known",
        ));
    }
    Ok(())
}

/// What waits in a space.
pub(crate) fn list(answer: &Value) -> String {
    let row = |draft: &Value| {
        let change = draft.get("change").cloned().unwrap_or_default();
        let state = match draft.get("refused").filter(|refused| refused.is_object()) {
            Some(refused) => text(refused, "message"),
            None => "waits".to_owned(),
        };
        let object = change.get("object").and_then(Value::as_str).unwrap_or("-");
        let object = super::output::short(object).to_owned();
        vec![text(draft, "draft"), text(&change, "kind"), object, text(draft, "kept"), in_line(&state).into_owned()]
    };
    table(&["DRAFT", "CHANGE", "OBJECT", "KEPT", "STATE"], &items(answer, "drafts").iter().map(row).collect::<Vec<_>>())
}

/// That a draft is gone.
pub(crate) fn dropped(answer: &Value) -> String {
    format!("draft {} is dropped\n", text(answer, "dropped"))
}

/// Shows one draft: what it changes.
pub(crate) fn show(client: &Client, space: &str, draft: u64, output: Output) -> Result<(), Failure> {
    let all = client.ask(Call::get(path(&["spaces", space, "drafts"], &[])))?;
    let found = items(&all, "drafts").iter().find(|one| one.get("draft") == Some(&Value::from(draft)));
    let found = found.ok_or_else(|| {
        let message = format!("there is no draft {draft} in this space");
        Failure::new(Exit::NotFound, "unknown_draft", message, "`weft draft list SPACE` lists them")
    })?;
    output.say(found, |found| {
        let change = found.get("change").cloned().unwrap_or_default();
        visible(&serde_json::to_string_pretty(&change).unwrap_or_default()).into_owned() + "\n"
    })
}
