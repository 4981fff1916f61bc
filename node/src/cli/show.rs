//! Answers of the API in words, for people.

use std::io::{self, IsTerminal};

use serde_json::Value;

use super::{
    output::{counted, list, short, text},
    table::table,
    visible::{in_line, visible},
};

/// Nothing: that there is no error says it all.
pub(crate) fn nothing(_: &Value) -> String {
    String::new()
}

/// The version.
pub(crate) fn version(answer: &Value) -> String {
    format!("weft {}\n", text(answer, "version"))
}

/// What the node is, whom it is connected to, and why it is not in sync.
pub(crate) fn status(answer: &Value) -> String {
    let mut shown = String::new();
    let mut line = |name: &str, value: &str| shown += &format!("{name:<9} {}\n", in_line(value));
    line("peer id", &text(answer, "peer_id"));
    line("identity", &text(answer, "identity"));
    if answer.get("name").is_some_and(Value::is_string) {
        line("name", &text(answer, "name"));
    }
    if answer.get("running") != Some(&Value::Bool(true)) {
        line("node", "not running; start it with `weft up`");
    }
    for address in list(answer, "listen") {
        line("listens", address.as_str().unwrap_or_default());
    }
    if answer.get("keys").is_some_and(|keys| text(keys, "protection") == "passphrase") {
        line("keys", "under a passphrase; `weft identity passphrase` changes it");
    }
    for note in list(answer, "notes") {
        line("note", &format!("{}: {}", text(note, "note"), text(note, "command")));
    }
    let rows: Vec<Vec<String>> = list(answer, "peers")
        .iter()
        .map(|peer| vec![text(peer, "peer_id"), peer_name(peer), list(peer, "spaces").len().to_string()])
        .collect();
    if !rows.is_empty() {
        shown += "\n";
        shown += &table(&["PEER", "NAME", "SPACES"], &rows);
    }
    if !list(answer, "spaces").is_empty() {
        shown += "\n";
        shown += &spaces(answer);
    }
    shown
}

/// What a peer is called: a device of one's own by what it is called among them.
fn peer_name(peer: &Value) -> String {
    match peer.get("device_name").and_then(Value::as_str) {
        Some(device) => format!("{device} (yours)"),
        None => text(peer, "name"),
    }
}

/// Spaces as a table, and below it what each waits for.
pub(crate) fn spaces(answer: &Value) -> String {
    let spaces = list(answer, "spaces");
    let row = |space: &Value| {
        vec![
            short(&text(space, "space")).to_owned(),
            name_of(space),
            text(space, "role"),
            text(space, "members"),
            sync_word(space).to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = spaces.iter().map(row).collect();
    if rows.is_empty() {
        return "no spaces yet; `weft space create NAME` makes one, `weft join LINK` joins one\n".to_owned();
    }
    let mut shown = table(&["SPACE", "NAME", "ROLE", "MEMBERS", "SYNC"], &rows);
    for space in spaces {
        shown += &reasons(space);
    }
    shown
}

/// What a space is called, or said to be called.
fn name_of(space: &Value) -> String {
    match space.get("said_name").and_then(Value::as_str) {
        Some(said) => format!("\"{said}\", says the link"),
        None => text(space, "name"),
    }
}

fn sync_word(space: &Value) -> &'static str {
    match space.get("gone").and_then(Value::as_str) {
        Some("left") => return "left",
        Some(_) => return "removed",
        None => {}
    }
    let level = space.get("level") == Some(&Value::Bool(true));
    match (level, list(space, "connected").is_empty()) {
        (true, _) => "level",
        (false, true) if space.get("members").and_then(Value::as_u64) == Some(1) => "alone",
        (false, true) => "nobody connected",
        (false, false) => "syncing",
    }
}

/// Why a space is not in sync.
fn reasons(space: &Value) -> String {
    let mut shown = String::new();
    if space.get("newcomers").and_then(Value::as_u64).is_some_and(|newcomers| newcomers > 0) {
        let waits = counted(space, "newcomers", "newcomer waits", "newcomers wait");
        shown += &format!("  {waits} to be let in: `weft invitation list` shows who\n");
    }
    let proposals = space.get("proposals").and_then(Value::as_u64).unwrap_or(0);
    if proposals > 0 && !space.get("gone").is_some_and(Value::is_string) {
        let wait = counted(space, "proposals", "change of members is proposed", "changes of members are proposed");
        shown += &format!("  {wait}: `weft member list {}` shows it\n", short(&text(space, "space")));
    }
    if let Some(gone) = space.get("gone").and_then(Value::as_str) {
        let what = if gone == "left" { "you left" } else { "you were removed from" };
        let name = match name_of(space) {
            name if name == "-" => "this space".to_owned(),
            name => name,
        };
        shown += &format!(
            "  {what} {}: it can be read; `weft space delete {}` takes it off this device\n",
            in_line(&name),
            short(&text(space, "space")),
        );
    }
    if space.get("write_stop").is_some_and(Value::is_string) {
        shown += &format!("  nothing can be written: {}\n", in_line(&text(space, "write_stop")));
    }
    for waiting in list(space, "waiting") {
        let from = match waiting.get("from").and_then(Value::as_str) {
            Some(peer) => format!(" from {}", last_eight(peer)),
            None => String::new(),
        };
        let name = match name_of(space) {
            name if name == "-" => short(&text(space, "space")).to_owned(),
            name => name,
        };
        shown += &format!(
            "  {} waits for {}{from} since {}\n    because: {}\n    to do:   {}\n",
            in_line(&name),
            in_line(&text(waiting, "what")),
            in_line(&text(waiting, "since")),
            in_line(&text(waiting, "rule")),
            in_line(&text(waiting, "remedy")),
        );
    }
    shown
}

/// The end of a peer id, which names it: they all begin alike.
pub(crate) fn last_eight(peer: &str) -> &str {
    peer.get(peer.len().saturating_sub(8)..).unwrap_or(peer)
}

/// A space that was made.
pub(crate) fn space_created(answer: &Value) -> String {
    format!("{}\n", text(answer, "space"))
}

/// A space and what it waits for.
pub(crate) fn space(answer: &Value) -> String {
    let mut shown = String::new();
    let mut line = |name: &str, value: &str| shown += &format!("{name:<9} {}\n", in_line(value));
    line("space", &text(answer, "space"));
    line("name", &name_of(answer));
    line("role", &text(answer, "role"));
    line("members", &text(answer, "members"));
    shown += &format!("{:<9} {}\n", "sync", sync_word(answer));
    for pair in list(answer, "connected") {
        let level = if pair.get("level") == Some(&Value::Bool(true)) { "level" } else { "syncing" };
        shown += &format!("{:<9} {} {} ({level})\n", "connected", text(pair, "peer_id"), in_line(&text(pair, "name")));
    }
    shown + &reasons(answer)
}

/// A link.
pub(crate) fn invited(answer: &Value) -> String {
    format!("{}\n", text(answer, "link"))
}

/// Invitations as a table, and below it who waits.
pub(crate) fn invitations(answer: &Value) -> String {
    let invitations = list(answer, "invitations");
    if invitations.is_empty() {
        return "nobody can join by a link; `weft invite SPACE` makes one\n".to_owned();
    }
    let row = |invitation: &Value| {
        let issuer = match invitation.get("issuer_name").and_then(Value::as_str) {
            Some(name) => name.to_owned(),
            None => short(&text(invitation, "issuer")).to_owned(),
        };
        vec![
            short(&text(invitation, "invitation")).to_owned(),
            match invitation.get("space_name").and_then(Value::as_str) {
                Some(name) => name.to_owned(),
                None => short(&text(invitation, "space")).to_owned(),
            },
            text(invitation, "role"),
            format!("{} of {}", text(invitation, "used"), text(invitation, "uses")),
            text(invitation, "expires"),
            issuer,
            state_of(invitation),
        ]
    };
    let rows: Vec<Vec<String>> = invitations.iter().map(row).collect();
    let mut shown = table(&["INVITATION", "SPACE", "ROLE", "USED", "EXPIRES", "ISSUER", "STATE"], &rows);
    for invitation in invitations {
        let id = text(invitation, "invitation");
        for newcomer in list(invitation, "waiting") {
            let identity = text(newcomer, "identity");
            shown += &format!(
                "  {} waits since {}; its digits are {}\n    to do:   weft invitation approve {} {}, or deny\n",
                short(&identity),
                in_line(&text(newcomer, "since")),
                in_line(&text(newcomer, "digits")),
                short(&id),
                short(&identity),
            );
        }
    }
    shown
}

/// Whether an invitation can be redeemed, and if not, why.
fn state_of(invitation: &Value) -> String {
    let is = |key: &str| invitation.get(key) == Some(&Value::Bool(true));
    let mut state = if is("revoked") {
        "revoked"
    } else if invitation.get("left").and_then(Value::as_u64) == Some(0) {
        "used up"
    } else if is("expired") {
        "expired"
    } else {
        "open"
    }
    .to_owned();
    if state == "open" && is("approve") {
        state += ", somebody approves";
    }
    state
}

/// An invitation that was taken back.
pub(crate) fn revoked(answer: &Value) -> String {
    let stay = counted(answer, "standing", "member who joined by it stays", "members who joined by it stay");
    format!("revoked {}; {stay}\n", text(answer, "invitation"))
}

/// What was said of a newcomer.
pub(crate) fn decided(answer: &Value) -> String {
    let what = if answer.get("approved") == Some(&Value::Bool(true)) { "let in" } else { "turned away" };
    format!("{what}: {}\n", text(answer, "newcomer"))
}

/// A membership.
pub(crate) fn joined(answer: &Value) -> String {
    let already = if answer.get("already") == Some(&Value::Bool(true)) { "already a member" } else { "joined" };
    let mut shown = format!("{already}: {} as {}\n", text(answer, "space"), text(answer, "role"));
    if !super::text(answer, "says_space").is_empty() {
        shown += &format!("the link says it is `{}`", in_line(&text(answer, "says_space")));
        if !super::text(answer, "says_inviter").is_empty() {
            shown += &format!(", from `{}`", in_line(&text(answer, "says_inviter")));
        }
        shown.push('\n');
    }
    shown
}

/// An object that was made or changed.
pub(crate) fn object_id(answer: &Value) -> String {
    format!("{}\n", text(answer, "object"))
}

/// Objects as a table.
pub(crate) fn objects(answer: &Value) -> String {
    let row = |object: &Value| {
        vec![
            short(&text(object, "object")).to_owned(),
            text(object, "type"),
            text(object, "name"),
            text(object, "created"),
        ]
    };
    let rows: Vec<Vec<String>> = list(answer, "objects").iter().map(row).collect();
    if rows.is_empty() {
        return "no objects\n".to_owned();
    }
    table(&["OBJECT", "TYPE", "NAME", "CREATED"], &rows)
}

/// An object with its properties and its text.
pub(crate) fn object(answer: &Value) -> String {
    let mut shown = String::new();
    for key in ["object", "type", "space", "created"] {
        shown += &format!("{key:<9} {}\n", in_line(&text(answer, key)));
    }
    if let Some(Value::Object(properties)) = answer.get("properties") {
        for (key, value) in properties {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            shown += &format!("{:<9} {} = {}\n", "property", in_line(key), in_line(&value));
        }
    }
    for alternative in list(answer, "alternatives") {
        let value = alternative.get("value").map(Value::to_string).unwrap_or_default();
        shown += &format!(
            "{:<9} {} = {} (written at the same time)\n",
            "other",
            in_line(&text(alternative, "key")),
            in_line(&value)
        );
    }
    let body = super::text(answer, "text");
    if !body.is_empty() {
        shown += "\n";
        shown += &visible(body);
        shown.push('\n');
    }
    shown
}

/// A text, byte for byte; on a terminal with what would move its cursor or turn its writing made visible.
pub(crate) fn exact_text(answer: &Value) -> String {
    let text = super::text(answer, "text");
    if io::stdout().is_terminal() { visible(text).into_owned() } else { text.to_owned() }
}

/// A record that was appended.
pub(crate) fn appended(answer: &Value) -> String {
    format!("{} {}\n", text(answer, "feed"), text(answer, "seq"))
}

/// Records, one a line.
pub(crate) fn records(answer: &Value) -> String {
    let row = |record: &Value| {
        let content = match record.get("base64").and_then(Value::as_str) {
            Some(base64) => format!("base64:{base64}"),
            None => text(record, "text"),
        };
        vec![short(&text(record, "feed")).to_owned(), text(record, "seq"), content]
    };
    let rows: Vec<Vec<String>> = list(answer, "records").iter().map(row).collect();
    if rows.is_empty() { "no records\n".to_owned() } else { table(&["FEED", "SEQ", "RECORD"], &rows) }
}

/// That a space is level.
pub(crate) fn level(answer: &Value) -> String {
    let with: Vec<&str> = list(answer, "with").iter().filter_map(Value::as_str).map(last_eight).collect();
    format!("level with {}\n", with.join(", "))
}

/// Feeds as a table.
pub(crate) fn feeds(answer: &Value) -> String {
    let row = |feed: &Value| {
        let mine = if feed.get("mine") == Some(&Value::Bool(true)) { " (me)" } else { "" };
        let state = match feed.get("stopped").and_then(Value::as_str) {
            Some(reason) => format!("stopped: {reason}"),
            None if feed.get("replayed") == feed.get("length") => "replayed".to_owned(),
            None => format!("replayed {}", text(feed, "replayed")),
        };
        vec![
            short(&text(feed, "feed")).to_owned(),
            text(feed, "purpose"),
            last_eight(&text(feed, "device")).to_owned() + mine,
            text(feed, "name"),
            text(feed, "length"),
            text(feed, "byte_length"),
            state,
        ]
    };
    let rows: Vec<Vec<String>> = list(answer, "feeds").iter().map(row).collect();
    table(&["FEED", "PURPOSE", "DEVICE", "NAME", "ENTRIES", "BYTES", "STATE"], &rows)
}

/// A feed and some of its entries.
pub(crate) fn feed(answer: &Value) -> String {
    let mut shown = String::new();
    let mut line = |name: &str, value: &str| shown += &format!("{name:<9} {}\n", in_line(value));
    for (name, key) in [("feed", "feed"), ("space", "space"), ("purpose", "purpose"), ("device", "device")] {
        line(name, &text(answer, key));
    }
    line("name", &text(answer, "name"));
    line("identity", &text(answer, "identity"));
    line("entries", &text(answer, "length"));
    line("bytes", &text(answer, "byte_length"));
    line("replayed", &text(answer, "replayed"));
    line("root", &text(answer, "root"));
    if answer.get("stopped").is_some_and(Value::is_string) {
        line("stopped", &text(answer, "stopped"));
    }
    let row = |entry: &Value| {
        let body = match entry.get("held") {
            Some(Value::Bool(false)) => "gone".to_owned(),
            _ => text(entry, "bytes"),
        };
        vec![text(entry, "seq"), text(entry, "kind"), text(entry, "claimed"), body, text(entry, "deps")]
    };
    let rows: Vec<Vec<String>> = list(answer, "entries").iter().map(row).collect();
    if !rows.is_empty() {
        shown += "\n";
        shown += &table(&["SEQ", "KIND", "CLAIMED TIME", "BODY BYTES", "DEPS"], &rows);
    }
    shown
}

/// That everything stored verifies.
pub(crate) fn verified(answer: &Value) -> String {
    let (entries, feeds) = (counted(answer, "entries", "entry", "entries"), counted(answer, "feeds", "feed", "feeds"));
    format!("verified {entries} of {feeds}, {}\n", counted(answer, "bytes", "byte", "bytes"))
}

/// What was derived again.
pub(crate) fn rebuilt(answer: &Value) -> String {
    format!("rebuilt {}\n", derived(answer))
}

/// What a rebuild would derive again.
pub(crate) fn would_rebuild(answer: &Value) -> String {
    format!("would drop and derive again {}\n", derived(answer))
}

fn derived(answer: &Value) -> String {
    format!(
        "{} of {} from {}",
        counted(answer, "objects", "object", "objects"),
        counted(answer, "spaces", "space", "spaces"),
        counted(answer, "entries", "entry", "entries"),
    )
}

/// Settings as a table.
pub(crate) fn config(answer: &Value) -> String {
    let value = |row: &Value| match row.get("value") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        _ => text(row, "value"),
    };
    let rows: Vec<Vec<String>> =
        list(answer, "settings").iter().map(|row| vec![text(row, "key"), value(row), text(row, "source")]).collect();
    table(&["SETTING", "VALUE", "SOURCE"], &rows)
}
