//! Convergence: when all are up and connected again, all members hold equal feeds, and a user of any of them sees the same.

use std::collections::BTreeMap;

use weft_crypto::{FeedId, Root};

use crate::{host::Host, visible::Visible, world::World};

/// What differs between members, and the founder.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let Some(space) = world.space() else { return vec!["the space was never founded".into()] };
    let Some(roster) = world.rosters.get(&0) else { return vec!["the founder was not asked who belongs to it".into()] };
    let mut found = Vec::new();
    for (number, invited) in world.invited() {
        let app = &world.apps[number];
        // Who is let in and removed at once may never hear the first.
        let came_in = app.space() == Some(space) || app.is_turned_away() && world.ledger.is_acted_on(number);
        if !came_in || world.role(number).is_none() && !world.ledger.is_acted_on(number) {
            found.push(format!("{} is no member of the space", invited.name));
        }
    }
    let founder = &world.hosts[0];
    let feeds = compared(world, founder);
    let visible = world.visible(0, space);
    for (number, member) in world.members().skip(1) {
        if world.rosters.get(&number) != Some(roster) {
            found.push(format!("{} and {} do not agree who belongs to it as what", founder.name, member.name));
        }
        let theirs = compared(world, member);
        for feed in feeds.keys().chain(theirs.keys().filter(|feed| !feeds.contains_key(*feed))) {
            let (mine, theirs) = (feeds.get(feed), theirs.get(feed));
            if mine != theirs {
                let [mine, theirs] = [mine, theirs].map(|head| head.map_or(0, |(length, _)| *length));
                let (here, there) = (&founder.name, &member.name);
                found.push(format!("feed {feed}: {here} holds {mine} entries, {there} {theirs}, or other ones"));
            }
        }
        let theirs = world.visible(number, space);
        for object in visible.keys().chain(theirs.keys().filter(|object| !visible.contains_key(*object))) {
            if let Some(what) = difference(visible.get(object), theirs.get(object)) {
                found.push(format!("object {object}: {} and {} see different {what}", founder.name, member.name));
            }
        }
    }
    found
}

/// The heads of feeds that everybody has to hold alike: those that nobody may have cut.
fn compared(world: &World, host: &Host) -> BTreeMap<FeedId, (u64, Root)> {
    let Some(space) = world.space() else { return BTreeMap::new() };
    let content = host.store.content();
    let mut heads = content.heads(space);
    for (id, feed) in content.feeds() {
        let author = feed.manifest().and_then(|manifest| world.host_of(&manifest.device));
        if author.is_some_and(|author| world.ledger.is_acted_on(author)) {
            heads.remove(id);
        }
    }
    heads
}

/// In what two users see an object differently.
fn difference(mine: Option<&Visible>, theirs: Option<&Visible>) -> Option<String> {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) if mine == theirs => None,
        (None, None) => None,
        (Some(mine), Some(theirs)) if mine.text != theirs.text => {
            Some(format!("texts, of {} and {} characters", mine.text.chars().count(), theirs.text.chars().count()))
        }
        (Some(mine), Some(theirs)) if mine.properties != theirs.properties => {
            let keys = mine.properties.keys().chain(theirs.properties.keys());
            let differing = keys.filter(|key| mine.properties.get(*key) != theirs.properties.get(*key));
            Some(format!("properties: {:?}", differing.collect::<std::collections::BTreeSet<_>>()))
        }
        (Some(mine), Some(theirs)) => Some(format!("states: {mine:?} and {theirs:?}")),
        (mine, _) => Some(format!("worlds: only {} has it", if mine.is_some() { "the first" } else { "the second" })),
    }
}
