//! No context can be taken for another, nor for anything that libp2p signs with the same device key.

use weft_crypto::{Context, Hasher, Part, SignContext, hash::kdf_two, kdf, mac};

fn texts() -> Vec<&'static str> {
    let hashes = Context::ALL.iter().map(|context| context.as_str());
    hashes.chain(SignContext::ALL.iter().map(|context| context.as_str())).collect()
}

/// Spec: CRYPTO-1.2
#[test]
fn every_context_is_its_own_and_none_is_the_start_of_another() {
    let texts = texts();
    for (place, one) in texts.iter().enumerate() {
        assert!(one.starts_with("weft/") && one.ends_with("/1"), "{one}");
        for other in &texts[place + 1..] {
            assert!(!one.starts_with(other) && !other.starts_with(one), "{one} and {other}");
        }
    }
}

/// Spec: CRYPTO-1.2
#[test]
fn the_specification_lists_every_context() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../specs/crypto.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| `weft/")?.split('`').next()).collect();
    let texts = texts();
    let missing: Vec<_> = texts.iter().filter(|text| !listed.iter().any(|listed| text[5..] == **listed)).collect();
    assert!(missing.is_empty(), "not in specs/crypto.md: {missing:?}");
    assert_eq!(listed.len(), texts.len(), "specs/crypto.md lists contexts that do not exist");
}

/// What a device key signs for libp2p begins with one of these; a signed envelope begins with the length of its domain.
///
/// Spec: CRYPTO-4.1
#[test]
fn no_signature_of_ours_can_be_taken_for_one_of_libp2p() {
    let domains = ["libp2p-peer-record", "libp2p-routing-state", "libp2p-relay-rsvp"];
    let envelopes = domains.map(|domain| [&[domain.len() as u8], domain.as_bytes()].concat());
    let prefixes = ["noise-libp2p-static-key:", "libp2p-tls-handshake:", "libp2p-pubsub:"];
    let theirs = prefixes.map(|prefix| prefix.as_bytes().to_vec()).into_iter().chain(envelopes);
    for theirs in theirs {
        for ours in SignContext::ALL {
            let ours = [ours.as_str().as_bytes(), &[0]].concat();
            let common = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
            assert!(common < ours.len().min(theirs.len()), "{ours:?} and {theirs:?} can be confused");
        }
    }
}

/// Spec: CRYPTO-2.1
#[test]
fn a_hash_is_blake3_derive_key_of_its_parts() {
    let ours = Hasher::new(Context::PARENT).fixed(&[7; 32]).u64(9).var(b"abc").finish();
    let bytes = [&[7; 32][..], &9u64.to_le_bytes(), &3u64.to_le_bytes(), b"abc"].concat();
    assert_eq!(ours, blake3::derive_key("weft/parent/1", &bytes));
}

/// Spec: CRYPTO-2.2
/// Spec: CRYPTO-2.3
#[test]
fn keys_and_macs_follow_from_the_secret() {
    let secret = [5; 32];
    let parts = [Part::Fixed(b"part"), Part::U64(2)];
    let bytes = [&secret[..], b"part", &2u64.to_le_bytes()].concat();
    let key = kdf(Context::LOCAL, &secret, &parts);
    assert_eq!(key, blake3::derive_key("weft/local/1", &bytes));
    assert_eq!(kdf_two(Context::LOCAL, &secret, &parts)[0], key);
    let proof = mac(Context::DOOR_DIAL, &secret, &parts);
    let mac_key = blake3::derive_key("weft/door-dial/1", &secret);
    assert_eq!(proof, *blake3::keyed_hash(&mac_key, &bytes[32..]).as_bytes());
    assert_ne!(proof, mac(Context::DOOR_LISTEN, &secret, &parts));
}

/// A part of variable length cannot lend bytes to its neighbour.
#[test]
fn lengths_keep_parts_apart() {
    let hash = |one: &[u8], two: &[u8]| Hasher::new(Context::ENTRY).var(one).var(two).finish();
    assert_ne!(hash(b"ab", b"c"), hash(b"a", b"bc"));
    assert_ne!(hash(b"", b"abc"), hash(b"abc", b""));
}
