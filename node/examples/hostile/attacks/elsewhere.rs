//! Keys of another space, which the node holds too, in this one.

use bytes::Bytes;
use serde_json::json;
use weft_credential::Credential;
use weft_crypto::{Context, Head, seal::BodyKeys};
use weft_feed::{NewEntry, kind};
use weft_wire::replication::frame::Kind;

use super::{Attack, Kept, cut_off, done, mutation};
use crate::{
    Failed,
    door::{self, Door},
    replica::{self, Replica},
    say, text,
};

pub(super) async fn run(what: &str, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let mut other = attack.elsewhere.take().ok_or("a member of which other space?")?;
    if what == "door" {
        return door(&other, attack).await;
    }
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let member = &mut attack.member;
    let note = text::note(member.client(&member.data_feed()), "forged", "forged");
    match what {
        // A feed of the other space, under this one's number.
        "feed" => {
            let range = other.write(&note)?;
            replica.claim(range.head(), true).await;
            replica.send(Kind::Range(replica::range(replica.number, &range))).await;
            cut_off(attack.net).await
        }
        // A feed of this space whose head a key of the other one signed.
        "head" => {
            let good = member.write(&note)?;
            replica.claim(good.head(), true).await;
            replica.wanted(good.feed()).await?;
            let mut range = replica::range(replica.number, &good);
            let Head { length, byte_length, root, .. } = *good.head();
            range.head = other.sign_for(good.feed(), length, byte_length, root).encode();
            replica.send(Kind::Range(range)).await;
            cut_off(attack.net).await
        }
        // The other feed, admitted to this space.
        "manifest" => {
            let range = mutation::says(member, Credential::FeedAdmitted(other.signed_data()))?;
            replica.give(&range).await?;
            Ok(done((attack.net, replica)))
        }
        "body" | "epoch" => {
            let deps = member.deps();
            let entry = member.sealed(0, kind::MUTATION, &note, deps);
            let epoch = if what == "epoch" { other.epoch } else { member.epoch };
            let keys = BodyKeys::derive(&other.secrets.content, &member.space, &epoch, &member.data_feed());
            let body = keys.seal(0, kind::MUTATION, [7; 16], &note);
            let bad = member.append(NewEntry { body, epoch: Some(epoch), ..entry })?;
            replica.give(&bad).await?;
            say(&json!({ "event": "gave", "seq": bad.from() }));
            mutation::give_note(&mut replica, member, "honest").await?;
            Ok(done((attack.net, replica)))
        }
        _ => Err(format!("no attack elsewhere/{what}").into()),
    }
}

/// Proofs of the other space: under this one's epoch, and under its own for a device that is no member there.
async fn door(other: &crate::member::Member, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let nonce = attack.member.person.draws.draw32();
    let mut door = Door::open(&mut attack.net, nonce).await?;
    let (me, node) = (attack.member.person.device.id(), attack.net.node());
    for (round, epoch) in [(0, attack.member.epoch), (1, other.epoch)] {
        let tag = |context| {
            let ends = [(&me, &door.mine), (&node, &door.theirs)];
            door::tag(context, &other.secrets.access, ends, &epoch, round)
        };
        let (dial, answer) = (tag(Context::DOOR_DIAL), tag(Context::DOOR_LISTEN));
        let offered: Vec<u8> = std::iter::repeat_n(dial, 1 << round).flatten().collect();
        let answered = door.ask(round, Bytes::from(offered)).await?;
        if answered.chunks(door::TAG).any(|tag| tag == answer) {
            return Err("a key of another space opened the door".into());
        }
    }
    Ok(done((attack.net, door)))
}
