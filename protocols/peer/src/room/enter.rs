//! Opening a room from what is durable: after a restart, for a space just made, and for a space just joined alike.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use weft_crypto::{FeedId, Head, Manifest, Purpose as FeedPurpose, SignedManifest, SpaceId};
use weft_echo::{Echo, Processed};
use weft_feed::{
    Checkpoint, Run, Writer,
    acknowledged::Acknowledged,
    order::{self, Order, OrderOutput},
    past::History,
};
use weft_machine::Time;
use weft_replication::sources::Sources;
use weft_space::{ControlEntry, Keys, Space, compose::SpaceKeys};

use super::{
    EditPurpose, Rebuild, Room,
    clients::Clients,
    derived::{CursorRow, Derived, FORMAT},
    drafts::Drafts,
    ledger::Ledger,
    mending::Mending,
    newcomers::Newcomers,
    own::OwnFeed,
    pre_keys::PreKeys,
    quarantine::Quarantine,
    replay::Replay,
    rereads::Rereads,
    unsure::Unsure,
    upkeep::Upkeep,
};
use crate::{
    config::Config,
    io::Output,
    links,
    local::PreKey,
    me::Me,
    outbox::Outbox,
    reopening::reopening,
    store::{Batch, Ends, OpenedFeed},
};

/// What a room is opened from.
pub(crate) struct Entering {
    pub(crate) space: SpaceId,
    pub(crate) keys: SpaceKeys,
    pub(crate) feeds: Vec<OpenedFeed>,
    pub(crate) control: Vec<(FeedId, Vec<Run>)>,
    pub(crate) cursors: Vec<(Bytes, Bytes)>,
    pub(crate) stopped: Vec<(FeedId, Head)>,
    pub(crate) profile_said: bool,
    pub(crate) said_name: Option<String>,
    pub(crate) unsure: Option<Ends>,
    pub(crate) sessions: u64,
    pub(crate) drafts: Vec<(u64, Bytes)>,
    pub(crate) newcomers: Newcomers,
    pub(crate) pre_keys: Option<PreKey>,
}

/// Why a room cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnterError {
    /// A stored manifest cannot be read.
    #[error("the manifest of feed {feed} cannot be read")]
    Manifest {
        /// The feed.
        feed: FeedId,
    },
    /// The keys of this device in the space do not fit its feeds.
    #[error("the keys of this device do not fit its feeds in space {space}")]
    Keys {
        /// The space.
        space: SpaceId,
    },
}

impl Room {
    /// Opens a room. Control entries are read at once; data entries are not.
    pub(crate) fn enter(me: Arc<Me>, config: Arc<Config>, entering: Entering) -> Result<Room, EnterError> {
        let Entering {
            space,
            keys: secrets,
            feeds,
            control,
            cursors,
            stopped,
            profile_said,
            said_name,
            unsure,
            sessions,
            drafts,
            newcomers,
            pre_keys,
        } = entering;
        let mut ledger = Ledger::default();
        for feed in feeds {
            let signed =
                SignedManifest::decode(&feed.manifest).map_err(|_| EnterError::Manifest { feed: feed.feed })?;
            ledger.learn(feed.feed, *signed.manifest(), feed.manifest);
            ledger.restore(&feed.feed, feed.tree, feed.head);
        }
        let contradictions: Vec<Head> = stopped.iter().map(|(_, head)| *head).collect();
        for (feed, head) in stopped {
            if let Some(entry) = ledger.get_mut(&feed) {
                entry.stopped = Some(head);
                entry.clamped = Some(entry.tree.length());
            }
        }
        let [control_feed, data_feed] = secrets.manifests(space, &me.device).map(|signed| {
            ledger.learn(signed.feed(), *signed.manifest(), signed.encode());
            *signed.manifest()
        });
        let own = |manifest: &Manifest, secret: &weft_crypto::FeedSecret| {
            let writer = Writer::new(manifest, secret.clone(), Checkpoint::default());
            let writer = writer.map_err(|_| EnterError::Keys { space })?;
            Ok(OwnFeed::new(writer, Acknowledged::new(manifest.id(), weft_feed::Past::new())))
        };
        let (control_own, data_own) = (own(&control_feed, &secrets.control)?, own(&data_feed, &secrets.data)?);
        let echo_me = weft_echo::Me { space, feed: data_own.feed, author: *me.identity.as_bytes() };
        let mut room = Room {
            space,
            config,
            ledger,
            control_order: Order::new(order::Config::default()),
            data_order: Order::new(order::Config::default()),
            membership: Space::new(space),
            keys: Keys::new(space, KEYS_MAX),
            pre_keys: PreKeys::new(secrets.pre_key, pre_keys),
            control: control_own,
            data: data_own,
            epoch: None,
            upkeep: Upkeep::default(),
            unopened: BTreeSet::new(),
            naming: links::naming::Naming::default(),
            replay: Replay::default(),
            mending: Mending::default(),
            forks: super::forks::Forks::default(),
            circles: super::circles::Circles::default(),
            suspected: super::suspected::Suspected::default(),
            echo: Echo::new(weft_echo::Config::default(), echo_me, 0, Vec::new()),
            clients: Clients::default(),
            quarantine: Quarantine { stale: true, ..Quarantine::default() },
            rereads: Rereads::default(),
            derived: Derived::default(),
            sources: Sources::new(weft_replication::sources::Config::default(), me.device.id()),
            persisting: BTreeMap::new(),
            next_edit: 0,
            edits: BTreeMap::new(),
            edits_waiting: VecDeque::new(),
            written: BTreeMap::new(),
            loads: BTreeMap::new(),
            loads_waiting: VecDeque::new(),
            readers: BTreeMap::new(),
            rebuild: None,
            reopening: None,
            opening: None,
            catching_up: Vec::new(),
            redeeming: BTreeSet::new(),
            is_ousted: false,
            carried: BTreeSet::new(),
            newcomers,
            refusals: BTreeMap::new(),
            control_changes: Vec::new(),
            store_failed: None,
            profile_said,
            called: me.name.clone(),
            said_name,
            unsure: unsure.map(Unsure::new),
            sessions,
            drafts: Drafts::opened(drafts),
            effects: VecDeque::new(),
            me,
        };
        let changed = room.read_control(control, &cursors);
        for head in contradictions {
            room.forks.found(Time::ZERO, head);
        }
        let forked: Vec<Head> = room.membership.resolution().forks().filter_map(|fork| Some(fork.kept?.head)).collect();
        for head in forked.into_iter().filter(|head| room.ledger.get(&head.feed).is_some()) {
            room.forks.found(Time::ZERO, head);
        }
        room.restore_data(cursors, echo_me);
        links::rereads::changed(&mut room, Time::ZERO, changed.into_iter().map(|feed| (feed, 0)));
        links::membership::write_again(&mut room);
        room.go_on_writing();
        Ok(room)
    }

    /// Answers everybody who waits for something that does not come of this room any more.
    pub(crate) fn close(&mut self, now: Time, outbox: &mut Outbox) {
        let refusal = reopening();
        links::own::give_up(self, now, &refusal, outbox);
        let edits = std::mem::take(&mut self.edits).into_values();
        let asks = edits.filter_map(|purpose| match purpose {
            EditPurpose::Ask(ask) | EditPurpose::Update(ask) | EditPurpose::SpaceName(ask) => Some(ask),
            EditPurpose::Profile => {
                self.profile_said = false;
                None
            }
        });
        let asks: Vec<_> =
            asks.chain(std::mem::take(&mut self.readers).into_values().map(|reader| reader.ask)).collect();
        for ask in asks {
            outbox.push(Output::Answer { ask, result: Err(refusal.clone()) });
        }
        for output in self.derived.give_up() {
            outbox.push(output);
        }
    }

    /// The same room on what is durable now, with its control entries: who waits to read goes on waiting. Spec: PEER-4.2
    pub(crate) fn reenter(self, now: Time, control: Vec<(FeedId, Vec<Run>)>) -> Room {
        let Room { space, ledger, derived, control: own, data, pre_keys, me, config, .. } = self;
        let (pre_key, pre_keys) = pre_keys.kept();
        let generation = ledger.get(&own.feed).expect("own feeds are known").manifest.generation;
        let feed = |(feed, entry): (&FeedId, &super::ledger::Feed)| OpenedFeed {
            feed: *feed,
            space,
            manifest: entry.signed.clone(),
            tree: entry.tree.clone(),
            head: entry.head,
        };
        let entering = Entering {
            space,
            keys: SpaceKeys { control: own.into_secret(), data: data.into_secret(), pre_key, generation },
            feeds: ledger.iter().map(feed).collect(),
            control,
            cursors: derived.first_rows(),
            stopped: ledger.iter().filter_map(|(feed, entry)| Some((*feed, entry.stopped?))).collect(),
            profile_said: self.profile_said,
            said_name: self.said_name,
            unsure: None,
            sessions: self.sessions,
            drafts: Vec::new(),
            newcomers: self.newcomers,
            pre_keys: Some(pre_keys),
        };
        let mut room = Room::enter(me, config, entering).expect("the same manifests and keys opened it before");
        (room.unsure, room.drafts) = (self.unsure, self.drafts);
        let (until, asks) =
            (room.opening.clone().unwrap_or_default(), self.rebuild.map_or_else(Vec::new, |(_, asks)| asks));
        room.rebuild = Some((Rebuild::Replaying { until }, asks));
        room.catching_up = self.catching_up.into_iter().map(|(ask, object, _)| (ask, object, 0)).collect();
        for (edit, purpose) in self.edits_waiting {
            room.edit(now, edit, purpose);
        }
        room.say_profile(now);
        room
    }

    /// Reads the control entries that are held. Gives the feeds of which the rows tell by other verdicts: a crash came between.
    fn read_control(&mut self, mut control: Vec<(FeedId, Vec<Run>)>, rows: &[(Bytes, Bytes)]) -> Vec<FeedId> {
        let judged_by = rows.iter().filter_map(|(key, value)| match CursorRow::decode(key, value) {
            Some(CursorRow::JudgedBy(feed, length)) => Some((feed, length)),
            _ => None,
        });
        let judged_by: BTreeMap<FeedId, u64> = judged_by.collect();
        let mut entries = Vec::new();
        let feeds: Vec<FeedId> = self.feeds_of(FeedPurpose::Control);
        for feed in &feeds {
            self.control_order.admit(*feed, 0, History::new());
            if let Some(head) = &self.ledger.get(feed).expect("just listed").head {
                self.control_order.known(*feed, head.length, head.root);
            }
        }
        control.retain(|(feed, _)| feeds.contains(feed));
        for (feed, runs) in control {
            let held = self.ledger.get(&feed).expect("retained").tree.length();
            for run in runs {
                self.control_order.extended(feed, held, Some(run));
                self.take_control(&mut entries);
            }
        }
        self.take_control(&mut entries);
        let known = |entry: &ControlEntry| judged_by.get(&entry.feed).is_some_and(|length| entry.seq < *length);
        let (known, new) = entries.into_iter().partition(known);
        self.membership.insert(known);
        let changes = self.membership.insert(new);
        if !changes.epochs_revived.is_empty() {
            self.rederive();
        }
        links::membership::learn_keys(self);
        let epochs = self.membership.resolution().epochs().into_iter().map(|epoch| epoch.id);
        self.unopened = epochs.filter(|epoch| !self.keys.holds(epoch)).collect();
        self.refresh_epoch();
        let admitted: Vec<FeedId> = self.membership.resolution().feeds().map(|(feed, _)| feed).collect();
        for feed in admitted {
            links::membership::learn(self, Time::ZERO, feed);
        }
        for (feed, length) in self.clamped_feeds() {
            self.control_order.stop(feed, length);
        }
        changes.verdicts_changed
    }

    fn take_control(&mut self, entries: &mut Vec<ControlEntry>) {
        while let Some(output) = self.control_order.poll() {
            match output {
                OrderOutput::Released(released) => {
                    entries.extend(links::membership::read(self, released));
                }
                OrderOutput::Refused { feed, seq, violation } => self.refused(feed, seq, violation.to_string()),
                // Asked again by the pump: a supply of nothing puts it back.
                OrderOutput::Need { feed, .. } => {
                    self.control_order.supply(feed, Vec::new());
                    break;
                }
                OrderOutput::Contradicted { .. } => {}
            }
        }
    }

    /// Puts the data feeds where they were, and ECHO with them.
    fn restore_data(&mut self, rows: Vec<(Bytes, Bytes)>, me: weft_echo::Me) {
        let mut cursors: BTreeMap<FeedId, Processed> = BTreeMap::new();
        let mut changes: BTreeMap<FeedId, Vec<Bytes>> = BTreeMap::new();
        let mut void = Bytes::new();
        let (mut verdicts, mut number, mut format) = (Vec::new(), 0, None);
        for (key, value) in &rows {
            match CursorRow::decode(key, value) {
                Some(CursorRow::Cursor(processed)) => {
                    cursors.insert(processed.feed, processed);
                }
                Some(CursorRow::Rebuilds(rebuilds)) => self.derived.resume(rebuilds),
                Some(CursorRow::Changes(feed, row)) => changes.entry(feed).or_default().push(row),
                Some(CursorRow::Session(feed, session)) => {
                    self.clients.used((feed, session), weft_echo::client_id(&self.space, &feed, session));
                }
                Some(CursorRow::VoidSessions(row)) => void = row,
                Some(CursorRow::Change(changed)) => verdicts.push(changed),
                Some(CursorRow::Number(newest)) => number = newest,
                Some(CursorRow::Format(found)) => format = Some(found),
                Some(CursorRow::JudgedBy(..)) | None => {}
            }
        }
        let mut processed = Vec::new();
        let mut opening = BTreeMap::new();
        for feed in self.feeds_of(FeedPurpose::Data) {
            let entry = self.ledger.get(&feed).expect("just listed");
            let (length, head) = (entry.tree.length(), entry.head);
            let mut replayed = cursors.remove(&feed).unwrap_or(Processed { feed, length: 0, beyond: Vec::new() });
            replayed.length = replayed.length.min(length);
            let cursor = replayed.length;
            opening.insert(feed, length);
            let rows = changes.remove(&feed).unwrap_or_default();
            // Rows beyond the cursor were written with a batch that did not move it: they are derived again.
            let history = history_until(&rows, cursor);
            self.data_order.admit(feed, cursor, history);
            if let Some(head) = head {
                self.data_order.known(feed, head.length, head.root);
            }
            self.data_order.extended(feed, length, None);
            self.replay.has_processed(feed, cursor);
            processed.push(replayed);
        }
        for (feed, length) in self.clamped_feeds() {
            self.data_order.stop(feed, length);
        }
        self.opening = Some(opening);
        for feed in self.feeds_without_a_name() {
            self.naming.is_wanted(feed);
        }
        let owned = self.ledger.get(&self.data.feed).expect("own feeds are known").tree.length();
        self.derived.resume_changes(&verdicts);
        self.echo = Echo::new(weft_echo::Config::default(), me, owned, processed).with_changes(number, verdicts);
        links::clients::opened(self, &void);
        if rows.is_empty() {
            self.derived.format(self.space);
        } else if format != Some(FORMAT) {
            self.rederive();
        }
    }

    /// Data feeds that are shown up to an entry which own entries have not acknowledged and no head names: replaying was
    /// interrupted there.
    fn feeds_without_a_name(&self) -> Vec<FeedId> {
        let own = self.data_order.released(&self.data.feed);
        let past = self.data_order.past_at(&self.data.feed, own).unwrap_or_default();
        let named = |feed: &FeedId, shown: u64| {
            let head = self.ledger.get(feed).and_then(|entry| entry.head.as_ref());
            past.get(feed) >= shown || head.is_some_and(|head| head.length == shown)
        };
        let mut feeds = self.feeds_of(FeedPurpose::Data);
        feeds.retain(|feed| !named(feed, self.data_order.released(feed)));
        feeds
    }

    /// The writers of the own feeds go on where these end.
    fn go_on_writing(&mut self) {
        for feed in [self.control.feed, self.data.feed] {
            let own = if feed == self.control.feed { &mut self.control } else { &mut self.data };
            own.is_overtaken();
        }
    }

    fn feeds_of(&self, purpose: FeedPurpose) -> Vec<FeedId> {
        let feeds = self.ledger.iter().filter(|(_, entry)| entry.manifest.purpose == purpose);
        feeds.map(|(feed, _)| *feed).collect()
    }

    /// Forked feeds, and of how much of each others wait at most.
    fn clamped_feeds(&self) -> Vec<(FeedId, u64)> {
        self.ledger.iter().filter_map(|(feed, entry)| Some((*feed, entry.clamped?))).collect()
    }

    /// Orders the private rows that make the room last: its keys, and the feeds it knows. Part of the batch that makes a
    /// space or joins one.
    pub(crate) fn persist_rows(&mut self, batch: Batch, outbox: &mut Outbox) {
        let ticket = outbox.persist(crate::outbox::Purpose::RoomPersist(self.space), batch);
        self.persisting.insert(ticket, super::Persisting::Rows);
    }
}

/// Every data feed is ordered and replayed from its start. Gives back how far each is to come.
pub(crate) fn replay_from_start(room: &mut Room) -> BTreeMap<FeedId, u64> {
    let mut order = Order::new(order::Config::default());
    let mut until = BTreeMap::new();
    for (feed, length, row) in &room.control_changes {
        order.advanced(*feed, *length, row).expect("what one order released another one takes");
    }
    let feeds = room.feeds_of(FeedPurpose::Data);
    for &feed in &feeds {
        let entry = room.ledger.get(&feed).expect("just listed");
        order.admit(feed, 0, History::new());
        if let Some(head) = &entry.head {
            order.known(feed, head.length, head.root);
        }
        order.extended(feed, entry.tree.length(), None);
        until.insert(feed, entry.tree.length());
    }
    room.data_order = order;
    for (feed, length) in room.clamped_feeds() {
        room.data_order.stop(feed, length);
    }
    room.replay.begin_again();
    room.naming.begin_again(&feeds);
    until
}

/// Body keys kept at hand. 1,024: every feed of a space of 500 devices under two epochs, 128 KiB.
const KEYS_MAX: usize = 1_024;

fn history_until(rows: &[Bytes], cursor: u64) -> History {
    let mut history = History::new();
    for row in rows {
        if history.extend_until(row, cursor).is_err() {
            return History::new();
        }
    }
    history
}
