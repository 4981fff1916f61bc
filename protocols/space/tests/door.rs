//! The door, as two devices and a stranger meet at it. Spec: SPACE-9.

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{DeviceId, EpochId, SpaceId};
use weft_machine::{Machine, Seed, Time, laws};
use weft_space::{
    Config, Keys,
    door::{Door, DoorSpace, Input, Output, Violation},
    resolve,
};
use weft_wire::{
    frame,
    space::{Again, Frame, Hello, Tags, frame::Kind},
};
use zeroize::Zeroizing;

use crate::world::{BOB, CAROL, World};

const NOW: Time = Time::from_millis(1000);

fn device(byte: u8) -> DeviceId {
    DeviceId::from_bytes([byte; 32])
}

fn space(byte: u8, epochs: &[u8], current: bool) -> DoorSpace {
    let access = epochs.iter().map(|epoch| (EpochId::from_bytes([*epoch; 32]), Zeroizing::new([*epoch; 32])));
    DoorSpace { space: SpaceId::from_bytes([byte; 32]), access: access.collect(), peer_is_current_device: current }
}

/// Two doors and everything that passed between them.
struct Pair {
    doors: [Door; 2],
    /// Who sent, and which frame.
    wire: Vec<(usize, Frame)>,
    opened: [Vec<(SpaceId, u32)>; 2],
    closed: [Vec<(SpaceId, u32)>; 2],
    violated: [Option<Violation>; 2],
    now: Time,
}

const OPENER: usize = 0;
const ACCEPTOR: usize = 1;

fn payload(framed: Bytes) -> Bytes {
    let mut decoder = frame::Decoder::new();
    decoder.push(framed);
    decoder.next().unwrap().unwrap()
}

impl Pair {
    fn new() -> Self {
        Self::with([device(1), device(2)], 1)
    }

    fn with(ids: [DeviceId; 2], seed: u8) -> Self {
        let door = |me: usize, peer: usize| {
            let seed = Seed::from_bytes([seed + me as u8; 32]);
            Door::new(Config::default(), ids[me], ids[peer], me == OPENER, seed)
        };
        Self {
            doors: [door(OPENER, ACCEPTOR), door(ACCEPTOR, OPENER)],
            wire: Vec::new(),
            opened: Default::default(),
            closed: Default::default(),
            violated: Default::default(),
            now: NOW,
        }
    }

    fn spaces(&mut self, who: usize, spaces: Vec<DoorSpace>) {
        self.doors[who].handle_input(self.now, Input::SpacesChanged(spaces));
        self.run();
    }

    /// Carries frames until both are silent, then lets the time of the next deadline come.
    fn run(&mut self) {
        loop {
            self.drain();
            let due = self.doors.iter().filter_map(Machine::deadline).min();
            let Some(due) = due else { break };
            self.now = self.now.max(due);
            self.doors.iter_mut().for_each(|door| door.wake(self.now));
        }
    }

    fn drain(&mut self) {
        let mut silent = 0;
        let mut who = 0;
        while silent < 2 {
            silent = match self.doors[who].poll_output() {
                None => silent + 1,
                Some(output) => {
                    self.take(who, output);
                    0
                }
            };
            who = 1 - who;
        }
    }

    fn take(&mut self, who: usize, output: Output) {
        match output {
            Output::Send(framed) => {
                let payload = payload(framed);
                self.wire.push((who, weft_wire::decode(&payload).unwrap()));
                self.doors[1 - who].handle_input(self.now, Input::Received(payload));
            }
            Output::Opened { space, number } => self.opened[who].push((space, number)),
            Output::Closed { space, number } => self.closed[who].push((space, number)),
            Output::Violated(violation) => self.violated[who] = Some(violation),
        }
    }

    /// Kinds and lengths of everything that passed.
    fn transcript(&self) -> Vec<(usize, &'static str, usize)> {
        self.wire.iter().map(|(who, frame)| (*who, kind(frame), frame::encode(frame).len())).collect()
    }

    fn tags(&self, who: usize) -> Vec<Tags> {
        let sent = self.wire.iter().filter(|(sender, _)| *sender == who);
        let tags = sent.filter_map(|(_, frame)| match &frame.kind {
            Some(Kind::Tags(tags)) => Some(tags.clone()),
            _ => None,
        });
        tags.collect()
    }
}

fn kind(frame: &Frame) -> &'static str {
    match frame.kind {
        Some(Kind::Hello(_)) => "hello",
        Some(Kind::Tags(_)) => "tags",
        Some(Kind::Again(_)) => "again",
        None => "none",
    }
}

/// Spec: SPACE-9.3.
#[test]
fn what_both_share_opens_and_nothing_else() {
    let mut pair = Pair::new();
    pair.spaces(ACCEPTOR, vec![space(10, &[1], true), space(11, &[2], true), space(12, &[3], true)]);
    pair.spaces(OPENER, vec![space(12, &[3], true), space(10, &[1], true), space(13, &[4], true)]);
    let mut opened = pair.opened.clone();
    opened.iter_mut().for_each(|opened| opened.sort());
    assert_eq!(opened[OPENER], opened[ACCEPTOR], "both sides give the same numbers");
    let shared = [10, 12].map(|byte| SpaceId::from_bytes([byte; 32]));
    assert_eq!(opened[OPENER].iter().map(|(space, _)| *space).collect::<Vec<_>>(), shared);
    assert!(opened[OPENER].iter().all(|(_, number)| *number < 1024));
    assert_eq!(pair.violated, [None, None]);
}

/// Spec: SPACE-9.2. Only the newest three epochs are offered, and one in common is enough.
#[test]
fn one_common_epoch_of_the_newest_three_is_enough() {
    let mut pair = Pair::new();
    pair.spaces(ACCEPTOR, vec![space(10, &[5, 4, 3], true)]);
    pair.spaces(OPENER, vec![space(10, &[7, 6, 5], true)]);
    assert_eq!(pair.opened[OPENER].len(), 1);
    assert_eq!(pair.opened, [pair.opened[0].clone(), pair.opened[0].clone()]);
    let mut pair = Pair::new();
    pair.spaces(ACCEPTOR, vec![space(10, &[9, 8, 7, 5], true)]);
    pair.spaces(OPENER, vec![space(10, &[5], true)]);
    assert_eq!(pair.opened, [vec![], vec![]], "the fourth is not offered");
}

/// Spec: SPACE-9.3. A stranger cannot tell a space that exists from one that does not.
#[test]
fn existing_and_invented_spaces_look_alike() {
    let meet = |mine: Vec<DoorSpace>, theirs: Vec<DoorSpace>, who: usize| {
        let mut pair = Pair::new();
        pair.spaces(1 - who, mine);
        pair.spaces(who, theirs);
        assert_eq!(pair.opened, [vec![], vec![]]);
        assert_eq!(pair.violated, [None, None]);
        pair.transcript()
    };
    for stranger in [OPENER, ACCEPTOR] {
        let existing = || vec![space(10, &[1], false)];
        // The stranger knows the space's id and epoch, not its secret.
        let guess = || {
            let mut guess = space(10, &[1], true);
            guess.access[0].1 = Zeroizing::new([99; 32]);
            vec![guess]
        };
        let one = meet(existing(), guess(), stranger);
        let other = meet(vec![], vec![space(77, &[78], true)], stranger);
        assert_eq!(one, other);
        // A removed or unknown device that holds the secret is answered the same.
        let removed = meet(existing(), vec![space(10, &[1], true)], stranger);
        assert_eq!(one, removed);
        assert!(one.iter().any(|(who, kind, _)| *who == ACCEPTOR && *kind == "tags"));
    }
}

/// Spec: SPACE-9.2.
#[test]
fn tags_are_padded_to_a_power_of_two() {
    for (spaces, expected) in [(0, 16), (16, 16), (17, 32), (341, 1024)] {
        let mut pair = Pair::new();
        let one = |at: u32, epochs: &[u8]| {
            let mut space = space(1, epochs, true);
            let mut id = [1; 32];
            id[..4].copy_from_slice(&at.to_le_bytes());
            space.space = SpaceId::from_bytes(id);
            space
        };
        let epochs: &[u8] = if spaces == 341 { &[1, 2, 3] } else { &[1] };
        pair.spaces(OPENER, (0..spaces).map(|at| one(at, epochs)).collect());
        assert_eq!(pair.tags(OPENER)[0].tags.len(), expected * 32);
        assert_eq!(pair.tags(ACCEPTOR)[0].tags.len(), expected * 32);
    }
}

/// Runs an acceptor by hand against frames that somebody else made.
struct Acceptor {
    door: Door,
    now: Time,
}

impl Acceptor {
    fn new(seed: u8, spaces: Vec<DoorSpace>) -> Self {
        let mut door = Door::new(Config::default(), device(2), device(1), false, Seed::from_bytes([seed; 32]));
        door.handle_input(NOW, Input::SpacesChanged(spaces));
        while door.poll_output().is_some() {}
        Self { door, now: NOW }
    }

    fn send(&mut self, kind: Kind) -> Vec<Output> {
        let payload = payload(frame::encode(&Frame { kind: Some(kind) }));
        self.door.handle_input(self.now, Input::Received(payload));
        std::iter::from_fn(|| self.door.poll_output()).collect()
    }
}

fn hello(byte: u8) -> Kind {
    Kind::Hello(Hello { version: 1, nonce: Bytes::from(vec![byte; 32]) })
}

fn random_tags(round: u32, count: usize) -> Kind {
    Kind::Tags(Tags { round, tags: Bytes::from(vec![7; count * 32]) })
}

/// Spec: SPACE-9.2.
#[test]
fn tags_of_another_connection_open_nothing() {
    let mut pair = Pair::new();
    pair.spaces(ACCEPTOR, vec![space(10, &[1], true)]);
    pair.spaces(OPENER, vec![space(10, &[1], true)]);
    assert_eq!(pair.opened[ACCEPTOR].len(), 1);
    // Somebody recorded that and plays it again, from the same device, nonce and all, to another acceptor's door.
    let opener_said = pair.wire.iter().filter(|(who, _)| *who == OPENER);
    let recorded: Vec<_> = opener_said.filter_map(|(_, frame)| frame.kind.clone()).collect();
    let mut acceptor = Acceptor::new(44, vec![space(10, &[1], true)]);
    let outputs: Vec<_> = recorded.into_iter().flat_map(|kind| acceptor.send(kind)).collect();
    assert!(matches!(outputs[..], [Output::Send(_)]), "answered like a stranger: {outputs:?}");
    assert_eq!(acceptor.door.open().count(), 0);
}

/// Spec: SPACE-9.2.
#[test]
fn a_reflected_proof_opens_nothing() {
    let mut door = Door::new(Config::default(), device(1), device(2), true, Seed::from_bytes([1; 32]));
    door.handle_input(NOW, Input::SpacesChanged(vec![space(10, &[1], true)]));
    while door.poll_output().is_some() {}
    door.handle_input(NOW, Input::Received(payload(frame::encode(&Frame { kind: Some(hello(9)) }))));
    let Some(Output::Send(tags)) = door.poll_output() else { panic!("the opener sends its tags") };
    door.handle_input(NOW, Input::Received(payload(tags)));
    assert_eq!(door.poll_output(), None, "its own tags prove nothing");
    assert_eq!(door.open().count(), 0);

    let mut door = Door::new(Config::default(), device(1), device(2), true, Seed::from_bytes([1; 32]));
    let Some(Output::Send(own)) = door.poll_output() else { panic!("a hello") };
    door.handle_input(NOW, Input::Received(payload(own)));
    assert_eq!(door.poll_output(), Some(Output::Violated(Violation::Reflected)));
}

/// Spec: SPACE-9.4.
#[test]
fn what_is_learned_later_opens_in_another_round() {
    for learner in [OPENER, ACCEPTOR] {
        let mut pair = Pair::new();
        pair.spaces(1 - learner, vec![space(10, &[1], true)]);
        pair.spaces(learner, vec![space(10, &[1], false)]);
        assert_eq!(pair.opened, [vec![], vec![]]);
        pair.spaces(learner, vec![space(10, &[1], true)]);
        let opened = pair.opened[OPENER].clone();
        assert_eq!((opened.len(), &opened), (1, &pair.opened[ACCEPTOR]));
        assert!((1024..2048).contains(&opened[0].1), "opened in round 1");
        let again = pair.wire.iter().filter(|(_, frame)| kind(frame) == "again").count();
        assert_eq!(again, usize::from(learner == ACCEPTOR));
        assert_eq!(pair.violated, [None, None]);
    }
}

/// Spec: SPACE-9.4.
#[test]
fn tags_of_the_next_round_are_others() {
    let mut pair = Pair::new();
    pair.spaces(OPENER, vec![space(10, &[1], true)]);
    pair.spaces(OPENER, vec![space(10, &[1], true), space(11, &[2], true)]);
    let rounds = pair.tags(OPENER);
    assert_eq!(rounds.len(), 2);
    let (first, second) = (rounds[0].tags.as_chunks::<32>().0, rounds[1].tags.as_chunks::<32>().0);
    assert!(first.iter().all(|tag| !second.contains(tag)), "a repeated tag would show which are real");
}

/// Spec: SPACE-9.5.
#[test]
fn an_open_space_is_judged_again_and_shut() {
    let mut pair = Pair::new();
    pair.spaces(ACCEPTOR, vec![space(10, &[1], true)]);
    pair.spaces(OPENER, vec![space(10, &[1], true)]);
    pair.spaces(ACCEPTOR, vec![space(10, &[1], false)]);
    assert_eq!(pair.closed[ACCEPTOR], pair.opened[ACCEPTOR]);
    pair.spaces(ACCEPTOR, vec![space(10, &[1], true)]);
    assert_eq!(pair.opened[ACCEPTOR].len(), 1, "it stays shut on this connection");
}

/// Spec: SPACE-9.6.
#[test]
fn rounds_without_end_are_refused() {
    let mut acceptor = Acceptor::new(1, vec![]);
    acceptor.send(hello(9));
    let mut refused = None;
    for round in 0..100 {
        let outputs = acceptor.send(random_tags(round, 1024));
        if let Some(Output::Violated(violation)) = outputs.last() {
            refused = Some((round, violation.clone()));
            break;
        }
    }
    assert_eq!(refused, Some((16, Violation::TooManyRounds)));
}

/// Spec: SPACE-9.6. An honest opener never gets there, however often it learns.
#[test]
fn an_opener_keeps_its_pace() {
    let mut pair = Pair::new();
    for byte in 0..100 {
        pair.spaces(OPENER, (0..=byte).map(|byte| space(byte, &[byte], true)).collect());
    }
    assert_eq!(pair.violated, [None, None]);
    assert!(pair.tags(OPENER).len() > 50);
}

#[test]
fn each_breach_is_named() {
    let breach = |kinds: Vec<Kind>| {
        let mut acceptor = Acceptor::new(1, vec![]);
        let outputs: Vec<_> = kinds.into_iter().flat_map(|kind| acceptor.send(kind)).collect();
        let Some(Output::Violated(violation)) = outputs.into_iter().last() else {
            panic!("a violation");
        };
        assert!(acceptor.send(hello(9)).is_empty(), "nothing follows a violation");
        violation
    };
    let tags = |round, bytes: usize| Kind::Tags(Tags { round, tags: Bytes::from(vec![7; bytes]) });
    assert_eq!(breach(vec![hello(9), hello(9)]), Violation::SecondHello);
    let later = Kind::Hello(Hello { version: 2, nonce: Bytes::from(vec![9; 32]) });
    assert_eq!(breach(vec![later]), Violation::Version { found: 2 });
    let short = Kind::Hello(Hello { version: 1, nonce: Bytes::from(vec![9; 31]) });
    assert_eq!(breach(vec![short]), Violation::Nonce { found: 31 });
    assert_eq!(breach(vec![tags(0, 32)]), Violation::BeforeHello);
    assert_eq!(breach(vec![hello(9), tags(1, 32)]), Violation::Round { expected: Some(0), found: 1 });
    for bytes in [0, 31, 33, 96] {
        assert_eq!(breach(vec![hello(9), tags(0, bytes)]), Violation::Count { bytes });
    }
    assert!(matches!(breach(vec![hello(9), tags(0, 2048 * 32)]), Violation::Decode(_)));
    assert_eq!(breach(vec![hello(9), Kind::Again(Again {})]), Violation::AgainByOpener);

    let mut acceptor = Acceptor::new(1, vec![]);
    acceptor.door.handle_input(NOW, Input::Received(Bytes::new()));
    assert_eq!(acceptor.door.poll_output(), Some(Output::Violated(Violation::NoKind)));

    let mut opener = Door::new(Config::default(), device(1), device(2), true, Seed::from_bytes([1; 32]));
    while opener.poll_output().is_some() {}
    for kind in [hello(9), random_tags(0, 16)] {
        opener.handle_input(NOW, Input::Received(payload(frame::encode(&Frame { kind: Some(kind) }))));
    }
    let unasked = Violation::Round { expected: None, found: 0 };
    assert_eq!(opener.poll_output(), Some(Output::Violated(unasked)), "no round before the spaces are known");
}

#[test]
fn an_answer_of_another_length_is_refused() {
    let mut opener = Door::new(Config::default(), device(1), device(2), true, Seed::from_bytes([1; 32]));
    opener.handle_input(NOW, Input::SpacesChanged(vec![]));
    for kind in [hello(9), random_tags(0, 32)] {
        opener.handle_input(NOW, Input::Received(payload(frame::encode(&Frame { kind: Some(kind) }))));
    }
    let last = std::iter::from_fn(|| opener.poll_output()).last();
    assert_eq!(last, Some(Output::Violated(Violation::Count { bytes: 1024 })));
}

fn of(world: &World, who: usize, peer: usize, entries: usize) -> Vec<DoorSpace> {
    let resolution = resolve(&world.space, &world.entries[..entries]);
    let (me, peer) = (&world.people[who], world.people[peer].device.id());
    let mut keys = Keys::new(world.space, 4);
    keys.learn(&resolution, &me.device.id(), std::slice::from_ref(&me.keys.as_ref().unwrap().pre_key));
    let current = resolution.device(&peer).is_some();
    vec![DoorSpace { space: world.space, access: keys.access(&resolution), peer_is_current_device: current }]
}

/// A laggard answers a newcomer it does not know like a stranger, and knows it as soon as somebody told it. With one epoch
/// the access secret that both hold is that of the epoch itself. Spec: SPACE-9.4.
#[test]
fn newcomer_and_laggard_recognise_each_other() {
    let mut world = World::new();
    world.admit(BOB, Role::Writer);
    let laggard_knows = world.entries.len();
    world.admit(CAROL, Role::Writer);
    let all = world.entries.len();
    for newcomer_dials in [true, false] {
        let (opener, acceptor) = if newcomer_dials { (CAROL, BOB) } else { (BOB, CAROL) };
        let ids = [opener, acceptor].map(|who| world.people[who].device.id());
        let mut pair = Pair::with(ids, 20);
        let (laggard, newcomer) = if newcomer_dials { (ACCEPTOR, OPENER) } else { (OPENER, ACCEPTOR) };
        pair.spaces(newcomer, of(&world, CAROL, BOB, all));
        pair.spaces(laggard, of(&world, BOB, CAROL, laggard_knows));
        assert_eq!(pair.opened, [vec![], vec![]]);
        // Bob hears of Carol from Alice.
        pair.spaces(laggard, of(&world, BOB, CAROL, all));
        assert_eq!(pair.opened[0].len(), 1);
        assert_eq!(pair.opened[0], pair.opened[1]);
    }
}

#[test]
fn the_laws_of_machines_hold() {
    let script: Vec<(Time, Input)> = [
        Input::SpacesChanged(vec![space(10, &[1], true)]),
        Input::Received(payload(frame::encode(&Frame { kind: Some(hello(9)) }))),
        Input::Received(payload(frame::encode(&Frame { kind: Some(random_tags(0, 16)) }))),
        Input::SpacesChanged(vec![space(10, &[1], false), space(11, &[2], true)]),
        Input::Received(payload(frame::encode(&Frame { kind: Some(Kind::Again(Again {})) }))),
        Input::Received(Bytes::from_static(&[0xff])),
    ]
    .into_iter()
    .map(|input| (NOW, input))
    .collect();
    for opener in [true, false] {
        let make = || Door::new(Config::default(), device(1), device(2), opener, Seed::from_bytes([1; 32]));
        laws::all(make, &script);
    }
}
