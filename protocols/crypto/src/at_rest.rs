//! Secrets on disk: a header that says how they are protected, and the sealed secret.
//!
//! ```text
//! 0        4        5      6
//! | "weft" | version | form | what the form needs | sealed to all bytes before (CRYPTO-6.1) …
//! ```
//!
//! Form 1 is sealed by a random 32-byte key. Form 2 is sealed by a passphrase: argon2id, whose cost stands in the file, makes
//! a key of it. A cost is bounded before anything is allocated for it, so that a crafted file takes neither all memory nor
//! an hour. The files are the node's; this module knows their bytes only.
//!
//! Spec: CRYPTO-9

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Context,
    seal::{BoxKeys, SealError},
};

/// The first four bytes of the file.
const MAGIC: &[u8; 4] = b"weft";
/// The version that this code reads and writes.
const VERSION: u8 = 1;
/// Sealed by a random key beside the store.
const FORM_KEY: u8 = 1;
/// Sealed by a passphrase.
const FORM_PASSPHRASE: u8 = 2;
/// Bytes that every form begins with.
const HEADER: usize = 6;
/// Bytes of the salt of a passphrase.
const SALT: usize = 16;
/// Bytes before the sealed part in form 2: memory, passes and lanes of four bytes each, and the salt.
const PASSPHRASE_HEADER: usize = HEADER + 3 * 4 + SALT;

/// Why bytes from the disk give no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AtRestError {
    /// The file does not begin as one of ours.
    #[error("not a file of weft secrets")]
    NotOurs,
    /// A later version wrote it.
    #[error("secrets of version {found}, this program reads version {VERSION}")]
    Newer {
        /// The version found.
        found: u8,
    },
    /// Protected in a way that needs something else.
    #[error("secrets are protected in form {found}, which this program does not open so")]
    OtherForm {
        /// The form found.
        found: u8,
    },
    /// It ends before its sealed part.
    #[error("cut short: {found} bytes, at least {PASSPHRASE_HEADER}")]
    CutShort {
        /// How many bytes there are.
        found: usize,
    },
    /// More than this program spends on a passphrase, or less than argon2id can do with.
    #[error("a passphrase that costs {} KiB, {} passes and {} lanes is out of bounds", .0.memory_kib, .0.passes, .0.lanes)]
    Cost(Cost),
    /// The system does not give the memory that the passphrase costs.
    #[error("there is no memory of {memory_kib} KiB, which the passphrase needs")]
    NoMemory {
        /// How much it would be.
        memory_kib: u32,
    },
    /// The key or passphrase is another one, or the file is damaged.
    #[error("the key does not open these secrets: {0}")]
    Sealed(#[from] SealError),
}

/// What it costs to try a passphrase with argon2id, for us and for whoever guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// How often it is gone through.
    pub passes: u32,
    /// How many parts of it could be filled at once.
    pub lanes: u32,
}

impl Cost {
    /// The second recommended option of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes. The first needs 2 GiB, which a small
    /// machine has not.
    pub const RECOMMENDED: Cost = Cost { memory_kib: 64 << 10, passes: 3, lanes: 4 };
    /// The most that a file may ask for: 1 GiB, 16 passes, 16 lanes. A guess at what anybody chooses: seconds, and memory that a
    /// machine of today has.
    pub const MAX: Cost = Cost { memory_kib: 1 << 20, passes: 16, lanes: 16 };

    /// Whether it is within bounds. Argon2id needs eight blocks of 1 KiB a lane.
    const fn is_within_bounds(self) -> bool {
        1 <= self.lanes
            && self.lanes <= Cost::MAX.lanes
            && 1 <= self.passes
            && self.passes <= Cost::MAX.passes
            && 8 * self.lanes <= self.memory_kib
            && self.memory_kib <= Cost::MAX.memory_kib
    }
}

/// How a secret is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// By a random key.
    Key,
    /// By a passphrase that costs this to try.
    Passphrase(Cost),
}

/// How the secret of this file is protected. Nothing is opened.
///
/// # Errors
/// When it is not ours, newer, of an unknown form, cut short, or asks for too much.
pub fn form(file: &[u8]) -> Result<Form, AtRestError> {
    let Some(header) = file.first_chunk::<HEADER>() else {
        return Err(AtRestError::NotOurs);
    };
    if !header.starts_with(MAGIC) {
        return Err(AtRestError::NotOurs);
    }
    match (header[4], header[5]) {
        (VERSION, FORM_KEY) => Ok(Form::Key),
        (VERSION, FORM_PASSPHRASE) => {
            let (cost, _) = passphrase_header(file)?;
            Ok(Form::Passphrase(cost))
        }
        (VERSION, form) => Err(AtRestError::OtherForm { found: form }),
        (version, _) => Err(AtRestError::Newer { found: version }),
    }
}

/// Wraps a secret by a random key.
#[must_use]
pub fn wrap(secret: &[u8], wrapping_key: &[u8; 32], random: [u8; 16]) -> Vec<u8> {
    let header = header(FORM_KEY);
    let mut file = header.to_vec();
    file.extend_from_slice(&key_box(wrapping_key).seal(&header, random, secret));
    file
}

/// Unwraps a secret that was wrapped by a random key.
///
/// # Errors
/// Says whether the file is not ours, newer, of another form, or does not open.
pub fn unwrap(file: &[u8], wrapping_key: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, AtRestError> {
    match form(file)? {
        Form::Key => {
            let (place, sealed) = file.split_at(HEADER);
            Ok(key_box(wrapping_key).open_secret(place, sealed)?)
        }
        Form::Passphrase(_) => Err(AtRestError::OtherForm { found: FORM_PASSPHRASE }),
    }
}

/// Wraps a secret by a passphrase: its UTF-8 bytes, normalised to NFC by whoever reads it from a person.
///
/// # Errors
/// When the cost is out of bounds, or there is no memory for it.
///
/// Spec: CRYPTO-9.2
pub fn wrap_by_passphrase(
    secret: &[u8],
    passphrase: &[u8],
    cost: Cost,
    salt: [u8; SALT],
    random: [u8; 16],
) -> Result<Vec<u8>, AtRestError> {
    let keys = passphrase_box(passphrase, cost, &salt)?;
    let mut file = header(FORM_PASSPHRASE).to_vec();
    [cost.memory_kib, cost.passes, cost.lanes].iter().for_each(|number| file.extend_from_slice(&number.to_le_bytes()));
    file.extend_from_slice(&salt);
    let sealed = keys.seal(&file, random, secret);
    file.extend_from_slice(&sealed);
    Ok(file)
}

/// Unwraps a secret that was wrapped by a passphrase.
///
/// # Errors
/// Says whether the file is not ours, newer, of another form, cut short, asks for too much, or does not open; that the
/// passphrase is wrong and that the file was altered cannot be told apart.
///
/// Spec: CRYPTO-9.2
pub fn unwrap_by_passphrase(file: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, AtRestError> {
    match form(file)? {
        Form::Passphrase(_) => {
            let (cost, salt) = passphrase_header(file)?;
            let (place, sealed) = file.split_at(PASSPHRASE_HEADER);
            Ok(passphrase_box(passphrase, cost, &salt)?.open_secret(place, sealed)?)
        }
        Form::Key => Err(AtRestError::OtherForm { found: FORM_KEY }),
    }
}

fn header(form: u8) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(MAGIC);
    header[4] = VERSION;
    header[5] = form;
    header
}

/// Cost and salt of a file of form 2.
fn passphrase_header(file: &[u8]) -> Result<(Cost, [u8; SALT]), AtRestError> {
    let header = file.first_chunk::<PASSPHRASE_HEADER>().ok_or(AtRestError::CutShort { found: file.len() })?;
    let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes of the header"));
    let cost = Cost { memory_kib: number(HEADER), passes: number(HEADER + 4), lanes: number(HEADER + 8) };
    if !cost.is_within_bounds() {
        return Err(AtRestError::Cost(cost));
    }
    Ok((cost, header[HEADER + 12..].try_into().expect("the salt ends the header")))
}

fn key_box(wrapping_key: &[u8; 32]) -> BoxKeys {
    BoxKeys::derive(Context::AT_REST, wrapping_key, &[])
}

/// The keys that a passphrase gives.
fn passphrase_box(passphrase: &[u8], cost: Cost, salt: &[u8; SALT]) -> Result<BoxKeys, AtRestError> {
    if !cost.is_within_bounds() {
        return Err(AtRestError::Cost(cost));
    }
    let params =
        Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| AtRestError::Cost(cost))?;
    // Asked for first: what is not there is an error and not the end of the process.
    let mut memory: Vec<Block> = Vec::new();
    let no_memory = AtRestError::NoMemory { memory_kib: cost.memory_kib };
    memory.try_reserve_exact(params.block_count()).map_err(|_| no_memory)?;
    memory.resize(params.block_count(), Block::new());
    let mut key = Zeroizing::new([0; 32]);
    let stretched = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        passphrase,
        salt,
        &mut key[..],
        &mut memory,
    );
    memory.zeroize();
    stretched.map_err(|_| AtRestError::Cost(cost))?;
    Ok(BoxKeys::derive(Context::PASSPHRASE, &key, &[]))
}
