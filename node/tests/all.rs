//! The binary `weft` as people and programs meet it: processes, files, ports and exit codes.
//!
//! Every test runs the real program on folders of its own and on ports that the system chooses. Nothing sleeps: a node says
//! when it is ready, and `weft wait` when two are level.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod api;
mod browser;
mod command_line;
mod compatibility;
mod contacts;
mod damage;
mod demo;
mod description;
mod devices;
mod documented;
mod end_to_end;
mod everyday;
mod files;
mod following;
mod harness;
mod hostile;
mod invitations;
mod keys;
mod lifecycle;
mod logs;
mod members;
mod objects;
mod people;
mod printed_ids;
mod quarantine;
mod restored;
mod secrets;
mod spaces;
mod terminal;
mod traces;
