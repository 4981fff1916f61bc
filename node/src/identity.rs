//! Who this node is, on disk: the device key and the root's statements, and the phrase until its owner has it.
//!
//! In the folder `identity` of the data folder, every file readable by its owner only:
//!
//! ```text
//! key         32 bytes that seal the two below: as they are, protected by file permissions only, or under a passphrase
//! device      the device key, sealed
//! phrase      the recovery phrase, sealed; deleted when its owner has confirmed it
//! statements  what the root key signed: this device is admitted, and this is the recovery key
//! ```
//!
//! The root key itself is never stored: it comes from the phrase, signs once, and is forgotten. The folder appears as a whole
//! or not at all. A passphrase seals the file `key` alone, so setting, changing or removing one replaces that file and
//! nothing else.

mod folder;
mod key;
mod passphrase;

use std::{io, path::Path, path::PathBuf};

use bytes::Bytes;
use libp2p::{
    PeerId,
    identity::{Keypair, PublicKey, ed25519},
};
use weft_credential::{Carried, RootStatements, Subject};
use weft_crypto::{DeviceId, DeviceKey, IdentityId, Phrase, PreKeyId};
use weft_wire::frame::{put_framed, split_framed};

use self::folder::{Folder, random};
pub use self::{
    key::{Protection, WrappingKey},
    passphrase::{BYTES_MAX as PASSPHRASE_BYTES_MAX, Passphrase, PassphraseError},
};
use crate::store;

const FOLDER: &str = "identity";
const DEVICE: &str = "device";
const PHRASE: &str = "phrase";
const STATEMENTS: &str = "statements";

/// Who this node is.
#[derive(Debug)]
pub struct Identity {
    /// The device's key; its public half is the PeerId.
    pub device: DeviceKey,
    /// The root key of the identity.
    pub identity: IdentityId,
    /// Root-signed, once: the device is admitted for all spaces, and the recovery key.
    pub statements: [Carried; 2],
    /// The identity's recovery key.
    pub recovery: PreKeyId,
    /// What seals the files here: whoever has it can read the phrase that is not confirmed yet.
    pub wrapping: WrappingKey,
}

/// Why the identity cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoEntropy(getrandom::Error),
    /// The keys are under a passphrase, and none was given.
    #[error("the keys of this identity are locked by a passphrase")]
    PassphraseNeeded,
    /// It is another passphrase, or the file with the key was altered: which of the two cannot be known.
    #[error("the passphrase does not open the keys of this identity")]
    WrongPassphrase,
    /// Somebody else changes the passphrase right now.
    #[error("another command is changing the passphrase")]
    Changing,
}

/// Whether there is an identity in this data folder.
#[must_use]
pub fn exists(data_dir: &Path) -> bool {
    data_dir.join(FOLDER).is_dir()
}

/// How the keys of this identity are protected. Nothing is opened.
pub fn protection(data_dir: &Path) -> Result<Protection, IdentityError> {
    key::protection(&Folder(data_dir.join(FOLDER)))
}

/// Puts the keys under this passphrase, or under none any more. Whoever gave `wrapping` has shown that it may. What is on
/// disk is the old protection or the new one, whenever the power goes; the old copy is overwritten as far as the file
/// system lets one do that.
///
/// Spec: NODE-3.2
pub fn protect(data_dir: &Path, wrapping: &WrappingKey, by: Option<&Passphrase>) -> Result<(), IdentityError> {
    key::replace(&Folder(data_dir.join(FOLDER)), wrapping, by)
}

/// Opens what seals the files of this identity, if there is one.
pub fn wrapping_key(data_dir: &Path, passphrase: Option<&Passphrase>) -> Result<WrappingKey, IdentityError> {
    key::open(&Folder(data_dir.join(FOLDER)), passphrase)
}

/// The device and the identity of this data folder, as they are known without opening any secret.
pub fn public(data_dir: &Path) -> Result<Option<(DeviceId, IdentityId)>, IdentityError> {
    if !exists(data_dir) {
        return Ok(None);
    }
    let folder = Folder(data_dir.join(FOLDER));
    let file = Bytes::from(folder.read(STATEMENTS)?.to_vec());
    let known = read_statements(&file).and_then(|statements| check(&statements));
    known.map(|(device, identity, _)| Some((device, identity))).map_err(|what| folder.damaged(STATEMENTS, &what))
}

impl Identity {
    /// Reads the identity of this data folder; none when there is none.
    pub fn open(data_dir: &Path, passphrase: Option<&Passphrase>) -> Result<Option<Identity>, IdentityError> {
        if !exists(data_dir) {
            return Ok(None);
        }
        let folder = Folder(data_dir.join(FOLDER));
        key::sweep(&folder);
        let wrapping = key::open(&folder, passphrase)?;
        let seed = folder.unseal(DEVICE, &wrapping)?;
        let seed: [u8; 32] = seed[..].try_into().map_err(|_| folder.damaged(DEVICE, "a key of another length"))?;
        let device = DeviceKey::from_seed(seed);
        let file = Bytes::from(folder.read(STATEMENTS)?.to_vec());
        let statements = read_statements(&file).map_err(|what| folder.damaged(STATEMENTS, &what))?;
        Identity::new(device, statements, wrapping).map(Some).map_err(|what| folder.damaged(STATEMENTS, &what))
    }

    /// Makes an identity in a data folder that exists and has none, under a passphrase where one is given: then no key was
    /// ever on this disk without it.
    pub fn create(data_dir: &Path, passphrase: Option<&Passphrase>) -> Result<Identity, IdentityError> {
        let phrase = Phrase::from_entropy(*random()?);
        let device = DeviceKey::from_seed(*random()?);
        let statements = RootStatements::at_init(
            &phrase.root_key(),
            &phrase.next_root_key().id(),
            device.id(),
            phrase.recovery_key().id(),
        );

        // Under another name until it is whole; what a crash left of an earlier try is of no use.
        let unfinished = Folder(data_dir.join(format!("{FOLDER}.new")));
        let folder = Folder(data_dir.join(FOLDER));
        match std::fs::remove_dir_all(&unfinished.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unfinished.io("", error)),
            _ => {}
        }
        store::make_folder(&unfinished.0).map_err(|error| unfinished.io("", error))?;
        let wrapping = WrappingKey::new()?;
        key::create(&unfinished, &wrapping, passphrase)?;
        unfinished.seal(DEVICE, &device.seed()[..], &wrapping)?;
        unfinished.seal(PHRASE, &phrase.entropy()[..], &wrapping)?;
        let mut file = Vec::new();
        statements.iter().for_each(|statement| put_framed(&statement.encode(), &mut file));
        unfinished.write(STATEMENTS, &file)?;
        std::fs::rename(&unfinished.0, &folder.0).map_err(|error| folder.io("", error))?;
        store::sync_folder_of(&folder.0).map_err(|error| folder.io("", error))?;
        Identity::new(device, statements, wrapping).map_err(|what| folder.damaged(STATEMENTS, &what))
    }

    /// Checks that the key and the statements belong together.
    fn new(device: DeviceKey, statements: [Carried; 2], wrapping: WrappingKey) -> Result<Identity, String> {
        let (admits, identity, recovery) = check(&statements)?;
        if admits != device.id() {
            return Err("they are not those of the device whose key is here".to_owned());
        }
        Ok(Identity { device, identity, statements, recovery, wrapping })
    }

    /// The device key as libp2p uses it.
    #[must_use]
    pub fn keypair(&self) -> Keypair {
        let mut seed = self.device.seed();
        Keypair::ed25519_from_bytes(&mut seed[..]).expect("any 32 bytes are an ed25519 seed")
    }
}

/// The recovery phrase, until its owner has confirmed that it is written down.
pub fn phrase(data_dir: &Path, wrapping: &WrappingKey) -> Result<Option<Phrase>, IdentityError> {
    let folder = Folder(data_dir.join(FOLDER));
    if !folder.0.join(PHRASE).exists() {
        return Ok(None);
    }
    let entropy = folder.unseal(PHRASE, wrapping)?;
    let entropy: [u8; 32] = entropy[..].try_into().map_err(|_| folder.damaged(PHRASE, "a phrase of another length"))?;
    Ok(Some(Phrase::from_entropy(entropy)))
}

/// Whether the owner has confirmed the phrase, so that it is gone from here.
#[must_use]
pub fn phrase_is_confirmed(data_dir: &Path) -> bool {
    exists(data_dir) && !data_dir.join(FOLDER).join(PHRASE).exists()
}

/// The owner has written the phrase down: it is deleted here.
pub fn confirm_phrase(data_dir: &Path) -> Result<(), IdentityError> {
    let folder = Folder(data_dir.join(FOLDER));
    let path = folder.0.join(PHRASE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(folder.io(PHRASE, error)),
        _ => {}
    }
    store::sync_folder_of(&path).map_err(|error| folder.io(PHRASE, error))
}

/// The device as libp2p names it.
///
/// A device id whose bytes are no ed25519 key has no PeerId that anybody could prove; it gets one that nobody has.
#[must_use]
pub fn peer_id(device: &DeviceId) -> PeerId {
    match ed25519::PublicKey::try_from_bytes(device.as_bytes()) {
        Ok(key) => PublicKey::from(key).to_peer_id(),
        Err(_) => {
            let digest = libp2p::multihash::Multihash::<64>::wrap(0, device.as_bytes()).expect("32 bytes fit");
            PeerId::from_multihash(digest).expect("an identity hash of 32 bytes")
        }
    }
}

/// The device that libp2p names so; none when its key is not ed25519.
#[must_use]
pub fn device_id(peer: &PeerId) -> Option<DeviceId> {
    let key = PublicKey::try_decode_protobuf(peer.as_ref().digest()).ok()?;
    Some(DeviceId::from_bytes(key.try_into_ed25519().ok()?.to_bytes()))
}

fn read_statements(file: &Bytes) -> Result<[Carried; 2], String> {
    let mut statements = Vec::new();
    for item in split_framed(file) {
        let item = item.map_err(|error| error.to_string())?;
        statements.push(Carried::decode(&item).map_err(|error| error.to_string())?);
    }
    statements.try_into().map_err(|_| "it should hold two statements".to_owned())
}

/// Which device they admit, to which identity, with which recovery key.
fn check(statements: &[Carried; 2]) -> Result<(DeviceId, IdentityId, PreKeyId), String> {
    let [admitted, recovery] = statements.each_ref().map(|carried| carried.verify().map_err(|error| error.to_string()));
    let (admitted, recovery) = (admitted?, recovery?);
    match (admitted.subject, recovery.subject) {
        (Subject::DeviceAdmitted(device), Subject::RecoveryKeySet(key)) if admitted.identity == recovery.identity => {
            Ok((device, admitted.identity, key))
        }
        _ => Err("they do not belong together".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_the_same_when_it_is_opened_again() {
        let data = tempfile::tempdir().unwrap();
        assert!(Identity::open(data.path(), None).unwrap().is_none());
        let made = Identity::create(data.path(), None).unwrap();
        let opened = Identity::open(data.path(), None).unwrap().unwrap();
        assert_eq!(made.device.id(), opened.device.id());
        assert_eq!(made.identity, opened.identity);
        assert_eq!(peer_id(&made.device.id()), opened.keypair().public().to_peer_id());
        assert_eq!(device_id(&peer_id(&made.device.id())), Some(made.device.id()));
    }

    #[test]
    fn the_phrase_stays_until_it_is_confirmed_and_gives_the_same_root() {
        let data = tempfile::tempdir().unwrap();
        let made = Identity::create(data.path(), None).unwrap();
        assert!(!phrase_is_confirmed(data.path()));
        let phrase = phrase(data.path(), &made.wrapping).unwrap().unwrap();
        assert_eq!(phrase.root_key().id(), made.identity);
        confirm_phrase(data.path()).unwrap();
        confirm_phrase(data.path()).unwrap();
        assert!(phrase_is_confirmed(data.path()));
        assert!(super::phrase(data.path(), &made.wrapping).unwrap().is_none());
        assert!(Identity::open(data.path(), None).unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        Identity::create(data.path(), None).unwrap();
        let folder = data.path().join(FOLDER);
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        for file in std::fs::read_dir(folder).unwrap() {
            assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_altered_file_is_named() {
        let data = tempfile::tempdir().unwrap();
        Identity::create(data.path(), None).unwrap();
        let device = data.path().join(FOLDER).join(DEVICE);
        let mut bytes = std::fs::read(&device).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&device, bytes).unwrap();
        assert!(
            matches!(Identity::open(data.path(), None), Err(IdentityError::Damaged { path, .. }) if path == device)
        );
    }
}
