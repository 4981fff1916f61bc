//! The first entries of a feed under a later head.

use bytes::Bytes;
use weft_crypto::{FeedKey, Head};
use weft_wire::feed as wire;

use super::{Node, Places, ProofError, Source, check_head, check_peaks, decode, node};
use crate::{
    flat, hashes,
    tree::{Peak, Tree},
};

/// That a feed's first `length` entries are those under some root: the peaks of that length, then the nodes that lead
/// from there to the peaks of the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The length of the prefix; 0 is allowed and proves nothing.
    pub length: u64,
    /// The prefix's peaks left to right; then siblings from its last peak up; then the head's peaks beyond.
    pub nodes: Vec<Node>,
}

impl ConsistencyProof {
    /// Makes a proof of the first `length` entries under a head of length `to`.
    ///
    /// # Errors
    /// When `length` is beyond `to`, or a node is not to be had.
    pub fn make(length: u64, to: u64, source: Source<'_>) -> Result<Self, ProofError> {
        if length > to {
            return Err(ProofError::Beyond { asked: length, length: to });
        }
        let mut nodes = flat::peaks(length).map(|index| node(source, index)).collect::<Result<Vec<_>, _>>()?;
        for index in beyond(length, to) {
            nodes.push(node(source, index)?);
        }
        Ok(Self { length, nodes })
    }

    /// Checks the proof under a head and gives the tree of the prefix: its root is what the feed had at that length.
    ///
    /// # Errors
    /// The first rule that the proof breaks.
    ///
    /// Spec: FEED-7.2
    pub fn verify(&self, head: &Head, feed_key: &FeedKey) -> Result<Tree, ProofError> {
        check_head(head, feed_key)?;
        if self.length > head.length {
            return Err(ProofError::Beyond { asked: self.length, length: head.length });
        }
        let mut places = Places { rest: &self.nodes };
        let prefix = flat::peaks(self.length).map(|peak| places.take(peak)).collect::<Result<Vec<_>, _>>()?;
        // Climb from the last peak of the prefix, taking the ones to its left along, until it is a peak of the head.
        let mut peaks: Vec<(u64, Peak)> = flat::peaks(self.length).zip(prefix.iter().copied()).collect();
        let top = self.length.checked_sub(1).and_then(|last| flat::peak_over(last, head.length));
        while let Some((at, under)) = peaks.pop_if(|(at, _)| Some(*at) != top) {
            let joined = if flat::is_left(at) {
                hashes::parent(&under, &places.take(flat::sibling(at))?)
            } else {
                let (_, left) = peaks.pop().expect("what is left of a node under the top is in the prefix");
                hashes::parent(&left, &under)
            };
            peaks.push((flat::parent(at), joined));
        }
        let mut peaks: Vec<Peak> = peaks.into_iter().map(|(_, peak)| peak).collect();
        for index in flat::peaks(head.length).skip(peaks.len()) {
            peaks.push(places.take(index)?);
        }
        places.end()?;
        check_peaks(&peaks, head)?;
        Ok(Tree::from_peaks(self.length, prefix))
    }

    /// The proof as sent.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        super::encode(&wire::ConsistencyProof { length: self.length, nodes: super::nodes_to_wire(&self.nodes) })
    }

    /// Reads a proof. It is not verified by that.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &Bytes) -> Result<Self, ProofError> {
        let message: wire::ConsistencyProof = decode(bytes)?;
        Ok(Self { length: message.length, nodes: super::nodes_from_wire(message.nodes)? })
    }
}

/// The places of the nodes beyond a prefix that lead to the peaks of `to`, in the order of the proof.
fn beyond(length: u64, to: u64) -> Vec<u64> {
    let mut places = Vec::new();
    let Some(last) = length.checked_sub(1) else { return flat::peaks(to).collect() };
    let top = flat::peak_over(last, to).expect("the prefix is within the feed");
    let mut at = flat::peaks(length).next_back().expect("a prefix that is not empty has a peak");
    while at != top {
        if flat::is_left(at) {
            places.push(flat::sibling(at));
        }
        at = flat::parent(at);
    }
    places.extend(flat::peaks(to).filter(|&peak| peak > top));
    places
}
