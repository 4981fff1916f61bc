//! weft-space.
