//! weft-replication.
