//! The tests of invitations: links, both machines, known answers, properties.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "tests read and write specs/, machines do not")]

mod devices;
mod links;
mod newcomer;
mod properties;
mod refused;
mod session;
mod vectors;
