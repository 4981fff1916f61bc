//! Every decoder of every protocol, as a function of any bytes that must return. One list for the mutants that tests make of
//! the vectors and for `cargo fuzz` (`protocols/fuzz`).

use bytes::Bytes;

use crate::{local, room::derived::CursorRow};

/// A decoder, with all that is done at once with what it gives.
#[derive(Clone, Copy, Debug)]
pub struct Decoder {
    /// Its name: protocol and what is decoded.
    pub name: &'static str,
    /// The folder of vectors that its mutants come from.
    pub vectors: &'static str,
    /// Returns, whatever the bytes are.
    pub run: fn(&[u8]),
}

macro_rules! decoders {
    ($($name:literal from $vectors:literal: $run:path;)*) => {
        /// All of them.
        pub const DECODERS: &[Decoder] = &[$(Decoder { name: $name, vectors: $vectors, run: $run },)*];
    };
}

decoders! {
    "wire messages" from "*": weft_wire::fuzz;
    "crypto" from "crypto": weft_crypto::fuzz;
    "feed header" from "feed": weft_feed::fuzz::header;
    "feed tree" from "feed": weft_feed::fuzz::tree;
    "feed run" from "feed": weft_feed::fuzz::run;
    "feed absent" from "feed": weft_feed::fuzz::absent;
    "feed history" from "feed": weft_feed::fuzz::history;
    "feed proofs" from "feed": weft_feed::fuzz::proofs;
    "credential control body" from "*": weft_credential::fuzz::control_body;
    "credential redemption" from "*": weft_credential::fuzz::redemption;
    "credential statement" from "credential": weft_credential::fuzz::statement;
    "space entry" from "space": weft_space::fuzz::entry;
    "space door" from "space": weft_space::fuzz::door;
    "invitation link" from "invitation": weft_invitation::fuzz::link;
    "invitation host" from "invitation": weft_invitation::fuzz::host;
    "replication frames" from "replication": weft_replication::fuzz::frames;
    "replication messages" from "replication": weft_replication::fuzz::messages;
    "echo mutation" from "echo": weft_echo::fuzz::mutation;
    "echo update" from "echo": weft_echo::fuzz::update;
    "echo value" from "echo": weft_echo::fuzz::value;
    "echo trace" from "echo": weft_echo::fuzz::trace;
    "echo rows" from "echo": weft_echo::fuzz::rows;
    "peer rows" from "*": rows;
}

/// The bytes as the rows that a room and the peer itself are opened from: the first one is where the key ends.
pub fn rows(bytes: &[u8]) {
    let Some((split, rest)) = bytes.split_first() else { return };
    let (key, value) = rest.split_at(usize::from(*split).min(rest.len()));
    let value = Bytes::copy_from_slice(value);
    let _ = CursorRow::decode(key, &value);
    let _ = local::Row::decode(key, &value);
}
