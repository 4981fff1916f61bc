//! Which way imports go: the table in `protocols/README.md` against `cargo metadata`.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use crate::tree::Tree;

/// What is wrong with the floors.
pub(crate) fn findings(tree: &Tree) -> Vec<String> {
    let table = table(tree);
    let crates = crates(tree);
    let mut findings = Vec::new();

    for name in crates.iter().filter(|(_, found)| found.folder.starts_with("protocols/")).map(|(name, _)| name) {
        if !table.contains_key(name) {
            findings.push(format!("protocols/README.md: no line for {name}"));
        }
    }
    for (name, floor) in &table {
        let Some(found) = crates.get(name) else {
            findings.push(format!("protocols/README.md: {name} is not a crate of the workspace"));
            continue;
        };
        for dependency in &found.imports {
            match table.get(dependency) {
                Some(below) if below >= floor => {
                    findings.push(format!(
                        "{name} (floor {floor}) imports {dependency} (floor {below}): imports go down only"
                    ));
                }
                Some(_) => {}
                None if crates.contains_key(dependency) => {
                    findings.push(format!("{name} imports {dependency}, a driver: protocols know no driver"));
                }
                None if DRIVERS_ONLY.contains(&dependency.as_str()) => {
                    findings.push(format!("{name} imports {dependency}: protocols do no I/O"));
                }
                None => {}
            }
        }
    }
    findings
}

/// Crates of others that only a driver may import.
const DRIVERS_ONLY: [&str; 12] = [
    "anyhow",
    "async-trait",
    "axum",
    "futures",
    "getrandom",
    "libp2p",
    "rand",
    "redb",
    "tokio",
    "tracing",
    "ureq",
    "futures-timer",
];

/// Floor by crate, from the table whose lines look like `| 3 | `weft-space` | … |`.
fn table(tree: &Tree) -> BTreeMap<String, u32> {
    let page = tree.files.iter().find(|file| file.path == "protocols/README.md").unwrap();
    let mut floors = BTreeMap::new();
    for line in page.text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, floor, name, said, _] = cells[..]
            && let Ok(floor) = floor.parse()
        {
            assert!(!said.is_empty(), "protocols/README.md says nothing about {name}");
            floors.insert(name.trim_matches('`').to_owned(), floor);
        }
    }
    floors
}

struct Crate {
    folder: String,
    imports: Vec<String>,
}

/// The crates of the workspace and what their shipped code imports.
fn crates(tree: &Tree) -> BTreeMap<String, Crate> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(&tree.root)
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let manifest = text(&package["manifest_path"]).replace('\\', "/");
            let root = tree.root.to_string_lossy().replace('\\', "/");
            let folder =
                manifest.trim_start_matches(&root).trim_start_matches('/').trim_end_matches("/Cargo.toml").to_owned();
            // Tests may look sideways and up; what ships may not. Dev-dependencies are the only ones that are left out.
            let imports = package["dependencies"].as_array().unwrap().iter();
            let imports =
                imports.filter(|found| found["kind"].as_str() != Some("dev")).map(|found| text(&found["name"]));
            (text(&package["name"]), Crate { folder, imports: imports.collect() })
        })
        .collect()
}
