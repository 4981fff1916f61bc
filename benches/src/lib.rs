//! What Weft costs, beside what a user would pick instead, on the same work.
//!
//! What it is: the parts of three benches. `benches/feed.rs` asks what appending, verifying and replaying one feed cost, with the
//! `hypercore` crate in the same file. `benches/space.rs` asks what it costs to know who belongs to a large space. `benches/table.rs` asks what two whole nodes in two processes do, disk to disk, and
//! prints one table with the npm baselines beside it. What it is not: a place for tests of correctness; but each figure is
//! only printed after the work it stands for was checked to be done.
//!
//! The types that matter: [`source::Source`], the node that has the data; [`second::Role`], what the other process does;
//! [`report::Table`]. The README says how to run them and how to read what they print.
//!
//! ```
//! use weft_benches::figures::Spread;
//!
//! let spread = Spread::of(&[9.0, 11.0, 10.0]).expect("three figures");
//! assert_eq!((spread.min, spread.median, spread.max), (9.0, 10.0, 11.0));
//! ```

pub mod blocks;
pub mod crowd;
pub mod error;
pub mod figures;
pub mod log;
pub mod npm;
pub mod process;
pub mod questions;
pub mod report;
pub mod second;
pub mod sizes;
pub mod source;
