//! Order → membership: control entries become members, devices, feeds and epochs.

use std::collections::BTreeMap;

use weft_crypto::{Dep, FeedId, IdentityId};
use weft_feed::{
    Run, entry_id, leaf,
    order::{OrderOutput, Released},
};
use weft_machine::Time;
use weft_space::{Changes, ControlEntry};

use crate::{
    command::{Refusal, RefusalKind},
    outbox::{Outbox, Purpose},
    room::{Effect, Room},
    store::{Batch, Write},
};

/// Reads what the order of the control feeds releases. Spec: PEER-2, step 5
pub(crate) fn pump(room: &mut Room, now: Time, outbox: &mut Outbox) {
    while let Some(output) = room.control_order.poll() {
        match output {
            OrderOutput::Released(released) => {
                let (feed, length) = (released.feed, released.run.end());
                let entries = read(room, released);
                let changes = room.membership.insert(entries);
                apply(room, now, changes, outbox);
                // After the changes of verdicts, in one batch with them.
                room.derived.judged_by(room.space, &feed, length);
            }
            OrderOutput::Need { feed, from, bytes_max } => {
                outbox.read(Purpose::RoomRead(room.space, feed), feed, from, bytes_max);
            }
            OrderOutput::Refused { feed, seq, violation } => room.refused(feed, seq, violation.to_string()),
            OrderOutput::Contradicted { .. } => {}
        }
    }
}

/// Takes a released run of a control feed, and gives what the membership is to read.
pub(crate) fn read(room: &mut Room, released: Released) -> Vec<ControlEntry> {
    let Released { feed, run, past, changes, head } = released;
    let entries = entries(room, feed, &run, &past);
    room.data_order.advanced(feed, run.end(), &changes).expect("what one order released another one takes");
    room.control_changes.push((feed, run.end(), changes));
    super::own::released(room, feed, run.end(), head);
    entries
}

/// All rows were dropped: those that say by how much of the control feeds they are judged are written again.
pub(crate) fn write_again(room: &mut Room) {
    let read: BTreeMap<FeedId, u64> = room.control_changes.iter().map(|(feed, length, _)| (*feed, *length)).collect();
    for (feed, length) in read {
        room.derived.judged_by(room.space, &feed, length);
    }
}

fn entries(room: &Room, feed: FeedId, run: &Run, past: &[(u64, std::sync::Arc<weft_feed::Past>)]) -> Vec<ControlEntry> {
    let mut entries = Vec::new();
    for entry in run.entries() {
        let past = super::replay::past_of(past, entry.seq);
        let id = entry_id(&feed, entry.seq, &leaf(entry.header.bytes()));
        let body = run.share(entry.body.expect("control bodies are always here"));
        let reach = |dep: Dep| (dep.feed, room.control_order.reach(&feed, entry.seq, &dep));
        let named = entry.header.deps().map(reach).collect();
        let read = ControlEntry::read(&room.space, feed, entry.seq, id, (*past).clone(), &body);
        entries.push(read.naming(named));
    }
    entries
}

/// Makes membership's changes known in the room and beyond.
fn apply(room: &mut Room, now: Time, changes: Changes, outbox: &mut Outbox) {
    let mut writes = Vec::new();
    for feed in &changes.feeds_admitted {
        if let Some(write) = admit(room, now, *feed) {
            writes.push(write);
        }
        let entry = room.ledger.get(feed).expect("admitted just now");
        room.effects.push_back(Effect::Admitted(entry.held(*feed)));
    }
    if !writes.is_empty() {
        room.persist_rows(Batch { writes, durable: true }, outbox);
    }
    if changes.lockboxes || !changes.epochs_started.is_empty() {
        learn_keys(room);
    }
    room.refresh_epoch();
    let doors = !changes.devices_admitted.is_empty()
        || !changes.devices_gone.is_empty()
        || !changes.epochs_started.is_empty()
        || changes.lockboxes;
    if doors {
        room.effects.push_back(Effect::Judge);
    }
    room.quarantine.stale |= !changes.verdicts_changed.is_empty() || !changes.devices_gone.is_empty();
    super::rereads::changed(room, now, changes.verdicts_changed.into_iter().map(|feed| (feed, 0)));
    if !changes.epochs_revived.is_empty() {
        // Objects do not list what was passed over.
        room.rederive();
    }
    room.forks_changed(now, &changes.forks);
    super::clients::resolved(room);
    room.say_profile(now);
}

/// A feed that membership admits becomes one that is held, ordered and told.
pub(crate) fn admit(room: &mut Room, now: Time, feed: FeedId) -> Option<Write> {
    let new = learn(room, now, feed);
    if room.ledger.get(&feed).expect("learned just now").manifest.purpose == weft_crypto::Purpose::Data {
        room.data_order.admit(feed, 0, weft_feed::past::History::new());
    }
    new
}

/// The same for a feed that was admitted before the room was opened: its data is ordered from where it was replayed to.
pub(crate) fn learn(room: &mut Room, now: Time, feed: FeedId) -> Option<Write> {
    let admitted = room.membership.resolution().feed(&feed).expect("membership said so");
    let signed = room.signed_manifest(&feed).expect("membership admits only manifests that it has seen");
    let new = room.ledger.learn(feed, admitted.manifest, signed.clone());
    room.ledger.get_mut(&feed).expect("learned just now").admitted = true;
    super::sources::admitted(room, now, feed);
    if admitted.manifest.purpose == weft_crypto::Purpose::Control {
        room.control_order.admit(feed, 0, weft_feed::past::History::new());
    } else {
        super::clients::admitted(room, feed);
    }
    new.then_some(Write::Feed { feed, space: room.space, manifest: signed })
}

/// Opens the lockboxes that are sealed to this device, and what earlier epochs follow from them. What was replayed before it could be read
/// is replayed again. Spec: PEER-14
pub(crate) fn learn_keys(room: &mut Room) {
    let pre_keys = room.pre_keys.all();
    let learned = room.keys.learn(room.membership.resolution(), &room.me.device.id(), pre_keys);
    let late = learned.opened.iter().filter(|epoch| room.unopened.remove(*epoch)).count();
    if late > 0 {
        room.rederive();
    }
}

/// Why nothing can be written in the space now, if that is so.
pub(crate) fn may_write(room: &Room) -> Result<(), Refusal> {
    may_speak(room)?;
    let role = room.membership.resolution().role_of(&room.me.identity);
    if let Some(role) = role.filter(|role| !role.may_write()) {
        let what = format!("this identity is {} in the space and may not write", super::with_article(role.word()));
        return Err(wrong_role(what));
    }
    if room.clients.is_void(&(room.data.feed, 0)) {
        let message = "this device would write under a client id that a feed of the space had before it";
        let hint = "join the space with another device";
        return Err(Refusal::new(RefusalKind::Refused, "client_taken", message, hint));
    }
    if room.epoch.is_none() {
        let message = "this device holds no key of an epoch that may be written under";
        return Err(Refusal::new(
            RefusalKind::Refused,
            "no_epoch",
            message,
            "connect to another member, then try again",
        ));
    }
    Ok(())
}

fn wrong_role(what: String) -> Refusal {
    let hint = "ask an owner or admin of the space for another role";
    Refusal::new(RefusalKind::Refused, "wrong_role", what, hint)
}

fn no_member(removed_by: Option<IdentityId>, me: &IdentityId) -> Refusal {
    let hint = "what is here can still be read; `weft space delete SPACE` takes it off this device";
    let (code, message) = match removed_by {
        Some(by) if by == *me => ("left_space", "this identity has left the space".to_owned()),
        Some(by) => ("removed_member", format!("this identity was removed from the space by {by}")),
        None => return wrong_role("this identity is no member of the space".to_owned()),
    };
    Refusal::new(RefusalKind::Refused, code, message, hint)
}

/// Why this device can write no control entry in the space now, if that is so: whatever its role lets it say there.
pub(crate) fn may_speak(room: &Room) -> Result<(), Refusal> {
    if room.is_ousted {
        return Err(super::acts::this_device_removed());
    }
    let resolution = room.membership.resolution();
    if let Some(stop) = resolution.write_stop() {
        let hint = "update weft; what is there can still be read and replicated";
        return Err(Refusal::new(RefusalKind::Refused, "write_stop", stop.to_string(), hint));
    }
    if resolution.role_of(&room.me.identity).is_none() {
        return Err(no_member(resolution.removed_by(&room.me.identity), &room.me.identity));
    }
    if resolution.device(&room.me.device.id()).is_none() {
        return Err(Refusal::new(
            RefusalKind::Refused,
            "device_removed",
            "this device was removed from the space",
            "another device of yours, or an owner or admin of the space, can say why; a new device can be invited",
        ));
    }
    is_one_log(room)?;
    for feed in [room.data.feed, room.control.feed] {
        if resolution.stands(&feed).is_some() {
            return Err(Refusal::new(
                RefusalKind::Refused,
                "feed_closed",
                format!("this device's feed {feed} was closed"),
                "ask the owner or admin who closed it",
            ));
        }
    }
    if let Some(refusal) = room.refusal_while_unsure() {
        return Err(refusal);
    }
    Ok(())
}

/// Whether nothing is known of a second log of an own feed: else this device writes no more. Spec: PEER-4
pub(crate) fn is_one_log(room: &Room) -> Result<(), Refusal> {
    let Some(forked) = [room.data.feed, room.control.feed].into_iter().find(|feed| room.is_forked(feed)) else {
        return Ok(());
    };
    let message = format!(
        "this device's feed {forked} is forked: two logs of it were signed, as by an older or another copy of its data folder"
    );
    let hint = "another device of yours, or an admin, has to admit this device anew";
    Err(Refusal::new(RefusalKind::Refused, "feed_stopped", message, hint))
}
