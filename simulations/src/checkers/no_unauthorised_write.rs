//! No unauthorised write: nothing that somebody without the right wrote counts anywhere, and nothing of those outside is held by a member.

use std::collections::BTreeSet;

use weft_crypto::Purpose;

use crate::world::World;

/// Writes that should not be.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for host in &world.ledger.unauthorised {
        found.push(format!("{} may not write and was told that it did", world.hosts[*host].name));
    }
    let Some(space) = world.space() else { return found };
    let members: BTreeSet<_> = world.invited().map(|(number, _)| world.device(number)).collect();
    let readers = world.invited().filter(|(number, host)| !host.part.writes() && !world.ledger.is_acted_on(*number));
    let readers: BTreeSet<_> = readers.map(|(number, _)| world.device(number)).collect();
    for host in &world.hosts {
        for (id, feed) in host.store.content().feeds().filter(|(_, feed)| feed.length() > 0) {
            let Some(manifest) = feed.manifest() else {
                found.push(format!("{} holds feed {id} without a manifest that verifies", host.name));
                continue;
            };
            if host.part.is_member() && feed.space == space && !members.contains(&manifest.device) {
                found.push(format!("{} holds feed {id} of {}, who is no member", host.name, manifest.device));
            }
            if readers.contains(&manifest.device) && manifest.purpose == Purpose::Data {
                found.push(format!("{} holds {} data entries of a reader", host.name, feed.length()));
            }
        }
    }
    found
}
