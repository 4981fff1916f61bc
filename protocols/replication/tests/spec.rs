//! The code cites sections that exist.

use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn every_section_that_is_cited_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let spec = fs::read_to_string(root.join("../../specs/replication.md")).unwrap();
    let mut cited = BTreeSet::new();
    for folder in ["src", "src/session", "tests"] {
        for file in fs::read_dir(root.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            for part in text.split("REPLICATION-").skip(1) {
                let section: String = part.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
                cited.insert(section.trim_end_matches('.').to_owned());
            }
        }
    }
    cited.remove("");
    assert!(cited.len() > 15);
    for section in cited {
        let heading =
            spec.lines().any(|line| line.starts_with('#') && line.contains(&format!("REPLICATION-{section} ")));
        assert!(heading, "REPLICATION-{section} is cited and not in the spec");
    }
}
