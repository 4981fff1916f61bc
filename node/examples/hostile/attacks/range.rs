//! Ranges that are not what their head signs, or not what was asked for.

use bytes::Bytes;
use weft_crypto::{FeedSecret, Head, Root};
use weft_feed::kind;
use weft_wire::replication::{Range, frame::Kind};

use super::{Attack, Kept, cut_off};
use crate::{
    Failed,
    replica::{self, Replica},
    text,
};

/// Bytes of a body that makes ranges large.
const LARGE: usize = 1_000_000;

pub(super) async fn run(what: &str, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let member = &mut attack.member;
    let good = match what {
        "beyond-credit" | "incomplete" => {
            let deps = member.deps();
            let large = vec![0; LARGE];
            let entries = (0..4).map(|ahead| {
                member.sealed(ahead, kind::RECORD, &large, if ahead == 0 { deps.clone() } else { Vec::new() })
            });
            let entries = entries.collect();
            member.data.append(entries)?.remove(0)
        }
        _ => member.write(&text::note(member.client(&member.data_feed()), "spoilt", "spoilt"))?,
    };
    let feed = good.feed();
    replica.claim(good.head(), true).await;
    replica.wanted(feed).await?;
    let mut range = replica::range(replica.number, &good);
    let (length, byte_length, root) = (good.head().length, good.head().byte_length, good.head().root);
    match what {
        "wrong-root" => range.head = member.sign(length, byte_length, Root::from_bytes([7; 32])).encode(),
        "wrong-size" => range.head = member.sign(length, byte_length + 1, root).encode(),
        "foreign-signature" => {
            let key = FeedSecret::from_seed(member.person.draws.draw32());
            range.head = Head::sign(feed, length, byte_length, root, &key).encode();
        }
        "altered-body" => range.bodies = altered(&range.bodies, range.bodies.len() / 2),
        "altered-header" => range.headers = altered(&range.headers, range.headers.len() - 10),
        "cut-body" => range.bodies.truncate(range.bodies.len() - 1),
        "cut-headers" => range.headers.truncate(range.headers.len() - 1),
        "absent-nonsense" => range.absent = Bytes::from_static(&[0xff]),
        "absent-body" => (range.absent, range.bodies) = (Bytes::from_static(&[2]), Bytes::new()),
        "wrong-from" => range.from = 5,
        "unasked-feed" => range.feed = member.founder().feed.to_bytes(),
        "invented-feed" => range.feed = Bytes::copy_from_slice(&member.person.draws.draw32()),
        "other-head" => range.head = member.founder().encode(),
        "1e9-entries" => range.head = member.sign(1_000_000_000, byte_length, root).encode(),
        "2^60-entries" => range.head = member.sign(1 << 60, u64::MAX, root).encode(),
        "no-head" => range.head = Bytes::new(),
        "unknown-number" => range.space = 77,
        "bodies-unasked" => {
            replica.stream.send(&replica::bodies(&range, Bytes::from_static(b"body"))).await;
        }
        "bodies-too-many" => {
            let bodies = replica::bodies(&range, [&range.bodies[..], b"more"].concat().into());
            replica.send(Kind::Range(Range { inline: false, bodies: Bytes::new(), ..range.clone() })).await;
            replica.stream.send(&bodies).await;
        }
        "incomplete" => {
            let begun = Range { inline: false, bodies: Bytes::new(), ..range.clone() };
            replica.send(Kind::Range(begun)).await;
            // The next one begins where this one would end, and its bodies never came.
            range = Range { from: length, inline: false, bodies: Bytes::new(), ..range };
        }
        "beyond-credit" => {
            replica.send(Kind::Range(Range { inline: false, bodies: Bytes::new(), ..range.clone() })).await;
            for _ in 0..12 {
                replica.stream.send(&replica::bodies(&range, Bytes::from(vec![7; LARGE]))).await;
            }
        }
        _ => return Err(format!("no attack range/{what}").into()),
    }
    if !matches!(what, "bodies-unasked" | "bodies-too-many" | "beyond-credit") {
        replica.send(Kind::Range(range)).await;
    }
    cut_off(attack.net).await
}

fn altered(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes.into()
}
