//! The mutation: what a sealed data entry of kind 2 carries. Decoding checks everything that needs no causal past,
//! except the update's own bytes, which [`crate::inspect`] reads.
//!
//! Spec: ECHO-2.1, ECHO-2.2, ECHO-2.3

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::ObjectId;
use weft_wire::echo as wire;

use crate::error::Malformed;
use crate::json;

/// A name of a type or a property is at most this many bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 128;

/// A mutation writes at most this many registers.
pub const REGISTERS_MAX: usize = 256;

/// A property written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its name: 1 to 128 bytes, no control characters.
    pub name: String,
    /// JSON, at most 64 KiB and 32 levels; empty: the property is removed.
    pub value: Bytes,
}

/// One change of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mutation {
    /// The object; `None`: this entry makes it.
    pub object: Option<ObjectId>,
    /// The type of the object that it makes; empty otherwise.
    pub type_name: String,
    /// The properties that it writes.
    pub registers: Vec<Register>,
    /// A Yjs v1 update with an empty delete set, or nothing.
    pub inserts: Bytes,
    /// A Yjs v1 delete set, or nothing.
    pub deletes: Bytes,
    /// The object as a whole is deleted.
    pub deleted: bool,
}

impl Mutation {
    /// The bytes to seal.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let registers = self.registers.iter();
        let message = wire::Mutation {
            object: self.object.map_or_else(Bytes::new, |object| Bytes::copy_from_slice(object.as_bytes())),
            r#type: self.type_name.clone(),
            registers: registers.map(|r| wire::Register { name: r.name.clone(), value: r.value.clone() }).collect(),
            inserts: self.inserts.clone(),
            deletes: self.deletes.clone(),
            deleted: self.deleted,
        };
        message.encode_to_vec().into()
    }

    /// Reads opened bytes.
    ///
    /// # Errors
    /// The first rule of section 2 that is broken.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let message: wire::Mutation =
            weft_wire::decode(bytes).map_err(|error| Malformed::Message(error.to_string()))?;
        let object = match message.object.len() {
            0 => None,
            bytes => {
                let id = <[u8; 32]>::try_from(&message.object[..]).map_err(|_| Malformed::ObjectId { bytes })?;
                Some(ObjectId::from_bytes(id))
            }
        };
        let registers = message.registers.into_iter();
        let mutation = Self {
            object,
            type_name: message.r#type,
            registers: registers.map(|r| Register { name: r.name, value: r.value }).collect(),
            inserts: message.inserts,
            deletes: message.deletes,
            deleted: message.deleted,
        };
        mutation.check()?;
        Ok(mutation)
    }

    /// The rules that decoding and local edits share.
    pub(crate) fn check(&self) -> Result<(), Malformed> {
        let fits = if self.object.is_some() { self.type_name.is_empty() } else { is_name(&self.type_name) };
        if !fits {
            return Err(Malformed::TypeName { found: self.type_name.clone() });
        }
        if self.object.is_none() && self.deleted {
            return Err(Malformed::MadeAndDeleted);
        }
        let text = !self.inserts.is_empty() || !self.deletes.is_empty();
        if self.object.is_some() && self.registers.is_empty() && !text && !self.deleted {
            return Err(Malformed::Empty);
        }
        check_registers(&self.registers)
    }
}

fn check_registers(registers: &[Register]) -> Result<(), Malformed> {
    if registers.len() > REGISTERS_MAX {
        return Err(Malformed::RegisterCount { found: registers.len() });
    }
    let mut names: Vec<&str> = registers.iter().map(|register| register.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Malformed::RegisterTwice { name: pair[0].to_owned() });
    }
    for Register { name, value } in registers {
        if !is_name(name) {
            return Err(Malformed::RegisterName { found: name.clone() });
        }
        if !value.is_empty() {
            json::check(value).map_err(|fault| Malformed::Value { name: name.clone(), fault })?;
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

    use super::*;

    fn set(name: &str, value: &'static [u8]) -> Mutation {
        let register = Register { name: name.into(), value: Bytes::from_static(value) };
        Mutation { object: Some(ObjectId::from_bytes([7; 32])), registers: vec![register], ..Mutation::default() }
    }

    fn refusal(mutation: &Mutation) -> Malformed {
        Mutation::decode(&mutation.encode()).unwrap_err()
    }

    #[test]
    fn what_was_encoded_decodes_to_itself() {
        let create = Mutation { type_name: "note".into(), inserts: Bytes::from_static(b"abc"), ..Mutation::default() };
        let delete = Mutation { deleted: true, registers: Vec::new(), ..set("a", b"1") };
        for mutation in [set("title", b"\"a\""), set("gone", b""), create, delete] {
            assert_eq!(Mutation::decode(&mutation.encode()).unwrap(), mutation);
        }
    }

    #[test]
    fn each_rule_has_its_refusal() {
        assert!(matches!(Mutation::decode(&Bytes::from_static(&[0xff])), Err(Malformed::Message(_))));
        let short = wire::Mutation { object: Bytes::from_static(b"short"), ..Default::default() };
        assert_eq!(Mutation::decode(&short.encode_to_vec().into()), Err(Malformed::ObjectId { bytes: 5 }));
        assert!(matches!(refusal(&Mutation::default()), Malformed::TypeName { .. }));
        assert!(matches!(
            refusal(&Mutation { type_name: "a\nb".into(), ..Mutation::default() }),
            Malformed::TypeName { .. }
        ));
        assert!(matches!(refusal(&Mutation { type_name: "a".into(), ..set("a", b"1") }), Malformed::TypeName { .. }));
        let both = Mutation { type_name: "a".into(), deleted: true, ..Mutation::default() };
        assert_eq!(refusal(&both), Malformed::MadeAndDeleted);
        assert_eq!(refusal(&Mutation { registers: Vec::new(), ..set("a", b"") }), Malformed::Empty);
        assert!(matches!(refusal(&set("", b"1")), Malformed::RegisterName { .. }));
        assert!(matches!(refusal(&set("a\u{7f}", b"1")), Malformed::RegisterName { .. }));
        assert!(matches!(refusal(&set("a", b"{")), Malformed::Value { .. }));
        let mut twice = set("a", b"1");
        twice.registers.push(twice.registers[0].clone());
        assert_eq!(refusal(&twice), Malformed::RegisterTwice { name: "a".into() });
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        assert!(matches!(refusal(&set(&long, b"1")), Malformed::Message(_)));
        let many = (0..=REGISTERS_MAX).map(|n| Register { name: n.to_string(), value: Bytes::from_static(b"1") });
        assert!(matches!(refusal(&Mutation { registers: many.collect(), ..set("a", b"") }), Malformed::Message(_)));
    }
}
