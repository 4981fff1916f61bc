//! What holds for all feeds, against a plain list of entries.

use bytes::Bytes;
use proptest::{collection::vec, prelude::*, sample::Index};
use prost::Message;
use weft_crypto::{Dep, EpochId, FeedId, Head, Purpose, Root};
use weft_feed::{
    Header, HeaderView, Range, Run, Tree, VerifiedRange, body_hash, kind, leaf, limits, verify_headers, verify_range,
};
use weft_machine::ClaimedTime;
use weft_wire::feed as wire;

use crate::authors::{Author, author, read_all, record};

/// Batches of bodies as sizes; most are small, some large enough to force runs and ranges apart.
fn batches() -> impl Strategy<Value = Vec<Vec<usize>>> {
    let size = prop_oneof![8 => 0..300usize, 1 => 20_000..40_000usize, 1 => 60_000..90_000usize];
    vec(vec(size, 0..40), 1..8)
}

/// A feed written in these batches, and the bodies beside it.
fn write(batches: &[Vec<usize>]) -> (Author, Vec<VerifiedRange>, Vec<Bytes>) {
    let mut alice = author(1, Purpose::Data);
    let (mut ranges, mut model) = (Vec::new(), Vec::new());
    for batch in batches {
        let bodies: Vec<Bytes> =
            batch.iter().enumerate().map(|(n, &size)| vec![(n + model.len()) as u8; size].into()).collect();
        ranges.extend(alice.writer.append(bodies.iter().map(|body| record(vec![], body.clone())).collect()).unwrap());
        model.extend(bodies);
    }
    (alice, ranges, model)
}

fn all_runs(ranges: &[VerifiedRange]) -> Vec<Run> {
    ranges.iter().flat_map(|range| range.runs().iter().cloned()).collect()
}

/// The tree over the first entries, one by one.
fn tree_at(runs: &[Run], length: u64) -> Tree {
    let mut tree = Tree::new();
    for entry in runs.iter().flat_map(Run::entries).take(length as usize) {
        let header = entry.header.bytes();
        tree.push(leaf(header), header.len() as u64 + entry.header.body_len());
    }
    tree
}

fn bodies_of(runs: &[Run]) -> Vec<Option<Bytes>> {
    runs.iter().flat_map(|run| run.entries().map(|entry| entry.body.map(|body| run.share(body)))).collect()
}

/// The piece of contiguous runs from `from` on.
fn tail(runs: &[Run], from: u64) -> Vec<Run> {
    runs.iter().filter(|run| run.end() > from).map(|run| run.slice(run.from().max(from), run.end())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Spec: FEED-4.1, FEED-4.2
    #[test]
    fn a_feed_is_the_list_of_its_entries(batches in batches()) {
        let (alice, ranges, model) = write(&batches);
        let runs = all_runs(&ranges);
        prop_assert_eq!(bodies_of(&runs), model.iter().cloned().map(Some).collect::<Vec<_>>());
        prop_assert_eq!(&tree_at(&runs, model.len() as u64), alice.writer.tree());
        prop_assert_eq!(&read_all(&alice.origin, &ranges), alice.writer.tree());
        let mut at = 0;
        for run in &runs {
            prop_assert_eq!(run.from(), at);
            prop_assert!(run.count() as usize <= limits::RUN_ENTRIES_MAX);
            prop_assert!(run.count() == 1 || run.bytes() <= limits::RUN_BYTES_MAX);
            let again = Run::new(run.from(), run.headers().clone(), run.bodies().clone(), *run.absent());
            prop_assert_eq!(again.as_ref(), Ok(run));
            at = run.end();
        }
        let bytes: usize = model.iter().map(Bytes::len).sum::<usize>()
            + runs.iter().flat_map(Run::entries).map(|entry| entry.header.bytes().len()).sum::<usize>();
        prop_assert_eq!(alice.writer.tree().byte_length(), bytes as u64);
        prop_assert_eq!(&Tree::decode(&alice.writer.tree().encode()).unwrap(), alice.writer.tree());
    }

    /// Whoever holds any prefix verifies what is beyond it up to a signed head, whatever runs and pieces it comes in.
    ///
    /// Spec: FEED-5.1
    #[test]
    fn a_prefix_of_any_length_can_be_extended(batches in batches(), at: Index, cuts in vec(any::<Index>(), 0..4)) {
        let (alice, ranges, model) = write(&batches);
        prop_assume!(!model.is_empty());
        let from = at.index(model.len()) as u64;
        let range = ranges.iter().find(|range| range.from() <= from && from < range.end()).unwrap();
        let mut runs = tail(range.runs(), from);
        for cut in cuts {
            let place = cut.index(runs.len());
            let run = runs[place].clone();
            if run.count() > 1 {
                let middle = run.from() + 1 + cut.index(run.count() as usize - 1) as u64;
                runs.splice(place..=place, [run.slice(run.from(), middle), run.slice(middle, run.end())]);
            }
        }
        let sent = Range::from_runs(*range.head(), &runs);
        let verified = verify_range(&tree_at(&all_runs(&ranges), from), &alice.origin, &sent).unwrap();
        prop_assert_eq!(verified.tree(), range.tree());
        let expected: Vec<_> = model[from as usize..range.end() as usize].iter().cloned().map(Some).collect();
        prop_assert_eq!(bodies_of(verified.runs()), expected);
    }

    /// Bodies may come in any pieces of whole bodies.
    #[test]
    fn bodies_stream_in_any_pieces(sizes in vec(0..5_000usize, 1..60), splits in vec(any::<bool>(), 60)) {
        let (alice, ranges, model) = write(&[sizes]);
        let range = ranges[0].to_range();
        let mut pending =
            verify_headers(&Tree::new(), &alice.origin, 0, &range.head, &range.headers, &range.absent).unwrap();
        let mut piece = Vec::new();
        for (body, split) in model[..ranges[0].end() as usize].iter().zip(splits) {
            piece.extend_from_slice(body);
            if split {
                let before = pending.missing_bytes();
                pending.push(&piece.clone().into()).unwrap();
                prop_assert_eq!(before - pending.missing_bytes(), piece.len());
                piece.clear();
            }
        }
        pending.push(&piece.into()).unwrap();
        prop_assert!(pending.is_complete());
        let verified = pending.finish().unwrap();
        prop_assert_eq!(verified.tree(), ranges[0].tree());
        prop_assert_eq!(bodies_of(verified.runs()), bodies_of(ranges[0].runs()));
    }

    /// No changed byte of a range passes.
    ///
    /// Spec: FEED-5.1
    #[test]
    fn an_altered_range_is_refused(sizes in vec(1..200usize, 1..20), at: Index, change in 1..=255u8, what in 0..3) {
        let (alice, ranges, _) = write(&[sizes]);
        let mut range = ranges[0].to_range();
        let alter = |bytes: &Bytes| {
            let mut bytes = bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            Bytes::from(bytes)
        };
        match what {
            0 => range.headers = alter(&range.headers),
            1 => range.bodies[0] = alter(&range.bodies[0]),
            _ => match Head::decode(&alter(&range.head.encode())) {
                Ok(head) if head != range.head => range.head = head,
                _ => return Ok(()),
            },
        }
        prop_assert!(verify_range(&Tree::new(), &alice.origin, &range).is_err());
    }

    /// An erased body is gone, the feed still verifies, and nothing else changes.
    ///
    /// Spec: FEED-4.3
    #[test]
    fn an_erased_body_leaves_the_feed_whole(sizes in vec(0..200usize, 1..30), erased in vec(any::<Index>(), 1..5)) {
        let (alice, ranges, model) = write(&[sizes]);
        let mut model: Vec<Option<Bytes>> = model.into_iter().map(Some).collect();
        let mut run = ranges[0].runs()[0].clone();
        for at in erased {
            let seq = at.index(model.len());
            run = run.erase(seq as u64).unwrap();
            if model[seq].as_ref().is_some_and(|body| !body.is_empty()) {
                model[seq] = None;
            }
        }
        let sent = Range::from_runs(*ranges[0].head(), std::slice::from_ref(&run));
        let verified = verify_range(&Tree::new(), &alice.origin, &sent).unwrap();
        prop_assert_eq!(verified.tree(), ranges[0].tree());
        prop_assert_eq!(bodies_of(verified.runs()), model.clone());
        prop_assert_eq!(weft_feed::Absent::from_bits(&run.absent().to_bits(), run.count()), Ok(*run.absent()));
        for middle in 1..run.end() {
            let halves = [run.slice(0, middle), run.slice(middle, run.end())];
            prop_assert_eq!(&bodies_of(&halves), &model);
            prop_assert_eq!(&Run::concat(&halves).unwrap(), &run);
        }
    }
}

fn any_header() -> impl Strategy<Value = Header> {
    let dep = (any::<[u8; 32]>(), 1..=limits::LENGTH_MAX, any::<[u8; 32]>());
    (0..limits::LENGTH_MAX, 1..=4u32, any::<u64>(), any::<[u8; 32]>(), any::<u64>(), vec(dep, 0..6), 0..=1u64 << 20)
        .prop_map(|(seq, kind, session, hash, claimed, deps, body_len)| {
            let sealed = matches!(kind, kind::MUTATION | kind::RECORD);
            let mut deps: Vec<Dep> = deps
                .into_iter()
                .map(|(feed, length, root)| Dep {
                    feed: FeedId::from_bytes(feed),
                    length,
                    root: Root::from_bytes(root),
                })
                .collect();
            deps.sort_by_key(|dep| dep.feed);
            Header {
                seq,
                kind,
                session: if sealed { session } else { 0 },
                epoch: sealed.then(|| EpochId::from_bytes(hash)),
                claimed: ClaimedTime(claimed),
                deps,
                body_hash: body_hash(&hash),
                body_len: if kind == kind::MERGE { 0 } else { body_len },
            }
        })
}

/// The same header as protobuf has it.
fn as_wire(header: &Header) -> wire::Header {
    let dep = |dep: &Dep| wire::Dep { feed: dep.feed.to_bytes(), length: dep.length, root: dep.root.to_bytes() };
    wire::Header {
        seq: header.seq,
        kind: header.kind,
        session: header.session,
        epoch: header.epoch.map(|epoch| epoch.to_bytes()).unwrap_or_default(),
        claimed_time: header.claimed.0,
        deps: header.deps.iter().map(dep).collect(),
        body_hash: Bytes::copy_from_slice(&header.body_hash),
        body_len: header.body_len,
    }
}

proptest! {
    /// Three readers and two writers of headers agree.
    ///
    /// Spec: FEED-2.1
    #[test]
    fn headers_are_protobuf(header in any_header()) {
        let bytes = header.encode();
        prop_assert_eq!(&bytes, &as_wire(&header).encode_to_vec());
        prop_assert_eq!(weft_wire::decode::<wire::Header>(&bytes).unwrap(), as_wire(&header));
        prop_assert_eq!(&Header::decode(&bytes).unwrap(), &header);
        let view = HeaderView::parse(&bytes).unwrap();
        prop_assert_eq!(view.has_deps(), !header.deps.is_empty());
        prop_assert_eq!((view.seq(), view.kind(), view.body_len()), (header.seq, header.kind, header.body_len));
    }

    /// Whatever the strict reader takes, protobuf reads alike, and there is no second spelling of it.
    #[test]
    fn what_is_read_strictly_is_read_alike_by_protobuf(header in any_header(), at: Index, byte: u8, cut in 0..4usize) {
        let mut bytes = header.encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.drain(at..(at + cut).min(bytes.len()));
        if let Ok(read) = Header::decode(&bytes) {
            prop_assert_eq!(&read.encode(), &bytes);
            prop_assert_eq!(&weft_wire::decode::<wire::Header>(&bytes.into()).unwrap(), &as_wire(&read));
        }
    }
}
