//! The tests of the wire: generation, tables, known answers and properties.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "tests read and write specs/, machines do not")]

mod frames;
mod generated;
mod properties;
mod refused;
mod vectors;
