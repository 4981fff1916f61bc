//! `weft watch` and `weft events`: what there is, and then what happens to it, until the person or the node ends it.

use serde_json::{Value, json};

use super::{
    changes,
    client::{Call, Client, path},
    failure::{Exit, Failure},
    interrupt, look,
    output::{Output, print, short, text},
    show,
    visible::in_line,
};
use crate::config::Config;

/// What is watched.
#[derive(Debug, PartialEq, Eq)]
enum Subject {
    Node,
    Space(String),
    Object { space: String, object: String },
}

/// Prints the state of the node, a space or an object, and then follows it.
pub(crate) fn watch(config: &Config, asked: Option<&str>, within: Option<&str>, output: Output) -> Result<(), Failure> {
    let client = Client::of_running(config)?;
    interrupt::leaves_with(|| Exit::Done)?;
    match asked {
        None => with_state(&client, &Subject::Node, output),
        Some(asked) => match subject(&client, asked, within)? {
            Subject::Object { space, object } => of_object(&client, &space, &object, output),
            subject => with_state(&client, &subject, output),
        },
    }
}

/// Follows what happens, without looking at what there is first.
pub(crate) fn events(config: &Config, space: Option<&str>, output: Output) -> Result<(), Failure> {
    let client = Client::of_running(config)?;
    interrupt::leaves_with(|| Exit::Done)?;
    let events = client.follow(Call::get(path(&["events"], &[("space", space)])))?;
    print_all(events, output)
}

/// What a name means: a space or an object, of which there has to be one.
fn subject(client: &Client, asked: &str, within: Option<&str>) -> Result<Subject, Failure> {
    let space = match within {
        Some(_) => None,
        None => found(client.ask(Call::get(path(&["spaces", asked], &[]))))?,
    };
    let object = found(client.ask(Call::get(path(&["objects", asked], &[("space", within)]))))?;
    match (space, object) {
        (Some(space), None) => Ok(Subject::Space(text(&space, "space"))),
        (None, Some(object)) => Ok(Subject::Object { space: text(&object, "space"), object: text(&object, "object") }),
        (Some(space), Some(object)) => Err(Failure::usage(
            "ambiguous_name",
            format!("`{asked}` is a space and an object"),
            format!("name one of them by its id: {} or {}", text(&space, "space"), text(&object, "object")),
        )),
        (None, None) => Err(Failure::new(
            Exit::NotFound,
            "unknown_name",
            format!("there is neither a space nor an object `{asked}` here"),
            "`weft space list` and `weft object list SPACE` list what there is",
        )),
    }
}

/// That something is not there is an answer.
fn found(answer: Result<Value, Failure>) -> Result<Option<Value>, Failure> {
    match answer {
        Err(failure) if failure.exit == Exit::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

/// The node or a space: its state, and then every event.
fn with_state(client: &Client, subject: &Subject, output: Output) -> Result<(), Failure> {
    let (space, state): (_, fn(&Value) -> String) = match subject {
        Subject::Space(space) => (Some(space.as_str()), show::space),
        _ => (None, show::status),
    };
    // Listening comes first, so that nothing falls between the state and the events.
    let events = client.follow(Call::get(path(&["events"], &[("space", space)])))?;
    let now = client.ask(Call::get(match space {
        Some(space) => path(&["spaces", space], &[]),
        None => path(&["status"], &[]),
    }))?;
    if output.json {
        output.say(&json!({"event": "state", "space": space, "value": now}), show::nothing)?;
    } else {
        print(&(state(&now) + "\n"))?;
    }
    print_all(events, output)
}

/// An object: its state, and then what changes of it.
fn of_object(client: &Client, space: &str, object: &str, output: Output) -> Result<(), Failure> {
    let query = [("space", Some(space)), ("object", Some(object)), ("events", Some("object_changed"))];
    let events = client.follow(Call::get(path(&["events"], &query)))?;
    let look = || found(client.ask(Call::get(path(&["objects", object], &[("space", Some(space))]))));
    let told = |event: &str, value: &Value| json!({"event": event, "space": space, "object": object, "value": value});
    let Some(mut seen) = look()? else { return gone(output, &told("object_deleted", &Value::Null)) };
    output.say(&told("state", &seen), |_| show::object(&seen))?;
    for event in events {
        let event = event?;
        // Several events are answered by one look; the others find nothing new.
        let Some(now) = look()? else { return gone(output, &told("object_deleted", &Value::Null)) };
        if now == seen {
            continue;
        }
        output.say(&told("object_changed", &now), |_| {
            let changes = changes::of_object(look::stdout(), &seen, &now);
            format!("{} {}\n{changes}", text(&event, "time"), in_line(&name_of(&now)))
        })?;
        seen = now;
    }
    Err(node_stopped())
}

fn gone(output: Output, told: &Value) -> Result<(), Failure> {
    output.say(told, |_| "the object is deleted\n".to_owned())
}

fn name_of(object: &Value) -> String {
    match object.get("properties").and_then(|properties| properties.get("name")).and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None => short(&text(object, "object")).to_owned(),
    }
}

fn print_all(events: impl Iterator<Item = Result<Value, Failure>>, output: Output) -> Result<(), Failure> {
    for event in events {
        output.say(&event?, event_line)?;
    }
    Err(node_stopped())
}

/// The stream ended as streams do when the node stops in order.
pub(crate) fn node_stopped() -> Failure {
    Failure::new(
        Exit::Failed,
        "node_stopped",
        "the node stopped, so there is nothing to follow any more",
        "start it again with `weft up`",
    )
}

fn event_line(event: &Value) -> String {
    let mut line = format!("{} {}", text(event, "time"), text(event, "event"));
    if let Value::Object(fields) = event {
        for (key, value) in fields.iter().filter(|(key, _)| !matches!(key.as_str(), "time" | "event")) {
            let value = match (key.as_str(), value.as_str()) {
                // Peer ids begin alike: their end is what names them.
                ("peer", Some(id)) => show::last_eight(id).to_owned(),
                ("reason", Some(reason)) => reason.to_owned(),
                (_, Some(id)) => short(id).to_owned(),
                (_, None) => value.to_string(),
            };
            line += &format!(" {key}={}", in_line(&value));
        }
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_what_can_be_named_again() {
        let event = json!({
            "event": "peer_holds", "time": "2026-11-20T18:00:00.000Z", "length": 3,
            "peer": "12D3KooWAbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIj", "space": "abcdefghijklmnopqrstuvwxyz",
        });
        let line = event_line(&event);
        assert_eq!(line, "2026-11-20T18:00:00.000Z peer_holds length=3 peer=CdEfGhIj space=abcdefghijkl\n");
    }
}
