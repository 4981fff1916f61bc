//! Application → membership → own control feed: who belongs to the space is changed.
//!
//! What an act would lead to is not computed a second way: it is put on top of what is known and resolved, and then refused
//! or written. From the same resolution follows for whom the epoch is that begins with it. Spec: PEER-13, SPACE-11, SPACE-7.1

use weft_credential::{
    Credential, Cut, CutRaised, DeviceRemoved, EpochStarted, MemberRemoved, Named, PolicyChanged, Role, RoleChanged,
    Seal,
};
use weft_crypto::{DeviceId, EpochId, FeedId, IdentityId};
use weft_feed::kind;
use weft_machine::Draws;
use weft_space::{AdmittedFeed, Place, Resolution, VoidReason, compose};

use super::membership;
use crate::{
    command::{Act, Foreseen, Refusal, RefusalKind},
    commands::actor,
    io::Ask,
    room::{
        Room,
        own::{Draft, Purpose},
    },
};

/// Writes an act, if it would count or may be proposed.
pub(crate) fn act(room: &mut Room, ask: Ask, act: &Act, draws: &mut Draws) -> Result<(), Refusal> {
    write(room, act, draws, |counts, epoch| Purpose::Act { ask, counts, epoch })
}

/// Removes a device of this identity, as it was removed elsewhere. Spec: PEER-15.3
pub(crate) fn carry(room: &mut Room, device: DeviceId, draws: &mut Draws) -> Result<(), Refusal> {
    write(room, &Act::RemoveDevice { device }, draws, |_, _| Purpose::Carried { device })
}

/// Whether the same would be written. Spec: PEER-15.3
pub(crate) fn foresee_carrying(room: &Room, device: DeviceId) -> Result<(), Refusal> {
    membership::may_speak(room)?;
    let act = Act::RemoveDevice { device };
    outcome(room, &act, credential(room, &act)?).map(drop)
}

/// Whether a device could remove this one. Spec: PEER-15.4
pub(crate) fn may_remove_this(room: &Room, by: &DeviceId) -> bool {
    let mut feeds = room.membership.resolution().feeds();
    let control = |feed: &AdmittedFeed| feed.manifest.purpose == weft_crypto::Purpose::Control;
    let feed = feeds.find(|(_, feed)| feed.manifest.device == *by && control(feed) && feed.counts);
    let says = credential(room, &Act::RemoveDevice { device: room.me.device.id() }).ok();
    let foreseen = feed.zip(says).and_then(|((id, _), says)| room.membership.foresee(id, vec![says]).ok());
    foreseen.is_some_and(|foreseen| foreseen.void.is_none())
}

/// What this device hears that wants to write.
pub(crate) fn this_device_removed() -> Refusal {
    let message = "this device was removed by another device of yours: nobody takes what it writes";
    let hint = "what is here can be read; `weft device join LINK` in another data folder makes this machine a device of yours again, with a new key";
    refused("device_removed", message, hint)
}

fn write(
    room: &mut Room,
    act: &Act,
    draws: &mut Draws,
    purpose: impl FnOnce(bool, Option<EpochId>) -> Purpose,
) -> Result<(), Refusal> {
    membership::may_speak(room)?;
    let says = credential(room, act)?;
    let foreseen = outcome(room, act, says.clone())?;
    let counts = foreseen.void.is_none();
    let mut credentials = vec![says];
    let begun = match counts {
        true => begin_if_needed(room, &foreseen.resolution, draws)?,
        false => None,
    };
    let epoch = begun.as_ref().map(|begun| begun.id(&room.space));
    credentials.extend(begun.map(Credential::EpochStarted));
    let bodies = vec![compose::body(room.space, credentials)];
    room.control.push(Draft { kind: kind::CONTROL, session: 0, bodies, purpose: purpose(counts, epoch) });
    Ok(())
}

/// What an act would lead to; a refusal when it would not count and may not be proposed.
fn outcome(room: &Room, act: &Act, says: Credential) -> Result<weft_space::Foreseen, Refusal> {
    let foreseen = room.membership.foresee(room.control.feed, vec![says]);
    let foreseen = foreseen.map_err(|error| refused("malformed", error.to_string(), "this is a fault of Weft's"))?;
    match &foreseen.void {
        Some(VoidReason::Outranked) if may_be_proposed(act, room) => Ok(foreseen),
        Some(reason) => Err(refusal(reason)),
        None => Ok(foreseen),
    }
}

/// A new epoch where `resolution` leaves none that this device may write under, though it may write.
pub(crate) fn begin_if_needed(
    room: &Room,
    resolution: &Resolution,
    draws: &mut Draws,
) -> Result<Option<EpochStarted>, Refusal> {
    let writes = resolution.role_of(&room.me.identity).is_some_and(Role::may_write);
    let current = resolution.device(&room.me.device.id()).is_some();
    if !writes || !current || resolution.writable_epoch(|epoch| room.keys.may_use(epoch)).is_some() {
        return Ok(None);
    }
    begin(room, resolution, draws).map(Some)
}

/// A new epoch for those who read in `resolution`.
pub(crate) fn begin(room: &Room, resolution: &Resolution, draws: &mut Draws) -> Result<EpochStarted, Refusal> {
    let earlier = room.keys.latest(resolution, resolution.history());
    let begun = compose::epoch_started(&actor(&room.me), resolution, &earlier, draws);
    begun.map_err(|error| {
        let message = format!("the keys of the new epoch could not be sealed: {error}");
        Refusal::new(RefusalKind::Failed, "sealing_failed", message, "a member's key is unusable: remove that member")
    })
}

/// What an act says, with what is held here as cuts: nothing that this device has seen is voided. Spec: SPACE-11.2
fn credential(room: &Room, act: &Act) -> Result<Credential, Refusal> {
    Ok(match act {
        Act::RemoveMember { identity, .. } => {
            Credential::MemberRemoved(MemberRemoved { identity: *identity, cuts: cuts_of(room, identity) })
        }
        Act::SetRole { identity, role, .. } => {
            if room.membership.resolution().role_of(identity) == Some(*role) {
                let message = format!("the member is {} already", super::with_article(role.word()));
                return Err(refused("same_role", message, "`weft space members SPACE` lists who is what"));
            }
            let cuts = cuts_of(room, identity);
            Credential::RoleChanged(RoleChanged { identity: *identity, role: *role, cuts })
        }
        Act::RemoveDevice { device } => {
            let cuts = cuts(room, |feed| feed.manifest.device == *device);
            Credential::DeviceRemoved(DeviceRemoved { device: *device, cuts })
        }
        Act::Leave => {
            if !room.data.is_idle() {
                let message = "what this device has written is not on the disk yet, and would be cut";
                return Err(Refusal::new(RefusalKind::Failed, "busy", message, "try again in a moment"));
            }
            let identity = room.me.identity;
            Credential::MemberRemoved(MemberRemoved { identity, cuts: cuts_of(room, &identity) })
        }
        Act::SetPolicy { history } => Credential::PolicyChanged(PolicyChanged { history: *history }),
        Act::Seal { act } => {
            let named = room.membership.proposed().into_iter().find(|proposed| proposed.act == *act);
            if named.is_none() {
                let message = "nothing that is said there waits for seals";
                let hint = "`weft member list SPACE` lists what is proposed";
                return Err(Refusal::new(RefusalKind::NotFound, "not_proposed", message, hint));
            }
            Credential::Seal(Seal { act: name(room, act)? })
        }
        Act::RaiseCut { act, feeds } => raised(room, act, feeds)?,
    })
}

fn raised(room: &Room, act: &Place, feeds: &[FeedId]) -> Result<Credential, Refusal> {
    let named = name(room, act)?;
    let entry = room.membership.entry(act).ok_or_else(unknown_act)?;
    let part = entry.parts.as_ref().ok().and_then(|parts| parts.get(act.part as usize)).ok_or_else(unknown_act)?;
    let chosen = |feed: &FeedId| feeds.is_empty() || feeds.contains(feed);
    let resolution = room.membership.resolution();
    let feeds = resolution.feeds().filter(|(id, feed)| is_about(&part.credential, id, feed) && chosen(id));
    let cuts: Vec<Cut> = feeds.filter_map(|(id, _)| held(room, &id)).collect();
    if cuts.is_empty() {
        let message = "nothing is held here of the feeds that it has cut";
        return Err(refused("nothing_to_raise", message, "connect to somebody who holds them"));
    }
    Ok(Credential::CutRaised(CutRaised { act: named, cuts }))
}

/// Whether an act cuts a feed.
fn is_about(act: &Credential, id: &FeedId, feed: &AdmittedFeed) -> bool {
    match act {
        Credential::MemberRemoved(MemberRemoved { identity, .. })
        | Credential::RoleChanged(RoleChanged { identity, .. }) => feed.identity == *identity,
        Credential::DeviceRemoved(removed) => feed.manifest.device == removed.device,
        Credential::FeedClosed(closed) => *id == closed.feed,
        _ => false,
    }
}

/// How an entry's part is named in the entries of others.
fn name(room: &Room, act: &Place) -> Result<Named, Refusal> {
    let entry = room.membership.entry(act).ok_or_else(unknown_act)?;
    Ok(Named { entry: entry.id, part: act.part })
}

fn cuts_of(room: &Room, identity: &IdentityId) -> Vec<Cut> {
    cuts(room, |feed| feed.identity == *identity)
}

/// How much is held of the feeds that are meant, in the order of their ids.
fn cuts(room: &Room, meant: impl Fn(&AdmittedFeed) -> bool) -> Vec<Cut> {
    let feeds = room.membership.resolution().feeds().filter(|(_, feed)| meant(feed));
    feeds.filter_map(|(id, _)| held(room, &id)).collect()
}

fn held(room: &Room, feed: &FeedId) -> Option<Cut> {
    let tree = &room.ledger.get(feed)?.tree;
    (tree.length() > 0).then(|| Cut { feed: *feed, length: tree.length(), root: tree.root() })
}

fn may_be_proposed(act: &Act, room: &Room) -> bool {
    let proposes = matches!(act, Act::RemoveMember { propose: true, .. } | Act::SetRole { propose: true, .. });
    proposes && room.membership.resolution().role_of(&room.me.identity).is_some_and(Role::may_administer)
}

/// What an act would do if it were written now.
pub(crate) fn foresee(room: &Room, act: &Act) -> Result<Foreseen, Refusal> {
    membership::may_speak(room)?;
    let says = credential(room, act)?;
    let void = room.membership.foresee(room.control.feed, vec![says.clone()]);
    let void = void.map_or_else(|error| Some(error.into()), |foreseen| foreseen.void);
    let counts = void.is_none();
    let waits = void == Some(VoidReason::Outranked) && may_be_proposed(act, room);
    let refusal = void.filter(|_| !waits).map(|reason| refusal(&reason));
    let mut foreseen = Foreseen { refusal, counts, not_held: 0, waiting: 0 };
    if !takes(room, act) {
        return Ok(foreseen);
    }
    for (id, feed) in room.membership.resolution().feeds().filter(|(id, feed)| is_about(&says, id, feed)) {
        let control = feed.manifest.purpose == weft_crypto::Purpose::Control;
        let order = if control { &room.control_order } else { &room.data_order };
        let held = room.ledger.get(&id).map_or(0, |entry| entry.tree.length());
        foreseen.waiting += held.saturating_sub(order.released(&id));
        foreseen.not_held += room.sources.claimed_most(&id).saturating_sub(held);
    }
    Ok(foreseen)
}

/// Whether an act takes a right to write.
fn takes(room: &Room, act: &Act) -> bool {
    match act {
        Act::SetRole { identity, role, .. } => room.membership.resolution().role_of(identity) > Some(*role),
        Act::RemoveMember { .. } | Act::RemoveDevice { .. } | Act::Leave => true,
        Act::Seal { .. } | Act::RaiseCut { .. } | Act::SetPolicy { .. } => false,
    }
}

fn unknown_act() -> Refusal {
    let message = "nothing is said there that takes a right away";
    Refusal::new(RefusalKind::NotFound, "unknown_act", message, "`weft member list SPACE` lists what is proposed")
}

fn refused(code: &'static str, message: impl Into<String>, hint: &str) -> Refusal {
    Refusal::new(RefusalKind::Refused, code, message, hint)
}

/// Why an act would not count, in the words of commands.
fn refusal(reason: &VoidReason) -> Refusal {
    let (kind, code, hint) = match reason {
        VoidReason::Outranked => (
            RefusalKind::Refused,
            "outranked",
            "propose it (`--propose`): it counts once more than half of the owners and admins stand behind it",
        ),
        VoidReason::NoRight { .. } => (RefusalKind::Refused, "wrong_role", "ask an owner or admin of the space"),
        VoidReason::NoMember => {
            (RefusalKind::NotFound, "unknown_member", "`weft space members SPACE` lists who belongs to it")
        }
        VoidReason::UnknownDevice => {
            (RefusalKind::NotFound, "unknown_device", "`weft space members SPACE` lists the devices")
        }
        VoidReason::LastOwner => (RefusalKind::Refused, "last_owner", "make somebody else an owner first"),
        VoidReason::UnknownAct => {
            (RefusalKind::NotFound, "unknown_act", "`weft member list SPACE` lists what is proposed")
        }
        _ => (RefusalKind::Refused, "would_not_count", "nothing was written"),
    };
    let message = match reason {
        VoidReason::NoRight { had: Some(role) } => {
            format!("this identity is {} in the space and may not do this", super::with_article(role.word()))
        }
        reason => reason.to_string(),
    };
    Refusal::new(kind, code, message, hint)
}
