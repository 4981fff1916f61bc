//! Lengths and counts that are claimed and never come, and answers that are asked for and never read.

use std::time::Duration;

use weft_crypto::{FeedId, Root};
use weft_wire::{
    replication::{Want, frame::Kind},
    varint,
};

use super::{Attack, Kept, cut_off, done};
use crate::{
    Failed,
    door::Door,
    net::PROTOCOLS,
    replica::{self, Replica},
};

/// 4 GiB.
const LONG: u64 = 1 << 32;
/// How long a stream may take no more before that is the node's answer.
const STUCK: Duration = Duration::from_secs(2);

pub(super) async fn run(what: &str, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    match what {
        "holding" | "holding-data" => holding(what == "holding-data", attack).await,
        "claims" => {
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            for page in 0..5 {
                let holding = |n: u32| (numbered(page << 16 | n), 1 << 60, Root::from_bytes([7; 32]));
                let holdings: Vec<_> = (0..16_384).map(holding).collect();
                replica.stream.send(&replica::have(replica.number, &holdings, false)).await;
            }
            cut_off(attack.net).await
        }
        "page" => {
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            let holdings: Vec<_> = (0..16_385).map(|n| (numbered(n), 1, Root::from_bytes([7; 32]))).collect();
            replica.stream.send(&replica::have(replica.number, &holdings, true)).await;
            cut_off(attack.net).await
        }
        "early" => {
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            for number in 1..3_000 {
                replica.stream.send(&replica::have(number, &[], true)).await;
            }
            cut_off(attack.net).await
        }
        "door-frame" => {
            let nonce = attack.member.person.draws.draw32();
            let mut door = Door::open(&mut attack.net, nonce).await?;
            door.stream.send_raw(&length(LONG)).await;
            cut_off(attack.net).await
        }
        "replication-frame" => {
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            replica.stream.send_raw(&length(LONG)).await;
            cut_off(attack.net).await
        }
        "over-2-mib" => {
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            replica.stream.send_raw(&length((2 << 20) + 1)).await;
            cut_off(attack.net).await
        }
        "endless-length" => {
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            replica.stream.send_raw(&[0xff; 64]).await;
            cut_off(attack.net).await
        }
        "fields" => {
            // 100,000 times the field `hello`, empty.
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            let fields = [0x0a, 0].repeat(100_000);
            replica.stream.send_raw(&[length(fields.len() as u64), fields].concat()).await;
            cut_off(attack.net).await
        }
        "tags" => {
            let nonce = attack.member.person.draws.draw32();
            let mut door = Door::open(&mut attack.net, nonce).await?;
            door.stream.send(&crate::door::tags(0, vec![7; 2048 * 32].into())).await;
            cut_off(attack.net).await
        }
        "field-length" => {
            // A field that says it has 2^63 bytes.
            let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
            let field = [vec![0x12], length(1 << 63)].concat();
            replica.stream.send_raw(&[length(field.len() as u64), field].concat()).await;
            cut_off(attack.net).await
        }
        "trickle" => trickle(attack).await,
        "unread" => unread(attack).await,
        _ => Err(format!("no attack huge/{what}").into()),
    }
}

fn length(bytes: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint::write(bytes, &mut out);
    out
}

fn numbered(n: u32) -> FeedId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&n.to_be_bytes());
    FeedId::from_bytes(id)
}

/// Claims to hold 2^60 entries of one of the node's own feeds, and has none when asked.
async fn holding(data: bool, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let node = attack.net.node();
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let feed = if data { attack.member.hosts_data(&node)? } else { attack.member.founder().feed };
    let claim = [(feed, 1 << 60, Root::from_bytes([7; 32]))];
    replica.stream.send(&replica::have(replica.number, &claim, true)).await;
    let want = replica.wanted(feed).await?;
    replica.refuse(&want, 1).await;
    Ok(done((attack.net, replica)))
}

/// Says on every protocol that a largest frame follows, and sends a little of it.
async fn trickle(mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let mut streams = Vec::new();
    for protocol in PROTOCOLS {
        // The node may refuse a second stream of a kind; then there is nothing to trickle on.
        if let Ok(mut stream) = attack.net.open(protocol).await {
            stream.send_raw(&[length(2 << 20), vec![0; 10]].concat()).await;
            streams.push(stream);
        }
    }
    Ok(done((attack.net, replica, streams)))
}

/// Offers a window without end, wants everything, asks for what is not there as fast as it can, and reads none of the answers.
async fn unread(mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut replica = Replica::open(&mut attack.net, &mut attack.member).await?;
    replica.stream.send(&replica::hello(u64::MAX)).await;
    let number = replica.number;
    for head in &attack.member.given {
        replica.stream.send(&replica::want(number, head.feed, None)).await;
    }
    let mut wants = Vec::new();
    for n in 0..1_000 {
        let want = Want { space: number, feed: numbered(n).to_bytes(), ..Want::default() };
        wants.extend_from_slice(&weft_wire::frame::encode(&replica::frame(Kind::Want(want))));
    }
    for _ in 0..600 {
        if !replica.stream.offer(&wants, STUCK).await {
            break;
        }
    }
    cut_off(attack.net).await
}
