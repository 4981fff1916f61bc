//! Somebody with keys, and what it signs.

use weft_credential::{Carried, Chain, Redemption, RootStatements, redemption::Statement};
use weft_crypto::{
    DeviceId, DeviceKey, FeedSecret, InvitationSecret, Manifest, PreKeySecret, Purpose, RecoveryKey, RootKey,
    SignedManifest, SpaceId,
};

pub(crate) struct Newcomer {
    pub(crate) root: RootKey,
    pub(crate) device: DeviceKey,
    pub(crate) feeds: [FeedSecret; 2],
    pub(crate) statements: [Carried; 2],
}

impl Newcomer {
    pub(crate) fn new(number: u8) -> Self {
        let seed = |what| [number.wrapping_mul(16).wrapping_add(what); 32];
        let (root, next) = (RootKey::from_seed(seed(1)), RootKey::from_seed(seed(2)));
        let (device, recovery) = (DeviceKey::from_seed(seed(3)), RecoveryKey::from_seed(seed(4)));
        let statements = RootStatements::at_init(&root, &next.id(), device.id(), recovery.id());
        let feeds = [FeedSecret::from_seed(seed(5)), FeedSecret::from_seed(seed(6))];
        Self { root, device, feeds, statements }
    }

    pub(crate) fn manifest(&self, space: SpaceId, purpose: Purpose) -> SignedManifest {
        let secret = &self.feeds[usize::from(purpose == Purpose::Data)];
        let manifest = Manifest {
            version: Manifest::VERSION,
            space,
            device: self.device.id(),
            feed_key: secret.id(),
            purpose,
            generation: 0,
        };
        SignedManifest::sign(&manifest, &self.device, secret)
    }

    pub(crate) fn statement(&self, space: SpaceId, link: &InvitationSecret, host: DeviceId) -> Statement {
        Statement {
            space,
            invitation: link.id(),
            identity: self.root.id(),
            device_admitted: self.statements[0].clone(),
            chain: Chain::default(),
            recovery_key_set: self.statements[1].clone(),
            device: self.device.id(),
            pre_key: PreKeySecret::from_seed([8; 32]).id(),
            control: self.manifest(space, Purpose::Control),
            data: self.manifest(space, Purpose::Data),
            host,
        }
    }

    pub(crate) fn redemption(&self, space: SpaceId, link: &InvitationSecret, host: DeviceId) -> Redemption {
        self.statement(space, link, host).sign(link, &self.device)
    }
}
