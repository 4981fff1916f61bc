//! Known answers: `specs/vectors/echo`. `WEFT_REGENERATE=1 cargo test -p weft-echo` writes them.
#![allow(clippy::disallowed_methods, reason = "tests read and, when asked to, write the vector files")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use data_encoding::HEXLOWER as HEX;
use serde_json::{Value, json};
use weft_crypto::{DeviceKey, FeedId, FeedSecret, Manifest, ObjectId, Purpose, SpaceId};
use weft_echo::inspect::{Context, inspect};
use weft_echo::{Applied, Mutation, client_id, object_id};

use crate::update::{Clocks, block, deletes, inserts};
use crate::world::{Node, deliver_all, draws, entry, feed, op, past, register, space};

/// Compares with the kept file, or writes it.
fn keep(name: &str, vectors: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/vectors/echo/{name}.json"));
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, vectors, "{name}: the code gives other answers than the vectors");
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEX.encode(bytes.as_ref())
}

/// The name of an error's variant: what a reader in another language is told.
fn rule(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}").split(|letter: char| !letter.is_alphanumeric()).next().unwrap().to_owned()
}

/// Spec: ECHO-1.1, ECHO-1.2
#[test]
fn ids() {
    let places = [(feed(1), 0), (feed(1), 1), (feed(2), 1 << 40)];
    let objects = places.map(|(feed, seq)| {
        let object = object_id(&space(), &feed, seq);
        json!({"space": hex(space().as_bytes()), "feed": hex(feed.as_bytes()), "seq": seq.to_string(), "object": hex(object.as_bytes())})
    });
    let clients = places.map(|(feed, session)| {
        let client = client_id(&space(), &feed, session);
        assert!(client < 1 << 53);
        json!({"space": hex(space().as_bytes()), "feed": hex(feed.as_bytes()), "session": session.to_string(), "client": client.to_string()})
    });
    keep("ids", &json!({"objects": objects, "clients": clients}));
}

/// Two feeds that `protocols/peer/examples/collide.rs` has found: nothing but their generation differs.
///
/// Spec: ECHO-1.2
#[test]
fn two_feeds_that_an_attacker_has_found_share_a_client_id() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../specs/vectors/echo/collision.json");
    let vector: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let bytes = |key: &str| HEX.decode(vector[key].as_str().unwrap().as_bytes()).unwrap();
    let seed = |key: &str| <[u8; 32]>::try_from(bytes(key)).unwrap();
    let (space, secret) = (SpaceId::from_bytes(seed("space")), FeedSecret::from_seed(seed("feed_seed")));
    let feeds: Vec<FeedId> = (0..2)
        .map(|which| {
            let manifest = Manifest {
                version: Manifest::VERSION,
                space,
                device: DeviceKey::from_seed(seed("device_seed")).id(),
                feed_key: secret.id(),
                purpose: Purpose::Data,
                generation: vector["feeds"][which]["generation"].as_str().unwrap().parse().unwrap(),
            };
            assert_eq!(hex(manifest.id().as_bytes()), vector["feeds"][which]["feed"].as_str().unwrap());
            manifest.id()
        })
        .collect();
    assert_ne!(feeds[0], feeds[1]);
    for feed in &feeds {
        assert_eq!(client_id(&space, feed, 0).to_string(), vector["client"].as_str().unwrap());
        assert_ne!(client_id(&space, feed, 1).to_string(), vector["client"].as_str().unwrap());
    }
    assert_ne!(client_id(&space, &feeds[0], 1), client_id(&space, &feeds[1], 1), "the next number is free");
}

/// Spec: ECHO-2.1, ECHO-2.2, ECHO-2.3, ECHO-2.4
#[test]
fn mutations() {
    let object = Some(ObjectId::from_bytes([7; 32]));
    let base = Mutation { object, ..Mutation::default() };
    let set = |name: &str, value: &str| Mutation { registers: vec![register(name, value)], ..base.clone() };
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let cases = [
        ("makes an object", Mutation { type_name: "note".into(), ..Mutation::default() }),
        ("writes a property", set("name", "\"a\"")),
        ("removes a property", set("name", "")),
        ("32 levels", set("name", &deep(32))),
        ("deletes the object", Mutation { deleted: true, ..base.clone() }),
        ("makes an object without a type", Mutation::default()),
        ("changes nothing", base.clone()),
        ("a type on an object that exists", Mutation { type_name: "note".into(), ..set("a", "1") }),
        ("made and deleted", Mutation { type_name: "note".into(), deleted: true, ..Mutation::default() }),
        ("a control character in a name", set("a\u{85}b", "1")),
        ("no name", set("", "1")),
        ("33 levels", set("name", &deep(33))),
        ("two values", set("name", "1 2")),
        ("a number beyond doubles", set("name", "1e999")),
        ("a name twice", Mutation { registers: vec![register("a", "1"), register("a", "2")], ..base }),
    ];
    let cases = cases.map(|(what, mutation)| {
        let bytes = mutation.encode();
        let refused = Mutation::decode(&bytes).err().map(|malformed| rule(&malformed));
        json!({"what": what, "bytes": hex(&bytes), "refused": refused})
    });
    keep("mutations", &Value::from(cases.to_vec()));
}

/// Spec: ECHO-3.2, ECHO-3.3, ECHO-3.4, ECHO-3.5, ECHO-3.6, ECHO-3.7, ECHO-3.8, ECHO-3.9, ECHO-4.1
#[test]
fn updates() {
    let (me, bob) = (7, 11);
    let reached = Clocks(BTreeMap::from([(me, 10), (bob, 20)]));
    let one = |left, right| inserts(me, 10, &[block(left, right, "a😀")]);
    let kind = |info: u8| {
        let mut bytes = one(None, None);
        bytes[4] = info;
        bytes
    };
    let none = Vec::new;
    let cases = [
        ("into the empty text", one(None, None), none()),
        ("between two characters", one(Some((bob, 3)), Some((me, 9))), none()),
        (
            "deletes what was reached and what it inserts",
            one(None, None),
            deletes(&[(me, &[(0, 2), (10, 3)]), (bob, &[(0, 20)])]),
        ),
        ("another client", inserts(bob, 10, &[block(None, None, "a")]), none()),
        ("a client id of 2^53 + 7", inserts((1 << 53) + me, 10, &[block(None, None, "a")]), none()),
        ("a clock that was used", inserts(me, 9, &[block(None, None, "a")]), none()),
        ("a clock too far", inserts(me, 11, &[block(None, None, "a")]), none()),
        ("an origin outside the past", one(Some((bob, 20)), None), none()),
        ("a right origin of nobody", one(None, Some((12, 0))), none()),
        ("2^32 blocks", vec![1, 0xff, 0xff, 0xff, 0xff, 0x0f], none()),
        ("two clients", vec![2, 1], none()),
        ("a GC block", kind(0), none()),
        ("a Skip block", kind(10), none()),
        ("a JSON block", kind(2), none()),
        ("a Type block", kind(7), none()),
        ("a Doc block", kind(9), none()),
        ("deletes the future", none(), deletes(&[(bob, &[(0, 21)])])),
        ("deletes up to 2^31", none(), deletes(&[(bob, &[(0, 1 << 31)])])),
        ("deletions that overlap", none(), deletes(&[(bob, &[(0, 3), (2, 2)])])),
        ("deletions out of order", none(), deletes(&[(bob, &[(0, 1)]), (me, &[(0, 1)])])),
        ("a number with two spellings", vec![0x81, 0], none()),
        ("bytes after the end", [one(None, None), vec![0]].concat(), none()),
    ];
    let cases = cases.map(|(what, inserts, deletes)| {
        let judged = inspect(&inserts, &deletes, &Context { client: me, first_clock: 10, past: &reached });
        let end = judged.ok().map(|inspected| inspected.end_clock);
        json!({"what": what, "inserts": hex(inserts), "deletes": hex(deletes), "end_clock": end, "refused": judged.err().map(|r| rule(&r))})
    });
    let context = json!({"client": me, "first_clock": 10, "reached": {"7": 10, "11": 20}});
    keep("updates", &json!({"context": context, "cases": cases.to_vec()}));
}

/// Entries of three feeds, and what every node shows for them.
///
/// Spec: ECHO-3.1, ECHO-3.4, ECHO-4.3, ECHO-4.4, ECHO-5.1, ECHO-5.2, ECHO-6.1
#[test]
fn objects() {
    let mut alice = Node::new(1);
    let object = alice.create("note", vec![register("name", "\"first\"")], "hello");
    let mut bob = Node::new(2);
    bob.take(feed(1), alice.entries[0].clone());
    bob.typed(object, vec![op(5, 0, " wörld 😀"), op(0, 1, "H")]);
    alice.typed(object, vec![op(5, 0, "!")]);
    alice.set(object, "name", "\"alice's\"");
    bob.set(object, "name", "\"bob's\"");
    let (mallory, her) = (client_id(&space(), &feed(3), 0), client_id(&space(), &feed(1), 0));
    let update = |first, left, right| Mutation {
        object: Some(object),
        inserts: inserts(mallory, first, &[block(left, right, "xyz")]).into(),
        ..Mutation::default()
    };
    let hers = [
        update(0, Some((her, 0)), Some((her, 3))),
        update(3, Some((her, 5)), None),
        update(3, Some((mallory, 2)), None),
        update(6, Some((her, 4)), None),
    ];
    let seen = past(&[(feed(1), 1)]);
    let hers = hers.iter().enumerate().map(|(seq, mutation)| entry(feed(3), seq as u64, seen.clone(), mutation));
    let feeds = BTreeMap::from([(feed(1), alice.entries), (feed(2), bob.entries), (feed(3), hers.collect())]);
    let mut node = Node::new(250);
    deliver_all(&mut node, &feeds, &mut draws(1));
    let shown = node.object(&object).unwrap();
    let property = &shown.properties["name"];
    let quarantined =
        node.quarantined.iter().map(|((feed, seq), reason)| json!([hex(feed.as_bytes()), seq, reason.code()]));
    let vector = json!({
        "space": hex(space().as_bytes()),
        "entries": feeds.iter().flat_map(|(feed, entries)| entries.iter().map(|entry| shown_entry(feed, entry))).collect::<Vec<_>>(),
        "object": hex(object.as_bytes()),
        "text": node.text(&object),
        "name": String::from_utf8(property.value.clone().unwrap().to_vec()).unwrap(),
        "alternatives": property.alternatives.iter().map(|write| String::from_utf8(write.value.to_vec()).unwrap()).collect::<Vec<_>>(),
        "quarantined": quarantined.collect::<Vec<_>>(),
    });
    keep("objects", &vector);
}

fn shown_entry(feed: &FeedId, entry: &Applied) -> Value {
    let past: Vec<Value> = entry.past.iter().map(|(feed, length)| json!([hex(feed.as_bytes()), length])).collect();
    json!({
        "feed": hex(feed.as_bytes()), "seq": entry.seq, "entry": hex(entry.entry.as_bytes()), "past": past,
        "mutation": hex(entry.mutation.as_ref().unwrap()),
    })
}
