//! The kinds of credential.

use bytes::Bytes;
use weft_crypto::{SignedManifest, SpaceId};
use weft_wire::credential as wire;

use crate::{
    Carried, CutRaised, DeviceLinked, DeviceRemoved, EpochStarted, FeedClosed, ForkProven, InvitationIssued,
    InvitationRevoked, Lockbox, LockboxRefused, Malformed, MemberRemoved, PolicyChanged, PreKeySet, Redemption,
    RoleChanged, RulesChanged, Seal, SpaceGenesis,
};

/// The numbers of the kinds. Spec: CREDENTIAL-2.1.
pub mod kind {
    /// The first part of a space's first entry.
    pub const SPACE_GENESIS: u32 = 1;
    /// A statement by a root key.
    pub const ROOT_STATEMENT: u32 = 2;
    /// A feed joins the space.
    pub const FEED_ADMITTED: u32 = 3;
    /// The key that a device's lockboxes are sealed to.
    pub const PRE_KEY_SET: u32 = 4;
    /// An epoch begins.
    pub const EPOCH_STARTED: u32 = 5;
    /// An invitation.
    pub const INVITATION_ISSUED: u32 = 6;
    /// Its redemption.
    pub const INVITATION_REDEEMED: u32 = 7;
    /// A later recipient of an epoch.
    pub const LOCKBOX_ADDED: u32 = 8;
    /// A member is removed.
    pub const MEMBER_REMOVED: u32 = 9;
    /// A device is removed.
    pub const DEVICE_REMOVED: u32 = 10;
    /// A member gets another role.
    pub const MEMBER_ROLE_CHANGED: u32 = 11;
    /// A feed ends.
    pub const FEED_CLOSED: u32 = 12;
    /// An invitation is redeemed no more.
    pub const INVITATION_REVOKED: u32 = 13;
    /// More stands than an earlier credential said.
    pub const CUT_RAISED: u32 = 14;
    /// A feed's author wrote two histories.
    pub const FORK_PROVEN: u32 = 15;
    /// Other rules from here on.
    pub const RULES_CHANGED: u32 = 16;
    /// A device cannot open what it was given.
    pub const LOCKBOX_REFUSED: u32 = 17;
    /// An owner or admin stands behind a removal.
    pub const SEAL: u32 = 19;
    /// A device lets another one of its identity in.
    pub const DEVICE_LINKED: u32 = 20;
    /// What newcomers may read is another from here on.
    pub const POLICY_CHANGED: u32 = 21;
}

/// What one part of a control entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Kind 1.
    SpaceGenesis(SpaceGenesis),
    /// Kind 2.
    RootStatement(Carried),
    /// Kind 3.
    FeedAdmitted(SignedManifest),
    /// Kind 4.
    PreKeySet(PreKeySet),
    /// Kind 5.
    EpochStarted(EpochStarted),
    /// Kind 6.
    InvitationIssued(InvitationIssued),
    /// Kind 7.
    InvitationRedeemed(Box<Redemption>),
    /// Kind 8.
    LockboxAdded(Lockbox),
    /// Kind 9.
    MemberRemoved(MemberRemoved),
    /// Kind 10.
    DeviceRemoved(DeviceRemoved),
    /// Kind 11.
    RoleChanged(RoleChanged),
    /// Kind 12.
    FeedClosed(FeedClosed),
    /// Kind 13.
    InvitationRevoked(InvitationRevoked),
    /// Kind 14.
    CutRaised(CutRaised),
    /// Kind 15.
    ForkProven(ForkProven),
    /// Kind 16.
    RulesChanged(RulesChanged),
    /// Kind 17.
    LockboxRefused(LockboxRefused),
    /// Kind 19.
    Seal(Seal),
    /// Kind 20.
    DeviceLinked(Box<DeviceLinked>),
    /// Kind 21.
    PolicyChanged(PolicyChanged),
    /// Any other kind, 18 included, which has a format and no code yet.
    Unknown(Unknown),
}

/// A credential of a kind that this version does not know. It is kept and carried. Spec: CREDENTIAL-2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The kind.
    pub kind: u32,
    /// Who does not know the kind stops writing.
    pub critical: bool,
    /// What it holds.
    pub content: Bytes,
}

impl Credential {
    /// The kind's number.
    pub fn kind(&self) -> u32 {
        match self {
            Self::SpaceGenesis(_) => kind::SPACE_GENESIS,
            Self::RootStatement(_) => kind::ROOT_STATEMENT,
            Self::FeedAdmitted(_) => kind::FEED_ADMITTED,
            Self::PreKeySet(_) => kind::PRE_KEY_SET,
            Self::EpochStarted(_) => kind::EPOCH_STARTED,
            Self::InvitationIssued(_) => kind::INVITATION_ISSUED,
            Self::InvitationRedeemed(_) => kind::INVITATION_REDEEMED,
            Self::LockboxAdded(_) => kind::LOCKBOX_ADDED,
            Self::MemberRemoved(_) => kind::MEMBER_REMOVED,
            Self::DeviceRemoved(_) => kind::DEVICE_REMOVED,
            Self::RoleChanged(_) => kind::MEMBER_ROLE_CHANGED,
            Self::FeedClosed(_) => kind::FEED_CLOSED,
            Self::InvitationRevoked(_) => kind::INVITATION_REVOKED,
            Self::CutRaised(_) => kind::CUT_RAISED,
            Self::ForkProven(_) => kind::FORK_PROVEN,
            Self::RulesChanged(_) => kind::RULES_CHANGED,
            Self::LockboxRefused(_) => kind::LOCKBOX_REFUSED,
            Self::Seal(_) => kind::SEAL,
            Self::DeviceLinked(_) => kind::DEVICE_LINKED,
            Self::PolicyChanged(_) => kind::POLICY_CHANGED,
            Self::Unknown(unknown) => unknown.kind,
        }
    }

    /// The critical bit: known kinds have it where who does not know them would resolve differently.
    pub fn critical(&self) -> bool {
        match self {
            Self::Unknown(unknown) => unknown.critical,
            // It takes nothing from anybody: who does not know it resolves alike.
            Self::LockboxRefused(_) => false,
            _ => true,
        }
    }

    pub(crate) fn encode(&self) -> Bytes {
        use prost::Message as _;
        match self {
            Self::SpaceGenesis(genesis) => genesis.encode(),
            Self::RootStatement(carried) => carried.encode(),
            Self::FeedAdmitted(manifest) => wire::FeedAdmitted { manifest: manifest.encode() }.encode_to_vec().into(),
            Self::PreKeySet(pre_key) => pre_key.encode(),
            Self::EpochStarted(epoch) => epoch.encode(),
            Self::InvitationIssued(issued) => issued.encode(),
            Self::InvitationRedeemed(redemption) => redemption.encode(),
            Self::LockboxAdded(lockbox) => {
                wire::LockboxAdded { lockbox: Some(lockbox.message()) }.encode_to_vec().into()
            }
            Self::MemberRemoved(says) => says.encode(),
            Self::DeviceRemoved(says) => says.encode(),
            Self::RoleChanged(says) => says.encode(),
            Self::FeedClosed(says) => says.encode(),
            Self::InvitationRevoked(says) => says.encode(),
            Self::CutRaised(says) => says.encode(),
            Self::ForkProven(says) => says.encode(),
            Self::RulesChanged(says) => says.encode(),
            Self::LockboxRefused(says) => says.encode(),
            Self::Seal(says) => says.encode(),
            Self::DeviceLinked(linked) => linked.encode(),
            Self::PolicyChanged(says) => says.encode(),
            Self::Unknown(unknown) => unknown.content.clone(),
        }
    }

    pub(crate) fn decode(number: u32, critical: bool, content: Bytes) -> Result<Self, Malformed> {
        let credential = match number {
            kind::SPACE_GENESIS => Self::SpaceGenesis(SpaceGenesis::decode(&content)?),
            kind::ROOT_STATEMENT => Self::RootStatement(Carried::decode(&content)?),
            kind::FEED_ADMITTED => Self::FeedAdmitted(manifest(&content)?),
            kind::PRE_KEY_SET => Self::PreKeySet(PreKeySet::decode(&content)?),
            kind::EPOCH_STARTED => Self::EpochStarted(EpochStarted::decode(&content)?),
            kind::INVITATION_ISSUED => Self::InvitationIssued(InvitationIssued::decode(&content)?),
            kind::INVITATION_REDEEMED => Self::InvitationRedeemed(Box::new(Redemption::decode(&content)?)),
            kind::LOCKBOX_ADDED => Self::LockboxAdded(lockbox(&content)?),
            kind::MEMBER_REMOVED => Self::MemberRemoved(MemberRemoved::decode(&content)?),
            kind::DEVICE_REMOVED => Self::DeviceRemoved(DeviceRemoved::decode(&content)?),
            kind::MEMBER_ROLE_CHANGED => Self::RoleChanged(RoleChanged::decode(&content)?),
            kind::FEED_CLOSED => Self::FeedClosed(FeedClosed::decode(&content)?),
            kind::INVITATION_REVOKED => Self::InvitationRevoked(InvitationRevoked::decode(&content)?),
            kind::CUT_RAISED => Self::CutRaised(CutRaised::decode(&content)?),
            kind::FORK_PROVEN => Self::ForkProven(ForkProven::decode(&content)?),
            kind::RULES_CHANGED => Self::RulesChanged(RulesChanged::decode(&content)?),
            kind::LOCKBOX_REFUSED => Self::LockboxRefused(LockboxRefused::decode(&content)?),
            kind::SEAL => Self::Seal(Seal::decode(&content)?),
            kind::DEVICE_LINKED => Self::DeviceLinked(Box::new(DeviceLinked::decode(&content)?)),
            kind::POLICY_CHANGED => Self::PolicyChanged(PolicyChanged::decode(&content)?),
            kind => Self::Unknown(Unknown { kind, critical, content }),
        };
        if credential.critical() != critical {
            return Err(Malformed::Critical { kind: number, critical });
        }
        Ok(credential)
    }

    /// Every signature inside this credential, and that it speaks of `space`.
    pub(crate) fn verify(&self, space: &SpaceId) -> Result<(), Malformed> {
        match self {
            Self::SpaceGenesis(genesis) => genesis.verify(space),
            Self::RootStatement(carried) => carried.verify_in(space).map(drop),
            Self::FeedAdmitted(signed) => {
                let manifest = signed.verify().map_err(Malformed::manifest("FeedAdmitted.manifest"))?;
                if manifest.space != *space {
                    return Err(Malformed::OtherSpace { what: "a manifest" });
                }
                Ok(())
            }
            Self::ForkProven(proven) if proven.manifest.space != *space => {
                Err(Malformed::OtherSpace { what: "a manifest" })
            }
            Self::EpochStarted(epoch) => epoch.verify(space),
            Self::InvitationRedeemed(redemption) => redemption.verify(space),
            Self::DeviceLinked(linked) => linked.verify(space),
            // These hold no signature but their feed's, and name no space but their part's.
            _ => Ok(()),
        }
    }
}

fn manifest(content: &Bytes) -> Result<SignedManifest, Malformed> {
    let message: wire::FeedAdmitted = weft_wire::decode(content).map_err(Malformed::decode("FeedAdmitted"))?;
    SignedManifest::decode(&message.manifest).map_err(Malformed::manifest("FeedAdmitted.manifest"))
}

fn lockbox(content: &Bytes) -> Result<Lockbox, Malformed> {
    let message: wire::LockboxAdded = weft_wire::decode(content).map_err(Malformed::decode("LockboxAdded"))?;
    let lockbox = message.lockbox.ok_or(Malformed::Length { field: "LockboxAdded.lockbox", expected: 1, found: 0 })?;
    Lockbox::from_message(lockbox)
}
