//! What a peer says of itself: above all, why it is not level with another.

use weft_credential::{History, Role};
use weft_crypto::{DeviceId, IdentityId, SpaceId};
use weft_space::Proposed;

/// The whole of it.
#[derive(Clone, Debug)]
pub struct Status {
    /// This device.
    pub device: DeviceId,
    /// The identity it acts for.
    pub identity: IdentityId,
    /// The device of this identity by which this one was removed: nobody takes what it writes.
    pub removed_by: Option<DeviceId>,
    /// What this member calls itself in spaces; empty where it has no name.
    pub name: String,
    /// Who is connected.
    pub peers: Vec<PeerStatus>,
    /// Every space here.
    pub spaces: Vec<SpaceStatus>,
}

/// A connected device.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Its key.
    pub device: DeviceId,
    /// The spaces that both have shown each other to be in.
    pub spaces: Vec<SpaceId>,
}

/// A space.
#[derive(Clone, Debug)]
pub struct SpaceStatus {
    /// Its id.
    pub space: SpaceId,
    /// What the link that was joined by said it is called: a claim, until the space's own name is here.
    pub said_name: Option<String>,
    /// This identity's role; none when it counts as no member.
    pub role: Option<Role>,
    /// Who removed this identity, as far as that is known here; itself when it left.
    pub removed_by: Option<IdentityId>,
    /// Who made it; none while its first entry is not here.
    pub founder: Option<IdentityId>,
    /// How many newcomers wait at this device until a person approves them.
    pub newcomers: u32,
    /// How many members there are.
    pub members: u32,
    /// At least one other member is connected, each connected one holds what is held here and the other way round, and all
    /// of it has been replayed.
    pub level: bool,
    /// Whether everything that is held can be read, but for what waits for entries that others hold.
    pub settled: bool,
    /// One for every connected member.
    pub pairs: Vec<PairStatus>,
    /// What is not as it should be.
    pub waiting: Vec<Waiting>,
    /// Why nothing can be written here, if that is so.
    pub write_stop: Option<String>,
    /// What those who join may read of the time before they came.
    pub history: History,
    /// Removals and roles that wait for seals.
    pub proposed: Vec<Proposed>,
}

/// This node and one connected member of the space.
#[derive(Clone, Debug)]
pub struct PairStatus {
    /// The other device.
    pub device: DeviceId,
    /// Whether both hold the same.
    pub level: bool,
}

/// Something that is missing, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What is missing.
    pub what: String,
    /// From whom it should come.
    pub from: Option<DeviceId>,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// The rule by which it is refused or held back.
    pub rule: String,
    /// What to do.
    pub remedy: String,
}
