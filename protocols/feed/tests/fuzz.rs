//! Seeded mutants of real bytes through every decoder. Each must return, and keep its promises, whatever it is given.

use bytes::Bytes;
use weft_crypto::Purpose;
use weft_feed::{
    Header, fuzz,
    proof::{BlockProof, ConsistencyProof, Nodes},
};
use weft_machine::{Draws, Seed};

use crate::authors::{author, dep, header, records};

/// Real bytes of each kind.
fn corpus() -> Vec<Bytes> {
    let mut alice = author(1, Purpose::Data);
    let range = alice.write(records(9));
    let run = &range.runs()[0];
    let mut nodes = Nodes::new();
    nodes.extend(run);
    let source = |index| nodes.get(index);
    let first = Bytes::copy_from_slice(run.entry(0).unwrap().header.bytes());
    let framed = [run.headers(), run.bodies()].map(|bytes| bytes.to_vec()).concat();
    // `fuzz::run` splits at so many 255ths.
    let split = (run.headers().len() * 255).div_ceil(framed.len()) as u8;
    let mut changes = vec![7, 2];
    for feed in [3, 4] {
        changes.extend_from_slice(dep(feed, 1).feed.as_bytes());
        changes.extend_from_slice(&[5, 5]);
    }
    let deps = Header { deps: vec![dep(1, 5), dep(2, 1 << 40)], ..header(300, b"x") };
    vec![
        deps.encode(),
        header(0, b"").encode(),
        range.tree().encode(),
        [vec![split], framed].concat().into(),
        [1, 0, 128].as_slice().into(),
        changes.into(),
        range.head().encode(),
        BlockProof::make(*range.head(), 0, first, &source).unwrap().encode(),
        ConsistencyProof::make(5, 9, &source).unwrap().encode(),
        crate::proofs::fork().encode(),
    ]
}

#[test]
fn every_decoder_survives_mutants() {
    let corpus = corpus();
    corpus.iter().for_each(|bytes| fuzz::all(bytes));
    let mut draws = Draws::new(Seed::from_bytes([5; 32]));
    for _ in 0..100_000 {
        let mut bytes = corpus[draws.below(corpus.len() as u64) as usize].to_vec();
        for _ in 0..=draws.below(4) {
            let at = draws.below(bytes.len() as u64 + 1) as usize;
            match draws.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, draws.below(256) as u8),
                2 => bytes.extend_from_within(at..),
                _ if at < bytes.len() => bytes[at] = draws.below(256) as u8,
                _ => {}
            }
            bytes.truncate(4_096);
        }
        fuzz::all(&bytes);
    }
}

/// What decodes of a history's row is bounded by the row.
///
/// Spec: FEED-6.3
#[test]
fn a_row_that_claims_much_holds_little() {
    use weft_feed::past::{History, RestoreError};
    let restore = |row: &[u8]| History::restore([row]).map(|_| ());
    assert_eq!(restore(&[0, 0xff, 0xff, 0xff, 0xff, 0x0f]), Err(RestoreError::Malformed));
    assert_eq!(restore(&[5, 0, 5, 0]), Err(RestoreError::OutOfOrder { seq: 5, next: 6 }));
    let known = |length: u8, named: u8| [&[1][..], dep(3, 1).feed.as_bytes(), &[length, named]].concat();
    let twice = [vec![1], known(5, 5), vec![2], known(5, 0)].concat();
    assert_eq!(restore(&twice), Err(RestoreError::Length { seq: 2, length: 5, earlier: 5 }));
    let shrinks = [vec![1], known(5, 5), vec![2], known(6, 4)].concat();
    assert_eq!(restore(&shrinks), Err(RestoreError::Length { seq: 2, length: 4, earlier: 5 }));
}
