//! Known answers: `specs/vectors/space`. `WEFT_REGENERATE=1 cargo test -p weft-space` writes them.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER as HEX;
use serde_json::{Value, json};
use weft_credential::{ControlBody, Role};
use weft_crypto::{DeviceId, EntryId, EpochId, FeedId, SpaceId};
use weft_feed::Past;
use weft_machine::{Machine, Seed, Time};
use weft_space::{
    Config, ControlEntry, Resolution, Verdict,
    door::{Door, DoorSpace, Input, Output},
    resolve,
};
use zeroize::Zeroizing;

use crate::world::{ALICE, BOB, CAROL, DAVE, Person, World};

/// Compares with the kept file, or writes it.
fn keep(name: &str, vectors: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/vectors/space/{name}.json"));
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, vectors, "{name}: the code gives other answers than the vectors");
}

fn written(entry: &ControlEntry) -> Value {
    let body = match &entry.parts {
        Ok(parts) => ControlBody::new(parts.iter().map(|part| (**part).clone()).collect()).encode(),
        Err(_) => Bytes::from_static(b"\xff"),
    };
    let past: Vec<_> = entry
        .past
        .iter()
        .map(|(feed, length)| json!({ "feed": HEX.encode(feed.as_bytes()), "length": length }))
        .collect();
    json!({
        "feed": HEX.encode(entry.feed.as_bytes()),
        "seq": entry.seq,
        "id": HEX.encode(entry.id.as_bytes()),
        "past": past,
        "body": HEX.encode(&body),
    })
}

/// Verdicts on data entries with bodies that a person could write now: at the start, at its cuts, and past them.
fn judged(world: &World, resolution: &Resolution, person: &Person) -> Vec<Value> {
    let Some(feed) = person.data else { return Vec::new() };
    let past = person.past();
    let at = [0, person.written.saturating_sub(1), person.written, person.written + 3];
    let verdict = |seq| resolution.verdict(&feed, seq, Some(&world.epoch), &past) == Verdict::Counts;
    let seen: Vec<_> =
        past.iter().map(|(feed, length)| json!({ "feed": HEX.encode(feed.as_bytes()), "length": length })).collect();
    let entry = |seq| {
        json!({
            "feed": HEX.encode(feed.as_bytes()), "seq": seq, "epoch": HEX.encode(world.epoch.as_bytes()),
            "past": seen, "counts": verdict(seq),
        })
    };
    at.map(entry).to_vec()
}

pub(crate) fn resolved(world: &World) -> Value {
    let resolution = world.resolve();
    let members: Vec<_> = resolution
        .members()
        .into_iter()
        .map(|member| json!({ "identity": HEX.encode(member.identity.as_bytes()), "role": member.role.word() }))
        .collect();
    let feeds: Vec<_> = resolution
        .feeds()
        .map(|(id, feed)| {
            json!({ "feed": HEX.encode(id.as_bytes()), "counts": feed.counts, "stands": resolution.stands(&id) })
        })
        .collect();
    let members_devices = resolution.members().into_iter().flat_map(|member| member.devices);
    let mut devices: Vec<_> = members_devices.map(|device| HEX.encode(device.as_bytes())).collect();
    devices.sort();
    let data: Vec<_> = world.people.iter().flat_map(|person| judged(world, &resolution, person)).collect();
    let void: Vec<_> = resolution
        .void()
        .map(|(place, reason)| {
            json!({ "feed": HEX.encode(place.feed.as_bytes()), "seq": place.seq, "part": place.part, "reason": reason.to_string() })
        })
        .collect();
    let epochs: Vec<_> = resolution
        .epochs()
        .iter()
        .map(|epoch| {
            json!({ "epoch": HEX.encode(epoch.id.as_bytes()), "depth": epoch.depth, "writable": resolution.is_writable(&epoch.id) })
        })
        .collect();
    let forks: Vec<_> = resolution
        .feeds()
        .filter_map(|(id, _)| Some((id, resolution.fork(&id)?)))
        .map(|(id, fork)| {
            let kept = fork.kept.map(|kept| {
                json!({
                    "entry": HEX.encode(kept.entry.as_bytes()), "length": kept.head.length,
                    "root": HEX.encode(kept.head.root.as_bytes()), "by": HEX.encode(kept.by.as_bytes()),
                })
            });
            json!({ "feed": HEX.encode(id.as_bytes()), "common": fork.common, "kept": kept })
        })
        .collect();
    let mut resolved = json!({
        "space": HEX.encode(world.space.as_bytes()),
        "entries": world.entries.iter().map(written).collect::<Vec<_>>(),
        "members": members,
        "devices": devices,
        "data": data,
        "feeds": feeds,
        "void": void,
        "epochs": epochs,
        "write_stop": resolution.write_stop().map(|stop| stop.to_string()),
    });
    if !forks.is_empty() {
        resolved["forks"] = forks.into();
    }
    resolved
}

/// Spec: SPACE-3.
#[test]
fn resolutions() {
    let mut joined = World::new();
    joined.admit(BOB, Role::Writer);
    joined.admit(CAROL, Role::Reader);
    let mut contested = World::new();
    contested.admit(BOB, Role::Admin);
    let link = contested.invite(ALICE, Role::Writer, 1, u64::MAX);
    contested.hear(BOB, ALICE);
    contested.redeem(ALICE, &link, CAROL);
    contested.redeem(BOB, &link, DAVE);
    contested.write_bytes(BOB, Bytes::from_static(b"\xff"));
    keep(
        "resolutions",
        &json!({ "founder, writer, reader": resolved(&joined), "one link, two hosts": resolved(&contested) }),
    );
}

/// What takes rights away, one story a rule. Spec: SPACE-11, SPACE-12, SPACE-14
#[test]
fn stories() {
    keep("stories", &crate::stories::told().into_iter().map(|(name, world)| (name, resolved(&world))).collect());
}

/// Feeds with two histories. Spec: SPACE-16
#[test]
fn forks() {
    keep("forks", &crate::forks::told().into_iter().map(|(name, world)| (name, resolved(&world))).collect());
}

/// The vectors can be used without this code's builders: bytes in, members out.
#[test]
fn resolutions_are_read_back() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../specs/vectors/space/resolutions.json");
    let kept: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let hash =
        |value: &Value| -> [u8; 32] { HEX.decode(value.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap() };
    for story in kept.as_object().unwrap().values() {
        let space = SpaceId::from_bytes(hash(&story["space"]));
        let entries = story["entries"].as_array().unwrap().iter().map(|entry| {
            let past = entry["past"].as_array().unwrap().iter();
            let past: Past =
                past.map(|seen| (FeedId::from_bytes(hash(&seen["feed"])), seen["length"].as_u64().unwrap())).collect();
            let body = HEX.decode(entry["body"].as_str().unwrap().as_bytes()).unwrap();
            let (feed, id) = (FeedId::from_bytes(hash(&entry["feed"])), EntryId::from_bytes(hash(&entry["id"])));
            ControlEntry::read(&space, feed, entry["seq"].as_u64().unwrap(), id, past, &body.into())
        });
        let entries: Vec<_> = entries.collect();
        let members: Vec<_> = resolve(&space, &entries)
            .members()
            .into_iter()
            .map(|member| json!({ "identity": HEX.encode(member.identity.as_bytes()), "role": member.role.word() }))
            .collect();
        assert_eq!(story["members"].as_array().unwrap(), &members);
    }
}

/// Spec: SPACE-9.2.
#[test]
fn door() {
    let ids = [[1; 32], [2; 32]].map(DeviceId::from_bytes);
    let mut doors = [true, false].map(|opener| {
        let (me, peer) = if opener { (ids[0], ids[1]) } else { (ids[1], ids[0]) };
        Door::new(Config::default(), me, peer, opener, Seed::from_bytes([u8::from(opener) + 3; 32]))
    });
    let access = vec![(EpochId::from_bytes([5; 32]), Zeroizing::new([6; 32]))];
    let shared = DoorSpace { space: SpaceId::from_bytes([4; 32]), access, peer_is_current_device: true };
    for door in &mut doors {
        door.handle_input(Time::ZERO, Input::SpacesChanged(vec![shared.clone()]));
    }
    let mut frames = Vec::new();
    let mut number = None;
    for who in [0, 1, 0, 1, 0] {
        while let Some(output) = doors[who].poll_output() {
            match output {
                Output::Send(framed) => {
                    let mut decoder = weft_wire::frame::Decoder::new();
                    decoder.push(framed.clone());
                    let payload = decoder.next().unwrap().unwrap();
                    let from = ["opener", "acceptor"][who];
                    frames.push(json!({ "from": from, "frame": HEX.encode(&framed) }));
                    doors[1 - who].handle_input(Time::ZERO, Input::Received(payload));
                }
                Output::Opened { number: opened, .. } => {
                    assert!(number.is_none_or(|number| number == opened));
                    number = Some(opened);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    keep(
        "door",
        &json!({
            "opener": HEX.encode(ids[0].as_bytes()), "acceptor": HEX.encode(ids[1].as_bytes()),
            "epoch": HEX.encode(&[5; 32]), "access": HEX.encode(&[6; 32]),
            "frames": frames, "number": number.unwrap(),
        }),
    );
}
