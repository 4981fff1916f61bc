//! Drafts → own feeds → facts.

use std::sync::Arc;

use weft_crypto::{Dep, EpochId, FeedId, Purpose as FeedPurpose};
use weft_feed::{Checkpoint, acknowledged::Acknowledged};
use weft_machine::{ClaimedTime, Draws, Machine as _, Time};
use weft_space::Place;

use crate::{
    command::{Acted, Answer, Refusal, RefusalKind},
    io::{Output, Ticket},
    outbox::{Outbox, Purpose as OrderPurpose},
    room::{
        Effect, Persisting, Room,
        own::{Draft, OwnFeed, Placed, Purpose},
    },
    store::{Batch, Write},
};

/// Writes what waits for this device's feeds, one batch a feed at a time. Spec: PEER-3
pub(crate) fn write(room: &mut Room, now: Time, claimed: ClaimedTime, draws: &mut Draws, outbox: &mut Outbox) {
    for feed in [room.control.feed, room.data.feed] {
        go_on_from_adopted(room, now, feed);
    }
    if !room.knows_its_ends(outbox) {
        return;
    }
    if let Err(refusal) = super::membership::is_one_log(room) {
        give_up(room, now, &refusal, outbox);
    }
    if room.control.is_ready() && takes(room, &room.control) && super::naming::pump(room, FeedPurpose::Control, outbox)
    {
        if room.control.bears_witness() {
            let news = Acknowledged::new(room.control.feed, room.control.news.past().clone());
            room.control.news = hear_all(room, news.plainly(room.control.named()), true);
        }
        let ranges = room.control.compose(claimed, None, room.config.batch_bytes_max, |_, _, body| body.clone());
        order(room, room.control.feed, ranges, outbox);
    }
    if room.data.is_ready() && super::naming::pump(room, FeedPurpose::Data, outbox) {
        match (room.may_write(), epoch_named(room)) {
            (Ok(()), Some(epoch)) if takes(room, &room.data) => {
                let keys =
                    room.keys.body_keys(&epoch, &room.data.feed).expect("an epoch is written under when it is open");
                let seal = |seq, kind, plaintext: &bytes::Bytes| keys.seal(seq, kind, draws.draw16(), plaintext);
                let ranges = room.data.compose(claimed, Some(epoch), room.config.batch_bytes_max, seal);
                order(room, room.data.feed, ranges, outbox);
            }
            (Err(refusal), _) => {
                let drafts = room.data.give_up();
                fail(room, now, drafts, &refusal, outbox);
            }
            (Ok(()), _) => {}
        }
    }
}

/// The epoch to write under, of those whose start the next data entry has in its past: what is sealed under another one counts nowhere.
/// Everything that is released can be named, unless it cannot be read again. Spec: SPACE-7.3
fn epoch_named(room: &Room) -> Option<EpochId> {
    let resolution = room.membership.resolution();
    let is_named = |epoch: &EpochId| {
        let known = resolution.epoch(epoch);
        known.is_some_and(|epoch| epoch.places.iter().any(|place| room.data.news.reaches(&place.feed) > place.seq))
    };
    let current = room.epoch?;
    if is_named(&current) {
        return Some(current);
    }
    resolution.writable_epoch(|epoch| room.keys.may_use(epoch) && is_named(epoch))
}

/// Whether a batch would go on where the feed ends: nothing of it is on its way back from a peer, and nothing has failed.
fn takes(room: &Room, own: &OwnFeed) -> bool {
    room.ledger.get(&own.feed).is_some_and(|entry| entry.takes(own.length()))
}

fn own(room: &mut Room, feed: FeedId) -> &mut OwnFeed {
    if feed == room.control.feed { &mut room.control } else { &mut room.data }
}

fn order(room: &mut Room, feed: FeedId, ranges: Vec<weft_feed::VerifiedRange>, outbox: &mut Outbox) {
    let ranges: Vec<Arc<_>> = ranges.into_iter().map(Arc::new).collect();
    for range in &ranges {
        let offer = room.ledger.offer(range);
        assert_eq!(offer, crate::room::ledger::Offer::Order, "the only writer of a feed goes on where it ends");
    }
    let writes = room.ledger.announced(ranges.iter().cloned().map(Write::Range));
    let ticket = outbox.persist(OrderPurpose::RoomPersist(room.space), Batch { writes, durable: true });
    room.persisting.insert(ticket, Persisting::Own { feed, ranges });
    own(room, feed).ordered(ticket);
}

/// A batch is durable.
pub(crate) fn landed(room: &mut Room, feed: FeedId, ticket: Ticket, outbox: &mut Outbox) {
    for Placed { draft, from } in own(room, feed).landed(ticket) {
        match draft.purpose {
            Purpose::Records(ask) => {
                let count = draft.bodies.len() as u64;
                outbox.push(Output::Answer { ask, result: Ok(Answer::Appended { feed, from, count }) });
            }
            Purpose::Mutation(write) => {
                room.written.insert(from, write);
            }
            Purpose::Invitation { ask, link, invitation, hosts } => {
                outbox.push(Output::Answer { ask, result: Ok(Answer::Invited { link, invitation, hosts }) });
            }
            Purpose::Approval { ask, invitation, newcomer } => {
                room.redeeming.remove(&invitation);
                let writes = vec![room.newcomers.forget(&room.space, invitation, newcomer)];
                room.persist_rows(Batch { writes, durable: false }, outbox);
                outbox.push(Output::Answer { ask, result: Ok(Answer::NewcomerApproved) });
            }
            Purpose::Revocation { ask, invitation, standing } => {
                room.redeeming.remove(&invitation);
                outbox.push(Output::Answer { ask, result: Ok(Answer::InvitationRevoked { standing }) });
            }
            Purpose::Act { ask, counts, epoch } => {
                let acted = Acted { act: Place { feed, seq: from, part: 0 }, counts, epoch };
                outbox.push(Output::Answer { ask, result: Ok(Answer::Acted(acted)) });
            }
            Purpose::Upkeep => room.upkeep.written(),
            Purpose::Witness(_) => {}
            Purpose::Redemption { stream, invitation } => {
                room.redeeming.remove(&invitation);
                room.effects.push_back(Effect::Redeemed(stream));
            }
            Purpose::LetIn { stream } => room.effects.push_back(Effect::LetIn(stream)),
            Purpose::Carried { device } => drop(room.carried.remove(&device)),
        }
    }
}

/// What waits for the own feeds is not written here any more.
pub(crate) fn give_up(room: &mut Room, now: Time, refusal: &Refusal, outbox: &mut Outbox) {
    let drafts = room.control.give_up().into_iter().chain(room.data.give_up()).collect();
    fail(room, now, drafts, refusal, outbox);
}

/// A batch was not written.
pub(crate) fn failed(room: &mut Room, now: Time, feed: FeedId, ticket: Ticket, reason: &str, outbox: &mut Outbox) {
    let drafts = own(room, feed).failed(ticket);
    let refusal = not_stored(reason);
    fail(room, now, drafts, &refusal, outbox);
}

/// The store did not keep something.
pub(crate) fn not_stored(reason: &str) -> Refusal {
    let message = format!("the store did not keep it: {reason}");
    Refusal::new(
        RefusalKind::Store,
        "store_failed",
        message,
        "make room on the disk, or make it writable; then try again",
    )
}

fn fail(room: &mut Room, now: Time, drafts: Vec<Draft>, refusal: &Refusal, outbox: &mut Outbox) {
    for draft in drafts {
        match draft.purpose {
            Purpose::Records(ask) | Purpose::Invitation { ask, .. } | Purpose::Act { ask, .. } => {
                outbox.push(Output::Answer { ask, result: Err(refusal.clone()) });
            }
            Purpose::Mutation(ticket) => room.echo.handle_input(now, weft_echo::Input::WriteFailed { ticket }),
            Purpose::Upkeep => room.upkeep.failed(now),
            Purpose::Witness(feed) => room.witness_failed(&feed),
            Purpose::Approval { ask, invitation, .. } | Purpose::Revocation { ask, invitation, .. } => {
                room.redeeming.remove(&invitation);
                outbox.push(Output::Answer { ask, result: Err(refusal.clone()) });
            }
            Purpose::Redemption { stream, invitation } => {
                room.redeeming.remove(&invitation);
                room.effects.push_back(Effect::RedemptionFailed(stream));
            }
            Purpose::LetIn { stream } => room.effects.push_back(Effect::NotLetIn(stream)),
            Purpose::Carried { device } => drop(room.carried.remove(&device)),
        }
    }
}

/// A longer log of an own feed came back and is released: the writer goes on from there. Spec: PEER-3.1
fn go_on_from_adopted(room: &mut Room, now: Time, feed: FeedId) {
    if !own(room, feed).is_stale() {
        return;
    }
    let control = feed == room.control.feed;
    let order = room.order(&feed);
    let tree = room.ledger.get(&feed).expect("own feeds are known").tree.clone();
    if order.released(&feed) != tree.length() {
        return;
    }
    let state = Checkpoint { named: order.named(&feed), tree };
    let news = news_of(room, feed, control);
    let length = state.tree.length();
    own(room, feed).adopt(state, news);
    if !control {
        room.echo.handle_input(now, weft_echo::Input::Owned { length });
    }
}

/// Entries of a feed are released, up to so many: the next own entries name the newest head among them. Half of what a head covers is
/// named when something is written. Own entries are in the past of the next one without being named. Spec: PEER-3.2
pub(crate) fn released(room: &mut Room, feed: FeedId, length: u64, head: Option<Dep>) {
    if feed == room.control.feed || feed == room.data.feed || head.is_some_and(|head| head.length == length) {
        room.naming.is_named(&feed);
    } else {
        room.naming.is_wanted(feed);
    }
    if let Some(head) = head {
        heard(room, head);
    }
}

/// So much of a feed can be named by own entries from now on: a control feed by those of both feeds.
pub(crate) fn heard(room: &mut Room, named: Dep) {
    let Some(past) = room.order(&named.feed).past_at(&named.feed, named.length) else { return };
    if room.is_control(&named.feed) {
        room.control.news.heard(named, past.clone());
    }
    room.data.news.heard(named, past);
}

/// Everything that an own feed has not acknowledged yet, from what is released here.
pub(crate) fn news_of(room: &Room, feed: FeedId, control: bool) -> Acknowledged {
    let order = room.order(&feed);
    let length = order.released(&feed);
    let past = order.past_at(&feed, length).map(|past| (*past).clone()).unwrap_or_default();
    hear_all(room, Acknowledged::new(feed, past).having_named(order.named(&feed)), control)
}

/// Everything that can be named.
fn hear_all(room: &Room, mut news: Acknowledged, control: bool) -> Acknowledged {
    for (other, entry) in room.ledger.iter().filter(|(other, _)| !control || room.is_control(other)) {
        let released = room.order(other).released(other);
        let head = entry.head.filter(|head| head.length <= released).map(|head| head.dep());
        if let Some(named) = head.or_else(|| room.naming.name(other, released))
            && let Some(past) = room.order(other).past_at(other, named.length)
        {
            news.heard(named, past);
        }
    }
    news
}
