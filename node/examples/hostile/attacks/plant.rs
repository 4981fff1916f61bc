//! Strings that deceive the eye, in every field that a member can write and others are shown.

use serde_json::json;
use weft_crypto::ObjectId;
use weft_feed::kind;
use weft_wire::replication::{Refused, frame::Kind};

use super::{Attack, Kept, done, mutation};
use crate::{Failed, replica::Replica, say, text};

/// Objects of these types: an ordinary one, a file, those that name members and spaces, and one with such a type.
const TYPES: [&str; 4] = ["note", "file", "weft.profile", "weft.space"];
/// The path of one more file, which leaves no folder: only the eye is deceived.
const PATH: &str = "a\u{202e}/b\u{1b}[2J.md";

pub(super) async fn run(mut attack: Attack<'_>) -> Result<Kept, Failed> {
    let node = attack.net.node();
    let mut replica = Replica::greet(&mut attack.net, &mut attack.member).await?;
    let member = &mut attack.member;
    let feed = member.data_feed();
    let device = member.person.device.id().to_string();
    let client = member.client(&feed);
    let misleading = text::misleading("type");
    let types = TYPES.into_iter().chain([misleading.as_str()]);
    let objects = types.map(|type_name| text::deceiving_object(client, type_name, &device));
    let mut made = Vec::new();
    for object in objects.chain([text::file(client, PATH)]) {
        let range = member.write(&object)?;
        replica.give(&range).await?;
        let object = weft_crypto::Hasher::new(weft_crypto::Context::OBJECT)
            .fixed(member.space.as_bytes())
            .fixed(feed.as_bytes())
            .u64(range.from())
            .finish();
        made.push(ObjectId::from_bytes(object).to_string());
    }
    let record = member.sealed(0, kind::RECORD, text::deceiving("record").as_bytes(), Vec::new());
    let range = member.append(record)?;
    replica.give(&range).await?;
    // A register whose name has a control character: refused, and the reason says which.
    let range = member.write(&text::named(&text::deceiving("bad")))?;
    replica.give(&range).await?;
    say(&json!({ "event": "gave", "seq": range.from() }));
    // It claims more of the node's own feed than there is, and refuses it by a rule of its own.
    let hosts = member.hosts_data(&node)?;
    let claim = [(hosts, 1 << 40, weft_crypto::Root::from_bytes([7; 32]))];
    replica.stream.send(&crate::replica::have(replica.number, &claim, true)).await;
    let want = replica.wanted(hosts).await?;
    let rule = text::deceiving("RULE-1");
    let refused = Refused { space: want.space, feed: want.feed.clone(), from: want.from, reason: 3, rule };
    replica.send(Kind::Refused(refused)).await;
    mutation::give_note(&mut replica, member, "honest").await?;
    say(&json!({ "event": "made", "objects": made }));
    Ok(done((attack.net, replica)))
}
