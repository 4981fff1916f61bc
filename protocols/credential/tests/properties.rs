//! What holds for all credentials, and for all bytes.

use bytes::Bytes;
use proptest::prelude::*;
use weft_credential::{ControlBody, Credential, InvitationIssued, Part, PreKeySet, Role, Unknown, fuzz};
use weft_crypto::{DeviceId, InvitationKeyId, InvitationSecret, PreKeyId, SpaceId};

use crate::newcomer::Newcomer;

fn credential() -> impl Strategy<Value = Credential> {
    prop_oneof![
        (any::<[u8; 32]>(), 0..5usize, 1..10_000u32, any::<u64>(), any::<bool>()).prop_map(
            |(key, role, uses, expires_ms, approve)| {
                let (key, role) = (InvitationKeyId::from_bytes(key), Role::ALL[role]);
                Credential::InvitationIssued(InvitationIssued { key, role, uses, expires_ms, approve })
            }
        ),
        (any::<[u8; 32]>(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(device, number, key)| {
            let (device, key) = (DeviceId::from_bytes(device), PreKeyId::from_bytes(key));
            Credential::PreKeySet(PreKeySet { device, number, key })
        }),
        (9..u32::MAX, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..100)).prop_map(
            |(kind, critical, content)| Credential::Unknown(Unknown { kind, critical, content: content.into() })
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Spec: CREDENTIAL-1.
    #[test]
    fn what_is_written_is_read(space in any::<[u8; 32]>(), credentials in proptest::collection::vec(credential(), 1..9)) {
        let space = SpaceId::from_bytes(space);
        let body = ControlBody::new(credentials.into_iter().map(|c| Part::new(space, c)).collect());
        prop_assert_eq!(ControlBody::decode(&body.encode(), &space), Ok(body.clone()));
        prop_assert!(body.verify().is_ok());
    }

    #[test]
    fn any_bytes_give_a_value_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzz::all(&bytes);
    }

    /// No bit of a redemption can be changed.
    #[test]
    fn an_altered_redemption_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u32) {
        let space = SpaceId::from_bytes([7; 32]);
        let link = InvitationSecret::from_seed([5; 32]);
        let redemption = Newcomer::new(2).redemption(space, &link, Newcomer::new(1).device.id());
        let mut bytes = redemption.encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fuzz::all(&bytes);
        let read = weft_credential::Redemption::decode(&Bytes::from(bytes));
        prop_assert!(read.is_err() || read.is_ok_and(|read| read.verify(&space).is_err()));
    }
}
