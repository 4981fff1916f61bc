//! Names that are computed: an object's id from the entry that makes it, a `yrs` client id from a session.

use weft_crypto::{Context, FeedId, Hasher, ObjectId, SpaceId};

/// The name of the only root type of a document.
///
/// Spec: ECHO-3.1
pub const ROOT: &str = "body";

/// Width of a client id: what a JavaScript number holds exactly, and what `yrs` keeps of a `u64`.
///
/// Spec: ECHO-1.2
pub const CLIENT_BITS: u32 = 53;

/// A feed's sessions are numbered below this.
///
/// Spec: ECHO-1.2
pub const SESSIONS_MAX: u64 = 1 << 16;

/// The branch that every document is on until there are branches.
const NO_BRANCH: [u8; 32] = [0; 32];

/// The id of the object that entry `seq` of `feed` makes.
///
/// Spec: ECHO-1.1
#[must_use]
pub fn object_id(space: &SpaceId, feed: &FeedId, seq: u64) -> ObjectId {
    ObjectId::from_bytes(Hasher::new(Context::OBJECT).fixed(space.as_bytes()).fixed(feed.as_bytes()).u64(seq).finish())
}

/// The `yrs` client id of a session of a feed: the low 53 bits of its hash, read as a little-endian number.
///
/// Spec: ECHO-1.2
#[must_use]
pub fn client_id(space: &SpaceId, feed: &FeedId, session: u64) -> u64 {
    client_id_of_width(space, feed, session, CLIENT_BITS)
}

/// As [`client_id`], narrower where a test needs collisions.
pub(crate) fn client_id_of_width(space: &SpaceId, feed: &FeedId, session: u64, bits: u32) -> u64 {
    let hash = Hasher::new(Context::CLIENT)
        .fixed(space.as_bytes())
        .fixed(feed.as_bytes())
        .u64(session)
        .fixed(&NO_BRANCH)
        .finish();
    let mut low = [0; 8];
    low.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(low) & ((1 << bits) - 1)
}

/// Computes the client ids of one space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clients {
    pub(crate) space: SpaceId,
    pub(crate) bits: u32,
}

impl Clients {
    pub(crate) fn of(&self, feed: &FeedId, session: u64) -> u64 {
        client_id_of_width(&self.space, feed, session, self.bits)
    }
}
