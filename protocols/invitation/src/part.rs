//! Pieces of control feeds, as a host hands them to a newcomer.

use bytes::Bytes;
use weft_wire::invitation as wire;

/// Bytes of one part: with its fields' lengths it fits a frame.
pub const PART_BYTES_MAX: u64 = (weft_wire::frame::FRAME_BYTES_MAX - 64) as u64;

/// A piece of a control feed, at most [`PART_BYTES_MAX`] bytes; the Room makes it and verifies it with `weft-feed`. Spec: INVITATION-4.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The feed's signed manifest.
    pub manifest: Bytes,
    /// The first entry in it.
    pub from: u64,
    /// The signed head at its end.
    pub head: Bytes,
    /// Headers, each with its length in front.
    pub headers: Bytes,
    /// Bodies, one after another.
    pub bodies: Bytes,
}

impl Part {
    /// Bytes of all its fields, which count against the bundle's bound.
    pub fn bytes(&self) -> u64 {
        let fields = [&self.manifest, &self.head, &self.headers, &self.bodies];
        fields.into_iter().map(|field| field.len() as u64).sum()
    }
}

impl From<wire::Part> for Part {
    fn from(part: wire::Part) -> Self {
        let wire::Part { manifest, from, head, headers, bodies } = part;
        Self { manifest, from, head, headers, bodies }
    }
}

impl From<Part> for wire::Part {
    fn from(part: Part) -> Self {
        let Part { manifest, from, head, headers, bodies } = part;
        Self { manifest, from, head, headers, bodies }
    }
}
