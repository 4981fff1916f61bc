//! The file `linked`: by which device this one was linked, where that one was, and what this one is called. No secret.

use serde::{Deserialize, Serialize};
use weft_crypto::{DeviceId, SpaceId};
use weft_peer::LinkedBy;

/// How a device was linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The device that made the link, and the identity's home.
    pub by: LinkedBy,
    /// What the identity called itself then.
    pub name: String,
    /// What this device was called.
    pub called: String,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    home: String,
    host: String,
    addresses: Vec<String>,
    name: String,
    called: String,
}

/// The form of the file.
const FORMAT: u32 = 1;

impl Linked {
    pub(super) fn decode(file: &[u8]) -> Result<Linked, String> {
        let file: File = serde_json::from_slice(file).map_err(|error| error.to_string())?;
        if file.format != FORMAT {
            return Err(format!("it has form {}, and this version knows form {FORMAT}", file.format));
        }
        let home: SpaceId = file.home.parse().map_err(|_| "its home is no space")?;
        let host: DeviceId = file.host.parse().map_err(|_| "its host is no device")?;
        let by = LinkedBy { home, host, addresses: file.addresses };
        Ok(Linked { by, name: file.name, called: file.called })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let LinkedBy { home, host, addresses } = &self.by;
        let file = File {
            format: FORMAT,
            home: home.to_string(),
            host: host.to_string(),
            addresses: addresses.clone(),
            name: self.name.clone(),
            called: self.called.clone(),
        };
        serde_json::to_vec(&file).expect("plain fields")
    }
}
