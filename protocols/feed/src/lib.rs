//! weft-feed.
