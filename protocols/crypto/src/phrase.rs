//! The recovery phrase: 24 BIP-39 words for 32 random bytes, from which the keys of an identity follow.
//!
//! The bytes have full entropy, so the keys come from them directly and not through BIP-39's slow password step. Words are
//! English, checked by their checksum, and read in any case and spacing.
//!
//! Spec: CRYPTO-8.1

use std::fmt;

use bip39::{Language, Mnemonic};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Context, RecoveryKey, RootKey, hash::kdf};

/// Words of a phrase.
pub const WORDS: usize = 24;

/// An identity's entropy, which is shown as words once and then kept off-line.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Phrase([u8; 32]);

/// Why words are no phrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhraseError {
    /// Another number of words.
    #[error("a recovery phrase has {WORDS} words, not {found}")]
    Count {
        /// How many there are.
        found: usize,
    },
    /// A word that is not in the list. The word itself is not repeated: it may be a secret.
    #[error("word {number} is not in the list of words")]
    Unknown {
        /// Which one, counted from 1.
        number: usize,
    },
    /// All words are known and do not belong together.
    #[error("the words do not belong together: one is wrong or two are swapped")]
    Checksum,
}

impl Phrase {
    /// The phrase for 32 random bytes.
    #[must_use]
    pub const fn from_entropy(entropy: [u8; 32]) -> Self {
        Self(entropy)
    }

    /// Reads words.
    ///
    /// # Errors
    /// When they are no phrase; says which word.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let found = text.split_whitespace().take(WORDS + 1).count();
        if found != WORDS {
            return Err(PhraseError::Count { found: text.split_whitespace().count() });
        }
        let text = Zeroizing::new(text.to_lowercase());
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &text).map_err(|error| match error {
            bip39::Error::UnknownWord(place) => PhraseError::Unknown { number: place + 1 },
            _ => PhraseError::Checksum,
        })?;
        let entropy = Zeroizing::new(mnemonic.to_entropy());
        Ok(Self(entropy.as_slice().try_into().expect("24 words hold 32 bytes")))
    }

    /// The words, lower case, with single spaces.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        Zeroizing::new(self.mnemonic().to_string())
    }

    /// The entropy, for keeping it sealed until the owner has written the words down.
    #[must_use]
    pub fn entropy(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0)
    }

    /// The identity's root key.
    #[must_use]
    pub fn root_key(&self) -> RootKey {
        RootKey::from_seed(kdf(Context::PHRASE_ROOT, &self.0, &[]))
    }

    /// The root key that the first statement commits to and that takes over if the first is lost to a thief.
    #[must_use]
    pub fn next_root_key(&self) -> RootKey {
        RootKey::from_seed(kdf(Context::PHRASE_NEXT_ROOT, &self.0, &[]))
    }

    /// The key that every epoch's secrets are sealed to, so that the phrase alone opens them.
    #[must_use]
    pub fn recovery_key(&self) -> RecoveryKey {
        RecoveryKey::from_seed(kdf(Context::PHRASE_RECOVERY, &self.0, &[]))
    }

    fn mnemonic(&self) -> Mnemonic {
        Mnemonic::from_entropy_in(Language::English, &self.0).expect("32 bytes make 24 words")
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(…)")
    }
}
