//! Every violation, one test each: what a dishonest sender or author does, and what the reader says to it.

use bytes::Bytes;
use weft_crypto::{Head, Purpose};
use weft_feed::{
    Absent, AbsentError, EraseError, Header, HeaderError, Range, Run, RunError, Tree, TreeError, VerifiedRange,
    Violation, kind, limits, verify_headers, verify_range,
};
use weft_wire::frame::FrameError;

use crate::authors::{Author, author, control, dep, forge, forge_headers, header, records, secret};

/// Five records of alice, and what verification says after somebody changed the range.
fn after(change: impl FnOnce(&mut Range)) -> Violation {
    let mut alice = author(1, Purpose::Data);
    let mut range = alice.write(records(5)).to_range();
    change(&mut range);
    let violation = verify_range(&Tree::new(), &alice.origin, &range).unwrap_err();
    assert!(violation.spec().starts_with("FEED-"), "each violation cites its section");
    violation
}

fn forged(alice: &Author, headers: &[Header], bodies: &[&[u8]]) -> Violation {
    verify_range(&Tree::new(), &alice.origin, &forge_headers(alice, headers, bodies)).unwrap_err()
}

fn change_byte(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes.into()
}

/// Spec: FEED-5.1
#[test]
fn a_head_of_another_feed_is_refused() {
    let bob = author(2, Purpose::Data);
    let violation = after(|range| range.head.feed = bob.feed());
    assert!(matches!(violation, Violation::OtherFeed { found, .. } if found == bob.feed()));
}

#[test]
fn a_range_with_a_gap_is_refused() {
    let mut alice = author(1, Purpose::Data);
    alice.write(records(3));
    let second = alice.write(records(3)).to_range();
    let violation = verify_range(&Tree::new(), &alice.origin, &second).unwrap_err();
    assert_eq!(violation, Violation::NotContiguous { expected: 0, found: 3 });
}

#[test]
fn a_head_behind_the_range_is_refused() {
    assert_eq!(after(|range| range.head.length = 0), Violation::Empty { from: 0, length: 0 });
}

#[test]
fn huge_claimed_lengths_are_refused_before_hashing() {
    assert_eq!(after(|range| range.head.length = u64::MAX), Violation::TooManyEntries { count: u64::MAX });
    assert_eq!(after(|range| range.head.length = 257), Violation::TooManyEntries { count: 257 });
}

#[test]
fn too_many_header_bytes_are_refused() {
    let bytes = limits::RANGE_HEADER_BYTES_MAX + 1;
    assert_eq!(after(|range| range.headers = vec![0; bytes].into()), Violation::HeadersTooLarge { bytes });
}

#[test]
fn too_many_body_bytes_are_refused_before_they_come() {
    let alice = author(1, Purpose::Data);
    let headers: Vec<Header> =
        (0..5).map(|seq| Header { body_len: limits::BODY_BYTES_MAX, ..header(seq, b"") }).collect();
    assert_eq!(forged(&alice, &headers, &[]), Violation::BodiesTooLarge { seq: 4 });
}

#[test]
fn a_broken_list_of_headers_is_refused() {
    let violation = after(|range| range.headers.truncate(range.headers.len() - 1));
    let error = FrameError::Truncated { missing: 1 };
    assert_eq!(violation, Violation::HeaderList { seq: 4, error });
}

/// Spec: FEED-2.1
#[test]
fn a_header_that_is_none_is_refused_even_when_it_is_signed() {
    let alice = author(1, Purpose::Data);
    let mut bytes = header(0, b"").encode().to_vec();
    bytes.extend_from_slice(&[0x78, 1]);
    let offset = bytes.len() - 2;
    let violation =
        verify_range(&Tree::new(), &alice.origin, &forge(&alice, 0, &[bytes.into()], &[0], &[])).unwrap_err();
    assert_eq!(violation, Violation::Header { seq: 0, error: HeaderError::Unexpected { tag: 0x78, offset } });
}

#[test]
fn fewer_or_more_headers_than_the_head_says_are_refused() {
    assert_eq!(after(|range| range.head.length = 6), Violation::HeaderCount { expected: 6, found: 5 });
    assert_eq!(after(|range| range.head.length = 4), Violation::HeaderCount { expected: 4, found: 5 });
}

#[test]
fn a_header_in_the_wrong_place_is_refused_even_when_it_is_signed() {
    let alice = author(1, Purpose::Data);
    let violation = forged(&alice, &[header(0, b""), header(2, b"")], &[]);
    assert_eq!(violation, Violation::Seq { expected: 1, found: 2 });
}

/// Spec: FEED-2.3
#[test]
fn a_control_feed_carries_no_data_and_a_data_feed_no_control() {
    let alice = author(1, Purpose::Control);
    let violation = forged(&alice, &[header(0, b"x")], &[b"x"]);
    assert_eq!(violation, Violation::Kind { seq: 0, kind: kind::RECORD, purpose: Purpose::Control });
    let alice = author(1, Purpose::Data);
    let control = Header { kind: kind::CONTROL, epoch: None, ..header(0, b"x") };
    let violation = forged(&alice, &[control], &[b"x"]);
    assert_eq!(violation, Violation::Kind { seq: 0, kind: kind::CONTROL, purpose: Purpose::Data });
}

/// Spec: FEED-2.4
#[test]
fn an_entry_that_depends_on_its_own_feed_is_refused() {
    let alice = author(1, Purpose::Data);
    let own = Header { deps: vec![weft_crypto::Dep { feed: alice.feed(), ..dep(1, 1) }], ..header(0, b"x") };
    assert_eq!(forged(&alice, &[own], &[b"x"]), Violation::DepOnItself { seq: 0 });
}

/// Spec: FEED-4.3
#[test]
fn erased_control_body_is_refused() {
    let mut alice = author(1, Purpose::Control);
    let range = alice.write(vec![control(vec![], "genesis"), control(vec![], "removal")]);
    assert_eq!(range.runs()[0].erase(1), Err(EraseError::Control { seq: 1 }));

    let mut without = range.to_range();
    without.absent.insert(1);
    without.bodies = vec!["genesis".into()];
    let violation = verify_range(&Tree::new(), &alice.origin, &without).unwrap_err();
    assert_eq!(violation, Violation::NotErasable { seq: 1 });

    let run = Run::new(0, without.headers, "genesis".into(), without.absent);
    assert_eq!(run, Err(RunError::Absent { index: 1 }));
}

#[test]
fn an_empty_body_cannot_be_absent() {
    let alice = author(1, Purpose::Data);
    let mut range = forge_headers(&alice, &[header(0, b"")], &[]);
    range.absent.insert(0);
    let violation = verify_range(&Tree::new(), &alice.origin, &range).unwrap_err();
    assert_eq!(violation, Violation::NotErasable { seq: 0 });
}

#[test]
fn an_absent_body_of_no_entry_is_refused() {
    let violation = after(|range| range.absent.insert(5));
    assert_eq!(violation, Violation::Absent(AbsentError::Beyond { index: 5, count: 5 }));
    assert_eq!(Absent::from_bits(&[0b10_0000], 5), Err(AbsentError::Beyond { index: 5, count: 5 }));
    assert_eq!(Absent::from_bits(&[1, 0], 16), Err(AbsentError::NotShortest { bytes: 2 }));
    assert_eq!(Absent::from_bits(&[1; 33], 256), Err(AbsentError::NotShortest { bytes: 33 }));
}

#[test]
fn a_wrong_byte_length_is_refused() {
    let violation = after(|range| range.head.byte_length += 1);
    assert!(matches!(violation, Violation::ByteLength { signed, found } if signed == found + 1));
}

#[test]
fn a_wrong_root_is_refused() {
    let violation = after(|range| range.head.root = dep(3, 1).root);
    assert!(matches!(violation, Violation::Root { signed, .. } if signed == dep(3, 1).root));
}

#[test]
fn a_head_that_somebody_else_signed_is_refused() {
    let mallory = secret(50, Purpose::Data);
    let sign = |head: &mut Head| *head = Head::sign(head.feed, head.length, head.byte_length, head.root, &mallory);
    assert_eq!(after(|range| sign(&mut range.head)), Violation::Signature { length: 5 });
}

/// Spec: FEED-2.2
#[test]
fn an_altered_body_is_refused() {
    let violation = after(|range| range.bodies[0] = change_byte(&range.bodies[0], 10));
    assert!(matches!(violation, Violation::Body { seq: 1, expected, found } if expected != found));
}

#[test]
fn an_empty_body_with_another_hash_is_refused() {
    let alice = author(1, Purpose::Data);
    let lying = Header { body_len: 0, ..header(0, b"something") };
    assert!(matches!(forged(&alice, &[lying], &[]), Violation::Body { seq: 0, .. }));
}

#[test]
fn cut_missing_and_surplus_bodies_are_refused() {
    let cut = after(|range| range.bodies[0].truncate(12));
    assert_eq!(cut, Violation::BodyCut { seq: 1, expected: 8, found: 4 });
    let missing = after(|range| range.bodies[0].truncate(16));
    assert_eq!(missing, Violation::BodiesMissing { seq: 2 });
    let surplus = after(|range| range.bodies.push("more".into()));
    assert_eq!(surplus, Violation::BodiesBeyond { bytes: 4 });
}

#[test]
fn headers_alone_are_held_to_their_head_before_any_body_comes() {
    let mut alice = author(1, Purpose::Data);
    let range = alice.write(records(5)).to_range();
    let headers = change_byte(&range.headers, range.headers.len() - 3);
    let refused = verify_headers(&Tree::new(), &alice.origin, 0, &range.head, &headers, &range.absent);
    assert!(matches!(refused, Err(Violation::Root { .. })));
}

/// What a store finds when its rows are damaged.
///
/// Spec: FEED-4.1
#[test]
fn damaged_runs_are_refused() {
    let mut alice = author(1, Purpose::Data);
    let range: VerifiedRange = alice.write(records(5));
    let run = &range.runs()[0];
    let (headers, bodies) = (run.headers().clone(), run.bodies().clone());
    let made = |from, headers: &Bytes, bodies: &Bytes, absent| Run::new(from, headers.clone(), bodies.clone(), absent);

    assert_eq!(made(0, &headers, &bodies, Absent::NONE).as_ref(), Ok(run));
    assert_eq!(made(1, &headers, &bodies, Absent::NONE), Err(RunError::Seq { expected: 1, found: 0 }));
    assert_eq!(made(0, &Bytes::new(), &bodies, Absent::NONE), Err(RunError::Count { count: 0 }));
    let short = bodies.slice(1..);
    assert_eq!(made(0, &headers, &short, Absent::NONE), Err(RunError::Bodies { expected: 40, found: 39 }));
    assert_eq!(made(0, &headers, &bodies, [5].into_iter().collect()), Err(RunError::Absent { index: 5 }));
    let cut = headers.slice(..headers.len() - 1);
    assert_eq!(made(0, &cut, &bodies, Absent::NONE), Err(RunError::Frame(FrameError::Truncated { missing: 1 })));
    let wrong = change_byte(&headers, 1);
    assert!(matches!(made(0, &wrong, &bodies, Absent::NONE), Err(RunError::Header { index: 0, .. })));

    let runs: Vec<Run> = (0..300).map(|seq| one(seq, b"x")).collect();
    assert_eq!(Run::concat(&runs), Err(RunError::Count { count: 300 }));
    assert_eq!(Run::concat(&[runs[3].clone(), runs[5].clone()]), Err(RunError::Seq { expected: 4, found: 5 }));
    let large = [0; 40 << 10];
    let bytes = one(0, &large).bytes() + one(1, &large).bytes();
    assert_eq!(Run::concat(&[one(0, &large), one(1, &large)]), Err(RunError::TooLarge { count: 2, bytes }));
    assert_eq!(run.erase(5), Err(EraseError::NotHere { seq: 5 }));
}

fn one(seq: u64, body: &[u8]) -> Run {
    let mut framed = Vec::new();
    weft_wire::frame::put_framed(&header(seq, body).encode(), &mut framed);
    Run::new(seq, framed.into(), Bytes::copy_from_slice(body), Absent::NONE).unwrap()
}

/// Spec: FEED-3.4
#[test]
fn damaged_trees_are_refused() {
    let mut tree = Tree::new();
    (0..5).for_each(|n| tree.push([n; 32], 10));
    let bytes = tree.encode();
    assert_eq!(Tree::decode(&bytes), Ok(tree));
    assert_eq!(Tree::decode(&bytes[..47]), Err(TreeError::Size { length: 5, bytes: 47 }));
    assert_eq!(Tree::decode(&[0; 7]), Err(TreeError::Size { length: 0, bytes: 7 }));
    assert_eq!(Tree::decode(&[0xff; 8]), Err(TreeError::TooLong { length: u64::MAX }));
    let mut huge = bytes.to_vec();
    huge[40..48].fill(0xff);
    assert_eq!(Tree::decode(&huge), Err(TreeError::Peak { size: u64::MAX }));
}

/// Every rule of the strict reader.
///
/// Spec: FEED-2.1, FEED-2.3, FEED-2.4
#[test]
fn headers_have_one_spelling_only() {
    use HeaderError as E;
    let hash = |tag: u8| [&[tag << 3 | 2, 32][..], &[7; 32]].concat();
    let data = |rest: &[u8]| [&[0x10, 3][..], &hash(4), rest, &hash(7)].concat();
    let deps = |deps: &[weft_crypto::Dep]| Header { deps: deps.to_vec(), ..header(0, b"") }.encode().to_vec();
    let raw_dep = |inner: &[u8]| data(&[&[0x32, inner.len() as u8][..], inner].concat());
    let control = |rest: &[u8]| [&[0x10, 1][..], rest, &hash(7)].concat();

    assert!(Header::decode(&data(&[])).is_ok());
    for (bytes, error) in [
        (vec![0; limits::HEADER_BYTES_MAX + 1], E::TooLarge { bytes: limits::HEADER_BYTES_MAX + 1 }),
        (vec![], E::Missing { field: 7 }),
        (hash(7), E::UnknownKind { kind: 0 }),
        ([&[0x10, 5][..], &hash(7)].concat(), E::UnknownKind { kind: 5 }),
        ([&[0x08, 0][..], &data(&[])].concat(), E::DefaultWritten { field: 1 }),
        ([&[0x08, 0x81, 0][..], &data(&[])].concat(), E::Number { field: 1 }),
        ([&[0x08][..], &[0xff; 11]].concat(), E::Number { field: 1 }),
        (vec![0x08], E::Truncated { field: 1 }),
        (vec![0x08, 0x80], E::Truncated { field: 1 }),
        (data(&[])[..20].to_vec(), E::Truncated { field: 4 }),
        ([&[0x10, 3, 0x22, 0][..], &hash(7)].concat(), E::DefaultWritten { field: 4 }),
        ([&[0x10, 3, 0x22, 31][..], &[0; 31], &hash(7)].concat(), E::Width { field: 4, bytes: 31 }),
        ([data(&[]), vec![0x10, 3]].concat(), E::Unexpected { tag: 0x10, offset: 70 }),
        ([data(&[]), hash(7)].concat(), E::Unexpected { tag: 0x3a, offset: 70 }),
        ([&[0x88, 0, 1][..], &data(&[])].concat(), E::Missing { field: 7 }),
        ([data(&[]), vec![0x40, 0x81, 0x80, 0x40]].concat(), E::BodyTooLarge { bytes: limits::BODY_BYTES_MAX + 1 }),
        (
            Header { seq: limits::LENGTH_MAX, ..header(0, b"") }.encode().to_vec(),
            E::SeqTooLarge { seq: limits::LENGTH_MAX },
        ),
        (control(&hash(4)), E::Epoch { kind: kind::CONTROL }),
        ([&[0x10, 2][..], &hash(7)].concat(), E::Epoch { kind: kind::MUTATION }),
        (control(&[0x18, 1]), E::Session { kind: kind::CONTROL, session: 1 }),
        ([&[0x10, 4][..], &hash(7), &[0x40, 1]].concat(), E::MergeBody { bytes: 1 }),
        (deps(&[dep(1, 0)]), E::DepLength { length: 0 }),
        (deps(&[dep(1, limits::LENGTH_MAX + 1)]), E::DepLength { length: limits::LENGTH_MAX + 1 }),
        (deps(&[dep(2, 1), dep(1, 1)]), E::DepOrder { feed: dep(1, 1).feed }),
        (deps(&[dep(2, 1), dep(2, 2)]), E::DepOrder { feed: dep(2, 1).feed }),
        (raw_dep(&hash(1)), E::Missing { field: 6 }),
        (raw_dep(&[hash(1), hash(3), vec![9]].concat()), E::Unexpected { tag: 9, offset: 68 }),
        (data(&[0x32, 0x7f]), E::Truncated { field: 6 }),
    ] {
        assert_eq!(Header::decode(&bytes), Err(error), "{bytes:02x?}");
    }
    let many: Vec<_> = (0..513u16)
        .map(|n| {
            let mut dep = dep(0, 1);
            let mut feed = [0; 32];
            feed[..2].copy_from_slice(&n.to_be_bytes());
            dep.feed = weft_crypto::FeedId::from_bytes(feed);
            dep
        })
        .collect();
    assert!(Header::decode(&deps(&many[..512])).is_ok());
    assert_eq!(Header::decode(&deps(&many)), Err(E::TooManyDeps));
}
