//! weft-peer.
