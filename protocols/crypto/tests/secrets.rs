//! Phrases and secrets on disk.

use weft_crypto::{
    Phrase, PhraseError,
    at_rest::{AtRestError, Cost, Form, form, unwrap, unwrap_by_passphrase, wrap, wrap_by_passphrase},
    seal::SealError,
};

/// From BIP-39's own list of test vectors.
const ZEROS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art";

/// Spec: CRYPTO-8.1
#[test]
fn a_phrase_is_bip_39() {
    assert_eq!(*Phrase::from_entropy([0; 32]).words(), ZEROS);
    assert_eq!(Phrase::parse(ZEROS), Ok(Phrase::from_entropy([0; 32])));
    // As people type it.
    let typed = format!("  {}\n", ZEROS.to_uppercase().replace(' ', "\n "));
    assert_eq!(Phrase::parse(&typed), Ok(Phrase::from_entropy([0; 32])));
}

#[test]
fn a_wrong_phrase_says_what_is_wrong() {
    assert_eq!(Phrase::parse("abandon"), Err(PhraseError::Count { found: 1 }));
    // Twelve good words are a phrase elsewhere, not here.
    let twelve = format!("{}about", "abandon ".repeat(11));
    assert_eq!(Phrase::parse(&twelve), Err(PhraseError::Count { found: 12 }));
    let unknown = ZEROS.replacen("abandon", "abandonned", 1);
    assert_eq!(Phrase::parse(&unknown), Err(PhraseError::Unknown { number: 1 }));
    let swapped = ZEROS.replace("abandon art", "art abandon");
    assert_eq!(Phrase::parse(&swapped), Err(PhraseError::Checksum));
    assert!(!format!("{:?}", Phrase::parse(&unknown)).contains("abandonned"));
}

/// Spec: CRYPTO-8.1
#[test]
fn the_keys_of_a_phrase_are_different_and_always_the_same() {
    let phrase = Phrase::from_entropy([1; 32]);
    assert_eq!(phrase.root_key().id(), Phrase::parse(&phrase.words()).unwrap().root_key().id());
    assert_ne!(phrase.root_key().id(), phrase.next_root_key().id());
    assert_ne!(phrase.recovery_key().id(), Phrase::from_entropy([2; 32]).recovery_key().id());
    assert_eq!(format!("{phrase:?}"), "Phrase(…)");
}

/// Spec: CRYPTO-9.1
#[test]
fn a_wrapped_secret_comes_back() {
    let file = wrap(b"secret", &[1; 32], [2; 16]);
    assert_eq!(&file[..6], b"weft\x01\x01");
    assert_eq!(**unwrap(&file, &[1; 32]).unwrap(), *b"secret");
    assert_eq!(unwrap(&file, &[9; 32]), Err(AtRestError::Sealed(SealError::NotAuthentic)));
}

/// Spec: CRYPTO-9.1
#[test]
fn a_file_that_is_not_ours_newer_or_of_another_form_says_so() {
    let file = wrap(b"secret", &[1; 32], [2; 16]);
    let with = |place: usize, byte: u8| {
        let mut file = file.clone();
        file[place] = byte;
        unwrap(&file, &[1; 32])
    };
    assert_eq!(with(0, b'x'), Err(AtRestError::NotOurs));
    assert_eq!(with(4, 2), Err(AtRestError::Newer { found: 2 }));
    assert_eq!(with(5, 3), Err(AtRestError::OtherForm { found: 3 }), "the keyring's form is reserved");
    assert_eq!(with(30, file[30] ^ 1), Err(AtRestError::Sealed(SealError::NotAuthentic)));
    assert_eq!(unwrap(&file[..5], &[1; 32]), Err(AtRestError::NotOurs));
    assert_eq!(unwrap(&file[..6], &[1; 32]), Err(AtRestError::Sealed(SealError::TooShort { found: 0 })));
}

/// Cheap, so that the tests are.
const SMALL: Cost = Cost { memory_kib: 64, passes: 1, lanes: 2 };

fn under_passphrase(passphrase: &[u8]) -> Vec<u8> {
    wrap_by_passphrase(b"secret", passphrase, SMALL, [3; 16], [2; 16]).unwrap()
}

/// Spec: CRYPTO-9.2
#[test]
fn a_secret_under_a_passphrase_comes_back_by_it_alone() {
    let file = under_passphrase(b"correct horse");
    assert_eq!(&file[..6], b"weft\x01\x02");
    assert_eq!(form(&file), Ok(Form::Passphrase(SMALL)));
    assert_eq!(**unwrap_by_passphrase(&file, b"correct horse").unwrap(), *b"secret");
    for wrong in [&b"correct hors"[..], b"", b"correct horse\n"] {
        assert_eq!(unwrap_by_passphrase(&file, wrong), Err(AtRestError::Sealed(SealError::NotAuthentic)));
    }
    assert_eq!(unwrap(&file, &[1; 32]), Err(AtRestError::OtherForm { found: 2 }));
    assert_eq!(unwrap_by_passphrase(&wrap(b"", &[1; 32], [2; 16]), b""), Err(AtRestError::OtherForm { found: 1 }));
}

/// Spec: CRYPTO-9.2
#[test]
fn every_byte_of_a_file_under_a_passphrase_is_authentic() {
    let file = under_passphrase(b"correct horse");
    for place in 0..file.len() {
        let mut altered = file.clone();
        altered[place] ^= 1;
        assert!(unwrap_by_passphrase(&altered, b"correct horse").is_err(), "byte {place}");
        assert!(unwrap_by_passphrase(&file[..place], b"correct horse").is_err(), "cut at {place}");
    }
}

/// A crafted file: everything it asks for is looked at before anything is allocated or computed.
///
/// Spec: CRYPTO-9.3
#[test]
fn a_crafted_cost_takes_neither_memory_nor_time() {
    let crafted = |memory_kib: u32, passes: u32, lanes: u32| {
        let mut file = under_passphrase(b"correct horse");
        for (place, number) in [memory_kib, passes, lanes].iter().enumerate() {
            file[6 + 4 * place..][..4].copy_from_slice(&number.to_le_bytes());
        }
        let cost = Cost { memory_kib, passes, lanes };
        assert_eq!(form(&file), Err(AtRestError::Cost(cost)));
        assert_eq!(unwrap_by_passphrase(&file, b"correct horse"), Err(AtRestError::Cost(cost)));
        assert_eq!(wrap_by_passphrase(b"", b"", cost, [0; 16], [0; 16]), Err(AtRestError::Cost(cost)));
    };
    crafted(u32::MAX, 1, 1);
    crafted((1 << 20) + 1, 1, 1);
    crafted(64, u32::MAX, 1);
    crafted(64, 17, 1);
    crafted(64, 0, 1);
    crafted(1 << 20, 1, 17);
    crafted(u32::MAX, 1, u32::MAX);
    crafted(64, 1, 0);
    crafted(15, 1, 2);
    crafted(0, 0, 0);
}

/// Every type that holds a secret forgets it when it is dropped. Who adds one adds it here; this does not compile otherwise.
///
/// Spec: CRYPTO-9.4
#[test]
fn secrets_are_forgotten_when_they_are_dropped() {
    fn forgets<T: zeroize::ZeroizeOnDrop>() {}
    forgets::<weft_crypto::RootKey>();
    forgets::<weft_crypto::DeviceKey>();
    forgets::<weft_crypto::FeedSecret>();
    forgets::<weft_crypto::InvitationSecret>();
    forgets::<weft_crypto::PreKeySecret>();
    forgets::<weft_crypto::RecoveryKey>();
    forgets::<weft_crypto::lockbox::EpochSecrets>();
    forgets::<weft_crypto::seal::BoxKeys>();
    forgets::<weft_crypto::seal::BodyKeys>();
    forgets::<Phrase>();
    // The claim of the key types rests on the library's.
    forgets::<ed25519_dalek::SigningKey>();
}
