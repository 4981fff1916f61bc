//! Tests of hashes, keys, sealing: known answers and properties.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "tests read and write specs/, machines do not")]

mod contexts;
mod feeds;
mod keys;
mod lockboxes;
mod properties;
mod sealed_secrets;
mod seals;
mod secrets;
mod vectors;
