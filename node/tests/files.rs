//! Folders of files in and out of a space.
#![cfg(unix)]

mod export;
mod import;
mod merging;
mod round_trip;
mod tree;
