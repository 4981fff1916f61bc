//! The proof that a newcomer knows the link's key. Spec: INVITATION-3.1.

use weft_crypto::{BadSignature, DeviceId, InvitationKeyId, InvitationSecret, SignContext, Signature, SpaceId, verify};

/// What the invitation key signs: this connection's two devices and both nonces, and the space.
pub(crate) struct Statement {
    pub(crate) newcomer: DeviceId,
    pub(crate) host: DeviceId,
    pub(crate) newcomer_nonce: [u8; 32],
    pub(crate) host_nonce: [u8; 32],
}

impl Statement {
    fn bytes(&self, space: &SpaceId) -> Vec<u8> {
        let (space, newcomer, host) = (space.as_bytes(), self.newcomer.as_bytes(), self.host.as_bytes());
        [*space, *newcomer, *host, self.newcomer_nonce, self.host_nonce].concat()
    }

    pub(crate) fn sign(&self, space: &SpaceId, secret: &InvitationSecret) -> Signature {
        secret.sign(SignContext::INVITATION_PROOF, &self.bytes(space))
    }

    pub(crate) fn verify(&self, space: &SpaceId, key: &InvitationKeyId, proof: &Signature) -> Result<(), BadSignature> {
        verify(key.as_bytes(), SignContext::INVITATION_PROOF, &self.bytes(space), proof)
    }
}
