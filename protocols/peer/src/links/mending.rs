//! Store → sessions → store: what is damaged here comes from others again.

use weft_crypto::DeviceId;
use weft_feed::VerifiedRange;
use weft_machine::Time;

use crate::{
    event::Event,
    outbox::{Outbox, Purpose},
    room::{Effect, Persisting, Room},
    store::{Batch, Damage},
};

/// The store found stored bytes that are not what was signed. Spec: PEER-8
pub(crate) fn found(room: &mut Room, now: Time, damage: Damage, outbox: &mut Outbox) {
    let (feed, seq, space) = (damage.feed, damage.entry, room.space);
    if room.mending.found(now, damage) {
        outbox.event(Event::Damaged { space, feed, seq });
    }
}

/// Asks for what is damaged.
pub(crate) fn pump(room: &mut Room, now: Time) {
    let sources = &room.sources;
    let questions = room.mending.questions(now, |feed, length| sources.holders(feed, length));
    room.effects.extend(questions.into_iter().map(Effect::Mend));
}

/// A verified range of a damaged part.
pub(crate) fn came(room: &mut Room, now: Time, device: DeviceId, range: &VerifiedRange, outbox: &mut Outbox) {
    let Some(write) = room.mending.came(now, device, range) else { return };
    let batch = Batch { writes: vec![write], durable: true };
    let ticket = outbox.persist(Purpose::RoomPersist(room.space), batch);
    room.persisting.insert(ticket, Persisting::Mend { feed: range.feed() });
}

/// It is stored again: whoever waited for it reads on.
pub(crate) fn written(room: &mut Room, feed: weft_crypto::FeedId, outbox: &mut Outbox) {
    let Some(damage) = room.mending.written(&feed) else { return };
    outbox.event(Event::Mended { space: room.space, feed, seq: damage.entry });
    let Some(entry) = room.ledger.get(&feed) else { return };
    let held = entry.tree.length();
    match entry.manifest.purpose {
        weft_crypto::Purpose::Control => room.control_order.extended(feed, held, None),
        weft_crypto::Purpose::Data => room.data_order.extended(feed, held, None),
    }
}
