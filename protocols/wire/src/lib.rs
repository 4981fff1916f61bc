//! The bytes between peers: protobuf messages, the bounds every one of them keeps, and frames.
//!
//! What arrives from outside is looked at twice. [`decode`] first *scans* the fields against the message's
//! [`Bounded::BOUNDS`], which allocates nothing, and only then lets `prost` build the message. So a decoder never
//! allocates more than a small multiple of the bytes it was given, whatever counts and lengths those bytes claim.
//!
//! This crate knows no meaning: signatures, hashes and rules live above it. Nested *signed* statements are `bytes`
//! fields; each is decoded from its own exact slice, never from its parent's.
//!
//! Spec: `specs/wire.md`; the messages are `specs/proto/*.proto`, and the code in `generated/` comes from them (a test
//! checks that generating again changes nothing).
//!
//! ```
//! use bytes::Bytes;
//! use weft_wire::{decode, feed::Dep, frame};
//!
//! // One side frames a message …
//! let dep = Dep { feed: Bytes::from(vec![1; 32]), length: 7, root: Bytes::from(vec![2; 32]) };
//! let sent = frame::encode(&dep);
//!
//! // … the other takes whole frames out of whatever pieces the stream delivers, and decodes each within its bounds.
//! let mut decoder = frame::Decoder::new();
//! decoder.push(sent.slice(..10));
//! assert_eq!(decoder.next().unwrap(), None);
//! decoder.push(sent.slice(10..));
//! let payload = decoder.next().unwrap().expect("a whole frame has arrived");
//! assert_eq!(decode::<Dep>(&payload).unwrap(), dep);
//! ```

mod bounded;
pub mod bounds;
pub mod frame;
pub mod varint;

pub use bounded::ALL;
pub use bounds::{Bound, Bounded, DecodeError, Shape, decode};

macro_rules! generated {
    ($($name:ident from $path:literal)*) => {$(
        #[rustfmt::skip]
        #[path = $path]
        #[allow(missing_docs, reason = "generated: the proto file and the spec document each field")]
        #[allow(clippy::all, reason = "generated")]
        pub mod $name;
    )*};
}

generated! {
    feed from "generated/feed.rs"
    credential from "generated/credential.rs"
    space from "generated/space.rs"
    invitation from "generated/invitation.rs"
    replication from "generated/replication.rs"
    echo from "generated/echo.rs"
}

/// Puts any bytes through every decoder of this crate; it must return, whatever they are.
pub fn fuzz(input: &[u8]) {
    let bytes = bytes::Bytes::copy_from_slice(input);
    for message in ALL {
        // What the scan accepts, prost must be able to walk; only UTF-8 may still be wrong in it.
        (message.fuzz)(&bytes);
    }
    let _ = varint::read(input);
    for item in frame::split_framed(&bytes) {
        if item.is_err() {
            break;
        }
    }
    let mut decoder = frame::Decoder::new();
    let middle = input.len() / 2;
    for piece in [bytes.slice(..middle), bytes.slice(middle..)] {
        decoder.push(piece);
        while let Ok(Some(frame)) = decoder.next() {
            debug_assert!(frame.len() <= frame::FRAME_BYTES_MAX);
        }
    }
}
