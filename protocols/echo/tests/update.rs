//! Updates written by hand, for what no honest session writes.

use std::collections::BTreeMap;

use weft_echo::inspect::Reached;

pub fn var(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub type Id = (u64, u32);

/// One block of text.
#[derive(Clone, Debug)]
pub struct Block {
    pub left: Option<Id>,
    pub right: Option<Id>,
    pub text: String,
}

pub fn block(left: Option<Id>, right: Option<Id>, text: &str) -> Block {
    Block { left, right, text: text.into() }
}

impl Block {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(4 | u8::from(self.left.is_some()) << 7 | u8::from(self.right.is_some()) << 6);
        for (client, clock) in self.left.iter().chain(&self.right) {
            var(*client, out);
            var(u64::from(*clock), out);
        }
        if self.left.is_none() && self.right.is_none() {
            out.extend_from_slice(b"\x01\x04body");
        }
        var(self.text.len() as u64, out);
        out.extend_from_slice(self.text.as_bytes());
    }
}

/// An `inserts` field.
pub fn inserts(client: u64, first: u64, blocks: &[Block]) -> Vec<u8> {
    let mut out = vec![1];
    var(blocks.len() as u64, &mut out);
    var(client, &mut out);
    var(first, &mut out);
    for block in blocks {
        block.encode(&mut out);
    }
    out.push(0);
    out
}

/// Clocks and lengths.
pub type Ranges<'a> = &'a [(u64, u64)];

/// A `deletes` field.
pub fn deletes(clients: &[(u64, Ranges<'_>)]) -> Vec<u8> {
    let mut out = Vec::new();
    var(clients.len() as u64, &mut out);
    for (client, ranges) in clients {
        var(*client, &mut out);
        var(ranges.len() as u64, &mut out);
        for (clock, length) in *ranges {
            var(*clock, &mut out);
            var(*length, &mut out);
        }
    }
    out
}

/// A past given as end clocks.
#[derive(Clone, Debug, Default)]
pub struct Clocks(pub BTreeMap<u64, u32>);

impl Reached for Clocks {
    fn reached(&self, client: u64) -> u32 {
        self.0.get(&client).copied().unwrap_or(0)
    }

    fn absent(&self, _: u64, _: u32, _: u32) -> Option<u32> {
        None
    }
}
