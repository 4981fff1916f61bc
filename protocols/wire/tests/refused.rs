//! What a decoder refuses, one test a reason.

use bytes::Bytes;
use prost::Message;
use weft_wire::{
    DecodeError,
    credential::{Credential, FeedClosed, InvitationRevoked},
    decode,
    feed::{Dep, Header, Manifest},
    invitation::{Link, Refused},
    replication::{Frame, Have},
    space::{Frame as DoorFrame, Hello},
    varint::VarintError,
};

fn bytes(bytes: impl Into<Vec<u8>>) -> Bytes {
    Bytes::from(bytes.into())
}

#[test]
fn a_message_cut_short() {
    assert_eq!(decode::<Dep>(&bytes([0x10])), Err(DecodeError::Truncated { field: 2 }));
    assert_eq!(decode::<Dep>(&bytes([0x80])), Err(DecodeError::Truncated { field: 0 }));
    assert_eq!(decode::<Dep>(&bytes([0x7d, 1, 2])), Err(DecodeError::Truncated { field: 15 }));
}

#[test]
fn a_length_over_the_end() {
    assert_eq!(decode::<Dep>(&bytes([0x0a, 5, 1])), Err(DecodeError::OverEnd { field: 1, claimed: 5, left: 1 }));
    // Also of a field that nobody knows, and however large the claim.
    let claim = [0x7a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let refused = DecodeError::OverEnd { field: 15, claimed: u64::MAX, left: 0 };
    assert_eq!(decode::<Dep>(&bytes(claim)), Err(refused));
}

#[test]
fn a_number_that_is_no_varint() {
    let refused = DecodeError::Varint(VarintError::TooLarge);
    assert_eq!(decode::<Dep>(&bytes([&[0x10][..], &[0xff; 10]].concat())), Err(refused));
}

#[test]
fn a_tag_that_cannot_be() {
    // Field 0, a group's start and end, wire types 6 and 7, a field above 2^29 - 1.
    for tag in [0x02u64, 0x0b, 0x0c, 0x0e, 0x0f, 1 << 32] {
        let mut message = Vec::new();
        weft_wire::varint::write(tag, &mut message);
        assert_eq!(decode::<Dep>(&bytes(message)), Err(DecodeError::Tag { tag }));
    }
}

#[test]
fn a_known_field_of_another_type() {
    let refused = |field, wire_type| Err(DecodeError::WrongType { field, wire_type });
    assert_eq!(decode::<Dep>(&bytes([0x08, 1])), refused(1, 0));
    assert_eq!(decode::<Dep>(&bytes([0x12, 0])), refused(2, 2));
    assert_eq!(decode::<Dep>(&bytes([0x15, 0, 0, 0, 0])), refused(2, 5));
    // A packed list where none was declared.
    let refused = DecodeError::WrongType { field: 1, wire_type: 0 };
    assert_eq!(decode::<FeedClosed>(&bytes([0x08, 0])), Err(refused));
}

#[test]
fn a_number_above_its_type() {
    let message = Refused { reason: u32::MAX }.encode_to_vec();
    assert!(decode::<Refused>(&bytes(message)).is_ok());
    let value = u64::from(u32::MAX) + 1;
    let refused = DecodeError::TooLargeNumber { field: 1, value, value_max: u64::from(u32::MAX) };
    assert_eq!(decode::<Refused>(&bytes([0x08, 0x80, 0x80, 0x80, 0x80, 0x10])), Err(refused));
    let refused = DecodeError::TooLargeNumber { field: 3, value: 2, value_max: 1 };
    assert_eq!(decode::<Have>(&bytes([0x18, 2])), Err(refused));
}

#[test]
fn a_field_too_often() {
    let deps = vec![Dep { feed: bytes([1; 32]), length: 1, root: bytes([2; 32]) }; 513];
    let refused = DecodeError::TooMany { field: 6, count_max: 512 };
    let header = |count| Header { deps: deps[..count].to_vec(), ..Header::default() }.encode_to_vec();
    assert_eq!(decode::<Header>(&bytes(header(512))).unwrap().deps.len(), 512);
    assert_eq!(decode::<Header>(&bytes(header(513))), Err(refused));
    // A single field given twice has no meaning here, though protobuf would take the last.
    let refused = DecodeError::TooMany { field: 1, count_max: 1 };
    assert_eq!(decode::<Manifest>(&bytes([0x08, 1, 0x08, 1])), Err(refused));
}

#[test]
fn two_alternatives_in_one_frame() {
    let twice = bytes([0x0a, 0, 0x3a, 0]);
    assert_eq!(decode::<Frame>(&twice), Err(DecodeError::SecondAlternative { field: 7 }));
    assert!(decode::<Frame>(&twice.slice(..2)).is_ok());
}

#[test]
fn a_field_too_long_or_too_short() {
    let refused = DecodeError::TooLong { field: 2, claimed: 33, bytes_max: 32 };
    let hello = Hello { version: 1, nonce: bytes([0; 33]) }.encode_to_vec();
    assert_eq!(decode::<Hello>(&bytes(hello.clone())), Err(refused.clone()));
    // Nested messages keep their own tables.
    let frame = [&[0x0a, hello.len() as u8][..], &hello].concat();
    assert_eq!(decode::<DoorFrame>(&bytes(frame)), Err(refused));
    let refused = DecodeError::TooShort { field: 2, claimed: 0, bytes_min: 32 };
    assert_eq!(decode::<InvitationRevoked>(&bytes([0x12, 0])), Err(refused));
}

#[test]
fn a_name_that_is_not_utf8() {
    assert!(matches!(decode::<Link>(&bytes([0x32, 1, 0xff])), Err(DecodeError::Content(_))));
}

#[test]
fn unknown_fields_are_stepped_over() {
    let known = Credential { kind: 7, ..Credential::default() };
    let unknown = [0x78, 9, 0x7a, 2, 1, 2, 0x7d, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8];
    let message = bytes([&known.encode_to_vec()[..], &unknown].concat());
    assert_eq!(decode::<Credential>(&message), Ok(known));
}

#[test]
fn bytes_of_a_message_are_slices_of_what_arrived() {
    let message = bytes(Dep { feed: bytes([1; 32]), length: 1, root: bytes([2; 32]) }.encode_to_vec());
    let dep: Dep = decode(&message).unwrap();
    assert_eq!(dep.feed.as_ptr(), message[2..].as_ptr());
}
