//! Every decoder of every protocol under a million seeded mutants of the vectors. Each must return, and keep its promises,
//! whatever it is given.
//!
//! `WEFT_MUTANTS` gives another number of mutants, `WEFT_MUTANTS_SEED` another seed: a failure names both.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test reads the vectors, and how many mutants it is to make")]

use std::{
    collections::BTreeSet,
    fs,
    panic::{self, AssertUnwindSafe},
    path::Path,
};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::Value;
use weft_crypto::{EntryId, FeedId, SpaceId};
use weft_echo::{Echo, Edit, EditTicket, Input, Me, Output, Written};
use weft_feed::Past;
use weft_machine::{ClaimedTime, Machine as _, Time, mutants::Mutants};
use weft_peer::fuzz::{DECODERS, Decoder};
use weft_wire::varint;

const MUTANTS: u64 = 1_000_000;

fn number(variable: &str, or: u64) -> u64 {
    std::env::var(variable).map_or(or, |number| number.parse().unwrap())
}

/// Puts every decoder whose name begins so under its mutants.
fn survives(protocol: &str) {
    let (count, seed) = (number("WEFT_MUTANTS", MUTANTS), number("WEFT_MUTANTS_SEED", 1));
    let decoders: Vec<&Decoder> = DECODERS.iter().filter(|decoder| decoder.name.starts_with(protocol)).collect();
    assert!(!decoders.is_empty(), "no decoder of {protocol}");
    for decoder in decoders {
        let corpus = corpus(decoder);
        assert!(corpus.len() >= 4, "{} has a corpus of {}", decoder.name, corpus.len());
        corpus.iter().for_each(|bytes| (decoder.run)(bytes));
        let mut mutants = Mutants::new(seed);
        for nth in 0..count {
            let mutant = mutants.next(&corpus);
            if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| (decoder.run)(mutant))) {
                eprintln!("{}: mutant {nth} of seed {seed}: {}", decoder.name, HEXLOWER.encode(mutant));
                panic::resume_unwind(panic);
            }
        }
    }
}

/// Real bytes for a decoder, from the vectors and in the shape that it reads.
fn corpus(decoder: &Decoder) -> Vec<Vec<u8>> {
    let vectors = strings(decoder.vectors);
    let split = |items: BTreeSet<Vec<u8>>| -> Vec<Vec<u8>> {
        // The first byte says where the rest is cut.
        items.into_iter().flat_map(|item| [0, 100, 255].map(|cut| [&[cut][..], &item].concat())).collect()
    };
    match decoder.name {
        "space door" => door(),
        "feed run" | "echo update" => split(vectors),
        "peer rows" => rows_of_a_peer(),
        "echo rows" => rows_of_echo(),
        "replication frames" => vectors.into_iter().map(framed).collect(),
        _ => vectors.into_iter().collect(),
    }
}

/// Every string of a folder of vectors: as bytes if it is hexadecimal, as text otherwise.
fn strings(folder: &str) -> BTreeSet<Vec<u8>> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/vectors");
    let folders = fs::read_dir(&all).unwrap().map(|entry| entry.unwrap().path());
    let mut found = BTreeSet::new();
    for folder in folders.filter(|path| folder == "*" || path.file_name().unwrap() == folder) {
        for file in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            gather(&serde_json::from_str(&text).unwrap(), &mut found);
        }
    }
    found
}

fn gather(value: &Value, found: &mut BTreeSet<Vec<u8>>) {
    match value {
        Value::String(text) if !text.is_empty() => {
            found.insert(HEXLOWER.decode(text.as_bytes()).unwrap_or_else(|_| text.clone().into_bytes()));
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| gather(value, found)),
        _ => {}
    }
}

fn framed(payload: Vec<u8>) -> Vec<u8> {
    let mut frame = Vec::new();
    varint::write(payload.len() as u64, &mut frame);
    frame.extend(payload);
    frame
}

/// The talk at a door, to either side, as `weft_space::fuzz::door` reads it.
fn door() -> Vec<Vec<u8>> {
    let mut frames = strings("space");
    frames.retain(|frame| {
        varint::read(frame).is_ok_and(|read| read.is_some_and(|(length, used)| used + length as usize == frame.len()))
    });
    let payloads: Vec<Vec<u8>> =
        frames.iter().map(|frame| frame[varint::read(frame).unwrap().unwrap().1..].to_vec()).collect();
    let with_length = |payload: &Vec<u8>| [&(payload.len() as u16).to_le_bytes()[..], payload].concat();
    let hello = payloads.iter().find(|payload| payload.first() == Some(&0x0a)).unwrap();
    let talks = payloads
        .iter()
        .flat_map(|payload| [0, 1].map(|side| [vec![side], with_length(hello), with_length(payload)].concat()));
    talks.collect()
}

/// Rows that a machine really derives: of an object with properties and text, folded and not.
fn rows_of_echo() -> Vec<Vec<u8>> {
    let me = Me { space: SpaceId::from_bytes([1; 32]), feed: FeedId::from_bytes([2; 32]), author: [3; 32] };
    let mut echo = Echo::new(weft_echo::Config::default(), me, 0, Vec::new());
    let register = weft_echo::Register { name: "name".into(), value: Bytes::from_static(b"\"today\"") };
    let text = Some("Hello from Alice.".to_owned());
    let edit = Edit::Create { type_name: "note".into(), registers: vec![register], text };
    let mut inputs = vec![Input::Edit { ticket: EditTicket(1), edit }];
    let (mut rows, mut seq) = (BTreeSet::new(), 0);
    while let Some(input) = inputs.pop() {
        echo.handle_input(Time::ZERO, input);
        while let Some(output) = echo.poll_output() {
            match output {
                Output::Derive(writes) => {
                    rows.extend(writes.into_iter().filter_map(|write| write.value).map(Vec::from))
                }
                Output::Write { ticket, .. } => {
                    let entry = EntryId::from_bytes([seq as u8; 32]);
                    let past = Past::new().into();
                    inputs.push(Input::Written(Written { ticket, seq, entry, claimed: ClaimedTime(0), past }));
                    seq += 1;
                }
                Output::Done { .. } => inputs.push(Input::Flush),
                _ => {}
            }
        }
    }
    rows.into_iter().collect()
}

/// Rows of each kind, the length of the key in front.
fn rows_of_a_peer() -> Vec<Vec<u8>> {
    let id = [7; 32];
    let head = strings("feed").into_iter().max_by_key(Vec::len).unwrap();
    let row = |key: Vec<u8>, value: Vec<u8>| [vec![key.len() as u8], key, value].concat();
    vec![
        row([b"c", &id[..]].concat(), [7_u64, 9, 12].iter().flat_map(|number| number.to_le_bytes()).collect()),
        row([b"p", &id[..], &[0; 8]].concat(), vec![1, 2, 3]),
        row([b"s", &id[..], &[0; 8]].concat(), Vec::new()),
        row(b"v".to_vec(), [7; 40].to_vec()),
        row([b"said/", &id[..]].concat(), b"notes".to_vec()),
        row([b"stopped/", &id[..]].concat(), head),
        row([b"space/", &id[..]].concat(), vec![7; 120]),
    ]
}

/// With `WEFT_CORPUS=DIR`: writes the corpus of each decoder there, for `cargo fuzz`. Without it, only makes it.
#[test]
fn write_corpus() {
    let folder = std::env::var_os("WEFT_CORPUS");
    for decoder in DECODERS {
        let corpus = corpus(decoder);
        assert!(!corpus.is_empty(), "{}", decoder.name);
        let Some(folder) = &folder else { continue };
        let folder = Path::new(folder).join(decoder.name.replace(' ', "-"));
        fs::create_dir_all(&folder).unwrap();
        for (number, bytes) in corpus.iter().enumerate() {
            fs::write(folder.join(number.to_string()), bytes).unwrap();
        }
    }
}

macro_rules! each {
    ($($test:ident: $protocol:literal;)*) => {
        $(#[test] fn $test() { survives($protocol); })*

        #[test]
        fn every_decoder_has_a_test() {
            let tested = [$($protocol),*];
            for decoder in DECODERS {
                assert!(tested.iter().any(|protocol| decoder.name.starts_with(protocol)), "{}", decoder.name);
            }
        }
    };
}

each! {
    wire_messages_survive: "wire";
    crypto_survives: "crypto";
    feeds_survive: "feed";
    credentials_survive: "credential";
    spaces_survive: "space";
    invitations_survive: "invitation";
    replication_survives: "replication";
    echo_survives: "echo";
    rows_of_the_peer_survive: "peer";
}
