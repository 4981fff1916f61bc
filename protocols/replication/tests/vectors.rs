//! Known answers: a whole exchange frame by frame, and payloads that must be refused. `WEFT_REGENERATE=1` writes them anew.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use serde_json::{Value, json};
use weft_crypto::Purpose::{Control, Data};
use weft_replication::{Config, Input};
use weft_wire::{
    frame::Decoder,
    replication::{self as wire, Frame, frame::Kind},
};

use crate::harness::{ALICE, BOB, World, describe, manifest};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &Value) -> Bytes {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The vectors of a file, and the same made now.
fn compare(name: &str, made: &Value) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../specs/vectors/replication").join(name);
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, serde_json::to_string_pretty(made).unwrap() + "\n").unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, made, "{name} says otherwise");
    kept
}

#[test]
fn the_exchange_is_the_one_that_the_vectors_show() {
    let mut world = World::new(Config::default());
    world.append(ALICE, Control, 1, 8);
    world.append(ALICE, Data, 2, 16);
    world.connect();
    let mut frames = Vec::new();
    loop {
        let mut moved = false;
        for (side, from) in [(ALICE, "alice"), (BOB, "bob")] {
            let mut decoder = Decoder::new();
            decoder.push(Bytes::copy_from_slice(&world.nodes[side].wire));
            while let Some(payload) = decoder.next().unwrap() {
                let frame = weft_wire::decode::<Frame>(&payload).unwrap();
                assert_eq!(prost::Message::encode_to_vec(&frame), payload, "read and written again it is the same");
                let kind = describe(&frame.kind.unwrap()).0;
                frames.push(json!({ "from": from, "kind": kind, "payload": hex(&payload) }));
            }
            moved |= world.deliver(side, usize::MAX);
        }
        for side in [ALICE, BOB] {
            moved |= world.read(side, 0) | world.work(side, 0) | world.persist(side);
        }
        if !moved {
            break;
        }
    }
    world.assert_level();
    let feeds: Vec<Value> = [(1, Control), (1, Data), (2, Control), (2, Data)]
        .map(|(author, purpose)| json!(hex(manifest(author, purpose).id().as_bytes())))
        .into();
    let what = "Alice holds one control entry and two records, Bob nothing; both doors gave the space number 1. Feeds: \
                control and data of Alice, of Bob.";
    compare("exchange.json", &json!({ "what": what, "feeds": feeds, "frames": frames }));
}

#[test]
fn what_must_be_refused_is_refused() {
    let feed = Bytes::copy_from_slice(manifest(1, Data).id().as_bytes());
    let id = |space| wire::Stop { space, feed: feed.clone() };
    let holding = |length: u64| [&feed[..], &length.to_le_bytes(), &[5; 32]].concat();
    let have = |holdings: Vec<u8>| Kind::Have(wire::Have { space: 1, holdings: holdings.into(), complete: true });
    let range = || wire::Range { space: 1, feed: feed.clone(), inline: true, ..Default::default() };
    let cases = [
        ("a feed id of 31 bytes", Kind::Stop(wire::Stop { space: 1, feed: feed.slice(1..) })),
        ("a second Hello", Kind::Hello(wire::Hello { version: 1, credit: 8 << 20 })),
        ("a number that no door gave", Kind::Stop(id(2))),
        ("half a holding", have(holding(1)[..36].to_vec())),
        ("a holding of length 0", have(holding(0))),
        (
            "a Want from 3 without its base",
            Kind::Want(wire::Want { space: 1, feed: feed.clone(), from: 3, ..Default::default() }),
        ),
        (
            "Refused without a Want",
            Kind::Refused(wire::Refused { space: 1, feed: feed.clone(), reason: 1, ..Default::default() }),
        ),
        ("credit that is not owed", Kind::Credit(wire::Credit { bytes: 1 })),
        ("a range that was not wanted", Kind::Range(range())),
        (
            "bodies of no range",
            Kind::Bodies(wire::Bodies { space: 1, feed: feed.clone(), from: 0, bodies: vec![0].into() }),
        ),
        ("a contradiction that is no head", Kind::Contradiction(wire::Contradiction { space: 1, head: Bytes::new() })),
    ];
    let sections = |payload: &Bytes| {
        let mut world = World::new(Config::default());
        world.connect();
        let hello = Kind::Hello(wire::Hello { version: 1, credit: 8 << 20 });
        world.input(BOB, Input::Received(prost::Message::encode_to_vec(&Frame { kind: Some(hello) }).into()));
        world.input(BOB, Input::Received(payload.clone()));
        world.nodes[BOB].violation.as_ref().map(|violation| violation.section())
    };
    let made: Vec<Value> = cases
        .into_iter()
        .map(|(why, kind)| {
            let payload: Bytes = prost::Message::encode_to_vec(&Frame { kind: Some(kind) }).into();
            json!({ "why": why, "payload": hex(&payload), "section": sections(&payload) })
        })
        .collect();
    let what =
        "Each payload comes after Hello, with number 1 open and nothing wanted. It is a violation of the section.";
    let kept = compare("refused.json", &json!({ "what": what, "refused": made }));
    for case in kept["refused"].as_array().unwrap() {
        assert_eq!(sections(&unhex(&case["payload"])), case["section"].as_str(), "{case}");
        assert!(case["section"].is_string(), "{case}");
    }
}
