//! One decoder of `weft_peer::fuzz::DECODERS`: the one whose name, with dashes for spaces, this target has.
#![no_main]

use std::sync::LazyLock;

use weft_peer::fuzz::{DECODERS, Decoder};

static DECODER: LazyLock<&Decoder> = LazyLock::new(|| {
    let named = |decoder: &&Decoder| decoder.name.replace(' ', "-") == env!("CARGO_BIN_NAME");
    DECODERS.iter().find(named).expect("a decoder of this name")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (DECODER.run)(bytes));
