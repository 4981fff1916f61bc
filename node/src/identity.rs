//! Who this node is, on disk: the device key and the root's statements, and the phrase until its owner has it.
//!
//! In the folder `identity` of the data folder, every file readable by its owner only:
//!
//! ```text
//! key         32 bytes that seal the two below: as they are, protected by file permissions only, or under a passphrase
//! device      the device key, sealed
//! phrase      the recovery phrase, sealed; deleted when its owner has confirmed it; never on a device that was linked
//! statements  what the root key signed, the first device and the recovery key, and how a linked device comes from that one
//! linked      on a device that was linked: by which one, and what this one is called
//! ```
//!
//! The root key itself is never stored: it comes from the phrase, signs once, and is forgotten. The folder appears as a whole
//! or not at all. A passphrase seals the file `key` alone, so setting, changing or removing one replaces that file and
//! nothing else.

mod folder;
mod joining;
mod key;
mod linked;
mod passphrase;
mod statements;

use std::{io, path::Path, path::PathBuf};

use bytes::Bytes;
use libp2p::{
    PeerId,
    identity::{Keypair, PublicKey, ed25519},
};
use weft_credential::{Carried, Chain, RootStatements};
use weft_crypto::{DeviceId, DeviceKey, IdentityId, Phrase, PreKeyId};
use weft_invitation::device::Welcome;

use self::{
    folder::{Folder, random},
    statements::{Said, Statements},
};
pub use self::{
    joining::{forget_joining, is_joining, joining},
    key::{Protection, WrappingKey},
    linked::Linked,
    passphrase::{BYTES_MAX as PASSPHRASE_BYTES_MAX, Passphrase, PassphraseError},
};
use crate::store;

const FOLDER: &str = "identity";
const DEVICE: &str = "device";
const PHRASE: &str = "phrase";
const STATEMENTS: &str = "statements";
const LINKED: &str = "linked";
const NOT_THIS_DEVICE: &str = "they are not those of the device whose key is here";

/// Who this node is.
#[derive(Debug)]
pub struct Identity {
    /// The device's key; its public half is the PeerId.
    pub device: DeviceKey,
    /// The root key of the identity.
    pub identity: IdentityId,
    /// Root-signed, once: the identity's first device is admitted for all spaces, and the recovery key.
    pub statements: [Carried; 2],
    /// How the device comes from that one; empty when it is it.
    pub chain: Chain,
    /// The identity's recovery key.
    pub recovery: PreKeyId,
    /// How the device was linked; none for the first one.
    pub linked: Option<Linked>,
    /// What seals the files here: whoever has it can read the phrase that is not confirmed yet.
    pub wrapping: WrappingKey,
}

/// What is written beside key and statements.
enum Given<'a> {
    /// The phrase that the identity was made of.
    Phrase(&'a Phrase),
    /// By whom the device was linked.
    Linked(Linked),
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
    let said = Statements::decode(&file).and_then(|statements| statements.check());
    said.map(|said| Some((said.device, said.identity))).map_err(|what| folder.damaged(STATEMENTS, &what))
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
        let statements = Statements::decode(&file).map_err(|what| folder.damaged(STATEMENTS, &what))?;
        let linked = match folder.0.join(LINKED).exists() {
            true => Some(Linked::decode(&folder.read(LINKED)?).map_err(|what| folder.damaged(LINKED, &what))?),
            false => None,
        };
        let identity = Identity::new(device, statements, linked, wrapping);
        identity.map(Some).map_err(|what| folder.damaged(STATEMENTS, &what))
    }

    /// Makes an identity in a data folder that exists and has none, under a passphrase where one is given: then no key was
    /// ever on this disk without it.
    pub fn create(data_dir: &Path, passphrase: Option<&Passphrase>) -> Result<Identity, IdentityError> {
        let phrase = Phrase::from_entropy(*random()?);
        let device = DeviceKey::from_seed(*random()?);
        let root = RootStatements::at_init(
            &phrase.root_key(),
            &phrase.next_root_key().id(),
            device.id(),
            phrase.recovery_key().id(),
        );
        let statements = Statements { root, chain: Chain::default() };
        Identity::write(data_dir, device, statements, Given::Phrase(&phrase), passphrase)
    }

    /// Makes this device one of another identity, in a data folder that exists and has none: it goes on under the same key, as
    /// the one that linked it says. The recovery phrase stays where it was made.
    pub fn link(
        data_dir: &Path,
        device: DeviceKey,
        welcome: &Welcome,
        linked: Linked,
        passphrase: Option<&Passphrase>,
    ) -> Result<Identity, IdentityError> {
        let statements = Statements { root: welcome.statements.clone(), chain: welcome.chain.clone() };
        Identity::write(data_dir, device, statements, Given::Linked(linked), passphrase)
    }

    fn write(
        data_dir: &Path,
        device: DeviceKey,
        statements: Statements,
        given: Given<'_>,
        passphrase: Option<&Passphrase>,
    ) -> Result<Identity, IdentityError> {
        let folder = Folder(data_dir.join(FOLDER));
        let acts = statements.check().map_err(|what| folder.damaged(STATEMENTS, &what))?.device;
        if acts != device.id() {
            return Err(folder.damaged(STATEMENTS, NOT_THIS_DEVICE));
        }
        // Under another name until it is whole; what a crash left of an earlier try is of no use.
        let unfinished = Folder(data_dir.join(format!("{FOLDER}.new")));
        match std::fs::remove_dir_all(&unfinished.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unfinished.io("", error)),
            _ => {}
        }
        store::make_folder(&unfinished.0).map_err(|error| unfinished.io("", error))?;
        let wrapping = WrappingKey::new()?;
        key::create(&unfinished, &wrapping, passphrase)?;
        unfinished.seal(DEVICE, &device.seed()[..], &wrapping)?;
        let linked = match given {
            Given::Phrase(phrase) => {
                unfinished.seal(PHRASE, &phrase.entropy()[..], &wrapping)?;
                None
            }
            Given::Linked(linked) => {
                unfinished.write(LINKED, &linked.encode())?;
                Some(linked)
            }
        };
        unfinished.write(STATEMENTS, &statements.encode())?;
        std::fs::rename(&unfinished.0, &folder.0).map_err(|error| folder.io("", error))?;
        store::sync_folder_of(&folder.0).map_err(|error| folder.io("", error))?;
        Identity::new(device, statements, linked, wrapping).map_err(|what| folder.damaged(STATEMENTS, &what))
    }

    /// Checks that the key and the statements belong together.
    fn new(
        device: DeviceKey,
        statements: Statements,
        linked: Option<Linked>,
        wrapping: WrappingKey,
    ) -> Result<Identity, String> {
        let Said { device: acts, identity, recovery } = statements.check()?;
        if acts != device.id() {
            return Err(NOT_THIS_DEVICE.to_owned());
        }
        let Statements { root: statements, chain } = statements;
        Ok(Identity { device, identity, statements, chain, recovery, linked, wrapping })
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

/// Where the recovery phrase of an identity is, as far as its device knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhraseState {
    /// Here, until its owner has confirmed it.
    Here,
    /// Where its owner has written it down.
    Confirmed,
    /// With the identity's first device, or where its owner has written it down: this one was linked and never had it.
    Elsewhere,
}

/// Where the recovery phrase is.
#[must_use]
pub fn phrase_state(data_dir: &Path) -> PhraseState {
    let folder = data_dir.join(FOLDER);
    match (folder.join(PHRASE).exists(), folder.join(LINKED).exists()) {
        (true, _) => PhraseState::Here,
        (false, true) => PhraseState::Elsewhere,
        (false, false) => PhraseState::Confirmed,
    }
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

#[cfg(test)]
mod tests {
    use weft_peer::LinkedBy;

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
        assert_eq!(phrase_state(data.path()), PhraseState::Here);
        let phrase = phrase(data.path(), &made.wrapping).unwrap().unwrap();
        assert_eq!(phrase.root_key().id(), made.identity);
        confirm_phrase(data.path()).unwrap();
        confirm_phrase(data.path()).unwrap();
        assert_eq!(phrase_state(data.path()), PhraseState::Confirmed);
        assert!(super::phrase(data.path(), &made.wrapping).unwrap().is_none());
        assert!(Identity::open(data.path(), None).unwrap().is_some());
    }

    #[test]
    fn a_linked_device_acts_for_the_identity_of_another_one() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let by = Identity::create(first.path(), None).unwrap();
        let device = DeviceKey::from_seed([7; 32]);
        let chain = by.chain.and(by.identity, &by.device, device.id()).unwrap();
        let home = weft_crypto::SpaceId::from_bytes([9; 32]);
        let welcome = Welcome { statements: by.statements.clone(), chain, home, name: "Alice".to_owned() };
        let addresses = vec!["/ip4/192.0.2.7/tcp/9338".to_owned()];
        let by = LinkedBy { home, host: by.device.id(), addresses };
        let linked = Linked { by, name: "Alice".to_owned(), called: "phone".to_owned() };
        Identity::link(second.path(), device.clone(), &welcome, linked.clone(), None).unwrap();
        let opened = Identity::open(second.path(), None).unwrap().unwrap();
        assert_eq!((opened.device.id(), opened.identity), (device.id(), public(first.path()).unwrap().unwrap().1));
        assert_eq!((opened.chain, opened.linked), (welcome.chain.clone(), Some(linked.clone())));
        assert_eq!(public(second.path()).unwrap(), Some((device.id(), opened.identity)));
        assert_eq!(phrase_state(second.path()), PhraseState::Elsewhere);
        // A chain that ends elsewhere, and none.
        for chain in [Chain::default(), welcome.chain.and(opened.identity, &device, nobody()).unwrap()] {
            let third = tempfile::tempdir().unwrap();
            let wrong = Welcome { chain, ..welcome.clone() };
            let refused = Identity::link(third.path(), device.clone(), &wrong, linked.clone(), None);
            assert!(matches!(refused, Err(IdentityError::Damaged { .. })));
            assert!(!exists(third.path()), "nothing is written");
        }
    }

    fn nobody() -> DeviceId {
        DeviceKey::from_seed([8; 32]).id()
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
