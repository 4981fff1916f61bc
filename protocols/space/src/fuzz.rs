//! What arrives from outside: any bytes, decoded and judged, give a value, a reason or a violation.

use bytes::Bytes;
use weft_crypto::{DeviceId, EntryId, EpochId, FeedId, SpaceId};
use weft_feed::Past;
use weft_machine::{Machine as _, Seed, Time};
use zeroize::Zeroizing;

use crate::{
    Config, ControlEntry,
    door::{Door, DoorSpace, Input},
    resolve,
};

/// A control body, as the only entry of a space.
pub fn entry(bytes: &[u8]) {
    let space = SpaceId::from_bytes([0; 32]);
    let feed = FeedId::from_bytes([1; 32]);
    let id = EntryId::from_bytes([2; 32]);
    let body = Bytes::copy_from_slice(bytes);
    let entry = ControlEntry::read(&space, feed, 0, id, Past::new(), &body);
    assert!(resolve(&space, &[entry]).members().is_empty(), "nobody signs for the space id of zeros");
}

/// Frames at the door, each preceded by its length in two bytes, to an opener or an acceptor.
pub fn door(bytes: &[u8]) {
    let Some((role, mut rest)) = bytes.split_first() else {
        return;
    };
    let [me, peer] = [[1; 32], [2; 32]].map(DeviceId::from_bytes);
    let mut door = Door::new(Config::default(), me, peer, role % 2 == 0, Seed::from_bytes([3; 32]));
    let space = DoorSpace {
        space: SpaceId::from_bytes([4; 32]),
        access: vec![(EpochId::from_bytes([5; 32]), Zeroizing::new([6; 32]))],
        peer_is_current_device: true,
    };
    door.handle_input(Time::ZERO, Input::SpacesChanged(vec![space]));
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(tail.len());
        let (frame, tail) = tail.split_at(length);
        rest = tail;
        door.handle_input(Time::ZERO, Input::Received(Bytes::copy_from_slice(frame)));
        while door.poll_output().is_some() {}
    }
    assert_eq!(door.open().count(), 0, "nobody guesses a tag");
}

/// All of them.
pub fn all(bytes: &[u8]) {
    entry(bytes);
    door(bytes);
}
