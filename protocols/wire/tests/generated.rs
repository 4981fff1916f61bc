//! The generated code is what `specs/proto` gives, and every message keeps a table that fits it.
//!
//! `WEFT_REGENERATE=1 cargo test -p weft-wire` writes the code again.

use std::{fs, path::PathBuf};

const FILES: [&str; 6] = [
    "feed",
    "credential",
    "space",
    "invitation",
    "replication",
    "echo",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn descriptors() -> prost_types::FileDescriptorSet {
    let protos = root().join("../../specs/proto");
    protox::compile(
        FILES.map(|name| protos.join(format!("{name}.proto"))),
        [&protos],
    )
    .unwrap()
}

#[test]
fn generating_again_changes_nothing() {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generated");
    fs::create_dir_all(&out).unwrap();
    prost_build::Config::new()
        .bytes(["."])
        .out_dir(&out)
        .compile_fds(descriptors())
        .unwrap();
    for name in FILES {
        let code = fs::read_to_string(out.join(format!("weft.{name}.v1.rs"))).unwrap();
        let code = format!(
            "//! Generated from `specs/proto/{name}.proto` by a test of this crate; do not edit.\n\n{code}"
        );
        let path = root().join(format!("src/generated/{name}.rs"));
        if std::env::var_os("WEFT_REGENERATE").is_some() {
            fs::write(&path, &code).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == code,
            "{name}: generate again with WEFT_REGENERATE=1 cargo test -p weft-wire"
        );
    }
}
