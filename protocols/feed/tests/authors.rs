//! Who writes in these tests, and what a dishonest writer would.

use bytes::Bytes;
use weft_crypto::{Dep, DeviceKey, EpochId, FeedId, FeedSecret, Head, Manifest, Purpose, Root, SpaceId};
use weft_feed::{
    Absent, Checkpoint, Header, NewEntry, Origin, Range, Tree, VerifiedRange, Writer, body_hash, kind, leaf,
    verify_range,
};
use weft_machine::ClaimedTime;
use weft_wire::frame;

/// A feed and its writer. The number names the author; each number has one feed of each purpose.
pub(crate) struct Author {
    pub(crate) manifest: Manifest,
    pub(crate) origin: Origin,
    pub(crate) writer: Writer,
}

pub(crate) fn secret(number: u8, purpose: Purpose) -> FeedSecret {
    FeedSecret::from_seed([number + 100 * purpose as u8; 32])
}

pub(crate) fn author(number: u8, purpose: Purpose) -> Author {
    let secret = secret(number, purpose);
    let manifest = Manifest {
        version: Manifest::VERSION,
        space: SpaceId::from_bytes([1; 32]),
        device: DeviceKey::from_seed([number; 32]).id(),
        feed_key: secret.id(),
        purpose,
        generation: 0,
    };
    let writer = Writer::new(&manifest, secret, Checkpoint::default()).unwrap();
    Author { origin: Origin::of(&manifest), manifest, writer }
}

impl Author {
    pub(crate) fn feed(&self) -> FeedId {
        self.origin.feed
    }

    /// Writes entries that fit one range.
    pub(crate) fn write(&mut self, entries: Vec<NewEntry>) -> VerifiedRange {
        let mut ranges = self.writer.append(entries).unwrap();
        assert_eq!(ranges.len(), 1, "these entries fit one range");
        ranges.remove(0)
    }

    /// What others name who have seen all of it.
    pub(crate) fn dep(&self) -> Dep {
        Dep { feed: self.feed(), length: self.writer.length(), root: self.writer.tree().root() }
    }
}

pub(crate) fn record(deps: Vec<Dep>, body: impl Into<Bytes>) -> NewEntry {
    NewEntry {
        kind: kind::RECORD,
        session: 0,
        epoch: Some(EpochId::from_bytes([9; 32])),
        claimed: ClaimedTime(1_700_000_000_000),
        deps,
        body: body.into(),
    }
}

pub(crate) fn records(count: usize) -> Vec<NewEntry> {
    (0..count).map(|n| record(vec![], format!("record {n}"))).collect()
}

pub(crate) fn control(deps: Vec<Dep>, body: impl Into<Bytes>) -> NewEntry {
    NewEntry::control(ClaimedTime(5), deps, body.into())
}

pub(crate) fn dep(feed: u8, length: u64) -> Dep {
    Dep { feed: FeedId::from_bytes([feed; 32]), length, root: Root::from_bytes([feed; 32]) }
}

/// A header as an honest writer of data would make it.
pub(crate) fn header(seq: u64, body: &[u8]) -> Header {
    Header {
        seq,
        kind: kind::RECORD,
        session: 0,
        epoch: Some(EpochId::from_bytes([9; 32])),
        claimed: ClaimedTime(7),
        deps: vec![],
        body_hash: body_hash(body),
        body_len: body.len() as u64,
    }
}

/// A range over any headers, with a true root and a true signature: what the holder of a feed key can always make.
pub(crate) fn forge(author: &Author, from: u64, headers: &[Bytes], sizes: &[u64], bodies: &[&[u8]]) -> Range {
    let mut tree = Tree::new();
    let mut framed = Vec::new();
    for (header, size) in headers.iter().zip(sizes) {
        tree.push(leaf(header), header.len() as u64 + size);
        frame::put_framed(header, &mut framed);
    }
    let secret = secret_of(author);
    let head = Head::sign(author.feed(), from + tree.length(), tree.byte_length(), tree.root(), &secret);
    Range { from, head, headers: framed.into(), bodies: vec![bodies.concat().into()], absent: Absent::NONE }
}

/// A range over these headers as they are.
pub(crate) fn forge_headers(author: &Author, headers: &[Header], bodies: &[&[u8]]) -> Range {
    let encoded: Vec<Bytes> = headers.iter().map(Header::encode).collect();
    let sizes: Vec<u64> = headers.iter().map(|header| header.body_len).collect();
    forge(author, 0, &encoded, &sizes, bodies)
}

fn secret_of(author: &Author) -> FeedSecret {
    (0..100)
        .map(|number| secret(number, author.manifest.purpose))
        .find(|secret| secret.id() == author.manifest.feed_key)
        .unwrap()
}

/// What a reader that starts from nothing makes of all ranges.
pub(crate) fn read_all(origin: &Origin, ranges: &[VerifiedRange]) -> Tree {
    let mut tree = Tree::new();
    for range in ranges {
        let verified = verify_range(&tree, origin, &range.to_range()).unwrap();
        assert_eq!(&verified, range, "a reader sees what the writer wrote");
        tree = verified.tree().clone();
    }
    tree
}
