//! The tests of the wire: generation, tables, known answers and properties.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod generated;
