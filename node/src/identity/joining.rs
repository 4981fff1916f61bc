//! The folder `joining`: the key of a device that is on its way to an identity.
//!
//! A link is good for one device, so the key must be there before the link is used, and until what the link gave is on disk: a
//! crash between the two must not leave a link that is used up by a key that nobody has. It is a data folder of its own, with an
//! identity that was thrown together for the way, whose device goes on as one of the other identity.

use std::path::{Path, PathBuf};

use super::{FOLDER, IdentityError, folder::Folder, key};

const JOINING: &str = "joining";

/// The folder in which this device is on its way to an identity.
#[must_use]
pub fn joining(data_dir: &Path) -> PathBuf {
    data_dir.join(JOINING)
}

/// Whether this device is on its way to an identity: it may be one of that identity's already, as the other devices see it.
#[must_use]
pub fn is_joining(data_dir: &Path) -> bool {
    joining(data_dir).join(FOLDER).is_dir()
}

/// It has arrived, or gives up: the key is overwritten and forgotten here.
pub fn forget_joining(data_dir: &Path) -> Result<(), IdentityError> {
    let folder = Folder(joining(data_dir));
    if !folder.0.exists() {
        return Ok(());
    }
    key::overwrite(&Folder(folder.0.join(FOLDER)));
    std::fs::remove_dir_all(&folder.0).map_err(|error| folder.io("", error))
}
