//! Known answers: `specs/vectors/wire`. `WEFT_REGENERATE=1 cargo test -p weft-wire` writes them.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER as HEX;
use serde_json::{Value, json};
use weft_wire::{
    Bounded, DecodeError, decode,
    feed::{Dep, Head, Header, Manifest},
    replication::{Credit, Frame, Have, Hello, frame::Kind},
    space, varint,
};

/// Compares with the kept file, or writes it.
fn keep(name: &str, vectors: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/vectors/wire/{name}.json"));
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, vectors, "{name}: the code gives other answers than the vectors");
}

/// Spec: WIRE-1.1
#[test]
fn varints() {
    let values = [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 32, (1 << 63) - 1, u64::MAX];
    let good: Vec<_> = values
        .map(|value| {
            let mut bytes = Vec::new();
            varint::write(value, &mut bytes);
            json!({ "value": value.to_string(), "bytes": HEX.encode(&bytes) })
        })
        .into();
    let refused: Vec<_> = ["8000", "808000", "ffffffffffffffffff02", "80808080808080808080"]
        .map(|hex| {
            let error = varint::read(&HEX.decode(hex.as_bytes()).unwrap()).unwrap_err();
            json!({ "bytes": hex, "error": error.to_string() })
        })
        .into();
    keep("varints", &json!({ "varints": good, "refused": refused }));
}

fn case<M: Bounded + PartialEq + std::fmt::Debug>(name: &str, message: &M) -> Value {
    let bytes = Bytes::from(message.encode_to_vec());
    assert_eq!(decode::<M>(&bytes).as_ref(), Ok(message));
    json!({ "message": name, "bytes": HEX.encode(&bytes), "framed": HEX.encode(&weft_wire::frame::encode(message)) })
}

/// Spec: WIRE-2.1
#[test]
fn messages() {
    let b = |byte, len| Bytes::from(vec![byte; len]);
    let manifest =
        Manifest { version: 1, space: b(1, 32), device: b(2, 32), feed_key: b(3, 32), purpose: 2, generation: 300 };
    let head = Head { feed: b(1, 32), length: 7, byte_length: 1400, root: b(2, 32), signature: b(3, 64) };
    let header = Header {
        seq: 6,
        kind: 2,
        session: 0,
        epoch: b(4, 32),
        claimed_time: 1_700_000_000_000,
        deps: vec![Dep { feed: b(5, 32), length: 3, root: b(6, 32) }],
        body_hash: b(7, 32),
        body_len: 256,
    };
    let frame = |kind| Frame { kind: Some(kind) };
    let have =
        Have { space: 1025, holdings: [&[1; 32][..], &7u64.to_le_bytes(), &[2; 32]].concat().into(), complete: true };
    let door = space::Frame { kind: Some(space::frame::Kind::Hello(space::Hello { version: 1, nonce: b(9, 32) })) };
    let cases = [
        case("weft.feed.v1.Manifest", &manifest),
        case("weft.feed.v1.Head", &head),
        case("weft.feed.v1.Header", &header),
        case("weft.replication.v1.Frame", &frame(Kind::Hello(Hello { version: 1, credit: 4 << 20 }))),
        case("weft.replication.v1.Frame", &frame(Kind::Have(have))),
        case("weft.replication.v1.Frame", &frame(Kind::Credit(Credit { bytes: 65_536 }))),
        case("weft.space.v1.Frame", &door),
        case("weft.space.v1.Frame", &space::Frame { kind: Some(space::frame::Kind::Again(space::Again {})) }),
    ];
    keep("messages", &json!({ "messages": cases }));
}

fn refused(message: &str, hex: &str, found: &DecodeError) -> Value {
    json!({ "message": message, "bytes": hex, "error": found.to_string() })
}

/// The two inputs that keep quick-protobuf 0.8.1 out of this code base: decision record 0001.
#[test]
fn quick_protobuf() {
    // Without bounds checks the nested Hello steps past its own end, and a length of 2^64 - 13 brings it back: for ever.
    let endless = "0a0108001af3ffffffffffffffff01";
    assert_eq!(endless.len() / 2, 15);
    // The nested Hello ends behind the tag of `credit`; the value 0x7a outside it would be read as its credit, and a length
    // of 2^64 - 12 hides that. A signature over the five bytes 0801100710 would say nothing of a credit of 122.
    let outside = "0a0508011007107a0af4ffffffffffffffff01";
    assert_eq!(outside.len() / 2, 19);
    let decoded = |hex: &str| decode::<Frame>(&HEX.decode(hex.as_bytes()).unwrap().into()).unwrap_err();
    assert_eq!(decoded(endless), DecodeError::Truncated { field: 1 });
    assert_eq!(decoded(outside), DecodeError::Truncated { field: 2 });
    let cases = [
        refused("weft.replication.v1.Frame", endless, &decoded(endless)),
        refused("weft.replication.v1.Frame", outside, &decoded(outside)),
    ];
    keep("quick-protobuf", &json!({ "refused": cases }));
}

/// Spec: WIRE-3.1
#[test]
fn refusals() {
    let cases = [
        ("0a0501", "a length over the end"),
        ("0b", "a group"),
        ("0801", "bytes given as a number"),
        ("10011002", "a single field twice"),
        ("0a21000000000000000000000000000000000000000000000000000000000000000000", "an id of 33 bytes"),
        ("10", "a tag without a value"),
    ];
    let cases = cases.map(|(hex, why)| {
        let error = decode::<Dep>(&HEX.decode(hex.as_bytes()).unwrap().into()).unwrap_err();
        json!({ "message": "weft.feed.v1.Dep", "bytes": hex, "why": why, "error": error.to_string() })
    });
    keep("refused", &json!({ "refused": cases }));
}
