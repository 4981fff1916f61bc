//! What goes with a space is said before it goes: leaving, deleting, and taking in again what was hidden.

use serde_json::{Value, json};

use super::{
    args::Sure,
    client::{Call, Client, path},
    failure::{Exit, Failure},
    output::{Output, counted, list, short, text},
    sure,
    table::table,
    visible::in_line,
};

/// Leaves a space, once its member is sure.
pub(crate) fn leave(client: &Client, space: &str, sure: &Sure, output: Output) -> Result<(), Failure> {
    let call = |space: &str, dry_run: bool| {
        Call::post(path(&["spaces", space, "leave"], &[("dry_run", dry_run.then_some("true"))]))
    };
    let would = client.ask(call(space, true))?;
    if sure.dry_run {
        return output.say(&would, |would| format!("would leave {}\n{}", name_of(would), leaving(would)));
    }
    if !sure.yes {
        let question = format!("{}Leave {} for good?", leaving(&would), name_of(&would));
        sure::require(output, &question, "nothing was changed")?;
    }
    output.confirm(&client.ask(call(&text(&would, "space"), false))?, left)
}

fn leaving(left: &Value) -> String {
    let others = match left.get("others").and_then(Value::as_u64) {
        Some(1) => "1 other member stays".to_owned(),
        others => format!("{} other members stay", others.unwrap_or(0)),
    };
    let administer: Vec<&str> = list(left, "administer").iter().filter_map(Value::as_str).collect();
    let administer = match administer[..] {
        [] => "nobody who administers it".to_owned(),
        _ => format!("{} to administer it", in_line(&administer.join(", "))),
    };
    format!(
        "  what is here stays here and can be read; nothing more comes, and nothing can be written\n  {others}, with {administer}\n  \
         this device cannot come back: who is invited again joins with another one\n"
    )
}

fn left(left: &Value) -> String {
    let space = short(&text(left, "space")).to_owned();
    format!("left {}; `weft space delete {space}` takes it off this device\n", name_of(left))
}

/// Deletes a space from this device. Who is still a member has to say so.
pub(crate) fn delete(client: &Client, space: &str, sure: &Sure, output: Output) -> Result<(), Failure> {
    let call =
        |space: &str, dry_run: bool| Call::delete(path(&["spaces", space], &[("dry_run", dry_run.then_some("true"))]));
    let would = client.ask(call(space, true))?;
    if sure.dry_run {
        return output
            .say(&would, |would| format!("would delete {} from this device\n{}", name_of(would), losing(would)));
    }
    if !sure.yes {
        let question = format!("{}Delete {} from this device?", losing(&would), name_of(&would));
        let member = would.get("role").is_some_and(Value::is_string);
        if member && !sure::can_ask(output) {
            let what = format!("nothing was deleted: this identity is {} there", text(&would, "role"));
            return Err(Failure::new(Exit::Refused, "not_confirmed", what, "give --yes to delete it all the same"));
        }
        sure::require(output, &question, "nothing was deleted")?;
    }
    output.confirm(&client.ask(call(&text(&would, "space"), false))?, |deleted| {
        format!("deleted {} from this device\n", name_of(deleted))
    })
}

fn losing(deleted: &Value) -> String {
    let devices =
        counted(deleted, "others", "other device of a member keeps its own", "other devices of members keep their own");
    let mut shown = match deleted.get("others").and_then(Value::as_u64) {
        Some(0) => "  no other device has it: all that is in it is gone then\n".to_owned(),
        _ => format!("  {devices}\n"),
    };
    let is = |key: &str| deleted.get(key) == Some(&Value::Bool(true));
    if deleted.get("role").is_some_and(Value::is_string) {
        if text(deleted, "others") != "0" && !is("level") {
            shown += "  it is not level: what was written here and nobody else has got yet is gone then\n";
        }
        shown += &format!("  this identity stays its {}: `weft space leave` tells the others\n", text(deleted, "role"));
    }
    shown
}

fn name_of(space: &Value) -> String {
    match space.get("name").and_then(Value::as_str) {
        Some(name) => format!("`{}`", in_line(name)),
        None => short(&text(space, "space")).to_owned(),
    }
}

/// What is held and does not count, and by which change.
pub(crate) fn quarantine(answer: &Value) -> String {
    let quarantined = list(answer, "quarantined");
    if quarantined.is_empty() {
        return "nothing is in quarantine\n".to_owned();
    }
    let row = |feed: &Value| {
        vec![
            feed.get("space_name").and_then(Value::as_str).unwrap_or(short(&text(feed, "space"))).to_owned(),
            author_of(feed),
            text(feed, "purpose"),
            format!("{} from {}", counted(feed, "entries", "entry", "entries"), text(feed, "from")),
            text(feed, "bytes"),
        ]
    };
    let rows: Vec<Vec<String>> = quarantined.iter().map(row).collect();
    let mut shown = table(&["SPACE", "NAME", "PURPOSE", "HIDDEN", "BYTES"], &rows);
    let mut told: Vec<(String, String)> = Vec::new();
    for feed in quarantined {
        for act in list(feed, "acts") {
            let of = (text(feed, "identity"), text(act, "act"));
            if told.contains(&of) {
                continue;
            }
            told.push(of);
            let kind = match text(act, "kind").as_str() {
                "member_removed" => "was removed",
                "role_changed" => "got a lower role",
                "device_removed" => "had a device removed",
                _ => "had a feed closed",
            };
            let by = match act.get("by_name").and_then(Value::as_str) {
                Some(name) => name.to_owned(),
                None => short(&text(act, "by")).to_owned(),
            };
            shown += &format!(
                "  {} {kind} by {} (change {})\n    to take it in again: weft space readmit {} {}\n",
                in_line(&author_of(feed)),
                in_line(&by),
                short(&text(act, "act")),
                short(&text(feed, "space")),
                short(&text(feed, "identity")),
            );
        }
        if feed.get("full") == Some(&Value::Bool(true)) {
            shown += &format!("  of {} more was offered than is taken\n", in_line(&author_of(feed)));
        }
    }
    shown
}

fn author_of(feed: &Value) -> String {
    match feed.get("name").and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None => short(&text(feed, "identity")).to_owned(),
    }
}

/// Takes in again what is held of somebody.
pub(crate) fn readmit(
    client: &Client,
    (space, author, act): (&str, &str, Option<&str>),
    sure: &Sure,
    output: Output,
) -> Result<(), Failure> {
    if sure.dry_run || !sure.yes {
        let held = client.ask(Call::get(path(&["quarantine"], &[("space", Some(space))])))?;
        if sure.dry_run {
            return output.say(&held, quarantine);
        }
        let question = format!("{}Let it count, for every member?", quarantine(&held));
        sure::require(output, &question, "nothing was changed")?;
    }
    let call = Call::post_json(path(&["spaces", space, "readmissions"], &[]), json!({"author": author, "act": act}));
    output.confirm(&client.ask(call)?, |done| {
        format!("{} of {} count again\n", counted(done, "entries", "entry", "entries"), author_of(done))
    })
}

/// What newcomers can read.
pub(crate) fn policy(answer: &Value) -> String {
    match super::text(answer, "history") {
        "all" => "newcomers read all that was written before they came\n".to_owned(),
        _ => "newcomers read what is written from their coming on\n".to_owned(),
    }
}

/// A space that got another name.
pub(crate) fn renamed(answer: &Value) -> String {
    format!("{} is called `{}` now\n", short(&text(answer, "space")), in_line(&text(answer, "name")))
}
