//! Manifests, heads and deps.

use bytes::Bytes;
use prost::Message;
use weft_crypto::{
    Dep, DepError, DeviceKey, FeedId, FeedSecret, Head, HeadError, IdError, Manifest, ManifestError, Purpose, Root,
    SignedManifest, SpaceId,
};
use weft_wire::feed as wire;

fn keys() -> (DeviceKey, FeedSecret) {
    (DeviceKey::from_seed([1; 32]), FeedSecret::from_seed([2; 32]))
}

fn manifest() -> Manifest {
    let (device, feed) = keys();
    Manifest {
        version: 1,
        space: SpaceId::from_bytes([3; 32]),
        device: device.id(),
        feed_key: feed.id(),
        purpose: Purpose::Data,
        generation: 4,
    }
}

fn signed() -> SignedManifest {
    let (device, feed) = keys();
    SignedManifest::sign(&manifest(), &device, &feed)
}

/// Spec: CRYPTO-5.1
#[test]
fn a_manifest_names_one_feed() {
    let base = manifest();
    let changed = [
        Manifest { space: SpaceId::from_bytes([9; 32]), ..base },
        Manifest { device: DeviceKey::from_seed([9; 32]).id(), ..base },
        Manifest { feed_key: FeedSecret::from_seed([9; 32]).id(), ..base },
        Manifest { purpose: Purpose::Control, ..base },
        Manifest { generation: 5, ..base },
    ];
    for other in changed {
        assert_ne!(other.id(), base.id(), "{other:?}");
    }
    assert_eq!(Manifest::decode(&base.encode()), Ok(base));
}

/// Spec: CRYPTO-5.1
#[test]
fn a_manifest_has_one_encoding() {
    let unknown_field = Bytes::from([&manifest().encode()[..], &[0x78, 1]].concat());
    assert_eq!(Manifest::decode(&unknown_field), Err(ManifestError::NotCanonical));
    // The same fields in another order.
    let encoded = manifest().encode();
    let swapped = Bytes::from([&encoded[2..], &encoded[..2]].concat());
    assert_eq!(Manifest::decode(&swapped), Err(ManifestError::NotCanonical));
}

#[test]
fn a_manifest_of_another_version_or_purpose_is_refused() {
    let message = |version, purpose, key: usize| {
        let (space, device, feed_key) = (vec![3; 32].into(), vec![4; 32].into(), vec![5; key].into());
        Bytes::from(wire::Manifest { version, space, device, feed_key, purpose, generation: 0 }.encode_to_vec())
    };
    assert_eq!(Manifest::decode(&message(2, 1, 32)), Err(ManifestError::Version { found: 2 }));
    assert_eq!(Manifest::decode(&message(1, 3, 32)), Err(ManifestError::Purpose { found: 3 }));
    let refused = IdError::Length { expected: 32, found: 31 };
    assert_eq!(Manifest::decode(&message(1, 1, 31)), Err(ManifestError::Field(refused)));
    assert!(matches!(Manifest::decode(&Bytes::from_static(&[0x0b])), Err(ManifestError::Decode(_))));
}

/// Without both signatures, one could claim another's feed, or a feed another's device.
///
/// Spec: CRYPTO-5.1
#[test]
fn both_keys_sign_a_manifest() {
    assert_eq!(signed().verify().map(|manifest| *manifest), Ok(manifest()));
    let mut forged = signed();
    forged.device_signature =
        DeviceKey::from_seed([9; 32]).sign(weft_crypto::SignContext::MANIFEST_DEVICE, &manifest().encode());
    assert_eq!(forged.verify(), Err(ManifestError::DeviceSignature));
    let mut forged = signed();
    forged.feed_signature =
        FeedSecret::from_seed([9; 32]).sign(weft_crypto::SignContext::MANIFEST_FEED, &manifest().encode());
    assert_eq!(forged.verify(), Err(ManifestError::FeedSignature));
    let mut swapped = signed();
    std::mem::swap(&mut swapped.device_signature, &mut swapped.feed_signature);
    assert_eq!(swapped.verify(), Err(ManifestError::DeviceSignature));
    let decoded = SignedManifest::decode(&signed().encode()).unwrap();
    assert_eq!(decoded, signed());
}

#[test]
#[should_panic(expected = "a manifest names its signers")]
fn signing_with_another_key_is_our_own_bug() {
    let _ = SignedManifest::sign(&manifest(), &DeviceKey::from_seed([9; 32]), &keys().1);
}

/// Spec: CRYPTO-5.2
#[test]
fn a_head_is_signed_in_all_its_fields() {
    let (_, feed) = keys();
    let head = Head::sign(manifest().id(), 7, 1400, Root::from_bytes([5; 32]), &feed);
    assert_eq!(head.verify(&feed.id()), Ok(()));
    assert_eq!(Head::decode(&head.encode()), Ok(head));
    let changed = [
        Head { feed: FeedId::from_bytes([9; 32]), ..head },
        Head { length: 8, ..head },
        Head { byte_length: 1401, ..head },
        Head { root: Root::from_bytes([9; 32]), ..head },
    ];
    for other in changed {
        assert!(other.verify(&feed.id()).is_err(), "{other:?}");
    }
    assert!(head.verify(&FeedSecret::from_seed([9; 32]).id()).is_err());
}

#[test]
fn a_head_or_dep_of_length_zero_is_refused() {
    let (_, feed) = keys();
    let head = Head::sign(manifest().id(), 1, 1400, Root::from_bytes([5; 32]), &feed);
    let message = wire::Head {
        feed: head.feed.to_bytes(),
        length: 0,
        byte_length: 0,
        root: head.root.to_bytes(),
        signature: head.signature.to_bytes(),
    };
    assert_eq!(Head::decode(&message.encode_to_vec()), Err(HeadError::Empty));
    let short = wire::Head { length: 1, signature: Bytes::from_static(&[0; 63]), ..message };
    let refused = IdError::Length { expected: 64, found: 63 };
    assert_eq!(Head::decode(&short.encode_to_vec()), Err(HeadError::Field(refused)));
    let dep = wire::Dep::from(&head.dep());
    assert_eq!(Dep::try_from(&dep), Ok(head.dep()));
    assert_eq!(Dep::try_from(&wire::Dep { length: 0, ..dep.clone() }), Err(DepError::Empty));
    let refused = IdError::Length { expected: 32, found: 0 };
    assert_eq!(Dep::try_from(&wire::Dep { root: Bytes::new(), ..dep }), Err(DepError::Field(refused)));
}
