//! Tests of time, deadlines, draws, and of the laws themselves: each law must catch a machine that breaks it.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod laws;
mod properties;
