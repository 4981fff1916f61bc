//! The house rules as an ordinary test: nothing to install, and it fails with the line to change.
//!
//! It reads the checkout as text and asks `cargo metadata` for the crates. What needs a real parser (unused items, types, borrowed
//! clocks) is the compiler's and clippy's work; what is here are the promises that they cannot see: which way imports go, that
//! a citation names a section that exists, that a section that says MUST is cited, that names say something.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the checkout has to stop")]

mod citations;
mod floors;
mod longest;
mod style;
mod tree;

use tree::Tree;

/// Fails with all findings at once, one a line.
fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn imports_go_down_the_floors_only() {
    none(floors::findings(&Tree::read()));
}

#[test]
fn every_file_says_what_it_is() {
    none(style::headers(&Tree::read()));
}

#[test]
fn names_say_something() {
    none(style::names(&Tree::read()));
}

#[test]
fn shipped_code_does_not_unwrap() {
    none(style::unwraps(&Tree::read()));
}

#[test]
fn tests_neither_sleep_nor_are_ignored() {
    none(style::sleeps_and_ignores(&Tree::read()));
}

#[test]
fn nothing_names_a_path_of_somebodys_machine() {
    none(style::machine_paths(&Tree::read()));
}

#[test]
fn cited_sections_exist_and_anchors_are_unique() {
    none(citations::dangling(&Tree::read()));
}

#[test]
fn every_section_that_says_must_is_cited() {
    none(citations::uncited(&Tree::read()));
}

#[test]
fn links_between_pages_lead_somewhere() {
    none(citations::links(&Tree::read()));
}

#[test]
fn the_longest_files_and_functions_are_shown() {
    longest::print(&Tree::read());
}
