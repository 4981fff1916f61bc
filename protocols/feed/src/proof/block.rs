//! One entry under a signed head.

use bytes::Bytes;
use weft_crypto::{FeedKey, Head};
use weft_wire::feed as wire;

use super::{Node, Places, ProofError, Source, check_head, check_peaks, decode, decode_head, node};
use crate::{flat, hashes, tree::Peak, view::HeaderView};

/// That an entry is in a feed: its header, the nodes beside the way from its leaf up to its peak, and the other peaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockProof {
    /// The head that it is proved under.
    pub head: Head,
    /// The entry.
    pub seq: u64,
    /// Its header as written.
    pub header: Bytes,
    /// Siblings from the leaf up, then the other peaks left to right.
    pub nodes: Vec<Node>,
}

impl BlockProof {
    /// Makes a proof of an entry under a head.
    ///
    /// # Errors
    /// When the head does not reach the entry, or a node is not to be had.
    pub fn make(head: Head, seq: u64, header: Bytes, source: Source<'_>) -> Result<Self, ProofError> {
        let top = flat::peak_over(seq, head.length).ok_or(ProofError::Beyond { asked: seq, length: head.length })?;
        let way = std::iter::successors(Some(flat::leaf(seq)), |&at| Some(flat::parent(at)));
        let siblings = way.take_while(|&at| at != top).map(flat::sibling);
        let peaks = flat::peaks(head.length).filter(|&peak| peak != top);
        let nodes = siblings.chain(peaks).map(|index| node(source, index)).collect::<Result<_, _>>()?;
        Ok(Self { head, seq, header, nodes })
    }

    /// Checks the proof: the entry with this header is in the feed of this key. The body is for the caller to compare with
    /// the header.
    ///
    /// # Errors
    /// The first rule that the proof breaks.
    ///
    /// Spec: FEED-7.1
    pub fn verify(&self, feed_key: &FeedKey) -> Result<HeaderView<'_>, ProofError> {
        let header = HeaderView::parse(&self.header)?;
        if header.seq() != self.seq {
            return Err(ProofError::Seq { expected: self.seq, found: header.seq() });
        }
        check_head(&self.head, feed_key)?;
        let top = flat::peak_over(self.seq, self.head.length)
            .ok_or(ProofError::Beyond { asked: self.seq, length: self.head.length })?;
        let mut places = Places { rest: &self.nodes };
        let (mut at, mut under) = (flat::leaf(self.seq), self.leaf(&header));
        while at != top {
            let beside = places.take(flat::sibling(at))?;
            under = if flat::is_left(at) { hashes::parent(&under, &beside) } else { hashes::parent(&beside, &under) };
            at = flat::parent(at);
        }
        let peaks = flat::peaks(self.head.length)
            .map(|peak| if peak == top { Ok(under) } else { places.take(peak) })
            .collect::<Result<Vec<_>, _>>()?;
        places.end()?;
        check_peaks(&peaks, &self.head)?;
        Ok(header)
    }

    fn leaf(&self, header: &HeaderView<'_>) -> Peak {
        Peak { hash: hashes::leaf(&self.header), size: self.header.len() as u64 + header.body_len() }
    }

    /// The proof as sent.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        super::encode(&wire::BlockProof {
            head: self.head.encode(),
            seq: self.seq,
            header: self.header.clone(),
            nodes: super::nodes_to_wire(&self.nodes),
        })
    }

    /// Reads a proof. It is not verified by that.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &Bytes) -> Result<Self, ProofError> {
        let message: wire::BlockProof = decode(bytes)?;
        Ok(Self {
            head: decode_head(&message.head)?,
            seq: message.seq,
            header: message.header,
            nodes: super::nodes_from_wire(message.nodes)?,
        })
    }
}
