//! The checkout as text: every file of ours, read once.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of the checkout.
pub(crate) struct File {
    /// Path from the workspace root, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl File {
    /// Whether it is ours to write by hand.
    pub(crate) fn is_generated(&self) -> bool {
        self.path.contains("/generated/")
    }

    /// Whether all of it is test or bench code.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs") || self.path.starts_with("benches/")
    }

    /// Its lines with their numbers, and whether each is test code: a test file's, or below `#[cfg(test)]`.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let mut in_tests = self.is_test();
        self.text.lines().enumerate().map(move |(index, line)| {
            in_tests |= line.starts_with("#[cfg(test)]");
            (index + 1, line, in_tests)
        })
    }
}

/// The checkout.
pub(crate) struct Tree {
    /// Where it is.
    pub(crate) root: PathBuf,
    /// Every text file, by path.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the checkout this test was built from.
    pub(crate) fn read() -> Tree {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
        let mut files = Vec::new();
        walk(&root, &root, &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(files.len() > 30, "the checkout is not where the test looks for it");
        Tree { root, files }
    }

    /// Files with this extension.
    pub(crate) fn with_extension<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| Path::new(&file.path).extension().is_some_and(|found| found == extension))
    }

    /// Rust files written by hand.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.with_extension("rs").filter(|file| !file.is_generated())
    }
}

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 4] = [".git", "target", "node_modules", "out"];
/// What is read as text.
const TEXT: [&str; 12] = ["rs", "md", "toml", "proto", "json", "yml", "yaml", "cff", "html", "js", "css", "sh"];
/// Larger files are data.
const BYTES_MAX: u64 = 1 << 20;

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                walk(root, &path, files);
            }
        } else if kind.is_file()
            && path.extension().is_some_and(|found| TEXT.iter().any(|text| found == *text))
            && entry.metadata().is_ok_and(|metadata| metadata.len() <= BYTES_MAX)
        {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let relative = path.strip_prefix(root).unwrap();
            let path = relative.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
            files.push(File { path, text });
        }
    }
}
