//! Secrets for one key, and `did:key` as the name of such a key.

use weft_crypto::{
    BadDidKey, DeviceKey, DidKey, PreKeyId, PreKeySecret,
    sealed_secret::{SealedSecret, SealedSecretError},
};

const SUBJECT: [u8; 32] = [8; 32];

fn sealed(to: &PreKeyId) -> SealedSecret {
    SealedSecret::seal(&[9; 32], to, &SUBJECT, [7; 32]).unwrap()
}

/// An example of the did:key method's own documentation: the Ed25519 key and the X25519 key that follows from it.
///
/// Spec: CRYPTO-10.1
/// Spec: CRYPTO-10.2
#[test]
fn the_keys_are_those_that_the_method_says() {
    let signs: DidKey = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH".parse().unwrap();
    let opens: DidKey = "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc".parse().unwrap();
    assert!(matches!((signs, opens), (DidKey::Ed25519(_), DidKey::X25519(_))));
    assert_eq!(DidKey::from(signs.agreement().unwrap()), opens);
    assert_eq!(signs.to_string(), "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH");
}

/// Spec: CRYPTO-10.3
#[test]
fn a_device_opens_what_was_sealed_to_it_and_nobody_else_does() {
    let (alice, bob) = (DeviceKey::from_seed([1; 32]), DeviceKey::from_seed([2; 32]));
    let to = DidKey::from(alice.id()).agreement().unwrap();
    assert_eq!(to, alice.agreement_key().id(), "who seals and who opens mean one key");
    let sealed = sealed(&to);
    assert_eq!(*sealed.open(&alice.agreement_key(), &SUBJECT).unwrap(), [9; 32]);
    let refused = Err(SealedSecretError::NotAuthentic);
    assert_eq!(sealed.open(&bob.agreement_key(), &SUBJECT), refused);
    assert_eq!(sealed.open(&alice.agreement_key(), &[0; 32]), refused, "it belongs to its statement");
    for place in 0..sealed.as_bytes().len() {
        let mut altered = *sealed.as_bytes();
        altered[place] ^= 1;
        // The highest bit of an X25519 key is not read; HPKE binds it all the same.
        let altered = SealedSecret::decode(&altered).unwrap();
        assert_eq!(altered.open(&alice.agreement_key(), &SUBJECT), refused, "byte {place}");
    }
}

/// A pre-key takes one too: no member needs its device key for that.
///
/// Spec: CRYPTO-10.3
#[test]
fn a_pre_key_opens_one_as_well() {
    let key = PreKeySecret::from_seed([3; 32]);
    assert_eq!(*sealed(&key.id()).open(&key, &SUBJECT).unwrap(), [9; 32]);
}

/// Spec: CRYPTO-10.2
#[test]
fn nothing_is_sealed_to_a_weak_key() {
    // The neutral element, a point of order 2, and bytes that are no point.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut no_point = [0; 32];
    no_point[0] = 2;
    let mut order_two = [0xff; 32];
    (order_two[0], order_two[31]) = (0xec, 0x7f);
    for key in [neutral, order_two, no_point] {
        assert_eq!(DidKey::Ed25519(key).agreement(), Err(BadDidKey::Weak), "{key:?}");
    }
    let zero = PreKeyId::from_bytes([0; 32]);
    assert_eq!(SealedSecret::seal(&[9; 32], &zero, &SUBJECT, [7; 32]), Err(SealedSecretError::BadKey));
}

/// Spec: CRYPTO-10.1
#[test]
fn what_is_no_did_key_of_ours_says_so() {
    let parse = |text: &str| text.parse::<DidKey>();
    for text in ["", "did:web:example.com", "did:key:u7QE", "did:key:z0OIl", "did:key:z"] {
        assert_eq!(parse(text), Err(BadDidKey::Malformed), "{text}");
    }
    // secp256k1, P-256, and far too long.
    for text in
        ["did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", &format!("did:key:z{}", "2".repeat(1 << 20))]
    {
        assert_eq!(parse(text), Err(BadDidKey::OtherKind));
    }
    assert_eq!(SealedSecret::decode(&[0; 79]), Err(SealedSecretError::Length { found: 79 }));
}
