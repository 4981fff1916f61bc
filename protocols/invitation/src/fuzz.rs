//! What arrives from outside: any bytes give a value, a typed error or a violation.

use bytes::Bytes;
use weft_crypto::DeviceId;
use weft_machine::{Machine as _, Seed, Time};

use crate::{Config, Host, HostInput, Link};

/// A pasted link; one that is read is written and read the same.
pub fn link(bytes: &[u8]) {
    if let Ok(link) = Link::parse(&String::from_utf8_lossy(bytes)) {
        assert!(Link::parse(&link.encode()).is_ok(), "what was read is written readable");
    }
}

/// Two frames to a host.
pub fn host(bytes: &[u8]) {
    let [me, peer] = [[1; 32], [2; 32]].map(DeviceId::from_bytes);
    let mut host = Host::new(Config::default(), me, peer, Time::ZERO, &Seed::from_bytes([3; 32]));
    // Begin{version: 1, nonce: 32 times 7}
    let begin = Bytes::from([[0x0a, 0x24, 0x08, 0x01, 0x12, 0x20].as_slice(), &[7; 32]].concat());
    for frame in [begin, Bytes::copy_from_slice(bytes), Bytes::copy_from_slice(bytes)] {
        host.handle_input(Time::ZERO, HostInput::Received(frame));
        while host.poll_output().is_some() {}
    }
}

/// A pasted device link, and a frame to each end of a device stream.
pub fn device(bytes: &[u8]) {
    use crate::device::{self, DeviceLink};
    if let Ok(link) = DeviceLink::parse(&String::from_utf8_lossy(bytes)) {
        assert!(DeviceLink::parse(&link.encode()).is_ok(), "what was read is written readable");
    }
    let [me, peer] = [[1; 32], [2; 32]].map(DeviceId::from_bytes);
    let frame = Bytes::copy_from_slice(bytes);
    // Sibling{version: 1}, or what came as the first frame.
    for first in [Bytes::from_static(&[0x32, 0x02, 0x08, 0x01]), frame.clone()] {
        let identity = weft_crypto::IdentityId::from_bytes([4; 32]);
        let seed = Seed::from_bytes([3; 32]);
        let mut host = device::Host::new(Config::default(), identity, me, peer, Time::ZERO, &seed);
        for input in [first, frame.clone()].map(device::HostInput::Received) {
            host.handle_input(Time::ZERO, input);
            host.handle_input(Time::ZERO, device::HostInput::Told(Vec::new()));
            while host.poll_output().is_some() {}
        }
    }
    let mut guest = device::Guest::new(Config::default(), String::new());
    guest.handle_input(Time::ZERO, device::GuestInput::Received(frame));
}

/// All of them.
pub fn all(bytes: &[u8]) {
    link(bytes);
    host(bytes);
    device(bytes);
}
