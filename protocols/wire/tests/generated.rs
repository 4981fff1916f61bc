//! The generated code is what `specs/proto` gives, and every message keeps a table that fits it.
//!
//! `WEFT_REGENERATE=1 cargo test -p weft-wire` writes the code again.

use std::{fs, path::PathBuf};

use prost_types::{
    FieldDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
use weft_wire::{Bound, Shape};

const FILES: [&str; 6] = ["feed", "credential", "space", "invitation", "replication", "echo"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn descriptors() -> prost_types::FileDescriptorSet {
    let protos = root().join("../../specs/proto");
    protox::compile(FILES.map(|name| protos.join(format!("{name}.proto"))), [&protos]).unwrap()
}

#[test]
fn generating_again_changes_nothing() {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generated");
    fs::create_dir_all(&out).unwrap();
    prost_build::Config::new().bytes(["."]).out_dir(&out).compile_fds(descriptors()).unwrap();
    for name in FILES {
        let code = fs::read_to_string(out.join(format!("weft.{name}.v1.rs"))).unwrap();
        let code =
            format!("//! Generated from `specs/proto/{name}.proto` by a test of this crate; do not edit.\n\n{code}");
        let path = root().join(format!("src/generated/{name}.rs"));
        if std::env::var_os("WEFT_REGENERATE").is_some() {
            fs::write(&path, &code).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == code, "{name}: generate again with WEFT_REGENERATE=1 cargo test -p weft-wire");
    }
}

/// Every message of the protos has a table, and every table names exactly the message's fields with their types.
#[test]
fn every_message_has_a_table_that_fits_it() {
    let mut named = Vec::new();
    for file in descriptors().file {
        for message in &file.message_type {
            let name = format!("{}.{}", file.package(), message.name());
            let row = weft_wire::ALL.iter().find(|row| row.name == name);
            let bounds = row.unwrap_or_else(|| panic!("{name} has no table")).bounds;
            assert_eq!(bounds.len(), message.field.len(), "{name}: rows and fields");
            for (bound, field) in bounds.iter().zip(&message.field) {
                fits(&name, bound, field);
            }
            named.push(name);
        }
    }
    assert_eq!(named.len(), weft_wire::ALL.len(), "tables without a message");
}

fn fits(message: &str, bound: &Bound, field: &FieldDescriptorProto) {
    let at = format!("{message}.{}", field.name());
    assert_eq!(bound.field as i32, field.number(), "{at}: rows stand in the order of the proto file");
    assert_eq!(bound.alternative, field.oneof_index.is_some(), "{at}: oneof");
    let repeated = field.label() == Label::Repeated;
    assert_eq!(bound.count_max > 1, repeated, "{at}: repeated");
    match (bound.shape, field.r#type()) {
        (Shape::Number { value_max }, kind) => {
            let expected = match kind {
                Type::Uint32 => u64::from(u32::MAX),
                Type::Uint64 => u64::MAX,
                Type::Bool => 1,
                other => panic!("{at}: a number row for {other:?}"),
            };
            assert_eq!(value_max, expected, "{at}: largest value");
        }
        (Shape::Bytes, Type::Bytes | Type::String) => {
            assert!(bound.bytes_max as usize <= weft_wire::frame::FRAME_BYTES_MAX, "{at}: longer than a frame");
        }
        (Shape::Message(nested), Type::Message) => {
            let name = field.type_name().trim_start_matches('.');
            let table = weft_wire::ALL.iter().find(|row| row.name == name).unwrap().bounds;
            assert!(std::ptr::eq(table, nested) || table.len() == nested.len(), "{at}: the table of {name}");
            assert!(!repeated || bound.bytes_min > 0, "{at}: a list of empty messages costs nothing to send");
        }
        (_, other) => panic!("{at}: {other:?} has no shape here"),
    }
}

/// A list item takes at most a few times as much memory as it takes bytes on the wire, so a message does too.
#[test]
fn list_items_cost_little_more_than_their_bytes() {
    fn ratio<T>(bytes_min: usize) -> usize {
        // A growing vector holds at most twice what it needs, and the old half while it copies.
        3 * size_of::<T>() / bytes_min
    }
    use weft_wire::{credential, echo, feed};
    let ratios = [
        ratio::<feed::Dep>(68),
        ratio::<feed::Node>(34),
        ratio::<credential::Lockbox>(100),
        ratio::<credential::Recipient>(68),
        ratio::<credential::Cut>(34),
    ];
    assert!(ratios.iter().all(|&ratio| ratio <= 8), "{ratios:?}");
    // The three lists below have few enough items that their worst case is small as a whole.
    assert!(256 * size_of::<echo::Register>() <= 32 << 10);
    assert!(1024 * size_of::<bytes::Bytes>() <= 64 << 10);
}
