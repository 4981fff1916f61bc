//! Known answers: `specs/vectors/feed`. `WEFT_REGENERATE=1 cargo test -p weft-feed` writes them.
//!
//! Each file is made again and compared, and then read back by itself: what it says is valid verifies, and what it says is
//! refused is refused for the reason that it says.
#![allow(clippy::disallowed_methods, reason = "tests read and, when asked to, write the vector files")]

use std::{fs, path::PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER as HEX;
use serde_json::{Value, json};
use weft_crypto::{Dep, EpochId, FeedId, FeedKey, Head, Manifest, Purpose, Root};
use weft_feed::{
    Absent, Header, HeaderError, NewEntry, Origin, Range, Tree, VerifiedRange, Violation, body_hash, entry_id, kind,
    leaf,
    proof::{BlockProof, ConsistencyProof, ForkProof, Nodes, ProofError},
    verify_range,
};
use weft_machine::ClaimedTime;

use crate::authors::{Author, author, control, forge_headers, header, record, secret};

/// What a dishonest sender does to something.
type Change<'a, T> = &'a dyn Fn(&mut T);

/// Compares with the kept file, or writes it; gives what is kept.
fn keep(name: &str, vectors: &Value) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/vectors/feed/{name}.json"));
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, vectors, "{name}: the code gives other answers than the vectors");
    kept
}

fn hex(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(HEX.encode(bytes.as_ref()))
}

fn unhex(value: &Value) -> Bytes {
    HEX.decode(value.as_str().unwrap().as_bytes()).unwrap().into()
}

fn hash(value: &Value) -> [u8; 32] {
    unhex(value).as_ref().try_into().unwrap()
}

/// The name of an error's variant: what a reader in another language is told.
fn rule(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}").split(|letter: char| !letter.is_alphanumeric()).next().unwrap().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

fn deps() -> Vec<Dep> {
    let dep =
        |byte, length| Dep { feed: FeedId::from_bytes([byte; 32]), length, root: Root::from_bytes([byte + 1; 32]) };
    vec![dep(0x10, 1), dep(0x20, 300), dep(0x30, 1 << 42)]
}

fn header_json(header: &Header) -> Value {
    let dep = |dep: &Dep| json!({ "feed": hex(dep.feed), "length": dep.length.to_string(), "root": hex(dep.root) });
    json!({
        "seq": header.seq.to_string(),
        "kind": header.kind,
        "session": header.session.to_string(),
        "epoch": header.epoch.map(hex),
        "claimed_time": header.claimed.0.to_string(),
        "deps": header.deps.iter().map(dep).collect::<Vec<_>>(),
        "body_hash": hex(header.body_hash),
        "body_len": header.body_len.to_string(),
    })
}

fn header_from(value: &Value) -> Header {
    let dep = |dep: &Value| Dep {
        feed: FeedId::from_bytes(hash(&dep["feed"])),
        length: number(&dep["length"]),
        root: Root::from_bytes(hash(&dep["root"])),
    };
    Header {
        seq: number(&value["seq"]),
        kind: value["kind"].as_u64().unwrap() as u32,
        session: number(&value["session"]),
        epoch: (!value["epoch"].is_null()).then(|| EpochId::from_bytes(hash(&value["epoch"]))),
        claimed: ClaimedTime(number(&value["claimed_time"])),
        deps: list(&value["deps"]).iter().map(dep).collect(),
        body_hash: hash(&value["body_hash"]),
        body_len: number(&value["body_len"]),
    }
}

/// Spec: FEED-1.1, FEED-2.1, FEED-2.2, FEED-2.5, FEED-3.1
#[test]
fn headers() {
    let feed = FeedId::from_bytes([0xfe; 32]);
    let body = b"a body as stored";
    let good = [
        ("record", header(0, body)),
        ("mutation of a session", Header { kind: kind::MUTATION, session: 65_535, ..header(127, body) }),
        ("deps", Header { deps: deps(), ..header(128, body) }),
        ("control", Header { kind: kind::CONTROL, epoch: None, ..header(16_384, body) }),
        ("merge", Header { kind: kind::MERGE, epoch: None, deps: deps(), ..header(5, b"") }),
        ("empty body", header((1 << 42) - 1, b"")),
        ("no claimed time", Header { claimed: ClaimedTime(0), ..header(1, body) }),
    ]
    .map(|(name, header)| {
        let bytes = header.encode();
        let leaf = leaf(&bytes);
        json!({
            "name": name,
            "fields": header_json(&header),
            "bytes": hex(&bytes),
            "leaf": hex(leaf),
            "entry_id": hex(entry_id(&feed, header.seq, &leaf)),
        })
    });
    let whole = Header { deps: deps(), session: 3, ..header(300, body) }.encode();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.to_vec();
        change(&mut bytes);
        bytes
    };
    let refused = [
        ("a field after the last one", with(&|bytes| bytes.extend_from_slice(&[0x48, 1]))),
        ("a field twice", with(&|bytes| bytes.extend_from_slice(&[0x40, 1]))),
        ("a number longer than needed", with(&|bytes| drop(bytes.splice(1..3, [0xac, 0x82, 0x00])))),
        ("a default written out", with(&|bytes| drop(bytes.splice(1..3, [0])))),
        ("fields out of order", with(&|bytes| bytes[..5].rotate_left(3))),
        ("cut short", with(&|bytes| bytes.truncate(40))),
        ("no body hash", with(&|bytes| bytes.truncate(bytes.len() - 36))),
        ("an unknown kind", Header { kind: 9, ..header(0, body) }.encode().to_vec()),
        ("a record without an epoch", Header { epoch: None, ..header(0, body) }.encode().to_vec()),
        ("a control entry with an epoch", Header { kind: kind::CONTROL, ..header(0, body) }.encode().to_vec()),
        ("a merge with a body", Header { kind: kind::MERGE, epoch: None, ..header(0, body) }.encode().to_vec()),
        ("a body too large", Header { body_len: (1 << 20) + 1, ..header(0, body) }.encode().to_vec()),
        ("a sequence number too large", header(1 << 42, body).encode().to_vec()),
        ("deps out of order", Header { deps: deps().into_iter().rev().collect(), ..header(0, body) }.encode().to_vec()),
        ("one feed twice in deps", Header { deps: vec![deps()[0]; 2], ..header(0, body) }.encode().to_vec()),
        (
            "a dep of length 0",
            Header { deps: vec![Dep { length: 0, ..deps()[0] }], ..header(0, body) }.encode().to_vec(),
        ),
    ]
    .map(|(name, bytes)| {
        let error: HeaderError = Header::decode(&bytes).unwrap_err();
        json!({ "name": name, "bytes": hex(&bytes), "refused": rule(&error) })
    });
    let bodies = [&b""[..], body].map(|body| json!({ "body": hex(body), "hash": hex(body_hash(body)) }));
    let kept = keep("headers", &json!({ "feed": hex(feed), "bodies": bodies, "headers": good, "refused": refused }));

    for case in list(&kept["headers"]) {
        let header = Header::decode(&unhex(&case["bytes"])).unwrap();
        assert_eq!(header, header_from(&case["fields"]), "{}", case["name"]);
        assert_eq!(header.encode(), unhex(&case["bytes"]));
    }
    for case in list(&kept["refused"]) {
        let error = Header::decode(&unhex(&case["bytes"])).unwrap_err();
        assert_eq!(rule(&error), case["refused"], "{}", case["name"]);
    }
}

/// Spec: FEED-3.2, FEED-3.3, FEED-3.4
#[test]
fn trees() {
    let mut tree = Tree::new();
    let mut trees = vec![];
    for length in 0..=520u64 {
        if length <= 17 || [255, 256, 257, 520].contains(&length) {
            trees.push(json!({
                "length": length,
                "byte_length": tree.byte_length(),
                "root": hex(tree.root()),
                "stored": hex(tree.encode()),
            }));
        }
        tree.push(leaf(&length.to_le_bytes()), 8 + length);
    }
    let says = "the leaf of entry n is that of n as eight bytes, and its size 8 + n";
    let kept = keep("trees", &json!({ "leaves": says, "trees": trees }));
    for case in list(&kept["trees"]) {
        let tree = Tree::decode(&unhex(&case["stored"])).unwrap();
        assert_eq!(
            (tree.length(), tree.byte_length()),
            (case["length"].as_u64().unwrap(), case["byte_length"].as_u64().unwrap())
        );
        assert_eq!(hex(tree.root()), case["root"]);
    }
}

fn range_json(range: &Range) -> Value {
    json!({
        "from": range.from,
        "head": hex(range.head.encode()),
        "headers": hex(&range.headers),
        "bodies": hex(range.bodies.concat()),
        "absent": hex(range.absent.to_bits()),
    })
}

/// What verification of a range in the file says, on top of what was verified before.
fn verify(tree: &Tree, origin: &Origin, value: &Value) -> Result<VerifiedRange, Violation> {
    let head = Head::decode(&unhex(&value["head"])).unwrap();
    let from = value["from"].as_u64().unwrap();
    let count = u32::try_from(head.length.saturating_sub(from)).unwrap_or(256).min(256);
    let range = Range {
        from,
        head,
        headers: unhex(&value["headers"]),
        bodies: vec![unhex(&value["bodies"])],
        absent: Absent::from_bits(&unhex(&value["absent"]), count)?,
    };
    verify_range(tree, origin, &range)
}

fn entries() -> Vec<NewEntry> {
    let merge = NewEntry::merge(ClaimedTime(5), deps());
    let newer = vec![Dep { length: 301, ..deps()[1] }];
    vec![record(vec![], "one"), merge, record(newer, ""), record(vec![], "four"), record(vec![], vec![4; 300])]
}

/// Spec: FEED-4.2, FEED-4.3, FEED-5.1
#[test]
fn ranges() {
    let mut alice = author(1, Purpose::Data);
    let first = alice.write(entries());
    let after_first = alice.writer.checkpoint().tree;
    let second = alice.write(vec![record(vec![], "six"), record(vec![], "seven")]);
    let erased = Range::from_runs(*first.head(), &[first.runs()[0].erase(3).unwrap()]);
    let mut control_author = author(1, Purpose::Control);
    let genesis = control_author.write(vec![control(vec![], "genesis")]);

    let honest = first.to_range();
    let changed = |change: &dyn Fn(&mut Range)| {
        let mut range = honest.clone();
        change(&mut range);
        range
    };
    let flip = |bytes: &Bytes, at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x80;
        Bytes::from(bytes)
    };
    let mallory = secret(50, Purpose::Data);
    let stray = |head: &Head| Head::sign(head.feed, head.length, head.byte_length, head.root, &mallory);
    let own = Header { deps: vec![Dep { feed: alice.feed(), ..deps()[0] }], ..header(0, b"x") };
    let two = [header(0, b"x"), header(2, b"x")];
    let mut absent_control = genesis.to_range();
    absent_control.absent.insert(0);
    absent_control.bodies.clear();
    let refused = [
        ("data", "a changed body", changed(&|range| range.bodies[0] = flip(&range.bodies[0], 0))),
        ("data", "a body cut", changed(&|range| range.bodies[0].truncate(100))),
        ("data", "bodies missing", changed(&|range| range.bodies[0].truncate(3))),
        ("data", "bytes after the bodies", changed(&|range| range.bodies.push("x".into()))),
        ("data", "a changed header", changed(&|range| range.headers = flip(&range.headers, range.headers.len() - 10))),
        ("data", "headers cut", changed(&|range| range.headers.truncate(range.headers.len() - 1))),
        ("data", "a head of a longer feed", changed(&|range| range.head.length += 1)),
        ("data", "a head of a shorter feed", changed(&|range| range.head.length -= 1)),
        ("data", "a huge length", changed(&|range| range.head.length = u64::MAX)),
        ("data", "another byte length", changed(&|range| range.head.byte_length += 1)),
        ("data", "another root", changed(&|range| range.head.root = deps()[0].root)),
        ("data", "another signer", changed(&|range| range.head = stray(&range.head))),
        ("data", "another feed", changed(&|range| range.head.feed = control_author.feed())),
        ("data", "a gap", second.to_range()),
        ("data", "a wrong place, signed", forge_headers(&alice, &two, &[b"x", b"x"])),
        ("data", "a dep on itself, signed", forge_headers(&alice, &[own], &[b"x"])),
        ("data", "a merge whose body is absent", changed(&|range| range.absent.insert(1))),
        ("control", "an erased control body", absent_control),
        ("control", "data in a control feed, signed", forge_headers(&control_author, &[header(0, b"x")], &[b"x"])),
    ]
    .map(|(feed, name, range)| {
        let origin = if feed == "data" { &alice.origin } else { &control_author.origin };
        let violation = verify_range(&Tree::new(), origin, &range).unwrap_err();
        json!({ "feed": feed, "name": name, "range": range_json(&range), "refused": rule(&violation), "rule": violation.spec() })
    });
    let valid = [
        ("data", "the first five entries", &honest, first.tree()),
        ("data", "the same with one body erased", &erased, first.tree()),
        ("control", "the first entry", &genesis.to_range(), genesis.tree()),
    ]
    .map(|(feed, name, range, tree)| {
        json!({ "feed": feed, "name": name, "range": range_json(range), "tree": hex(tree.encode()) })
    });
    let manifest = |author: &Author| json!({ "manifest": hex(author.manifest.encode()), "feed": hex(author.feed()) });
    let kept = keep(
        "ranges",
        &json!({
            "feeds": { "data": manifest(&alice), "control": manifest(&control_author) },
            "valid": valid,
            "continued": { "tree": hex(after_first.encode()), "range": range_json(&second.to_range()) },
            "refused": refused,
        }),
    );

    let origin = |name: &Value| {
        let feed = &kept["feeds"][name.as_str().unwrap()];
        let origin = Origin::of(&Manifest::decode(&unhex(&feed["manifest"])).unwrap());
        assert_eq!(hex(origin.feed), feed["feed"]);
        origin
    };
    for case in list(&kept["valid"]) {
        let verified = verify(&Tree::new(), &origin(&case["feed"]), &case["range"]).unwrap();
        assert_eq!(verified.tree().encode(), unhex(&case["tree"]), "{}", case["name"]);
    }
    let tree = Tree::decode(&unhex(&kept["continued"]["tree"])).unwrap();
    assert!(verify(&tree, &origin(&"data".into()), &kept["continued"]["range"]).is_ok());
    for case in list(&kept["refused"]) {
        let violation = verify(&Tree::new(), &origin(&case["feed"]), &case["range"]).unwrap_err();
        assert_eq!((rule(&violation).into(), violation.spec().into()), (case["refused"].clone(), case["rule"].clone()));
    }
}

/// Spec: FEED-7.1, FEED-7.2, FEED-7.3
#[test]
fn proofs() {
    let feed = |bodies: &str| {
        let mut author = author(1, Purpose::Data);
        let bodies = bodies.chars().map(|body| record(vec![], body.to_string()));
        let range = author.write(bodies.collect());
        let mut nodes = Nodes::new();
        nodes.extend(&range.runs()[0]);
        (author, range, nodes)
    };
    let (alice, range, nodes) = feed("abcdefghijklm");
    let (_, other, other_nodes) = feed("abcdeFG");
    let header =
        |range: &VerifiedRange, seq| Bytes::copy_from_slice(range.runs()[0].entry(seq).unwrap().header.bytes());
    let source = |index| nodes.get(index);
    let head = *range.head();
    let block = BlockProof::make(head, 5, header(&range, 5), &source).unwrap();
    let prefix = ConsistencyProof::make(6, head.length, &source).unwrap();
    let fork =
        ForkProof::make((head, &nodes, header(&range, 5)), (*other.head(), &other_nodes, header(&other, 5))).unwrap();
    let key: FeedKey = alice.origin.feed_key;

    let blocks: [(&str, Change<BlockProof>); 6] = [
        ("another entry", &|proof| proof.seq = 4),
        ("another header", &|proof| proof.header = header(&other, 5)),
        ("a changed node", &|proof| proof.nodes[1].peak.hash[0] ^= 1),
        ("a node left out", &|proof| proof.nodes.truncate(proof.nodes.len() - 1)),
        ("a node elsewhere", &|proof| proof.nodes[0].index += 2),
        ("another head", &|proof| proof.head = *other.head()),
    ];
    let prefixes: [(&str, Change<ConsistencyProof>); 4] = [
        ("another length", &|proof| proof.length = 7),
        ("beyond the head", &|proof| proof.length = 14),
        ("a changed node", &|proof| proof.nodes[0].peak.hash[0] ^= 1),
        ("a node too many", &|proof| proof.nodes.push(proof.nodes[0])),
    ];
    let swap = |proof: &mut ForkProof| {
        std::mem::swap(&mut proof.first, &mut proof.second);
        std::mem::swap(&mut proof.first_consistency, &mut proof.second_consistency);
        std::mem::swap(&mut proof.first_leaf, &mut proof.second_leaf);
    };
    let one = |proof: &mut ForkProof| {
        proof.second = proof.first;
        proof.second_consistency = proof.first_consistency.clone();
        proof.second_leaf = proof.first_leaf.clone();
    };
    let forks: [(&str, Change<ForkProof>); 4] = [
        ("one branch twice", &one),
        ("branches in the other order", &swap),
        ("another common length", &|proof| proof.common = 4),
        ("parts of another head", &|proof| proof.first_leaf = proof.second_leaf.clone()),
    ];
    let case = |name: &str, bytes: Bytes, error: ProofError| json!({ "name": name, "proof": hex(bytes), "refused": rule(&error) });
    let blocks = blocks.map(|(name, change)| {
        let mut proof = block.clone();
        change(&mut proof);
        case(name, proof.encode(), proof.verify(&key).unwrap_err())
    });
    let prefixes = prefixes.map(|(name, change)| {
        let mut proof = prefix.clone();
        change(&mut proof);
        case(name, proof.encode(), proof.verify(&head, &key).unwrap_err())
    });
    let forks = forks.map(|(name, change)| {
        let mut proof = fork.clone();
        change(&mut proof);
        case(name, proof.encode(), proof.verify(&key).unwrap_err())
    });
    let tree = prefix.verify(&head, &key).unwrap();
    let kept = keep(
        "proofs",
        &json!({
            "feed_key": hex(key),
            "head": hex(head.encode()),
            "block": { "seq": 5, "header": hex(header(&range, 5)), "proof": hex(block.encode()), "refused": blocks },
            "consistency": { "length": 6, "root": hex(tree.root()), "proof": hex(prefix.encode()), "refused": prefixes },
            "fork": { "common": 5, "proof": hex(fork.encode()), "refused": forks },
        }),
    );

    let key = FeedKey::from_bytes(hash(&kept["feed_key"]));
    let head = Head::decode(&unhex(&kept["head"])).unwrap();
    let block = BlockProof::decode(&unhex(&kept["block"]["proof"])).unwrap();
    assert_eq!(block.verify(&key).unwrap().bytes(), unhex(&kept["block"]["header"]));
    let prefix = ConsistencyProof::decode(&unhex(&kept["consistency"]["proof"])).unwrap();
    assert_eq!(hex(prefix.verify(&head, &key).unwrap().root()), kept["consistency"]["root"]);
    let fork = ForkProof::decode(&unhex(&kept["fork"]["proof"])).unwrap();
    assert_eq!((fork.verify(&key), fork.common), (Ok(()), 5));
    let refused = |what: &str, check: &dyn Fn(&Bytes) -> Result<(), ProofError>| {
        for case in list(&kept[what]["refused"]) {
            assert_eq!(rule(&check(&unhex(&case["proof"])).unwrap_err()), case["refused"], "{what}: {}", case["name"]);
        }
    };
    refused("block", &|bytes| BlockProof::decode(bytes)?.verify(&key).map(|_| ()));
    refused("consistency", &|bytes| ConsistencyProof::decode(bytes)?.verify(&head, &key).map(|_| ()));
    refused("fork", &|bytes| ForkProof::decode(bytes)?.verify(&key));
}
