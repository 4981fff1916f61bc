//! What every file and name keeps to.

use std::path::Path;

use crate::tree::Tree;

/// Files that do not begin by saying what they are.
pub(crate) fn headers(tree: &Tree) -> Vec<String> {
    let silent = tree.rust().filter(|file| {
        let said = file.text.lines().next().and_then(|line| line.strip_prefix("//!")).map(str::trim);
        said.is_none_or(|said| said.len() < 8 || said.trim_end_matches('.').starts_with("weft-") && !said.contains(' '))
    });
    silent.map(|file| format!("{}:1: begins with `//!`: what it is, then why", file.path)).collect()
}

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 10] =
    ["common", "utils", "util", "helpers", "helper", "core", "types", "misc", "manager", "shared"];

/// Crates, folders and modules whose name says nothing.
pub(crate) fn names(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let path = Path::new(&file.path);
        let folders = path.parent().into_iter().flat_map(Path::iter);
        for name in folders.chain(path.file_stem()).filter_map(|name| name.to_str()) {
            if EMPTY_NAMES.contains(&name) {
                findings.push(format!("{}: a module called {name} says nothing; name it for its subject", file.path));
            }
        }
        for (number, line, _) in file.lines() {
            let inline = line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub ").strip_prefix("mod ");
            if let Some(name) = inline.and_then(|rest| rest.split([' ', ';']).next())
                && EMPTY_NAMES.contains(&name)
            {
                findings.push(format!("{}:{number}: a module called {name} says nothing", file.path));
            }
        }
    }
    findings
}

/// `unwrap` in what ships of the protocols and the node.
pub(crate) fn unwraps(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with("protocols/") || file.path.starts_with("node/")) {
        for (number, line, in_tests) in file.lines() {
            if !in_tests && !line.trim_start().starts_with("//") && line.contains(".unwrap()") {
                findings.push(format!(
                    "{}:{number}: unwrap in shipped code: an error, or expect(\"the invariant\")",
                    file.path
                ));
            }
        }
    }
    findings
}

/// Tests that sleep, and tests that are switched off.
pub(crate) fn sleeps_and_ignores(tree: &Tree) -> Vec<String> {
    let (sleep, ignore) = (concat!("sleep", "("), concat!("#[", "ignore"));
    let mut findings = Vec::new();
    for file in tree.rust() {
        for (number, line, in_tests) in file.lines() {
            // Benches measure time; they may wait for it.
            if in_tests && !file.path.starts_with("benches/") && line.contains(sleep) {
                findings
                    .push(format!("{}:{number}: a test waits for an event, with a deadline; none sleeps", file.path));
            }
            if line.trim_start().starts_with(ignore) {
                findings.push(format!("{}:{number}: an ignored test: make it smaller, or a bench", file.path));
            }
        }
    }
    findings
}

/// Paths that exist on one machine only, this checkout's own included.
pub(crate) fn machine_paths(tree: &Tree) -> Vec<String> {
    let checkout = tree.root.to_string_lossy().into_owned();
    let foreign = ["home", "root", "Users", "tmp"].map(|folder| format!("/{folder}/"));
    let mut findings = Vec::new();
    for file in &tree.files {
        for (number, line, _) in file.lines() {
            let own = line.contains(&checkout);
            let other = foreign.iter().any(|folder| {
                line.match_indices(folder.as_str()).any(|(at, _)| {
                    let example =
                        ["alice", "bob", "carol"].iter().any(|name| line[at + folder.len()..].starts_with(name));
                    // In a context string or an address such a folder stands in the middle of a word; a path begins one.
                    !example
                        && !line[..at].ends_with(|letter: char| {
                            letter.is_alphanumeric() || matches!(letter, '/' | '}' | '.' | '-' | '_')
                        })
                })
            });
            if own || other {
                findings.push(format!("{}:{number}: a path of somebody's machine", file.path));
            }
        }
    }
    findings
}
