//! Any bytes through every decoder of this crate. Each returns, whatever it is given; `cargo fuzz` targets and the
//! mutation tests call this and nothing else.

use bytes::Bytes;
use weft_crypto::{ObjectId, SpaceId};

use crate::ids::Clients;
use crate::object::Object;
use crate::{Mutation, inspect, json, tables, view};

/// Must return, whatever `input` is.
pub fn fuzz(input: &[u8]) {
    for decoder in [mutation, update, value, trace, rows] {
        decoder(input);
    }
}

/// A mutation that decodes is written and read the same.
pub fn mutation(input: &[u8]) {
    if let Ok(mutation) = Mutation::decode(&Bytes::copy_from_slice(input)) {
        assert_eq!(Mutation::decode(&mutation.encode()).as_ref(), Ok(&mutation), "what decodes encodes to itself");
    }
}

/// An update: the first byte says where its insertions end and its deletions begin.
pub fn update(input: &[u8]) {
    inspect::fuzz(input);
}

/// A property's value: what passes the check is what a parser takes.
pub fn value(input: &[u8]) {
    let _ = json::check(input);
}

/// A trace of edits.
pub fn trace(input: &[u8]) {
    let _ = crate::trace::parse(input);
}

/// The bytes as the value of each kind of row.
pub fn rows(input: &[u8]) {
    let value = Bytes::copy_from_slice(input);
    let object = ObjectId::from_bytes([7; 32]);
    let clients = Clients { space: SpaceId::from_bytes([1; 32]), bits: crate::CLIENT_BITS };
    let _ = view::summary(&value);
    let _ = view::quarantined(&value);
    let _ = tables::parse_object_key(&value);
    let keys = [
        tables::part(&object, tables::Part::About),
        tables::numbered(&object, tables::Part::Clocks, 0),
        tables::register(&object, "name"),
        tables::numbered(&object, tables::Part::Tail, 0),
    ];
    for key in keys {
        let rows = [(key, value.clone())];
        let _ = Object::load(object, 1, &rows, &clients);
        let _ = view::object(&rows);
        let _ = view::text(&clients.space, &rows);
    }
}
