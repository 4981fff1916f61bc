//! The bearer token of the API: 32 random bytes, made anew at every start, in a file that only the owner may read.

use std::{
    io,
    path::{Path, PathBuf},
};

use weft_crypto::base32;

use crate::private_file;

/// The name of the token's file in the data folder.
pub(crate) const FILE_NAME: &str = "api-token";

/// What a request has to show.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// A new token, written to the data folder, and where.
    pub(crate) fn issue(folder: &Path) -> io::Result<(Token, PathBuf)> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let token = Token(base32::encode(&random));
        let path = folder.join(FILE_NAME);
        private_file::write(&path, token.0.as_bytes())?;
        Ok((token, path))
    }

    /// The token that a running node wrote.
    pub(crate) fn read(path: &Path) -> io::Result<Token> {
        std::fs::read_to_string(path).map(|text| Token(text.trim().to_owned()))
    }

    /// The token of the page: it follows from this one, and this one does not follow from it.
    pub(crate) fn for_page(&self) -> Token {
        Token(base32::encode(&blake3::derive_key("weft/page-token/1", self.0.as_bytes())))
    }

    /// As it is written in a file or an answer.
    pub(crate) fn as_text(&self) -> &str {
        &self.0
    }

    /// As the value of the header `Authorization`.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Whether the header's value shows this token. Takes as long for a wrong one as for the right one.
    pub(crate) fn is_shown_by(&self, header: &[u8]) -> bool {
        let right = self.header();
        let same_length = header.len() == right.len();
        let difference = header.iter().zip(right.as_bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
        same_length & (std::hint::black_box(difference) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_by_its_own_header_only() {
        let folder = tempfile::tempdir().unwrap();
        let (token, path) = Token::issue(folder.path()).unwrap();
        let header = Token::read(&path).unwrap().header();
        assert!(token.is_shown_by(header.as_bytes()));
        for wrong in
            ["", "Bearer", "Bearer ", &header[..header.len() - 1], &format!("{header}a"), &header.replace('B', "b")]
        {
            assert!(!token.is_shown_by(wrong.as_bytes()), "{wrong}");
        }
        let (other, _) = Token::issue(folder.path()).unwrap();
        assert!(!other.is_shown_by(header.as_bytes()));
    }
}
