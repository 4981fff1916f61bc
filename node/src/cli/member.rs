//! `weft member`: what a change would do is said before it is signed, and who has not heard of it afterwards.

use serde_json::{Value, json};

use super::{
    args::{
        Sure,
        member::{Member, Propose, Which},
    },
    client::{Call, Client, path},
    failure::Failure,
    output::{Output, counted, list, short, text},
    show, sure,
    visible::in_line,
};

/// Carries out a command about members.
pub(crate) fn member(client: &Client, command: Member, output: Output) -> Result<(), Failure> {
    match command {
        Member::List { space } => {
            output.say(&client.ask(Call::get(path(&["spaces", &space, "members"], &[])))?, members)
        }
        Member::Remove { which, propose: Propose { propose }, sure } => {
            let change = |space: &str, member: &str, dry_run: bool| {
                let query = [("propose", propose.then_some("true")), ("dry_run", dry_run.then_some("true"))];
                Call::delete(path(&["spaces", space, "members", member], &query))
            };
            carry_out(client, &which, change, &sure, output)
        }
        Member::Role { which, role, propose: Propose { propose }, sure } => {
            let change = |space: &str, member: &str, dry_run: bool| {
                let new = json!({"role": role, "propose": propose, "dry_run": dry_run});
                Call::patch_json(path(&["spaces", space, "members", member], &[]), new)
            };
            carry_out(client, &which, change, &sure, output)
        }
        Member::Seal { space, proposal } => {
            let call = Call::post(path(&["spaces", &space, "proposals", &proposal], &[]));
            output.confirm(&client.ask(call)?, sealed)
        }
    }
}

/// Says what a change would do, asks, and has it made. What takes nothing from anybody is not asked about.
fn carry_out(
    client: &Client,
    which: &Which,
    change: impl Fn(&str, &str, bool) -> Call,
    sure: &Sure,
    output: Output,
) -> Result<(), Failure> {
    let would = client.ask(change(&which.space, &which.member, true))?;
    if sure.dry_run {
        return output.say(&would, |would| format!("would {}\n{}", what(would), consequences(would)));
    }
    if would.get("takes") == Some(&Value::Bool(true)) && !sure.yes {
        let question = format!("{}{}?", consequences(&would), sure::capitalised(&what(&would)));
        sure::require(output, &question, "nothing was changed")?;
    }
    // By their ids: the names may mean others by now.
    output.confirm(&client.ask(change(&text(&would, "space"), &text(&would, "identity"), false))?, done)
}

/// What to call whom a change is about.
fn who(change: &Value) -> String {
    match change.get("name").and_then(Value::as_str) {
        Some(name) => format!("`{}`", in_line(name)),
        None => short(&text(change, "identity")).to_owned(),
    }
}

fn space_of(change: &Value) -> String {
    match change.get("space_name").and_then(Value::as_str) {
        Some(name) => format!("`{}`", in_line(name)),
        None => short(&text(change, "space")).to_owned(),
    }
}

/// What a change does, as an order.
fn what(change: &Value) -> String {
    let (who, role, space) = (who(change), text(change, "role"), space_of(change));
    let propose = if change.get("counts") == Some(&Value::Bool(true)) { "" } else { "propose to " };
    match change.get("becomes").and_then(Value::as_str) {
        Some(becomes) => format!("{propose}change what {who} is in {space} from {role} to {becomes}"),
        None => {
            let devices = counted(change, "devices", "device", "devices");
            format!("{propose}remove {who} ({role}, {devices}) from {space}")
        }
    }
}

/// What follows from a change that takes something, a line each.
fn consequences(change: &Value) -> String {
    let number = |key: &str| change.get(key).and_then(Value::as_u64).unwrap_or(0);
    let mut shown = String::new();
    if change.get("takes") == Some(&Value::Bool(true)) {
        shown += "  what this device holds of what it wrote stays\n";
    }
    if number("not_held") > 0 {
        let entries = counted(change, "not_held", "entry", "entries");
        shown += &format!("  {entries} that connected peers hold and this device does not would be hidden\n");
    }
    if number("waiting") > 0 {
        let entries = counted(change, "waiting", "entry waits", "entries wait");
        shown += &format!("  {entries} here for others, and would be shown once they come\n");
    }
    if change.get("counts") == Some(&Value::Bool(false)) {
        shown += &format!("  it counts once {} stand behind it\n", votes(change));
    }
    shown
}

/// `2 of the 3 owners and admins`
fn votes(of: &Value) -> String {
    let votes = of.get("votes").cloned().unwrap_or_default();
    format!("{} of the {} owners and admins", text(&votes, "needed"), text(&votes, "of"))
}

/// A change that was made or proposed.
fn done(change: &Value) -> String {
    if change.get("counts") != Some(&Value::Bool(true)) {
        let by = format!("weft member seal {} {}", space_of(change).replace('`', ""), short(&text(change, "proposal")));
        return format!("proposed; it counts once {} stand behind it\n  the others do by: {by}\n", votes(change));
    }
    let mut shown = match change.get("becomes").and_then(Value::as_str) {
        Some(becomes) => format!("{} is {} of {} now\n", who(change), with_article(becomes), space_of(change)),
        None => format!("removed {} from {}\n", who(change), space_of(change)),
    };
    let unheard = list(change, "unheard");
    if !unheard.is_empty() {
        let one = |device: &Value| {
            let name = text(device, "name");
            format!("…{} ({})", show::last_eight(&text(device, "peer_id")), in_line(&name))
        };
        let devices = unheard.iter().map(one).collect::<Vec<_>>().join(", ");
        shown += &format!("  not heard of it yet: {devices}\n");
    }
    shown
}

fn with_article(role: &str) -> String {
    let article = if role.starts_with(['a', 'o']) { "an" } else { "a" };
    format!("{article} {role}")
}

/// A proposal that this identity stands behind.
fn sealed(sealed: &Value) -> String {
    let what = match sealed.get("role").and_then(Value::as_str) {
        Some(role) => format!("the role {role} for {}", who(sealed)),
        None => format!("the removal of {}", who(sealed)),
    };
    match sealed.get("counts") {
        Some(Value::Bool(true)) => format!("{what} counts now\n"),
        _ => format!("stands behind {what}; it does not count yet\n"),
    }
}

/// Who belongs to a space, and what is proposed about them.
pub(crate) fn members(answer: &Value) -> String {
    let members = list(answer, "members");
    let called = |identity: &str| {
        let member = members.iter().find(|member| text(member, "identity") == identity);
        let name = member.and_then(|member| member.get("petname")?.as_str().or(member.get("name")?.as_str()));
        name.unwrap_or(short(identity)).to_owned()
    };
    let row = |member: &Value| {
        let me = if member.get("me") == Some(&Value::Bool(true)) { " (me)" } else { "" };
        vec![
            short(&text(member, "identity")).to_owned(),
            name_of(member) + me,
            text(member, "role"),
            list(member, "devices").len().to_string(),
            called(&text(member, "admitted_by")),
            heard(member),
        ]
    };
    let rows: Vec<Vec<String>> = members.iter().map(row).collect();
    let mut shown = super::table::table(&["IDENTITY", "NAME", "ROLE", "DEVICES", "INVITED BY", "HEARD"], &rows);
    let unheard: usize = members.iter().map(|member| list(member, "unheard").len()).sum();
    if unheard > 0 {
        let devices = if unheard == 1 { "1 device is" } else { &format!("{unheard} devices are") };
        shown += &format!("  {devices} not known to have heard of the newest change of members\n");
    }
    for proposal in list(answer, "proposals") {
        let who = called(&text(proposal, "identity"));
        let what = match proposal.get("role").and_then(Value::as_str) {
            Some(role) => format!("{who} becomes {}", with_article(role)),
            None => format!("{who} is removed"),
        };
        let others = list(proposal, "sealed_by").iter().filter_map(Value::as_str).map(called);
        let behind: Vec<String> = std::iter::once(called(&text(proposal, "by"))).chain(others).collect();
        shown += &format!(
            "  proposed: {}\n    behind it: {} ({} are needed)\n    to do:   weft member seal {} {}\n",
            in_line(&what),
            in_line(&behind.join(", ")),
            votes(proposal),
            short(&text(answer, "space")),
            short(&text(proposal, "proposal")),
        );
    }
    shown
}

/// What the owner of this node calls a member, or what that one calls itself.
fn name_of(member: &Value) -> String {
    let said = text(member, "name");
    let mut name = match member.get("petname").and_then(Value::as_str) {
        Some(petname) if petname != said && said != "-" => format!("{petname} (says {said})"),
        Some(petname) => petname.to_owned(),
        None => said,
    };
    if member.get("verified") == Some(&Value::Bool(true)) {
        name += " ✓";
    }
    name
}

/// Whether a member's devices have heard of the newest change of members.
fn heard(member: &Value) -> String {
    let (all, unheard) = (list(member, "devices").len(), list(member, "unheard").len());
    match unheard {
        0 => "yes".to_owned(),
        unheard if unheard == all => "not yet".to_owned(),
        unheard => format!("{} of {all}", all - unheard),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_what_it_does_and_what_it_hides() {
        let change = |counts: bool, becomes: Option<&str>| {
            json!({"space": "abcdefghijklmn", "space_name": "notes", "identity": "mnopqrstuvwxyz", "name": "Bob", "role": "writer",
                "becomes": becomes, "devices": 1, "counts": counts, "takes": true, "votes": {"needed": 2, "of": 3},
                "not_held": 4, "waiting": 0})
        };
        assert_eq!(what(&change(true, None)), "remove `Bob` (writer, 1 device) from `notes`");
        assert_eq!(
            what(&change(false, Some("reader"))),
            "propose to change what `Bob` is in `notes` from writer to reader"
        );
        let follows = consequences(&change(false, None));
        assert!(follows.contains("4 entries that connected peers hold"), "{follows}");
        assert!(follows.contains("once 2 of the 3 owners and admins stand behind it"), "{follows}");
        assert_eq!(done(&change(true, Some("admin"))), "`Bob` is an admin of `notes` now\n");
    }
}
