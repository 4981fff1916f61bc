//! Keys and signatures.

use weft_crypto::{
    BadSignature, DeviceKey, FeedSecret, InvitationSecret, PreKeySecret, RecoveryKey, RootKey, SignContext, Signature,
    base32, fresh_secret, verify,
};

/// Spec: CRYPTO-4.1
#[test]
fn a_signature_holds_for_its_key_context_and_statement_only() {
    let key = DeviceKey::from_seed([1; 32]);
    let signature = key.sign(SignContext::MANIFEST_DEVICE, b"statement");
    assert_eq!(key.id().verify(SignContext::MANIFEST_DEVICE, b"statement", &signature), Ok(()));
    assert_eq!(key.id().verify(SignContext::MANIFEST_FEED, b"statement", &signature), Err(BadSignature));
    assert_eq!(key.id().verify(SignContext::MANIFEST_DEVICE, b"statemenT", &signature), Err(BadSignature));
    let other = DeviceKey::from_seed([2; 32]);
    assert_eq!(other.id().verify(SignContext::MANIFEST_DEVICE, b"statement", &signature), Err(BadSignature));
    for place in 0..64 {
        let mut altered = *signature.as_bytes();
        altered[place] ^= 1;
        let altered = Signature::from_bytes(altered);
        assert!(key.id().verify(SignContext::MANIFEST_DEVICE, b"statement", &altered).is_err(), "byte {place}");
    }
}

/// With a key of small order one signature would hold for many statements. Strict verification refuses such keys.
///
/// Spec: CRYPTO-4.1
#[test]
fn a_key_of_small_order_signs_nothing() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    for key in [identity, [0; 32], [0xff; 32]] {
        let refused = verify(&key, SignContext::HEAD, b"anything", &Signature::from_bytes(signature));
        assert_eq!(refused, Err(BadSignature));
    }
}

/// The scalar of a signature has one spelling: adding the group's order gives no second valid signature.
///
/// Spec: CRYPTO-4.1
#[test]
fn a_signature_has_one_spelling() {
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let key = FeedSecret::from_seed([1; 32]);
    let mut bytes = *key.sign(SignContext::HEAD, b"statement").as_bytes();
    let mut carry = 0u16;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert!(key.id().verify(SignContext::HEAD, b"statement", &Signature::from_bytes(bytes)).is_err());
}

#[test]
fn secrets_are_not_shown() {
    let seed = [0xa5; 32];
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        RootKey::from_seed(seed),
        DeviceKey::from_seed(seed),
        FeedSecret::from_seed(seed),
        InvitationSecret::from_seed(seed),
        PreKeySecret::from_seed(seed),
        RecoveryKey::from_seed(seed),
    );
    assert!(!shown.contains("165, 165") && !shown.contains("a5a5") && !shown.contains(&base32::encode(&seed)[..8]));
    assert_eq!(shown.matches("secret …").count(), 6);
}

#[test]
fn a_seed_comes_back_for_sealing() {
    assert_eq!(*DeviceKey::from_seed([3; 32]).seed(), [3; 32]);
    assert_eq!(*PreKeySecret::from_seed([3; 32]).seed(), [3; 32]);
    assert_ne!(*DeviceKey::from_seed([3; 32]).at_rest_key(), [3; 32]);
}

/// A seed that a restored machine draws twice gives different secrets for different things and on different devices.
///
/// Spec: CRYPTO-4.3
#[test]
fn same_seed_twice_gives_different_epochs() {
    let draw = [9; 32];
    let device = DeviceKey::from_seed([1; 32]);
    let secret = fresh_secret(draw, &device, "epoch-content", &[1; 32]);
    assert_eq!(secret, fresh_secret(draw, &device, "epoch-content", &[1; 32]));
    assert_ne!(secret, fresh_secret(draw, &device, "epoch-content", &[2; 32]));
    assert_ne!(secret, fresh_secret(draw, &device, "epoch-access", &[1; 32]));
    assert_ne!(secret, fresh_secret(draw, &DeviceKey::from_seed([2; 32]), "epoch-content", &[1; 32]));
    assert_ne!(secret, fresh_secret([8; 32], &device, "epoch-content", &[1; 32]));
}
