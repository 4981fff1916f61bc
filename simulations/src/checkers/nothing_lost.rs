//! Nothing lost: what a peer acknowledged is there on every member, in its place, after crashes, partitions and restarts. What was
//! done to a member may have cut what it wrote, and hidden what others wrote into that, and so does a fork with the history that is not
//! kept. What was done to somebody else takes nothing from it, whatever epoch it is sealed under.

use std::collections::{BTreeMap, BTreeSet};

use weft_crypto::ObjectId;

use crate::{network::Host, visible::Visible, world::World};

/// Acknowledged writes that somebody does not have.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let Some(space) = world.space() else { return Vec::new() };
    let mut found = Vec::new();
    let ledger = &world.ledger;
    let is_safe = |host: &Host| !ledger.is_acted_on(*host) && !ledger.forking.contains(host);
    let is_plain = ledger.acts.is_empty() && ledger.forking.is_empty();
    let created = || ledger.created.iter().filter(|(author, _)| is_safe(author));
    let shown: BTreeSet<ObjectId> = created().map(|(_, object)| *object).collect();
    for (number, member) in world.members() {
        let name = &member.name;
        let objects = world.visible(number, space);
        for (author, object) in created() {
            if !objects.contains_key(object) {
                found.push(format!("{name} has no object {object}, which {} made", world.hosts[*author].name));
            }
        }
        let is_shown = |host: &Host, object: &ObjectId| is_safe(host) && (is_plain || shown.contains(object));
        // A mutation that was written into a history which is not kept has nothing to stand on, and is refused.
        let mut refused = ledger.refused.len();
        for (_, object, property, value) in ledger.set.iter().filter(|(host, object, ..)| is_shown(host, object)) {
            let seen = objects.get(object).and_then(|object| object.properties.get(property));
            if seen.is_none_or(|seen| *seen != format!("\"{value}\"")) {
                if let Some(left) = refused.checked_sub(1) {
                    refused = left;
                    continue;
                }
                found.push(format!("{name} sees {seen:?} as {property} of {object}, which was set to {value}"));
            }
        }
        let mut typed: BTreeMap<_, BTreeMap<char, usize>> = BTreeMap::new();
        for key in ledger.typed.iter().filter(|key| is_shown(&key.host, &key.object)) {
            *typed.entry(key.object).or_default().entry(key.character).or_default() += 1;
        }
        for (object, characters) in typed {
            let missing = missing(objects.get(&object), characters);
            let deleted = ledger.deletions.get(&object).copied().unwrap_or(0);
            let missing = missing.saturating_sub(refused);
            if missing > deleted {
                found.push(format!("{name} misses {missing} characters of {object}; {deleted} may have been deleted"));
            }
        }
        let records = world.records.get(&number);
        for appended in ledger.appended.iter().filter(|appended| is_safe(&appended.host)) {
            for (seq, record) in (appended.from..).zip(&appended.records) {
                let read = records.and_then(|records| records.get(&(appended.feed, seq)));
                if read != Some(record) {
                    let author = &world.hosts[appended.host].name;
                    let what = read.map_or("nothing".into(), |read| format!("{} other bytes", read.len()));
                    found.push(format!("{name} reads {what} as entry {seq} of {author}'s feed {}", appended.feed));
                }
            }
        }
    }
    found
}

/// How many of these characters a text does not have.
fn missing(seen: Option<&Visible>, mut characters: BTreeMap<char, usize>) -> usize {
    for character in seen.map(|seen| seen.text.as_str()).unwrap_or_default().chars() {
        if let Some(count) = characters.get_mut(&character) {
            *count = count.saturating_sub(1);
        }
    }
    characters.values().sum()
}
