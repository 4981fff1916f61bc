//! Sealed bodies and local secrets.

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use weft_crypto::{
    Context, EpochId, FeedId, Hasher, Part, SpaceId,
    hash::kdf_two,
    seal::{BodyKeys, OVERHEAD_BYTES, SealError, open_local, seal_local},
};

const CONTENT: [u8; 32] = [1; 32];

fn keys_for(space: u8, epoch: u8, feed: u8) -> BodyKeys {
    let space = SpaceId::from_bytes([space; 32]);
    BodyKeys::derive(&CONTENT, &space, &EpochId::from_bytes([epoch; 32]), &FeedId::from_bytes([feed; 32]))
}

fn keys() -> BodyKeys {
    keys_for(2, 3, 4)
}

/// Spec: CRYPTO-6.1
#[test]
fn a_body_comes_back() {
    for len in [0, 1, 15, 16, 17, 1000, 1 << 20] {
        let plaintext = vec![7; len];
        let stored = keys().seal(5, 2, [9; 16], &plaintext);
        assert_eq!(stored.len(), len + OVERHEAD_BYTES);
        assert_eq!(keys().open(5, 2, &stored).unwrap(), plaintext);
    }
}

/// Two different texts at one place: another nonce each, so a writer that lost its last entry gives nothing away.
///
/// Spec: CRYPTO-6.1
#[test]
fn a_repeated_seq_is_harmless() {
    let (one, other) = (keys().seal(5, 2, [9; 16], b"one"), keys().seal(5, 2, [9; 16], b"two"));
    assert_ne!(one[..24], other[..24]);
    assert_eq!(keys().open(5, 2, &one).unwrap(), "one");
    assert_eq!(keys().open(5, 2, &other).unwrap(), "two");
}

/// A random generator that always gives the same shows that a text is repeated, and nothing else.
#[test]
fn a_broken_random_generator_is_harmless() {
    let sealed = |seq| keys().seal(seq, 2, [0; 16], b"text");
    assert_eq!(sealed(5), sealed(5));
    assert_ne!(sealed(5)[..24], sealed(6)[..24]);
}

/// Spec: CRYPTO-6.2
#[test]
fn a_body_opens_at_its_own_place_only() {
    let stored = keys().seal(5, 2, [9; 16], b"text");
    let refused = Err(SealError::NotAuthentic);
    assert_eq!(keys().open(6, 2, &stored), refused);
    assert_eq!(keys().open(5, 3, &stored), refused);
    for other in [keys_for(9, 3, 4), keys_for(2, 9, 4), keys_for(2, 3, 9), keys_for(3, 2, 4)] {
        assert_eq!(other.open(5, 2, &stored), refused);
    }
    let other = BodyKeys::derive(
        &[9; 32],
        &SpaceId::from_bytes([2; 32]),
        &EpochId::from_bytes([3; 32]),
        &FeedId::from_bytes([4; 32]),
    );
    assert_eq!(other.open(5, 2, &stored), refused);
}

#[test]
fn an_altered_or_cut_body_is_refused() {
    let stored = keys().seal(5, 2, [9; 16], b"text");
    for place in 0..stored.len() {
        let mut altered = stored.to_vec();
        altered[place] ^= 1;
        assert_eq!(keys().open(5, 2, &altered), Err(SealError::NotAuthentic), "byte {place}");
    }
    for len in 0..stored.len() {
        let expected = if len < OVERHEAD_BYTES { SealError::TooShort { found: len } } else { SealError::NotAuthentic };
        assert_eq!(keys().open(5, 2, &stored[..len]), Err(expected));
    }
}

/// A member who knows the keys can seal with a nonce of its choice; all nodes refuse it alike.
///
/// Spec: CRYPTO-6.1
#[test]
fn a_nonce_that_does_not_follow_from_the_text_is_refused() {
    let parts = [Part::Fixed(&[2; 32]), Part::Fixed(&[3; 32]), Part::Fixed(&[4; 32])];
    let [cipher, _] = kdf_two(Context::BODY, &CONTENT, &parts);
    let numbers = [5u64.to_le_bytes(), 2u64.to_le_bytes()].concat();
    let place = [&b"weft/body/1\0"[..], &[2; 32], &[4; 32], &numbers, &[3; 32]].concat();
    let nonce = [7; 24];
    let mut text = b"0123456789abcdeftext".to_vec();
    let cipher = XChaCha20Poly1305::new((&cipher).into());
    let tag = cipher.encrypt_inout_detached((&nonce).into(), &place, text.as_mut_slice().into()).unwrap();
    let stored = [&nonce[..], &text, &tag].concat();
    assert_eq!(keys().open(5, 2, &stored), Err(SealError::WrongNonce));
}

/// After erasure the header still holds the hash of the body. Who knows the secret and every guess cannot tell which it
/// was: the sealed body depends on 16 random bytes that are gone with it.
///
/// Spec: CRYPTO-6.1
#[test]
fn erased_yes_or_no_cannot_be_guessed() {
    let body_hash = |body: &[u8]| Hasher::new(Context::BODY_HASH).var(body).finish();
    let kept = body_hash(&keys().seal(5, 2, *b"really random 16", b"yes"));
    for guess in [&b"yes"[..], b"no"] {
        for tried in 0..1000u64 {
            let mut random = [0; 16];
            random[..8].copy_from_slice(&tried.to_le_bytes());
            assert_ne!(body_hash(&keys().seal(5, 2, random, guess)), kept);
        }
    }
    // It is the random bytes and nothing else that keeps the secret.
    assert_eq!(body_hash(&keys().seal(5, 2, *b"really random 16", b"yes")), kept);
}

/// Spec: CRYPTO-6.3
#[test]
fn a_local_secret_opens_under_its_key_and_label() {
    let sealed = seal_local(&[1; 32], "feed-secret", [2; 16], b"secret");
    assert_eq!(**open_local(&[1; 32], "feed-secret", &sealed).unwrap(), *b"secret");
    assert_eq!(open_local(&[2; 32], "feed-secret", &sealed), Err(SealError::NotAuthentic));
    assert_eq!(open_local(&[1; 32], "epoch-secret", &sealed), Err(SealError::NotAuthentic));
}
