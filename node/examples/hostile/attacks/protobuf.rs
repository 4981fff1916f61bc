//! The two inputs that break another protobuf decoder (one for ever in a loop, one reading outside its slice), at every place
//! where a message is decoded; and messages that nest without end.

use bytes::Bytes;
use weft_feed::NewEntry;
use weft_machine::ClaimedTime;
use weft_wire::{
    invitation::{Begin, Redeem, frame::Kind as Invited},
    replication::{Contradiction, Range, Want, frame::Kind},
    varint,
};

use super::{Attack, Kept, cut_off, done};
use crate::{
    Failed,
    door::Door,
    member,
    net::{DOOR, INVITATION, REPLICATION},
    replica::{self, Replica},
    text,
};

const VECTORS: &str = include_str!("../../../../specs/vectors/wire/quick-protobuf.json");

/// 1 MiB, less what is around it.
const NESTED: usize = (1 << 20) - 64;

/// The bytes of an attack by its number or name.
pub(super) fn vector(which: &str) -> Result<Vec<u8>, Failed> {
    match which {
        // A group in a group in a group.
        "groups" => return Ok(vec![0x0b; NESTED]),
        // Field 1 of field 1 of field 1, each with its true length.
        "messages" => return Ok(nested()),
        _ => {}
    }
    let vectors: serde_json::Value = serde_json::from_str(VECTORS)?;
    let bytes = vectors["refused"][which.parse::<usize>()?]["bytes"].as_str().ok_or("no such vector")?;
    Ok(data_encoding::HEXLOWER.decode(bytes.as_bytes())?)
}

fn nested() -> Vec<u8> {
    // Written from the inside out, backwards.
    let mut reversed = Vec::new();
    while reversed.len() < NESTED {
        let mut head = vec![0x0a];
        varint::write(reversed.len() as u64, &mut head);
        reversed.extend(head.into_iter().rev());
    }
    reversed.reverse();
    reversed
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    varint::write(bytes.len() as u64, &mut frame);
    frame.extend_from_slice(bytes);
    frame
}

pub(super) async fn run(what: &str, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let (place, which) = what.split_once('/').ok_or("which bytes?")?;
    let bytes = Bytes::from(vector(which)?);
    let nonce = attack.member.person.draws.draw32();
    // The streams stay until the node has answered.
    let _streams: Kept = match place {
        "door-first" => {
            let mut stream = attack.net.open(DOOR).await?;
            stream.send_raw(&framed(&bytes)).await;
            Box::new(stream)
        }
        "door" => {
            let mut door = Door::open(&mut attack.net, nonce).await?;
            door.stream.send_raw(&framed(&bytes)).await;
            Box::new(door)
        }
        "replication-first" => {
            let (door, _) = crate::door::enter(&mut attack.net, &mut attack.member).await?;
            let mut stream = attack.net.open(REPLICATION).await?;
            stream.send_raw(&framed(&bytes)).await;
            Box::new((door, stream))
        }
        "invitation-first" | "invitation" | "redemption" => return invitation(place, &bytes, attack).await,
        "control" => return control(bytes, attack).await,
        _ => Box::new(replication(place, bytes, &mut attack).await?),
    };
    cut_off(attack.net).await
}

async fn replication(place: &str, bytes: Bytes, attack: &mut Attack<'_>) -> Result<Replica, Failed> {
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let (number, feed) = (replica.number, attack.member.founder().feed.to_bytes());
    match place {
        "replication" => replica.stream.send_raw(&framed(&bytes)).await,
        "want-head" => {
            replica.send(Kind::Want(Want { space: number, feed, from: 1, head: bytes, tree: Bytes::new() })).await;
        }
        "contradiction" => replica.send(Kind::Contradiction(Contradiction { space: number, head: bytes })).await,
        "range-head" | "range-headers" => {
            let member = &mut attack.member;
            let good = member.write(&text::note(member.client(&member.data_feed()), "spoilt", "spoilt"))?;
            replica.claim(good.head(), true).await;
            replica.wanted(good.feed()).await?;
            let range = replica::range(number, &good);
            let range = match place {
                "range-head" => Range { head: bytes, ..range },
                _ => Range { headers: framed(&bytes).into(), ..range },
            };
            replica.send(Kind::Range(range)).await;
        }
        _ => return Err(format!("no place {place}").into()),
    }
    Ok(replica)
}

async fn invitation(place: &str, bytes: &Bytes, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut stream = attack.net.open(INVITATION).await?;
    if place != "invitation-first" {
        let nonce = Bytes::copy_from_slice(&attack.member.person.draws.draw32());
        stream.send(&member::frame(Invited::Begin(Begin { version: 1, nonce }))).await;
        stream.next().await?.ok_or("no challenge")?;
    }
    if place == "redemption" {
        let proof = vec![7; 64].into();
        stream.send(&member::frame(Invited::Redeem(Redeem { proof, redemption: bytes.clone() }))).await;
    } else {
        stream.send_raw(&framed(bytes)).await;
    }
    stream.rest().await?;
    Ok(done((attack.net, stream)))
}

/// An entry of the control feed, well signed, that says this.
async fn control(body: Bytes, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let member = &mut attack.member;
    let deps = member.given.iter().map(weft_crypto::Head::dep).collect();
    let range = member.control.append(vec![NewEntry::control(ClaimedTime(0), deps, body)])?.remove(0);
    replica.give(&range).await?;
    Ok(done((attack.net, replica)))
}
