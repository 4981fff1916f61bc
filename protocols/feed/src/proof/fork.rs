//! That a feed's author wrote two histories.

use bytes::Bytes;
use weft_crypto::{FeedKey, Head};
use weft_wire::feed as wire;

use super::{BlockProof, ConsistencyProof, Nodes, ProofError, decode, decode_head};
use crate::hashes;

/// Two heads signed by one key that no one log can have, and where they part. Anybody can check it with the manifest alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkProof {
    /// The head of the branch whose leaf at the fork is the lower one.
    pub first: Head,
    /// The head of the other branch.
    pub second: Head,
    /// How many entries the branches have in common.
    pub common: u64,
    /// The common prefix under the first head.
    pub first_consistency: ConsistencyProof,
    /// The common prefix under the second head.
    pub second_consistency: ConsistencyProof,
    /// Entry `common` under the first head.
    pub first_leaf: BlockProof,
    /// Entry `common` under the second head.
    pub second_leaf: BlockProof,
}

impl ForkProof {
    /// Makes a proof from two branches: for each its head, its nodes up to that head, and the header of its entry at
    /// [`Nodes::common`].
    ///
    /// # Errors
    /// When the branches do not part below both heads.
    pub fn make(one: (Head, &Nodes, Bytes), two: (Head, &Nodes, Bytes)) -> Result<Self, ProofError> {
        let common = one.1.common(two.1);
        let swap = hashes::leaf(&one.2) > hashes::leaf(&two.2);
        let (first, second) = if swap { (two, one) } else { (one, two) };
        let prefix =
            |head: &Head, nodes: &Nodes| ConsistencyProof::make(common, head.length, &|index| nodes.get(index));
        let leaf = |(head, nodes, header): (Head, &Nodes, Bytes)| {
            BlockProof::make(head, common, header, &|index| nodes.get(index))
        };
        Ok(Self {
            common,
            first_consistency: prefix(&first.0, first.1)?,
            second_consistency: prefix(&second.0, second.1)?,
            first: first.0,
            second: second.0,
            first_leaf: leaf(first)?,
            second_leaf: leaf(second)?,
        })
    }

    /// Checks the proof against the feed's key. What it proves: the key's holder signed two histories that part after
    /// `common` entries.
    ///
    /// # Errors
    /// The first rule that the proof breaks.
    ///
    /// Spec: FEED-7.3
    pub fn verify(&self, feed_key: &FeedKey) -> Result<(), ProofError> {
        if self.first.feed != self.second.feed {
            return Err(ProofError::OtherFeed);
        }
        for (head, prefix, leaf) in [
            (&self.first, &self.first_consistency, &self.first_leaf),
            (&self.second, &self.second_consistency, &self.second_leaf),
        ] {
            if prefix.length != self.common || leaf.seq != self.common || leaf.head != *head {
                return Err(ProofError::OtherPart);
            }
            leaf.verify(feed_key)?;
        }
        let first = self.first_consistency.verify(&self.first, feed_key)?;
        let second = self.second_consistency.verify(&self.second, feed_key)?;
        if first != second {
            return Err(ProofError::PrefixDiffers { common: self.common });
        }
        if hashes::leaf(&self.first_leaf.header) >= hashes::leaf(&self.second_leaf.header) {
            return Err(ProofError::NoFork { common: self.common });
        }
        Ok(())
    }

    /// The proof as sent, and as a control entry carries it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        super::encode(&wire::ForkProof {
            first: self.first.encode(),
            second: self.second.encode(),
            common: self.common,
            first_consistency: self.first_consistency.encode(),
            second_consistency: self.second_consistency.encode(),
            first_leaf: self.first_leaf.encode(),
            second_leaf: self.second_leaf.encode(),
        })
    }

    /// Reads a proof. It is not verified by that.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &Bytes) -> Result<Self, ProofError> {
        let message: wire::ForkProof = decode(bytes)?;
        Ok(Self {
            first: decode_head(&message.first)?,
            second: decode_head(&message.second)?,
            common: message.common,
            first_consistency: ConsistencyProof::decode(&message.first_consistency)?,
            second_consistency: ConsistencyProof::decode(&message.second_consistency)?,
            first_leaf: BlockProof::decode(&message.first_leaf)?,
            second_leaf: BlockProof::decode(&message.second_leaf)?,
        })
    }
}
