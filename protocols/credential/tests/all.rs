//! The tests of credentials: what is refused, known answers, properties.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "tests read and write specs/, machines do not")]

mod chains;
mod newcomer;
mod properties;
mod refused;
mod vectors;
