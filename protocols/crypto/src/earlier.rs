//! Secrets of the epochs before, sealed under a newer one.
//!
//! An epoch carries the secrets of its parents, those carry the secrets of theirs: so who opens the newest epoch comes by the
//! older ones, step by step, and nothing grows with their number. What is found is worth nothing before it is compared with
//! what the older epoch commits to.
//!
//! Spec: CRYPTO-7.4

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::{
    Context, EpochId, SpaceId,
    hash::Part,
    seal::{BoxKeys, SealError},
};

/// Which secrets, and so under which secret of the newer epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Access secrets, under the access secret.
    Access,
    /// Content secrets, under the content secret.
    Content,
}

impl Earlier {
    const fn context(self) -> Context {
        match self {
            Self::Access => Context::EARLIER_ACCESS,
            Self::Content => Context::EARLIER_CONTENT,
        }
    }

    fn keys(self, secret: &[u8; 32], space: &SpaceId, epoch: &EpochId) -> BoxKeys {
        BoxKeys::derive(self.context(), secret, &[Part::Fixed(space.as_bytes()), Part::Fixed(epoch.as_bytes())])
    }

    fn place(self, space: &SpaceId, epoch: &EpochId) -> Vec<u8> {
        [self.context().as_str().as_bytes(), &[0], space.as_bytes(), epoch.as_bytes()].concat()
    }
}

/// Seals secrets of an epoch's parents, one for each in their order, under a secret of the epoch. Zeros stand for one that is
/// not handed on.
#[must_use]
pub fn seal(
    what: Earlier,
    secret: &[u8; 32],
    space: &SpaceId,
    epoch: &EpochId,
    random: [u8; 16],
    earlier: &[Zeroizing<[u8; 32]>],
) -> Bytes {
    let mut plain = Zeroizing::new(Vec::with_capacity(32 * earlier.len()));
    for secret in earlier {
        plain.extend_from_slice(secret.as_slice());
    }
    what.keys(secret, space, epoch).seal(&what.place(space, epoch), random, &plain).into()
}

/// Opens them. Who does compares each with what its epoch commits to.
///
/// # Errors
/// When they were not sealed under this secret for this epoch.
pub fn open(
    what: Earlier,
    secret: &[u8; 32],
    space: &SpaceId,
    epoch: &EpochId,
    sealed: &[u8],
) -> Result<Vec<Zeroizing<[u8; 32]>>, SealError> {
    let plain = what.keys(secret, space, epoch).open_secret(&what.place(space, epoch), sealed)?;
    let (secrets, _) = plain.as_chunks::<32>();
    Ok(secrets.iter().map(|secret| Zeroizing::new(*secret)).collect())
}
