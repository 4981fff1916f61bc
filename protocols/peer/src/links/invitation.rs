//! Host → membership → own control feed: a redemption is judged and written down.

use bytes::Bytes;
use weft_credential::{Credential, History, Redemption, invitation_id};
use weft_crypto::DeviceId;
use weft_feed::kind;
use weft_invitation::{Reason, Standing, judge};
use weft_machine::Draws;
use weft_space::compose;

use crate::{
    commands::actor,
    io::StreamId,
    me::Me,
    room::{
        Room,
        own::{Draft, Purpose},
    },
};

/// What becomes of a redemption that is let in.
pub(crate) enum Redeemed {
    /// It is on its way to the disk.
    Ordered,
    /// It stands already: the newcomer asks again, since it did not hear the answer.
    Stands,
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
    let me = room.me.clone();
    let resolution = room.membership.resolution();
    let known = resolution.invitation(&invitation).filter(|state| state.device == me.device.id());
    if known.as_ref().is_some_and(|state| stands(room, state, redemption)) {
        return Ok(Redeemed::Stands);
    }
    judge(known.map(|state| Standing { left: state.left, expires_ms: state.expires_ms }), now_ms)?;
    let taken: Option<DeviceId> = resolution
        .device(&statement.device)
        .filter(|known| known.identity != statement.identity)
        .map(|_| statement.device);
    if taken.is_some() {
        return Err(Reason::Malformed);
    }
    if room.redeeming.contains(&invitation) || room.may_change_members().is_err() {
        return Err(Reason::Busy);
    }
    let body = redeemed(room, &me, redemption, draws).ok_or(Reason::Malformed)?;
    room.redeeming.insert(invitation);
    let purpose = Purpose::Redemption { stream, invitation };
    room.invite(Draft { kind: kind::CONTROL, session: 0, bodies: vec![body], purpose });
    Ok(Redeemed::Ordered)
}

/// The body of the entry that lets a newcomer in. Where it is to read nothing of the time before, a new epoch begins in it.
/// Spec: SPACE-6.2, SPACE-7.6
fn redeemed(room: &Room, me: &Me, redemption: &Redemption, draws: &mut Draws) -> Option<Bytes> {
    let from_joining = room.membership.resolution().history() == History::FromJoining;
    let epoch = room.epoch.filter(|_| !from_joining);
    let epoch = epoch.and_then(|epoch| room.keys.secrets(&epoch).map(|secrets| (epoch, secrets)));
    let epoch = epoch.as_ref().map(|(epoch, secrets)| (epoch, *secrets));
    let mut says = compose::redeemed(&actor(me), redemption, epoch, draws).ok()?;
    if from_joining {
        let foreseen = room.membership.foresee(room.control.feed, says.clone()).ok()?;
        says.push(Credential::EpochStarted(super::acts::begin(room, &foreseen.resolution, draws).ok()?));
    }
    Some(compose::body(room.space, says))
}

/// Whether this very redemption counts already: by this identity and device, with these feeds.
fn stands(room: &Room, state: &weft_space::InvitationState, redemption: &Redemption) -> bool {
    let statement = redemption.statement();
    let by = (statement.identity, statement.device);
    let Ok(feeds) = redemption.feeds() else { return false };
    let resolution = room.membership.resolution();
    state.redemptions.contains(&by) && feeds.iter().all(|feed| resolution.feed(feed).is_some_and(|feed| feed.counts))
}
