//! Known answers: `specs/vectors/space`. `WEFT_REGENERATE=1 cargo test -p weft-space` writes them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER as HEX;
use serde_json::{Value, json};
use weft_credential::{ControlBody, History, Role};
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
    keep_as(name, vectors, format!("{vectors:#}\n"));
}

fn keep_as(name: &str, vectors: &Value, spelt: String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/vectors/space/{name}.json"));
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, spelt).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, vectors, "{name}: the code gives other answers than the vectors");
}

/// A file of stories: bodies by number, since many stories begin alike, and each story with what it resolves to.
pub(crate) fn file(stories: impl IntoIterator<Item = (String, Value)>) -> Value {
    let (mut numbers, mut bodies, mut told) = (BTreeMap::new(), Vec::new(), serde_json::Map::new());
    for (name, mut story) in stories {
        for entry in story["entries"].as_array_mut().unwrap() {
            let body = entry["body"].as_str().unwrap().to_owned();
            let number = *numbers.entry(body.clone()).or_insert_with(|| {
                bodies.push(body);
                bodies.len() - 1
            });
            entry["body"] = number.into();
        }
        told.insert(name, story);
    }
    json!({ "bodies": bodies, "stories": told })
}

/// A line for each thing that is said.
fn spelt(file: &Value) -> String {
    let line = |value: &Value| value.to_string();
    let list = |value: &Value| match value.as_array() {
        Some(items) if !items.is_empty() => {
            format!("[\n    {}]", items.iter().map(line).collect::<Vec<_>>().join(",\n    "))
        }
        _ => line(value),
    };
    let story = |(name, story): (&String, &Value)| {
        let said = story.as_object().unwrap().iter().map(|(what, said)| format!("  {}:{}", json!(what), list(said)));
        format!("{}:{{\n{}}}", json!(name), said.collect::<Vec<_>>().join(",\n"))
    };
    let stories = file["stories"].as_object().unwrap().iter().map(story);
    format!(
        "{{\"bodies\":{},\n\"stories\":{{\n{}}}}}\n",
        list(&file["bodies"]),
        stories.collect::<Vec<_>>().join(",\n")
    )
}

fn hash(value: &Value) -> [u8; 32] {
    HEX.decode(value.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()
}

fn hex_past(past: &Past) -> Value {
    past.iter()
        .map(|(feed, length)| (HEX.encode(feed.as_bytes()), length.into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn read_past(past: &Value) -> Past {
    let seen = past.as_object().unwrap().iter();
    seen.map(|(feed, length)| (FeedId::from_bytes(hash(&feed.as_str().into())), length.as_u64().unwrap())).collect()
}

fn written(entry: &ControlEntry) -> Value {
    let body = match &entry.parts {
        Ok(parts) => ControlBody::new(parts.iter().map(|part| (**part).clone()).collect()).encode(),
        Err(_) => Bytes::from_static(b"\xff"),
    };
    json!({
        "feed": HEX.encode(entry.feed.as_bytes()),
        "seq": entry.seq,
        "id": HEX.encode(entry.id.as_bytes()),
        "past": hex_past(&entry.past),
        "body": HEX.encode(&body),
    })
}

/// What a story of a file says was written.
pub(crate) fn read(file: &Value, story: &Value) -> (SpaceId, Vec<ControlEntry>) {
    let space = SpaceId::from_bytes(hash(&story["space"]));
    let entries = story["entries"].as_array().unwrap().iter().map(|entry| {
        let body = file["bodies"][entry["body"].as_u64().unwrap() as usize].as_str().unwrap();
        let (feed, id) = (FeedId::from_bytes(hash(&entry["feed"])), EntryId::from_bytes(hash(&entry["id"])));
        let (seq, body) = (entry["seq"].as_u64().unwrap(), HEX.decode(body.as_bytes()).unwrap().into());
        ControlEntry::read(&space, feed, seq, id, read_past(&entry["past"]), &body)
    });
    (space, entries.collect())
}

/// Verdicts on data entries with bodies that a person could write now under an epoch: at the start, at its cuts, and past them.
fn asked(person: &Person, epoch: &EpochId) -> Option<Value> {
    let at = [0, person.written.saturating_sub(1), person.written, person.written + 3];
    Some(json!({
        "feed": HEX.encode(person.data?.as_bytes()), "epoch": HEX.encode(epoch.as_bytes()),
        "past": hex_past(&person.past()), "at": at,
    }))
}

/// What a set of entries resolves to. `data` says which data entries are asked about: it is given back with the answers.
pub(crate) fn answers(resolution: &Resolution, mut data: Vec<Value>) -> Value {
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
    for run in &mut data {
        let (feed, epoch) = (FeedId::from_bytes(hash(&run["feed"])), EpochId::from_bytes(hash(&run["epoch"])));
        let past = read_past(&run["past"]);
        let counts =
            |seq: &Value| resolution.verdict(&feed, seq.as_u64().unwrap(), Some(&epoch), &past) == Verdict::Counts;
        run["counts"] = run["at"].as_array().unwrap().iter().map(counts).collect();
    }
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
            json!({ "epoch": HEX.encode(epoch.id.as_bytes()), "depth": epoch.depth, "counts": epoch.counts, "writable": resolution.is_writable(&epoch.id) })
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
    let mut answers = json!({
        "members": members,
        "devices": devices,
        "data": data,
        "feeds": feeds,
        "void": void,
        "epochs": epochs,
        "write_stop": resolution.write_stop().map(|stop| stop.to_string()),
        "history": match resolution.history() {
            History::All => "all",
            History::FromJoining => "from joining",
        },
    });
    if !forks.is_empty() {
        answers["forks"] = forks.into();
    }
    answers
}

pub(crate) fn resolved(world: &World) -> Value {
    let epochs = || world.begun.iter().rev().take(2).chain([&world.epoch]);
    let data = world.people.iter().flat_map(|person| epochs().filter_map(|epoch| asked(person, epoch))).collect();
    let mut story = answers(&world.resolve(), data);
    story["space"] = HEX.encode(world.space.as_bytes()).into();
    story["entries"] = world.entries.iter().map(written).collect();
    story
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
    let told = [("founder, writer, reader", &joined), ("one link, two hosts", &contested)];
    keep_file("resolutions", &file(told.map(|(name, world)| (name.to_owned(), resolved(world)))));
}

fn keep_file(name: &str, file: &Value) {
    keep_as(name, file, spelt(file));
}

/// What takes rights away, one story a rule. Spec: SPACE-11, SPACE-12, SPACE-14
#[test]
fn stories() {
    keep_file("stories", &file(crate::stories::told().into_iter().map(|(name, world)| (name, resolved(&world)))));
}

/// Devices that let siblings in. Spec: SPACE-15
#[test]
fn devices() {
    let told = crate::siblings::told().into_iter();
    keep_file("devices", &file(told.map(|(name, world)| (name.to_owned(), resolved(&world)))));
}

/// Feeds with two histories. Spec: SPACE-16
#[test]
fn forks() {
    keep_file("forks", &file(crate::forks::told().into_iter().map(|(name, world)| (name, resolved(&world)))));
}

/// The vectors can be used without this code's builders: bytes in, answers out.
#[test]
fn vectors_are_read_back() {
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../specs/vectors/space");
    for name in ["resolutions", "stories", "forks", "devices"] {
        let kept: Value =
            serde_json::from_str(&fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap();
        for (name, story) in kept["stories"].as_object().unwrap() {
            let (space, entries) = read(&kept, story);
            let answers = answers(&resolve(&space, &entries), story["data"].as_array().unwrap().clone());
            for (what, answer) in answers.as_object().unwrap() {
                assert_eq!(&story[what], answer, "{name}: {what}");
            }
        }
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
