//! A passphrase: what a person chose, in one form of writing, forgotten when it is dropped.
//!
//! There is no rule on what kinds of characters it has: such rules make passphrases alike (NIST SP 800-63B says so too).
//! It is long instead. What is guessed is a file that somebody took, as fast as they can pay for; argon2id makes a guess
//! dear, and length makes the guesses many.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

/// The fewest characters of one that is set. 12, as Bitwarden asks for, between the 8 of NIST for a password beside a second
/// factor and the 15 for one alone: here the file is the second thing to have.
const CHARACTERS_MIN: usize = 12;
/// The most bytes that are read of one. No person types more, and a file that holds more is another file.
pub const BYTES_MAX: usize = 1024;

/// What a person chose, NFC.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

/// Why a text is no passphrase. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Nothing was given.
    #[error("the passphrase is empty")]
    Empty,
    /// More than anybody types.
    #[error("the passphrase is longer than {BYTES_MAX} bytes")]
    TooLong,
    /// Bytes that are no text.
    #[error("the passphrase is not UTF-8 text")]
    NotText,
    /// Too short to be set.
    #[error("the passphrase has fewer than {CHARACTERS_MIN} characters")]
    TooShort,
}

impl Passphrase {
    /// Reads what was typed, or the first line of a file: keyboards and files end it with the end of a line.
    ///
    /// # Errors
    /// When it is empty, too long, or no text.
    pub fn read(bytes: &[u8]) -> Result<Passphrase, PassphraseError> {
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.len() {
            0 => return Err(PassphraseError::Empty),
            1..=BYTES_MAX => {}
            _ => return Err(PassphraseError::TooLong),
        }
        let text = std::str::from_utf8(line).map_err(|_| PassphraseError::NotText)?;
        // NFC makes a text three times as long at most: no copy is left behind by growing.
        let mut normal = Zeroizing::new(String::with_capacity(3 * text.len()));
        normal.extend(text.nfc());
        Ok(Passphrase(normal))
    }

    /// Whether it is long enough to be set.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_new(&self) -> Result<(), PassphraseError> {
        if self.0.chars().count() < CHARACTERS_MIN { Err(PassphraseError::TooShort) } else { Ok(()) }
    }

    /// As argon2id takes it, and as a locked node reads it.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Zeroize for Passphrase {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

// What it is made of forgets itself.
impl zeroize::ZeroizeOnDrop for Passphrase {}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        Passphrase::read(text.as_bytes()).unwrap().bytes().to_vec()
    }

    #[test]
    fn one_passphrase_however_a_keyboard_writes_it() {
        assert_eq!(bytes("scho\u{308}n"), bytes("sch\u{f6}n"));
        assert_eq!(bytes("abc\n"), b"abc");
        assert_eq!(bytes("abc\r\nmore"), b"abc");
        assert_eq!(bytes(" a b "), b" a b ", "blanks are part of it");
    }

    #[test]
    fn what_is_no_passphrase_is_refused_and_never_repeated() {
        assert_eq!(Passphrase::read(b""), Err(PassphraseError::Empty));
        assert_eq!(Passphrase::read(b"\nabc"), Err(PassphraseError::Empty));
        assert_eq!(Passphrase::read(&[b'a'; BYTES_MAX + 1]), Err(PassphraseError::TooLong));
        assert_eq!(Passphrase::read(b"\xff"), Err(PassphraseError::NotText));
        let short = Passphrase::read("elf Zeichen".as_bytes()).unwrap();
        assert_eq!(short.check_new(), Err(PassphraseError::TooShort));
        assert_eq!(Passphrase::read(b"twelve chars").unwrap().check_new(), Ok(()));
        assert_eq!(format!("{short:?}"), "Passphrase(…)");
    }
}
