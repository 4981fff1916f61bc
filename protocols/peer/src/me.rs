//! Who this node is.

use weft_credential::{Carried, Chain, RootStatements};
use weft_crypto::{DeviceKey, IdentityId, PreKeyId, phrase::Phrase};

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
}

impl Me {
    /// A new identity: the root key signs, once, that this device acts for it and what its recovery key is.
    #[must_use]
    pub fn at_init(phrase: &Phrase, device: DeviceKey, name: impl Into<String>) -> Me {
        let (root, next) = (phrase.root_key(), phrase.next_root_key());
        let recovery = phrase.recovery_key().id();
        let statements = RootStatements::at_init(&root, &next.id(), device.id(), recovery);
        let chain = Chain::default();
        Me { identity: root.id(), statements, chain, recovery, name: name.into(), device }
    }
}
