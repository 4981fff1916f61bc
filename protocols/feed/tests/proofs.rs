//! Proofs: what is true can be proved, and a changed proof proves nothing.

use bytes::Bytes;
use weft_crypto::{Head, Purpose};
use weft_feed::{
    Peak, Run, Tree, VerifiedRange,
    proof::{BlockProof, ConsistencyProof, ForkProof, Node, Nodes, ProofError},
};

use crate::authors::{Author, author, record, records, secret};

/// A feed of so many records under a head at each length, its nodes and its runs.
struct Feed {
    author: Author,
    ranges: Vec<VerifiedRange>,
    nodes: Nodes,
}

fn feed(bodies: &[&'static str]) -> Feed {
    let mut author = author(1, Purpose::Data);
    let ranges: Vec<_> = bodies.iter().map(|&body| author.write(vec![record(vec![], body)])).collect();
    let mut nodes = Nodes::new();
    ranges.iter().flat_map(VerifiedRange::runs).for_each(|run| nodes.extend(run));
    Feed { author, ranges, nodes }
}

impl Feed {
    fn head(&self, length: u64) -> Head {
        *self.ranges[length as usize - 1].head()
    }

    fn header(&self, seq: u64) -> Bytes {
        let run: &Run = &self.ranges[seq as usize].runs()[0];
        Bytes::copy_from_slice(run.entry(seq).unwrap().header.bytes())
    }

    fn block(&self, seq: u64, length: u64) -> BlockProof {
        BlockProof::make(self.head(length), seq, self.header(seq), &|index| self.nodes.get(index)).unwrap()
    }

    fn prefix(&self, length: u64, to: u64) -> ConsistencyProof {
        ConsistencyProof::make(length, to, &|index| self.nodes.get(index)).unwrap()
    }

    fn branch(&self, length: u64, common: u64) -> (Head, &Nodes, Bytes) {
        (self.head(length), &self.nodes, self.header(common))
    }
}

const BODIES: [&str; 20] =
    ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"];
/// Parts from `BODIES` after five.
const OTHER: [&str; 9] = ["a", "b", "c", "d", "e", "F", "G", "H", "I"];

pub(crate) fn fork() -> ForkProof {
    ForkProof::make(feed(&BODIES).branch(20, 5), feed(&OTHER).branch(9, 5)).unwrap()
}

/// Spec: FEED-7.1
#[test]
fn every_entry_is_proved_under_every_head() {
    let alice = feed(&BODIES);
    let key = alice.author.origin.feed_key;
    for length in 1..=20 {
        for seq in 0..length {
            let proof = alice.block(seq, length);
            let again = BlockProof::decode(&proof.encode()).unwrap();
            assert_eq!(again, proof);
            assert_eq!(again.verify(&key).unwrap().bytes(), alice.header(seq));
        }
        let beyond = BlockProof::make(alice.head(length), length, Bytes::new(), &|index| alice.nodes.get(index));
        assert_eq!(beyond, Err(ProofError::Beyond { asked: length, length }));
    }
}

/// Spec: FEED-7.2
#[test]
fn every_prefix_is_proved_under_every_head() {
    let alice = feed(&BODIES);
    let key = alice.author.origin.feed_key;
    for to in 1..=20 {
        for length in 0..=to {
            let proof = alice.prefix(length, to);
            let again = ConsistencyProof::decode(&proof.encode()).unwrap();
            assert_eq!(again, proof);
            let tree = again.verify(&alice.head(to), &key).unwrap();
            let expected =
                length.checked_sub(1).map_or_else(Tree::new, |last| alice.ranges[last as usize].tree().clone());
            assert_eq!(tree, expected);
        }
    }
    let beyond = ConsistencyProof::make(6, 5, &|index| alice.nodes.get(index));
    assert_eq!(beyond, Err(ProofError::Beyond { asked: 6, length: 5 }));
    let missing = ConsistencyProof::make(5, 21, &|index| alice.nodes.get(index));
    assert!(matches!(missing, Err(ProofError::NodeMissing { .. })));
}

#[test]
fn two_histories_are_proved_wherever_they_part() {
    let key = feed(&[]).author.origin.feed_key;
    for common in 0..9u64 {
        let mut other = OTHER;
        other[..common as usize].copy_from_slice(&BODIES[..common as usize]);
        other[common as usize..].fill("X");
        let (one, two) = (feed(&BODIES), feed(&other));
        for (left, right) in [(20, 9), (common + 1, common + 1), (20, common + 1)] {
            let proof = ForkProof::make(one.branch(left, common), two.branch(right, common)).unwrap();
            let swapped = ForkProof::make(two.branch(right, common), one.branch(left, common)).unwrap();
            assert_eq!(proof, swapped, "a fork has one proof for two heads");
            assert_eq!(proof.common, common);
            let again = ForkProof::decode(&proof.encode()).unwrap();
            assert_eq!(again.verify(&key), Ok(()));
        }
    }
}

/// Spec: FEED-7.3
#[test]
fn a_longer_head_of_one_history_is_no_fork() {
    let (one, two) = (feed(&BODIES), feed(&BODIES[..9]));
    let made = ForkProof::make(one.branch(20, 5), two.branch(9, 5));
    assert_eq!(made, Err(ProofError::Beyond { asked: 9, length: 9 }));

    let mut proof = fork();
    proof.second = proof.first;
    proof.second_consistency = proof.first_consistency.clone();
    proof.second_leaf = proof.first_leaf.clone();
    let key = feed(&[]).author.origin.feed_key;
    assert_eq!(proof.verify(&key), Err(ProofError::NoFork { common: 5 }));
}

#[test]
fn a_fork_proof_hangs_together() {
    let key = feed(&[]).author.origin.feed_key;
    let verify = |change: &dyn Fn(&mut ForkProof)| {
        let mut proof = fork();
        change(&mut proof);
        proof.verify(&key)
    };
    assert_eq!(verify(&|_| {}), Ok(()));
    assert_eq!(verify(&|proof| proof.common = 4), Err(ProofError::OtherPart));
    assert_eq!(verify(&|proof| proof.second.feed = author(2, Purpose::Data).feed()), Err(ProofError::OtherFeed));
    assert_eq!(verify(&|proof| proof.first = proof.second), Err(ProofError::OtherPart));
    let swap = |proof: &mut ForkProof| {
        std::mem::swap(&mut proof.first, &mut proof.second);
        std::mem::swap(&mut proof.first_consistency, &mut proof.second_consistency);
        std::mem::swap(&mut proof.first_leaf, &mut proof.second_leaf);
    };
    assert_eq!(verify(&swap), Err(ProofError::NoFork { common: 5 }));

    // Both parts are true of their own heads, but the branches had parted before.
    let (one, two) = (feed(&BODIES), feed(&OTHER));
    let (first, second, common) = (one.head(20), two.head(9), 7);
    let mut late = ForkProof {
        first,
        second,
        common,
        first_consistency: one.prefix(common, 20),
        second_consistency: two.prefix(common, 9),
        first_leaf: one.block(common, 20),
        second_leaf: two.block(common, 9),
    };
    if weft_feed::leaf(&late.first_leaf.header) > weft_feed::leaf(&late.second_leaf.header) {
        swap(&mut late);
    }
    assert_eq!(late.verify(&key), Err(ProofError::PrefixDiffers { common }));
}

#[test]
fn proofs_by_others_are_refused() {
    let alice = feed(&BODIES);
    let mallory = secret(50, Purpose::Data).id();
    assert_eq!(alice.block(3, 20).verify(&mallory).unwrap_err(), ProofError::Signature { length: 20 });
    let prefix = alice.prefix(3, 20).verify(&alice.head(20), &mallory);
    assert_eq!(prefix, Err(ProofError::Signature { length: 20 }));
    assert_eq!(fork().verify(&mallory), Err(ProofError::Signature { length: fork().first.length }));
}

/// Spec: FEED-7
#[test]
fn each_rule_of_a_proof_is_kept() {
    let alice = feed(&BODIES);
    let key = alice.author.origin.feed_key;
    let verify = |change: &dyn Fn(&mut BlockProof)| {
        let mut proof = alice.block(5, 20);
        change(&mut proof);
        proof.verify(&key).map(|_| ())
    };
    assert_eq!(verify(&|_| {}), Ok(()));
    assert_eq!(verify(&|proof| proof.seq = 6), Err(ProofError::Seq { expected: 6, found: 5 }));
    assert!(matches!(verify(&|proof| proof.header = Bytes::new()), Err(ProofError::Header(_))));
    assert!(matches!(verify(&|proof| proof.header = alice.header(6)), Err(ProofError::Seq { .. })));
    let huge = |proof: &mut BlockProof| {
        let head = &proof.head;
        let secret = secret(1, Purpose::Data);
        proof.head = Head::sign(head.feed, u64::MAX, head.byte_length, head.root, &secret);
    };
    assert!(matches!(verify(&huge), Err(ProofError::Beyond { asked: u64::MAX, .. })));
    let behind = Err(ProofError::Beyond { asked: 5, length: 5 });
    assert_eq!(verify(&|proof| proof.head = alice.head(5)), behind);
    let place = |expected, found| Err(ProofError::Place { expected, found });
    assert_eq!(verify(&|proof| proof.nodes[0].index = 6), place(Some(8), Some(6)));
    assert_eq!(verify(&|proof| proof.nodes.truncate(proof.nodes.len() - 1)), place(Some(35), None));
    let one_more = |proof: &mut BlockProof| proof.nodes.push(proof.nodes[0]);
    assert_eq!(verify(&one_more), place(None, Some(8)));
    let size = |proof: &mut BlockProof| proof.nodes[0].peak.size += 1;
    assert!(matches!(verify(&size), Err(ProofError::ByteLength { .. })));
    let moved = |proof: &mut BlockProof| {
        proof.nodes[0].peak.size += 1;
        proof.nodes[1].peak.size -= 1;
    };
    assert!(matches!(verify(&moved), Err(ProofError::Root { .. })), "sizes are part of what is signed");
    let last_moved = |proof: &mut BlockProof| {
        let last = proof.nodes.len() - 1;
        proof.nodes[last].peak.size += 1;
        proof.nodes[0].peak.size -= 1;
    };
    assert!(matches!(verify(&last_moved), Err(ProofError::Root { .. })), "those of peaks too");

    let mut overflow = alice.block(5, 20);
    overflow.nodes[0].peak.size = 1 << 56;
    assert_eq!(BlockProof::decode(&overflow.encode()), Err(ProofError::Size { size: 1 << 56 }));
    assert!(matches!(BlockProof::decode(&Bytes::from_static(&[0xff])), Err(ProofError::Malformed(_))));
    let narrow = weft_wire::feed::ConsistencyProof {
        length: 1,
        nodes: vec![weft_wire::feed::Node { index: 0, hash: vec![0; 31].into(), size: 1 }],
    };
    let narrow = Bytes::from(prost::Message::encode_to_vec(&narrow));
    assert_eq!(ConsistencyProof::decode(&narrow), Err(ProofError::Width { bytes: 31 }));
}

#[test]
fn no_changed_node_passes() {
    let alice = feed(&BODIES);
    let key = alice.author.origin.feed_key;
    let changed = |nodes: &[Node], at: usize, byte: usize| {
        let mut nodes = nodes.to_vec();
        nodes[at].peak.hash[byte] ^= 1;
        nodes
    };
    let (block, prefix) = (alice.block(5, 19), alice.prefix(11, 19));
    for byte in 0..32 {
        for at in 0..block.nodes.len() {
            let nodes = changed(&block.nodes, at, byte);
            assert!(BlockProof { nodes, ..block.clone() }.verify(&key).is_err());
        }
        for at in 0..prefix.nodes.len() {
            let nodes = changed(&prefix.nodes, at, byte);
            assert!(ConsistencyProof { nodes, ..prefix.clone() }.verify(&alice.head(19), &key).is_err());
        }
    }
}

#[test]
fn a_proof_grows_with_the_logarithm() {
    let mut author = author(1, Purpose::Data);
    let mut nodes = Nodes::new();
    let ranges = author.writer.append(records(1_000)).unwrap();
    ranges.iter().flat_map(VerifiedRange::runs).for_each(|run| nodes.extend(run));
    let header = Bytes::copy_from_slice(ranges[0].runs()[0].entry(100).unwrap().header.bytes());
    let head = *ranges.last().unwrap().head();
    let proof = BlockProof::make(head, 100, header, &|index| nodes.get(index)).unwrap();
    assert!(proof.nodes.len() <= 14, "{} nodes for 1,000 entries", proof.nodes.len());
    assert!(proof.verify(&author.origin.feed_key).is_ok());
    let peaks: Vec<Peak> = weft_feed::flat::peaks(1_000).map(|index| nodes.get(index).unwrap()).collect();
    assert_eq!(peaks, author.writer.tree().peaks());
}
