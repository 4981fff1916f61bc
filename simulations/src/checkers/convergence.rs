//! Convergence: when all are up and connected again, all members hold equal feeds, and a user of any of them sees the same.

use crate::{visible::Visible, world::World};

/// What differs between members, and the founder.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let Some(space) = world.space() else { return vec!["the space was never founded".into()] };
    let mut found = Vec::new();
    let founder = &world.hosts[0];
    let feeds = founder.store.content().heads(space);
    let visible = world.visible(0, space);
    for (number, member) in world.members().skip(1) {
        if world.apps[number].space() != Some(space) {
            found.push(format!("{} is no member of the space", member.name));
            continue;
        }
        let theirs = member.store.content().heads(space);
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
