//! `weft contact` and `weft profile` in words.

use serde_json::{Value, json};

use super::{
    args::{Contact, Profile},
    client::{Call, path},
    output::{list, short, text},
    table::table,
    visible::in_line,
};

type Asking = (Call, fn(&Value) -> String);

/// The request of a command about contacts.
pub(crate) fn of_contact(command: Contact) -> Asking {
    let at = |person: &str| path(&["contacts", person], &[]);
    match command {
        Contact::List => (Call::get(path(&["contacts"], &[])), contacts),
        Contact::Name { person, petname } => (Call::patch_json(at(&person), json!({"petname": petname})), named),
        Contact::Verify { person, verified: false, unverified: false } => (Call::get(at(&person)), number),
        Contact::Verify { person, verified, .. } => {
            (Call::patch_json(at(&person), json!({"verified": verified})), verification)
        }
        Contact::Forget { person } => (Call::delete(at(&person)), forgotten),
    }
}

/// The request of a command about the own profile.
pub(crate) fn of_profile(command: Profile) -> Asking {
    let profile = path(&["profile"], &[]);
    match command {
        Profile::Show => (Call::get(profile), |answer| format!("{}\n", in_line(&text(answer, "name")))),
        Profile::Set { name } => (Call::patch_json(profile, json!({"name": name})), renamed),
    }
}

/// What to call somebody.
fn called(contact: &Value) -> String {
    let said = list(contact, "names").first().and_then(Value::as_str);
    match contact.get("petname").and_then(Value::as_str).or(said) {
        Some(name) => format!("`{}`", in_line(name)),
        None => short(&text(contact, "identity")).to_owned(),
    }
}

fn names(contact: &Value) -> String {
    let names: Vec<&str> = list(contact, "names").iter().filter_map(Value::as_str).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn contacts(answer: &Value) -> String {
    let contacts = list(answer, "contacts");
    if contacts.is_empty() {
        return "no contacts; `weft contact name MEMBER NAME` gives somebody a name\n".to_owned();
    }
    let row = |contact: &Value| {
        vec![
            short(&text(contact, "identity")).to_owned(),
            text(contact, "petname"),
            names(contact),
            list(contact, "spaces").len().to_string(),
            text(contact, "verified"),
        ]
    };
    let rows: Vec<Vec<String>> = contacts.iter().map(row).collect();
    table(&["IDENTITY", "NAME", "CALLS ITSELF", "SPACES", "VERIFIED"], &rows)
}

fn named(contact: &Value) -> String {
    format!(
        "{} is {} to you; it calls itself {}\n",
        short(&text(contact, "identity")),
        called(contact),
        in_line(&names(contact))
    )
}

fn number(contact: &Value) -> String {
    let digits = text(contact, "safety_number");
    let groups: Vec<&str> = digits.split(' ').collect();
    let lines: Vec<String> = groups.chunks(4).map(|groups| format!("    {}\n", groups.join(" "))).collect();
    let identity = short(&text(contact, "identity")).to_owned();
    let then = match contact.get("verified").and_then(Value::as_str) {
        Some(at) => format!("you said at {at} that it is the same\n"),
        None => format!("if it is the same: weft contact verify {identity} --verified\n"),
    };
    format!(
        "the safety number of you and {}; read it to one another, by telephone or side by side:\n\n{}\n{then}",
        called(contact),
        lines.concat(),
    )
}

fn verification(contact: &Value) -> String {
    match contact.get("verified").and_then(Value::as_str) {
        Some(_) => format!("{} is who you take it for; lists show it by ✓\n", called(contact)),
        None => format!("you have not made sure of {}\n", called(contact)),
    }
}

fn forgotten(contact: &Value) -> String {
    format!("nothing is kept of {} any more\n", short(&text(contact, "identity")))
}

fn renamed(answer: &Value) -> String {
    let spaces = match list(answer, "spaces").len() {
        1 => "1 space".to_owned(),
        spaces => format!("{spaces} spaces"),
    };
    let mut shown = format!("you are `{}` now, said in {spaces}\n", in_line(&text(answer, "name")));
    for not in list(answer, "not_said") {
        shown += &format!("  not in {}: {}\n", short(&text(not, "space")), in_line(&text(not, "reason")));
    }
    shown
}
