//! A model of three admins with two devices each, who admit somebody new, remove, lower, raise, admit again, seal and rotate, in every
//! order in which the news can reach them. What is checked is the resolution itself, by `stateright`. Spec: SPACE-3, SPACE-11, SPACE-12
//!
//! `WEFT_MODEL_STATES=1000000` looks at so many different states, more than those of every day; `WEFT_MODEL_WRITES` is how many
//! entries there may be beyond those that found the space. A state is counted when everything was checked of it, not when it
//! was thought of.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use stateright::{Checker, Model, Property};
use weft_credential::{
    ControlBody, Credential, Cut, DeviceRemoved, EpochStarted, Malformed, MemberRemoved, Named, Part, Role,
    RoleChanged, Seal, To,
};
use weft_crypto::{EntryId, EpochId, FeedId, Root, SpaceId, Verified, lockbox::Commitments};
use weft_feed::{Past, entry_id, leaf};
use weft_space::{ControlEntry, Resolution, Space, Verdict, resolve};

use crate::world::{ALICE, BOB, CAROL, World};

/// The devices, by place in `World::people`: two each of Alice (the owner), Bob and Carol (admins).
const DEVICES: [usize; 6] = [ALICE, BOB, CAROL, 5, 6, 7];
const PEOPLE: [usize; 3] = [ALICE, BOB, CAROL];
/// Who is let in as somebody wholly new, after the three.
const NEWCOMER: u8 = 3;

/// The space before anything is written in the model: everybody has heard all of it.
static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let mut world = World::new();
    for who in [BOB, CAROL] {
        world.admit(who, Role::Admin);
    }
    for who in PEOPLE {
        world.link(ALICE, who);
    }
    world.all_hear();
    // A device each to come back with, and the invitations that it would come by.
    for who in PEOPLE {
        world.spare(who);
    }
    Mutex::new(world)
});

/// That space, resolved: where every order of arrival begins.
static FOUNDED: LazyLock<Space> = LazyLock::new(|| {
    let world = WORLD.lock().unwrap();
    let mut space = Space::new(world.space);
    space.insert(world.entries.clone());
    space
});

/// What is said by bodies that let somebody in, each with its ten signatures checked once.
static LET_IN: Mutex<BTreeMap<bytes::Bytes, Said>> = Mutex::new(BTreeMap::new());

type Said = Result<Vec<Verified<Part>>, Malformed>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Does {
    Removes(u8),
    Sets(u8, u8),
    RemovesDevice(u8),
    /// What the device's `u8` wrote as its `u8`th entry.
    Seals(u8, u8),
    /// Lets a person in anew, with a new device; or Dave, who never was there.
    Admits(u8),
    Rotates,
}

/// An entry: what it does, and how much of each device's entries its author had heard.
type Written = (Does, [u8; 6]);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
struct State {
    feeds: [Vec<Written>; 6],
    heard: [[u8; 6]; 6],
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Write(u8, Does),
    /// The second hears all that the first has heard and written.
    Hear(u8, u8),
}

struct Admins {
    writes: usize,
    /// How many states are looked at.
    states: usize,
}

/// How many states were looked at.
static LOOKED_AT: AtomicUsize = AtomicUsize::new(0);

impl Model for Admins {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let written: usize = state.feeds.iter().map(Vec::len).sum();
        for device in 0..6u8 {
            for other in 0..6u8 {
                if device != other {
                    actions.push(Action::Hear(device, other));
                }
            }
            if written >= self.writes {
                continue;
            }
            let mut write = |does| actions.push(Action::Write(device, does));
            for person in 0..3 {
                write(Does::Removes(person));
                for role in [Role::Reader, Role::Owner] {
                    write(Does::Sets(person, role.number() as u8));
                }
                write(Does::Admits(person));
            }
            write(Does::Admits(NEWCOMER));
            write(Does::RemovesDevice((device + 3) % 6));
            write(Does::Rotates);
            for other in 0..6u8 {
                let heard = if other == device {
                    state.feeds[other as usize].len() as u8
                } else {
                    state.heard[device as usize][other as usize]
                };
                for at in 0..heard {
                    if matches!(state.feeds[other as usize][at as usize].0, Does::Removes(_) | Does::Sets(..)) {
                        write(Does::Seals(other, at));
                    }
                }
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Write(device, does) => {
                let heard = state.heard[device as usize];
                state.feeds[device as usize].push((does, heard));
            }
            Action::Hear(from, to) => {
                let (from, to) = (from as usize, to as usize);
                for at in (0..6).filter(|at| *at != to) {
                    let news = if at == from { state.feeds[at].len() as u8 } else { state.heard[from][at] };
                    state.heard[to][at] = news.max(state.heard[to][at]);
                }
            }
        }
        (state != *last).then_some(state)
    }

    /// When enough is seen, what was thought of is passed over, and nothing more comes.
    fn within_boundary(&self, _: &State) -> bool {
        LOOKED_AT.load(Ordering::Relaxed) < self.states
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("every order of arrival gives one resolution", |model, state| {
                found(model, state).converges
            }),
            Property::always("nobody comes back by a removal", |model, state| found(model, state).no_resurrection),
            Property::always("never without an owner", |model, state| found(model, state).has_owner),
            Property::always("nothing counts by whom it is void", |model, state| found(model, state).nothing_by_void),
        ]
    }
}

/// What holds in a state.
#[derive(Clone, Copy)]
struct Found {
    converges: bool,
    no_resurrection: bool,
    has_owner: bool,
    nothing_by_void: bool,
}

thread_local! {
    /// The last state that was looked at: the four properties ask for it one after the other.
    static LAST: RefCell<Option<(State, Found)>> = const { RefCell::new(None) };
}

fn found(model: &Admins, state: &State) -> Found {
    LAST.with_borrow_mut(|last| match last {
        Some((known, found)) if known == state => *found,
        _ => {
            let found = match LOOKED_AT.fetch_add(1, Ordering::Relaxed) {
                looked_at if looked_at < model.states => look(state),
                _ => Found { converges: true, no_resurrection: true, has_owner: true, nothing_by_void: true },
            };
            *last = Some((state.clone(), found));
            found
        }
    })
}

/// The entries of a state, those of the founding included, and where those of the model begin.
fn entries(state: &State) -> (Looked, Vec<ControlEntry>) {
    let mut world = WORLD.lock().unwrap();
    let base = world.lengths();
    let mut entries = world.entries.clone();
    let first = entries.len();
    let mut ids = [const { Vec::new() }; 6];
    // Entries name others by their ids: an entry is made after all that it has heard.
    loop {
        let mut made = false;
        for (at, feed) in state.feeds.iter().enumerate() {
            let seq = ids[at].len();
            let Some((does, heard)) = feed.get(seq) else { continue };
            if (0..6).any(|other| other != at && ids[other].len() < heard[other] as usize) {
                continue;
            }
            let (who, feed) = (DEVICES[at], base[at].0);
            let past: Past = (0..6)
                .filter(|other| *other != at)
                .map(|other| (base[other].0, base[other].1 + u64::from(heard[other])))
                .collect();
            let body = body(&mut world, who, *does, &past, &ids);
            let marked = [&body[..], &heard[..]].concat();
            let id = entry_id(&feed, base[at].1 + seq as u64, &leaf(&marked));
            ids[at].push(id);
            entries.push(read(&world, (feed, base[at].1 + seq as u64, id), past, *does, &body));
            made = true;
        }
        if !made {
            return (Looked { first, space: world.space, epoch: world.epoch }, entries);
        }
    }
}

fn read(
    world: &World,
    (feed, seq, id): (FeedId, u64, EntryId),
    past: Past,
    does: Does,
    body: &bytes::Bytes,
) -> ControlEntry {
    let read = |past| ControlEntry::read(&world.space, feed, seq, id, past, body);
    if !matches!(does, Does::Admits(_)) {
        return read(past);
    }
    let mut let_in = LET_IN.lock().unwrap();
    let parts = let_in.entry(body.clone()).or_insert_with(|| read(Past::new()).parts).clone();
    ControlEntry { feed, seq, id, named: past.clone(), past, parts }
}

/// What of the world is looked at afterwards.
struct Looked {
    first: usize,
    space: SpaceId,
    epoch: EpochId,
}

fn body(world: &mut World, who: usize, does: Does, past: &Past, ids: &[Vec<EntryId>; 6]) -> bytes::Bytes {
    let cuts = |world: &World, of: &[usize]| -> Vec<Cut> {
        let feeds = of.iter().filter_map(|of| world.people[*of].control);
        let cuts = feeds.map(|feed| Cut { feed, length: past.get(&feed), root: Root::from_bytes([0; 32]) });
        let mut cuts: Vec<_> = cuts.filter(|cut| cut.length > 0).collect();
        cuts.sort();
        cuts
    };
    let credential = match does {
        Does::Removes(person) => {
            let cuts = cuts(world, &[DEVICES[person as usize], DEVICES[person as usize + 3]]);
            Credential::MemberRemoved(MemberRemoved { identity: world.id(person as usize), cuts })
        }
        Does::Sets(person, role) => {
            let cuts = cuts(world, &[DEVICES[person as usize], DEVICES[person as usize + 3]]);
            let role = Role::from_number(role.into()).unwrap();
            Credential::RoleChanged(RoleChanged { identity: world.id(person as usize), role, cuts })
        }
        Does::RemovesDevice(at) => {
            let of = DEVICES[at as usize];
            let cuts = cuts(world, &[of]);
            Credential::DeviceRemoved(DeviceRemoved { device: world.people[of].device.id(), cuts })
        }
        Does::Seals(feed, at) => {
            Credential::Seal(Seal { act: Named { entry: ids[feed as usize][at as usize], part: 0 } })
        }
        Does::Admits(person) => return world.admission(who, person as usize),
        Does::Rotates => {
            let device = *world.people[who].device.id().as_bytes();
            Credential::EpochStarted(EpochStarted {
                commitments: Commitments { content: device, access: [2; 32] },
                parents: vec![world.epoch],
                to: To::Each { recipients: Vec::new(), lockboxes: Vec::new() },
                sealed_access: bytes::Bytes::new(),
                sealed_content: bytes::Bytes::new(),
            })
        }
    };
    ControlBody::new(vec![Part::new(world.space, credential)]).encode()
}

fn look(state: &State) -> Found {
    let (world, entries) = entries(state);
    let resolution = resolve(&world.space, &entries);
    let (_, new) = entries.split_at(world.first);
    let arrives = |order: Vec<ControlEntry>| {
        let mut space = FOUNDED.clone();
        for entry in order {
            space.insert(vec![entry]);
        }
        *space.resolution() == resolution
    };
    let backwards = {
        // Feeds the other way round, each from its first entry on.
        let mut order = new.to_vec();
        order.sort_by_key(|entry| (std::cmp::Reverse(entry.feed), entry.seq));
        order
    };
    let converges = arrives(new.to_vec()) && arrives(backwards);
    let has_owner = resolution.members().iter().any(|member| member.role == Role::Owner);
    Found {
        converges,
        has_owner,
        no_resurrection: no_resurrection(&resolution, new),
        nothing_by_void: nothing_by_void(&resolution, &world, new),
    }
}

fn counts(resolution: &Resolution, entry: &ControlEntry, part: u32) -> bool {
    !resolution.void().any(|(place, _)| (place.feed, place.seq, place.part) == (entry.feed, entry.seq, part))
}

fn no_resurrection(resolution: &Resolution, entries: &[ControlEntry]) -> bool {
    let said = |entry: &ControlEntry| entry.parts.clone().unwrap_or_default();
    entries.iter().filter(|entry| counts(resolution, entry, 0)).all(|entry| {
        let parts = said(entry);
        let Credential::MemberRemoved(removed) = &parts[0].credential else { return true };
        let back = |other: &&ControlEntry| {
            let knew = other.past.get(&entry.feed) > entry.seq || other.feed == entry.feed && other.seq > entry.seq;
            knew && said(other).iter().any(|part| match &part.credential {
                Credential::InvitationRedeemed(redeemed) => redeemed.statement().identity == removed.identity,
                _ => false,
            })
        };
        resolution.member(&removed.identity).is_none() || entries.iter().any(|other| back(&other))
    })
}

fn nothing_by_void(resolution: &Resolution, world: &Looked, entries: &[ControlEntry]) -> bool {
    let parts = entries.iter().flat_map(|entry| entry.parts.clone().unwrap_or_default());
    let named = parts.filter_map(|part| match part.into_inner().credential {
        Credential::Seal(seal) => Some(seal.act.entry),
        _ => None,
    });
    // What a majority sealed is decided first, and stands when its author is cut below it later.
    let sealed: Vec<_> = named.collect();
    let control = entries.iter().filter(|entry| !sealed.contains(&entry.id)).all(|entry| {
        let stands = resolution.stands(&entry.feed).unwrap_or(u64::MAX);
        entry.seq < stands || !counts(resolution, entry, 0)
    });
    let past: Past = entries.iter().map(|entry| (entry.feed, entry.seq + 1)).collect();
    control
        && resolution.feeds().all(|(feed, _)| match resolution.stands(&feed) {
            Some(stands) => resolution.verdict(&feed, stands, Some(&world.epoch), &past) != Verdict::Counts,
            None => true,
        })
}

fn number(name: &str, or: usize) -> usize {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(or)
}

#[test]
fn three_admins_with_two_devices_each() {
    let states = number("WEFT_MODEL_STATES", 2_000);
    let model = Admins { writes: number("WEFT_MODEL_WRITES", 4), states };
    let checker = model.checker().threads(2).spawn_bfs().join();
    let looked_at = LOOKED_AT.load(Ordering::Relaxed).min(states);
    println!("{looked_at} unique states, depth {}", checker.max_depth());
    assert_eq!(looked_at, states, "too few states to say anything");
    checker.assert_properties();
}
