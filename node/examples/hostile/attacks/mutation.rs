//! Entries that are signed, sealed and stored, and must change nothing. Each is followed by an honest one in the same feed.

use bytes::Bytes;
use serde_json::json;
use weft_credential::{ControlBody, Credential, InvitationIssued, Part, Role, Unknown};
use weft_crypto::{Dep, FeedId, InvitationSecret, ObjectId, Root};
use weft_feed::{NewEntry, kind};
use weft_machine::ClaimedTime;
use weft_wire::replication::frame::Kind;

use super::{Attack, Kept, done};
use crate::{Failed, member::Member, replica::Replica, say, text};

/// What of a mebibyte fits a body with all that is around it.
const NESTED: usize = (1 << 20) - (8 << 10);

pub(super) async fn run(what: &str, mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let node = attack.net.node();
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let member = &mut attack.member;
    if matches!(what, "invitation" | "critical") {
        let key = InvitationSecret::from_seed(member.person.draws.draw32()).id();
        let range = match what {
            // By one who may invite nobody.
            "invitation" => {
                let issued = InvitationIssued { key, role: Role::Owner, uses: 1, expires_ms: u64::MAX, approve: false };
                says(member, Credential::InvitationIssued(issued))?
            }
            _ => says(member, Credential::Unknown(Unknown { kind: 9_999, critical: true, content: Bytes::new() }))?,
        };
        replica.give(&range).await?;
        return Ok(done((attack.net, replica)));
    }
    let object: ObjectId = attack.object.ok_or("which object?")?.parse()?;
    let hosts = member.hosts_data(&node)?;
    let seen = seen(&mut replica, hosts).await?;
    let (mine, theirs) = (member.client(&member.data_feed()), member.client(&hosts));
    let nothing = Bytes::new();
    let mut deps = member.deps();
    deps.push(seen);
    let plaintext = match what {
        "foreign-client" => text::change(&object, text::inserts(theirs, 4, Some((theirs, 3)), "forged"), nothing),
        "foreign-client-again" => text::change(&object, text::inserts(theirs, 0, None, "forged"), nothing),
        "aliased-client" => {
            text::change(&object, text::inserts(mine + (1 << 53), 0, Some((theirs, 3)), "forged"), nothing)
        }
        "clock-ahead" => text::change(&object, text::inserts(mine, 7, Some((theirs, 3)), "forged"), nothing),
        "origin-ahead" => text::change(&object, text::inserts(mine, 0, Some((theirs, 999)), "forged"), nothing),
        "deletes-ahead" => text::change(&object, nothing, text::deletes(theirs, 0, 1_000_000)),
        "deletes-for-ever" => text::change(&object, nothing, text::deletes(theirs, 0, (1 << 31) - 1)),
        "deletes-overflow" => text::change(&object, nothing, text::deletes(theirs, (1 << 31) - 1, u64::from(u32::MAX))),
        "deletes-of-nobody" => text::change(&object, nothing, text::deletes(12_345, 0, 10)),
        "deletes-without-past" => {
            deps.pop();
            text::change(&object, nothing, text::deletes(theirs, 0, 1))
        }
        "clients-2^32" => text::change(&object, text::numbers(&[u64::from(u32::MAX), 1, mine, 0]).into(), nothing),
        "blocks-2^32" => text::change(&object, text::numbers(&[1, u64::from(u32::MAX), mine, 0]).into(), nothing),
        "ranges-2^32" => text::change(&object, nothing, text::numbers(&[1, theirs, u64::from(u32::MAX), 0, 1]).into()),
        // A GC block of 2^31 clocks takes six bytes.
        "gc-2^31" => text::change(&object, text::numbers(&[1, 1, mine, 0, 0, 1 << 31, 0]).into(), nothing),
        // A mebibyte of arrays in arrays, as a property, as much of it as a property may have, and as Yjs content.
        "nested-value" => text::property(&object, vec![b'['; NESTED]),
        "nested-64k" => text::property(&object, [vec![b'['; 32 << 10], vec![b']'; 32 << 10]].concat()),
        "nested-content" => {
            let any = [text::numbers(&[1, 1, mine, 0]), vec![8, 1, 4], b"body".to_vec(), vec![1], vec![0x75; NESTED]];
            text::change(&object, any.concat().into(), nothing)
        }
        "clients-200m" => {
            let claimed = [text::numbers(&[200_000_000, 1, mine, 0]), vec![0; NESTED]];
            text::change(&object, claimed.concat().into(), nothing)
        }
        "deleting-clients-200m" => {
            let claimed = [text::numbers(&[200_000_000]), vec![0; NESTED]];
            text::change(&object, nothing, claimed.concat().into())
        }
        "protobuf-0" | "protobuf-1" | "protobuf-groups" | "protobuf-messages" => {
            super::protobuf::vector(&what["protobuf-".len()..])?
        }
        "protobuf-inserts-0" | "protobuf-inserts-1" => {
            text::change(&object, super::protobuf::vector(&what["protobuf-inserts-".len()..])?.into(), nothing)
        }
        "protobuf-deletes-0" | "protobuf-deletes-1" => {
            text::change(&object, nothing, super::protobuf::vector(&what["protobuf-deletes-".len()..])?.into())
        }
        "unknown-object" => {
            text::change(&ObjectId::from_bytes([9; 32]), text::inserts(mine, 0, None, "forged"), nothing)
        }
        "no-mutation" => vec![0xff; 100],
        "writes" | "unsealed" | "without-control" | "dep-ahead" => {
            text::change(&object, text::inserts(mine, 0, Some((theirs, 3)), "forged"), nothing)
        }
        _ => return Err(format!("no attack mutation/{what}").into()),
    };
    let bad = match what {
        "unsealed" => {
            let entry = NewEntry { body: plaintext.into(), ..member.sealed(0, kind::MUTATION, b"", deps) };
            member.append(entry)?
        }
        "without-control" => member.write_after(&plaintext, vec![seen])?,
        _ => member.write_after(&plaintext, deps)?,
    };
    replica.give(&bad).await?;
    say(&json!({ "event": "gave", "seq": bad.from() }));
    if what == "without-control" {
        // What has no membership in its past says nothing, and neither does what follows it without.
        return Ok(done((attack.net, replica)));
    }
    give_note(&mut replica, member, "honest").await?;
    Ok(done((attack.net, replica)))
}

/// What the node holds of a feed, by its own word.
pub(crate) async fn seen(replica: &mut Replica, feed: FeedId) -> Result<Dep, Failed> {
    replica
        .until(|kind| match kind {
            Kind::Have(have) => {
                have.holdings.chunks_exact(72).find(|held| held[..32] == feed.as_bytes()[..]).map(|held| {
                    let length = u64::from_le_bytes(held[32..40].try_into().expect("cut to eight"));
                    Dep { feed, length, root: Root::from_bytes(held[40..].try_into().expect("cut to 32")) }
                })
            }
            _ => None,
        })
        .await
}

/// Makes an object, and waits until the node has stored it.
pub(super) async fn give_note(replica: &mut Replica, member: &mut Member, name: &str) -> Result<(), Failed> {
    let feed = member.data_feed();
    let range = member.write(&text::note(member.client(&feed), name, "an honest text"))?;
    replica.give(&range).await?;
    let object = weft_crypto::Hasher::new(weft_crypto::Context::OBJECT)
        .fixed(member.space.as_bytes())
        .fixed(feed.as_bytes())
        .u64(range.from())
        .finish();
    say(&json!({ "event": "wrote", "object": ObjectId::from_bytes(object).to_string() }));
    Ok(())
}

/// A control entry with one credential.
pub(crate) fn says(member: &mut Member, credential: Credential) -> Result<weft_feed::VerifiedRange, Failed> {
    let part = Part::new(member.space, credential);
    let deps = member.given.iter().map(weft_crypto::Head::dep).collect();
    let entry = NewEntry::control(ClaimedTime(0), deps, ControlBody::new(vec![part]).encode());
    Ok(member.control.append(vec![entry])?.remove(0))
}
