//! Frames and lists of framed items.

use bytes::Bytes;
use proptest::prelude::*;
use weft_wire::{
    frame::{Decoder, FRAME_BYTES_MAX, FrameError, Framed, encode, put_framed, split_framed},
    replication::Bodies,
    varint::{self, VarintError},
};

fn framed(payloads: &[Vec<u8>]) -> Bytes {
    let mut out = Vec::new();
    for payload in payloads {
        put_framed(payload, &mut out);
    }
    out.into()
}

#[test]
fn a_frame_over_the_bound_is_refused_at_its_length() {
    let mut decoder = Decoder::new();
    let mut start = Vec::new();
    varint::write(FRAME_BYTES_MAX as u64 + 1, &mut start);
    decoder.push(start.into());
    let refused = FrameError::TooLarge { claimed: FRAME_BYTES_MAX as u64 + 1, bytes_max: FRAME_BYTES_MAX };
    assert_eq!(decoder.next(), Err(refused));
    // Nothing after it is kept, and the answer stays.
    decoder.push(Bytes::from(vec![0; 1000]));
    assert_eq!((decoder.next(), decoder.held()), (Err(refused), 0));
}

#[test]
fn the_largest_length_claimed_costs_nothing() {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from_static(&[0xff; 9]));
    assert_eq!(decoder.next(), Ok(None));
    decoder.push(Bytes::from_static(&[0x01]));
    assert!(matches!(decoder.next(), Err(FrameError::TooLarge { claimed: u64::MAX, .. })));
}

#[test]
fn a_length_is_spelt_in_one_way() {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from_static(&[0x81, 0x00, 0xaa]));
    assert_eq!(decoder.next(), Err(FrameError::Length(VarintError::NotShortest)));
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from_static(&[0xff; 10]));
    assert_eq!(decoder.next(), Err(FrameError::Length(VarintError::TooLarge)));
}

#[test]
fn a_frame_within_one_piece_is_a_slice_of_it() {
    let piece = framed(&[vec![7; 100], vec![8; 100]]);
    let mut decoder = Decoder::new();
    decoder.push(piece.clone());
    let frame = decoder.next().unwrap().unwrap();
    assert_eq!(frame.as_ptr(), piece[1..].as_ptr());
}

#[test]
fn the_largest_frame_passes() {
    let bodies = vec![1; FRAME_BYTES_MAX - 4];
    let message = Bodies { bodies: bodies.into(), ..Bodies::default() };
    let mut decoder = Decoder::new();
    decoder.push(encode(&message));
    assert_eq!(decoder.next().unwrap().unwrap().len(), FRAME_BYTES_MAX);
}

#[test]
fn a_list_that_ends_inside_an_item_says_what_is_missing() {
    let list = Bytes::from_static(&[1, 0xaa, 3, 0xbb]);
    let items: Vec<_> = split_framed(&list).collect();
    assert_eq!(items, [Ok(Bytes::from_static(&[0xaa])), Err(FrameError::Truncated { missing: 2 })]);
    let cut = Bytes::from_static(&[0x80]);
    assert_eq!(split_framed(&cut).last(), Some(Err(FrameError::Truncated { missing: 1 })));
}

proptest! {
    /// However a stream is cut, the same frames come out, and no more is held than one frame and one piece.
    #[test]
    fn frames_survive_any_cutting(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        cuts in prop::collection::vec(1usize..200, 0..40),
    ) {
        let mut stream = framed(&payloads);
        let largest = payloads.iter().map(Vec::len).max().unwrap_or(0) + 2;
        let mut decoder = Decoder::with_max(300);
        let mut found = Vec::new();
        let mut cuts = cuts.into_iter();
        while !stream.is_empty() {
            let cut = cuts.next().unwrap_or(usize::MAX).min(stream.len());
            decoder.push(stream.split_to(cut));
            prop_assert!(decoder.held() < largest + cut);
            while let Some(frame) = decoder.next().unwrap() {
                found.push(frame.to_vec());
            }
        }
        prop_assert_eq!(decoder.held(), 0);
        prop_assert_eq!(found, payloads);
    }

    /// Any bytes split into items that, framed again, are those bytes; or are refused.
    #[test]
    fn a_list_has_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let items: Result<Vec<_>, _> = Framed::new(&bytes).map(|item| item.map(<[u8]>::to_vec)).collect();
        if let Ok(items) = items {
            prop_assert_eq!(framed(&items), bytes);
        }
    }

    #[test]
    fn varints_are_what_protobuf_says(value in any::<u64>(), shift in 0u32..64) {
        let value = value >> shift;
        let mut ours = Vec::new();
        varint::write(value, &mut ours);
        let mut theirs = Vec::new();
        prost::encoding::encode_varint(value, &mut theirs);
        prop_assert_eq!(&ours, &theirs);
        prop_assert_eq!(varint::len(value), ours.len());
        prop_assert_eq!(varint::read(&ours), Ok(Some((value, ours.len()))));
        prop_assert_eq!(varint::read(&ours[..ours.len() - 1]), Ok(None));
    }

    #[test]
    fn any_varint_is_read_as_prost_reads_it(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x80), Just(0xff)], 0..12)) {
        let theirs = prost::encoding::decode_varint(&mut bytes.as_slice()).ok();
        let ours = varint::read_lenient(&bytes).ok().flatten().map(|(value, _)| value);
        prop_assert_eq!(ours, theirs);
    }
}
