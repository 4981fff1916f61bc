//! Somebody who belongs to nothing, knows a space's id, and writes down everything that a node says to it.

use bytes::Bytes;
use serde_json::{Value, json};
use weft_crypto::{Context, EpochId, InvitationSecret, SpaceId};
use weft_wire::{invitation, space};

use crate::{
    Failed,
    door::{self, Door},
    hear,
    member::{self, Link, Person},
    net::{Net, PROTOCOLS, REPLICATION},
    peer_id, replica, say,
};

/// Rounds at the door.
const ROUNDS: u32 = 6;

/// Asks on every protocol for a space, and says what it heard.
pub(crate) async fn run(address: &str, space: &str) -> Result<(), Failed> {
    let space: SpaceId = space.parse()?;
    let node: libp2p::Multiaddr = address.parse()?;
    // Who it is decides who opens; a first look says whose device key the node has.
    let looker = Person::new(&weft_crypto::DeviceId::from_bytes([0; 32]), false)?;
    let host = Net::connect(&looker.device, &node.to_string()).await?.node();
    let mut person = Person::new(&host, true)?;
    let mut net = Net::connect(&person.device, address).await?;
    let mut heard = Vec::new();
    // Without its door stream the connection would end.
    let door = at_the_door(&mut net, &space, &mut person, &mut heard).await?;
    invited(&mut net, space, &mut person, &mut heard).await?;
    uninvited(&mut net, &mut heard).await?;
    say(
        &json!({ "event": "done", "peer": peer_id(&person.device), "protocols": PROTOCOLS.map(|name| name.to_string()), "heard": heard }),
    );
    hear().await;
    drop(door);
    Ok(())
}

/// Tags from all that a stranger can know of a space: its id, in place of secret and epoch.
async fn at_the_door(
    net: &mut Net,
    space: &SpaceId,
    person: &mut Person,
    heard: &mut Vec<Value>,
) -> Result<Door, Failed> {
    let mut said = |frame: &Bytes| -> Result<(), Failed> {
        let kind = match weft_wire::decode::<space::Frame>(frame)?.kind {
            Some(space::frame::Kind::Hello(_)) => "hello",
            Some(space::frame::Kind::Tags(_)) => "tags",
            Some(space::frame::Kind::Again(_)) => "again",
            None => "unknown",
        };
        heard.push(json!({ "protocol": "door", "kind": kind, "bytes": frame.len() }));
        Ok(())
    };
    let nonce = person.draws.draw32();
    let mut door = Door::open(net, nonce).await?;
    let node = net.node();
    for round in 0..ROUNDS {
        let ends = [(&person.device.id(), &door.mine), (&node, &door.theirs)];
        let epoch = EpochId::from_bytes(*space.as_bytes());
        let tag = door::tag(Context::DOOR_DIAL, space.as_bytes(), ends, &epoch, round);
        let padding = (1..1_usize << round).flat_map(|_| person.draws.draw32());
        let offered = tag.into_iter().chain(padding).collect::<Vec<u8>>();
        door.stream.send(&door::tags(round, offered.into())).await;
        let answer = door.stream.next().await?.ok_or("the door was closed")?;
        said(&answer)?;
    }
    Ok(door)
}

/// A redemption of an invitation to the space that nobody issued.
async fn invited(net: &mut Net, space: SpaceId, person: &mut Person, heard: &mut Vec<Value>) -> Result<(), Failed> {
    let secret = InvitationSecret::from_seed(person.draws.draw32());
    let link = Link { space, secret, host: net.node(), address: String::new() };
    let joining = person.redemption(&link, link.host);
    let (mut stream, proved) = member::begin(net, &link, person).await?;
    stream.send(&member::redeem(&link, &proved, &joining)).await;
    for frame in stream.rest().await? {
        let kind = match weft_wire::decode::<invitation::Frame>(&frame)?.kind {
            Some(invitation::frame::Kind::Refused(refused)) => format!("refused {}", refused.reason),
            other => format!("{other:?}"),
        };
        heard.push(json!({ "protocol": "invitation", "kind": kind, "bytes": frame.len() }));
    }
    Ok(())
}

/// Replication, that no door led to.
async fn uninvited(net: &mut Net, heard: &mut Vec<Value>) -> Result<(), Failed> {
    let mut frames = Vec::new();
    if let Ok(mut stream) = net.open(REPLICATION).await {
        stream.send(&replica::hello(replica::WINDOW)).await;
        frames = stream.rest().await?;
    }
    heard.extend(frames.iter().map(|frame| json!({ "protocol": "replication", "bytes": frame.len() })));
    heard.push(json!({ "protocol": "replication", "kind": "closed" }));
    Ok(())
}
