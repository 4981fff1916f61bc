//! Phrases and secrets on disk.

use weft_crypto::{
    Phrase, PhraseError,
    at_rest::{AtRestError, unwrap, wrap},
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
    assert_eq!(with(5, 2), Err(AtRestError::OtherForm { found: 2 }));
    assert_eq!(with(30, file[30] ^ 1), Err(AtRestError::Sealed(SealError::NotAuthentic)));
    assert_eq!(unwrap(&file[..5], &[1; 32]), Err(AtRestError::NotOurs));
    assert_eq!(unwrap(&file[..6], &[1; 32]), Err(AtRestError::Sealed(SealError::TooShort { found: 0 })));
}
