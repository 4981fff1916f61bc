//! Sibling → membership → own control feed: another device of this identity is let in.

use weft_credential::DeviceLinked;
use weft_crypto::lockbox;
use weft_feed::kind;
use weft_invitation::Reason;
use weft_machine::Draws;
use weft_space::compose;

use super::membership;
use crate::{
    commands::actor,
    io::StreamId,
    room::{
        Room,
        own::{Draft, Purpose},
    },
};

/// What becomes of a sibling that is not refused.
pub(crate) enum LetIn {
    /// The entry is on its way to the disk.
    Ordered,
    /// It is in already.
    Stands,
}

/// Orders the one entry that lets a sibling in, unless it is in already. Spec: SPACE-15.1, PEER-15.2
pub(crate) fn let_in(
    room: &mut Room,
    stream: StreamId,
    linked: &DeviceLinked,
    draws: &mut Draws,
) -> Result<LetIn, Reason> {
    let statement = linked.statement();
    let me = room.me.clone();
    let resolution = room.membership.resolution();
    let member = resolution.member(&me.identity).ok_or(Reason::NotValid)?;
    if member.devices.contains(&statement.device) {
        let here = linked.feeds().iter().all(|feed| resolution.feed(feed).is_some_and(|feed| feed.counts));
        return if here { Ok(LetIn::Stands) } else { Err(Reason::NotValid) };
    }
    if resolution.had_device(&statement.device) {
        return Err(Reason::NotValid);
    }
    if member.devices.len() >= weft_space::limits::DEVICES_MAX as usize {
        return Err(Reason::UsedUp);
    }
    if !lockbox::is_usable(&statement.pre_key) {
        return Err(Reason::Malformed);
    }
    membership::may_speak(room).map_err(|_| Reason::Busy)?;
    let epoch = room.epoch.and_then(|epoch| room.keys.secrets(&epoch).map(|secrets| (epoch, secrets)));
    let epoch = epoch.as_ref().map(|(epoch, secrets)| (epoch, *secrets));
    let body = compose::linked_entry(&actor(&me), linked, epoch, draws).map_err(|_| Reason::Malformed)?;
    room.control.push(Draft {
        kind: kind::CONTROL,
        session: 0,
        bodies: vec![body],
        purpose: Purpose::LetIn { stream },
    });
    Ok(LetIn::Ordered)
}
