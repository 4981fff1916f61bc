//! Any bytes through every decoder of this crate. Each returns, whatever it is given; `cargo fuzz` targets and the
//! mutation tests call this and nothing else.

use bytes::Bytes;
use weft_crypto::{ObjectId, SpaceId};

use crate::ids::Clients;
use crate::object::Object;
use crate::{Mutation, inspect, json, tables, trace, view};

/// Must return, whatever `input` is.
pub fn fuzz(input: &[u8]) {
    let bytes = Bytes::copy_from_slice(input);
    if let Ok(mutation) = Mutation::decode(&bytes) {
        assert_eq!(Mutation::decode(&mutation.encode()).as_ref(), Ok(&mutation), "what decodes encodes to itself");
    }
    inspect::fuzz(input);
    let _ = json::check(input);
    let _ = trace::parse(input);
    rows(&bytes);
}

/// The bytes as the value of each kind of row.
fn rows(value: &Bytes) {
    let object = ObjectId::from_bytes([7; 32]);
    let clients = Clients { space: SpaceId::from_bytes([1; 32]), bits: crate::CLIENT_BITS };
    let _ = view::summary(value);
    let _ = view::quarantined(value);
    let _ = tables::parse_object_key(value);
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
