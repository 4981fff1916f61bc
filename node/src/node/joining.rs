//! A data folder without an identity becomes a device of one that is elsewhere.
//!
//! For the way the device is a node of its own in a folder of its own ([`identity::joining`]), under the key that it keeps. What
//! the other device says is written as a whole, and the next start is one as that identity. Spec: PEER-15.1, NODE-3.5

use libp2p::PeerId;
use weft_invitation::device::DeviceLink;
use weft_peer::{
    LinkedBy,
    command::{Answer, Command, Refusal, RefusalKind},
};

use super::{Node, NodeConfig, StartError, stopped};
use crate::{
    identity::{self, Identity, Linked, peer_id},
    store::{self, Lock},
};

/// The longest name of an identity that is taken over, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// A device that is one of an identity now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedAsDevice {
    /// What the identity calls itself.
    pub name: String,
    /// The device that made the link, as libp2p names it.
    pub host: PeerId,
}

/// Why a data folder did not become a device of the link's identity.
#[derive(Debug, thiserror::Error)]
pub enum JoinAsDeviceError {
    /// The folder cannot be used for it.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The link does not do it. When that is for good, nothing of the attempt is left.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Node {
    /// Makes the data folder a device of the link's identity, called so, and returns when that is on disk. A crash at any moment
    /// leaves no identity or all of it; until then the same link does it again. Nothing listens meanwhile: `config.listen` is not
    /// looked at.
    ///
    /// # Errors
    /// When there is an identity or a store in the folder already, the link is not good, or its host is not reached in time.
    pub async fn join_as_device(
        config: &NodeConfig,
        link: DeviceLink,
        called: String,
    ) -> Result<JoinedAsDevice, JoinAsDeviceError> {
        let folder = config.data_dir.clone();
        let unusable = |error| StartError::Folder { path: folder.clone(), error };
        store::make_folder(&folder).map_err(unusable)?;
        let _lock = Lock::take(&folder).map_err(|error| StartError::lock(folder.clone(), error))?;
        if identity::exists(&folder) {
            return Err(StartError::HasIdentity { path: folder }.into());
        }
        if store::exists(&folder) {
            return Err(StartError::HasStore { path: folder }.into());
        }
        let apart = NodeConfig { passphrase: config.passphrase.clone(), ..NodeConfig::new(identity::joining(&folder)) };
        let node = Node::start(apart).await?;
        let answer = node.command(Command::JoinAsDevice { link, name: called.clone() }).await;
        node.stop().await;
        let (welcome, host, addresses) = match answer {
            Ok(Answer::JoinedAsDevice { welcome, host, addresses }) => (welcome, host, addresses),
            Ok(_) => return Err(stopped("the answer was that of another command").into()),
            Err(refusal) => {
                // A host that was not reached may have written down that the link is used by this key.
                if refusal.kind == RefusalKind::Refused {
                    identity::forget_joining(&folder).map_err(StartError::from)?;
                }
                return Err(refusal.into());
            }
        };
        let fits = |name: &String| name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control);
        let name = Some(welcome.name.clone()).filter(fits).unwrap_or_default();
        let passphrase = config.passphrase.as_ref();
        let on_the_way = Identity::open(&identity::joining(&folder), passphrase).map_err(StartError::from)?;
        let device = on_the_way.ok_or(StartError::Joining { path: folder.clone() })?.device;
        let linked = Linked { by: LinkedBy { home: welcome.home, host, addresses }, name: name.clone(), called };
        Identity::link(&folder, device, &welcome, linked, passphrase).map_err(StartError::from)?;
        identity::forget_joining(&folder).map_err(StartError::from)?;
        Ok(JoinedAsDevice { name, host: peer_id(&host) })
    }
}
