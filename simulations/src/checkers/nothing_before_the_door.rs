//! Nothing before the door: who belongs to nothing holds nothing of the space, and no frame that it was sent speaks of a feed.

use weft_peer::Protocol;
use weft_wire::replication::{Frame, frame::Kind};

use crate::world::World;

/// What got out.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let Some(space) = world.space() else { return found };
    for host in world.hosts.iter().filter(|host| !host.part.is_member()) {
        let held = host.store.content().feeds().filter(|(_, feed)| feed.space == space).count();
        if held > 0 {
            found.push(format!("{} is no member and holds {held} feeds of the space", host.name));
        }
    }
    for (name, intruder) in world.intruders() {
        for (protocol, frame) in &intruder.heard {
            let told = match protocol {
                Protocol::Replication => match weft_wire::decode::<Frame>(frame).map(|frame| frame.kind) {
                    Ok(Some(Kind::Hello(_) | Kind::Credit(_))) => None,
                    other => Some(format!("{other:?}")),
                },
                Protocol::Door | Protocol::Invitation | Protocol::Device => {
                    frame.windows(32).any(|bytes| bytes == space.as_bytes()).then(|| "the space's id".to_owned())
                }
            };
            if let Some(told) = told {
                found.push(format!("{name} was told over {}: {told}", protocol.name()));
            }
        }
    }
    found
}
