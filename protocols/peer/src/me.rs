//! Who this node is.

use weft_credential::{Carried, Chain, RootStatements};
use weft_crypto::{DeviceId, DeviceKey, IdentityId, PreKeyId, SpaceId, phrase::Phrase};

/// The device and the identity it acts for. The device key never leaves this value but as signatures.
#[derive(Debug)]
pub struct Me {
    /// The device's key; its public half is the PeerId.
    pub device: DeviceKey,
    /// The root key of the identity.
    pub identity: IdentityId,
    /// Root-signed, once: the identity's first device is admitted for all spaces, and the recovery key.
    pub statements: [Carried; 2],
    /// How this device came to act for the identity; empty when it is the first one.
    pub chain: Chain,
    /// The identity's recovery key.
    pub recovery: PreKeyId,
    /// What this node calls itself in spaces; other people see it.
    pub name: String,
    /// What this device is called among the identity's others, until it is renamed; nobody else sees it.
    pub called: String,
    /// By whom this device was linked; none for the identity's first one.
    pub linked_by: Option<LinkedBy>,
}

/// The device that made this one a device of its identity. From it home is asked for first. Spec: PEER-15.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedBy {
    /// The identity's home.
    pub home: SpaceId,
    /// The device.
    pub host: DeviceId,
    /// Where it was, as multiaddresses.
    pub addresses: Vec<String>,
}

impl Me {
    /// A new identity: the root key signs, once, that this device acts for it and what its recovery key is.
    #[must_use]
    pub fn at_init(phrase: &Phrase, device: DeviceKey, name: impl Into<String>) -> Me {
        let (root, next) = (phrase.root_key(), phrase.next_root_key());
        let recovery = phrase.recovery_key().id();
        let statements = RootStatements::at_init(&root, &next.id(), device.id(), recovery);
        let chain = Chain::default();
        let name = name.into();
        let called = name.clone();
        Me { identity: root.id(), statements, chain, recovery, name, called, device, linked_by: None }
    }
}
