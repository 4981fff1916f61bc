//! weft-crypto.
