//! That a feed's author wrote two histories, and which of them the witness holds.
//!
//! The proof itself is bytes here: how a feed is proved is the business of `weft-feed`, which this crate does not know. Who
//! reads control entries checks it (`weft_space::ControlEntry::read`). Spec: CREDENTIAL-12.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::Manifest;
use weft_wire::credential as wire;

use crate::Malformed;

/// One of the two histories of a fork proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// The one whose entry at the fork has the lower leaf.
    First = 1,
    /// The other one.
    Second = 2,
}

/// A witness of a fork. Spec: CREDENTIAL-12.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkProven {
    /// The feed.
    pub manifest: Manifest,
    /// A fork proof (FEED-7.3), encoded. Not checked by this crate.
    pub proof: Bytes,
    /// Whose head of the two ends what the witness holds of the feed.
    pub held: Branch,
}

impl ForkProven {
    pub(crate) fn encode(&self) -> Bytes {
        let (proof, manifest) = (self.proof.clone(), self.manifest.encode());
        wire::ForkProven { proof, manifest, held: self.held as u32 }.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::ForkProven = weft_wire::decode(content).map_err(Malformed::decode("ForkProven"))?;
        let held = match message.held {
            1 => Branch::First,
            2 => Branch::Second,
            found => return Err(Malformed::Number { field: "ForkProven.held", found: found.into() }),
        };
        let manifest = Manifest::decode(&message.manifest).map_err(Malformed::manifest("ForkProven.manifest"))?;
        Ok(Self { manifest, proof: message.proof, held })
    }
}
