//! The world: one queue of events in virtual time. It carries out what peers order, and brings them what they are to hear.
//!
//! Nothing here decides anything by itself: what could be otherwise is drawn from the seed, and events of one moment happen in the order in which they
//! were put into the queue. So one scenario and one seed give one history, and `fingerprint` is its hash.

mod events;
mod orders;
mod wires;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{DeviceId, FeedId, IdentityId, ObjectId, SpaceId};
use weft_machine::{Seed, Time};
use weft_peer::{Answer, Command, Input, Rows, Ticket};

use crate::{
    acts::{self, Act},
    app::App,
    dice::Dice,
    faults::{self, Fault},
    forks,
    host::Host,
    identity,
    intruder::Intruder,
    ledger::Ledger,
    network::{Host as Number, Network, Pair, Round},
    scenario::{Part, Scenario, Topology},
    store::Content,
    visible::{self, Visible},
};

/// More events than this, and a world has no end.
const EVENTS_MAX: u64 = 20_000_000;

/// Something that happens.
enum Event {
    /// A peer hears something, if it still lives that life.
    Hear { host: Number, life: u64, input: Input },
    /// A peer hears something that came over a connection, if that still stands.
    Arrive { pair: Pair, round: Round, host: Number, input: Input },
    /// A frame arrived that was the last of its connection.
    Sever(Pair),
    /// A side hears that its connection is gone.
    Gone { pair: Pair, host: Number, life: u64 },
    /// Two hosts may be connected now.
    Dialled { pair: Pair, round: Round, dialler: Number },
    /// Two hosts that want to be connected look whether they are.
    Redial(Pair),
    /// A batch is written.
    Commit { host: Number, life: u64, ticket: Ticket },
    /// A reading reaches the disk.
    Load { host: Number, life: u64, ticket: Ticket, space: SpaceId, table: u8, rows: Rows },
    /// A peer wants to be woken.
    Wake { host: Number, life: u64 },
    /// An application takes a step.
    Step(Number),
    /// Somebody wants to do something to a member.
    Act(Act),
    /// Something goes wrong.
    Fault(Fault),
    /// A host that was gone comes back.
    Start(Number),
}

/// A world in the middle of its history.
pub struct World {
    /// What it is made of.
    pub scenario: Scenario,
    /// Everybody, by number.
    pub hosts: Vec<Host>,
    /// What is above them.
    pub apps: Vec<App>,
    /// What was said and heard.
    pub ledger: Ledger,
    /// What each member read as records at the end, by feed and place.
    pub records: BTreeMap<Number, BTreeMap<(FeedId, u64), Bytes>>,
    /// Who belongs to the space as what, as each host that was asked last knew it.
    pub rosters: BTreeMap<Number, BTreeMap<IdentityId, Role>>,
    /// Events so far.
    pub events: u64,
    now: Time,
    queue: BTreeMap<(Time, u64), Event>,
    queued: u64,
    network: Network,
    devices: BTreeMap<DeviceId, Number>,
    identities: Vec<IdentityId>,
    intruders: BTreeMap<Number, Intruder>,
    /// Older copies of disks.
    copies: BTreeMap<Number, Content>,
    dice: Dice,
    crash_dice: Dice,
    working: bool,
    healed: bool,
    fingerprint: blake3::Hasher,
}

impl World {
    /// A world at its beginning.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: &Seed) -> World {
        let mut dice = Dice::new(seed, "world");
        let mut hosts = Vec::new();
        let mut apps = Vec::new();
        let mut devices = BTreeMap::new();
        let mut identities = Vec::new();
        let mut intruders = BTreeMap::new();
        let parts: Vec<(String, Part)> = scenario.hosts().map(|(name, part)| (name.to_owned(), part)).collect();
        for (number, (name, part)) in parts.iter().enumerate() {
            let skew = i64::try_from(dice.between(scenario.faults.clock_skew_ms)).unwrap_or(0);
            let skew = if dice.one_in(2) { -skew } else { skew };
            let seed = seed.fork(&format!("host {name}"));
            let (device, identity, me) = identity::make(&seed, name);
            devices.insert(device, number);
            identities.push(identity);
            if *part == Part::Intruder {
                intruders.insert(number, Intruder::new(device, Dice::new(&seed, "intruder")));
            }
            hosts.push(Host::new(name, *part, me, seed.fork("peer"), skew));
            let others = parts.iter().enumerate().skip(1).filter(|(_, (_, part))| part.is_member());
            let uninvited = others.filter(|_| number == 0).map(|(other, (_, part))| (other, *part)).collect();
            apps.push(App::new(number, *part, uninvited, Dice::new(&seed, "app")));
        }
        let mut world = World {
            scenario: scenario.clone(),
            network: Network::new(&scenario.network, seed),
            hosts,
            apps,
            devices,
            identities,
            intruders,
            copies: BTreeMap::new(),
            dice,
            crash_dice: Dice::new(seed, "crashes"),
            ledger: Ledger::default(),
            records: BTreeMap::new(),
            rosters: BTreeMap::new(),
            events: 0,
            now: Time::ZERO,
            queue: BTreeMap::new(),
            queued: 0,
            working: true,
            healed: false,
            fingerprint: blake3::Hasher::new(),
        };
        for number in 0..world.hosts.len() {
            world.put(Time::ZERO, Event::Start(number));
            world.put(Time::ZERO, Event::Step(number));
        }
        for pair in pairs(world.hosts.len(), scenario.topology) {
            world.put(Time::ZERO, Event::Redial(pair));
        }
        let acts = acts::draw(scenario, &mut Dice::new(seed, "acts"));
        for (at, act) in acts.acts {
            world.put(at, Event::Act(act));
        }
        let faults = faults::draw(scenario, &mut Dice::new(seed, "faults")).into_iter().chain(acts.faults);
        for (at, fault) in faults.chain(forks::draw(scenario, &mut Dice::new(seed, "forks"))) {
            world.put(at, Event::Fault(fault));
        }
        world
    }

    /// The time in this world.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// The hash of everything that happened.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.fingerprint.finalize().to_hex().to_string()
    }

    /// The space, once it is founded.
    #[must_use]
    pub fn space(&self) -> Option<SpaceId> {
        self.apps[0].space()
    }

    /// Those who were invited to the space.
    pub fn invited(&self) -> impl Iterator<Item = (Number, &Host)> {
        self.hosts.iter().enumerate().filter(|(_, host)| host.part.is_member())
    }

    /// Those who belong to the space now, as the founder sees it.
    pub fn members(&self) -> impl Iterator<Item = (Number, &Host)> {
        self.invited().filter(|(number, _)| self.role(*number).is_some())
    }

    /// What a host is in the space now, as the founder sees it.
    #[must_use]
    pub fn role(&self, host: Number) -> Option<Role> {
        self.rosters.get(&0)?.get(&self.identities[host]).copied()
    }

    /// Asks everybody who was invited who belongs to the space.
    pub fn call_the_roll(&mut self) {
        let Some(space) = self.space() else { return };
        let invited: Vec<Number> = self.invited().map(|(number, _)| number).collect();
        for number in invited {
            if let Some(Answer::Members(members)) = self.ask(number, Command::Members { space }) {
                self.rosters.insert(number, members.iter().map(|member| (member.identity, member.role)).collect());
            }
        }
    }

    /// What a user of this host can read.
    #[must_use]
    pub fn visible(&self, host: Number, space: SpaceId) -> BTreeMap<ObjectId, Visible> {
        visible::of(self.hosts[host].store.content(), space)
    }

    /// Nobody begins new work, nothing goes wrong any more, everybody is up and connected.
    pub fn heal(&mut self) {
        self.working = false;
        self.healed = true;
        self.network.heal();
        for number in 0..self.hosts.len() {
            if !self.hosts[number].is_running() {
                self.put(self.now, Event::Start(number));
            }
        }
    }

    /// Every host is cut off at this moment and comes back at once.
    pub fn restart_all(&mut self) {
        for number in 0..self.hosts.len() {
            self.crash(number);
            self.put(self.now + Duration::from_millis(1), Event::Start(number));
        }
    }

    /// Asks a peer something and runs the world until it answers.
    pub fn ask(&mut self, host: Number, command: Command) -> Option<Answer> {
        let ask = self.apps[host].question();
        let orders = self.hosts[host].hear(self.now, Input::Asked { ask, command });
        self.carry_out(host, orders);
        let deadline = self.now + Duration::from_secs(30);
        loop {
            if let Some(answer) = self.apps[host].take_answer(ask) {
                return answer.ok();
            }
            if !self.step(deadline) {
                return None;
            }
        }
    }

    /// Runs until `end`.
    pub fn run_until(&mut self, end: Time) {
        while self.step(end) {}
        self.now = self.now.max(end);
    }

    /// The next event that is not after `end`.
    fn step(&mut self, end: Time) -> bool {
        let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) else { return false };
        let ((at, _), event) = entry.remove_entry();
        self.now = at;
        self.events += 1;
        assert!(self.events < EVENTS_MAX, "{EVENTS_MAX} events: this world has no end");
        self.happen(event);
        true
    }

    fn put(&mut self, at: Time, event: Event) {
        self.queued += 1;
        self.queue.insert((at.max(self.now), self.queued), event);
    }

    /// The hostile programs, by name.
    pub fn intruders(&self) -> impl Iterator<Item = (&str, &Intruder)> {
        self.intruders.iter().map(|(number, intruder)| (self.hosts[*number].name.as_str(), intruder))
    }

    /// The device of a host.
    ///
    /// # Panics
    /// When there is no such host.
    #[must_use]
    pub fn device(&self, host: Number) -> DeviceId {
        let found = self.devices.iter().find(|(_, number)| **number == host);
        *found.expect("every host has a device").0
    }

    /// The host of a device.
    #[must_use]
    pub fn host_of(&self, device: &DeviceId) -> Option<Number> {
        self.devices.get(device).copied()
    }

    fn is_there(&self, host: Number) -> bool {
        self.hosts[host].is_running() || self.intruders.contains_key(&host)
    }
}

fn pairs(hosts: usize, topology: Topology) -> Vec<Pair> {
    let next = (1..hosts).map(|host| Pair::of(host - 1, host));
    match topology {
        Topology::Full => (0..hosts).flat_map(|a| (a + 1..hosts).map(move |b| Pair::of(a, b))).collect(),
        Topology::Line => next.collect(),
        Topology::Ring if hosts > 2 => next.chain([Pair::of(0, hosts - 1)]).collect(),
        Topology::Ring => next.collect(),
    }
}
