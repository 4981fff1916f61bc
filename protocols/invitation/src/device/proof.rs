//! The proof that a newcomer knows a device link's key. Spec: INVITATION-6.2.

use weft_crypto::{
    BadSignature, DeviceId, IdentityId, InvitationKeyId, InvitationSecret, SignContext, Signature, verify,
};

/// What the link's key signs: the identity, this connection's two devices and both nonces.
pub(super) struct Statement {
    pub(super) identity: IdentityId,
    pub(super) newcomer: DeviceId,
    pub(super) host: DeviceId,
    pub(super) newcomer_nonce: [u8; 32],
    pub(super) host_nonce: [u8; 32],
}

impl Statement {
    fn bytes(&self) -> Vec<u8> {
        let ids = [*self.identity.as_bytes(), *self.newcomer.as_bytes(), *self.host.as_bytes()];
        [ids.as_flattened(), &self.newcomer_nonce, &self.host_nonce].concat()
    }

    pub(super) fn sign(&self, secret: &InvitationSecret) -> Signature {
        secret.sign(SignContext::DEVICE_LINK_PROOF, &self.bytes())
    }

    pub(super) fn verify(&self, key: &InvitationKeyId, proof: &Signature) -> Result<(), BadSignature> {
        verify(key.as_bytes(), SignContext::DEVICE_LINK_PROOF, &self.bytes(), proof)
    }
}
