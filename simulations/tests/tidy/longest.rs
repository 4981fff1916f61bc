//! The ten longest files and functions, printed so that growth is seen while it is small.

use crate::tree::{File, Tree};

/// Prints them; read with `cargo test --test tidy longest -- --nocapture`.
pub(crate) fn print(tree: &Tree) {
    let mut files: Vec<(usize, String)> =
        tree.rust().map(|file| (file.text.lines().count(), file.path.clone())).collect();
    let median = {
        files.sort();
        files[files.len() / 2].0
    };
    println!("{} Rust files, the median of {median} lines. The longest:", files.len());
    show(files);
    println!("The longest functions:");
    show(tree.rust().flat_map(functions).collect());
}

fn show(mut found: Vec<(usize, String)>) {
    found.sort_by(|a, b| b.cmp(a));
    for (lines, what) in found.into_iter().take(10) {
        println!("{lines:>6}  {what}");
    }
}

/// The functions of a file with their lengths. Formatted code ends a function with a brace below its first letter.
fn functions(file: &File) -> Vec<(usize, String)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let Some(name) = name(code) else { continue };
        let end = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == end) {
            found.push((length + 1, format!("{}:{} {name}", file.path, start + 1)));
        }
    }
    found
}

fn name(code: &str) -> Option<&str> {
    let mut rest = code;
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    if rest.ends_with(';') {
        return None;
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}
