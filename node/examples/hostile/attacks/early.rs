//! Frames before `Hello`, after it once more, on streams that should not be there, and bytes that are no frames.

use weft_wire::replication::{Hello, frame::Kind};

use super::{Attack, Kept, cut_off, done};
use crate::{
    Failed,
    door::{self, Door},
    net::{DOOR, INVITATION, REPLICATION},
    replica::{self, Replica},
};

/// Bytes that mean nothing, as a frame.
fn garbage() -> Vec<u8> {
    [vec![100], vec![0xfe; 100]].concat()
}

pub(super) async fn run(what: &str, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let nonce = attack.member.person.draws.draw32();
    // The streams stay until the node has answered: closing them is another thing to say.
    let _streams: Kept = match what {
        "have-before-hello" => {
            let mut replica = Replica::open(&mut attack.net, &mut attack.member).await?;
            replica.stream.send(&replica::have(replica.number, &[], true)).await;
            Box::new(replica)
        }
        "want-before-hello" => {
            let mut replica = Replica::open(&mut attack.net, &mut attack.member).await?;
            replica.stream.send(&replica::want(replica.number, attack.member.founder().feed, None)).await;
            Box::new(replica)
        }
        "second-hello" => {
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            replica.stream.send(&replica::hello(replica::WINDOW)).await;
            Box::new(replica)
        }
        "other-version" => {
            let mut replica = Replica::open(&mut attack.net, &mut attack.member).await?;
            replica.send(Kind::Hello(Hello { version: 9, credit: replica::WINDOW })).await;
            Box::new(replica)
        }
        "small-window" => {
            let mut replica = Replica::open(&mut attack.net, &mut attack.member).await?;
            replica.stream.send(&replica::hello(1)).await;
            Box::new(replica)
        }
        "garbage-replication" => {
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            replica.stream.send_raw(&garbage()).await;
            Box::new(replica)
        }
        "garbage-door" => {
            let mut door = Door::open(&mut attack.net, nonce).await?;
            door.stream.send_raw(&garbage()).await;
            Box::new(door)
        }
        "garbage-invitation" => {
            let mut stream = attack.net.open(INVITATION).await?;
            stream.send_raw(&garbage()).await;
            stream.rest().await?;
            return Ok(done((attack.net, stream)));
        }
        "tags-before-hello" => {
            let mut stream = attack.net.open(DOOR).await?;
            stream.send(&door::tags(0, vec![7; 32].into())).await;
            Box::new(stream)
        }
        "second-door-hello" => {
            let mut door = Door::open(&mut attack.net, nonce).await?;
            door.stream.send(&door::hello(&nonce)).await;
            Box::new(door)
        }
        "short-nonce" => {
            let mut stream = attack.net.open(DOOR).await?;
            let hello = weft_wire::space::Hello { version: 1, nonce: vec![7; 31].into() };
            stream.send(&door::frame(weft_wire::space::frame::Kind::Hello(hello))).await;
            Box::new(stream)
        }
        "empty-door-frame" => {
            let mut door = Door::open(&mut attack.net, nonce).await?;
            door.stream.send_raw(&[0]).await;
            Box::new(door)
        }
        "replication-without-door" => {
            if let Ok(mut stream) = attack.net.open(REPLICATION).await {
                stream.send(&replica::hello(replica::WINDOW)).await;
                if !stream.rest().await?.is_empty() {
                    return Err("replication without a door".into());
                }
            }
            return Ok(done(attack.net));
        }
        "second-door" => {
            // Who opens again begins anew: of the doors only the newest stands.
            let mut door = Door::open(&mut attack.net, nonce).await?;
            for _ in 0..20 {
                let second = Door::open(&mut attack.net, attack.member.person.draws.draw32()).await?;
                if !door.stream.rest().await?.is_empty() {
                    return Err("two doors at once".into());
                }
                door = second;
            }
            return Ok(done((attack.net, door)));
        }
        _ => return Err(format!("no attack early/{what}").into()),
    };
    cut_off(attack.net).await
}
