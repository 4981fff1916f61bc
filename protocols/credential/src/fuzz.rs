//! What arrives from outside, decoded and checked: any bytes give a value or a typed error.

use bytes::Bytes;
use weft_crypto::SpaceId;

use crate::{Carried, Chain, ControlBody, DeviceLinked, Genesis, Redemption, RootStatement};

/// Decodes and verifies a control body; what decodes is encoded and decoded again and must be the same.
pub fn control_body(bytes: &[u8]) {
    // The space id that the bytes themselves name, so that decoding goes beyond the first check.
    let at = bytes.windows(34).position(|window| window[..2] == [0x0a, 32]);
    let named = at.and_then(|at| SpaceId::try_from(&bytes[at + 2..at + 34]).ok());
    let space = named.unwrap_or(SpaceId::from_bytes([0; 32]));
    let Ok(body) = ControlBody::decode(&Bytes::copy_from_slice(bytes), &space) else {
        return;
    };
    assert_eq!(ControlBody::decode(&body.encode(), &space), Ok(body.clone()), "what was read is written the same");
    let _ = body.verify();
}

/// Decodes and verifies a redemption.
pub fn redemption(bytes: &[u8]) {
    if let Ok(redemption) = Redemption::decode(&Bytes::copy_from_slice(bytes)) {
        let _ = redemption.verify(&redemption.statement().space);
    }
}

/// Decodes and verifies what a linked device says, and a chain of one statement.
pub fn linked(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(linked) = DeviceLinked::decode(&bytes) {
        let _ = linked.verify(&linked.statement().space);
        let _ = linked.feeds();
    }
    if let Ok(chain) = Chain::decode(&[bytes]) {
        assert_eq!(Chain::decode(&chain.encode()), Ok(chain), "what was read is written the same");
    }
}

/// Decodes and verifies root statements and genesis statements.
pub fn statement(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(genesis) = Genesis::decode(&bytes) {
        let _ = genesis.feed();
    }
    let _ = RootStatement::decode(&bytes);
    if let Ok(carried) = Carried::decode(&bytes) {
        let _ = carried.verify();
    }
}

/// All of them.
pub fn all(bytes: &[u8]) {
    control_body(bytes);
    redemption(bytes);
    linked(bytes);
    statement(bytes);
}
