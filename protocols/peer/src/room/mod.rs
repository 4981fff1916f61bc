//! A room: one space, without its connections.
//!
//! It owns the parts and routes between them; the parts do the work. What happens in which order is in `specs/peer.md`.
//!
//! ```text
//!   verified range ─► ledger ─► Persist ─► durable ─► order ─┬─ control ─► membership ─► who may do what
//!                                  ▲                         └─ data ─► verdict ─► bodies opened ─► ECHO ─► rows
//!   application ─► drafts ─────────┘ (own feeds)                                                      │
//!        ▲                                                                                            │
//!        └───────────────────────────── answers, when they can be read ◄──────────────────────────────┘
//! ```

mod asks;
mod circles;
pub(crate) mod clients;
mod closing;
pub(crate) mod derived;
pub(crate) mod drafts;
mod elsewhere;
pub(crate) mod enter;
mod facts;
pub(crate) mod forks;
pub(crate) mod ledger;
pub(crate) mod mending;
pub(crate) mod newcomers;
pub(crate) mod own;
pub(crate) mod pre_keys;
pub(crate) mod quarantine;
mod quarantined;
mod replacing;
pub(crate) mod replay;
mod report;
pub(crate) mod rereads;
pub(crate) mod sessions;
mod suspected;
pub(crate) mod unsure;
pub(crate) mod upkeep;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use weft_credential::Credential;
use weft_crypto::{DeviceId, EpochId, FeedId, Head, InvitationId, ObjectId, Purpose as FeedPurpose, SpaceId};
use weft_echo::{Echo, Edit, EditTicket, LoadTicket, WriteTicket};
use weft_feed::{Tree, VerifiedRange, order::Order};
use weft_machine::{ClaimedTime, Draws, Machine, Time};
use weft_replication::{Held, sources::Sources};
use weft_space::{Keys, Space};

use self::{
    derived::Derived, ledger::Ledger, mending::Mending, newcomers::Newcomers, own::OwnFeed, pre_keys::PreKeys,
    replay::Replay, rereads::Rereads, unsure::Unsure, upkeep::Upkeep,
};
use crate::{
    command::Answer,
    config::Config,
    event::Event,
    io::{Ask, Output, StreamId, Ticket},
    links, local,
    me::Me,
    outbox::Outbox,
    store::{Batch, Write},
};

/// What a room wants of the rest of the peer.
#[derive(Debug)]
pub(crate) enum Effect {
    /// More of a feed is durable: tell every session.
    Extended(Arc<VerifiedRange>),
    /// A feed is admitted: tell every session.
    Admitted(Held),
    /// A feed is stopped: tell every session.
    Stopped(FeedId),
    /// Up to where a feed stands, if it is cut: tell every session.
    Stands(FeedId, Option<u64>),
    /// Fetch the feed from this device.
    Fetch(DeviceId, FeedId),
    /// Fetch a damaged part again.
    Mend(mending::Question),
    /// Fetch it from there no longer.
    Cease(DeviceId, FeedId),
    /// A range of this session is durable or was set aside.
    Persisted(DeviceId, weft_replication::Ticket),
    /// The store did not keep what this session brought: begin again with it.
    Reset(DeviceId),
    /// What is durable is not what the room was opened on: open it anew.
    Reopen,
    /// Members, devices or epochs changed: judge every door again.
    Judge,
    /// The redemption that came over this stream is durable.
    Redeemed(StreamId),
    /// It could not be written.
    RedemptionFailed(StreamId),
    /// The entry that lets the sibling on this stream in is durable.
    LetIn(StreamId),
    /// It could not be written.
    NotLetIn(StreamId),
    /// It is kept, durably, until a person approves it.
    RedemptionKept(StreamId),
}

/// What an edit was for.
#[derive(Debug)]
pub(crate) enum EditPurpose {
    /// An application asked.
    Ask(Ask),
    /// A document instance sent it.
    Update(Ask),
    /// The space gets its name, and then its maker an answer.
    SpaceName(Ask),
    /// This member says its name; nobody waits.
    Profile,
}

/// A batch of feed entries on its way to the disk.
#[derive(Debug)]
pub(crate) enum Persisting {
    Remote {
        device: DeviceId,
        session: weft_replication::Ticket,
        range: Arc<VerifiedRange>,
    },
    Own {
        feed: FeedId,
        ranges: Vec<Arc<VerifiedRange>>,
    },
    Mend {
        feed: FeedId,
    },
    /// Other histories of forked feeds, and where they end.
    Replaced {
        feeds: Vec<(FeedId, Option<(Head, Tree)>)>,
    },
    /// A newcomer that waits is kept, or what a person said of one.
    Newcomer(Saying),
    /// A new pre-key.
    PreKeys,
    /// A session's number is taken.
    Session {
        ask: Ask,
        session: u64,
    },
    /// A draft is kept or dropped.
    Draft(drafts::Change),
    Rows,
}

/// Who is to hear that something of a newcomer is durable.
#[derive(Debug)]
pub(crate) enum Saying {
    /// The newcomer: it waits.
    Waits { stream: StreamId, invitation: InvitationId, newcomer: DeviceId },
    /// The person who denied it.
    Denied(Ask),
}

/// How a rebuild stands.
#[derive(Debug)]
pub(crate) enum Rebuild {
    /// Own writes finish first.
    Wanted,
    /// Everything up to here is replayed.
    Replaying { until: BTreeMap<FeedId, u64> },
}

/// How it stands with a room that is opened anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reopening {
    /// What it will be opened on is on its way to the disk.
    Writing,
    /// It is there, and nobody comes in.
    Closed,
}

/// One space.
pub(crate) struct Room {
    pub(crate) space: SpaceId,
    pub(crate) me: Arc<Me>,
    pub(crate) config: Arc<Config>,
    pub(crate) ledger: Ledger,
    pub(crate) control_order: Order,
    pub(crate) data_order: Order,
    pub(crate) membership: Space,
    pub(crate) keys: Keys,
    pub(crate) pre_keys: PreKeys,
    pub(crate) control: OwnFeed,
    pub(crate) data: OwnFeed,
    /// The epoch to write under, if one is open.
    pub(crate) epoch: Option<EpochId>,
    pub(crate) upkeep: Upkeep,
    /// Epochs whose content secret is not held: what is sealed under them was replayed unread, if it was.
    pub(crate) unopened: BTreeSet<EpochId>,
    pub(crate) replay: Replay,
    pub(crate) naming: links::naming::Naming,
    pub(crate) echo: Echo,
    /// Which client ids are used, and by whom.
    pub(crate) clients: clients::Clients,
    /// Feeds that stand up to a cut only.
    pub(crate) quarantine: quarantine::Quarantine,
    /// Objects that ECHO makes again.
    pub(crate) rereads: Rereads,
    pub(crate) derived: Derived,
    pub(crate) sources: Sources,
    pub(crate) mending: Mending,
    pub(crate) forks: forks::Forks,
    pub(crate) circles: circles::Circles,
    pub(crate) suspected: suspected::Suspected,
    pub(crate) persisting: BTreeMap<Ticket, Persisting>,
    pub(crate) next_edit: u64,
    pub(crate) edits: BTreeMap<EditTicket, EditPurpose>,
    /// Edits that wait for a rebuild to begin.
    pub(crate) edits_waiting: VecDeque<(Edit, EditPurpose)>,
    /// Entries of the own data feed that ECHO wrote and waits for.
    pub(crate) written: BTreeMap<u64, WriteTicket>,
    pub(crate) loads: BTreeMap<Ticket, LoadTicket>,
    pub(crate) loads_waiting: VecDeque<(LoadTicket, u8, Bytes)>,
    pub(crate) readers: BTreeMap<Ticket, Reader>,
    pub(crate) rebuild: Option<(Rebuild, Vec<Ask>)>,
    /// The room is about to be opened anew: nothing is begun.
    pub(crate) reopening: Option<Reopening>,
    /// What was held when the room was opened, until it is replayed.
    pub(crate) opening: Option<BTreeMap<FeedId, u64>>,
    /// Who waits until what was held then can be read, no rebuild is under way, and an object, or all, goes by the verdicts of
    /// this change.
    pub(crate) catching_up: Vec<(Ask, Option<ObjectId>, u64)>,
    /// Links that are being redeemed: their uses are counted when the redemption is durable, and not taken twice meanwhile.
    pub(crate) redeeming: BTreeSet<InvitationId>,
    /// This device was removed from its identity.
    pub(crate) is_ousted: bool,
    /// Devices of this identity whose removal is on its way to the disk.
    pub(crate) carried: BTreeSet<DeviceId>,
    /// Who waits here until a person approves it.
    pub(crate) newcomers: Newcomers,
    /// Feeds whose author broke a rule: they end before that entry.
    pub(crate) refusals: BTreeMap<FeedId, (u64, String)>,
    /// What the order of the control feeds said, for an order of data feeds that begins again.
    pub(crate) control_changes: Vec<(FeedId, u64, Bytes)>,
    pub(crate) store_failed: Option<(String, Time)>,
    pub(crate) profile_said: bool,
    /// What this member calls itself.
    pub(crate) called: String,
    /// Where the own feeds end is not known: nothing is written.
    pub(crate) unsure: Option<Unsure>,
    /// What the link said that the space is called.
    pub(crate) said_name: Option<String>,
    /// What waits until the ends are known.
    pub(crate) drafts: drafts::Drafts,
    /// The next session of the own data feed.
    pub(crate) sessions: u64,
    pub(crate) effects: VecDeque<Effect>,
}

/// An application that reads records.
#[derive(Debug)]
pub(crate) struct Reader {
    ask: Ask,
    feed: FeedId,
    from: u64,
    until: u64,
}

impl Room {
    pub(crate) fn effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The name that people read is written: nothing more to do when this is a reader, or it was said before.
    pub(crate) fn say_profile(&mut self, now: Time) {
        if !self.profile_said && self.may_write().is_ok() {
            self.profile_said = true;
            let registers = vec![
                links::register("name", &self.called),
                links::register("device", &self.me.device.id().to_string()),
            ];
            let edit = Edit::Create { type_name: "weft.profile".into(), registers, text: None };
            self.edit(now, edit, EditPurpose::Profile);
        }
    }

    /// The space is new: give it its name.
    pub(crate) fn say_name(&mut self, now: Time, ask: Ask, name: &str) {
        let edit =
            Edit::Create { type_name: "weft.space".into(), registers: vec![links::register("name", name)], text: None };
        self.edit(now, edit, EditPurpose::SpaceName(ask));
    }

    /// Whether two histories of a feed are known.
    pub(crate) fn is_forked(&self, feed: &FeedId) -> bool {
        self.ledger.get(feed).is_some_and(ledger::Feed::is_forked) || self.membership.resolution().fork(feed).is_some()
    }

    /// Whether the room is about to be opened anew, and what it is opened on is durable.
    pub(crate) fn is_closed(&self) -> bool {
        self.reopening == Some(Reopening::Closed)
    }

    /// Whether it is a control feed that is known here.
    pub(crate) fn is_control(&self, feed: &FeedId) -> bool {
        self.ledger.get(feed).is_some_and(|entry| entry.manifest.purpose == FeedPurpose::Control)
    }

    /// The order that releases a feed.
    pub(crate) fn order(&self, feed: &FeedId) -> &Order {
        if self.is_control(feed) { &self.control_order } else { &self.data_order }
    }

    /// The identity that a feed writes for; nobody's while it is not admitted.
    pub(crate) fn author(&self, feed: &FeedId) -> [u8; 32] {
        self.membership.resolution().feed(feed).map_or([0; 32], |feed| *feed.identity.as_bytes())
    }

    /// The signed manifest of a feed, from the credential that admitted it.
    pub(crate) fn signed_manifest(&self, feed: &FeedId) -> Option<Bytes> {
        if let Some(entry) = self.ledger.get(feed) {
            return Some(entry.signed.clone());
        }
        let parts = self.membership.entries().filter_map(|entry| entry.parts.as_ref().ok()).flatten();
        let manifests = parts.filter_map(|part| match &part.credential {
            Credential::FeedAdmitted(signed) => Some(signed),
            _ => None,
        });
        let mut named = manifests.filter(|signed| signed.feed() == *feed);
        named.next().map(|signed| signed.encode())
    }

    /// The feed's author broke a rule: the feed ends there.
    pub(crate) fn refused(&mut self, feed: FeedId, seq: u64, why: String) {
        self.refusals.entry(feed).or_insert((seq, why));
    }

    /// Chooses the epoch to write under again.
    pub(crate) fn refresh_epoch(&mut self) {
        self.epoch = self.membership.resolution().writable_epoch(|epoch| self.keys.may_use(epoch));
        self.upkeep.changed();
    }

    /// The rows are not what they should be: everything is derived again, from the start if that is under way. Spec: PEER-5
    pub(crate) fn rederive(&mut self) {
        let (state, _) = self.rebuild.get_or_insert((Rebuild::Wanted, Vec::new()));
        *state = Rebuild::Wanted;
    }

    /// This member's name is said in the space: not again after a restart.
    pub(crate) fn keep_profile(&mut self, outbox: &mut Outbox) {
        let row = Write::Local { key: local::profile_key(&self.space), value: Some(Bytes::from_static(&[1])) };
        self.persist_rows(Batch { writes: vec![row], durable: false }, outbox);
    }

    /// More of a feed is durable: everybody hears of it.
    fn extended(&mut self, now: Time, range: Arc<VerifiedRange>, outbox: &mut Outbox) {
        let feed = range.feed();
        if range.runs().iter().any(weft_feed::Run::has_deps)
            && let Some(entry) = self.ledger.get(&feed)
        {
            self.naming.starts_at(feed, &entry.tree);
        }
        self.ledger.extended(&range);
        let order = if self.is_control(&feed) { &mut self.control_order } else { &mut self.data_order };
        order.known(feed, range.end(), range.head().root);
        for run in range.runs() {
            order.extended(feed, range.end(), Some(run.clone()));
        }
        let mine = self.ledger.device(&feed) == Some(self.me.device.id());
        outbox.event(Event::Extended { space: self.space, feed, length: range.end(), mine });
        self.sources.progressed(now, feed, range.end());
        self.effects.push_back(Effect::Extended(range));
    }

    /// Moves everything on as far as it goes. Call it after facts, before orders are taken.
    pub(crate) fn settle(&mut self, now: Time, claimed: ClaimedTime, draws: &mut Draws, outbox: &mut Outbox) {
        if self.reopening.is_some() {
            return;
        }
        links::membership::pump(self, now, outbox);
        while self.compare_histories(now, outbox) || self.break_circles(FeedPurpose::Control, outbox) {
            links::membership::pump(self, now, outbox);
        }
        self.replace_histories(now, outbox);
        loop {
            self.settle_rebuild(now, outbox);
            if self.reopening.is_some() {
                return;
            }
            loop {
                links::replay::pump(self, now, outbox);
                links::rereads::pump(self, outbox);
                if !links::echo::pump(self, outbox) && !self.break_circles(FeedPurpose::Data, outbox) {
                    break;
                }
            }
            // What was under way may have ended just now, with nothing to follow that would come back here.
            if !self.may_rebuild() || self.waits_to_replace() {
                break;
            }
        }
        self.keep_up(now, claimed.0, draws, outbox);
        links::own::write(self, now, claimed, draws, outbox);
        self.settle_loads(outbox);
        self.finish_opening();
        self.derived.flush(self.space, outbox);
        if self.finish_rebuild(outbox) {
            // Those who wait to read have waited for this too, and nothing else need happen that would come back here.
            self.finish_opening();
            self.derived.flush(self.space, outbox);
        }
        links::quarantine::pump(self);
        links::sources::pump(self);
        links::mending::pump(self, now);
    }

    /// A connected device does not have this space open any more.
    pub(crate) fn lost(&mut self, now: Time, device: DeviceId) {
        self.sources.lost(now, device);
        self.mending.lost(device);
        self.forks.refused(device, None);
        self.suspected.refused(device, None);
    }

    /// ECHO reads only what can be read: its loads wait for the rows it has given before.
    fn settle_loads(&mut self, outbox: &mut Outbox) {
        if !self.loads_waiting.is_empty() && self.derived.is_settled() {
            for (load, table, prefix) in self.loads_waiting.drain(..) {
                let ticket = outbox.load(self.space, table, crate::io::Rows::Prefix(prefix));
                self.loads.insert(ticket, load);
            }
        }
    }

    fn may_rebuild(&self) -> bool {
        matches!(self.rebuild, Some((Rebuild::Wanted, _)))
            && self.data.is_idle()
            && self.written.is_empty()
            && self.replay.is_idle()
            && self.loads.is_empty()
    }

    /// Drops what was derived once nothing is under way that stands on it. Spec: PEER-5
    fn settle_rebuild(&mut self, now: Time, outbox: &mut Outbox) {
        if self.put_in_place(outbox) || !self.may_rebuild() || self.waits_to_replace() {
            return;
        }
        self.derived.drop_all(self.space);
        self.rereads.clear();
        links::clients::write_again(self);
        links::membership::write_again(self);
        let until = enter::replay_from_start(self);
        self.echo.handle_input(now, weft_echo::Input::Wiped);
        self.loads_waiting.clear();
        if let Some((state, _)) = &mut self.rebuild {
            *state = Rebuild::Replaying { until };
        }
        self.derived.flush(self.space, outbox);
        for (edit, purpose) in std::mem::take(&mut self.edits_waiting) {
            self.edit(now, edit, purpose);
        }
    }

    /// Tells whether a rebuild has ended.
    fn finish_rebuild(&mut self, outbox: &mut Outbox) -> bool {
        let done = match &self.rebuild {
            Some((Rebuild::Replaying { until }, _)) => {
                self.replay.is_idle() && self.derived.is_idle() && self.is_replayed_until(until)
            }
            _ => false,
        };
        if done && let Some((Rebuild::Replaying { until }, asks)) = self.rebuild.take() {
            let entries = until.values().sum();
            for ask in asks {
                outbox.push(Output::Answer { ask, result: Ok(Answer::Rebuilt { entries }) });
            }
        }
        done
    }

    /// What was held when the room was opened is replayed: those who wait for that hear of it when it can be read.
    fn finish_opening(&mut self) {
        if self.opening.as_ref().is_some_and(|until| self.replay.is_idle() && self.is_replayed_until(until)) {
            self.opening = None;
        }
        if self.opening.is_none() && self.rebuild.is_none() {
            let (echo, derived) = (&self.echo, &mut self.derived);
            self.catching_up.retain(|(ask, object, number)| {
                let is_judged = echo.is_judged(object.as_ref(), *number);
                if is_judged {
                    derived.then(Output::Answer { ask: *ask, result: Ok(Answer::CaughtUp) });
                }
                !is_judged
            });
        }
    }

    /// Every feed is replayed up to its length there, but for what waits for others, and what nobody will see because a
    /// rule was broken before it.
    fn is_replayed_until(&self, until: &BTreeMap<FeedId, u64>) -> bool {
        let waiting: BTreeSet<FeedId> = self.data_order.waiting().map(|waiting| waiting.feed).collect();
        until.iter().all(|(feed, length)| {
            let end = self.refusals.get(feed).map_or(*length, |(seq, _)| *length.min(seq));
            self.replay.processed(feed) >= end || waiting.contains(feed) || self.mending.holds(feed)
        })
    }

    /// When this room wants to be woken.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let store = self.store_failed.as_ref().map(|(_, at)| *at + RETRY);
        let [control, data] = [&self.control, &self.data].map(|own| own.elsewhere.deadline());
        let (sources, echo, mending) = (self.sources.deadline(), self.echo.deadline(), self.mending.deadline());
        let upkeep = self.upkeep.deadline();
        [store, sources, echo, mending, control, data, upkeep, self.forks.deadline()].into_iter().flatten().min()
    }

    pub(crate) fn wake(&mut self, now: Time) {
        if self.store_failed.as_ref().is_some_and(|(_, at)| *at + RETRY <= now) {
            self.store_failed = None;
            self.derived.retry();
        }
        self.control.elsewhere.wake(now);
        self.data.elsewhere.wake(now);
        self.sources.wake(now);
        self.mending.wake(now);
        self.forks.wake(now);
        self.upkeep.wake(now);
    }

    /// Everything held can be read, but for what waits for entries of others and what nobody will see.
    pub(crate) fn is_settled(&self) -> bool {
        let held = self.ledger.iter().filter(|(_, entry)| entry.manifest.purpose == FeedPurpose::Data);
        self.rebuild.is_none()
            && self.replay.is_idle()
            && self.derived.is_idle()
            && self.echo.is_judged(None, u64::MAX)
            && self.is_replayed_until(&held.map(|(feed, entry)| (*feed, entry.tree.length())).collect())
    }

    /// Everything held is replayed and can be read.
    pub(crate) fn is_replayed(&self) -> bool {
        self.is_settled()
            && self.data_order.waiting().next().is_none()
            && self.ledger.iter().all(|(feed, entry)| {
                entry.manifest.purpose == FeedPurpose::Control || self.replay.processed(feed) >= entry.tree.length()
            })
    }
}

/// How long the store is left alone after it failed: a person may be making room.
const RETRY: std::time::Duration = std::time::Duration::from_secs(5);
