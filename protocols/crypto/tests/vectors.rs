//! Known answers: `specs/vectors/crypto`. `WEFT_REGENERATE=1 cargo test -p weft-crypto` writes them.

use std::{fs, path::PathBuf};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use weft_crypto::{
    Context, DeviceKey, DidKey, EpochId, FeedId, FeedSecret, Hasher, Head, Manifest, Part, Phrase, PreKeySecret,
    Purpose, Root, RootKey, SignContext, SignedManifest, SpaceId,
    at_rest::{self, Cost},
    earlier::{self, Earlier},
    fresh_secret,
    hash::kdf_two,
    kdf, lockbox,
    lockbox::{EpochSecrets, Recipient, RecipientKind},
    mac, safety_number,
    seal::{BodyKeys, seal_local},
    sealed_secret::SealedSecret,
    sealed_seed,
};
use zeroize::Zeroizing;

/// Compares with the kept file, or writes it.
fn keep(name: &str, vectors: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/vectors/crypto/{name}.json"));
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, vectors, "{name}: the code gives other answers than the vectors");
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

/// 32 bytes that count up from `first`, so that a swapped half is seen.
fn bytes32(first: u8) -> [u8; 32] {
    std::array::from_fn(|place| first + place as u8)
}

/// Spec: CRYPTO-2.1
#[test]
fn hashes() {
    let mut cases = Vec::new();
    for context in Context::ALL {
        let hash = Hasher::new(*context).fixed(&bytes32(1)).u64(300).var(b"weft").finish();
        cases.push(json!({ "context": context.as_str(), "hash": hex(hash) }));
    }
    let secret = bytes32(100);
    let parts = [Part::Fixed(&bytes32(1)), Part::U64(300), Part::Var(b"weft")];
    let keys = kdf_two(Context::BODY, &secret, &parts);
    keep(
        "hashes",
        &json!({
            "parts": { "fixed": hex(bytes32(1)), "u64": 300, "var": hex(b"weft") },
            "hashes": cases,
            "kdf": { "context": "weft/local/1", "secret": hex(secret), "key": hex(kdf(Context::LOCAL, &secret, &parts)) },
            "kdf_two": { "context": "weft/body/1", "secret": hex(secret), "keys": [hex(keys[0]), hex(keys[1])] },
            "mac": { "context": "weft/door-dial/1", "key": hex(secret), "mac": hex(mac(Context::DOOR_DIAL, &secret, &parts)) },
        }),
    );
}

/// Spec: CRYPTO-4.1
#[test]
fn signatures() {
    let seed = bytes32(1);
    let key = RootKey::from_seed(seed);
    let mut cases = Vec::new();
    for context in SignContext::ALL {
        let signature = key.sign(*context, b"statement");
        cases.push(json!({ "context": context.as_str(), "signature": hex(signature.as_bytes()) }));
    }
    let device = DeviceKey::from_seed(seed);
    keep(
        "signatures",
        &json!({
            "seed": hex(seed),
            "public": hex(key.id()),
            "id": key.id().to_string(),
            "statement": hex(b"statement"),
            "signatures": cases,
            "at_rest_key": hex(*device.at_rest_key()),
            "fresh": {
                "draw": hex(bytes32(50)),
                "purpose": "epoch-content",
                "subject": hex(bytes32(90)),
                "secret": hex(fresh_secret(bytes32(50), &device, "epoch-content", &bytes32(90))),
            },
        }),
    );
}

/// Spec: CRYPTO-5.1
/// Spec: CRYPTO-5.2
#[test]
fn feeds() {
    let (device, feed) = (DeviceKey::from_seed(bytes32(1)), FeedSecret::from_seed(bytes32(2)));
    let manifest = Manifest {
        version: 1,
        space: SpaceId::from_bytes(bytes32(3)),
        device: device.id(),
        feed_key: feed.id(),
        purpose: Purpose::Data,
        generation: 300,
    };
    let head = Head::sign(manifest.id(), 7, 1400, Root::from_bytes(bytes32(4)), &feed);
    keep(
        "feeds",
        &json!({
            "device_seed": hex(bytes32(1)),
            "feed_seed": hex(bytes32(2)),
            "manifest": {
                "version": 1, "space": hex(bytes32(3)), "device": hex(device.id()), "feed_key": hex(feed.id()),
                "purpose": 2, "generation": 300,
            },
            "feed": hex(manifest.id()),
            "manifest_bytes": hex(manifest.encode()),
            "signed_manifest_bytes": hex(SignedManifest::sign(&manifest, &device, &feed).encode()),
            "head": { "length": 7, "byte_length": 1400, "root": hex(bytes32(4)) },
            "head_bytes": hex(head.encode()),
        }),
    );
}

/// Spec: CRYPTO-11
#[test]
fn safety_numbers() {
    let [one, other] = [1, 2].map(|first| RootKey::from_seed(bytes32(first)).id());
    keep(
        "safety_numbers",
        &json!([
            { "identities": [hex(one), hex(other)], "digits": safety_number(&one, &other) },
            { "identities": [hex(other), hex(one)], "digits": safety_number(&other, &one) },
            { "identities": [hex(one), hex(one)], "digits": safety_number(&one, &one) },
        ]),
    );
}

/// Spec: CRYPTO-6.2
#[test]
fn seals() {
    let ids = (SpaceId::from_bytes(bytes32(2)), EpochId::from_bytes(bytes32(3)), FeedId::from_bytes(bytes32(4)));
    let keys = BodyKeys::derive(&bytes32(1), &ids.0, &ids.1, &ids.2);
    let random: [u8; 16] = std::array::from_fn(|place| 200 + place as u8);
    let bodies: Vec<_> = [(0u64, 2u32, &b""[..]), (5, 2, b"hello"), (1 << 40, 3, &[7; 100])]
        .map(|(seq, kind, plaintext)| {
            let stored = keys.seal(seq, kind, random, plaintext);
            json!({ "seq": seq, "kind": kind, "plaintext": hex(plaintext), "stored": hex(stored) })
        })
        .into();
    keep(
        "seals",
        &json!({
            "content_secret": hex(bytes32(1)),
            "space": hex(ids.0), "epoch": hex(ids.1), "feed": hex(ids.2),
            "random": hex(random),
            "bodies": bodies,
            "local": {
                "key": hex(bytes32(1)), "label": "feed-secret", "plaintext": hex(b"secret"),
                "sealed": hex(seal_local(&bytes32(1), "feed-secret", random, b"secret")),
            },
            "at_rest": {
                "key": hex(bytes32(1)), "secret": hex(b"secret"),
                "file": hex(at_rest::wrap(b"secret", &bytes32(1), random)),
            },
        }),
    );
}

/// Spec: CRYPTO-9.2
#[test]
fn passphrases() {
    let salt: [u8; 16] = std::array::from_fn(|place| 100 + place as u8);
    let random: [u8; 16] = std::array::from_fn(|place| 200 + place as u8);
    let small = Cost { memory_kib: 64, passes: 2, lanes: 2 };
    let cases: Vec<_> = [("correct horse battery staple", small), ("Ä: sch\u{f6}n", Cost::RECOMMENDED)]
        .map(|(passphrase, cost)| {
            let file = at_rest::wrap_by_passphrase(&bytes32(1), passphrase.as_bytes(), cost, salt, random).unwrap();
            json!({
                "passphrase": passphrase, "memory_kib": cost.memory_kib, "passes": cost.passes, "lanes": cost.lanes,
                "file": hex(file),
            })
        })
        .into();
    keep(
        "passphrases",
        &json!({ "secret": hex(bytes32(1)), "salt": hex(salt), "random": hex(random), "wrapped": cases }),
    );
}

/// Spec: CRYPTO-7.2
/// Spec: CRYPTO-7.3
#[test]
fn epochs() {
    let secrets = EpochSecrets { content: bytes32(1), access: bytes32(2) };
    let commitments = secrets.commitments();
    let pre_key = PreKeySecret::from_seed(bytes32(3));
    let space = SpaceId::from_bytes(bytes32(4));
    let parents = [EpochId::from_bytes(bytes32(5))];
    let kinds = [RecipientKind::Device, RecipientKind::Recovery, RecipientKind::Keeper];
    let recipients = kinds.map(|kind| Recipient { kind, recipient: bytes32(kind as u8 * 10), key: pre_key.id() });
    let epoch = lockbox::epoch_id(&space, &commitments, &parents, &recipients);
    let lockboxes: Vec<_> = recipients
        .map(|recipient| {
            let sealed = lockbox::seal(&secrets, &space, &epoch, &recipient, bytes32(7)).unwrap();
            json!({
                "kind": recipient.kind as u32, "recipient": hex(recipient.recipient), "key": hex(recipient.key),
                "encapsulated": hex(sealed.encapsulated), "ciphertext": hex(sealed.ciphertext),
            })
        })
        .into();
    let key = PreKeySecret::from_seed(bytes32(3)).id();
    let follow = sealed_seed::secrets(&bytes32(30));
    let of_keys = sealed_seed::epoch_id(&space, &follow.commitments(), &parents, &[sealed_seed::name(&key)]);
    let (encapsulated, ciphertexts) = sealed_seed::seal(&bytes32(30), &space, &of_keys, &[key], &bytes32(7)).unwrap();
    let random = bytes32(9)[..16].try_into().unwrap();
    let before = [Zeroizing::new(bytes32(20)), Zeroizing::new([0; 32])];
    let under = |what, secret| earlier::seal(what, secret, &space, &epoch, random, &before);
    keep(
        "epochs",
        &json!({
            "content": hex(secrets.content), "access": hex(secrets.access),
            "content_commitment": hex(commitments.content), "access_commitment": hex(commitments.access),
            "space": hex(space), "parents": [hex(parents[0])],
            "epoch": hex(epoch),
            "pre_key_seed": hex(bytes32(3)), "ephemeral_seed": hex(bytes32(7)),
            "lockboxes": lockboxes,
            "of_keys": {
                "seed": hex(bytes32(30)), "keys": [hex(key)], "names": [hex(sealed_seed::name(&key))], "epoch": hex(of_keys),
                "content": hex(follow.content), "access": hex(follow.access),
                "encapsulated": hex(encapsulated), "ciphertexts": hex(&ciphertexts),
            },
            "earlier": {
                "random": hex(&bytes32(9)[..16]), "secrets": [hex(bytes32(20)), hex([0; 32])],
                "access": hex(under(Earlier::Access, &secrets.access)),
                "content": hex(under(Earlier::Content, &secrets.content)),
            },
        }),
    );
}

/// Spec: CRYPTO-8.1
#[test]
fn phrases() {
    let cases = [[0; 32], bytes32(1), [0xff; 32]].map(|entropy| {
        let phrase = Phrase::from_entropy(entropy);
        json!({
            "entropy": hex(entropy), "words": *phrase.words(), "root": hex(phrase.root_key().id()),
            "next_root": hex(phrase.next_root_key().id()), "recovery": hex(phrase.recovery_key().id()),
        })
    });
    keep("phrases", &json!({ "phrases": cases }));
}

/// Spec: CRYPTO-10.1
/// Spec: CRYPTO-10.3
#[test]
fn sealed_secrets() {
    let device = DeviceKey::from_seed(bytes32(1));
    let (name, subject, secret) = (DidKey::from(device.id()), bytes32(3), bytes32(4));
    let to = name.agreement().unwrap();
    let sealed = SealedSecret::seal(&secret, &to, &subject, bytes32(7)).unwrap();
    keep(
        "sealed_secrets",
        &json!({
            "device_seed": hex(bytes32(1)), "did_key": name.to_string(), "agreement_key": hex(to),
            "agreement_did_key": DidKey::from(to).to_string(), "agreement_seed": hex(*device.agreement_key().seed()),
            "subject": hex(subject), "secret": hex(secret), "ephemeral_seed": hex(bytes32(7)),
            "sealed": hex(sealed.as_bytes()),
        }),
    );
}
