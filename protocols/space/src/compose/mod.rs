//! What this node itself writes into control feeds.
//!
//! Every secret made here is `fresh_secret`: a draw, the device's secret, the purpose, and a hash of what it is for, so that
//! a seed that is used twice does not give one key to two things. Spec: SPACE-10.

mod epoch;
mod founding;
mod invitation;
mod linked;

use bytes::Bytes;
use weft_credential::{Carried, Chain, ControlBody, Credential, Part};
use weft_crypto::{
    Context, DeviceKey, FeedSecret, Hasher, IdentityId, Manifest, PreKeyId, PreKeySecret, Purpose, SignedManifest,
    SpaceId, fresh_secret,
};
use weft_machine::Draws;

pub use self::{
    epoch::{Earlier, epoch_started, lockbox_added},
    founding::{Founded, found},
    invitation::{
        Joining, Terms, invitation_issued, invitation_revoked, redeem, redeem_with, redeemed, redeemed_entry,
    },
    linked::{link, link_keys, linked_entry},
};

/// Who acts: a device of an identity, with the two statements its root signed at the start.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The device.
    pub device: &'a DeviceKey,
    /// The identity's root key.
    pub identity: IdentityId,
    /// The root-signed admission of the device, or of the one at which its chain begins, and the root-signed recovery key.
    pub statements: &'a [Carried; 2],
    /// How the device came to act for the identity; empty when the root key admitted it.
    pub chain: &'a Chain,
    /// The identity's recovery key.
    pub recovery: PreKeyId,
}

impl Actor<'_> {
    fn fresh(&self, draws: &mut Draws, purpose: &str, subject: &[u8; 32]) -> [u8; 32] {
        fresh_secret(draws.draw32(), self.device, purpose, subject)
    }
}

/// The keys of a device in one space: new ones, to be sealed and stored before anything that names them leaves.
#[derive(Clone, Debug)]
pub struct SpaceKeys {
    /// Signs the control feed.
    pub control: FeedSecret,
    /// Signs the data feed.
    pub data: FeedSecret,
    /// Opens lockboxes.
    pub pre_key: PreKeySecret,
    /// Of which generation the feeds are: 0, and one more each time the device comes back without the keys of before.
    pub generation: u64,
}

impl SpaceKeys {
    fn make(actor: &Actor<'_>, draws: &mut Draws, subject: &[u8; 32]) -> Self {
        Self {
            control: FeedSecret::from_seed(actor.fresh(draws, "control feed", subject)),
            data: FeedSecret::from_seed(actor.fresh(draws, "data feed", subject)),
            pre_key: PreKeySecret::from_seed(actor.fresh(draws, "pre-key", subject)),
            generation: 0,
        }
    }

    /// The signed manifests of the control and the data feed in a space.
    pub fn manifests(&self, space: SpaceId, device: &DeviceKey) -> [SignedManifest; 2] {
        [(&self.control, Purpose::Control), (&self.data, Purpose::Data)].map(|(secret, purpose)| {
            let manifest = Manifest {
                version: Manifest::VERSION,
                space,
                device: device.id(),
                feed_key: secret.id(),
                purpose,
                generation: self.generation,
            };
            SignedManifest::sign(&manifest, device, secret)
        })
    }
}

/// A pre-key that takes the place of an older one, as the device's `number`th. Spec: SPACE-5.1.
pub fn pre_key(actor: &Actor<'_>, space: &SpaceId, number: u64, draws: &mut Draws) -> PreKeySecret {
    let subject = Hasher::new(Context::SUBJECT).fixed(space.as_bytes()).u64(number).finish();
    PreKeySecret::from_seed(actor.fresh(draws, "pre-key", &subject))
}

/// The body of one control entry.
pub fn body(space: SpaceId, credentials: Vec<Credential>) -> Bytes {
    let parts = credentials.into_iter().map(|credential| Part::new(space, credential));
    ControlBody::new(parts.collect()).encode()
}
