//! The file `key`: 32 random bytes that seal the other files of an identity, as they are or under a passphrase.
//!
//! It is replaced as a whole or not at all: the new file is written beside it, synced, and takes its name. What a crash leaves
//! beside it is overwritten and removed at the next opening, because it may hold the key as it is. Afterwards the old file,
//! which has no name any more, is overwritten too. A file system that writes anew instead of in place (a journal of data, copy on
//! write, the wear levelling of a flash disk) may keep old bytes all the same; only a new device key takes their worth away.
//!
//! Spec: NODE-3.1, NODE-3.2

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Seek, Write},
    path::Path,
};

use weft_crypto::{
    at_rest::{self, AtRestError, Cost, Form},
    seal::SealError,
};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{
    IdentityError, Passphrase,
    folder::{Folder, halves, random},
};
use crate::store;

const KEY: &str = "key";
/// The file that is to take the place of `key`.
const NEW: &str = "key.new";
/// The most that is read of it, in bytes. Form 2 has 122.
const BYTES_MAX: u64 = 1024;

/// What seals the files of an identity.
#[derive(Clone)]
pub struct WrappingKey(Zeroizing<[u8; 32]>);

impl WrappingKey {
    pub(super) fn new() -> Result<WrappingKey, IdentityError> {
        random().map(WrappingKey)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

// What it is made of forgets itself.
impl ZeroizeOnDrop for WrappingKey {}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappingKey(…)")
    }
}

/// How the keys of an identity are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// By the permissions of files only: who reads the folder has the keys.
    FilePermissions,
    /// By a passphrase as well.
    Passphrase,
}

impl Protection {
    /// As programs read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Protection::FilePermissions => "file_permissions",
            Protection::Passphrase => "passphrase",
        }
    }
}

/// How the key is protected.
pub(super) fn protection(folder: &Folder) -> Result<Protection, IdentityError> {
    protection_of(folder, &read(folder)?)
}

/// Opens the key.
pub(super) fn open(folder: &Folder, passphrase: Option<&Passphrase>) -> Result<WrappingKey, IdentityError> {
    let file = read(folder)?;
    let key = match (protection_of(folder, &file)?, passphrase) {
        // Nothing needs the passphrase that was given; the next one that is set may.
        (Protection::FilePermissions, _) => file,
        (Protection::Passphrase, None) => return Err(IdentityError::PassphraseNeeded),
        (Protection::Passphrase, Some(passphrase)) => {
            at_rest::unwrap_by_passphrase(&file, passphrase.bytes()).map_err(|error| refused(folder, error))?
        }
    };
    let key: &[u8; 32] = key[..].try_into().map_err(|_| folder.damaged(KEY, "a key of another length"))?;
    Ok(WrappingKey(Zeroizing::new(*key)))
}

/// Writes the first key of a folder that nobody uses yet.
pub(super) fn create(folder: &Folder, key: &WrappingKey, by: Option<&Passphrase>) -> Result<(), IdentityError> {
    folder.write(KEY, &wrapped(folder, key, by)?)
}

/// Puts the key under this passphrase, or under none.
pub(super) fn replace(folder: &Folder, key: &WrappingKey, by: Option<&Passphrase>) -> Result<(), IdentityError> {
    let bytes = wrapped(folder, key, by)?;
    replace_with(&folder.0, &bytes, &mut |_| {}).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => IdentityError::Changing,
        _ => {
            sweep(folder);
            folder.io(KEY, error)
        }
    })
}

/// Overwrites and removes what a change that was cut off has left. Where that cannot be, the key is opened all the same.
pub(super) fn sweep(folder: &Folder) {
    let path = folder.0.join(NEW);
    if !path.exists() {
        return;
    }
    let swept = lock_new(&path).and_then(|file| shred(&file).and_then(|()| std::fs::remove_file(&path)));
    if let Err(error) = swept {
        tracing::warn!(%error, "what an unfinished change of the passphrase left cannot be removed");
    }
}

/// Overwrites the key of a folder that is about to be removed. That it cannot be, keeps nobody from removing it.
pub(super) fn overwrite(folder: &Folder) {
    let key = OpenOptions::new().write(true).open(folder.0.join(KEY));
    if let Err(error) = key.and_then(|key| shred(&key)) {
        tracing::debug!(%error, "a key that is of no more use could not be overwritten");
    }
}

fn read(folder: &Folder) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let length = std::fs::metadata(folder.0.join(KEY)).map_err(|error| folder.io(KEY, error))?.len();
    if length > BYTES_MAX {
        return Err(folder.damaged(KEY, "it is longer than any key"));
    }
    folder.read(KEY)
}

fn protection_of(folder: &Folder, file: &[u8]) -> Result<Protection, IdentityError> {
    match at_rest::form(file) {
        Ok(Form::Passphrase(_)) => Ok(Protection::Passphrase),
        Err(error @ AtRestError::CutShort { .. }) => Err(folder.damaged(KEY, &error.to_string())),
        // A key as it is has no header; one that begins like a cut file of form 2 by chance comes up once in 2^48.
        _ if file.len() == 32 => Ok(Protection::FilePermissions),
        Err(AtRestError::NotOurs) => Err(folder.damaged(KEY, "it should be 32 bytes long, or under a passphrase")),
        Ok(_) => Err(folder.damaged(KEY, "it is protected by another key, and there is none")),
        Err(error) => Err(folder.damaged(KEY, &error.to_string())),
    }
}

fn refused(folder: &Folder, error: AtRestError) -> IdentityError {
    match error {
        AtRestError::Sealed(SealError::TooShort { .. }) => folder.damaged(KEY, &error.to_string()),
        AtRestError::Sealed(_) => IdentityError::WrongPassphrase,
        AtRestError::NoMemory { .. } => folder.io(KEY, io::Error::new(io::ErrorKind::OutOfMemory, error)),
        error => folder.damaged(KEY, &error.to_string()),
    }
}

fn wrapped(folder: &Folder, key: &WrappingKey, by: Option<&Passphrase>) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let Some(passphrase) = by else { return Ok(Zeroizing::new(key.bytes().to_vec())) };
    let [salt, random] = halves(&*random()?);
    at_rest::wrap_by_passphrase(key.bytes(), passphrase.bytes(), Cost::RECOMMENDED, salt, random)
        .map(Zeroizing::new)
        .map_err(|error| refused(folder, error))
}

/// What was just done while the key is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Step {
    Opened,
    Written,
    Synced,
    Renamed,
    FolderSynced,
    OldOverwritten,
}

/// Replaces the file. `after` hears of each operation on the disk, so that a test can look at what a crash would leave.
fn replace_with(folder: &Path, bytes: &[u8], after: &mut dyn FnMut(Step)) -> io::Result<()> {
    let (path, beside) = (folder.join(KEY), folder.join(NEW));
    let old = OpenOptions::new().write(true).open(&path)?;
    let mut new = lock_new(&beside)?;
    new.set_len(0)?;
    after(Step::Opened);
    new.write_all(bytes)?;
    after(Step::Written);
    new.sync_all()?;
    after(Step::Synced);
    std::fs::rename(&beside, &path)?;
    after(Step::Renamed);
    store::sync_folder_of(&path)?;
    after(Step::FolderSynced);
    // The change is made. That the old copy cannot be overwritten undoes nothing.
    if let Err(error) = shred(&old) {
        tracing::warn!(%error, "the key as it was protected before could not be overwritten");
    }
    after(Step::OldOverwritten);
    Ok(())
}

/// The file beside the key, for this process alone.
fn lock_new(path: &Path) -> io::Result<File> {
    let file = store::open_private(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Overwrites what is in a file, where it is.
fn shred(mut file: &File) -> io::Result<()> {
    let length = usize::try_from(file.metadata()?.len().min(BYTES_MAX)).expect("at most a kibibyte");
    file.rewind()?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::read(text.as_bytes()).unwrap()
    }

    /// A folder with a key that is protected so.
    fn folder(by: Option<&Passphrase>) -> (tempfile::TempDir, Folder, WrappingKey) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder(dir.path().to_owned());
        let key = WrappingKey::new().unwrap();
        create(&folder, &key, by).unwrap();
        (dir, folder, key)
    }

    #[test]
    fn every_instant_of_a_change_leaves_the_old_protection_or_the_new_one() {
        let (first, second) = (passphrase("correct horse battery"), passphrase("staple of another kind"));
        for (from, to) in [(None, Some(&first)), (Some(&first), Some(&second)), (Some(&second), None)] {
            let (dir, folder, key) = folder(from);
            let bytes = wrapped(&folder, &key, to).unwrap();
            let mut steps = Vec::new();
            replace_with(&folder.0, &bytes, &mut |step| {
                // What a crash at this instant leaves, as the next start finds it.
                let crashed = tempfile::tempdir().unwrap();
                for file in std::fs::read_dir(dir.path()).unwrap() {
                    let file = file.unwrap();
                    std::fs::copy(file.path(), crashed.path().join(file.file_name())).unwrap();
                }
                let left = Folder(crashed.path().to_owned());
                sweep(&left);
                let now = if step < Step::Renamed { from } else { to };
                assert_eq!(open(&left, now).unwrap().bytes(), key.bytes(), "{step:?}");
                let files = std::fs::read_dir(crashed.path()).unwrap().count();
                assert_eq!(files, 1, "{step:?}: nothing is left beside the key");
                steps.push(step);
            })
            .unwrap();
            assert_eq!(steps.len(), 6);
            assert_eq!(open(&folder, to).unwrap().bytes(), key.bytes());
            assert_eq!(protection(&folder).unwrap() == Protection::Passphrase, to.is_some());
        }
    }

    #[test]
    fn a_torn_copy_beside_the_key_is_swept_and_changes_nothing() {
        let first = passphrase("correct horse battery");
        let (dir, folder, key) = folder(Some(&first));
        let new = dir.path().join(NEW);
        for length in [0, 1, 31, 32, 33, 122] {
            // The key as it is: an unfinished removal of the passphrase.
            std::fs::write(&new, &key.bytes().repeat(4)[..length]).unwrap();
            let watched = File::open(&new).unwrap();
            sweep(&folder);
            assert!(!new.exists());
            let mut left = Vec::new();
            io::Read::read_to_end(&mut &watched, &mut left).unwrap();
            assert!(left.iter().all(|byte| *byte == 0), "it was overwritten before it was removed");
            assert_eq!(open(&folder, Some(&first)).unwrap().bytes(), key.bytes());
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_old_copy_is_overwritten_and_the_new_one_private() {
        use std::os::unix::fs::PermissionsExt;
        let (dir, folder, key) = folder(None);
        let path = dir.path().join(KEY);
        let old = File::open(&path).unwrap();
        replace(&folder, &key, Some(&passphrase("correct horse battery"))).unwrap();
        let mut left = Vec::new();
        io::Read::read_to_end(&mut &old, &mut left).unwrap();
        assert_eq!(left, [0; 32]);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let file = std::fs::read(&path).unwrap();
        assert!(!file.windows(8).any(|part| key.bytes().windows(8).any(|of| of == part)));
    }

    #[test]
    fn two_changes_at_once_are_one() {
        let (dir, folder, key) = folder(None);
        let held = lock_new(&dir.path().join(NEW)).unwrap();
        assert!(matches!(replace(&folder, &key, None), Err(IdentityError::Changing)));
        drop(held);
        replace(&folder, &key, None).unwrap();
    }

    #[test]
    fn a_key_that_is_none_is_named_whatever_passphrase_comes_with_it() {
        let first = passphrase("correct horse battery");
        let (dir, folder, _) = folder(Some(&first));
        let path = dir.path().join(KEY);
        let whole = std::fs::read(&path).unwrap();
        let with = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            open(&folder, Some(&first)).unwrap_err()
        };
        // Cut anywhere before the box, and in a few places within: there the passphrase is tried, which takes its time.
        for length in (0..34).chain([60, 89, 90, 121]) {
            let error = with(&whole[..length]);
            let cut_in_the_box = length >= 90 && matches!(error, IdentityError::WrongPassphrase);
            assert!(cut_in_the_box || matches!(error, IdentityError::Damaged { .. }), "{length}: {error}");
        }
        let mut dear = whole.clone();
        dear[6..10].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(with(&dear), IdentityError::Damaged { what, .. } if what.contains("out of bounds")));
        assert!(matches!(with(&[7; 33]), IdentityError::Damaged { .. }));
        assert!(matches!(with(&vec![7; 1 << 20]), IdentityError::Damaged { .. }));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(open(&folder, Some(&first)), Err(IdentityError::Io { path: named, .. }) if named == path));
    }

    #[test]
    fn the_passphrase_and_nothing_else_opens_it() {
        let (_dir, folder, key) = folder(Some(&passphrase("correct horse battery")));
        assert!(matches!(open(&folder, None), Err(IdentityError::PassphraseNeeded)));
        for wrong in ["correct horse batter", "Correct horse battery", "x"] {
            assert!(matches!(open(&folder, Some(&passphrase(wrong))), Err(IdentityError::WrongPassphrase)));
        }
        assert_eq!(open(&folder, Some(&passphrase("correct horse battery"))).unwrap().bytes(), key.bytes());
    }
}
