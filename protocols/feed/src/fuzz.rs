//! Every decoder of this crate as a function of any bytes, for fuzzing. Each checks what must hold for whatever decodes.

use bytes::Bytes;

use crate::{
    absent::Absent,
    header::Header,
    past::History,
    proof::{BlockProof, ConsistencyProof, ForkProof},
    run::Run,
    tree::Tree,
    view::HeaderView,
};

/// All of them on the same bytes.
pub fn all(bytes: &[u8]) {
    for fuzz in [header, tree, run, absent, history, proofs] {
        fuzz(bytes);
    }
}

/// A header that decodes is written again as the same bytes.
pub fn header(bytes: &[u8]) {
    if let Ok(view) = HeaderView::parse(bytes) {
        let header = Header::from(view);
        assert_eq!(header.encode(), bytes, "a header has one spelling");
        assert_eq!(view.has_deps(), !header.deps.is_empty(), "two readers see one header");
    }
}

/// A tree that decodes is written again as the same bytes, and can grow.
pub fn tree(bytes: &[u8]) {
    if let Ok(mut tree) = Tree::decode(bytes) {
        assert_eq!(tree.encode(), bytes, "a tree has one spelling");
        let root = tree.root();
        if tree.length() < crate::limits::LENGTH_MAX {
            tree.push([0; 32], 1);
            assert_ne!(tree.root(), root, "another entry is another root");
        }
    }
}

/// A run that decodes can be walked and cut. The first byte splits the rest into headers and bodies, the first header says
/// where it starts.
pub fn run(bytes: &[u8]) {
    let Some((&split, rest)) = bytes.split_first() else { return };
    let (headers, bodies) = rest.split_at(rest.len() * usize::from(split) / 255);
    let from = weft_wire::frame::Framed::new(headers)
        .next()
        .and_then(Result::ok)
        .and_then(|header| HeaderView::parse(header).ok())
        .map_or(0, |header| header.seq());
    let (headers, bodies) = (Bytes::copy_from_slice(headers), Bytes::copy_from_slice(bodies));
    if let Ok(run) = Run::new(from, headers, bodies, Absent::NONE) {
        assert_eq!(run.entries().count() as u64, run.end() - run.from(), "all entries are walked");
        let middle = run.from() + (run.end() - run.from()) / 2;
        if middle > run.from() {
            let (left, right) = (run.slice(run.from(), middle), run.slice(middle, run.end()));
            assert_eq!(Run::concat(&[left, right]).as_ref(), Ok(&run), "what was cut joins again");
        }
        let _ = run.erase(middle).map(|erased| {
            let again = Run::new(from, erased.headers().clone(), erased.bodies().clone(), *erased.absent());
            assert_eq!(again, Ok(erased), "an erased run is a run");
        });
    }
}

/// Absent bits that decode are written again as the same bytes.
pub fn absent(bytes: &[u8]) {
    if let Ok(absent) = Absent::from_bits(bytes, 256) {
        assert_eq!(absent.to_bits(), bytes, "absent bits have one spelling");
    }
}

/// A history's row.
pub fn history(bytes: &[u8]) {
    if let Ok(history) = History::restore([bytes]) {
        // More may be named than is known: the named feed may end before it.
        assert!(history.named().all(|(_, length)| length > 0), "what is named is not nothing");
        let _ = history.before(u64::MAX);
    }
}

/// Proofs of all kinds.
pub fn proofs(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let key = weft_crypto::FeedKey::from_bytes([1; 32]);
    if let Ok(proof) = BlockProof::decode(&bytes) {
        let _ = proof.verify(&key);
    }
    if let Ok(proof) = ForkProof::decode(&bytes) {
        let _ = proof.verify(&key);
    }
    if let Ok(proof) = ConsistencyProof::decode(&bytes) {
        let head = weft_crypto::Head::decode(&bytes);
        let _ = head.map(|head| proof.verify(&head, &key));
    }
}
