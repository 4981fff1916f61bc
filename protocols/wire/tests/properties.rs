//! What holds for all inputs: no bytes make a decoder panic, loop, or build more than its tables allow.

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;
use weft_wire::{
    Bounded, bounds,
    credential::{ControlBody, Credential, EpochStarted, EpochStatement, Lockbox, Recipient},
    decode, echo,
    feed::{BlockProof, Dep, Head, Header, Node},
    fuzz,
    invitation::Link,
    replication,
};

fn b(len: usize) -> Bytes {
    vec![len as u8; len].into()
}

/// One well-formed message of each interesting shape: where mutants start.
fn corpus() -> Vec<Vec<u8>> {
    let dep = Dep { feed: b(32), length: 300, root: b(32) };
    let header = Header {
        seq: 9,
        kind: 2,
        session: 1,
        epoch: b(32),
        claimed_time: 1_700_000_000_000,
        deps: vec![dep; 3],
        body_hash: b(32),
        body_len: 77,
    };
    let node = Node { index: 5, hash: b(32), size: 700 };
    let head = Head { feed: b(32), length: 10, byte_length: 4000, root: b(32), signature: b(64) };
    let block = BlockProof {
        head: head.encode_to_vec().into(),
        seq: 4,
        header: header.encode_to_vec().into(),
        nodes: vec![node; 4],
    };
    let recipient = Recipient { kind: 1, recipient: b(32), key: b(32) };
    let lockbox =
        Lockbox { epoch: b(32), kind: 1, recipient: b(32), key: b(32), encapsulated: b(32), ciphertext: b(80) };
    let statement = EpochStatement {
        content_commitment: b(32),
        access_commitment: b(32),
        parents: vec![b(32)],
        recipients: vec![recipient; 2],
        keys: b(32),
    };
    let started = EpochStarted {
        statement: statement.encode_to_vec().into(),
        lockboxes: vec![lockbox; 2],
        sealed_access: b(88),
        sealed_content: b(0),
        encapsulated: b(32),
        ciphertexts: b(96),
    };
    let credential =
        Credential { space: b(32), kind: 5, version: 1, critical: true, content: started.encode_to_vec().into() };
    let control = ControlBody { credentials: vec![credential.encode_to_vec().into(); 2] };
    let register = echo::Register { name: "name".into(), value: b(9) };
    let mutation = echo::Mutation {
        object: b(32),
        r#type: "note".into(),
        registers: vec![register; 3],
        inserts: b(40),
        deletes: b(3),
        deleted: false,
    };
    let link = Link {
        version: 1,
        space: b(32),
        secret: b(32),
        hosts: vec![b(32); 2],
        addresses: vec!["/ip4/127.0.0.1/udp/9338/quic-v1".into()],
        space_name: "garden".into(),
        inviter_name: "alice".into(),
    };
    let range = replication::Range {
        space: 1024,
        feed: b(32),
        from: 5,
        head: head.encode_to_vec().into(),
        headers: b(200),
        bodies: b(100),
        absent: b(1),
        inline: true,
    };
    let frame = replication::Frame { kind: Some(replication::frame::Kind::Range(range)) };
    vec![
        header.encode_to_vec(),
        block.encode_to_vec(),
        started.encode_to_vec(),
        control.encode_to_vec(),
        mutation.encode_to_vec(),
        link.encode_to_vec(),
        frame.encode_to_vec(),
        weft_wire::frame::encode(&frame).to_vec(),
    ]
}

/// A small generator of mutants with a seed of its own, so that a failing one can be named.
struct Mutants(u64);

impl Mutants {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn of(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                2 => bytes.truncate(at + 1),
                3 => bytes.insert(at, self.below(256) as u8),
                _ => {
                    let end = at + self.below(bytes.len() - at);
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }
}

/// The million is in `protocols/peer/tests/mutants.rs`, with every other decoder's.
#[test]
fn mutants_of_real_messages_never_panic() {
    let count = 50_000;
    let corpus = corpus();
    let mut mutants = Mutants(7);
    for bytes in &corpus {
        fuzz(bytes);
    }
    for _ in 0..count {
        fuzz(&mutants.of(&corpus));
    }
}

/// What the scan lets through, prost decodes, and it reads no more fields than the tables allow.
fn scan_and_prost_agree<M: Bounded>(bytes: &Bytes) {
    if bounds::scan(bytes, M::BOUNDS).is_ok() {
        let message = M::decode(bytes.clone()).expect("the scan accepts what prost cannot decode");
        assert!(message.encoded_len() <= bytes.len(), "a message is longer than the bytes it came from");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz(&bytes);
    }

    #[test]
    fn what_the_scan_accepts_prost_decodes(seed in any::<u64>()) {
        let bytes = Bytes::from(Mutants(seed).of(&corpus()));
        scan_and_prost_agree::<Header>(&bytes);
        scan_and_prost_agree::<BlockProof>(&bytes);
        scan_and_prost_agree::<EpochStarted>(&bytes);
        scan_and_prost_agree::<ControlBody>(&bytes);
        scan_and_prost_agree::<Credential>(&bytes);
    }

    #[test]
    fn headers_come_back(seq in any::<u64>(), kind in any::<u32>(), deps in 0usize..20, epoch in any::<bool>()) {
        let header = Header {
            seq,
            kind,
            epoch: if epoch { b(32) } else { b(0) },
            deps: vec![Dep { feed: b(32), length: seq | 1, root: b(32) }; deps],
            ..Header::default()
        };
        prop_assert_eq!(decode::<Header>(&header.encode_to_vec().into()), Ok(header));
    }
}
