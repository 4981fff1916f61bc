//! Credentials that take a right away, give it back, or change what a member may do.
//!
//! What takes a right away names *cuts*: for each feed of whoever loses it, how much still stands. Spec: CREDENTIAL-10.

use bytes::Bytes;
use prost::Message as _;
use weft_crypto::{Dep, DeviceId, EntryId, FeedId, IdentityId, InvitationId, Root};
use weft_wire::credential as wire;

use crate::{History, Malformed, Role, field, limits};

/// One feed of somebody whose right ends: of it the first `length` entries stand. Spec: CREDENTIAL-10.1.
pub type Cut = Dep;

/// Which part of which entry a credential speaks of. Spec: CREDENTIAL-10.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The entry's id.
    pub entry: EntryId,
    /// The part, from 0.
    pub part: u32,
}

/// A member is removed, with all its devices and feeds. Spec: CREDENTIAL-10.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRemoved {
    /// Who.
    pub identity: IdentityId,
    /// What stands of its feeds; of a feed that is not named, nothing.
    pub cuts: Vec<Cut>,
}

/// A device is removed. Spec: CREDENTIAL-10.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRemoved {
    /// Which.
    pub device: DeviceId,
    /// What stands of its feeds; of a feed that is not named, nothing.
    pub cuts: Vec<Cut>,
}

/// A member gets another role. Spec: CREDENTIAL-10.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChanged {
    /// Who.
    pub identity: IdentityId,
    /// The new role.
    pub role: Role,
    /// How much of its feeds is judged by the role it had; of a feed that is not named, nothing.
    pub cuts: Vec<Cut>,
}

/// A feed ends. Spec: CREDENTIAL-10.6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedClosed {
    /// The feed.
    pub feed: FeedId,
    /// Where; none when nothing of it stands.
    pub cut: Option<Cut>,
}

/// An invitation is redeemed no more. Spec: CREDENTIAL-10.7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRevoked {
    /// The invitation.
    pub invitation: InvitationId,
    /// The entries whose redemptions stand, ascending.
    pub standing: Vec<EntryId>,
}

/// More of somebody's feeds stands than an earlier credential said. Spec: CREDENTIAL-10.8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutRaised {
    /// The credential that named the cuts.
    pub act: Named,
    /// The longer cuts.
    pub cuts: Vec<Cut>,
}

/// An owner or admin stands behind a removal or a lower role. Spec: CREDENTIAL-10.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// What is sealed.
    pub act: Named,
}

/// The space goes by another rules version from here on. Spec: CREDENTIAL-10.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulesChanged {
    /// The version.
    pub rules: u32,
}

/// What newcomers may read is another from here on. Spec: CREDENTIAL-10.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyChanged {
    /// The policy.
    pub history: History,
}

pub(crate) fn put_cuts(cuts: &[Cut]) -> Vec<wire::Cut> {
    cuts.iter().map(put_cut).collect()
}

fn put_cut(cut: &Cut) -> wire::Cut {
    wire::Cut { feed: cut.feed.to_bytes(), length: cut.length, root: cut.root.to_bytes() }
}

/// Cuts in their one spelling: ascending by feed, none twice, none of nothing.
pub(crate) fn cuts(what: &'static str, cuts: &[wire::Cut]) -> Result<Vec<Cut>, Malformed> {
    let cuts: Vec<Cut> = cuts.iter().map(cut).collect::<Result<_, _>>()?;
    if !cuts.is_sorted_by(|one, next| one.feed < next.feed) {
        return Err(Malformed::Disagree { what });
    }
    Ok(cuts)
}

fn cut(cut: &wire::Cut) -> Result<Cut, Malformed> {
    if !(1..=limits::LENGTH_MAX).contains(&cut.length) {
        return Err(Malformed::Number { field: "Cut.length", found: cut.length });
    }
    Ok(Cut { feed: field::id("Cut.feed", &cut.feed)?, length: cut.length, root: root(&cut.root)? })
}

fn root(bytes: &[u8]) -> Result<Root, Malformed> {
    field::id("Cut.root", bytes)
}

fn named(entry: &[u8], part: u32) -> Result<Named, Malformed> {
    Ok(Named { entry: field::id("CutRaised.removal", entry)?, part })
}

const ORDER: &str = "cuts and their order";

impl MemberRemoved {
    pub(crate) fn encode(&self) -> Bytes {
        let message = wire::MemberRemoved { identity: self.identity.to_bytes(), cuts: put_cuts(&self.cuts) };
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::MemberRemoved = weft_wire::decode(content).map_err(Malformed::decode("MemberRemoved"))?;
        Ok(Self {
            identity: field::id("MemberRemoved.identity", &message.identity)?,
            cuts: cuts(ORDER, &message.cuts)?,
        })
    }
}

impl DeviceRemoved {
    pub(crate) fn encode(&self) -> Bytes {
        let message = wire::DeviceRemoved { device: self.device.to_bytes(), cuts: put_cuts(&self.cuts) };
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::DeviceRemoved = weft_wire::decode(content).map_err(Malformed::decode("DeviceRemoved"))?;
        Ok(Self { device: field::id("DeviceRemoved.device", &message.device)?, cuts: cuts(ORDER, &message.cuts)? })
    }
}

impl RoleChanged {
    pub(crate) fn encode(&self) -> Bytes {
        let message = wire::MemberRoleChanged {
            identity: self.identity.to_bytes(),
            role: self.role.number(),
            cuts: put_cuts(&self.cuts),
        };
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::MemberRoleChanged =
            weft_wire::decode(content).map_err(Malformed::decode("MemberRoleChanged"))?;
        let number = Malformed::Number { field: "MemberRoleChanged.role", found: message.role.into() };
        Ok(Self {
            identity: field::id("MemberRoleChanged.identity", &message.identity)?,
            role: Role::from_number(message.role).ok_or(number)?,
            cuts: cuts(ORDER, &message.cuts)?,
        })
    }
}

impl FeedClosed {
    pub(crate) fn encode(&self) -> Bytes {
        let nothing = wire::Cut { feed: self.feed.to_bytes(), length: 0, root: Bytes::new() };
        let cut = self.cut.as_ref().map_or(nothing, put_cut);
        wire::FeedClosed { cut: Some(cut) }.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::FeedClosed = weft_wire::decode(content).map_err(Malformed::decode("FeedClosed"))?;
        let missing = Malformed::Length { field: "FeedClosed.cut", expected: 1, found: 0 };
        let named = message.cut.ok_or(missing)?;
        let nothing = named.length == 0 && named.root.is_empty();
        Ok(Self { feed: field::id("Cut.feed", &named.feed)?, cut: if nothing { None } else { Some(cut(&named)?) } })
    }
}

impl InvitationRevoked {
    pub(crate) fn encode(&self) -> Bytes {
        let message = wire::InvitationRevoked {
            invitation: self.invitation.to_bytes(),
            standing: self.standing.iter().map(EntryId::to_bytes).collect(),
        };
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::InvitationRevoked =
            weft_wire::decode(content).map_err(Malformed::decode("InvitationRevoked"))?;
        let standing = message.standing.iter().map(|id| field::id("InvitationRevoked.standing", id));
        let standing: Vec<EntryId> = standing.collect::<Result<_, _>>()?;
        if !standing.is_sorted_by(|one, next| one < next) {
            return Err(Malformed::Disagree { what: "standing redemptions and their order" });
        }
        Ok(Self { invitation: field::id("InvitationRevoked.invitation", &message.invitation)?, standing })
    }
}

impl CutRaised {
    pub(crate) fn encode(&self) -> Bytes {
        let message =
            wire::CutRaised { removal: self.act.entry.to_bytes(), cuts: put_cuts(&self.cuts), part: self.act.part };
        message.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::CutRaised = weft_wire::decode(content).map_err(Malformed::decode("CutRaised"))?;
        Ok(Self { act: named(&message.removal, message.part)?, cuts: cuts(ORDER, &message.cuts)? })
    }
}

impl Seal {
    pub(crate) fn encode(&self) -> Bytes {
        wire::Seal { removal: self.act.entry.to_bytes(), part: self.act.part }.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::Seal = weft_wire::decode(content).map_err(Malformed::decode("Seal"))?;
        Ok(Self { act: named(&message.removal, message.part)? })
    }
}

impl RulesChanged {
    pub(crate) fn encode(self) -> Bytes {
        wire::RulesChanged { rules: self.rules }.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::RulesChanged = weft_wire::decode(content).map_err(Malformed::decode("RulesChanged"))?;
        if message.rules == 0 {
            return Err(Malformed::Number { field: "RulesChanged.rules", found: 0 });
        }
        Ok(Self { rules: message.rules })
    }
}

impl PolicyChanged {
    pub(crate) fn encode(self) -> Bytes {
        wire::PolicyChanged { history: self.history.number() }.encode_to_vec().into()
    }

    pub(crate) fn decode(content: &Bytes) -> Result<Self, Malformed> {
        let message: wire::PolicyChanged = weft_wire::decode(content).map_err(Malformed::decode("PolicyChanged"))?;
        Ok(Self { history: History::from_number("PolicyChanged.history", message.history)? })
    }
}
