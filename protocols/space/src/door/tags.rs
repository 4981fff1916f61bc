//! The tags of one connection. Spec: SPACE-9.2.

use weft_crypto::{Context, DeviceId, EpochId, Part, mac};

/// Bytes of a tag.
pub(super) const TAG: usize = 32;
/// Tags of one round.
pub(super) const TAGS_MAX: usize = 1024;

/// What every tag of a connection is bound to: both devices, which the transport has authenticated, and both nonces.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) opener: DeviceId,
    pub(super) acceptor: DeviceId,
    pub(super) opener_nonce: [u8; 32],
    pub(super) acceptor_nonce: [u8; 32],
}

impl Bound {
    /// What the opener sends for an epoch. The round is in it, so that a tag that is sent again does not show.
    pub(super) fn dial(&self, access: &[u8; 32], epoch: &EpochId, round: u32) -> [u8; TAG] {
        self.tag(Context::DOOR_DIAL, access, epoch, round, 0)
    }

    /// What the acceptor answers at a place.
    pub(super) fn listen(&self, access: &[u8; 32], epoch: &EpochId, round: u32, place: usize) -> [u8; TAG] {
        self.tag(Context::DOOR_LISTEN, access, epoch, round, place)
    }

    fn tag(&self, context: Context, access: &[u8; 32], epoch: &EpochId, round: u32, place: usize) -> [u8; TAG] {
        let parts = [
            Part::Fixed(self.opener.as_bytes()),
            Part::Fixed(self.acceptor.as_bytes()),
            Part::Fixed(&self.opener_nonce),
            Part::Fixed(&self.acceptor_nonce),
            Part::Fixed(epoch.as_bytes()),
            Part::U64(round.into()),
            Part::U64(place as u64),
        ];
        mac(context, access, &parts)
    }
}

/// Hides tags from the time that looking them up takes: they are compared as their hashes under a key that only this door
/// knows, so that an early or late difference says nothing about the tag itself.
pub(super) struct Blind(pub(super) [u8; 32]);

impl Blind {
    pub(super) fn hide(&self, tag: &[u8; TAG]) -> [u8; 32] {
        mac(Context::DOOR_BLIND, &self.0, &[Part::Fixed(tag)])
    }
}
