//! A space from its control feeds, as a host or a sibling hands them over: checked, and ready to be stored.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use weft_crypto::{FeedId, Head, Manifest, Purpose, SignedManifest, SpaceId};
use weft_feed::{Absent, Origin, Range, Run, Tree, VerifiedRange, verify_range};
use weft_invitation::Part;
use weft_space::compose::SpaceKeys;

use crate::{
    config::Config,
    me::Me,
    room::{Room, enter::Entering, newcomers::Newcomers, sessions::FIRST_SESSION},
    store::{OpenedFeed, Write},
};

/// A control feed as it was given.
struct Given {
    manifest: Manifest,
    signed: Bytes,
    tree: Tree,
    head: Option<Head>,
    ranges: Vec<Arc<VerifiedRange>>,
}

/// The room that parts make, and what has to be stored of it. This device is in it, holds a key of it, and every feed belongs there.
///
/// # Errors
/// What is wrong with what was given.
pub(crate) fn room_of(
    me: Arc<Me>,
    config: Arc<Config>,
    space: SpaceId,
    keys: SpaceKeys,
    parts: Vec<Part>,
    said_name: Option<String>,
) -> Result<(Room, Vec<Write>), String> {
    let (mut feeds, mut control, mut ranges) = (Vec::new(), Vec::new(), Vec::new());
    for (feed, given) in verified(space, parts)? {
        feeds.push(OpenedFeed { feed, space, manifest: given.signed, tree: given.tree, head: given.head });
        control.push((feed, given.ranges.iter().flat_map(|range| range.runs().to_vec()).collect::<Vec<Run>>()));
        ranges.extend(given.ranges.into_iter().map(Write::Range));
    }
    let entering = Entering {
        space,
        keys,
        feeds,
        control,
        cursors: Vec::new(),
        stopped: Vec::new(),
        profile_said: false,
        sessions: FIRST_SESSION,
        drafts: Vec::new(),
        said_name,
        unsure: None,
        newcomers: Newcomers::default(),
        pre_keys: None,
    };
    let room = Room::enter(me, config, entering).map_err(|error| error.to_string())?;
    let status = room.membership.resolution().device(&room.me.device.id());
    let mine = status.is_some_and(|status| status.identity == room.me.identity);
    if !mine || !room.ledger.iter().all(|(_, entry)| entry.admitted) {
        return Err("what it gave does not admit this device and the feeds in it".into());
    }
    if room.keys.access(room.membership.resolution()).is_empty() {
        return Err("it gave no key that opens the space".into());
    }
    let feeds = room.ledger.iter();
    let mut writes: Vec<Write> =
        feeds.map(|(feed, entry)| Write::Feed { feed: *feed, space, manifest: entry.signed.clone() }).collect();
    writes.append(&mut ranges);
    Ok((room, writes))
}

/// Checks every part against its feed's key.
fn verified(space: SpaceId, parts: Vec<Part>) -> Result<BTreeMap<FeedId, Given>, String> {
    let mut feeds: BTreeMap<FeedId, Given> = BTreeMap::new();
    for part in parts {
        let signed = SignedManifest::decode(&part.manifest).map_err(|e| e.to_string())?;
        let manifest = signed.verify().map_err(|e| e.to_string())?.into_inner();
        if manifest.space != space || manifest.purpose != Purpose::Control {
            return Err("a feed of another space or kind".into());
        }
        let given = feeds.entry(manifest.id()).or_insert_with(|| Given {
            manifest,
            signed: part.manifest.clone(),
            tree: Tree::new(),
            head: None,
            ranges: Vec::new(),
        });
        let range = Range {
            from: part.from,
            head: Head::decode(&part.head).map_err(|e| e.to_string())?,
            headers: part.headers,
            bodies: vec![part.bodies],
            absent: Absent::NONE,
        };
        let range = verify_range(&given.tree, &Origin::of(&given.manifest), &range).map_err(|e| e.to_string())?;
        given.tree = range.tree().clone();
        given.head = Some(*range.head());
        given.ranges.push(Arc::new(range));
    }
    Ok(feeds)
}
