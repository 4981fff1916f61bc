//! weft-benches.
