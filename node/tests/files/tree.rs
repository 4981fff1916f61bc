//! Folders as values, and what the commands say of them.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Ended, Folder, argument};

/// Paths and contents.
pub(super) type Tree = BTreeMap<String, Vec<u8>>;

/// A tree of these files.
pub(super) fn tree(files: &[(&str, &[u8])]) -> Tree {
    files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}

/// A folder with these files in it.
pub(super) fn folder_of(tree: &Tree) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), tree);
    folder
}

pub(super) fn write(folder: &Path, tree: &Tree) {
    for (path, bytes) in tree {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Every file below a folder. Links are not followed: one is told as `link`.
pub(super) fn read(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    read_into(folder, "", &mut tree);
    tree
}

fn read_into(folder: &Path, above: &str, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{above}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            tree.insert(path, b"link".to_vec());
        } else if kind.is_dir() {
            read_into(&entry.path(), &format!("{path}/"), tree);
        } else {
            tree.insert(path, fs::read(entry.path()).unwrap_or_else(|_| b"unreadable".to_vec()));
        }
    }
}

/// What a command said of each file, and of all of them.
pub(super) struct Said {
    pub(super) exit: i32,
    lines: Vec<Value>,
    pub(super) sum: Value,
}

impl Said {
    pub(super) fn of(ended: &Ended) -> Said {
        let mut lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sum = lines.pop().unwrap_or_else(|| panic!("{ended:?}"));
        let skipped = sum["skipped"].as_u64().unwrap();
        assert_eq!(ended.exit, i32::from(skipped > 0), "{ended:?}");
        if skipped > 0 {
            let error: Value = serde_json::from_str(&ended.stderr).unwrap();
            assert_eq!(error["error"]["code"], "some_skipped");
        }
        for state in ["imported", "written", "updated", "unchanged", "skipped"] {
            let told = lines.iter().filter(|line| line["state"] == state).count();
            assert_eq!(sum[state].as_u64().unwrap_or(0), told as u64, "{ended:?}");
        }
        Said { exit: ended.exit, lines, sum }
    }

    /// `state`, or `state: code` where there is one.
    pub(super) fn of_path(&self, path: &str) -> String {
        let mut told = self.lines.iter().filter(|line| line["path"] == path);
        let line = told.next().unwrap_or_else(|| panic!("nothing of {path:?} in {:?}", self.lines));
        assert!(told.next().is_none(), "{path:?} is told twice: {:?}", self.lines);
        let state = line["state"].as_str().unwrap();
        match line["code"].as_str() {
            Some(code) => {
                assert!(!line["reason"].as_str().unwrap().is_empty());
                format!("{state}: {code}")
            }
            None => state.to_owned(),
        }
    }

    /// How many of which state.
    pub(super) fn counts(&self, states: [&str; 4]) -> [u64; 4] {
        states.map(|state| self.sum[state].as_u64().unwrap_or_else(|| panic!("no {state} in {}", self.sum)))
    }

    pub(super) fn paths(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line["path"].as_str().unwrap()).collect()
    }
}

/// `weft import files` into the space `notes`.
pub(super) fn import(node: &Folder, folder: &Path, flags: &[&str]) -> Said {
    let arguments = ["--json", "import", "files", argument(folder), "--space", "notes"];
    Said::of(&node.run(&[&arguments[..], flags].concat()))
}

/// `weft export` of the space `notes`.
pub(super) fn export(node: &Folder, folder: &Path, flags: &[&str]) -> Said {
    Said::of(&node.run(&[&["--json", "export", "notes", argument(folder)], flags].concat()))
}

/// Alice, with a space `notes`.
pub(super) fn alice() -> Folder {
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "notes"]);
    alice
}
