//! Proofs of membership that are somebody else's, or of another connection, or the node's own.

use std::time::Duration;

use bytes::Bytes;

use super::{Attack, Kept, cut_off, done};
use crate::{
    Failed,
    door::{self, Door},
    member::Person,
    net::{Net, REPLICATION},
};

/// How long a replication stream is waited for that must not come.
const NOTHING: Duration = Duration::from_millis(300);

pub(super) async fn run(what: &str, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut draws = attack.member.person.draws.draw32();
    match what {
        "other-connection" | "other-device" => replayed(what == "other-device", attack).await,
        "reflected-nonce" => {
            let stream = attack.net.open(crate::net::DOOR).await?;
            let mut stream = stream;
            let hello: weft_wire::space::Frame = stream.message().await?;
            stream.send(&hello).await;
            cut_off(attack.net).await
        }
        "round-skipped" => {
            let mut door = Door::open(&mut attack.net, draws).await?;
            door.stream.send(&door::tags(3, vec![7; 32].into())).await;
            cut_off(attack.net).await
        }
        "three-tags" => {
            let mut door = Door::open(&mut attack.net, draws).await?;
            door.stream.send(&door::tags(0, vec![7; 96].into())).await;
            cut_off(attack.net).await
        }
        "half-a-tag" => {
            let mut door = Door::open(&mut attack.net, draws).await?;
            door.stream.send(&door::tags(0, vec![7; 48].into())).await;
            cut_off(attack.net).await
        }
        "again" => {
            let mut door = Door::open(&mut attack.net, draws).await?;
            door.stream.send(&door::frame(weft_wire::space::frame::Kind::Again(weft_wire::space::Again {}))).await;
            cut_off(attack.net).await
        }
        "rounds" => {
            let mut door = Door::open(&mut attack.net, draws).await?;
            for round in 0..200 {
                draws[0] ^= 1;
                door.stream.send(&door::tags(round, Bytes::copy_from_slice(&draws))).await;
            }
            cut_off(attack.net).await
        }
        _ => Err(format!("no attack membership/{what}").into()),
    }
}

/// Tags that were good on a connection that is over, sent again by the same device and by another one. The nonces differ, so
/// nothing opens, and nobody is told that something was wrong.
async fn replayed(by_another: bool, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let nonce = attack.member.person.draws.draw32();
    let mut door = Door::open(&mut attack.net, nonce).await?;
    let (dial, answer) = door.dial_and_answer(&attack.member, &attack.net.node(), 0);
    if door.ask(0, Bytes::copy_from_slice(&dial)).await? != answer[..] {
        return Err("the tag was not good at first".into());
    }
    let node = attack.net.node();
    drop((door, attack.net));
    let thief = Person::new(&node, true)?;
    let device = if by_another { &thief.device } else { &attack.member.person.device };
    let mut net = Net::connect(device, attack.address).await?;
    let mut door = Door::open(&mut net, nonce).await?;
    let answered = door.ask(0, Bytes::copy_from_slice(&dial)).await?;
    if answered == answer[..] || answered.len() != answer.len() {
        return Err("a replayed tag was answered".into());
    }
    not_let_in(&mut net).await?;
    Ok(done((net, door)))
}

/// A replication stream of one who is not in.
async fn not_let_in(net: &mut Net) -> Result<(), Failed> {
    if let Ok(mut stream) = net.open(REPLICATION).await {
        stream.send(&crate::replica::hello(crate::replica::WINDOW)).await;
        if !stream.rest().await?.is_empty() {
            return Err("replication without a door".into());
        }
    }
    Ok(())
}

/// The node opens the door, and hears its own tags as the answer to them.
pub(super) async fn reflected(mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let nonce = attack.member.person.draws.draw32();
    let mut door = Door::accept(&mut attack.net, nonce).await?;
    let tags = door.tags().await?;
    door.stream.send(&door::tags(tags.round, tags.tags)).await;
    if attack.net.replication_within(NOTHING).await.is_some() {
        return Err("the node took its own tags for somebody else's".into());
    }
    Ok(done((attack.net, door)))
}
