//! The files of an identity: private from their first byte, sealed under one key, and named when something is wrong with them.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use weft_crypto::at_rest;
use zeroize::Zeroizing;

use super::{IdentityError, WrappingKey};
use crate::store;

/// The folder with the identity's files.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn io(&self, name: &str, error: io::Error) -> IdentityError {
        IdentityError::Io { path: self.0.join(name), error }
    }

    pub(super) fn damaged(&self, name: &str, what: &str) -> IdentityError {
        IdentityError::Damaged { path: self.0.join(name), what: what.to_owned() }
    }

    pub(super) fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        std::fs::read(self.0.join(name)).map(Zeroizing::new).map_err(|error| self.io(name, error))
    }

    /// Writes a new file that only its owner may read from the first byte on.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), IdentityError> {
        let written = store::open_private(&self.0.join(name)).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|error| self.io(name, error))
    }

    pub(super) fn seal(&self, name: &str, secret: &[u8], key: &WrappingKey) -> Result<(), IdentityError> {
        let [random, _] = halves(&*random()?);
        self.write(name, &at_rest::wrap(secret, key.bytes(), random))
    }

    pub(super) fn unseal(&self, name: &str, key: &WrappingKey) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        at_rest::unwrap(&self.read(name)?, key.bytes()).map_err(|error| self.damaged(name, &error.to_string()))
    }
}

/// 32 bytes that nobody knows.
pub(super) fn random() -> Result<Zeroizing<[u8; 32]>, IdentityError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut bytes[..]).map_err(IdentityError::NoEntropy)?;
    Ok(bytes)
}

/// Two times 16 of them.
pub(super) fn halves(bytes: &[u8; 32]) -> [[u8; 16]; 2] {
    bytes.as_chunks::<16>().0.try_into().expect("32 bytes are two halves")
}
