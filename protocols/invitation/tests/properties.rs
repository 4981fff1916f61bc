//! What holds for all links and all bytes.

use proptest::prelude::*;
use weft_crypto::{DeviceId, InvitationSecret, SpaceId};
use weft_invitation::{Link, fuzz};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Spec: INVITATION-1.
    #[test]
    fn a_link_is_read_as_written(
        space in any::<[u8; 32]>(),
        secret in any::<[u8; 32]>(),
        hosts in proptest::collection::vec(any::<[u8; 32]>(), 1..5),
        addresses in proptest::collection::vec("[ -~]{0,60}", 0..17),
        space_name in "\\PC{0,30}",
        inviter_name in "\\PC{0,30}",
    ) {
        let link = Link {
            space: SpaceId::from_bytes(space),
            secret: InvitationSecret::from_seed(secret),
            hosts: hosts.into_iter().map(DeviceId::from_bytes).collect(),
            addresses,
            space_name,
            inviter_name,
        };
        let read = Link::parse(&link.encode()).unwrap();
        prop_assert_eq!(read.encode(), link.encode());
    }

    #[test]
    fn any_bytes_give_a_value_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzz::all(&bytes);
        let mut pasted = b"weft-invite:".to_vec();
        pasted.extend(bytes.iter().map(|byte| b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)]));
        fuzz::link(&pasted);
    }
}
