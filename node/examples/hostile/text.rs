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
