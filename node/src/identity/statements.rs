//! The file `statements`: for whom the device acts, and how it shows that. No secret.
//!
//! Framed one after another: the two that the root key signed once, and then the chain by which a linked device came to act for
//! the identity, empty for the first device. So files of before there were chains read as they did.

use bytes::Bytes;
use weft_credential::{Carried, Chain, Subject};
use weft_crypto::{DeviceId, IdentityId, PreKeyId};
use weft_wire::frame::{put_framed, split_framed};

/// Statements as they are written down; [`Statements::check`] says whether they belong together.
#[derive(Clone, Debug)]
pub(super) struct Statements {
    pub(super) root: [Carried; 2],
    pub(super) chain: Chain,
}

/// What they say.
pub(super) struct Said {
    pub(super) device: DeviceId,
    pub(super) identity: IdentityId,
    pub(super) recovery: PreKeyId,
}

impl Statements {
    pub(super) fn decode(file: &Bytes) -> Result<Statements, String> {
        let items: Vec<Bytes> = split_framed(file).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let [admitted, recovery, chain @ ..] = &items[..] else {
            return Err("it should hold two statements".to_owned());
        };
        let carried = |item| Carried::decode(item).map_err(|error| error.to_string());
        let chain = Chain::decode(chain).map_err(|error| error.to_string())?;
        Ok(Statements { root: [carried(admitted)?, carried(recovery)?], chain })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut file = Vec::new();
        self.root.iter().for_each(|statement| put_framed(&statement.encode(), &mut file));
        self.chain.encode().iter().for_each(|statement| put_framed(statement, &mut file));
        file
    }

    /// Which device acts for which identity, and the recovery key.
    pub(super) fn check(&self) -> Result<Said, String> {
        let [admitted, recovery] = self.root.each_ref().map(|carried| carried.verify().map_err(|e| e.to_string()));
        let (admitted, recovery) = (admitted?, recovery?);
        let apart = || "they do not belong together".to_owned();
        match (&admitted.subject, &recovery.subject) {
            (&Subject::DeviceAdmitted(first), &Subject::RecoveryKeySet(key))
                if admitted.identity == recovery.identity =>
            {
                let device = self.chain.last().unwrap_or(first);
                self.chain.verify(&admitted.identity, &first, &device).map_err(|_| apart())?;
                Ok(Said { device, identity: admitted.identity, recovery: key })
            }
            _ => Err(apart()),
        }
    }
}
