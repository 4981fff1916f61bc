//! Mutations, written byte by byte: honest ones, and those that no Yjs library would make.

use bytes::Bytes;
use prost::Message;
use weft_crypto::ObjectId;
use weft_wire::{
    echo::{Mutation, Register},
    varint,
};

/// A block without neighbours in the root `body`; with one on its left; with one on its right.
const STRING: u8 = 4;
const LEFT: u8 = 0x80;

/// Numbers of a Yjs v1 update.
pub(crate) fn numbers(numbers: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    numbers.iter().for_each(|number| varint::write(*number, &mut out));
    out
}

fn string(text: &str) -> Vec<u8> {
    [numbers(&[text.len() as u64]), text.as_bytes().to_vec()].concat()
}

/// An update with one block of text, at the beginning or after a character.
pub(crate) fn inserts(client: u64, clock: u64, after: Option<(u64, u64)>, text: &str) -> Bytes {
    let place = match after {
        Some((client, clock)) => [vec![STRING | LEFT], numbers(&[client, clock])].concat(),
        None => [vec![STRING], numbers(&[1]), string("body")].concat(),
    };
    [numbers(&[1, 1, client, clock]), place, string(text), vec![0]].concat().into()
}

/// A delete set of one range.
pub(crate) fn deletes(client: u64, from: u64, length: u64) -> Bytes {
    numbers(&[1, client, 1, from, length]).into()
}

/// A mutation that makes an object of type `note` with this name and text.
pub(crate) fn note(client: u64, name: &str, text: &str) -> Vec<u8> {
    let value = format!("{name:?}").into_bytes().into();
    let name = Register { name: "name".to_owned(), value };
    let inserts = inserts(client, 0, None, text);
    Mutation { r#type: "note".to_owned(), registers: vec![name], inserts, ..Mutation::default() }.encode_to_vec()
}

/// A mutation of an object that is there.
pub(crate) fn change(object: &ObjectId, inserts: Bytes, deletes: Bytes) -> Vec<u8> {
    Mutation { object: object.to_bytes(), inserts, deletes, ..Mutation::default() }.encode_to_vec()
}

/// A mutation that writes a property of an object that is there.
pub(crate) fn property(object: &ObjectId, value: Vec<u8>) -> Vec<u8> {
    let register = Register { name: "nested".to_owned(), value: value.into() };
    Mutation { object: object.to_bytes(), registers: vec![register], ..Mutation::default() }.encode_to_vec()
}

/// A string that does to a careless terminal what its reader would not want: clears it, renames its window, goes back over what
/// stands there, begins a line of its own, turns the direction of writing, and hides.
pub(crate) fn deceiving(word: &str) -> String {
    format!(
        "{word}\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\u{8}\nFORGED \u{202e}{word}\u{2066}\u{200b}\u{feff}\u{e0041}\u{2028}"
    )
}

/// The same of the characters that a name may have.
pub(crate) fn misleading(word: &str) -> String {
    format!("{word}\u{202e}\u{2066}{word}\u{200f}\u{feff}")
}

/// A mutation that makes an object whose every string deceives but the one that says whose a profile is.
pub(crate) fn deceiving_object(client: u64, type_name: &str, device: &str) -> Vec<u8> {
    let json = |text: &str| serde_json::Value::from(text).to_string().into_bytes().into();
    let registers = vec![
        Register { name: "name".to_owned(), value: json(&deceiving("name")) },
        Register { name: "path".to_owned(), value: json(&deceiving("../path")) },
        Register { name: "device".to_owned(), value: json(device) },
        Register { name: misleading("key"), value: json(&deceiving("value")) },
        Register {
            name: "list".to_owned(),
            value: format!("[{}]", serde_json::Value::from(deceiving("item"))).into_bytes().into(),
        },
    ];
    // A text may have lines.
    let inserts = inserts(client, 0, None, &deceiving("text").replace('\n', ""));
    Mutation { r#type: type_name.to_owned(), registers, inserts, ..Mutation::default() }.encode_to_vec()
}

/// A mutation that makes a file of this path.
pub(crate) fn file(client: u64, path: &str) -> Vec<u8> {
    let value = serde_json::Value::from(path).to_string().into_bytes().into();
    let registers = vec![Register { name: "path".to_owned(), value }];
    let inserts = inserts(client, 0, None, "a file's");
    Mutation { r#type: "file".to_owned(), registers, inserts, ..Mutation::default() }.encode_to_vec()
}

/// A mutation that makes an object with a property of this name.
pub(crate) fn named(name: &str) -> Vec<u8> {
    let register = Register { name: name.to_owned(), value: b"1".as_slice().into() };
    Mutation { r#type: "note".to_owned(), registers: vec![register], ..Mutation::default() }.encode_to_vec()
}
