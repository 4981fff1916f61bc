//! Which request a command makes, and how its answer is shown.

use std::io::Read;

use serde_json::{Value, json};

use super::{
    args::{
        self, Command, ConfigCommand, Draft, Feed, Invitation, Invite, Newcomer, Object, Record, Space, Text, Wait,
        Which,
    },
    client::{Call, path},
    contact, drafts,
    failure::{Exit, Failure},
    member, object, show, space,
};

/// The most that is read of a file given as an argument, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// A command, ready to be carried out.
pub(crate) struct Plan {
    /// The request.
    pub(crate) call: Call,
    /// How a person reads the answer.
    pub(crate) show: fn(&Value) -> String,
    /// Whether the answer only says that it was done.
    pub(crate) confirms: bool,
}

/// A request, and how its answer is shown.
type Asking = (Call, fn(&Value) -> String);

/// The plan of a command that is one request.
pub(crate) fn of(command: Command) -> Result<Plan, Failure> {
    let confirms = confirms(&command);
    let (call, show): Asking = match command {
        Command::Status { .. } => (Call::get(path(&["status"], &[])), show::status),
        Command::Space(Space::Create { name }) => {
            (Call::post_json(path(&["spaces"], &[]), json!({"name": name})), show::space_created)
        }
        Command::Space(Space::List) => (Call::get(path(&["spaces"], &[])), show::spaces),
        Command::Space(Space::Rename { space, name }) => {
            (Call::patch_json(path(&["spaces", &space], &[]), json!({"name": name})), space::renamed)
        }
        Command::Space(Space::Policy { space, set }) => {
            let at = path(&["spaces", &space, "policy"], &[]);
            let call = match set {
                Some(history) => Call::patch_json(at, json!({"history": history.replace('-', "_")})),
                None => Call::get(at),
            };
            (call, space::policy)
        }
        Command::Space(Space::Quarantine { space }) => {
            (Call::get(path(&["quarantine"], &[("space", space.as_deref())])), space::quarantine)
        }
        Command::Space(Space::Readmit { .. } | Space::Leave { .. } | Space::Delete { .. }) => {
            unreachable!("what goes is asked about first")
        }
        Command::Space(Space::Show { space }) => (Call::get(path(&["spaces", &space], &[])), show::space),
        Command::Space(Space::Members { space }) => {
            (Call::get(path(&["spaces", &space, "members"], &[])), member::members)
        }
        Command::Invite(Invite { space, role, expires, uses, approve }) => {
            let expires_ms = expires.as_millis() as u64;
            let new = json!({"role": role, "expires_ms": expires_ms, "uses": uses, "approve": approve});
            (Call::post_json(path(&["spaces", &space, "invitations"], &[]), new), show::invited)
        }
        Command::Invitation(command) => of_invitation(command),
        Command::Contact(command) => contact::of_contact(command),
        Command::Profile { command } => contact::of_profile(command.unwrap_or(args::Profile::Show)),
        Command::Object(command) => of_object(command)?,
        Command::Text(command) => of_text(command)?,
        Command::Record(command) => of_record(command)?,
        Command::Draft(Draft::List { space }) => (Call::get(path(&["spaces", &space, "drafts"], &[])), drafts::list),
        Command::Draft(Draft::Drop { space, draft }) => {
            (Call::delete(path(&["spaces", &space, "drafts", &draft.to_string()], &[])), drafts::dropped)
        }
        Command::Draft(Draft::Show { .. }) => unreachable!("one of a list is looked for"),
        Command::Wait(Wait { space, with, timeout }) => {
            let timeout = timeout.as_millis().to_string();
            let query = [("with", with.as_deref()), ("timeout_ms", Some(&*timeout))];
            (Call::get(path(&["spaces", &space, "wait"], &query)), show::level)
        }
        Command::Feed(Feed::List { space }) => (Call::get(path(&["spaces", &space, "feeds"], &[])), show::feeds),
        Command::Feed(Feed::Show { feed, space, from, count }) => {
            let (from, count) = (from.map(|from| from.to_string()), count.to_string());
            let query = [("space", space.as_deref()), ("from", from.as_deref()), ("count", Some(&*count))];
            (Call::get(path(&["feeds", &feed], &query)), show::feed)
        }
        Command::Verify { space } => (Call::post(path(&["verify"], &[("space", space.as_deref())])), show::verified),
        Command::Rebuild { space, .. } => {
            (Call::post(path(&["rebuild"], &[("space", space.as_deref())])), show::rebuilt)
        }
        Command::Config(ConfigCommand::Show) => (Call::get(path(&["config"], &[])), show::config),
        Command::Init { .. }
        | Command::Up(_)
        | Command::Down
        | Command::Open { .. }
        | Command::Join(_)
        | Command::Member(_)
        | Command::Import(_)
        | Command::Export(_)
        | Command::Events { .. }
        | Command::Watch { .. }
        | Command::Log { .. }
        | Command::Demo { .. }
        | Command::Api { .. }
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Identity(_)
        | Command::Device(_)
        | Command::Version => unreachable!("these commands are more than one request"),
    };
    Ok(Plan { call, show, confirms })
}

/// Whether the answer of a command only says that it was done.
fn confirms(command: &Command) -> bool {
    matches!(
        command,
        Command::Wait(_)
            | Command::Verify { .. }
            | Command::Rebuild { .. }
            | Command::Draft(Draft::Drop { .. })
            | Command::Object(Object::Set { .. })
            | Command::Space(Space::Rename { .. })
            | Command::Profile { command: Some(args::Profile::Set { .. }) }
            | Command::Contact(args::Contact::Name { .. } | args::Contact::Forget { .. })
            | Command::Invitation(Invitation::Revoke { .. } | Invitation::Approve(_) | Invitation::Deny(_))
    )
}

fn of_invitation(command: Invitation) -> Asking {
    let decide = |which: Newcomer, approve: bool| {
        let Newcomer { invitation, newcomer, space } = which;
        let query = [("space", space.as_deref())];
        let path = path(&["invitations", &invitation, "newcomers", &newcomer], &query);
        Call::post_json(path, json!({"approve": approve}))
    };
    match command {
        Invitation::List { space, all } => {
            let query = [("space", space.as_deref()), ("all", all.then_some("true"))];
            (Call::get(path(&["invitations"], &query)), show::invitations)
        }
        Invitation::Revoke { invitation, space } => {
            let query = [("space", space.as_deref())];
            (Call::delete(path(&["invitations", &invitation], &query)), show::revoked)
        }
        Invitation::Approve(which) => (decide(which, true), show::decided),
        Invitation::Deny(which) => (decide(which, false), show::decided),
    }
}

fn of_object(command: Object) -> Result<Asking, Failure> {
    Ok(match command {
        Object::Create { space, type_name, properties } => {
            let object::Properties { registers, body } = object::properties(&properties)?;
            let new = json!({"type": type_name, "properties": registers, "text": body});
            (Call::post_json(path(&["spaces", &space, "objects"], &[]), new), show::object_id)
        }
        Object::List { space, type_name, all } => {
            let query = [("type", type_name.as_deref()), ("all", all.then_some("true"))];
            (Call::get(path(&["spaces", &space, "objects"], &query)), show::objects)
        }
        Object::Get { object } => (Call::get(object_path(&object, &[])), show::object),
        Object::Set { object, properties, unset } => {
            if properties.is_empty() && unset.is_empty() {
                return Err(Failure::usage(
                    "nothing_to_set",
                    "there is nothing to set",
                    "name a property: KEY=text, KEY:=json or KEY=@file, or take one away with --unset KEY",
                ));
            }
            let object::Properties { registers, body } = object::properties(&properties)?;
            let change = json!({"properties": registers, "unset": unset, "text": body});
            (Call::patch_json(object_path(&object, &[]), change), show::object_id)
        }
        Object::Delete { .. } => unreachable!("deleting is more than one request"),
    })
}

fn of_text(command: Text) -> Result<Asking, Failure> {
    Ok(match command {
        Text::Show { object } => (Call::get(object_path(&object, &["text"])), show::exact_text),
        Text::Insert { object, position, text, file } => {
            let text = match file {
                Some(file) => read_text(&file.to_string_lossy())?,
                None if text.as_deref() == Some("-") => standard_input()?,
                None => text.unwrap_or_default(),
            };
            let operations = json!({"operations": [{"position": position, "insert": text}]});
            (Call::post_json(object_path(&object, &["text"]), operations), show::nothing)
        }
        Text::Edit { .. } => unreachable!("editing is more than one request"),
        Text::Delete { object, position, count } => {
            let operations = json!({"operations": [{"position": position, "delete": count}]});
            (Call::post_json(object_path(&object, &["text"]), operations), show::nothing)
        }
    })
}

fn of_record(command: Record) -> Result<Asking, Failure> {
    Ok(match command {
        Record::Append { space, record } => {
            let bytes = match record.strip_prefix('@') {
                Some(file) => read(file)?,
                None if record == "-" => read("-")?,
                None => record.into_bytes(),
            };
            (Call::post_bytes(path(&["spaces", &space, "records"], &[]), bytes), show::appended)
        }
        Record::List { space, feed, from, count } => {
            let (from, count) = (from.to_string(), count.to_string());
            let query = [("feed", feed.as_deref()), ("from", Some(&*from)), ("count", Some(&*count))];
            (Call::get(path(&["spaces", &space, "records"], &query)), show::records)
        }
    })
}

fn object_path(which: &Which, below: &[&str]) -> String {
    let mut parts = vec!["objects", &which.object];
    parts.extend(below);
    path(&parts, &[("space", which.space.as_deref())])
}

/// A file as a whole; `-` is standard input.
pub(crate) fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if file == "-" {
        std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    match read {
        Err(error) => Err(unreadable(file, &error)),
        Ok(length) if length as u64 > FILE_BYTES_MAX => Err(Failure::new(
            Exit::Refused,
            "too_large",
            format!("`{file}` is larger than 64 MiB"),
            "an entry holds at most 1 MiB; larger content needs to be split",
        )),
        Ok(_) => Ok(bytes),
    }
}

/// A file that could not be read.
pub(crate) fn unreadable(file: &str, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
    Failure::new(
        exit,
        "unreadable_file",
        format!("`{file}` cannot be read: {error}"),
        "look at its path and its rights",
    )
}

/// A file of text.
pub(crate) fn read_text(file: &str) -> Result<String, Failure> {
    String::from_utf8(read(file)?).map_err(|_| {
        Failure::usage("not_text", format!("`{file}` is not UTF-8 text"), "bytes that are no text can be a record")
    })
}

pub(crate) fn standard_input() -> Result<String, Failure> {
    read_text("-")
}
