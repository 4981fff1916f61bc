//! The door, `/weft/space/1`: two devices find out which spaces they share, and show nothing of the others.
//!
//! The opener sends tags, MACs under access secrets over both devices and both nonces, among random ones; the acceptor
//! answers as many, real only where a tag was real and the opener is a current device. A stranger sees random bytes and one
//! kind of answer. The stream stays open, and rounds repeat when somebody learns something. Spec: SPACE-9.
//!
//! ```text
//!   opener                         acceptor
//!     Hello{nonce}  ───────────────►
//!                   ◄─────────────── Hello{nonce}
//!     Tags{0, dial} ───────────────►            a place matches: Opened{number}
//!                   ◄─────────────── Tags{0, listen}
//!     Opened{number}
//!                   ◄─────────────── Again      it has learned something
//!     Tags{1, dial} ───────────────►
//! ```

mod error;
mod pace;
mod tags;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
pub use error::Violation;
use pace::Pace;
use tags::{Blind, Bound, TAG, TAGS_MAX};
use weft_crypto::{DeviceId, EpochId, SpaceId, hash::same};
use weft_machine::{Draws, Machine, Seed, Time};
use weft_wire::{
    frame,
    space::{Again, Frame, Hello, Tags, frame::Kind},
};
use zeroize::Zeroizing;

use crate::Config;

/// The door's version. Spec: SPACE-9.1.
const VERSION: u32 = 1;
/// Rounds of one connection: a number has room for so many.
const ROUNDS_MAX: u32 = u32::MAX / TAGS_MAX as u32;

/// A space as the door sees it.
#[derive(Clone)]
pub struct DoorSpace {
    /// The space.
    pub space: SpaceId,
    /// Access secrets of the newest epochs held, and of the oldest; see [`crate::Keys::access`]. More than three are ignored.
    pub access: Vec<(EpochId, Zeroizing<[u8; 32]>)>,
    /// Whether the peer is a current device of it, as far as is known here.
    pub peer_is_current_device: bool,
}

/// A fact.
#[derive(Clone)]
pub enum Input {
    /// A frame's payload arrived.
    Received(Bytes),
    /// The spaces that this device belongs to, all of them, most important first. Nothing is sent before the first one.
    SpacesChanged(Vec<DoorSpace>),
}

/// An order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// A frame to send, its length in front.
    Send(Bytes),
    /// Both belong to this space: it goes by this number on the replication stream of this connection.
    Opened {
        /// The space.
        space: SpaceId,
        /// Round times 1,024 plus place; the same on both sides.
        number: u32,
    },
    /// The space is shut again, for as long as this connection lasts.
    Closed {
        /// The space.
        space: SpaceId,
        /// The number it had.
        number: u32,
    },
    /// The peer broke the rules: end the stream. Nothing more follows but `Closed`.
    Violated(Violation),
}

/// What could be proved in a round.
#[derive(Clone)]
struct Proof {
    space: SpaceId,
    epoch: EpochId,
    access: Zeroizing<[u8; 32]>,
}

/// A round whose answer is due.
struct Asked {
    round: u32,
    count: usize,
    /// What stands at which place.
    places: BTreeMap<usize, Proof>,
}

/// The door of one connection; see the module.
pub struct Door {
    config: Config,
    me: DeviceId,
    peer: DeviceId,
    opener: bool,
    draws: Draws,
    /// Answers where there is nothing to prove are MACs under this key, so that they take the same time.
    nothing: [u8; 32],
    blind: Blind,
    nonce: [u8; 32],
    bound: Option<Bound>,
    spaces: Option<Vec<DoorSpace>>,
    open: BTreeMap<SpaceId, u32>,
    /// Never opened again on this connection.
    shut: BTreeSet<SpaceId>,
    /// The next round.
    round: u32,
    asked: Option<Asked>,
    /// The opener: what it has offered. The acceptor: what it could have proved in the last round.
    offered: BTreeSet<(SpaceId, EpochId)>,
    /// The opener: a round is asked for. The acceptor: it has asked.
    again: bool,
    pace: Pace,
    outputs: VecDeque<Output>,
    violated: bool,
}

impl Door {
    /// The door of a connection between two devices that the transport has authenticated.
    pub fn new(config: Config, me: DeviceId, peer: DeviceId, opener: bool, seed: Seed) -> Self {
        let mut draws = seed.fork("door").draws();
        let nonce = draws.draw32();
        // An acceptor bears twice what an opener sends.
        let scale = if opener { 1 } else { 2 };
        let pace = Pace::new(config.rounds_burst.saturating_mul(scale), config.round_every / scale);
        let hello = Hello { version: VERSION, nonce: Bytes::copy_from_slice(&nonce) };
        let mut door = Self {
            config,
            me,
            peer,
            opener,
            nothing: draws.draw32(),
            blind: Blind(draws.draw32()),
            draws,
            nonce,
            bound: None,
            spaces: None,
            open: BTreeMap::new(),
            shut: BTreeSet::new(),
            round: 0,
            asked: None,
            offered: BTreeSet::new(),
            again: false,
            pace,
            outputs: VecDeque::new(),
            violated: false,
        };
        door.send(Kind::Hello(hello));
        door
    }

    /// The spaces that are open, with their numbers.
    pub fn open(&self) -> impl Iterator<Item = (&SpaceId, u32)> {
        self.open.iter().map(|(space, number)| (space, *number))
    }

    fn send(&mut self, kind: Kind) {
        self.outputs.push_back(Output::Send(frame::encode(&Frame { kind: Some(kind) })));
    }

    fn received(&mut self, now: Time, payload: &Bytes) -> Result<(), Violation> {
        let message: Frame = weft_wire::decode(payload)?;
        match message.kind.ok_or(Violation::NoKind)? {
            Kind::Hello(hello) => self.hello(&hello),
            Kind::Tags(tags) if self.opener => self.answered(&tags),
            Kind::Tags(tags) => self.dialled(now, &tags),
            Kind::Again(Again {}) if self.opener => {
                self.again = true;
                Ok(())
            }
            Kind::Again(Again {}) => Err(Violation::AgainByOpener),
        }
    }

    fn hello(&mut self, hello: &Hello) -> Result<(), Violation> {
        if self.bound.is_some() {
            return Err(Violation::SecondHello);
        }
        if hello.version != VERSION {
            return Err(Violation::Version { found: hello.version });
        }
        let nonce = hello.nonce.as_ref();
        let nonce: [u8; 32] = nonce.try_into().map_err(|_| Violation::Nonce { found: nonce.len() })?;
        if nonce == self.nonce {
            return Err(Violation::Reflected);
        }
        let (mine, theirs) = ((self.me, self.nonce), (self.peer, nonce));
        let ((opener, opener_nonce), (acceptor, acceptor_nonce)) =
            if self.opener { (mine, theirs) } else { (theirs, mine) };
        self.bound = Some(Bound { opener, acceptor, opener_nonce, acceptor_nonce });
        Ok(())
    }

    /// What this side could prove now: spaces that are not open, of which the peer is a current device.
    fn provable(&self) -> Vec<Proof> {
        let spaces = self.spaces.iter().flatten().take(self.config.spaces_max.min(TAGS_MAX / crate::ACCESS_EPOCHS));
        let shut = |space: &SpaceId| self.open.contains_key(space) || self.shut.contains(space);
        let spaces = spaces.filter(|space| space.peer_is_current_device && !shut(&space.space));
        let proofs = spaces.flat_map(|space| {
            let newest = space.access.iter().take(crate::ACCESS_EPOCHS);
            newest.map(|(epoch, access)| Proof { space: space.space, epoch: *epoch, access: access.clone() })
        });
        proofs.collect()
    }

    fn offered_of(proofs: &[Proof]) -> BTreeSet<(SpaceId, EpochId)> {
        proofs.iter().map(|proof| (proof.space, proof.epoch)).collect()
    }

    /// The opener: whether a round is due.
    fn wants_round(&self) -> bool {
        let free = self.opener && !self.violated && self.asked.is_none() && self.round < ROUNDS_MAX;
        if !free || self.bound.is_none() || self.spaces.is_none() {
            return false;
        }
        let news = || !Self::offered_of(&self.provable()).is_subset(&self.offered);
        self.round == 0 || self.again || news()
    }

    /// The opener sends a round if one is due and the pace allows it. Spec: SPACE-9.3.
    fn dial(&mut self, now: Time) {
        if !self.wants_round() || !self.pace.take(now) {
            return;
        }
        let Some(bound) = self.bound.clone() else {
            return;
        };
        let proofs = self.provable();
        self.offered = Self::offered_of(&proofs);
        self.again = false;
        let count = proofs.len().max(self.config.tags_min).next_power_of_two().min(TAGS_MAX);
        let mut free: Vec<usize> = (0..count).collect();
        let mut places = BTreeMap::new();
        for proof in proofs {
            let at = self.draws.below(free.len() as u64) as usize;
            places.insert(free.swap_remove(at), proof);
        }
        let round = self.round;
        let mut tags = Vec::with_capacity(count * TAG);
        for place in 0..count {
            match places.get(&place) {
                Some(proof) => tags.extend_from_slice(&bound.dial(&proof.access, &proof.epoch, round)),
                None => tags.extend_from_slice(&self.draws.draw32()),
            }
        }
        self.round += 1;
        self.asked = Some(Asked { round, count, places });
        self.send(Kind::Tags(Tags { round, tags: tags.into() }));
    }

    /// The opener reads the answers.
    fn answered(&mut self, message: &Tags) -> Result<(), Violation> {
        let bound = self.bound.clone().ok_or(Violation::BeforeHello)?;
        let due = self.asked.take().filter(|asked| asked.round == message.round);
        let asked = due.ok_or(Violation::Round { expected: None, found: message.round })?;
        if message.tags.len() != asked.count * TAG {
            return Err(Violation::Count { bytes: message.tags.len() });
        }
        let still = Self::offered_of(&self.provable());
        for (place, proof) in asked.places {
            let expected = bound.listen(&proof.access, &proof.epoch, asked.round, place);
            let answer: &[u8] = &message.tags[place * TAG..(place + 1) * TAG];
            let fits = answer.try_into().is_ok_and(|answer| same(&expected, answer));
            if fits && still.contains(&(proof.space, proof.epoch)) && !self.open.contains_key(&proof.space) {
                self.opened(proof.space, asked.round, place);
            }
        }
        Ok(())
    }

    /// The acceptor answers a round. What a stranger and what a member sends takes the same work: one hidden comparison and
    /// one MAC for each tag.
    fn dialled(&mut self, now: Time, message: &Tags) -> Result<(), Violation> {
        let bound = self.bound.clone().ok_or(Violation::BeforeHello)?;
        if message.round != self.round || self.round >= ROUNDS_MAX {
            return Err(Violation::Round { expected: Some(self.round), found: message.round });
        }
        let (tags, rest) = message.tags.as_chunks::<TAG>();
        if !rest.is_empty() || !tags.len().is_power_of_two() || tags.len() > TAGS_MAX {
            return Err(Violation::Count { bytes: message.tags.len() });
        }
        if !self.pace.take(now) {
            return Err(Violation::TooManyRounds);
        }
        let round = self.round;
        self.round += 1;
        self.again = false;
        let proofs = self.provable();
        self.offered = Self::offered_of(&proofs);
        let mut expected = BTreeMap::new();
        for proof in proofs {
            let tag = bound.dial(&proof.access, &proof.epoch, round);
            expected.insert(self.blind.hide(&tag), proof);
        }
        let nothing = Proof {
            space: SpaceId::from_bytes([0; 32]),
            epoch: EpochId::from_bytes([0; 32]),
            access: Zeroizing::new(self.nothing),
        };
        let mut answers = Vec::with_capacity(message.tags.len());
        let mut found: BTreeMap<SpaceId, usize> = BTreeMap::new();
        for (place, tag) in tags.iter().enumerate() {
            let proof = expected.get(&self.blind.hide(tag));
            let proof = proof.filter(|proof| !found.contains_key(&proof.space));
            let answered = proof.unwrap_or(&nothing);
            answers.extend_from_slice(&bound.listen(&answered.access, &answered.epoch, round, place));
            if let Some(proof) = proof {
                found.insert(proof.space, place);
            }
        }
        self.send(Kind::Tags(Tags { round, tags: answers.into() }));
        for (space, place) in found {
            self.opened(space, round, place);
        }
        Ok(())
    }

    fn opened(&mut self, space: SpaceId, round: u32, place: usize) {
        let number = round * TAGS_MAX as u32 + place as u32;
        self.open.insert(space, number);
        self.outputs.push_back(Output::Opened { space, number });
    }

    fn spaces_changed(&mut self, spaces: Vec<DoorSpace>) {
        let current = spaces.iter().filter(|space| space.peer_is_current_device);
        let current: BTreeSet<SpaceId> = current.map(|space| space.space).collect();
        self.spaces = Some(spaces);
        let gone: Vec<_> = self.open.extract_if(.., |space, _| !current.contains(space)).collect();
        for (space, number) in gone {
            self.shut.insert(space);
            self.outputs.push_back(Output::Closed { space, number });
        }
        // Spec: SPACE-9.4. Before the first round there is nothing to repeat.
        let answered = !self.opener && self.round > 0 && !self.again && !self.violated;
        if answered && !Self::offered_of(&self.provable()).is_subset(&self.offered) {
            self.again = true;
            self.send(Kind::Again(Again {}));
        }
    }
}

impl Machine for Door {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Time, input: Input) {
        match input {
            Input::Received(_) if self.violated => {}
            Input::Received(payload) => {
                if let Err(violation) = self.received(now, &payload) {
                    self.violated = true;
                    self.outputs.push_back(Output::Violated(violation));
                }
            }
            Input::SpacesChanged(spaces) => self.spaces_changed(spaces),
        }
        self.dial(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Time> {
        self.wants_round().then(|| self.pace.next())
    }

    fn wake(&mut self, now: Time) {
        self.dial(now);
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door")
            .field("peer", &self.peer)
            .field("opener", &self.opener)
            .field("round", &self.round)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}
