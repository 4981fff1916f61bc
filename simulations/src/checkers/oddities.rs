//! No oddities: honest peers never find that another honest peer broke a rule, forked its feed or wrote what must be refused; every command is
//! answered once; and who breaks the rules is found out.

use crate::{scenario::Part, world::World};

/// What should not have happened, whatever came of it.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut found = world.ledger.oddities.clone();
    for (accuser, accused, what) in &world.ledger.violations {
        if world.hosts[*accused].part != Part::Intruder {
            let (accuser, accused) = (&world.hosts[*accuser].name, &world.hosts[*accused].name);
            found.push(format!("{accuser} says that {accused} broke a rule: {what}"));
        }
    }
    for (number, host) in world.hosts.iter().enumerate().filter(|(_, host)| host.part == Part::Intruder) {
        if !world.ledger.violations.iter().any(|(_, accused, _)| *accused == number) {
            found.push(format!("nobody found {} out", host.name));
        }
    }
    found
}
