//! Host → membership → own control feed: a redemption is judged, and written down at once or when a person approves it.

use bytes::Bytes;
use weft_credential::{Credential, History, Redemption, invitation_id};
use weft_crypto::{DeviceId, InvitationId, lockbox::is_usable};
use weft_feed::kind;
use weft_invitation::{Reason, Standing, judge};
use weft_machine::Draws;
use weft_space::{InvitationState, compose};

use crate::{
    command::{Refusal, RefusalKind},
    commands::actor,
    io::{Ask, StreamId},
    room::{
        Room,
        newcomers::Kept,
        own::{Draft, Purpose},
    },
    store::Write,
};

/// What becomes of a redemption that is not refused.
pub(crate) enum Redeemed {
    /// It is on its way to the disk.
    Ordered,
    /// It stands already: the newcomer asks again, since it did not hear the answer.
    Stands,
    /// A person has to approve it, and it is durable here already.
    Waits,
    /// The same, and this makes it durable.
    Keep(Write),
}

/// Judges a redemption on this host's clock and orders the one entry that lets the newcomer in. Spec: INVITATION-4
pub(crate) fn redeem(
    room: &mut Room,
    stream: StreamId,
    redemption: &Redemption,
    now_ms: u64,
    draws: &mut Draws,
) -> Result<Redeemed, Reason> {
    let statement = redemption.statement();
    let invitation = invitation_id(&statement.space, &statement.invitation);
    if stands(room, redemption) {
        return Ok(Redeemed::Stands);
    }
    if !has_usable_keys(redemption) {
        return Err(Reason::Malformed);
    }
    let known = hosted(room, &invitation);
    judge(known.as_ref().map(|state| Standing { left: state.left, expires_ms: state.expires_ms }), now_ms)?;
    let resolution = room.membership.resolution();
    if resolution.device(&statement.device).is_some_and(|known| known.identity != statement.identity) {
        return Err(Reason::Malformed);
    }
    if resolution.is_turned_away(&invitation, &statement.identity, &statement.device) {
        return Err(Reason::Denied);
    }
    if known.is_some_and(|state| state.approve) {
        return wait(room, invitation, redemption, now_ms);
    }
    let purpose = Purpose::Redemption { stream, invitation };
    write(room, invitation, redemption, purpose, draws).map(|()| Redeemed::Ordered)
}

/// Whether something can be sealed to the newcomer's keys: else the redemption would be void. Spec: SPACE-5.1
fn has_usable_keys(redemption: &Redemption) -> bool {
    let recovery = redemption.recovery_key().map(|(_, key)| key);
    is_usable(&redemption.statement().pre_key) && recovery.as_ref().is_none_or(is_usable)
}

/// An invitation as this device hosts it: it can be redeemed, and this identity may grant its role. Spec: INVITATION-2
fn hosted(room: &Room, invitation: &InvitationId) -> Option<InvitationState> {
    let resolution = room.membership.resolution();
    let state = resolution.invitation(invitation)?;
    (!state.revoked && resolution.may_host(&room.me.identity, &state)).then_some(state)
}

/// Keeps a redemption for a person to look at. Spec: INVITATION-7
fn wait(room: &mut Room, invitation: InvitationId, redemption: &Redemption, now_ms: u64) -> Result<Redeemed, Reason> {
    let statement = redemption.statement();
    match room.newcomers.get(&invitation, &statement.device).map(|newcomer| &newcomer.kept) {
        Some(Kept::Denied) => return Err(Reason::Denied),
        Some(Kept::Waits(kept)) if **kept == *redemption => return Ok(Redeemed::Waits),
        // A person has looked at the identity; the keys may be new, since the newcomer lost the others.
        Some(Kept::Waits(kept)) if kept.statement().identity != statement.identity => return Err(Reason::Malformed),
        Some(Kept::Waits(_)) => {}
        None if room.newcomers.has_place(&invitation) => {}
        None => return Err(Reason::Busy),
    }
    Ok(Redeemed::Keep(room.newcomers.keep(&room.space, invitation, redemption.clone(), now_ms)))
}

/// Orders the one entry that lets a newcomer in.
fn write(
    room: &mut Room,
    invitation: InvitationId,
    redemption: &Redemption,
    purpose: Purpose,
    draws: &mut Draws,
) -> Result<(), Reason> {
    if room.redeeming.contains(&invitation) || room.may_change_members().is_err() {
        return Err(Reason::Busy);
    }
    let body = redeemed(room, redemption, draws).ok_or(Reason::Malformed)?;
    room.redeeming.insert(invitation);
    room.invite(Draft { kind: kind::CONTROL, session: 0, bodies: vec![body], purpose });
    Ok(())
}

/// The body of the entry that lets a newcomer in. Where it is to read nothing of the time before, a new epoch begins in it.
/// Spec: SPACE-6.2, SPACE-7.6
fn redeemed(room: &Room, redemption: &Redemption, draws: &mut Draws) -> Option<Bytes> {
    let from_joining = room.membership.resolution().history() == History::FromJoining;
    let epoch = room.epoch.filter(|_| !from_joining);
    let epoch = epoch.and_then(|epoch| room.keys.secrets(&epoch).map(|secrets| (epoch, secrets)));
    let epoch = epoch.as_ref().map(|(epoch, secrets)| (epoch, *secrets));
    let mut says = compose::redeemed(&actor(&room.me), redemption, epoch, draws).ok()?;
    if from_joining {
        let foreseen = room.membership.foresee(room.control.feed, says.clone()).ok()?;
        says.push(Credential::EpochStarted(super::acts::begin(room, &foreseen.resolution, draws).ok()?));
    }
    Some(compose::body(room.space, says))
}

/// A person approves a newcomer that waits: it is let in, and hears so when it asks next. Expiry was judged when it came.
/// Spec: INVITATION-7.1
pub(crate) fn approve(
    room: &mut Room,
    ask: Ask,
    invitation: InvitationId,
    newcomer: DeviceId,
    draws: &mut Draws,
) -> Result<(), Refusal> {
    room.may_change_members()?;
    let kept = room.newcomers.get(&invitation, &newcomer).map(|newcomer| newcomer.kept.clone());
    let Some(Kept::Waits(redemption)) = kept else { return Err(nobody(&newcomer)) };
    let Some(state) = hosted(room, &invitation) else {
        let message = "the invitation was revoked, or this identity may not grant its role any more";
        return Err(Refusal::new(RefusalKind::Refused, "revoked", message, "issue another link"));
    };
    if state.left == 0 {
        let message = "the invitation was redeemed by others, as often as it may be";
        return Err(Refusal::new(RefusalKind::Refused, "used_invitation", message, "issue another link"));
    }
    let statement = redemption.statement();
    if room.membership.resolution().is_turned_away(&invitation, &statement.identity, &statement.device) {
        let message = "this newcomer was removed from the space after the invitation was issued";
        return Err(Refusal::new(RefusalKind::Refused, "removed", message, "issue another link"));
    }
    let purpose = Purpose::Approval { ask, invitation, newcomer };
    write(room, invitation, &redemption, purpose, draws).map_err(|_| busy())
}

/// Takes an invitation back; who redeemed it so far stays. Spec: INVITATION-8
pub(crate) fn revoke(room: &mut Room, ask: Ask, invitation: InvitationId) -> Result<(), Refusal> {
    room.may_change_members()?;
    let resolution = room.membership.resolution();
    let state = resolution.invitation(&invitation).ok_or_else(|| {
        let message = format!("there is no invitation {invitation} in the space");
        Refusal::new(RefusalKind::NotFound, "unknown_invitation", message, "`weft invitation list` lists them")
    })?;
    if !resolution.may_revoke(&room.me.identity, &state) {
        let message = "an invitation is revoked by who issued it, or by an admin or owner who outranks that one";
        return Err(Refusal::new(RefusalKind::Refused, "wrong_role", message, "ask who issued it"));
    }
    // A redemption on its way to the disk would not be among those that are named as standing, and be void.
    if room.redeeming.contains(&invitation) {
        return Err(busy());
    }
    let standing = u32::try_from(state.redemptions.len()).unwrap_or(u32::MAX);
    let body = compose::invitation_revoked(room.space, invitation, state.standing);
    room.redeeming.insert(invitation);
    let purpose = Purpose::Revocation { ask, invitation, standing };
    room.invite(Draft { kind: kind::CONTROL, session: 0, bodies: vec![body], purpose });
    Ok(())
}

/// Nobody waits under this device.
pub(crate) fn nobody(newcomer: &DeviceId) -> Refusal {
    let message = format!("no newcomer with the device {newcomer} waits at this device");
    let hint = "`weft invitation list` shows who waits; a newcomer waits at the devices that it has reached";
    Refusal::new(RefusalKind::NotFound, "unknown_newcomer", message, hint)
}

fn busy() -> Refusal {
    let message = "a newcomer is being let in by this invitation just now";
    Refusal::new(RefusalKind::Failed, "busy", message, "try again in a moment")
}

/// Whether the newcomer of this redemption is let in already, with these feeds, and still is one of the space.
pub(crate) fn stands(room: &Room, redemption: &Redemption) -> bool {
    let statement = redemption.statement();
    let resolution = room.membership.resolution();
    let invitation = resolution.invitation(&invitation_id(&statement.space, &statement.invitation));
    let by = (statement.identity, statement.device);
    invitation.is_some_and(|state| state.redemptions.contains(&by))
        && resolution.device(&statement.device).is_some()
        && redemption.feeds().iter().all(|feed| resolution.feed(feed).is_some_and(|feed| feed.counts))
}

#[cfg(test)]
mod tests {
    use weft_crypto::PreKeyId;

    use super::has_usable_keys;
    use crate::room::newcomers::tests::{redemption, with_keys};

    /// Spec: SPACE-5.1
    #[test]
    fn a_newcomer_has_two_keys_to_which_something_can_be_sealed() {
        let small = Some(PreKeyId::from_bytes([0; 32]));
        assert!(has_usable_keys(&redemption(1)));
        assert!(!has_usable_keys(&with_keys(1, small, None)));
        assert!(!has_usable_keys(&with_keys(1, None, small)));
    }
}
