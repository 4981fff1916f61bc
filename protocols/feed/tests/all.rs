//! The tests of feeds: a plain model beside them, known answers, every violation, and the order of release.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod authors;
mod fuzz;
mod order;
mod order_properties;
mod pasts;
mod proofs;
mod properties;
mod refused;
mod vectors;
mod writer;
