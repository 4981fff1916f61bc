//! Commands of the application.

use std::{collections::BTreeMap, sync::Arc};

use weft_credential::History;
use weft_crypto::{Manifest, SpaceId};
use weft_echo::Edit;
use weft_feed::{Checkpoint, NewEntry, Writer};
use weft_machine::ClaimedTime;
use weft_space::compose::{self, Actor};

use crate::{
    command::{Answer, Command, Refusal, RefusalKind},
    event::Event,
    io::{Ask, Output},
    links::{
        self,
        presence::{self, Said},
    },
    local,
    me::Me,
    outbox::Purpose,
    peer::Peer,
    room::{EditPurpose, Room, enter::Entering, newcomers::Newcomers, sessions::FIRST_SESSION},
    status::{PairStatus, PeerStatus, SpaceStatus, Status, Waiting},
    store::{Batch, OpenedFeed, Write},
};

/// Names of spaces and people, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// A space on its way to the disk.
pub(crate) struct Founding {
    purpose: For,
    room: Room,
}

/// What a space is made for.
enum For {
    Application {
        ask: Ask,
        name: String,
    },
    /// The identity's devices are to know each other there.
    Home,
}

/// Spaces on their way to the disk.
pub(crate) type Foundings = BTreeMap<SpaceId, Founding>;

/// Who acts, for what it writes into control feeds.
pub(crate) fn actor(me: &Me) -> Actor<'_> {
    let Me { device, identity, statements, chain, recovery, .. } = me;
    Actor { device, identity: *identity, statements, chain, recovery: *recovery }
}

impl Peer {
    pub(crate) fn carry_out(&mut self, ask: Ask, command: Command) -> Result<(), Refusal> {
        let now = self.now;
        match command {
            Command::CreateSpace { name } => self.create_space(ask, name),
            Command::DeleteSpace { space } => self.delete_space(ask, space),
            Command::Invite(new) => self.invite(ask, new),
            Command::Invitations { space } => {
                let invitations = self.room(&space)?.invitations();
                self.answer(ask, Answer::Invitations(invitations))
            }
            Command::RevokeInvitation { space, invitation } => {
                links::invitation::revoke(self.room(&space)?, ask, invitation)
            }
            Command::ApproveNewcomer { space, invitation, newcomer } => {
                self.room(&space)?;
                let room = self.rooms.get_mut(&space).expect("just found");
                links::invitation::approve(room, ask, invitation, newcomer, &mut self.draws)
            }
            Command::DenyNewcomer { space, invitation, newcomer } => {
                let now_ms = self.unix_ms();
                self.room(&space)?;
                let room = self.rooms.get_mut(&space).expect("just found");
                room.deny_newcomer(ask, invitation, newcomer, now_ms, &mut self.outbox)
            }
            Command::Join { link } => {
                self.may_begin()?;
                self.join(ask, link)
            }
            Command::Append { space, records } => self.room(&space)?.append(ask, records),
            Command::Edit { space, edit } => {
                let room = self.room(&space)?;
                room.may_write()?;
                room.edit(now, edit, EditPurpose::Ask(ask));
                Ok(())
            }
            Command::OpenSession { space } => {
                self.room(&space)?;
                let room = self.rooms.get_mut(&space).expect("just found");
                room.open_session(ask, &mut self.outbox)
            }
            Command::CheckSession { space, session, key } => {
                let room = self.room(&space)?;
                room.check_session(session, &key)?;
                let client = weft_echo::client_id(&space, &room.data.feed, session);
                self.answer(ask, Answer::Session { session, client, key })
            }
            Command::Update { space, object, session, key, update } => {
                let room = self.room(&space)?;
                room.may_write()?;
                room.check_session(session, &key)?;
                room.edit(now, Edit::Update { object, session, update }, EditPurpose::Update(ask));
                Ok(())
            }
            Command::Say { space, object, session, state } => {
                self.say(space, &Said { object, session, state })?;
                self.answer(ask, Answer::Said)
            }
            Command::KeepDraft { space, number, content } => {
                self.room(&space)?;
                let room = self.rooms.get_mut(&space).expect("just found");
                room.keep_draft(ask, number, &content, &mut self.draws, &mut self.outbox)
            }
            Command::Drafts { space } => {
                let room = self.room(&space)?;
                let (drafts, ends_known) = (room.all_drafts()?, room.unsure.is_none());
                self.answer(ask, Answer::Drafts { drafts, ends_known })
            }
            Command::DropDraft { space, number } => {
                self.room(&space)?;
                let room = self.rooms.get_mut(&space).expect("just found");
                room.drop_draft(ask, number, &mut self.outbox)
            }
            Command::LinkDevice { expires_ms, addresses } => {
                self.may_begin()?;
                self.link_device(ask, expires_ms, addresses)
            }
            Command::DeviceLinks => self.answer(ask, Answer::DeviceLinks(self.device_links())),
            Command::CancelDeviceLinks => {
                self.cancel_links(ask);
                Ok(())
            }
            Command::JoinAsDevice { link, name } => self.join_as_device(ask, link, name),
            Command::Devices => {
                let devices = self.device_list(ask);
                self.outbox.push(devices);
                Ok(())
            }
            Command::SetName { name } => {
                name_fits(&name)?;
                self.rooms.values_mut().for_each(|room| room.called.clone_from(&name));
                self.called = name;
                self.answer(ask, Answer::NameSet)
            }
            Command::NameDevice { name } => self.name_device(ask, name),
            Command::ForeseeMyDeviceRemoval { device } => {
                let foreseen = self.foresee_my_device_removal(device)?;
                self.answer(ask, Answer::MyDeviceRemoved(foreseen))
            }
            Command::RemoveMyDevice { device } => self.remove_my_device(ask, device),
            Command::Status => self.answer(ask, Answer::Status(self.status())),
            Command::Quarantine { space } => {
                let quarantined = self.room(&space)?.quarantined();
                self.answer(ask, Answer::Quarantine(quarantined))
            }
            Command::Members { space } => {
                let members = self.room(&space)?.members();
                self.answer(ask, Answer::Members(members))
            }
            Command::Act { space, act } => {
                self.room(&space)?;
                let room = self.rooms.get_mut(&space).expect("just found");
                links::acts::act(room, ask, &act, &mut self.draws)
            }
            Command::Foresee { space, act } => {
                let foreseen = links::acts::foresee(self.room(&space)?, &act)?;
                self.answer(ask, Answer::Foreseen(foreseen))
            }
            Command::Acknowledgements { space } => {
                let acknowledgements = self.room(&space)?.acknowledgements();
                self.answer(ask, Answer::Acknowledgements(acknowledgements))
            }
            Command::Feeds { space } => {
                let feeds = self.room(&space)?.feeds();
                self.answer(ask, Answer::Feeds(feeds))
            }
            Command::Records { space, feed, from, entries_max } => {
                self.room(&space)?;
                let room = self.rooms.get_mut(&space).expect("just found");
                room.read_records(ask, feed, from, entries_max, &mut self.outbox)
            }
            Command::Rebuild { space } => {
                self.room(&space)?.rebuild(ask);
                Ok(())
            }
            Command::CatchUp { space, object } => {
                let now = self.now;
                self.room(&space)?.catch_up(now, ask, object);
                Ok(())
            }
        }
    }

    /// Hands what a document says to every session of the space. Spec: PEER-9
    fn say(&mut self, space: SpaceId, said: &Said) -> Result<(), Refusal> {
        self.room(&space)?;
        if said.state.len() > presence::STATE_BYTES_MAX {
            let message = format!("{} bytes, at most {}", said.state.len(), presence::STATE_BYTES_MAX);
            return Err(Refusal::new(RefusalKind::Refused, "too_large", message, "say less"));
        }
        let random = self.draws.draw16();
        let sealed = presence::seal(self.rooms.get(&space).expect("just found"), random, said);
        let Some((epoch, sealed)) = sealed else {
            let message = "this device holds no key of an epoch that may be written under";
            let hint = "connect to another member, then try again";
            return Err(Refusal::new(RefusalKind::Refused, "no_epoch", message, hint));
        };
        let epoch = bytes::Bytes::copy_from_slice(epoch.as_bytes());
        self.tell_sessions(space, |_| weft_replication::Input::Say {
            space,
            epoch: epoch.clone(),
            sealed: sealed.clone(),
        });
        Ok(())
    }

    fn answer(&mut self, ask: Ask, answer: Answer) -> Result<(), Refusal> {
        self.outbox.push(Output::Answer { ask, result: Ok(answer) });
        Ok(())
    }

    // ---- a new space -----------------------------------------------------------------------------------------------

    fn create_space(&mut self, ask: Ask, name: String) -> Result<(), Refusal> {
        self.may_begin()?;
        name_fits(&name)?;
        let label = name.clone();
        self.found_space(label.as_bytes(), For::Application { ask, name })
    }

    /// Makes the space in which this identity's devices know each other. Spec: PEER-15
    pub(crate) fn found_home(&mut self) -> Result<(), Refusal> {
        self.found_space(b"home", For::Home)
    }

    fn found_space(&mut self, label: &[u8], purpose: For) -> Result<(), Refusal> {
        if self.rooms.len() + self.foundings.len() >= self.config.spaces_max {
            let message = format!("this node is in {} spaces, which is the most it can be in", self.rooms.len());
            return Err(Refusal::new(RefusalKind::Refused, "too_many_spaces", message, "use another node"));
        }
        let founded = compose::found(&actor(&self.me), History::All, label, &mut self.draws).map_err(|error| {
            let message = format!("the space's keys could not be sealed: {error}");
            Refusal::new(RefusalKind::Failed, "sealing_failed", message, "the identity's recovery key is unusable")
        })?;
        let space = founded.space;
        let claimed = ClaimedTime(self.unix_ms());
        let [control, data] = founded.manifests.clone().map(|signed| (*signed.manifest(), signed.encode()));
        let mut writer = Writer::new(&control.0, founded.keys.control.clone(), Checkpoint::default())
            .expect("the keys were made for these manifests");
        let mut ranges = writer
            .append(vec![NewEntry::control(claimed, Vec::new(), founded.body)])
            .expect("a genesis keeps every rule");
        let range = Arc::new(ranges.remove(0));
        let opened = |manifest: &Manifest, signed: &bytes::Bytes, tree, head| OpenedFeed {
            feed: manifest.id(),
            space,
            manifest: signed.clone(),
            tree,
            head,
        };
        let feeds = vec![
            opened(&control.0, &control.1, range.tree().clone(), Some(*range.head())),
            opened(&data.0, &data.1, weft_feed::Tree::new(), None),
        ];
        let row = local::seal_keys(&self.me.device, &founded.keys, self.draws.draw16());
        let mut writes = vec![Write::Local { key: local::space_key(&space), value: Some(row) }];
        for feed in &feeds {
            writes.push(Write::Feed { feed: feed.feed, space, manifest: feed.manifest.clone() });
        }
        if let For::Home = purpose {
            writes.push(local::home_row(&space));
        }
        writes.push(Write::Range(range.clone()));
        let entering = Entering {
            space,
            keys: founded.keys,
            feeds,
            control: vec![(control.0.id(), range.runs().to_vec())],
            cursors: Vec::new(),
            stopped: Vec::new(),
            profile_said: false,
            said_name: None,
            unsure: None,
            sessions: FIRST_SESSION,
            drafts: Vec::new(),
            newcomers: Newcomers::default(),
            pre_keys: None,
        };
        let room =
            Room::enter(self.me.clone(), self.config.clone(), entering).expect("a new space fits the keys made for it");
        self.foundings.insert(space, Founding { purpose, room });
        self.outbox.persist(Purpose::Found(space), Batch { writes, durable: true });
        Ok(())
    }

    /// A new space is durable.
    pub(crate) fn founded(&mut self, space: SpaceId) {
        let Some(Founding { purpose, room }) = self.foundings.remove(&space) else { return };
        if let For::Home = purpose {
            self.devices.home = Some(space);
        }
        self.open_room(room);
        let now = self.now;
        let room = self.rooms.get_mut(&space).expect("just opened");
        match purpose {
            For::Application { ask, name } => {
                room.say_name(now, ask, &name);
                room.say_profile(now);
            }
            For::Home => self.home_founded(Ok(())),
        }
    }

    pub(crate) fn not_founded(&mut self, space: SpaceId, reason: &str) {
        match self.foundings.remove(&space).map(|founding| founding.purpose) {
            Some(For::Application { ask, .. }) => {
                self.outbox.push(Output::Answer { ask, result: Err(not_stored(reason)) });
            }
            Some(For::Home) => self.home_founded(Err(not_stored(reason))),
            None => {}
        }
    }

    /// A room that is durable takes part from now on.
    pub(crate) fn open_room(&mut self, mut room: Room) {
        let space = room.space;
        room.called.clone_from(&self.called);
        self.rooms.insert(space, room);
        self.busy_rooms.insert(space);
        if self.devices.home != Some(space) {
            self.outbox.event(Event::SpaceAdded { space });
        }
        self.judge_doors();
    }

    // ---- what is going on ------------------------------------------------------------------------------------------

    fn status(&self) -> Status {
        let peers = self.neighbours.values().map(|neighbour| {
            let spaces = neighbour.open.keys().filter(|space| Some(**space) != self.devices.home);
            PeerStatus { device: neighbour.device, spaces: spaces.copied().collect() }
        });
        // Home is the devices' own business.
        let rooms = self.rooms.values().filter(|room| Some(room.space) != self.devices.home);
        Status {
            device: self.me.device.id(),
            identity: self.me.identity,
            removed_by: self.devices.removed_by,
            name: self.called.clone(),
            peers: peers.collect(),
            spaces: rooms.map(|room| self.space_status(room)).collect(),
        }
    }

    fn space_status(&self, room: &Room) -> SpaceStatus {
        let space = room.space;
        let resolution = room.membership.resolution();
        let mut waiting = room.waiting(self.unix_ms());
        let mut pairs = Vec::new();
        let removed_by = resolution.removed_by(&self.me.identity);
        // Who is gone waits for nobody.
        for (device, neighbour) in self.neighbours.iter().filter(|_| removed_by.is_none()) {
            if let Some(level) = neighbour.session.level(&space) {
                pairs.push(PairStatus { device: *device, level });
                for reason in neighbour.session.reasons(&space, self.now) {
                    waiting.push(Waiting {
                        what: reason.what.to_string(),
                        from: Some(reason.from),
                        since_ms: self.unix_ms_at(reason.since),
                        rule: reason.rule,
                        remedy: reason.remedy.to_owned(),
                    });
                }
            } else if resolution.device(device).is_some() {
                pairs.push(PairStatus { device: *device, level: false });
                waiting.push(Waiting {
                    what: "the peer has not shown that it is in this space".into(),
                    from: Some(*device),
                    since_ms: self.unix_ms(),
                    rule: "SPACE-9".into(),
                    remedy: "it may not know this device yet: connect both to the member who invited last".into(),
                });
            }
        }
        SpaceStatus {
            space,
            said_name: room.said_name.clone(),
            role: resolution.role_of(&self.me.identity),
            removed_by,
            founder: resolution.genesis().map(|genesis| genesis.root),
            newcomers: room.newcomers_waiting(),
            members: u32::try_from(resolution.members().len()).unwrap_or(u32::MAX),
            level: self.is_level(&space),
            settled: room.is_settled(),
            pairs,
            waiting,
            write_stop: match room.is_ousted {
                true => Some(links::acts::this_device_removed().message),
                false => resolution.write_stop().map(|stop| stop.to_string()),
            },
            history: resolution.history(),
            proposed: room.membership.proposed(),
        }
    }

    /// Spec: PEER-6
    pub(crate) fn is_level(&self, space: &SpaceId) -> bool {
        let Some(room) = self.rooms.get(space) else { return false };
        let resolution = room.membership.resolution();
        let mut members = self.neighbours.iter().filter(|(device, _)| resolution.device(device).is_some()).peekable();
        members.peek().is_some()
            && members.all(|(_, neighbour)| neighbour.session.level(space) == Some(true))
            && room.is_replayed()
    }
}

/// What a store's failure is to an application.
pub(crate) fn not_stored(reason: &str) -> Refusal {
    let message = format!("the store did not keep it: {reason}");
    Refusal::new(RefusalKind::Store, "store_failed", message, "make room on the disk, then try again")
}

pub(crate) fn name_fits(name: &str) -> Result<(), Refusal> {
    let fits = !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    let message = format!("a name has 1 to {NAME_BYTES_MAX} bytes and no control characters");
    Err(Refusal::new(RefusalKind::Refused, "bad_name", message, "choose another name"))
}
