//! The removed: what somebody wrote after it was removed counts with nobody who belongs to the space, and so it is with what one writes who may
//! only read from then on; and who was removed reads nothing that those who removed it wrote later.
//!
//! Virtual time tells what no peer can know: that something was asked for after a removal was durable. The remover cannot have held
//! it then, so it lies past every cut.

use weft_credential::Role;

use crate::{network::Host, world::World};

/// What counts or is read and must not be.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let Some(space) = world.space() else { return Vec::new() };
    let mut found = Vec::new();
    for (host, acted_on) in world.invited().filter(|(host, _)| !world.role(*host).is_some_and(Role::may_write)) {
        let Some(last) = world.ledger.acted_on_last(host) else { continue };
        let late = world.ledger.typed.iter().filter(|typed| typed.host == host && typed.asked > last);
        let late_records =
            world.ledger.appended.iter().filter(|appended| appended.host == host && appended.asked > last);
        for (number, member) in world.members().filter(|(number, _)| *number != host) {
            let objects = world.visible(number, space);
            let (who, name) = (&acted_on.name, &member.name);
            for typed in late.clone() {
                let seen = objects.get(&typed.object).is_some_and(|object| object.text.contains(typed.character));
                if seen {
                    found.push(format!(
                        "{name} sees what {who} typed at {}, who could not write since {last}",
                        typed.asked
                    ));
                }
            }
            let read = world.records.get(&number);
            for appended in late_records.clone() {
                if read.is_some_and(|read| read.contains_key(&(appended.feed, appended.from))) {
                    found.push(format!(
                        "{name} reads a record that {who} wrote at {}, who could not write since {last}",
                        appended.asked
                    ));
                }
            }
        }
    }
    for (host, removed) in world.invited().filter(|(host, _)| world.role(*host).is_none()) {
        let objects = world.visible(host, space);
        for (remover, since) in removers(world, host) {
            let names = (&removed.name, &world.hosts[remover].name);
            let read = world.records.get(&host);
            for appended in world.ledger.appended.iter().filter(|late| late.host == remover && late.asked > since) {
                if read.is_some_and(|read| read.contains_key(&(appended.feed, appended.from))) {
                    found.push(format!(
                        "{} reads what {} wrote at {}, after it removed it",
                        names.0, names.1, appended.asked
                    ));
                }
            }
            for typed in world.ledger.typed.iter().filter(|late| late.host == remover && late.asked > since) {
                if objects.get(&typed.object).is_some_and(|object| object.text.contains(typed.character)) {
                    found.push(format!(
                        "{} sees what {} typed at {}, after it removed it",
                        names.0, names.1, typed.asked
                    ));
                }
            }
        }
    }
    found
}

/// How many writes came from those who could not write any more: for want of them, nothing would be checked.
#[must_use]
pub fn late(world: &World) -> usize {
    let acted_on = |host: Host| {
        let writes = world.role(host).is_some_and(Role::may_write);
        world.ledger.acted_on_last(host).filter(|_| !writes)
    };
    let is_late = |host: Host, asked| acted_on(host).is_some_and(|last| asked > last);
    let typed = world.ledger.typed.iter().filter(|typed| is_late(typed.host, typed.asked)).count();
    typed + world.ledger.appended.iter().filter(|appended| is_late(appended.host, appended.asked)).count()
}

/// Who removed somebody, and since when they knew.
fn removers(world: &World, host: Host) -> impl Iterator<Item = (Host, weft_machine::Time)> {
    let about = world.ledger.acts.iter().filter(move |done| done.act.to == host);
    about.filter(|done| done.act.deed == crate::acts::Deed::Remove).filter_map(|done| {
        let (at, done_so) = done.answered?;
        done_so.then_some((done.act.by, at))
    })
}
